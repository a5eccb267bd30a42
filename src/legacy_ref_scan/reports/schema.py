"""The replayed schema, as `legacy-ref-scan schema` prints it: relations, their columns, and who needs each column."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from legacy_ref_scan.model import Location, ScanError, SourceFile, Span
from legacy_ref_scan.reports.style import clean, encodable
from legacy_ref_scan.schema import Catalog, Column, Function, Relation, SchemaObject

VERSION = 1
Read = Callable[[str], SourceFile | None]
_KINDS = frozenset({"table", "view", "matview", "foreign", "composite"})
_REMARK = (
    "a function whose body is a string depends on nothing as far as PostgreSQL knows: `legacy-ref-scan scan` reads it"
)


def document(catalog: Catalog, migrations: str, read: Read, name: tuple[str, ...] | None) -> dict[str, Any]:
    """Every relation, or the one of that (qualified) name with the dependents of its columns. Raises `ScanError`."""
    if name is None:
        chosen = [item for item in catalog.relations.values() if item.kind in _KINDS]
        relations = sorted(chosen, key=lambda item: (item.schema, item.name))
    else:
        relations = [_find(catalog, name)]
    return {
        "version": VERSION,
        "migrations": migrations,
        "search_path": list(catalog.search_path),
        "relations": [_relation(catalog, item, read, name is not None) for item in relations],
        "gaps": [{**_place(gap.span, read), "reason": gap.reason, "message": gap.message} for gap in catalog.gaps],
    }


def render(shape: dict[str, Any], format_: str) -> str:
    """A document as text or as JSON."""
    if format_ == "json":
        import json

        return encodable(json.dumps(shape, indent=2, ensure_ascii=False)) + "\n"
    return encodable("\n".join(_lines(shape))) + "\n"


def _find(catalog: Catalog, name: tuple[str, ...]) -> Relation:
    *schema, table = name
    found = catalog.relation(table, schema[-1] if schema else None)
    if found is None:
        known = ", ".join(sorted(item.name for item in catalog.relations.values() if item.kind == "table"))
        raise ScanError(f"no table {'.'.join(name)} in the schema that the migrations build: {known or 'it is empty'}")
    return found


def _relation(catalog: Catalog, relation: Relation, read: Read, dependents: bool) -> dict[str, Any]:
    return {
        "schema": relation.schema,
        "name": relation.name,
        "kind": relation.kind,
        **_place(relation.span, read),
        "columns": [_column(catalog, relation, column, read, dependents) for column in relation.columns],
    }


def _column(catalog: Catalog, relation: Relation, column: Column, read: Read, dependents: bool) -> dict[str, Any]:
    shape = {
        "name": column.name,
        "type": column.type,
        "not_null": column.not_null,
        "default": None if column.generated else column.default,
        "generated": column.default if column.generated else None,
        "identity": column.identity or None,
        "maybe": column.maybe,
    }
    if dependents:
        shape["dependents"] = list(_dependents(catalog, (relation.oid, column.attnum), read))
    return shape


def _dependents(catalog: Catalog, column: tuple[int, int], read: Read) -> Iterator[dict[str, Any]]:
    """What needs the column itself, once each, with the place of its first use; whole rows need no single column."""
    for item in catalog.dependents(column):
        use = next((use for use in item.uses if use.column == column), None)
        if use is not None:
            kind, name = _called(item)
            yield {"kind": kind, "name": name, "access": use.access.value, **_place(use.span, read)}


def _called(item: SchemaObject | Relation | Function) -> tuple[str, str]:
    match item:
        case Function():
            return "procedure" if item.procedure else "function", item.name
        case _:
            return item.kind, item.name


def _place(span: Span, read: Read) -> dict[str, Any]:
    source = read(span.path) if span.path else None
    at = source.locate(span.start, span.end) if source else Location(span.path, 1, 1, 1, 1)
    return {"path": at.path, "line": at.line, "column": at.column}


def _lines(shape: dict[str, Any]) -> Iterator[str]:
    for relation in shape["relations"]:
        yield clean(f"{relation['kind']} {relation['schema']}.{relation['name']}") + _at(relation)
        yield from _columns(relation["columns"])
        yield ""
    for gap in shape["gaps"]:
        yield f"gap: {clean(gap['message'])}" + _at(gap)
    if any("dependents" in column for relation in shape["relations"] for column in relation["columns"]):
        yield f"note: {_REMARK}"
    yield f"note: migrations: {clean(shape['migrations'])}"


def _columns(columns: list[dict[str, Any]]) -> Iterator[str]:
    names = max((len(clean(column["name"])) for column in columns), default=0)
    types = max((len(clean(column["type"])) for column in columns), default=0)
    for column in columns:
        line = f"  {clean(column['name']):{names}}  {clean(column['type']):{types}}  {_about(column)}"
        yield line.rstrip()
        for item in column.get("dependents", ()):
            access = "" if item["access"] == "read" else f" ({item['access']})"
            yield f"    {item['kind']} {clean(item['name'])}{access}" + _at(item)


def _about(column: dict[str, Any]) -> str:
    parts = ["not null"] if column["not_null"] else []
    if column["default"] is not None:
        parts.append(f"default {column['default']}")
    if column["generated"] is not None:
        parts.append(f"generated {column['generated']}")
    if column["identity"]:
        parts.append(f"identity {column['identity']}")
    if column["maybe"]:
        parts.append("(added or dropped under a condition)")
    return clean(", ".join(parts))


def _at(item: dict[str, Any]) -> str:
    return f"  {clean(item['path'])}:{item['line']}:{item['column']}" if item["path"] else ""
