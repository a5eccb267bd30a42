"""Rows that functions hand on, and domains over row types: PostgreSQL says what a caller sees after the drop."""

from __future__ import annotations

import pytest

from tests.attacks.attack import Attack, breaks, report_on

ATTACKS = (
    Attack(
        "RETURN NEXT of a record",
        (
            """
            CREATE FUNCTION all_phases() RETURNS SETOF record LANGUAGE plpgsql AS $$
            DECLARE r record;
            BEGIN FOR r IN SELECT * FROM campaign_phases LOOP RETURN NEXT r; END LOOP; END $$;
            CREATE FUNCTION texts() RETURNS SETOF text LANGUAGE plpgsql AS $$
            DECLARE r record;
            BEGIN FOR r IN SELECT * FROM all_phases() AS (a int, b text, c text) LOOP
              RETURN NEXT r.c;
            END LOOP; END $$;
            """,
        ),
        calls=("SELECT * FROM texts()",),
    ),
    Attack(
        "RETURN of a row variable as a record",
        (
            """
            CREATE FUNCTION one() RETURNS record LANGUAGE plpgsql AS $$
            DECLARE r campaign_phases%ROWTYPE;
            BEGIN SELECT * INTO r FROM campaign_phases WHERE id = 1; RETURN r; END $$;
            """,
        ),
        calls=("SELECT * FROM one() AS x(a int, b text, c text)",),
    ),
    Attack(
        "a record that is another function's result",
        (
            """
            CREATE FUNCTION one() RETURNS record LANGUAGE plpgsql AS $$
            DECLARE r record;
            BEGIN SELECT * INTO r FROM campaign_phases WHERE id = 1; RETURN r; END $$;
            CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$
            DECLARE r record;
            BEGIN r := one(); RETURN r.error_message; END $$;
            """,
        ),
        calls=("SELECT f()",),
    ),
    Attack(
        "a record whose default is a function's row",
        (
            """
            CREATE FUNCTION one() RETURNS campaign_phases LANGUAGE sql AS $$
            SELECT id, name, 'x'::text FROM campaign_phases WHERE id = 1 $$;
            CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$
            DECLARE r record := one();
            BEGIN RETURN r.error_message; END $$;
            """,
        ),
        calls=("SELECT f()",),
    ),
    Attack(
        "a variable of a domain over the row type",
        (
            """
            CREATE DOMAIN phase_row AS campaign_phases;
            CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$
            DECLARE r phase_row;
            BEGIN SELECT * INTO r FROM campaign_phases WHERE id = 1; RETURN r.error_message; END $$;
            """,
        ),
        calls=("SELECT f()",),
    ),
    Attack(
        "an argument of a domain over a domain",
        (
            """
            CREATE DOMAIN phase_row AS campaign_phases;
            CREATE DOMAIN phase_row2 AS phase_row;
            CREATE FUNCTION f(r phase_row2) RETURNS phase_row2 LANGUAGE plpgsql AS $$
            BEGIN r.error_message := 'x'; RETURN r; END $$;
            """,
        ),
        calls=("SELECT f(p::phase_row::phase_row2) FROM campaign_phases p",),
    ),
    Attack(
        "a row handed on as the table's own type",
        (
            """
            CREATE FUNCTION one() RETURNS campaign_phases LANGUAGE plpgsql AS $$
            DECLARE r campaign_phases;
            BEGIN r.id := 1; r.name := 'a'; RETURN r; END $$;
            """,
        ),
        calls=("SELECT (one()).name",),
        verdict="clean",
    ),
    Attack(
        "a record of another table's columns",
        (
            """
            CREATE FUNCTION f() RETURNS SETOF record LANGUAGE plpgsql AS $$
            DECLARE r record; s record;
            BEGIN FOR r IN SELECT * FROM phase_executions LOOP s := r; PERFORM s.error_message; RETURN NEXT s; END LOOP;
            END $$;
            """,
        ),
        calls=("SELECT * FROM f() AS x(a int, b int, c text)",),
        verdict="clean",
    ),
)


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_rows(attack: Attack) -> None:
    report = report_on(attack)
    assert report.verdict == attack.verdict
    assert breaks(attack) == (attack.verdict != "clean")
