"""What migrations set for the statements that follow: the search path, schemas, owned sequences."""

from __future__ import annotations

from legacy_ref_scan.catalog.columns import enter_sequence
from legacy_ref_scan.catalog.names import dotted
from legacy_ref_scan.catalog.options import with_options
from legacy_ref_scan.catalog.statement import Statement
from legacy_ref_scan.model import Access
from legacy_ref_scan.schema import Relation, Use
from legacy_ref_scan.sql.tree import Node


def set_variable(statement: Statement) -> None:
    """SET search_path, SET SCHEMA; other variables change no name."""
    node, state = statement.node, statement.state
    rest = node.first("set_rest_more")
    variable = node.first("var_name")
    if rest is not None and rest.has("kw_schema"):
        constant = rest.child("Sconst")
        state.search_path = (statement.string(constant),) if constant else state.search_path
    elif variable is not None and statement.name(variable) == "search_path":
        values = [_value(statement, value) for value in node.find("var_value")]
        state.search_path = tuple(values) if values else state.default_path


def _value(statement: Statement, node: Node) -> str:
    constant = node.first("Sconst")
    return statement.string(constant) if constant else statement.name(node)


def reset_variable(statement: Statement) -> None:
    """RESET search_path, RESET ALL."""
    variable = statement.node.first("var_name")
    if variable is None or statement.name(variable) == "search_path":
        statement.state.search_path = statement.state.default_path


def set_config(statement: Statement) -> None:
    """`SELECT set_config('search_path', …)`, as pg_dump writes it."""
    for call in statement.node.find("func_application"):
        name = statement.qualified(call.child("func_name"))
        constants = [statement.string(constant) for constant in call.find("Sconst")]
        if name is not None and name.name == "set_config" and len(constants) == 2 and constants[0] == "search_path":
            data = constants[1].encode()
            statement.state.search_path = tuple(part.name for part in dotted(data, 0, len(data)))


def create_schema(statement: Statement) -> str | None:
    """CREATE SCHEMA; the caller applies the statements inside it. Returns the schema's name."""
    named = statement.node.child("opt_single_name", "ColId", "RoleSpec")
    name = statement.name(named) if named else None
    if name is not None:
        statement.state.schemas.add(name)
    return name


def create_sequence(statement: Statement) -> None:
    """CREATE SEQUENCE."""
    node, state = statement.node, statement.state
    name = statement.qualified(node.child("qualified_name"))
    if name is None:
        return
    temporary = node.first("OptTemp") is not None
    schema = "pg_temp" if temporary else name.schema or state.creation_schema()
    if state.relation_name_taken(schema, name.name):
        if not (node.has("kw_if") or statement.guarded or statement.maybe):
            statement.gap(node, "catalog-duplicate", f'relation "{name}" exists already')
        return
    state.schemas.add(schema)
    span = statement.text.span(name.start, name.end)
    enter_sequence(statement, schema, name.name, span, statement.written, _owner(statement) or ())


def alter_sequence(statement: Statement) -> None:
    """ALTER SEQUENCE: its options, and OWNED BY."""
    relation = statement.relation(statement.node)
    change_options(statement, relation, statement.node)
    owner = _owner(statement)
    if relation is not None and owner is not None:
        statement.state.change_relation(relation.oid, uses=owner)


def change_options(statement: Statement, sequence: Relation | None, node: Node) -> None:
    """Write the options under a node into the definition of a sequence."""
    if sequence is not None and sequence.kind == "sequence":
        said = [statement.raw(option) for option in node.find("SeqOptElem")]
        definition = with_options(sequence.definition, said)
        statement.state.change_relation(sequence.oid, definition=definition)


def _owner(statement: Statement) -> tuple[Use, ...] | None:
    """The column of OWNED BY; none for NONE; None where it is not said."""
    option = next((e for e in statement.node.find("SeqOptElem") if e.has("kw_owned")), None)
    node = option.child("any_name") if option else None
    if node is None:
        return None
    parts = statement.dotted(node)
    if len(parts) < 2:
        return ()
    found = statement.column(parts, node)
    if found is None:
        return ()
    relation, column = found
    return (Use((relation.oid, column.attnum), Access.READ, statement.text.span(parts[-1].start, parts[-1].end)),)
