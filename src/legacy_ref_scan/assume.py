"""Targets that the replay did not leave behind: dropped already, or no migrations to replay.

They are put into the catalog, so that a statement that names them is still found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from legacy_ref_scan.model import Target
from legacy_ref_scan.schema import ASSUMED, Catalog, Column, Relation

_TABLES = frozenset({"table", "foreign"})


def with_targets(catalog: Catalog, targets: Iterable[Target], replayed: bool) -> tuple[Catalog, tuple[str, ...]]:
    """The catalog with every target in it, and a note for each that had to be put there."""
    notes: list[str] = []
    for target in targets:
        relation = catalog.relation(target.table, target.schema)
        if relation is not None and relation.column(target.column) is not None:
            continue
        if relation is None:
            catalog = _add_relation(catalog, target)
            notes.append(_no_table(target, replayed))
        else:
            catalog = _add_column(catalog, relation, target, gone=relation.kind != ASSUMED)
            if relation.kind != ASSUMED:
                notes.append(f"the migrations leave no column {target}: it is dropped already, or misspelled")
    return catalog, tuple(notes)


def in_other_schemas(catalog: Catalog, target: Target) -> tuple[Target, ...]:
    """The same column of tables of the same name elsewhere, where the schema of the target has no such table."""
    if catalog.relation(target.table, target.schema) is not None:
        return ()
    found = (item for item in catalog.relations.values() if item.name == target.table and item.kind in _TABLES)
    return tuple(sorted(replace(target, schema=item.schema) for item in found if item.column(target.column)))


def in_another_case(catalog: Catalog, target: Target) -> tuple[Target, ...]:
    """Columns that are called like the target but for their case, where there is none that is called so exactly."""
    relation = catalog.relation(target.table, target.schema)
    if relation is not None and relation.column(target.column) is not None:
        return ()
    same = [item for item in catalog.relations.values() if item.schema == target.schema and item.kind in _TABLES]
    alike = [item for item in same if item.name.lower() == target.table.lower()]
    return tuple(
        Target(item.schema, item.name, column.name)
        for item in alike
        for column in item.columns
        if column.name.lower() == target.column.lower() and not column.gone
    )


def _no_table(target: Target, replayed: bool) -> str:
    table = f"{target.schema}.{target.table}"
    if replayed:
        return f"the migrations leave no table {table}: it is dropped already, or misspelled"
    return f"without migrations the columns of {table} are not known: names that could be its own are taken to be"


def _add_relation(catalog: Catalog, target: Target) -> Catalog:
    oid = catalog.next_oid
    relation = Relation(oid=oid, schema=target.schema, name=target.table, kind=ASSUMED)
    catalog = replace(
        catalog,
        relations={**catalog.relations, oid: relation},
        names={**catalog.names, (target.schema, target.table): oid},
        next_oid=oid + 1,
    )
    return _add_column(catalog, relation, target, gone=False)


def _add_column(catalog: Catalog, relation: Relation, target: Target, gone: bool) -> Catalog:
    attnum = max((column.attnum for column in relation.columns), default=0) + 1000
    column = Column(attnum=attnum, name=target.column, gone=gone)
    grown = replace(relation, columns=(*relation.columns, column))
    return replace(catalog, relations={**catalog.relations, relation.oid: grown})
