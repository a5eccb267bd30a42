"""What a directory of migrations holds, and what a convention must offer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from legacy_ref_scan.model import Fragment, SourceFile, Span
from legacy_ref_scan.versions import Version

Range = tuple[int, int]
"""Bytes start (included) to end (excluded) of a file."""

Read = Callable[[str], SourceFile | None]
"""Reads a file by its path; None where it cannot be read."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration: the parts `up` of the file at `path` apply it, the parts `down` of `down_path` undo it.

    `version` is false where the name has none. A `repeatable` one runs again whenever it changes. Where the file is a
    program, `scripts` is the SQL that it stands for, mapped back to the file, and `up` is empty.
    """

    version: Version
    name: str
    path: str
    up: tuple[Range, ...]
    source: SourceFile
    down_path: str | None = None
    down: tuple[Range, ...] = ()
    repeatable: bool = False
    scripts: tuple[Fragment, ...] = ()

    @property
    def texts(self) -> tuple[bytes, ...]:
        """The SQL that applies the migration."""
        parts = (self.source.data[start:end] for start, end in self.up)
        return (*parts, *(script.text for script in self.scripts))


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the replay may leave another schema than the tool does.

    `reason` is the code of the gap that it is for the tables named at one of the `spans`, an empty one of which stands
    for the whole file. What nobody knows may concern `anything`: a file that cannot be read, a name filled in later.
    `order`: only the order in which the files at the spans run is not known. `tables` are concerned whatever the spans
    say: a migration that is a program may name them by a model.
    """

    reason: str
    message: str
    spans: tuple[Span, ...] = ()
    anything: bool = False
    order: bool = False
    tables: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.message


def of_pair(version: Version, name: str, source: SourceFile, undo: SourceFile | None) -> Migration:
    """The migration that one file applies as a whole, and another takes back."""
    return Migration(
        version=version,
        name=name,
        path=source.path,
        up=((0, len(source.data)),),
        source=source,
        down_path=undo.path if undo else None,
        down=((0, len(undo.data)),) if undo else (),
    )


def problem(reason: str, message: str, *paths: str, anything: bool = False) -> Problem:
    """A problem of whole files."""
    return Problem(reason, message, tuple(Span(path, 0, 0) for path in paths), anything)


def unreadable(path: str) -> Problem:
    """A migration of which nothing is known."""
    return problem("migration-unreadable", f"{path} cannot be read", path, anything=True)


def in_code(path: str) -> Problem:
    """A migration that is a program of which nothing is replayed."""
    return problem("migration-in-code", f"{path} is a program: what it does to the schema is not known", path)


def same_version(first: str, second: str, what: str = "version") -> Problem:
    """Two files that the tool can't tell apart."""
    return unordered(f"{first} and {second} have one {what}", first, second)


def unordered(message: str, *paths: str) -> Problem:
    """Files of one version: tools refuse them, so in which order they ran, by hand or by another tool, is not known."""
    return replace(problem("migration-version-twice", message, *paths), order=True)


@dataclass(frozen=True, slots=True)
class History:
    """The migrations of a directory (or file) in the order in which they run.

    `problems` may make a replay wrong; `notes` are worth a line and change nothing. `programs` are the paths of
    programs of which nothing is replayed, and of SQL files that programs run: what they name is history all the same.
    """

    directory: str
    convention: str
    migrations: tuple[Migration, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.directory or '.'} ({self.convention}, {len(self.migrations)} migrations)"


class Convention(Protocol):
    """A module of this package: how one migration tool names, marks and orders its files."""

    def recognise(self, paths: Sequence[str], read: Read) -> int:
        """How many migrations of this convention are among the files of one directory."""

    def load(self, directory: str, paths: Sequence[str], read: Read) -> History:
        """The history that the files of one directory make."""
