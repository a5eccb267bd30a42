"""Who receives a text: calls that take SQL, calls that only show a text to people, and calls whose SQL is implied."""

from __future__ import annotations

import re
from dataclasses import dataclass

from legacy_ref_scan.model import Consumer

SQL_KEYWORDS = frozenset({"query", "sql", "statement", "operation", "command", "sql_query", "stmt", "querystring"})

# DB-API 2 (psycopg, sqlite-like), asyncpg, SQLAlchemy, pandas, databases, Django: which argument is the statement.
SURE = {
    "execute": 0, "executemany": 0, "executescript": 0, "execute_async": 0, "execute_many": 0, "mogrify": 0,
    "fetchrow": 0, "fetchval": 0, "fetchmany": 0, "fetch_all": 0, "fetch_one": 0, "fetch_val": 0, "copy_expert": 0,
    "exec_driver_sql": 0, "read_sql": 0, "read_sql_query": 0, "copy_from_query": 0, "RawSQL": 0, "RunSQL": 0,
    "execute_values": 1, "execute_batch": 1, "cursor_execute": 1,
}  # fmt: skip

# Words that other libraries use too: only a text that begins like a statement is one.
LIKELY = {
    "fetch": 0, "query": 0, "copy": 0, "text": 0, "raw": 0, "prepare": 0, "iterate": 0, "scalar": 0, "scalars": 0,
    "stream": 0, "stream_scalars": 0, "run": 0, "cursor": 0, "sql": 0, "SQL": 0, "DDL": 0, "from_statement": 0,
    "literal_column": 0, "run_query": 0, "select": 0,
}  # fmt: skip

_STATEMENT = re.compile(
    rb"[\s(\x1a]*(?:--[^\n]*\n\s*|/\*(?:[^*]|\*(?!/))*\*/\s*)*"
    rb"(?:select|insert|update|delete|with|merge|copy|create|alter|drop|truncate|values|table|do|call|explain|prepare|"
    rb"declare|lock|grant|revoke|comment|refresh|analyze|vacuum|set|begin|execute)\b",
    re.IGNORECASE,
)
_LOGGERS = re.compile(r"(?:^|\.)_*(?:app_?|root_?)?(?:log(?:ger|ging)?|LOG(?:GER)?)$")
_LEVELS = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "trace", "success", "notice"}
)
_SHOWN = frozenset({"print", "warnings.warn", "warn", "click.echo", "sys.stderr.write", "sys.stdout.write", "sys.exit"})


@dataclass(frozen=True, slots=True)
class Implied:
    """A call whose statement is implied: `verb` says which, the numbers are positions (keyword, index)."""

    verb: str
    table: tuple[str, int]
    columns: tuple[str, int]


# psycopg2's and asyncpg's COPY helpers; pandas' reader and writer of tables; what Alembic's operations do.
IMPLIED = {
    "copy_from": Implied("COPY {table}{columns} FROM STDIN", ("table", 1), ("columns", 5)),
    "copy_to": Implied("COPY {table}{columns} TO STDOUT", ("table", 1), ("columns", 4)),
    "copy_records_to_table": Implied("COPY {table}{columns} FROM STDIN", ("table_name", 0), ("columns", -1)),
    "copy_to_table": Implied("COPY {table}{columns} FROM STDIN", ("table_name", 0), ("columns", -1)),
    "copy_from_table": Implied("COPY {table}{columns} TO STDOUT", ("table_name", 0), ("columns", -1)),
    "to_sql": Implied("INSERT INTO {table}{columns} VALUES (NULL)", ("name", 0), ("columns of the frame", -1)),
    "alter_column": Implied("ALTER TABLE {table} ALTER {columns} DROP DEFAULT", ("table_name", 0), ("column_name", 1)),
    "drop_column": Implied("ALTER TABLE {table} DROP COLUMN {columns}", ("table_name", 0), ("column_name", 1)),
    "create_index": Implied("CREATE INDEX ON {table}{columns}", ("table_name", 1), ("columns", 2)),
    "create_unique_constraint": Implied("CREATE INDEX ON {table}{columns}", ("table_name", 1), ("columns", 2)),
    "read_sql_table": Implied("SELECT {columns} FROM {table}", ("table_name", 0), ("columns", 5)),
}


def statement_index(name: str, text: bytes) -> int | None:
    """The position of the statement in a call of `name`, where `text` is what may be the statement; None: no sink."""
    if name in SURE:
        return SURE[name] if re.search(rb"[\s\x1a]", text.strip()) else None
    if name in LIKELY and _STATEMENT.match(text):
        return LIKELY[name]
    return None


def shows_text(path: str, name: str, receiver: str) -> bool:
    """Whether a call only shows its arguments to people."""
    return path in _SHOWN or (name in _LEVELS and _LOGGERS.search(receiver) is not None)


# Drivers of other databases. DuckDB is none of them: it reads PostgreSQL's tables too.
_DRIVERS = {
    "sqlite3": "SQLite", "aiosqlite": "SQLite", "apsw": "SQLite", "pysqlite2": "SQLite", "pysqlite3": "SQLite",
    "sqlcipher3": "SQLite", "pymysql": "MySQL", "MySQLdb": "MySQL", "mysql": "MySQL", "aiomysql": "MySQL",
    "asyncmy": "MySQL", "cx_Oracle": "Oracle", "oracledb": "Oracle", "pymssql": "SQL Server",
}  # fmt: skip
_CONNECTS = frozenset({"connect", "connect_async", "create_pool", "Connection", "Connect", "connection"})
_URL = re.compile(rb"^(sqlite|mysql|mariadb|mssql|oracle)(?:\+\w+)?:")
_ENGINES = frozenset({"create_engine", "create_async_engine", "Database", "connect"})
_KEEPS = frozenset({"fetchone", "fetchall", "fetchmany", "fetchval", "close", "commit", "rollback"})


def connects_to(path: str, name: str, first: bytes) -> str:
    """The database other than PostgreSQL that a call connects to, by the full path of what is called; else empty."""
    driver = path.split(".")[0]
    if driver in _DRIVERS and name in _CONNECTS:
        return _DRIVERS[driver]
    url = _URL.match(first) if name in _ENGINES else None
    return url[1].decode() if url is not None else ""


def stays_connected(name: str) -> bool:
    """Whether a method of a connection or a cursor may give another of them."""
    return name not in _KEEPS


# Calls that look a key up, compare it, or send it away in an answer: the text becomes no part of a statement there.
_READERS = (
    "get pop setdefault getlist has_key getattr hasattr setattr delattr startswith endswith isinstance getenv "
    "jsonify JsonResponse JSONResponse json_response dumps dump add_argument assertEqual assertIn assertNotIn "
    "assertDictEqual assertNotEqual assertCountEqual assertListEqual assertContains assert_called_with "
    "assert_called_once_with argument option record_event route url_for re_path add_url_rule reverse render_template "
    "redirect"
)
_ONLY_READ = re.compile(
    rf"^(?:dict key, )?(?:comparison|argument of (?:{'|'.join(_READERS.split())})|argument (?:json|headers|params))$"
)


def consumer_of(note: str) -> Consumer:
    """Who receives a text of which only the place is known, as `Leaf.detail` says it."""
    return Consumer.TEXT if _ONLY_READ.match(note) else Consumer.UNKNOWN
