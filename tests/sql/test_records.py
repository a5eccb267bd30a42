"""Records and cursors of PL/pgSQL: which rows they may hold where branches, loops and handlers come together."""

from __future__ import annotations

import pytest

from tests.sql.test_bodies import TABLES, found_in

R = "DECLARE r record;"
BOUND = "DECLARE r record; c CURSOR (k int) FOR SELECT * FROM phases WHERE id = k;"
PHASES, JOBS = "SELECT * INTO r FROM phases;", "SELECT * INTO r FROM jobs;"


@pytest.mark.parametrize(
    ("declarations", "sql", "expected"),
    [
        (R, f"IF true THEN {PHASES} ELSE {JOBS} END IF; PERFORM r.message;", ["read"]),
        (R, f"IF true THEN {PHASES} PERFORM r.id; ELSE {JOBS} PERFORM r.message; END IF;", []),
        (R, f"{PHASES} IF true THEN {JOBS} END IF; PERFORM r.message;", ["read"]),
        (R, f"{PHASES} IF true THEN {JOBS} ELSE {JOBS} END IF; PERFORM r.message;", []),
        (R, f"{PHASES} {JOBS} PERFORM r.message;", []),
        (R, f"CASE 1 WHEN 1 THEN {PHASES} ELSE {JOBS} END CASE; PERFORM r.message;", ["read"]),
        (R, f"{JOBS} LOOP PERFORM r.message; {PHASES} END LOOP;", ["read"]),
        (R, f"{JOBS} WHILE r.message IS NULL LOOP {PHASES} END LOOP;", ["read"]),
        (R, f"{JOBS} LOOP {PHASES} CONTINUE; {JOBS} END LOOP; PERFORM r.message;", ["read"]),
        (R, f"BEGIN {PHASES} {JOBS} EXCEPTION WHEN OTHERS THEN PERFORM r.message; END;", ["read"]),
        (R, f"BEGIN {PHASES} EXCEPTION WHEN OTHERS THEN {JOBS} END; PERFORM r.message;", ["read"]),
        (R, f"{PHASES} FOR r IN SELECT * FROM jobs LOOP PERFORM r.message; END LOOP;", []),
        (R, f"{JOBS} EXECUTE 'SELECT 1' INTO r; PERFORM r.message;", ["dynamic-table"]),
        (BOUND, "OPEN c(1); FETCH c INTO r; PERFORM r.message;", ["read"]),
        (BOUND, "OPEN c(k := 1); FETCH c INTO r; PERFORM r.id;", []),
        (
            "DECLARE r record; c refcursor;",
            "IF true THEN OPEN c FOR SELECT * FROM phases; ELSE OPEN c FOR SELECT * FROM jobs; END IF; "
            "FETCH c INTO r; PERFORM r.message;",
            ["read"],
        ),
        ("DECLARE r record; c refcursor;", "c := elsewhere(); FETCH c INTO r; PERFORM r.message;", ["dynamic-table"]),
        ("DECLARE a int[];", "a[(SELECT max(length(message)) FROM phases)] := 1;", ["read"]),
    ],
)
def test_rows(declarations: str, sql: str, expected: list[str]) -> None:
    assert sorted(set(found_in(sql, declarations))) == expected


@pytest.mark.parametrize(
    ("arguments", "declarations", "sql", "expected"),
    [
        ("phases", "DECLARE p ALIAS FOR $1;", "PERFORM p.message;", ["read", "star"]),
        ("p phases", "DECLARE q ALIAS FOR p;", "q.message := '';", ["star", "write"]),
        ("p jobs", "DECLARE q ALIAS FOR p;", "PERFORM q.message;", []),
        ("", "DECLARE r record; q ALIAS FOR r;", f"{PHASES} PERFORM q.message;", ["dynamic-table"]),
    ],
)
def test_aliases(arguments: str, declarations: str, sql: str, expected: list[str]) -> None:
    assert sorted(set(found_in(sql, declarations, arguments))) == expected


@pytest.mark.parametrize(
    ("arguments", "sql", "expected"),
    [
        ("given phases[]", "PERFORM (one).message FROM unnest(given) AS one;", ["read", "star"]),
        ("given phases[]", "PERFORM one.message FROM unnest(given) AS one;", ["read", "star"]),
        ("given jobs[]", "PERFORM (one).message FROM unnest(given) AS one;", []),
        ("given text", "PERFORM (one).message FROM unnest(given::phases[]) AS one;", ["read", "star"]),
        ("given text", "PERFORM (one).message FROM unnest(given::jobs[]) AS one;", []),
        ("given text", "PERFORM (one).message FROM unnest(elsewhere(given)) AS one;", ["composite-field"]),
    ],
)
def test_rows_of_an_array(arguments: str, sql: str, expected: list[str]) -> None:
    assert sorted(set(found_in(sql, "", arguments))) == expected


def test_a_field_of_a_row_in_a_row_is_written() -> None:
    tables = TABLES + "CREATE TYPE holder AS (n int, phase phases);"
    assert found_in("h.phase.message := 'x';", "DECLARE h holder;", tables=tables) == ["write"]
