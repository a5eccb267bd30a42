"""PL/pgSQL bodies: declarations, records, NEW and OLD, and the SQL in every statement.

Every SQL expression of the body is resolved with the variables around it; what `EXECUTE` runs is put together from
literals, `format()` and `||` as far as it is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from legacy_ref_scan.model import Access, Explanation
from legacy_ref_scan.schema import Catalog, Relation
from legacy_ref_scan.sql.dynamic import DynamicText, assemble, elements
from legacy_ref_scan.sql.into import into_ranges
from legacy_ref_scan.sql.lexer import Kind, name_of, words
from legacy_ref_scan.sql.names import Part
from legacy_ref_scan.sql.records import State, joined
from legacy_ref_scan.sql.resolve import resolve
from legacy_ref_scan.sql.results import Resolved
from legacy_ref_scan.sql.scope import Environment, RangeVariable, Visible, relation_of_type
from legacy_ref_scan.sql.tree import Node, Tree, parse, parse_plpgsql
from legacy_ref_scan.sql.variables import Routine, Variables

STATEMENT_WORDS = frozenset(
    {
        b"select", b"with", b"insert", b"update", b"delete", b"merge", b"values", b"table", b"create", b"alter",
        b"drop", b"truncate", b"comment", b"grant", b"revoke", b"copy", b"lock", b"set", b"refresh", b"analyze",
        b"vacuum", b"notify", b"listen", b"do", b"call", b"explain", b"declare", b"prepare", b"reindex", b"cluster",
        b"reset", b"show", b"execute", b"security", b"import", b"discard", b"deallocate", b"begin", b"commit",
    }
)  # fmt: skip
_CONFLICT = re.compile(rb"#\s*variable_conflict\s+(error|use_variable|use_column)", re.IGNORECASE)


@dataclass(slots=True)
class Body:
    """A resolved body: offsets are into the text that was given. `dynamic` are the texts that EXECUTE runs.

    `read` is false where the grammar could not read the body as a whole. `expressions` are the places of its SQL,
    `assigned` the expressions that a scalar variable gets.
    """

    result: Resolved
    dynamic: list[tuple[DynamicText, Environment]]
    read: bool = True
    expressions: tuple[tuple[int, int], ...] = ()
    assigned: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)


def resolve_body(text: bytes, start: int, end: int, catalog: Catalog, routine: Routine) -> Body:
    """Resolve `text[start:end]`, the body of a PL/pgSQL function or DO block."""
    return _BodyResolver(text, catalog, routine).run(start, end)


class _BodyResolver(Variables):
    def __init__(self, text: bytes, catalog: Catalog, routine: Routine) -> None:
        super().__init__(text, catalog, routine)
        self.dynamic: list[tuple[DynamicText, Environment]] = []
        self.assigned: dict[str, list[tuple[int, int]]] = {}  # the expressions assigned to a scalar
        self.sql: list[tuple[int, int]] = []  # the places of expressions and statements
        self.conflict = "error"
        self.narrowed: tuple[Relation, ...] | None = None

    def run(self, start: int, end: int) -> Body:
        tree = parse_plpgsql(self.text, start, end)
        found = _CONFLICT.search(self.text, start, end)
        self.conflict = found.group(1).decode().lower() if found else "error"
        self.declare_arguments()
        for node in tree.root.walk():
            if node.type in ("block_label", "loop_label"):
                self.name_block(node)
            elif node.type == "stmt_assign":
                self.remember_assignment(node.all("sql_expression"))
            elif node.type == "stmt_foreach_a":
                self.remember_elements(node)
            elif node.type == "decl_statement":
                self.remember_assignment([n for n in node.children if n.type in ("decl_varname", "decl_defval")])
        self.block(tree, tree.root)
        if tree.errors:
            self.result.unread.append(tree.extent)
        expressions = tuple(dict.fromkeys(self.sql))
        return Body(self.result, self.dynamic, not tree.errors, expressions, self.assigned)

    # Statements

    def block(self, tree: Tree, node: Node) -> None:
        """Statements in order, so that a record has the columns that were assigned before."""
        for child in node.children:
            handler = {
                "pl_block": self.scope,
                "stmt_assign": self.assign,
                "stmt_dynexecute": self.execute,
                "stmt_for": self.for_loop,
                "stmt_if": self.branch,
                "stmt_case": self.case,
                "stmt_while": self.repeat,
                "loop_body": self.repeat,
                "stmt_execsql": self.sql_statement,
                "stmt_return": self.return_statement,
                "stmt_open": self.open_cursor,
                "decl_statement": self.declaration,
                "stmt_fetch": self.fetch,
                "stmt_getdiag": self.get_diagnostics,
                "stmt_foreach_a": self.for_each,
            }.get(child.type)
            if handler is not None:
                handler(tree, child)
            elif child.type == "sql_expression":
                self.expression(child)
            elif child.children:
                self.block(tree, child)
            elif child.type in ("identifier", "any_identifier"):
                self.label(self.part(child), Explanation.VARIABLE, "a PL/pgSQL name")

    def scope(self, tree: Tree, node: Node) -> None:
        """A block: what it declares hides what is around it, and ends with it."""
        handlers = [handler for part in node.all("exception_sect") for handler in part.all("proc_exception")]
        body = Node("x", node.start, node.end, [child for child in node.children if child.type != "exception_sect"])
        with self.block_of_variables():
            reached = self.reached(tree, body) if handlers else {}
            self.block(tree, body)
            normal = self.variables
            self.variables = joined(normal, reached)
            ways = [self.way(tree, handler) for handler in handlers]
            self.variables = joined(normal, *ways)

    def way(self, tree: Tree, node: Node) -> State:
        """Statements that do not always run; what the variables are after them."""
        before = self.variables
        if not self.gathering:
            self.variables = dict(before)
        self.block(tree, node)
        after, self.variables = self.variables, before
        return after

    def reached(self, tree: Tree, node: Node) -> State:
        """What the variables may be at any place of some statements, which are gone through once for it."""
        if self.gathering or not any(
            record is not None and record.relation is None for record in self.variables.values()
        ):
            return {}
        kept = self.result, self.dynamic, self.variables, self.hidden, self.narrowed
        self.result, self.dynamic = Resolved(), []
        self.variables, self.hidden, self.gathering = dict(self.variables), dict(self.hidden), True
        self.block(tree, node)
        reached, self.gathering = self.variables, False
        self.result, self.dynamic, self.variables, self.hidden, self.narrowed = kept
        return reached

    def repeat(self, tree: Tree, node: Node) -> None:
        """A loop begins again with what it did, and ends anywhere."""
        reached = self.reached(tree, node)
        self.variables = joined(self.variables, reached)
        self.block(tree, node)
        self.variables = joined(self.variables, reached)

    def case(self, tree: Tree, node: Node) -> None:
        """CASE: each of its branches begins with what was before."""
        ways = []
        for child in node.children:
            if child.type in ("case_when", "proc_sect"):
                ways.append(self.way(tree, child))
            else:
                self.block(tree, Node("x", child.start, child.end, [child]))
        self.variables = joined(self.variables, *ways)

    def declaration(self, tree: Tree, node: Node) -> None:
        self.declare(tree, node)
        if node.has("kw_alias"):
            self.declare_alias(node)
        columns: tuple[Visible, ...] = ()
        for expression in node.find("sql_expression"):
            columns = self.expression(expression, consume=not node.has("kw_cursor"))
        name_node = node.child("decl_varname")
        first = node.child("decl_defval")
        value = first.first("sql_expression") if first is not None else None
        if value is not None and name_node is not None:
            self.take_row(self.part(name_node).name, self.row_of_value(value, columns))
        if node.has("kw_cursor") and name_node is not None:
            cursor = "\0cursor " + self.part(name_node).name
            self.hide(cursor)
            self.variables[cursor] = RangeVariable("", columns)

    def sql_statement(self, tree: Tree, node: Node) -> None:
        expression = node.child("sql_expression")
        if expression is not None:
            self.expression(expression)
        for child in node.children:
            if child is not expression and child.children:
                self.block(tree, child)

    def return_statement(self, tree: Tree, node: Node) -> None:
        """RETURN NEW hands the row on: no use of its columns where the result has the table's own row type."""
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
                self.hand_on(expression)
                continue
            columns = self.expression(expression)
            declared = relation_of_type(self.catalog, self.routine.returns) if self.routine.returns else None
            if declared is not None:
                given = columns if node.has("kw_query") else self.row_in_parentheses(expression)
                self.result.take_by_position(given, declared, (expression.start, expression.start + 1))

    def row_in_parentheses(self, node: Node) -> tuple[Visible, ...]:
        """The elements of `(a, b)` or `ROW(a, b)`; nothing for any other expression."""
        raws = [self.text[token.start : token.end].lower() for token in words(self.text, node.start, node.end)]
        inner = raws[1:] if raws[:1] == [b"row"] else raws
        if inner[:1] != [b"("]:
            return ()
        depth, commas = 0, 0
        for index, raw in enumerate(inner):
            depth += (raw == b"(") - (raw == b")")
            commas += raw == b"," and depth == 1
            if depth == 0 and index + 1 < len(inner):
                return ()
        return tuple(Visible("") for _ in range(commas + 1))

    def hand_on(self, node: Node) -> None:
        """A row that becomes the result: whoever calls the function takes it apart by position, but for the row type
        of the table, which loses the column as the row does."""
        row = self.variables.get(name_of(self.text[node.start : node.end].strip()))
        if row is None or self.routine.is_trigger or not self.routine.returns:
            return
        declared = relation_of_type(self.catalog, self.routine.returns)
        origins = {oid for column in row.columns for oid, _ in column.origins}
        if declared is not None and origins == {declared.oid}:
            return
        for column in row.columns:
            if column.own is not None:
                self.result.use(column, Access.STAR, (node.start, node.end))
        self.result.consume(row.columns)

    def open_cursor(self, tree: Tree, node: Node) -> None:
        expressions = node.all("sql_expression")
        cursor = node.child("any_identifier")
        if node.has("kw_execute") and expressions:
            self.run_dynamic(expressions[0])
            expressions = expressions[1:]
        columns: tuple[Visible, ...] = ()
        for expression in expressions:
            columns = self.expression(expression, consume=False)
        if cursor is None:
            return
        self.label(self.part(cursor), Explanation.VARIABLE, "a cursor")
        if node.has("kw_for"):  # else it has its query since it was declared
            known = not node.has("kw_execute")
            rows = RangeVariable("", columns if known else (), known=known, dynamic=not known)
            self.put("\0cursor " + self.part(cursor).name, rows)

    def fetch(self, tree: Tree, node: Node) -> None:
        """A row of a cursor, which may have been opened elsewhere."""
        cursor = node.child("any_identifier")
        if cursor is None:
            return
        name = self.part(cursor)
        self.label(name, Explanation.VARIABLE, "a cursor")
        rows = self.variables.get("\0cursor " + name.name)
        targets = self.targets(node, "into_target")
        if rows is not None and not rows.dynamic:
            self.into(targets, rows.columns)
            return
        for names in targets:
            self.assign_dynamic(names, "a row of a cursor whose query is not known")

    def targets(self, node: Node, *types: str) -> list[list[Part]]:
        """The names that rows are assigned to, each with its fields."""
        leaves = (leaf for child in node.all(*types) for leaf in child.find("identifier"))
        return [self.parts(leaf) for leaf in leaves]

    def parts(self, node: Node) -> list[Part]:
        return [Part(name_of(self.text[t.start : t.end]), t.start, t.end) for t in self.names_in(node)]

    def get_diagnostics(self, tree: Tree, node: Node) -> None:
        for item in node.all("getdiag_list_item"):
            for names in self.targets(item, "any_identifier"):
                self.assign_name(names)

    def for_each(self, tree: Tree, node: Node) -> None:
        for names in self.targets(node, "for_variable"):
            self.assign_name(names)
        for child in node.children:
            if child.type != "for_variable":
                self.block(tree, Node("x", child.start, child.end, [child]))

    def assign(self, tree: Tree, node: Node) -> None:
        expressions = node.all("sql_expression")
        if not expressions:
            return
        values: tuple[Visible, ...] = ()
        for expression in expressions[1:]:
            values = self.expression(expression)
        self.assign_path(self.path(expressions[0]), values, expressions[-1])

    def path(self, node: Node) -> list[Part]:
        """`a.b[i].c` without the subscripts, which are expressions of their own."""
        names: list[Part] = []
        depth = start = 0
        for token in words(self.text, node.start, node.end):
            raw = self.text[token.start : token.end]
            if raw == b"[" and depth == 0:
                start = token.end
            depth += (raw == b"[") - (raw == b"]")
            if raw == b"]" and depth == 0:
                self.expression(Node("x", start, token.start, []))
            elif depth == 0 and token.kind in (Kind.WORD, Kind.QUOTED):
                names.append(Part(name_of(raw), token.start, token.end))
        return names

    def remember_assignment(self, sides: list[Node]) -> None:
        """A variable's name and what it gets."""
        names = self.names_in(sides[0]) if sides else []
        value = sides[1].first("sql_expression") if len(sides) > 1 else None
        if len(names) == 1 and value is not None:
            name = name_of(self.text[names[0].start : names[0].end])
            self.assigned.setdefault(name, []).append((value.start, value.end))

    def remember_elements(self, node: Node) -> None:
        """FOREACH's variable gets each element of `ARRAY[…]`."""
        names = self.targets(node, "for_variable")
        array = node.child("sql_expression")
        if array is not None and len(names) == 1 and len(names[0]) == 1:
            for element in elements(self.text, array.start, array.end):
                self.assigned.setdefault(names[0][0].name, []).append(element)

    def for_loop(self, tree: Tree, node: Node) -> None:
        with self.block_of_variables():
            targets = self.targets(node, "for_variable")
            query = node.child("for_query", "for_dynamic", "for_integer_range", "for_cursor")
            columns = self.loop_columns(query)
            if query is not None and query.type == "for_dynamic":
                for names in targets:
                    self.assign_dynamic(names, "a row of a dynamic query")
            elif query is not None and query.type == "for_integer_range":  # which declares its variable
                for names in targets:
                    self.label(names[0], Explanation.VARIABLE, "a loop's variable")
                    self.hide(names[0].name)
                    self.variables[names[0].name] = None
            else:
                self.into(targets, columns)
            for child in node.children:
                if child is not query and child.type != "for_variable":
                    self.block(tree, Node("x", child.start, child.end, [child]))

    def loop_columns(self, query: Node | None) -> tuple[Visible, ...]:
        """The columns of the rows that a loop runs over."""
        columns: tuple[Visible, ...] = ()
        for index, expression in enumerate(query.all("sql_expression") if query else ()):
            raw = name_of(self.text[expression.start : expression.end].strip().split(b"(")[0].strip())
            cursor = self.variables.get("\0cursor " + raw)
            if query is not None and query.type == "for_dynamic" and index == 0:
                self.run_dynamic(expression)
            elif cursor is not None:
                self.label_words(expression, "a cursor")
                columns = cursor.columns
            else:
                columns = self.expression(expression, consume=False)
        return columns

    _TABLE_TEST = re.compile(rb"\bTG_(?:TABLE_NAME|RELNAME)\s*(=|<>|!=)\s*'([^']*)'", re.IGNORECASE)
    _TABLE_LIST = re.compile(rb"\bTG_(?:TABLE_NAME|RELNAME)\s+IN\s*\(([^)]*)\)", re.IGNORECASE)

    def branch(self, tree: Tree, node: Node) -> None:
        """IF: a test of TG_TABLE_NAME narrows the tables that NEW and OLD stand for, and the rest for ELSE."""
        before = self.narrowed
        remaining = self.trigger_relations()
        ways = []
        for child in [*node.children]:
            if child.type == "sql_expression":
                self.expression(child)
                inside, remaining = self.narrow(child, remaining)
                self.apply(inside)
            elif child.type == "proc_sect":
                ways.append(self.way(tree, Node("x", child.start, child.end, [child])))
                self.apply(remaining)
            elif child.type == "elsif_clause":
                self.apply(remaining)
                test = child.child("sql_expression")
                if test is not None:
                    self.expression(test)
                    inside, remaining = self.narrow(test, remaining)
                    self.apply(inside)
                for part_of in child.all("proc_sect"):
                    ways.append(self.way(tree, Node("x", part_of.start, part_of.end, [part_of])))
            elif child.type == "else_clause":
                self.apply(remaining)
                ways.append(self.way(tree, child))
        if node.child("else_clause") is not None:  # one of them has run
            self.variables = joined(ways[0], *ways[1:]) if ways else self.variables
        else:
            self.variables = joined(self.variables, *ways)
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

    def expression(self, node: Node, consume: bool = True) -> tuple[Visible, ...]:
        """Resolve the SQL of one expression or statement; its result columns.

        `consume` says that the row is used as it comes: without it a record takes it, field by field.
        """
        start, end = node.start, node.end
        solid = words(self.text, start, end)
        if not solid:
            return ()
        self.sql.append((start, end))
        first = self.text[solid[0].start : solid[0].end].lower()
        is_statement = first in STATEMENT_WORDS and solid[0].kind is Kind.WORD
        cuts = (
            into_ranges(self.text, solid)
            if is_statement and first in (b"select", b"insert", b"update", b"delete", b"with", b"merge")
            else []
        )
        text = self.text
        targets: list[list[Part]] = []
        for cut_start, cut_end, names in cuts:
            text = text[:cut_start] + b" " * (cut_end - cut_start) + text[cut_end:]
            targets = names
        tree = parse(text, start, end, b"" if is_statement else b"SELECT ")
        found = resolve(tree, self.catalog, environment=self.environment(), consume=consume and not targets)
        self.result.merge(found)
        columns = tuple(found.columns)
        if targets:
            self.into(targets, columns)
        return columns

    # EXECUTE

    def execute(self, tree: Tree, node: Node) -> None:
        expressions = node.all("sql_expression")
        if expressions:
            self.run_dynamic(expressions[0])
        for expression in expressions[1:]:
            self.expression(expression)
        for names in self.targets(node, "into_target"):
            self.assign_dynamic(names, "a row of a dynamic query")

    def run_dynamic(self, node: Node) -> None:
        """What EXECUTE runs: every text that the expression can be."""
        self.expression(node)
        for text in assemble(self.text, node.start, node.end, self.assigned):
            self.dynamic.append((text, Environment(conflict="use_column")))
