"""`generate-migration`, `schema` and `init`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from legacy_ref_scan.cli import main
from legacy_ref_scan.rules import load_rule
from legacy_ref_scan.versions import Version
from tests.cli.support import DOWN, READ, RULE, UNKNOWN, UP, Repository, complaint


class TestGenerate:
    def names(self, root: Path) -> list[str]:
        return sorted(path.name for path in (root / "migrations").iterdir())[4:]

    def test_writes_once_then_says_unchanged(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        root = repository()
        given = ["generate-migration", "--root", str(root)]
        assert main([*given, "--check"]) == 0
        assert capfd.readouterr().out.count("would write: ") == 2
        assert self.names(root) == []
        assert main(given) == 0
        assert capfd.readouterr().out.count("wrote: ") == 2
        assert (root / "migrations/000003_drop_errors.up.sql").read_text() == UP
        assert (root / "migrations/000003_drop_errors.down.sql").read_text() == DOWN
        for arguments in (given, [*given, "--check"]):
            assert main(arguments) == 0
            assert capfd.readouterr().out.count("unchanged: ") == 2
        assert main(["scan", "--root", str(root)]) == 0

    @pytest.mark.parametrize("direction", ["up", "down"])
    def test_half_a_pair_is_completed(self, repository: Repository, direction: str) -> None:
        root = repository()
        given = ["generate-migration", "--root", str(root)]
        assert main(given) == 0
        (root / f"migrations/000003_drop_errors.{direction}.sql").unlink()
        (root / "migrations/.legacy-ref-scan-1-000003_drop_errors.up.sql.tmp").write_text(UP[:70])
        assert main(given) == 0
        assert self.names(root) == ["000003_drop_errors.down.sql", "000003_drop_errors.up.sql"]
        assert len(list((root / "migrations").iterdir())) == 6

    @pytest.mark.parametrize(("go", "code", "reason"), [(READ, 1, "store.go:5: read"), (UNKNOWN, 3, "store.go:5: gap")])
    def test_refuses(
        self, repository: Repository, capfd: pytest.CaptureFixture[str], go: str, code: int, reason: str
    ) -> None:
        root = repository(go)
        for check in ([], ["--check"]):
            assert main(["generate-migration", "--root", str(root), *check]) == code
            out, err = capfd.readouterr()
            assert out == ""
            assert "refused: the verdict is" in err
            assert reason in err
            assert "legacy-ref-scan scan" in err
        assert self.names(root) == []

    def test_a_taken_number(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        root = repository()
        (root / "migrations/000003_other.up.sql").write_text("SELECT 1;\n")
        (root / "migrations/000003_other.down.sql").write_text("SELECT 1;\n")
        assert main(["generate-migration", "--root", str(root)]) == 2
        assert "version 3 is taken by 000003_other.down.sql" in capfd.readouterr().err

    def test_a_gap_in_numbering(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        root = repository(**{"rules__drop.toml": RULE.replace("version = 3", "version = 5")})
        assert main(["generate-migration", "--root", str(root), "--check"]) == 2
        assert "so 3 would be next" in capfd.readouterr().err

    def test_without_a_number_the_next_is_taken_and_kept(self, repository: Repository) -> None:
        root = repository(**{"rules__drop.toml": RULE.replace("version = 3\n", "")})
        for _ in range(2):
            assert main(["generate-migration", "--root", str(root)]) == 0
            assert self.names(root) == ["000003_drop_errors.down.sql", "000003_drop_errors.up.sql"]

    def test_a_column_that_was_dropped(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        root = repository(
            **{"migrations__000002_more.up.sql": "ALTER TABLE campaign_phases DROP COLUMN error_message;\n"}
        )
        assert main(["generate-migration", "--root", str(root)]) == 2
        assert "dropped already?" in capfd.readouterr().err

    def test_several_rules_need_a_choice(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        root = repository(**{"rules__more.toml": RULE.replace("error_message", "status")})
        assert main(["generate-migration", "--root", str(root)]) == 2
        assert "choose with --rule FILE" in capfd.readouterr().err
        assert main(["generate-migration", "--root", str(root), "--rule", "rules/drop.toml"]) == 0

    def test_a_directory_that_cannot_be_written(
        self, repository: Repository, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        def read_only(*_: object) -> None:
            raise OSError(30, "Read-only file system")

        root = repository()
        monkeypatch.setattr(os, "link", read_only)
        assert "cannot write the migration: Read-only" in complaint(capfd, "generate-migration", "--root", root)
        assert self.names(root) == []


class TestSchema:
    def test_all_tables(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        assert main(["schema", "--root", str(repository())]) == 0
        assert capfd.readouterr().out == (
            "table public.campaign_phases  migrations/000001_init.up.sql:1:14\n"
            "  id             bigint  not null\n"
            "  error_message  text\n"
            "  status         text    not null\n"
            "\n"
            "table public.jobs  migrations/000002_more.up.sql:1:14\n"
            "  id  bigint\n"
            "\n"
            "note: migrations: migrations (golang-migrate, 2 migrations)\n"
        )

    def test_one_table_with_dependents(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        view = "CREATE VIEW failed AS\n  SELECT id FROM campaign_phases WHERE error_message <> '';\n"
        root = repository(**{"migrations__000002_more.up.sql": view})
        assert main(["schema", "campaign_phases", "--root", str(root)]) == 0
        assert "  error_message  text\n    view failed  migrations/000002_more.up.sql:2:40\n" in capfd.readouterr().out
        assert main(["schema", "public.campaign_phases", "--root", str(root), "--format", "json"]) == 0
        column = json.loads(capfd.readouterr().out)["relations"][0]["columns"][1]
        assert column["dependents"] == [
            {
                "kind": "view",
                "name": "failed",
                "access": "read",
                "path": "migrations/000002_more.up.sql",
                "line": 2,
                "column": 40,
            }
        ]

    def test_no_such_table(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        message = complaint(capfd, "schema", "phases", "--root", repository())
        assert "no table phases" in message
        assert "campaign_phases, jobs" in message

    def test_no_migrations(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        assert "--migrations" in complaint(capfd, "schema", "--root", tmp_path)


class TestInit:
    def test_writes_a_rule_that_loads(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        root = repository()
        given = ["init", "campaign_phases.status", "--root", str(root)]
        assert main(given) == 0
        path = root / "rules/000003_drop_campaign_phases_status.toml"
        assert "000003_drop_campaign_phases_status.toml" in capfd.readouterr().out
        rule = load_rule(path)
        assert rule.migration is not None
        assert (rule.migration.version, rule.migration.directory) == (Version.of(3), "migrations")
        assert main(given) == 0
        assert "unchanged: " in capfd.readouterr().out
        path.write_text("# mine\n" + path.read_text())
        assert "not overwritten" in complaint(capfd, *given)
        assert path.read_text().startswith("# mine\n")

    def test_a_column_that_a_rule_retires_already(
        self, repository: Repository, capfd: pytest.CaptureFixture[str]
    ) -> None:
        root = repository()
        message = complaint(capfd, "init", "campaign_phases.error_message", "--root", root)
        assert "drop.toml retires public.campaign_phases.error_message already" in message

    def test_another_place(self, repository: Repository, tmp_path: Path) -> None:
        target = tmp_path / "mine.toml"
        assert main(["init", "jobs.id", "--root", str(repository()), "--output", str(target)]) == 0
        assert load_rule(target).targets[0].column == "id"

    def test_without_migrations(self, tmp_path: Path) -> None:
        assert main(["init", "a.b", "--root", str(tmp_path)]) == 0
        assert load_rule(tmp_path / "rules/drop_a_b.toml").targets[0].table == "a"
