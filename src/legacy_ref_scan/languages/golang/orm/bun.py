"""bun and go-pg: the SQL that a chain of `db.NewSelect().Model(…).Where(…)` means (bun.uptrace.dev/guide)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from legacy_ref_scan.languages.golang.orm.links import JOINED, MODEL_TABLE, UNKNOWN_START
from legacy_ref_scan.languages.golang.orm.statement import Draft, Sql, known_texts, sql_of
from legacy_ref_scan.languages.golang.values import EMPTY, Atom, Call, Chain, Known, Text, Value, union

_KINDS = {
    "NewInsert": "insert", "NewUpdate": "update", "NewDelete": "delete", "Insert": "insert", "Update": "update",
    "UpdateNotZero": "update", "Delete": "delete", "ForceDelete": "delete", "SelectOrInsert": "insert",
}  # fmt: skip
_IDENTIFIERS = frozenset(("Ident", "Safe", "SafeQuery", "Name"))
_RAW = frozenset(("NewRaw", "Raw"))
# bun's placeholders: `?` for an argument, `?0`, `?TableAlias`, `?TableName`, `?PKs`, `?Columns`, `?name`.
_MARK = re.compile(rb"\?(\w*)")


def statement(chain: Chain, sql: Sql) -> Value:
    """The statement of a chain; of `bun.Ident("x")` its text."""
    first = chain.calls[0] if chain.calls else None
    if first is not None and first.method in _IDENTIFIERS and len(chain.calls) == 1:
        return sql.expression(first.arguments[0]) if first.arguments else EMPTY
    raw = [call for call in chain.calls if call.method in _RAW and call.arguments]
    if raw:
        return _filled(raw[-1].arguments, (), sql)
    return sql_of(draft_of(chain, sql), sql)


def draft_of(chain: Chain, sql: Sql) -> Draft:
    """The parts of a chain's statement."""
    kinds = [_KINDS[call.method] for call in chain.calls if call.method in _KINDS]
    draft = Draft(kind=kinds[-1] if kinds else "select")
    if any(call.method == MODEL_TABLE for call in chain.calls):
        draft.bare = "1"  # the model's own columns: its fields are findings of their own
    aliases = tuple(call.arguments[2] for call in chain.calls if call.method == MODEL_TABLE and len(call.arguments) > 2)
    for call in chain.calls:
        handler = _HANDLERS.get(call.method)
        if handler is not None:
            handler(draft, call, aliases[0] if aliases else (), sql)
    _settle(draft, sql)
    return draft


def _settle(draft: Draft, sql: Sql) -> None:
    """What the assignments are depends on the kind of the statement."""
    if draft.kind == "update":
        draft.sets += [sql.cat(column, " = ?") for column in draft.columns]
    elif draft.kind == "insert" and draft.conflict:
        assigned = sql.cat(" SET ", sql.listed(draft.sets, ", ")) if draft.sets else EMPTY
        draft.conflict = [sql.cat(" ON ", draft.conflict[-1], assigned)]


def _filled(arguments: tuple[Value, ...], alias: Value, sql: Sql) -> Value:
    """A text with the identifiers among its arguments in place of their marks."""
    if not arguments:
        return EMPTY
    return union((_fill(alt, arguments[1:], alias),) if isinstance(alt, Text) else sql.expression((alt,))
                 for alt in arguments[0])  # fmt: skip


def _fill(text: Text, arguments: tuple[Value, ...], alias: Value) -> Text:
    rest = iter(arguments)
    return Text(tuple(part for atom in text.atoms for part in _parts(atom, rest, alias)), text.partial)


def _parts(atom: Atom, arguments: Iterator[Value], alias: Value) -> Iterator[Atom]:
    if not isinstance(atom, Known) or b"?" not in atom.text:
        yield atom
        return
    at = 0
    for match in _MARK.finditer(atom.text):
        put = alias if match[1] in (b"TableAlias", b"TableName") else (next(arguments, ()) if not match[1] else ())
        shown = _identifier(put)
        if shown is not None:
            yield _slice(atom, at, match.start())
            yield from shown.atoms
            at = match.end()
        elif match[1]:
            yield _slice(atom, at, match.start() + 1)
            at = match.end()
    yield _slice(atom, at, len(atom.text))


def _identifier(value: Value) -> Text | None:
    """The text of `bun.Ident("a")` or of an alias; other arguments stay marks."""
    for alt in value:
        if isinstance(alt, Chain) and alt.calls and alt.calls[0].method in _IDENTIFIERS and alt.calls[0].arguments:
            value = alt.calls[0].arguments[0]
            return next((inner for inner in value if isinstance(inner, Text)), None)
        if isinstance(alt, Text) and alt.known and all(isinstance(a, Known) and a.origin is None for a in alt.atoms):
            return alt
    return None


def _slice(atom: Known, start: int, end: int) -> Known:
    if atom.origin is None:
        return Known(atom.text[start:end])
    path, begin, stop = atom.origin
    exact = stop - begin == len(atom.text)
    return Known(atom.text[start:end], (path, begin + start, begin + end) if exact else atom.origin)


# Clauses


def _take_model(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    draft.model = draft.model or [
        sql.cat(sql.expression(call.arguments[0]), " AS ", sql.expression(alias)) if alias else call.arguments[0]
    ]


def _take_start(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    draft.unseen += call.arguments[:1]


def _take_table(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    draft.table += [_filled(call.arguments, alias, sql)]


def _take_column(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    draft.columns += [sql.expression(a) for a in call.arguments if known_texts(a) not in (["*"], ["_"])]


def _take_expression(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    if not any(text.endswith("*") for text in known_texts(call.arguments[0]) if call.arguments):
        draft.columns.append(_filled(call.arguments, alias, sql))


def _take_where(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    draft.where.append(_filled(call.arguments, alias, sql))


def _take_where_in(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    draft.where.append(_filled(call.arguments[:1], alias, sql))


def _take_set(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    draft.sets.append(_filled(call.arguments, alias, sql))


def _take_value(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    """`Value("col", "now()")` and `SetColumn("col", "coalesce(a, ?)", x)`."""
    if draft.kind == "insert":
        draft.columns += [sql.expression(argument) for argument in call.arguments[:1]]
        return
    value = _filled(call.arguments[1:], alias, sql) if len(call.arguments) > 1 else "?"
    draft.sets += [sql.cat(sql.expression(argument), " = ", value) for argument in call.arguments[:1]]


def _take_join(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    draft.joins.append(_filled(call.arguments, alias, sql))


def _take_join_on(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    if draft.joins:
        before = draft.joins[-1]
        first = not any(b" on " in text.data().lower() for text in before if isinstance(text, Text))
        draft.joins[-1] = sql.cat(before, " ON " if first else " AND ", _filled(call.arguments, alias, sql))


def _take_joined(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    draft.joins.append(sql.cat("LEFT JOIN ", call.arguments[0], " AS ", call.arguments[1], " ON true"))


def _take_order(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    draft.order += [sql.expression(argument) for argument in call.arguments]


def _take_order_expression(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    draft.order.append(_filled(call.arguments, alias, sql))


def _take_group(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    draft.group += [sql.expression(argument) for argument in call.arguments]


def _take_group_expression(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    draft.group.append(_filled(call.arguments, alias, sql))


def _take_having(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    draft.having.append(_filled(call.arguments, alias, sql))


def _take_conflict(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    text = _filled(call.arguments, alias, sql)
    draft.conflict = [sql.cat("CONFLICT ", text) if call.method == "OnConflict" else text]


def _take_returning(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    if not any(text in ("*", "NULL") for text in known_texts(call.arguments[0]) if call.arguments):
        draft.returning.append(_filled(call.arguments, alias, sql))


def _take_count(draft: Draft, call: Call, alias: Value, sql: Sql) -> None:
    draft.bare = "count(*)"


_HANDLERS: dict[str, Callable[[Draft, Call, Value, Sql], None]] = {
    MODEL_TABLE: _take_model,
    UNKNOWN_START: _take_start,
    JOINED: _take_joined,
    "Table": _take_table,
    "TableExpr": _take_table,
    "ModelTableExpr": _take_table,
    "Column": _take_column,
    "ColumnExpr": _take_expression,
    "DistinctOn": _take_expression,
    "Where": _take_where,
    "WhereOr": _take_where,
    "WhereIn": _take_where_in,
    "Set": _take_set,
    "SetColumn": _take_value,
    "Value": _take_value,
    "Join": _take_join,
    "JoinOn": _take_join_on,
    "JoinOnOr": _take_join_on,
    "Order": _take_order,
    "OrderExpr": _take_order_expression,
    "Group": _take_group,
    "GroupExpr": _take_group_expression,
    "Having": _take_having,
    "On": _take_conflict,
    "OnConflict": _take_conflict,
    "Returning": _take_returning,
    "Count": _take_count,
}
