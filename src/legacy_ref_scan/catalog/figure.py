"""The names that PostgreSQL gives to the columns of an index over expressions."""

from __future__ import annotations

from legacy_ref_scan.catalog.statement import Statement
from legacy_ref_scan.sql.tree import Node

# FigureIndexColname (src/backend/parser/parse_target.c): what names a column of an index over an expression.
_NAMED_BY_KEYWORD = {
    "kw_coalesce": "coalesce", "kw_greatest": "greatest", "kw_least": "least", "kw_nullif": "nullif",
    "kw_extract": "extract", "kw_substring": "substring", "kw_position": "position", "kw_overlay": "overlay",
    "kw_normalize": "normalize", "kw_trim": "btrim", "kw_array": "array", "kw_exists": "exists", "kw_row": "row",
}  # fmt: skip


def expression_name(statement: Statement, element: Node) -> str:
    """The name that PostgreSQL gives to a column of an index."""
    plain = element.child("ColId")
    if plain is not None:
        return statement.name(plain)
    return _figure(statement, _operand(element)) or "expr"


def _operand(element: Node) -> Node | None:
    return element.child("a_expr", "func_expr_windowless")


def _figure(statement: Statement, node: Node | None) -> str:
    if node is None:
        return ""
    parts = node.children
    if node.type == "a_expr":
        return _figure_expression(statement, node)
    if node.type in ("func_expr", "func_expr_windowless", "func_application", "func_expr_common_subexpr"):
        called = node.first("func_name")
        if node.type == "func_expr_common_subexpr" or called is None:
            common = node.first("func_expr_common_subexpr") or node
            return next((_NAMED_BY_KEYWORD[c.type] for c in common.children if c.type in _NAMED_BY_KEYWORD), "")
        name = statement.qualified(called)
        return name.name if name else ""
    if node.type == "columnref":
        name = statement.qualified(node)
        return name.name if name else ""
    if node.type == "case_expr":
        default = node.child("case_default")
        inner = _figure(statement, default.child("a_expr")) if default else ""
        return inner or "case"
    return _figure(statement, parts[0]) if len(parts) == 1 else ""


def _figure_expression(statement: Statement, node: Node) -> str:
    parts = [part for part in node.children if part.type not in ("(", ")")]
    if len(parts) == 1:
        return _figure(statement, parts[0])
    if any(part.type == "::" for part in parts):
        cast = max(i for i, part in enumerate(parts) if part.type == "::")
        if cast == len(parts) - 2:
            return _figure_cast(statement, parts[:cast], parts[-1])
    if len(parts) > 2 and parts[-2].type == "kw_collate":
        return _figure(statement, Node(node.type, node.start, node.end, parts[:-2]))
    return ""


def _figure_cast(statement: Statement, operand: list[Node], target: Node) -> str:
    """A cast keeps the name of a column or function, and names anything else by its type."""
    if len(operand) == 1 or not any(part.type in ("qual_Op", "MathOp", "+", "-", "||") for part in operand):
        inner = _figure(statement, operand[0]) if len(operand) == 1 else ""
        if inner:
            return inner
        words = statement.dotted(target)
        return words[-1].name if words else ""
    return ""
