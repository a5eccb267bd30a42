"""Alembic: one Python file a revision, `revision` and `down_revision` in it say the order.

The rules are those of `alembic/script/base.py`; what `upgrade` does is read from its operations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from posixpath import dirname
from typing import TYPE_CHECKING

from legacy_ref_scan.migrations.history import History, Migration, Problem, Read, problem, unreadable
from legacy_ref_scan.versions import Version

if TYPE_CHECKING:
    from legacy_ref_scan.migrations.python.imports import Imports
    from legacy_ref_scan.migrations.python.sql_files import SqlFiles

_REVISION = re.compile(rb"^(?:down_)?revision\b[^=\n]*=", re.MULTILINE)
_TEMPLATE, _ENVIRONMENT = "script.py.mako", "env.py"


@dataclass(frozen=True)
class _Revision:
    path: str
    revision: str
    after: tuple[str, ...]  # what it revises and what it depends on
    migration: Migration
    problems: tuple[Problem, ...]


def places(paths: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The directories that may hold revisions: called `versions`, or below one with Alembic's template."""
    homes = {dirname(path) for path in paths if path.rpartition("/")[2] == _TEMPLATE}
    directories: dict[str, list[str]] = {}
    for path in paths:
        if path.endswith(".py") and not path.endswith(f"/{_ENVIRONMENT}"):
            directories.setdefault(dirname(path), []).append(path)
    for directory, inside in directories.items():
        above = {directory, dirname(directory)}
        if directory.rpartition("/")[2] == "versions" or not homes.isdisjoint(above):
            yield directory, inside


def recognise(paths: Sequence[str], read: Read) -> int:
    """Counts the files that say which revision they are and which they revise."""
    sources = (read(path) for path in paths if path.endswith(".py"))
    return sum(1 for source in sources if source is not None and len(_REVISION.findall(source.data)) >= 2)


def load(directory: str, paths: Sequence[str], read: Read) -> History:
    """See `Convention.load`. Every branch runs, as `upgrade heads` does. `paths` are those of the whole tree."""
    from legacy_ref_scan.migrations.python.imports import Imports  # late: most repositories have no such migrations
    from legacy_ref_scan.migrations.python.sql_files import SqlFiles

    prefix = f"{directory}/" if directory else ""
    imports, files = Imports(paths, read), SqlFiles(paths, read)
    problems: list[Problem] = []
    revisions: dict[str, _Revision] = {}
    inside = (path for path in paths if path.startswith(prefix) or path == directory)
    for path in sorted(path for path in inside if path.endswith(".py")):
        source = read(path)
        if source is None:
            problems.append(unreadable(path))
        elif len(_REVISION.findall(source.data)) >= 2:
            found = _revision(path, imports, files)
            if isinstance(found, Problem):
                problems.append(found)
            elif found.revision in revisions:
                other = revisions[found.revision].path
                message = f"{other} and {path} are one revision"
                problems.append(problem("migration-version-twice", message, path, other))
            else:
                revisions[found.revision] = found
    ordered = list(_ordered(revisions))
    problems += _missing(revisions)
    migrations = tuple(_numbered(item.migration, number) for number, item in enumerate(ordered, 1))
    problems += [problem for item in ordered for problem in item.problems]
    notes = tuple(_notes(revisions))
    return History(directory, "alembic", migrations, tuple(problems), notes, programs=tuple(files.used))


def _revision(path: str, imports: Imports, files: SqlFiles) -> _Revision | Problem:
    from legacy_ref_scan.migrations.python.alembic_upgrade import Upgrade

    module = imports.module(path)
    if module is None:
        return problem("migration-unparsed", f"{path} is no Python that can be parsed here", path, anything=True)
    revision = module.names.get("revision")
    if not isinstance(revision, str):
        return problem("migration-unparsed", f"{path} computes its revision", path, anything=True)
    upgrade = Upgrade(module, imports, files)
    if "upgrade" in module.functions:
        upgrade.run(module.functions["upgrade"])
    after = (*_revisions(module.names.get("down_revision")), *_revisions(module.names.get("depends_on")))
    name = path.rpartition("/")[2].removesuffix(".py")
    migration = Migration(Version((), revision), name, path, (), module.source, scripts=tuple(upgrade.scripts))
    return _Revision(path, str(revision), after, migration, tuple(upgrade.problems))


def _revisions(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list | tuple) else (value,)
    return tuple(str(item) for item in listed if isinstance(item, str))


def _numbered(migration: Migration, number: int) -> Migration:
    """Revisions are names: their place in the history is what compares."""
    return replace(migration, version=Version((number,), migration.version.text))


def _ordered(revisions: Mapping[str, _Revision]) -> Iterator[_Revision]:
    """Each revision after those that it needs; independent ones by path."""
    done: set[str] = set()
    for start in sorted(revisions.values(), key=lambda item: item.path):
        waiting = [start]
        while waiting:
            item = waiting[-1]
            needed = [revisions[name] for name in item.after if name in revisions and name not in done]
            needed = [other for other in needed if other not in waiting]
            if item.revision in done:
                waiting.pop()
            elif needed:
                waiting.append(needed[0])
            else:
                done.add(item.revision)
                yield waiting.pop()


def _missing(revisions: Mapping[str, _Revision]) -> Iterator[Problem]:
    for item in revisions.values():
        for name in item.after:
            # A partial identifier, or a label of a branch, may stand for a revision.
            if name not in revisions and not any(other.startswith(name) for other in revisions):
                message = f"{item.path} comes after the revision {name}, which is not there"
                yield problem("migration-missing", message, item.path, anything=True)


def _notes(revisions: Mapping[str, _Revision]) -> Iterator[str]:
    revised = {name for item in revisions.values() for name in item.after}
    heads = sorted(name for name in revisions if name not in revised)
    if len(heads) > 1:
        yield f"several heads, all of which are applied: {', '.join(heads)}"
