"""What a directory of migrations holds, and what a convention must offer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from legacy_ref_scan.model import SourceFile

Range = tuple[int, int]
"""Bytes start (included) to end (excluded) of a file."""

Read = Callable[[str], SourceFile | None]
"""Reads a file by its path; None where it cannot be read."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration: the parts `up` of the file at `path` apply it, the parts `down` of `down_path` undo it.

    `version` is 0 where the name has no number. A `repeatable` one runs again whenever it changes.
    """

    version: int
    name: str
    path: str
    up: tuple[Range, ...]
    source: SourceFile
    down_path: str | None = None
    down: tuple[Range, ...] = ()
    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """The migrations of a directory (or file) in the order in which they run.

    `problems` may make a replay wrong; `notes` are worth a line and change nothing.
    """

    directory: str
    convention: str
    migrations: tuple[Migration, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.directory or '.'} ({self.convention}, {len(self.migrations)} migrations)"


class Convention(Protocol):
    """A module of this package: how one migration tool names, marks and orders its files."""

    def recognise(self, paths: Sequence[str], read: Read) -> int:
        """How many migrations of this convention are among the files of one directory."""

    def load(self, directory: str, paths: Sequence[str], read: Read) -> History:
        """The history that the files of one directory make."""
