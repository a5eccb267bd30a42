"""What SQLAlchemy-Searchable does to a schema in a migration: a trigger that keeps a column of search vectors."""

from __future__ import annotations

from collections.abc import Iterator

from legacy_ref_scan.migrations.python.sqlalchemy_ddl import NotFollowedError
from legacy_ref_scan.migrations.python.text import Sql, joined, name, sql
from legacy_ref_scan.migrations.python.values import HOLE, Call

PACKAGE = "sqlalchemy_searchable"
EXPRESSIONS = f"{PACKAGE}.sql_expressions"
"""Statements that make functions which parse queries: about no table."""


def statements(call: Call) -> Iterator[Sql]:
    """The SQL of `sync_trigger` and `drop_trigger`, as `sqlalchemy_searchable/__init__.py` has it.

    Raises `NotFollowedError`.
    """
    if call.last not in ("sync_trigger", "drop_trigger"):
        return
    table, vector = call.text(1, "table_name"), call.text(2, "tsvector_column")
    if table is None or vector is None or HOLE in table + vector:
        raise NotFollowedError("the table of a search vector is computed")
    function, trigger = f"{table}_{vector}_update", f"{table}_{vector}_trigger"
    yield sql("DROP TRIGGER IF EXISTS ", name(trigger), " ON ", name(table))
    yield sql("DROP FUNCTION IF EXISTS ", name(function), "()")
    if call.last == "sync_trigger":
        yield from _made(call, table, vector, function, trigger)


def _made(call: Call, table: str, vector: str, function: str, trigger: str) -> Iterator[Sql]:
    columns = call.get(3, "indexed_columns")
    if not isinstance(columns, list | tuple) or not all(isinstance(item, str) and HOLE not in item for item in columns):
        raise NotFollowedError("the columns of a search vector are computed")
    vectors = joined(" || ", (sql("to_tsvector(coalesce(NEW.", name(item), "::text, ''))") for item in columns))
    body = sql("BEGIN NEW.", name(vector), " := ", vectors, "; RETURN NEW; END")
    yield sql("CREATE FUNCTION ", name(function), "() RETURNS trigger LANGUAGE plpgsql AS $made$ ", body, " $made$")
    runs = sql(" FOR EACH ROW EXECUTE FUNCTION ", name(function), "()")
    yield sql("CREATE TRIGGER ", name(trigger), " BEFORE UPDATE OR INSERT ON ", name(table), runs)
