"""Statements within literals, and names of table and column that are values of a statement."""

from __future__ import annotations

import pytest

from tests.attacks.attack import Attack, breaks, report_on

SET_VALUE = """
CREATE FUNCTION set_value(t text, c text, v text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN EXECUTE format('UPDATE %I SET %I = %L', t, c, v); END $$;
"""
CONFIGURED = """
CREATE FUNCTION clear() RETURNS void LANGUAGE plpgsql AS $$
DECLARE r record; BEGIN FOR r IN {} LOOP EXECUTE format('UPDATE %I SET %I = NULL', r.t, r.c); END LOOP; END $$;
"""


def _plpgsql(statements: str, declared: str = "") -> str:
    return f"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $f$ {declared} BEGIN {statements} END $f$;"


def _sql(query: str) -> str:
    return f"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $f$ {query} $f$;"


JUDGED = (
    Attack(
        "both names to a function",
        (SET_VALUE, _plpgsql("PERFORM set_value('campaign_phases', 'error_message', 'x');")),
        calls=("SELECT f()",),
        verdict="unknown",
    ),
    Attack(
        "both names in variables",
        (
            SET_VALUE,
            _plpgsql(
                "PERFORM set_value(t, c, 'x');",
                "DECLARE t text := 'campaign_phases'; c CONSTANT text := 'error_message';",
            ),
        ),
        calls=("SELECT f()",),
        verdict="unknown",
    ),
    Attack(
        "both names of another table to a function",
        (SET_VALUE, _plpgsql("PERFORM set_value('phase_executions', 'error_message', name) FROM campaign_phases;")),
        calls=("SELECT f()",),
        verdict="clean",
    ),
    Attack(
        "both names compared only",
        (
            _plpgsql(
                "IF EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'campaign_phases' "
                "AND column_name IN ('error_message')) THEN NULL; END IF;"
            ),
        ),
        calls=("SELECT f()",),
        verdict="clean",
    ),
    Attack(
        "keys of a document",
        (
            "CREATE FUNCTION f(v text) RETURNS json LANGUAGE sql AS "
            "$f$ SELECT json_build_object('entity', 'campaign_phases', 'error_message', v) $f$;",
        ),
        calls=("SELECT f('x')",),
        verdict="clean",
    ),
    Attack(
        "names in a table",
        (
            "CREATE TABLE watched (t text, c text); INSERT INTO watched VALUES ('campaign_phases', 'error_message');",
            CONFIGURED.format("SELECT * FROM watched"),
        ),
        calls=("SELECT clear()",),
        verdict="unknown",
    ),
    Attack(
        "names in a table, a row each",
        (
            "CREATE TABLE watched (t text, c text);"
            "INSERT INTO watched VALUES ('campaign_phases', 'name'), ('phase_executions', 'error_message');",
            CONFIGURED.format("SELECT * FROM watched"),
        ),
        calls=("SELECT clear()",),
        verdict="clean",
    ),
    Attack(
        "names in an array of a table",
        (
            "CREATE TABLE watched (t text, c text[]);"
            "INSERT INTO watched VALUES ('campaign_phases', '{id,error_message}');",
            CONFIGURED.format("SELECT t, unnest(c[2:]) AS c FROM watched"),
        ),
        calls=("SELECT clear()",),
        verdict="unknown",
    ),
    Attack(
        "names in a document of a table",
        (
            """CREATE TABLE watched (d json);
            INSERT INTO watched VALUES ('{"table": "campaign_phases", "column": "error_message"}');""",
            CONFIGURED.format("SELECT d->>'table' AS t, d->>'column' AS c FROM watched"),
        ),
        calls=("SELECT clear()",),
        verdict="unknown",
    ),
    Attack(
        "a dotted name in a table",
        (
            "CREATE TABLE watched (path text); INSERT INTO watched VALUES ('campaign_phases.error_message');",
            CONFIGURED.format("SELECT split_part(path, '.', 1) AS t, split_part(path, '.', 2) AS c FROM watched"),
        ),
        calls=("SELECT clear()",),
        verdict="unknown",
    ),
    Attack(
        "a query in a literal",
        (_sql("SELECT word FROM ts_stat('select to_tsvector(error_message) from campaign_phases')"),),
        calls=("SELECT f()",),
    ),
    Attack(
        "a query in a literal, over another table",
        (_sql("SELECT word FROM ts_stat('select to_tsvector(error_message) from phase_executions')"),),
        calls=("SELECT f()",),
        verdict="clean",
    ),
    Attack(
        "a query of two literals",
        (_sql("SELECT word FROM ts_stat('select to_tsvector(error_' || 'message) from campaign_phases')"),),
        calls=("SELECT f()",),
    ),
    Attack(
        "a query that goes on in the next line",
        (_sql("SELECT word FROM ts_stat('select to_tsvector(error_message) '\n 'from campaign_phases')"),),
        calls=("SELECT f()",),
    ),
    Attack(
        "a query that is formatted",
        (
            _sql(
                "SELECT word FROM ts_stat(format('select to_tsvector(%I) from %I', 'error_message', 'campaign_phases'))"
            ),
        ),
        calls=("SELECT f()",),
    ),
    Attack(
        "a query in Unicode escapes",
        (_sql("SELECT word FROM ts_stat(U&'select to_tsvector(error\\005Fmessage) from campaign_phases')"),),
        calls=("SELECT f()",),
    ),
    Attack(
        "all rows of a query in a literal",
        (_sql("SELECT ts_rewrite('a'::tsquery, 'select to_tsquery(p::text), ''b'' from campaign_phases p')::text"),),
    ),
)


@pytest.mark.parametrize("attack", JUDGED, ids=str)
def test_judged(attack: Attack) -> None:
    assert report_on(attack).verdict == attack.verdict
    if attack.calls:
        assert breaks(attack) == (attack.verdict != "clean")


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        ("SELECT dblink_exec('c', 'UPDATE campaign_phases SET error_message = NULL')", "referenced"),
        ("SELECT * FROM dblink('c', 'SELECT * FROM campaign_phases') AS t(a text)", "referenced"),
        ("SELECT * FROM dblink('c', 'SELECT error_message FROM phase_executions') AS t(a text)", "clean"),
        (
            "SELECT cron.schedule('j', '* * * * *', $q$DELETE FROM campaign_phases WHERE error_message = ''$q$)",
            "unknown",
        ),
        ("SELECT table_to_xml('campaign_phases', true, false, '')", "unknown"),
        ("CALL set_value('campaign_phases', 'error_message', 'x')", "unknown"),
        ("SELECT pg_notify('campaign_phases', 'error_message')", "clean"),
    ],
)
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("ops/job.sql", "{};\n"),
        ("store/job.go", 'package store\n\nfunc f(db *sql.DB) {{ db.Exec("{}") }}\n'),
        ("store/job.py", 'def f(connection):\n    connection.execute("{}")\n'),
    ],
)
def test_in_code(path: str, text: str, statement: str, verdict: str) -> None:
    files = {path: text.format(statement).replace("func f", 'import "database/sql"\n\nfunc f')}
    assert report_on(Attack("", files=files)).verdict == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("psql -c 'TABLE campaign_phases'\n", "referenced"),
        ("psql -c '\\copy campaign_phases FROM /tmp/x'\n", "referenced"),
        ("psql -c \"SELECT set_value('campaign_phases', 'error_message', 'x')\"\n", "unknown"),
        ("psql -c 'TABLE phase_executions' # campaign_phases error_message\n", "clean"),
    ],
)
def test_in_a_script(text: str, verdict: str) -> None:
    assert report_on(Attack("", files={"ops/job.sh": f"#!/bin/sh\n{text}"})).verdict == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("-- the report\nSELECT id, error_message\nFROM campaign_phases;\n", "referenced"),
        ("Select the error_message from the list of campaign_phases.\n", "clean"),
    ],
)
def test_a_query_in_a_text_file(text: str, verdict: str) -> None:
    assert report_on(Attack("", files={"store/report.txt": text})).verdict == verdict


ASKS = "SELECT EXISTS (SELECT FROM information_schema.columns WHERE table_name = $1 AND column_name = $2)"
NAMED = 'sql.Named("t", "campaign_phases"), sql.Named("c", "error_message")'


@pytest.mark.parametrize(
    ("path", "text", "verdict"),
    [
        ("a.go", 'db.Exec("SELECT set_value($1, $2)", "campaign_phases", "error_message")', "unknown"),
        ("a.go", f'db.Exec("SELECT set_value(@t, @c)", {NAMED})', "unknown"),
        ("a.go", 'db.Exec("SELECT set_value($1, $2)", "phase_executions", "error_message")', "clean"),
        ("a.go", f'db.QueryRow("{ASKS}", "campaign_phases", "error_message")', "clean"),
        ("a.py", 'connection.execute("SELECT set_value(%s, %s)", ("campaign_phases", "error_message"))', "unknown"),
        ("a.py", 'connection.execute("SELECT set_value(%s, %s)", ("phase_executions", "error_message"))', "clean"),
    ],
)  # fmt: skip
def test_both_names_as_parameters(path: str, text: str, verdict: str) -> None:
    go = f'package a\n\nimport "database/sql"\n\nfunc f(db *sql.DB) {{ {text} }}\n'
    python = f"import psycopg\n\ndef f(connection: psycopg.Connection):\n    {text}\n"
    assert report_on(Attack("", files={path: go if path == "a.go" else python})).verdict == verdict


HELPER = "CREATE FUNCTION add_one(t text, c text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN {} END $$;"
ADD = HELPER.format("EXECUTE format('UPDATE %I SET %I = NULL', t, c);")


@pytest.mark.parametrize(
    ("migration", "verdict"),
    [
        (f"{ADD} SELECT add_one('campaign_phases', 'error_message'); DROP FUNCTION add_one(text, text);", "clean"),
        (f"{ADD} SELECT add_one('campaign_phases', 'error_message');", "unknown"),
        ("SELECT has_column_privilege('campaign_phases', 'error_message', 'select');", "clean"),
        ("SELECT audit.watch('campaign_phases', '{error_message}');", "unknown"),
        ("DELETE FROM watched WHERE (t, c) = ('campaign_phases', 'error_message');", "clean"),
    ],
)
def test_names_in_history(migration: str, verdict: str) -> None:
    assert report_on(Attack("", (migration,))).verdict == verdict
