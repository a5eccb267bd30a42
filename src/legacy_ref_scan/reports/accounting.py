"""The accounting: every mention with its explanation, file by file, and the ledger that sums them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from legacy_ref_scan.model import Explanation, Report, Span
from legacy_ref_scan.reports.places import locate
from legacy_ref_scan.reports.style import clean, paint

# (one, many), read after a number.
_NOUNS: dict[Explanation, tuple[str, str]] = {
    Explanation.REFERENCE: ("reference", "references"),
    Explanation.GAP: ("gap", "gaps"),
    Explanation.RESIDUE: ("residue", "residues"),
    Explanation.ACKNOWLEDGED: ("acknowledged", "acknowledged"),
    Explanation.TABLE: ("table without the column", "tables without the column"),
    Explanation.OTHER_TABLE: ("other table", "other tables"),
    Explanation.OUTPUT_NAME: ("output name", "output names"),
    Explanation.VARIABLE: ("variable", "variables"),
    Explanation.DEFINITION: ("definition", "definitions"),
    Explanation.HISTORY: ("history", "history"),
    Explanation.VALUE: ("value", "values"),
    Explanation.TEXT: ("text", "texts"),
    Explanation.IDENTIFIER: ("identifier", "identifiers"),
    Explanation.COMMENT: ("comment", "comments"),
    Explanation.OTHER_FILE: ("in another file", "in other files"),
}


def count(number: int, one: str, many: str) -> str:
    """`1 gap`, `41 mentions`, `5,000 files`."""
    return f"{number:,} {one if number == 1 else many}"


def ledger_line(report: Report) -> str:
    """`41 mentions: 6 references, 1 gap, 20 other tables, 9 comments, …`; the parts add up to the first number."""
    total = count(len(report.mentions), "mention", "mentions")
    parts = [count(number, *_NOUNS[why]) for why, number in report.ledger.items()]
    return f"{total}: {', '.join(parts)}" if parts else total


def listing(report: Report, colour: bool) -> Iterator[str]:
    """A line for every mention, under the name of its file."""
    pairs = sorted(report.mentions, key=lambda pair: (pair[0].span, pair[0].role))
    for path, group in groupby(pairs, key=lambda pair: pair[0].span.path):
        yield paint(clean(path), "bold", colour)
        for mention, claim in group:
            at = locate(report, mention.span)
            text = _token(report, mention.span)
            detail = f" ({clean(claim.detail)})" if claim.detail else ""
            yield f"  {at.line}:{at.column}  {text}  {claim.why.value}{detail}"


def _token(report: Report, span: Span) -> str:
    source = report.files.get(span.path)
    return "?" if source is None else clean(source.data[span.start : span.end].decode("utf-8", "replace"))
