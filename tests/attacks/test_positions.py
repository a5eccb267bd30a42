"""Rows that functions give column by column, and columns that hold rows of the table."""

from __future__ import annotations

import pytest

from tests.attacks.attack import Attack, breaks, report_on

ROWS = "CREATE FUNCTION g() RETURNS SETOF {} LANGUAGE {} AS $$ {} $$;"
HOLDS = "CREATE TABLE x (p campaign_phases); INSERT INTO x VALUES (ROW(1, 'a', 'b'));"


@pytest.mark.parametrize(
    ("migration", "call", "verdict"),
    [
        (ROWS.format("campaign_phases", "sql", "SELECT 5, 'x', 'y'"), "SELECT id FROM g()", "referenced"),
        (
            ROWS.format("campaign_phases", "plpgsql", "BEGIN RETURN QUERY SELECT 5, 'x'::text, 'y'::text; END"),
            "SELECT id FROM g()",
            "referenced",
        ),
        (
            ROWS.format("campaign_phases", "sql", "SELECT id, error_message, error_message FROM phase_executions"),
            "SELECT id FROM g()",
            "referenced",
        ),
        (ROWS.format("phase_executions", "sql", "SELECT id, id, 'x' FROM campaign_phases"), "SELECT g()", "clean"),
        (
            "CREATE FUNCTION g() RETURNS campaign_phases LANGUAGE plpgsql AS "
            "$$ BEGIN RETURN (1, 'a'::text, 'b'::text); END $$;",
            "SELECT id FROM g()",
            "referenced",
        ),
        (
            HOLDS + "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ UPDATE x SET p.error_message = 'z' $$;",
            "SELECT f()",
            "referenced",
        ),
        (
            HOLDS
            + "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ INSERT INTO x (p.error_message) VALUES (1) $$;",
            "SELECT f()",
            "referenced",
        ),
        (HOLDS + "CREATE INDEX i ON x (((p).error_message));", "SELECT 1", "referenced"),
    ],
)
def test_rows_by_position(migration: str, call: str, verdict: str) -> None:
    attack = Attack("", (migration,), calls=(call,))
    assert report_on(attack).verdict == verdict
    assert breaks(attack) == (verdict != "clean")


def test_distinct_rows() -> None:
    keyless = "CREATE TABLE notes (kind text, error_message text); INSERT INTO notes VALUES ('a', 'x'), ('a', 'y');"
    count = "SELECT count(*) FROM (SELECT DISTINCT * FROM notes) n"
    attack = Attack("", (keyless,), {"a.sql": f"{count};\n"}, calls=(count,))
    assert breaks(attack, column="notes.error_message")
    assert report_on(attack, column="notes.error_message").verdict == "referenced"
