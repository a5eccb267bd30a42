"""Transaction control in a migration: what ROLLBACK and ROLLBACK TO undo."""

from __future__ import annotations

import re
from collections.abc import Iterable

from legacy_ref_scan.catalog.state import State
from legacy_ref_scan.catalog.statement import Part
from legacy_ref_scan.model import Gap
from legacy_ref_scan.sql.lexer import name_of, words

CONTROL = frozenset({b"begin", b"start", b"commit", b"end", b"rollback", b"abort", b"savepoint", b"release"})
"""The first words of the statements that `control` takes."""

_UNDOES = re.compile(rb"\b(?:rollback|abort)\b", re.IGNORECASE)
_BEGIN = ""  # the name of the point that BEGIN makes; no savepoint can have it


def open_file(state: State, parts: Iterable[Part]) -> None:
    """Before the statements of a file: its transactions are followed only if it undoes anything."""
    state.points.clear()
    state.follows = any(_UNDOES.search(part.text.data, part.start, part.end) for part in parts)


def control(state: State, part: Part) -> None:
    """Follow one statement of transaction control; a gap where what it undoes is up to the runner."""
    if not state.follows:
        return
    data = part.text.data
    said = [name_of(data[token.start : token.end]) for token in words(data, part.start, part.end)]
    said = [word for word in said if word not in _NOISE]
    match said:
        case ["begin" | "start", *_]:
            if not state.points:
                state.points.append((_BEGIN, state.save()))
        case ["savepoint", name]:
            state.points.append((name, state.save()))
        case ["release", *_, name]:
            del state.points[_last(state, name) :]
        case ["rollback" | "abort", "to", *_, name]:
            _undo(state, part, _last(state, name), said)
        case ["rollback" | "abort", *_]:
            _undo(state, part, 0 if state.points and state.points[0][0] == _BEGIN else len(state.points), said)
        case _:
            _close(state, said)


def _last(state: State, name: str) -> int:
    """The place of the youngest point of that name; behind the last one if there is none."""
    places = [place for place, (known, _) in enumerate(state.points) if known == name]
    return places[-1] if places else len(state.points)


def _undo(state: State, part: Part, place: int, said: list[str]) -> None:
    if place == len(state.points) or said[1:2] == ["prepared"]:
        message = "what this undoes depends on the transaction that the runner has begun"
        state.gaps.append(Gap(part.text.span(0, part.end), "catalog-conditional", message))
        return
    name, saved = state.points[place]
    state.restore(saved)
    if name == _BEGIN:
        _close(state, said)
    else:
        state.points[place:] = [(name, state.save())]


def _close(state: State, said: list[str]) -> None:
    """The transaction ends; AND CHAIN begins the next."""
    state.points.clear()
    if said[-2:] == ["and", "chain"] and said[-3:-2] != ["no"]:
        state.points.append((_BEGIN, state.save()))


_NOISE = frozenset({"work", "transaction"})
