"""A statement's syntax tree, from tree-sitter-postgres, in a flat and small shape.

What the grammar stumbles over is repaired on tokens before parsing; every node keeps its place in the text as written.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Parser, TreeCursor
    from tree_sitter import Tree as SyntaxTree

from legacy_ref_scan.sql.body_repair import body_repairs
from legacy_ref_scan.sql.lexer import Kind, tokens
from legacy_ref_scan.sql.repair import Edit, repairs

# Expressions nest by precedence in the grammar; nothing here depends on it, so they become one flat `a_expr`.
_EXPRESSIONS = frozenset({"a_expr", "a_expr_prec", "b_expr", "b_expr_prec", "c_expr"})
# A parenthesised or otherwise composed operand that something is taken from: `(p).c`, `(f(x)).c`.
_SUBSCRIPTS = frozenset({"indirection", "opt_indirection"})
# Lists nest left-recursively, 5,000 levels for 5,000 rows. Any node whose child has its own type is such a list but
# for these, where the nesting is the meaning.
_NESTING = frozenset({"joined_table", "table_ref", "select_with_parens", "select_clause", "simple_select", "ERROR"})


# Keywords that stand for a name (`message`, `type`, `name` are some of PostgreSQL's) are names like all others.
_KEYWORD_NAMES = frozenset(
    {"unreserved_keyword", "col_name_keyword", "type_func_name_keyword", "reserved_keyword", "bare_label_keyword"}
)
# `= ANY (array)` reads as a call, which does no harm, so ANY, ALL and SOME are left out of the words below.
# The grammar lets reserved words slip through as names (`FROM WHERE t`): where one stands for a thing, it misread.
_NAME_HOLDERS = frozenset({"ColId", "name", "type_function_name"})
_RESERVED = frozenset(
    b"""analyse analyze and array as asc asymmetric both case cast check collate column constraint create
    current_catalog current_date current_role current_time current_timestamp current_user default deferrable desc
    distinct do else end except false fetch for foreign from grant group having in initially intersect into lateral
    leading limit localtime localtimestamp not null offset on only or order placing primary references returning select
    session_user symmetric system_user table then to trailing true union unique user using variadic when where
    window with""".split()
)


@dataclass(slots=True, eq=False)
class Node:
    """A node of the flat tree. `type` is the grammar's name (gram.y's), or the text of a punctuation mark.

    `start` and `end` are bytes of the text that was parsed. Leaves have no children.
    """

    type: str
    start: int
    end: int
    children: list[Node] = field(default_factory=list)

    def child(self, *types: str) -> Node | None:
        """The first child of one of the types."""
        for node in self.children:
            if node.type in types:
                return node
        return None

    def all(self, *types: str) -> list[Node]:
        """Every child of one of the types."""
        return [node for node in self.children if node.type in types]

    def has(self, *types: str) -> bool:
        """Whether a child of one of the types is there."""
        return any(node.type in types for node in self.children)

    def walk(self) -> Iterator[Node]:
        """This node and everything under it, in the order of the text."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))

    def find(self, *types: str) -> Iterator[Node]:
        """Every node of one of the types under this one (itself too)."""
        return (node for node in self.walk() if node.type in types)

    def find_own(self, *types: str) -> Iterator[Node]:
        """Every topmost node of one of the types under this one: none inside another."""
        stack = list(reversed(self.children))
        while stack:
            node = stack.pop()
            if node.type in types:
                yield node
            else:
                stack.extend(reversed(node.children))

    def first(self, *types: str) -> Node | None:
        """The first such node in the order of the text."""
        return next(self.find(*types), None)


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed statement. `errors` are the places that the grammar could not read, `root` holds what it could."""

    text: bytes
    root: Node
    errors: tuple[tuple[int, int], ...]
    extent: tuple[int, int]  # what was parsed

    def raw(self, node: Node) -> bytes:
        """The text of a node."""
        return self.text[node.start : node.end]


class TooComplexError(Exception):
    """The parser gave up on a statement: nesting or size beyond its bounds."""


MAX_STATEMENT = 16 * 1024 * 1024
MAX_DEPTH = 60_000  # levels of the grammar; 10,000 parentheses are 50,000
MAX_SECONDS = 20.0  # its recovery from errors can take far more than linear time
_CHUNK = 64 * 1024
_PROSE = 4  # names in a row


def parse(text: bytes, start: int = 0, end: int | None = None, prefix: bytes = b"") -> Tree:
    """Parse one statement, `text[start:end]`; `prefix` (`SELECT ` before an expression) is parsed but not shown.

    Offsets in the tree are offsets into `text`. Raises `TooComplexError`.
    """
    stop = len(text) if end is None else end
    if stop - start > MAX_STATEMENT:
        raise TooComplexError(f"a statement of {stop - start:,} bytes")
    edits = repairs(text, start, stop, expression=bool(prefix))
    source, places = _apply(text, start, stop, edits, prefix)
    return _flatten(text, source, places, "sql", (start, stop))


def parse_whole(text: bytes, prefixes: Sequence[bytes]) -> Tree | None:
    """The tree of a text behind the first prefix with which the grammar reads all of it; None where it never does.

    Raises `TooComplexError`.
    """
    if len(text) > MAX_STATEMENT:
        raise TooComplexError(f"a statement of {len(text):,} bytes")
    edits = cache(lambda expression: repairs(text, 0, len(text), expression))
    for prefix in prefixes:
        source, places = _apply(text, 0, len(text), edits(bool(prefix)), prefix)
        found = _parse(_parser("sql"), source)
        if not found.root_node.has_error:
            tree = _built(text, source, places, found, (0, len(text)))
            if not tree.errors:
                return tree
    return None


def is_prose(text: bytes) -> bool:
    """Whether words stand side by side in a text as they never do in SQL: two names do, but for keywords no more.

    The first of them may belong to what stands before it, such as the name of a parameter.
    """
    run = 0
    for kind, start, end in tokens(text):
        if kind is Kind.WORD:
            run = 0 if text[start:end].lower() in keywords() else run + 1
            if run == _PROSE:
                return True
        elif kind > Kind.COMMENT:
            run = 0
    return False


def parse_plpgsql(text: bytes, start: int, end: int) -> Tree:
    """Parse the body of a PL/pgSQL function; SQL inside is left as `sql_expression` leaves."""
    source, places = _apply(text, start, end, body_repairs(text, start, end), b"")
    return _flatten(text, source, places, "plpgsql", (start, end))


class _Places:
    """Maps offsets of the repaired text back to the text as written."""

    def __init__(self) -> None:
        self.new: list[int] = []
        self.old: list[int] = []
        self.fixed: list[bool] = []  # inside an edit: every offset maps to its start

    def add(self, new: int, old: int, fixed: bool) -> None:
        self.new.append(new)
        self.old.append(old)
        self.fixed.append(fixed)

    def at(self, offset: int, closing: bool = False) -> int:
        index = bisect_right(self.new, offset - closing) - 1
        if index < 0:
            return self.old[0]
        if self.fixed[index]:
            following = self.old[index + 1] if index + 1 < len(self.old) else self.old[index]
            return following if closing else self.old[index]
        return self.old[index] + offset - self.new[index]


def _apply(text: bytes, start: int, stop: int, edits: list[Edit], prefix: bytes) -> tuple[bytes, _Places]:
    places = _Places()
    parts = [prefix]
    size = len(prefix)
    if prefix:
        places.add(0, start, True)
    at = start
    for edit_start, edit_end, replacement in edits:
        places.add(size, at, False)
        parts.append(text[at:edit_start])
        size += edit_start - at
        places.add(size, edit_start, True)
        parts.append(replacement)
        size += len(replacement)
        at = edit_end
    places.add(size, at, False)
    parts.append(text[at:stop])
    return b"".join(parts), places


@cache
def _parser(language: str) -> Parser:
    import tree_sitter
    import tree_sitter_postgres

    grammar = getattr(tree_sitter_postgres, "language_plpgsql" if language == "plpgsql" else "language")()
    return tree_sitter.Parser(tree_sitter.Language(grammar))


@cache
def keywords() -> frozenset[bytes]:
    """The grammar's keywords, in lower case."""
    language = _parser("sql").language
    assert language is not None
    kinds = (language.node_kind_for_id(number) or "" for number in range(language.node_kind_count))
    return frozenset(kind.removeprefix("kw_").encode() for kind in kinds if kind.startswith("kw_"))


def _parse(parser: Parser, source: bytes) -> SyntaxTree:
    """The grammar's tree of a text; a long one within a bound of time."""
    if len(source) <= _CHUNK:
        return parser.parse(source)
    deadline = monotonic() + MAX_SECONDS
    try:
        return parser.parse(
            lambda offset, _: source[offset : offset + _CHUNK],
            progress_callback=lambda _offset, _error: monotonic() > deadline,
        )
    except ValueError:  # what it raises when it is stopped
        parser.reset()
        raise TooComplexError(f"not read within {MAX_SECONDS:.0f} seconds") from None


def _flatten(text: bytes, source: bytes, places: _Places, language: str, extent: tuple[int, int]) -> Tree:
    return _built(text, source, places, _parse(_parser(language), source), extent)


def _built(text: bytes, source: bytes, places: _Places, tree: SyntaxTree, extent: tuple[int, int]) -> Tree:
    errors: list[tuple[int, int]] = []
    root = _Builder(source, places, errors).build(tree.walk())
    return Tree(text, root, tuple(errors), extent)


class _Builder:
    """Walks the grammar's tree once, without recursion, and writes the flat one."""

    def __init__(self, source: bytes, places: _Places, errors: list[tuple[int, int]]) -> None:
        self.source, self.places, self.errors = source, places, errors
        # Rules of the grammar nest deep around one token, so most places come again.
        self.starts: dict[int, int] = {}
        self.ends: dict[int, int] = {}

    def build(self, cursor: TreeCursor) -> Node:
        root = self._node(cursor)
        stack = [root]
        descend = cursor.goto_first_child()
        if not descend:
            return root
        while True:
            node = self._node(cursor)
            if cursor.goto_first_child():
                stack.append(node)
                if len(stack) > MAX_DEPTH:
                    raise TooComplexError("nested too deep")
                continue
            stack[-1].children.append(node)
            if node.type == "identifier" and stack[-1].type in _NAME_HOLDERS:
                self._check_reserved(cursor, node)
            while not cursor.goto_next_sibling():
                done = stack.pop()
                if not stack:
                    return done
                _attach(stack[-1], done)
                cursor.goto_parent()

    def _node(self, cursor: TreeCursor) -> Node:
        found = cursor.node
        assert found is not None
        kind, first, last = found.type, found.start_byte, found.end_byte
        start, end = self.starts.get(first), self.ends.get(last)
        if start is None:
            start = self.starts[first] = self.places.at(first)
        if end is None:
            end = self.ends[last] = self.places.at(last, True)
        if kind == "ERROR" or (first == last and found.is_missing):
            self.errors.append((start, max(end, start)))
        return Node(kind, start, end, [])

    def _check_reserved(self, cursor: TreeCursor, node: Node) -> None:
        found = cursor.node
        assert found is not None
        if self.source[found.start_byte : found.end_byte].lower() in _RESERVED:
            self.errors.append((node.start, node.end))


def _attach(parent: Node, node: Node) -> None:
    """Give a finished node to its parent: spliced in where the nesting says nothing."""
    kind = node.type
    if kind in _KEYWORD_NAMES:
        node.type, node.children = "identifier", []
    elif kind in _EXPRESSIONS:
        if kind == "c_expr" and node.children and node.children[-1].type in _SUBSCRIPTS:
            parent.children.append(node)
            return
        if parent.type in _EXPRESSIONS:
            _splice(parent, node)
            return
        node.type = "a_expr"
    elif kind == parent.type and kind not in _NESTING:
        _splice(parent, node)
        return
    parent.children.append(node)


def _splice(parent: Node, node: Node) -> None:
    """Move children up; the shorter list goes into the longer one, for the nesting may be thousands deep."""
    if len(node.children) > len(parent.children):
        node.children[:0] = parent.children
        parent.children = node.children
    else:
        parent.children.extend(node.children)
