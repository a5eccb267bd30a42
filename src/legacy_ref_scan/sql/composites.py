"""Composite values: calls, attribute notation, fields of rows, types, and the names of result columns."""

from __future__ import annotations

from legacy_ref_scan.model import Access, Explanation
from legacy_ref_scan.schema import Relation
from legacy_ref_scan.sql.names import NAME_NODES, Part, part, parts
from legacy_ref_scan.sql.references import References
from legacy_ref_scan.sql.scope import RangeVariable, Scope, Visible, relation_of_type, without_setof
from legacy_ref_scan.sql.tree import Node

# sqlc, "Naming parameters": what stands in the parentheses names the parameter.
_PARAMETERS = frozenset({("sqlc", "arg"), ("sqlc", "narg"), ("sqlc", "slice")})


class Composites(References):
    """Resolves what is made of rows."""

    def call(self, node: Node, scope: Scope) -> None:
        """func_application: attribute notation `c(p)` reads a column; `sqlc.arg(c)` is a parameter."""
        name_node = node.child("func_name")
        names = parts(self.tree, name_node)[0] if name_node else []
        arguments = list(node.find_own("func_arg_expr"))
        if len(names) == 1 and len(arguments) == 1:
            reference = self.lone_reference(arguments[0].child("a_expr"))
            row = None
            if reference is not None:
                qualifier, rest = parts(self.tree, reference)
                if len(qualifier) == 1 and not rest and not self.visible(qualifier[0].name, scope):
                    row = self.find_variable(qualifier, scope)
            column = row.column(names[0].name) if row else None
            if column is not None:
                self.use_all(names[0], (column,))
                return
        for name in names:
            self.label(name, Explanation.VARIABLE, "a function's name")
        if tuple(name.name for name in names) in _PARAMETERS:
            self.label_all(node, Explanation.VARIABLE, "a parameter of sqlc")
            return
        for child in node.children:
            if child is not name_node:
                self.expressions(child, scope)

    def argument(self, node: Node, scope: Scope) -> None:
        """func_arg_expr: `name => value`."""
        for child in node.children:
            if child.type == "param_name":
                self.label_all(child, Explanation.VARIABLE, "the name of an argument")
            else:
                self.expressions(child, scope)

    def composite(self, node: Node, scope: Scope) -> None:
        """c_expr with a selection: `(p).c`, `(f(x)).c`, `(t.col).field`, `(…)[1]`."""
        subscripts = [child for child in node.children if child.type in ("indirection", "opt_indirection")]
        operand = [child for child in node.children if child not in subscripts and child.type not in ("(", ")")]
        fields: list[Part] = []
        rest: list[Node] = []
        for subscript in subscripts:
            found, more = parts(self.tree, subscript)
            if not found and subscript.children:
                found, more = parts(self.tree, Node("x", subscript.start, subscript.end, [subscript]))
            fields.extend(found)
            rest.extend(more)
        for element in rest:
            self.expressions(element, scope)
        row = self.row_of(operand, scope)
        if row is None:
            self.expression_node(Node("a_expr", node.start, node.end, operand), scope)
        for field in fields[:1]:
            self.take_field(row, field, operand)
        for field in fields[1:]:
            self.label(field, Explanation.VALUE, "a field of a composite value")

    def take_field(self, row: RangeVariable | None, field: Part, operand: list[Node]) -> None:
        if row is None:
            if field.name != "*":
                message = f"field {field.name} of an expression whose row type is not known"
                self.problem(field.start, field.end, "composite-field", message)
        elif field.name == "*":
            self.whole_row(row, field)
        else:
            column = row.column(field.name)
            if column is not None:
                self.use_all(field, (column,))
            else:
                self.label(field, Explanation.OTHER_TABLE, f"no column of {row.label}")

    def row_of(self, operand: list[Node], scope: Scope) -> RangeVariable | None:
        """The row that a composite operand yields, where its type is known; its own names are resolved then."""
        if len(operand) != 1:
            cast = [child for child in operand if child.type == "Typename"]
            relation = (
                relation_of_type(self.catalog, self.tree.raw(cast[-1]).decode("utf-8", "replace")) if cast else None
            )
            if relation is None:
                return None
            self.expression_node(Node("a_expr", operand[0].start, operand[-1].end, operand), scope)
            return _row(relation)
        node = operand[0]
        if node.type == "columnref":
            names, rest = parts(self.tree, node)
            if len(names) == 1 and not rest and not self.visible(names[0].name, scope):
                variable = self.find_variable(names, scope)
                if variable is not None:
                    return variable
            column = self.column_reference(node, scope)
            relation = relation_of_type(self.catalog, column.type) if column else None
            if relation is not None:
                return _row(relation)
            label = "a composite value" if column and (column.type or column.own) else ""
            return RangeVariable("", known=True, label=label, columns=(Visible(""),)) if label else None
        if node.type == "func_expr":
            self.expressions(node, scope)
            relation = self.returned_relation(node)
            return _row(relation) if relation else None
        return None

    def returned_relation(self, node: Node) -> Relation | None:
        call = node.first("func_application")
        name = call.child("func_name") if call else None
        if name is None:
            return None
        names, _ = parts(self.tree, name)
        for function in self.catalog.functions.values():
            if names and function.name == names[-1].name:
                return relation_of_type(self.catalog, without_setof(function.returns))
        # a polymorphic built-in returns the row type of its argument: jsonb_populate_record(null::t, …)
        cast = node.first("Typename")
        return relation_of_type(self.catalog, self.tree.raw(cast).decode("utf-8", "replace")) if cast else None

    def json_of_row(self, node: Node, scope: Scope) -> RangeVariable | None:
        """The range variable whose whole row a call like `to_jsonb(t)` or `row_to_json(t)` turns into JSON."""
        if node.type != "func_expr":
            return None
        arguments = list(node.find_own("func_arg_expr"))
        if len(arguments) != 1:
            return None
        reference = self.lone_reference(arguments[0].child("a_expr"))
        if reference is None:
            return None
        names, _ = parts(self.tree, reference)
        names = [n for n in names if n.name != "*"]
        return self.find_variable(names, scope) if names else None

    def type_name(self, node: Node, scope: Scope) -> None:
        """A type: the row type of a relation brings all its columns (`null::t`)."""
        generic = node.first("GenericType")
        if generic is not None:
            raw = self.tree.raw(generic).decode("utf-8", "replace")
            relation = relation_of_type(self.catalog, raw)
            names = [part(self.tree, n) for n in generic.walk() if not n.children and n.type in NAME_NODES]
            if relation is not None and names:
                self.result.relations.append((relation.oid, names[-1].place))
                self.label(names[-1], Explanation.TABLE, f"the row type of {relation.name}")
                for column in relation.columns:
                    self.result.use(
                        Visible(column.name, own=(relation.oid, column.attnum)), Access.STAR, names[-1].place
                    )
            for name in names:
                self.label(name, Explanation.VARIABLE, "a type")
        for child in node.children:
            self.expressions(child, scope)

    def type_of(self, expression: Node) -> str:
        """The type of an expression as far as a cast tells."""
        *operand, sign, last = expression.children if len(expression.children) > 2 else [expression] * 3
        while len(operand) > 2 and operand[-2].type == "::":
            operand = operand[:-2]
        whole = len(operand) == 1 or (operand[0].type == "(" and operand[-1].type == ")")
        if not whole or sign.type != "::" or last.type != "Typename":
            return ""
        return self.cast_type(last)

    def row_type(self, expression: Node) -> str:
        """The relation whose row a call yields; "" for anything else."""
        call = expression.children[0] if len(expression.children) == 1 else expression
        relation = self.returned_relation(call) if call.type == "func_expr" else None
        return f"{relation.schema}.{relation.name}" if relation is not None else ""

    def cast_type(self, node: Node) -> str:
        """The type that a Typename names, as written."""
        return self.tree.raw(node).decode("utf-8", "replace")

    # Names of result columns

    def figure_name(self, expression: Node) -> str:
        """The name PostgreSQL gives a result column without an alias (FigureColname in parse_target.c)."""
        first = next((c for c in expression.children if c.type != "("), None)
        if first is None:
            return "?column?"
        if first.type == "columnref":
            plain = {"::", "Typename", "kw_collate", "any_name", ")", "columnref"}
            if all(child.type in plain for child in expression.children):
                names, _ = parts(self.tree, first)
                return names[-1].name if names else "?column?"
            return "?column?"
        if first.type == "func_expr" and len(expression.children) == 1:
            return self.call_name(first)
        if first.type == "case_expr" and len(expression.children) == 1:
            default = first.child("case_default")
            inner = default.child("a_expr") if default else None
            name = self.figure_name(inner) if inner else "case"
            return name if name != "?column?" else "case"
        if first.type == "c_expr":
            names = [part(self.tree, n) for n in first.find("attr_name")]
            return names[-1].name if names else "?column?"
        keywords = {"kw_array": "array", "explicit_row": "row", "kw_exists": "exists"}
        if first.type in keywords and len(expression.children) <= 2:
            return keywords[first.type]
        if first.type == "select_with_parens":
            target = first.first("target_el")
            label = target.child("ColLabel", "BareColLabel") if target else None
            inner = target.child("a_expr") if target else None
            return part(self.tree, label).name if label else self.figure_name(inner) if inner else "?column?"
        return "?column?"

    def call_name(self, node: Node) -> str:
        name = node.first("func_name")
        if name is not None:
            names, _ = parts(self.tree, name)
            return names[-1].name if names else "?column?"
        common = node.first("func_expr_common_subexpr")
        keyword = common.children[0].type if common and common.children else ""
        return keyword.removeprefix("kw_") or "?column?"


def _row(relation: Relation) -> RangeVariable:
    columns = tuple(Visible(c.name, own=(relation.oid, c.attnum), type=c.type) for c in relation.columns)
    return RangeVariable("", columns, relation, label=f"{relation.schema}.{relation.name}")
