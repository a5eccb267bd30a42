"""Columns as CREATE TABLE and ALTER TABLE declare them, with the sequences that some of them bring along."""

from __future__ import annotations

import re
from dataclasses import replace

from legacy_ref_scan.catalog import notnull, sequences
from legacy_ref_scan.catalog.constraints import Clause, inline_clauses
from legacy_ref_scan.catalog.names import choose, qualified, quoted
from legacy_ref_scan.catalog.options import with_options
from legacy_ref_scan.catalog.state import State
from legacy_ref_scan.catalog.statement import Statement
from legacy_ref_scan.catalog.typenames import shown, type_name
from legacy_ref_scan.model import Access, Span
from legacy_ref_scan.schema import Column, NotNull, Relation, SchemaObject, Use
from legacy_ref_scan.sql.tree import Node

SEQUENCE_COLUMNS = (
    Column(attnum=1, name="last_value", type="bigint", not_null=True),
    Column(attnum=2, name="log_cnt", type="bigint", not_null=True),
    Column(attnum=3, name="is_called", type="boolean", not_null=True),
)


def declared(statement: Statement, node: Node) -> Column:
    """The column that a `columnDef` (or a composite type's element) declares, without what is added later."""
    name = node.child("ColId")
    assert name is not None
    typed = node.child("Typename")
    kind = type_name(statement.state, statement.tree.text, typed.start, typed.end) if typed else None
    column = Column(
        attnum=0,
        name=statement.name(name),
        type=kind.name if kind else "",
        required=NotNull("") if kind and kind.serial else None,
        span=statement.span(name),
        maybe=statement.maybe,
    )
    collation = node.child("opt_collate_clause")
    if collation is not None:
        column = replace(column, collation=_collation(statement, collation))
    return with_qualifiers(statement, column, node.child("ColQualList"))


def with_qualifiers(statement: Statement, column: Column, qualifiers: Node | None) -> Column:
    """The column with its default, nullability, collation, generation and identity."""
    for node in qualifiers.all("ColConstraint") if qualifiers else ():
        element = node.child("ColConstraintElem")
        if element is None:
            if node.has("kw_collate"):
                column = replace(column, collation=_collation(statement, node))
            continue
        words = [child.type for child in element.children]
        expression = element.child("a_expr")
        if words[0] == "kw_default" and expression:
            column = replace(column, default=default_text(statement, expression, column.type))
        elif words[:2] == ["kw_not", "kw_null"]:
            name = statement.qualified(node.child("name"))
            heritable = not element.has("opt_no_inherit")
            column = replace(column, required=NotNull(name.name if name else "", heritable=heritable))
        elif words[0] == "kw_generated":
            column = generated(statement, column, element)
    return column


_NULL = re.compile(r"\(*\s*null\s*\)*(?:::(.*))?", re.IGNORECASE | re.DOTALL)


def default_text(statement: Statement, expression: Node | None, kind: str) -> str | None:
    """A default as written. PostgreSQL stores none for a plain NULL, unless it has to be made the column's type."""
    text = statement.raw(expression) if expression is not None else None
    null = _NULL.fullmatch(text) if text is not None else None
    if text is None or expression is None or null is None:
        return sequences.bound(statement.state, text) if text is not None else None
    cast = (
        type_name(statement.state, statement.tree.text, expression.end - len(null[1]), expression.end)
        if null[1]
        else None
    )
    same = cast is None or cast.name == kind
    return None if same and "(" not in kind and not _is_domain(statement.state, kind) else text


def _is_domain(state: State, kind: str) -> bool:
    return any(t.kind == "domain" and shown(state, t.schema, t.name) == kind for t in state.types.values())


def generated(statement: Statement, column: Column, element: Node) -> Column:
    """GENERATED … AS IDENTITY or AS (expression)."""
    if element.has("kw_identity"):
        always = element.first("kw_always") is not None
        return replace(column, identity="always" if always else "by default", required=column.required or NotNull(""))
    expression = element.child("a_expr")
    how = element.child("opt_virtual_or_stored")
    # PostgreSQL 18 makes VIRTUAL the default; before it, STORED was the only kind and had to be said.
    kind = "stored" if how is not None and how.has("kw_stored") else "virtual"
    return replace(column, generated=kind, default=statement.raw(expression) if expression else "")


def _collation(statement: Statement, node: Node) -> str:
    name = statement.qualified(node.child("any_name"))
    return name.name if name else ""


def add(statement: Statement, oid: int, node: Node) -> list[Clause]:
    """Add the column of a `columnDef` to a relation; its constraint clauses are returned, to be added later."""
    state = statement.state
    column = declared(statement, node)
    relation = state.relations[oid]
    inherited = relation.column(column.name)
    if inherited is not None:
        merged = replace(
            inherited,
            default=column.default if column.default is not None or _says_default(node) else inherited.default,
            generated=column.generated or inherited.generated,
            identity=column.identity or inherited.identity,
            local=True,
        )
        state.change_column(oid, inherited.attnum, **_fields(merged))
        required, column = column.required, replace(merged, identity=column.identity)
    else:
        required, column = column.required, state.add_column(oid, replace(column, required=None))
    if required is not None:
        notnull.require(state, oid, column.name, required.name, heritable=required.heritable)
    typed = node.child("Typename")
    if typed is not None and type_name(state, statement.tree.text, typed.start, typed.end).serial:
        sequence = new_sequence(statement, state.relations[oid], column)
        text = f"nextval('{qualified(sequence.schema, sequence.name)}'::regclass)"
        state.change_column(oid, column.attnum, default=text)
    elif column.identity:
        new_sequence(statement, state.relations[oid], column, node)
    name = node.child("ColId")
    return inline_clauses(statement, name, node.child("ColQualList")) if name else []


def _says_default(node: Node) -> bool:
    """Whether the declaration has a default of its own, if only NULL."""
    return any(element.children[0].type == "kw_default" for element in node.find("ColConstraintElem"))


def _fields(column: Column) -> dict[str, object]:
    names = ("default", "generated", "identity", "local")
    return {name: getattr(column, name) for name in names}


def add_generated(statement: Statement, oid: int, node: Node) -> None:
    """Enter what a generated column needs, once every column of the statement is there."""
    for element in node.find("ColConstraintElem"):
        name = node.child("ColId")
        if name is not None and element.has("kw_generated") and element.has("a_expr"):
            enter_generated(statement, oid, statement.name(name), element)


def enter_generated(statement: Statement, oid: int, name: str, element: Node) -> None:
    """Enter the expression of one generated column."""
    relation = statement.state.relations[oid]
    needs = statement.needs_in(element.all("a_expr"), relation)
    column = relation.column(name)
    if column is None:
        return
    kind = f"{quoted(name)} {column.type} GENERATED ALWAYS AS ({column.default}) {column.generated.upper()}"
    statement.state.put(
        SchemaObject(
            kind="generated",
            schema=relation.schema,
            name=name,
            relation=oid,
            span=column.span,
            definition=f"ALTER TABLE {qualified(relation.schema, relation.name)} ADD COLUMN {kind}",
            uses=needs.uses,
        )
    )


def sequence_of(state: State, oid: int, column: Column) -> Relation | None:
    """The sequence that a column owns."""
    owned = (
        relation
        for relation in state.relations.values()
        if relation.kind == "sequence" and any(use.column == (oid, column.attnum) for use in relation.uses)
    )
    return next(owned, None)


def new_sequence(statement: Statement, table: Relation, column: Column, element: Node | None = None) -> Relation:
    """The sequence of a serial or identity column, named after it and owned by it. `element` may say its options."""
    state = statement.state
    name = choose(table.name, column.name, "seq", lambda n: state.relation_name_taken(table.schema, n))
    owner = Use((table.oid, column.attnum), Access.READ, column.span)
    said = (statement.raw(option) for option in element.find("SeqOptElem")) if element is not None else ()
    definition = with_options(f"CREATE SEQUENCE {qualified(table.schema, name)}", said)
    return enter_sequence(statement, table.schema, name, column.span, definition, (owner,))


def enter_sequence(
    statement: Statement, schema: str, name: str, span: Span, definition: str, uses: tuple[Use, ...]
) -> Relation:
    """Enter a sequence."""
    return statement.state.put_relation(
        Relation(
            oid=statement.state.new_oid(),
            schema=schema,
            name=name,
            kind="sequence",
            columns=SEQUENCE_COLUMNS,
            last_attnum=3,
            span=span,
            definition=definition,
            uses=uses,
            temporary=schema == "pg_temp",
            maybe=statement.maybe,
        )
    )


def remarked(column: Column, kind: str, span: Span | None) -> tuple[tuple[str, Span], ...]:
    """A column's remarks with the place of its new default or comment; without one, if it has none any more."""
    others = tuple(item for item in column.remarks if item[0] != kind)
    return (*others, (kind, span)) if span is not None else others
