"""What the records and cursors of a PL/pgSQL body may hold where the ways to a place come together."""

from __future__ import annotations

from dataclasses import replace

from legacy_ref_scan.schema import ColumnId
from legacy_ref_scan.sql.scope import RangeVariable, Visible

State = dict[str, RangeVariable | None]
_ROW_IMAGES = frozenset({"new", "old"})  # which tables these are of is a matter of the tests around


def joined(first: State, *others: State) -> State:
    """The variables after several ways: a record has the columns of each."""
    state = dict(first)
    for other in others:
        for name, record in other.items():
            known = state.setdefault(name, record)
            if known is not record and known is not None and record is not None and name not in _ROW_IMAGES:
                state[name] = either(known, record)
    return state


def either(first: RangeVariable, second: RangeVariable) -> RangeVariable:
    """A record that holds the one row or the other. A row of unknown columns leaves all of them open."""
    if first == second or first.relation is not None or second.relation is not None:
        return second
    if first.dynamic or second.dynamic:
        return replace(first if first.dynamic else second, columns=())
    columns = {column.name: column for column in first.columns}
    for column in second.columns:
        known = columns.get(column.name)
        columns[column.name] = _both(known, column) if known else column
    return replace(second, columns=tuple(columns.values()), known=first.known and second.known)


def _both(first: Visible, second: Visible) -> Visible:
    """A column of either row: of those that a query names itself, the query tells."""
    if first == second:
        return first
    sources: frozenset[ColumnId] = frozenset().union(*(c.origins for c in (first, second) if c.star or c.own))
    return Visible(first.name, sources=sources, star=first.star or second.star)
