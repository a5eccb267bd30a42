"""`--also-rev`: the code of a release that still runs, against the schema of today."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from legacy_ref_scan.cli import main
from legacy_ref_scan.languages import Project, extract
from legacy_ref_scan.model import Extracted, Found, Fragment, Report
from legacy_ref_scan.released import with_released
from legacy_ref_scan.rules import adhoc_rule
from legacy_ref_scan.scan import Request, scan
from legacy_ref_scan.sql.analyze import analyze
from legacy_ref_scan.sql.findings import Schema
from tests.cli.support import INIT, READ, RULE, UPDATED
from tests.histories import commit, start

FUNCTION = """CREATE FUNCTION fail() RETURNS void LANGUAGE plpgsql AS $$
BEGIN UPDATE campaign_phases SET error_message = 'x'; END $$;
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """v1 reads the column in Go and has a function that writes it; now nothing does."""
    root = start(tmp_path / "repository")
    first: dict[str, str | None] = {"migrations/000001_init.up.sql": INIT + FUNCTION, "app.py": "x = 1\n"}
    commit(root, {**first, "store.go": READ}, "v1")
    commit(root, {"store.go": UPDATED, "migrations/000002_more.up.sql": "DROP FUNCTION fail();\n"}, "v2")
    commit(root, {"rules/drop.toml": RULE, "README": "of today\n"})
    return root


def released(root: Path, *revisions: str) -> Report:
    request = Request(root=root, rules=(adhoc_rule(["campaign_phases.error_message"]),), remember=True)
    return with_released(request, scan(request), revisions)


def test_each_revision_has_a_report_and_the_worst_verdict_counts(root: Path) -> None:
    report = released(root, "v1", "v2", "v1")
    assert report.verdict.value == "clean"
    assert [(name, other.verdict.value) for name, other in report.released] == [("v1", "referenced"), ("v2", "clean")]
    assert report.worst.value == "referenced"


def test_the_schema_is_that_of_today(root: Path) -> None:
    """The function of v1 is gone by the time the column goes."""
    ((_, old),) = released(root, "v1").released
    assert {item.span.path for item in old.references if item.gating} == {"store.go"}


def test_a_report_does_not_depend_on_what_was_taken_over(root: Path) -> None:
    for revision in ("v1", "v2"):
        ((_, taken),) = released(root, revision).released
        request = Request(
            root=root,
            rules=(adhoc_rule(["campaign_phases.error_message"]),),
            revision=revision,
            migrations="migrations",
        )
        code = {(r.span, r.access) for r in scan(request).report.references if r.span.path == "store.go"}
        assert {(r.span, r.access) for r in taken.references if r.span.path == "store.go"} == code


def test_the_search_path_of_a_revision_is_its_own(tmp_path: Path) -> None:
    """A bare name is the target where the sessions of that release look into its schema first."""
    root = start(tmp_path / "repository")
    schemas = f"CREATE SCHEMA app;\n{INIT}{INIT.replace('TABLE ', 'TABLE app.')}"
    files = {"migrations/000001_init.up.sql": schemas, "store.go": READ}
    commit(root, {**files, "config.yaml": "dsn: postgres://localhost/db?search_path=app\n"}, "v1")
    commit(root, {"config.yaml": "dsn: postgres://localhost/db\n"})
    request = Request(root=root, rules=(adhoc_rule(["app.campaign_phases.error_message"]),), remember=True)
    report = with_released(request, scan(request), ("v1",))
    assert report.verdict.value == "clean"
    assert report.worst.value == "referenced"


def test_a_language_without_a_changed_file_is_analysed_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    analysed: list[str] = []

    def counting(language: str, project: Project) -> Iterator[Extracted]:
        analysed.append(language)
        return extract(language, project)

    monkeypatch.setattr("legacy_ref_scan.scan.extract", counting)
    released(root, "v2")
    assert analysed.count("go") == 1
    analysed.clear()
    released(root, "v1")
    assert analysed.count("go") == 2


def test_a_text_that_two_revisions_have_is_analysed_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = "package store\n\nconst Kept = `SELECT id FROM campaign_phases`\n"
    commit(root, {"kept.go": kept}, "v3")
    commit(root, {"store.go": UPDATED + "\n// changed\n"})
    analysed: list[str] = []

    def counting(fragment: Fragment, schema: Schema) -> Iterator[Found]:
        analysed.append(fragment.site.path)
        return analyze(fragment, schema)

    monkeypatch.setattr("legacy_ref_scan.sql.alternatives.analyze", counting)
    released(root, "v3")
    once = analysed.count("kept.go")
    assert once > 0
    released(root)
    assert analysed.count("kept.go") == 2 * once


def test_the_command_line(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    given = ["scan", "--root", str(root)]
    assert main(given) == 0
    capfd.readouterr()
    assert main([*given, "--also-rev", "v2"]) == 0
    assert main([*given, "--also-rev", "v2", "--also-rev", "v1"]) == 1
    out = capfd.readouterr().out
    assert "the code of v1, which runs while the migration does:" in out
    assert "may: see below" in out
    assert main([*given, "--also-rev", "v1", "--format", "json"]) == 1
    shape = json.loads(capfd.readouterr().out)
    assert (shape["verdict"], shape["released"][0]["verdict"]) == ("clean", "referenced")
    assert main([*given, "--also-rev", "nowhere"]) == 2


def test_no_migration_while_the_release_reads_the_column(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    given = ["generate-migration", "--root", str(root)]
    assert main([*given, "--also-rev", "v1"]) == 1
    assert "refused: the verdict for the code of v1 is referenced: 1 reference, 0 gaps" in capfd.readouterr().err
    assert main([*given, "--also-rev", "v2", "--check"]) == 0
