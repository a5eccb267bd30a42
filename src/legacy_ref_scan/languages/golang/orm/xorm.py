"""xorm and its builder: the SQL that a session such as `engine.Where(…).Cols(…).Update(&x)` means (xorm.io/docs)."""

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
    take_model,
    take_start,
    whole,
)
from legacy_ref_scan.languages.golang.values import (
    EMPTY,
    Alternative,
    Call,
    Chain,
    Entries,
    Items,
    Value,
    made_up,
    union,
)

_KINDS = {"Insert": "insert", "InsertOne": "insert", "InsertMulti": "insert", "Update": "update", "Delete": "delete"}
_RAW = frozenset(("SQL", "Sql", "Exec", "Query", "QueryString", "QueryInterface"))
_COMPARED = {
    "In": " IN (?)",
    "NotIn": " NOT IN (?)",
    "Like": " LIKE ?",
    "IsNull": " IS NULL",
    "NotNull": " IS NOT NULL",
}
_OPERATORS = {"Eq": " = ?", "Neq": " <> ?", "Lt": " < ?", "Lte": " <= ?", "Gt": " > ?", "Gte": " >= ?"}
_CONDITIONS = frozenset(("NewCond", "And", "Or", "Not", "If", "Expr", *_COMPARED, *_OPERATORS))


def statement(chain: Chain, sql: Sql) -> Value:
    """The statement of a session or a builder; of `builder.In("a", …)` the condition."""
    if _is_condition(chain):
        return condition((chain,), sql)
    raw = [call for call in chain.calls if call.method in _RAW and call.arguments]
    if raw and raw[-1].arguments[0]:
        return whole(raw[-1].arguments[0], sql)
    return sql_of(_draft_of(chain, sql), sql)


def _is_condition(chain: Chain) -> bool:
    return bool(chain.calls) and all(call.method in _CONDITIONS for call in chain.calls)


def _draft_of(chain: Chain, sql: Sql) -> Draft:
    kinds = [_KINDS[call.method] for call in chain.calls if call.method in _KINDS]
    draft = Draft(kind=kinds[-1] if kinds else "select")
    if any(call.method == MODEL_TABLE for call in chain.calls):
        draft.bare = "1"  # the columns of a struct that is known: its fields are findings of their own
    for call in chain.calls:
        handler = _HANDLERS.get(call.method)
        if handler is not None:
            handler(draft, call, sql)
    if draft.kind == "update":
        draft.sets += [sql.cat(column, " = ?") for column in draft.columns]
    return draft


# Conditions


def condition(value: Value, sql: Sql) -> Value:
    """An argument of Where, And, Or: raw SQL, a map, a condition of the builder."""
    return union(_condition(alt, sql) for alt in value) or EMPTY


def _condition(alt: Alternative, sql: Sql) -> Value:
    match alt:
        case Chain() if _is_condition(alt):
            found = [part for call in alt.calls for part in _of_call(call, sql)]
            return conditions("", found, sql) if found else made_up(b"true")
        case Chain():
            return sql.cat("(", sql.render(alt), ")")
        case Entries(pairs=pairs, type=kind):
            return _of_map(alt, pairs, kind.rpartition(".")[2], sql)
        case Items(elements=listed):  # builder.Like{"col", "x"}, builder.IsNull{"col"}: the column comes first
            return sql.cat(sql.expression(listed[0]), " = ?") if listed else made_up(b"true")
    return sql.expression((alt,))


def _of_map(alt: Entries, pairs: tuple[tuple[Value, Value], ...], kind: str, sql: Sql) -> Value:
    if kind == "Between":
        return sql.cat(sql.expression(alt.get(b"Col") or EMPTY), " BETWEEN ? AND ?")
    operator = _OPERATORS.get(kind, " = ?")
    found = [sql.cat(sql.expression(key), _compared(value, operator, sql)) for key, value in pairs]
    return sql.listed(found, " AND ") if found else made_up(b"true")


def _compared(value: Value, operator: str, sql: Sql) -> Value:
    queries = [alt for alt in value if isinstance(alt, Chain) and not _is_condition(alt)]
    return sql.cat(" IN (", sql.render(queries[0]), ")") if queries else made_up(operator.encode())


def _of_call(call: Call, sql: Sql) -> list[Value]:
    """One link of a condition: `builder.In("a", …)`, `cond.And(a, b)`."""
    if call.method in _COMPARED and call.arguments:
        queries = [alt for value in call.arguments[1:] for alt in value if isinstance(alt, Chain)]
        inner = sql.cat(" IN (", sql.render(queries[0]), ")") if queries else made_up(_COMPARED[call.method].encode())
        return [sql.cat(sql.expression(call.arguments[0]), inner)]
    if call.method == "Expr":
        return [sql.expression(value) for value in call.arguments[:1]]
    return [condition(value, sql) for value in elements(call.arguments) if known_texts(value) != ["true"]]


# Clauses


def _where(draft: Draft, call: Call, sql: Sql) -> None:
    draft.where += [condition(value, sql) for value in call.arguments[:1]]


def _in(draft: Draft, call: Call, sql: Sql) -> None:
    draft.where += _of_call(call, sql)


def _table(draft: Draft, call: Call, sql: Sql) -> None:
    draft.table += [sql.expression(value) for value in call.arguments[:1] if known_texts(value)]


def _columns(draft: Draft, call: Call, sql: Sql) -> None:
    draft.columns += [sql.expression(value) for value in elements(call.arguments)]


def _select(draft: Draft, call: Call, sql: Sql) -> None:
    found = [value for value in elements(call.arguments) if known_texts(value) != ["*"]]
    draft.columns += [sql.expression(value) for value in found]


def _distinct(draft: Draft, call: Call, sql: Sql) -> None:
    draft.distinct = True
    _columns(draft, call, sql)


def _sum(draft: Draft, call: Call, sql: Sql) -> None:
    draft.columns += [sql.cat("sum(", sql.expression(value), ")") for value in call.arguments[1:]]


def _count(draft: Draft, call: Call, sql: Sql) -> None:
    draft.bare = "count(*)"


def _order(draft: Draft, call: Call, sql: Sql) -> None:
    draft.order += [sql.expression(value) for value in elements(call.arguments)]


def _group(draft: Draft, call: Call, sql: Sql) -> None:
    draft.group += [sql.expression(value) for value in call.arguments[:1]]


def _having(draft: Draft, call: Call, sql: Sql) -> None:
    draft.having += [condition(value, sql) for value in call.arguments[:1]]


def _join(draft: Draft, call: Call, sql: Sql) -> None:
    """`Join("LEFT", "t", "t.id = x.t_id")`; the table may be a list of a name and an alias."""
    if len(call.arguments) > 2:
        named = sql.listed(elements(call.arguments[1:2]), " ")
        on = condition(call.arguments[2], sql)
        draft.joins.append(sql.cat(call.arguments[0], " JOIN ", named, " ON ", on))


def _builder_join(draft: Draft, call: Call, sql: Sql) -> None:
    """`builder.Select(…).InnerJoin("t", "t.id = x.t_id")`."""
    if len(call.arguments) > 1:
        on = condition(call.arguments[1], sql)
        draft.joins.append(sql.cat("JOIN ", sql.expression(call.arguments[0]), " ON ", on))


def _counter(draft: Draft, call: Call, sql: Sql) -> None:
    """`Incr("a")`, `SetExpr("a", "b + 1")`."""
    draft.kind = "update"
    shown = sql.expression(call.arguments[1]) if call.method == "SetExpr" and len(call.arguments) > 1 else "?"
    draft.sets += [sql.cat(sql.expression(value), " = ", shown) for value in call.arguments[:1]]


def _written(draft: Draft, call: Call, sql: Sql) -> None:
    """`Update(map)`, `Insert(map)`, `builder.Update(builder.Eq{…})`."""
    for alt in call.arguments[0] if call.arguments else ():
        if isinstance(alt, Entries) and alt.type in ("", "builder.Eq"):
            draft.columns += [key for key, _ in alt.pairs]


_HANDLERS: dict[str, Callable[[Draft, Call, Sql], None]] = {
    MODEL_TABLE: take_model,
    UNKNOWN_START: take_start,
    "Table": _table,
    "From": _table,
    "Into": _table,
    **dict.fromkeys(("Where", "And", "Or"), _where),
    **dict.fromkeys(("In", "NotIn"), _in),
    **dict.fromkeys(("Cols", "MustCols", "Nullable"), _columns),
    "Select": _select,
    "Distinct": _distinct,
    **dict.fromkeys(("Sum", "SumInt", "Sums", "SumsInt"), _sum),
    "Count": _count,
    **dict.fromkeys(("OrderBy", "Asc", "Desc"), _order),
    "GroupBy": _group,
    "Having": _having,
    "Join": _join,
    **dict.fromkeys(("InnerJoin", "LeftJoin", "RightJoin", "CrossJoin", "FullJoin"), _builder_join),
    **dict.fromkeys(("Incr", "Decr", "SetExpr"), _counter),
    **dict.fromkeys(("Update", "Insert", "InsertOne"), _written),
}
