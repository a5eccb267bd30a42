"""PL/pgSQL bodies: declarations, records, NEW and OLD, and the SQL in every statement.

Every SQL expression of the body is resolved with the variables around it; what `EXECUTE` runs is put together from
literals, `format()` and `||` as far as it is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from legacy_ref_scan.model import Access, Explanation
from legacy_ref_scan.schema import Catalog, Relation
from legacy_ref_scan.sql.dynamic import DynamicText, assemble
from legacy_ref_scan.sql.lexer import Kind, Token, name_of, words
from legacy_ref_scan.sql.names import Part
from legacy_ref_scan.sql.resolve import resolve
from legacy_ref_scan.sql.results import Label, Problem, Resolved
from legacy_ref_scan.sql.scope import Environment, RangeVariable, Visible, range_variable
from legacy_ref_scan.sql.statements import cut
from legacy_ref_scan.sql.tree import Node, Tree, parse, parse_plpgsql

STATEMENT_WORDS = frozenset(
    {
        b"select", b"with", b"insert", b"update", b"delete", b"merge", b"values", b"table", b"create", b"alter",
        b"drop", b"truncate", b"comment", b"grant", b"revoke", b"copy", b"lock", b"set", b"refresh", b"analyze",
        b"vacuum", b"notify", b"listen", b"do", b"call", b"explain", b"declare", b"prepare", b"reindex", b"cluster",
        b"reset", b"show", b"execute", b"security", b"import", b"discard", b"deallocate", b"begin", b"commit",
    }
)  # fmt: skip
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
_CONFLICT = re.compile(rb"#\s*variable_conflict\s+(error|use_variable|use_column)", re.IGNORECASE)
_CLAUSE_ENDS = frozenset(
    b"from where group having order limit offset union intersect except for window fetch returning using".split()
)


@dataclass(frozen=True, slots=True)
class Routine:
    """What a body needs to know of its function. `arguments` are (name, type) of all modes.

    `triggers` are the relations whose triggers call the function, those of interest first; `transitions` the
    transition tables by name.
    """

    name: str = ""
    arguments: tuple[tuple[str, str], ...] = ()
    triggers: tuple[Relation, ...] = ()
    is_trigger: bool = False
    transitions: tuple[tuple[str, Relation], ...] = ()


@dataclass(slots=True)
class Body:
    """A resolved body: offsets are into the text that was given. `dynamic` are the texts that EXECUTE runs.

    `read` is false where the grammar could not read the body as a whole.
    """

    result: Resolved
    dynamic: list[tuple[DynamicText, Environment]]
    read: bool = True


def resolve_body(text: bytes, start: int, end: int, catalog: Catalog, routine: Routine) -> Body:
    """Resolve `text[start:end]`, the body of a PL/pgSQL function or DO block."""
    return _BodyResolver(text, catalog, routine).run(start, end)


class _BodyResolver:
    def __init__(self, text: bytes, catalog: Catalog, routine: Routine) -> None:
        self.text, self.catalog, self.routine = text, catalog, routine
        self.result = Resolved()
        self.dynamic: list[tuple[DynamicText, Environment]] = []
        self.variables: dict[str, RangeVariable | None] = {}
        self.labels: set[str] = {routine.name} if routine.name else set()
        self.assigned: dict[str, list[tuple[int, int]]] = {}  # the expressions assigned to a scalar
        self.conflict = "error"
        self.narrowed: tuple[Relation, ...] | None = None

    def run(self, start: int, end: int) -> Body:
        tree = parse_plpgsql(self.text, start, end)
        found = _CONFLICT.search(self.text, start, end)
        self.conflict = found.group(1).decode().lower() if found else "error"
        self.declare_arguments()
        for node in tree.root.walk():
            if node.type == "decl_statement":
                self.declare(tree, node)
            elif node.type in ("block_label", "loop_label"):
                self.name_block(node)
        for node in tree.root.walk():
            if node.type == "stmt_assign":
                self.remember_assignment(node.all("sql_expression"))
            elif node.type == "decl_statement":
                self.remember_assignment([n for n in node.children if n.type in ("decl_varname", "decl_defval")])
        self.block(tree, tree.root)
        self.result.errors.extend(tree.errors)
        return Body(self.result, self.dynamic, not tree.errors)

    # Declarations

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
            self.variables[name] = RangeVariable(name, tuple(columns.values()), only, known, label=label)

    def record_type(self, kind: str) -> RangeVariable | None:
        """The record variable that a type makes: `t`, `t%ROWTYPE`, `record`; None for a scalar."""
        base = re.sub(r"\s+", "", kind)
        lowered = base.lower()
        if lowered.endswith("%rowtype"):
            base = base[: -len("%rowtype")]
        elif lowered == "record":
            return RangeVariable("", known=False, label="a record")
        elif "%" in base:
            return None
        schema, _, name = base.rpartition(".")
        relation = self.catalog.relation(name_of(name.encode()), name_of(schema.encode()) if schema else None)
        if relation is not None:
            return range_variable(relation)
        if lowered.endswith("%rowtype"):
            return RangeVariable("", known=False, label=f"a row of {base}")
        return None

    def declare(self, tree: Tree, node: Node) -> None:
        name_node = node.child("decl_varname")
        if name_node is None:
            return
        name = self.part(name_node)
        self.label(name, Explanation.VARIABLE, "a PL/pgSQL variable")
        kind = node.child("decl_datatype")
        raw = tree.raw(kind).decode("utf-8", "replace") if kind else ""
        record = self.record_type(raw)
        self.variables[name.name] = replace(record, name=name.name) if record else None
        if kind is not None:
            self.type_reference(kind, raw)
        for argument in node.find("decl_cursor_arg"):
            cursor_name = argument.child("decl_varname")
            if cursor_name is not None:
                argument_part = self.part(cursor_name)
                self.label(argument_part, Explanation.VARIABLE, "a cursor's argument")
                self.variables.setdefault(argument_part.name, None)

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

    # Statements

    def block(self, tree: Tree, node: Node) -> None:
        """Statements in order, so that a record has the columns that were assigned before."""
        for child in node.children:
            handler = {
                "stmt_assign": self.assign,
                "stmt_dynexecute": self.execute,
                "stmt_for": self.for_loop,
                "stmt_if": self.branch,
                "stmt_execsql": self.sql_statement,
                "stmt_return": self.return_statement,
                "stmt_open": self.open_cursor,
                "decl_statement": self.declaration,
                "stmt_fetch": self.fetch,
            }.get(child.type)
            if handler is not None:
                handler(tree, child)
            elif child.type == "sql_expression":
                self.expression(child)
            elif child.children:
                self.block(tree, child)
            elif child.type in ("identifier", "any_identifier"):
                self.label(self.part(child), Explanation.VARIABLE, "a PL/pgSQL name")

    def declaration(self, tree: Tree, node: Node) -> None:
        columns: tuple[Visible, ...] = ()
        for expression in node.find("sql_expression"):
            columns = self.expression(expression)
        name_node = node.child("decl_varname")
        if node.has("kw_cursor") and name_node is not None:
            self.variables["\0cursor " + self.part(name_node).name] = RangeVariable("", columns)

    def sql_statement(self, tree: Tree, node: Node) -> None:
        expression = node.child("sql_expression")
        if expression is not None:
            self.expression(expression)
        for child in node.children:
            if child is not expression and child.children:
                self.block(tree, child)

    def return_statement(self, tree: Tree, node: Node) -> None:
        """RETURN NEW hands the row on: no use of its columns."""
        expressions = node.all("sql_expression")
        if node.has("kw_execute") and expressions:
            self.run_dynamic(expressions[0])
            expressions = expressions[1:]
        for expression in expressions:
            raw = self.text[expression.start : expression.end].strip().lower()
            if raw in (b"new", b"old") or (
                raw.decode("utf-8", "replace") in self.variables and not node.has("kw_query")
            ):
                self.label_words(expression, "the row that is returned")
                continue
            self.expression(expression)

    def open_cursor(self, tree: Tree, node: Node) -> None:
        expressions = node.all("sql_expression")
        cursor = node.child("any_identifier")
        if node.has("kw_execute") and expressions:
            self.run_dynamic(expressions[0])
            expressions = expressions[1:]
        columns: tuple[Visible, ...] = ()
        for expression in expressions:
            columns = self.expression(expression)
        if cursor is not None:
            self.label(self.part(cursor), Explanation.VARIABLE, "a cursor")
            self.variables["\0cursor " + self.part(cursor).name] = RangeVariable("", columns)

    def fetch(self, tree: Tree, node: Node) -> None:
        cursor = node.child("any_identifier")
        columns: tuple[Visible, ...] = ()
        if cursor is not None:
            name = self.part(cursor)
            self.label(name, Explanation.VARIABLE, "a cursor")
            known = self.variables.get("\0cursor " + name.name)
            columns = known.columns if known else ()
        targets = [self.part(n) for t in node.all("into_target") for n in t.find("identifier")]
        self.into([targets] if targets else [], columns)

    def assign(self, tree: Tree, node: Node) -> None:
        expressions = node.all("sql_expression")
        if not expressions:
            return
        names = [Part(name_of(self.text[t.start : t.end]), t.start, t.end) for t in self.names_in(expressions[0])]
        values: tuple[Visible, ...] = ()
        for expression in expressions[1:]:
            values = self.expression(expression)
        self.into([names[:2]], values, single=True)
        for name in names[2:]:
            self.label(name, Explanation.VARIABLE, "part of an assignment")

    def names_in(self, node: Node) -> list[Token]:
        return [t for t in words(self.text, node.start, node.end) if t.kind in (Kind.WORD, Kind.QUOTED)]

    def remember_assignment(self, sides: list[Node]) -> None:
        """A variable's name and what it gets."""
        names = self.names_in(sides[0]) if sides else []
        value = sides[1].first("sql_expression") if len(sides) > 1 else None
        if len(names) == 1 and value is not None:
            name = name_of(self.text[names[0].start : names[0].end])
            self.assigned.setdefault(name, []).append((value.start, value.end))

    def for_loop(self, tree: Tree, node: Node) -> None:
        variables = [self.part(leaf) for v in node.all("for_variable") for leaf in v.find("identifier")]
        query = node.child("for_query", "for_dynamic", "for_integer_range", "for_cursor")
        columns: tuple[Visible, ...] = ()
        dynamic = query is not None and query.type == "for_dynamic"
        for index, expression in enumerate(query.all("sql_expression") if query else ()):
            raw = name_of(self.text[expression.start : expression.end].strip().split(b"(")[0].strip())
            cursor = self.variables.get("\0cursor " + raw)
            if dynamic and index == 0:
                self.run_dynamic(expression)
            elif cursor is not None:
                self.label_words(expression, "a cursor")
                columns = cursor.columns
            else:
                columns = self.expression(expression)
        if dynamic:
            for variable in variables:
                self.label(variable, Explanation.VARIABLE, "a loop's variable")
                self.variables[variable.name] = RangeVariable(
                    variable.name, known=False, dynamic=True, label="a row of a dynamic query"
                )
        elif len(variables) == 1:
            known = self.variables.get(variables[0].name)
            if known is None and query is not None and query.type == "for_query":
                self.variables[variables[0].name] = RangeVariable(variables[0].name, columns, label="a loop's row")
                self.label(variables[0], Explanation.VARIABLE, "a loop's variable")
            else:
                self.into([variables], columns, loop=True)
        else:
            self.into([[v] for v in variables], columns)
        for child in node.children:
            if child is not query and child.type != "for_variable":
                self.block(tree, Node("x", child.start, child.end, [child]))

    _TABLE_TEST = re.compile(rb"\bTG_(?:TABLE_NAME|RELNAME)\s*(=|<>|!=)\s*'([^']*)'", re.IGNORECASE)
    _TABLE_LIST = re.compile(rb"\bTG_(?:TABLE_NAME|RELNAME)\s+IN\s*\(([^)]*)\)", re.IGNORECASE)

    def branch(self, tree: Tree, node: Node) -> None:
        """IF: a test of TG_TABLE_NAME narrows the tables that NEW and OLD stand for, and the rest for ELSE."""
        before = self.narrowed
        remaining = self.trigger_relations()
        for child in [*node.children]:
            if child.type == "sql_expression":
                self.expression(child)
                inside, remaining = self.narrow(child, remaining)
                self.apply(inside)
            elif child.type == "proc_sect":
                self.block(tree, Node("x", child.start, child.end, [child]))
                self.apply(remaining)
            elif child.type == "elsif_clause":
                self.apply(remaining)
                test = child.child("sql_expression")
                if test is not None:
                    self.expression(test)
                    inside, remaining = self.narrow(test, remaining)
                    self.apply(inside)
                for part_of in child.all("proc_sect"):
                    self.block(tree, Node("x", part_of.start, part_of.end, [part_of]))
            elif child.type == "else_clause":
                self.apply(remaining)
                self.block(tree, child)
        self.narrowed = before
        self.apply(self.trigger_relations())

    def trigger_relations(self) -> tuple[Relation, ...]:
        return self.routine.triggers if self.narrowed is None else self.narrowed

    def apply(self, relations: tuple[Relation, ...]) -> None:
        if self.routine.is_trigger:
            self.narrowed = relations
            self.set_row_images(relations)

    def narrow(self, test: Node, relations: tuple[Relation, ...]) -> tuple[tuple[Relation, ...], tuple[Relation, ...]]:
        """The tables for which a test of TG_TABLE_NAME holds, and those for which it may not."""
        raw = self.text[test.start : test.end]
        names = {m.group(2).decode("utf-8", "replace") for m in self._TABLE_TEST.finditer(raw) if m.group(1) == b"="}
        others = {m.group(2).decode("utf-8", "replace") for m in self._TABLE_TEST.finditer(raw) if m.group(1) != b"="}
        for listed in self._TABLE_LIST.finditer(raw):
            names.update(re.findall(r"'([^']*)'", listed.group(1).decode("utf-8", "replace")))
        lowered = raw.lower()
        if (not names and not others) or b" or " in lowered or b"not" in lowered:
            return relations, relations
        inside = tuple(r for r in relations if (not names or r.name in names) and r.name not in others)
        exact = b" and " not in lowered
        return inside, tuple(r for r in relations if r not in inside) if exact else relations

    # SQL

    def environment(self) -> Environment:
        return Environment(dict(self.variables), frozenset(self.labels), self.conflict)

    def expression(self, node: Node) -> tuple[Visible, ...]:
        """Resolve the SQL of one expression or statement; its result columns, stars unconsumed."""
        start, end = node.start, node.end
        solid = words(self.text, start, end)
        if not solid:
            return ()
        first = self.text[solid[0].start : solid[0].end].lower()
        is_statement = first in STATEMENT_WORDS and solid[0].kind is Kind.WORD
        cuts = (
            self.into_ranges(solid)
            if is_statement and first in (b"select", b"insert", b"update", b"delete", b"with", b"merge")
            else []
        )
        text = self.text
        targets: list[list[Part]] = []
        for cut_start, cut_end, names in cuts:
            text = text[:cut_start] + b" " * (cut_end - cut_start) + text[cut_end:]
            targets = names
        tree = parse(text, start, end, b"" if is_statement else b"SELECT ")
        found = resolve(tree, self.catalog, environment=self.environment(), consume=not targets)
        self.result.merge(found)
        columns = tuple(found.columns)
        if targets:
            self.into(targets, columns)
        return columns

    def into_ranges(self, solid: tuple[Token, ...]) -> list[tuple[int, int, list[list[Part]]]]:
        """`INTO [STRICT] a, r.b` of a statement: the range to blank out, and the targets."""
        depth = 0
        for index, token in enumerate(solid):
            raw = self.text[token.start : token.end].lower()
            depth += (raw in (b"(", b"[")) - (raw in (b")", b"]"))
            if raw == b"into" and depth == 0 and token.kind is Kind.WORD and index:
                before = self.text[solid[index - 1].start : solid[index - 1].end].lower()
                if before in (b"insert", b"merge"):
                    continue
                return [self.into_range(solid, index)]
        return []

    def into_range(self, solid: tuple[Token, ...], index: int) -> tuple[int, int, list[list[Part]]]:
        targets: list[list[Part]] = []
        at = index + 1
        if at < len(solid) and self.text[solid[at].start : solid[at].end].lower() == b"strict":
            at += 1
        end = solid[index].end
        while at < len(solid) and solid[at].kind in (Kind.WORD, Kind.QUOTED):
            names: list[Part] = []
            while at < len(solid) and solid[at].kind in (Kind.WORD, Kind.QUOTED):
                token = solid[at]
                names.append(Part(name_of(self.text[token.start : token.end]), token.start, token.end))
                end = token.end
                at += 1
                if self._is(solid, at, b"."):
                    at += 1
                    continue
                break
            targets.append(names)
            if self._is(solid, at, b"["):
                while at < len(solid) and not self._is(solid, at, b"]"):
                    at += 1
                end = solid[min(at, len(solid) - 1)].end
                at += 1
            if not self._is(solid, at, b","):
                break
            at += 1
        return (solid[index].start, end, targets)

    def _is(self, solid: tuple[Token, ...], at: int, raw: bytes) -> bool:
        return at < len(solid) and self.text[solid[at].start : solid[at].end] == raw

    def into(
        self, targets: list[list[Part]], columns: Iterable[Visible], single: bool = False, loop: bool = False
    ) -> None:
        """Assign a row to variables: a lone record takes its shape, several scalars take it by position."""
        shape = tuple(columns)
        if len(targets) == 1 and len(targets[0]) == 1:
            name = targets[0][0]
            record = self.variables.get(name.name)
            self.label(name, Explanation.VARIABLE, "a PL/pgSQL variable")
            if record is not None and record.relation is None and not single:
                merged = {c.name: c for c in (*record.columns, *shape)} if not loop else {c.name: c for c in shape}
                self.variables[name.name] = replace(record, columns=tuple(merged.values()), known=bool(shape))
                return
            if record is not None and record.relation is not None and not single:
                self.result.consume(shape)
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

    # EXECUTE

    def execute(self, tree: Tree, node: Node) -> None:
        expressions = node.all("sql_expression")
        if expressions:
            self.run_dynamic(expressions[0])
        for expression in expressions[1:]:
            self.expression(expression)
        for target in node.all("into_target"):
            for leaf in target.find("identifier"):
                name = self.part(leaf)
                self.label(name, Explanation.VARIABLE, "a PL/pgSQL variable")
                record = self.variables.get(name.name)
                if record is not None and record.relation is None:
                    self.variables[name.name] = replace(
                        record, known=False, dynamic=True, label="a row of a dynamic query"
                    )

    def run_dynamic(self, node: Node) -> None:
        """What EXECUTE runs: every text that the expression can be."""
        self.expression(node)
        for text in assemble(self.text, node.start, node.end, self.assigned):
            self.dynamic.append((text, Environment(conflict="use_column")))

    # Labels

    def part(self, node: Node) -> Part:
        return Part(name_of(self.text[node.start : node.end]), node.start, node.end)

    def label(self, name: Part, why: Explanation, detail: str) -> None:
        self.result.labels.setdefault(name.start, Label(why, detail, name.end))

    def label_words(self, node: Node, detail: str) -> None:
        for token in self.names_in(node):
            self.label(Part("", token.start, token.end), Explanation.VARIABLE, detail)

    def problem(self, start: int, end: int, reason: str, message: str) -> None:
        self.result.problems.append(Problem(start, end, reason, message))


def sql_statements(text: bytes, start: int, end: int, catalog: Catalog, environment: Environment) -> Resolved:
    """Resolve the statements of a SQL function's string body."""
    merged = Resolved()
    for first, last in cut(text, start, end).statements:
        tree = parse(text, first, last)
        merged.merge(resolve(tree, catalog, environment=environment))
    return merged
