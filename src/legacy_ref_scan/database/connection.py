"""Connections that keep quiet: no password in any message, read-only where nothing may be changed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from legacy_ref_scan.database.driver import psycopg
from legacy_ref_scan.model import ScanError

if TYPE_CHECKING:
    import psycopg as _psycopg

    Connection = _psycopg.Connection[tuple[Any, ...]]

APPLICATION = "legacy-ref-scan"
MARK = f"/* {APPLICATION} */"
"""Stands in every query of ours, so that they are told from others in pg_stat_statements and pg_stat_activity."""

_CONNECT_SECONDS = 10
_SECRETS = ("password", "sslpassword", "passfile", "sslkey", "oauth_client_secret", "scram_client_key")
_URL_SECRET = re.compile(r"(?<=://)[^/@\s]*:[^@\s]*(?=@)")
_KEY_SECRET = re.compile(r"(?i)\b(\w*(?:password|secret|passwd)\w*\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]+)")
_READ_ONLY = "-c default_transaction_read_only=on -c idle_in_transaction_session_timeout=60s"
_POOLER = "unsupported startup parameter"  # PgBouncer


class DatabaseError(ScanError):
    """The server cannot be reached, or refuses. The message holds no secret. Exit code 2."""


def connect(dsn: str, options: str = "") -> Connection:
    """An autocommit connection that never prepares statements on its own. Raises `DatabaseError`.

    `dsn` is a URL or a `key=value` string as libpq takes it; what it leaves out comes from libpq's environment.
    `options` are settings for the session, as libpq's parameter of that name has them.
    """
    driver = psycopg()
    try:
        known = driver.conninfo.conninfo_to_dict(dsn)
    except driver.Error:
        # libpq quotes the part that it stumbles over, and that may be the password
        raise DatabaseError("the DSN cannot be read: give postgresql://user@host/database or key=value pairs") from None
    given = {"connect_timeout": str(_CONNECT_SECONDS), "application_name": APPLICATION, **known}
    if options:
        given["options"] = f"{given.get('options') or ''} {options}".strip()
    try:
        connection: Connection = driver.connect(
            driver.conninfo.make_conninfo("", **given), autocommit=True, prepare_threshold=None
        )
    except driver.Error as error:
        raise DatabaseError(f"cannot connect to the database: {redacted(str(error), dsn)}") from None
    return connection


@contextmanager
def read_only(dsn: str) -> Iterator[Connection]:
    """One connection whose transactions are read-only by default; closed at the end. Raises `DatabaseError`.

    The settings go with the start of the session and never by SET: a pooler would hand them on to somebody else. One
    that takes no settings has none, and every transaction of `looking` says for itself that it only reads.
    """
    try:
        connection = connect(dsn, _READ_ONLY)
    except DatabaseError as error:
        if _POOLER not in str(error):
            raise
        connection = connect(dsn)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def looking(connection: Connection, seconds: float, search_path: tuple[str, ...] = ()) -> Iterator[Connection]:
    """A read-only transaction that waits for no lock and ends by itself; it is always rolled back.

    `seconds` is the longest that a statement may take. Row level security raises an error instead of hiding rows.
    The settings are those of the transaction: a pooler between us and the server can't lose them.
    """
    driver = psycopg()
    connection.execute("BEGIN TRANSACTION READ ONLY")
    try:
        path = ", ".join('"' + name.replace('"', '""') + '"' for name in search_path)
        for name, value in (
            ("statement_timeout", f"{int(seconds * 1000)}ms"),
            ("lock_timeout", "1s"),
            ("row_security", "off"),
            *((("search_path", path),) if path else ()),
        ):
            connection.execute(f"SELECT {MARK} pg_catalog.set_config(%s, %s, true)".encode(), (name, value))
        yield connection
    finally:
        try:
            connection.execute("ROLLBACK")
        except driver.Error:
            connection.close()  # the server went away


def redacted(message: str, dsn: str = "") -> str:
    """A server's or libpq's message on one line, without the DSN and without anything in it that is secret."""
    text = message.replace(dsn, "(the DSN)") if dsn else message
    for secret in sorted(_secrets(dsn), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = _KEY_SECRET.sub(r"\1***", _URL_SECRET.sub("***", text))
    return re.sub(r"\s*\n\s*", "; ", text.strip())


def _secrets(dsn: str) -> set[str]:
    driver = psycopg()
    found = {os.environ.get("PGPASSWORD") or "", os.environ.get("PGSSLPASSWORD") or ""}
    try:
        known = driver.conninfo.conninfo_to_dict(dsn)
    except driver.Error:
        known = {}
    found.update(str(known[key]) for key in _SECRETS if known.get(key))
    return {secret for secret in found if secret}


def named(connection: Connection) -> str:
    """Which server and database these are, for people: host, port, name; never user or password."""
    info = connection.info
    return f"{info.host or 'local'}:{info.port}/{info.dbname} (PostgreSQL {_version(info.server_version)})"


def _version(number: int) -> str:
    return f"{number // 10000}.{number % 10000}"
