"""Literals and types as people write them in DDL."""

from __future__ import annotations

import re
from collections.abc import Callable

# Types that are spelled in capitals, as people write DDL. A type that is not all of these words stays as it is.
_TYPE_WORD = re.compile(
    r"""bigint|bigserial|bit|boolean|box|bytea|char|character|cidr|circle|cube|date|daterange|decimal|double|float|
    float4|float8|inet|int|int2|int4|int4range|int8|int8range|integer|interval|json|jsonb|jsonpath|line|lseg|macaddr|
    money|numeric|numrange|path|point|polygon|precision|real|serial|smallint|smallserial|text|time|timestamp|
    timestamptz|timetz|tsquery|tsrange|tstzrange|tsvector|uuid|varbit|varchar|varying|with|without|xml|zone""",
    re.VERBOSE,
)
_TYPE_REST = re.compile(r"\([0-9, ]*\)|\[[0-9]*\]")


def literal(text: str) -> str:
    """A string literal that means the same with and without `standard_conforming_strings`."""
    escaped = text.replace("'", "''")
    if "\\" in escaped:
        escaped = escaped.replace("\\", "\\\\")
        return f"E'{escaped}'"
    return f"'{escaped}'"


def without_semicolons(statement: str) -> str:
    """A statement whose string literals write a semicolon as its code: tools that cut at semicolons leave it whole.

    What `--` begins is left alone: remarks hold none.
    """
    body = statement.rstrip().removesuffix(";")
    if ";" not in body:
        return statement
    from legacy_ref_scan.sql.lexer import Kind, string_value, tokens

    raw = statement.encode()
    parts = [
        raw[t.start : t.end] if t.kind not in (Kind.STRING, Kind.DOLLAR) else _coded(raw[t.start : t.end], string_value)
        for t in tokens(raw, 0, len(raw))
    ]
    return b"".join(parts).decode()


def _coded(text: bytes, value_of: Callable[[bytes], bytes]) -> bytes:
    if b";" not in text or text[:2].lower() == b"u&":
        return text
    value = value_of(text).decode().replace("\\", "\\\\").replace("'", "''").replace(";", "\\x3b")
    return f"E'{value}'".encode()


def type_name(text: str) -> str:
    """A type of PostgreSQL itself in capitals (`TEXT`, `TIMESTAMP WITH TIME ZONE`); any other as it was written."""
    words = _TYPE_REST.sub(" ", text).split()
    return text.upper() if words and all(_TYPE_WORD.fullmatch(word) for word in words) else text
