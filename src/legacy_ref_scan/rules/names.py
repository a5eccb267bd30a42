"""Names as a rule and the command line write them: dotted, folded and quoted as in SQL."""

from __future__ import annotations

import re

from legacy_ref_scan.model import Target

_IDENTIFIER = re.compile(r'\s*(?:"((?:[^"\0]|"")+)"|([A-Za-z_\u0080-\U0010ffff][\w$]*))\s*')
_LONGEST = 63  # NAMEDATALEN - 1, in bytes


def parse_name(text: str) -> tuple[str, ...]:
    """The parts of a dotted name, folded to lower case unless quoted (PostgreSQL manual, 4.1.1).

    Raises ValueError that says what is wrong.
    """
    parts: list[str] = []
    at = 0
    while True:
        match = _IDENTIFIER.match(text, at)
        if match is None:
            raise ValueError(f'{text!r} is not a PostgreSQL name (quote unusual ones: "my column")')
        quoted, plain = match.groups()
        parts.append(quoted.replace('""', '"') if quoted else _fold(plain))
        if len(parts[-1].encode()) > _LONGEST:
            raise ValueError(f"{parts[-1]!r} is longer than PostgreSQL's {_LONGEST} bytes")
        if match.end() == len(text):
            return tuple(parts)
        if text[match.end()] != ".":
            raise ValueError(f'{text!r} is not a PostgreSQL name (quote unusual ones: "my column")')
        at = match.end() + 1


def quote_name(name: str) -> str:
    """The name as `parse_name` reads it back: quoted where folding would change it."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_$]*", name) else '"' + name.replace('"', '""') + '"'


def default_name(targets: tuple[Target, ...]) -> str:
    """How the migration is called where the rule does not say."""
    last = targets[0].column if len(targets) == 1 else "columns"
    return re.sub(r"[^A-Za-z0-9]+", "_", f"drop_{targets[0].table}_{last}").strip("_").lower()


def _fold(name: str) -> str:
    """PostgreSQL folds ASCII letters only, in a database with a multi-byte encoding."""
    return re.sub("[A-Z]+", lambda match: match.group().lower(), name)
