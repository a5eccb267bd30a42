"""Where output goes, and that nothing that goes wrong ends in 0."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from legacy_ref_scan import cli
from legacy_ref_scan.cli import main
from tests.cli.support import READ, Repository, complaint, gating, run


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

        monkeypatch.setattr("legacy_ref_scan.cli.scan.scan", broken)

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
