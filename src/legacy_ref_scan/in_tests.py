"""What counts less in a test: whatever the rule says, and a name alone that nobody could follow.

A use of the column gates in a test as it does elsewhere (`[scan] tests`), and so does a statement that could not be
decided. A name alone is another matter: tests are full of them, and where one does become SQL, the test fails before
anything is released. It is listed and does not gate, unless code that is no test imports the directory it stands in.
What stands in a Go test counts so wherever it goes: no other program holds the name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from legacy_ref_scan.model import Claim, Explanation, Found, Gap, Reference, Residue

WEAK = frozenset(
    {
        "loose-name",
        "fragment-without-table",
        "unreadable-fragment",
        "go-not-interpreted",
        "too-many-texts",
        "unparsed-python",
    }
)
"""The reasons of gaps that no statement over the table stands behind.

A helper of tests that is given too many texts is one: each text with a name is judged where it is written too.
"""


def in_tests(found: Iterable[Found], tests: str, is_released: Callable[[str], bool]) -> list[Found]:
    """The findings as `[scan] tests` ("gate", "warn" or "ignore") wants those in tests.

    `is_released` says of a test's path whether code that is no test uses it too.
    """
    return [_in_test(item, tests, is_released) for item in found]


def _in_test(item: Found, tests: str, is_released: Callable[[str], bool]) -> Found:
    if isinstance(item, Claim | Residue) or not _is_of_test(item):
        return item
    if tests == "gate" and (not _is_weak(item) or is_released(item.span.path)):
        return item
    if tests == "ignore":
        return Claim(item.span, Explanation.OTHER_FILE, "a test, which the rule ignores")
    if isinstance(item, Gap):
        return Residue(item.span, "test", item.message, item.symbol)
    return replace(item, gating=False)


def _is_of_test(item: Gap | Reference) -> bool:
    return item.test or (_is_weak(item) and item.span.path.endswith("_test.go"))


def _is_weak(item: Gap | Reference) -> bool:
    return isinstance(item, Gap) and item.reason in WEAK
