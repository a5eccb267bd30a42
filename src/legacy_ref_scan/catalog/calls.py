"""Calls of functions that change the schema: their bodies are not run here, so what they do is left open."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from legacy_ref_scan.catalog.state import State
from legacy_ref_scan.catalog.statement import Part
from legacy_ref_scan.model import Gap
from legacy_ref_scan.schema import Function
from legacy_ref_scan.sql.lexer import name_of

# DDL about what the catalog holds, but for indexes and sequences: these go along with their columns and hold up no one.
_DDL = re.compile(
    rb"\b(?:create|alter|drop)\s+(?:or\s+replace\s+)?(?:table|view|materialized|recursive|unlogged|foreign|column|type"
    rb"|domain|schema|function|procedure|trigger|constraint|rule|policy|publication)\b([^;]*)",
    re.IGNORECASE,
)
_TEMPORARY = re.compile(
    rb"\bcreate\s+(?:(?:local|global)\s+)?temp(?:orary)?\s+table\s+(?:if\s+not\s+exists\s+)?([\w\"]+)", re.IGNORECASE
)
_DYNAMIC = re.compile(rb"\bexecute\b", re.IGNORECASE)
_CALL = re.compile(rb'("(?:[^"]|"")+"|[A-Za-z_\x80-\xff][\w$\x80-\xff]*)\s*\(')


def check_calls(state: State, part: Part) -> None:
    """A gap for each function with DDL that a statement calls, and one here where it runs a text that is given to it.

    The gaps stand at the bodies, for these name the tables.
    """
    bodies = _bodies(state)
    if not any(_may_change(function) for named in bodies.values() for function in named):
        return
    reached = list(_reached(bodies, _called(part.data)))
    for function in reached:
        if function.body is not None and _has_ddl(function.body.text):
            message = f'function "{function.name}" is called by a migration, and what it changes is not followed'
            _leave_open(state, Gap(function.body.site, "catalog-dynamic", message))
    texts = [function.body.text for function in reached if function.body is not None]
    given = any(_DYNAMIC.search(text) for text in texts) and any(_has_ddl(text) for text in (part.data, *texts))
    if given:
        message = "a function that is called here runs a text that is not fully known"
        _leave_open(state, Gap(part.text.span(part.start, part.end), "catalog-dynamic", message))


def _leave_open(state: State, gap: Gap) -> None:
    if gap not in state.gaps:
        state.gaps.append(gap)


def _may_change(function: Function) -> bool:
    return function.body is not None and (
        _has_ddl(function.body.text) or _DYNAMIC.search(function.body.text) is not None
    )


@lru_cache(maxsize=4096)
def _has_ddl(text: bytes) -> bool:
    """Whether a text changes the schema; its own temporary tables are gone with the session."""
    temporary = {name.lower() for name in _TEMPORARY.findall(text)}
    return any(temporary.isdisjoint(re.findall(rb'[\w"]+', rest.lower())) for rest in _DDL.findall(text))


def _bodies(state: State) -> dict[str, list[Function]]:
    found: dict[str, list[Function]] = {}
    for function in state.functions.values():
        if function.body is not None:
            found.setdefault(function.name, []).append(function)
    return found


def _called(text: bytes) -> Iterable[str]:
    return {name_of(match.group(1)) for match in _CALL.finditer(text)}


def _reached(bodies: dict[str, list[Function]], names: Iterable[str]) -> Iterable[Function]:
    """The functions of these names, and what they call in turn."""
    waiting = [name for name in names if name in bodies]
    seen = set(waiting)
    while waiting:
        for function in bodies[waiting.pop()]:
            yield function
            called = _called(function.body.text) if function.body is not None else ()
            fresh = [name for name in called if name in bodies and name not in seen]
            seen.update(fresh)
            waiting.extend(fresh)
