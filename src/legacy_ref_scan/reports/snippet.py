"""A source line with a part of it underlined, right for tabs, wide characters and very long lines."""

from __future__ import annotations

from dataclasses import dataclass

from legacy_ref_scan.reports.style import visible, width

CONTEXT = 70
"""Characters that a clipped line keeps on each side of what is underlined."""
LONGEST = 160
"""Lines of more characters are clipped."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A line as shown, and the underline below it: `indent` cells of blank, `length` carets."""

    line: str
    indent: int
    length: int


def mark(text: str, start: int, end: int) -> Marked:
    """Show `text` with the characters `start` to `end` (from 0, end excluded) underlined; at least one caret."""
    start = min(start, len(text))
    end = max(start, min(end, len(text)))
    first, last = _window(text, start, end)
    head = "…" if first else ""
    tail = "…" if last < len(text) else ""
    before = "".join(map(visible, text[first:start]))
    inside = "".join(map(visible, text[start : min(end, last)]))
    after = "".join(map(visible, text[min(end, last) : last]))
    line = (head + before + inside + after).rstrip() + tail
    return Marked(line, width(head + before), max(1, width(inside)))


def clip(text: str, start: int, end: int) -> str:
    """The part of a long line around the characters `start` to `end`, with an ellipsis where something is left out."""
    first, last = _window(text, start, end)
    return ("…" if first else "") + text[first:last] + ("…" if last < len(text) else "")


def _window(text: str, start: int, end: int) -> tuple[int, int]:
    if len(text) <= LONGEST:
        return 0, len(text)
    return max(0, start - CONTEXT), min(len(text), min(end, start + LONGEST) + CONTEXT)
