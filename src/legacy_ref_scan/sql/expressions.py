"""Expressions: column references, whole rows, attribute notation, subqueries in every place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from legacy_ref_scan.model import HOLE, Access, Explanation
from legacy_ref_scan.schema import Catalog, Relation
from legacy_ref_scan.sql.lexer import string_value
from legacy_ref_scan.sql.names import NAME_NODES, Part, part, parts
from legacy_ref_scan.sql.repair import HOLE_NAME
from legacy_ref_scan.sql.results import Label, Problem, Resolved
from legacy_ref_scan.sql.scope import Environment, RangeVariable, Scope, Visible, relation_of_type
from legacy_ref_scan.sql.tree import Node, Tree

if TYPE_CHECKING:
    from legacy_ref_scan.sql.queries import Columns, CommonTable, WithTables

HOLE_TEXT = HOLE_NAME.decode()
_COMPARISONS = frozenset(
    {"=", "<", ">", "<=", ">=", "<>", "!=", "MathOp", "kw_like", "kw_ilike", "kw_between", "kw_interval", "subquery_Op"}
)
_JSON_ACCESS = frozenset({b"->", b"->>", b"?", b"-"})


class Expressions:
    """Resolves expressions in a scope; the base of the resolver."""

    CHANGES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})

    def __init__(self, tree: Tree, catalog: Catalog, environment: Environment) -> None:
        self.tree, self.catalog, self.environment = tree, catalog, environment
        self.result = Resolved()
        self.tables: WithTables | None = None
        self.current: CommonTable | None = None

    # What the mix-ins above provide

    def query(self, node: Node, scope: Scope | None) -> Columns:
        raise NotImplementedError

    def change(self, node: Node, scope: Scope) -> Columns:
        raise NotImplementedError

    def in_relation(self, node: Node, scope: Scope) -> None:
        raise NotImplementedError

    def statement(self, node: Node, scope: Scope) -> Iterator[Columns]:
        raise NotImplementedError

    # Labels

    def label(self, name: Part, why: Explanation, detail: str) -> None:
        """Say what an identifier is; a second word on the same token does not count."""
        self.result.labels.setdefault(name.start, Label(why, detail, name.end))

    def label_all(self, node: Node, why: Explanation, detail: str) -> None:
        """Say so of every identifier under a node."""
        for child in node.walk():
            if not child.children and child.type in NAME_NODES:
                self.label(part(self.tree, child), why, detail)

    def problem(self, start: int, end: int, reason: str, message: str) -> None:
        self.result.problems.append(Problem(start, end, reason, message))

    def is_hole(self, name: Part) -> bool:
        """Whether a name stands for a hole of the fragment."""
        return self.tree.text[name.start : name.start + 1] == b"\x1a"

    # Relations

    def find_relation(self, names: list[Part]) -> Relation | None:
        """The relation of a qualified name in the catalog; its mention is recorded."""
        schema = names[-2].name if len(names) > 1 else None
        relation = self.catalog.relation(names[-1].name, schema)
        if relation is not None:
            last = names[-1]
            self.result.relations.append((relation.oid, last.place))
            self.label(last, Explanation.TABLE, f"{relation.schema}.{relation.name}")
        return relation

    def transition_table(self, name: str) -> RangeVariable | None:
        """A trigger's transition table, known to the environment as a table."""
        return self.environment.variables.get("\0table " + name)

    def star_over_unknown(self, variable: RangeVariable, place: tuple[int, int]) -> None:
        if variable.dynamic:
            self.problem(*place, "dynamic-table", f"`*` over {variable.label}")

    # Walking

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

    def select_in_expression(self, node: Node, scope: Scope) -> None:
        self.result.consume(self.query(node, scope))

    # Column references

    def lone_reference(self, expression: Node | None) -> Node | None:
        """The column reference that an expression consists of, casts and COLLATE aside."""
        if expression is None or not expression.children or expression.children[0].type != "columnref":
            return None
        plain = {"::", "Typename", "kw_collate", "any_name"}
        if any(child.type not in plain for child in expression.children[1:]):
            return None
        return expression.children[0] if len(expression.children) == 1 else None

    def lone_name(self, expression: Node) -> Part | None:
        """The unqualified name that an expression consists of."""
        reference = self.lone_reference(expression)
        if reference is None:
            return None
        names, rest = parts(self.tree, reference)
        return names[0] if len(names) == 1 and not rest else None

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

    def column_reference(self, node: Node, scope: Scope) -> Visible | None:
        """Resolve a columnref and record what it is; the column where it is one."""
        names, rest = parts(self.tree, node)
        for element in rest:
            self.expressions(element, scope)
        if not names:
            return None
        if self.is_hole(names[-1]):
            self.hole(names, scope)
            return None
        if len(names) == 1:
            return self.unqualified(names[0], scope)
        return self.qualified(names, scope)

    def hole(self, names: list[Part], scope: Scope) -> None:
        """An unknown name or expression: which relations it could reach."""
        reach: set[int] = set()
        if len(names) > 1:
            variable = scope.variable(names[-2].name)
            reach.update([variable.relation.oid] if variable and variable.relation else [])
        else:
            for level in scope.levels():
                reach.update(v.relation.oid for v in level.variables if v.relation is not None)
        self.result.holes[names[-1].start] = frozenset(reach)

    def unqualified(self, name: Part, scope: Scope) -> Visible | None:
        """A bare name: a column of the innermost level that has it, a variable, a whole row."""
        variable = self.environment.variables.get(name.name)
        is_variable = name.name in self.environment.variables
        if is_variable and self.environment.conflict == "use_variable":
            return self.take_variable(name, variable)
        unknown: RangeVariable | None = None
        for level in scope.levels():
            matches = self.matches(name.name, level)
            if matches:
                return self.take(name, matches, unknown, is_variable)
            unknown = unknown or next((v for v in level.variables if not v.known), None)
        row = scope.variable(name.name)
        if row is not None:
            self.whole_row(row, name)
            return Visible(name.name, type=row.label if row.relation else "")
        if is_variable:
            return self.take_variable(name, variable)
        if unknown is not None:
            self.of_unknown(name, unknown)
        return None

    def matches(self, name: str, level: Scope) -> tuple[Visible, ...]:
        """The columns of that name at one level; merged ones count as one."""
        if name in level.merged:
            return level.merged[name][:1] or ()
        return tuple(c for v in level.variables if (c := v.column(name)) is not None)

    def visible(self, name: str, scope: Scope) -> bool:
        """Whether the innermost level has an input column of that name."""
        return bool(self.matches(name, scope))

    def take(
        self, name: Part, matches: tuple[Visible, ...], unknown: RangeVariable | None, is_variable: bool
    ) -> Visible:
        if len(matches) > 1:
            self.problem(name.start, name.end, "ambiguous-column", f"column reference {name.name} is ambiguous (42702)")
            self.label(name, Explanation.OTHER_TABLE, "ambiguous")
            return Visible(name.name)
        if is_variable and self.environment.conflict == "error":
            self.problem(name.start, name.end, "ambiguous-variable", f"{name.name} is a variable and a column (42702)")
        elif unknown is not None and any(match.own or match.star for match in matches):
            self.problem(
                name.start,
                name.end,
                "unknown-relation",
                f"{name.name} may belong to {unknown.label} or to an outer query",
            )
        self.use_all(name, matches)
        return matches[0]

    def use_all(self, name: Part, matches: tuple[Visible, ...]) -> None:
        for match in matches:
            self.result.use(match, Access.READ, name.place)
            if match.own is None:
                self.label(name, Explanation.OUTPUT_NAME, "a column of a subquery or WITH query")
            else:
                relation = self.catalog.relations.get(match.own[0])
                self.label(name, Explanation.OTHER_TABLE, f"{relation.schema}.{relation.name}" if relation else "")

    def take_variable(self, name: Part, variable: RangeVariable | None) -> Visible | None:
        self.label(name, Explanation.VARIABLE, "a variable or parameter")
        if variable is None:
            return None
        self.whole_row(variable, name)
        return Visible(name.name, type=variable.label if variable.relation else "")

    def of_unknown(self, name: Part, unknown: RangeVariable) -> None:
        if unknown.dynamic:
            self.problem(name.start, name.end, "dynamic-table", f"{name.name} of {unknown.label}")
        else:
            self.label(name, Explanation.OTHER_TABLE, unknown.label)

    def qualified(self, names: list[Part], scope: Scope) -> Visible | None:
        """`x.c`: a range variable's column, a record's field, `schema.table.column`."""
        last = names[-1]
        variable = self.find_variable(names[:-1], scope)
        if variable is None:
            return self.field_of_column(names, scope)
        column = variable.column(last.name)
        if column is not None:
            self.use_all(last, (column,))
            return column
        if not variable.known:
            self.of_unknown(last, variable)
        elif variable.relation is not None or variable.columns:
            self.label(last, Explanation.OTHER_TABLE, f"no column of {variable.label} (42703)")
        return None

    def field_of_column(self, names: list[Part], scope: Scope) -> Visible | None:
        """`column.field` and `variable.field` without parentheses; else the qualifier is unknown here (42P01)."""
        first = names[0]
        if first.name in self.environment.labels and len(names) > 1:
            if names[1].name in self.environment.variables:
                for name in names[1:]:
                    self.label(name, Explanation.VARIABLE, f"a variable of {first.name}")
            return None
        if first.name in self.environment.variables:
            self.label_parts(names[1:], Explanation.VARIABLE, f"a field of the variable {first.name}")
            return None
        if self.is_hole(first):
            self.hole([first], scope)
            self.problem(names[-1].start, names[-1].end, "dynamic-table", "a column of a table that is not known")
        return None

    def label_parts(self, names: list[Part], why: Explanation, detail: str) -> None:
        for name in names:
            self.label(name, why, detail)

    def find_variable(self, names: list[Part], scope: Scope) -> RangeVariable | None:
        """The range variable or record that a qualifier means."""
        if not names:
            return None
        name = names[-1]
        qualifier = names[-2].name if len(names) > 1 else ""
        found = scope.variable(name.name, qualifier)
        if found is None and not qualifier:
            found = self.environment.variables.get(name.name)
        if found is None and qualifier in self.environment.labels:
            found = self.environment.variables.get(name.name)
        if found is not None:
            self.label(
                name,
                Explanation.VARIABLE if found.name != self._relation_name(found) else Explanation.TABLE,
                found.label,
            )
        return found

    def _relation_name(self, variable: RangeVariable) -> str:
        return variable.relation.name if variable.relation is not None else ""

    def whole_row(self, variable: RangeVariable, name: Part) -> None:
        """The whole row is used: every column comes along."""
        self.label(name, Explanation.TABLE if variable.relation else Explanation.VARIABLE, variable.label)
        for column in variable.columns:
            if column.own is not None:
                self.result.use(column, Access.STAR, name.place)
        self.result.consume(tuple(c for c in variable.columns if c.star is not None))

    # Functions and composites

    def call(self, node: Node, scope: Scope) -> None:
        """func_application: attribute notation `c(p)` reads a column; `sqlc.embed(t)` is a whole row."""
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
                return relation_of_type(self.catalog, function.returns.lower().removeprefix("setof "))
        # a polymorphic built-in returns the row type of its argument: jsonb_populate_record(null::t, …)
        cast = node.first("Typename")
        return relation_of_type(self.catalog, self.tree.raw(cast).decode("utf-8", "replace")) if cast else None

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
        last = expression.children[-1] if expression.children else None
        return self.tree.raw(last).decode("utf-8", "replace") if last is not None and last.type == "Typename" else ""

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

    HANDLERS = {  # noqa: RUF012
        "columnref": reference,
        "func_application": call,
        "func_arg_expr": argument,
        "c_expr": composite,
        "Typename": type_name,
        "select_with_parens": select_in_expression,
        "SelectStmt": select_in_expression,
        "window_specification": window_name,
        "over_clause": window_name,
        "window_definition": window_name,
        "opt_collate_clause": plain_names,
        "any_name": plain_names,
        "func_expr_common_subexpr": labelled,
        "xml_attribute_el": labelled,
        "extract_arg": plain_names,
        "opt_qualified_name": plain_names,
    }


def _place(node: Node) -> tuple[int, int]:
    return (node.start, node.end)


def _row(relation: Relation) -> RangeVariable:
    columns = tuple(Visible(c.name, own=(relation.oid, c.attnum), type=c.type) for c in relation.columns)
    return RangeVariable("", columns, relation, label=f"{relation.schema}.{relation.name}")
