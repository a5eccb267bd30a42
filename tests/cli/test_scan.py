"""`scan`: verdicts, scopes, bad input."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import click.testing
import pytest

from legacy_ref_scan import __version__
from legacy_ref_scan.cli import app, main
from tests.cli.support import READ, RULE, UNKNOWN, UPDATED, Repository, complaint, gating


class TestStart:
    def test_version(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--version"]) == 0
        assert capsys.readouterr().out == f"legacy-ref-scan {__version__}\n"

    def test_nothing_heavy_is_imported_for_help(self) -> None:
        program = (
            "import sys; from legacy_ref_scan.cli import main; main(['scan', '--help']); "
            "print(sorted({name.partition('.')[0] for name in sys.modules} & set(sys.argv[1:])))"
        )
        heavy = ["rich", "tree_sitter", "sqlglot", "libcst", "pathspec", "tomllib", "hashlib", "asyncio"]
        done = subprocess.run([sys.executable, "-c", program, *heavy], check=True, capture_output=True, text=True)
        assert "--accounting" in done.stdout
        assert done.stdout.splitlines()[-1] == "[]"

    def test_every_command_has_help(self) -> None:
        for name in app.commands:
            result = click.testing.CliRunner().invoke(app, [name, "--help"])
            assert result.exit_code == 0
            assert "--root" in result.output

    @pytest.mark.parametrize(
        "arguments", [[], ["scam"], ["scan", "--colour"], ["scan", "--format", "xml"], ["init"], ["schema", "a", "b"]]
    )
    def test_usage_errors(self, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(arguments) == 2
        assert "Usage: legacy-ref-scan" in capsys.readouterr().err


class TestScan:
    def test_clean(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        assert main(["scan", "--root", str(repository())]) == 0
        out, err = capfd.readouterr()
        assert out.splitlines()[-1].startswith("verdict: clean: nothing uses public.campaign_phases.error_message")
        assert err == ""

    def test_referenced(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        assert main(["scan", "--root", str(repository(READ))]) == 1
        out = capfd.readouterr().out
        assert "error[read]" in out
        assert "--> store.go:5:42 in read\n" in out
        assert "verdict: referenced: 1 reference" in out

    def test_unknown(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        assert main(["scan", "--root", str(repository(UNKNOWN))]) == 3
        assert "verdict: unknown: 1 gap" in capfd.readouterr().out

    def test_json(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        assert main(["scan", "--root", str(repository(READ)), "--format", "json", "--accounting"]) == 1
        shape = json.loads(capfd.readouterr().out)
        assert (shape["verdict"], gating(shape)["symbol"]) == ("referenced", "read")
        assert len(shape["mentions"]) == shape["ledger"]["mentions"] > 0

    def test_a_column_without_a_rule(self, repository: Repository) -> None:
        root = repository(READ, rules__drop=None)
        shutil.rmtree(root / "rules")
        assert main(["scan", "--root", str(root), "--column", "campaign_phases.error_message"]) == 1
        assert main(["scan", "--root", str(root), "--column", "public.jobs.id"]) == 0

    def test_the_index_and_revisions(self, repository: Repository) -> None:
        root = repository(READ)
        git = ["git", "-C", str(root), "-c", "user.name=t", "-c", "user.email=t@example.org"]
        for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"]):
            subprocess.run([*git, *arguments], check=True)
        (root / "store.go").write_text(UPDATED)
        assert main(["scan", "--root", str(root)]) == 0
        assert main(["scan", "--root", str(root), "--staged"]) == 1
        subprocess.run([*git, "add", "-A"], check=True)
        assert main(["scan", "--root", str(root), "--staged"]) == 0
        assert main(["scan", "--root", str(root), "--rev", "HEAD"]) == 1
        assert main(["scan", "--root", str(root), "--rev", "HEAD", "--staged"]) == 2
        assert main(["scan", "--root", str(root), "--rev", "nowhere"]) == 2

    def test_paths_are_found_from_the_root_and_from_here(
        self, repository: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root = repository(READ, other__fine_go="")
        (root / "other" / "fine.go").write_text(UPDATED)
        assert main(["scan", "--root", str(root), "other"]) == 0
        assert main(["scan", "--root", str(root), "store.go"]) == 1
        monkeypatch.chdir(root / "other")
        assert main(["scan", "--root", "..", "fine.go"]) == 0
        assert main(["scan", "--root", "..", "nothing.go"]) == 2


class TestBadInput:
    def test_an_empty_directory(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        assert "legacy-ref-scan init TABLE.COLUMN" in complaint(capfd, "scan", "--root", tmp_path)
        assert "nothing to scan" in complaint(capfd, "scan", "--root", tmp_path, "--column", "a.b")

    def test_a_root_that_is_not_there(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        assert "not a directory" in complaint(capfd, "scan", "--root", tmp_path / "gone")

    def test_rule_and_column(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        root = repository()
        given = ("scan", "--root", root, "--rule", "rules/drop.toml", "--column", "a.b")
        assert "exclude each other" in complaint(capfd, *given)

    @pytest.mark.parametrize(
        ("rule", "message"),
        [("[retire", "not valid TOML"), (RULE + "nmae = 'x'\n", "drop.toml:9: unknown key 'nmae'"), ("", "[retire]")],
    )
    def test_a_broken_rule(
        self, repository: Repository, capfd: pytest.CaptureFixture[str], rule: str, message: str
    ) -> None:
        root = repository()
        (root / "rules/drop.toml").write_text(rule)
        assert message in complaint(capfd, "scan", "--root", root)

    def test_a_rule_that_is_not_there(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        assert "cannot read the rule" in complaint(capfd, "scan", "--root", repository(), "--rule", "gone.toml")

    def test_a_column_that_is_none(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        assert "TABLE.COLUMN" in complaint(capfd, "scan", "--root", repository(), "--column", "error_message")

    def test_migrations_that_are_not_there(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        assert "gone" in complaint(capfd, "scan", "--root", repository(), "--migrations", "gone")

    def test_no_migrations_is_never_clean(self, repository: Repository) -> None:
        root = repository(READ)
        shutil.rmtree(root / "migrations")
        rule = ("--column", "campaign_phases.error_message")
        assert main(["scan", "--root", str(root), *rule]) in (1, 3)

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("broken.go", b'package store\n\nfunc ( { "SELECT error_message FROM campaign_phases\n'),
            ("binary.go", b"\x7fELF\0\0\0error_message campaign_phases"),
            ("broken.sql", b"SELECT error_message FROM WHERE campaign_phases (;\n"),
            ("half.sql", b"SELECT error_message FROM campaign_phases WHERE (;\n"),
            ("half.go", b'package store\n\nconst q = "SELECT error_message FROM campaign_phases"\n\nfunc ( {\n'),
            ("migrations/000002_more.up.sql", b"ALTER TABEL campaign_phases RENAME error_message;\n"),
        ],
    )
    def test_what_cannot_be_read_is_never_clean(self, repository: Repository, name: str, content: bytes) -> None:
        root = repository()
        shutil.rmtree(root / "rules")
        given = ["scan", "--root", str(root), "--column", "campaign_phases.error_message"]
        assert main(given) == 0
        (root / name).write_bytes(content)
        assert main(given) in (1, 3)
