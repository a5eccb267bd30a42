"""Which files are written for another database: what their directories are called, and which drivers they import."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from posixpath import basename, dirname

from legacy_ref_scan.migrations.dialects import OTHER_DATABASES
from legacy_ref_scan.model import SourceFile
from legacy_ref_scan.workspace import Workspace

# A directory called so is for another database where one for PostgreSQL stands beside it: `sqlite` and `postgres`,
# `storesqlite` and `storepgx`.
_OTHER = re.compile(rf"(?P<head>.*?)(?:{'|'.join(OTHER_DATABASES)}|spanner|snowflake)(?P<tail>.*)")
_POSTGRES = re.compile(r"(?:postgres(?:ql)?|pgsql|psql|pgx?)(?:v?\d+)?")
# A file called so is for another database where the folder has files called so for PostgreSQL: `a.mysql.up.sql`.
_FILE_OF_OTHER = re.compile(r".+\.(?:sqlite3?|mysql|mariadb|mssql|sqlserver|cockroach)\.(?:.+\.)?sql")
_FILE_OF_POSTGRES = re.compile(r".+\.postgres(?:ql)?\.(?:.+\.)?sql")
# Databases that are called like nothing else, and whose SQL PostgreSQL never runs, whatever stands beside.
_NEVER_POSTGRES = frozenset({"clickhouse", "cassandra", "bigquery"})
# Databases whose clients are no drivers of `database/sql`: a package that imports both may copy from PostgreSQL.
_CLIENTS = frozenset({"cassandra", "bigquery"})
# Everyday words too: price oracles and snowflake ids stand beside `postgres` as well.
_EVERYDAY = re.compile(r"oracle|spanner|snowflake")
# What a Go package imports tells which database it talks to.
_POSTGRES_DRIVERS = (b"/jackc/pg", b"/lib/pq", b"gorm.io/driver/postgres", b"/go-pg/pg", b"/bun/driver/pgdriver")
_OTHER_DRIVERS = (
    b"/go-sql-driver/mysql", b"gorm.io/driver/mysql", b"/mattn/go-sqlite3", b"modernc.org/sqlite", b"/glebarez/",
    b"gorm.io/driver/sqlite", b"zombiezen.com/go/sqlite", b"/ncruces/go-sqlite3", b"/go-mssqldb",
    b"gorm.io/driver/sqlserver", b"/clickhouse-go", b"/gocql", b"cloud.google.com/go/spanner",
    b"cloud.google.com/go/bigquery", b"/gosnowflake", b"/godror", b"/go-ora",
)  # fmt: skip


class OtherDatabases:
    """Tells the SQL and Go files of a workspace that are for another database than PostgreSQL."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._homes: dict[str, tuple[str, str] | None] = {}
        self._elsewhere: dict[str, bool] = {}

    def hold(self, source: SourceFile) -> bool:
        """Whether a file is for another database; only SQL and Go files ever are."""
        if source.language not in ("sql", "go"):
            return False
        folder = dirname(source.path)
        if source.language == "sql" and self._named_for_other(folder, basename(source.path)):
            return True
        if folder not in self._homes:
            self._homes[folder] = self._home(folder)
        home = self._homes[folder]
        return home is not None and (source.language == "sql" or self._talks_elsewhere(*home))

    def _named_for_other(self, folder: str, name: str) -> bool:
        return _FILE_OF_OTHER.fullmatch(name) is not None and folder in self._with_files_of_postgres

    @cached_property
    def _with_files_of_postgres(self) -> frozenset[str]:
        paths = self.workspace.all_paths
        return frozenset(dirname(path) for path in paths if _FILE_OF_POSTGRES.fullmatch(basename(path)))

    def _home(self, folder: str) -> tuple[str, str] | None:
        """The directory above that is for another database, and the one for PostgreSQL beside it ("" for none)."""
        parts = folder.split("/")
        for depth, part in enumerate(parts):
            directory = "/".join(parts[: depth + 1])
            if part.lower() in _NEVER_POSTGRES:
                return directory, ""
            if other := _OTHER.fullmatch(part.lower()):
                beside = self._beside("/".join(parts[:depth]), other["head"], other["tail"])
                if beside:
                    return directory, beside
        return None

    def _beside(self, parent: str, head: str, tail: str) -> str:
        """A directory of PostgreSQL's in `parent` that is called alike."""
        for name in self._children.get(parent, ()):
            lower = name.lower()
            inner = lower.removeprefix(head).removesuffix(tail)
            if lower == f"{head}{inner}{tail}" and _POSTGRES.fullmatch(inner):
                return f"{parent}/{name}" if parent else name
        return ""

    @cached_property
    def _children(self) -> dict[str, set[str]]:
        """The names of the directories in each directory."""
        found: dict[str, set[str]] = {}
        for directory in {dirname(path) for path in self.workspace.all_paths}:
            while directory:
                parent, _, name = directory.rpartition("/")
                found.setdefault(parent, set()).add(name)
                directory = parent
        return found

    def _talks_elsewhere(self, home: str, beside: str) -> bool:
        """Whether the Go code in a directory talks to another database, and not to PostgreSQL.

        It imports a driver, or leaves that to its callers where PostgreSQL's is imported in the directory beside.
        """
        if home not in self._elsewhere:
            own, name = list(self._code(home)), basename(home).lower()
            postgres = _import_one(
                own, (*_POSTGRES_DRIVERS, b'"database/sql"') if name in _CLIENTS else _POSTGRES_DRIVERS
            )
            other = _import_one(own, _OTHER_DRIVERS) or (
                bool(beside) and not _EVERYDAY.search(name) and _import_one(self._code(beside), _POSTGRES_DRIVERS)
            )
            self._elsewhere[home] = other and not postgres
        return self._elsewhere[home]

    def _code(self, directory: str) -> Iterator[bytes]:
        for path in self.workspace.paths:
            if path.startswith(f"{directory}/") and path.endswith(".go"):
                source = self.workspace.read(path)
                if source is not None:
                    yield source.data


def _import_one(code: Iterable[bytes], drivers: tuple[bytes, ...]) -> bool:
    return any(driver in data for data in code for driver in drivers)
