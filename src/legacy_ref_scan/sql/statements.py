"""Cuts SQL text into statements: at semicolons outside quotes, parentheses and SQL-standard bodies.

psql's meta-commands and the data after `COPY … FROM stdin` are no statements; they are returned as skipped ranges.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from legacy_ref_scan.sql.lexer import comment_end

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Cut:
    """`statements` are the ranges of the statements without their semicolons; `skipped` the ranges that are none."""

    statements: tuple[Range, ...]
    skipped: tuple[Range, ...]


_MARK = re.compile(
    rb"""
    [^'"$();/\\\-A-Za-z_\x80-\xff]*+(?:
      (?P<word>[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*+)
    | (?P<string>')
    | (?P<quoted>"[^"]*+(?:"|\Z))
    | (?P<dollar>\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*+)?\$)
    | (?P<line>--[^\n]*+)
    | (?P<block>/\*)
    | (?P<open>\()
    | (?P<close>\))
    | (?P<end>;)
    | (?P<meta>\\[^\n]*+)
    | .
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN_STRING = re.compile(rb"'(?:[^']+|'')*+(?:'|\Z)")
_ESCAPE_STRING = re.compile(rb"'(?:[^'\\]+|\\.|'')*+(?:'|\Z)", re.DOTALL)
_COPY_STDIN = re.compile(rb"\s*copy\b.*\bfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)
_COPY_END = re.compile(rb"^\\\.\r?$", re.MULTILINE)
# Loaders of named queries take what stands between two headers for one query, with or without a semicolon: aiosql,
# anosql, sqlc ("-- name: get_phase"), HugSQL, pugsql ("-- :name get_phase") and simple ones ("-- get_phase --").
_NAMED = rb"--[ \t]*+(?:name[ \t]*+:|:name\b)[ \t]*+[A-Za-z_][^\n]*+"
_BARE = rb"--[ \t]++[A-Za-z_]\w*+[ \t]++--[ \t\r]*+(?=\n|\Z)"
_HEADER = re.compile(rb"(?P<named>" + _NAMED + rb")|" + _BARE)
# A comment like the last form may stand within a statement: it is a header where one begins the file, an empty line
# is before it, and a statement behind it.
_HEADED = re.compile(rb"(?:\s++|(?!" + _BARE + rb")--[^\n]*+)*+" + _BARE)
_VERB = re.compile(rb"(?:\s++|--[^\n]*+)*+(?:select|with|insert|update|delete|merge|call|values|copy)\b", re.IGNORECASE)
_SOLID = re.compile(rb"(?:\s+|--[^\n]*+)*+")


def cut(text: bytes, start: int = 0, end: int | None = None) -> Cut:
    """Cut `text[start:end]`. A statement that is only spaces and comments is left out; a last one needs no `;`."""
    return _Cutter(text, len(text) if end is None else end).run(start)


class _Cutter:
    def __init__(self, text: bytes, stop: int) -> None:
        self.text, self.stop = text, stop
        self.statements: list[Range] = []
        self.skipped: list[Range] = []

    def run(self, start: int) -> Cut:
        text, stop = self.text, self.stop
        at = begin = start
        depth = 0
        body = 0  # depth of BEGIN ATOMIC … END and the CASE … END inside it
        previous = b""
        headed = _HEADED.match(text, start, stop) is not None
        while at < stop:
            found = _MARK.match(text, at, stop)
            if found is None:
                break
            at = found.end()
            kind = found.lastgroup
            if kind == "word":
                word = found.group("word").lower()
                body += _nesting(word, previous, body)
                previous = word
                continue
            if kind == "string":
                at = self._string_end(at - 1, previous)
            elif kind == "dollar":
                at = self._dollar_end(found)
            elif kind == "block":
                at = comment_end(text, at - 2, stop)
            elif kind == "line" and depth == 0 and body == 0 and self._heads_query(found.start("line"), at, headed):
                self._add(begin, found.start("line"))
                begin = found.start("line")
            elif kind == "open":
                depth += 1
            elif kind == "close":
                depth = max(0, depth - 1)
            elif kind == "end" and depth == 0 and body == 0:
                self._add(begin, at - 1)
                begin = at = self._copy_data(begin, at)
            elif kind == "meta" and not self._solid(begin, found.start("meta")):
                self.skipped.append((found.start("meta"), at))
                begin = at
            previous = b""
        self._add(begin, stop)
        return Cut(tuple(self.statements), tuple(self.skipped))

    def _heads_query(self, start: int, end: int, headed: bool) -> bool:
        """Whether a comment is the header of a named query; `headed`: the file begins with one of the bare form."""
        header = _HEADER.match(self.text, start, end)
        line = self.text.rfind(b"\n", 0, start) + 1
        if header is None or self.text[line:start].strip():
            return False
        above = self.text[self.text.rfind(b"\n", 0, max(line - 1, 0)) + 1 : line]
        follows = headed and not above.strip() and _VERB.match(self.text, end, self.stop) is not None
        return bool(header["named"]) or follows

    def _string_end(self, at: int, previous: bytes) -> int:
        escaped = previous == b"e" and self.text[at - 1 : at] in b"eE"
        found = (_ESCAPE_STRING if escaped else _PLAIN_STRING).match(self.text, at, self.stop)
        return found.end() if found else self.stop

    def _dollar_end(self, found: re.Match[bytes]) -> int:
        close = self.text.find(found.group("dollar"), found.end(), self.stop)
        return self.stop if close < 0 else close + len(found.group("dollar"))

    def _add(self, start: int, end: int) -> None:
        if self._solid(start, end):
            self.statements.append((start, end))

    def _solid(self, start: int, end: int) -> bool:
        at = start
        while at < end:
            found = _SOLID.match(self.text, at, end)
            at = found.end() if found else at
            if self.text[at : at + 2] != b"/*" or at >= end:
                break
            at = comment_end(self.text, at, end)
        return at < end

    def _copy_data(self, begin: int, after: int) -> int:
        """Where the next statement begins: behind the data of a `COPY … FROM stdin` that ends just now."""
        if not _COPY_STDIN.match(self.text, begin, after):
            return after
        line = self.text.find(b"\n", after, self.stop)
        if line < 0:
            return after
        end = _COPY_END.search(self.text, line, self.stop)
        if end is None:
            # without the end mark there is no data here: the statement is meant for a driver
            return after
        self.skipped.append((line, end.end()))
        return end.end()


def _nesting(word: bytes, previous: bytes, body: int) -> int:
    if word == b"atomic" and previous == b"begin":
        return 1
    if body and word == b"case":
        return 1
    return -1 if body and word == b"end" else 0
