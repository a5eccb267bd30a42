"""tern: `{version}_{name}.sql`, one line between up and down, run in numeric order without holes from 1.

The rules are those of `migrate/migrate.go` of jackc/tern.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from legacy_ref_scan.migrations.history import History, Migration, Problem, Read, problem, same_version, unreadable
from legacy_ref_scan.migrations.templates import Template
from legacy_ref_scan.model import SourceFile
from legacy_ref_scan.versions import Version

_NAME = re.compile(r"(\d+)_.+\.sql")
# tern cuts at the first place where exactly this stands; the down part begins in the next line.
_MARK = b"---- create above / drop below ----"
_TEMPLATE = Template("tern", b"{{", rb"\{\{.*?\}\}", rb"\{\{-?\s*(?:template|block|include)\b")


def recognise(paths: Sequence[str], read: Read) -> int:
    """Counts the numbered files where one carries the mark: a file without it is all up."""
    sources = [read(path) for path in paths if _match(path)]
    marked = any(source is not None and _MARK in source.data for source in sources)
    return len(sources) if marked else 0


def load(directory: str, paths: Sequence[str], read: Read) -> History:
    """See `Convention.load`. Templates are a problem: nobody fills them here."""
    migrations: list[Migration] = []
    problems: list[Problem] = []
    for path in paths:
        match = _match(path)
        source = read(path) if match else None
        if match and source is None:
            problems.append(unreadable(path))
        elif match and source is not None:
            migrations.append(_migration(Version.of(int(match.group(1))), source))
    migrations.sort(key=lambda item: (item.version, item.path))
    others = [path for path in paths if path.endswith(".sql") and not _match(path)]
    notes = (f"names that tern does not read: {', '.join(others)}",) if others else ()
    return History(directory, "tern", tuple(migrations), (*problems, *_problems(migrations)), notes)


def _match(path: str) -> re.Match[str] | None:
    return _NAME.fullmatch(path.rpartition("/")[2])


def _migration(version: Version, source: SourceFile) -> Migration:
    data = source.data
    mark = data.find(_MARK)
    end = len(data) if mark < 0 else mark
    down = () if mark < 0 else ((mark + len(_MARK), len(data)),)
    name = source.path.rpartition("/")[2].removesuffix(".sql")
    return Migration(version, name, source.path, ((0, end),), source, source.path if down else None, down)


def _problems(migrations: Sequence[Migration]) -> Iterator[Problem]:
    """What tern refuses (a version twice, a hole), and what only it can fill in."""
    for item in migrations:
        yield from _TEMPLATE.problems(item.source, item.up)
    if migrations and int(migrations[0].version) != 1:
        yield _missing(f"{migrations[0].path} is the first migration, but tern counts from 1", migrations[0])
    for first, second in pairwise(migrations):
        if first.version == second.version:
            yield same_version(first.path, second.path)
        elif int(second.version) != int(first.version) + 1:
            yield _missing(f"between {first.path} and {second.path} is a hole, which tern refuses", second)


def _missing(message: str, later: Migration) -> Problem:
    """What the missing migration does could concern every table."""
    return problem("migration-missing", message, later.path, anything=True)
