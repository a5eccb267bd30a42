"""SELECT in all its forms: targets, set operations, ORDER BY and GROUP BY. The scopes are made here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from legacy_ref_scan.model import Access, Explanation
from legacy_ref_scan.sql.from_items import FromItems
from legacy_ref_scan.sql.names import Part, part, parts
from legacy_ref_scan.sql.results import TokenUse
from legacy_ref_scan.sql.scope import Columns, RangeVariable, Scope, Visible
from legacy_ref_scan.sql.tree import Node, TooComplexError

MAX_COLUMNS = 1664  # MaxTupleAttributeNumber, src/include/access/htup_details.h
Merged = Mapping[str, Columns]
NOTHING_MERGED: Merged = {}
_SET_OPERATIONS = ("kw_union", "kw_intersect", "kw_except")


class Queries(FromItems):
    """Resolves queries; the base of `Changes` and `Definitions`."""

    def query(self, node: Node, scope: Scope | None) -> Columns:
        """The result columns of a SELECT, VALUES or TABLE in any wrapping; stars are left unconsumed."""
        while node.type in ("SelectStmt", "select_with_parens", "select_clause", "PreparableStmt"):
            inner = node.child("select_no_parens", "select_with_parens", "simple_select", "SelectStmt", "select_clause")
            if inner is None:
                return self.data_modifying(node, scope)
            node = inner
        if node.type == "simple_select":
            return self.simple(node, scope)[0]
        return self.whole(node, scope)

    def data_modifying(self, node: Node, scope: Scope | None) -> Columns:
        """A change of data where a query may stand (WITH x AS (UPDATE …))."""
        columns: Columns = ()
        for child in node.children:
            if child.type in self.CHANGES:
                columns = self.change(child, scope or Scope())
        return columns

    def whole(self, node: Node, scope: Scope | None) -> Columns:
        """A select_no_parens: WITH, the body, ORDER BY, LIMIT."""
        before = self.tables
        with_clause = node.child("with_clause")
        if with_clause is not None:
            self.with_clause(with_clause, scope)
        body = node.child("select_clause", "simple_select")
        columns: Columns = ()
        inner = Scope(scope)
        if body is not None:
            columns, inner = self.body(body, scope)
        for child in node.children:
            if child.type in ("sort_clause", "opt_sort_clause"):
                self.order_by(child, inner, columns)
            elif child.type not in ("with_clause", "select_clause", "simple_select"):
                self.tail(child, inner)
        self.finish_with(with_clause)
        self.tables = before
        return columns

    def tail(self, node: Node, scope: Scope) -> None:
        """LIMIT, OFFSET, FOR UPDATE OF."""
        if node.type in ("for_locking_clause", "opt_for_locking_clause"):
            self.label_all(node, Explanation.VARIABLE, "FOR UPDATE OF")
        else:
            self.expressions(node, Scope())  # LIMIT and OFFSET see no column

    def body(self, node: Node, scope: Scope | None) -> tuple[Columns, Scope]:
        """The columns, and the scope that ORDER BY may look into."""
        while node.type == "select_clause":
            inner = node.child("simple_select", "select_with_parens")
            if inner is None:
                return (), Scope(scope)
            node = inner
        if node.type == "select_with_parens":
            return self.query(node, scope), Scope(scope)
        return self.simple(node, scope)

    def simple(self, node: Node, scope: Scope | None) -> tuple[Columns, Scope]:
        """A simple_select."""
        if node.has(*_SET_OPERATIONS):
            return self.set_operation(node, scope), Scope(scope)
        values = node.child("values_clause")
        inner = Scope(scope)
        if values is not None:
            for row in values.all("expr_list"):
                self.values(row, inner)
            width = self.width(values)
            return tuple(Visible(f"column{i + 1}") for i in range(width)), inner
        if node.has("kw_table"):
            self.add_item(node.children[-1], inner)
            return self.star(inner, (node.start, node.end)), inner
        return self.select(node, inner)

    def width(self, values: Node) -> int:
        """How many columns the first row of VALUES has."""
        row = values.child("expr_list")
        return len(row.all("a_expr")) if row else 1

    def set_operation(self, node: Node, scope: Scope | None) -> Columns:
        """UNION and its kin match columns by position: a star on either side is consumed."""
        merged: list[Visible] | None = None
        for side in self.sides(node):
            columns = self.body(side, scope)[0]
            if merged is None and self.current is not None and not self.current.provisional:
                self.current.provisional = columns
            self.result.consume(columns)
            plain = [replace(column, star=None, own=None, sources=column.origins) for column in columns]
            if merged is None:
                merged = plain
                continue
            for index, column in enumerate(plain[: len(merged)]):
                first = merged[index]
                kind = self.united_type(first.type, column.type)
                merged[index] = replace(first, sources=first.sources | column.sources, type=kind)
        return tuple(merged or ())

    def united_type(self, first: str, second: str) -> str:
        """The type of a column of two united queries; what names fields of it is the first one's."""
        return first

    def sides(self, node: Node) -> list[Node]:
        """The queries that are united, in order; a chain of hundreds nests to the left and is walked flat."""
        found: list[Node] = []
        stack = [node]
        while stack:
            current = stack.pop()
            inner = current
            while inner.type == "select_clause" and inner.child("simple_select") is not None:
                inner = inner.child("simple_select") or inner
            if inner.type == "simple_select" and inner.has(*_SET_OPERATIONS):
                stack.extend(reversed(inner.all("select_clause", "simple_select", "select_with_parens")))
            else:
                found.append(current)
        return found

    def select(self, node: Node, scope: Scope) -> tuple[Columns, Scope]:
        """SELECT … FROM … WHERE …, in the order in which names become visible."""
        from_clause = node.child("from_clause")
        if from_clause is not None:
            self.from_clause(from_clause, scope)
        columns: Columns = ()
        for child in node.children:
            if child.type in ("opt_target_list", "target_list"):
                columns = self.targets(child, scope)
        for child in node.children:
            kind = child.type
            if kind == "group_clause":
                self.group_by(child, scope, columns)
            elif kind == "distinct_clause":
                self.order_by(child, scope, columns)
                if not child.has("kw_on"):  # rows that differ in one column alone count
                    self.result.consume(columns)
            elif kind == "into_clause":
                self.label_all(child, Explanation.VARIABLE, "the new table of SELECT INTO")
                self.result.consume(columns)
            elif kind not in ("from_clause", "opt_target_list", "target_list"):
                self.expressions(child, scope)
        return columns, scope

    # Targets

    def targets(self, node: Node, scope: Scope) -> Columns:
        """The result columns of a target list."""
        columns: list[Visible] = []
        for element in node.find_own("target_el"):
            if element.children and element.children[0].type == "*":
                columns.extend(self.star(scope, (element.start, element.end)))
            else:
                columns.extend(self.target(element, scope))
            if len(columns) > MAX_COLUMNS:
                raise TooComplexError("more result columns than PostgreSQL lets a query have")
        return tuple(columns)

    def target(self, element: Node, scope: Scope) -> Columns:
        expression = element.child("a_expr")
        label = element.child("ColLabel", "BareColLabel")
        if label is not None:
            self.label(part(self.tree, label), Explanation.OUTPUT_NAME, "the name of a result column")
        if expression is None:
            self.expressions(element, scope)
            return ()
        reference = self.lone_reference(expression)
        if reference is not None:
            names, rest = parts(self.tree, reference)
            if names and names[-1].name == "*":
                return self.qualified_star(names, scope)
            column = self.column_reference(reference, scope)
            name = part(self.tree, label).name if label else names[-1].name if names else ""
            if column is not None and not rest:
                plain = label is None and column.own is not None
                return (Visible(name, sources=column.origins, type=column.type, plain=plain),)
            return (Visible(name),)
        seen = len(self.result.uses)
        self.expressions(expression, scope)
        name = part(self.tree, label).name if label else self.figure_name(expression)
        sources = frozenset(use.column for use in self.result.uses[seen:] if use.access is Access.READ)
        return (Visible(name, sources=sources, type=self.type_of(expression) or self.row_type(expression)),)

    def star(self, scope: Scope, place: tuple[int, int]) -> Columns:
        """The columns of `*` over this scope level; merged ones once, in front."""
        columns: list[Visible] = []
        for name, merged in scope.merged.items():
            sources = frozenset().union(*(c.origins for c in merged)) if merged else frozenset()
            star = place if any(c.own or c.star for c in merged) else None
            columns.append(Visible(name, sources=sources, star=star))
        for variable in (v for v in scope.variables if v.starred):
            columns.extend(self.star_of(variable, place, scope.merged))
        return tuple(columns)

    def star_of(
        self, variable: RangeVariable, place: tuple[int, int], merged: Merged = NOTHING_MERGED
    ) -> list[Visible]:
        """The columns of one range variable, without those that are merged; another's of that name stay."""
        if variable.relation is None and not variable.known:
            self.star_over_unknown(variable, place)
        return [
            Visible(c.name, sources=c.origins, star=place if c.own else c.star, type=c.type)
            for c in variable.columns
            if c not in merged.get(c.name, ())
        ]

    def qualified_star(self, names: list[Part], scope: Scope) -> Columns:
        """`t.*` in a target list."""
        variable = self.find_variable(names[:-1], scope)
        if variable is None:
            return ()
        return tuple(self.star_of(variable, names[-1].place))

    # ORDER BY, GROUP BY: output names

    def order_by(self, node: Node, scope: Scope, columns: Columns) -> None:
        """A bare name is an output name first (SQL92), an input column else; expressions see input columns only."""
        for expression in self.list_items(node):
            name = self.lone_name(expression)
            if name is not None and any(column.name == name.name for column in columns):
                self.take_output(name, columns)
            else:
                self.expression_node(expression, scope)

    def group_by(self, node: Node, scope: Scope, columns: Columns) -> None:
        """A bare name is an input column first, an output name else."""
        for expression in self.list_items(node):
            name = self.lone_name(expression)
            if (
                name is not None
                and any(column.name == name.name for column in columns)
                and not self.visible(name.name, scope)
            ):
                self.take_output(name, columns)
            else:
                self.expression_node(expression, scope)

    def take_output(self, name: Part, columns: Columns) -> None:
        """An output name is used; where it came along in a star, the column is used here."""
        for column in columns:
            if column.name == name.name and (column.star is not None or column.plain):
                self.result.uses.extend(TokenUse(source, Access.READ, *name.place) for source in column.sources)
        self.label(name, Explanation.OUTPUT_NAME, "a result column of this query")

    def list_items(self, node: Node) -> list[Node]:
        """The topmost expressions under a clause."""
        found: list[Node] = []
        stack = [node]
        while stack:
            current = stack.pop()
            if current.type == "a_expr":
                found.append(current)
            else:
                stack.extend(reversed(current.children))
        return found
