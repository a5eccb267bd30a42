"""Go's string literals as rows of known bytes, and a small lexer for text that the grammar could not read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from legacy_ref_scan.languages.golang.values import Atom, Known, Text

_PART = re.compile(
    rb"\\(?:[abfnrtv\\'\"]|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})|[^\\]+|\\",
    re.DOTALL,
)
_SIMPLE = {
    b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v",
    b"\\": b"\\", b"'": b"'", b'"': b'"',
}  # fmt: skip
_TOKEN = re.compile(
    rb"""(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<raw>`[^`]*(?:`|\Z))
    |(?P<string>"(?:\\[^\n]|[^"\\\n])*+(?:"|\\?(?=\n|\Z)))
    |(?P<rune>'(?:\\.[^'\n]{0,8}|[^'\\\n]{1,4})')
    |(?P<word>(?:[^\W\d]|[\x80-\xff])(?:\w|[\x80-\xff])*)
    |(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)


class Token(NamedTuple):
    """A piece of Go source: kind is "comment", "raw", "string" or "word"."""

    kind: str
    start: int
    end: int

    def ends_in(self, data: bytes) -> bool:
        """Whether the token of a string or comment of `data` has its end."""
        last = {"string": b'"', "raw": b"`"}.get(self.kind, b"*/" if data.startswith(b"/*", self.start) else b"")
        return self.end - self.start > len(last) and data.endswith(last, 0, self.end)


def decode(data: bytes, start: int, end: int, path: str) -> Text:
    """The text of the literal at `start`..`end`, quotes included; a missing closing quote is forgiven.

    Each escape sequence is a piece of its own. Raw strings lose their carriage returns (Go specification, "String
    literals").
    """
    quote = data[start : start + 1]
    stop = end - 1 if end - start > 1 and data[end - 1 : end] == quote else end
    parts = _raw(data, start + 1, stop, path) if quote == b"`" else _interpreted(data, start + 1, stop, path)
    return Text(tuple(parts))


def _raw(data: bytes, start: int, stop: int, path: str) -> Iterator[Atom]:
    at = start
    for part in data[start:stop].split(b"\r"):
        if part:
            yield Known(part, (path, at, at + len(part)))
        at += len(part) + 1


def _interpreted(data: bytes, start: int, stop: int, path: str) -> Iterator[Atom]:
    for match in _PART.finditer(data, start, stop):
        part = match[0]
        yield Known(
            _unescape(part) if len(part) > 1 and part[:1] == b"\\" else part, (path, match.start(), match.end())
        )


def _unescape(escape: bytes) -> bytes:
    body = escape[1:]
    if body in _SIMPLE:
        return _SIMPLE[body]
    if body[:1] == b"x":
        return bytes([int(body[1:], 16)])
    if body[:1] in (b"u", b"U"):
        point = int(body[1:], 16)
        return chr(point).encode("utf-8", "replace") if point <= 0x10FFFF else b"\xef\xbf\xbd"
    return bytes([int(body, 8) & 0xFF])


def tokens(data: bytes, start: int, end: int) -> Iterator[Token]:
    """The comments, strings and words of a stretch of source that may not be well-formed."""
    for match in _TOKEN.finditer(data, start, end):
        if match.lastgroup not in ("other", "rune", None):
            yield Token(str(match.lastgroup), match.start(), match.end())
