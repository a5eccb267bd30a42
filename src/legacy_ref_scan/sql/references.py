"""What names mean: relations, range variables, column references, whole rows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from legacy_ref_scan.model import HOLE, Access, Explanation
from legacy_ref_scan.schema import Catalog, Relation
from legacy_ref_scan.sql.names import NAME_NODES, Part, part, parts
from legacy_ref_scan.sql.results import Label, Problem, Resolved
from legacy_ref_scan.sql.scope import Columns, Environment, RangeVariable, Scope, Visible
from legacy_ref_scan.sql.tree import Node, Tree
from legacy_ref_scan.sql.with_tables import CommonTable, WithTables


class References:
    """Resolves names in a scope; the base of the resolver."""

    CHANGES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})

    def __init__(self, tree: Tree, catalog: Catalog, environment: Environment) -> None:
        self.tree, self.catalog, self.environment = tree, catalog, environment
        self.result = Resolved()
        self.tables: WithTables | None = None
        self.current: CommonTable | None = None

    # What the classes above provide

    def query(self, node: Node, scope: Scope | None) -> Columns:
        raise NotImplementedError

    def change(self, node: Node, scope: Scope) -> Columns:
        raise NotImplementedError

    def in_relation(self, node: Node, scope: Scope) -> None:
        raise NotImplementedError

    def statement(self, node: Node, scope: Scope) -> Iterator[Columns]:
        raise NotImplementedError

    def expressions(self, node: Node, scope: Scope) -> None:
        raise NotImplementedError

    def expression_node(self, node: Node, scope: Scope) -> None:
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
        return self.tree.text[name.start : name.start + 1] == HOLE

    def is_open(self, name: Part) -> bool:
        """Whether a hole stands for a name or for a part of it."""
        return HOLE in self.tree.text[max(name.start - 1, 0) : name.end + 1]

    def may_be_known(self, name: Part) -> bool:
        """Whether a name with a hole for a part of it can be a relation's of the catalog, or a partition's of one."""
        text = self.tree.text
        before = ".*" if text[name.start - 1 : name.start] == HOLE else ""
        after = ".*" if text[name.end : name.end + 1] == HOLE else ""
        inner = ".*".join(map(re.escape, name.name.split(HOLE.decode())))
        pattern = re.compile(f"{before}{inner}{after}", re.DOTALL)
        relations = self.catalog.relations.values()
        return self.is_open(name) and any(
            pattern.fullmatch(relation.name)
            or (relation.partitioned and len(name.name) > len(relation.name) and name.name.startswith(relation.name))
            for relation in relations
        )

    # Relations

    def find_relation(self, names: list[Part]) -> Relation | None:
        """The relation of a qualified name in the catalog; its mention is recorded."""
        schema = names[-2].name if len(names) > 1 and not self.is_open(names[-2]) else None
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

    # Column references

    def lone_reference(self, expression: Node | None) -> Node | None:
        """The column reference that an expression consists of, in parentheses or without."""
        children = expression.children if expression is not None else []
        while len(children) > 2 and children[0].type == "(" and children[-1].type == ")":
            children = children[1:-1]
        return children[0] if len(children) == 1 and children[0].type == "columnref" else None

    def lone_name(self, expression: Node) -> Part | None:
        """The unqualified name that an expression consists of."""
        reference = self.lone_reference(expression)
        if reference is None:
            return None
        names, rest = parts(self.tree, reference)
        return names[0] if len(names) == 1 and not rest else None

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
        """A bare name: a column of the innermost level that has it, a variable, a whole row.

        A column that is gone already is meant where nothing else is called so: for PostgreSQL it is not there.
        """
        variable = self.environment.variables.get(name.name)
        is_variable = name.name in self.environment.variables
        if is_variable and self.environment.conflict == "use_variable":
            return self.take_variable(name, variable)
        unknown: RangeVariable | None = None
        gone: tuple[Visible, ...] = ()
        for level in scope.levels():
            matches = self.matches(name.name, level)
            present = tuple(match for match in matches if not self.is_gone(match))
            if present:
                return self.take(name, present, unknown, is_variable)
            gone = gone or matches
            unknown = self.most_open([unknown, *level.variables])
        row = scope.variable(name.name)
        if row is not None:
            self.whole_row(row, name)
            return Visible(name.name, type=row.label if row.relation else "")
        if is_variable:
            return self.take_variable(name, variable)
        if gone:
            return self.take(name, gone[:1], unknown, is_variable)
        if unknown is not None:
            self.of_unknown(name, unknown)
        return None

    def is_gone(self, match: Visible) -> bool:
        """Whether the schema has the column no more."""
        if match.own is None:
            return False
        relation = self.catalog.relations.get(match.own[0])
        column = relation.by_attnum(match.own[1]) if relation is not None else None
        return column is not None and column.gone

    def most_open(self, variables: list[RangeVariable | None]) -> RangeVariable | None:
        """The first of which not all columns are known; one whose relation is not known either comes first."""
        unknown = [variable for variable in variables if variable is not None and not variable.known]
        return next((variable for variable in unknown if variable.dynamic), unknown[0] if unknown else None)

    def matches(self, name: str, level: Scope) -> tuple[Visible, ...]:
        """The columns of that name at one level; merged ones count as one."""
        if name in level.merged:
            return level.merged[name][:1] or ()
        return tuple(c for v in level.variables if v.starred and (c := v.column(name)) is not None)

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
            self.label(name, Explanation.VARIABLE, "a variable, or a column")
            return Visible(name.name)
        if unknown is not None and any(match.own or match.star for match in matches):
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
