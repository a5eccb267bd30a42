"""SQL text that is put together from pieces of a Python file, each of which knows where it stands there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from warnings import catch_warnings, simplefilter

from legacy_ref_scan.model import Consumer, Fragment, Piece, Span

Sql = tuple[tuple[str, Span | None], ...]
"""Pieces of text with their origins; None for what no place of the file says."""

_QUOTE = re.compile(rb"([A-Za-z]{0,2})(\"\"\"|'''|\"|')")
_BETWEEN = re.compile(rb"(?:[\s()+\\]|#[^\n]*)*")


class Text(str):
    """A string of a Python program, with the places that its parts come from."""

    __slots__ = ("parts",)
    parts: Sql

    @classmethod
    def of(cls, parts: Iterable[tuple[str, Span | None]]) -> Text:
        """The text that pieces make."""
        listed = tuple(parts)
        text = cls("".join(value for value, _ in listed))
        text.parts = listed
        return text

    @property
    def origin(self) -> Span | None:
        """From the first to the last place."""
        spans = [span for _, span in self.parts if span is not None]
        return Span(spans[0].path, min(s.start for s in spans), max(s.end for s in spans)) if spans else None


def sql(*items: str | Sql) -> Sql:
    """Text and pieces one after the other; a `Text` is taken as it is, and keeps its places."""
    pieces: list[tuple[str, Span | None]] = []
    for item in items:
        if isinstance(item, Text):
            pieces.extend(item.parts)
        elif isinstance(item, str):
            pieces.append((item, None))
        else:
            pieces.extend(item)
    return tuple(pieces)


def joined(separator: str, items: Iterable[Sql]) -> Sql:
    """The items with a separator between them."""
    pieces: list[tuple[str, Span | None]] = []
    for item in items:
        if pieces:
            pieces.append((separator, None))
        pieces.extend(item)
    return tuple(pieces)


def name(value: str, schema: str | None = None) -> Sql:
    """A quoted name. Between its quotes it matches the Python literal that it comes from, byte for byte."""
    origin = value.origin if isinstance(value, Text) else None
    quoted: Sql = (('"' + value.replace('"', '""') + '"', origin),)
    return quoted if schema is None else sql(name(schema), ".", quoted)


def names(values: Iterable[str]) -> Sql:
    """Quoted names in a list."""
    return joined(", ", map(name, values))


def literal(value: str) -> Sql:
    """A string constant."""
    return (("'" + value.replace("'", "''") + "'", value.origin if isinstance(value, Text) else None),)


def fragment(statements: Iterable[Sql], site: Span) -> Fragment:
    """The statements as one text; what has no place of its own belongs to the site."""
    data = bytearray()
    pieces: list[Piece] = []
    for statement in statements:
        for value, span in (*statement, (";\n", None)):
            start = len(data)
            data += value.encode("utf-8", "surrogateescape")
            if span is not None and len(data) > start:
                pieces.append(Piece(start, len(data), span))
    return Fragment(bytes(data), tuple(pieces), site, consumer=Consumer.SQL, kind="python-migration")


def constant(data: bytes, node: ast.Constant, span: Span) -> Text:
    """The string of a literal, or of several side by side: without escapes in them they map byte for byte."""
    value = str(node.value)
    parts = list(_tokens(data, span))
    if "".join(part for part, _ in parts) != value or (len(parts) == 1 and _is_name(value)):
        return Text.of([(value, span)])
    return Text.of(parts)


def _is_name(value: str) -> bool:
    """Names are quoted in SQL as they are in Python: their place is that of the literal with its quotes."""
    return len(value) < 64 and not re.search(r"\s", value)


def _tokens(data: bytes, span: Span) -> Iterator[tuple[str, Span | None]]:
    at = span.start
    while at < span.end:
        between = _BETWEEN.match(data, at, span.end)
        at = between.end() if between else at
        opening = _QUOTE.match(data, at, span.end)
        if opening is None:
            return
        raw = b"r" in opening.group(1).lower()
        end = _end(data, opening.end(), span.end, opening.group(2))
        body = data[opening.end() : end - len(opening.group(2))]
        if raw or b"\\" not in body:
            yield body.decode("utf-8", "replace"), Span(span.path, opening.end(), end - len(opening.group(2)))
        else:
            yield _unescaped(data[at:end]), Span(span.path, at, end)
        at = end


def _unescaped(token: bytes) -> str:
    with catch_warnings():
        simplefilter("ignore")  # of escapes that a later Python refuses
        return str(ast.literal_eval(token.decode("utf-8", "replace")))


def _end(data: bytes, at: int, stop: int, quote: bytes) -> int:
    while at < stop:
        if data[at : at + 1] == b"\\":
            at += 2
        elif data.startswith(quote, at):
            return at + len(quote)
        else:
            at += 1
    return stop
