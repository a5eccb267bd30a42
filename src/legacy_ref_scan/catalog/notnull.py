"""NOT NULL as PostgreSQL 18 keeps it: a constraint with a name, which children take over and lose again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from legacy_ref_scan.catalog.names import choose
from legacy_ref_scan.catalog.state import State
from legacy_ref_scan.schema import Column, NotNull, Relation


def require(
    state: State, oid: int, name: str, constraint: str = "", *, heritable: bool = True, only: bool = False
) -> None:
    """Make a column NOT NULL, and the children's columns too. `constraint`: the name that was given."""
    relation = state.relations[oid]
    column = relation.column(name)
    if column is None:
        return
    made = column.required
    if made is None:
        kept = heritable and not (only and state.children(oid))
        made = NotNull(constraint or default_name(state, relation, name), heritable=kept)
    state.require(oid, column.attnum, replace(made, local=True, name=constraint or made.name))
    if made.heritable and not only:
        for child in state.children(oid):
            _take_over(state, child, name, made.name)


def default_name(state: State, relation: Relation, column: str) -> str:
    """The name that PostgreSQL gives to a NOT NULL constraint."""
    taken = state.constraint_name_taken
    return choose(relation.name, column, "not_null", lambda name: taken(relation.schema, name))


def _take_over(state: State, child: Relation, name: str, constraint: str) -> None:
    column = child.column(name)
    if column is None or column.required is not None:
        return
    state.require(child.oid, column.attnum, NotNull(constraint, local=False))
    for grandchild in state.children(child.oid):
        _take_over(state, grandchild, name, constraint)


def inherit(state: State, oid: int, parent: Relation) -> None:
    """A new child takes the constraints of a parent that it does not declare itself, under the parent's names."""
    for column in parent.columns:
        own = state.relations[oid].column(column.name)
        if column.required is None or not column.required.heritable or own is None or own.required is not None:
            continue
        name = column.required.name
        if name in {c.required.name for c in state.relations[oid].columns if c.required}:
            name = default_name(state, state.relations[oid], column.name)
        state.require(oid, own.attnum, NotNull(name, local=False))


def release(state: State, oid: int, name: str, *, only: bool = False) -> None:
    """Drop the constraint of a column; children that have it from here alone lose it too (dropconstraint_internal)."""
    column = state.relations[oid].column(name)
    if column is None:
        return
    state.require(oid, column.attnum, None)
    for child, own in _heirs(state, oid, column):
        if only:
            state.require(child.oid, own.attnum, replace(own.required, local=True) if own.required else None)
        elif own.required is not None and not own.required.local and not others(state, child, name, oid):
            release(state, child.oid, name)


def _heirs(state: State, oid: int, column: Column) -> Iterator[tuple[Relation, Column]]:
    if column.required is None or not column.required.heritable:
        return
    for child in state.children(oid):
        own = child.column(column.name)
        if own is not None and own.required is not None:
            yield child, own


def others(state: State, child: Relation, name: str, oid: int) -> bool:
    """Whether a parent besides `oid` hands the constraint of a column down."""
    parents = [state.relations[p] for p in child.parents if p != oid and p in state.relations]
    columns = (parent.column(name) for parent in parents)
    return any(c is not None and c.required is not None and c.required.heritable for c in columns)


def joined(state: State, oid: int, parent: Relation) -> None:
    """A partition declares nothing of its own any more; other children stay as they are."""
    for column in state.relations[oid].columns if parent.partitioned else ():
        above = parent.column(column.name)
        if column.required is not None and above is not None and above.required is not None:
            state.require(oid, column.attnum, replace(column.required, local=False))


def parted(state: State, oid: int, parent: Relation) -> None:
    """What only the former parent declared is the table's own now."""
    relation = state.relations[oid]
    for column in relation.columns:
        above = parent.column(column.name)
        if column.required is None or above is None or above.required is None or not above.required.heritable:
            continue
        if not others(state, relation, column.name, parent.oid):
            state.require(oid, column.attnum, replace(column.required, local=True))


def set_heritable(state: State, oid: int, column: Column, heritable: bool) -> None:
    """ALTER CONSTRAINT … [NO] INHERIT."""
    if column.required is None or column.required.heritable is heritable:
        return
    heirs = list(_heirs(state, oid, column))
    state.require(oid, column.attnum, replace(column.required, heritable=heritable))
    for child, own in heirs:
        state.require(child.oid, own.attnum, replace(own.required, local=True) if own.required else None)
    if heritable:
        for child in state.children(oid):
            _take_over(state, child, column.name, column.required.name)


def named(relation: Relation, name: str) -> Column | None:
    """The column whose NOT NULL constraint has that name."""
    return next((c for c in relation.columns if c.required is not None and c.required.name == name), None)


def rename(state: State, oid: int, old: str, new: str) -> bool:
    """Rename a constraint and those of the children that have it from here; False where there is none."""
    column = named(state.relations[oid], old)
    if column is None or column.required is None:
        return False
    heirs = list(_heirs(state, oid, column))
    state.require(oid, column.attnum, replace(column.required, name=new))
    for child, own in heirs:
        if own.required is not None and own.required.name == old:
            rename(state, child.oid, old, new)
    return True
