"""A statement of a migration on its way into the catalog: its tree, where its text comes from, and what it changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from legacy_ref_scan.catalog.names import Name, dotted
from legacy_ref_scan.catalog.needs import Found, of_expressions, of_query
from legacy_ref_scan.catalog.state import State
from legacy_ref_scan.model import Access, Consumer, Fragment, Gap, Piece, Span
from legacy_ref_scan.schema import ASSUMED, Column, Relation, Use
from legacy_ref_scan.sql.lexer import name_of, string_value
from legacy_ref_scan.sql.results import OutputColumn
from legacy_ref_scan.sql.tree import Node, Tree


@dataclass(frozen=True, slots=True)
class Text:
    """The text that statements are parsed from: a file, or a string literal in one (then `fragment` maps it back)."""

    data: bytes
    path: str
    fragment: Fragment | None = None

    def span(self, start: int, end: int) -> Span:
        """Where bytes of this text stand in the file."""
        if self.fragment is not None:
            return self.fragment.origin(start, end)
        return Span(self.path, start, end)


class Needs(NamedTuple):
    """What an expression or query needs."""

    uses: tuple[Use, ...] = ()
    depends: frozenset[int] = frozenset()
    output: tuple[OutputColumn, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement to apply. `maybe`: under a condition that is not decided; `guarded`: under an existence guard.

    Handlers take a `Statement` and change its `state`.
    """

    state: State
    text: Text
    tree: Tree
    node: Node
    maybe: bool = False
    guarded: bool = False
    added: set[int] = field(default_factory=set)  # offsets of the column definitions that were new

    def at(self, node: Node) -> Statement:
        """The same, for a statement inside this one."""
        return replace(self, node=node)

    def raw(self, node: Node) -> str:
        """The text of a node as written."""
        return self.tree.raw(node).decode("utf-8", "replace")

    @property
    def written(self) -> str:
        """The text of the statement as written."""
        return self.raw(self.node)

    def span(self, node: Node) -> Span:
        """Where a node stands in the file."""
        return self.text.span(node.start, node.end)

    def name(self, node: Node) -> str:
        """The name that a node over one identifier stands for."""
        return name_of(self.tree.raw(node))

    def qualified(self, node: Node | None) -> Name | None:
        """The dotted name of a node."""
        parts = dotted(self.tree.text, node.start, node.end) if node is not None else []
        return parts[-1] if parts else None

    def dotted(self, node: Node) -> list[Name]:
        """Every part of a dotted name."""
        return dotted(self.tree.text, node.start, node.end)

    def string(self, node: Node) -> str:
        """The value of a string constant."""
        return string_value(self.tree.raw(node)).decode("utf-8", "replace")

    def relation(self, node: Node | None) -> Relation | None:
        """The relation that the first qualified name under a node means; a gap and None where there is none."""
        name_node = node.first("qualified_name", "any_name") if node is not None else None
        name = self.qualified(name_node)
        found = self.state.relation(name)
        if found is None and name_node is not None and not self.lenient:
            self.gap(name_node, "catalog-unknown-relation", f'relation "{name}" is not in the catalog')
        return found

    def column(self, parts: list[Name], node: Node) -> tuple[Relation, Column] | None:
        """What `schema.table.column` means; a gap at the node and None where there is none."""
        table, name = parts[-2], parts[-1].name
        relation = self.state.relation(table)
        if relation is None:
            self.gap(node, "catalog-unknown-relation", f'relation "{table}" is not in the catalog')
            return None
        found = relation.column(name)
        if found is None:
            self.unknown_column(node, relation, name)
            return None
        return relation, found

    @property
    def lenient(self) -> bool:
        """Whether unknown names are fine: `IF EXISTS`, or an existence guard around the statement."""
        if self.guarded:
            return True
        children = self.node.children
        return any(a.type == "kw_if" and b.type == "kw_exists" for a, b in pairwise(children))

    def says(self, kind: str) -> bool:
        """Whether a node of a type is anywhere in the statement."""
        return kind in _types(self.node)

    def gap(self, node: Node, reason: str, message: str) -> None:
        """Record that something here could not be applied."""
        self.gap_at(self.span(node), reason, message)

    def gap_at(self, span: Span, reason: str, message: str) -> None:
        """Record that something at a place of the file could not be applied."""
        self.state.gaps.append(Gap(span, reason, message))

    def unknown_column(self, node: Node, relation: Relation, name: str) -> None:
        """Record a column that the relation does not have; one of which not all are known may, unless it is renamed:
        what it had before is then the target's."""
        if not self.lenient and (relation.kind != ASSUMED or self.node.type == "RenameStmt"):
            message = f'column "{name}" of relation "{relation.name}" is not in the catalog'
            self.gap(node, "catalog-unknown-column", message)

    # What expressions and queries need

    def needs_of_query(self, node: Node) -> Needs:
        """The columns that a query or a change of data needs, and its result."""
        return self._needs(of_query(self.tree, self.state, node))

    def needs_in(
        self,
        nodes: Iterable[Node],
        relation: Relation,
        alias: str = "",
        extra: Mapping[str, Relation] | None = None,
    ) -> Needs:
        """The columns that expressions over one relation need."""
        return self._needs(of_expressions(self.tree, self.state, list(nodes), relation, alias, extra or {}))

    def _needs(self, found: Found) -> Needs:
        for start, end, reason, message in found.problems:
            self.state.gaps.append(Gap(self.text.span(start, end), reason, message))
        uses = dict.fromkeys(Use(column, access, self.text.span(a, b)) for column, access, a, b in found.uses)
        depends = found.relations | {use.column[0] for use in uses}
        return Needs(tuple(uses), depends, found.output)

    def column_uses(self, nodes: Iterable[Node], relation: Relation) -> tuple[tuple[int, ...], tuple[Use, ...]]:
        """The attnums and uses of a list of column names; a gap for a name that is not there."""
        attnums, uses = [], []
        for node in nodes:
            column = relation.column(self.name(node))
            if column is None:
                self.unknown_column(node, relation, self.name(node))
                continue
            attnums.append(column.attnum)
            uses.append(Use((relation.oid, column.attnum), Access.READ, self.span(node)))
        return tuple(attnums), tuple(uses)


@lru_cache(maxsize=2)
def _types(node: Node) -> frozenset[str]:
    return frozenset(found.type for found in node.walk())


class Part(NamedTuple):
    """Bytes `start`..`end` of a text."""

    text: Text
    start: int
    end: int

    @property
    def data(self) -> bytes:
        """The bytes themselves."""
        return self.text.data[self.start : self.end]

    def fragment(self, symbol: str, kind: str) -> Fragment:
        """The part as a fragment of the file."""
        site = self.text.span(self.start, self.end)
        pieces = tuple(self._pieces()) if self.text.fragment else (Piece(0, self.end - self.start, site),)
        return Fragment(self.data, pieces, site, symbol=symbol, consumer=Consumer.SQL, kind=kind)

    def _pieces(self) -> Iterator[Piece]:
        fragment = self.text.fragment
        for piece in fragment.pieces if fragment else ():
            start, end = max(piece.start, self.start), min(piece.end, self.end)
            if start < end:
                yield Piece(start - self.start, end - self.start, self.text.span(start, end))


_QUOTES = re.compile(rb"''")
_ESCAPES = re.compile(rb"''|\\.", re.DOTALL)


def inside(text: Text, start: int, end: int) -> Part:
    """What stands inside a string literal: a part of the same text, or where quotes are doubled, a text of its own."""
    raw = text.data[start:end]
    if raw[:1] == b"$":
        tag = raw.index(b"$", 1) + 1
        return Part(text, start + tag, end - tag if raw.endswith(raw[:tag]) else end)
    opening = start + raw.index(b"'") + 1
    closing = end - 1 if raw.endswith(b"'") and end > opening else end
    escapes = _ESCAPES if raw[:1] in b"eE" else _QUOTES
    if escapes.search(text.data, opening, closing) is None:
        return Part(text, opening, closing)
    value = _unescaped(text, opening, closing, escapes, text.span(start, end))
    return Part(value, 0, len(value.data))


def _unescaped(text: Text, start: int, end: int, escapes: re.Pattern[bytes], site: Span) -> Text:
    pieces: list[Piece] = []
    parts: list[bytes] = []
    size = 0

    def add(begin: int, finish: int, value: bytes) -> None:
        nonlocal size
        if value:
            pieces.append(Piece(size, size + len(value), text.span(begin, finish)))
            parts.append(value)
            size += len(value)

    at = start
    for escape in escapes.finditer(text.data, start, end):
        add(at, escape.start(), text.data[at : escape.start()])
        add(escape.start(), escape.end(), string_value(b"E'" + escape.group() + b"'"))
        at = escape.end()
    add(at, end, text.data[at:end])
    fragment = Fragment(b"".join(parts), tuple(pieces), site)
    return Text(fragment.text, text.path, fragment)
