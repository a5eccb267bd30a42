"""The witness: sqlglot, an independent parser, reads a statement that is about to be called free of any use.

It has no verdict of its own. Where it takes a token for a column that the walk took for something else, or finds a
column of a watched relation where the walk saw none, the statement is not decided. What it can't read it does not speak
of: it fails on much that PostgreSQL accepts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from legacy_ref_scan.model import Explanation
from legacy_ref_scan.sql.lexer import Kind, name_of, tokens
from legacy_ref_scan.sql.repair import HOLE_NAME, repairs
from legacy_ref_scan.sql.results import Problem, Resolved

if TYPE_CHECKING:
    from sqlglot import exp

REASON = "witness-disagrees"

# The kinds of statements of which sqlglot makes a tree; it turns most others into an opaque `Command`, with a warning.
_READABLE = frozenset({b"select", b"with", b"insert", b"update", b"delete", b"merge", b"values"})
# What the walk may have called a token that sqlglot calls a column. A range variable's name that stands alone is a
# whole row, which sqlglot can't tell from a column.
_COLUMNS = frozenset({Explanation.OTHER_TABLE, Explanation.OUTPUT_NAME, Explanation.DEFINITION})
# A parameter of sqlc, the name of which sqlglot takes for a column.
_SQLC_PARAMETER = re.compile(rb"\bsqlc\s*\.\s*(?:n?arg|slice)\s*\([^()]*\)", re.IGNORECASE)
# Values of SQL that have no parentheses, which sqlglot takes for columns where they are not quoted.
_VALUES = frozenset(
    "user current_user session_user system_user current_role current_catalog current_schema current_date current_time"
    " current_timestamp localtime localtimestamp".split()
)
_NOT_ASCII = bytes(byte if byte < 0x80 else 0x78 for byte in range(256))

Watched = frozenset[tuple[int, str]]
"""(oid of a relation, name of a column) of every column that stands for a target."""


def disagreements(text: bytes, start: int, end: int, result: Resolved, watched: Watched) -> Iterator[Problem]:
    """Where sqlglot sees another thing than the walk of `text[start:end]`, in which the walk found no use."""
    tree = _read(text, start, end)
    if tree is None:
        return
    from sqlglot import exp

    names = frozenset(name for _, name in watched)
    rows = {node.alias_or_name for node in tree.find_all(exp.Table, exp.Subquery, exp.CTE, exp.UDTF)}
    for column in tree.find_all(exp.Column):
        place = _place(column.this, start)
        name = _folded(column.this)
        if place is None or name not in names:
            continue
        if name in _VALUES and not column.this.args.get("quoted") and column.args.get("table") is None:
            continue
        label = result.labels.get(place[0])
        if label is None or (label.why not in _COLUMNS and column.args.get("table") is None and name not in rows):
            what = label.detail if label else "no name at all"
            yield Problem(*place, REASON, f"{name}: read as {what} here, and as a column by a second parser")
        elif _of_watched(column, name, start, result, watched):
            message = f"{name}: a column of the table by a second parser, and {label.detail} here"
            yield Problem(*place, REASON, message)


def _read(text: bytes, start: int, end: int) -> exp.Expr | None:
    first = next((t for t in tokens(text, start, end) if t.kind is Kind.WORD), None)
    if first is None or text[first.start : first.end].lower() not in _READABLE:
        return None
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        return sqlglot.parse_one(_plain(text, start, end), read="postgres")
    except (SqlglotError, RecursionError, ValueError, AttributeError, TypeError, IndexError, KeyError):
        return None  # a statement that it can't read; its parser has bugs of its own on odd input


def _plain(text: bytes, start: int, end: int) -> str:
    """The text with one character a byte, in which values stand for parameters and holes: every offset is kept."""
    plain = bytearray(text[start:end].translate(_NOT_ASCII))
    for token in tokens(text, start, end):
        if token.kind is Kind.PARAMETER:  # `VALUES ($1,$2)` reads as the quote `$1,$` to sqlglot
            _fill(plain, token.start - start, token.end - start, b"1")
    for first, last, replacement in repairs(text, start, end):
        if last > first and (b"$1" in replacement or replacement == HOLE_NAME):
            _fill(plain, first - start, last - start, b"h" if replacement == HOLE_NAME else b"1")
    for call in _SQLC_PARAMETER.finditer(text, start, end):
        _fill(plain, call.start() - start, call.end() - start, b"1")
    return plain.replace(b"\x1a", b" ").decode("ascii")


def _fill(plain: bytearray, start: int, end: int, value: bytes) -> None:
    plain[start:end] = value.ljust(end - start)


def _place(identifier: object, start: int) -> tuple[int, int] | None:
    """Where an identifier stands in the text; what the parser made up has no place."""
    from sqlglot import exp

    if not isinstance(identifier, exp.Identifier):
        return None
    first, last = identifier.meta.get("start"), identifier.meta.get("end")
    return (start + first, start + last + 1) if isinstance(first, int) and isinstance(last, int) else None


def _folded(identifier: exp.Expr) -> str:
    name = identifier.name
    return name if identifier.args.get("quoted") else name_of(name.encode())


def _of_watched(column: exp.Column, name: str, start: int, result: Resolved, watched: Watched) -> bool:
    """Whether the qualifier is, in the nearest query that has it, a relation whose column of that name is watched."""
    from sqlglot import exp

    qualifier = column.args.get("table")
    if qualifier is None:
        return False
    wanted = _folded(qualifier)
    query = column.find_ancestor(exp.Query, exp.Update, exp.Delete, exp.Insert, exp.Merge)
    while query is not None:
        for item in _own_nodes(query):
            if isinstance(item, exp.Table | exp.Subquery | exp.UDTF) and item.alias_or_name == wanted:
                return isinstance(item, exp.Table) and (_oid(item, start, result), name) in watched
        query = query.find_ancestor(exp.Query, exp.Update, exp.Delete, exp.Insert, exp.Merge)
    return False


def _own_nodes(query: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes of a query without those of the queries inside it."""
    from sqlglot import exp

    return query.walk(prune=lambda node: node is not query and isinstance(node, exp.Query | exp.CTE))


def _oid(table: exp.Table, start: int, result: Resolved) -> int:
    """The relation that the walk found at a table's name; 0 where it found none, a WITH query or a renaming alias."""
    alias = table.args.get("alias")
    place = _place(table.this, start)
    if alias is not None and alias.args.get("columns"):
        return 0
    return next((oid for oid, found in result.relations if found == place), 0)
