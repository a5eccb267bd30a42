"""Defaults that call a sequence: PostgreSQL ties them to it, so they follow its name and go with it."""

from __future__ import annotations

import re

from legacy_ref_scan.catalog.names import dotted, qualified
from legacy_ref_scan.catalog.state import State
from legacy_ref_scan.schema import ColumnId, Relation

_NEXTVAL = re.compile(r"(nextval\s*\(\s*')((?:[^']|'')+)(')", re.IGNORECASE)


def callers(state: State, sequence: Relation) -> list[ColumnId]:
    """The columns whose default takes its value from the sequence, by the name that it has now."""
    return [
        (relation.oid, column.attnum)
        for relation in state.relations.values()
        for column in relation.columns
        if column.default is not None and not column.generated and _calls(state, column.default, sequence)
    ]


def _calls(state: State, default: str, sequence: Relation) -> bool:
    found = _NEXTVAL.search(default)
    if found is None:
        return False
    data = found.group(2).replace("''", "'").encode()
    parts = dotted(data, 0, len(data))
    return bool(parts) and (parts[-1].schema or "public", parts[-1].name) == (sequence.schema, sequence.name)


def bound(state: State, default: str) -> str:
    """A default with the sequence's name as it will be read: along the search path of now."""
    found = _NEXTVAL.search(default)
    data = found.group(2).replace("''", "'").encode() if found else b""
    parts = dotted(data, 0, len(data))
    sequence = state.relation(parts[-1]) if parts else None
    if found is None or sequence is None or sequence.kind != "sequence":
        return default
    name = qualified(sequence.schema, sequence.name).replace("'", "''")
    return default[: found.start(2)] + name + default[found.end(2) :]


def forget(state: State, sequence: Relation) -> None:
    """Take the defaults away that need the sequence."""
    for oid, attnum in callers(state, sequence):
        state.change_column(oid, attnum, default=None)


def follow(state: State, columns: list[ColumnId], sequence: Relation) -> None:
    """Write the sequence's new name into the defaults of its callers."""
    name = qualified(sequence.schema, sequence.name).replace("'", "''")
    for oid, attnum in columns:
        column = state.relations[oid].by_attnum(attnum)
        if column is not None and column.default is not None:
            default = _NEXTVAL.sub(lambda found: found.group(1) + name + found.group(3), column.default)
            state.change_column(oid, attnum, default=default)
