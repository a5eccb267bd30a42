"""Acknowledgements move findings, never hide them, and speak up when they are unused or expired."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from legacy_ref_scan.acknowledge import acknowledge
from legacy_ref_scan.model import Access, Gap, Reference, Span, Target
from legacy_ref_scan.rules import Acknowledgement, Rule

TARGET = Target("public", "phases", "message")
READ = Reference(
    TARGET, Access.READ, True, Span("internal/legacy/dump.go", 0, 7), "go-sql", "(*Exporter).Dump", "reads it"
)
UNSURE = Gap(Span("internal/legacy/dump.go", 9, 12), "dynamic-sql", "not known", "Dump")
TOMORROW = datetime.now(UTC).date() + timedelta(days=2)


def judged(*entries: Acknowledgement) -> tuple[int, int, int, tuple[str, ...]]:
    rule = Rule("rules/one.toml", (TARGET,), acknowledge=entries)
    result = acknowledge([READ], [UNSURE], [rule], lambda _path, _offset: 1)
    return len(result.references), len(result.gaps), len(result.acknowledged), result.notes


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        (Acknowledgement("internal/legacy/*.go", "", "old"), (0, 0, 2)),
        (Acknowledgement("internal/legacy/*.go", "(*Exporter).Dump", "old"), (0, 1, 1)),
        (Acknowledgement("internal/legacy/*.go", "", "old", access="read"), (0, 1, 1)),
        (Acknowledgement("internal/legacy/*.go", "", "old", access="write"), (1, 1, 0)),
        (Acknowledgement("internal/other/*.go", "", "old"), (1, 1, 0)),
        (Acknowledgement("internal/legacy/*.go", "", "old", expires=TOMORROW), (0, 0, 2)),
        (Acknowledgement("internal/legacy/*.go", "", "old", expires=date(2020, 1, 1)), (1, 1, 0)),
    ],
)
def test_what_an_acknowledgement_covers(entry: Acknowledgement, left: tuple[int, int, int]) -> None:
    assert judged(entry)[:3] == left


def test_an_unused_one_is_reported() -> None:
    (note,) = judged(Acknowledgement("nowhere.go", "", "old", line=7))[3]
    assert note.startswith("rules/one.toml:7:")
    assert "matches nothing" in note


def test_an_expired_one_is_reported() -> None:
    (note,) = judged(Acknowledgement("internal/legacy/*.go", "", "old", expires=date(2020, 1, 1)))[3]
    assert "expired on 2020-01-01" in note
