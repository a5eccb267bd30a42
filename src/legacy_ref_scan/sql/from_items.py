"""FROM and USING: tables, subqueries, functions, joins; each makes range variables."""

from __future__ import annotations

from dataclasses import replace

from legacy_ref_scan.model import HOLE, Access, Explanation
from legacy_ref_scan.schema import Relation
from legacy_ref_scan.sql.names import Part, part, parts
from legacy_ref_scan.sql.scope import (
    Columns,
    RangeVariable,
    Scope,
    Visible,
    range_variable,
    relation_of_type,
    without_setof,
)
from legacy_ref_scan.sql.tree import Node
from legacy_ref_scan.sql.with_queries import WithQueries


class FromItems(WithQueries):
    """Resolves the items of FROM."""

    def from_clause(self, node: Node, scope: Scope) -> None:
        """Adds the range variables of FROM or USING; later items see earlier ones where LATERAL lets them."""
        for child in node.children:
            for item in child.children if child.type == "from_list" else [child]:
                self.add_item(item, scope)

    def add_item(self, node: Node, scope: Scope) -> None:
        """Adds the range variables of one item to a scope."""
        made = self.from_item(node, scope)
        scope.variables.extend(made.variables)
        scope.merged.update({name: group for name, group in made.merged.items() if name not in scope.merged})

    def from_item(self, node: Node, around: Scope) -> Scope:
        """What one item makes visible. `around`: the items before it, which LATERAL and functions see."""
        if node.type == "joined_table":
            return self.joined(node, around)
        if node.type == "relation_expr":
            return Scope(around.parent, [self.relation_item(node, None)])
        if node.type != "table_ref":
            self.expressions(node, around)
            return Scope(around.parent)
        alias = node.child("opt_alias_clause", "alias_clause", "func_alias_clause")
        joined = node.child("joined_table")
        if joined is not None:
            made = self.joined(joined, around)
            return self.alias_join(made, alias) if alias else made
        return Scope(around.parent, [self.primary(node, alias, around)])

    def primary(self, node: Node, alias: Node | None, around: Scope) -> RangeVariable:
        """A table, a subquery or a function."""
        relation = node.child("relation_expr")
        if relation is not None:
            for clause in node.all("tablesample_clause"):
                self.expressions(clause, around)
            return self.relation_item(relation, alias)
        query = node.child("select_with_parens")
        if query is not None:
            columns = self.query(query, around if node.has("kw_lateral") else around.parent)
            return self.aliased(columns, alias, "a subquery")
        return self.function_item(node, alias, around)

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
        known = known and not _has_hole(columns)
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
        """An alias list over a table renames by position: the column behind a new name is still the column.

        Without one of the columns, those behind it move up, and a list for all of them is too long.
        """
        for name in names:
            self.label(name, Explanation.OUTPUT_NAME, "a column alias")
        place = names[0].start, names[-1].end
        if len(names) >= len(columns):
            for column in columns:
                self.result.use(column, Access.STAR, place)
        own = [column.own for column in columns[: len(names)] if column.own]
        renamed = [
            replace(c, name=n.name, shifted=tuple(own[:index]), shift=place)
            for index, (n, c) in enumerate(zip(names, columns, strict=False))
        ]
        rest = [replace(c, shifted=tuple(own), shift=place) for c in columns[len(names) :][:1]]
        return (*renamed, *rest, *columns[len(names) + 1 :])

    def named_relation(self, names: list[Part], alias: str) -> RangeVariable:
        """What a (qualified) name in FROM means: a WITH query first, then the catalog, along the search path."""
        last = names[-1]
        if len(names) == 1:
            entry = self.tables.find(last.name) if self.tables else None
            if entry is not None:
                self.label(last, Explanation.VARIABLE, "a WITH query")
                columns = self.common_columns(entry)
                known = not _has_hole(columns)
                return RangeVariable(alias or last.name, columns, known=known, label=f"WITH query {last.name}")
            extra = self.transition_table(last.name)
            if extra is not None:
                self.label(last, Explanation.VARIABLE, "a transition table")
                return replace(extra, name=alias or last.name)
        if self.is_hole(last) or last.start == last.end:  # the table of a part of a statement stands nowhere
            return RangeVariable(alias, known=False, dynamic=True, label="a table that is not known")
        relation = self.find_relation(names)
        if relation is None and self.may_be_known(last):
            return RangeVariable(alias or last.name, known=False, dynamic=True, label="a table whose name is not known")
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
        row = self.unnested(call, scope) if call is not None and function == "unnest" else None
        result = self.function_columns(function, name.name if name else "")
        columns_of, relation, known = result if row is None else (range_variable(row).columns, row, True)
        label = f"the result of {function}()" if function else "a function's result"
        variable = RangeVariable(name.name if name else function, columns_of, relation, known, label=label)
        if listed:
            rename = self.rename_relation if relation else self.rename
            variable = replace(variable, columns=rename(columns_of, listed), known=known or bool(listed))
        return variable

    def unnested(self, call: Node, scope: Scope) -> Relation | None:
        """The relation or composite type whose rows `unnest` gives, where its one argument is an array of them."""
        arguments = list(call.find_own("func_arg_expr"))
        expression = arguments[0].child("a_expr") if len(arguments) == 1 else None
        if expression is None:
            return None
        kind = self.type_of(expression)
        reference = self.lone_reference(expression)
        names = parts(self.tree, reference)[0] if reference is not None else []
        if len(names) == 1 and not self.visible(names[0].name, scope):
            variable = self.environment.variables.get(names[0].name)
            return variable.relation if variable is not None else None
        return relation_of_type(self.catalog, kind) if kind else None

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
            result = without_setof(function.returns)
            relation = relation_of_type(self.catalog, result)
            if relation is not None:
                return range_variable(relation).columns, relation, True
            if result != "record":
                return (Visible(alias or name),), None, True
        return (Visible(alias or name),), None, False

    # Joins

    def joined(self, node: Node, around: Scope) -> Scope:
        """A JOIN: its sides, then its merged columns or its condition, which sees the two sides alone."""
        operands = node.all("table_ref", "joined_table")
        left = self.from_item(operands[0], around) if operands else Scope(around.parent)
        before = Scope(around.parent, around.variables + left.variables, around.merged | left.merged)
        right = self.from_item(operands[1], before) if len(operands) > 1 else Scope(around.parent)
        made = Scope(around.parent, left.variables + right.variables, left.merged | right.merged)
        if node.has("kw_natural"):
            self.natural(node, left, right, made)
        qual = node.child("join_qual")
        listed = qual.child("name_list") if qual else None
        if listed is not None and qual is not None:
            self.using(qual, [part(self.tree, n) for n in listed.find("name")], left, right, made)
        elif qual is not None:
            self.expressions(qual, made)
        return made

    def using(self, qual: Node, names: list[Part], left: Scope, right: Scope, made: Scope) -> None:
        """USING (names), maybe with an alias for the merged columns."""
        for name in names:
            self.merge(name, left, right, made)
        alias = qual.child("opt_alias_clause_for_join_using")
        name_part = self.alias_names(alias)[0]
        if name_part is not None:
            groups = [made.merged[name.name] for name in names]
            columns = tuple(replace(group[0], own=None, sources=group[0].origins) for group in groups if group)
            made.variables.append(RangeVariable(name_part.name, columns, label="an alias of USING", starred=False))

    def merge(self, name: Part, left: Scope, right: Scope, made: Scope) -> None:
        """A common column of both sides: a read on each."""
        group: list[Visible] = []
        for side in (left, right):
            group.extend(side.merged.get(name.name) or [c for v in side.variables if (c := v.column(name.name))])
        for column in group:
            self.result.use(column, Access.READ, name.place)
        self.label(name, Explanation.OTHER_TABLE, "USING")
        made.merged[name.name] = tuple(dict.fromkeys(group))

    def natural(self, node: Node, left: Scope, right: Scope, made: Scope) -> None:
        """NATURAL JOIN: every common name is a read; dropping one changes the join without an error."""
        keyword = next(c for c in node.children if c.type == "kw_natural")
        common = set(_column_names(right))
        for name in (name for name in _column_names(left) if name in common):
            self.merge(Part(name, keyword.start, keyword.end), left, right, made)

    def alias_join(self, made: Scope, alias: Node) -> Scope:
        """`(a JOIN b …) AS j`: j hides a and b; the merged columns come first."""
        name, listed = self.alias_names(alias)
        columns = [
            replace(group[0], name=merged, own=None, sources=frozenset().union(*(c.origins for c in group)))
            for merged, group in made.merged.items()
            if group
        ]
        for variable in made.variables:
            if variable.starred:
                columns.extend(c for c in variable.columns if c not in made.merged.get(c.name, ()))
        renamed = self.rename_relation(tuple(columns), listed) if listed else tuple(columns)
        known = all(variable.known for variable in made.variables)
        return Scope(made.parent, [RangeVariable(name.name if name else "", renamed, known=known, label="a join")])


def _has_hole(columns: Columns) -> bool:
    """Whether some of the columns are not known."""
    return any(column.name == HOLE.decode() for column in columns)


def _column_names(scope: Scope) -> list[str]:
    """Each name once, the merged ones first, as `*` has them."""
    own = (column.name for variable in scope.variables for column in variable.columns)
    return list(dict.fromkeys((*scope.merged, *own)))
