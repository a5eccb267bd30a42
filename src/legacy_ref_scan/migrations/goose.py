"""goose: `-- +goose Up` and `-- +goose Down` in one file, `{version}_{name}.sql`, run in numeric order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from legacy_ref_scan.migrations.history import History, Migration, Problem, Read, in_code, problem, same_version
from legacy_ref_scan.migrations.sections import Sections
from legacy_ref_scan.migrations.templates import Template
from legacy_ref_scan.versions import Version

_MARK = re.compile(rb"^[ \t]*--[ \t]*\+goose[ \t]+(Up|Down)\b[^\n]*(?:\n|\Z)", re.MULTILINE | re.IGNORECASE)
_NUMBER = re.compile(r"(\d+)_")
_GO_MIGRATION = re.compile(r"\d+_.*(?<!_test)\.go")


# Between `-- +goose ENVSUB ON` and OFF it fills in variables of the environment.
_ENVSUB = re.compile(rb"^[ \t]*--[ \t]*\+goose[ \t]+ENVSUB[ \t]+ON\b", re.MULTILINE | re.IGNORECASE)
_VARIABLES = Template("goose", b"$", rb"\$\{[^}]*\}|\$[A-Za-z_]\w*(?![\w$])")


def _order(migration: Migration) -> tuple[Version, str]:
    return migration.version, migration.name


_SECTIONS = Sections("goose", _MARK, _NUMBER, _order)
recognise = _SECTIONS.recognise


def load(directory: str, paths: Sequence[str], read: Read) -> History:
    """See `Convention.load`. Migrations written in Go are a problem: nobody replays them here."""
    history = _SECTIONS.load(directory, paths, read)
    in_go = [path for path in paths if _GO_MIGRATION.fullmatch(path.rpartition("/")[2])]
    problems = (
        *history.problems,
        *(in_code(path) for path in in_go),
        *_wrong_versions(history.migrations),
        *_variables(history.migrations),
    )
    return replace(history, problems=problems, programs=tuple(in_go))


def _variables(migrations: Sequence[Migration]) -> Iterator[Problem]:
    for item in migrations:
        if _ENVSUB.search(item.source.data):
            yield from _VARIABLES.problems(item.source, item.up)


def _wrong_versions(migrations: Sequence[Migration]) -> tuple[Problem, ...]:
    """goose refuses a version that is no number from 1, and one that exists twice."""
    unnumbered = [
        problem("migration-without-version", f"{item.path} has no version from 1 in its name", item.path)
        for item in migrations
        if int(item.version) < 1
    ]
    twice = [
        same_version(first.path, second.path)
        for first, second in pairwise(migrations)
        if int(first.version) == int(second.version) >= 1
    ]
    return (*unnumbered, *twice)
