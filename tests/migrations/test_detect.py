"""Where the migrations are: given, found, ambiguous, missing."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from legacy_ref_scan.migrations import CONVENTIONS, detect
from legacy_ref_scan.model import ScanError
from legacy_ref_scan.rules import CONVENTIONS as NAMES_IN_RULES
from legacy_ref_scan.workspace import Workspace

UP = "CREATE TABLE t (c text);\n"
GOOSE = "-- +goose Up\nCREATE TABLE t (c text);\n-- +goose Down\nDROP TABLE t;\n"
SQL_MIGRATE = GOOSE.replace("goose", "migrate")
DBMATE = "-- migrate:up\nCREATE TABLE t (c text);\n-- migrate:down\nDROP TABLE t;\n"
TERN = "CREATE TABLE t (c text);\n---- create above / drop below ----\nDROP TABLE t;\n"
MARKED = [(GOOSE, "goose"), (SQL_MIGRATE, "sql-migrate"), (DBMATE, "dbmate"), (TERN, "tern")]


@pytest.fixture(autouse=True)
def _outside_of_any_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))


def write(root: Path, files: Mapping[str, str]) -> Workspace:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return Workspace(root)


def pairs(directory: str, count: int, text: str = UP) -> dict[str, str]:
    numbers = range(1, count + 1)
    ups = {f"{directory}/{number:06}_m.up.sql": text for number in numbers}
    return ups | {f"{directory}/{number:06}_m.down.sql": "DROP TABLE t;" for number in numbers}


def test_a_rule_may_name_exactly_the_conventions_there_are() -> None:
    assert set(NAMES_IN_RULES) == set(CONVENTIONS)


def test_the_only_directory_is_found(tmp_path: Path) -> None:
    workspace = write(tmp_path, pairs("db/migrations", 2) | {"queries/a.sql": "SELECT 1"})
    history = detect(workspace)
    assert (history.directory, history.convention, len(history.migrations)) == ("db/migrations", "golang-migrate", 2)
    assert (history.problems, history.notes) == ((), ())
    assert str(history) == "db/migrations (golang-migrate, 2 migrations)"


@pytest.mark.parametrize(("text", "convention"), MARKED)
def test_marks_tell_the_convention(tmp_path: Path, text: str, convention: str) -> None:
    workspace = write(tmp_path, {"sql/1_a.sql": text, "sql/2_b.sql": text})
    for history in (detect(workspace), detect(workspace, "sql"), detect(workspace, convention=convention)):
        assert (history.directory, history.convention, len(history.migrations)) == ("sql", convention, 2)
    assert detect(workspace, "sql/2_b.sql").convention == convention


def test_a_runner_that_takes_files_with_and_without_a_direction(tmp_path: Path) -> None:
    files = {
        "m/1_a.up.sql": "CREATE TABLE t (c text);",
        "m/1_a.down.sql": "DROP TABLE t;",
        "m/2_b.up.sql": "ALTER TABLE t ADD d text;",
        "m/10_d.sql": "ALTER TABLE t DROP e;",
        "m/9_c.sql": "ALTER TABLE t ADD e text;",
    }
    history = detect(write(tmp_path, files), "m")
    assert [item.path for item in history.migrations] == ["m/1_a.up.sql", "m/2_b.up.sql", "m/9_c.sql", "m/10_d.sql"]
    assert detect(write(tmp_path, files), "m", "golang-migrate").migrations[-1].path == "m/2_b.up.sql"


def test_numbered_files_of_an_unknown_runner_are_a_hint(tmp_path: Path) -> None:
    (note,) = detect(write(tmp_path, {f"db/m/{number:03}-x.sql": UP for number in range(5)})).notes
    assert note.endswith("with --migrations (SQL files with numbers are in db/m (5 files))")


def test_migrations_for_another_database_alone_are_none(tmp_path: Path) -> None:
    history = detect(write(tmp_path, pairs("migrations/clickhouse", 3)))
    assert not history.migrations
    assert history.notes[1:] == ("other migrations, not used: migrations/clickhouse (golang-migrate, 3)",)
    assert len(detect(write(tmp_path, {}), "migrations/clickhouse").migrations) == 3


def test_globs_and_paths_of_the_scan_do_not_hide_migrations(tmp_path: Path) -> None:
    write(tmp_path, pairs("db/migrations", 1) | {"cmd/main.go": "x"})
    workspace = Workspace(tmp_path, paths=["cmd"], exclude=["db/**"])
    assert workspace.paths == ("cmd/main.go",)
    assert len(detect(workspace).migrations) == 1
    assert len(detect(workspace, "db/migrations/").migrations) == 1


@pytest.mark.parametrize("given", ["db/migrations", "db/migrations/", "./db/migrations", "absolute"])
def test_a_given_directory(tmp_path: Path, given: str) -> None:
    workspace = write(tmp_path, pairs("db/migrations", 3) | pairs("other", 3))
    history = detect(workspace, str(tmp_path / "db/migrations") if given == "absolute" else given)
    assert (history.directory, len(history.migrations)) == ("db/migrations", 3)


def test_migrations_of_the_index_and_of_a_revision(tmp_path: Path) -> None:
    write(tmp_path, pairs("m", 1))
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    write(tmp_path, pairs("m", 2))
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    write(tmp_path, pairs("m", 3))
    counts = [len(detect(Workspace(tmp_path, rev=rev, staged=staged)).migrations) for rev, staged in MODES]
    assert counts == [1, 2, 3]


MODES = [("HEAD", False), (None, True), (None, False)]


def test_other_databases_and_test_directories_stand_back(tmp_path: Path) -> None:
    files = pairs("migrate/postgres", 2) | pairs("migrate/sqlite", 5) | pairs("internal/testdata/m", 4)
    history = detect(write(tmp_path, files))
    assert history.directory == "migrate/postgres"
    assert history.notes == (
        "other migrations, not used: internal/testdata/m (golang-migrate, 4)",
        "other migrations, not used: migrate/sqlite (golang-migrate, 5)",
    )


def test_the_much_larger_directory_wins(tmp_path: Path) -> None:
    assert detect(write(tmp_path, pairs("a", 1) | pairs("b", 4))).directory == "b"


def test_two_likely_directories_are_an_error_that_names_them(tmp_path: Path) -> None:
    workspace = write(tmp_path, pairs("a", 2) | {"b/1_x.sql": GOOSE})
    with pytest.raises(ScanError, match=r"a \(golang-migrate, 2\), b \(goose, 1\)\. Name one with --migrations"):
        detect(workspace)
    assert detect(workspace, convention="goose").directory == "b"


def test_two_conventions_that_claim_one_directory_are_an_error_that_names_them(tmp_path: Path) -> None:
    workspace = write(tmp_path, {"m/1_a.sql": DBMATE, "m/2_b.sql": TERN})
    message = r"several conventions claim the migrations: m \(tern, 2\), m \(dbmate, 1\)\. Name one in the rule"
    for directory in (None, "m"):
        with pytest.raises(ScanError, match=message):
            detect(workspace, directory)
    assert detect(workspace, "m", "tern").convention == "tern"
    assert detect(workspace, convention="dbmate").convention == "dbmate"


def test_the_directory_that_is_about_the_table_wins(tmp_path: Path) -> None:
    workspace = write(tmp_path, pairs("a", 2) | pairs("b", 2, "CREATE TABLE wanted ();"))
    assert detect(workspace, concerns=lambda data: b"wanted" in data).directory == "b"
    with pytest.raises(ScanError, match="several directories"):
        detect(workspace, concerns=lambda data: b"neither" in data)


def test_no_migrations_are_a_note_not_an_error(tmp_path: Path) -> None:
    history = detect(write(tmp_path, {"a.go": "x", "q.sql": "SELECT 1"}))
    assert history.migrations == ()
    assert (history.problems, history.notes) == ((), ("no migrations found: name their directory with --migrations",))


def test_a_schema_file_is_the_last_resort(tmp_path: Path) -> None:
    workspace = write(tmp_path, {"db/schema.sql": UP, "db/queries.sql": "SELECT 1"})
    for history in (detect(workspace), detect(workspace, convention="schema-file"), detect(workspace, "db/schema.sql")):
        assert (history.directory, history.convention) == ("db/schema.sql", "schema-file")
        assert [item.path for item in history.migrations] == ["db/schema.sql"]
    write(tmp_path, {"x/structure.sql": UP})
    with pytest.raises(ScanError, match="several directories"):
        detect(Workspace(tmp_path))


def test_a_schema_file_that_is_about_the_table_is_asked_where_programs_are_not(tmp_path: Path) -> None:
    program = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    operations = []\n"
    files = {"demo/manage.py": "", "demo/books/migrations/0001_a.py": program, "sql/schema.sql": UP}
    workspace = write(tmp_path, files)
    assert detect(workspace, concerns=lambda data: b"TABLE t" in data).directory == "sql/schema.sql"
    assert detect(workspace, concerns=lambda data: b"TABLE u" in data).directory == "demo"
    assert detect(workspace).directory == "demo"


def test_flyway_reads_the_directories_below_its_own(tmp_path: Path) -> None:
    files = {"db/migration/V1__a.sql": UP, "db/migration/2024/V2__b.sql": UP, "db/migration/views/R__v.sql": UP}
    workspace = write(tmp_path, files | {"src/test/V1__a.sql": UP})
    for history in (detect(workspace), detect(workspace, "db/migration"), detect(workspace, convention="flyway")):
        assert (history.directory, history.convention) == ("db/migration", "flyway")
        assert [item.name for item in history.migrations] == ["V1__a", "V2__b", "R__v"]
    assert detect(workspace).notes == ("other migrations, not used: src/test (flyway, 1)",)
    assert len(detect(workspace, "db/migration/2024/V2__b.sql").migrations) == 1
    assert len(detect(workspace, "db/migration/views").migrations) == 1


def test_flyway_directories_side_by_side_are_an_error_until_their_parent_is_named(tmp_path: Path) -> None:
    workspace = write(tmp_path, {"db/a/V1__a.sql": UP, "db/b/V2__b.sql": UP})
    with pytest.raises(ScanError, match=r"several directories hold migrations: db/a \(flyway, 1\), db/b"):
        detect(workspace)
    assert len(detect(workspace, "db").migrations) == 2


def test_the_schema_that_dbmate_dumps_stands_back(tmp_path: Path) -> None:
    files = {"db/schema.sql": UP, "db/migrations/20200101000000_a.sql": DBMATE}
    history = detect(write(tmp_path, files))
    assert (history.directory, history.convention, len(history.migrations)) == ("db/migrations", "dbmate", 1)


def test_wrong_arguments(tmp_path: Path) -> None:
    workspace = write(tmp_path, {"a.go": "x", "docs/x.md": "x"})
    with pytest.raises(ScanError, match=r"migrations in db/none: no such file or directory"):
        detect(workspace, "db/none")
    with pytest.raises(ScanError, match="not inside the root"):
        detect(workspace, "../x")
    with pytest.raises(ScanError, match="unknown migration convention 'rails'"):
        detect(workspace, convention="rails")
    (problem,) = detect(workspace, "docs").problems
    assert (problem.message, problem.anything) == ("no migrations of the schema-file convention in docs", True)


def test_the_root_itself_may_hold_the_migrations(tmp_path: Path) -> None:
    history = detect(write(tmp_path, {"1_a.up.sql": UP}), ".")
    assert (history.directory, [item.path for item in history.migrations]) == ("", ["1_a.up.sql"])


def test_a_directory_of_directories_is_read_whole(tmp_path: Path) -> None:
    workspace = write(tmp_path, {"s/10/a.sql": UP, "s/9/b.sql": UP, "s/readme.md": ""})
    assert [item.path for item in detect(workspace, "s").migrations] == ["s/9/b.sql", "s/10/a.sql"]


def test_a_directory_for_each_version_is_found(tmp_path: Path) -> None:
    one = "db/migrations/2019-01-01-000000_a"
    files = {f"{one}/up.sql": "CREATE TABLE a ();", f"{one}/down.sql": "DROP TABLE a;", "db/migrations/.keep": ""}
    write(tmp_path, {**files, "db/schema.sql": "CREATE TABLE b ();"})
    for given in (None, "db/migrations"):
        history = detect(Workspace(tmp_path), given)
        assert str(history) == "db/migrations (directories, 1 migrations)"
        assert [item.down_path for item in history.migrations] == [f"{one}/down.sql"]


def test_what_prisma_writes_for_another_database_is_none_of_ours(tmp_path: Path) -> None:
    lock = {"prisma/migrations/migration_lock.toml": 'provider = "mysql"\n'}
    write(tmp_path, {"prisma/migrations/1_a/migration.sql": "CREATE TABLE a ();", **lock})
    assert not detect(Workspace(tmp_path)).migrations
