"""The whole pipeline on small repositories: what one module's tests cannot show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from legacy_ref_scan.model import Explanation, Report, ScanError, Verdict
from legacy_ref_scan.rules import adhoc_rule
from legacy_ref_scan.scan import Request, scan

TABLE = "CREATE TABLE phases (id int PRIMARY KEY, message text, status text);\n"


def run(root: Path, files: dict[str, str], **request: object) -> Report:
    for name, text in {"migrations/000001_phases.up.sql": TABLE, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    request = {"rules": (adhoc_rule(["phases.message"]),), **request}
    return scan(Request(root=root, **request)).report  # type: ignore[arg-type]


def explanations(report: Report, path: str) -> set[Explanation]:
    return {claim.why for mention, claim in report.mentions if mention.span.path == path}


def test_clean_without_any_use(tmp_path: Path) -> None:
    report = run(tmp_path, {"queries.sql": "SELECT id FROM phases;"})
    assert report.verdict is Verdict.CLEAN
    assert sum(report.ledger.values()) == len(report.mentions)


@pytest.mark.parametrize("column", ["Type.inputType", "type.inputtype", '"Type".inputtype'])
def test_capitals_want_quotes(tmp_path: Path, column: str) -> None:
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    (migrations / "001_types.up.sql").write_text('CREATE TABLE "Type" (id int, "inputType" text);\n')
    with pytest.raises(ScanError, match=r"there is public\.Type\.inputType: write capitals in quotes"):
        scan(Request(root=tmp_path, rules=(adhoc_rule([column]),)))
    assert scan(Request(root=tmp_path, rules=(adhoc_rule(['"Type"."inputType"']),))).report.verdict is Verdict.CLEAN


def test_a_table_in_another_schema_wants_its_schema(tmp_path: Path) -> None:
    """`clean` for a table that is not there would read like a proof for the one that is."""
    files = {
        "migrations/000002_move.up.sql": "CREATE SCHEMA app; ALTER TABLE phases SET SCHEMA app;\n",
        "queries.sql": "SELECT id, message FROM app.phases;",
    }
    with pytest.raises(ScanError, match=r"no table public\.phases, but there is app\.phases\.message: name the schema"):
        run(tmp_path, files)
    assert run(tmp_path, files, rules=(adhoc_rule(["app.phases.message"]),)).verdict is Verdict.REFERENCED
    assert run(tmp_path, files, rules=(adhoc_rule(["public.phases.message"]),)).verdict is Verdict.CLEAN


def test_a_statement_that_cannot_be_read_is_never_clean(tmp_path: Path) -> None:
    assert run(tmp_path, {"queries.sql": "SELECT message FROM phases WHERE ((;"}).verdict is not Verdict.CLEAN


@pytest.mark.parametrize(("importer", "verdict"), [("main.go", Verdict.UNKNOWN), ("main_test.go", Verdict.CLEAN)])
def test_a_name_alone_in_a_directory_of_tests(tmp_path: Path, importer: str, verdict: Verdict) -> None:
    files = {
        "go.mod": "module example.com/app\n",
        "internal/test/seed.go": 'package test\n\nfunc Reset(c *Client) { c.Zero(phases, "message") }\n',
        "internal/test/table.go": 'package test\n\nconst phases = "phases"\n',
        f"cmd/{importer}": 'package main\n\nimport "example.com/app/internal/test"\n\nvar _ = test.Reset\n',
    }
    assert run(tmp_path, files).verdict is verdict


@pytest.mark.parametrize(
    ("statement", "reasons"),
    [
        ("CREATE VIEW v AS SELECT * FROM crosstab('SELECT id, message FROM phases') AS c(id int, a text)", ["read"]),
        ("CREATE VIEW v AS WITH x AS (SELECT query_to_xml('TABLE phases', true, true, '')) TABLE x", ["star"]),
        ("INSERT INTO reports (query) VALUES ('SELECT id, message FROM phases')", ["statement-in-literal"]),
        ("SELECT cron.schedule('j', '0 0 * * *', 'UPDATE phases SET message = NULL')", ["statement-in-literal"]),
        ("DO $$ BEGIN PERFORM keep('DELETE FROM phases WHERE message = 1'); END $$", ["statement-in-literal"]),
        ("SELECT dblink_exec('c', 'UPDATE phases SET message = NULL')", []),
    ],
)
def test_a_statement_in_a_literal_that_stays(tmp_path: Path, statement: str, reasons: list[str]) -> None:
    reports = "CREATE TABLE reports (query text);"
    report = run(tmp_path, {"migrations/000002_kept.up.sql": f"{reports}\n{statement};"})
    assert [gap.reason for gap in report.gaps] + [r.access for r in report.references if r.gating] == reasons


def test_a_table_off_the_search_path_is_reached_by_its_bare_name(tmp_path: Path) -> None:
    files = {
        "migrations/000001_phases.up.sql": "CREATE SCHEMA app; CREATE TABLE app.phases (id int, message text);",
        "queries.sql": "SELECT message FROM phases;",
    }
    rules = (adhoc_rule(["app.phases.message"]),)
    assert run(tmp_path, files, rules=rules).verdict is Verdict.REFERENCED
    files["migrations/000002_public.up.sql"] = "CREATE TABLE public.phases (id int, message text);"
    assert run(tmp_path, files, rules=rules).verdict is Verdict.CLEAN


def test_a_function_in_a_language_that_is_not_read_is_never_clean(tmp_path: Path) -> None:
    body = "plpy.execute('UPDATE phases SET message = 1')"
    function = f"CREATE FUNCTION f() RETURNS void LANGUAGE plpython3u AS $$ {body} $$;"
    report = run(tmp_path, {"migrations/000002_f.up.sql": function})
    assert [gap.reason for gap in report.gaps] == ["foreign-language"]
    dropped = run(tmp_path, {"migrations/000003_f.up.sql": "DROP FUNCTION f();"})
    assert dropped.verdict is Verdict.CLEAN


def test_a_column_that_a_trigger_hands_to_a_function_of_postgres(tmp_path: Path) -> None:
    call = "tsvector_update_trigger(status, 'pg_catalog.english', message)"
    trigger = f"CREATE TRIGGER t BEFORE INSERT ON phases FOR EACH ROW EXECUTE FUNCTION {call};"
    report = run(tmp_path, {"migrations/000002_t.up.sql": trigger})
    assert [gap.reason for gap in report.gaps] == ["foreign-function"]


def test_sql_for_another_database_beside_the_one_for_postgres(tmp_path: Path) -> None:
    drop = {"db/sqlite/x.sql": "SELECT message FROM phases;", "db/postgres/x.sql": "SELECT id FROM phases;"}
    report = run(tmp_path, drop, migrations="migrations")
    assert report.verdict is Verdict.CLEAN
    assert explanations(report, "db/sqlite/x.sql") == {Explanation.OTHER_FILE}


def test_a_directory_called_sqlite_alone_counts(tmp_path: Path) -> None:
    report = run(tmp_path, {"db/sqlite/x.sql": "SELECT message FROM phases;"}, migrations="migrations")
    assert report.verdict is Verdict.REFERENCED


def test_tags_that_reflection_reads_are_gaps(tmp_path: Path) -> None:
    store = """package store

import "reflect"

type row struct {
	Message string `db:"message"`
}

func tags(s any) string {
	text := ""
	kind := reflect.TypeOf(s)
	for i := 0; i < kind.NumField(); i++ {
		text += kind.Field(i).Tag.Get("db")
	}
	return text
}

func list(db *DB) { db.Query("SELECT " + tags(row{}) + " FROM phases") }
"""
    report = run(tmp_path, {"go.mod": "module x\n", "store.go": store})
    assert {gap.reason for gap in report.gaps} == {"dynamic-column", "tag-through-reflection"}
    assert report.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("tests", ["gate", "warn", "ignore"])
def test_what_a_test_uses_too_is_used_by_the_other_code(tmp_path: Path, tests: str) -> None:
    files = {
        "go.mod": "module x\n",
        "a_test.go": "package store\n\nfunc TestAll(t *T) { db.Query(columns + ` FROM phases`) }\n",
        "b.go": "package store\n\nfunc all(db *DB) { db.Query(columns + ` FROM phases`) }\n",
        "c.go": "package store\n\nconst columns = `SELECT message`\n",
    }
    rule = replace(adhoc_rule(["phases.message"]), tests=tests)
    report = run(tmp_path, files, rules=(rule,))
    assert [(r.span.path, r.test) for r in report.references if r.gating] == [("c.go", False)]


def test_a_column_that_is_gone_is_still_looked_for(tmp_path: Path) -> None:
    files = {
        "migrations/000002_drop.up.sql": "ALTER TABLE phases DROP COLUMN message;",
        "queries.sql": "SELECT * FROM phases;\nSELECT message FROM phases;",
    }
    report = run(tmp_path, files)
    assert [(r.access, r.span.path) for r in report.references if r.gating] == [("read", "queries.sql")]
    assert any("dropped already" in note for note in report.notes)


def test_a_column_that_is_gone_takes_no_name_from_one_that_is_there(tmp_path: Path) -> None:
    """For PostgreSQL it is not there: neither hides it the column of an outer query, nor is the name ambiguous."""
    files = {
        "migrations/000002_drop.up.sql": """
            CREATE TABLE others (key int, message text);
            ALTER TABLE phases DROP COLUMN message;""",
        "queries.sql": """
            SELECT 1 FROM others WHERE NOT EXISTS (SELECT 1 FROM phases WHERE phases.id::text = message);
            SELECT message FROM others JOIN phases ON key = id;
            SELECT p.message FROM others JOIN phases p ON key = p.id;""",
    }
    report = run(tmp_path, files)
    assert [(r.access, r.span.path) for r in report.references if r.gating] == [("read", "queries.sql")]
    assert not report.gaps


def test_without_migrations_the_table_is_assumed(tmp_path: Path) -> None:
    (tmp_path / "queries.sql").write_text("SELECT message FROM phases;\nSELECT message FROM others;")
    report = scan(Request(root=tmp_path, rules=(adhoc_rule(["phases.message"]),))).report
    assert [r.access for r in report.references] == ["read"]
    assert any("without migrations" in note for note in report.notes)


def test_a_function_that_returns_rows_of_the_table(tmp_path: Path) -> None:
    function = "CREATE FUNCTION listed() RETURNS SETOF phases LANGUAGE sql AS 'SELECT * FROM phases';"
    files = {
        "migrations/000002_f.up.sql": function,
        "queries.sql": "SELECT * FROM listed();\nSELECT id FROM listed();\nSELECT l.message FROM listed() l;",
    }
    found = [
        (r.access, r.span.path) for r in run(tmp_path, files).references if r.gating and r.span.path == "queries.sql"
    ]
    assert found == [("star", "queries.sql"), ("read", "queries.sql")]


def test_nothing_to_scan_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("phases.message")
    with pytest.raises(ScanError, match="nothing to scan"):
        scan(Request(root=tmp_path, rules=(adhoc_rule(["phases.message"]),)))


def test_the_order_of_files_changes_nothing(tmp_path: Path) -> None:
    one = run(tmp_path / "a", {"a.sql": "SELECT message FROM phases;", "b.sql": "SELECT * FROM phases;"})
    two = run(tmp_path / "b", {"b.sql": "SELECT message FROM phases;", "a.sql": "SELECT * FROM phases;"})
    assert sorted(r.access for r in one.references) == sorted(r.access for r in two.references)


def test_a_view_that_takes_the_whole_row(tmp_path: Path) -> None:
    view = "CREATE VIEW v AS SELECT to_jsonb(p) AS j FROM phases p;"
    report = run(tmp_path, {"migrations/000002_v.up.sql": view, "q.sql": "SELECT j FROM v;"})
    assert {(r.access, r.kind) for r in report.references if r.gating} >= {("star", "view")}


def test_an_inherited_column_cannot_be_dropped_from_the_child(tmp_path: Path) -> None:
    attach = (
        "CREATE TABLE parts (id int NOT NULL, message text, status text) PARTITION BY LIST (status);\n"
        "ALTER TABLE parts ATTACH PARTITION phases FOR VALUES IN ('x');"
    )
    report = run(tmp_path, {"migrations/000002_p.up.sql": attach, "q.sql": "SELECT 1;"})
    assert {(r.access, r.kind) for r in report.references if r.gating} == {("depend", "inheritance")}


def test_triggers_that_a_migration_makes_in_a_way_not_known(tmp_path: Path) -> None:
    made = """
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.message := 'x'; RETURN NEW; END $$;
DO $$
DECLARE t text;
BEGIN
    FOR t IN SELECT tablename FROM pg_tables LOOP
        EXECUTE format('CREATE TRIGGER n BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION note()', t);
    END LOOP;
END $$;
"""
    report = run(tmp_path, {"migrations/000002_t.up.sql": made, "q.sql": "SELECT 1;"})
    assert report.verdict is Verdict.UNKNOWN
    assert "dynamic-record" in {gap.reason for gap in report.gaps}


def test_a_statement_that_a_migration_hands_to_a_scheduler(tmp_path: Path) -> None:
    job = "SELECT cron.schedule('x', '* * * * *', $$UPDATE phases SET message = NULL$$);"
    report = run(tmp_path, {"migrations/000002_j.up.sql": job, "q.sql": "SELECT 1;"})
    assert [gap.reason for gap in report.gaps] == ["statement-in-literal"]


def test_a_statement_about_something_else_that_was_not_replayed_is_said(tmp_path: Path) -> None:
    report = run(
        tmp_path, {"migrations/000002_x.up.sql": "ALTER TABLE nowhere ADD COLUMN a int;", "q.sql": "SELECT 1;"}
    )
    assert report.verdict is Verdict.CLEAN
    assert any("not replayed" in note and "000002_x.up.sql" in note for note in report.notes)


IN_GO = """package store

func labels() map[string]string {
	return map[string]string{"message": "phases"}
}
"""


def test_a_name_alone_in_a_test_is_listed_and_does_not_gate(tmp_path: Path) -> None:
    report = run(tmp_path, {"store/labels_test.go": IN_GO})
    assert report.verdict is Verdict.CLEAN
    assert [item.kind for item in report.residue] == ["test"]
    assert run(tmp_path, {"store/labels.go": IN_GO}).verdict is Verdict.UNKNOWN


def test_a_statement_in_a_test_gates(tmp_path: Path) -> None:
    code = 'package store\n\nvar q = "SELECT message FROM phases"\n'
    assert run(tmp_path, {"store/store_test.go": code}).verdict is Verdict.REFERENCED


def test_an_index_of_several_columns_is_listed_and_gates_where_the_rule_says_so(tmp_path: Path) -> None:
    files = {"migrations/000002_i.up.sql": "CREATE INDEX both ON phases (status, message);"}
    assert run(tmp_path, files).verdict is Verdict.CLEAN
    strict = replace(adhoc_rule(["phases.message"]), shared="gate")
    (reference,) = (r for r in scan(Request(root=tmp_path, rules=(strict,))).report.references if r.gating)
    assert reference.kind == "index"


def test_a_unique_index_that_is_about_other_columns_gates(tmp_path: Path) -> None:
    index = "CREATE UNIQUE INDEX one ON phases (status) WHERE message IS NULL;"
    assert run(tmp_path, {"migrations/000002_i.up.sql": index}).verdict is Verdict.REFERENCED


def test_a_migration_in_go_is_history(tmp_path: Path) -> None:
    """What it does to the schema is not known, but what it names when it runs is no use of today."""
    code = 'package m\n\nvar q = "UPDATE phases SET message = NULL"\n'
    report = run(tmp_path, {"migrations/000002_clear.up.go": code, "migrations/000002_clear.down.go": code})
    assert [reference.span.path for reference in report.references if reference.gating] == []
    assert [gap.reason for gap in report.gaps] == ["migration-in-code"]
    assert explanations(report, "migrations/000002_clear.down.go") == {Explanation.HISTORY}
