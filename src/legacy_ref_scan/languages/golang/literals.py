"""Go's string literals as rows of known bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from legacy_ref_scan.languages.golang.values import Atom, Known, Text

_PART = re.compile(
    rb"\\(?:[abfnrtv\\'\"]|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})|[^\\]+|\\",
    re.DOTALL,
)
_SIMPLE = {
    b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v",
    b"\\": b"\\", b"'": b"'", b'"': b'"',
}  # fmt: skip


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
