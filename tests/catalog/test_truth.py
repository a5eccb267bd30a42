"""Histories of statements: the replayed catalog has exactly what PostgreSQL has after the same statements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from legacy_ref_scan.catalog import apply_file
from legacy_ref_scan.model import SourceFile
from legacy_ref_scan.schema import Catalog, Constraint, SchemaObject, Trigger
from legacy_ref_scan.sql.statements import cut
from tests.catalog.random_ddl import PREAMBLE, statements
from tests.catalog.truth import Connection, differences, facts_of_catalog, facts_of_database
from tests.postgres import Server, shared_server

# What the resolver does not know yet: each fails until it does, and then has to be renamed.
_TODO = pytest.mark.xfail(strict=True, reason="the resolver does not see it")
HISTORIES = [
    pytest.param(path, id=path.stem, marks=[_TODO] if path.stem.startswith("todo") else [])
    for path in sorted((Path(__file__).parent / "histories").glob("*.sql"))
]
_AGAIN = [case for case in HISTORIES if not case.marks]


@pytest.fixture(scope="module")
def server() -> Server:
    return shared_server()


@pytest.fixture
def connection(server: Server) -> Iterator[Connection]:
    name = server.create()
    with server.connect(name) as connection:
        connection.execute("SET client_min_messages = error")
        yield connection
    server.drop(name)


def execute(connection: Connection, data: bytes) -> None:
    """Statement by statement, as psql does: CONCURRENTLY and new enum labels want it."""
    for start, end in cut(data).statements:
        connection.execute(data[start:end])


def replayed(data: bytes, path: str = "history.sql") -> Catalog:
    source = SourceFile(path, data, "sql")
    return apply_file(Catalog(), source, ((0, len(data)),))


@pytest.mark.parametrize("path", HISTORIES)
def test_equals_postgres(path: Path, connection: Connection) -> None:
    data = path.read_bytes()
    execute(connection, data)
    catalog = replayed(data, path.name)
    assert [f"{gap.message}: {data[gap.span.start : gap.span.end].decode()}" for gap in catalog.gaps] == []
    assert differences(facts_of_database(connection), facts_of_catalog(catalog)) == []


@pytest.mark.parametrize("path", _AGAIN)
def test_definitions_create_the_same_again(path: Path, connection: Connection) -> None:
    data = path.read_bytes()
    execute(connection, data)
    catalog = replayed(data, path.name)
    before = facts_of_database(connection)
    connection.execute("SET search_path TO public, app")
    for item in [i for i in catalog.objects.values() if _can_be_made_again(catalog, i)]:
        connection.execute("BEGIN")
        try:
            connection.execute(_drop(catalog, item).encode())
            connection.execute(item.definition.encode())
            changed = differences(before, facts_of_database(connection))
        except psycopg.Error as error:
            pytest.fail(f"{item.definition}\n{error}")
        finally:
            connection.execute("ROLLBACK")
            connection.execute("SET search_path TO public, app")
        assert [line for line in changed if "comment" not in line] == [], item.definition


def _can_be_made_again(catalog: Catalog, item: SchemaObject) -> bool:
    """Not temporary, not inherited, and not needed by another object."""
    if not item.relation or catalog.relations[item.relation].schema == "pg_temp" or item.kind in ("grant", "generated"):
        return False
    relation = catalog.relations[item.relation]
    inherited = relation.parents or any(item.relation in other.parents for other in catalog.relations.values())
    if inherited or item.kind == "partition key":
        return False
    keys = {o.references for o in catalog.objects.values() if isinstance(o, Constraint)}
    return not (isinstance(item, Constraint) and item.type in ("primary key", "unique") and item.relation in keys)


def _drop(catalog: Catalog, item: SchemaObject) -> str:
    relation = catalog.relations[item.relation]
    table = f'"{relation.schema}"."{relation.name}"'
    match item:
        case Constraint():
            return f'ALTER TABLE {table} DROP CONSTRAINT "{item.name}"'
        case Trigger() | SchemaObject(kind="policy" | "rule"):
            return f'DROP {item.kind.upper()} "{item.name}" ON {table}'
        case SchemaObject(kind="publication"):
            return f'ALTER PUBLICATION "{item.name}" DROP TABLE {table}'
    return f'DROP {item.kind.upper()} "{item.schema}"."{item.name}"'


def accepted(connection: Connection, candidates: list[str]) -> list[str]:
    """The candidates that PostgreSQL takes, in order; the database is then as they leave it."""
    taken = []
    for candidate in candidates:
        try:
            connection.execute(candidate.encode())
        except psycopg.Error:
            continue
        taken.append(candidate)
    return taken


@pytest.mark.parametrize("seed", range(10))
def test_random_histories(seed: int, connection: Connection) -> None:
    history = accepted(connection, [*PREAMBLE, *statements(seed, 500)])
    catalog = replayed(";\n".join(history).encode())
    text = ";\n".join(history)
    assert [gap.message for gap in catalog.gaps] == [], text
    assert differences(facts_of_database(connection), facts_of_catalog(catalog)) == [], text
