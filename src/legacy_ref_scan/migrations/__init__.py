"""Finds the migrations of a repository and reads them in the order in which they run.

A convention is a module with `recognise` and `load`, listed in `CONVENTIONS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from posixpath import basename, dirname

from legacy_ref_scan.migrations import (
    alembic,
    dbmate,
    directories,
    django,
    flyway,
    golang_migrate,
    goose,
    schema_file,
    sql_migrate,
    sqlc,
    tern,
)
from legacy_ref_scan.migrations.dialects import OTHER_DATABASES
from legacy_ref_scan.migrations.history import Convention, History, Migration, Problem, Range, problem
from legacy_ref_scan.model import ScanError
from legacy_ref_scan.workspace import Workspace

__all__ = ["CONVENTIONS", "Convention", "History", "Migration", "Problem", "Range", "detect"]

CONVENTIONS: dict[str, Convention] = {
    "golang-migrate": golang_migrate,
    "goose": goose,
    "sql-migrate": sql_migrate,
    "dbmate": dbmate,
    "tern": tern,
    "flyway": flyway,
    "directories": directories,
    "alembic": alembic,
    "django": django,
    "sqlc": sqlc,
    "schema-file": schema_file,
}
"""Each convention by its name in a rule; the first that recognises a directory is asked first."""

# Looked for one after the other, the next only where nothing was found. Programs count before plain SQL where they
# alone are about the tables in question.
_SQL = ("golang-migrate", "goose", "sql-migrate", "dbmate", "tern", "flyway", "directories")
_PROGRAMS = ("alembic", "django")
_LAST = ("schema-file",)  # asked where what was found is not about the tables in question
_TIERS: tuple[tuple[str, ...], ...] = (
    _SQL,
    _PROGRAMS,
    ("sqlc",),
    _LAST,
)

_OTHER_DATABASES = frozenset((*OTHER_DATABASES, "clickhouse"))
_TEST_DIRECTORIES = frozenset({"testdata", "test", "tests", "fixtures", "examples", "example"})
_CLEARLY_LARGER = 4
_NUMBERED = re.compile(r"[Vv]?\d+\D.*\.sql")
_FEW, _HINTS = 3, 3
_WITH_SUBDIRECTORIES = frozenset({"flyway"})
_BELOW = _WITH_SUBDIRECTORIES | {"directories"}
_OF_THE_WHOLE_TREE = frozenset({"alembic", "django", "sqlc"})


@dataclass(frozen=True, slots=True)
class _Candidate:
    directory: str
    convention: str
    count: int
    paths: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.directory or '.'} ({self.convention}, {self.count})"


def detect(
    workspace: Workspace,
    directory: str | None = None,
    convention: str | None = None,
    concerns: Callable[[bytes], bool] | None = None,
) -> History:
    """The migrations in `directory` (or a file; relative to the root), or those found by looking for them.

    `concerns` tells text about the tables in question: where several directories hold migrations, one that is about
    them comes first. Without any migration the history is empty and has a note that says so. Raises `ScanError`
    where the directory does not exist or two directories are equally likely.
    """
    if convention is not None and convention not in CONVENTIONS:
        raise ScanError(f"unknown migration convention {convention!r}: one of {', '.join(CONVENTIONS)}")
    if directory is not None:
        return _given(workspace, workspace.inside(directory), convention)
    found: list[_Candidate] = []
    foreign: list[_Candidate] = []
    for tier in _TIERS:
        if found and tier != _PROGRAMS and (concerns is None or tier != _LAST):
            continue
        every = [item for name in tier if convention in (None, name) for item in _candidates(workspace, name)]
        candidates = [item for item in every if not _is_foreign(item)]
        foreign += [item for item in every if _is_foreign(item)]
        if candidates and _fit(candidates, workspace, concerns):
            return _load_best(workspace, candidates, foreign, concerns)
        found = found or candidates
    if found:
        return _load_best(workspace, found, foreign, concerns)
    return History("", convention or "", notes=(_not_found(workspace), *_unused(foreign)))


def _is_foreign(candidate: _Candidate) -> bool:
    """Whether the directory is called like another database than PostgreSQL."""
    return not _OTHER_DATABASES.isdisjoint(candidate.directory.lower().split("/"))


def _unused(candidates: Iterable[_Candidate]) -> list[str]:
    return [f"other migrations, not used: {item}" for item in sorted(map(str, candidates))]


def _not_found(workspace: Workspace) -> str:
    """What to do: numbered files that a runner of the project's own may take are worth a hint, and no more."""
    counts = {
        directory: sum(1 for path in paths if _NUMBERED.match(basename(path)))
        for directory, paths in _directories(workspace.all_paths)
    }
    likely = sorted((item for item in counts if counts[item] >= _FEW), key=lambda item: (-counts[item], item))
    listed = ", ".join(f"{item or '.'} ({counts[item]} files)" for item in likely[:_HINTS])
    hint = f" (SQL files with numbers are in {listed})" if likely else ""
    return f"no migrations found: name their directory with --migrations{hint}"


def _given(workspace: Workspace, directory: str, convention: str | None) -> History:
    if directory in set(workspace.all_paths) | workspace.unreadable.keys():
        paths: tuple[str, ...] = (directory,)
    else:
        below = _below(directory, workspace.all_paths)
        if not below:
            where = f"{directory or '.'}: no such file or directory with files in the {workspace.tree.label}"
            raise ScanError(f"migrations in {where}")
        paths = _of_directory(below, directory)
    name = convention or _convention_of(directory, paths, workspace)
    if name in _OF_THE_WHOLE_TREE:
        paths = tuple(workspace.all_paths)
    elif name in _BELOW and paths != (directory,):
        paths = tuple(_below(directory, workspace.all_paths))
    history = CONVENTIONS[name].load(directory, paths, workspace.read)
    if not history.migrations and not history.problems:
        message = f"no migrations of the {name} convention in {directory or '.'}"
        return replace(history, problems=(problem("no-migrations", message, directory, anything=True),))
    return history


def _below(directory: str, paths: Iterable[str]) -> list[str]:
    prefix = f"{directory}/" if directory else ""
    return [path for path in paths if path.startswith(prefix)]


def _of_directory(below: Sequence[str], directory: str) -> tuple[str, ...]:
    """The files right in the directory, as the tools take them; without SQL among them, all below it."""
    direct = tuple(path for path in below if dirname(path) == directory)
    return direct if any(path.endswith(".sql") for path in direct) else tuple(below)


def _convention_of(directory: str, paths: Sequence[str], workspace: Workspace) -> str:
    for tier in _TIERS[:-1]:
        counts = {name: CONVENTIONS[name].recognise(paths, workspace.read) for name in tier}
        best, *others = sorted(counts, key=lambda name: -counts[name])
        second = others[0] if others else best
        if counts[second] and counts[best] < _CLEARLY_LARGER * counts[second] and best != second:
            raise ScanError(_several(_Candidate(directory, name, counts[name], ()) for name in (best, second)))
        if counts[best]:
            return best
    return _TIERS[-1][0]


def _candidates(workspace: Workspace, name: str) -> Iterable[_Candidate]:
    """Where a convention is recognised: in directories with SQL files, or in single files that are called so."""
    places: Iterable[tuple[str, list[str]]]
    if name in _PROGRAMS:
        places = (alembic if name == "alembic" else django).places(workspace.all_paths)
    elif name == "directories":
        places = directories.places(workspace.all_paths)
    elif name in _SQL:
        places = _directories(workspace.all_paths)
    else:
        places = ((path, [path]) for path in workspace.all_paths)
    found = [
        _Candidate(directory, name, count, tuple(paths))
        for directory, paths in places
        if (count := CONVENTIONS[name].recognise(paths, workspace.read))
    ]
    if name == "sqlc":
        return [replace(item, paths=sqlc.files(item.directory, workspace.all_paths, workspace.read)) for item in found]
    return _with_subdirectories(found)


def _directories(paths: Iterable[str]) -> Iterable[tuple[str, list[str]]]:
    directories: dict[str, list[str]] = {}
    for path in paths:
        if path.endswith(".sql"):
            directories.setdefault(dirname(path), []).append(path)
    return directories.items()


def _with_subdirectories(candidates: Sequence[_Candidate]) -> Iterable[_Candidate]:
    """Where a tool reads subdirectories too, what is found there belongs to the candidate above."""
    for item in candidates:
        alike = [other for other in candidates if other.convention == item.convention in _WITH_SUBDIRECTORIES]
        if any(item is not other and _below(other.directory, [item.paths[0]]) for other in alike):
            continue
        inside = [other for other in alike if _below(item.directory, [other.paths[0]])] or [item]
        paths = tuple(path for other in inside for path in other.paths)
        yield replace(item, count=sum(other.count for other in inside), paths=paths)


def _fit(candidates: Sequence[_Candidate], workspace: Workspace, concerns: Callable[[bytes], bool] | None) -> bool:
    """Whether one of the candidates is no test's, and about the tables in question."""
    serious = [item for item in candidates if _TEST_DIRECTORIES.isdisjoint(item.directory.lower().split("/"))]
    return bool(serious) and (concerns is None or any(_about(item, workspace, concerns) for item in serious))


def _load_best(
    workspace: Workspace,
    candidates: Sequence[_Candidate],
    foreign: Sequence[_Candidate],
    concerns: Callable[[bytes], bool] | None,
) -> History:
    best = _without(candidates, _TEST_DIRECTORIES)
    if len(best) > 1 and concerns is not None:
        best = [item for item in best if _about(item, workspace, concerns)] or best
    best = sorted(_named_by_sqlc(best, workspace), key=lambda item: (-item.count, item.directory))
    if len(best) > 1 and best[0].count < _CLEARLY_LARGER * best[1].count:
        raise ScanError(_several(best))
    history = _given(workspace, best[0].directory, best[0].convention)
    others = [item for item in (*candidates, *foreign) if item is not best[0]]
    return replace(history, notes=(*history.notes, *_unused(others)))


def _named_by_sqlc(candidates: Sequence[_Candidate], workspace: Workspace) -> Sequence[_Candidate]:
    """Among several, the one that a configuration of sqlc names as the schema."""
    if len(candidates) < 2:
        return candidates
    configurations = sqlc.configurations(workspace.all_paths)
    named = {path for item in configurations for schema in sqlc.schemas(item, workspace.read) for path in schema}
    return [item for item in candidates if item.directory in named] or candidates


def _several(candidates: Iterable[_Candidate]) -> str:
    found = list(candidates)
    listed = ", ".join(map(str, found))
    if len({item.directory for item in found}) > 1:
        return f"several directories hold migrations: {listed}. Name one with --migrations DIR"
    return (
        f"several conventions claim the migrations: {listed}. Name one in the rule, with `directory` and `convention`"
    )


def _without(candidates: Sequence[_Candidate], names: frozenset[str]) -> Sequence[_Candidate]:
    """Those that do not lie in a directory of such a name, unless all do."""
    return [item for item in candidates if names.isdisjoint(item.directory.lower().split("/"))] or candidates


def _about(candidate: _Candidate, workspace: Workspace, concerns: Callable[[bytes], bool]) -> bool:
    if candidate.convention in _PROGRAMS:
        history = _given(workspace, candidate.directory, candidate.convention)
        return any(concerns(script.text) for item in history.migrations for script in item.scripts)
    sources = (workspace.read(path) for path in candidate.paths)
    return any(source is not None and concerns(source.data) for source in sources)
