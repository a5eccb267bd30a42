"""What a rule says of kinds of files decides whether they gate, are listed, or are not read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from legacy_ref_scan.model import Report, ScanError, Verdict
from legacy_ref_scan.rules import Others, adhoc_rule
from legacy_ref_scan.scan import Request, scan

FILES = {
    "a.rb": "CampaignPhase.pluck(:error_message)\n",
    "b.ts": "interface A { campaign_phases: { error_message: string } }\n",
    "c.md": "SELECT error_message FROM campaign_phases;\n",
}


def report(root: Path, *others: Others) -> Report:
    for name, text in FILES.items():
        (root / name).write_text(text)
    rules = tuple(replace(adhoc_rule(["campaign_phases.error_message"]), others=one) for one in others)
    return scan(Request(root=root, rules=rules)).report


def gating(found: Report) -> list[str]:
    return sorted({*(use.span.path for use in found.references), *(gap.span.path for gap in found.gaps)})


def kinds(**groups: str) -> Others:
    return Others(**{group: frozenset(kinds.split()) for group, kinds in groups.items()})


def test_by_default_programs_gate_and_prose_does_not(tmp_path: Path) -> None:
    assert gating(report(tmp_path, Others())) == ["a.rb"]


def test_a_kind_that_gates(tmp_path: Path) -> None:
    assert gating(report(tmp_path, kinds(gate="documentation javascript"))) == ["a.rb", "b.ts", "c.md"]


def test_a_kind_that_is_listed(tmp_path: Path) -> None:
    found = report(tmp_path, kinds(gate="documentation", listed="ruby"))
    assert gating(found) == ["c.md"]
    assert {mention.span.path for mention, _ in found.mentions} == set(FILES)


def test_a_kind_that_is_not_read_is_counted(tmp_path: Path) -> None:
    found = report(tmp_path, kinds(ignored="ruby documentation"))
    assert found.verdict is Verdict.CLEAN
    assert found.skipped == {"of a kind that the rule ignores": 2}


def test_of_two_rules_the_stricter_one_counts(tmp_path: Path) -> None:
    assert gating(report(tmp_path, kinds(ignored="ruby"), kinds(listed="ruby"))) == []
    assert gating(report(tmp_path, kinds(ignored="ruby"), Others())) == ["a.rb"]
    assert gating(report(tmp_path, kinds(listed="ruby"), kinds(gate="documentation"))) == ["a.rb", "c.md"]


def test_where_no_program_is_read_there_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="nothing to scan"):
        report(tmp_path, kinds(listed="ruby javascript"))
