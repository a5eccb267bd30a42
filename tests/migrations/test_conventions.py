"""Each convention: names, order, sections, and what it complains about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from legacy_ref_scan.catalog import replay
from legacy_ref_scan.migrations import (
    CONVENTIONS,
    Migration,
    dbmate,
    directories,
    flyway,
    golang_migrate,
    goose,
    schema_file,
    sql_migrate,
    tern,
)
from legacy_ref_scan.migrations.history import Convention, History
from legacy_ref_scan.model import ScanError, SourceFile
from legacy_ref_scan.schema import Catalog, Index


def load(convention: Convention, files: Mapping[str, str | None]) -> History:
    def read(path: str) -> SourceFile | None:
        text = files[path]
        return None if text is None else SourceFile(path, text.encode(), "sql")

    return convention.load("app" if "app/migrations/__init__.py" in files else "m", sorted(files), read)


def up(migration: Migration) -> list[str]:
    return [migration.source.data[start:end].decode() for start, end in migration.up]


def said(history: History) -> tuple[str, ...]:
    return tuple(map(str, history.problems))


def down(migration: Migration) -> list[str]:
    return [migration.source.data[start:end].decode() for start, end in migration.down]


class TestGolangMigrate:
    def test_numeric_order_and_pairs(self) -> None:
        history = load(
            golang_migrate,
            {
                "m/10_b.up.sql": "ten",
                "m/9_a.up.sql": "nine",
                "m/9_a.down.sql": "undo",
                "m/10_b.down.sql": "no\r\n",
                "m/0011_c_d.e.up.sql": "x",
                "m/0011_c_d.e.down.sql": "x",
            },
        )
        assert [(int(item.version), item.name, item.path) for item in history.migrations] == [
            (9, "a", "m/9_a.up.sql"),
            (10, "b", "m/10_b.up.sql"),
            (11, "c_d.e", "m/0011_c_d.e.up.sql"),
        ]
        assert up(history.migrations[1]) == ["ten"]
        assert (history.migrations[1].down_path, history.migrations[1].down) == ("m/10_b.down.sql", ((0, 4),))
        assert (said(history), history.notes) == ((), ())

    def test_what_is_wrong(self) -> None:
        history = load(
            golang_migrate,
            {
                "m/1_a.up.sql": "x",
                "m/01_b.up.sql": "x",
                "m/2_c.down.sql": "x",
                "m/3_d.up.sql": " \n",
                "m/4_e.up.sql": None,
                f"m/{2**64}_f.up.sql": "x",
                "m/seed.sql": "x",
                "m/README.md": "x",
            },
        )
        assert [item.path for item in history.migrations] == ["m/01_b.up.sql", "m/1_a.up.sql", "m/3_d.up.sql"]
        assert said(history) == (
            "version 1 has 2 up files: m/01_b.up.sql, m/1_a.up.sql",
            "m/4_e.up.sql cannot be read",
        )
        assert history.notes == (
            f"m/{2**64}_f.up.sql: the version is larger than 2^64 - 1, so golang-migrate ignores the file",
            "m/2_c.down.sql has no up file",
            "without a down file: m/01_b.up.sql, m/1_a.up.sql, m/3_d.up.sql and 1 more",
            "names that golang-migrate does not read: m/seed.sql",
            "m/3_d.up.sql is empty",
        )

    def test_programs_are_not_read_as_sql(self) -> None:
        names = ("1_a.up.sql", "1_a.down.sql", "2_b.up.go", "2_b.down.go", "2_b_test.go", "3_c.up.fizz")
        history = load(golang_migrate, {f"m/{name}": "x" for name in names})
        assert [item.path for item in history.migrations] == ["m/1_a.up.sql"]
        assert said(history) == (
            "m/2_b.up.go is a program: what it does to the schema is not known",
            "m/3_c.up.fizz is a program: what it does to the schema is not known",
        )

    def test_of_several_dialects_postgres_or_none(self) -> None:
        names = (
            "1_a.up.sql", "1_a.mysql.up.sql", "1_a.down.sql",
            "2_b.postgres.up.sql", "2_b.sqlite3.up.sql", "2_b.up.sql", "2_b.postgres.down.sql", "2_b.down.sql",
            "3_c.mysql.up.sql", "3_c.cockroach.up.sql",
            "4_d.postgres.autocommit.up.sql", "4_d.mysql.up.sql", "4_d.down.sql",
        )  # fmt: skip
        history = load(golang_migrate, {f"m/{name}": "x" for name in names})
        assert [(item.path, item.down_path) for item in history.migrations] == [
            ("m/1_a.up.sql", "m/1_a.down.sql"),
            ("m/2_b.postgres.up.sql", "m/2_b.postgres.down.sql"),
            ("m/4_d.postgres.autocommit.up.sql", "m/4_d.down.sql"),
        ]
        assert said(history) == ()

    def test_versions_of_pop_are_as_long_as_they_like(self) -> None:
        names = ("20260601000000000001_a.postgres.up.sql", "20260601000000000001_a.mysql.up.sql", "3_b.up.sql")
        paths = [f"m/{name}" for name in names]
        history = load(golang_migrate, dict.fromkeys(paths, "x"))
        assert [int(item.version) for item in history.migrations] == [3, 20260601000000000001]
        assert not any("larger" in note for note in history.notes)
        assert golang_migrate.recognise(paths, lambda path: None) == 3

    def test_a_dialect_alone_is_a_part_of_the_title(self) -> None:
        history = load(golang_migrate, {"m/1_a.mysql.up.sql": "x", "m/2_to.postgres.up.sql": "x"})
        assert [item.name for item in history.migrations] == ["a.mysql", "to.postgres"]

    def test_recognise_counts_up_files_of_sql(self) -> None:
        paths = ["1_a.up.sql", "1_a.down.sql", "2_b.up.json", "x.sql", f"{2**64 - 1}_c.up.sql"]
        assert golang_migrate.recognise(paths, lambda path: None) == 2

    @pytest.mark.parametrize(
        ("paths", "width"),
        [
            ([], 6),
            (["m/seed.sql"], 6),
            (["m/000001_a.up.sql", "m/000067_b.up.sql"], 6),
            (["m/0001_a.up.sql"], 4),
            (["m/9_a.up.sql", "m/10_a.up.sql"], 0),
            (["m/20240102030405_a.up.sql"], 0),
            (["m/001_a.up.sql", "m/1000_b.up.sql"], 4),
        ],
    )
    def test_width_in_use(self, paths: list[str], width: int) -> None:
        assert golang_migrate.width_in_use(paths) == width

    def test_next_version(self) -> None:
        now = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
        assert golang_migrate.next_version([]) == 1
        assert golang_migrate.next_version([9, 67, 10]) == 68
        assert golang_migrate.next_version([67], now) == 68
        assert golang_migrate.next_version([20240102030405], now) == 20270102030405
        assert golang_migrate.next_version([20270102030405], now) == 20270102030406
        assert golang_migrate.next_version([1_700_000_000], now) == 1_700_000_001

    def test_file_names(self) -> None:
        assert golang_migrate.file_names(68, 6, "drop_x") == ("000068_drop_x.up.sql", "000068_drop_x.down.sql")
        assert golang_migrate.file_names(68, 0, "x", {67}) == ("68_x.up.sql", "68_x.down.sql")
        with pytest.raises(ScanError, match="version 68 is taken"):
            golang_migrate.file_names(68, 6, "x", {67, 68})
        with pytest.raises(ScanError, match="more than the 3 digits"):
            golang_migrate.file_names(1000, 3, "x")
        with pytest.raises(ScanError, match="not a number from 0"):
            golang_migrate.file_names(2**64, 0, "x")

    def test_a_generated_pair_is_read_back(self) -> None:
        names = golang_migrate.file_names(68, 6, "drop_x")
        history = load(golang_migrate, {f"m/{name}": "x" for name in names})
        assert [(int(item.version), item.name, item.down_path) for item in history.migrations] == [
            (68, "drop_x", "m/000068_drop_x.down.sql")
        ]
        assert (said(history), history.notes) == ((), ())


class TestSqlMigrate:
    def test_several_sections_in_one_file(self) -> None:
        text = "before\n-- +migrate Up\nA;\n-- +migrate Down\nZ;\n-- +migrate Up notransaction\nB;\n-- +migrate Down\n"
        (migration,) = load(sql_migrate, {"m/1.sql": text}).migrations
        assert up(migration) == ["A;\n", "B;\n"]
        assert down(migration) == ["Z;\n", ""]
        assert migration.down_path == "m/1.sql"

    def test_statement_marks_and_indented_marks_change_no_direction(self) -> None:
        text = (
            "-- +migrate Up\r\n-- +migrate StatementBegin\r\nA;\r\n  -- +migrate Down\r\n-- +migrate StatementEnd\r\n"
        )
        (migration,) = load(sql_migrate, {"m/1.sql": text}).migrations
        assert up(migration) == [text.removeprefix("-- +migrate Up\r\n")]
        assert (migration.down, migration.down_path) == ((), None)

    def test_order_is_by_number_then_by_name(self) -> None:
        names = ["b.sql", "a.sql", "10_x.sql", "9_x.sql", "09_a.sql", "1623246000.sql"]
        history = load(sql_migrate, dict.fromkeys(names, "-- +migrate Up\nx"))
        assert [item.path for item in history.migrations] == [
            "09_a.sql",
            "9_x.sql",
            "10_x.sql",
            "1623246000.sql",
            "a.sql",
            "b.sql",
        ]
        assert [int(item.version) for item in history.migrations] == [9, 9, 10, 1623246000, 0, 0]

    def test_what_is_wrong(self) -> None:
        history = load(sql_migrate, {"1.sql": "--+migrate Up\nx", "2.sql": None, "x.md": "-- +migrate Up"})
        assert history.migrations == ()
        assert said(history) == (
            "1.sql has no mark of sql-migrate that says what is up and what is down",
            "2.sql cannot be read",
        )

    def test_a_mark_at_the_very_end(self) -> None:
        (migration,) = load(sql_migrate, {"1.sql": "-- +migrate Up"}).migrations
        assert up(migration) == [""]


class TestGoose:
    def test_sections_and_numeric_order(self) -> None:
        text = "-- +goose Up\n-- +goose StatementBegin\nA;\n-- +goose StatementEnd\n--  +GOOSE  down\nZ;\n"
        history = load(goose, {"m/10_b.sql": text, "m/9_a.sql": text})
        assert [(int(item.version), item.name) for item in history.migrations] == [(9, "9_a"), (10, "10_b")]
        assert up(history.migrations[0]) == ["-- +goose StatementBegin\nA;\n-- +goose StatementEnd\n"]
        assert down(history.migrations[0]) == ["Z;\n"]
        assert said(history) == ()

    def test_what_is_wrong(self) -> None:
        mark = "-- +goose Up\n"
        files = {"m/2_a.sql": mark, "m/02_b.sql": mark, "m/x.sql": mark, "m/3_c.go": "package m", "m/3_c_test.go": "x"}
        assert said(load(goose, {**files, "m/4.sql": "SELECT 1"})) == (
            "m/4.sql has no mark of goose that says what is up and what is down",
            "m/3_c.go is a program: what it does to the schema is not known",
            "m/x.sql has no version from 1 in its name",
            "m/02_b.sql and m/2_a.sql have one version",
        )


class TestDbmate:
    """The tool's rules: pkg/dbmate/migration.go and pkg/dbmate/db.go of amacneil/dbmate."""

    def test_sections_and_options(self) -> None:
        text = "-- head\n-- migrate:up transaction:false\r\nA;\n-- migrate:upper\n--migrate:down\nZ;\n"
        (migration,) = load(dbmate, {"db/migrations/20200101000000_a.sql": text}).migrations
        assert (int(migration.version), migration.name) == (20200101000000, "20200101000000_a")
        assert up(migration) == ["A;\n-- migrate:upper\n"]
        assert down(migration) == ["Z;\n"]

    def test_marks_stand_at_the_start_of_a_line_in_small_letters(self) -> None:
        history = load(dbmate, {"m/1.sql": "  -- migrate:up\nx", "m/2.sql": "-- MIGRATE:UP\nx"})
        assert said(history) == (
            "m/1.sql has no mark of dbmate that says what is up and what is down",
            "m/2.sql has no mark of dbmate that says what is up and what is down",
        )

    def test_order_is_that_of_the_names(self) -> None:
        history = load(dbmate, dict.fromkeys(["m/9_a.sql", "m/10_b.sql"], "-- migrate:up\nx"))
        assert [int(item.version) for item in history.migrations] == [10, 9]

    def test_the_dumped_schema_is_no_migration(self) -> None:
        files = {"m/1_a.sql": "-- migrate:up", "m/schema.sql": "CREATE TABLE t ();\n-- migrate:up"}
        history = load(dbmate, files)
        assert [item.path for item in history.migrations] == ["m/1_a.sql"]
        assert (said(history), history.notes) == ((), ("names that dbmate does not read: m/schema.sql",))
        sources = {path: SourceFile(path, text.encode(), "sql") for path, text in files.items()}
        assert dbmate.recognise(list(files), sources.get) == 1

    def test_several_sections_in_one_file(self) -> None:
        text = "-- migrate:up\nA;\n-- migrate:down\nZ;\n-- migrate:up\nB;\n-- migrate:down\nY;\n"
        (migration,) = load(dbmate, {"m/1_a.sql": text}).migrations
        assert (up(migration), down(migration)) == (["A;\n", "B;\n"], ["Z;\n", "Y;\n"])

    def test_a_file_that_only_goes_down(self) -> None:
        history = load(dbmate, {"m/1_a.sql": "-- migrate:down\nZ;\n"})
        assert said(history) == ("m/1_a.sql has no up part, which dbmate refuses",)

    def test_one_version_twice(self) -> None:
        history = load(dbmate, dict.fromkeys(["m/1_a.sql", "m/1_b.sql", "m/01_c.sql"], "-- migrate:up\nx"))
        assert said(history) == ("m/1_a.sql and m/1_b.sql have one version",)


class TestTern:
    """The tool's rules: migrate/migrate.go of jackc/tern."""

    def test_the_line_parts_up_and_down(self) -> None:
        text = "A;\n---- create above / drop below ----\nZ;\n---- create above / drop below ----\nY;\n"
        history = load(tern, {"m/001_a.sql": text, "m/2_b.sql": "B;\n", "m/seed.sql": "x", "m/tern.conf": ""})
        first, second = history.migrations
        assert (int(first.version), first.name, up(first)) == (1, "001_a", ["A;\n"])
        assert down(first) == ["\nZ;\n---- create above / drop below ----\nY;\n"]
        assert (int(second.version), up(second), second.down, second.down_path) == (2, ["B;\n"], (), None)
        assert (said(history), history.notes) == ((), ("names that tern does not read: m/seed.sql",))

    def test_another_spelling_is_only_a_comment(self) -> None:
        text = "A;\n--- create above / drop below ---\nB;\n"
        assert up(load(tern, {"m/1_a.sql": text}).migrations[0]) == [text]

    def test_numeric_order(self) -> None:
        names = [f"m/{number}_x.sql" for number in range(1, 12)]
        assert [int(item.version) for item in load(tern, dict.fromkeys(names, "x")).migrations] == list(range(1, 12))

    def test_what_is_wrong(self) -> None:
        mark = "---- create above / drop below ----"
        files = {"m/2_a.sql": "x", "m/02_b.sql": "{{ .x }}", "m/4_c.sql": f"x\n{mark}\n{{{{ y }}}}", "m/5_d.sql": None}
        assert said(load(tern, files)) == (
            "m/5_d.sql cannot be read",
            "m/02_b.sql: tern fills in {{ .x }}, and what it becomes is not known",
            "m/02_b.sql is the first migration, but tern counts from 1",
            "m/02_b.sql and m/2_a.sql have one version",
            "between m/2_a.sql and m/4_c.sql is a hole, which tern refuses",
        )

    def test_one_mark_makes_the_numbered_files_of_a_directory_migrations(self) -> None:
        mark = b"---- create above / drop below ----"
        sources = {path: SourceFile(path, b"x", "sql") for path in ("1_a.sql", "2_b.sql", "c.sql")}
        assert tern.recognise(list(sources), sources.get) == 0
        sources["2_b.sql"] = SourceFile("2_b.sql", mark, "sql")
        assert tern.recognise(list(sources), sources.get) == 2


class TestFlyway:
    """The tool's rules: "Migrations" and "Baseline migrations" in Flyway's documentation."""

    def test_versions_in_numeric_order_with_their_undos_and_repeatable_ones_last(self) -> None:
        names = ["V1.10__d", "V1_2__c", "V1__a", "V01.1__b", "V2__e", "U1.2__c", "R__b_view", "R__a_view"]
        history = load(flyway, {f"m/{name}.sql": f"{name};" for name in names})
        order = ["V1__a", "V01.1__b", "V1_2__c", "V1.10__d", "V2__e", "R__a_view", "R__b_view"]
        assert [item.name for item in history.migrations] == order
        assert [str(item.version) for item in history.migrations] == ["1", "01.1", "1.2", "1.10", "2", "", ""]
        assert [item.repeatable for item in history.migrations] == [False] * 5 + [True] * 2
        assert [item.down_path for item in history.migrations if item.down] == ["m/U1.2__c.sql"]
        assert (history.migrations[2].down, up(history.migrations[2])) == (((0, 8),), ["V1_2__c;"])
        assert (said(history), history.notes) == ((), ())

    def test_a_baseline_is_ignored_where_older_migrations_are(self) -> None:
        history = load(flyway, dict.fromkeys(["m/V1__a.sql", "m/V6__b.sql", "m/B5__x.sql"], "x"))
        assert [item.name for item in history.migrations] == ["V1__a", "V6__b"]
        assert history.notes == ("the baseline m/B5__x.sql is ignored: there are older migrations",)
        same = load(flyway, dict.fromkeys(["m/V5__a.sql", "m/B5__x.sql"], "x"))
        assert [item.name for item in same.migrations] == ["V5__a"]

    def test_the_last_baseline_begins_where_nothing_is_older(self) -> None:
        history = load(flyway, dict.fromkeys(["m/V11__a.sql", "m/B5__x.sql", "m/B10__y.sql"], "x"))
        assert [item.name for item in history.migrations] == ["B10__y", "V11__a"]
        assert history.notes == (
            "the baseline m/B5__x.sql is ignored: there are older migrations",
            "the history begins with the baseline m/B10__y.sql",
        )

    def test_what_is_wrong(self) -> None:
        names = ["V1__a.sql", "V1.0__b.sql", "s/R__v.sql", "R__v.sql", "V3__J.java", "afterClean__x.sql", "U9__z.sql"]
        files = {f"m/{name}": "x" for name in [*names, "v4__w.sql", "V3__J.conf"]}
        history = load(flyway, {**files, "m/V2__c.sql": "GRANT ALL ON t TO ${user}", "m/V5__d.sql": None})
        assert said(history) == (
            "m/V3__J.java is a migration in code: what it does to the schema is not known",
            "m/V1.0__b.sql and m/V1__a.sql have one version",
            "m/R__v.sql and m/s/R__v.sql have one description",
            "m/V2__c.sql: Flyway fills in ${user}, and what it becomes is not known",
            "m/V5__d.sql cannot be read",
        )
        assert history.notes == (
            "m/U9__z.sql undoes no migration",
            "callbacks that do not run along with migrate: m/afterClean__x.sql",
            "names that Flyway does not read: m/v4__w.sql",
        )

    def test_callbacks_of_migrate_run_around_all_others_and_again(self) -> None:
        names = ["R__v", "afterMigrate", "V1__a", "beforeMigrate__x", "afterEachMigrate__y", "afterMigrateError"]
        history = load(flyway, dict.fromkeys([f"m/{name}.sql" for name in names], "x"))
        order = ["beforeMigrate__x", "V1__a", "R__v", "afterEachMigrate__y", "afterMigrate"]
        assert [item.name for item in history.migrations] == order
        assert [item.repeatable for item in history.migrations] == [True, False, True, True, True]
        assert flyway.recognise([f"m/{name}.sql" for name in names], lambda path: None) == 2

    def test_the_configuration_of_a_script(self) -> None:
        files = {
            "m/V1__a.sql": "ALTER TABLE ${t} ADD c int;",
            "m/V1__a.sql.conf": "placeholderReplacement=false\n",
            "m/V2__b.sql": "-- flyway:executeInTransaction=false\nALTER TABLE ${t} ADD d int;",
            "m/V3__c.sql": "-- flyway:shouldExecute=${dev}\n-- flyway:placeholderReplacement = false\nx ${y}",
        }
        history = load(flyway, files)
        assert said(history) == (
            "m/V2__b.sql: Flyway fills in ${t}, and what it becomes is not known",
            "m/V3__c.sql runs only where ${dev} holds",
        )

    def test_a_version_without_a_description_runs_too(self) -> None:
        history = load(flyway, dict.fromkeys(["m/V2.sql", "m/V1__a.sql"], "x"))
        assert [item.name for item in history.migrations] == ["V1__a", "V2"]
        assert flyway.recognise(["m/V2.sql"], lambda path: None) == 0

    def test_recognise_counts_all_but_undos(self) -> None:
        paths = ["V1__a.sql", "V1_a.sql", "v2__a.sql", "R__b.sql", "B1__c.sql", "U1__a.sql", "V2__a.txt", "Vx__a.sql"]
        assert flyway.recognise(paths, lambda path: None) == 3


class TestDirectories:
    def test_versions_of_diesel_prisma_and_plain_numbers(self) -> None:
        names = ["2019-02-26-002946_b", "00000000000000_a", "20200101000000_c"]
        history = load(directories, {f"m/{name}/up.sql": f"{name};" for name in names})
        assert [item.name for item in history.migrations] == ["a", "b", "c"]
        assert [str(item.version) for item in history.migrations] == ["0", "20190226002946", "20200101000000"]
        files = {"m/10-b/up.sql": "b", "m/9-a/up.sql": "a", "m/9-a/down.sql": "x", "m/9-a/up_test.sql": "y"}
        history = load(directories, files)
        assert [(up(item), item.down_path) for item in history.migrations] == [
            (["a"], "m/9-a/down.sql"),
            (["b"], None),
        ]
        assert said(history) == ()

    def test_what_is_wrong(self) -> None:
        twice = load(directories, {"m/1_a/up.sql": "a", "m/1_b/up.sql": "b", "m/2_c/up.sql": None})
        assert said(twice) == ("m/2_c/up.sql cannot be read", "m/1_a/up.sql and m/1_b/up.sql have one version")
        assert said(load(directories, {"m/9_a/up.sql": "a", "m/10_b/up.sql": "b"})) == (
            "m/10_b/up.sql runs before m/9_a/up.sql where versions are compared as texts",
        )

    def test_diesel_compares_versions_as_texts(self) -> None:
        names = ["2025-11-19-091444-0000_b", "2026-05-27-120000_c", "00000000000000_a", "2025-11-19-091444_a2"]
        history = load(directories, {f"m/{name}/up.sql": "x" for name in names})
        assert [item.name for item in history.migrations] == ["a", "a2", "b", "c"]
        assert said(history) == ()

    @pytest.mark.parametrize(
        ("provider", "count"), [("postgresql", 1), ("cockroachdb", 1), ("mysql", 0), ("sqlite", 0)]
    )
    def test_the_lock_of_prisma_names_the_database(self, provider: str, count: int) -> None:
        lock = SourceFile("m/migration_lock.toml", f'# x\nprovider = "{provider}"\n'.encode(), "other")
        assert directories.recognise(["m/1_a/migration.sql", lock.path], lambda path: lock) == count


class TestSchemaFile:
    def test_files_run_whole_in_numeric_order(self) -> None:
        history = load(schema_file, {"m/10-b.sql": "B", "m/9-a.sql": "A", "m/9-a.down.sql": "Z", "m/x.txt": "x"})
        assert [(int(item.version), item.name, up(item)) for item in history.migrations] == [
            (9, "9-a", ["A"]),
            (10, "10-b", ["B"]),
        ]
        assert history.notes == ("the files run in numeric order, which is not their alphabetical one",)

    @pytest.mark.parametrize(
        ("up", "down"), [("1.sql", "1.down.sql"), ("1.up.sql", "1.down.sql"), ("1.do.sql", "1.undo.sql")]
    )
    def test_the_way_back_is_history_too(self, up: str, down: str) -> None:
        (migration,) = load(schema_file, {f"m/{up}": "A", f"m/{down}": "Z", "m/2.down.sql": "Y"}).migrations
        assert (migration.path, migration.down_path) == (f"m/{up}", f"m/{down}")

    def test_versions_with_dots(self) -> None:
        history = load(schema_file, {"m/V1.10__b.sql": "B", "m/V1.9__a.sql": "A"})
        assert [item.name for item in history.migrations] == ["V1.9__a", "V1.10__b"]

    @pytest.mark.parametrize("mark", ["-- migrate:down", "---- create above / drop below ----", "-- +goose Down"])
    def test_a_file_that_goes_both_ways_is_a_problem(self, mark: str) -> None:
        history = load(schema_file, {"m/1.sql": f"A;\n{mark}\nZ;\n"})
        assert said(history) == ("m/1.sql holds an up and a down part, but is run whole: name its convention",)

    def test_an_unreadable_file_is_a_problem(self) -> None:
        assert said(load(schema_file, {"m/1.sql": None})) == ("m/1.sql cannot be read",)


FIRST = "CREATE TABLE t (id bigint PRIMARY KEY, note text, gone text);\nCREATE INDEX t_note ON t (note);\n"
SECOND = "ALTER TABLE t DROP COLUMN gone;\nALTER TABLE t ADD COLUMN kept int;\nCREATE VIEW v AS SELECT note FROM t;\n"
UNDO_FIRST = "DROP TABLE t;\n"
UNDO_SECOND = "DROP VIEW v;\nALTER TABLE t DROP COLUMN kept;\nALTER TABLE t ADD COLUMN gone text;\n"


def marked(up_mark: str, down_mark: str, names: tuple[str, str] = ("m/1_a.sql", "m/2_b.sql")) -> dict[str, str]:
    parts = ((FIRST, UNDO_FIRST), (SECOND, UNDO_SECOND))
    return {name: f"{up_mark}{do}{down_mark}{undo}" for name, (do, undo) in zip(names, parts, strict=True)}


REVISION = """\
from alembic import op
revision = {}
down_revision = {}
def upgrade():
    op.execute('''{}''')
"""
DJANGO = """\
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = {}
    operations = [migrations.RunSQL('''{}''')]
"""
SAME_HISTORY = {
    "golang-migrate": {
        "m/1_a.up.sql": FIRST,
        "m/1_a.down.sql": UNDO_FIRST,
        "m/2_b.up.sql": SECOND,
        "m/2_b.down.sql": UNDO_SECOND,
    },
    "goose": marked("-- +goose Up\n", "-- +goose Down\n"),
    "sql-migrate": marked("-- +migrate Up\n", "-- +migrate Down\n"),
    "dbmate": marked("-- migrate:up\n", "-- migrate:down\n"),
    "tern": marked("", "---- create above / drop below ----\n"),
    "flyway": {
        "m/V1__a.sql": FIRST,
        "m/U1__a.sql": UNDO_FIRST,
        "m/V2__b.sql": SECOND,
        "m/U2__b.sql": UNDO_SECOND,
    },
    "directories": {
        "m/1-a/up.sql": FIRST,
        "m/1-a/down.sql": UNDO_FIRST,
        "m/2-b/up.sql": SECOND,
        "m/2-b/down.sql": UNDO_SECOND,
    },
    "django": {
        "app/migrations/0001_a.py": DJANGO.format([], FIRST),
        "app/migrations/0002_b.py": DJANGO.format([("app", "0001_a")], SECOND),
        "app/migrations/__init__.py": "",
    },
    "sqlc": {
        "m/sqlc.yaml": "version: '2'\nsql: [{engine: postgresql, schema: [1_a.sql, sql/2_b.sql], queries: q}]\n",
        "m/1_a.sql": FIRST,
        "m/sql/2_b.sql": SECOND,
    },
    "alembic": {
        "m/x.py": REVISION.format("'one'", None, FIRST),
        "m/a.py": REVISION.format("'two'", "'one'", SECOND),
        "m/env.py": "from alembic import context\n",
    },
    "schema-file": {"m/1_a.sql": FIRST, "m/2_b.sql": SECOND},
}


def shape(catalog: Catalog) -> dict[str, tuple[str, list[tuple[str, str]], list[tuple[str, list[str]]]]]:
    """Relations with their columns and indexes, by name."""
    shapes = {}
    for relation in catalog.relations.values():
        names = {column.attnum: column.name for column in relation.columns}
        indexes = [item for item in catalog.objects.values() if isinstance(item, Index)]
        shapes[relation.name] = (
            relation.kind,
            [(column.name, column.type) for column in relation.columns],
            sorted((i.name, [names[n] for n in i.columns]) for i in indexes if i.relation == relation.oid),
        )
    return shapes


@pytest.mark.parametrize("name", CONVENTIONS)
def test_same_history_same_catalog(name: str) -> None:
    history = load(CONVENTIONS[name], SAME_HISTORY[name])
    assert (history.convention, len(history.migrations), said(history)) == (name, 2, ())
    catalog = replay(history.migrations)
    assert catalog.gaps == ()
    tables = shape(catalog)
    assert tables.keys() == {"t", "v"}
    assert [column for column, _ in tables["t"][1]] == ["id", "note", "kept"]
    assert ("t_note", ["note"]) in tables["t"][2]
    assert tables == shape(replay(load(golang_migrate, SAME_HISTORY["golang-migrate"]).migrations))
