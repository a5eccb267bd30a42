"""Views and materialized views: their columns are frozen when they are created, and so is what these come from."""

from __future__ import annotations

from dataclasses import replace

from legacy_ref_scan.catalog.statement import Part, Statement
from legacy_ref_scan.catalog.tables import result_columns, start
from legacy_ref_scan.schema import Column, Relation
from legacy_ref_scan.sql.tree import Node


def create_view(statement: Statement) -> None:
    """CREATE [OR REPLACE] [RECURSIVE] VIEW."""
    name = statement.node.child("qualified_name")
    old = _replaced(statement, name)
    names = statement.node.child("opt_column_list", "columnList")
    _create(statement, name, names, "view", old)


def create_materialized_view(statement: Statement) -> None:
    """CREATE MATERIALIZED VIEW, with or without data."""
    target = statement.node.child("create_mv_target")
    name = target.child("qualified_name") if target else None
    _create(statement, name, target.child("opt_column_list") if target else None, "matview", None)


def _create(statement: Statement, node: Node | None, names: Node | None, kind: str, old: Relation | None) -> None:
    query = statement.node.child("SelectStmt")
    if query is None:
        statement.gap(statement.node, "catalog-unparsed", "a view without a query")
        return
    recursive = _recursive(statement, node, names) if statement.node.has("kw_recursive") else None
    # before the view is there: it may have the name of a relation further along the search path
    needs = statement.needs_of_query(query) if recursive is None else None
    relation = old or start(statement, node, kind)
    if relation is None:
        return
    needs = needs or statement.needs_of_query(query)
    made = result_columns(statement, needs.output, names)
    if recursive is not None:
        made = recursive
    part = Part(statement.text, query.start, query.end)
    statement.state.change_relation(
        relation.oid,
        columns=_kept(relation.columns, made),
        last_attnum=len(made),
        uses=needs.uses,
        depends=needs.depends - {relation.oid},
        definition=statement.written,
        span=statement.span(node) if node is not None else relation.span,
        query=part.fragment(relation.name, "view"),
    )


def _replaced(statement: Statement, node: Node | None) -> Relation | None:
    """The view that OR REPLACE replaces: it keeps its oid, so what depends on it still does."""
    if not statement.node.has("kw_replace"):
        return None
    name = statement.qualified(node)
    if name is None:
        return None
    schema = name.schema or ("pg_temp" if statement.says("OptTemp") else statement.state.creation_schema())
    oid = statement.state.names.get((schema, name.name))
    old = statement.state.relations[oid] if oid is not None else None
    if old is not None and statement.maybe and node is not None:
        statement.gap(node, "catalog-conditional", f'view "{name}" is replaced under a condition that is not known')
    return old if old is not None and old.kind == "view" else None


def _kept(before: tuple[Column, ...], after: list[Column]) -> tuple[Column, ...]:
    """The new columns with the comments and defaults of those that they replace."""
    kept = {column.name: column for column in before}
    return tuple(
        replace(column, comment=kept[column.name].comment, default=kept[column.name].default)
        if column.name in kept
        else column
        for column in after
    )


def _recursive(statement: Statement, node: Node | None, names: Node | None) -> list[Column] | None:
    """`CREATE RECURSIVE VIEW v (a) AS q` is `WITH RECURSIVE v (a) AS (q) SELECT a FROM v`: its names are the list."""
    listed = [element.children[0] for element in names.find("columnElem")] if names else []
    return [
        Column(attnum=number, name=statement.name(name), type="", span=statement.span(name))
        for number, name in enumerate(listed, 1)
    ] or None
