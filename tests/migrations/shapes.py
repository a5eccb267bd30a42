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
