"""dbmate: `-- migrate:up` and `-- migrate:down` in one file, `{version}{name}.sql`, run in the order of the names.

The rules are those of its `pkg/dbmate/migration.go` (marks) and `pkg/dbmate/db.go` (files and their order).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from legacy_ref_scan.migrations.history import History, Migration, Problem, Read, problem, same_version
from legacy_ref_scan.migrations.sections import Sections

# Options follow a mark: `-- migrate:up transaction:false`.
_MARK = re.compile(rb"^--[ \t]*migrate:(up|down)(?=\s|\Z)[^\n]*(?:\n|\Z)", re.MULTILINE)
_NUMBER = re.compile(r"(\d+)")


def _order(migration: Migration) -> str:
    """By file name as text: 10_b.sql runs before 9_a.sql."""
    return migration.path.rpartition("/")[2]


_SECTIONS = Sections("dbmate", _MARK, _NUMBER, _order)


def recognise(paths: Sequence[str], read: Read) -> int:
    """See `Convention.recognise`."""
    return _SECTIONS.recognise(_numbered(paths), read)


def load(directory: str, paths: Sequence[str], read: Read) -> History:
    """See `Convention.load`. Other files than numbered ones, as the schema that dbmate dumps, are no migrations."""
    chosen = _numbered(paths)
    history = _SECTIONS.load(directory, chosen, read)
    others = sorted(path for path in paths if path.endswith(".sql") and path not in chosen)
    notes = (f"names that dbmate does not read: {', '.join(others)}",) if others else ()
    no_up = (
        problem("migration-without-mark", f"{item.path} has no up part, which dbmate refuses", item.path)
        for item in history.migrations
        if not item.up
    )
    return replace(history, problems=(*history.problems, *no_up, *_twice(history.migrations)), notes=notes)


def _numbered(paths: Iterable[str]) -> list[str]:
    return [path for path in paths if path.endswith(".sql") and _NUMBER.match(path.rpartition("/")[2])]


def _twice(migrations: Sequence[Migration]) -> Iterable[Problem]:
    """Versions are a primary key, as text: the second migration of one cannot be recorded."""
    versions = {item.path: item.name[: len(item.name) - len(item.name.lstrip("0123456789"))] for item in migrations}
    pairs = pairwise(sorted(migrations, key=lambda item: (versions[item.path], item.path)))
    return (
        same_version(first.path, second.path)
        for first, second in pairs
        if versions[first.path] == versions[second.path]
    )
