"""What counts less in a test: names that nobody could follow, as long as no released code uses the place."""

from __future__ import annotations

import pytest

from legacy_ref_scan.in_tests import in_tests
from legacy_ref_scan.model import Gap, Residue, Span

PLACE = Span("internal/harness/db.go", 10, 20)


def judged(reason: str, released: bool = False, test: bool = True, place: Span = PLACE) -> type:
    (item,) = in_tests([Gap(place, reason, "a message", test=test)], "gate", lambda _: released)
    return type(item)


@pytest.mark.parametrize("reason", ["loose-name", "too-many-texts"])
def test_a_name_alone_in_a_test_is_listed(reason: str) -> None:
    assert judged(reason) is Residue
    assert judged(reason, released=True) is Gap
    assert judged(reason, test=False) is Gap


def test_a_name_that_a_go_test_hands_to_other_code() -> None:
    place = Span("internal/db_test.go", 10, 20)
    assert judged("loose-name", test=False, place=place) is Residue
    assert judged("dynamic-column", test=False, place=place) is Gap


def test_a_statement_that_could_not_be_decided_gates_in_a_test_too() -> None:
    assert judged("dynamic-column") is Gap
