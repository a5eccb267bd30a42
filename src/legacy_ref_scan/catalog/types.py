"""Types: enums, domains, ranges, and composite types, which are relations too."""

from __future__ import annotations

from dataclasses import replace

from legacy_ref_scan.catalog import columns
from legacy_ref_scan.catalog.dependents import column_item, drop
from legacy_ref_scan.catalog.statement import Statement
from legacy_ref_scan.catalog.typenames import type_name
from legacy_ref_scan.schema import Relation, Type
from legacy_ref_scan.sql.tree import Node


def create_type(statement: Statement) -> None:
    """CREATE TYPE (aggregates, operators, collations and the like share its node and hold no columns)."""
    node = statement.node
    if not node.has("kw_type"):
        return
    if node.has("kw_enum"):
        labels = tuple(statement.string(label) for label in node.find("Sconst"))
        _enter(statement, "enum", labels=labels)
    elif node.has("kw_range"):
        _enter(statement, "range")
    elif node.has("kw_as"):
        _composite(statement)
    elif node.has("any_name"):
        _enter(statement, "base")


def create_domain(statement: Statement) -> None:
    """CREATE DOMAIN."""
    typed = statement.node.child("Typename")
    base = type_name(statement.state, statement.tree.text, typed.start, typed.end).name if typed else ""
    _enter(statement, "domain", base=base)


def _enter(statement: Statement, kind: str, labels: tuple[str, ...] = (), base: str = "") -> Type | None:
    state = statement.state
    node = statement.node.child("any_name")
    name = statement.qualified(node)
    if name is None or node is None:
        statement.gap(statement.node, "catalog-unparsed", "a type without a name")
        return None
    schema = name.schema or state.creation_schema()
    old = state.types.get((schema, name.name))
    if old is not None and old.kind != "base":
        if not statement.guarded and not statement.maybe:
            statement.gap(node, "catalog-duplicate", f'type "{name}" exists already')
        return None
    state.schemas.add(schema)
    made = Type(
        schema=schema,
        name=name.name,
        kind=kind,
        labels=labels,
        base=base,
        span=statement.text.span(name.start, name.end),
        definition=statement.written,
    )
    state.types[schema, name.name] = made
    return made


def _composite(statement: Statement) -> None:
    made = _enter(statement, "composite")
    if made is None:
        return
    state = statement.state
    relation = Relation(
        oid=state.new_oid(),
        schema=made.schema,
        name=made.name,
        kind="composite",
        span=made.span,
        definition=made.definition,
        maybe=statement.maybe,
    )
    state.put_relation(relation)
    for element in statement.node.find("TableFuncElement"):
        state.add_column(relation.oid, columns.declared(statement, element))


def alter_enum(statement: Statement) -> None:
    """ALTER TYPE … ADD VALUE, RENAME VALUE, DROP VALUE."""
    node, state = statement.node, statement.state
    kind = _known(statement)
    if kind is None:
        return
    labels = list(kind.labels)
    strings = [statement.string(label) for label in node.all("Sconst")]
    if node.has("kw_rename") and len(strings) == 2:
        labels = [strings[1] if label == strings[0] else label for label in labels]
    elif node.has("kw_add") and strings and strings[0] not in labels:
        at = len(labels)
        if len(strings) == 2 and strings[1] in labels:
            at = labels.index(strings[1]) + (1 if node.has("kw_after") else 0)
        labels.insert(at, strings[0])
    state.types[kind.schema, kind.name] = replace(kind, labels=tuple(labels))


def _known(statement: Statement) -> Type | None:
    node = statement.node.child("any_name")
    name = statement.qualified(node)
    kind = statement.state.type(name) if name else None
    if kind is None and node is not None and not statement.lenient:
        statement.gap(node, "catalog-unknown-type", f'type "{name}" is not in the catalog')
    return kind


def alter_domain(statement: Statement) -> None:
    """ALTER DOMAIN changes no column."""
    _known(statement)


def alter_composite(statement: Statement) -> None:
    """ALTER TYPE … ADD, DROP, ALTER ATTRIBUTE; CASCADE takes it to typed tables."""
    relation = statement.relation(statement.node)
    if relation is None:
        return
    for command in statement.node.find("alter_type_cmd"):
        for oid in (relation.oid, *(child.oid for child in statement.state.descendants(relation.oid))):
            _alter_attribute(statement, oid, command)


def _alter_attribute(statement: Statement, oid: int, command: Node) -> None:
    state = statement.state
    element = command.child("TableFuncElement")
    if command.has("kw_add") and element is not None:
        state.add_column(oid, columns.declared(statement, element))
        return
    name = command.child("ColId")
    relation = state.relations[oid]
    column = relation.column(statement.name(name)) if name else None
    if column is None:
        if name is not None and not command.has("kw_if"):
            statement.unknown_column(name, relation, statement.name(name))
        return
    typed = command.child("Typename")
    if command.has("kw_drop"):
        drop(statement, command, [column_item(oid, column.attnum)], cascade=True)
    elif typed is not None:
        kind = type_name(state, statement.tree.text, typed.start, typed.end).name
        state.change_column(oid, column.attnum, type=kind)


def renamed_type(statement: Statement, old: str, new: str) -> None:
    """Columns, arguments and domains name their type: write the new name there."""
    state = statement.state

    def mended(kind: str) -> str:
        if kind == old or kind.startswith((f"{old}[", f"{old}(")):
            return new + kind[len(old) :]
        return kind

    for relation in list(state.relations.values()):
        if any(mended(column.type) != column.type for column in relation.columns):
            changed = tuple(replace(column, type=mended(column.type)) for column in relation.columns)
            state.change_relation(relation.oid, columns=changed)
    for function in list(state.functions.values()):
        arguments = tuple(replace(a, type=mended(a.type)) for a in function.arguments)
        if arguments != function.arguments or mended(function.returns) != function.returns:
            del state.functions[function.signature]
            state.put_function(replace(function, arguments=arguments, returns=mended(function.returns)))
    for key, kind in list(state.types.items()):
        if mended(kind.base) != kind.base:
            state.types[key] = replace(kind, base=mended(kind.base))
