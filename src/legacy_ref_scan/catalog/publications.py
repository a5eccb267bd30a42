"""Extended statistics and publications: what lists columns of a table from outside."""

from __future__ import annotations

from collections.abc import Callable

from legacy_ref_scan.catalog.names import addition, choose, qualified, quoted
from legacy_ref_scan.catalog.statement import Statement
from legacy_ref_scan.schema import Relation, SchemaObject
from legacy_ref_scan.sql.tree import Node


def create_statistics(statement: Statement) -> None:
    """CREATE STATISTICS."""
    node = statement.node
    relation = statement.relation(node.child("from_list"))
    if relation is None:
        return
    params = list(node.find("stats_param"))
    _, uses = statement.column_uses([c for p in params for c in p.all("ColId")], relation)
    needs = statement.needs_in([e for p in params for e in p.all("a_expr", "func_expr_windowless")], relation)
    named = statement.qualified(node.child("opt_qualified_name", "any_name"))
    schema = named.schema or statement.state.creation_schema() if named else relation.schema
    parts = [statement.name(c) if (c := p.child("ColId")) else "expr" for p in params]
    name = named.name if named else choose(relation.name, addition(parts), "stat", _statistics(statement, schema))
    if named and node.has("kw_if") and _statistics(statement, schema)(name):
        return
    statement.state.put(
        SchemaObject(
            kind="statistics",
            schema=schema,
            name=name,
            relation=relation.oid,
            span=statement.span(node.child("opt_qualified_name", "any_name") or node),
            definition=statement.written,
            uses=(*uses, *needs.uses),
        )
    )


def _statistics(statement: Statement, schema: str) -> Callable[[str], bool]:
    objects = statement.state.objects
    taken = {o.name for o in objects.values() if o.kind == "statistics" and o.schema == schema}
    return taken.__contains__


def create_publication(statement: Statement) -> None:
    """CREATE PUBLICATION: one object for itself, one for each table that it lists."""
    name = statement.node.child("name")
    if name is None:
        return
    statement.state.put(
        SchemaObject(
            kind="publication",
            name=statement.name(name),
            span=statement.span(name),
            definition=statement.written,
        )
    )
    _publish(statement, statement.name(name))


def alter_publication(statement: Statement) -> None:
    """ALTER PUBLICATION … ADD, DROP, SET."""
    node = statement.node
    name = node.child("name")
    if name is None or not node.has("pub_obj_list"):
        return
    publication = statement.name(name)
    if node.has("kw_set"):
        for item in list(statement.state.objects.values()):
            if item.kind == "publication" and item.name == publication and item.relation:
                statement.state.remove(item)
    if node.has("kw_drop"):
        for spec in node.find("PublicationObjSpec"):
            for relation in _published(statement, spec):
                entry = statement.state.object("publication", relation.oid, publication)
                if entry is not None:
                    statement.state.remove(entry)
    else:
        _publish(statement, publication)


def _publish(statement: Statement, publication: str) -> None:
    for spec in statement.node.find("PublicationObjSpec"):
        for relation in _published(statement, spec):
            _publish_table(statement, publication, spec, relation)


def _publish_table(statement: Statement, publication: str, spec: Node, relation: Relation) -> None:
    listed = [e.children[0] for group in spec.all("opt_column_list") for e in group.find("columnElem")]
    _, uses = statement.column_uses(listed, relation)
    where = [e for group in spec.all("OptWhereClause") for e in group.all("a_expr")]
    needs = statement.needs_in(where, relation)
    clauses = " ".join(statement.raw(c) for c in spec.all("opt_column_list", "OptWhereClause"))
    table = qualified(relation.schema, relation.name)
    statement.state.put(
        SchemaObject(
            kind="publication",
            name=publication,
            relation=relation.oid,
            span=statement.span(spec),
            definition=f"ALTER PUBLICATION {quoted(publication)} ADD TABLE ONLY {table} {clauses}".rstrip(),
            uses=(*uses, *needs.uses),
        )
    )


def _published(statement: Statement, spec: Node) -> list[Relation]:
    """The tables of one element of the list: with the tables that inherit, but for partitions, unless ONLY is said."""
    relation = _listed(statement, spec)
    if relation is None:
        return []
    if relation.partitioned or spec.first("kw_only") is not None:
        return [relation]
    return [relation, *statement.state.descendants(relation.oid)]


def _listed(statement: Statement, spec: Node) -> Relation | None:
    """Only the first element of a list has the word TABLE before it."""
    if spec.has("kw_schema"):
        return None
    if spec.first("qualified_name") is not None:
        return statement.relation(spec)
    first, rest = spec.child("ColId"), spec.child("indirection")
    if first is None:
        return None
    return statement.relation(Node("qualified_name", first.start, (rest or first).end))
