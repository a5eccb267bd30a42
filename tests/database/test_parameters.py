"""Parameters of all styles become numbered ones, and PostgreSQL takes the result."""

from __future__ import annotations

import psycopg
import pytest

from legacy_ref_scan.database.analysis import Analyzer
from legacy_ref_scan.database.parameters import numbered
from tests.postgres import Server


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("SELECT a FROM t WHERE b = $1 AND a = $2", "SELECT a FROM t WHERE b = $1 AND a = $2"),
        ("SELECT a FROM t WHERE j ? 'x' AND b = $1", "SELECT a FROM t WHERE j ? 'x' AND b = $1"),
        ("UPDATE t SET b = ? WHERE a = ?", "UPDATE t SET b = $1 WHERE a = $2"),
        ("UPDATE t SET b = :b WHERE a = :a OR b = :b", "UPDATE t SET b = $1 WHERE a = $2 OR b = $1"),
        ("UPDATE t SET b = @b WHERE a = @a", "UPDATE t SET b = $1 WHERE a = $2"),
        ("UPDATE t SET b = %s WHERE a = %s", "UPDATE t SET b = $1 WHERE a = $2"),
        ("UPDATE t SET b = %(b)s WHERE a = %(a)s OR b = %(b)s", "UPDATE t SET b = $1 WHERE a = $2 OR b = $1"),
        ("SELECT a FROM t WHERE b LIKE '%%x' AND a = %s", "SELECT a FROM t WHERE b LIKE '%x' AND a = $1"),
        ("SELECT a::text FROM t WHERE b = ':no' -- :no ?", "SELECT a::text FROM t WHERE b = ':no' -- :no ?"),
        ("SELECT a FROM t WHERE a IN (?)", "SELECT a FROM t WHERE a IN ($1)"),
        ("SELECT a FROM t WHERE a IN ?", "SELECT a FROM t WHERE a IN ($1)"),
        ("SELECT a FROM t WHERE j ? 'x'", "SELECT a FROM t WHERE j ? 'x'"),
        ("SELECT a FROM t WHERE a = ANY(?)", "SELECT a FROM t WHERE a = ANY($1)"),
        ("SELECT 10 % 3, a FROM t", "SELECT 10 % 3, a FROM t"),
    ],
)
def test_styles(postgres: Server, written: str, expected: str) -> None:
    text = numbered(written.encode()).decode()
    assert " ".join(text.split()).replace("( ", "(").replace(" )", ")") == expected
    name = postgres.create("CREATE TABLE t (a int, b text, j jsonb)")
    with postgres.connect(name) as connection, postgres.connect(name) as lookups:
        assert Analyzer(connection, lookups).prepare(text.encode()).sqlstate == ""
    postgres.drop(name)


def test_a_name_in_two_types_is_counted_apart() -> None:
    text = b"UPDATE t SET b = :x WHERE a = :x"
    assert numbered(text, apart=True).split() == b"UPDATE t SET b = $1 WHERE a = $2".split()


def test_parameters_without_a_type_are_text(database: psycopg.Connection[tuple[object, ...]], postgres: Server) -> None:
    with postgres.connect(database.info.dbname) as lookups:
        analysis = Analyzer(database, lookups).prepare(b"SELECT $1 + 1, $3 IS NULL")
    assert (analysis.sqlstate, len(analysis.result)) == ("", 2)
