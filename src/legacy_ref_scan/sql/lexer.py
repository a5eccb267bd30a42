"""PostgreSQL's tokens, after src/backend/parser/scan.l, on bytes.

It never fails: what PostgreSQL would refuse (an open quote) becomes a token that runs to the end of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple


class Kind(IntEnum):
    """What a token is."""

    SPACE = 0
    COMMENT = 1
    WORD = 2  # an identifier or a keyword, unquoted
    QUOTED = 3  # "…" and U&"…"
    STRING = 4  # '…', E'…', U&'…', B'…', X'…', N'…'
    DOLLAR = 5  # $tag$…$tag$
    NUMBER = 6
    PARAMETER = 7  # $1, ?, :name, @name, %s, %(name)s
    HOLE = 8
    OTHER = 9  # operators and punctuation


class Token(NamedTuple):
    """Bytes `start`..`end` of the text."""

    kind: Kind
    start: int
    end: int


_WORD = rb"[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*"
_TOKEN = re.compile(
    rb"""
    (?P<SPACE>[ \t\r\n\f\v]+)
  | (?P<COMMENT>--[^\r\n]*|/\*)
  | (?P<QUOTED>(?:[uU]&)?"(?:[^"]+|"")*+(?:"|\Z))
  | (?P<STRING>[eE]'(?:[^'\\]+|\\.|'')*+(?:'|\Z)|(?:[bBxXnN]|[uU]&)?'(?:[^']+|'')*+(?:'|\Z))
  | (?P<WORD>%(word)s)
  | (?P<DOLLAR>\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$)
  | (?P<PARAMETER>\$[0-9]+|:(?=[A-Za-z_])(?<!::)%(word)s|%%s(?![A-Za-z0-9_])|%%\([A-Za-z_0-9]+\)s)
  | (?P<NUMBER>(?:[0-9][0-9A-Za-z_]*\.?|\.[0-9])[0-9A-Za-z_]*(?:(?<=[eE])[+-][0-9]+)?)
  | (?P<HOLE>\x1a)
  | (?P<OTHER>::|[-+*/<>=~!@#%%^&|`?]+|.)
    """
    % {b"word": _WORD},
    re.VERBOSE | re.DOTALL,
)
_CLOSED = re.compile(
    rb"""(?:[uU]&)?"(?:[^"]+|"")*+"|[eE]'(?:[^'\\]+|\\.|'')*+'|(?:[bBxXnN]|[uU]&)?'(?:[^']+|'')*+'""", re.DOTALL
)
_KINDS = {name: Kind[name] for name in Kind.__members__}
_COMMENT_EDGE = re.compile(rb"/\*|\*/")
_OPERATOR_END = re.compile(rb"--|/\*")


def tokens(text: bytes, start: int = 0, end: int | None = None) -> Iterator[Token]:
    """Every token of the text in order, spaces and comments too; their spans tile the text."""
    stop = len(text) if end is None else end
    at = start
    match = _TOKEN.match
    while at < stop:
        found = match(text, at, stop)
        assert found is not None  # OTHER takes any byte
        kind = _KINDS[found.lastgroup]  # type: ignore[index]
        close = found.end()
        if kind is Kind.COMMENT and text[at] == 0x2F:
            close = comment_end(text, at, stop)
        elif kind is Kind.DOLLAR:
            tag = found.group()
            close = text.find(tag, close, stop)
            close = stop if close < 0 else close + len(tag)
        elif kind is Kind.OTHER and close - at > 1:
            close = _operator_end(text, at, close)
        yield Token(kind, at, close)
        at = close


@lru_cache(maxsize=4)
def kept_tokens(text: bytes, start: int, end: int) -> tuple[Token, ...]:
    """All tokens of a statement, which is repaired, parsed and judged in turn: each of these asks for them."""
    return tuple(tokens(text, start, end))


def comment_end(text: bytes, at: int, stop: int) -> int:
    """Comments nest in PostgreSQL."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, at, stop):
        depth += 1 if edge.group() == b"/*" else -1
        if depth == 0:
            return edge.end()
    return stop


def _operator_end(text: bytes, at: int, close: int) -> int:
    """A comment ends an operator: `a <--b` is `<` and a comment."""
    cut = _OPERATOR_END.search(text, at, close)
    return max(cut.start(), at + 1) if cut else close


def unterminated(kind: Kind, raw: bytes) -> bool:
    """Whether a token lacks its end: PostgreSQL refuses the text, and what the token swallowed is not known."""
    if kind is Kind.COMMENT:
        return raw.startswith(b"/*") and comment_end(raw + b" ", 0, len(raw) + 1) > len(raw)
    if kind is Kind.DOLLAR:
        tag = raw[: raw.index(b"$", 1) + 1]
        return len(raw) < 2 * len(tag) or not raw.endswith(tag)
    if kind is Kind.QUOTED or kind is Kind.STRING:
        return not _CLOSED.fullmatch(raw)
    return False


@lru_cache(maxsize=4)
def words(text: bytes, start: int = 0, end: int | None = None) -> tuple[Token, ...]:
    """The tokens without spaces and comments."""
    stop = len(text) if end is None else end
    return tuple([token for token in kept_tokens(text, start, stop) if token.kind > Kind.COMMENT])


_UNICODE = re.compile(r"\\(?:([0-9A-Fa-f]{4})|\+([0-9A-Fa-f]{6})|(\\))")


NAME_BYTES = 63  # NAMEDATALEN - 1


@lru_cache(maxsize=1 << 13)
def name_of(raw: bytes) -> str:
    """The name that an identifier token stands for: folded if unquoted, unescaped if quoted or `U&"…"`, cut to fit."""
    if raw[:1] == b'"':
        name = raw[1:].removesuffix(b'"').replace(b'""', b'"').decode("utf-8", "replace")
    elif raw[:3].lower() == b'u&"':
        inner = raw[3:].removesuffix(b'"').replace(b'""', b'"').decode("utf-8", "replace")
        name = _UNICODE.sub(_unescape, inner)
    else:
        name = raw.decode("utf-8", "replace").translate(_FOLD)
    return name if len(raw) <= NAME_BYTES else _cut(name)


def _cut(name: str) -> str:
    """PostgreSQL cuts every identifier to 63 bytes, at a character's end."""
    return name.encode("utf-8", "replace")[:NAME_BYTES].decode("utf-8", "ignore")


# PostgreSQL folds ASCII letters; others depend on the server's encoding and are left alone with UTF-8.
_FOLD = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def _unescape(match: re.Match[str]) -> str:
    digits = match.group(1) or match.group(2)
    return chr(int(digits, 16)) if digits and int(digits, 16) < 0x110000 else "\\"


_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}


# manual, 4.1.2.2: octal, hexadecimal and Unicode codes, and single characters
_ESCAPED = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)


def _escaped_value(match: re.Match[bytes]) -> bytes:
    octal, byte, short, long, plain = match.groups()
    if plain is not None:
        return _ESCAPES.get(plain, plain)
    if octal or byte:
        return bytes([(int(octal, 8) if octal else int(byte, 16)) & 0xFF])
    code = int(short or long, 16)
    return chr(code).encode("utf-8", "replace") if code < 0x110000 else b"?"


def string_value(raw: bytes) -> bytes:
    """The value of a string token, for comparing; the bytes of the text where they stand for themselves."""
    if raw[:1] == b"$":
        tag = raw[: raw.index(b"$", 1) + 1]
        return raw[len(tag) :].removesuffix(tag)
    quote = raw.index(b"'")
    inner = raw[quote + 1 :].removesuffix(b"'").replace(b"''", b"'")
    if raw[:1] in b"eE" and quote == 1:
        return _ESCAPED.sub(_escaped_value, inner)
    if raw[:2] in (b"U&", b"u&"):
        return _UNICODE.sub(_unescape, inner.decode("utf-8", "replace")).encode("utf-8", "replace")
    return inner
