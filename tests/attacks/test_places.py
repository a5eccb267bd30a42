"""Where SQL stands: directories of other databases that code for PostgreSQL takes from, and symbolic links."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from legacy_ref_scan.rules import adhoc_rule
from legacy_ref_scan.scan import Request, scan
from tests.attacks.attack import BASE, COLUMN, Attack, report_on

USE = "SELECT error_message FROM campaign_phases;\n"
BOTH = {"store/sqlite/all.sql": USE, "store/postgres/other.sql": "SELECT 1;\n"}


def _embedding(pattern: str, driver: str = "github.com/lib/pq") -> str:
    imports = f'import (\n\t"database/sql"\n\t"embed"\n\t_ "{driver}"\n)\n'
    return f"package store\n\n{imports}\n//go:embed {pattern}\nvar files embed.FS\n"


@pytest.mark.parametrize(
    ("files", "verdict"),
    [
        ({}, "clean"),
        ({"store/a.go": _embedding("sqlite/*.sql")}, "referenced"),
        ({"store/a.go": _embedding("all:sqlite")}, "referenced"),
        ({"store/a.go": _embedding("sqlite/*.sql postgres/*.sql")}, "clean"),
        ({"store/a.go": _embedding("sqlite/*.sql"), "store/b.go": _embedding("postgres")}, "clean"),
        ({"store/a.go": _embedding("sqlite/*.sql", "modernc.org/sqlite")}, "clean"),
        ({"store/sqlite/a.go": _embedding("*.sql")}, "referenced"),
        ({"store/sqlite/a.go": _embedding("*.sql", "modernc.org/sqlite")}, "clean"),
        ({"store/a.py": 'connection.execute(open("store/sqlite/all.sql").read())\n'}, "referenced"),
        ({"store/a.py": 'connection.execute(open(f"store/{kind}/all.sql").read())\n'}, "clean"),
        ({"ops/run.sh": "#!/bin/sh\npsql -f store/sqlite/all.sql\n"}, "referenced"),
        ({"store/postgres/run.sql": "\\i ../sqlite/all.sql\n"}, "referenced"),
    ],
)
def test_sql_of_another_database(files: Mapping[str, str], verdict: str) -> None:
    assert report_on(Attack("", files={**BOTH, **files})).verdict == verdict


def test_go_of_another_database_that_code_for_postgres_imports() -> None:
    imports = 'import (\n\t"database/sql"\n\t_ "github.com/lib/pq"\n\t"x/store/PACKAGE"\n)\n'
    files = {
        "go.mod": "module x\n",
        "store/sqlite/q.go": 'package sqlite\n\nconst Query = "SELECT error_message FROM campaign_phases"\n',
        "store/postgres/s.go": f"package postgres\n\n{imports}\nfunc f(db *sql.DB) {{ db.Exec(sqlite.Query) }}\n",
    }
    other = {path: text.replace("PACKAGE", "other") for path, text in files.items()}
    assert report_on(Attack("", files=other)).verdict == "clean"
    taken = {path: text.replace("PACKAGE", "sqlite") for path, text in files.items()}
    assert report_on(Attack("", files=taken)).verdict == "referenced"


@pytest.mark.parametrize(
    ("path", "link", "target"),
    [
        ("store/sqlite/all.sql", "store/postgres/all.sql", "../sqlite/all.sql"),
        ("store/sqlite/all.sql", "store/postgres", "sqlite"),
        ("docs/query.md", "store/query.sql", "../docs/query.md"),
    ],
)
def test_a_link_to_a_file_that_is_called_otherwise(tmp_path: Path, path: str, link: str, target: str) -> None:
    for name, text in {path: USE, "migrations/1_base.up.sql": BASE, "store/main.go": "package store\n"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    request = Request(root=tmp_path, rules=(adhoc_rule([COLUMN]),))
    (tmp_path / link).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / link).symlink_to(target)
    assert scan(request).report.verdict == "referenced"
