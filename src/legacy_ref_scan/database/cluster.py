"""A PostgreSQL of one's own: an embedded server with a fresh cluster, gone at the end, and empty databases in it."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from types import ModuleType
from typing import TYPE_CHECKING

from legacy_ref_scan.database.connection import connect
from legacy_ref_scan.database.driver import embedded_server, psycopg
from legacy_ref_scan.model import ScanError

if TYPE_CHECKING:
    from legacy_ref_scan.database.connection import Connection

# Nothing of such a cluster has to survive a power cut.
_FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


@dataclass
class Server:
    """A running server in which databases may be made. `own` says that it is ours altogether, its roles too.

    Every database that it made is dropped by `close`.
    """

    dsn: str
    own: bool = False
    _databases: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def dsn_of(self, database: str) -> str:
        """The connection string of one of the server's databases."""
        return str(psycopg().conninfo.make_conninfo(self.dsn, dbname=database))

    def connect(self, database: str) -> Connection:
        """A new autocommit connection."""
        return connect(self.dsn_of(database))

    def create(self, schema_sql: str = "") -> str:
        """A new database in which `schema_sql` has been executed; returns its name."""
        name = f"lrs_{os.getpid()}_{next(self._numbers)}"
        self._databases.append(name)
        # template0 is as PostgreSQL ships it, whatever somebody added to template1
        self._administer(f'CREATE DATABASE "{name}" TEMPLATE template0')
        with self.connect(name) as connection:
            connection.execute(schema_sql.encode())
        return name

    def drop(self, database: str) -> None:
        """Drops one of this server's databases, also under open connections."""
        self._databases.remove(database)
        self._administer(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def close(self) -> None:
        """Drops everything that `create` made."""
        for name in list(self._databases):
            self.drop(name)

    def _administer(self, statement: str) -> None:
        with connect(self.dsn) as connection:
            connection.execute(statement.encode())


@contextmanager
def embedded() -> Iterator[Server]:
    """An embedded server with a fresh cluster (about a second), stopped and removed at the end. Raises `ScanError`."""
    module = _package()
    # A cluster started by root runs as another user, who must be able to reach it, and a socket's path may have
    # 107 bytes only: a short name right under the directory for temporary files.
    directory = tempfile.mkdtemp(prefix="lrs-pg-")
    with _leaving_when_told():
        try:
            yield from _running(module, directory)
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _running(module: ModuleType, directory: str) -> Iterator[Server]:
    try:
        cluster = module.get_server(directory, cleanup_mode="delete")
    except (subprocess.SubprocessError, OSError, RuntimeError) as error:
        raise ScanError(f"the embedded PostgreSQL does not start: {error}") from None
    try:
        dsn = str(cluster.get_uri())
        _make_fast(dsn)
        yield Server(dsn, own=True)
    finally:
        cluster.cleanup()


@contextmanager
def _leaving_when_told() -> Iterator[None]:
    """Make the end of the process by SIGTERM an exit, for the server is a process of its own and would stay."""
    told = getattr(signal, "SIGTERM", None)
    if told is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(told, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(told, before)


def _make_fast(dsn: str) -> None:
    with connect(dsn) as connection:
        for setting in _FAST:
            connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        connection.execute("SELECT pg_reload_conf()")


@functools.cache
def _package() -> ModuleType:
    """The server's package. At its import it settles on a directory for its lock, which all users share where
    XDG_RUNTIME_DIR is not set: it gets one of this process."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    runtime = tempfile.mkdtemp(prefix="lrs-run-")
    atexit.register(shutil.rmtree, runtime, ignore_errors=True)
    os.mkdir(os.path.join(runtime, "python_PostgresServer"))
    os.environ["XDG_RUNTIME_DIR"] = runtime
    try:
        return embedded_server()
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
