"""A directory for each version: `{version}_{title}/up.sql` with `down.sql` beside it, or `migration.sql` alone.

Diesel, Hasura and Formance's ledger have the pair, Prisma the one file. Diesel reads `2019-02-26-002946_create_user` as
version 20190226002946 (`migrations_internals`, file_based_migrations.rs); Prisma goes by the directories' names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from posixpath import basename, dirname

from legacy_ref_scan.migrations.history import (
    History,
    Migration,
    Problem,
    Read,
    of_pair,
    problem,
    same_version,
    unreadable,
)
from legacy_ref_scan.versions import Version

_NAME = re.compile(r"(\d+(?:-\d+)*)_(.*)|(\d+)(?:-(.*))?", re.DOTALL)
_UP = frozenset({"up.sql", "migration.sql"})
_LOCK = "migration_lock.toml"
_PROVIDER = re.compile(rb"^[ \t]*provider[ \t]*=[ \t]*\"(\w+)\"", re.MULTILINE)
_POSTGRES = frozenset({b"postgresql", b"postgres", b"cockroachdb"})


@dataclass(frozen=True, slots=True, order=True)
class _Directory:
    version: Version
    title: str
    digits: str
    up: str
    down: str

    @property
    def name(self) -> str:
        return basename(dirname(self.up))


def recognise(paths: Sequence[str], read: Read) -> int:
    """Counts the directories with an up file; none where Prisma's lock names another database."""
    lock = next((path for path in paths if basename(path) == _LOCK), None)
    source = read(lock) if lock else None
    provider = _PROVIDER.search(source.data) if source else None
    if provider is not None and provider[1] not in _POSTGRES:
        return 0
    return sum(1 for _ in _directories(paths))


def places(paths: Iterable[str]) -> Iterable[tuple[str, list[str]]]:
    """The directories that hold those of versions, each with the files that tell."""
    found: dict[str, list[str]] = {}
    listed = list(paths)
    for path in listed:
        if basename(path) in _UP and _NAME.fullmatch(basename(dirname(path))):
            found.setdefault(dirname(dirname(path)), []).append(path)
    for path in listed:
        if basename(path) == _LOCK and dirname(path) in found:
            found[dirname(path)].append(path)
    return found.items()


def load(directory: str, paths: Sequence[str], read: Read) -> History:
    """See `Convention.load`."""
    migrations: list[Migration] = []
    problems: list[Problem] = []
    inside = [path for path in paths if dirname(dirname(path)) == directory]
    found = sorted(_of_diesel(list(_directories(inside))))
    for item in found:
        source = read(item.up)
        if source is None:
            problems.append(unreadable(item.up))
            continue
        undo = read(item.down) if item.down else None
        migrations.append(of_pair(item.version, item.title, source, undo))
    return History(directory, "directories", tuple(migrations), (*problems, *_unordered(found)))


def _directories(paths: Sequence[str]) -> Iterator[_Directory]:
    there = frozenset(paths)
    for path in paths:
        match = _NAME.fullmatch(basename(dirname(path)))
        if match and basename(path) in _UP:
            digits = (match[1] or match[3]).replace("-", "")
            down = f"{dirname(path)}/down.sql"
            title = match[2] or match[4] or digits
            yield _Directory(Version.of(int(digits)), title, digits, path, down if down in there else "")


def _of_diesel(found: list[_Directory]) -> list[_Directory]:
    """With versions that compare as texts, as Diesel's do, where one is written with dashes and has more digits."""
    width = max((len(item.digits) for item in found), default=0)
    dashed = any("-" in item.name.partition("_")[0] and "_" in item.name for item in found)
    if not dashed or all(len(item.digits) == width for item in found):
        return found
    return [replace(item, version=_as_text(item.digits, width)) for item in found]


def _as_text(digits: str, width: int) -> Version:
    return Version((int(digits.ljust(width, "0")), len(digits)), digits)


def _unordered(found: Sequence[_Directory]) -> Iterator[Problem]:
    """Two of one version, and those that Diesel and Prisma, which compare texts, run in another order than numbers."""
    for first, second in pairwise(found):
        if first.version == second.version:
            yield same_version(first.up, second.up)
        elif not first.version.parts[1:] and first.digits > second.digits and "_" in first.name:
            message = f"{second.up} runs before {first.up} where versions are compared as texts"
            yield replace(problem("migration-order", message, first.up, second.up), order=True)
