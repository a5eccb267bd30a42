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
