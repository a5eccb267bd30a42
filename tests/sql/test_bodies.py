"""PL/pgSQL and SQL bodies: what each statement of a body does to a column, by access or by the reason of a gap."""

from __future__ import annotations

import pytest

from legacy_ref_scan.catalog import apply_file
from legacy_ref_scan.mentions import names_of
from legacy_ref_scan.model import Consumer, Gap, Reference, SourceFile, Target, whole_file
from legacy_ref_scan.schema import Catalog
from legacy_ref_scan.sql.analyze import analyze, analyze_function
from legacy_ref_scan.sql.findings import Schema
from legacy_ref_scan.sql.watch import watch

TABLES = """
CREATE TABLE phases (id int PRIMARY KEY, message text, status text);
CREATE TABLE jobs (id int PRIMARY KEY, message text);
"""
TARGET = Target("public", "phases", "message")


def schema_of(sql: str) -> Schema:
    source = SourceFile("migrations/1.up.sql", sql.encode(), "sql")
    catalog = apply_file(Catalog(), source, ((0, len(source.data)),))
    return Schema(catalog, watch(catalog, [TARGET]), names_of([TARGET], ()))


def found_in(sql: str, declarations: str = "", arguments: str = "", tables: str = TABLES) -> list[str]:
    """What a body with this statement says, in a file that no migration holds."""
    body = f"CREATE FUNCTION f({arguments}) RETURNS void LANGUAGE plpgsql AS $$ {declarations} BEGIN {sql} END $$;"
    fragment = whole_file(SourceFile("f.sql", body.encode(), "sql"), kind="sql-file", consumer=Consumer.SQL)
    found = analyze(fragment, schema_of(tables))
    return sorted(
        str(f.access) if isinstance(f, Reference) else f.reason for f in found if isinstance(f, Reference | Gap)
    )


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("UPDATE phases SET message = 'x';", ["write"]),
        ("UPDATE jobs SET message = 'x';", []),
        ("PERFORM message FROM phases;", ["read"]),
        ("IF EXISTS (SELECT 1 FROM phases WHERE message IS NULL) THEN NULL; END IF;", ["read"]),
        ("INSERT INTO phases VALUES (1, 'x', 'y');", ["star"]),
        ("EXECUTE 'UPDATE phases SET message = NULL';", ["write"]),
        ("EXECUTE format('UPDATE %I SET %I = NULL', 'phases', 'message');", ["write", "write"]),
        ("EXECUTE format('UPDATE %I SET message = NULL', 'jobs');", []),
        ("EXECUTE 'UPDATE ' || quote_ident('phases') || ' SET message = $1' USING 'x';", ["write"]),
    ],
)
def test_statements(sql: str, expected: list[str]) -> None:
    found = found_in(sql)
    assert (sorted(set(found)) if "format" in sql else found) == sorted(set(expected))


@pytest.mark.parametrize(
    ("declarations", "sql", "expected"),
    [
        ("DECLARE message text;", "message := 'x';", []),
        ("DECLARE message text;", "SELECT status INTO message FROM phases;", []),
        ("DECLARE message text;", "UPDATE phases SET status = message;", ["ambiguous-variable"]),
        ("#variable_conflict use_variable\nDECLARE message text;", "UPDATE phases SET status = message;", []),
        ("#variable_conflict use_column\nDECLARE message text;", "UPDATE phases SET status = message;", ["read"]),
        ("DECLARE r phases%ROWTYPE;", "r.message := 'x';", ["write"]),
        ("DECLARE r phases;", "PERFORM r.message;", ["read"]),
        ("DECLARE r jobs%ROWTYPE;", "PERFORM r.message;", []),
        ("DECLARE v phases.message%TYPE;", "NULL;", ["depend"]),
        ("DECLARE r record;", "FOR r IN SELECT * FROM phases LOOP PERFORM r.message; END LOOP;", ["read"]),
        ("DECLARE r record;", "FOR r IN SELECT * FROM phases LOOP PERFORM r.status; END LOOP;", []),
        ("DECLARE r record;", "SELECT * INTO r FROM phases; PERFORM r.message;", ["read"]),
        ("DECLARE c CURSOR FOR SELECT message FROM phases;", "OPEN c;", ["read"]),
        ("DECLARE q text := 'UPDATE phases SET message = NULL';", "q := q || ' WHERE id = 1'; EXECUTE q;", ["write"]),
        (
            "DECLARE r record;",
            "FOR r IN EXECUTE 'SELECT * FROM phases' LOOP PERFORM r.message; END LOOP;",
            ["dynamic-table", "star"],
        ),
    ],
)
def test_declarations(declarations: str, sql: str, expected: list[str]) -> None:
    assert sorted(set(found_in(sql, declarations))) == expected


def test_a_column_that_execute_takes_from_an_argument() -> None:
    assert found_in("EXECUTE 'UPDATE phases SET ' || q || ' = NULL';", arguments="q text") == ["dynamic-column"]


def test_a_living_function_that_runs_an_unknown_text_is_a_gap_without_any_name() -> None:
    schema = schema_of(
        TABLES + "CREATE FUNCTION f(q text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE q; END $$;"
    )
    (function,) = schema.catalog.functions.values()
    assert [f.reason for f in analyze_function(function, schema) if isinstance(f, Gap)] == ["dynamic-sql"]


TRIGGERS = """
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} RETURN NEW; END $$;
CREATE TRIGGER a BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION touch();
"""
ON_PHASES = "CREATE TRIGGER b BEFORE UPDATE ON phases FOR EACH ROW EXECUTE FUNCTION touch();"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("NEW.message := OLD.message;", {"write", "read"}),
        ("IF NEW IS DISTINCT FROM OLD THEN NULL; END IF;", {"star"}),
        ("IF TG_TABLE_NAME = 'jobs' THEN NEW.message := 'x'; END IF;", set()),
        ("IF TG_TABLE_NAME = 'jobs' THEN NULL; ELSE NEW.message := 'x'; END IF;", {"write"}),
        ("IF TG_TABLE_NAME IN ('phases') THEN NEW.message := 'x'; END IF;", {"write"}),
        ("PERFORM to_jsonb(NEW) ->> 'message';", {"read", "star"}),
    ],
)
def test_trigger_functions(body: str, expected: set[str]) -> None:
    for triggers, wanted in ((ON_PHASES, expected), ("", set())):
        schema = schema_of(TABLES + TRIGGERS.format(body) + triggers)
        (function,) = schema.catalog.functions.values()
        found = analyze_function(function, schema)
        assert {str(f.access) for f in found if isinstance(f, Reference)} == wanted


def test_a_finding_in_an_escaped_body_points_at_its_token() -> None:
    sql = "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'UPDATE phases SET status = ''a'', message = ''b''';"
    source = SourceFile("f.sql", sql.encode(), "sql")
    (reference,) = (
        f for f in analyze(whole_file(source, kind="sql-file"), schema_of(TABLES)) if isinstance(f, Reference)
    )
    assert source.data[reference.span.start : reference.span.end] == b"message"


def reasons_in(text: str | bytes) -> list[str]:
    """The reasons of the gaps in a text that surely is SQL."""
    data = text.encode() if isinstance(text, str) else text
    fragment = whole_file(SourceFile("q.sql", data, "sql"), kind="sql-file", consumer=Consumer.SQL)
    return [f.reason for f in analyze(fragment, schema_of(TABLES)) if isinstance(f, Gap)]


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("SELECT mess\x1a FROM phases", ["dynamic-column"]),
        ("SELECT \x1asage FROM phases", ["dynamic-column"]),
        ('SELECT p."mes\x1age" FROM phases p', ["dynamic-column"]),
        ("SELECT stat\x1a FROM phases", []),
        ("SELECT id FROM phases m\x1a", []),
        ("SELECT id FROM phases WHERE status = 'mess\x1a'", []),
        ("SELECT mess\x1a FROM jobs", []),
    ],
)
def test_a_hole_within_a_name(text: str, reasons: list[str]) -> None:
    assert reasons_in(text) == reasons


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("SELECT keep('SELECT message FROM phases', true, true, '');", ["statement-in-literal"]),
        ("SELECT format('UPDATE %I SET message = NULL', 'phases') \\gexec\n", ["statement-in-literal"]),
        ("SELECT id FROM phases WHERE status = 'no message';", []),
        ("CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT message FROM phases';", []),
        ("\\set col message\nSELECT :col FROM phases;", ["dynamic-column", "psql-variable"]),
        ("\\echo message of phases\nSELECT id FROM phases;", []),
    ],
)
def test_text_that_becomes_sql_later(text: str, reasons: list[str]) -> None:
    assert reasons_in(text) == reasons


def test_a_name_with_an_escape_character_of_its_own_is_a_gap() -> None:
    text = "SELECT U&\"mess!0061ge\" UESCAPE '!' FROM phases;"
    fragment = whole_file(SourceFile("q.sql", text.encode(), "sql"), kind="sql-file")
    assert "escaped-name" in {f.reason for f in analyze(fragment, schema_of(TABLES)) if isinstance(f, Gap)}
