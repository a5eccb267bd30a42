"""The schema in which a loss is judged: as all new migrations leave it, with what was lost put back.

So a view or function that the new migrations replace or drop themselves stands in nobody's way, and what they forget
does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from legacy_ref_scan.catalog.steps import Loss
from legacy_ref_scan.model import Span, Target
from legacy_ref_scan.schema import Catalog, Column, Constraint, Index, Relation, SchemaObject

_VIEWS = frozenset({"view", "matview"})


@dataclass(frozen=True, slots=True)
class Restored:
    """A loss, and the catalog to look for its readers in. `target` has no column where the whole table goes."""

    what: str
    target: Target
    renamed: str
    certain: bool
    span: Span
    catalog: Catalog

    @property
    def whole(self) -> bool:
        """Whether it is a table."""
        return self.what.endswith("table")

    @property
    def name(self) -> str:
        """`schema.table` or `schema.table.column`."""
        return f"{self.target.schema}.{self.target.table}" if self.whole else str(self.target)


def restored(final: Catalog, loss: Loss) -> Restored:
    """Put back what a loss took, under the name that its readers know."""
    if loss.column is None:
        catalog, table = _with_table(final, loss), loss.relation
        target = Target(table.schema, table.name, "*")
    else:
        catalog, table = _with_column(final, loss, loss.column)
        target = Target(table.schema, table.name, loss.column.name)
    return Restored(loss.what, target, loss.renamed, loss.certain, loss.span, catalog)


def _with_column(final: Catalog, loss: Loss, column: Column) -> tuple[Catalog, Relation]:
    table = final.relations.get(loss.relation.oid) or loss.relation
    if loss.renamed:
        column = replace(column, attnum=_unused(table), remarks=())  # its dependents followed the new name
    present = table.by_attnum(column.attnum)
    others = tuple(item for item in table.columns if item is not present)
    back = replace(column, maybe=not loss.certain)
    table = replace(table, columns=tuple(sorted((*others, back), key=lambda item: item.attnum)))
    catalog = _with_relations(final, (table,))
    return (catalog if loss.renamed else _with_victims(catalog, loss, column.attnum)), table


def _unused(table: Relation) -> int:
    return max((table.last_attnum, *(column.attnum for column in table.columns))) + 1


def _with_table(final: Catalog, loss: Loss) -> Catalog:
    """A table without its own objects, which go with it, and the children that go with it."""
    table = replace(loss.relation, uses=(), maybe=not loss.certain)
    if loss.renamed:
        return _with_relations(final, (replace(table, oid=final.next_oid, parents=()),))
    gone = [item for item in loss.before.relations.values() if item.oid not in loss.after.relations]
    children = [replace(item, uses=()) for item in gone if item.parents and item.kind == "table" and item is not table]
    catalog = _with_relations(final, (table, *(child for child in children if child.oid != table.oid)))
    return _with_victims(catalog, loss, 0)


def _with_relations(catalog: Catalog, relations: tuple[Relation, ...]) -> Catalog:
    return replace(
        catalog,
        relations={**catalog.relations, **{item.oid: item for item in relations}},
        names={**catalog.names, **{(item.schema, item.name): item.oid for item in relations}},
        next_oid=max(catalog.next_oid, *(item.oid + 1 for item in relations)),
    )


def _with_victims(catalog: Catalog, loss: Loss, attnum: int) -> Catalog:
    """With the other objects that PostgreSQL takes along, and that no later statement makes again."""
    oid = loss.relation.oid
    views = tuple(
        item
        for item in loss.before.relations.values()
        if item.kind in _VIEWS
        and item.oid not in loss.after.relations
        and (item.schema, item.name) not in catalog.names
        and (oid in item.depends if attnum == 0 else any(use.column == (oid, attnum) for use in item.uses))
    )
    objects = {
        key: item
        for key, item in loss.before.objects.items()
        if key not in loss.after.objects
        and key not in catalog.objects
        and _needs(item, oid, attnum)
        and not _is_named(item.name, loss.statement)
    }
    found = _with_relations(catalog, views) if views else catalog
    alive = {key: item for key, item in objects.items() if item.relation in found.relations}
    return replace(found, objects={**found.objects, **alive})


def _is_named(name: str, statement: str) -> bool:
    """Whether the statement drops it by name, as `DROP CONSTRAINT c, DROP COLUMN b` does: that is no surprise."""
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", statement, re.IGNORECASE) is not None


def _needs(item: SchemaObject, oid: int, attnum: int) -> bool:
    if attnum == 0:  # what belongs to the table goes with it; what belongs to another one is lost there
        return item.relation != oid and any(needed == oid for needed in _needed(item))
    if any(use.column == (oid, attnum) for use in item.uses):
        return True
    match item:
        case Index():
            return item.relation == oid and attnum in item.columns + item.include
        case Constraint():
            own = item.relation == oid and attnum in item.columns
            return own or (item.references == oid and attnum in item.referenced)
    return False


def _needed(item: SchemaObject) -> Iterator[int]:
    yield from item.depends
    yield from (use.column[0] for use in item.uses)
    if isinstance(item, Constraint):
        yield item.references
