"""What a scan made of one place, as plain dicts: the texts that stand there, how they were read, what was concluded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from legacy_ref_scan.model import (
    HOLE,
    Access,
    Acknowledged,
    Explanation,
    Fragment,
    Gap,
    Hole,
    Piece,
    Reference,
    Report,
    Residue,
    SourceFile,
    Span,
)
from legacy_ref_scan.reports.advice import MEANINGS, of_gap, of_residue
from legacy_ref_scan.schema import Catalog
from legacy_ref_scan.sql.lexer import Kind, tokens
from legacy_ref_scan.sql.repair import repairs
from legacy_ref_scan.sql.trace import Reading, TracedText
from legacy_ref_scan.sql.tree import Tree

VERSION = 1
"""Raised when a key goes or changes its meaning; new keys do not raise it."""

Shape = dict[str, Any]
Read = Callable[[str], SourceFile | None]


def touches(fragment: Fragment, place: Span) -> bool:
    """Whether a text has anything to do with a place: a piece of it, a hole, or the expression that holds it."""
    return _overlap(fragment.site, place) or _reaches(fragment, 0, len(fragment.text), place)


def document(
    report: Report, catalog: Catalog, texts: list[TracedText], place: Span, column: int | None, read: Read
) -> Shape:
    """Everything known of a place. `column` is what was asked for, None: the whole line. All places are from 1."""
    explainer = _Explainer(report, catalog, place, read)
    shown = [(text, explainer.readings(text)) for text in texts]
    around = [explainer.covered(text.fragment, readings) for text, readings in shown]
    source = read(place.path)
    line = source.line_of(place.start) if source is not None else 1
    return {
        "version": VERSION,
        "targets": [str(target) for target in report.targets],
        "path": place.path,
        "line": line,
        "column": column,
        "source": source.line_text(line) if source is not None else "",
        "mentions": list(explainer.mentions()),
        "findings": list(explainer.findings([span for spans in around for span in spans])),
        "texts": [explainer.text(text.fragment, readings) for text, readings in shown],
    }


def _overlap(one: Span, other: Span) -> bool:
    """Whether two spans share a byte; an empty one counts as the byte after it."""
    same = one.path == other.path
    return same and one.start < max(other.end, other.start + 1) and other.start < max(one.end, one.start + 1)


def _reaches(fragment: Fragment, start: int, end: int, place: Span) -> bool:
    return any(_overlap(origin, place) for _, origin in _origins(fragment, start, end))


def _origins(fragment: Fragment, start: int, end: int) -> Iterator[tuple[Piece | Hole, Span]]:
    """The pieces and holes of a part of a text with the places that they come from, in the order of the text."""
    inside: list[tuple[int, Piece | Hole, Span]] = []
    for piece in fragment.pieces:
        first, last = max(piece.start, start), min(piece.end, end)
        if first < last:
            inside.append((first, piece, fragment.origin(first, last)))
    inside += [(hole.offset, hole, hole.origin) for hole in fragment.holes if start <= hole.offset < end]
    return ((item, origin) for _, item, origin in sorted(inside, key=lambda found: found[0]))


@dataclass(frozen=True)
class _Explainer:
    report: Report
    catalog: Catalog
    place: Span
    read: Read

    # Where

    def at(self, span: Span) -> Shape:
        source = self.read(span.path) if span.path else None
        if source is None:
            return {"path": span.path, "line": 1, "column": 1, "end_line": 1, "end_column": 1}
        at = source.locate(span.start, min(span.end, len(source.data)))
        return {"path": at.path, "line": at.line, "column": at.column, "end_line": at.end_line,
                "end_column": at.end_column}  # fmt: skip

    # Mentions and findings

    def mentions(self) -> Iterator[Shape]:
        for mention, claim in sorted(self.report.mentions, key=lambda pair: pair[0].span):
            if _overlap(mention.span, self.place):
                source = self.read(mention.span.path)
                data = source.data[mention.span.start : mention.span.end] if source is not None else b""
                yield {
                    **self.at(mention.span),
                    "text": data.decode("utf-8", "replace"),
                    "name": mention.name,
                    "role": mention.role,
                    "explanation": claim.why.name.lower(),
                    "detail": claim.detail,
                    "meaning": MEANINGS[claim.why],
                }

    def findings(self, around: list[Span]) -> Iterator[Shape]:
        """What was found at the place, and in the texts that touch it."""
        near = [self.place, *around]
        items: list[Reference | Gap | Residue] = [*self.report.references, *self.report.gaps, *self.report.residue]
        kept = {item.item: item for item in self.report.acknowledged}
        for item in sorted([*items, *kept], key=lambda found: found.span):
            if any(_overlap(item.span, span) for span in near):
                yield self.finding(item, kept.get(item) if not isinstance(item, Residue) else None)

    def finding(self, item: Reference | Gap | Residue, kept: Acknowledged | None) -> Shape:
        shape = {**self.at(item.span), "message": item.message, "symbol": item.symbol}
        match item:
            case Reference():
                about = {"what": "reference", "access": item.access.value, "gating": item.gating, "help": item.help}
            case Gap():
                about = {"what": "gap", "reason": item.reason, "gating": True, "help": of_gap(item.reason)}
            case Residue():
                about = {"what": "residue", "kind": item.kind, "gating": False, "help": of_residue()}
        if kept is not None:
            about |= {"gating": False, "acknowledged": kept.reason}
        return about | shape

    # Texts

    def readings(self, text: TracedText) -> list[Reading]:
        """The statements at the place; all of a text whose expression stands there."""
        near = [r for r in text.readings if _reaches(text.fragment, r.start, r.end, self.place)]
        return sorted(near or text.readings, key=lambda reading: reading.start)

    def covered(self, fragment: Fragment, readings: list[Reading]) -> list[Span]:
        """Where the shown part of a text comes from."""
        start, end = _extent(fragment, readings)
        return [span for _, span in _origins(fragment, start, end)]

    def text(self, fragment: Fragment, readings: list[Reading]) -> Shape:
        start, end = _extent(fragment, readings)
        return {
            "site": self.at(fragment.site),
            "symbol": fragment.symbol,
            "kind": fragment.kind,
            "consumer": fragment.consumer.value,
            "note": fragment.note,
            "test": fragment.test,
            "partial": fragment.partial,
            "pieces": list(self.pieces(fragment, start, end)),
            "text": shown(fragment.text[start:end], 1),
            "readings": [self.reading(fragment, reading, start) for reading in readings],
        }

    def pieces(self, fragment: Fragment, start: int, end: int) -> Iterator[Shape]:
        """What a text is put together from: literals, holes, and what was made up in between."""
        at, number = start, 0
        for item, origin, last in _joined(fragment, start, end):
            first = item.offset if isinstance(item, Hole) else max(item.start, start)
            if at < first:
                yield {"text": shown(fragment.text[at:first], 1), "made_up": True}
            if isinstance(item, Hole):
                number += 1
                yield {**self.at(origin), "hole": number, "reason": item.reason}
            else:
                yield {**self.at(origin), "text": shown(fragment.text[first:last], 1)}
            at = last
        if at < end:
            yield {"text": shown(fragment.text[at:end], 1), "made_up": True}

    def reading(self, fragment: Fragment, reading: Reading, start: int) -> Shape:
        raw = fragment.text[reading.start : reading.end]
        first_hole = fragment.text.count(HOLE, start, reading.start) + 1
        tree = reading.tree
        kind = "a part of a statement" if reading.part else "a PL/pgSQL body" if tree is None else _statement(tree)
        return {
            "as": kind,
            "text": shown(raw, first_hole),
            "errors": [shown(fragment.text[a:b] or b"(nothing)", 1) for a, b in tree.errors] if tree else [],
            "repairs": list(_repairs(fragment.text, reading)) if tree else [],
            "names": list(self.names(fragment, reading)),
        }

    # Names

    def names(self, fragment: Fragment, reading: Reading) -> Iterator[Shape]:
        """What each name of a statement was resolved to, in the order of the text, each answer once."""
        seen: set[tuple[object, ...]] = set()
        for token in tokens(fragment.text, reading.start, reading.end):
            raw = shown(fragment.text[token.start : token.end], 1)
            for answer in self.answers(reading, token.start, token.kind):
                key = (raw, *sorted(answer.items()))
                if key not in seen:
                    seen.add(key)
                    yield {"name": raw, **answer, **self.at(fragment.origin(token.start, token.end))}

    def answers(self, reading: Reading, start: int, kind: Kind) -> Iterator[Shape]:
        result = reading.result
        uses = [use for use in result.uses if use.start == start]
        columns = {use.column: use.access for use in uses if use.access is not Access.STAR}
        for (oid, attnum), access in columns.items():
            yield {"is": "column", "detail": self.column(oid, attnum), "access": access.value}
        for oid in dict.fromkeys(use.column[0] for use in uses if use.access is Access.STAR):
            yield {"is": "every column", "detail": self.relation(oid), "access": Access.STAR.value}
        problems = [problem for problem in result.problems if problem.start == start]
        for problem in problems:
            yield {"is": "undecided", "detail": f"{problem.reason}: {problem.message}"}
        label = result.labels.get(start)
        if label is not None and not columns and not problems:
            over = label.why is Explanation.VARIABLE and label.detail in self.relations
            yield {"is": "range variable" if over else label.why.value, "detail": label.detail}
        if kind is Kind.HOLE and start in result.holes:
            reach = ", ".join(sorted(map(self.relation, result.holes[start])))
            yield {"is": "hole", "detail": f"could be any column of {reach}" if reach else "reaches no known relation"}

    @cached_property
    def relations(self) -> frozenset[str]:
        return frozenset(map(self.relation, self.catalog.relations))

    def relation(self, oid: int) -> str:
        relation = self.catalog.relations.get(oid)
        return f"{relation.schema}.{relation.name}" if relation is not None else "an unknown relation"

    def column(self, oid: int, attnum: int) -> str:
        relation = self.catalog.relations.get(oid)
        column = relation.by_attnum(attnum) if relation is not None else None
        return f"{self.relation(oid)}.{column.name}" if column is not None else f"{self.relation(oid)} (whole row)"


def _extent(fragment: Fragment, readings: list[Reading]) -> tuple[int, int]:
    if not readings:
        return 0, len(fragment.text)
    return min(reading.start for reading in readings), max(reading.end for reading in readings)


def _joined(fragment: Fragment, start: int, end: int) -> Iterator[tuple[Piece | Hole, Span, int]]:
    """Pieces and holes with the end of each in the text; the pieces of one literal (its escapes) as one."""
    kept: tuple[Piece, Span, int] | None = None
    for item, origin in _origins(fragment, start, end):
        if isinstance(item, Hole):
            yield from [kept] if kept is not None else []
            kept = None
            yield item, origin, item.offset + 1
        elif kept is not None and kept[2] == item.start and (kept[1].path, kept[1].end) == (origin.path, origin.start):
            kept = (kept[0], Span(origin.path, kept[1].start, origin.end), min(item.end, end))
        else:
            yield from [kept] if kept is not None else []
            kept = (item, origin, min(item.end, end))
    yield from [kept] if kept is not None else []


def shown(text: bytes, first: int) -> str:
    """Text with its holes numbered from `first`."""
    parts = text.split(HOLE)
    numbered = (b"\xe2\x9f\xa6%d\xe2\x9f\xa7" % number + part for number, part in enumerate(parts[1:], first))
    return b"".join((parts[0], *numbered)).decode("utf-8", "replace")


def _statement(tree: Tree) -> str:
    """`SelectStmt` is a SELECT."""
    found = next((node.type for node in tree.root.walk() if node.type.endswith("Stmt")), "")
    words = "".join(f" {char}" if char.isupper() else char.upper() for char in found.removesuffix("Stmt"))
    return words.strip() or "something that is no statement"


def _repairs(text: bytes, reading: Reading) -> Iterator[Shape]:
    """What was rewritten before parsing, each kind once."""
    edits = repairs(text, reading.start, reading.end, expression=reading.part)
    told = ((text[start:end], new) for start, end, new in edits if text[start:end] != HOLE)
    every = {(shown(before, 1).strip(), shown(after, 1).strip()): None for before, after in told}
    yield from ({"text": before, "read_as": after} for before, after in every)
