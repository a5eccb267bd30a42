"""What the replay may have wrong leaves the verdict open where the table is concerned, and is a note elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from legacy_ref_scan.model import Verdict
from legacy_ref_scan.rules import adhoc_rule
from legacy_ref_scan.scan import Outcome, Request, scan

TABLE = "CREATE TABLE phases (id bigint PRIMARY KEY, note text);\n"
ABOUT = "ALTER TABLE phases ADD COLUMN more int;\n"
OTHER = "CREATE TABLE jobs (id bigint);\n"
GOOSE, DBMATE, MIGRATE = "-- +goose Up\n", "-- migrate:up\n", "-- +migrate Up\n"
TERN = "---- create above / drop below ----\n"


@pytest.fixture(autouse=True)
def _outside_of_any_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))


def scanned(root: Path, files: Mapping[str, str | bytes], migrations: str | None = "m") -> Outcome:
    for name, content in {"main.go": "package main\n", **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return scan(Request(root=root, rules=(adhoc_rule(["phases.note"]),), migrations=migrations))


# Each convention with one migration that is fine, and a file that is not, with a place for its text.
CASES: list[tuple[str, dict[str, str], str, str]] = [
    ("migration-without-mark", {"m/1_a.sql": GOOSE + TABLE}, "m/2_b.sql", "{}"),
    ("migration-without-version", {"m/1_a.sql": GOOSE + TABLE}, "m/b.sql", GOOSE + "{}"),
    ("migration-in-code", {"m/1_a.sql": GOOSE + TABLE}, "m/2_b.go", "package m\n\nvar q = `{}`\n"),
    ("migration-without-mark", {"m/1_a.sql": MIGRATE + TABLE}, "m/2_b.sql", "{}"),
    ("migration-without-mark", {"m/1_a.sql": DBMATE + TABLE}, "m/2_b.sql", "-- migrate:down\n{}"),
    ("migration-in-code", {"m/V1__a.sql": TABLE}, "m/V2__b.java", 'class V2__b {{ String q = "{}"; }}'),
    ("migration-of-two-ways", {"m/1_a.sql": TABLE}, "m/2_b.ddl", "{}-- // @UNDO\nDROP TABLE x;"),
]


@pytest.mark.parametrize(("reason", "fine", "path", "text"), CASES)
def test_a_gap_where_the_table_is_named_and_a_note_elsewhere(
    tmp_path: Path, reason: str, fine: dict[str, str], path: str, text: str
) -> None:
    report = scanned(tmp_path / "about", fine | {path: text.format(ABOUT)}).report
    assert (path, reason) in [(gap.span.path, gap.reason) for gap in report.gaps]
    other = scanned(tmp_path / "other", fine | {path: text.format(OTHER)}).report
    assert (other.verdict, other.gaps) == (Verdict.CLEAN, ())
    assert any(path in note for note in other.notes)


# Each convention with two files of one version, and places for their texts.
TWICE: list[dict[str, str]] = [
    {"m/1_t.up.sql": TABLE, "m/2_a.up.sql": "{0}", "m/2_b.up.sql": "{1}"},
    {"m/1_t.sql": GOOSE + TABLE, "m/2_a.sql": GOOSE + "{0}", "m/2_b.sql": GOOSE + "{1}"},
    {"m/1_t.sql": DBMATE + TABLE, "m/2_a.sql": DBMATE + "{0}", "m/2_b.sql": DBMATE + "{1}"},
    {"m/1_t.sql": TABLE + TERN, "m/2_a.sql": "{0}", "m/2_b.sql": "{1}"},
    {"m/V1__t.sql": TABLE, "m/V1.1__a.sql": "{0}", "m/V1_1__b.sql": "{1}"},
    {"m/V1__t.sql": TABLE, "m/R__v.sql": "{0}", "m/x/R__v.sql": "{1}"},
]
DROP, ADD = "ALTER TABLE phases DROP COLUMN IF EXISTS x;\n", "ALTER TABLE phases ADD COLUMN IF NOT EXISTS x int;\n"


@pytest.mark.parametrize("files", TWICE)
@pytest.mark.parametrize(
    ("first", "second", "matters"),
    [
        (DROP, ADD, True),
        (ADD, DROP, True),
        (ADD, ABOUT, False),  # in either order
        (ABOUT, "ALTER TABLE phases RENAME more TO further;\n", False),  # the other order fails
        ("CREATE VIEW v AS SELECT more FROM phases;\n", ABOUT, True),  # this order fails
        (ABOUT, OTHER, False),
        (OTHER, "CREATE TABLE more ();\n", False),
    ],
)
def test_two_of_one_version_where_their_order_matters(
    tmp_path: Path, files: dict[str, str], first: str, second: str, matters: bool
) -> None:
    report = scanned(tmp_path, {name: text.format(first, second) for name, text in files.items()}).report
    assert ("migration-version-twice" in [gap.reason for gap in report.gaps]) == matters
    assert matters or any("version" in note or "description" in note for note in report.notes)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ${t} ADD COLUMN c int",
        'ALTER TABLE IF EXISTS "${t}" DROP COLUMN note',
        "ALTER TABLE app.${t} DROP COLUMN note",
        "CREATE TABLE ${prefix}phases (id int)",
        "CREATE TABLE jobs${suffix} (id int)",
        "ALTER TABLE jobs RENAME TO ${t}",
        "ALTER TABLE ${schema}.phases DROP COLUMN note",
        "CREATE INDEX i ON phases (${column})",
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE ${t} SET note = NULL; END $$",
    ],
)
def test_what_is_filled_in_later_and_could_be_the_table(tmp_path: Path, statement: str) -> None:
    report = scanned(tmp_path, {"m/V1__a.sql": TABLE, "m/V2__b.sql": f"-- ${{x}}\nSELECT 1;\n{statement};\n"}).report
    assert report.verdict is Verdict.UNKNOWN
    assert {gap.span.path for gap in report.gaps} == {"m/V2__b.sql"}
    assert all(gap.span.start >= 17 for gap in report.gaps)


@pytest.mark.parametrize(
    "statement",
    [
        "GRANT SELECT ON jobs TO ${user}",
        "ALTER TABLE jobs OWNER TO ${owner}",
        "ALTER TABLE ${schema}.jobs ADD COLUMN c int",
        "INSERT INTO jobs VALUES ('${text}')",
        "DELETE FROM ${t}",
        "-- ALTER TABLE ${t}\nSELECT 1",
    ],
)
def test_what_is_filled_in_later_and_is_not_the_table(tmp_path: Path, statement: str) -> None:
    report = scanned(tmp_path, {"m/V1__a.sql": TABLE + OTHER, "m/V2__b.sql": f"{statement};\n"}).report
    assert (report.verdict, report.gaps) == (Verdict.CLEAN, ())


@pytest.mark.parametrize(
    "files",
    [
        {"m/1_a.sql": TABLE + TERN, "m/2_b.sql": "ALTER TABLE {{.t}} ADD COLUMN c int;"},
        {"m/1_a.sql": TABLE + TERN, "m/2_b.sql": '{{ template "shared/v1.sql" . }}'},
        {"m/1_a.sql": GOOSE + TABLE, "m/2_b.sql": GOOSE + "-- +goose ENVSUB ON\nALTER TABLE $T ADD COLUMN c int;"},
    ],
)
def test_templates_of_other_tools(tmp_path: Path, files: dict[str, str]) -> None:
    gaps = scanned(tmp_path, files).report.gaps
    assert ("m/2_b.sql", "migration-template") in [(gap.span.path, gap.reason) for gap in gaps]


@pytest.mark.parametrize(
    ("reason", "files"),
    [
        ("migration-missing", {"m/2_a.sql": TABLE + TERN}),
        ("migration-missing", {"m/1_a.sql": TABLE + TERN, "m/3_b.sql": OTHER}),
        ("migration-unreadable", {"m/1_a.up.sql": TABLE, "m/2_b.up.sql": b"\0\xff\x00"}),
        ("no-migrations", {"m/readme.txt": "nothing"}),
    ],
)
def test_what_could_be_about_any_table_is_always_a_gap(
    tmp_path: Path, reason: str, files: dict[str, str | bytes]
) -> None:
    report = scanned(tmp_path, files).report
    assert report.verdict is Verdict.UNKNOWN
    assert reason in [gap.reason for gap in report.gaps]


def test_what_the_tool_skips_or_does_without_harm_is_a_note(tmp_path: Path) -> None:
    files = {"m/1_a.up.sql": TABLE, "m/2_b.up.sql": " ", "m/3_c.down.sql": ABOUT, f"m/{2**64}_d.up.sql": ABOUT}
    report = scanned(tmp_path, files).report
    assert (report.verdict, report.gaps) == (Verdict.CLEAN, ())
    assert "m/2_b.up.sql is empty" in report.notes


def test_no_migrations_at_all_are_a_note(tmp_path: Path) -> None:
    report = scanned(tmp_path, {}, migrations=None).report
    assert (report.verdict, report.gaps) == (Verdict.CLEAN, ())
    assert "no migrations found: name their directory with --migrations" in report.notes
