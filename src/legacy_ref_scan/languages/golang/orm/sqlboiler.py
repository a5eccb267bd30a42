"""SQLBoiler: the SQL that query mods mean (`qm.Select`, `qm.Where`, `qm.InnerJoin` …)."""

from __future__ import annotations

from collections.abc import Iterator

from legacy_ref_scan.languages.golang.orm.links import MODEL_TABLE
from legacy_ref_scan.languages.golang.orm.statement import Draft, Sql, conditions, sql_of
from legacy_ref_scan.languages.golang.values import Call, Chain, Items, Value, made_up

LIBRARY = "sqlboiler"
_WHERE = frozenset("Where And Or WhereIn AndIn OrIn WhereNotIn AndNotIn OrNotIn Clause".split())
_JOINS = {
    "InnerJoin": "INNER JOIN ", "LeftOuterJoin": "LEFT JOIN ", "RightOuterJoin": "RIGHT JOIN ",
    "FullOuterJoin": "FULL JOIN ",
}  # fmt: skip


def mods_in(value: Value) -> Iterator[Chain]:
    """The query mods in an argument."""
    for alt in value:
        if isinstance(alt, Chain) and alt.library == LIBRARY:
            yield alt
        elif isinstance(alt, Items):
            for element in alt.elements:
                yield from mods_in(element)


def statement(chain: Chain, sql: Sql) -> Value:
    """The statement of a list of mods."""
    raw = [call for call in chain.calls if call.method in ("SQL", "Raw") and call.arguments]
    if raw:
        return sql.expression(raw[-1].arguments[0])
    if not any(call.method in ("From", MODEL_TABLE) for call in chain.calls):
        return _parts(chain, sql)
    draft = Draft(bare="1" if any(call.method == MODEL_TABLE for call in chain.calls) else "*")
    for call in chain.calls:
        _take(draft, call, sql)
    return sql_of(draft, sql)


def _parts(chain: Chain, sql: Sql) -> Value:
    """Mods on their way to the function that makes a query of them: their texts alone."""
    return sql.listed([sql.expression(value) for call in chain.calls for value in call.arguments[:1]], ", ")


def _take(draft: Draft, call: Call, sql: Sql) -> None:
    first = list(call.arguments[:1])
    shown = [sql.expression(value) for value in first]
    if call.method in _WHERE:
        draft.where += shown
    elif call.method in ("Expr", "Or2"):
        draft.where += [_nested(value, sql) for value in call.arguments]
    elif call.method in _JOINS and shown:
        draft.joins.append(sql.cat(_JOINS[call.method], shown[0]))
    elif call.method in ("Select", "Distinct"):
        draft.columns += [sql.expression(value) for value in call.arguments]
    elif call.method in ("From", "FromClause"):
        draft.table += shown
    elif call.method == MODEL_TABLE:
        draft.model += first
    elif call.method in ("OrderBy", "GroupBy", "Having"):
        {"OrderBy": draft.order, "GroupBy": draft.group, "Having": draft.having}[call.method].extend(shown)


def _nested(value: Value, sql: Sql) -> Value:
    draft = Draft()
    for mod in mods_in(value):
        for call in mod.calls:
            _take(draft, call, sql)
    return conditions("", draft.where, sql) if draft.where else made_up(b"true")
