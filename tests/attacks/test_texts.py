"""Texts that begin with something else than the statement that counts."""

from __future__ import annotations

import pytest

from tests.attacks.attack import Attack, report_on

USE = "UPDATE campaign_phases SET error_message = NULL"
GO = 'package a\n\nimport "database/sql"\n\nfunc f(db *sql.DB) {{ db.Exec("{}") }}\n'


@pytest.mark.parametrize(
    "before",
    [
        "BEGIN;",
        "SAVEPOINT a;",
        "LOCK TABLE campaign_phases;",
        "SET LOCAL statement_timeout = '5s';",
        "CREATE EXTENSION IF NOT EXISTS pgcrypto;",
        "ALTER SYSTEM RESET ALL; DISCARD ALL;",
        "NOTIFY changes;",
        "-- name: Clear :exec\\n",
    ],
)
def test_what_stands_before_a_statement(before: str) -> None:
    assert report_on(Attack("", files={"a.go": GO.format(f"{before} {USE}")})).verdict == "referenced"
    other = USE.replace("campaign_phases", "phase_executions")
    assert report_on(Attack("", files={"a.go": GO.format(f"{before} {other}")})).verdict == "clean"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (b"-- a note\rUPDATE campaign_phases SET error_message = NULL;\r", "dirty"),
        (b"\\echo hello\nUPDATE campaign_phases SET error_message = NULL;\n", "referenced"),
        (b"SELECT error_message$x FROM campaign_phases;\n", "clean"),
        (b"SELECT U&\"error!005fmessage\" UESCAPE '!' FROM U&\"campaign!005fphases\" UESCAPE '!';\n", "unknown"),
    ],
)
def test_how_a_text_is_written(text: bytes, verdict: str) -> None:
    found = str(report_on(Attack("", files={"a.sql": text})).verdict)
    assert (found != "clean") if verdict == "dirty" else (found == verdict)


def test_a_value_that_has_no_parentheses_is_no_column() -> None:
    base = 'CREATE TABLE accounts (id int, "user" text);'
    for text, verdict in (("SELECT user FROM accounts", "clean"), ("SELECT a.user FROM accounts a", "referenced")):
        attack = Attack("", files={"a.sql": f"{text};\n"})
        assert report_on(attack, base=base, column="accounts.user").verdict == verdict


@pytest.mark.parametrize(("table", "verdict"), [("campaign_phases", "unknown"), ("", "clean")])
def test_a_statement_in_a_tag(table: str, verdict: str) -> None:
    query = f"SELECT error_message FROM {table}" if table else "error_message"
    text = f'package a\n\ntype queries struct {{\n\tAll func() `proq:"{query}"`\n}}\n'
    assert report_on(Attack("", files={"a.go": text})).verdict == verdict
