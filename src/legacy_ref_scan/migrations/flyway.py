"""Flyway: one file a direction, `V1.2__name.sql`, its undo `U1.2__name.sql`, and `R__name.sql` that runs again.

The rules are those of its documentation, "Migrations", "Baseline migrations", "Callback events", "Script
configuration" and "Placeholders", with the defaults for prefixes, separator and suffix.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

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
from legacy_ref_scan.migrations.templates import Template
from legacy_ref_scan.model import SourceFile
from legacy_ref_scan.versions import UNVERSIONED, Version

_NAME = re.compile(r"(?:([VUB])(\d+(?:[._]\d+)*)(?:__(.*))?|R__(.+))\.sql")
_CODE = re.compile(r"(?:[VUB]\d.*|R)__.+\.(?:java|kt)")
_CALLBACK = re.compile(r"((?:before|after)[A-Z][A-Za-z]*)(?:__.*)?\.sql")
# What runs along with each `migrate`; the others go with clean, undo, info, repair and errors.
_OF_MIGRATE = re.compile(
    r"(before|after)(?:Migrate|EachMigrate|EachMigrateStatement|Versioned|Repeatables|MigrateApplied|Connect)"
)
_PLACEHOLDERS = Template("Flyway", b"${", rb"\$\{[^}]*\}")
# In a file `V1__a.sql.conf`, or in a comment of the script itself.
_SETTING = re.compile(rb"^(?:[ \t]*--[ \t]*flyway:)?[ \t]*(\w+)[ \t]*[=:][ \t]*([^\n]*?)[ \t\r]*$", re.MULTILINE)
_IN_COMMENT = re.compile(rb"^[ \t]*--[ \t]*flyway:[^\n]*", re.MULTILINE)
_ORDER = {"before": 0, "B": 1, "V": 1, "U": 1, "R": 2, "after": 3}


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    kind: str  # "V", "U" (undo), "B" (baseline), "R" (repeatable), "before" and "after" (callbacks of migrate)
    version: Version  # of V, U and B
    title: str

    @property
    def order(self) -> tuple[int, Version, str, str]:
        """By version, part by part; then the repeatable ones, by description. Callbacks around them."""
        return _ORDER[self.kind], self.version, "" if self.version else self.title, self.path

    @property
    def again(self) -> bool:
        return not self.version


def recognise(paths: Sequence[str], read: Read) -> int:
    """Counts all with a description but the undo files. (`read` is not needed: the names say it.)

    Flyway runs V1.sql too, but by that name alone it could be anybody's.
    """
    return sum(1 for file in _files(paths) if file.kind in ("V", "B", "R") and file.title)


def load(directory: str, paths: Sequence[str], read: Read) -> History:
    """See `Convention.load`. A baseline stands in for the versions up to its own only where none of them is there."""
    files = sorted(_files(paths), key=lambda file: file.order)
    first = _baseline(files)
    chosen = [file for file in files if file.kind not in ("U", "B") or file is first]
    downs = {file.version: file.path for file in files if file.kind == "U"}
    migrations: list[Migration] = []
    problems: list[Problem] = [*_in_code(paths), *_twice(chosen)]
    for file in chosen:
        migration = _migration(file, downs.get(file.version), read)
        if migration is None:
            problems.append(unreadable(file.path))
            continue
        problems.extend(_configured(migration, f"{file.path}.conf", paths, read))
        migrations.append(migration)
    notes = (*_baselines(files, first), *_ignored(paths, files))
    return History(directory, "flyway", tuple(migrations), tuple(problems), notes)


def _files(paths: Sequence[str]) -> Iterator[_File]:
    for path in paths:
        name = path.rpartition("/")[2]
        match, callback = _NAME.fullmatch(name), _CALLBACK.fullmatch(name)
        moment = _OF_MIGRATE.fullmatch(callback.group(1)) if callback else None
        if match:
            kind, number, title, of_repeatable = match.groups()
            version = Version.of(number) if number else UNVERSIONED
            yield _File(path, kind or "R", version, (title or of_repeatable or "").replace("_", " "))
        elif moment:
            yield _File(path, moment.group(1), UNVERSIONED, name)


def _baseline(files: Sequence[_File]) -> _File | None:
    """The last one before all versions, where a new database starts; None where the versions are there from the start.

    Both ways lead to one schema, and the versions tell more of it.
    """
    oldest = min((file.version for file in files if file.kind == "V"), default=None)
    before = [file for file in files if file.kind == "B" and (oldest is None or file.version < oldest)]
    return before[-1] if before else None


def _migration(file: _File, down_path: str | None, read: Read) -> Migration | None:
    source = read(file.path)
    if source is None:
        return None
    undo = read(down_path) if down_path and file.kind == "V" else None
    name = file.path.rpartition("/")[2].removesuffix(".sql")
    return replace(of_pair(file.version, name, source, undo), repeatable=file.again)


def _configured(migration: Migration, beside: str, paths: Iterable[str], read: Read) -> Iterator[Problem]:
    """What the script's own configuration says, and what placeholders leave open."""
    settings = _settings(migration.source, read(beside) if beside in paths else None)
    condition = settings.get("shouldExecute", "true")
    if condition.lower() != "true":
        message = f"{migration.path} runs only where {condition} holds"
        yield problem("migration-conditional", message, migration.path)
    if settings.get("placeholderReplacement", "true").lower() != "false":
        yield from _PLACEHOLDERS.problems(migration.source, migration.up)


def _settings(source: SourceFile, beside: SourceFile | None) -> Mapping[str, str]:
    inside = b"\n".join(_IN_COMMENT.findall(source.data)) if b"flyway:" in source.data else b""
    text = b"\n".join((inside, beside.data if beside else b""))
    return {key.decode(): value.decode("utf-8", "replace") for key, value in _SETTING.findall(text)}


def _in_code(paths: Sequence[str]) -> Iterator[Problem]:
    for path in paths:
        if _CODE.fullmatch(path.rpartition("/")[2]):
            message = f"{path} is a migration in code: what it does to the schema is not known"
            yield problem("migration-in-code", message, path)


def _twice(files: Sequence[_File]) -> Iterator[Problem]:
    """Flyway refuses a version, or a description of a repeatable one, that exists twice."""
    for first, second in pairwise(files):
        if first.version and first.version == second.version:
            yield same_version(first.path, second.path)
        elif first.kind == second.kind == "R" and first.title == second.title:
            yield same_version(first.path, second.path, "description")


def _baselines(files: Sequence[_File], first: _File | None) -> Iterator[str]:
    for file in files:
        if file is first:
            yield f"the history begins with the baseline {file.path}"
        elif file.kind == "B":
            yield f"the baseline {file.path} is ignored: there are older migrations"


def _ignored(paths: Sequence[str], files: Sequence[_File]) -> Iterator[str]:
    versions = {file.version for file in files if file.kind == "V"}
    yield from (
        f"{item.path} undoes no migration" for item in files if item.kind == "U" and item.version not in versions
    )
    known = {file.path for file in files}
    others = [path for path in paths if path.endswith(".sql") and path not in known]
    callbacks = [path for path in others if _CALLBACK.fullmatch(path.rpartition("/")[2])]
    if callbacks:
        yield f"callbacks that do not run along with migrate: {', '.join(callbacks)}"
    ignored = [path for path in others if path not in callbacks]
    if ignored:
        yield f"names that Flyway does not read: {', '.join(ignored)}"
