"""A survey gives every column the verdict that a scan for it alone gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from legacy_ref_scan import survey
from legacy_ref_scan.cli import main
from legacy_ref_scan.model import Verdict
from legacy_ref_scan.retirable import Retirable, retirable
from legacy_ref_scan.rules import Rule
from legacy_ref_scan.scan import Request, scan
from tests.expectations import fixtures


def survey_of(root: Path, *tables: str) -> Retirable:
    return retirable(Request(root=root, rules=(), migrations=_migrations(root)), tables)


def _migrations(root: Path) -> str:
    return "database/migrations" if (root / "database/migrations").is_dir() else "migrations"


def verdict_alone(root: Path, found: survey.Judgement) -> Verdict:
    rule = Rule("alone", (found.target,))
    return scan(Request(root=root, rules=(rule,), migrations=_migrations(root))).report.verdict


@pytest.mark.parametrize("fixture", fixtures("hard"), ids=lambda path: path.name)
def test_hard_cases(fixture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "FEW", 0)
    found = survey_of(fixture)
    for item in found.candidates:
        assert item.judgement.verdict is verdict_alone(fixture, item.judgement), item.judgement.target


def test_domainflow() -> None:
    (fixture,) = (path for path in fixtures("domainflow") if path.name == "before")
    found = survey_of(fixture, "campaign_phases", "phase_executions", "campaign_jobs")
    assert {item.judgement.complete for item in found.candidates} == {True, False}
    for item in found.candidates:
        assert item.judgement.verdict is verdict_alone(fixture, item.judgement), item.judgement.target


class TestRetirable:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        (tmp_path / "migrations").mkdir()
        (tmp_path / "migrations/000001_a.up.sql").write_text(
            "CREATE TABLE t (id bigserial, used text, open text, free text); CREATE TABLE u (x int);\n"
        )
        (tmp_path / "q.sql").write_text("SELECT used, id FROM t;\n")
        (tmp_path / "s.go").write_text(
            'package s\n\nfunc f(db *sql.DB, x string) { db.Query("SELECT " + x + " FROM u") }\n'
        )
        return tmp_path

    def test_what_nothing_uses_comes_first(self, root: Path, capfd: pytest.CaptureFixture[str]) -> None:
        assert main(["retirable", "--root", str(root)]) == 0
        lines = capfd.readouterr().out.splitlines()
        assert [line.split()[:2] for line in lines[:5]] == [
            ["clean", "public.t.free"],
            ["clean", "public.t.open"],
            ["unknown", "public.u.x"],
            ["referenced", "public.t.id"],
            ["referenced", "public.t.used"],
        ]
        assert lines[-1] == "5 columns: 2 that nothing uses, 1 unknown, 2 referenced"

    def test_options(self, root: Path, capfd: pytest.CaptureFixture[str]) -> None:
        assert main(["retirable", "--root", str(root), "--table", "t", "--limit", "1"]) == 0
        out = capfd.readouterr().out
        assert "… and 3 more" in out
        assert "4 columns: 2 that nothing uses" in out
        assert main(["retirable", "--root", str(root), "--format", "json", "--limit", "2"]) == 0
        assert capfd.readouterr().out.count('"column"') == 2
        assert main(["retirable", "--root", str(root), "--table", "nowhere"]) == 2
        assert main(["retirable", "--root", str(root), "--limit", "0"]) == 2
