"""The command line on a small repository: output, exit codes, and what goes wrong around it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click.testing
import pytest

from legacy_ref_scan import __version__, cli
from legacy_ref_scan.cli import app, commands, main
from legacy_ref_scan.rules import load_rule

RULE = """\
[retire]
table = "campaign_phases"
columns = ["error_message"]

[migration]
version = 3
name = "drop_errors"
directory = "migrations"
"""
INIT = "CREATE TABLE campaign_phases (id bigint PRIMARY KEY, error_message text, status text NOT NULL);\n"
UPDATED = 'package store\n\nconst q = "UPDATE campaign_phases SET status = $1"\n'
READ = """package store

import "database/sql"

func read(db *sql.DB) { db.Query("SELECT error_message FROM campaign_phases") }
"""
UNKNOWN = """package store

import "database/sql"

func read(db *sql.DB, column string) { db.Query("SELECT " + column + " FROM campaign_phases") }
"""
UP = "BEGIN;\nALTER TABLE campaign_phases DROP COLUMN IF EXISTS error_message;\nCOMMIT;\n"
DOWN = "BEGIN;\nALTER TABLE campaign_phases ADD COLUMN IF NOT EXISTS error_message TEXT;\nCOMMIT;\n"

Repository = Callable[..., Path]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Makes a repository with a Go file, two migrations and a rule, and what else is given (None: leave out)."""

    def make(go: str = UPDATED, **files: str | bytes | None) -> Path:
        root = tmp_path / "repository"
        wanted: dict[str, str | bytes | None] = {
            "store.go": go,
            "migrations/000001_init.up.sql": INIT,
            "migrations/000001_init.down.sql": "DROP TABLE campaign_phases;\n",
            "migrations/000002_more.up.sql": "CREATE TABLE jobs (id bigint);\n",
            "migrations/000002_more.down.sql": "DROP TABLE jobs;\n",
            "rules/drop.toml": RULE,
            **{name.replace("__", "/"): content for name, content in files.items()},
        }
        for name, content in wanted.items():
            if content is not None:
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return make


def run(*arguments: str | Path, **about: Any) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, its output captured."""
    command = [sys.executable, "-m", "legacy_ref_scan", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, **about)


def gating(shape: dict[str, Any]) -> dict[str, Any]:
    """The only gating reference of a JSON report."""
    (found,) = (item for item in shape["references"] if item["gating"])
    assert isinstance(found, dict)
    return found


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


def complaint(capfd: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """What a run that must end with 2 says on standard error: one line, nothing on standard output."""
    assert main([str(argument) for argument in arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("legacy-ref-scan: ")
    assert err.count("\n") == 1
    return err


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
            pytest.param(
                "broken.go",
                b'package store\n\nfunc ( { "SELECT error_message FROM campaign_phases\n',
                marks=pytest.mark.xfail(reason="a string without its end is taken for identifiers"),
            ),
            ("binary.go", b"\x7fELF\0\0\0error_message campaign_phases"),
            pytest.param(
                "broken.sql",
                b"SELECT error_message FROM WHERE campaign_phases (;\n",
                marks=pytest.mark.xfail(reason="the reserved word WHERE is taken for a table"),
            ),
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


class TestOutput:
    def test_a_file(self, repository: Repository, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        target = tmp_path / "report.json"
        target.write_text("old")
        target.chmod(0o640)
        assert main(["scan", "--root", str(repository()), "--format", "json", "--output", str(target)]) == 0
        assert capfd.readouterr().out == ""
        assert json.loads(target.read_text())["verdict"] == "clean"
        assert target.stat().st_mode & 0o777 == 0o640
        assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["report.json"]

    def test_a_file_that_cannot_be_written(
        self, repository: Repository, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        target = tmp_path / "gone" / "report.txt"
        assert "cannot write" in complaint(capfd, "scan", "--root", repository(), "--output", target)

    def test_a_full_disk_keeps_the_old_report(
        self, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        target = tmp_path / "report.txt"
        target.write_text("old")

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        assert "No space left" in complaint(capfd, "scan", "--root", repository(), "--output", target)
        assert target.read_text() == "old"
        assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["report.txt"]

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_standard_output_on_a_full_disk(self, repository: Repository) -> None:
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "legacy_ref_scan", "scan", "--root", str(repository())],
                check=False, stdout=full, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
        assert done.returncode == 2
        assert "standard output: cannot write: No space left" in done.stderr

    def test_a_reader_that_goes_away_does_not_change_the_verdict(self, repository: Repository) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [sys.executable, "-m", "legacy_ref_scan", "scan", "--root", str(repository(READ))],
            check=False, stdout=writer, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        os.close(writer)
        assert (done.returncode, done.stderr) == (1, "")

    def test_an_encoding_that_lacks_the_characters(self, repository: Repository) -> None:
        root = repository(READ.replace("SELECT", "/* 失敗 */ SELECT"))
        environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
        assert "\\u5931" in run("scan", "--root", root, env=environment).stdout
        done = subprocess.run(
            [sys.executable, "-m", "legacy_ref_scan", "scan", "--root", str(root), "--format", "json"],
            check=False, capture_output=True, env=environment,
        )  # fmt: skip
        assert "失敗" in gating(json.loads(done.stdout))["sql"]

    @pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
    @pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
    def test_colour_and_progress_on_a_terminal_only(
        self, repository: Repository, no_color: str, coloured: bool
    ) -> None:
        import pty

        root = repository(READ)
        shown, terminal = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "legacy_ref_scan", "scan", "--root", str(root)],
            stdout=terminal, stderr=terminal, env={**os.environ, "NO_COLOR": no_color, "TERM": "xterm"},
        ) as process:  # fmt: skip
            os.close(terminal)
            text = read_all(shown)
        assert process.returncode == 1
        assert ("\x1b[31;1merror[read]\x1b[0m" in text) is coloured
        assert "listing files" in text
        assert "\x1b" not in run("scan", "--root", root).stdout


def read_all(descriptor: int) -> str:
    """Everything from a pseudo-terminal until the other side closes it."""
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:
            part = b""
        if not part:
            os.close(descriptor)
            return b"".join(parts).decode()
        parts.append(part)


class TestFailures:
    def fail(self, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
        def broken(**_: Any) -> int:
            raise error

        monkeypatch.setattr(commands, "scan", broken)

    def test_an_internal_error(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.fail(monkeypatch, AssertionError("the ledger does not add up\nat all"))
        monkeypatch.delenv(cli.DEBUG, raising=False)
        assert complaint(capfd, "scan") == (
            "legacy-ref-scan: internal error, nothing was decided: AssertionError: the ledger does not add up "
            "(LEGACY_REF_SCAN_DEBUG=1 shows the traceback)\n"
        )
        monkeypatch.setenv(cli.DEBUG, "1")
        assert main(["scan"]) == 2
        assert "Traceback (most recent call last)" in capfd.readouterr().err

    def test_deep_recursion_and_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for error in (RecursionError(), MemoryError()):
            self.fail(monkeypatch, error)
            assert main(["scan"]) == 2

    def test_an_interruption(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.fail(monkeypatch, KeyboardInterrupt())
        assert main(["scan"]) == 130
        assert capfd.readouterr().err == "\nlegacy-ref-scan: interrupted\n"  # below the ^C of the terminal

    def test_the_process_ends_with_the_code(self, repository: Repository) -> None:
        assert run("scan", "--root", repository(READ)).returncode == 1


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
        assert (rule.migration.version, rule.migration.directory) == (3, "migrations")
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
