"""`plan`: boxes ticked by evidence, people's text left alone."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from legacy_ref_scan.cli import main
from tests.cli.support import INIT, READ, RULE, UPDATED, Repository
from tests.histories import commit, git, start

PLAN = "migrations/drop.plan.md"
TARGET = "public.campaign_phases.error_message"


def run(root: Path, *options: str) -> str:
    """Write the plan; its text."""
    assert main(["plan", "--root", str(root), *options]) == 0
    return (root / PLAN).read_text()


def box(text: str, name: str) -> str:
    (line,) = (line for line in text.splitlines() if f"<!-- box:{name}" in line)
    return line


def protocol(path: Path, command: str, result: str = "pass", **about: Any) -> str:
    checks = [
        {"id": f"values:{TARGET}", "result": result, "reason": "", "required": True, "figures": {"rows": 12}},
        {"id": "backup", "result": "not possible", "reason": "no archive", "required": False, "figures": {}},
    ]
    shape = {
        "version": 1, "command": command, "subject": "db.example:5432/app", "targets": [TARGET],
        "started": "2026-01-02T03:04:05+00:00", "exit_code": 0 if result == "pass" else 4, "checks": checks, **about,
    }  # fmt: skip
    path.write_text(json.dumps(shape))
    return str(path)


def test_boxes_are_ticked_by_what_was_found(repository: Repository) -> None:
    root = repository()
    text = run(root)
    assert text.startswith(f"# Retirement of {TARGET}\n")
    assert box(text, "code").startswith("- [x] No code uses the columns: `legacy-ref-scan scan`: clean; ")
    assert box(text, "migration").startswith("- [ ]")
    assert "ALTER TABLE campaign_phases DROP COLUMN IF EXISTS error_message;" in text
    assert main(["generate-migration", "--root", str(root)]) == 0
    assert box(run(root), "migration").startswith("- [x]")


def test_what_stands_in_the_way_is_said(repository: Repository) -> None:
    text = run(repository(READ))
    assert "referenced; " in box(text, "code")
    assert "the first at store.go:5: reads" in box(text, "code")
    assert "refuses: the verdict is referenced" in box(text, "migration")
    assert "There is none yet" in text


def test_a_second_run_changes_nothing(repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
    root = repository()
    first = run(root)
    stat = os.stat(root / PLAN)
    assert run(root) == first
    assert os.stat(root / PLAN).st_ino == stat.st_ino
    assert "unchanged: " in capfd.readouterr().out


def test_the_plan_is_no_use_of_the_column(repository: Repository) -> None:
    root = repository()
    run(root)
    assert main(["scan", "--root", str(root)]) == 0


def test_people_write_between_the_marks(repository: Repository) -> None:
    root = repository(READ)
    text = run(root)
    mine = text.replace("## Context\n", "## Context\n\nAsked for by the team.\n")
    mine = mine.replace("<!-- box:code -->\n", "<!-- box:code -->\n  - [x] told everybody\n").replace(
        "Applied to staging on … by …", "Applied to staging on Monday"
    )
    (root / PLAN).write_text(mine.replace("refuses: the verdict", "something else"))
    (root / "store.go").write_text(UPDATED)
    after = run(root)
    for kept in ("Asked for by the team.", "  - [x] told everybody", "Applied to staging on Monday"):
        assert kept in after
    assert box(after, "code").startswith("- [x]")
    assert after.index("told everybody") > after.index("box:code")
    assert "There is none yet" not in after
    assert "something else" not in after


def test_a_box_that_was_taken_out_comes_back_and_a_block_does_not(repository: Repository) -> None:
    root = repository()
    text = run(root)
    block = text[text.index("<!-- begin:steps -->") : text.index("<!-- end:steps -->") + len("<!-- end:steps -->")]
    (root / PLAN).write_text(text.replace(box(text, "verify-backup") + "\n", "").replace(block, "ours"))
    after = run(root)
    assert box(after, "verify-backup") == box(text, "verify-backup")
    assert "begin:steps" not in after


def test_evidence(repository: Repository, tmp_path: Path) -> None:
    root = repository()
    verified = protocol(tmp_path / "verify.json", "verify")
    text = run(root, "--evidence", verified, "--evidence", protocol(tmp_path / "r.json", "rehearse"))
    line = box(text, "verify-values")
    assert line.startswith("- [x] No row holds a value any more: `verify` on db.example:5432/app, verify.json: values:")
    assert "rows 12 (2026-01-02T03:04:05+00:00)" in line
    assert "no archive" in box(text, "verify-backup")
    assert box(text, "verify-backup").startswith("- [ ]")
    assert box(text, "rehearsed").startswith("- [x]")
    assert run(root) == text  # kept without the files
    failed = run(root, "--evidence", protocol(tmp_path / "verify.json", "verify", "fail"))
    assert box(failed, "verify-values").startswith("- [ ]")


def test_a_rehearsal_is_of_one_migration(repository: Repository, tmp_path: Path) -> None:
    root = repository()
    assert box(run(root, "--evidence", protocol(tmp_path / "r.json", "rehearse")), "rehearsed").startswith("- [x]")
    (root / "rules/drop.toml").write_text(RULE + 'lock_timeout = "5s"\n')
    assert box(run(root), "rehearsed").startswith("- [ ]")


def test_evidence_about_something_else(repository: Repository, tmp_path: Path) -> None:
    other = protocol(tmp_path / "verify.json", "verify", targets=["public.other.column"])
    assert box(run(repository(), "--evidence", other), "verify-values").startswith("- [ ]")


def test_a_tick_by_hand_is_for_what_was_accepted(repository: Repository) -> None:
    acknowledged = RULE + '\n[[acknowledge]]\npath = "store.go"\nreason = "{}"\n'
    root = repository(READ, **{"rules__drop.toml": acknowledged.format("dead code")})
    text = run(root)
    line = box(text, "acknowledged")
    assert line.startswith("- [ ] What was acknowledged is still right: store.go: dead code")
    (root / PLAN).write_text(text.replace(line, line.replace("[ ]", "[x]", 1)))
    assert box(run(root), "acknowledged").startswith("- [x]")
    (root / "rules/drop.toml").write_text(acknowledged.format("another reason"))
    assert box(run(root), "acknowledged").startswith("- [ ]")


def test_check(repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
    root = repository()
    given = ["plan", "--root", str(root), "--check"]
    assert main(given) == 3
    assert not (root / PLAN).exists()
    text = run(root)
    assert main(given) == 3
    (root / PLAN).write_text(text.replace("- [ ]", "- [x]"))
    assert main(["generate-migration", "--root", str(root)]) == 0
    run(root)
    assert main(given) == 0


def test_released_revisions(tmp_path: Path) -> None:
    root = start(tmp_path / "repository")
    files: dict[str, str | None] = {"migrations/000001_init.up.sql": INIT, "migrations/000002_x.up.sql": "SELECT 1;\n"}
    commit(root, {**files, "store.go": READ, "rules/drop.toml": RULE}, "v1")
    commit(root, {"store.go": UPDATED}, "v2")
    assert git(root, "tag") == "v1\nv2"
    text = run(root, "--also-rev", "v1", "--also-rev", "v2")
    lines = [line for line in text.splitlines() if "box:released" in line]
    assert [line[:5] for line in lines] == ["- [ ]", "- [x]"]
    assert run(root, "--also-rev", "v1", "--also-rev", "v2") == text
    one = run(root, "--also-rev", "v2")
    assert box(one, "released").startswith("- [x]")


@pytest.mark.parametrize("content", ["{}", "[]", "no json", '{"command": "scan"}'])
def test_no_evidence(repository: Repository, tmp_path: Path, content: str, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "e.json").write_text(content)
    assert main(["plan", "--root", str(repository()), "--evidence", str(tmp_path / "e.json")]) == 2
    assert "not a protocol" in capfd.readouterr().err


def test_another_document_is_not_overwritten(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# Notes\n")
    assert main(["plan", "--root", str(repository()), "--output", str(tmp_path / "notes.md")]) == 2
    assert (tmp_path / "notes.md").read_text() == "# Notes\n"
