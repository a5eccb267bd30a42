"""What squawk, the linter of migrations, is told about statements whose safety this program has judged itself.

Its rules warn of what may break or block in general (https://squawkhq.com/docs/rules). The column was found unused, and
the migration runs in one transaction under a lock timeout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_RULES = (
    (re.compile(r"\bDROP COLUMN\b"), ("ban-drop-column",)),
    (re.compile(r"\bDROP INDEX\b"), ("require-concurrent-index-deletion",)),
    (re.compile(r"\bcreate\s+(?:unique\s+)?index\b", re.IGNORECASE), ("require-concurrent-index-creation",)),
    (
        re.compile(r"\bADD CONSTRAINT\b"),
        ("constraint-missing-not-valid", "adding-foreign-key-constraint", "disallowed-unique-constraint"),
    ),
)


def linted(statement: str) -> Iterator[str]:
    """The comment that goes before a statement, where there is anything to say."""
    names = [name for pattern, rules in _RULES if pattern.search(statement) for name in rules]
    if names and not statement.startswith("--"):
        yield f"-- squawk-ignore {', '.join(dict.fromkeys(names))}"
