"""The verdicts on what new migrations drop or rename, in small repositories with a history."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from legacy_ref_scan.check import Check, Scope, check
from legacy_ref_scan.cli import main
from legacy_ref_scan.model import ScanError, Verdict
from legacy_ref_scan.scan import Request
from tests.histories import commit, git, start, write

INIT = """CREATE TABLE users (id bigserial PRIMARY KEY, name text, err text, old text, tmp text);
CREATE TABLE gone (id int, note text);
CREATE TABLE pets (id int, gid int);
CREATE VIEW v AS SELECT id, err FROM users;
CREATE INDEX names ON users (name, tmp);
CREATE FUNCTION log_err() RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE users SET old = 'x'; END $$;
"""
GO = """package store

import "database/sql"

func pets(db *sql.DB) { db.Query("SELECT id FROM pets WHERE gid = 1") }
"""
Judge = Callable[[str], dict[str, str]]


def run(root: Path, also: tuple[str, ...] = (), **scope: object) -> Check:
    return check(Request(root=root, rules=()), Scope(**scope), also)  # type: ignore[arg-type]


def verdicts(found: Check) -> dict[str, str]:
    return {f"{drop.loss.what} {drop.loss.name}": drop.verdict.value for drop in found.drops}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = start(tmp_path / "repository")
    commit(root, {"migrations/000001_init.up.sql": INIT, "store.go": GO}, "v1")
    return root


@pytest.fixture
def judge(root: Path) -> Judge:
    """The verdicts on a second migration with the given text."""

    def judged(migration: str) -> dict[str, str]:
        write(root, {"migrations/000002_next.up.sql": migration})
        return verdicts(run(root, base="main"))

    return judged


class TestJudging:
    def test_what_nothing_uses_is_clean(self, judge: Judge) -> None:
        assert judge("DROP VIEW v; ALTER TABLE users DROP COLUMN err;") == {"drop column public.users.err": "clean"}

    def test_a_view_that_goes_with_it_is_in_the_way(self, judge: Judge) -> None:
        assert judge("ALTER TABLE users DROP COLUMN err CASCADE;") == {"drop column public.users.err": "referenced"}

    def test_a_view_that_is_made_again_is_not(self, judge: Judge) -> None:
        again = "ALTER TABLE users DROP COLUMN err CASCADE; CREATE VIEW v AS SELECT id FROM users;"
        assert judge(again) == {"drop column public.users.err": "clean"}

    def test_an_index_that_is_about_other_columns_too(self, judge: Judge) -> None:
        assert judge("ALTER TABLE users DROP COLUMN tmp;") == {"drop column public.users.tmp": "clean"}
        unique = "CREATE UNIQUE INDEX one ON users (name) WHERE tmp IS NULL; ALTER TABLE users DROP COLUMN tmp;"
        assert judge(unique) == {"drop column public.users.tmp": "referenced"}
        rebuilt = f"{unique} CREATE UNIQUE INDEX one ON users (name);"
        assert judge(rebuilt) == {"drop column public.users.tmp": "clean"}

    def test_a_constraint_that_the_statement_names(self, judge: Judge) -> None:
        pair = "ALTER TABLE users ADD CONSTRAINT pair UNIQUE (name) INCLUDE (old); DROP FUNCTION log_err();"
        assert judge(pair + "ALTER TABLE users DROP COLUMN old;") == {"drop column public.users.old": "referenced"}
        named = pair + "ALTER TABLE users DROP CONSTRAINT pair, DROP COLUMN old;"
        assert judge(named) == {"drop column public.users.old": "clean"}

    def test_stars_that_sqlc_writes_out(self, root: Path, judge: Judge) -> None:
        query = "SELECT * FROM gone WHERE id = $1;\n"
        for text, verdict in (("-- name: GetGone :one\n" + query, "clean"), (query, "referenced")):
            write(root, {"query/gone.sql": text})
            assert judge("ALTER TABLE gone DROP COLUMN note;") == {"drop column public.gone.note": verdict}

    def test_a_function_that_the_change_forgets(self, judge: Judge) -> None:
        assert judge("ALTER TABLE users DROP COLUMN old;") == {"drop column public.users.old": "referenced"}
        assert judge("ALTER TABLE users DROP COLUMN old; DROP FUNCTION log_err();") == {
            "drop column public.users.old": "clean"
        }

    def test_several_actions_in_one_statement(self, judge: Judge) -> None:
        dropped = "DROP VIEW v; ALTER TABLE users ADD COLUMN x int, DROP COLUMN err, DROP COLUMN IF EXISTS old;"
        assert judge(dropped) == {
            "drop column public.users.err": "clean",
            "drop column public.users.old": "referenced",
        }

    def test_a_block(self, judge: Judge) -> None:
        block = "DO $$ BEGIN EXECUTE 'ALTER TABLE users DROP COLUMN old'; END $$;"
        assert judge(block) == {"drop column public.users.old": "referenced"}

    def test_a_condition_leaves_it_open(self, judge: Judge, root: Path) -> None:
        block = "DO $$ BEGIN IF now() > '2030-01-01' THEN ALTER TABLE users DROP COLUMN old; END IF; END $$;"
        assert judge(block) == {"drop column public.users.old": "unknown"}
        (drop,) = run(root, base="main").drops
        assert not drop.loss.certain

    def test_a_statement_that_nobody_can_read(self, judge: Judge, root: Path) -> None:
        assert judge("DO $$ DECLARE q text := f(); BEGIN EXECUTE q; END $$;") == {}
        found = run(root, base="main")
        assert (found.verdict, len(found.gaps)) == (Verdict.UNKNOWN, 1)

    def test_added_again_in_the_same_change(self, judge: Judge) -> None:
        assert judge("ALTER TABLE users DROP COLUMN old, ADD COLUMN old varchar(9);") == {}

    def test_never_released(self, judge: Judge) -> None:
        assert judge("ALTER TABLE users ADD COLUMN fresh int; ALTER TABLE users DROP COLUMN fresh;") == {}

    def test_views_are_out(self, judge: Judge) -> None:
        assert judge("DROP VIEW v;") == {}


class TestTables:
    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM gone",
            "SELECT count(*) FROM gone",
            "SELECT 1 FROM users u WHERE EXISTS (SELECT FROM public.gone g)",
            "TRUNCATE gone",
            "INSERT INTO gone DEFAULT VALUES",
            "SELECT note FROM gone",
        ],
    )
    def test_any_use_gates(self, root: Path, judge: Judge, statement: str) -> None:
        write(root, {"store.go": GO + f'\nfunc gone(db *sql.DB) {{ db.Exec("{statement}") }}\n'})
        assert judge("DROP TABLE gone;") == {"drop table public.gone": "referenced"}

    def test_unused(self, root: Path, judge: Judge) -> None:
        write(root, {"store.go": GO + '\nfunc f() { log.Printf("the last row is gone") }\n// gone: the table\n'})
        assert judge("DROP TABLE gone;") == {"drop table public.gone": "clean"}

    def test_a_foreign_key_of_another_table(self, judge: Judge) -> None:
        with_key = "CREATE TABLE keep (user_id bigint REFERENCES users (id)); DROP TABLE users CASCADE;"
        assert judge(with_key)["drop table public.users"] == "referenced"

    def test_models(self, root: Path, judge: Judge) -> None:
        struct = "\ntype Gone struct { ID int; Note string }\n\nfunc f(db *gorm.DB) { var g []Gone; db.Find(&g) }\n"
        table = '\nfunc (Gone) TableName() string { return "gone" }\n'
        write(root, {"store.go": GO.replace('"database/sql"', '"gorm.io/gorm"') + struct + table})
        assert judge("DROP TABLE gone;") == {"drop table public.gone": "referenced"}

    def test_its_own_triggers_and_policies_go_along(self, judge: Judge) -> None:
        own = "CREATE POLICY p ON gone USING (id > 0); CREATE INDEX ON gone (id); DROP TABLE gone;"
        assert judge(own) == {"drop table public.gone": "clean"}

    def test_a_new_table_of_that_name(self, judge: Judge) -> None:
        assert judge("DROP TABLE gone; CREATE TABLE gone (id int, note text);") == {}

    def test_a_new_name(self, judge: Judge) -> None:
        assert judge("ALTER TABLE pets RENAME TO animals;") == {"rename table public.pets": "referenced"}
        assert judge("ALTER TABLE gone RENAME TO went;") == {"rename table public.gone": "clean"}


class TestRenamedColumns:
    def test_readers_of_the_old_name(self, root: Path, judge: Judge) -> None:
        rename = "ALTER TABLE gone RENAME COLUMN note TO remark;"
        assert judge(rename) == {"rename column public.gone.note": "clean"}
        write(root, {"store.go": GO + '\nfunc f(db *sql.DB) { db.Query("SELECT note FROM gone") }\n'})
        assert judge(rename) == {"rename column public.gone.note": "referenced"}

    def test_whole_rows_survive_unless_they_are_taken_by_the_old_name(self, root: Path, judge: Judge) -> None:
        star = '\nfunc f(db *sqlx.DB) { var g []Gone; db.Select(&g, "SELECT * FROM gone") }\n'
        for tag, verdict in (("remark", "clean"), ("note", "referenced")):
            row = f'type Gone struct {{ Text string `db:"{tag}"` }}\n'
            write(root, {"store.go": GO.replace('"database/sql"', '"github.com/jmoiron/sqlx"') + star + row})
            assert judge("ALTER TABLE gone RENAME note TO remark;") == {"rename column public.gone.note": verdict}


class TestScope:
    DROP = "ALTER TABLE users DROP COLUMN old;"

    def test_only_what_the_base_lacks(self, root: Path) -> None:
        commit(root, {"migrations/000002_a.up.sql": self.DROP}, "v2")
        commit(root, {"migrations/000003_b.up.sql": "ALTER TABLE gone DROP COLUMN note;"})
        assert list(verdicts(run(root, base="v2"))) == ["drop column public.gone.note"]
        assert list(verdicts(run(root, base="v1"))) == ["drop column public.users.old", "drop column public.gone.note"]
        assert list(verdicts(run(root, last=1))) == ["drop column public.gone.note"]
        assert list(verdicts(run(root, last=99))) == []
        assert len(run(root, every=True).drops) == 2
        assert run(root, base="HEAD").drops == ()

    def test_the_base_is_where_the_branch_left(self, root: Path) -> None:
        git(root, "checkout", "-q", "-b", "work")
        commit(root, {"migrations/000003_b.up.sql": "ALTER TABLE gone DROP COLUMN note;"})
        git(root, "checkout", "-q", "main")
        commit(root, {"migrations/000002_a.up.sql": self.DROP})
        git(root, "checkout", "-q", "work")
        assert list(verdicts(run(root))) == ["drop column public.gone.note"]

    def test_a_released_file_that_has_changed(self, root: Path) -> None:
        write(root, {"migrations/000001_init.up.sql": INIT.replace(", gid int", "")})
        assert verdicts(run(root, base="v1")) == {"drop column public.pets.gid": "referenced"}

    def test_no_such_base(self, root: Path) -> None:
        for base in ("nowhere", "--all"):
            with pytest.raises(ScanError, match="no revision"):
                run(root, base=base)

    def test_a_rule_acknowledges(self, root: Path, judge: Judge) -> None:
        rule = '[retire]\ntable = "pets"\ncolumns = ["gid"]\n[[acknowledge]]\npath = "store.go"\nreason = "gone soon"\n'
        assert judge("ALTER TABLE pets DROP COLUMN gid;") == {"drop column public.pets.gid": "referenced"}
        write(root, {"rules/pets.toml": rule})
        assert judge("ALTER TABLE pets DROP COLUMN gid;") == {"drop column public.pets.gid": "clean"}


class TestReleased:
    def test_the_release_that_still_runs(self, root: Path, capfd: pytest.CaptureFixture[str]) -> None:
        drop: dict[str, str | None] = {"migrations/000002_a.up.sql": "ALTER TABLE pets DROP COLUMN gid;"}
        commit(root, {"store.go": GO.replace(" WHERE gid = 1", ""), **drop}, "v2")
        assert verdicts(run(root, base="v1")) == {"drop column public.pets.gid": "clean"}
        found = run(root, ("v1", "v2"), base="v1")
        assert found.verdict is Verdict.REFERENCED
        assert [(name, report.verdict.value) for name, report in found.drops[0].reports] == [
            ("", "clean"),
            ("v1", "referenced"),
            ("v2", "clean"),
        ]
        given = ["check", "--root", str(root), "--base", "v1"]
        assert main(given) == 0
        assert "verdict: clean: 1 drop: 1 clean" in capfd.readouterr().out
        assert main([*given, "--also-rev", "v1"]) == 1
        out = capfd.readouterr().out
        assert "  in v1: referenced\n    store.go:5: read: reads public.pets.gid" in out
        assert main([*given, "--also-rev", "v1", "--format", "json"]) == 1
        shape = json.loads(capfd.readouterr().out)
        assert [report["revision"] for report in shape["drops"][0]["reports"]] == ["", "v1"]

    def test_objects_of_the_old_release_that_were_replaced_since_do_not_count(self, root: Path) -> None:
        write(root, {"migrations/000002_a.up.sql": "DROP FUNCTION log_err(); ALTER TABLE users DROP COLUMN old;"})
        assert verdicts(run(root, ("v1",), base="v1")) == {"drop column public.users.old": "clean"}

    def test_usage(self, root: Path) -> None:
        for options in (["--base", "v1", "--all"], ["--pending", "0"], ["--base", "v1", "--also-rev", "nowhere"]):
            write(root, {"migrations/000002_a.up.sql": "ALTER TABLE pets DROP COLUMN gid;"})
            assert main(["check", "--root", str(root), *options]) == 2
