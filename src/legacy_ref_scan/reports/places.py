"""From the spans of a report to lines, columns and source text, also where the file could not be read."""

from __future__ import annotations

from typing import TypeVar

from legacy_ref_scan.model import Acknowledged, Gap, Location, Mention, Reference, Report, Residue, Span

Item = TypeVar("Item", Reference, Gap, Residue, Mention)


def locate(report: Report, span: Span) -> Location:
    """The lines and columns of a span; line 1, column 1 where the report does not hold the file."""
    source = report.files.get(span.path)
    if source is None:
        return Location(span.path, 1, 1, 1, 1)
    return source.locate(span.start, span.end)


def line_text(report: Report, path: str, line: int) -> str | None:
    """The text of a line, None where the report does not hold the file."""
    source = report.files.get(path)
    return None if source is None else source.line_text(line)


def in_order(items: tuple[Item, ...]) -> list[Item]:
    """By path and position, so that no report depends on the order in which files were read."""
    return sorted(items, key=lambda item: item.span)


def acknowledged_in_order(items: tuple[Acknowledged, ...]) -> list[Acknowledged]:
    """By path and position of what is acknowledged."""
    return sorted(items, key=lambda item: item.item.span)
