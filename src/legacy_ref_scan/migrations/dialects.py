"""Migrations in several dialects side by side, as pop runs them: `{version}_{title}.{dialect}.up.sql`.

The rule is that of pop's `UpMigrations.SortAndFilter`: of one version the file in the database's own dialect runs, else
the one without a dialect, else none. `.autocommit` may follow the dialect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

_SUFFIX = re.compile(
    r"(?P<title>.*?)(?:\.(?P<dialect>postgres(?:ql)?|cockroach|mysql|mariadb|sqlite3?|sqlserver))?(?:\.autocommit)?",
    re.DOTALL,
)
OTHER_DATABASES = ("sqlite3", "sqlite", "mysql", "mariadb", "mssql", "sqlserver", "oracle")
"""What directories of SQL for another database are called, longer names before their beginnings."""
_POSTGRES = frozenset({"postgres", "postgresql"})

T = TypeVar("T")
Key = Callable[[T], tuple[int, str]]


def in_dialects(files: Iterable[T], key: Key[T], title: Callable[[T], str]) -> bool:
    """Whether two files differ in their dialect alone. Where none do, the suffixes are a part of the titles."""
    return any(_differ([title(file) for file in group]) for group in _grouped(files, key))


def for_postgres(files: Iterable[T], key: Key[T], title: Callable[[T], str]) -> list[T]:
    """The files that run on PostgreSQL: of those with one `key`, a version and a direction, a dialect chooses."""
    return [file for group in _grouped(files, key) for file in _chosen(group, title)]


def _grouped(files: Iterable[T], key: Key[T]) -> Iterable[list[T]]:
    groups: dict[tuple[int, str], list[T]] = {}
    for file in files:
        groups.setdefault(key(file), []).append(file)
    return groups.values()


def _differ(titles: Sequence[str]) -> bool:
    split = [_split(title) for title in titles]
    return len(split) > 1 and len({name for name, _ in split}) == 1 and len({dialect for _, dialect in split}) > 1


def _chosen(group: Sequence[T], title: Callable[[T], str]) -> list[T]:
    own = [file for file in group if _split(title(file))[1] in _POSTGRES]
    return own or [file for file in group if _split(title(file))[1] is None]


def _split(title: str) -> tuple[str, str | None]:
    match = _SUFFIX.fullmatch(title)
    assert match is not None  # every part is optional
    return match["title"], match["dialect"]
