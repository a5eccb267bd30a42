"""Finds the migrations of a repository and reads them in the order in which they run.

A convention is a module with `recognise` and `load`, listed in `CONVENTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from posixpath import dirname

from legacy_ref_scan.migrations import dbmate, flyway, golang_migrate, goose, schema_file, sql_migrate, tern
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
    "schema-file": schema_file,
}
"""Each convention by its name in a rule; the first that recognises a directory is asked first."""

_OTHER_DATABASES = frozenset({"sqlite", "sqlite3", "mysql", "mariadb", "mssql", "sqlserver", "clickhouse", "oracle"})
_TEST_DIRECTORIES = frozenset({"testdata", "test", "tests", "fixtures", "examples", "example"})
_CLEARLY_LARGER = 4
_WITH_SUBDIRECTORIES = frozenset({"flyway"})


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
    candidates = list(_candidates(workspace, convention))
    if not candidates:
        return History("", convention or "", notes=("no migrations found: name their directory with --migrations",))
    return _load_best(workspace, candidates, concerns)


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
    if name in _WITH_SUBDIRECTORIES and paths != (directory,):
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
    counts = {name: CONVENTIONS[name].recognise(paths, workspace.read) for name in CONVENTIONS if name != "schema-file"}
    best, second, *_ = sorted(counts, key=lambda name: -counts[name])
    if counts[second] and counts[best] < _CLEARLY_LARGER * counts[second]:
        raise ScanError(_several(_Candidate(directory, name, counts[name], ()) for name in (best, second)))
    return best if counts[best] else "schema-file"


def _candidates(workspace: Workspace, convention: str | None) -> Iterable[_Candidate]:
    """Directories with migrations; only where there are none, single files that are called as a schema is."""
    directories: dict[str, list[str]] = {}
    for path in workspace.all_paths:
        if path.endswith(".sql"):
            directories.setdefault(dirname(path), []).append(path)
    names = [name for name in CONVENTIONS if name != "schema-file" and convention in (None, name)]
    found = [
        _Candidate(directory, name, count, tuple(paths))
        for directory, paths in directories.items()
        for name in names
        if (count := CONVENTIONS[name].recognise(paths, workspace.read))
    ]
    if found or convention not in (None, "schema-file"):
        return _with_subdirectories(found)
    files = (path for path in workspace.all_paths if schema_file.recognise([path], workspace.read))
    return [_Candidate(path, "schema-file", 1, (path,)) for path in files]


def _with_subdirectories(candidates: Sequence[_Candidate]) -> Iterable[_Candidate]:
    """Where a tool reads subdirectories too, what is found there belongs to the candidate above."""
    for item in candidates:
        alike = [other for other in candidates if other.convention == item.convention in _WITH_SUBDIRECTORIES]
        if any(item is not other and _below(other.directory, [item.paths[0]]) for other in alike):
            continue
        inside = [other for other in alike if _below(item.directory, [other.paths[0]])] or [item]
        paths = tuple(path for other in inside for path in other.paths)
        yield replace(item, count=sum(other.count for other in inside), paths=paths)


def _load_best(
    workspace: Workspace, candidates: Sequence[_Candidate], concerns: Callable[[bytes], bool] | None
) -> History:
    best = _without(_without(candidates, _OTHER_DATABASES), _TEST_DIRECTORIES)
    if len(best) > 1 and concerns is not None:
        best = [item for item in best if _about(item, workspace, concerns)] or best
    best = sorted(best, key=lambda item: (-item.count, item.directory))
    if len(best) > 1 and best[0].count < _CLEARLY_LARGER * best[1].count:
        raise ScanError(_several(best))
    history = _given(workspace, best[0].directory, best[0].convention)
    others = sorted(str(item) for item in candidates if item is not best[0])
    return replace(history, notes=(*history.notes, *(f"other migrations, not used: {item}" for item in others)))


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
    sources = (workspace.read(path) for path in candidate.paths)
    return any(source is not None and concerns(source.data) for source in sources)
