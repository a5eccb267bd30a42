"""The sequence that a column owns goes with it: whoever takes its values fails."""

from __future__ import annotations

import pytest

from tests.attacks.attack import BASE, Attack, breaks, report_on

SERIAL = BASE.replace("name text, error_message text", "name text, error_message serial")
SEQUENCE = "campaign_phases_error_message_seq"
GO = 'package a\n\nimport "database/sql"\n\nfunc f(db *sql.DB) {{ db.QueryRow("{}") }}\n'


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        (f"SELECT nextval('{SEQUENCE}')", "referenced"),
        (f"SELECT setval('public.{SEQUENCE}'::regclass, 1)", "referenced"),
        (f"SELECT last_value FROM {SEQUENCE}", "referenced"),
        (f"ALTER SEQUENCE {SEQUENCE} RESTART", "referenced"),
        ("SELECT nextval('another_seq')", "clean"),
    ],
)
def test_in_code(statement: str, verdict: str) -> None:
    for files in ({"a.sql": f"{statement};\n"}, {"a.go": GO.format(statement)}):
        attack = Attack("", ("CREATE SEQUENCE another_seq;",), files)
        assert report_on(attack, base=SERIAL).verdict == verdict


@pytest.mark.parametrize(
    ("migration", "verdict"),
    [
        ("", "clean"),
        ("ALTER TABLE phase_executions ALTER id SET DEFAULT nextval('{}');", "referenced"),
        (
            "ALTER TABLE phase_executions ALTER id SET DEFAULT nextval('{0}'); ALTER SEQUENCE {0} OWNED BY NONE;",
            "clean",
        ),
        ("SELECT setval('{}', 10);", "clean"),
    ],
)
def test_in_migrations(migration: str, verdict: str) -> None:
    base = SERIAL.replace("phase_executions (id int PRIMARY KEY", "phase_executions (id int")
    attack = Attack("", (migration.format(SEQUENCE),), calls=("INSERT INTO phase_executions (phase_id) VALUES (7)",))
    assert report_on(attack, base=base).verdict == verdict
    assert breaks(attack, base=base.replace("error_message serial", "error_message text DEFAULT 'x'").replace(
        "CREATE TABLE phase", f"CREATE SEQUENCE {SEQUENCE} OWNED BY campaign_phases.error_message; CREATE TABLE phase"
    )) == (verdict != "clean")  # fmt: skip
