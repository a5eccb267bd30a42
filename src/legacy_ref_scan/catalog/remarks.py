"""COMMENT ON, and GRANT and REVOKE of columns."""

from __future__ import annotations

from collections.abc import Iterator

from legacy_ref_scan.catalog.columns import remarked
from legacy_ref_scan.catalog.names import qualified, quoted
from legacy_ref_scan.catalog.statement import Statement
from legacy_ref_scan.model import Access
from legacy_ref_scan.schema import Relation, SchemaObject, Use
from legacy_ref_scan.sql.tree import Node


def comment(statement: Statement) -> None:
    """COMMENT ON what the catalog keeps comments of: relations, columns, and what hangs on tables."""
    node = statement.node
    text = node.child("comment_text")
    constant = text.child("Sconst") if text else None
    value = statement.string(constant) if constant else ""
    words = [word.type for child in node.children[2:4] for word in (child, *child.children)]
    if "kw_column" in words:
        _on_column(statement, value)
        return
    for kind in ("constraint", "trigger", "policy", "rule"):
        if f"kw_{kind}" in words:
            _on_object(statement, kind, value)
            return
    target = node.child("any_name")
    if "kw_index" in words:
        name = statement.qualified(target)
        index = statement.state.index(name) if name else None
        # the comment of a constraint's index is not the constraint's, and goes with it
        if index is not None and index.kind == "index":
            statement.state.change(index, comment=value)
    elif "kw_statistics" in words:
        name = statement.qualified(target)
        for item in [item for item in statement.state.objects.values() if item.kind == "statistics"]:
            if name is not None and item.name == name.name and name.schema in (None, item.schema):
                statement.state.change(item, comment=value)
    elif any(word in words for word in ("kw_table", "kw_view", "kw_sequence")):
        relation = statement.relation(node)
        if relation is not None:
            statement.state.change_relation(relation.oid, comment=value)


def _on_column(statement: Statement, value: str) -> None:
    node = statement.node.child("any_name")
    parts = statement.dotted(node) if node else []
    if node is None or len(parts) < 2:
        return
    if found := statement.column(parts, node):
        relation, column = found
        remarks = remarked(column, "comment", statement.span(node) if value else None)
        statement.state.change_column(relation.oid, column.attnum, comment=value, remarks=remarks)


def _on_object(statement: Statement, kind: str, value: str) -> None:
    node = statement.node
    name, table = node.child("name"), node.child("any_name")
    if name is None or table is None or node.has("kw_domain"):
        return
    relation = statement.relation(table)
    item = statement.state.object(kind, relation.oid, statement.name(name)) if relation else None
    if item is not None:
        statement.state.change(item, comment=value)


def grant(statement: Statement) -> None:
    """GRANT of columns: one object for each privilege, column and grantee. Grants of tables need no column."""
    for relation, privilege, column, grantee in _column_privileges(statement):
        found = relation.column(statement.name(column))
        if found is None:
            statement.unknown_column(column, relation, statement.name(column))
            continue
        table = qualified(relation.schema, relation.name)
        name = quoted(found.name)
        statement.state.put(
            SchemaObject(
                kind="grant",
                schema=relation.schema,
                name=f"{privilege} ({found.name}) to {grantee}",
                relation=relation.oid,
                span=statement.span(column),
                definition=f"GRANT {privilege.upper()} ({name}) ON {table} TO {grantee}",
                uses=(Use((relation.oid, found.attnum), Access.READ, statement.span(column)),),
            )
        )


def revoke(statement: Statement) -> None:
    """REVOKE of columns, or of a table with all its columns."""
    for relation, privilege, column, grantee in _column_privileges(statement):
        found = relation.column(statement.name(column))
        if found is not None:
            _take_back(statement, relation, privilege, grantee, found.attnum)
    for relation, privilege, grantee in _table_privileges(statement):
        _take_back(statement, relation, privilege, grantee, None)


def _take_back(statement: Statement, relation: Relation, privilege: str, grantee: str, attnum: int | None) -> None:
    for item in statement.state.of(relation.oid):
        named = item.name.startswith(f"{privilege} (") and item.name.endswith(f") to {grantee}")
        if item.kind == "grant" and named and (attnum is None or item.uses[0].column[1] == attnum):
            statement.state.remove(item)


_OF_COLUMNS = ("select", "insert", "update", "references")


def _table_privileges(statement: Statement) -> Iterator[tuple[Relation, str, str]]:
    node = statement.node
    targets, privileges = node.child("privilege_target"), node.child("privileges")
    if targets is None or privileges is None or privileges.first("columnList") is not None:
        return
    if any(child.type not in ("kw_table", "qualified_name_list") for child in targets.children):
        return
    listed = [statement.raw(p).lower() for p in privileges.find("privilege")]
    for table in targets.find("qualified_name"):
        relation = statement.relation(table)
        for grantee in node.find("grantee") if relation else ():
            assert relation is not None
            yield from ((relation, word, statement.raw(grantee)) for word in listed or _OF_COLUMNS)


def _column_privileges(statement: Statement) -> Iterator[tuple[Relation, str, Node, str]]:
    node = statement.node
    listed = [p for p in node.find("privilege") if p.has("opt_column_list")]
    every = node.child("privileges")
    if every is not None and every.has("opt_column_list", "columnList"):
        listed.append(every)
    if not listed:
        return
    grantees = [statement.raw(grantee) for grantee in node.find("grantee")]
    targets = node.child("privilege_target")
    for table in targets.find("qualified_name") if targets else ():
        relation = statement.relation(table)
        for privilege in listed if relation else ():
            word = statement.raw(privilege.children[0]).lower()
            elements = [element.children[0] for element in privilege.find("columnElem")]
            for column in elements:
                for grantee in grantees:
                    assert relation is not None
                    for each in _OF_COLUMNS if word == "all" else (word,):
                        yield relation, each, column, grantee
