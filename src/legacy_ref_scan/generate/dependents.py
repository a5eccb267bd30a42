"""What hangs on the columns that go: what PostgreSQL would refuse to lose, and what it drops without a word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from legacy_ref_scan.model import Target
from legacy_ref_scan.schema import ASSUMED, Catalog, Column, Constraint, Function, Index, Relation, SchemaObject

VANISHING = ("constraint", "index", "statistics", "grant")
"""Kinds that DROP COLUMN takes along (PostgreSQL manual, ALTER TABLE), in the order in which they can come back."""
_CONSTRAINT_ORDER = {"primary key": 0, "unique": 1, "exclude": 2, "check": 3, "foreign key": 4}


@dataclass(frozen=True, slots=True)
class Doomed:
    """A table and the columns that it loses, in the order of the rule."""

    relation: Relation
    columns: tuple[Column, ...]

    @property
    def attnums(self) -> frozenset[int]:
        """The numbers of the columns."""
        return frozenset(column.attnum for column in self.columns)


def doomed(catalog: Catalog, targets: tuple[Target, ...]) -> tuple[list[Doomed], list[Target]]:
    """The tables that lose columns, and the targets that the catalog does not have."""
    columns: dict[int, list[Column]] = {}
    absent = []
    for target in targets:
        relation = catalog.relation(target.table, target.schema)
        column = relation.column(target.column) if relation else None
        if relation is None or column is None or relation.kind == ASSUMED or column.gone:
            absent.append(target)
        else:
            columns.setdefault(relation.oid, []).append(column)
    return [Doomed(catalog.relations[oid], tuple(group)) for oid, group in columns.items()], absent


def vanishing(catalog: Catalog, table: Doomed) -> list[SchemaObject]:
    """The objects of the table that go with its columns, in the order in which they can be created again."""
    found = [
        item
        for item in catalog.of_relation(table.relation.oid)
        if item.kind in VANISHING and _needs(item, table.relation.oid, table.attnums)
    ]
    return sorted(found, key=lambda item: (*_rank(item), item.name))


def owned_sequences(catalog: Catalog, table: Doomed, column: Column) -> list[Relation]:
    """The sequences that go with a column (`OWNED BY`, or made by `serial`)."""
    used = (table.relation.oid, column.attnum)
    sequences = (relation for relation in catalog.relations.values() if relation.kind == "sequence")
    return [sequence for sequence in sequences if any(use.column == used for use in sequence.uses)]


def blocking(catalog: Catalog, table: Doomed) -> Iterator[Relation | SchemaObject | Function]:
    """The objects that make PostgreSQL refuse DROP COLUMN (2BP01): views, triggers, policies, foreign keys to it, …"""
    oid = table.relation.oid
    for group in (catalog.relations, catalog.objects, catalog.functions):
        for item in group.values():
            if _needs(item, oid, table.attnums) and not _vanishes(item, table):
                yield item


def _vanishes(item: Relation | SchemaObject | Function, table: Doomed) -> bool:
    match item:
        case Relation():
            return item.kind == "sequence"
        case Constraint(type="foreign key"):
            # From one of these columns: it goes along. To one of them: PostgreSQL refuses.
            return item.relation == table.relation.oid and not table.attnums.isdisjoint(item.columns)
        case SchemaObject(kind="generated"):
            return item.relation == table.relation.oid and item.name in {column.name for column in table.columns}
        case SchemaObject():
            return item.relation == table.relation.oid and item.kind in VANISHING
    return False


def _needs(item: Relation | SchemaObject | Function, oid: int, attnums: frozenset[int]) -> bool:
    """Whether it needs one of the columns themselves; a whole-row use (attnum 0) survives the drop."""
    if any(use.column[0] == oid and use.column[1] in attnums for use in item.uses):
        return True
    match item:
        case Index():
            return item.relation == oid and not attnums.isdisjoint(item.columns + item.include)
        case Constraint():
            own = item.relation == oid and not attnums.isdisjoint(item.columns)
            return own or (item.references == oid and not attnums.isdisjoint(item.referenced))
    return False


def _rank(item: SchemaObject) -> tuple[int, int]:
    return VANISHING.index(item.kind), _CONSTRAINT_ORDER.get(item.type, 9) if isinstance(item, Constraint) else 0
