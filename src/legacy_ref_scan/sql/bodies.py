"""The string bodies of functions: where they stand in a statement, and what the function tells its body."""

from __future__ import annotations

from collections.abc import Iterator

from legacy_ref_scan.schema import Catalog, Function
from legacy_ref_scan.sql.dynamic import DynamicText
from legacy_ref_scan.sql.lexer import name_of, string_value
from legacy_ref_scan.sql.names import part, parts
from legacy_ref_scan.sql.plpgsql import Body, resolve_body
from legacy_ref_scan.sql.resolve import resolve
from legacy_ref_scan.sql.results import Resolved
from legacy_ref_scan.sql.scope import Environment, RangeVariable, range_variable, relation_of_type, without_setof
from legacy_ref_scan.sql.statements import cut
from legacy_ref_scan.sql.tree import Node, Tree, parse
from legacy_ref_scan.sql.variables import Routine
from legacy_ref_scan.sql.watch import Watch, transition_tables, trigger_relations

_LITERALS = ("string_literal", "escape_string_literal", "dollar_quoted_string")

__all__ = [
    "Body",
    "DynamicText",
    "Routine",
    "environment",
    "of_function",
    "of_statement",
    "resolve_body",
    "string_body",
]


def of_function(function: Function, catalog: Catalog, first: frozenset[int]) -> Routine:
    """What a function of the catalog tells its body; tables in `first` lead among those of its triggers."""
    arguments = tuple((a.name, a.type) for a in function.arguments)
    is_trigger = function.returns.lower() in ("trigger", "event_trigger")
    triggers = trigger_relations(catalog, function.schema, function.name, first) if is_trigger else ()
    transitions = transition_tables(catalog, function.schema, function.name) if is_trigger else ()
    dynamic = is_trigger and not triggers and any(gap.reason == "catalog-dynamic" for gap in catalog.gaps)
    returns = without_setof(function.returns)
    return Routine(function.name, arguments, triggers, is_trigger, dynamic, transitions, returns)


def of_statement(tree: Tree, node: Node, catalog: Catalog, first: frozenset[int]) -> Routine:
    """The same for a CREATE FUNCTION statement that no migration holds; DO has nothing to tell."""
    if node.type == "DoStmt":
        return Routine()
    name_node = node.child("func_name")
    names = parts(tree, name_node)[0] if name_node else []
    name = names[-1].name if names else ""
    schema = names[-2].name if len(names) > 1 else catalog.search_path[0]
    arguments: list[tuple[str, str]] = []
    for argument in node.find("func_arg", "table_func_column"):
        label = argument.child("param_name")
        kind = argument.child("func_type")
        arguments.append((part(tree, label).name if label else "", tree.raw(kind).decode() if kind else ""))
    result = node.child("func_return")
    returns = without_setof(tree.raw(result).decode("utf-8", "replace")) if result is not None else ""
    is_trigger = returns == "trigger"
    triggers = trigger_relations(catalog, schema, name, first) if is_trigger else ()
    transitions = transition_tables(catalog, schema, name) if is_trigger else ()
    return Routine(name, tuple(arguments), triggers, is_trigger, transitions=transitions, returns=returns)


def may_touch(routine: Routine, function: Function, watch: Watch, catalog: Catalog) -> bool:
    """Whether a body can use a watched column without naming it or its table.

    Through NEW and OLD, through an argument or a result of the table's row type, or in a text that EXECUTE puts
    together.
    """
    if any(relation.oid in watch.relations for relation in routine.triggers):
        return True
    types = (relation_of_type(catalog, kind) for kind in (routine.returns, *(kind for _, kind in routine.arguments)))
    if any(relation is not None and relation.oid in watch.relations for relation in types):
        return True
    return function.body is not None and b"execute" in function.body.text.lower()


def given_by_position(text: bytes, start: int, end: int, catalog: Catalog, routine: Routine) -> Resolved | None:
    """The uses of a SQL function's last statement, where it gives the columns of a row type one by one."""
    declared = relation_of_type(catalog, routine.returns)
    statements = cut(text, start, end).statements
    if declared is None or not statements:
        return None
    found = resolve(parse(text, *statements[-1]), catalog, environment=environment(routine, catalog), consume=False)
    given = Resolved()
    given.take_by_position(found.columns, declared, (statements[-1][0], statements[-1][0] + 1))
    return given


def environment(routine: Routine, catalog: Catalog) -> Environment:
    """The arguments of a SQL function: by name, by position, qualified by the function's name."""
    variables: dict[str, RangeVariable | None] = {}
    for position, (name, kind) in enumerate(routine.arguments, 1):
        relation = relation_of_type(catalog, kind)
        for known in filter(None, (name, f"${position}")):
            variables[known] = range_variable(relation, known) if relation else None
    return Environment(variables, frozenset({routine.name} if routine.name else ()))


def string_body(tree: Tree, node: Node) -> tuple[Node, str] | None:
    """The literal that holds the body of CREATE FUNCTION or DO, and its language; None for other bodies."""
    language = "plpgsql" if node.type == "DoStmt" else "sql"
    literal: Node | None = None
    for item in node.find("createfunc_opt_item", "dostmt_opt_item"):
        if item.has("kw_language"):
            value = item.children[-1]
            raw = tree.raw(value)
            language = string_value(raw).decode() if raw[:1] in (b"'", b"$") else name_of(raw)
        elif item.has("func_as", "Sconst"):
            literal = item.first(*_LITERALS)
    return (literal, language.lower()) if literal is not None else None


def literal_pieces(text: bytes, start: int, end: int) -> list[tuple[bytes, int, int]]:
    """The value of a literal as (bytes, start, end) runs: exact between escapes, one run an escape."""
    raw = text[start:end]
    if raw[:1] == b"$":
        tag = raw.index(b"$", 1) + 1
        value = string_value(raw)
        return [(value, start + tag, start + tag + len(value))]
    quote = raw.index(b"'")
    escape = b"\\" if quote == 1 and raw[:1] in b"eE" else b""
    return list(_runs(raw, start, quote + 1, len(raw) - raw.endswith(b"'"), escape))


def _runs(raw: bytes, start: int, at: int, stop: int, escape: bytes) -> Iterator[tuple[bytes, int, int]]:
    while at < stop:
        marks = [raw.find(mark, at, stop) for mark in (b"''", escape) if mark]
        mark = min((m for m in marks if m >= 0), default=stop)
        if mark > at:
            yield raw[at:mark], start + at, start + mark
        if mark < stop:
            value = string_value(b"E'" + raw[mark : mark + 2] + b"'") if escape else b"'"
            yield value, start + mark, start + mark + 2
        at = mark + 2


def tile(dynamic: DynamicText) -> Iterator[tuple[int, int, int, int]]:
    """The pieces of a dynamic text with its holes between them, so that they tile it."""
    at = 0
    for start, end, first, last in dynamic.pieces:
        if start > at:
            yield at, start, *dynamic.place
        yield start, end, first, last
        at = end
    if at < len(dynamic.text):
        yield at, len(dynamic.text), *dynamic.place


def places(dynamic: DynamicText) -> Iterator[tuple[int, int]]:
    """Where in the body the literals stand that a dynamic text is made of."""
    for _, _, first, last in dynamic.pieces:
        yield first, last
