"""A statement in parts, as the chains of ORMs collect them, and its SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from legacy_ref_scan.languages.golang.values import (
    EMPTY,
    Call,
    Chain,
    Items,
    Known,
    Text,
    Unknown,
    Value,
    made_up,
    union,
)


class Sql(Protocol):
    """What the renderer of chains lends to the libraries' modules."""

    def cat(self, *parts: Value | str) -> Value:
        """The parts one after another."""

    def listed(self, values: Sequence[Value], separator: str) -> Value:
        """The parts with a separator between them."""

    def expression(self, value: Value) -> Value:
        """An argument as SQL: text is raw, maps are comparisons, builders are rendered."""

    def hole(self, reason: str) -> Value:
        """Something that is not known."""

    def render(self, chain: Chain) -> Value:
        """The statement of another chain."""


@dataclass
class Draft:
    """The parts of a statement about `table`, else `model`, else `unseen`; `bare`: its columns where none is named."""

    kind: str = "select"
    table: list[Value] = field(default_factory=list)
    model: list[Value] = field(default_factory=list)
    unseen: list[Value] = field(default_factory=list)
    bare: str = "*"
    distinct: bool = False
    columns: list[Value] = field(default_factory=list)
    joins: list[Value] = field(default_factory=list)
    where: list[Value] = field(default_factory=list)
    group: list[Value] = field(default_factory=list)
    having: list[Value] = field(default_factory=list)
    order: list[Value] = field(default_factory=list)
    sets: list[Value] = field(default_factory=list)
    conflict: list[Value] = field(default_factory=list)
    returning: list[Value] = field(default_factory=list)


def sql_of(draft: Draft, sql: Sql) -> Value:
    """The SQL of a statement; its tables are the named ones, else the model's, else not known."""
    return _KINDS[draft.kind](draft, sql)


def _source(draft: Draft, sql: Sql) -> Value:
    tables = draft.table or draft.model or draft.unseen
    return (
        sql.listed([sql.expression(table) for table in tables], ", ")
        if tables
        else sql.hole("table of a query builder")
    )


def _select(draft: Draft, sql: Sql) -> Value:
    columns = sql.listed(draft.columns, ", ") if draft.columns else made_up(draft.bare.encode())
    head = sql.cat("SELECT DISTINCT " if draft.distinct else "SELECT ", columns, " FROM ", _source(draft, sql))
    return sql.cat(head, _tail(draft, sql))


def _insert(draft: Draft, sql: Sql) -> Value:
    columns = draft.columns
    named = sql.cat(" (", sql.listed(columns, ", "), ")") if columns else made_up(b" (id)")
    marks = ", ".join("?" for _ in columns) or "?"
    head = sql.cat("INSERT INTO ", _source(draft, sql), named, f" VALUES ({marks})")
    return sql.cat(head, *draft.conflict, _clause(" RETURNING ", draft.returning, sql))


def _update(draft: Draft, sql: Sql) -> Value:
    sets = _clause(" SET ", draft.sets, sql) if draft.sets else made_up(b" SET id = id")
    return sql.cat("UPDATE ", _source(draft, sql), sets, _tail(draft, sql))


def _delete(draft: Draft, sql: Sql) -> Value:
    return sql.cat("DELETE FROM ", _source(draft, sql), _tail(draft, sql))


def _tail(draft: Draft, sql: Sql) -> Value:
    return sql.cat(
        *[sql.cat(" ", join) for join in draft.joins],
        conditions(" WHERE ", draft.where, sql),
        _clause(" GROUP BY ", draft.group, sql),
        conditions(" HAVING ", draft.having, sql),
        _clause(" ORDER BY ", draft.order, sql),
        _clause(" RETURNING ", draft.returning, sql),
        *draft.conflict,
    )


def _clause(keyword: str, values: Sequence[Value], sql: Sql) -> Value:
    return sql.cat(keyword, sql.listed(values, ", ")) if values else EMPTY


def conditions(keyword: str, values: Sequence[Value], sql: Sql) -> Value:
    """The conditions in brackets, joined by AND."""
    wrapped = [sql.cat("(", value, ")") for value in values]
    return sql.cat(keyword, sql.listed(wrapped, " AND ")) if wrapped else EMPTY


_KINDS: dict[str, Callable[[Draft, Sql], Value]] = {
    "select": _select,
    "insert": _insert,
    "update": _update,
    "delete": _delete,
}


def elements(values: Iterable[Value]) -> list[Value]:
    """The arguments one by one: a list that was given as one argument is its elements, an open end is a hole."""
    found: list[Value] = []
    for value in values:
        if len(value) == 1 and isinstance(value[0], Items) and (value[0].elements or value[0].rest):
            found += value[0].elements
            found += [(Text((value[0].rest,)),)] if value[0].rest is not None else []
        else:
            found.append(value)
    return found


def take_model(draft: Draft, call: Call, sql: Sql) -> None:
    """`MODEL_TABLE`: the table of the first model that is named."""
    draft.model = draft.model or [call.arguments[0]]


def take_start(draft: Draft, call: Call, sql: Sql) -> None:
    """`UNKNOWN_START`: of the columns and the table what was said before may be anything."""
    draft.unseen += call.arguments[:1]


def renamed(value: Value, naming: Callable[[str], str]) -> Value:
    """Names of Go fields as columns: `ErrorMessage` is `error_message`, still at its place in the source."""
    return tuple(_renamed(alt, naming) if isinstance(alt, Text) else alt for alt in value)


def _renamed(text: Text, naming: Callable[[str], str]) -> Text:
    atom = text.only
    if not isinstance(atom, Known) or not atom.text.isalnum() or not atom.text[:1].isupper():
        return text
    return Text((Known(naming(atom.text.decode()).encode(), atom.origin),), text.partial)


def is_hole(value: Value) -> bool:
    """Nothing is known of the value."""
    return all(isinstance(alt, Text) and all(isinstance(a, Unknown) for a in alt.atoms) and alt.atoms for alt in value)


def known_texts(value: Value) -> list[str]:
    """The alternatives of which everything is known."""
    return [alt.data().decode("utf-8", "replace") for alt in value if isinstance(alt, Text) and alt.known]


def whole(value: Value, sql: Sql) -> Value:
    """A whole statement that is handed over: its text, or another builder's."""
    return union(sql.render(alt) if isinstance(alt, Chain) else sql.expression((alt,)) for alt in value)
