"""gorm: the SQL that a chain of `db.Model(…).Where(…).Find(…)` means (gorm.io/docs, gorm.io/gorm v1 and v2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from legacy_ref_scan.languages.golang.orm.links import JOINED, MODEL_TABLE, UNKNOWN_START, WHOLE_ROWS
from legacy_ref_scan.languages.golang.orm.naming import gorm_name
from legacy_ref_scan.languages.golang.orm.statement import (
    Draft,
    Sql,
    conditions,
    elements,
    is_hole,
    known_texts,
    renamed,
    sql_of,
    whole,
)
from legacy_ref_scan.languages.golang.values import (
    EMPTY,
    Alternative,
    Call,
    Chain,
    Entries,
    External,
    Items,
    Value,
    union,
)

_KINDS = {
    "Create": "insert", "CreateInBatches": "insert", "Save": "insert", "FirstOrCreate": "insert", "Update": "update",
    "Updates": "update", "UpdateColumn": "update", "UpdateColumns": "update", "Delete": "delete",
}  # fmt: skip
_WITH_CONDITION = frozenset(("Find", "First", "Last", "Take", "Delete", "FirstOrCreate", "FirstOrInit"))
_RAW = frozenset(("Raw", "Exec"))
_COMPARISONS = {
    "Eq": " = ?", "Neq": " <> ?", "Gt": " > ?", "Gte": " >= ?", "Lt": " < ?", "Lte": " <= ?", "Like": " LIKE ?",
    "IN": " IN (?)",
}  # fmt: skip
_GROUPS = {"And": " AND ", "Or": " OR ", "Not": " AND "}
_CLAUSE_FUNCTIONS = frozenset(("AssignmentColumns", "Assignments", "And", "Or", "Not"))


def statement(chain: Chain, sql: Sql) -> Value:
    """The statement of a chain; of `clause.And(…)` and `gorm.Expr(…)` their text."""
    first = chain.calls[0] if chain.calls else None
    if first is not None and first.method == "Expr":
        return sql.expression(first.arguments[0]) if first.arguments else EMPTY
    if first is not None and len(chain.calls) == 1 and first.method in _CLAUSE_FUNCTIONS:
        return _function(first, sql)
    raw = [call for call in chain.calls if call.method in _RAW and call.arguments]
    return whole(raw[-1].arguments[0], sql) if raw else sql_of(draft_of(chain, sql), sql)


def draft_of(chain: Chain, sql: Sql) -> Draft:
    """The parts of a chain's statement."""
    draft = Draft(kind=_kind_of(chain))
    said = {call.method for call in chain.calls}
    if MODEL_TABLE in said and WHOLE_ROWS not in said:
        draft.bare = "1"  # the columns are those of a struct that is known: its fields are findings of their own
    for call in chain.calls:
        _take(draft, call, sql)
    if draft.kind == "update":
        draft.sets += [sql.cat(column, " = ?") for column in draft.columns]
    if "Count" in said and not draft.columns:
        draft.bare = "count(*)"
    return draft


def _kind_of(chain: Chain) -> str:
    found = [_KINDS[call.method] for call in chain.calls if call.method in _KINDS]
    return found[-1] if found else "select"


def _take(draft: Draft, call: Call, sql: Sql) -> None:
    handler = _HANDLERS.get(call.method)
    if handler is not None:
        handler(draft, list(call.arguments), sql)
    if call.method in _WITH_CONDITION and len(call.arguments) > 1 and not _is_key(call.arguments[1]):
        draft.where.append(condition(call.arguments[1], sql))
    if call.method in ("Create", "CreateInBatches") and call.arguments:
        draft.columns += [key for pairs in _maps(call.arguments[0]) for key in pairs]


def _is_key(value: Value) -> bool:
    """`First(&phase, 10)`: a primary key, no condition."""
    return is_hole(value) or any(text.isdigit() for text in known_texts(value))


def _maps(value: Value) -> list[list[Value]]:
    """The keys of a map, or of a list of maps, as columns."""
    found = []
    for alt in value:
        if isinstance(alt, Entries) and not alt.type:
            found.append([renamed(key, gorm_name) for key, _ in alt.pairs])
        elif isinstance(alt, Items):
            found += [keys for element in alt.elements for keys in _maps(element)]
    return found


# Clauses


def _table(draft: Draft, arguments: list[Value], sql: Sql) -> None:
    draft.table += [sql.expression(argument) for argument in arguments[:1]]


def _model(draft: Draft, arguments: list[Value], sql: Sql) -> None:
    draft.model = draft.model or [arguments[0]]


def _unknown_start(draft: Draft, arguments: list[Value], sql: Sql) -> None:
    """What was said before is not seen: of the columns and the table it may be anything."""
    draft.unseen += arguments[:1]


def _select(draft: Draft, arguments: list[Value], sql: Sql) -> None:
    named = [renamed(argument, gorm_name) for argument in elements(arguments)]
    texts = known_texts(named[0]) if named else []
    if texts and ("?" in texts[0] or " " in texts[0]):
        named = named[:1]  # `Select("count(*) AS total, ?", x)`: arguments of an expression
    draft.columns += [sql.expression(value) for value in named if known_texts(value) != ["*"]]
    if not draft.columns:
        draft.bare = "*" if draft.bare == "*" else draft.bare


def _distinct(draft: Draft, arguments: list[Value], sql: Sql) -> None:
    draft.distinct = True
    _select(draft, [argument for argument in arguments if known_texts(argument) != ["true"]], sql)


def _pluck(draft: Draft, arguments: list[Value], sql: Sql) -> None:
    draft.columns += [sql.expression(renamed(argument, gorm_name)) for argument in arguments[:1]]


def _where(draft: Draft, arguments: list[Value], sql: Sql) -> None:
    draft.where += [condition(argument, sql) for argument in arguments[:1] if not _is_plain_key(argument)]


def _is_plain_key(value: Value) -> bool:
    return any(text.isdigit() for text in known_texts(value))


def _having(draft: Draft, arguments: list[Value], sql: Sql) -> None:
    draft.having += [condition(argument, sql) for argument in arguments[:1]]


def _group(draft: Draft, arguments: list[Value], sql: Sql) -> None:
    draft.group += [sql.expression(argument) for argument in arguments[:1]]


def _order(draft: Draft, arguments: list[Value], sql: Sql) -> None:
    draft.order += [union(_clause(alt, sql) for alt in argument) for argument in arguments[:1]]


def _joins(draft: Draft, arguments: list[Value], sql: Sql) -> None:
    """Raw SQL; the bare name of an association became a link of its own, or nothing is known of it."""
    for argument in arguments[:1]:
        if not any(text.replace(".", "").isalnum() for text in known_texts(argument)):
            draft.joins.append(sql.expression(argument))


def _joined(draft: Draft, arguments: list[Value], sql: Sql) -> None:
    table, alias, *on = arguments
    shown = conditions("", [condition(value, sql) for value in on], sql) if on else "true"
    draft.joins.append(sql.cat("LEFT JOIN ", table, ' "', alias, '" ON ', shown))


def _update(draft: Draft, arguments: list[Value], sql: Sql) -> None:
    if len(arguments) > 1:
        draft.sets.append(_assignment(renamed(arguments[0], gorm_name), arguments[1], sql))
    elif arguments:
        _updates(draft, arguments, sql)


def _updates(draft: Draft, arguments: list[Value], sql: Sql) -> None:
    for alt in arguments[0] if arguments else ():
        if isinstance(alt, Entries) and not alt.type:
            draft.sets += [_assignment(renamed(key, gorm_name), value, sql) for key, value in alt.pairs]


def _assign(draft: Draft, arguments: list[Value], sql: Sql) -> None:
    """`Assign(map).FirstOrCreate(x)` writes the columns, whether the row is found or made; `Attrs` when it is made."""
    if len(arguments) > 1 and known_texts(arguments[0]):
        draft.columns.append(renamed(arguments[0], gorm_name))
    for keys in _maps(arguments[0]) if arguments else ():
        draft.columns += keys


def _assignment(column: Value, value: Value, sql: Sql) -> Value:
    computed = [alt for alt in value if isinstance(alt, Chain)]
    shown = union(_operand(chain, sql) for chain in computed) if computed else "?"
    return sql.cat(sql.expression(column), " = ", shown)


def _operand(chain: Chain, sql: Sql) -> Value:
    text = sql.render(chain)
    return text if chain.calls and chain.calls[0].method == "Expr" else sql.cat("(", text, ")")


def _clauses(draft: Draft, arguments: list[Value], sql: Sql) -> None:
    for argument in arguments:
        for alt in argument:
            kind = alt.type.rpartition(".")[2] if isinstance(alt, Entries) else ""
            if isinstance(alt, Entries) and kind == "OnConflict":
                draft.conflict.append(_on_conflict(alt, sql))
            elif isinstance(alt, Entries) and kind == "Returning":
                draft.returning += _columns(alt.get(b"Columns") or EMPTY, sql)
            elif isinstance(alt, Entries) and kind in ("OrderBy", "OrderByColumn"):
                draft.order.append(_clause(alt, sql))
            elif isinstance(alt, Entries | Chain) and kind not in ("Locking", "Insert"):
                draft.where.append(condition((alt,), sql))


def _on_conflict(clause: Entries, sql: Sql) -> Value:
    columns = _columns(clause.get(b"Columns") or EMPTY, sql)
    target = sql.cat(" (", sql.listed(columns, ", "), ")") if columns else EMPTY
    updates = [alt for alt in clause.get(b"DoUpdates") or () if isinstance(alt, Chain)]
    sets = union(_function(chain.calls[0], sql) for chain in updates if chain.calls)
    where = [condition(clause.get(key) or EMPTY, sql) for key in (b"Where", b"TargetWhere") if clause.get(key)]
    action = sql.cat(" DO UPDATE SET ", sets, conditions(" WHERE ", where, sql)) if sets else " DO NOTHING"
    return sql.cat(" ON CONFLICT", target, action)


def _columns(value: Value, sql: Sql) -> list[Value]:
    """The names in `[]clause.Column{{Name: "id"}}`."""
    lists = [alt for alt in value if isinstance(alt, Items)]
    return [_name(element, sql) for alt in lists for element in alt.elements]


def _name(value: Value, sql: Sql) -> Value:
    """The name of a column that is a text or a `clause.Column`."""
    return union(
        sql.expression(alt.get(b"Name") or EMPTY) if isinstance(alt, Entries) else sql.expression((alt,))
        for alt in value
    )


# Conditions and clause expressions


def condition(value: Value, sql: Sql) -> Value:
    """An argument of Where, Or, Not, Having: raw SQL, a map, a group of conditions, a clause."""
    return union(_clause(alt, sql) for alt in value) or EMPTY


def _clause(alt: Alternative, sql: Sql) -> Value:
    match alt:
        case Chain() if not alt.calls:
            return _always(sql)
        case Chain():
            return _group_of(alt, sql)
        case Entries(type=""):
            pairs = [sql.cat(sql.expression(key), _operator(value, sql)) for key, value in alt.pairs]
            return sql.listed(pairs, " AND ") if pairs else _always(sql)
        case Entries():
            return _clause_struct(alt, sql)
        case Items(elements=listed):
            found = [condition(element, sql) for element in listed if not _is_key(element)]
            return sql.listed(found, " AND ") if found else _always(sql)
        case External():
            return _always(sql)
    return sql.expression((alt,))


def _always(sql: Sql) -> Value:
    return sql.cat("true")


def _operator(value: Value, sql: Sql) -> Value:
    chains = [alt for alt in value if isinstance(alt, Chain)]
    if chains:
        return sql.cat(" IN (", union(sql.render(chain) for chain in chains), ")")
    return sql.cat(" IN (?)" if any(isinstance(alt, Items) for alt in value) else " = ?")


def _group_of(chain: Chain, sql: Sql) -> Value:
    """`db.Where("a").Or("b")` inside of a Where is a group; with a table or columns of its own it is a subquery."""
    first = chain.calls[0]
    if first.method == "Expr" or (first.method in _CLAUSE_FUNCTIONS and len(chain.calls) == 1):
        return statement(chain, sql)
    draft = draft_of(replace(chain, calls=tuple(c for c in chain.calls if c.method != UNKNOWN_START)), sql)
    if draft.table or draft.model or draft.columns:
        return sql.cat("(", sql_of(draft, sql), ")")
    return conditions("", draft.where, sql) if draft.where else _always(sql)


def _clause_struct(alt: Entries, sql: Sql) -> Value:
    """`clause.Eq{Column: "a", Value: 1}` and its kin; a struct of the project is a condition on fields of a model."""
    kind = alt.type.rpartition(".")[2]
    if not alt.type.startswith("clause.") and kind not in _COMPARISONS:
        return _always(sql)
    if kind in _COMPARISONS and alt.get(b"Column") is not None:
        return sql.cat(_name(alt.get(b"Column") or EMPTY, sql), _COMPARISONS[kind])
    if kind in ("Expr", "NamedExpr"):
        return sql.expression(alt.get(b"SQL") or EMPTY)
    if kind == "OrderByColumn":
        return _name(alt.get(b"Column") or EMPTY, sql)
    for key in (b"Columns", b"Exprs", b"Expression"):
        inner = alt.get(key)
        if inner is not None:
            return condition(inner, sql)
    return _name((alt,), sql) if kind == "Column" else _always(sql)


def _function(call: Call, sql: Sql) -> Value:
    """`clause.AssignmentColumns([]string{"a"})` sets `a`, `clause.Assignments(map)` its keys, `clause.Or(…)` joins."""
    if call.method == "AssignmentColumns":
        names = elements(call.arguments[:1])
        return sql.listed([sql.cat(name, " = excluded.id") for name in names], ", ")
    if call.method == "Assignments":
        keys = [key for found in call.arguments[:1] for columns in _maps(found) for key in columns]
        return sql.listed([sql.cat(key, " = ?") for key in keys], ", ")
    parts = [condition(argument, sql) for argument in elements(call.arguments)]
    return sql.listed([sql.cat("(", part, ")") for part in parts], _GROUPS[call.method]) if parts else _always(sql)


_HANDLERS: dict[str, Callable[[Draft, list[Value], Sql], None]] = {
    "Table": _table,
    MODEL_TABLE: _model,
    JOINED: _joined,
    UNKNOWN_START: _unknown_start,
    "Select": _select,
    "Distinct": _distinct,
    "Pluck": _pluck,
    "Where": _where,
    "Or": _where,
    "Not": _where,
    "Having": _having,
    "Group": _group,
    "Order": _order,
    "Joins": _joins,
    "InnerJoins": _joins,
    "Update": _update,
    "UpdateColumn": _update,
    "Updates": _updates,
    "UpdateColumns": _updates,
    "Assign": _assign,
    "Attrs": _assign,
    "Clauses": _clauses,
}
