"""What EXECUTE runs: names that go through loops, arrays, functions and many branches."""

from __future__ import annotations

import pytest

from tests.attacks.attack import Attack, breaks, report_on

MANY = ",".join(f"'c{number}'" for number in range(20))
BRANCHES = " ".join(f"IF false THEN c := 'c{number}'; END IF;" for number in range(20))
MAKE = (
    "CREATE FUNCTION make(t text, c text) RETURNS text LANGUAGE sql AS $$ SELECT format('%I SET %I = NULL', t, c) $$;"
)
RUN = "EXECUTE format('UPDATE %I SET %I = NULL', t, c);"
RUN_OR_PASS = (
    "BEGIN EXECUTE format('UPDATE campaign_phases SET %I = NULL', c); EXCEPTION WHEN undefined_column THEN "
    "IF c = 'error_message' THEN RAISE; END IF; END;"
)


@pytest.mark.parametrize(
    ("declarations", "statements", "verdict"),
    [
        (
            "t text; c text;",
            f"FOREACH t IN ARRAY ARRAY['campaign_phases'] LOOP FOREACH c IN ARRAY ARRAY['error_message'] LOOP {RUN} "
            "END LOOP; END LOOP;",
            "referenced",
        ),
        ("c text;", f"FOREACH c IN ARRAY ARRAY[{MANY}, 'error_message'] LOOP {RUN_OR_PASS} END LOOP;", "unknown"),
        ("c text;", "FOREACH c IN ARRAY ARRAY['id', 'name']::text[] LOOP EXECUTE format("
         "'SELECT %I FROM campaign_phases', c); END LOOP;", "clean"),
        ("c text;", f"{BRANCHES} c := 'error_message'; EXECUTE format('UPDATE campaign_phases SET %I = NULL', c);",
         "unknown"),
        ("", "EXECUTE format('UPDATE %I SET %I = NULL', VARIADIC ARRAY['campaign_phases', 'error_message']);",
         "referenced"),
        ("", "EXECUTE 'UPDATE ' || make('campaign_phases', 'error_message');", "unknown"),
        ("", "EXECUTE 'UPDATE ' || make('phase_executions', 'error_message');", "clean"),
        ("t text;", "FOREACH t IN ARRAY ARRAY['phase_executions'] LOOP "
         "EXECUTE format('UPDATE %I SET error_message = NULL', t); END LOOP;", "clean"),
    ],
)  # fmt: skip
def test_execute(declarations: str, statements: str, verdict: str) -> None:
    body = f"{'DECLARE ' + declarations if declarations else ''} BEGIN {statements} END"
    function = f"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $f$ {body} $f$;"
    attack = Attack("", (MAKE, function), calls=("SELECT f()",))
    assert report_on(attack).verdict == verdict
    assert breaks(attack) == (verdict != "clean")


@pytest.mark.parametrize(
    "choice", ["CASE WHEN t = '{}' THEN '{}' ELSE 'id' END", "CASE t WHEN '{}' THEN '{}' ELSE 'id' END"]
)
@pytest.mark.parametrize(("table", "verdict"), [("campaign_phases", "unknown"), ("phase_executions", "clean")])
def test_a_column_by_the_name_of_the_table(choice: str, table: str, verdict: str) -> None:
    column = choice.format(table, "error_message")
    function = f"""CREATE FUNCTION f(t text) RETURNS void LANGUAGE plpgsql AS $f$
        BEGIN EXECUTE format('SELECT %I FROM %I', {column}, t); END $f$;"""
    attack = Attack("", (function,), calls=("SELECT f('campaign_phases')",))
    assert report_on(attack).verdict == verdict
    assert breaks(attack) == (verdict != "clean")
