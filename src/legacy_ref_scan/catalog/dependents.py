"""What PostgreSQL takes along when something is dropped, and what it refuses to lose without CASCADE (pg_depend)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from legacy_ref_scan.catalog import sequences
from legacy_ref_scan.catalog.state import State, key_of
from legacy_ref_scan.catalog.statement import Statement
from legacy_ref_scan.catalog.typenames import shown
from legacy_ref_scan.schema import Column, Constraint, Function, Index, Relation, SchemaObject, Trigger
from legacy_ref_scan.sql.lexer import Kind, name_of, words
from legacy_ref_scan.sql.tree import Node


class Item(NamedTuple):
    """Something that can be dropped. `key`: an oid, a column id, an object's key, a signature, or a type's name."""

    kind: str  # "relation" | "column" | "default" | "object" | "function" | "type"
    key: tuple[Any, ...]


Dependent = tuple[Item, bool]
"""(the dependent, whether it goes along by itself)"""

_GO_ALONG = frozenset({"index", "constraint", "statistics", "grant"})


def relation_item(oid: int) -> Item:
    """A relation."""
    return Item("relation", (oid,))


def column_item(oid: int, attnum: int) -> Item:
    """A column."""
    return Item("column", (oid, attnum))


def object_item(state: State, item: SchemaObject) -> Item:
    """An object; a generated column's expression can't go without its column, a partition key without its table."""
    if item.kind == "partition key":
        return relation_item(item.relation)
    if item.kind == "generated":
        column = state.relations[item.relation].column(item.name)
        if column is not None:
            return column_item(item.relation, column.attnum)
    return Item("object", key_of(item))


def drop(statement: Statement, node: Node, items: Iterable[Item], cascade: bool) -> None:
    """Drop things with all that goes along. Without `cascade` a dependent that would be lost is a gap.

    Under an undecided condition nothing goes: relations and columns are only marked.
    """
    state = statement.state
    first = list(items)
    if statement.maybe:
        for item in first:
            _mark(state, item)
        return
    alone = _closure(state, first, normal=False, cascade=False)
    everything = _closure(state, list(alone), normal=True, cascade=cascade)
    lost = [item for item in everything if item not in alone]
    if lost and not cascade:
        names = ", ".join(sorted({_describe(state, item) for item in lost}))
        statement.gap(node, "catalog-dependents", f"PostgreSQL would refuse this because of: {names}")
    if cascade:
        _leave_open(statement, node, [item for item in everything if item.kind == "function"])
    for item in reversed(everything):
        _take_out(state, item)


def _closure(state: State, items: list[Item], *, normal: bool, cascade: bool) -> dict[Item, None]:
    found = dict.fromkeys(items)
    waiting = list(found)
    while waiting:
        for dependent, automatic in _dependents(state, waiting.pop(), cascade):
            if (automatic or normal) and dependent not in found:
                found[dependent] = None
                waiting.append(dependent)
    return found


def _mark(state: State, item: Item) -> None:
    match item:
        case Item("relation", (int() as oid,)):
            state.change_relation(oid, maybe=True)
        case Item("column", (int() as oid, int() as attnum)):
            state.change_column(oid, attnum, maybe=True)


def _take_out(state: State, item: Item) -> None:
    match item:
        case Item("relation", (int() as oid,)) if oid in state.relations:
            relation = state.relations[oid]
            state.types.pop((relation.schema, relation.name), None)
            if relation.kind == "sequence":
                sequences.forget(state, relation)
            state.remove_relation(oid)
        case Item("column", (int() as oid, int() as attnum)) if oid in state.relations:
            column = state.relations[oid].by_attnum(attnum)
            generated = state.object("generated", oid, column.name) if column else None
            if generated is not None:
                state.remove(generated)
            state.remove_column(oid, attnum)
        case Item("default", (int() as oid, int() as attnum)) if oid in state.relations:
            state.change_column(oid, attnum, default=None)
        case Item("object", key) if key in state.objects:
            state.remove(state.objects[key])
        case Item("function", key):
            state.functions.pop(key, None)
        case Item("type", key):
            state.types.pop(key, None)


def _describe(state: State, item: Item) -> str:
    match item:
        case Item("relation", (int() as oid,)):
            return f"{state.relations[oid].kind} {state.relations[oid].name}"
        case Item("column", (int() as oid, int() as attnum)):
            column = state.relations[oid].by_attnum(attnum)
            return f"column {column.name if column else attnum} of {state.relations[oid].name}"
        case Item("object", (kind, _, _, name)):
            return f"{kind} {name}"
    return f"{item.kind} {item.key[1]}"


def _dependents(state: State, item: Item, cascade: bool) -> Iterator[Dependent]:
    match item:
        case Item("relation", (int() as oid,)) if oid in state.relations:
            yield from _of_relation(state, state.relations[oid])
        case Item("column", (int() as oid, int() as attnum)) if oid in state.relations:
            yield from _of_column(state, oid, attnum)
        case Item("object", key) if key in state.objects:
            yield from _of_object(state, state.objects[key])
        case Item("function", (str() as schema, str() as name, _)):
            yield from _of_function(state, schema, name, cascade)
        case Item("type", (str() as schema, str() as name)):
            yield from _of_type(state, shown(state, schema, name))


def _of_relation(state: State, relation: Relation) -> Iterator[Dependent]:
    oid = relation.oid
    for item in state.of(oid):
        yield Item("object", key_of(item)), True
    for other in state.relations.values():
        if other.kind == "sequence" and any(use.column[0] == oid for use in other.uses):
            yield relation_item(other.oid), True
        elif oid in other.parents:
            yield relation_item(other.oid), relation.partitioned
        elif oid in other.depends:
            yield relation_item(other.oid), False
    for item in state.objects.values():
        if oid in item.depends and item.relation != oid:
            yield object_item(state, item), False
    for function in state.functions.values():
        if oid in function.depends:
            yield Item("function", function.signature), False
    if relation.kind != "sequence":
        yield from _of_type(state, shown(state, relation.schema, relation.name))


def _of_column(state: State, oid: int, attnum: int) -> Iterator[Dependent]:
    column = (oid, attnum)
    own = state.relations[oid].by_attnum(attnum)
    for item in state.objects.values():
        if (item.relation == oid or oid in item.depends) and any(use.column == column for use in item.uses):
            if item.kind == "generated" and item.relation == oid and own is not None and item.name == own.name:
                continue
            yield object_item(state, item), item.relation == oid and item.kind in _GO_ALONG
    for other in state.relations.values():
        if any(use.column == column for use in other.uses):
            yield relation_item(other.oid), other.kind == "sequence"
    for function in state.functions.values():
        if any(use.column == column for use in function.uses):
            yield Item("function", function.signature), False


def _of_object(state: State, item: SchemaObject) -> Iterator[Dependent]:
    """A foreign key needs the index over the columns that it refers to."""
    if item.kind == "publication" and item.relation == 0:
        for other in state.objects.values():
            if other.kind == "publication" and other.name == item.name and other.relation:
                yield Item("object", key_of(other)), True
    for clone in state.clones(item):
        yield Item("object", key_of(clone)), True
    columns = _unique(item)
    # Which of two equal indexes the key was bound to is not known; the other one can serve.
    if not columns or any(_unique(o) == columns for o in state.of(item.relation) if o is not item):
        return
    for other in state.objects.values():
        if isinstance(other, Constraint) and other.references == item.relation:
            if set(other.referenced) != columns:
                continue
            yield Item("object", key_of(other)), False


def _unique(item: SchemaObject) -> set[int]:
    """The columns that an index or constraint makes unique."""
    match item:
        case Index(unique=True):
            return set(item.columns)
        case Constraint(type="primary key" | "unique"):
            return set(item.columns)
    return set()


def _of_function(state: State, schema: str, name: str, cascade: bool) -> Iterator[Dependent]:
    for item in state.objects.values():
        if isinstance(item, Trigger) and item.function == (schema, name):
            yield object_item(state, item), False
    # Only CASCADE can take users along; which ones, PostgreSQL knows and we read from their text.
    if cascade and len(_overloads(state, name)) == 1:
        yield from ((item, False) for item in _callers(state, name))


def _overloads(state: State, name: str) -> list[Function]:
    return [function for function in state.functions.values() if function.name == name]


def _callers(state: State, name: str) -> Iterator[Item]:
    """What calls a function of that name, as its text says."""
    for item in state.objects.values():
        if item.kind != "trigger" and calls(item.definition, name):
            yield object_item(state, item)
    for relation in state.relations.values():
        if relation.kind in ("view", "matview") and calls(relation.definition, name):
            yield relation_item(relation.oid)
        for column in relation.columns:
            if column.default is not None and not column.generated and calls(column.default, name):
                yield Item("default", (relation.oid, column.attnum))


def _leave_open(statement: Statement, node: Node, functions: Iterable[Item]) -> None:
    """CASCADE takes along what calls a function; with another one of its name, which one is called is not known."""
    state = statement.state
    for item in functions:
        name = item.key[1]
        if len(_overloads(state, name)) > 1 and next(_callers(state, name), None) is not None:
            message = f'what CASCADE takes along with function "{name}" is not known: there are others of its name'
            statement.gap(node, "catalog-overloads", message)


def calls(definition: str, name: str) -> bool:
    """Whether a definition calls a function of that name."""
    if name not in definition.lower():
        return False
    data = definition.encode()
    found = words(data)
    before = b""
    for token, after in pairwise(found):
        raw = data[token.start : token.end]
        same = token.kind in (Kind.WORD, Kind.QUOTED) and name_of(raw) == name
        if same and data[after.start : after.end] == b"(" and before not in _NO_CALL:
            return True
        before = raw.lower()
    return False


# After these a name before a parenthesis is that of a table or of the object itself.
_NO_CALL = frozenset({b"on", b"table", b"into", b"references", b"statistics", b"constraint", b"index", b"trigger"})


def _of_type(state: State, name: str) -> Iterator[Dependent]:
    """Columns, functions and domains of a type (or its array) need it."""
    wanted = (name, name + "[]")
    for relation in state.relations.values():
        for column in relation.columns:
            if column.type in wanted or _with_modifier(column, name):
                if relation.kind in ("view", "matview"):
                    yield relation_item(relation.oid), False
                else:
                    yield column_item(relation.oid, column.attnum), False
    for function in state.functions.values():
        if _signature_types(function) & set(wanted):
            yield Item("function", function.signature), False
    for key, kind in state.types.items():
        if kind.kind == "domain" and kind.base in wanted:
            yield Item("type", key), False


def _with_modifier(column: Column, name: str) -> bool:
    return column.type.startswith(f"{name}(")


def _signature_types(function: Function) -> set[str]:
    return {function.returns, *(argument.type for argument in function.arguments)}
