"""Rows that functions hand on, and domains over row types: PostgreSQL says what a caller sees after the drop."""

from __future__ import annotations

import pytest

from tests.attacks.attack import BASE, Attack, breaks, report_on

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


@pytest.mark.parametrize("table", ["Phases", "My Phases", "phases.v2", 'a "b"'])
@pytest.mark.parametrize(
    "function",
    [
        """CREATE FUNCTION f() RETURNS SETOF {} LANGUAGE sql AS $$ SELECT 1, 'x'::text $$""",
        """CREATE FUNCTION f() RETURNS {} LANGUAGE plpgsql AS $$
           DECLARE r {}; BEGIN r := ROW (1, 'x'); RETURN r; END $$""",
        """CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$
           DECLARE r {}%ROWTYPE; BEGIN RETURN r.error_message; END $$""",
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT (ROW (1, 'x')::{}).error_message $$",
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT (ROW (1, 'x')::public.{}).error_message $$",
    ],
)
def test_row_types_with_quoted_names(table: str, function: str) -> None:
    quoted = '"' + table.replace('"', '""') + '"'
    base = f"{BASE} CREATE TABLE {quoted} (id int, error_message text);"
    call = "SELECT * FROM f()"
    attack = Attack(table, (function.replace("{}", quoted),), {"queries.sql": f"{call};\n"}, (call,))
    column = f"{quoted}.error_message"
    assert breaks(attack, base=base, column=column)
    assert report_on(attack, base=base, column=column).verdict != "clean"


def test_a_row_type_in_other_letters() -> None:
    query = "SELECT (ROW (1, 'a', 'x')::Campaign_Phases).error_message"
    function = f"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ {query} $$"
    attack = Attack("capitals", (function,), calls=("SELECT f()",))
    assert breaks(attack)
    assert report_on(attack).verdict == "referenced"
