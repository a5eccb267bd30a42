"""A name for a finding that survives edits elsewhere in its file.

It is made of what the finding is and of its source line, never of line numbers; equal findings are told apart by
their order.
"""

from __future__ import annotations

from collections import Counter

from legacy_ref_scan.model import Gap, Reference, Report
from legacy_ref_scan.reports.places import in_order, line_text, locate
from legacy_ref_scan.reports.style import encodable


def fingerprints(report: Report) -> dict[Reference | Gap, str]:
    """The fingerprint of every reference and gap, acknowledged ones too (so that an acknowledgement moves no other)."""
    kept = tuple(item.item for item in report.acknowledged)
    references = (*report.references, *(item for item in kept if isinstance(item, Reference)))
    gaps = (*report.gaps, *(item for item in kept if isinstance(item, Gap)))
    seen: Counter[tuple[str, ...]] = Counter()
    found: dict[Reference | Gap, str] = {}
    items: list[Reference | Gap] = [*in_order(references), *in_order(gaps)]
    for item in items:
        key = (*_identity(item), _source(report, item))
        found[item] = _digest((*key, str(seen[key])))
        seen[key] += 1
    return found


def _identity(item: Reference | Gap) -> tuple[str, ...]:
    match item:
        case Reference():
            return ("reference", str(item.target), item.span.path, item.access, item.kind, item.symbol)
        case Gap():
            return ("gap", item.span.path, item.reason, item.symbol)


def _source(report: Report, item: Reference | Gap) -> str:
    line = locate(report, item.span).line
    return " ".join((line_text(report, item.span.path, line) or "").split())


def _digest(parts: tuple[str, ...]) -> str:
    import hashlib  # late: `--version` needs none of it

    return hashlib.sha256("\0".join(map(encodable, parts)).encode()).hexdigest()[:32]
