"""What two catalogs are compared by: everything in them by name, however their statements are written."""

from __future__ import annotations

import re

from legacy_ref_scan.schema import Catalog, Constraint, Index

Fact = tuple[object, ...]


def facts(catalog: Catalog) -> set[Fact]:
    """Relations, columns in order, objects, functions and types."""
    names = {oid: f"{relation.schema}.{relation.name}" for oid, relation in catalog.relations.items()}
    found: set[Fact] = set()
    for relation in catalog.relations.values():
        name = names[relation.oid]
        found.add((name, relation.kind, relation.comment))
        for number, column in enumerate(relation.columns):
            default = _plain(column.default or "")
            flags = (column.not_null, column.generated, column.identity, column.comment)
            found.add((name, number, column.name, column.type, default, *flags))
    for item in catalog.objects.values():
        detail: Fact = (item.schema, item.name, item.comment, _plain(item.definition))
        if isinstance(item, Index):
            detail += (item.columns, item.include, item.unique)
        elif isinstance(item, Constraint):
            detail += (item.type, item.columns, names.get(item.references), item.referenced)
        found.add((names.get(item.relation), item.kind, *detail))
    found.update((function.signature, function.returns) for function in catalog.functions.values())
    found.update((type_.schema, type_.name, type_.kind, type_.labels) for type_ in catalog.types.values())
    return found


def _plain(text: str) -> str:
    return re.sub(r'["\s]', "", text.lower())


def structure(catalog: Catalog) -> set[Fact]:
    """Columns, constraints and indexes, without the names of these and without the order of columns."""
    found: set[Fact] = set()
    relations = {oid: relation for oid, relation in catalog.relations.items() if relation.kind != "sequence"}

    def columns(oid: int, numbers: tuple[int, ...]) -> tuple[str, ...]:
        named = {column.attnum: column.name for column in relations[oid].columns}
        return tuple(named.get(number, "expression") for number in numbers)

    for relation in relations.values():
        found.update(
            (relation.name, relation.kind, c.name, c.type, c.not_null, bool(c.identity)) for c in relation.columns
        )
    for item in catalog.objects.values():
        if isinstance(item, Index):
            keys = columns(item.relation, item.columns)
            found.add((relations[item.relation].name, item.kind, keys, item.unique, bool(item.predicate)))
        elif isinstance(item, Constraint):
            other = (
                (relations[item.references].name, columns(item.references, item.referenced)) if item.references else ()
            )
            own = tuple(sorted(columns(item.relation, item.columns)))
            found.add((relations[item.relation].name, item.kind, item.type, own, other))
    return found
