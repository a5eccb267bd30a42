"""pop, upper/db and dbr: sessions whose methods are clauses; a table of data for each, read alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from legacy_ref_scan.languages.golang.orm.links import MODEL_TABLE, UNKNOWN_START
from legacy_ref_scan.languages.golang.orm.statement import (
    Draft,
    Sql,
    conditions,
    elements,
    is_hole,
    known_texts,
    sql_of,
    whole,
)
from legacy_ref_scan.languages.golang.values import (
    EMPTY,
    Alternative,
    Call,
    Chain,
    Entries,
    Items,
    Known,
    Text,
    Value,
    made_up,
    union,
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a library's methods are: kinds of statement, and clauses (names in `_CLAUSES`)."""

    kinds: Mapping[str, str]
    clauses: Mapping[str, str]


_COMMON = {
    "Where": "where", "OrderBy": "order", "Order": "order", "GroupBy": "group", "Having": "having", "From": "table",
    "Join": "join", "LeftJoin": "join", "RightJoin": "join", "InnerJoin": "join", "LeftOuterJoin": "join",
    "RightOuterJoin": "join", "FullJoin": "join",
}  # fmt: skip
DIALECTS = {
    # github.com/gobuffalo/pop, query.go and executors.go
    "pop": Dialect(
        {
            "Create": "insert", "Save": "insert", "Update": "update", "UpdateQuery": "update", "Destroy": "delete",
            "UpdateColumns": "update", "Delete": "delete",
        },
        {**_COMMON, "Select": "columns", "UpdateColumns": "named", "UpdateQuery": "named"},
    ),
    # github.com/upper/db, collection.go, result.go and sqlbuilder
    "upper": Dialect(
        {
            "Insert": "insert", "InsertReturning": "insert", "InsertInto": "insert", "Update": "update",
            "UpdateReturning": "update", "Delete": "delete", "DeleteFrom": "delete",
        },
        {
            **_COMMON, "Collection": "table", "Find": "where", "And": "where", "Select": "columns", "Set": "set",
            "SelectFrom": "table", "InsertInto": "table", "DeleteFrom": "table", "Insert": "row", "Update": "row",
            "Columns": "columns", "Values": "row", "On": "on", "Returning": "returning",
        },
    ),
    # github.com/gocraft/dbr, select.go, insert.go, update.go
    "dbr": Dialect(
        {"InsertInto": "insert", "Update": "update", "DeleteFrom": "delete"},
        {
            **_COMMON, "Select": "columns", "InsertInto": "table", "Update": "table", "DeleteFrom": "table",
            "Columns": "columns", "Pair": "pair", "Set": "set", "SetMap": "row", "IncrBy": "set", "DecrBy": "set",
            "OrderAsc": "order", "OrderDesc": "order", "OrderDir": "order", "Returning": "returning",
        },
    ),
}  # fmt: skip
_OPERATORS = {
    "Eq": " = ?", "Neq": " <> ?", "Gt": " > ?", "Gte": " >= ?", "Lt": " < ?", "Lte": " <= ?",
    "Like": " LIKE ?", "NotLike": " NOT LIKE ?",
}  # fmt: skip
_GROUPS = {"And": " AND ", "Or": " OR "}
_NAME = re.compile(r"[\w.]+$")


def statement(chain: Chain, sql: Sql) -> Value:
    """The statement of a session; of `dbr.Eq("a", 1)` and `db.Or(…)` the condition."""
    first = chain.calls[0] if chain.calls else None
    if first is not None and len(chain.calls) == 1 and (first.method in _OPERATORS or first.method in _GROUPS):
        return _of_call(first, sql)
    raw = [call for call in chain.calls if call.method in ("RawQuery", "SelectBySql", "UpdateBySql") and call.arguments]
    if raw:
        return whole(raw[-1].arguments[0], sql)
    dialect = DIALECTS[chain.library]
    kinds = [dialect.kinds[call.method] for call in chain.calls if call.method in dialect.kinds]
    draft = Draft(kind=kinds[-1] if kinds else "select")
    if any(call.method == MODEL_TABLE for call in chain.calls):
        draft.bare = "1"  # the columns of a struct that is known: its fields are findings of their own
    for call in chain.calls:
        _take(draft, call, dialect, sql)
    if draft.kind == "update":
        draft.sets += [sql.cat(column, " = ?") for column in draft.columns]
    return sql_of(draft, sql)


def _take(draft: Draft, call: Call, dialect: Dialect, sql: Sql) -> None:
    if call.method == MODEL_TABLE:
        draft.model = draft.model or [call.arguments[0]]
    elif call.method == UNKNOWN_START:
        draft.unseen += call.arguments[:1]
    elif call.method == "Update" and call.arguments and known_texts(call.arguments[0]):
        draft.table += [sql.expression(call.arguments[0])]
    else:
        taker = _CLAUSES.get(dialect.clauses.get(call.method, ""))
        if taker is not None:
            taker(draft, call, sql)


# Conditions


def condition(arguments: tuple[Value, ...], sql: Sql) -> Value:
    """The arguments of a condition: raw SQL, a name and its value, maps, functions."""
    first = arguments[0]
    if len(arguments) > 1 and any(_NAME.match(text) for text in known_texts(first)):
        return sql.cat(sql.expression(first), " = ?")
    return union(_condition(alt, sql) for alt in first) or EMPTY


def _condition(alt: Alternative, sql: Sql) -> Value:
    match alt:
        case Chain() if alt.calls and (alt.calls[0].method in _OPERATORS or alt.calls[0].method in _GROUPS):
            return _of_call(alt.calls[0], sql)
        case Chain():
            return sql.cat("(", sql.render(alt), ")")
        case Entries(pairs=pairs, type=kind) if kind in ("", "db.Cond"):
            found = [_of_pair(key, value, sql) for key, value in pairs]
            return sql.listed(found, " AND ") if found else made_up(b"true")
        case Items(elements=listed):
            found = [condition((element,), sql) for element in listed]
            return sql.listed(found, " AND ") if found else made_up(b"true")
        case Text():
            return sql.expression((alt,))
    return made_up(b"true")


def _of_pair(key: Value, value: Value, sql: Sql) -> Value:
    """`db.Cond{"a": 1}`, `db.Cond{"a >": 1}`: the operator stands behind the name."""
    queries = [alt for alt in value if isinstance(alt, Chain)]
    if queries:
        return sql.cat(sql.expression(key), " IN (", sql.render(queries[0]), ")")
    return sql.cat(sql.expression(key), " ?" if any(" " in text for text in known_texts(key)) else " = ?")


def _of_call(call: Call, sql: Sql) -> Value:
    if call.method in _GROUPS:
        parts = [condition((value,), sql) for value in elements(call.arguments)]
        return conditions_of(parts, _GROUPS[call.method], sql)
    return sql.cat(sql.expression(call.arguments[0]), _OPERATORS[call.method]) if call.arguments else EMPTY


def conditions_of(parts: list[Value], joint: str, sql: Sql) -> Value:
    """The conditions in brackets, joined."""
    return sql.listed([conditions("", [part], sql) for part in parts], joint) if parts else made_up(b"true")


# Clauses


def _where(draft: Draft, call: Call, sql: Sql) -> None:
    first = call.arguments[0] if call.arguments else ()
    if first and not is_hole(first) and not any(text.isdigit() for text in known_texts(first)):
        draft.where.append(condition(call.arguments, sql))


def _table(draft: Draft, call: Call, sql: Sql) -> None:
    draft.table += [sql.expression(value) for value in call.arguments[:1]]


def _columns(draft: Draft, call: Call, sql: Sql) -> None:
    draft.columns += [sql.expression(value) for value in elements(call.arguments) if known_texts(value) != ["*"]]


def _named(draft: Draft, call: Call, sql: Sql) -> None:
    draft.columns += [sql.expression(value) for value in elements(call.arguments[1:])]


def _order(draft: Draft, call: Call, sql: Sql) -> None:
    draft.order += [sql.expression(tuple(_ascending(alt) for alt in value)) for value in elements(call.arguments)]


def _ascending(alt: Alternative) -> Alternative:
    """upper/db: `-name` orders by the name, descending."""
    atom = alt.atoms[0] if isinstance(alt, Text) and len(alt.atoms) == 1 else None
    if not isinstance(atom, Known) or not atom.text.startswith(b"-") or atom.origin is None:
        return alt
    path, start, end = atom.origin
    return Text((Known(atom.text[1:], (path, start + 1, end)),))


def _group(draft: Draft, call: Call, sql: Sql) -> None:
    draft.group += [sql.expression(value) for value in elements(call.arguments)]


def _having(draft: Draft, call: Call, sql: Sql) -> None:
    draft.having.append(condition(call.arguments[:1], sql))


def _join(draft: Draft, call: Call, sql: Sql) -> None:
    table = sql.expression(call.arguments[0]) if call.arguments else EMPTY
    on = sql.cat(" ON ", condition(call.arguments[1:2], sql)) if len(call.arguments) > 1 else EMPTY
    draft.joins.append(sql.cat("JOIN ", table, on))


def _on(draft: Draft, call: Call, sql: Sql) -> None:
    if draft.joins and call.arguments:
        draft.joins[-1] = sql.cat(draft.joins[-1], " ON ", condition(call.arguments[:1], sql))


def _row(draft: Draft, call: Call, sql: Sql) -> None:
    for value in call.arguments:
        for alt in value:
            if isinstance(alt, Entries) and not alt.type:
                draft.columns += [sql.expression(key) for key, _ in alt.pairs]


def _pair(draft: Draft, call: Call, sql: Sql) -> None:
    draft.columns += [sql.expression(value) for value in call.arguments[:1]]


def _set(draft: Draft, call: Call, sql: Sql) -> None:
    """`Set("a", 1)`, `Set("a = a + ?", 1)`, `Set(map)`."""
    _row(draft, call, sql)
    for value in call.arguments[:1]:
        texts = known_texts(value)
        if any("=" in text for text in texts):
            draft.sets.append(sql.expression(value))
        elif texts:
            draft.columns.append(sql.expression(value))


def _returning(draft: Draft, call: Call, sql: Sql) -> None:
    draft.returning += [sql.expression(value) for value in elements(call.arguments)]


_CLAUSES: dict[str, Callable[[Draft, Call, Sql], None]] = {
    "where": _where,
    "table": _table,
    "columns": _columns,
    "named": _named,
    "order": _order,
    "group": _group,
    "having": _having,
    "join": _join,
    "on": _on,
    "row": _row,
    "pair": _pair,
    "set": _set,
    "returning": _returning,
}
