"""What counts less in a test: whatever the rule says, and a name alone that nobody could follow.

A use of the column gates in a test as it does elsewhere (`[scan] tests`), and so does a statement that could not be
decided. A name alone is another matter: tests are full of them, and where one does become SQL, the test fails before
anything is released. It is listed and does not gate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from legacy_ref_scan.model import Claim, Explanation, Found, Gap, Reference, Residue

WEAK = frozenset({"loose-name", "fragment-without-table", "unreadable-fragment", "go-not-interpreted"})
"""The reasons of gaps that no statement over the table stands behind."""


def in_tests(found: Iterable[Found], tests: str) -> list[Found]:
    """The findings as `[scan] tests` ("gate", "warn" or "ignore") wants those in tests."""
    return [_in_test(item, tests) for item in found]


def _in_test(item: Found, tests: str) -> Found:
    if isinstance(item, Claim | Residue) or not item.test or (tests == "gate" and not _is_weak(item)):
        return item
    if tests == "ignore":
        return Claim(item.span, Explanation.OTHER_FILE, "a test, which the rule ignores")
    if isinstance(item, Gap):
        return Residue(item.span, "test", item.message, item.symbol)
    return replace(item, gating=False)


def _is_weak(item: Gap | Reference) -> bool:
    return isinstance(item, Gap) and item.reason in WEAK
