"""Which columns of a catalog stand for the targets: the columns themselves, children's, and views' over them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from legacy_ref_scan.model import Target
from legacy_ref_scan.schema import Catalog, Column, ColumnId, Relation, Trigger
from legacy_ref_scan.sql.scope import relation_of_type, without_setof


@dataclass(frozen=True, slots=True)
class Watched:
    """A column that goes when the target goes. `via` names the view or the child table; empty for the target.

    `gone` says that the schema has it no more: only its name can still be used, `maybe` that a
    condition in a migration decides whether it is there.
    """

    target: Target
    via: str = ""
    gone: bool = False
    maybe: bool = False


@dataclass(frozen=True)
class Watch:
    """The columns of interest in one catalog, by id and by relation."""

    columns: Mapping[ColumnId, Watched]
    missing: tuple[Target, ...]
    names: frozenset[tuple[int, str]] = frozenset()  # (oid of the relation, name) of each of them
    sequences: Mapping[int, Watched] = field(default_factory=dict)  # by oid: they go with the column that owns them

    @property
    def relations(self) -> frozenset[int]:
        """The oids of the relations that hold a watched column."""
        return frozenset(oid for oid, _ in self.columns)


def watch(catalog: Catalog, targets: Iterable[Target]) -> Watch:
    """Find the targets in the catalog; `missing` are those it does not have."""
    columns: dict[ColumnId, Watched] = {}
    missing: list[Target] = []
    for target in targets:
        relation = catalog.relation(target.table, target.schema)
        column = relation.column(target.column) if relation else None
        if relation is None or column is None:
            missing.append(target)
            continue
        columns[(relation.oid, column.attnum)] = Watched(target, gone=column.gone, maybe=column.maybe or relation.maybe)
        for child, inherited in _lost_with(catalog, relation, target.column):
            columns.setdefault((child.oid, inherited.attnum), Watched(target, f"{child.schema}.{child.name}"))
    _add_views(catalog, columns)
    return Watch(columns, tuple(missing), frozenset(_names(catalog, columns)), dict(_sequences(catalog, columns)))


def _sequences(catalog: Catalog, columns: Mapping[ColumnId, Watched]) -> Iterator[tuple[int, Watched]]:
    for relation in catalog.relations.values():
        owner = next((columns[use.column] for use in relation.uses if use.column in columns), None)
        if relation.kind == "sequence" and owner is not None and not owner.gone:
            yield relation.oid, owner


def _names(catalog: Catalog, columns: Iterable[ColumnId]) -> Iterator[tuple[int, str]]:
    for oid, attnum in columns:
        column = catalog.relations[oid].by_attnum(attnum)
        if column is not None:
            yield oid, column.name


def _lost_with(catalog: Catalog, relation: Relation, name: str) -> Iterator[tuple[Relation, Column]]:
    """The columns of partitions and children that go with a parent's: not declared there too, and of no other parent
    (ATExecDropColumn in src/backend/commands/tablecmds.c)."""
    gone = {relation.oid}
    changed = True
    while changed:  # a child may be older than one of its parents
        changed = False
        for child in _descendants(catalog, relation):
            column = child.column(name)
            others = (catalog.relations.get(parent) for parent in child.parents if parent not in gone)
            kept = any(other is not None and other.column(name) for other in others)
            if child.oid not in gone and column is not None and not column.local and not kept:
                gone.add(child.oid)
                changed = True
                yield child, column


def _descendants(catalog: Catalog, relation: Relation) -> Iterator[Relation]:
    """Partitions and children: a column dropped from the parent goes with it."""
    seen = {relation.oid}
    found = True
    while found:
        found = False
        for child in catalog.relations.values():
            if child.oid not in seen and seen.intersection(child.parents):
                seen.add(child.oid)
                found = True
                yield child


def _add_views(catalog: Catalog, columns: dict[ColumnId, Watched]) -> None:
    changed = True
    while changed:
        changed = False
        for relation in catalog.relations.values():
            for column in relation.columns:
                key = (relation.oid, column.attnum)
                source = next((columns[s] for s in column.sources if s in columns), None)
                if source is not None and key not in columns:
                    columns[key] = Watched(source.target, f"{relation.schema}.{relation.name}")
                    changed = True


def trigger_relations(catalog: Catalog, schema: str, name: str, first: frozenset[int]) -> tuple[Relation, ...]:
    """The relations whose triggers call a function, those in `first` in front."""
    oids = [
        item.relation
        for item in catalog.objects.values()
        if isinstance(item, Trigger) and item.function[1] == name and item.function[0] in ("", schema)
    ]
    unique = dict.fromkeys(oid for oid in oids if oid in catalog.relations)
    return tuple(catalog.relations[oid] for oid in sorted(unique, key=lambda oid: oid not in first))


def transition_tables(catalog: Catalog, schema: str, name: str) -> tuple[tuple[str, Relation], ...]:
    """The transition tables (REFERENCING …) of the triggers that call a function, by name."""
    found: list[tuple[str, Relation]] = []
    for item in catalog.objects.values():
        if isinstance(item, Trigger) and item.function[1] == name and item.function[0] in ("", schema):
            relation = catalog.relations.get(item.relation)
            found.extend((table, relation) for table in (item.old_table, item.new_table) if table and relation)
    return tuple(found)


def row_names(catalog: Catalog, watched: Watch) -> frozenset[str]:
    """The names by which rows of a relation with a watched column come along: of functions that return them
    (`SELECT * FROM f()`), and of domains over its row type; and those of the sequences that go with it."""
    functions = ((f.name, without_setof(f.returns)) for f in catalog.functions.values())
    domains = ((kind.name, kind.base) for kind in catalog.types.values() if kind.kind == "domain")
    named = ((name, relation_of_type(catalog, base)) for name, base in (*functions, *domains))
    rows = (name for name, relation in named if relation is not None and relation.oid in watched.relations)
    return frozenset((*rows, *(catalog.relations[oid].name for oid in watched.sequences)))
