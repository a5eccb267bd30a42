"""ent's SQL builder (entgo.io/ent/dialect/sql): `sql.Select(t.C("a")).From(t).Where(sql.EQ(t.C("b"), 1))`."""

from __future__ import annotations

from collections.abc import Callable

from legacy_ref_scan.languages.golang.orm.links import MODEL_TABLE, UNKNOWN_START
from legacy_ref_scan.languages.golang.orm.statement import (
    Draft,
    Sql,
    conditions,
    elements,
    known_texts,
    sql_of,
    take_start,
)
from legacy_ref_scan.languages.golang.values import EMPTY, Call, Chain, Value, made_up, union

_KINDS = {"Insert": "insert", "Update": "update", "Delete": "delete"}
_PREDICATES = {
    "EQ": " = ?", "NEQ": " <> ?", "GT": " > ?", "GTE": " >= ?", "LT": " < ?", "LTE": " <= ?", "In": " IN (?)",
    "NotIn": " NOT IN (?)", "IsNull": " IS NULL", "NotNull": " IS NOT NULL", "Like": " LIKE ?", "Contains": " LIKE ?",
    "ContainsFold": " ILIKE ?", "HasPrefix": " LIKE ?", "HasSuffix": " LIKE ?", "EqualFold": " ILIKE ?",
    "IsTrue": "", "IsFalse": " = false",
}  # fmt: skip
_COLUMNS = {"ColumnsEQ": " = ", "ColumnsNEQ": " <> ", "ColumnsGT": " > ", "ColumnsLT": " < "}
_GROUPS = {"And": " AND ", "Or": " OR ", "Not": " AND "}
_FUNCTIONS = frozenset(("Count", "Max", "Min", "Sum", "Avg", "Lower", "Upper"))
_TEXTS = frozenset(("Raw", "Expr", "ExprP", "ExprFunc"))
_ORDERS = {"Asc": " ASC", "Desc": " DESC"}
_JOINS = {"Join": "JOIN ", "LeftJoin": "LEFT JOIN ", "RightJoin": "RIGHT JOIN ", "FullJoin": "FULL JOIN "}


def statement(chain: Chain, sql: Sql) -> Value:
    """The statement of a chain, or the table, column or predicate that it is."""
    calls = tuple(call for call in chain.calls if call.method != "Dialect")
    first = calls[0] if calls else None
    if first is None:
        return EMPTY
    if calls[-1].method == "C":
        return _column(calls, sql)
    if first.method in ("Table", "View"):
        return _table(calls, sql)
    if len(calls) == 1:
        part = _part(first, sql)
        if part is not None:
            return part
    return sql_of(_draft_of(calls, sql), sql)


def _column(calls: tuple[Call, ...], sql: Sql) -> Value:
    """`t.C("a")`: the column of a table that goes by its alias; of a selector that is made elsewhere a hole's."""
    names = [
        call.arguments[0] for call in calls[:-1] if call.method in ("As", "Table", UNKNOWN_START) and call.arguments
    ]
    column = calls[-1].arguments[0] if calls[-1].arguments else EMPTY
    return sql.cat(sql.expression(names[-1]), ".", sql.expression(column)) if names else sql.expression(column)


def _table(calls: tuple[Call, ...], sql: Sql) -> Value:
    aliases = [call.arguments[0] for call in calls if call.method == "As" and call.arguments]
    name = sql.expression(calls[0].arguments[0]) if calls[0].arguments else EMPTY
    return sql.cat(name, " AS ", sql.expression(aliases[-1])) if aliases else name


def _part(call: Call, sql: Sql) -> Value | None:
    """A predicate, a function, an order, raw text; None for what begins a statement."""
    arguments, method = call.arguments, call.method
    first = _shown(arguments[0], sql) if arguments else EMPTY
    if method in _PREDICATES:
        return sql.cat(first, _PREDICATES[method])
    if method in _COLUMNS and len(arguments) > 1:
        return sql.cat(first, _COLUMNS[method], _shown(arguments[1], sql))
    if method in _GROUPS:
        parts = [conditions("", [_shown(value, sql)], sql) for value in elements(arguments)]
        return sql.listed(parts, _GROUPS[method]) if parts else made_up(b"true")
    if method in _FUNCTIONS:
        return sql.cat(f"{method.lower()}(", first, ")")
    if method in _ORDERS:
        return sql.cat(first, _ORDERS[method])
    if method == "As" and len(arguments) > 1:
        return sql.cat(first, " AS ", _shown(arguments[1], sql))
    return first if method in _TEXTS else None


def _shown(value: Value, sql: Sql) -> Value:
    """An argument: a name, or what another chain is."""
    return union(sql.render(alt) if isinstance(alt, Chain) else sql.expression((alt,)) for alt in value)


def _draft_of(calls: tuple[Call, ...], sql: Sql) -> Draft:
    kinds = [_KINDS[call.method] for call in calls if call.method in _KINDS]
    draft = Draft(kind=kinds[-1] if kinds else "select")
    for call in calls:
        taker = _TAKERS.get(call.method)
        if taker is not None:
            taker(draft, call, sql)
    return draft


def _take_table(draft: Draft, call: Call, sql: Sql) -> None:
    draft.table += [_source(value, sql) for value in call.arguments]


def _source(value: Value, sql: Sql) -> Value:
    """A table, or a subquery in brackets."""
    nested = [alt for alt in value if isinstance(alt, Chain) and any(call.method == "Select" for call in alt.calls)]
    return sql.cat("(", sql.render(nested[0]), ") AS subquery") if nested else _shown(value, sql)


def _take_columns(draft: Draft, call: Call, sql: Sql) -> None:
    draft.columns += [_shown(value, sql) for value in elements(call.arguments) if known_texts(value) != ["*"]]


def _take_where(draft: Draft, call: Call, sql: Sql) -> None:
    draft.where += [_shown(value, sql) for value in call.arguments[:1]]


def _take_join(draft: Draft, call: Call, sql: Sql) -> None:
    if call.arguments:
        draft.joins.append(sql.cat(_JOINS[call.method], _source(call.arguments[0], sql)))


def _take_on(draft: Draft, call: Call, sql: Sql) -> None:
    sides = [_shown(value, sql) for value in call.arguments[:2]]
    if draft.joins and sides:
        draft.joins[-1] = sql.cat(draft.joins[-1], " ON ", sql.listed(sides, " = "))


def _take_order(draft: Draft, call: Call, sql: Sql) -> None:
    draft.order += [_shown(value, sql) for value in elements(call.arguments)]


def _take_group(draft: Draft, call: Call, sql: Sql) -> None:
    draft.group += [_shown(value, sql) for value in elements(call.arguments)]


def _take_having(draft: Draft, call: Call, sql: Sql) -> None:
    draft.having += [_shown(value, sql) for value in call.arguments[:1]]


def _take_set(draft: Draft, call: Call, sql: Sql) -> None:
    draft.sets += [sql.cat(_shown(value, sql), " = ?") for value in call.arguments[:1]]
    if draft.kind == "insert":
        draft.columns += [_shown(value, sql) for value in call.arguments[:1]]


def _take_returning(draft: Draft, call: Call, sql: Sql) -> None:
    draft.returning += [_shown(value, sql) for value in elements(call.arguments)]


_TAKERS: dict[str, Callable[[Draft, Call, Sql], None]] = {
    MODEL_TABLE: _take_table,
    UNKNOWN_START: take_start,
    **dict.fromkeys(("From", "Insert", "Update", "Delete"), _take_table),
    **dict.fromkeys(("Select", "SelectExpr", "AppendSelect", "AppendSelectExpr", "Columns"), _take_columns),
    "Where": _take_where,
    **dict.fromkeys(_JOINS, _take_join),
    **dict.fromkeys(("On", "OnP"), _take_on),
    **dict.fromkeys(("OrderBy", "OrderExpr"), _take_order),
    "GroupBy": _take_group,
    "Having": _take_having,
    **dict.fromkeys(("Set", "SetNull", "Add"), _take_set),
    "Returning": _take_returning,
}
