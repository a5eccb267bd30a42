"""What squawk, the linter of migrations, is told about statements whose safety this program has judged itself.

Its rules warn of what may break or block in general (https://squawkhq.com/docs/rules). The column was found unused, the
migration runs in one transaction under a lock timeout, and the way back brings types and defaults as they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_RULES = (
    (re.compile(r"\bDROP COLUMN\b"), ("ban-drop-column",)),
    (re.compile(r"\bDROP CONSTRAINT\b"), ("ban-drop-constraint",)),
    (re.compile(r"\bDROP INDEX\b"), ("require-concurrent-index-deletion",)),
    (re.compile(r"\bcreate\s+(?:unique\s+)?index\b", re.IGNORECASE), ("require-concurrent-index-creation",)),
    (
        re.compile(r"\bADD CONSTRAINT\b|\bALTER TABLE\b.*\badd\b", re.IGNORECASE | re.DOTALL),
        ("adding-foreign-key-constraint", "constraint-missing-not-valid", "disallowed-unique-constraint"),
    ),
    (
        re.compile(r"\bADD COLUMN\b"),
        (
            "adding-field-with-default",
            "adding-required-field",
            "adding-serial-primary-key-field",
            "ban-char-field",
            "prefer-bigint-over-int",
            "prefer-bigint-over-smallint",
            "prefer-identity",
            "prefer-text-field",
            "prefer-timestamptz",
        ),
    ),
)


def linted(statements: Iterable[str]) -> list[str]:
    """The comment that goes to the top of a file with these statements; none where there is nothing to say."""
    text = "\n".join(statements)
    names = sorted({name for pattern, rules in _RULES if pattern.search(text) for name in rules})
    return [f"-- squawk-ignore-file {', '.join(names)}"] if names else []
