"""How each migration tool lays a migration out: the names of its files, and what stands around the statements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from legacy_ref_scan.generate.write import File
from legacy_ref_scan.versions import Version

_FIRST_TIMESTAMP = 10**13  # 14 digits: 20060102150405
_FIRST_UNIX_TIME = 10**9


@dataclass(frozen=True, slots=True)
class Layout:
    """`name` matches a file name, with its version and title in the groups; `files` are the names to write, with
    `{version}` and `{title}`. One name takes both directions between the `marks`; of two, the second is the way back.

    `first` is how the first version of an empty directory is written. `holes`: the tool takes versions with gaps.
    """

    name: re.Pattern[str]
    files: tuple[str, ...]
    marks: tuple[str, str] = ("", "")
    first: str = "1"
    holes: bool = True


LAYOUTS = {
    # pressly/goose, internal/sqlparser and create.go
    "goose": Layout(
        re.compile(r"(\d+)_(.*)\.(?:sql|go)"),
        ("{version}_{title}.sql",),
        ("-- +goose Up\n", "\n-- +goose Down\n"),
        first="timestamp",
    ),
    # amacneil/dbmate, pkg/dbmate/db.go
    "dbmate": Layout(
        re.compile(r"(\d+)_?(.*)\.sql"),
        ("{version}_{title}.sql",),
        ("-- migrate:up\n", "\n-- migrate:down\n"),
        first="timestamp",
    ),
    # rubenv/sql-migrate, sqlparse and sql-migrate new
    "sql-migrate": Layout(
        re.compile(r"(\d+)[-_]?(.*)\.sql"),
        ("{version}-{title}.sql",),
        ("-- +migrate Up\n", "\n-- +migrate Down\n"),
        first="timestamp",
    ),
    # jackc/tern, migrate/migrate.go
    "tern": Layout(
        re.compile(r"(\d+)_(.+)\.sql"),
        ("{version}_{title}.sql",),
        ("", "\n---- create above / drop below ----\n\n"),
        first="001",
        holes=False,
    ),
    # Flyway's documentation, "Migrations"
    "flyway": Layout(
        re.compile(r"[VU](\d+(?:[._]\d+)*)__(.*)\.sql"), ("V{version}__{title}.sql", "U{version}__{title}.sql")
    ),
}
"""The conventions besides golang-migrate that a migration is written for. Each tool opens the transaction itself."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A file of a directory that the tool takes for a migration; `written` is its version as the name has it."""

    version: Version
    written: str
    title: str
    file: str


def entries(layout: Layout, files: Iterable[str]) -> list[Entry]:
    """The migrations among file names, in order."""
    matches = ((layout.name.fullmatch(file), file) for file in files)
    return sorted(Entry(Version.of(m[1]), m[1], m[2], file) for m, file in matches if m)


def next_version(layout: Layout, there: list[Entry], now: datetime | None = None) -> str:
    """The version after the last one, written as that is: a time where versions are times, else one more."""
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    timestamp = moment.strftime("%Y%m%d%H%M%S")
    if not there:
        return timestamp if layout.first == "timestamp" else layout.first
    last = there[-1].written
    head, separator, tail = _split(last)
    number = int(tail)
    if not separator and number >= _FIRST_TIMESTAMP:
        return str(max(int(timestamp), number + 1))
    if not separator and number >= _FIRST_UNIX_TIME:
        return str(max(int(moment.timestamp()), number + 1))
    return head + separator + str(number + 1).zfill(len(tail) if tail.startswith("0") else 0)


def _split(version: str) -> tuple[str, str, str]:
    """The last part of a version with dots, apart."""
    at = max(version.rfind("."), version.rfind("_"))
    return version[: max(at, 0)], version[at : at + 1] if at >= 0 else "", version[at + 1 :]


def written_as(version: Version, there: list[Entry]) -> str:
    """A version as the directory writes it, padded where the others are."""
    text = str(version)
    padded = [entry.written for entry in there if entry.written.startswith("0") and entry.written.isdigit()]
    return text.zfill(len(padded[-1])) if padded and text.isdigit() else text


def problems(
    layout: Layout, tool: str, version: Version, title: str, names: tuple[str, ...], there: list[Entry]
) -> Iterator[str]:
    """Why the tool would not run, or would skip, a migration with this version and title."""
    others = [entry for entry in there if entry.file not in names]
    taken = [entry.file for entry in others if entry.version == version]
    if taken:
        yield f"version {version} is taken by {', '.join(taken)}"
    namesakes = [entry.file for entry in others if entry.title == title and entry.version != version]
    if namesakes:
        yield f"the name {title} is taken by {', '.join(namesakes)}"
    if len(others) < len(there):
        return  # it is written already
    later = max((entry.version for entry in others if entry.version > version), default=None)
    if later is not None:
        yield f"version {later} is there already: {tool} refuses or skips {version} where {later} was applied"
    last = max((entry.version for entry in others if entry.version < version), default=Version((0,), "0"))
    if not layout.holes and int(version) != int(last) + 1:
        yield f"version {version} leaves a hole after {last}, which {tool} refuses"


def assemble(layout: Layout, names: tuple[str, ...], up: str, down: str) -> tuple[File, ...]:
    """The files with the statements of both directions."""
    if len(names) == 2:
        return File(names[0], up.encode()), File(names[1], down.encode())
    before, between = layout.marks
    return (File(names[0], f"{before}{up}{between}{down}".encode()),)
