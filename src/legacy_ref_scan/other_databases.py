"""Which files are written for another database: what their directories are called, and which drivers they import."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
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
        if home is None:
            return False
        return self._talks_elsewhere(*home) if source.language == "go" else not self._only_postgres(home[0])

    def is_taken(self, source: SourceFile, containing: Callable[[str, Sequence[str]], Sequence[SourceFile]]) -> bool:
        """Whether code for PostgreSQL takes a SQL file that `hold` keeps: it embeds or reads this one, and none beside.

        `containing` gives the files of a language with one of some words, as `ScanProject.containing` does.
        """
        home = self._homes.get(dirname(source.path))
        if home is None or not home[1]:
            return False
        directory, beside = home
        links = (link for link, target in self.workspace.links.items() if f"{source.path}/".startswith(f"{target}/"))
        if any(not link.startswith(f"{directory}/") for link in links):
            return True
        word = basename(directory)
        code = [
            *(file for language in ("go", "python", "sql") for file in containing(language, [word])),
            *self._scripts,
        ]
        above = [file for file in code if not file.path.startswith(f"{directory}/") and _takes(file, directory, source)]
        name = re.escape(basename(beside).encode())
        both = re.compile(rb"[\"'`/ ]%s[\"'`/]|go:embed[^\n]*\b%s(?![\w-])" % (name, name))
        return any(not self._chooses(file, both) for file in above)

    def _chooses(self, file: SourceFile, beside: re.Pattern[bytes]) -> bool:
        """Whether code speaks of the files for PostgreSQL too, or its package has a driver of another database."""
        folder = dirname(file.path)
        package = [text for path, text in self._texts(folder) if dirname(path) == folder]
        return _import_one(package, _OTHER_DRIVERS) or any(beside.search(text) for text in (file.data, *package))

    @cached_property
    def _scripts(self) -> list[SourceFile]:
        paths = (path for path in self.workspace.paths if path.endswith(_SCRIPTS))
        return [source for path in paths if (source := self.workspace.read(path)) is not None]

    def _only_postgres(self, home: str) -> bool:
        own = list(self._code(home))
        return _import_one(own, _POSTGRES_DRIVERS) and not _import_one(own, _OTHER_DRIVERS)

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
                bool(beside)
                and not _EVERYDAY.search(name)
                and _import_one(self._code(beside), _POSTGRES_DRIVERS)
                and not _import_one(self._code(beside), (f'/{basename(home)}"'.encode(),))
            )
            self._elsewhere[home] = other and not postgres
        return self._elsewhere[home]

    def _code(self, directory: str) -> Iterator[bytes]:
        return (text for path, text in self._texts(directory) if path.endswith(".go"))

    def _texts(self, directory: str) -> Iterator[tuple[str, bytes]]:
        """The Go and Python files in a directory and below."""
        for path in self.workspace.paths:
            if (not directory or path.startswith(f"{directory}/")) and path.endswith((".go", ".py")):
                source = self.workspace.read(path)
                if source is not None:
                    yield path, source.data


_SCRIPTS = (".sh", ".bash", "Makefile", "Dockerfile", ".mk")
_EMBED = re.compile(rb"^//go:embed[ \t]+([^\r\n]+)", re.MULTILINE)


def _takes(code: SourceFile, home: str, source: SourceFile) -> bool:
    """Whether a file of code embeds a file of the directory `home`, or names it by its path."""
    inside = source.path.removeprefix(f"{home}/")
    if f"{basename(home)}/{inside}".encode() in code.data:
        return True
    folder = f"{dirname(code.path)}/" if "/" in code.path else ""
    patterns = [pattern for found in _EMBED.findall(code.data) for pattern in found.decode("utf-8", "replace").split()]
    if not source.path.startswith(folder):
        return False
    parts = source.path.removeprefix(folder).split("/")
    ways = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
    return any(fnmatchcase(way, pattern.strip('"`').removeprefix("all:")) for pattern in patterns for way in ways)


def _import_one(code: Iterable[bytes], drivers: tuple[bytes, ...]) -> bool:
    return any(driver in data for data in code for driver in drivers)
