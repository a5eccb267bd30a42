"""DROP of everything: finds what is named, and hands it to the removal with its dependents."""

from __future__ import annotations

from collections.abc import Callable

from legacy_ref_scan.catalog.dependents import Item, drop, object_item, relation_item
from legacy_ref_scan.catalog.functions import signed
from legacy_ref_scan.catalog.names import Name
from legacy_ref_scan.catalog.state import State, key_of
from legacy_ref_scan.catalog.statement import Statement
from legacy_ref_scan.catalog.typenames import is_known
from legacy_ref_scan.sql.tree import Node

Finder = Callable[[Statement, Name], Item | None]


def drop_objects(statement: Statement) -> None:
    """DROP of one kind of object, by name or by name and table."""
    node = statement.node
    kind = _kind(node)
    if kind in _ON_TABLE:
        _drop_on_table(statement, kind)
        return
    finder = _FINDERS.get(kind)
    if finder is None:
        if kind in _OWNERS and _cascade(node):
            _leave_open(statement, kind)
        if kind not in _WITHOUT_COLUMNS:
            statement.gap(node, "catalog-unknown-statement", f"DROP {kind.upper()} is not known here")
        return
    items = []
    for named in node.find("any_name", "Typename", "name"):
        name = statement.qualified(named)
        item = finder(statement, name) if name else None
        if item is not None:
            items.append(item)
        elif name is not None and not statement.lenient:
            statement.gap(named, "catalog-unknown-object", f'{kind} "{name}" is not in the catalog')
    drop(statement, node, items, _cascade(node))


def _kind(node: Node) -> str:
    words = []
    for child in node.children[1:]:
        if child.type.startswith(("object_type", "drop_type")):
            words += [word.type.removeprefix("kw_") for word in child.children]
        elif child.type.startswith("kw_") and child.type not in ("kw_if", "kw_exists", "kw_concurrently", "kw_on"):
            words.append(child.type.removeprefix("kw_"))
        elif words:
            break
    return " ".join(words)


def _cascade(node: Node) -> bool:
    behavior = node.child("opt_drop_behavior")
    return behavior is not None and behavior.has("kw_cascade")


def _relation(statement: Statement, name: Name) -> Item | None:
    found = statement.state.relation(name)
    return relation_item(found.oid) if found else None


def _index(statement: Statement, name: Name) -> Item | None:
    found = statement.state.index(name)
    return object_item(statement.state, found) if found else None


def _type(statement: Statement, name: Name) -> Item | None:
    found = statement.state.type(name)
    if found is None:
        return None
    if found.kind == "composite":
        return relation_item(statement.state.names[found.schema, found.name])
    return Item("type", (found.schema, found.name))


def _object(kind: str) -> Finder:
    def find(statement: Statement, name: Name) -> Item | None:
        named = [item for item in statement.state.objects.values() if item.kind == kind and item.name == name.name]
        for schema in (name.schema,) if name.schema else ("", *statement.state.search_path):
            for item in named:
                if item.schema == schema and not (kind == "publication" and item.relation):
                    return object_item(statement.state, item)
        return None

    return find


_FINDERS: dict[str, Finder] = {
    "table": _relation,
    "view": _relation,
    "materialized view": _relation,
    "foreign table": _relation,
    "sequence": _relation,
    "index": _index,
    "type": _type,
    "domain": _type,
    "statistics": _object("statistics"),
    "publication": _object("publication"),
}
_ON_TABLE = {"trigger": "trigger", "policy": "policy", "rule": "rule"}
# Kinds that hold no columns and that the catalog does not keep.
_WITHOUT_COLUMNS = frozenset(
    {"extension", "collation", "conversion", "access method", "event trigger", "foreign data wrapper", "server",
     "procedural language", "language", "text search parser", "text search dictionary", "text search template",
     "text search configuration", "operator class", "operator family", "schema"}
)  # fmt: skip


# Of these, kinds that CASCADE takes columns or tables along with: those of an extension's types, foreign ones.
_OWNERS = {"extension": "an extension", "server": "a server", "foreign data wrapper": "a foreign data wrapper"}


def _leave_open(statement: Statement, kind: str) -> None:
    """What hangs on an extension or a server is not known: columns of types from elsewhere, foreign tables."""
    state = statement.state
    for relation in list(state.relations.values()):
        if relation.kind == "foreign" and kind != "extension":
            state.change_relation(relation.oid, maybe=True)
        for column in relation.columns if kind == "extension" and relation.kind == "table" else ():
            if not is_known(state, column.type):
                state.change_column(relation.oid, column.attnum, maybe=True)
    message = f"what CASCADE takes along with {_OWNERS[kind]} is not known"
    statement.gap(statement.node, "catalog-conditional", message)


def _drop_on_table(statement: Statement, kind: str) -> None:
    node = statement.node
    named, table = node.child("name"), node.child("any_name")
    if named is None or table is None:
        return
    relation = statement.relation(table)
    item = statement.state.object(kind, relation.oid, statement.name(named)) if relation else None
    if item is not None:
        drop(statement, node, [Item("object", key_of(item))], _cascade(node))
    elif relation is not None and not statement.lenient:
        message = f'{kind} "{statement.name(named)}" of "{relation.name}" is not in the catalog'
        statement.gap(named, "catalog-unknown-object", message)


def drop_schema(statement: Statement) -> None:
    """DROP SCHEMA, with everything in it."""
    node = statement.node
    for named in node.find("name"):
        schema = statement.name(named)
        drop(statement, node, _contents(statement.state, schema), _cascade(node))
        statement.state.schemas.discard(schema)


def _contents(state: State, schema: str) -> list[Item]:
    items = [relation_item(r.oid) for r in state.relations.values() if r.schema == schema]
    items += [Item("function", key) for key in state.functions if key[0] == schema]
    items += [Item("type", key) for key in state.types if key[0] == schema]
    items += [Item("object", key) for key in state.objects if key[0] == "statistics" and key[1] == schema]
    return items


def drop_statement(statement: Statement) -> None:
    """DROP of whatever it is."""
    if _kind(statement.node) == "schema":
        drop_schema(statement)
    else:
        drop_objects(statement)


def drop_functions(statement: Statement) -> None:
    """DROP FUNCTION, PROCEDURE, ROUTINE."""
    node = statement.node
    items = []
    for named in node.find("function_with_argtypes"):
        found = signed(statement, named)
        items += [Item("function", function.signature) for function in found]
        if not found and not statement.lenient:
            message = f'function "{statement.raw(named)}" is not in the catalog'
            statement.gap(named, "catalog-unknown-object", message)
    drop(statement, node, items, _cascade(node))
