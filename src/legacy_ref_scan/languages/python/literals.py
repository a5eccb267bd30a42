"""String literals to text: prefixes, quotes and escapes, with the exact origin of each byte."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from legacy_ref_scan.languages.python.text import Part, Run
from legacy_ref_scan.model import Span

_OPENING = re.compile(rb"([a-zA-Z]{0,3})('''|\"\"\"|'|\")")
_ESCAPE = re.compile(
    rb"\\(?:\r?\n|\r|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}\n]*\}|[^\r\n])", re.DOTALL
)
_ESCAPE_OR_BRACE = re.compile(_ESCAPE.pattern + rb"|\{\{|\}\}", re.DOTALL)
_BRACE = re.compile(rb"\{\{|\}\}")
_SIMPLE = {
    b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v",
    b"\\": b"\\", b"'": b"'", b'"': b'"', b"\n": b"", b"\r": b"", b"\r\n": b"",
}  # fmt: skip

ESCAPES = frozenset("abfnrtv")
"""The letters that a backslash makes another character of."""


def opening(data: bytes, start: int) -> tuple[bytes, bytes]:
    """(prefix in lower case, quotes) of the literal at `start`."""
    match = _OPENING.match(data, start)
    if match is None:
        raise ValueError("no string literal")
    return match[1].lower(), match[2]


def literal(data: bytes, span: Span) -> tuple[Part, ...]:
    """The value of the plain literal that stands at `span` of a file's bytes."""
    prefix, quotes = opening(data, span.start)
    start = span.start + len(prefix) + len(quotes)
    return body(data, Span(span.path, start, span.end - len(quotes)), prefix)


def body(data: bytes, span: Span, prefix: bytes) -> tuple[Part, ...]:
    """The value of the text between the quotes; of an f-string, of the text between two expressions."""
    if b"f" in prefix or b"t" in prefix:
        pattern = _BRACE if b"r" in prefix else _ESCAPE_OR_BRACE
    elif b"r" in prefix:
        return tuple(_run(data, span, span.start, span.end))
    else:
        pattern = _ESCAPE
    return tuple(_decode(data, span, pattern, b"b" in prefix))


def _decode(data: bytes, span: Span, pattern: re.Pattern[bytes], octets: bool) -> Iterator[Part]:
    at = span.start
    for match in pattern.finditer(data, span.start, span.end):
        value = match[0][:1] if match[0][0] in b"{}" else _escaped(match[0], octets)
        if value is None:  # an unknown escape stands for itself
            continue
        yield from _run(data, span, at, match.start())
        if value:
            yield Run(value, Span(span.path, match.start(), match.end()))
        at = match.end()
    yield from _run(data, span, at, span.end)


def _run(data: bytes, span: Span, start: int, end: int) -> Iterator[Part]:
    if start < end:
        yield Run(data[start:end], Span(span.path, start, end))


def _escaped(escape: bytes, octets: bool) -> bytes | None:
    rest = escape[1:]
    if rest in _SIMPLE:
        return _SIMPLE[rest]
    kind = rest[:1]
    if kind in b"01234567":
        return _character(int(rest, 8), octets)
    if kind == b"x" and len(rest) == 3:
        return _character(int(rest[1:], 16), octets)
    if octets:
        return None
    if kind in b"uU" and len(rest) > 1:
        return _character(int(rest[1:], 16), octets)
    if kind == b"N" and len(rest) > 1:
        try:
            return unicodedata.lookup(rest[2:-1].decode("utf-8", "replace")).encode()
        except KeyError:
            return None
    return None


def _character(code: int, octets: bool) -> bytes:
    if octets:
        return bytes((code & 0xFF,))
    return chr(code).encode("utf-8", "replace") if code <= 0x10FFFF else b"?"
