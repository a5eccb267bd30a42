"""DO blocks: what runs in a straight line is applied, what runs under a condition is applied as *maybe*.

A guard that asks for the very thing that its branch creates or drops is idempotence, and no condition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from legacy_ref_scan.catalog.guards import Guard, guard
from legacy_ref_scan.catalog.loops import rows_of, unrolled
from legacy_ref_scan.catalog.statement import Part, Statement, Text, inside
from legacy_ref_scan.model import HOLE, Fragment, Piece
from legacy_ref_scan.sql.dynamic import DynamicText, assemble
from legacy_ref_scan.sql.lexer import name_of
from legacy_ref_scan.sql.tree import Node, Tree, parse_plpgsql

Apply = Callable[[Part, bool, bool], None]
"""Applies the statements of a part: (part, maybe, guarded)."""


def do_block(statement: Statement, apply: Apply) -> None:
    """DO: walks the block and applies the statements in it."""
    string = next((item.child("Sconst") for item in statement.node.find("dostmt_opt_item") if item.has("Sconst")), None)
    if string is None:
        return
    languages = [statement.raw(n).strip("'").lower() for n in statement.node.find("NonReservedWord_or_Sconst")]
    part = inside(statement.text, string.start, string.end)
    if any(language != "plpgsql" for language in languages):
        statement.gap(statement.node, "catalog-dynamic", "a DO block in a language that is not read here")
        return
    tree = parse_plpgsql(part.text.data, part.start, part.end)
    block = _Block(statement, part.text, tree, apply)
    if tree.errors:
        start, end = tree.errors[0]
        message = "the grammar can't read this DO block"
        statement.gap_at(part.text.span(start, max(end, start + 1)), "catalog-unparsed", message)
    block.run(tree.root, _Under(statement.maybe, None, statement.guarded))


@dataclass(frozen=True, slots=True)
class _Under:
    """The conditions around a statement. `guard` asks about the schema; it makes only what it is about certain."""

    maybe: bool = False
    guard: Guard | None = None
    guarded: bool = False
    unless: bool = False  # in the branch for when the guard does not hold


class _Block:
    def __init__(self, statement: Statement, text: Text, tree: Tree, apply: Apply) -> None:
        self.statement, self.text, self.tree, self.apply = statement, text, tree, apply
        self.assigned: dict[str, list[tuple[int, int]]] = {}
        self.declared: list[Node] = []
        self.changed = False  # a variable has got another value than it was declared with
        self.returned = False  # a RETURN or CONTINUE under a condition: what follows may not run

    def run(self, node: Node, under: _Under) -> None:
        for child in node.children:
            self.statement_node(child, under)

    def statement_node(self, node: Node, under: _Under) -> None:
        kind = node.type
        if kind == "stmt_execsql":
            for sql in node.all("sql_expression"):
                # INTO of a query in PL/pgSQL names variables
                if not _QUERY.match(self.text.data, sql.start, sql.end):
                    self.execute(Part(self.text, sql.start, sql.end), under)
        elif kind == "stmt_dynexecute":
            self.dynamic(node, under)
        elif kind == "stmt_if":
            self.condition(node, under)
        elif kind in ("stmt_for", "stmt_foreach_a") and self.loop(node, under):
            return
        elif kind in _CONDITIONAL:
            self.run(node, replace(under, maybe=True, guard=None))
        elif kind == "pl_block":
            self.block(node, under)
        elif kind in ("stmt_return", "stmt_exit"):
            self.returned = self.returned or under.maybe or under.guard is not None
        elif kind == "stmt_rollback":
            message = "ROLLBACK in a block undoes what it has done since its last COMMIT"
            self.statement.gap_at(self.text.span(0, node.end), "catalog-conditional", message)
        elif kind == "stmt_assign":
            self.assign(node)
        elif kind == "decl_sect":
            self.declared.append(node)
            self.run(node, under)
        elif kind == "decl_statement":
            self.declare(node)
        elif kind not in _LEAVES:
            self.run(node, under)

    def block(self, node: Node, under: _Under) -> None:
        handlers = node.child("exception_sect")
        inner = under
        if handlers is not None:
            caught = set(_conditions(self.text.data, handlers))
            expected = bool(caught) and all(name.startswith(("duplicate_", "undefined_")) for name in caught)
            if expected and not (under.maybe or self.returned):
                self.attempt(node, handlers, under)
                return
            inner = replace(under, guarded=True) if expected else replace(under, maybe=True, guard=None)
        for child in node.children:
            if child is handlers:
                self.run(child, replace(under, maybe=True, guard=None))
            else:
                self.statement_node(child, inner)

    def loop(self, node: Node, under: _Under) -> bool:
        """Go through a loop row by row; False where its rows, or what it does with them, are not known."""
        body, variable = node.child("loop_body"), node.child("for_variable")
        section = body.child("proc_sect") if body is not None else None
        rows = rows_of(self.statement.state, self.text.data, node)
        if self.changed or section is None or variable is None or rows is None or len(rows) > _MAX_ROWS:
            return False
        name = name_of(self.text.data[variable.start : variable.end])
        place = (section.start, section.end)
        texts = [unrolled(self.text, self.declared, name, place, row) for row in rows]
        if not all(text is not None for text in texts):
            return False
        for text in texts:
            if text is not None:
                tree = parse_plpgsql(text.data, 0, len(text.data))
                block = _Block(self.statement, text, tree, self.apply)
                block.run(tree.root, under)
        return True

    def attempt(self, node: Node, handlers: Node, under: _Under) -> None:
        """A block that expects that something is there, or is not: then all of it is undone, and the handler runs."""
        state = self.statement.state
        saved, before = state.save(), len(state.gaps)
        for child in (c for c in node.children if c is not handlers):
            self.statement_node(child, under)
        if all(gap.reason not in _FAILURES for gap in state.gaps[before:]):
            return
        state.restore(saved)
        single = len(handlers.all("proc_exception")) == 1
        self.run(handlers, under if single else replace(under, maybe=True, guard=None))

    def condition(self, node: Node, under: _Under) -> None:
        question = node.child("sql_expression")
        asked = None
        if question is not None:
            asked = guard(self.statement.state, self.text.data, question.start, question.end)
        for child in node.children:
            if child.type == "proc_sect":
                self.run(child, _when(under, asked))
            elif child.type == "else_clause":
                simple = asked is not None and not node.has("elsif_clause")
                self.run(child, replace(_when(under, asked), unless=True) if simple else _when(under, None))
            elif child.type == "elsif_clause":
                self.run(child, _when(under, None))

    def assign(self, node: Node) -> None:
        self.changed = True
        sides = node.all("sql_expression")
        if len(sides) == 2:
            name = self.text.data[sides[0].start : sides[0].end].strip().decode("utf-8", "replace").lower()
            self.assigned.setdefault(name, []).append((sides[1].start, sides[1].end))

    def declare(self, node: Node) -> None:
        name, value = node.child("decl_varname"), next(node.find("sql_expression"), None)
        if name is not None and value is not None:
            text = self.text.data[name.start : name.end].decode("utf-8", "replace").lower()
            self.assigned.setdefault(text, []).append((value.start, value.end))

    def dynamic(self, node: Node, under: _Under) -> None:
        sql = node.child("sql_expression")
        if sql is None:
            return
        texts = _longest_first(assemble(self.text.data, sql.start, sql.end, self.assigned))
        under = replace(under, maybe=True) if len(texts) > 1 else under
        for text in texts:
            if HOLE in text.text:
                if not _harmless(text.text):
                    span = self.text.span(sql.start, sql.end)
                    self.statement.gap_at(span, "catalog-dynamic", "EXECUTE of a text that is not fully known")
            else:
                self.execute(self.part(text), under)

    def part(self, text: DynamicText) -> Part:
        pieces = tuple(Piece(a, b, self.text.span(start, end)) for a, b, start, end in text.pieces)
        fragment = Fragment(text.text, pieces, self.text.span(*text.place))
        return Part(Text(text.text, self.text.path, fragment), 0, len(text.text))

    def execute(self, part: Part, under: _Under) -> None:
        maybe, guarded = under.maybe or self.returned, under.guarded
        asked = under.guard
        if asked is not None and asked.about(part.data):
            if asked.holds is under.unless:
                return  # the catalog answers the guard: this branch does not run
            maybe, guarded = maybe or asked.holds is None, True
        elif asked is not None:
            maybe = True
        self.apply(part, maybe, guarded)


def _longest_first(texts: tuple[DynamicText, ...]) -> tuple[DynamicText, ...]:
    """Texts that a variable grew to: the whole one comes first, for what an unfinished one makes is in its way."""
    grown = any(one is not other and other.text.startswith(one.text) for one in texts for other in texts)
    return tuple(sorted(texts, key=lambda text: -len(text.text))) if grown else texts


def _when(under: _Under, asked: Guard | None) -> _Under:
    if asked is None or under.guard is not None or under.unless:
        return replace(under, maybe=True, guard=None, unless=False)
    return replace(under, guard=asked)


def _conditions(data: bytes, handlers: Node) -> Iterable[str]:
    for condition in handlers.find("proc_condition"):
        yield data[condition.start : condition.end].decode("utf-8", "replace").lower()


# What PostgreSQL would raise.
_FAILURES = frozenset(
    {
        "catalog-duplicate", "catalog-unknown-relation", "catalog-unknown-column", "catalog-unknown-object",
        "catalog-unknown-type",
    }
)  # fmt: skip
_MAX_ROWS = 200
_QUERY = re.compile(rb"\s*(select|with|values)\b", re.IGNORECASE)
_CONDITIONAL = frozenset({"stmt_for", "stmt_foreach_a", "stmt_while", "stmt_loop", "stmt_case"})
_LEAVES = frozenset({"stmt_perform", "stmt_null", "stmt_raise", "stmt_getdiag", "sql_expression", "identifier"})
_CHANGES_DATA = (b"select", b"insert", b"update", b"delete", b"analyze", b"vacuum", b"refresh", b"truncate", b"lock")


def _harmless(text: bytes) -> bool:
    """Whether a text with holes can't change the schema: its first word tells."""
    return text.lstrip().lower().startswith(_CHANGES_DATA)
