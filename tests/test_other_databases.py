"""Which files are for another database."""

from __future__ import annotations

from pathlib import Path

import pytest

from legacy_ref_scan.other_databases import OtherDatabases
from legacy_ref_scan.workspace import Workspace

PGX = 'package x\n\nimport "github.com/jackc/pgx/v5"\n'
SQLITE = 'package x\n\nimport "modernc.org/sqlite"\n'
NONE = "package x\n"


def held(root: Path, files: dict[str, str], path: str) -> bool:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    workspace = Workspace(root)
    source = workspace.read(path)
    assert source is not None
    return OtherDatabases(workspace).hold(source)


@pytest.mark.parametrize(
    ("path", "beside", "expected"),
    [
        ("db/sqlite/a.sql", "db/postgres/a.sql", True),
        ("db/sqlite/deep/a.sql", "db/pgsql/a.sql", True),
        ("db/MySQL/a.sql", "db/Postgres/a.sql", True),
        ("db/sqlite/a.sql", "db/a.sql", False),
        ("db/sqlite/a.sql", "other/postgres/a.sql", False),
        ("storesqlite/a.sql", "storepgxv5/a.sql", True),
        ("storesqlite/a.sql", "postgres/a.sql", False),
        ("sqlite/a.sql", "pgutil/a.sql", False),
        ("db/clickhouse/a.sql", "db/a.sql", True),
        ("oracle/a.sql", "prices/a.sql", False),
        ("m/1_a.mysql.up.sql", "m/1_a.postgres.up.sql", True),
        ("m/2_b.sqlite3.sql", "m/1_a.postgresql.sql", True),
        ("m/1_a.mysql.up.sql", "m/1_a.up.sql", False),
        ("m/1_a.mysql.up.sql", "n/1_a.postgres.up.sql", False),
        ("m/1_a.postgres.up.sql", "m/1_a.mysql.up.sql", False),
    ],
)
def test_sql_files(tmp_path: Path, path: str, beside: str, expected: bool) -> None:
    assert held(tmp_path, {path: "SELECT 1", beside: "SELECT 1"}, path) is expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"store/sqlite/a.go": SQLITE, "store/postgres/a.go": PGX}, True),
        ({"store/sqlite/a.go": NONE, "store/postgres/a.go": PGX}, True),
        ({"store/sqlite/a.go": NONE, "store/sqlite/open/b.go": SQLITE, "store/pg/a.go": NONE}, True),
        ({"store/sqlite/a.go": SQLITE, "store/sqlite/b.go": PGX, "store/postgres/a.go": PGX}, False),
        ({"store/sqlite/a.go": NONE, "store/postgres/a.go": NONE}, False),
        ({"store/sqlite/a.go": SQLITE, "store/a.go": PGX}, False),
    ],
)
def test_go_files(tmp_path: Path, files: dict[str, str], expected: bool) -> None:
    assert held(tmp_path, files, "store/sqlite/a.go") is expected


@pytest.mark.parametrize(
    ("home", "imports", "expected"),
    [
        ("oracle", "database/sql", False),  # of prices
        ("oracle", "github.com/sijms/go-ora/v2", True),
        ("snowflake", "time", False),
        ("bigquery", "cloud.google.com/go/bigquery", True),
        ("bigquery", 'cloud.google.com/go/bigquery"; import "database/sql', False),  # it copies from one to the other
    ],
)
def test_go_packages_that_are_only_called_so(tmp_path: Path, home: str, imports: str, expected: bool) -> None:
    files = {f"internal/{home}/a.go": f'package x\n\nimport "{imports}"\n', "internal/postgres/a.go": PGX}
    assert held(tmp_path, files, f"internal/{home}/a.go") is expected


def test_other_files_never_are(tmp_path: Path) -> None:
    assert not held(tmp_path, {"db/sqlite/a.py": "x = 1\n", "db/postgres/a.py": "x = 1\n"}, "db/sqlite/a.py")
