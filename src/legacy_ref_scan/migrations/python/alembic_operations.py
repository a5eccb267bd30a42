"""The operations of Alembic as the SQL that its PostgreSQL implementation emits.

The signatures are those of `alembic/operations/ops.py`, the SQL that of `alembic/ddl/postgresql.py` and of
SQLAlchemy's `DDLCompiler`. An operation that is not known here raises `NotFollowedError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from legacy_ref_scan.migrations.python.searchable import EXPRESSIONS
from legacy_ref_scan.migrations.python.sqlalchemy_ddl import (
    NotFollowedError,
    Table,
    actions,
    around_column,
    column_definition,
    column_type,
    comment_on,
    constant_name,
    constraint_name,
    create_index,
    creates_type,
    exclusion,
    expression,
    guard_of,
    identity,
    optional_text,
    primary_key,
    table_constraint,
    text_of,
    texts_of,
    type_of,
)
from legacy_ref_scan.migrations.python.sqlalchemy_types import create_enum
from legacy_ref_scan.migrations.python.text import Sql, Text, joined, literal, name, names, sql
from legacy_ref_scan.migrations.python.values import UNKNOWN, Call, Member, Symbol


def statements(operation: str, call: Call, batch: Table | None = None) -> Iterator[Sql]:
    """The SQL of one operation; within a batch the table is the batch's. Raises `NotFollowedError`."""
    handler = _OPERATIONS.get(operation)
    if handler is None or call.loose:
        raise NotFollowedError(f"what {operation} does is not known")
    if batch is not None:
        # `batch_op.add_column(c)` is `op.add_column(table, c, schema=…)`; of a few the table is the second argument.
        at = 1 if operation in TABLE_SECOND else 0
        args, kwargs = call.args, {"schema": batch.schema, **call.kwargs}
        if len(args) >= at:
            args = (*args[:at], batch.name, *args[at:])
        else:
            kwargs["source_table" if operation == "create_foreign_key" else "table_name"] = batch.name
        call = replace(call, args=args, kwargs=kwargs)
        if operation == "create_foreign_key":
            call = replace(call, kwargs={"source_schema": batch.schema, **call.kwargs})
    yield from handler(call)


def _table(call: Call, position: int, keyword: str, schema: str = "schema") -> Table:
    return Table(text_of(call, position, keyword), optional_text(call, schema))


# Tables and columns


def _create_table(call: Call) -> Iterator[Sql]:
    table = _table(call, 0, "table_name")
    items = [item for item in call.args[1:] if isinstance(item, Call)]
    if len(items) != len(call.args) - 1:
        raise NotFollowedError(f"columns of {table.name} are computed")
    columns = [item for item in items if item.last == "Column"]
    keys = primary_key(items)
    for column in columns:
        made = create_enum(type_of(column)) if creates_type(type_of(column)) else None
        if made:
            yield made
    parts = [column_definition(column, keys) for column in columns]
    parts += [part for item in items if item.last != "Column" for part in table_constraint(item)]
    inline = [text_of(column, 0, "name") for column in columns if column.kwargs.get("primary_key") is True]
    if inline:
        parts.append(sql("PRIMARY KEY (", names(inline), ")"))
    guard = "IF NOT EXISTS " if call.kwargs.get("if_not_exists") is True else ""
    tail = optional_text(call, "postgresql_partition_by")
    yield sql(
        f"CREATE TABLE {guard}", table.sql, " (", joined(", ", parts), ")", f" PARTITION BY {tail}" if tail else ""
    )
    for column in columns:
        yield from around_column(column, table)
    for item in items:
        if item.last == "Index":
            yield from create_index(item, table)
    yield from comment_on("TABLE ", table.sql, call)


def _drop_table(call: Call) -> Iterator[Sql]:
    yield sql("DROP TABLE ", guard_of(call, "if_exists", "IF EXISTS "), _table(call, 0, "table_name").sql)


def _rename_table(call: Call) -> Iterator[Sql]:
    yield sql(
        "ALTER TABLE ", _table(call, 0, "old_table_name").sql, " RENAME TO ", name(text_of(call, 1, "new_table_name"))
    )


def _add_column(call: Call) -> Iterator[Sql]:
    table = _table(call, 0, "table_name")
    column = call.get(1, "column")
    if not isinstance(column, Call):
        raise NotFollowedError("a column is computed")
    guard = guard_of(call, "if_not_exists", "IF NOT EXISTS ")
    key = " PRIMARY KEY" if column.kwargs.get("primary_key") is True else ""
    yield sql("ALTER TABLE ", table.sql, f" ADD COLUMN {guard}", column_definition(column), key)
    yield from around_column(column, table)


def _drop_column(call: Call) -> Iterator[Sql]:
    guard = guard_of(call, "if_exists", "IF EXISTS ")
    column = name(text_of(call, 1, "column_name"))
    yield sql("ALTER TABLE ", _table(call, 0, "table_name").sql, f" DROP COLUMN {guard}", column)


def _alter_column(call: Call) -> Iterator[Sql]:
    table = _table(call, 0, "table_name").sql
    called = text_of(call, 1, "column_name")
    start = sql("ALTER TABLE ", table, " ALTER COLUMN ", name(called))
    kwargs = call.kwargs
    if any(kwargs.get(key) is UNKNOWN for key in ("new_column_name", "nullable", "server_default")):
        raise NotFollowedError(f"a change of the column {called} is computed")
    if isinstance(kwargs.get("nullable"), bool):
        yield sql(start, " DROP NOT NULL" if kwargs["nullable"] else " SET NOT NULL")
    type_ = kwargs.get("type_")
    if type_ is not None:
        using = kwargs.get("postgresql_using")
        tail = sql(" USING ", using) if isinstance(using, str) else ()
        yield sql(start, " TYPE ", column_type(type_), tail)
    default = kwargs.get("server_default", False)
    if default is None:
        yield sql(start, " DROP DEFAULT")
    elif isinstance(default, Call) and default.last == "Identity":
        yield sql(start, " ADD", identity(default))
    elif default is not False:
        yield sql(start, " SET DEFAULT ", expression(default))
    if "comment" in kwargs and kwargs["comment"] is not False:
        text = kwargs["comment"]
        yield sql(
            "COMMENT ON COLUMN ", table, ".", name(called), " IS ", literal(text) if isinstance(text, str) else "NULL"
        )
    renamed = kwargs.get("new_column_name", kwargs.get("name"))
    if renamed is not None:
        if not isinstance(renamed, str):
            raise NotFollowedError(f"the new name of the column {called} is computed")
        if renamed != called:
            yield sql("ALTER TABLE ", table, " RENAME COLUMN ", name(called), " TO ", name(renamed))


# Indexes and constraints


def _create_index(call: Call) -> Iterator[Sql]:
    table = _table(call, 1, "table_name")
    columns = call.get(2, "columns")
    if not isinstance(columns, list | tuple):
        raise NotFollowedError("the columns of an index are computed")
    yield from create_index(replace(call, args=(call.get(0, "index_name"), *columns)), table)


def _drop_index(call: Call) -> Iterator[Sql]:
    schema = optional_text(call, "schema")
    called = constant_name(call.get(0, "index_name"))
    if called is None:
        raise NotFollowedError("the name of an index is missing")
    yield sql("DROP INDEX ", guard_of(call, "if_exists", "IF EXISTS "), name(called, schema))


def _add(call: Call, table: Table, body: Sql) -> Iterator[Sql]:
    yield sql("ALTER TABLE ", table.sql, " ADD ", constraint_name(call, 0, "constraint_name"), body)


def _create_unique(call: Call) -> Iterator[Sql]:
    columns = names(texts_of(call, 2, "columns"))
    yield from _add(call, _table(call, 1, "table_name"), sql("UNIQUE (", columns, ")", actions(call)))


def _create_primary_key(call: Call) -> Iterator[Sql]:
    columns = names(texts_of(call, 2, "columns"))
    yield from _add(call, _table(call, 1, "table_name"), sql("PRIMARY KEY (", columns, ")"))


def _create_check(call: Call) -> Iterator[Sql]:
    condition = expression(call.get(2, "condition"), raw=True)
    yield from _add(call, _table(call, 1, "table_name"), sql("CHECK (", condition, ")", actions(call)))


def _create_exclude(call: Call) -> Iterator[Sql]:
    named = replace(call, kwargs={**call.kwargs, "name": call.get(0, "constraint_name")})
    yield sql("ALTER TABLE ", _table(call, 1, "table_name").sql, " ADD ", exclusion(named, call.args[2:]))


def _create_foreign_key(call: Call) -> Iterator[Sql]:
    source = _table(call, 1, "source_table", "source_schema")
    referent = _table(call, 2, "referent_table", "referent_schema")
    local, remote = names(texts_of(call, 3, "local_cols")), names(texts_of(call, 4, "remote_cols"))
    body = sql("FOREIGN KEY (", local, ") REFERENCES ", referent.sql, " (", remote, ")", actions(call))
    yield from _add(call, source, body)


def _drop_constraint(call: Call) -> Iterator[Sql]:
    called = constant_name(call.get(0, "constraint_name"))
    if called is None:
        raise NotFollowedError("the name of a constraint is missing")
    guard = guard_of(call, "if_exists", "IF EXISTS ")
    yield sql("ALTER TABLE ", _table(call, 1, "table_name").sql, f" DROP CONSTRAINT {guard}", name(called))


def _table_comment(call: Call) -> Iterator[Sql]:
    text = call.get(1, "comment") if call.last == "create_table_comment" else None
    target = _table(call, 0, "table_name").sql
    yield sql("COMMENT ON TABLE ", target, " IS ", literal(text) if isinstance(text, str) else "NULL")


def _execute(call: Call) -> Iterator[Sql]:
    """`execute` of a string or of `text()`; SQLAlchemy's own statements change data."""
    yield from executed(call.get(0, "sqltext", call.kwargs.get("statement")))


def executed(value: object) -> Iterator[Sql]:
    """What `execute` of a value runs. Raises `NotFollowedError`."""
    if isinstance(value, Call) and isinstance(value.function, Member):
        root: object = value
        while isinstance(root, Call) and isinstance(root.function, Member):
            root = root.function.owner
        if isinstance(root, Call) and root.last == "text":
            value = root  # text("…").bindparams(…)
        elif value.last not in ("format", "join", "replace", "read"):
            return  # table.update().values(…), select(…).where(…)
    if isinstance(value, Call) and value.last in _DATA:
        return
    if isinstance(value, Symbol) and value.path == EXPRESSIONS:
        return
    if isinstance(value, Call) and value.last in ("CreateSequence", "DropSequence", "CreateSchema", "DropSchema"):
        yield from _schema_element(value)
        return
    inner = value.args[0] if isinstance(value, Call) and value.last in ("text", "DDL") and value.args else value
    if not isinstance(inner, str):
        raise NotFollowedError("the SQL that is executed is computed")
    yield sql(inner if isinstance(inner, Text) else str(inner))


def _schema_element(call: Call) -> Iterator[Sql]:
    element = call.args[0] if call.args else None
    called = element.get(0, "name") if isinstance(element, Call) else element
    if not isinstance(called, str):
        raise NotFollowedError("a name is computed")
    verb, what = ("CREATE", call.last[6:]) if call.last.startswith("Create") else ("DROP", call.last[4:])
    yield sql(f"{verb} {what.upper()} ", name(called))


def _nothing(call: Call) -> Iterator[Sql]:
    """Data, or the session."""
    yield from ()


_DATA = frozenset({"select", "insert", "update", "delete", "union", "exists"})
TABLE_SECOND = frozenset(
    {"create_index", "drop_index", "create_unique_constraint", "create_primary_key", "create_check_constraint",
     "create_foreign_key", "drop_constraint", "create_exclude_constraint"}
)  # fmt: skip
_OPERATIONS: dict[str, Callable[[Call], Iterator[Sql]]] = {
    "add_column": _add_column,
    "alter_column": _alter_column,
    "bulk_insert": _nothing,
    "create_check_constraint": _create_check,
    "create_exclude_constraint": _create_exclude,
    "create_foreign_key": _create_foreign_key,
    "create_index": _create_index,
    "create_primary_key": _create_primary_key,
    "create_table": _create_table,
    "create_table_comment": _table_comment,
    "create_unique_constraint": _create_unique,
    "drop_column": _drop_column,
    "drop_constraint": _drop_constraint,
    "drop_index": _drop_index,
    "drop_table": _drop_table,
    "drop_table_comment": _table_comment,
    "execute": _execute,
    "f": _nothing,
    "get_bind": _nothing,
    "get_context": _nothing,
    "rename_table": _rename_table,
}
