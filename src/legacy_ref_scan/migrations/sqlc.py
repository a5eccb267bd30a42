"""sqlc: a configuration names the schema of a package, as files, directories or globs of what other tools keep.

The keys are those of its "Configuration" page, versions 1 and 2; which files count is in its `internal/sql/sqlpath`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from posixpath import dirname, join, normpath

from legacy_ref_scan.migrations import dbmate, golang_migrate, goose, schema_file, sql_migrate, tern
from legacy_ref_scan.migrations.history import Convention, History, Read, problem
from legacy_ref_scan.model import ScanError

_NAMES = frozenset({"sqlc.yaml", "sqlc.yml", "sqlc.json"})
_INSIDE: tuple[Convention, ...] = (golang_migrate, goose, sql_migrate, dbmate, tern)
_GLOB = re.compile(r"[*?\[]")

Schema = tuple[str, ...]
"""The paths of one package's schema, relative to the root."""


def recognise(paths: Sequence[str], read: Read) -> int:
    """Counts the configurations that name a PostgreSQL schema."""
    return sum(1 for path in configurations(paths) if schemas(path, read))


def configurations(paths: Sequence[str]) -> list[str]:
    """The configuration files among the paths."""
    return [path for path in paths if path.rpartition("/")[2] in _NAMES]


def files(configuration: str, paths: Sequence[str], read: Read) -> tuple[str, ...]:
    """The files that make the schemas of a configuration."""
    return tuple(path for schema in schemas(configuration, read) for entry in schema for path in _chosen(entry, paths))


def load(directory: str, paths: Sequence[str], read: Read) -> History:
    """See `Convention.load`. `directory` is a configuration or where one lies, `paths` are those of the whole tree.

    A schema that is one directory of another tool's migrations is that tool's history. Raises `ScanError` where
    packages have different schemas.
    """
    prefix = f"{directory}/" if directory else ""
    found = [path for path in configurations(paths) if path == directory or path.startswith(prefix)]
    wanted = {schema: path for path in found for schema in schemas(path, read)}
    largest = max(wanted, key=len, default=())
    if any(not set(schema) <= set(largest) for schema in wanted):
        listed = "; ".join(f"{' '.join(schema)} ({path})" for schema, path in wanted.items())
        raise ScanError(f"sqlc names several schemas: {listed}. Name one directory with --migrations DIR")
    if not largest:
        return History(directory, "sqlc")
    return _merged(wanted[largest], [_entry(item, wanted[largest], paths, read) for item in largest])


def schemas(path: str, read: Read) -> list[Schema]:
    """The different schemas of the PostgreSQL packages of a configuration; none where it can't be read."""
    source = read(path)
    document = _parsed(source.data) if source is not None else None
    if not isinstance(document, Mapping):
        return []
    packages = [*_packages(document, "packages"), *_packages(document, "sql")]
    # In version 1 the engine may be left out; it is PostgreSQL's then.
    of_postgres = [package for package in packages if package.get("engine", "postgresql") == "postgresql"]
    found = (_paths(package.get("schema"), dirname(path)) for package in of_postgres)
    return list(dict.fromkeys(schema for schema in found if schema))


def _parsed(data: bytes) -> object:
    import yaml  # late: few repositories have such a file; JSON is YAML too

    try:
        return yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _packages(document: Mapping[object, object], key: str) -> list[Mapping[object, object]]:
    listed = document.get(key)
    return [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []


def _paths(value: object, base: str) -> Schema:
    listed = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    joined = (normpath(join(base, item)) for item in listed if isinstance(item, str) and item)
    return tuple("" if path == "." else path for path in joined)


def _chosen(entry: str, paths: Sequence[str]) -> list[str]:
    """What one path of a schema stands for: a file, the files right in a directory, or those that match a glob."""
    if _GLOB.search(entry):
        return [path for path in paths if fnmatchcase(path, entry) and path.count("/") == entry.count("/")]
    return [path for path in paths if path == entry or dirname(path) == entry]


def _entry(entry: str, configuration: str, paths: Sequence[str], read: Read) -> History:
    chosen = _chosen(entry, paths)
    if not any(path.endswith(".sql") for path in chosen):
        message = f"{configuration} names the schema {entry}, and no SQL file is there"
        return History(entry, "sqlc", problems=(problem("migration-missing", message, configuration, anything=True),))
    best = max(_INSIDE, key=lambda convention: convention.recognise(chosen, read))
    return (best if best.recognise(chosen, read) else schema_file).load(entry, chosen, read)


def _merged(configuration: str, parts: Sequence[History]) -> History:
    note = f"{configuration} names the schema"
    if len(parts) == 1 and parts[0].convention not in ("sqlc", "schema-file"):
        return replace(parts[0], notes=(note, *parts[0].notes))
    migrations = tuple(item for part in parts for item in part.migrations)
    problems = tuple(item for part in parts for item in part.problems)
    return History(configuration, "sqlc", migrations, problems, (note, *(n for part in parts for n in part.notes)))
