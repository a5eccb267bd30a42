"""Two tables of one name in two schemas: which one a bare name means is a matter of the search path."""

from __future__ import annotations

import pytest

from tests.attacks.attack import COLUMN, Attack, breaks, report_on

TWO = "CREATE SCHEMA audit; CREATE TABLE audit.campaign_phases (id int, error_message text);"
READ = "SELECT count(error_message) FROM campaign_phases"
OTHER = f"audit.{COLUMN}"


@pytest.mark.parametrize(
    "function",
    [
        "LANGUAGE sql SET search_path = audit AS $$ {} $$",
        "LANGUAGE sql SET search_path TO 'audit', \"public\" AS $$ {} $$",
        "AS $$ {} $$ LANGUAGE sql SET search_path = audit, pg_temp",
        "AS $$ BEGIN RETURN ({}); END $$ LANGUAGE plpgsql SET search_path = audit",
    ],
)
def test_a_function_with_a_path_of_its_own(function: str) -> None:
    migration = f"CREATE FUNCTION f() RETURNS bigint {function.format(READ)};"
    for column, verdict in ((f"public.{COLUMN}", "clean"), (OTHER, "referenced")):
        attack = Attack("", (TWO, migration), calls=("SELECT f()",))
        assert report_on(attack, column=column).verdict == verdict
        assert breaks(attack, column=column) == (verdict != "clean")


@pytest.mark.parametrize(
    ("before", "verdict"),
    [
        ("", "clean"),
        ("SET search_path = audit;", "referenced"),
        ("BEGIN; SET LOCAL search_path TO audit, public;", "referenced"),
        ("SET SCHEMA 'audit';", "referenced"),
        ("SELECT pg_catalog.set_config('search_path', 'audit', false);", "referenced"),
        ("SET search_path = audit; RESET search_path;", "clean"),
        ("SET search_path = audit; SET search_path TO DEFAULT;", "clean"),
    ],
)
def test_a_text_that_sets_a_path(before: str, verdict: str) -> None:
    go = f'package a\n\nimport "database/sql"\n\nfunc f(db *sql.DB) {{ db.Exec(`{before} {READ}`) }}\n'
    texts = {"a.sql": f"{before}\n{READ};\n", "a.go": go}
    if verdict == "clean":  # what a session of Go code forgets, another one may keep
        del texts["a.go"]
    for files in ({path: text} for path, text in texts.items()):
        assert report_on(Attack("", (TWO,), files), column=OTHER).verdict == verdict
        other = "clean" if verdict == "referenced" else "referenced"
        assert report_on(Attack("", (TWO,), files), column=f"public.{COLUMN}").verdict == other


def test_a_path_that_alter_function_sets() -> None:
    migration = f"CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS $$ {READ} $$;"
    attack = Attack("", (TWO, migration, "ALTER FUNCTION f() SET search_path = audit;"), calls=("SELECT f()",))
    assert report_on(attack, column=OTHER).verdict == "referenced"
    assert breaks(attack, column=OTHER)


@pytest.mark.parametrize(
    ("path", "text", "verdict"),
    [
        ("b.go", 'package a\n\nvar dsn = "postgres://host/db?sslmode=off&search_path=public,audit"\n', "referenced"),
        ("b.go", 'package a\n\nfunc g(db *sql.DB) {\n\tdb.Exec("SET search_path TO audit")\n}\n', "referenced"),
        (".env", "PGOPTIONS='-c search_path=audit,public'\n", "referenced"),
        ("conf.yaml", "url: jdbc:postgresql://host/db?currentSchema=audit\n", "referenced"),
        ("conf.yaml", "url: jdbc:postgresql://host/db?currentSchema=audit_log\n", "clean"),
        ("roles.sql", "ALTER ROLE app SET search_path = audit, public;\n", "referenced"),
        ("once.sql", "SET search_path = audit;\nSELECT 1;\n", "clean"),
    ],
)
def test_a_path_that_sessions_get_from_elsewhere(path: str, text: str, verdict: str) -> None:
    files = {"a.sql": f"{READ};\n", path: text}
    assert report_on(Attack("", (TWO,), files), column=OTHER).verdict == verdict


@pytest.mark.parametrize(
    ("body", "column"),
    [
        ("BEGIN /* SET search_path = audit; */ RETURN ({}); END", f"public.{COLUMN}"),
        ("BEGIN IF false THEN SET LOCAL search_path = audit; END IF; RETURN ({}); END", f"public.{COLUMN}"),
        ("BEGIN PERFORM set_config('search_path', 'audit', true); RETURN ({}); END", OTHER),
        ("BEGIN IF true THEN SET LOCAL search_path = audit; END IF; RETURN ({}); END", OTHER),
    ],
)
def test_a_path_that_a_body_may_set(body: str, column: str) -> None:
    migration = f"CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql AS $$ {body.format(READ)} $$;"
    attack = Attack("", (TWO, migration), calls=("SELECT f()",))
    assert report_on(attack, column=column).verdict == "referenced"
    assert breaks(attack, column=column)


@pytest.mark.parametrize(
    "before",
    [
        "BEGIN; SET LOCAL search_path = audit; SELECT 1; COMMIT;",
        "BEGIN; SELECT set_config('search_path', 'audit', true); ROLLBACK;",
        "SELECT keep('SET search_path = audit');",
    ],
)
def test_a_path_that_ends_with_the_transaction(before: str) -> None:
    attack = Attack("", (TWO,), {"a.sql": f"{before}\n{READ};\n"})
    assert report_on(attack, column=f"public.{COLUMN}").verdict == "referenced"
