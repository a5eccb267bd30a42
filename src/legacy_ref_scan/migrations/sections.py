"""Migrations that hold both directions in one file, told apart by marks in comment lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from legacy_ref_scan.migrations.history import History, Migration, Problem, Range, Read, problem, unreadable
from legacy_ref_scan.model import SourceFile
from legacy_ref_scan.versions import UNVERSIONED, Version


@dataclass(frozen=True, slots=True)
class Sections:
    """How a tool marks the sections of a file.

    `mark` matches a whole comment line, its first group the direction ("up" or "down" in any case). `number` finds
    the version in a file name, in its first group. `order` sorts the migrations.
    """

    convention: str
    mark: re.Pattern[bytes]
    number: re.Pattern[str]
    order: Callable[[Migration], object]

    def recognise(self, paths: Sequence[str], read: Read) -> int:
        """Counts the SQL files that carry a mark."""
        sources = (read(path) for path in paths if path.endswith(".sql"))
        return sum(1 for source in sources if source is not None and self.mark.search(source.data))

    def load(self, directory: str, paths: Sequence[str], read: Read) -> History:
        """Every SQL file as one migration; one without a mark is a problem, for the tool refuses it."""
        migrations: list[Migration] = []
        problems: list[Problem] = []
        for path in paths:
            if not path.endswith(".sql"):
                continue
            source = read(path)
            if source is None:
                problems.append(unreadable(path))
            elif not self.mark.search(source.data):
                message = f"{path} has no mark of {self.convention} that says what is up and what is down"
                problems.append(problem("migration-without-mark", message, path))
            else:
                migrations.append(self._migration(source))
        migrations.sort(key=self.order)  # type: ignore[arg-type]
        return History(directory, self.convention, tuple(migrations), tuple(problems))

    def _migration(self, source: SourceFile) -> Migration:
        file_name = source.path.rpartition("/")[2]
        number = self.number.match(file_name)
        ranges = self._ranges(source.data)
        return Migration(
            version=Version.of(int(number.group(1))) if number else UNVERSIONED,
            name=file_name.removesuffix(".sql"),
            path=source.path,
            up=ranges["up"],
            source=source,
            down_path=source.path if ranges["down"] else None,
            down=ranges["down"],
        )

    def _ranges(self, data: bytes) -> dict[str, tuple[Range, ...]]:
        """What stands before the first mark belongs to no direction: the tools skip it."""
        ranges: dict[str, tuple[Range, ...]] = {"up": (), "down": ()}
        marks = list(self.mark.finditer(data))
        ends = [*(mark.start() for mark in marks[1:]), len(data)]
        for mark, end in zip(marks, ends, strict=True):
            ranges[mark.group(1).decode().lower()] += ((mark.end(), end),)
        return ranges
