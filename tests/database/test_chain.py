"""Migrations on a server as their tools run them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from legacy_ref_scan.database.chain import Chain, NotEmptyError, replay_on, require_empty
from legacy_ref_scan.migrations import detect
from legacy_ref_scan.workspace import Workspace
from tests.postgres import Server

Connection = psycopg.Connection[tuple[Any, ...]]
PLAIN = "CREATE TABLE t (a int);\n"
CONCURRENTLY = "CREATE INDEX CONCURRENTLY i ON t (a);\n"
FIRST = {
    "golang-migrate": ("m/1_a.up.sql", "{}"),
    "goose": ("m/1_a.sql", "-- +goose Up\n{}-- +goose Down\nDROP TABLE t;\n"),
    "sql-migrate": ("m/1_a.sql", "-- +migrate Up\n{}-- +migrate Down\nDROP TABLE t;\n"),
    "dbmate": ("m/1_a.sql", "-- migrate:up\n{}-- migrate:down\nDROP TABLE t;\n"),
    "tern": ("m/001_a.sql", "{}---- create above / drop below ----\nDROP TABLE t;\n"),
    "flyway": ("m/V1__a.sql", "{}"),
    "schema-file": ("schema.sql", "\\connect x\n{}COPY t FROM stdin;\n1\n2\n\\.\n"),
}
OUTSIDE = {
    "golang-migrate": ("m/2_b.up.sql", "{}"),
    "goose": ("m/2_b.sql", "-- +goose NO TRANSACTION\n-- +goose Up\n{}-- +goose Down\n"),
    "sql-migrate": ("m/2_b.sql", "-- +migrate Up notransaction\n{}-- +migrate Down\n"),
    "dbmate": ("m/2_b.sql", "-- migrate:up transaction:false\n{}-- migrate:down\n"),
    "tern": ("m/002_b.sql", "---- tern: disable-tx ----\n{}---- create above / drop below ----\n"),
    "flyway": ("m/V2__b.sql", "{}"),
}
MARKS_TAKEN_AWAY = {
    "goose": ("-- +goose NO TRANSACTION\n", ""),
    "sql-migrate": (" notransaction", ""),
    "dbmate": (" transaction:false", ""),
    "tern": ("---- tern: disable-tx ----\n", ""),
}


def replayed(connection: Connection, root: Path, convention: str | None = None, own: bool = True) -> Chain:
    history = detect(Workspace(root), None, convention)
    return replay_on(connection, history, history.migrations, own=own)


def write(root: Path, *files: tuple[str, str]) -> None:
    for name, text in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def indexes(connection: Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT indexname FROM pg_indexes WHERE tablename = 't'").fetchall()]


@pytest.mark.parametrize("convention", OUTSIDE)
def test_what_runs_outside_a_transaction(database: Connection, tmp_path: Path, convention: str) -> None:
    (first, one), (second, two) = FIRST[convention], OUTSIDE[convention]
    write(tmp_path, (first, one.format(PLAIN)), (second, two.format("SELECT 1;\n" + CONCURRENTLY)))
    chain = replayed(database, tmp_path)
    assert (chain.problem, chain.applied, indexes(database)) == ("", 2, ["i"])


@pytest.mark.parametrize("convention", MARKS_TAKEN_AWAY)
def test_without_the_mark_it_fails_as_with_the_tool(database: Connection, tmp_path: Path, convention: str) -> None:
    (first, one), (second, two) = FIRST[convention], OUTSIDE[convention]
    two = two.replace(*MARKS_TAKEN_AWAY[convention])
    write(tmp_path, (first, one.format(PLAIN)), (second, two.format(CONCURRENTLY)))
    chain = replayed(database, tmp_path)
    assert "cannot run inside a transaction block (25001)" in chain.problem
    assert (chain.applied, indexes(database)) == (1, [])


def test_a_schema_file_runs_without_the_data_that_psql_would_send(database: Connection, tmp_path: Path) -> None:
    name, text = FIRST["schema-file"]
    write(tmp_path, (name, text.format(PLAIN)))
    assert replayed(database, tmp_path, "schema-file").problem == ""
    assert database.execute("SELECT count(*) FROM t").fetchone() == (0,)


ALEMBIC = """
import sqlalchemy as sa
from alembic import op

revision = "{0}"
down_revision = {1}


def upgrade():
    {2}


def downgrade():
    pass
"""


def test_programs_run_as_the_sql_that_they_stand_for(database: Connection, tmp_path: Path) -> None:
    write(
        tmp_path,
        ("alembic/versions/1_a.py", ALEMBIC.format("a", None, 'op.create_table("t", sa.Column("a", sa.Integer()))')),
        ("alembic/versions/2_b.py", ALEMBIC.format("b", "'a'", f'op.execute("{CONCURRENTLY.strip()}")')),
        ("alembic/versions/3_c.py", ALEMBIC.format("c", "'b'", 'op.execute("DROP TABLE no_such")')),
    )
    chain = replayed(database, tmp_path)
    assert (chain.applied, indexes(database)) == (2, ["i"])
    assert chain.problem.startswith('alembic/versions/3_c.py:10: table "no_such" does not exist (42P01)')


def test_a_failing_migration_is_named_with_its_line_and_leaves_nothing(database: Connection, tmp_path: Path) -> None:
    write(tmp_path, ("m/1_a.up.sql", PLAIN), ("m/2_b.up.sql", "CREATE TABLE u (a int);\n\nALTER TABLE ü ADD b int;\n"))
    write(tmp_path, ("m/3_c.up.sql", "SELECT 1;"))
    chain = replayed(database, tmp_path)
    assert chain.applied == 1
    assert chain.problem.startswith("m/2_b.up.sql:")
    assert 'relation "ü" does not exist (42P01)' in chain.problem
    assert database.execute("SELECT to_regclass('u')").fetchone() == (None,)


def test_missing_roles_are_made_on_a_server_of_ones_own(database: Connection, postgres: Server, tmp_path: Path) -> None:
    write(tmp_path, ("m/1_a.up.sql", PLAIN + 'GRANT SELECT ON t TO lrs_reader, "lrs Writer";\n'))
    refused = replayed(database, tmp_path, own=False)
    assert 'role "lrs_reader" does not exist' in refused.problem
    assert "create the role" in refused.problem
    try:
        chain = replayed(database, tmp_path, own=True)
        assert (chain.problem, chain.roles) == ("", ["lrs_reader", "lrs Writer"])
        assert any("lrs Writer" in note for note in chain.notes())
    finally:
        database.execute('DROP OWNED BY lrs_reader, "lrs Writer"; DROP ROLE lrs_reader; DROP ROLE "lrs Writer"')


def test_missing_extensions_have_stand_ins_or_are_left_out(
    database: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("legacy_ref_scan.database.chain._EXTENSIONS", "SELECT 'plpgsql'")
    text = """
    CREATE EXTENSION IF NOT EXISTS "uuid-ossp"; CREATE EXTENSION pgcrypto; -- twice
    create extension if not exists "uuid-ossp" with schema public;
    /* ; */ CREATE EXTENSION citext; CREATE EXTENSION pg_trgm; CREATE EXTENSION postgis;
    CREATE TABLE t (a uuid DEFAULT uuid_generate_v4(), b bytea DEFAULT digest('a'::text, 'md5'), c citext);
    CREATE INDEX i ON t USING gin ((c::text) gin_trgm_ops);
    CREATE UNIQUE INDEX ON t (uuid_generate_v5(uuid_nil(), c::text));
    INSERT INTO t (c) VALUES ('x');
    """
    write(tmp_path, ("m/1_a.up.sql", text))
    chain = replayed(database, tmp_path)
    assert chain.problem == ""
    assert sorted(chain.stand_ins) == ["citext", "pg_trgm", "pgcrypto", "uuid-ossp"]
    assert chain.missing == ["postgis"]
    assert chain.indexes == 1
    assert len(list(chain.notes())) == 3


def test_what_needs_a_missing_extension_is_explained(database: Connection, tmp_path: Path) -> None:
    write(tmp_path, ("m/1_a.up.sql", "CREATE EXTENSION no_such_thing;\nCREATE TABLE t (g no_such_type);\n"))
    chain = replayed(database, tmp_path)
    assert chain.problem.startswith("m/1_a.up.sql:2: ")
    assert "--schema-dump" in chain.problem


def test_a_database_in_use_is_refused(database: Connection) -> None:
    require_empty(database)
    database.execute("CREATE SCHEMA app CREATE VIEW v AS SELECT 1")
    with pytest.raises(NotEmptyError, match="1 relations"):
        require_empty(database)
