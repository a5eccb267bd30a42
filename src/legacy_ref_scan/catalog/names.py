"""Names as PostgreSQL reads and makes them: dotted names, quoting, defaults for what a statement left unnamed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from legacy_ref_scan.sql.lexer import NAME_BYTES, Kind, name_of, words


class Name(NamedTuple):
    """A possibly qualified name and the bytes of its last part."""

    schema: str | None
    name: str
    start: int
    end: int

    def __str__(self) -> str:
        return self.name if self.schema is None else f"{self.schema}.{self.name}"


def dotted(text: bytes, start: int, end: int) -> list[Name]:
    """The parts of a dotted name; each one's `schema` is the part before it."""
    found: list[Name] = []
    for token in words(text, start, end):
        if token.kind in (Kind.WORD, Kind.QUOTED):
            before = found[-1].name if found else None
            found.append(Name(before, name_of(text[token.start : token.end]), token.start, token.end))
    return found


_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*\Z")
# The reserved words of PostgreSQL 18 (src/include/parser/kwlist.h) and those that can't name a column unquoted.
RESERVED = frozenset(
    {
        "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "between",
        "bigint", "binary", "bit", "boolean", "both", "case", "cast", "char", "character", "check", "coalesce",
        "collate", "collation", "column", "concurrently", "constraint", "create", "cross", "current_catalog",
        "current_date", "current_role", "current_schema", "current_time", "current_timestamp", "current_user", "dec",
        "decimal", "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "exists", "extract",
        "false", "fetch", "float", "for", "foreign", "freeze", "from", "full", "grant", "greatest", "group", "grouping",
        "having", "ilike", "in", "initially", "inner", "inout", "int", "integer", "intersect", "interval", "into", "is",
        "isnull", "join", "lateral", "leading", "least", "left", "like", "limit", "localtime", "localtimestamp",
        "national", "natural", "nchar", "none", "normalize", "not", "notnull", "null", "nullif", "numeric", "offset",
        "on", "only", "or", "order", "out", "outer", "overlaps", "overlay", "placing", "position", "precision",
        "primary", "real", "references", "returning", "right", "row", "select", "session_user", "setof", "similar",
        "smallint", "some", "substring", "symmetric", "table", "tablesample", "then", "time", "timestamp", "to",
        "trailing", "treat", "trim", "true", "union", "unique", "user", "using", "values", "varchar", "variadic",
        "verbose", "when", "where", "window", "with", "xmlattributes", "xmlconcat", "xmlelement", "xmlexists",
        "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot", "xmlserialize", "xmltable", "system_user",
        "merge_action", "json", "json_array", "json_arrayagg", "json_exists", "json_object", "json_objectagg",
        "json_query", "json_scalar", "json_serialize", "json_table", "json_value",
    }
)  # fmt: skip


def quoted(name: str) -> str:
    """The identifier as SQL writes it (quote_identifier)."""
    if _PLAIN.match(name) and name not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def qualified(schema: str, name: str) -> str:
    """`schema.name`, without the schema where it is `public` or temporary."""
    return quoted(name) if schema in ("public", "pg_temp", "") else f"{quoted(schema)}.{quoted(name)}"


def object_name(first: str, second: str, label: str) -> str:
    """makeObjectName (src/backend/commands/indexcmds.c): `first_second_label`, the longer part cut to fit 63 bytes."""
    room = NAME_BYTES - (len(label) + 1 if label else 0) - (1 if second else 0)
    one, two = len(first.encode()), len(second.encode())
    while one + two > room:
        if one > two:
            one -= 1
        else:
            two -= 1
    parts = (_clip(first, one), _clip(second, two), label)
    return "_".join(part for part in parts if part)


def _clip(name: str, size: int) -> str:
    return name.encode()[:size].decode("utf-8", "ignore")


def choose(first: str, second: str, label: str, taken: Callable[[str], bool]) -> str:
    """ChooseRelationName, ChooseConstraintName: the first of `label`, `label1`, `label2` … that is free."""
    name = object_name(first, second, label)
    number = 0
    while taken(name):
        number += 1
        name = object_name(first, second, f"{label}{number}")
    return name


def addition(names: Iterable[str]) -> str:
    """ChooseIndexNameAddition: the columns of a default name, joined until 64 bytes are full."""
    joined = ""
    for name in names:
        joined = f"{joined}_{name}" if joined else name
        if len(joined.encode()) >= NAME_BYTES + 1:
            break
    return _clip(joined, NAME_BYTES)


def distinct_names(names: Iterable[str]) -> list[str]:
    """ChooseIndexColumnNames: a name that is there already gets a number."""
    found: list[str] = []
    for name in names:
        candidate, number = name, 0
        while candidate in found:
            number += 1
            suffix = str(number)
            candidate = _clip(name, NAME_BYTES - len(suffix)) + suffix
        found.append(candidate)
    return found
