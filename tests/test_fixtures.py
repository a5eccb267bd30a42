"""Every fixture repository is scanned and compared with what its files expect, strictly both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from legacy_ref_scan.model import Report, Verdict
from legacy_ref_scan.rules import adhoc_rule, find_rules, load_rule
from legacy_ref_scan.scan import Request, scan
from tests.expectations import Expectations, fixtures, read_expectations, target_of

ACCESSES = {"read", "write", "star", "depend"}


def scan_fixture(fixture: Path) -> Report:
    found = find_rules(fixture)
    rules = tuple(load_rule(path) for path in found) or (adhoc_rule([target_of(fixture)]),)
    return scan(Request(root=fixture, rules=rules)).report


def expected_verdict(expectations: Expectations) -> Verdict:
    accesses = {finding.access for finding in expectations.wanted}
    if accesses & ACCESSES:
        return Verdict.REFERENCED
    return Verdict.UNKNOWN if "gap" in accesses else Verdict.CLEAN


def check(fixture: Path) -> None:
    expectations = read_expectations(fixture)
    report = scan_fixture(fixture)
    differences = expectations.differences(report)
    assert not differences, "\n".join(["", *differences])
    assert report.verdict is expected_verdict(expectations)
    assert sum(report.ledger.values()) == len(report.mentions)


@pytest.mark.parametrize("fixture", fixtures("domainflow"), ids=lambda path: path.name)
def test_domainflow(fixture: Path) -> None:
    check(fixture)


@pytest.mark.parametrize("fixture", fixtures("hard"), ids=lambda path: path.name)
def test_hard_case(fixture: Path) -> None:
    check(fixture)


@pytest.mark.parametrize(("name", "verdict"), [("before", "referenced"), ("between", "referenced"), ("after", "clean")])
def test_the_expectations_of_domainflow_are_what_its_names_say(name: str, verdict: str) -> None:
    fixture = next(path for path in fixtures("domainflow") if path.name == name)
    expectations = read_expectations(fixture)
    assert expected_verdict(expectations) == verdict
    in_go = [finding for finding in expectations.wanted if finding.path.endswith(".go")]
    assert bool(in_go) == (name == "before")


def test_every_hard_case_of_sql_schema_and_go_has_a_fixture() -> None:
    rows = {int(path.name.split("_")[0]) for path in fixtures("hard")}
    assert rows == set(range(1, 44))
