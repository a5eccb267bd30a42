"""golang-migrate: one file up, one file down, `{version}_{title}.{up|down}.{extension}`, run in numeric order.

The rules are those of its `source/parse.go` and of `migrate create -seq`. Tools of other authors with these names are
read too: pop, which has a file a dialect, and runners that take Go files among them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from legacy_ref_scan.migrations.dialects import for_postgres, in_dialects
from legacy_ref_scan.migrations.history import (
    History,
    Migration,
    Problem,
    Read,
    in_code,
    of_pair,
    unordered,
    unreadable,
)
from legacy_ref_scan.model import ScanError
from legacy_ref_scan.versions import Version

DEFAULT_WIDTH = 6
_NAME = re.compile(r"^([0-9]+)_(.*)\.(down|up)\.(.*)$", re.DOTALL)
_LARGEST = 2**64 - 1
_UNDIRECTED = re.compile(r"[0-9]+_.*\.sql$")
_CLEARLY_MORE = 4
_LISTED = 3
# Extensions of migrations that are programs: Go, and pop's own language.
_PROGRAMS = (".go", ".fizz")
_FIRST_TIMESTAMP = 10**13  # 14 digits: 20060102150405


@dataclass(frozen=True, slots=True, order=True)
class _File:
    version: int
    path: str
    title: str
    direction: str


def recognise(paths: Sequence[str], read: Read) -> int:
    """Counts the up files; none where many numbered ones have no direction: another runner takes both alike.

    (`read` is not needed: the names say it.)
    """
    ups = sum(1 for file in _files(paths) if file.direction == "up" and file.path.endswith(".sql"))
    undirected = sum(1 for path in paths if _UNDIRECTED.match(path.rpartition("/")[2]) and not _match(path))
    return ups if ups >= _CLEARLY_MORE * undirected else 0


def load(directory: str, paths: Sequence[str], read: Read) -> History:
    """Pairs the files by version, in numeric order. Files with other names are ignored, as golang-migrate does."""
    found = sorted(_files(paths))
    programs = [file for file in found if file.path.endswith(_PROGRAMS)]
    files = [file for file in found if file not in programs]
    if in_dialects(files, _key, _title):
        files = sorted(for_postgres(files, _key, _title))
    ups = [file for file in files if file.direction == "up"]
    downs = {file.version: file for file in files if file.direction == "down"}
    migrations: list[Migration] = []
    problems = [*_duplicates(files), *(in_code(file.path) for file in programs if file.direction == "up")]
    notes = [*_bad_versions(paths, found), *_missing_ups(files), *_missing_downs(ups, downs), *_ignored(paths)]
    for up in ups:
        source = read(up.path)
        if source is None:
            problems.append(unreadable(up.path))
            continue
        if not source.data.strip():
            notes.append(f"{up.path} is empty")
        down = downs.get(up.version)
        undo = read(down.path) if down else None
        migrations.append(of_pair(Version.of(up.version), up.title, source, undo))
    in_go = tuple(file.path for file in programs)
    return History(directory, "golang-migrate", tuple(migrations), tuple(problems), tuple(notes), in_go)


def width_in_use(paths: Iterable[str]) -> int:
    """How many digits the versions in a directory are padded to; 0 where they are not padded at all.

    Without any migration it is the default of `migrate create -seq`.
    """
    numbers = [match.group(1) for match in map(_match, paths) if match]
    if not numbers:
        return DEFAULT_WIDTH
    padded = [number for number in numbers if number.startswith("0")]
    return len(max(numbers, key=int)) if padded else 0


def next_version(versions: Collection[int], now: datetime | None = None) -> int:
    """The version after the last one: one more, or the time in UTC (`now`) where the versions are timestamps."""
    last = max(versions, default=0)
    if last < _FIRST_TIMESTAMP:
        return last + 1
    moment = int((now or datetime.now(UTC)).astimezone(UTC).strftime("%Y%m%d%H%M%S"))
    return max(moment, last + 1)


def file_names(version: int, width: int, name: str, taken: Collection[int] = ()) -> tuple[str, str]:
    """The names of a pair, up and down. `width` as of `width_in_use`; `taken` are the versions that exist.

    Raises `ScanError` where the version is taken or has more digits than the others.
    """
    number = str(version).zfill(width)
    if version in taken:
        raise ScanError(f"version {version} is taken: two migrations of one version stop golang-migrate")
    if width and len(number) > width:
        raise ScanError(f"version {version} has more than the {width} digits that the migrations here have")
    if not 0 <= version <= _LARGEST:
        raise ScanError(f"version {version} is not a number from 0 to 2^64 - 1")
    return f"{number}_{name}.up.sql", f"{number}_{name}.down.sql"


def _key(file: _File) -> tuple[int, str]:
    return file.version, file.direction


def _title(file: _File) -> str:
    return file.title


def _match(path: str) -> re.Match[str] | None:
    return _NAME.match(path.rpartition("/")[2])


def _files(paths: Iterable[str]) -> Iterator[_File]:
    """The files that are run. pop's versions are text, as long as they like."""
    every = [_File(int(match[1]), path, match[2], match[3]) for path in paths if (match := _match(path))]
    unbounded = any(file.version > _LARGEST for file in every) and in_dialects(every, _key, _title)
    return (file for file in every if unbounded or file.version <= _LARGEST)


def _bad_versions(paths: Sequence[str], found: Iterable[_File]) -> Iterator[str]:
    there = {file.path for file in found}
    for path in paths:
        if _match(path) and path not in there:
            yield f"{path}: the version is larger than 2^64 - 1, so golang-migrate ignores the file"


def _duplicates(files: Iterable[_File]) -> Iterator[Problem]:
    by_key: dict[tuple[int, str], list[str]] = {}
    for file in files:
        by_key.setdefault(_key(file), []).append(file.path)
    for (version, direction), paths in by_key.items():
        if len(paths) > 1:
            message = f"version {version} has {len(paths)} {direction} files: {_listed(paths)}"
            yield unordered(message, *paths)


def _missing_ups(files: Sequence[_File]) -> Iterator[str]:
    there = {file.version for file in files if file.direction == "up"}
    return (f"{file.path} has no up file" for file in files if file.version not in there)


def _missing_downs(ups: Iterable[_File], downs: Collection[int]) -> Iterator[str]:
    alone = [file.path for file in ups if file.version not in downs]
    if alone:
        yield f"without a down file: {_listed(alone)}"


def _ignored(paths: Iterable[str]) -> Iterator[str]:
    ignored = [path for path in paths if path.endswith(".sql") and not _match(path)]
    if ignored:
        yield f"names that golang-migrate does not read: {_listed(ignored)}"


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _LISTED} more" if len(paths) > _LISTED else ""
    return ", ".join(paths[:_LISTED]) + more
