"""Expressions: one walk over operands and operators, subqueries in every place."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from legacy_ref_scan.model import HOLE, Access, Explanation
from legacy_ref_scan.sql.composites import Composites
from legacy_ref_scan.sql.lexer import string_value
from legacy_ref_scan.sql.names import parts
from legacy_ref_scan.sql.scope import Scope
from legacy_ref_scan.sql.tree import Node

_COMPARISONS = frozenset(
    {"=", "<", ">", "<=", ">=", "<>", "!=", "MathOp", "kw_like", "kw_ilike", "kw_between", "kw_interval", "subquery_Op"}
)
_JSON_ACCESS = frozenset({b"->", b"->>", b"?", b"-"})


class Expressions(Composites):
    """Resolves everything that stands where a value may stand."""

    def expressions(self, node: Node, scope: Scope) -> None:
        """Resolve everything under a node."""
        if node.type == "a_expr":
            self.expression_node(node, scope)
            return
        handler = self.HANDLERS.get(node.type)
        if handler is not None:
            handler(self, node, scope)
            return
        for child in node.children:
            self.expressions(child, scope)

    def expression_node(self, node: Node, scope: Scope) -> None:
        """An a_expr: a flat row of operands and operators."""
        children = node.children
        for index, child in enumerate(children):
            before = children[index - 1].type if index else ""
            if before in _COMPARISONS and self.is_lone_hole(child):
                continue  # a value that is compared with, not a column
            if child.type == "expr_list" and index > 1 and children[index - 2].type == "kw_in":
                self.values(child, scope)
            elif child.type == "select_with_parens":
                columns = self.query(child, scope)
                if before != "kw_exists":
                    self.result.consume(columns)
            elif child.type == "AexprConst":
                self.constant(child, children[:index], scope)
            else:
                self.expressions(child, scope)

    def values(self, node: Node, scope: Scope) -> None:
        """A list of values: a hole in it is a value, no column."""
        for item in node.children:
            lone = item.children[0] if item.type == "a_expr" and len(item.children) == 1 else item
            if not self.is_lone_hole(lone):
                self.expressions(item, scope)

    def is_lone_hole(self, node: Node) -> bool:
        """Whether a column reference is nothing but a hole."""
        return node.type == "columnref" and self.tree.text[node.start : node.end] == HOLE

    def constant(self, node: Node, before: list[Node], scope: Scope) -> None:
        """A literal; as a key of a whole row in JSON (`to_jsonb(t)->>'c'`) it reads the column."""
        if len(before) >= 2 and self.tree.raw(before[-1]) in _JSON_ACCESS:
            row = self.json_of_row(before[-2], scope)
            literal = node.first("string_literal", "escape_string_literal", "dollar_quoted_string")
            if row is not None and literal is not None:
                column = row.column(string_value(self.tree.raw(literal)).decode("utf-8", "replace"))
                if column is not None:
                    self.result.use(column, Access.READ, _place(literal))
        for child in node.children:
            self.expressions(child, scope)

    def select_in_expression(self, node: Node, scope: Scope) -> None:
        self.result.consume(self.query(node, scope))

    def reference(self, node: Node, scope: Scope) -> None:
        """A columnref in an expression; `t.*` and whole rows are consumed here."""
        names, _ = parts(self.tree, node)
        if names and names[-1].name == "*":
            variable = self.find_variable(names[:-1], scope)
            if variable is not None:
                self.whole_row(variable, names[-1])
            return
        column = self.column_reference(node, scope)
        if column is not None:
            self.result.consume((column,) if column.star and not column.own and not column.name else ())

    # Parts that only hold names

    def window_name(self, node: Node, scope: Scope) -> None:
        for child in node.children:
            if child.type == "ColId":
                self.label_all(child, Explanation.VARIABLE, "a window's name")
            else:
                self.expressions(child, scope)

    def plain_names(self, node: Node, scope: Scope) -> None:
        self.label_all(node, Explanation.VARIABLE, "a name of something else than a column")

    def labelled(self, node: Node, scope: Scope) -> None:
        """xmlelement(name x, …), `value AS x` in XML attributes: x is a label."""
        for child in node.children:
            if child.type in ("ColLabel", "BareColLabel"):
                self.label_all(child, Explanation.OUTPUT_NAME, "an XML name")
            else:
                self.expressions(child, scope)

    HANDLERS: ClassVar[dict[str, Callable[[Expressions, Node, Scope], None]]] = {
        "columnref": reference,
        "func_application": Composites.call,
        "func_arg_expr": Composites.argument,
        "c_expr": Composites.composite,
        "Typename": Composites.type_name,
        "select_with_parens": select_in_expression,
        "SelectStmt": select_in_expression,
        "window_specification": window_name,
        "over_clause": window_name,
        "window_definition": window_name,
        "opt_existing_window_name": plain_names,
        "cursor_name": plain_names,
        "opt_collate_clause": plain_names,
        "any_name": plain_names,
        "func_expr_common_subexpr": labelled,
        "xml_attribute_el": labelled,
        "extract_arg": plain_names,
        "opt_qualified_name": plain_names,
    }


def _place(node: Node) -> tuple[int, int]:
    return (node.start, node.end)
