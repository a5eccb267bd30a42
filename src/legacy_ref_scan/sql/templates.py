"""Templated SQL: the actions of Go templates and Jinja, `{{ … }}` and `{% … %}`, are unknown values.

So are the verbs of a Go format that nobody is seen to fill in, `%s` and `%[1]v`.
"""

from __future__ import annotations

import re
from dataclasses import replace

from legacy_ref_scan.model import HOLE, Fragment, Hole, Piece, Span

_ACTION = re.compile(rb"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_ACTION_OR_VERB = re.compile(_ACTION.pattern + rb"|%(?:\[\d+\])?[svdqT](?![A-Za-z0-9_])", re.DOTALL)


def without_templates(fragment: Fragment) -> Fragment:
    """The fragment with a hole in the place of each action; names inside an action are left for the accounting."""
    pattern = _ACTION_OR_VERB if fragment.kind.startswith("go-") else _ACTION
    actions = [match.span() for match in pattern.finditer(fragment.text)]
    if not actions:
        return fragment
    shifts = [(start, end, end - start - len(HOLE)) for start, end in actions]
    pieces = [part for piece in fragment.pieces for part in _outside(piece, shifts)]
    holes = [replace(hole, offset=_moved(hole.offset, shifts)) for hole in fragment.holes]
    holes += [Hole(_moved(start, shifts), "a template's action", fragment.origin(start, end)) for start, end in actions]
    return replace(
        fragment,
        text=pattern.sub(HOLE, fragment.text),
        pieces=tuple(pieces),
        holes=tuple(sorted(holes, key=lambda hole: hole.offset)),
    )


def _moved(offset: int, shifts: list[tuple[int, int, int]]) -> int:
    return offset - sum(shift for _, end, shift in shifts if end <= offset)


def _outside(piece: Piece, shifts: list[tuple[int, int, int]]) -> list[Piece]:
    """The parts of a piece between the actions, at their new offsets."""
    inside = [(start, end) for start, end, _ in shifts if start < piece.end and end > piece.start]
    if not inside:
        start = _moved(piece.start, shifts)
        return [Piece(start, start + piece.end - piece.start, piece.origin)]
    if piece.end - piece.start != piece.origin.end - piece.origin.start:
        return []
    edges = [piece.start, *(edge for action in inside for edge in action), piece.end]
    parts: list[Piece] = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if start < end:
            first = piece.origin.start + start - piece.start
            span = Span(piece.origin.path, first, first + end - start)
            moved = _moved(start, shifts)
            parts.append(Piece(moved, moved + end - start, span))
    return parts
