"""The variables of a PL/pgSQL body: what is declared, the records with their columns, NEW and OLD, assignments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import EllipsisType

from legacy_ref_scan.model import Access, Explanation
from legacy_ref_scan.schema import Catalog, Relation
from legacy_ref_scan.sql.lexer import Kind, Token, name_of, words
from legacy_ref_scan.sql.names import Part
from legacy_ref_scan.sql.records import either
from legacy_ref_scan.sql.results import Label, Problem, Resolved
from legacy_ref_scan.sql.scope import RangeVariable, Visible, range_variable, relation_of_type
from legacy_ref_scan.sql.tree import Node, Tree

_ROW_TYPE = re.compile(r"\s*%\s*rowtype$", re.IGNORECASE)
_TRIGGER_VARIABLES = [
    "tg_name",
    "tg_when",
    "tg_level",
    "tg_op",
    "tg_relid",
    "tg_relname",
    "tg_table_name",
    "tg_table_schema",
    "tg_nargs",
    "tg_argv",
    "tg_event",
    "tg_tag",
    "found",
    "sqlstate",
    "sqlerrm",
]


@dataclass(frozen=True, slots=True)
class Routine:
    """What a body needs to know of its function. `arguments` are (name, type) of all modes.

    `triggers` are the relations whose triggers call the function, those of interest first; `transitions` the
    transition tables by name. `returns` is the type of the result, without SETOF; "" for none.
    """

    name: str = ""
    arguments: tuple[tuple[str, str], ...] = ()
    triggers: tuple[Relation, ...] = ()
    is_trigger: bool = False
    dynamic: bool = False  # no trigger is known, and a migration runs statements that are not known
    transitions: tuple[tuple[str, Relation], ...] = ()
    returns: str = ""


class Variables:
    """What the names of a body stand for; the base of the resolver of bodies."""

    def __init__(self, text: bytes, catalog: Catalog, routine: Routine) -> None:
        self.text, self.catalog, self.routine = text, catalog, routine
        self.result = Resolved()
        self.variables: dict[str, RangeVariable | None] = {}
        self.labels: set[str] = {routine.name} if routine.name else set()
        self.hidden: dict[str, RangeVariable | EllipsisType | None] = {}  # what the innermost block's names hide
        self.gathering = False  # whether a record keeps what it held when it gets another row

    # Declarations

    @contextmanager
    def block_of_variables(self) -> Iterator[None]:
        """What is declared inside hides what is around it, until the end."""
        around, self.hidden = self.hidden, {}
        try:
            yield
        finally:
            for name, before in self.hidden.items():
                if isinstance(before, EllipsisType):
                    del self.variables[name]
                else:
                    self.variables[name] = before
            self.hidden = around

    def hide(self, name: str) -> None:
        """Note what a name stands for until now, before it is declared."""
        self.hidden.setdefault(name, self.variables.get(name, ...))

    def declare_arguments(self) -> None:
        for position, (name, kind) in enumerate(self.routine.arguments, 1):
            record = self.record_type(kind)
            for known in filter(None, (name, f"${position}")):
                self.variables[known] = replace(record, name=known) if record else None
        for name in _TRIGGER_VARIABLES:
            self.variables[name] = None
        if self.routine.is_trigger:
            self.set_row_images(self.routine.triggers)
            for name, relation in self.routine.transitions:
                self.variables["\0table " + name] = range_variable(relation, name)

    def set_row_images(self, relations: Sequence[Relation]) -> None:
        """NEW and OLD: the columns of every table whose trigger calls the function."""
        for name in ("new", "old"):
            columns: dict[str, Visible] = {}
            for relation in relations:
                for column in range_variable(relation).columns:
                    columns.setdefault(column.name, column)
            known = bool(relations)
            label = (
                ", ".join(f"{r.schema}.{r.name}" for r in relations) or "a table that has no trigger with this function"
            )
            only = relations[0] if len(relations) == 1 else None
            self.variables[name] = RangeVariable(
                name, tuple(columns.values()), only, known, self.routine.dynamic, label=label
            )

    def record_type(self, kind: str) -> RangeVariable | None:
        """The record variable that a type makes: `t`, `t%ROWTYPE`, `record`; None for a scalar."""
        row = _ROW_TYPE.sub("", kind.strip())
        named_row = row != kind.strip()
        if row.lower() == "record":
            return RangeVariable("", known=False, label="a record")
        relation = relation_of_type(self.catalog, row)
        if relation is not None:
            return range_variable(relation)
        return RangeVariable("", known=False, label=f"a row of {row}") if named_row else None

    def declare(self, tree: Tree, node: Node) -> None:
        name_node = node.child("decl_varname")
        if name_node is None:
            return
        name = self.part(name_node)
        self.label(name, Explanation.VARIABLE, "a PL/pgSQL variable")
        kind = node.child("decl_datatype")
        raw = tree.raw(kind).decode("utf-8", "replace") if kind else ""
        record = self.record_type(raw)
        self.hide(name.name)
        if record is not None:
            self.variables[name.name] = replace(record, name=name.name)
        elif self.variables.get(name.name) is None:  # else `name.field` is still the record of a block around
            self.variables[name.name] = None
        if kind is not None:
            self.type_reference(kind, raw)
        for argument in node.find("decl_cursor_arg"):
            cursor_name = argument.child("decl_varname")
            if cursor_name is not None:
                argument_part = self.part(cursor_name)
                self.label(argument_part, Explanation.VARIABLE, "a cursor's argument")
                self.variables.setdefault(argument_part.name, None)

    def declare_alias(self, node: Node) -> None:
        """`a ALIAS FOR b`: what a record gets later, its alias gets too."""
        name_node, original = node.child("decl_varname"), node.child("any_identifier", "param")
        if name_node is None or original is None:
            return
        name = self.part(name_node).name
        row = self.variables.get(self.part(original).name)
        later = row is not None and row.relation is None and not row.columns
        self.variables[name] = replace(row, known=False, dynamic=True) if row is not None and later else row

    def type_reference(self, node: Node, raw: str) -> None:
        """`t.c%TYPE` needs the column, `t%ROWTYPE` and `t` the whole row."""
        names = [self.part(n) for n in node.walk() if not n.children and n.type == "identifier"]
        lowered = raw.lower().replace(" ", "")
        if lowered.endswith("%type") and len(names) >= 2:
            relation = self.find(names[:-1])
            column = relation.column(names[-1].name) if relation else None
            if relation is not None and column is not None:
                visible = Visible(column.name, own=(relation.oid, column.attnum))
                self.result.use(visible, Access.DEPEND, names[-1].place)
        elif names:
            self.find(names)
        for name in names:
            self.label(name, Explanation.VARIABLE, "a type")

    def find(self, names: list[Part]) -> Relation | None:
        relation = self.catalog.relation(names[-1].name, names[-2].name if len(names) > 1 else None)
        if relation is not None:
            self.result.relations.append((relation.oid, names[-1].place))
            self.label(names[-1], Explanation.TABLE, f"{relation.schema}.{relation.name}")
        return relation

    def name_block(self, node: Node) -> None:
        for leaf in node.find("identifier"):
            name = self.part(leaf)
            self.labels.add(name.name)
            self.label(name, Explanation.VARIABLE, "a block's label")

    # Assignments

    def into(self, targets: list[list[Part]], columns: Iterable[Visible], single: bool = False) -> None:
        """Assign a row to variables: a lone record takes its shape, several scalars take it by position."""
        shape = tuple(columns)
        if len(targets) == 1 and len(targets[0]) == 1:
            name = targets[0][0]
            record = self.variables.get(name.name, RangeVariable(name.name, known=False, label="a row"))
            self.label(name, Explanation.VARIABLE, "a PL/pgSQL variable")
            if record is not None and record.relation is None and not single:
                unique = tuple({column.name: column for column in shape}.values())
                self.put(name.name, replace(record, columns=unique, known=bool(shape), dynamic=False))
                return
            if not single:  # a row takes all of it, a scalar the first column
                self.result.consume(shape if record is not None else shape[:1])
            return
        if not single:
            self.result.consume(shape)
        for names in targets:
            self.assign_name(names)

    def assign_name(self, names: list[Part]) -> None:
        if not names:
            return
        self.label(names[0], Explanation.VARIABLE, "a PL/pgSQL variable")
        row = self.variables.get(names[0].name)
        if len(names) < 2:
            return
        field = names[1]
        if names[0].name in self.labels and row is None:
            self.label(field, Explanation.VARIABLE, "a PL/pgSQL variable")
            return
        column = row.column(field.name) if row else None
        if column is not None:
            self.result.use(column, Access.WRITE, field.place)
            self.label(field, Explanation.OTHER_TABLE, row.label if row else "")
        elif row is not None and row.dynamic:
            self.problem(field.start, field.end, "dynamic-record", f"field {field.name} of {row.label}")
        else:
            self.label(field, Explanation.VARIABLE, f"a field of {row.label if row else names[0].name}")

    def assign_dynamic(self, names: list[Part], label: str) -> None:
        """Assign what is not known before it runs."""
        self.assign_name(names)
        record = self.variables.get(names[0].name)
        if len(names) == 1 and record is not None and record.relation is None:
            self.put(names[0].name, replace(record, columns=(), known=False, dynamic=True, label=label))

    def put(self, name: str, rows: RangeVariable) -> None:
        """A record or a cursor gets other rows."""
        before = self.variables.get(name) if self.gathering else None
        self.variables[name] = either(before, rows) if before is not None else rows

    def row_of_value(self, node: Node, values: tuple[Visible, ...]) -> RangeVariable:
        """The row that an expression gives: another variable's, or one of a known type."""
        other = self.variables.get(name_of(self.text[node.start : node.end].strip()))
        if other is not None:
            return other
        relation = relation_of_type(self.catalog, values[0].type) if len(values) == 1 else None
        if relation is not None:
            return range_variable(relation)
        return RangeVariable("", known=False, dynamic=True, label="a row whose type is not known")

    def take_row(self, name: str, row: RangeVariable) -> None:
        """A record takes another row as it is."""
        record = self.variables.get(name)
        if record is not None and record.relation is None:
            self.put(name, replace(row, name=name, relation=None))

    def assign_path(self, names: list[Part], values: tuple[Visible, ...], node: Node) -> None:
        """`v := …`, `v.field := …`, and fields of rows in rows."""
        self.into([names[:2]], values, single=True)
        if len(names) == 1:
            self.take_row(names[0].name, self.row_of_value(node, values))
        row = self.variables.get(names[0].name) if names else None
        column = row.column(names[1].name) if row and len(names) > 1 else None
        for name in names[2:]:
            relation = relation_of_type(self.catalog, column.type) if column is not None else None
            field = relation.column(name.name) if relation is not None else None
            column = (
                Visible(name.name, own=(relation.oid, field.attnum), type=field.type) if relation and field else None
            )
            if column is not None:
                self.result.use(column, Access.WRITE, name.place)
            self.label(name, Explanation.VARIABLE, "part of an assignment")

    # Names

    def names_in(self, node: Node) -> list[Token]:
        return [t for t in words(self.text, node.start, node.end) if t.kind in (Kind.WORD, Kind.QUOTED)]

    def part(self, node: Node) -> Part:
        return Part(name_of(self.text[node.start : node.end]), node.start, node.end)

    def label(self, name: Part, why: Explanation, detail: str) -> None:
        self.result.labels.setdefault(name.start, Label(why, detail, name.end))

    def label_words(self, node: Node, detail: str) -> None:
        for token in self.names_in(node):
            self.label(Part("", token.start, token.end), Explanation.VARIABLE, detail)

    def problem(self, start: int, end: int, reason: str, message: str) -> None:
        self.result.problems.append(Problem(start, end, reason, message))
