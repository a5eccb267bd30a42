"""Repairs on tokens before the PL/pgSQL grammar reads a body: forms that PostgreSQL takes and the grammar does not.

As in `repair`, each replaces a range, and the parser keeps the map. SQL inside a body is read on its own later.
"""

from __future__ import annotations

from collections.abc import Iterator

from legacy_ref_scan.sql.lexer import Kind, Token, tokens
from legacy_ref_scan.sql.repair import Edit

_NAME = b"__name__"
_BEFORE_STATEMENT = frozenset({b"", b";", b"begin", b"then", b"else", b"loop"})
_NAMES = (Kind.WORD, Kind.QUOTED)


def body_repairs(text: bytes, start: int, end: int) -> list[Edit]:
    """The edits that make the body `text[start:end]` readable, in order, not overlapping."""
    solid: list[Token] = []
    edits: list[Edit] = []
    for token in tokens(text, start, end):
        if token.kind > Kind.COMMENT:
            solid.append(token)
        elif token.kind is Kind.COMMENT and text.find(b"/*", token.start + 2, token.end) >= 0:
            edits.append((token.start, token.end, b" "))  # a nested comment
    edits.extend(_BodyRepairer(text, solid).run())
    return _apart(edits)


def _apart(edits: list[Edit]) -> list[Edit]:
    """In order; of edits that overlap, the one that begins first, for it is the larger one."""
    kept: list[Edit] = []
    for edit in sorted(edits, key=lambda item: (item[0], -item[1])):
        if not kept or edit[0] >= kept[-1][1]:
            kept.append(edit)
    return kept


class _BodyRepairer:
    def __init__(self, text: bytes, solid: list[Token]) -> None:
        self.text, self.solid = text, solid

    def raw(self, index: int) -> bytes:
        if not 0 <= index < len(self.solid):
            return b""
        token = self.solid[index]
        return self.text[token.start : token.end].lower()

    def run(self) -> Iterator[Edit]:
        declaring = False
        for index, token in enumerate(self.solid):
            if token.kind is Kind.WORD:
                word = self.raw(index)
                declaring = word == b"declare" or (declaring and word != b"begin")
                if declaring and word == b"collate" and self.kind(index + 1) in _NAMES:
                    yield token.start, self.solid[index + 1].end, b""
                yield from self.of_word(index, word)
            elif token.kind is Kind.QUOTED:  # as the name of a type
                yield token.start, token.end, _NAME
            elif token.kind is Kind.STRING and self.raw(index)[:1] == b"e":  # a quote behind a backslash ends it
                yield token.start, token.end, b"''"
            elif self.raw(index) == b"%":
                yield from self.array_of_type(index)

    def of_word(self, index: int, word: bytes) -> Iterator[Edit]:
        if word == b"into":
            yield from self.targets(index + 1 + (self.raw(index + 1) == b"strict"))
        elif word in (b"for", b"foreach"):
            yield from self.targets(index + 1, before=(b"in", b"slice"))
        elif word == b"diagnostics":
            yield from self.fields(index + 1)
        elif word in (b"fetch", b"move") and self.raw(index - 1) in _BEFORE_STATEMENT:
            yield from self.direction(index, word)

    def kind(self, index: int) -> Kind | None:
        return self.solid[index].kind if 0 <= index < len(self.solid) else None

    def name_end(self, index: int) -> int:
        """The index behind a dotted name."""
        while self.kind(index) in _NAMES and self.raw(index + 1) == b"." and self.kind(index + 2) in _NAMES:
            index += 2
        return index + 1

    def targets(self, index: int, before: tuple[bytes, ...] = ()) -> Iterator[Edit]:
        """`r.a, b` as the targets of an assignment: the grammar wants names without fields."""
        edits: list[Edit] = []
        while self.kind(index) in _NAMES:
            behind = self.name_end(index)
            if behind > index + 1:
                edits.append((self.solid[index].start, self.solid[behind - 1].end, _NAME))
            index = behind
            if self.raw(index) != b",":
                break
            index += 1
        if not before or self.raw(index) in before:
            yield from edits

    def fields(self, index: int) -> Iterator[Edit]:
        """`GET DIAGNOSTICS r.a = …, r.b = …`."""
        while self.raw(index) not in (b"", b";"):
            behind = self.name_end(index)
            if behind > index + 1:
                yield self.solid[index].start, self.solid[behind - 1].end, _NAME
            index = behind

    def direction(self, index: int, word: bytes) -> Iterator[Edit]:
        """`FETCH LAST IN c` and all of MOVE, which only moves a cursor."""
        at = index + 1
        while self.raw(at) not in (b"", b";"):
            if word == b"fetch" and self.raw(at) == b"in":
                yield self.solid[at].start, self.solid[at].end, b"FROM"
            at += 1
        if word == b"move":
            yield self.solid[index].start, self.solid[at - 1].end, b"NULL"

    def array_of_type(self, index: int) -> Iterator[Edit]:
        """`t.c%TYPE[]`."""
        at = index + 2
        if self.raw(index + 1) not in (b"type", b"rowtype") or self.raw(at) not in (b"[", b"array"):
            return
        while self.raw(at + 1) in (b"[", b"]") or self.kind(at + 1) is Kind.NUMBER:
            at += 1
        yield self.solid[index + 2].start, self.solid[at].end, b""
