"""Columns, constraints and indexes of SQLAlchemy as its PostgreSQL dialect writes them (`DDLCompiler`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from legacy_ref_scan.migrations.python.sqlalchemy_types import serial, type_name
from legacy_ref_scan.migrations.python.text import Sql, joined, literal, name, names, sql
from legacy_ref_scan.migrations.python.values import HOLE, Call, Member, Symbol

_COUNTING = ("integer", "bigint", "smallint")


class NotFollowedError(Exception):
    """What an operation does is not known; the message says why."""


@dataclass(frozen=True, slots=True)
class Table:
    """The table that an operation is about."""

    name: str
    schema: str | None = None

    @property
    def sql(self) -> Sql:
        """Its name, quoted."""
        return name(self.name, self.schema)


def text_of(call: Call, position: int, keyword: str) -> str:
    """An argument that is a text. Raises `NotFollowedError` where it is computed."""
    value = call.get(position, keyword)
    if not isinstance(value, str) or HOLE in value:
        raise NotFollowedError(f"{keyword} of {call.last} is computed")
    return value


def optional_text(call: Call, keyword: str) -> str | None:
    """An argument that is a text or missing. Raises `NotFollowedError` where it is computed."""
    value = call.kwargs.get(keyword)
    if value is not None and not isinstance(value, str):
        raise NotFollowedError(f"{keyword} of {call.last} is computed")
    return value


def texts_of(call: Call, position: int, keyword: str) -> Sequence[str]:
    """An argument that is a list of texts. Raises `NotFollowedError` where one is computed."""
    value = call.get(position, keyword)
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) and HOLE not in item for item in value):
        raise NotFollowedError(f"{keyword} of {call.last} is computed")
    return [str_ for str_ in value if isinstance(str_, str)]


def constraint_name(call: Call, position: int, keyword: str = "name") -> Sql:
    """`CONSTRAINT name`, or nothing: PostgreSQL then gives it one."""
    value = constant_name(call.get(position, keyword))
    return sql("CONSTRAINT ", name(value), " ") if value is not None else ()


def constant_name(value: object) -> str | None:
    """The name of a constraint or an index, through `op.f`. Raises `NotFollowedError` where it is computed."""
    if isinstance(value, Call) and value.last == "f" and value.args:
        value = value.args[0]
    if value is None or (isinstance(value, str) and HOLE not in value):
        return value
    raise NotFollowedError("a name is computed")


def primary_key(items: Sequence[Call]) -> list[str]:
    """The columns of a table's primary key, from its constraint or its columns."""
    for item in items:
        if item.last == "PrimaryKeyConstraint":
            return [value for value in item.args if isinstance(value, str)]
    return [
        str(item.get(0, "name")) for item in items if item.last == "Column" and item.kwargs.get("primary_key") is True
    ]


def type_of(column: Call) -> object:
    """The type of a `Column`, None where a foreign key decides it."""
    return column.kwargs.get("type_", column.args[1] if len(column.args) > 1 else None)


def creates_type(value: object) -> bool:
    """Whether CREATE TABLE makes the enum too."""
    call = value.get(0, "item_type") if isinstance(value, Call) and value.last == "ARRAY" else value
    return isinstance(call, Call) and call.kwargs.get("create_type") is not False


def column_type(value: object) -> Sql:
    """The type in SQL; for one that is not SQLAlchemy's own, a type of its class's name."""
    found = type_name(value)
    if found is not None:
        return found
    if isinstance(value, Symbol | Call):
        return name(value.last)
    raise NotFollowedError("the type of a column is computed")


def column_definition(column: Call, keys: Sequence[str] = ()) -> Sql:
    """A column as CREATE TABLE and ADD COLUMN have it."""
    if column.last != "Column":
        raise NotFollowedError("a column is computed")
    called = text_of(column, 0, "name")
    value = type_of(column)
    rest = [item for item in column.args[1:] if isinstance(item, Call)]
    references = [item for item in rest if item.last == "ForeignKey"]
    type_ = column_type(value) if value is not None and value not in references else sql("integer")
    default = column.kwargs.get("server_default")
    special = next((item for item in (*rest, default) if isinstance(item, Call) and item.last in _GENERATED), None)
    counts = (
        list(keys) == [called]
        and "".join(part for part, _ in type_) in _COUNTING
        and not references
        and default is None
        and special is None
        and column.kwargs.get("autoincrement", "auto") is not False
    )
    parts: list[str | Sql] = [name(called), " ", serial(type_) if counts else type_]
    if special is not None:
        parts.append(_GENERATED[special.last](special))
    elif default is not None and default is not False:
        parts += [" DEFAULT ", expression(default)]
    if called in keys or column.kwargs.get("nullable") is False or column.kwargs.get("primary_key") is True:
        parts.append(" NOT NULL")
    return sql(*parts)


def _computed(call: Call) -> Sql:
    kind = "VIRTUAL" if call.kwargs.get("persisted") is False else "STORED"
    return sql(" GENERATED ALWAYS AS (", expression(call.get(0, "sqltext"), raw=True), f") {kind}")


def identity(call: Call) -> Sql:
    """`Identity(always=…)`."""
    always = call.get(0, "always") is True
    return sql(f" GENERATED {'ALWAYS' if always else 'BY DEFAULT'} AS IDENTITY")


_GENERATED: dict[str, Callable[[Call], Sql]] = {"Computed": _computed, "Identity": identity}


def expression(value: object, raw: bool = False) -> Sql:
    """A default or a condition: a string is a constant (or SQL itself, where `raw`), `text` is SQL, `func.x()` a call.

    Raises `NotFollowedError`.
    """
    if isinstance(value, str):
        return sql(value) if raw else literal(value)
    if isinstance(value, bool | int | float):
        return sql(str(value).lower())
    if isinstance(value, Symbol) and value.last in ("true", "false", "null"):
        return sql(value.last)
    if isinstance(value, Call):
        inner = value.args[0] if value.args else None
        if value.last in ("text", "literal_column", "DDL", "quoted_name") and isinstance(inner, str):
            return sql(inner)
        if value.last in ("true", "false", "null"):
            return sql(value.last)
        if value.last == "column" and isinstance(inner, str):
            return name(inner)
        if isinstance(value.function, Symbol) and ".func." in f".{value.function.path}":
            return sql(f"{value.last}(", joined(", ", [expression(item) for item in value.args]), ")")
    raise NotFollowedError("an expression is computed")


def around_column(column: Call, table: Table) -> Iterator[Sql]:
    """What Alembic and SQLAlchemy do for a column apart from its definition: keys, indexes, its comment."""
    called = text_of(column, 0, "name")
    for item in column.args[1:]:
        if isinstance(item, Call) and item.last == "ForeignKey":
            yield sql("ALTER TABLE ", table.sql, " ADD ", foreign_key(item, [called], [text_of(item, 0, "column")]))
    if column.kwargs.get("unique") is True and column.kwargs.get("index") is not True:
        yield sql("ALTER TABLE ", table.sql, " ADD UNIQUE (", name(called), ")")
    if column.kwargs.get("index") is True:
        unique = "UNIQUE " if column.kwargs.get("unique") is True else ""
        index = name(f"ix_{f'{table.schema}_' if table.schema else ''}{table.name}_{called}")
        yield sql(f"CREATE {unique}INDEX ", index, " ON ", table.sql, " (", name(called), ")")
    yield from comment_on("COLUMN ", sql(table.sql, ".", name(called)), column)


def comment_on(what: str, target: Sql, call: Call) -> Iterator[Sql]:
    """The statement for the `comment` of a table or column, if it has one."""
    value = call.kwargs.get("comment")
    if isinstance(value, str):
        yield sql(f"COMMENT ON {what}", target, " IS ", literal(value))


def foreign_key(call: Call, local: Sequence[str], remote: Sequence[str]) -> Sql:
    """`ForeignKey("t.c")` and `ForeignKeyConstraint(["c"], ["t.c"])`: the last part is the column."""
    paths = [item.split(".") for item in remote]
    if any(len(path) < 2 for path in paths):
        raise NotFollowedError("the column that a foreign key references is not named")
    table = joined(".", [name(part) for part in paths[0][:-1]])
    columns = names([path[-1] for path in paths])
    called = constraint_name(call, -1)
    return sql(called, "FOREIGN KEY (", names(local), ") REFERENCES ", table, " (", columns, ")", actions(call))


def actions(call: Call) -> Sql:
    """What follows a constraint: the actions of a foreign key, when it is checked, whether it was."""
    parts = [
        f" ON {word} {optional_text(call, key)}"
        for key, word in (("onupdate", "UPDATE"), ("ondelete", "DELETE"))
        if call.kwargs.get(key)
    ]
    if call.kwargs.get("deferrable") is True:
        parts.append(" DEFERRABLE")
    if call.kwargs.get("initially"):
        parts.append(f" INITIALLY {optional_text(call, 'initially')}")
    if call.kwargs.get("postgresql_not_valid") is True:
        parts.append(" NOT VALID")
    return sql("".join(parts))


def table_constraint(item: Call) -> Iterator[Sql]:
    """A constraint as it stands in CREATE TABLE; none of an index. Raises `NotFollowedError` for what is not known."""
    if item.last in ("PrimaryKeyConstraint", "UniqueConstraint"):
        columns = [value for value in item.args if isinstance(value, str)]
        if len(columns) != len(item.args):
            raise NotFollowedError("the columns of a constraint are computed")
        word = "PRIMARY KEY" if item.last == "PrimaryKeyConstraint" else "UNIQUE"
        yield sql(constraint_name(item, -1), f"{word} (", names(columns), ")", actions(item))
    elif item.last == "ForeignKeyConstraint":
        yield foreign_key(item, texts_of(item, 0, "columns"), texts_of(item, 1, "refcolumns"))
    elif item.last == "CheckConstraint":
        yield sql(constraint_name(item, 1), "CHECK (", expression(item.get(0, "sqltext"), raw=True), ")")
    elif item.last == "ExcludeConstraint":
        yield exclusion(item, item.args)
    elif item.last != "Index":
        raise NotFollowedError(f"what {item.last} adds to a table is not known")


def exclusion(call: Call, elements: Sequence[object]) -> Sql:
    """`ExcludeConstraint(("c", "="), …)`. Raises `NotFollowedError` where it is computed."""
    parts: list[Sql] = []
    for element in elements:
        if not isinstance(element, tuple) or len(element) < 2 or not isinstance(element[1], str):
            raise NotFollowedError("an exclusion constraint is computed")
        operand = name(element[0]) if isinstance(element[0], str) else sql("(", expression(element[0], raw=True), ")")
        parts.append(sql(operand, " WITH ", element[1]))
    using = optional_text(call, "using") or "gist"
    where = sql(" WHERE (", expression(call.kwargs["where"], raw=True), ")") if call.kwargs.get("where") else ()
    return sql(constraint_name(call, -1), f"EXCLUDE USING {using} (", joined(", ", parts), ")", where)


def guard_of(call: Call, keyword: str, words: str) -> str:
    """The words, such as IF EXISTS, where the argument says so."""
    return words if call.kwargs.get(keyword) is True else ""


def create_index(call: Call, table: Table) -> Iterator[Sql]:
    """`Index(name, *columns, …)`."""
    called = constant_name(call.args[0] if call.args else None)
    elements = [name(item) if isinstance(item, str) else _element(item) for item in call.args[1:]]
    using = optional_text(call, "postgresql_using")
    include = call.kwargs.get("postgresql_include")
    where = call.kwargs.get("postgresql_where")
    yield sql(
        f"CREATE {guard_of(call, 'unique', 'UNIQUE ')}INDEX {guard_of(call, 'if_not_exists', 'IF NOT EXISTS ')}",
        name(called) if called else "",
        " ON ",
        table.sql,
        f" USING {using}" if using else "",
        " (",
        joined(", ", elements),
        ")",
        sql(" INCLUDE (", names([str(item) for item in include]), ")") if isinstance(include, list | tuple) else "",
        sql(" WHERE ", expression(where, raw=True)) if where is not None else "",
    )


def _element(value: object) -> Sql:
    """An expression of an index, as it is: SQLAlchemy puts no parentheses around it."""
    if isinstance(value, Call) and isinstance(value.function, Member) and value.last in ("desc", "asc"):
        return sql(_element(value.function.owner), f" {value.last.upper()}")
    return expression(value, raw=True)
