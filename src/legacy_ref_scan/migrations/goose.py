"""goose: `-- +goose Up` and `-- +goose Down` in one file, `{version}_{name}.sql`, run in numeric order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from legacy_ref_scan.migrations.history import History, Migration, Read
from legacy_ref_scan.migrations.sections import Sections

_MARK = re.compile(rb"^[ \t]*--[ \t]*\+goose[ \t]+(Up|Down)\b[^\n]*(?:\n|\Z)", re.MULTILINE | re.IGNORECASE)
_NUMBER = re.compile(r"(\d+)_")
_GO_MIGRATION = re.compile(r"\d+_.*(?<!_test)\.go")


def _order(migration: Migration) -> tuple[int, str]:
    return migration.version, migration.name


_SECTIONS = Sections("goose", _MARK, _NUMBER, _order)
recognise = _SECTIONS.recognise


def load(directory: str, paths: Sequence[str], read: Read) -> History:
    """See `Convention.load`. Migrations written in Go are a problem: nobody replays them here."""
    history = _SECTIONS.load(directory, paths, read)
    in_go = [path for path in paths if _GO_MIGRATION.fullmatch(path.rpartition("/")[2])]
    problems = (
        *history.problems,
        *(f"{path} is a migration in Go: what it does to the schema is not known" for path in in_go),
        *_wrong_versions(history.migrations),
    )
    return replace(history, problems=problems)


def _wrong_versions(migrations: Sequence[Migration]) -> tuple[str, ...]:
    """goose refuses a version that is no number from 1, and one that exists twice."""
    unnumbered = [f"{item.path} has no version from 1 in its name" for item in migrations if item.version < 1]
    twice = [
        f"{first.path} and {second.path} have one version"
        for first, second in pairwise(migrations)
        if first.version == second.version >= 1
    ]
    return (*unnumbered, *twice)
