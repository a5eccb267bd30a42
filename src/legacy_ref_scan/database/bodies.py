"""Function bodies on the server: plpgsql_check where it exists, else PostgreSQL's own validators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import errors

if TYPE_CHECKING:
    from legacy_ref_scan.database.connection import Connection

_AVAILABLE = "SELECT count(*) FROM pg_available_extensions WHERE name = 'plpgsql_check'"
_FUNCTIONS = """
SELECT p.oid, p.oid::regprocedure::text, l.lanname, pg_get_functiondef(p.oid), p.prorettype = 'trigger'::regtype
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND p.prokind IN ('f', 'p')
  AND l.lanname IN ('plpgsql', 'sql')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass
                  AND d.deptype IN ('e', 'i'))
ORDER BY 2
"""
_TRIGGERS = "SELECT DISTINCT tgrelid::oid, tgrelid::regclass::text FROM pg_trigger WHERE tgfoid = %s"


@dataclass(frozen=True, slots=True)
class Bodies:
    """What the server says of each body: function → its errors. `method` says who looked, `functions` at how many."""

    method: str
    functions: int
    errors: dict[str, frozenset[str]]


def check_bodies(connection: Connection) -> Bodies:
    """Look at every function that people wrote in SQL or PL/pgSQL; nothing is changed but the extension's presence."""
    thorough = _make_plpgsql_check(connection)
    functions = connection.execute(_FUNCTIONS).fetchall()
    found: dict[str, frozenset[str]] = {}
    for oid, name, language, definition, is_trigger in functions:
        if language == "plpgsql" and thorough:
            found[name] = frozenset(_checked(connection, oid, is_trigger))
        else:
            found[name] = frozenset(filter(None, (_replaced(connection, definition),)))
    method = "plpgsql_check" if thorough else "check_function_bodies (it does not look into PL/pgSQL's statements)"
    return Bodies(method, len(functions), found)


def _make_plpgsql_check(connection: Connection) -> bool:
    row = connection.execute(_AVAILABLE).fetchone()
    if row is None or not row[0]:
        return False
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS plpgsql_check")
    except errors.Error:
        return False
    return True


def _checked(connection: Connection, oid: int, is_trigger: bool) -> list[str]:
    relations = connection.execute(_TRIGGERS, (oid,)).fetchall() if is_trigger else [(0, "")]
    found = []
    for relation, name in relations:
        try:
            rows = connection.execute(
                "SELECT m FROM plpgsql_check_function(%s::oid, %s::oid, other_warnings => false) m", (oid, relation)
            ).fetchall()
        except errors.Error as error:
            found.append(error.diag.message_primary or str(error))
            continue
        on = f" on {name}" if name else ""
        found += [f"{row[0].removeprefix('error:')}{on}" for row in rows if str(row[0]).startswith("error:")]
    return found


def _replaced(connection: Connection, definition: str) -> str:
    """What CREATE OR REPLACE of the function with itself says; empty where it is fine."""
    connection.execute("BEGIN")
    try:
        connection.execute("SET LOCAL check_function_bodies = on")
        connection.execute(definition.encode("utf-8", "surrogateescape"))
    except errors.Error as error:
        return f"{error.sqlstate}: {error.diag.message_primary or error}"
    finally:
        connection.execute("ROLLBACK")
    return ""
