"""Migrations for every convention: names, marks, versions; what the replay reads is what was dropped and added."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from legacy_ref_scan.cli import main
from legacy_ref_scan.generate import Pair, Refusal, plan_pair, write_pair
from legacy_ref_scan.generate.layout import LAYOUTS, entries, next_version
from legacy_ref_scan.generate.spelling import without_semicolons
from legacy_ref_scan.migrations import detect
from legacy_ref_scan.rules import MigrationPlan
from legacy_ref_scan.versions import Version
from legacy_ref_scan.workspace import Workspace
from tests.generate.support import CLEAN, ERROR_MESSAGE, catalog, rule

NAME = "drop_error"
CASES = {
    "goose": (["00001_init.sql", "00002_more.sql"], ["00003_drop_error.sql"]),
    "sql-migrate": (["0001-init.sql", "0002-more.sql"], ["0003-drop_error.sql"]),
    "tern": (["001_init.sql", "002_more.sql"], ["003_drop_error.sql"]),
    "flyway": (["V1__init.sql", "V1.1__more.sql"], ["V1.2__drop_error.sql", "U1.2__drop_error.sql"]),
    "dbmate": (["20240101000000_init.sql"], None),
}
UP = {
    "goose": "-- +goose Up\n{}-- +goose Down\nSELECT 1;\n",
    "sql-migrate": "-- +migrate Up\n{}-- +migrate Down\nSELECT 1;\n",
    "tern": "{}---- create above / drop below ----\nSELECT 1;\n",
    "flyway": "{}",
    "dbmate": "-- migrate:up\n{}-- migrate:down\nSELECT 1;\n",
}
INIT = "CREATE TABLE campaign_phases (id bigint, error_message text);\n"
PLAN = MigrationPlan(name=NAME)


@pytest.fixture(params=CASES)
def convention(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def directory(convention: str, tmp_path: Path) -> Path:
    directory = tmp_path / "migrations"
    directory.mkdir()
    for number, name in enumerate(CASES[convention][0]):
        (directory / name).write_text(UP[convention].format(INIT if number == 0 else "SELECT 1;\n"))
    return directory


def planned(directory: Path, convention: str, plan: MigrationPlan = PLAN) -> Pair | Refusal:
    return plan_pair(CLEAN, catalog(ERROR_MESSAGE), rule("error_message", plan=plan), directory, convention)


def pair(directory: Path, convention: str, plan: MigrationPlan = PLAN) -> Pair:
    found = planned(directory, convention, plan)
    assert isinstance(found, Pair), found
    return found


def test_the_tool_reads_what_is_written(directory: Path, convention: str) -> None:
    before = len(detect(Workspace(directory.parent), "migrations", convention).migrations)
    written = [path.name for path in write_pair(pair(directory, convention))]
    expected = CASES[convention][1]
    assert written == expected or (expected is None and re.fullmatch(r"\d{14}_drop_error\.sql", written[0]))
    history = detect(Workspace(directory.parent), "migrations", convention)
    assert (len(history.migrations), history.problems) == (before + 1, ())
    last = history.migrations[-1]
    up = b"".join(last.source.data[start:end] for start, end in last.up).decode()
    assert up.strip() == "ALTER TABLE campaign_phases DROP COLUMN IF EXISTS error_message;"
    assert last.down_path is not None
    text = (directory.parent / last.down_path).read_bytes()
    down = b"".join(text[start:end] for start, end in last.down).decode()
    assert down.strip() == "ALTER TABLE campaign_phases ADD COLUMN IF NOT EXISTS error_message TEXT;"


def test_written_once(directory: Path, convention: str) -> None:
    assert write_pair(pair(directory, convention))
    assert write_pair(pair(directory, convention)) == []


def test_timeouts_are_the_transactions_own(directory: Path, convention: str) -> None:
    plan = replace(PLAN, lock_timeout="5s", statement_timeout="1min", guard=True)
    lines = pair(directory, convention, plan).up.data.decode().splitlines()
    assert lines[:2] == ["SET LOCAL lock_timeout = '5s';", "SET LOCAL statement_timeout = '1min';"]
    assert lines[2].startswith("SELECT CAST('campaign_phases.error_message still holds values")
    assert "BEGIN;" not in lines


def test_versions_that_cannot_be(directory: Path, convention: str) -> None:
    first = entries(LAYOUTS[convention], CASES[convention][0])[0]
    taken = planned(directory, convention, replace(PLAN, version=first.version))
    assert isinstance(taken, Refusal)
    assert any("is taken by" in reason for reason in taken.reasons)


def test_through_the_command_line(directory: Path, convention: str, capfd: pytest.CaptureFixture[str]) -> None:
    root = directory.parent
    (root / "rules").mkdir()
    (root / "app.py").write_text("x = 1\n")
    (root / "rules/drop.toml").write_text(
        '[retire]\ntable = "campaign_phases"\ncolumns = ["error_message"]\n\n'
        f'[migration]\nname = "{NAME}"\ndirectory = "migrations"\nconvention = "{convention}"\n'
    )
    given = ["generate-migration", "--root", str(root)]
    assert main(given) == 0
    assert "wrote: " in capfd.readouterr().out
    assert main([*given, "--check"]) == 0
    assert "unchanged: " in capfd.readouterr().out


def test_holes_where_the_tool_refuses_them(tmp_path: Path) -> None:
    (tmp_path / "001_init.sql").write_text(INIT)
    found = planned(tmp_path, "tern", replace(PLAN, version=Version.of(5)))
    assert isinstance(found, Refusal)
    assert found.reasons == ("version 005 leaves a hole after 001, which tern refuses",)


@pytest.mark.parametrize(
    ("convention", "there", "version"),
    [
        ("goose", [], "20260102030405"),
        ("goose", ["00009_a.sql"], "00010"),
        ("goose", ["20270101000000_a.sql"], "20270101000001"),
        ("dbmate", ["20250101000000_a.sql"], "20260102030405"),
        ("sql-migrate", ["1755016411.sql"], "1767323045"),
        ("tern", [], "001"),
        ("flyway", ["V2__a.sql", "V10__b.sql"], "11"),
        ("flyway", ["V1_2__a.sql"], "1_3"),
        ("flyway", ["V001__a.sql"], "002"),
    ],
)
def test_the_next_version(convention: str, there: list[str], version: str) -> None:
    layout = LAYOUTS[convention]
    assert next_version(layout, entries(layout, there), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == version


def test_a_guard_on_a_column_that_is_never_empty(tmp_path: Path) -> None:
    given = catalog(replace(ERROR_MESSAGE, not_null=True))
    refused = plan_pair(CLEAN, given, rule("error_message", plan=replace(PLAN, guard=True)), tmp_path, "golang-migrate")
    assert isinstance(refused, Refusal)
    assert "NOT NULL" in refused.summary


def test_semicolons_in_literals() -> None:
    assert without_semicolons("A DEFAULT 'a;b''c\\';") == "A DEFAULT E'a\\x3bb''c\\\\';"
    assert without_semicolons("A DEFAULT 'a';") == "A DEFAULT 'a';"
    assert without_semicolons("A DEFAULT $$x;y$$;") == "A DEFAULT E'x\\x3by';"
