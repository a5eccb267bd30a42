"""Whether a version may be used in a directory of golang-migrate migrations."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from legacy_ref_scan.migrations.golang_migrate import file_names, next_version, width_in_use
from legacy_ref_scan.model import ScanError

# source/parse.go of golang-migrate; the version is an unsigned 64-bit number.
_FILE = re.compile(r"([0-9]+)_(.*)\.(down|up)\.(.*)", re.S)
_TIMESTAMP = 10_000_000
"""From here on a version is a date, not a counter: no version need follow another."""


@dataclass(frozen=True, slots=True, order=True)
class Numbered:
    """A file that golang-migrate takes for a migration."""

    version: int
    name: str
    direction: str
    file: str


def numbered(files: Iterable[str]) -> list[Numbered]:
    """The migrations among file names, in numeric order."""
    matches = ((_FILE.fullmatch(file), file) for file in files)
    return sorted(Numbered(int(m[1]), m[2], m[3], file) for m, file in matches if m)


def next_free(there: list[Numbered]) -> int:
    """The version after the last one; 1 in an empty directory."""
    return next_version({item.version for item in there})


def pair_names(version: int, name: str, there: list[Numbered]) -> tuple[str, str]:
    """The names of the up and the down file, the version padded as elsewhere in the directory. Raises `ScanError`."""
    width = width_in_use(item.file for item in there if item.version != version)
    return file_names(version, width, name)


def problems(version: int, name: str, there: list[Numbered]) -> Iterator[str]:
    """Why golang-migrate would not run, or would skip, a pair with this version and name."""
    try:
        pair = pair_names(version, name, there)
    except ScanError as error:
        yield str(error)
        return
    yield from _duplicates(there)
    taken = [item.file for item in there if item.version == version and item.file not in pair]
    if taken:
        yield f"version {version} is taken by {', '.join(taken)}"
    namesakes = [item.file for item in there if item.version != version and item.name == name]
    if namesakes:
        yield f"the name {name} is taken by {', '.join(namesakes)}"
    if not any(item.file in pair for item in there):
        yield from _place(version, there)


def _place(version: int, there: list[Numbered]) -> Iterator[str]:
    versions = {item.version for item in there}
    later = max((number for number in versions if number > version), default=None)
    if later is not None:
        yield f"version {later} is there already: golang-migrate skips {version} where {later} was applied"
    last = max((number for number in versions if number < version), default=0)
    if version < _TIMESTAMP and version != last + 1 and version not in versions:
        before = f"the last version before it is {last}" if last else "no version comes before it"
        yield f"version {version} leaves a gap: {before}, so {last + 1} would be next"


def _duplicates(there: list[Numbered]) -> Iterator[str]:
    files = defaultdict(list)
    for item in there:
        files[item.version, item.direction].append(item.file)
    for (version, direction), names in files.items():
        if len(names) > 1:
            yield f"version {version} has {len(names)} {direction} files ({', '.join(names)}): golang-migrate refuses"
