"""What the scan said about the places of a statement that PostgreSQL proves to use the column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from legacy_ref_scan.model import Report, Span


class Said(StrEnum):
    """What the scan said of a statement."""

    REFERENCE = "the scan reports it"
    LISTED = "the scan lists it, and the rule says that it does not gate"
    GAP = "the scan left it open; now it is decided"
    ACKNOWLEDGED = "the rule acknowledges it"
    IGNORED = "the rule tells the scan not to look there"
    CLEAN = "the scan called it clean: a bug in legacy-ref-scan, please report it"


@dataclass(frozen=True)
class Knowledge:
    """A scan's report, asked by places. `looked_at` are the paths that the scan was to look at."""

    report: Report
    looked_at: frozenset[str]

    def about(self, spans: Iterable[Span]) -> Said:
        """What the scan said of a text that comes from these places; the strongest counts."""
        places = tuple(spans)
        report = self.report
        if any(_meets(item.span, places) for item in report.references if item.gating):
            return Said.REFERENCE
        if any(_meets(item.item.span, places) for item in report.acknowledged):
            return Said.ACKNOWLEDGED
        if any(_meets(item.span, places) for item in report.gaps):
            return Said.GAP
        if any(_meets(item.span, places) for item in report.references):
            return Said.LISTED
        return Said.CLEAN if any(span.path in self.looked_at for span in places) else Said.IGNORED


def _meets(span: Span, places: tuple[Span, ...]) -> bool:
    """Whether two places share a byte; an empty span touches what holds its offset."""
    return any(
        span.path == other.path and span.start < other.end and other.start < max(span.end, span.start + 1)
        for other in places
    )
