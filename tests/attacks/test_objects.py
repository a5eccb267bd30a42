"""Names that triggers, defaults and tables of names hold, and functions that a migration makes for itself."""

from __future__ import annotations

import pytest

from tests.attacks.attack import Attack, breaks, report_on

CLEAR = """
CREATE FUNCTION blank() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN EXECUTE format('UPDATE %I SET %I = NULL', TG_ARGV[0], TG_ARGV[1]); RETURN NULL; END $$;
CREATE TRIGGER t AFTER INSERT ON phase_executions FOR EACH ROW EXECUTE FUNCTION blank('{}', '{}');
"""
BACKFILL = "CREATE FUNCTION {}() RETURNS void LANGUAGE sql AS $$ UPDATE campaign_phases SET error_message = 'x' $$;"

ATTACKS = (
    Attack(
        "both names as arguments of another table's trigger",
        (CLEAR.format("campaign_phases", "error_message"),),
        calls=("INSERT INTO phase_executions VALUES (9, 1, '')",),
        verdict="unknown",
    ),
    Attack(
        "another column as an argument of another table's trigger",
        (CLEAR.format("campaign_phases", "name"),),
        calls=("INSERT INTO phase_executions VALUES (9, 1, '')",),
        verdict="clean",
    ),
    Attack(
        "both names as defaults of arguments",
        (
            """
            CREATE FUNCTION clear(t text DEFAULT 'campaign_phases', c text DEFAULT 'error_message')
            RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('UPDATE %I SET %I = NULL', t, c); END $$;
            """,
        ),
        calls=("SELECT clear()",),
        verdict="unknown",
    ),
    Attack(
        "both names as defaults of columns",
        (
            """
            CREATE TABLE jobs (id int, t text DEFAULT 'campaign_phases', c text DEFAULT 'error_message');
            CREATE FUNCTION run() RETURNS void LANGUAGE plpgsql AS $$
            DECLARE r record;
            BEGIN FOR r IN INSERT INTO jobs (id) VALUES (1) RETURNING * LOOP
              EXECUTE format('UPDATE %I SET %I = NULL', r.t, r.c);
            END LOOP; END $$;
            """,
        ),
        calls=("SELECT run()",),
        verdict="unknown",
    ),
    Attack(
        "a function that a later migration calls and nobody drops",
        (BACKFILL.format("backfill"), "SELECT backfill();"),
        calls=("SELECT backfill()",),
    ),
    Attack(
        "a function of the session",
        (BACKFILL.format("pg_temp.backfill") + "SELECT pg_temp.backfill();",),
        verdict="clean",
    ),
    Attack(
        "a function that is dropped again",
        (BACKFILL.format("backfill"), "SELECT backfill(); DROP FUNCTION backfill();"),
        verdict="clean",
    ),
    Attack(
        "a table that is put behind one that no migration makes",
        (
            """
            CREATE FUNCTION f(t text) RETURNS text LANGUAGE plpgsql AS $$
            DECLARE x text;
            BEGIN EXECUTE 'SELECT error_message FROM pg_roles s, ' || quote_ident(t) INTO x; RETURN x; END $$;
            """,
        ),
        calls=("SELECT f('campaign_phases')",),
        verdict="unknown",
    ),
)


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_objects(attack: Attack) -> None:
    assert report_on(attack).verdict == attack.verdict
    if attack.calls:
        assert breaks(attack) == (attack.verdict != "clean")
