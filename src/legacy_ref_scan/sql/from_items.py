"""FROM and USING: tables, subqueries, functions, joins; each makes range variables."""

from __future__ import annotations

from dataclasses import replace

from legacy_ref_scan.model import Access, Explanation
from legacy_ref_scan.schema import Relation
from legacy_ref_scan.sql.names import Part, part, parts
from legacy_ref_scan.sql.scope import Columns, RangeVariable, Scope, Visible, range_variable, relation_of_type
from legacy_ref_scan.sql.tree import Node
from legacy_ref_scan.sql.with_queries import WithQueries


class FromItems(WithQueries):
    """Resolves the items of FROM."""

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
        if self.is_hole(last) or last.start == last.end:  # the table of a part of a statement stands nowhere
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
