"""beego: the SQL that `o.QueryTable(…).Filter("name", x).Update(orm.Params{…})` or `o.Read(&m, "Name")` means.

The names that it is given are columns already: `beego_names` has seen to that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from legacy_ref_scan.languages.golang.orm.links import MODEL_TABLE, UNKNOWN_START
from legacy_ref_scan.languages.golang.orm.statement import (
    Draft,
    Sql,
    conditions,
    elements,
    sql_of,
    take_model,
    take_start,
    whole,
)
from legacy_ref_scan.languages.golang.values import EMPTY, Call, Chain, Entries, Text, Value, made_up, union

_KINDS = {
    "Update": "update", "Delete": "delete", "Insert": "insert", "InsertMulti": "insert", "InsertOrUpdate": "insert",
}  # fmt: skip
# client/orm, types.go, `Condition`: the links of a condition, and those that take another condition.
LINKS = frozenset(("And", "AndNot", "Or", "OrNot"))
GROUPS = frozenset(("AndCond", "AndNotCond", "OrCond", "OrNotCond"))
_CONDITIONS = frozenset(("NewCondition", "Raw", *LINKS, *GROUPS))


def statement(chain: Chain, sql: Sql) -> Value:
    """The statement of a query; of `orm.NewCondition().And("name", x)` the condition."""
    if is_condition(chain):
        found = [part for call in chain.calls for part in _of_link(call, sql)]
        return conditions("", found, sql) if found else made_up(b"true")
    raw = [call for call in chain.calls if call.method == "Raw" and call.arguments]
    if raw:
        return whole(raw[-1].arguments[0], sql)
    draft = _draft_of(chain, sql)
    return sql_of(draft, sql)


def is_condition(chain: Chain) -> bool:
    """Whether a chain is a condition, not a query."""
    first = chain.calls[0].method if chain.calls else ""
    return first == "NewCondition" or (first in LINKS | GROUPS and all(c.method in _CONDITIONS for c in chain.calls))


def _draft_of(chain: Chain, sql: Sql) -> Draft:
    kinds = [_KINDS[call.method] for call in chain.calls if call.method in _KINDS]
    draft = Draft(kind=kinds[-1] if kinds else "select")
    draft.bare = "1"  # the columns of a model: its fields are findings of their own
    for call in chain.calls:
        handler = _HANDLERS.get(call.method)
        if handler is not None:
            handler(draft, call, sql)
    return draft


def _of_link(call: Call, sql: Sql) -> list[Value]:
    if call.method in GROUPS:
        return [union(sql.render(alt) for alt in value if isinstance(alt, Chain)) for value in call.arguments[:1]]
    if call.method == "Raw":
        return [_raw_condition(call, sql)]
    return [sql.cat(name, " = ?") for name in _names(call.arguments[:1])] if call.method in LINKS else []


def _raw_condition(call: Call, sql: Sql) -> Value:
    """`FilterRaw("id", "IN (SELECT …)")`: SQL behind a name."""
    name, *condition = call.arguments[:2] or [EMPTY]
    return sql.cat(name or "id", " ", *condition)


def _names(values: Iterable[Value]) -> list[Value]:
    """The names among arguments: of those that the model decides on nothing is left."""
    return [value for value in elements(values) if value]


# Clauses


def _table(draft: Draft, call: Call, sql: Sql) -> None:
    """`QueryTable("campaign_phases")`; of `QueryTable(new(Phase))` the table came with the model."""
    found = [tuple(alt for alt in value if isinstance(alt, Text)) for value in call.arguments[:1]]
    draft.table += [sql.expression(value) for value in found if value and not draft.model]


def _filter(draft: Draft, call: Call, sql: Sql) -> None:
    draft.where += [sql.cat(name, " = ?") for name in _names(call.arguments[:1])]


def _filter_raw(draft: Draft, call: Call, sql: Sql) -> None:
    draft.where.append(_raw_condition(call, sql))


def _condition(draft: Draft, call: Call, sql: Sql) -> None:
    for value in call.arguments[:1]:
        found = [alt for alt in value if isinstance(alt, Chain)]
        draft.where += [union(sql.render(alt) for alt in found)] if found else []


def _order(draft: Draft, call: Call, sql: Sql) -> None:
    draft.order += _names(call.arguments)


def _group(draft: Draft, call: Call, sql: Sql) -> None:
    draft.group += _names(call.arguments)


def _columns(draft: Draft, call: Call, sql: Sql) -> None:
    """`Values(&maps, "id", "name")`, `All(&phases, "Id")`: all columns where none is named."""
    draft.columns += _names(call.arguments[1:])


def _aggregate(draft: Draft, call: Call, sql: Sql) -> None:
    draft.columns += _names(call.arguments[:1])


def _compared(draft: Draft, call: Call, sql: Sql) -> None:
    """`Read(&m, "Name")` looks for the row by the named fields."""
    draft.where += [sql.cat(name, " = ?") for name in _names(call.arguments[1:])]


def _update(draft: Draft, call: Call, sql: Sql) -> None:
    """`Update(orm.Params{"name": x})` of a query, `Update(&m, "Name")` of an ORM: all fields where none is named."""
    keys = [
        key for value in call.arguments[:1] for alt in value if isinstance(alt, Entries) for key, _ in alt.pairs if key
    ]
    draft.sets += [sql.cat(name, " = ?") for name in keys or _names(call.arguments[1:])]


def _conflict(draft: Draft, call: Call, sql: Sql) -> None:
    """`InsertOrUpdate(&m, "name", "count=count+1")`: the columns of the conflict, and what to set then."""
    targets, *sets = _names(call.arguments[1:]) or [EMPTY]
    if targets != EMPTY:
        action = sql.cat(" DO UPDATE SET ", sql.listed(sets, ", ")) if sets else " DO NOTHING"
        draft.conflict = [sql.cat(" ON CONFLICT (", targets, ")", action)]


_HANDLERS: dict[str, Callable[[Draft, Call, Sql], None]] = {
    MODEL_TABLE: take_model,
    UNKNOWN_START: take_start,
    "QueryTable": _table,
    "Filter": _filter,
    "Exclude": _filter,
    "FilterRaw": _filter_raw,
    "SetCond": _condition,
    "OrderBy": _order,
    "GroupBy": _group,
    **dict.fromkeys(("Values", "ValuesList", "ValuesFlat", "One", "All"), _columns),
    "Aggregate": _aggregate,
    **dict.fromkeys(("Read", "ReadForUpdate", "ReadOrCreate", "Delete"), _compared),
    "Update": _update,
    "InsertOrUpdate": _conflict,
}
