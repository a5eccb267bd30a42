"""JSON with the places of its texts: what a text says, and which bytes of the file say it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from legacy_ref_scan.model import Piece, Span

_TOKEN = re.compile(rb'\s*+(?:("(?:[^"\\]++|\\.)*+")|([{}\[\],:])|([^\s{}\[\],:"]+))', re.DOTALL)
_ESCAPE = re.compile(rb"(?:\\u[dD][89abAB][0-9a-fA-F]{2})?\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)
_SIMPLE = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}


@dataclass(frozen=True, slots=True)
class Text:
    """Bytes `start` to `end` of the file, without the quotes."""

    start: int
    end: int


Value = dict[bytes, "Value"] | list["Value"] | Text | None
"""Numbers and words are None."""


def parse(data: bytes) -> Value:
    """The value that a document holds. Raises ValueError where it is none."""
    root: list[Value] = []
    stack: list[tuple[dict[bytes, Value] | list[Value], bytes]] = [(root, b"")]
    at, key, expects_key = 0, b"", False
    while (match := _TOKEN.match(data, at)) is not None:
        at = match.end()
        text, sign, _ = match.groups()
        top = stack[-1][0]
        if sign in (b"{", b"["):
            child: dict[bytes, Value] | list[Value] = {} if sign == b"{" else []
            _put(top, key, child)
            stack.append((child, key))
            expects_key = sign == b"{"
        elif sign in (b"}", b"]"):
            if len(stack) < 2 or isinstance(top, dict) != (sign == b"}"):
                raise ValueError("brackets that do not match")
            stack.pop()
        elif sign == b",":
            expects_key = isinstance(top, dict)
        elif sign == b":":
            expects_key = False
        elif text is not None and expects_key:
            key = text[1:-1]
        else:
            _put(top, key, Text(match.start(1) + 1, match.end(1) - 1) if text is not None else None)
    if len(stack) != 1 or len(root) != 1 or data[at:].strip():
        raise ValueError("not a JSON document")
    return root[0]


def _put(into: dict[bytes, Value] | list[Value], key: bytes, value: Value) -> None:
    if isinstance(into, dict):
        into[key] = value
    else:
        into.append(value)


def decoded(data: bytes, path: str, text: Text) -> Iterator[tuple[bytes, Span]]:
    """The parts of a text with their places: runs that stand byte for byte, and escapes."""
    at = text.start
    for match in _ESCAPE.finditer(data, text.start, text.end):
        if at < match.start():
            yield data[at : match.start()], Span(path, at, match.start())
        yield _unescaped(match[0]), Span(path, match.start(), match.end())
        at = match.end()
    if at < text.end:
        yield data[at : text.end], Span(path, at, text.end)


def _unescaped(escape: bytes) -> bytes:
    if escape.startswith(b"\\u"):
        units = bytes.fromhex(escape.replace(b"\\u", b"").decode())
        return units.decode("utf-16-be", "replace").encode()
    return _SIMPLE.get(escape[1:], escape[1:])


@dataclass(frozen=True)
class Joined:
    """Texts put together, with a map from their bytes back to the file."""

    text: bytes
    pieces: tuple[Piece, ...]

    def origins(self, start: int, end: int) -> Iterator[Piece]:
        """The pieces of a range, cut to it where they are exact."""
        for piece in self.pieces:
            if piece.start < max(end, start + 1) and piece.end > start:
                first, last = max(start, piece.start), min(max(end, start), piece.end)
                shift = piece.origin.start - piece.start
                exact = piece.end - piece.start == piece.origin.end - piece.origin.start
                origin = Span(piece.origin.path, first + shift, last + shift) if exact else piece.origin
                yield Piece(first, last, origin)

    def part(self, start: int, end: int) -> Joined:
        """A range on its own."""
        pieces = (Piece(piece.start - start, piece.end - start, piece.origin) for piece in self.origins(start, end))
        return Joined(self.text[start:end], tuple(pieces))

    def span(self, span: Span) -> Span:
        """Where a range of the text stands in the file; its begin for what was made up."""
        pieces = list(self.origins(span.start, span.end))
        if not pieces:
            return Span(span.path, 0, 0)
        return Span(span.path, pieces[0].origin.start, max(piece.origin.end for piece in pieces))
