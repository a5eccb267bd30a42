"""Table objects of SQLAlchemy's Core: the columns that `Table(…)` declares and that `t.c` names."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from legacy_ref_scan.languages.python.mapped import DYNAMIC, Field, Model
from legacy_ref_scan.languages.python.models import keyword, literal_text
from legacy_ref_scan.languages.python.module import Module, children, dotted, last_name
from legacy_ref_scan.model import Mapping

_TABLES = frozenset({"Table", "table", "TableClause"})
_COLUMNS = frozenset({"Column", "column", "literal_column"})
_SHORT = frozenset({"c", "columns"})
_SHORTLY = re.compile(rb"\b(?:c|columns)\b")
_REFLECTING = frozenset({"autoload", "autoload_with"})
_BUILDER = "pypika"


def table_of(module: Module, call: cst.Call, computed: str = "") -> Model | None:
    """The table that `Table("campaign_phases", metadata, Column("error_message", Text), schema="public")` is.

    `computed` is its name where that is no literal.
    """
    name = _first_literal(module, call) or computed
    if last_name(call.func) not in _TABLES or not name:
        return None
    fields: dict[str, Field] = {}
    for argument in call.args[1:]:
        column = argument.value
        if isinstance(column, cst.Call) and last_name(column.func) in _COLUMNS:
            literal = _literal_of(column)
            if literal is not None:
                text = literal_text(module, literal)
                key = keyword(module, column.args, "key") or text
                fields[key] = Field(key, text, module.span(literal), "sqlalchemy")
    schema = keyword(module, call.args, "schema")
    reflecting = is_reflecting(call)
    table = f"{schema}.{name}" if schema and "." not in name and name != DYNAMIC else name
    library = _BUILDER if _imported_from(module, call) == _BUILDER else "sqlalchemy"
    return Model(name, table, library, fields, open=reflecting or not fields, reflects=reflecting)


def is_reflecting(call: cst.Call) -> bool:
    """Whether a call of `Table` has the columns read from the database."""
    return any(a.keyword is not None and a.keyword.value in _REFLECTING for a in call.args)


def _imported_from(module: Module, call: cst.Call) -> str:
    """The package that what is called comes from."""
    what = module.imports.get(dotted(call.func).partition(".")[0])
    return what.module.partition(".")[0] if what is not None else ""


def mappings(module: Module) -> Iterator[Mapping]:
    """The columns that table objects declare, at any place."""
    if b"able" not in module.source.data or b"olumn" not in module.source.data:
        return
    stack: list[tuple[cst.CSTNode, str]] = [(module.tree, "")]
    while stack:
        node, table = stack.pop()
        if isinstance(node, cst.Call):
            made = table_of(module, node)
            table = made.table if made is not None else table
            literal = _literal_of(node) if last_name(node.func) in ("Column", "column") and table else None
            if literal is not None:
                span, test = module.span(literal), module.source.test
                yield Mapping(span, literal_text(module, literal), table, "sqlalchemy", table, test)
        stack += [(child, table) for child in reversed([*children(node)])]


def loose_columns(module: Module) -> Iterator[Mapping]:
    """The columns of `phases.c.error_message`, at any place; of which table is not known."""
    stack: list[cst.CSTNode] = [module.tree] if _SHORTLY.search(module.source.data) else []
    while stack:
        node = stack.pop()
        holder = node.value if isinstance(node, cst.Attribute) else None
        if isinstance(node, cst.Attribute) and isinstance(holder, cst.Attribute) and holder.attr.value in _SHORT:
            owner = dotted(holder.value)
            yield Mapping(module.span(node.attr), node.attr.value, owner, "sqlalchemy", "", module.source.test)
        stack += children(node)


def _first_literal(module: Module, call: cst.Call) -> str:
    literal = _literal_of(call)
    return literal_text(module, literal) if literal is not None else ""


def _literal_of(call: cst.Call) -> cst.SimpleString | None:
    first = call.args[0].value if call.args else None
    return first if isinstance(first, cst.SimpleString) else None
