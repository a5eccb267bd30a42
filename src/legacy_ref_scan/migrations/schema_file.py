"""Plain SQL without directions: one schema file, a pg_dump, or a directory of files that run one after the other."""

from __future__ import annotations

import re
from collections.abc import Sequence

from legacy_ref_scan.migrations.history import History, Migration, Problem, Read, of_pair, problem, unreadable
from legacy_ref_scan.versions import UNVERSIONED, Version

_NAMES = frozenset({"schema.sql", "structure.sql"})
_DOWN = re.compile(r"\.(down|undo)\.sql$")
_DIRECTION = re.compile(r"(?:\.(?:up|do|down|undo))?\.sql$")
_NUMBER = re.compile(r"[Vv]?(\d+)")
# Marks of tools that keep both directions in one file: to run such a file from end to end would undo what it does.
# Directories of most are recognised: here they arrive where a rule says schema-file. MyBatis (@UNDO) is not known.
_TWO_WAYS = re.compile(
    rb"^(?:--[ \t]*migrate:down|----[ \t]*create above / drop below[ \t]*----|--[ \t]*//[ \t]*@UNDO"
    rb"|--[ \t]*\+goose[ \t]+Down|-- \+migrate Down)",
    re.MULTILINE | re.IGNORECASE,
)


def recognise(paths: Sequence[str], read: Read) -> int:
    """Only files that are called as a schema is: any other SQL file could be anything."""
    return sum(1 for path in paths if path.rpartition("/")[2] in _NAMES)


def load(directory: str, paths: Sequence[str], read: Read) -> History:
    """Every SQL file whole, by the numbers in their names; its way back is the down file called alike."""
    downs = {_stem(path): path for path in paths if _DOWN.search(path)}
    chosen = sorted((path for path in paths if _is_sql(path) and not _DOWN.search(path)), key=_order)
    migrations: list[Migration] = []
    problems: list[Problem] = []
    for path in chosen:
        source = read(path)
        if source is None:
            problems.append(unreadable(path))
            continue
        if _TWO_WAYS.search(source.data):
            message = f"{path} holds an up and a down part, but is run whole: name its convention"
            problems.append(problem("migration-of-two-ways", message, path))
        number = _NUMBER.match(path.rpartition("/")[2])
        name = path.rpartition("/")[2].rpartition(".")[0]
        version = Version.of(int(number.group(1))) if number else UNVERSIONED
        down = downs.get(_stem(path))
        migrations.append(of_pair(version, name, source, read(down) if down else None))
    notes = ("the files run in numeric order, which is not their alphabetical one",) if chosen != sorted(chosen) else ()
    return History(directory, "schema-file", tuple(migrations), tuple(problems), notes)


def _stem(path: str) -> str:
    return _DIRECTION.sub("", path)


def _is_sql(path: str) -> bool:
    return path.lower().endswith((".sql", ".psql", ".pgsql", ".ddl", ".dump"))


def _order(path: str) -> list[tuple[int, int, str]]:
    """Digits compare as numbers, the rest as text."""
    parts = re.split(r"(\d+)", path)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part]
