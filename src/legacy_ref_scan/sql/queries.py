"""SELECT in all its forms: FROM, targets, set operations, WITH. The scopes are made here."""

from __future__ import annotations

from dataclasses import replace

from legacy_ref_scan.model import Access, Explanation
from legacy_ref_scan.schema import Relation
from legacy_ref_scan.sql.expressions import Expressions
from legacy_ref_scan.sql.names import Part, part, parts
from legacy_ref_scan.sql.scope import RangeVariable, Scope, Visible, range_variable, relation_of_type
from legacy_ref_scan.sql.tree import Node

Columns = tuple[Visible, ...]
_SET_OPERATIONS = ("kw_union", "kw_intersect", "kw_except")


class CommonTable:
    """A WITH query: resolved when it is first named, or at the end."""

    def __init__(self, name: Part, node: Node, scope: Scope, tables: WithTables) -> None:
        self.name, self.node, self.scope, self.tables = name, node, scope, tables
        self.columns: Columns | None = None
        self.provisional: Columns = ()
        self.busy = False


class WithTables:
    """The WITH queries that are visible, innermost first."""

    def __init__(self, outer: WithTables | None = None) -> None:
        self.outer = outer
        self.tables: dict[str, CommonTable] = {}

    def find(self, name: str) -> CommonTable | None:
        """The WITH query of that name."""
        tables: WithTables | None = self
        while tables is not None:
            if name in tables.tables:
                return tables.tables[name]
            tables = tables.outer
        return None


class Queries(Expressions):
    """Resolves queries; the mix-in below `Changes` and `Definitions`."""

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
            self.from_item(node.children[-1], inner)
            return self.star(inner, (node.start, node.end)), inner
        return self.select(node, inner)

    def width(self, values: Node) -> int:
        """How many columns the first row of VALUES has."""
        row = values.child("expr_list")
        return len(row.all("a_expr")) if row else 1

    def set_operation(self, node: Node, scope: Scope | None) -> Columns:
        """UNION and its kin match columns by position: a star on either side is consumed."""
        sides: list[Columns] = []
        for child in node.children:
            if child.type in ("select_clause", "simple_select", "select_with_parens"):
                columns = self.body(child, scope)[0]
                if not sides and self.current is not None and not self.current.provisional:
                    self.current.provisional = columns
                self.result.consume(columns)
                sides.append(tuple(replace(column, star=None, own=None, sources=column.origins) for column in columns))
        if not sides:
            return ()
        merged = list(sides[0])
        for side in sides[1:]:
            for index, column in enumerate(side[: len(merged)]):
                merged[index] = replace(merged[index], sources=merged[index].sources | column.sources)
        return tuple(merged)

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
                return (Visible(name, sources=column.origins, type=column.type),)
            return (Visible(name),)
        seen = len(self.result.uses)
        self.expressions(expression, scope)
        name = part(self.tree, label).name if label else self.figure_name(expression)
        sources = frozenset(use.column for use in self.result.uses[seen:] if use.access is Access.READ)
        return (Visible(name, sources=sources, type=self.type_of(expression)),)

    def star(self, scope: Scope, place: tuple[int, int]) -> Columns:
        """The columns of `*` over this scope level; merged ones once."""
        columns: list[Visible] = []
        for variable in scope.variables:
            columns.extend(self.star_of(variable, place, scope.merged))
        for name, merged in scope.merged.items():
            sources = frozenset().union(*(c.origins for c in merged)) if merged else frozenset()
            star = place if any(c.own or c.star for c in merged) else None
            columns.append(Visible(name, sources=sources, star=star))
        return tuple(columns)

    def star_of(self, variable: RangeVariable, place: tuple[int, int], hidden: object = ()) -> list[Visible]:
        if variable.relation is None and not variable.known:
            self.star_over_unknown(variable, place)
        return [
            Visible(c.name, sources=c.origins, star=place if c.own else c.star, type=c.type)
            for c in variable.columns
            if c.name not in hidden  # type: ignore[operator]
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
            if column.name == name.name and column.star is not None:
                self.result.use(column, Access.READ, name.place)
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

    # WITH

    def with_clause(self, node: Node, scope: Scope | None) -> None:
        """Makes the WITH queries visible; RECURSIVE lets each see itself and all its siblings."""
        recursive = node.has("kw_recursive")
        tables = WithTables(self.tables)
        entries: list[CommonTable] = []
        for cte in node.find_own("common_table_expr"):
            name_node = cte.child("name")
            if name_node is None:
                continue
            name = part(self.tree, name_node)
            self.label(name, Explanation.VARIABLE, "the name of a WITH query")
            visible = tables if recursive else self._before(tables)
            entry = CommonTable(name, cte, scope or Scope(), visible)
            entries.append(entry)
            tables.tables[name.name] = entry
        self.tables = tables

    def _before(self, tables: WithTables) -> WithTables:
        copy = WithTables(tables.outer)
        copy.tables = dict(tables.tables)
        return copy

    def finish_with(self, with_clause: Node | None) -> None:
        """Queries of WITH that nothing named are resolved all the same."""
        if with_clause is not None and self.tables is not None:
            for entry in self.tables.tables.values():
                self.common_columns(entry)

    def common_columns(self, entry: CommonTable) -> Columns:
        """The columns of a WITH query; of one that is being resolved, those of its first branch."""
        if entry.columns is not None:
            return entry.columns
        if entry.busy:
            return self.renamed(entry, entry.provisional)
        entry.busy = True
        before, self.tables = self.tables, entry.tables
        current, self.current = self.current, entry
        inner = next((c for c in entry.node.children if c.type in ("PreparableStmt", "SelectStmt")), None)
        columns = self.query(inner, entry.scope) if inner is not None else ()
        self.tables, self.current = before, current
        entry.columns = self.renamed(entry, columns)
        entry.busy = False
        for clause in entry.node.all("opt_search_clause", "opt_cycle_clause"):
            self.label_all(clause, Explanation.OUTPUT_NAME, "a column of a WITH query")
        return entry.columns

    def renamed(self, entry: CommonTable, columns: Columns) -> Columns:
        names = entry.node.child("opt_name_list", "name_list")
        return self.rename(columns, [part(self.tree, n) for n in names.find("name")]) if names else columns

    def rename(self, columns: Columns, names: list[Part]) -> Columns:
        """Columns renamed by position; whatever a star brought along is consumed by that."""
        for name in names:
            self.label(name, Explanation.OUTPUT_NAME, "a column alias")
        if not names:
            return columns
        self.result.consume(tuple(c for c in columns if c.star))
        renamed = [
            Visible(name.name, sources=column.origins, type=column.type)
            for name, column in zip(names, columns, strict=False)
        ]
        renamed.extend(Visible(name.name) for name in names[len(columns) :])
        return tuple(renamed) + columns[len(names) :]

    # FROM

    def from_clause(self, node: Node, scope: Scope) -> None:
        """Adds the range variables of FROM or USING; later items see earlier ones where LATERAL lets them."""
        for child in node.children:
            if child.type == "from_list":
                for item in child.children:
                    self.from_item(item, scope)
            elif child.type in ("table_ref", "joined_table", "relation_expr"):
                self.from_item(child, scope)

    def from_item(self, node: Node, scope: Scope) -> list[RangeVariable]:
        """Adds the range variables of one item to the scope and returns them."""
        if node.type == "joined_table":
            return self.joined(node, scope)
        if node.type == "relation_expr":
            return self._add(self.relation_item(node, None), scope)
        if node.type != "table_ref":
            self.expressions(node, scope)
            return []
        alias = node.child("opt_alias_clause", "alias_clause", "func_alias_clause")
        joined = node.child("joined_table")
        if joined is not None:
            variables = self.joined(joined, scope)
            return self.alias_join(variables, alias, scope) if alias else variables
        relation = node.child("relation_expr")
        if relation is not None:
            for clause in node.all("tablesample_clause"):
                self.expressions(clause, scope)
            return self._add(self.relation_item(relation, alias), scope)
        query = node.child("select_with_parens")
        if query is not None:
            outer = scope if node.has("kw_lateral") else scope.parent
            columns = self.query(query, outer)
            return self._add(self.aliased(columns, alias, "a subquery"), scope)
        return self._add(self.function_item(node, alias, scope), scope)

    def _add(self, variable: RangeVariable, scope: Scope) -> list[RangeVariable]:
        scope.variables.append(variable)
        return [variable]

    def alias_names(self, alias: Node | None) -> tuple[Part | None, list[Part]]:
        """The alias itself and the names of its column list."""
        if alias is None:
            return None, []
        clause = alias.first("alias_clause") or alias
        name_node = clause.child("ColId") or alias.first("ColId")
        name = part(self.tree, name_node) if name_node is not None else None
        if name is not None:
            self.label(name, Explanation.VARIABLE, "an alias")
        listed = clause.child("name_list")
        return name, [part(self.tree, n) for n in listed.find("name")] if listed else []

    def aliased(self, columns: Columns, alias: Node | None, label: str, known: bool = True) -> RangeVariable:
        name, listed = self.alias_names(alias)
        return RangeVariable(name.name if name else "", self.rename(columns, listed), known=known, label=label)

    def relation_item(self, node: Node, alias: Node | None) -> RangeVariable:
        """A table, view or WITH query in FROM."""
        qualified = node.first("qualified_name")
        if qualified is None:
            return RangeVariable("", known=False, label="an unreadable table")
        names, _ = parts(self.tree, qualified)
        alias_part, listed = self.alias_names(alias)
        alias_name = alias_part.name if alias_part else ""
        variable = self.named_relation(names, alias_name)
        if listed:
            variable = replace(variable, columns=self.rename_relation(variable.columns, listed))
        return variable

    def rename_relation(self, columns: Columns, names: list[Part]) -> Columns:
        """An alias list over a table renames by position: the column behind a new name is still the column."""
        for name in names:
            self.label(name, Explanation.OUTPUT_NAME, "a column alias")
        place = names[0].start, names[-1].end
        for column in columns[: len(names)]:  # those behind the list keep their names and may go
            self.result.use(column, Access.STAR, place)
        renamed = [replace(c, name=n.name) for n, c in zip(names, columns, strict=False)]
        return tuple(renamed) + columns[len(names) :]

    def named_relation(self, names: list[Part], alias: str) -> RangeVariable:
        """What a (qualified) name in FROM means: a WITH query first, then the catalog, along the search path."""
        last = names[-1]
        if len(names) == 1:
            entry = self.tables.find(last.name) if self.tables else None
            if entry is not None:
                self.label(last, Explanation.VARIABLE, "a WITH query")
                return RangeVariable(alias or last.name, self.common_columns(entry), label=f"WITH query {last.name}")
            extra = self.transition_table(last.name)
            if extra is not None:
                self.label(last, Explanation.VARIABLE, "a transition table")
                return replace(extra, name=alias or last.name)
        if self.is_hole(last):
            return RangeVariable(alias, known=False, dynamic=True, label="a table that is not known")
        relation = self.find_relation(names)
        if relation is None:
            schema = names[-2].name if len(names) > 1 else ""
            label = f"{schema}.{last.name}" if schema else last.name
            self.label(last, Explanation.OTHER_TABLE, f"{label}, which no migration creates")
            return RangeVariable(alias or last.name, known=False, qualifier="" if alias else schema, label=label)
        return range_variable(relation, alias)

    def function_item(self, node: Node, alias: Node | None, scope: Scope) -> RangeVariable:
        """A function (or several, ROWS FROM) in FROM; functions see the items before them."""
        functions = [c for c in node.children if c is not alias]
        for child in functions:
            self.expressions(child, scope)
        name, listed = self.alias_names(alias)
        elements = alias.first("TableFuncElementList") if alias else None
        if elements is None:
            elements = node.first("json_table_column_definition_list", "xmltable_column_list")
        if elements is not None:
            columns = []
            for column in elements.find("TableFuncElement", "json_table_column_definition", "xmltable_column_el"):
                column_name = column.child("ColId")
                if column_name is not None:
                    found = part(self.tree, column_name)
                    self.label(found, Explanation.OUTPUT_NAME, "a column of a function's result")
                    columns.append(Visible(found.name))
            return RangeVariable(name.name if name else "", tuple(columns), label="a function's result")
        call = node.first("func_application")
        function = self.function_name(call)
        columns_of, relation, known = self.function_columns(function, name.name if name else "")
        label = f"the result of {function}()" if function else "a function's result"
        variable = RangeVariable(name.name if name else function, columns_of, relation, known, label=label)
        if listed:
            rename = self.rename_relation if relation else self.rename
            variable = replace(variable, columns=rename(columns_of, listed), known=known or bool(listed))
        return variable

    def function_name(self, call: Node | None) -> str:
        name = call.child("func_name") if call else None
        if name is None:
            return ""
        names, _ = parts(self.tree, name)
        return names[-1].name if names else ""

    def function_columns(self, name: str, alias: str) -> tuple[Columns, Relation | None, bool]:
        """The columns of a function's result; of one that the catalog lacks (built in), only the scalar's name."""
        for function in self.catalog.functions.values():
            if function.name != name:
                continue
            outs = [a for a in function.arguments if a.mode in ("out", "inout", "table")]
            if len(outs) > 1 or any(a.mode == "table" for a in outs):
                return tuple(Visible(a.name, type=a.type) for a in outs), None, True
            relation = relation_of_type(self.catalog, function.returns.lower().removeprefix("setof "))
            if relation is not None:
                return range_variable(relation).columns, relation, True
            if function.returns.lower().removeprefix("setof ").strip() != "record":
                return (Visible(alias or name),), None, True
        return (Visible(alias or name),), None, False

    # Joins

    def joined(self, node: Node, scope: Scope) -> list[RangeVariable]:
        """A JOIN: its sides, then its condition or its merged columns."""
        sides: list[list[RangeVariable]] = []
        qual = node.child("join_qual")
        for child in node.children:
            if child.type in ("table_ref", "joined_table"):
                sides.append(self.from_item(child, scope))
        left, right = ([*sides, [], []])[:2]
        if node.has("kw_natural"):
            self.natural(node, left, right, scope)
        if qual is not None:
            names = qual.child("name_list")
            if names is not None:
                for name in names.find("name"):
                    self.merge(part(self.tree, name), left, right, scope)
                alias = qual.child("opt_alias_clause_for_join_using")
                if alias is not None:
                    name_part, _ = self.alias_names(alias)
                    merged = [scope.merged[part(self.tree, n).name] for n in names.find("name")]
                    if name_part is not None:
                        columns = tuple(
                            replace(group[0], own=None, sources=group[0].origins) for group in merged if group
                        )
                        scope.variables.append(RangeVariable(name_part.name, columns, label="an alias of USING"))
            else:
                self.expressions(qual, scope)
        return left + right

    def merge(self, name: Part, left: list[RangeVariable], right: list[RangeVariable], scope: Scope) -> None:
        """USING (name): a read on both sides."""
        group: list[Visible] = []
        for variables in (left, right):
            found = [c for v in variables if (c := v.column(name.name))]
            group.extend(found)
            for column in found:
                self.result.use(column, Access.READ, name.place)
        group.extend(scope.merged.get(name.name, ()))
        self.label(name, Explanation.OTHER_TABLE, "USING")
        scope.merged[name.name] = tuple(dict.fromkeys(group))

    def natural(self, node: Node, left: list[RangeVariable], right: list[RangeVariable], scope: Scope) -> None:
        """NATURAL JOIN: every common name is a read; dropping one changes the join without an error."""
        keyword = next(c for c in node.children if c.type == "kw_natural")
        names = {c.name for v in left for c in v.columns} & {c.name for v in right for c in v.columns}
        for name in sorted(names):
            self.merge(Part(name, keyword.start, keyword.end), left, right, scope)

    def alias_join(self, variables: list[RangeVariable], alias: Node, scope: Scope) -> list[RangeVariable]:
        """`(a JOIN b …) AS j`: j hides a and b."""
        name, listed = self.alias_names(alias)
        columns: list[Visible] = []
        for variable in variables:
            columns.extend(variable.columns)
            scope.variables.remove(variable)
        merged = tuple(columns)
        renamed = self.rename_relation(merged, listed) if listed else merged
        known = all(variable.known for variable in variables)
        return self._add(RangeVariable(name.name if name else "", renamed, known=known, label="a join"), scope)
