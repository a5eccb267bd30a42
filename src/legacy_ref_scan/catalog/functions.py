"""Functions and procedures: signatures, and bodies that map back into the migration."""

from __future__ import annotations

from dataclasses import replace

from legacy_ref_scan.catalog.names import Name
from legacy_ref_scan.catalog.statement import Needs, Part, Statement, inside
from legacy_ref_scan.catalog.typenames import TypeName, type_name, without_modifiers
from legacy_ref_scan.model import Fragment
from legacy_ref_scan.schema import Argument, Function
from legacy_ref_scan.sql.tree import Node

# Languages whose bodies are SQL text.
_SQL_LANGUAGES = {"sql": "sql-function", "plpgsql": "plpgsql"}


def create_function(statement: Statement) -> None:
    """CREATE [OR REPLACE] FUNCTION or PROCEDURE."""
    node, state = statement.node, statement.state
    name = statement.qualified(node.child("func_name"))
    if name is None:
        statement.gap(node, "catalog-unparsed", "a function without a name")
        return
    schema = name.schema or state.creation_schema()
    state.schemas.add(schema)
    arguments = (*_arguments(statement, node), *_table_columns(statement, node))
    returns, returns_set = _returns(statement, node, arguments)
    body, atomic = node.child("opt_routine_body"), False
    needs = Needs()
    if body is not None:
        atomic = True
        needs = statement.needs_of_query(body)
        fragment: Fragment | None = Part(statement.text, body.start, body.end).fragment(name.name, "sql-function")
        language = "sql"
    else:
        language = _language(statement, node)
        fragment = _body(statement, node, name, language)
    function = Function(
        schema=schema,
        name=name.name,
        arguments=arguments,
        returns=returns,
        returns_set=returns_set,
        language=language,
        body=fragment,
        atomic=atomic,
        procedure=node.has("kw_procedure"),
        span=statement.text.span(name.start, name.end),
        definition=statement.written,
        uses=needs.uses,
        depends=needs.depends,
    )
    _check_replaced(statement, function)
    state.put_function(function)


def alter_function(statement: Statement) -> None:
    """ALTER FUNCTION … SET search_path; its other options change no name."""
    named = statement.node.first("function_with_argtypes")
    variable = statement.node.first("var_name")
    if named is None or variable is None or statement.name(variable) != "search_path":
        return
    for function in signed(statement, named):
        statement.state.put_function(replace(function, altered=statement.written))


def _check_replaced(statement: Statement, function: Function) -> None:
    old = statement.state.functions.get(function.signature)
    if old is not None and statement.maybe and old.definition != function.definition:
        message = f'function "{function.name}" is replaced under a condition that is not known'
        statement.gap(statement.node, "catalog-conditional", message)


def _arguments(statement: Statement, node: Node) -> tuple[Argument, ...]:
    group = node.child("func_args_with_defaults", "func_args", "aggr_args")
    return tuple(_argument(statement, argument) for argument in (group.find("func_arg") if group else ()))


def _argument(statement: Statement, node: Node) -> Argument:
    name, kind = node.child("param_name"), node.child("arg_class")
    words = {child.type for child in kind.children} if kind else set()
    mode = "in"
    if "kw_variadic" in words:
        mode = "variadic"
    elif "kw_inout" in words or {"kw_in", "kw_out"} <= words:
        mode = "inout"
    elif "kw_out" in words:
        mode = "out"
    return Argument(statement.name(name) if name else "", mode, _type(statement, node.child("func_type")).name)


def _table_columns(statement: Statement, node: Node) -> tuple[Argument, ...]:
    """The columns of RETURNS TABLE are arguments of mode "table"."""
    found = []
    for column in node.find("table_func_column"):
        name = column.child("param_name")
        kind = _type(statement, column.child("func_type")).name
        found.append(Argument(statement.name(name) if name else "", "table", kind))
    return tuple(found)


def _type(statement: Statement, node: Node | None) -> TypeName:
    if node is None:
        return TypeName("")
    found = type_name(statement.state, statement.tree.text, node.start, node.end)
    return found._replace(name=without_modifiers(found.name))


def _returns(statement: Statement, node: Node, arguments: tuple[Argument, ...]) -> tuple[str, bool]:
    """The result type, and whether it is a set; OUT arguments and table columns make a record of several."""
    declared = node.child("func_return")
    table = [argument for argument in arguments if argument.mode == "table"]
    out = table or [argument for argument in arguments if argument.mode in ("out", "inout")]
    if declared is not None:
        kind = _type(statement, declared)
        return kind.name, kind.setof
    if not out:
        return "", False
    return (out[0].type if len(out) == 1 and not node.has("kw_procedure") else "record"), bool(table)


def _language(statement: Statement, node: Node) -> str:
    for option in node.find("createfunc_opt_item"):
        named = option.child("NonReservedWord_or_Sconst")
        if option.has("kw_language") and named is not None:
            text = named.first("Sconst")
            return statement.string(text).lower() if text else statement.name(named)
    return "sql"


def _body(statement: Statement, node: Node, name: Name, language: str) -> Fragment | None:
    source = next(node.find("func_as"), None)
    strings = source.all("Sconst") if source else []
    kind = _SQL_LANGUAGES.get(language)
    if not strings or kind is None:
        return None
    return inside(statement.text, strings[0].start, strings[0].end).fragment(name.name, kind)


def signed(statement: Statement, node: Node) -> list[Function]:
    """The functions that a `function_with_argtypes` means: by its input types, or all of that name."""
    named = node.child("func_name") or node
    arguments = node.child("func_args")
    first = node.children[0]
    end = arguments.start if arguments else node.end
    name = statement.qualified(Node("func_name", first.start, end if named is node else named.end))
    if name is None:
        return []
    known = statement.state.named_functions(name)
    if arguments is None:
        return known
    listed = _arguments(statement, node)
    types = tuple(argument.type for argument in listed if argument.mode in ("in", "inout", "variadic"))
    exact = [f for f in statement.state.all_functions(name) if f.signature[2] == types][:1]
    # a procedure's OUT arguments may be listed as if they were input
    return exact or [f for f in known if tuple(a.type for a in f.arguments) == tuple(a.type for a in listed)]
