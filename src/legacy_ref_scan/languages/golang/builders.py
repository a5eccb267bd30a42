"""The SQL that a query builder's chain means (squirrel, goqu, gorm, bun and their kin), with its literals in place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod

from legacy_ref_scan.languages.golang.orm import beego, bun, entsql, gorm, sessions, sqlboiler, sqlf, xorm
from legacy_ref_scan.languages.golang.orm.links import MODEL_TABLE, UNKNOWN_START, UNSEEN_COLUMNS
from legacy_ref_scan.languages.golang.orm.naming import is_keyword
from legacy_ref_scan.languages.golang.orm.statement import Sql
from legacy_ref_scan.languages.golang.values import (
    EMPTY,
    Alternative,
    Call,
    Chain,
    Concatenation,
    Entries,
    Items,
    Origin,
    Text,
    Value,
    hole,
    made_up,
    union,
)

_OPERATORS = {
    "Eq": " = ?", "NotEq": " <> ?", "Lt": " < ?", "LtOrEq": " <= ?", "Gt": " > ?", "GtOrEq": " >= ?", "Like": " LIKE ?",
    "NotLike": " NOT LIKE ?", "ILike": " ILIKE ?", "NotILike": " NOT ILIKE ?", "Neq": " <> ?", "Lte": " <= ?",
    "Gte": " >= ?", "In": " IN (?)", "NotIn": " NOT IN (?)", "IsNull": " IS NULL", "IsNotNull": " IS NOT NULL",
    "Is": " IS ?", "IsNot": " IS NOT ?", "Between": " BETWEEN ? AND ?", "Asc": " ASC", "Desc": " DESC",
    "IsTrue": " IS TRUE", "IsFalse": " IS FALSE", "NullsFirst": " NULLS FIRST", "NullsLast": " NULLS LAST",
}  # fmt: skip
COMPARISONS = frozenset((*_OPERATORS, "Ex", "ExOr"))
"""The types of maps whose keys are columns and whose values are what they are compared with."""
_IDENTIFIERS = frozenset(("C", "I", "T", "L", "Expr", "Literal", "Raw", "S", "Column", "Ident", "Safe", "V"))
_AGGREGATES = frozenset(("COUNT", "MAX", "MIN", "SUM", "AVG", "COALESCE", "DISTINCT", "Func"))
_JOINS = {
    "Join": "JOIN ", "LeftJoin": "LEFT JOIN ", "RightJoin": "RIGHT JOIN ", "InnerJoin": "INNER JOIN ",
    "CrossJoin": "CROSS JOIN ", "FullJoin": "FULL JOIN ", "FullOuterJoin": "FULL JOIN ", "JoinClause": "",
    "LeftOuterJoin": "LEFT JOIN ",
}  # fmt: skip
_CLAUSES = {
    "Select": "select", "Column": "select", "Columns": "select", "ColumnExpr": "select", "SelectAppend": "select",
    "SelectDistinct": "select", "Distinct": "distinct", "From": "from", "Table": "from", "TableExpr": "from",
    "ModelTableExpr": "from", "InsertInto": "into", "Into": "into", "DeleteFrom": "from", "Where": "where",
    "WhereOr": "where", "Or": "where", "Not": "where", "And": "where", "Having": "having", "GroupBy": "group",
    "Group": "group", "GroupExpr": "group", "OrderBy": "order", "Order": "order", "OrderExpr": "order",
    "OrderByClause": "order", "OrderAppend": "order", "Suffix": "suffix", "SuffixExpr": "suffix", "Prefix": "prefix",
    "PrefixExpr": "prefix", "Returning": "returning", "Set": "set", "SetMap": "set", "SetColumn": "set",
    "Update": "update", "UpdateColumn": "set", "Updates": "set", "UpdateColumns": "set", "Rows": "rows",
    "Joins": "join", "Cols": "select", "Values": "values", "Pluck": "select", "Omit": "omit", "GroupByExpr": "group",
}  # fmt: skip
_FEW = 8  # rows of alternatives, which are all looked at
_WITHOUT_TABLES = frozenset(("group", "order", "limit", "offset"))
_LISTS = frozenset(("select", "from", "into", "group", "order", "returning", "rows"))
_KINDS = {
    "Select": "select", "Insert": "insert", "Update": "update", "Delete": "delete", "Replace": "insert",
    "InsertInto": "insert", "DeleteFrom": "delete", "NewSelect": "select", "NewInsert": "insert",
    "NewUpdate": "update", "NewDelete": "delete",
}  # fmt: skip


STATEMENTS: dict[str, Callable[[Chain, Sql], Value]] = {
    "gorm": gorm.statement,
    "bun": bun.statement,
    "go-pg": bun.statement,
    "xorm": xorm.statement,
    "beego": beego.statement,
    "ent": entsql.statement,
    "sqlboiler": sqlboiler.statement,
    "sqlf": sqlf.statement,
    **dict.fromkeys(sessions.DIALECTS, sessions.statement),
}
"""Libraries with a module of their own; the others are read alike."""


@dataclass
class _Statement:
    library: str = ""
    kind: str = ""
    clauses: dict[str, list[Value]] = field(default_factory=dict)

    def add(self, clause: str, values: Iterable[Value]) -> None:
        self.clauses.setdefault(clause, []).extend(values)


class Renderer:
    """Renders chains; `origin` is what made-up holes point at."""

    def __init__(self, concatenate: Concatenation, origin: Origin) -> None:
        self._concatenate = concatenate
        self._origin = origin

    def render(self, chain: Chain) -> Value:
        """The texts that a chain can mean: a statement, or an expression such as `goqu.C("x").Eq(1)`."""
        if chain.library in STATEMENTS:
            return STATEMENTS[chain.library](chain, self)
        if chain.calls and chain.calls[0].method in _IDENTIFIERS and not _starts_statement(chain):
            return self._expression_chain(chain)
        if chain.calls and (chain.calls[0].method in _AGGREGATES or chain.calls[0].method == "Alias"):
            return self._function_chain(chain)
        return self._statement(chain)

    def cat(self, *parts: Value | str) -> Value:
        """The parts one after another."""
        values = [made_up(part.encode()) if isinstance(part, str) else part for part in parts]
        return self._concatenate(values, self._origin) if values else EMPTY

    def hole(self, reason: str) -> Value:
        """Something that is not known."""
        return hole(reason, self._origin)

    def listed(self, values: Sequence[Value], separator: str) -> Value:
        """The parts with a separator between them."""
        parts: list[Value] = []
        for value in values:
            parts += [made_up(separator.encode()), value]
        return self._concatenate(parts[1:], self._origin) if len(parts) > 1 else EMPTY

    # -- expressions -------------------------------------------------------------------------------------------

    def _expression_chain(self, chain: Chain) -> Value:
        first = chain.calls[0]
        text = self.expression(first.arguments[0]) if first.arguments else EMPTY
        for call in chain.calls[1:]:
            if call.method in _OPERATORS:
                text = self.cat(text, _OPERATORS[call.method])
            elif call.method == "As" and call.arguments:
                text = self.cat(text, " AS ", self.expression(call.arguments[0]))
            elif call.method in ("Table", "Schema") and call.arguments:
                text = self.cat(self.expression(call.arguments[0]), ".", text)
            elif call.method == "Col" and call.arguments:
                text = self.cat(text, ".", self.expression(call.arguments[0]))
        return text

    def _function_chain(self, chain: Chain) -> Value:
        first = chain.calls[0]
        arguments = [self.expression(argument) for argument in first.arguments]
        if first.method == "Alias" and len(arguments) == 2:
            return self.cat("(", arguments[0], ") AS ", arguments[1])
        name: Value | str = first.method
        if first.method == "Func" and arguments:
            name, arguments = arguments[0], arguments[1:]
        text = self.cat(name, "(", self.listed(arguments, ", "), ")")
        for call in chain.calls[1:]:
            if call.method == "As" and call.arguments:
                text = self.cat(text, " AS ", self.expression(call.arguments[0]))
        return text

    def expression(self, value: Value) -> Value:
        """An argument as SQL: text is raw, maps are comparisons, lists are joined by AND."""
        return union(self._alternative(alt) for alt in value)

    def _alternative(self, alt: Alternative) -> Value:
        match alt:
            case Text():
                return self.cat('"', (alt,), '"') if is_keyword(alt.data()) else (alt,)
            case Chain() if (alt.calls and alt.calls[0].method in ("Select", "From", "NewSelect")) or _is_select(alt):
                return self.cat("(", self.render(alt), ")")
            case Chain():
                return self.render(alt)
            case Entries(pairs=pairs, type=kind):
                operator = _OPERATORS.get(kind.rpartition(".")[2], " = ?")
                return self.listed([self._comparison(key, item, operator) for key, item in pairs], " AND ")
            case Items(elements=elements):
                return self.listed([self.expression(element) for element in elements], " AND ")
        return hole("argument of a query builder", self._origin)

    def _comparison(self, key: Value, item: Value, operator: str) -> Value:
        nested = [alt for alt in item if isinstance(alt, Chain) and _is_select(alt)]
        if nested and operator == " = ?":
            return self.cat(key, " IN (", union(self.render(alt) for alt in nested), ")")
        if operator == " = ?" and any(isinstance(alt, Items) for alt in item):
            return self.cat(key, " IN (?)")
        return self.cat(key, operator)

    # -- statements --------------------------------------------------------------------------------------------

    def _statement(self, chain: Chain) -> Value:
        statement = _Statement(chain.library)
        for call in chain.calls:
            self._take(statement, call)
        parts = _RENDERERS.get(statement.kind, Renderer._select)(self, statement)
        prefix, suffix = statement.clauses.get("prefix", []), statement.clauses.get("suffix", [])
        returning = self._clause(statement, "returning", " RETURNING ", ", ")
        spaced = [self.cat(part, " ") for part in prefix]
        return self.cat(*spaced, parts, returning, *[self.cat(" ", part) for part in suffix])

    def _take(self, statement: _Statement, call: Call) -> None:
        arguments = spread(call.arguments) if _CLAUSES.get(call.method) in _LISTS else list(call.arguments)
        kind = _KINDS.get(call.method, "")
        if call.method == UNKNOWN_START:
            statement.add("select", call.arguments)
            statement.add("from", call.arguments)
            return
        if call.method == MODEL_TABLE:
            statement.add("model", call.arguments)
        elif kind and not statement.kind:
            self._take_kind(statement, kind, arguments)
        elif statement.kind == "insert" and call.method in ("Select", "FromQuery") and _has_select(arguments):
            statement.add("source", [union(self._raw(alt) for alt in arguments[0])])
        elif call.method in _JOINS:
            statement.add("join", [self._join(call.method, arguments)])
        elif call.method in ("Limit", "Offset"):
            statement.add(call.method.lower(), [made_up(b"?")])
        elif call.method == "FromSelect" and len(arguments) == 2:
            statement.add("from", [self.cat("(", self.expression(arguments[0]), ") AS ", arguments[1])])
        else:
            self._take_clause(statement, call.method, arguments)

    def _take_kind(self, statement: _Statement, kind: str, arguments: list[Value]) -> None:
        statement.kind = kind
        if kind == "select":
            statement.add("select", map(self.expression, arguments))
        else:
            statement.add("into", map(self.expression, arguments[:1]))

    def _take_clause(self, statement: _Statement, method: str, arguments: list[Value]) -> None:
        clause = _CLAUSES.get(method)
        if method == "Column":  # what follows is bound to its placeholders
            arguments = arguments[:1]
        if clause == "distinct":
            statement.add("distinct", [EMPTY])
            statement.add("select", map(self.expression, arguments))
        elif clause in ("where", "having", "suffix", "prefix"):
            statement.add(clause, map(self.expression, arguments[:1]))
        elif clause == "set":
            statement.kind = statement.kind or "update"
            self._take_set(statement, arguments)
        elif clause == "rows":
            for row in arguments:
                pairs = [key for alt in row if isinstance(alt, Entries) for key, _ in alt.pairs]
                statement.add("select", pairs)
        elif clause == "values" or clause is None:
            return
        elif clause == "update":
            statement.kind = "update"
            self._take_set(statement, arguments)
        else:
            statement.add(clause, map(self.expression, arguments))

    def _take_set(self, statement: _Statement, arguments: list[Value]) -> None:
        if not arguments:
            return
        maps = [alt for alt in arguments[0] if isinstance(alt, Entries)]
        if maps:
            statement.add("set", [self.cat(key, " = ?") for alt in maps for key, _ in alt.pairs])
            statement.add("columns", [key for alt in maps for key, _ in alt.pairs])
        elif any(b"=" in alt.data() for alt in arguments[0] if isinstance(alt, Text)):
            statement.add("set", [arguments[0]])
        else:
            value = self.expression(arguments[1]) if len(arguments) > 1 and _is_expression(arguments[1]) else "?"
            statement.add("set", [self.cat(arguments[0], " = ", value)])
            statement.add("columns", [arguments[0]])

    def _raw(self, alt: Alternative) -> Value:
        """A builder's SQL as it is, without parentheses around a query."""
        return self.render(alt) if isinstance(alt, Chain) else self._alternative(alt)

    def _join(self, method: str, arguments: list[Value]) -> Value:
        if method == "JoinClause" and arguments:
            return union(self._raw(alt) for alt in arguments[0])
        parts = [self.expression(argument) for argument in arguments]
        condition = len(parts) > 1 and any(isinstance(alt, Chain | Entries | Items) for alt in arguments[1])
        return (
            self.cat(_JOINS[method], parts[0], " ON ", parts[1])
            if condition
            else self.cat(_JOINS[method], *(parts[:1] or [EMPTY]))
        )

    def _clause(self, statement: _Statement, name: str, keyword: str, separator: str) -> Value:
        values = statement.clauses.get(name, [])
        if name in _WITHOUT_TABLES:
            return union(self.cat(keyword, self.listed(row, separator)) for row in self._varied(values)) or EMPTY
        return self.cat(keyword, self.listed(values, separator)) if values else EMPTY

    def _conditions(self, statement: _Statement, name: str, keyword: str) -> Value:
        wrapped = [self.cat("(", value, ")") for value in statement.clauses.get(name, [])]
        return union(self.cat(keyword, self.listed(row, " AND ")) for row in self._varied(wrapped)) or EMPTY

    def _varied(self, values: list[Value]) -> Iterator[list[Value]]:
        """The rows to look at where each item of a clause has alternatives: what one says rests on no other one.

        All at once while they are few; else the first of each, and each other one beside first ones.
        """
        told = [self._concatenate.telling(value) for value in values]
        if not told or prod(map(len, told)) <= _FEW:
            yield from [told] if told else []
            return
        first: list[Value] = [value[:1] for value in told]
        yield first
        for position, value in enumerate(told):
            for alt in value[1:]:
                yield [*first[:position], (alt,), *first[position + 1 :]]

    def _tail(self, statement: _Statement) -> Value:
        return self.cat(
            self._conditions(statement, "where", " WHERE "),
            self._clause(statement, "group", " GROUP BY ", ", "),
            self._conditions(statement, "having", " HAVING "),
            self._clause(statement, "order", " ORDER BY ", ", "),
            self._clause(statement, "limit", " LIMIT ", ", "),
            self._clause(statement, "offset", " OFFSET ", ", "),
        )

    def _joins(self, statement: _Statement) -> Value:
        return self.cat(*[self.cat(" ", join) for join in statement.clauses.get("join", [])])

    def _table(self, statement: _Statement) -> Value:
        tables = next((found for name in ("into", "from", "model") if (found := statement.clauses.get(name))), [])
        return tables[0] if tables else hole("table of a query builder", self._origin)

    def _select(self, statement: _Statement) -> Value:
        columns = self.listed(statement.clauses.get("select", []), ", ") if "select" in statement.clauses else EMPTY
        bare = columns == EMPTY
        distinct = "DISTINCT " if "distinct" in statement.clauses else ""
        source = self._clause(statement, "from", " FROM ", ", ")
        if bare and statement.library == "squirrel":  # it knows no default: they come from a builder not seen here
            columns = hole(UNSEEN_COLUMNS, self._origin)
        elif bare:
            columns = made_up(b"*")
        head = self.cat("SELECT ", distinct, columns, source)
        return self.cat(head, self._joins(statement), self._tail(statement))

    def _insert(self, statement: _Statement) -> Value:
        columns = [*statement.clauses.get("select", []), *statement.clauses.get("columns", [])]
        named = self.cat(" (", self.listed(columns, ", "), ")") if columns else EMPTY
        if sources := statement.clauses.get("source"):
            return self.cat("INSERT INTO ", self._table(statement), named, " ", sources[0])
        marks = ", ".join("?" for _ in columns) or "?"
        return self.cat("INSERT INTO ", self._table(statement), named, f" VALUES ({marks})")

    def _update(self, statement: _Statement) -> Value:
        sets = self._clause(statement, "set", " SET ", ", ")
        extra = self._clause(statement, "from", " FROM ", ", ") if "into" in statement.clauses else EMPTY
        return self.cat("UPDATE ", self._table(statement), sets, extra, self._joins(statement), self._tail(statement))

    def _delete(self, statement: _Statement) -> Value:
        return self.cat("DELETE FROM ", self._table(statement), self._joins(statement), self._tail(statement))


_RENDERERS: dict[str, Callable[[Renderer, _Statement], Value]] = {
    "select": Renderer._select,
    "insert": Renderer._insert,
    "update": Renderer._update,
    "delete": Renderer._delete,
}


def _starts_statement(chain: Chain) -> bool:
    return any(call.method in ("From", "Select", "Where", "Insert", "Update", "Delete") for call in chain.calls[1:])


def _is_select(chain: Chain) -> bool:
    return any(call.method in ("Select", "From", "NewSelect") for call in chain.calls)


def _has_select(arguments: Sequence[Value]) -> bool:
    return any(isinstance(alt, Chain) and _is_select(alt) for argument in arguments[:1] for alt in argument)


def _is_expression(value: Value) -> bool:
    return any(isinstance(alt, Chain) for alt in value)


def spread(values: Sequence[Value]) -> list[Value]:
    """`Columns("a", list...)`: each element of a list is an argument of its own, an open end is a hole."""
    found: list[Value] = []
    for value in values:
        if len(value) == 1 and isinstance(value[0], Items) and value[0].elements:
            found += value[0].elements
            found += [(Text((value[0].rest,)),)] if value[0].rest is not None else []
        else:
            found.append(value)
    return found
