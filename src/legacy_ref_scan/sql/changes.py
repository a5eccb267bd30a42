"""INSERT, UPDATE, DELETE and MERGE: which columns they write, read and return."""

from __future__ import annotations

from dataclasses import replace

from legacy_ref_scan.model import HOLE, Access, Explanation
from legacy_ref_scan.schema import Constraint
from legacy_ref_scan.sql.lexer import name_of, words
from legacy_ref_scan.sql.names import Part, part, parts
from legacy_ref_scan.sql.queries import Queries
from legacy_ref_scan.sql.results import TokenUse
from legacy_ref_scan.sql.scope import Columns, RangeVariable, Scope, range_variable, relation_of_type
from legacy_ref_scan.sql.tree import Node


class Changes(Queries):
    """Resolves the statements that change rows."""

    def change(self, node: Node, scope: Scope) -> Columns:
        """Resolve a change of data; the columns of RETURNING."""
        before = self.tables
        wrapper = node.child("opt_with_clause", "with_clause")
        with_clause = wrapper.first("with_clause") if wrapper else None
        if with_clause is not None:
            self.with_clause(with_clause, scope)
        inner = Scope(scope)
        handler = {
            "InsertStmt": self.insert,
            "UpdateStmt": self.update,
            "DeleteStmt": self.delete,
            "MergeStmt": self.merge_into,
        }[node.type]
        target = handler(node, inner)
        columns: Columns = ()
        returning = node.child("returning_clause")
        if returning is not None:
            columns = self.returning(returning, inner, target)
        self.finish_with(with_clause)
        self.tables = before
        return columns

    def target_relation(self, node: Node | None) -> RangeVariable:
        """The relation that is changed, under its alias."""
        qualified = node.first("qualified_name") if node else None
        if node is None or qualified is None:
            return RangeVariable("", known=False, label="an unreadable table")
        names, _ = parts(self.tree, qualified)
        alias = node.child("ColId")
        alias_part = part(self.tree, alias) if alias is not None else None
        if alias_part is not None:
            self.label(alias_part, Explanation.VARIABLE, "an alias")
        tables, self.tables = self.tables, None  # a WITH query is never the target of a change
        variable = self.named_relation(names, alias_part.name if alias_part else "")
        self.tables = tables
        return variable

    def returning(self, node: Node, scope: Scope, target: RangeVariable) -> Columns:
        """RETURNING sees the target, FROM, and OLD and NEW (PostgreSQL 18), which `WITH (OLD AS o)` renames."""
        images = [replace(target, name=name, qualifier="") for name in self.row_images(node)]
        inner = Scope(Scope(scope.parent, images), scope.variables, scope.merged)
        return self.targets(node, inner)

    def row_images(self, node: Node) -> list[str]:
        """The names of OLD and NEW. The grammar does not know `WITH (…)`: it was cut out before parsing."""
        targets = node.child("target_list")
        clause = words(self.tree.text, node.start, targets.start) if targets is not None else ()
        names = {"old": "old", "new": "new"}
        for first, second, third in zip(clause, clause[1:], clause[2:], strict=False):
            if self.tree.text[second.start : second.end].lower() == b"as":
                renamed = Part(name_of(self.tree.text[third.start : third.end]), third.start, third.end)
                names[name_of(self.tree.text[first.start : first.end])] = renamed.name
                self.label(renamed, Explanation.VARIABLE, "an alias")
        return list(names.values())

    def write(self, target: RangeVariable, name: Part) -> None:
        """A column of the target is written."""
        column = target.column(name.name)
        if self.is_hole(name):
            self.result.holes[name.start] = frozenset([target.relation.oid] if target.relation else [])
        elif column is not None:
            self.result.use(column, Access.WRITE, name.place)
            self.label(name, Explanation.OTHER_TABLE, target.label)
        elif target.known:
            self.label(name, Explanation.OTHER_TABLE, f"no column of {target.label} (42703)")
        else:
            self.of_unknown(name, target)

    def set_clauses(self, node: Node, target: RangeVariable, scope: Scope) -> None:
        """SET c = …, (a, b) = …; the left side is always a column of the target."""
        for clause in node.find_own("set_clause"):
            for child in clause.children:
                if child.type in ("set_target", "set_target_list"):
                    self.set_targets(child, target, scope)
                else:
                    self.expressions(child, scope)

    def set_targets(self, node: Node, target: RangeVariable, scope: Scope) -> None:
        for item in [node] if node.type == "set_target" else node.all("set_target"):
            names, rest = parts(self.tree, item)
            if names:
                self.write(target, names[0])
                self.write_fields(target, names)
            for element in rest:
                self.expressions(element, scope)

    def write_fields(self, target: RangeVariable, names: list[Part]) -> None:
        """`SET column.field`: fields of a column that holds rows of another table."""
        column = target.column(names[0].name)
        for field in names[1:]:
            row = relation_of_type(self.catalog, column.type) if column is not None else None
            column = next((c for c in range_variable(row).columns if c.name == field.name), None) if row else None
            if column is not None:
                self.result.use(column, Access.WRITE, field.place)
            self.label(field, Explanation.VALUE, "a field of a composite column")

    def insert(self, node: Node, scope: Scope) -> RangeVariable:
        """INSERT: a missing column list writes every column by position."""
        target = self.target_relation(node.child("insert_target"))
        scope.variables.append(target)
        rest = node.child("insert_rest")
        if rest is not None:
            self.insert_rest(rest, target, node, scope.parent)
        conflict = node.child("opt_on_conflict")
        if conflict is not None:
            self.on_conflict(conflict, target, scope)
        return target

    def insert_rest(self, rest: Node, target: RangeVariable, node: Node, around: Scope | None) -> None:
        listed = rest.child("insert_column_list")
        if listed is not None:
            for item in listed.all("insert_column_item"):
                names, _ = parts(self.tree, item)
                self.write(target, names[0])
                self.write_fields(target, names)
        query = rest.child("SelectStmt")
        columns = self.query(query, around) if query is not None else ()
        self.result.consume(columns)
        if listed is None and not rest.has("kw_default"):
            qualified = node.first("qualified_name")
            place = (qualified.start, qualified.end) if qualified else (node.start, node.start)
            for column in target.columns[: self.given(query)]:
                self.result.use(column, Access.STAR, place)
            self.star_over_unknown(target, place)

    def given(self, query: Node | None) -> int | None:
        """How many columns a VALUES list fills: the first ones. One lone value may stand for a whole list."""
        values = query.first("values_clause", "select_with_parens", "target_list") if query else None
        if values is None or values.type != "values_clause" or HOLE in self.tree.raw(values):
            return None
        return self.width(values) if self.width(values) > 1 else None

    def on_conflict(self, node: Node, target: RangeVariable, scope: Scope) -> None:
        """ON CONFLICT (columns) DO UPDATE SET …; EXCLUDED is the row that was to be inserted."""
        excluded = RangeVariable("excluded", target.columns, target.relation, target.known, label="EXCLUDED")
        columns_only = Scope(scope.parent, [target])
        around = Scope(scope.parent, [excluded])
        inner = Scope(around, scope.variables)
        for child in node.children:
            if child.type == "opt_conf_expr":
                if child.has("kw_constraint"):
                    self.conflict_constraint(child, target)
                else:
                    self.in_relation(child, columns_only)
            elif child.type == "set_clause_list":
                self.set_clauses(child, target, inner)
            else:
                self.expressions(child, inner)

    def conflict_constraint(self, node: Node, target: RangeVariable) -> None:
        """ON CONFLICT ON CONSTRAINT: a constraint goes with any of its columns."""
        name_node = node.child("name")
        if name_node is None or target.relation is None:
            return
        name = part(self.tree, name_node)
        self.label(name, Explanation.VARIABLE, "a constraint's name")
        for item in self.catalog.of_relation(target.relation.oid):
            if isinstance(item, Constraint) and item.name == name.name:
                for attnum in item.columns:
                    self.result.uses.append(TokenUse((item.relation, attnum), Access.READ, *name.place))

    def update(self, node: Node, scope: Scope) -> RangeVariable:
        """UPDATE … SET … FROM … WHERE …"""
        target = self.target_relation(node.child("relation_expr_opt_alias"))
        self.from_beside(node.child("from_clause"), target, scope)
        for child in node.children:
            if child.type == "set_clause_list":
                self.set_clauses(child, target, scope)
            elif child.type == "where_or_current_clause":
                self.expressions(child, scope)
        return target

    def from_beside(self, clause: Node | None, target: RangeVariable, scope: Scope) -> None:
        """FROM of UPDATE, USING of DELETE: they do not see the target, whatever comes after sees both."""
        if clause is not None:
            self.from_clause(clause, scope)
        scope.variables.insert(0, target)

    def delete(self, node: Node, scope: Scope) -> RangeVariable:
        """DELETE … USING … WHERE …"""
        target = self.target_relation(node.child("relation_expr_opt_alias"))
        self.from_beside(node.child("using_clause"), target, scope)
        where = node.child("where_or_current_clause")
        if where is not None:
            self.expressions(where, scope)
        return target

    def merge_into(self, node: Node, scope: Scope) -> RangeVariable:
        """MERGE INTO … USING … ON … WHEN …: what each branch sees depends on which row it has."""
        target = self.target_relation(node.child("relation_expr_opt_alias"))
        source = Scope(scope.parent)
        item = node.child("table_ref", "joined_table")
        if item is not None:
            self.add_item(item, source)
        scope.variables = [target, *source.variables]
        scope.merged = dict(source.merged)
        for child in node.children:
            if child.type == "a_expr":
                self.expressions(child, scope)
            elif child.type == "merge_when_list":
                for clause in child.all("merge_when_clause"):
                    self.merge_when(clause, target, self.row_of_branch(clause, target, source, scope))
        return target

    def row_of_branch(self, clause: Node, target: RangeVariable, source: Scope, both: Scope) -> Scope:
        """WHEN NOT MATCHED [BY TARGET] has a row of the source, NOT MATCHED BY SOURCE one of the target."""
        head = {leaf.type for child in clause.children[:1] for leaf in child.walk()}
        if "kw_not" not in head:
            return both
        return Scope(both.parent, [target]) if "kw_source" in head else source

    def merge_when(self, clause: Node, target: RangeVariable, scope: Scope) -> None:
        for child in clause.children:
            if child.type == "merge_update":
                self.set_clauses(child, target, scope)
            elif child.type == "merge_insert":
                self.merge_insert(child, target, scope)
            elif child.type == "opt_merge_when_condition":
                self.expressions(child, scope)

    def merge_insert(self, node: Node, target: RangeVariable, scope: Scope) -> None:
        listed = node.child("insert_column_list")
        values = node.child("merge_values_clause")
        if listed is not None:
            for item in listed.all("insert_column_item"):
                self.write(target, parts(self.tree, item)[0][0])
        elif values is not None:
            for column in target.columns:
                self.result.use(column, Access.STAR, (node.start, node.start + len("INSERT")))
        if values is not None:
            self.expressions(values, scope)
