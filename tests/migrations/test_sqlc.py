"""The schema that a configuration of sqlc names."""

from __future__ import annotations

from pathlib import Path

import pytest

from legacy_ref_scan.migrations import detect
from legacy_ref_scan.migrations.history import History
from legacy_ref_scan.model import ScanError, Verdict
from legacy_ref_scan.rules import adhoc_rule
from legacy_ref_scan.scan import Request, scan
from tests.migrations.test_detect import GOOSE, UP, pairs, write

ONE = "version: '1'\npackages:\n  - path: db\n    queries: q\n    schema: {}\n"
TWO = "version: '2'\nsql:\n  - engine: {}\n    queries: q\n    schema: {}\n"


@pytest.fixture(autouse=True)
def _outside_of_any_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))


def paths(history: History) -> list[str]:
    return [item.path for item in history.migrations]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("db/sqlc.yaml", ONE.format("ddl/tables.sql")),
        ("db/sqlc.yml", TWO.format("postgresql", "ddl/tables.sql")),
        ("db/sqlc.json", '{"version": "1", "packages": [{"engine": "postgresql", "schema": ["./ddl/tables.sql"]}]}'),
        ("db/sqlc.yaml", TWO.format("'postgresql'", "ddl")),
        ("db/sqlc.yaml", TWO.format("postgresql", '["../db/ddl/t*.sql"]')),
    ],
)
def test_a_schema_file(tmp_path: Path, name: str, text: str) -> None:
    workspace = write(tmp_path, {name: text, "db/ddl/tables.sql": UP, "db/q/a.sql": "SELECT 1"})
    for history in (detect(workspace), detect(workspace, name), detect(workspace, "db", "sqlc")):
        assert (history.directory, history.convention, paths(history)) == (name, "sqlc", ["db/ddl/tables.sql"])
        assert history.notes == (f"{name} names the schema",)


def test_files_run_in_the_order_of_the_list(tmp_path: Path) -> None:
    files = {"sqlc.yaml": TWO.format("postgresql", "[z.sql, m, a.sql]"), "z.sql": UP, "a.sql": UP}
    history = detect(write(tmp_path, {**files, **pairs("m", 2)}), "sqlc.yaml")
    assert paths(history) == ["z.sql", "m/000001_m.up.sql", "m/000002_m.up.sql", "a.sql"]


def test_a_directory_of_another_tool_is_that_tools_history(tmp_path: Path) -> None:
    files = {"sqlc.yaml": TWO.format("postgresql", "sql/schema"), "sql/schema/1_a.sql": GOOSE}
    history = detect(write(tmp_path, files), "sqlc.yaml")
    assert (history.directory, history.convention, paths(history)) == ("sql/schema", "goose", ["sql/schema/1_a.sql"])


def test_among_several_directories_the_one_that_is_named(tmp_path: Path) -> None:
    workspace = write(tmp_path, pairs("a", 2) | pairs("b", 2) | {"sqlc.yaml": TWO.format("postgresql", "b")})
    assert detect(workspace).directory == "b"
    write(tmp_path, {"sqlc.yaml": TWO.format("mysql", "b")})
    with pytest.raises(ScanError, match="several directories"):
        detect(workspace)


def test_a_tool_comes_before_a_schema_that_only_sqlc_reads(tmp_path: Path) -> None:
    files = {"sqlc.yaml": TWO.format("postgresql", "schema.sql"), "schema.sql": UP}
    assert detect(write(tmp_path, files | pairs("m", 1))).directory == "m"


@pytest.mark.parametrize(
    "text", ["- [", "a: &a [*a]", "version: 2", "sql: 3", "sql: [{schema: 1}, 2]", "\x00", "!!x y"]
)
def test_what_is_no_configuration(tmp_path: Path, text: str) -> None:
    history = detect(write(tmp_path, {"sqlc.yaml": text, "schema.sql": UP}))
    assert history.convention == "schema-file"


def test_different_schemas_are_asked_for_unless_one_holds_all(tmp_path: Path) -> None:
    package = "  - {{engine: postgresql, schema: {}, queries: q}}\n"
    text = "version: '2'\nsql:\n" + package.format("[a.sql]") + package.format("[a.sql, b.sql]")
    workspace = write(tmp_path, {"sqlc.yaml": text, "a.sql": UP, "b.sql": UP, "c.sql": UP})
    assert paths(detect(workspace)) == ["a.sql", "b.sql"]
    write(tmp_path, {"sqlc.yaml": text + package.format("[c.sql]")})
    message = r"sqlc names several schemas: a.sql \(sqlc.yaml\); a.sql b.sql \(sqlc.yaml\); c.sql \(sqlc.yaml\)"
    with pytest.raises(ScanError, match=message):
        detect(workspace)


def test_a_schema_that_is_not_there_leaves_every_table_open(tmp_path: Path) -> None:
    write(tmp_path, {"sqlc.yaml": TWO.format("postgresql", "[t.sql, gone]"), "t.sql": UP, "a.go": "package a\n"})
    report = scan(Request(root=tmp_path, rules=(adhoc_rule(["t.c"]),))).report
    assert report.verdict is Verdict.UNKNOWN
    assert [(gap.span.path, gap.reason) for gap in report.gaps] == [("sqlc.yaml", "migration-missing")]


QUERIES = """\
-- name: Get :one
SELECT sqlc.embed(t), sqlc.embed(o) FROM t JOIN o ON o.id = t.id WHERE o.id = sqlc.arg(id);  -- star

-- name: List :many
SELECT id FROM t WHERE id = ANY(sqlc.slice('ids')) AND id > @low AND (sqlc.narg('high')::int IS NULL OR id < 9);

-- name: Set :exec
UPDATE t SET c = sqlc.narg(c), id = @c WHERE id = sqlc.arg('c')::int;  -- write

-- name: Both :exec
INSERT INTO t (id, c) VALUES (@id, coalesce(sqlc.narg('c'), 'x'));  -- write

-- name: None :exec
DELETE FROM t WHERE id = sqlc.arg(c) OR id = ANY(sqlc.slice(c)) OR id = sqlc.narg( c );
"""


def test_queries_resolve_with_their_macros(tmp_path: Path) -> None:
    schema = "CREATE TABLE t (id int, c text);\nCREATE TABLE o (id int);\n"
    files = {"sqlc.yaml": TWO.format("postgresql", "schema.sql"), "schema.sql": schema, "q/q.sql": QUERIES}
    write(tmp_path, files)
    report = scan(Request(root=tmp_path, rules=(adhoc_rule(["t.c"]),))).report
    wanted = [line.rpartition("-- ")[2] for line in QUERIES.splitlines() if ";  -- " in line]
    found = [r for r in report.references if r.span.path == "q/q.sql"]
    assert report.gaps == ()
    assert [r.access.value for r in found] == wanted
    assert [report.files["q/q.sql"].line_of(r.span.start) for r in found] == [2, 8, 11]
