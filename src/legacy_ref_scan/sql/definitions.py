"""Statements that define things: one generic walk finds the relation, then the columns named in its scope."""

from __future__ import annotations

from collections.abc import Iterator

from legacy_ref_scan.model import Access, Explanation
from legacy_ref_scan.schema import Relation
from legacy_ref_scan.sql.changes import Changes
from legacy_ref_scan.sql.names import Part, part, parts
from legacy_ref_scan.sql.results import TokenUse
from legacy_ref_scan.sql.scope import Columns, Environment, RangeVariable, Scope, range_variable, relation_of_type
from legacy_ref_scan.sql.tree import Node

# A node whose direct ColId names a column of the relation that the statement is about.
_COLUMN_HOLDERS = frozenset(
    {"columnElem", "index_elem", "stats_param", "part_elem", "columnOptions", "insert_column_item"}
)
_QUERY_DEFINITIONS = frozenset({"ViewStmt", "CreateMatViewStmt", "CreateAsStmt"})
_ROUTINES = frozenset({"CreateFunctionStmt", "DoStmt"})


class Definitions(Changes):
    """Resolves everything that is neither a query nor a change of data."""

    def definition(self, node: Node, scope: Scope) -> Iterator[Columns]:
        """Resolve a definition; the result columns of the query in it, if it has one."""
        kind = node.type
        if kind in _QUERY_DEFINITIONS:
            yield self.query_definition(node, scope)
        elif kind == "CopyStmt":
            yield from self.copy(node, scope)
        elif kind == "CreateStmt":
            self.create_table(node, scope)
        elif kind in _ROUTINES:
            self.routine(node, scope)
        elif kind == "RuleStmt":
            yield from self.rule(node, scope)
        elif kind == "AlterTableStmt":
            self.alter_table(node, scope)
        elif kind == "RenameStmt":
            self.rename_statement(node, scope)
        elif kind == "CallStmt":
            self.expressions(node, scope)
        elif kind == "ERROR":
            for child in node.children:
                if child.type in ("stmt", "SelectStmt", *self.CHANGES):
                    yield from self.statement(child, scope)
        else:
            self.generic(node, scope)

    def query_definition(self, node: Node, scope: Scope) -> Columns:
        """CREATE VIEW, MATERIALIZED VIEW, TABLE AS."""
        columns: Columns = ()
        for child in node.children:
            if child.type == "SelectStmt":
                columns = self.query(child, scope)
            elif child.type in ("qualified_name", "create_mv_target", "create_as_target"):
                qualified = child if child.type == "qualified_name" else child.child("qualified_name")
                if qualified is not None:
                    self.defined_name(qualified)
                self.label_all(child, Explanation.DEFINITION, "a column of the new relation")
            else:
                self.label_all(child, Explanation.OUTPUT_NAME, "a column of the new relation")
        names = node.child("opt_column_list") or node.first("create_mv_target", "create_as_target")
        listed = [part(self.tree, n) for n in names.find("columnElem")] if names else []
        return self.rename(columns, listed)

    def defined_name(self, qualified: Node) -> None:
        """The name of a relation that a statement creates."""
        names, _ = parts(self.tree, qualified)
        if self.find_relation(names) is None:
            self.label(names[-1], Explanation.DEFINITION, "the name of a new relation")

    def copy(self, node: Node, scope: Scope) -> Iterator[Columns]:
        """COPY t (columns) FROM writes, TO reads; without a list all columns, by position."""
        query = node.child("PreparableStmt")
        if query is not None:
            yield from self.statement(query, scope)
            return
        target = self.target_relation(node)
        access = Access.WRITE if self._copies_from(node) else Access.READ
        listed = node.child("opt_column_list")
        if listed is None:
            qualified = node.child("qualified_name")
            for column in target.columns if qualified else ():
                self.result.use(column, Access.STAR, (qualified.start, qualified.end) if qualified else (0, 0))
        for item in listed.find("columnElem") if listed else ():
            name = parts(self.tree, item)[0][0]
            self.write(target, name)
            if access is Access.READ and self.result.uses and self.result.uses[-1].start == name.start:
                self.result.uses[-1] = self.result.uses[-1]._replace(access=access)
        self.in_relation_list(node, ("where_clause",), Scope(scope, [target]))

    def _copies_from(self, node: Node) -> bool:
        direction = node.child("copy_from", "kw_from", "kw_to")
        return (
            direction is None
            or direction.type == "kw_from"
            or direction.first("kw_from") is not None
            or (direction.type == "copy_from" and self.tree.raw(direction).lower() == b"from")
        )

    def in_relation_list(self, node: Node, types: tuple[str, ...], scope: Scope) -> None:
        for child in node.all(*types):
            self.in_relation(child, scope)

    def in_relation(self, node: Node, scope: Scope) -> None:
        """Column lists and expressions in the scope of a relation."""
        stack = [node]
        while stack:
            current = stack.pop()
            if current.type in _COLUMN_HOLDERS:
                name_node = current.child("ColId")
                if name_node is not None:
                    self.unqualified(part(self.tree, name_node), scope)
                stack.extend(reversed([c for c in current.children if c is not name_node]))
            elif current.type == "a_expr" or current.type in self.HANDLERS:
                self.expressions(current, scope)
            elif current.type == "qualified_name":
                self.find_relation(parts(self.tree, current)[0])
            else:
                stack.extend(reversed(current.children))

    # CREATE TABLE

    def create_table(self, node: Node, scope: Scope) -> None:
        """Columns are defined; constraints and defaults see them; REFERENCES and LIKE see other tables."""
        qualified = node.child("qualified_name")
        names = parts(self.tree, qualified)[0] if qualified else []
        relation = self.find_relation(names) if names else None
        if relation is None and names:
            self.label(names[-1], Explanation.DEFINITION, "the name of a new table")
        label = names[-1].name if names else ""
        for column in node.find("columnDef", "columnOptions"):
            name_node = column.child("ColId")
            if name_node is None:
                continue
            self.define_column(relation, name_node, label)
        for element in node.children:
            if element is not qualified:
                self.table_elements(element, scope)

    def define_column(self, relation: Relation | None, name_node: Node, label: str) -> None:
        name = part(self.tree, name_node)
        column = relation.column(name.name) if relation else None
        if relation is not None and column is not None:
            self.result.uses.append(TokenUse((relation.oid, column.attnum), Access.DEFINE, *name.place))
        self.label(name, Explanation.DEFINITION, f"a column of {label}")

    def table_elements(self, node: Node, scope: Scope) -> None:
        """What stands in a table's definition besides its columns' names."""
        for child in node.walk():
            if child.type in ("ColConstraintElem", "ConstraintElem") and child.has("kw_references"):
                self.foreign_key(child)
            elif child.type == "TableLikeClause":
                self.like(child)
            elif child.type == "qualified_name":
                self.find_relation(parts(self.tree, child)[0])
            elif child.type == "Typename":
                self.type_name(child, scope)
        # names of the table's own columns in constraints, defaults and keys define nothing that must outlive it
        self.label_all(node, Explanation.DEFINITION, "part of a table's definition")

    def foreign_key(self, node: Node) -> None:
        """REFERENCES t (columns): a read of the referenced columns."""
        qualified = node.child("qualified_name")
        relation = self.find_relation(parts(self.tree, qualified)[0]) if qualified else None
        after = False
        for child in node.children:
            after = after or child is qualified
            if after and child.type == "opt_column_list" and relation is not None:
                self.in_relation(child, Scope(None, [self.over(relation)]))

    def like(self, node: Node) -> None:
        """LIKE t copies the columns: they come along."""
        qualified = node.child("qualified_name")
        relation = self.find_relation(parts(self.tree, qualified)[0]) if qualified else None
        if relation is not None and qualified is not None:
            for column in self.over(relation).columns:
                self.result.use(column, Access.STAR, (qualified.start, qualified.end))

    def over(self, relation: Relation) -> RangeVariable:
        return range_variable(relation)

    # Routines

    def routine(self, node: Node, scope: Scope) -> None:
        """CREATE FUNCTION, DO: arguments and types here; a string body is read by whoever owns the text."""
        arguments: dict[str, RangeVariable | None] = {}
        for name_node in node.find("param_name"):
            name = part(self.tree, name_node)
            arguments[name.name] = None
            self.label(name, Explanation.VARIABLE, "an argument of a function")
        for argument in node.find("func_arg"):
            label, kind = argument.child("param_name"), argument.child("func_type")
            row = relation_of_type(self.catalog, self.tree.raw(kind).decode("utf-8", "replace")) if kind else None
            if label is not None and row is not None:
                name = part(self.tree, label)
                arguments[name.name] = range_variable(row, name.name)
        for child in node.children:
            if child.type == "func_name":
                self.label_all(child, Explanation.VARIABLE, "a function's name")
            elif child.type == "opt_routine_body":
                outer, self.environment = self.environment, Environment(arguments)
                for columns in list(self.statement(child, scope)):
                    self.result.consume(columns)
                self.environment = outer
            else:
                self.expressions(child, scope)
                self.label_all(child, Explanation.VARIABLE, "part of a function's definition")

    # ALTER TABLE, RENAME

    def alter_table(self, node: Node, scope: Scope) -> None:
        """ADD and DROP COLUMN define; everything else names columns that must be there."""
        target = self.target_relation(node.child("relation_expr", "qualified_name"))
        inner = Scope(scope, [target])
        for command in node.find_own("alter_table_cmd", "partition_cmd"):
            self.alter_command(command, target, inner)

    def alter_command(self, node: Node, target: RangeVariable, scope: Scope) -> None:
        definition = node.child("columnDef")
        name_node = node.child("ColId")
        verb = node.children[0].type if node.children else ""
        if definition is not None:
            column = definition.child("ColId")
            if column is not None:
                self.define_column(target.relation, column, target.label)
            self.table_elements(definition, scope)
        elif name_node is not None and verb == "kw_drop":
            self.define_column(target.relation, name_node, target.label)
        elif name_node is not None:
            self.unqualified(part(self.tree, name_node), scope)
        for child in node.children:
            if child.type == "TableConstraint":
                self.table_constraint(child, scope)
            elif child is not definition and child is not name_node:
                self.in_relation(child, scope)
                self.label_all(child, Explanation.VARIABLE, "part of ALTER TABLE")

    def table_constraint(self, node: Node, scope: Scope) -> None:
        element = node.child("ConstraintElem")
        if element is not None:
            qualified = element.child("qualified_name")
            before = True
            for child in element.children:
                before = before and child is not qualified
                if before:
                    self.in_relation(child, scope)
            self.foreign_key(element)
        self.label_all(node, Explanation.VARIABLE, "part of a constraint")

    def rename_statement(self, node: Node, scope: Scope) -> None:
        """RENAME [COLUMN] a TO b."""
        target = self.target_relation(node.child("relation_expr", "qualified_name"))
        names = [part(self.tree, n) for n in node.all("name")]
        constraint = node.has("kw_constraint")
        if len(names) == 2 and not constraint:
            for name in names:
                self.define_or_label(target, name)
        self.label_all(node, Explanation.VARIABLE, "part of a RENAME")

    def define_or_label(self, target: RangeVariable, name: Part) -> None:
        column = target.column(name.name)
        if column is not None and column.own is not None:
            self.result.uses.append(TokenUse(column.own, Access.DEFINE, *name.place))
        self.label(name, Explanation.DEFINITION, f"a column of {target.label}")

    # Everything else

    def rule(self, node: Node, scope: Scope) -> Iterator[Columns]:
        """CREATE RULE: its condition and its actions see NEW and OLD."""
        qualified = node.child("qualified_name")
        inner = self.with_row_images(qualified, scope)
        for child in node.children:
            if child.type == "where_clause":
                self.expressions(child, inner)
            elif child.type == "RuleActionList":
                yield from self.statement(child, inner)
            elif child is not qualified:
                self.label_all(child, Explanation.VARIABLE, "a rule's name")

    def with_row_images(self, qualified: Node | None, scope: Scope) -> Scope:
        """A scope with NEW and OLD of a relation."""
        if qualified is None:
            return scope
        names, _ = parts(self.tree, qualified)
        variable = self.named_relation(names, "")
        images = [
            RangeVariable(name, variable.columns, variable.relation, variable.known, label=variable.label)
            for name in ("new", "old")
        ]
        return Scope(scope, images)

    def generic(self, node: Node, scope: Scope) -> None:
        """The relation is the first one named; columns and expressions are read in its scope.

        `COMMENT ON COLUMN a.b.c` and `OWNED BY a.b.c` name the column behind its relation.
        """
        if node.has("kw_column") or node.first("SeqOptElem"):
            self.dotted_column(node)
        qualified = node.first("qualified_name")
        inner = scope
        if qualified is not None:
            images = self.with_row_images(qualified, scope)
            names, _ = parts(self.tree, qualified)
            inner = Scope(images, [self.named_relation(names, "")])
            for child in node.find("TransitionRelName"):
                self.label_all(child, Explanation.VARIABLE, "a transition table")
        for other in node.find("qualified_name", "any_name"):
            self.mention(other)
        for analyzed in node.find("vacuum_relation"):
            self.analyzed_columns(analyzed)
        self.in_relation(node, inner)
        self.label_all(node, Explanation.VARIABLE, "a name in a definition")

    def analyzed_columns(self, node: Node) -> None:
        """ANALYZE t (columns), VACUUM t (columns)."""
        qualified = node.first("qualified_name")
        listed = node.child("opt_name_list")
        if qualified is not None and listed is not None:
            scope = Scope(None, [self.named_relation(parts(self.tree, qualified)[0], "")])
            for name in listed.find("name"):
                self.unqualified(part(self.tree, name), scope)

    def mention(self, node: Node) -> None:
        names, _ = parts(self.tree, node)
        if names:
            self.find_relation(names)

    def dotted_column(self, node: Node) -> None:
        for dotted in node.find("any_name"):
            names, _ = parts(self.tree, dotted)
            relation = self.find_relation(names[:-1]) if len(names) > 1 else None
            column = self.over(relation).column(names[-1].name) if relation else None
            if column is not None:
                self.result.use(column, Access.READ, names[-1].place)
