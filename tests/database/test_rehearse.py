"""The rehearsal: what PostgreSQL proves, whatever the scan was told."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from legacy_ref_scan.cli import main
from legacy_ref_scan.database import rehearse as module
from legacy_ref_scan.database.checks import Protocol, Result, document
from legacy_ref_scan.database.rehearse import rehearse
from legacy_ref_scan.database.verify import verify
from legacy_ref_scan.model import Report, Verdict
from legacy_ref_scan.rules import load_rule
from legacy_ref_scan.scan import Outcome, Request, scan
from legacy_ref_scan.versions import Version
from tests.database.support import CLEAN, INIT, READ, RULE, check, figure, repository, shape
from tests.expectations import FIXTURES
from tests.postgres import Server

FUNCTION = """CREATE FUNCTION last_error(i bigint) RETURNS text LANGUAGE {} AS
$$ {} $$;
"""


@pytest.fixture
def dsn(postgres: Server) -> Iterator[str]:
    """An empty database."""
    name = postgres.create()
    yield postgres.dsn_of(name)
    postgres.drop(name)


def run(root: Path, dsn: str, schema_dump: Path | None = None) -> Protocol:
    (path,) = (root / "rules").glob("*drop*.toml")
    rule = load_rule(path)
    until = rule.migration.version if rule.migration else None
    return rehearse(Request(root=root, rules=(rule,), until=until), dsn=dsn, schema_dump=schema_dump)


def results(protocol: Protocol) -> dict[str, str]:
    return {item.id: item.result.value for item in protocol.checks}


ALL_PASS = dict.fromkeys(("chain", "prepare", "up", "statements", "bodies", "down", "schema", "up-again"), "pass")


class TestDomainflow:
    def test_after_all_passes(self, dsn: str) -> None:
        protocol = run(FIXTURES / "domainflow/after", dsn)
        assert (results(protocol), protocol.exit_code) == (ALL_PASS, 0)
        assert figure(check(protocol, "chain"), "applied") == 67
        figures = dict(check(protocol, "prepare").figures)
        prepared, skipped = (int(figures[name]) for name in ("prepared", "skipped"))
        assert prepared > 20
        assert prepared + skipped == figures["statements"]
        assert check(protocol, "up").findings[0].startswith("AccessExclusiveLock on public.campaign_phases for ")
        assert check(protocol, "up").reason.startswith("000068_drop_campaign_phases_error_columns.up.sql")
        assert check(protocol, "down").reason.startswith("000068_drop_campaign_phases_error_columns.down.sql")

    def test_between_only_what_the_migrations_left_behind_fails(self, dsn: str) -> None:
        protocol = run(FIXTURES / "domainflow/between", dsn)
        assert results(protocol) == {
            "chain": "pass", "prepare": "pass", "up": "fail", "statements": "pass", "bodies": "fail",
        }  # fmt: skip
        assert check(protocol, "up").findings == (
            "view campaign_phase_status depends on column error_message of table campaign_phases",
        )
        functions = ("record_phase_failure(uuid, text) writes", "mirror_execution_error() writes")
        assert all(any(name in line for line in check(protocol, "bodies").findings) for name in functions)
        assert protocol.exit_code == 4

    def test_before_the_statements_are_proven_and_all_are_reported(self, dsn: str) -> None:
        protocol = run(FIXTURES / "domainflow/before", dsn)
        found = check(protocol, "statements")
        assert found.result is Result.FAIL
        assert found.reason.endswith(" proven: the scan reports it")
        assert len(found.findings) >= 12
        assert any("report_service.go:38 in (*ReportService).TopErrors fails" in line for line in found.findings)
        assert any("phase_store.go:43 in (*PhaseStore).List its result loses" in line for line in found.findings)


@pytest.mark.parametrize(
    ("files", "rule", "said"),
    [
        ({"store.go": READ}, RULE, "the scan reports it"),
        ({"old/store.go": READ}, RULE + '[scan]\nexclude = ["old/"]\n', "the rule tells the scan not to look there"),
        ({"old/store.go": READ}, RULE + '[scan]\ninclude = ["/store.go"]\n', "the rule tells the scan not to look"),
        ({"store_test.go": READ}, RULE + '[scan]\ntests = "ignore"\n', "the rule tells the scan not to look there"),
        (
            {"store.go": READ},
            RULE + '[[acknowledge]]\npath = "store.go"\nreason = "we think so"\n',
            "the rule acknowledges it",
        ),
        (
            {"store.py": 'cursor.execute("SELECT error_message FROM campaign_phases WHERE id = %s", (1,))\n'},
            RULE + '[scan]\nexclude = ["*.py"]\n',
            "the rule tells the scan not to look there",
        ),
    ],
)
def test_a_reference_that_the_scan_is_told_to_ignore_is_caught(
    tmp_path: Path, dsn: str, files: dict[str, str], rule: str, said: str
) -> None:
    repository(tmp_path, **{"rules/drop.toml": rule, **files})
    protocol = run(tmp_path, dsn)
    (line,) = check(protocol, "statements").findings
    assert 'column "error_message" does not exist (42703)' in line
    assert said in line
    assert protocol.exit_code == 4


def test_what_the_scan_called_clean_is_called_a_bug_of_ours(
    tmp_path: Path, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan with its eyes shut stands for a bug."""

    def blind(request: Request) -> Outcome:
        outcome = scan(request)
        empty = Report(outcome.report.targets, Verdict.CLEAN, (), (), (), (), (), {})
        return replace(outcome, report=empty)

    monkeypatch.setattr("legacy_ref_scan.database.rehearse.scan", blind)
    protocol = run(repository(tmp_path, **{"store.go": READ}), dsn)
    found = check(protocol, "statements")
    assert found.reason == "1 of 1 proven references were called clean: a bug in legacy-ref-scan, report it"
    assert "a bug in legacy-ref-scan" in found.findings[0]
    assert protocol.exit_code == 4


def test_a_star_that_the_rule_only_shows_does_not_fail(tmp_path: Path, dsn: str) -> None:
    star = READ.replace("error_message FROM", "* FROM")
    repository(tmp_path, **{"store.go": star, "rules/drop.toml": RULE + '[scan]\nstar = "show"\n'})
    protocol = run(tmp_path, dsn)
    assert check(protocol, "statements").result is Result.PASS
    (line,) = check(protocol, "statements").findings
    assert "its result loses error_message; the scan lists it" in line


def test_a_silent_rebind_is_proven(tmp_path: Path, dsn: str) -> None:
    other = INIT + "CREATE TABLE jobs (id bigint, error_message text);\n"
    rebinding = READ.replace(
        "SELECT error_message FROM campaign_phases WHERE id = $1",
        "SELECT 1 FROM jobs j WHERE EXISTS (SELECT 1 FROM campaign_phases WHERE error_message = $1)",
    )
    repository(tmp_path, **{"store.go": rebinding, "migrations/000001_init.up.sql": other})
    (line,) = check(run(tmp_path, dsn), "statements").findings
    assert "takes other columns than before, without any error; the scan reports it" in line


def test_what_cannot_be_prepared_is_skipped_and_counted(tmp_path: Path, dsn: str) -> None:
    code = """package store

import "database/sql"

func all(db *sql.DB, column string) {
	db.Query("SELECT status FROM campaign_phases WHERE id = ?", 1)
	db.Query("SELECT status FROM campaign_phases WHERE no_such_column = $1", 1)
	db.Query("SELECT id FROM campaign_phases JOIN no_such_table USING (id)")
	db.Query("SELECT " + column + " FROM campaign_phases")
	db.Exec("TRUNCATE campaign_phases")
}
"""
    protocol = run(repository(tmp_path, **{"store.go": code}), dsn)
    found = check(protocol, "prepare")
    assert (figure(found, "statements"), figure(found, "prepared"), figure(found, "skipped")) == (5, 1, 4)
    assert {name: value for name, value in found.figures if name.startswith("skipped (")} == {
        "skipped (a part of it is not known before it runs)": 1,
        "skipped (PREPARE does not analyse this kind of statement)": 1,
        "skipped (a column in it is not there)": 1,
        "skipped (a table in it is not there)": 1,
    }
    assert any(line.startswith("store.go:7 in all: ") for line in found.findings)


@pytest.mark.parametrize(
    ("language", "body", "proven"),
    [
        ("sql", "SELECT error_message FROM campaign_phases WHERE id = i", True),
        ("plpgsql", "BEGIN RETURN (SELECT error_message FROM campaign_phases WHERE id = i); END", True),
        ("plpgsql", "DECLARE error_message text; BEGIN RETURN error_message; END", False),
    ],
)
def test_function_bodies(tmp_path: Path, dsn: str, language: str, body: str, proven: bool) -> None:
    text = INIT + FUNCTION.format(language, body)
    protocol = run(repository(tmp_path, **{"migrations/000001_init.up.sql": text}), dsn)
    found = check(protocol, "bodies")
    assert found.result is (Result.FAIL if proven else Result.PASS)
    assert figure(found, "naming the column") == 1
    if language == "sql":
        assert any("fails now: 42703" in line or "fails now: error:42703" in line for line in found.findings)


def test_a_chain_that_stops_is_explained_and_nothing_else_is_claimed(tmp_path: Path, dsn: str) -> None:
    protocol = run(repository(tmp_path, **{"migrations/000001_init.up.sql": INIT + "SELECT no_such();"}), dsn)
    assert results(protocol) == {"chain": "not possible"}
    assert check(protocol, "chain").reason.startswith("migrations/000001_init.up.sql:2: function no_such() does not")
    assert protocol.exit_code == 3


def test_a_column_that_is_gone_already_is_said(tmp_path: Path, dsn: str) -> None:
    text = INIT + "ALTER TABLE campaign_phases DROP error_message;"
    protocol = run(repository(tmp_path, **{"migrations/000001_init.up.sql": text}), dsn)
    assert results(protocol) == {"chain": "pass", "column": "not possible"}
    assert "dropped already, or misspelled" in check(protocol, "column").reason
    assert protocol.exit_code == 3


def test_one_file_for_both_directions(tmp_path: Path, dsn: str) -> None:
    text = f"-- +goose Up\n{INIT}-- +goose Down\nDROP TABLE campaign_phases;\n"
    repository(
        tmp_path,
        **{"migrations/000001_init.up.sql": None, "migrations/000001_init.down.sql": None},
        **{"migrations/00001_init.sql": text, "rules/drop.toml": RULE + 'lock_timeout = "2s"\nguard = true\n'},
    )
    protocol = run(tmp_path, dsn)
    assert (results(protocol), protocol.exit_code) == (ALL_PASS, 0)
    assert figure(check(protocol, "up"), "statements") == 3  # the timeout, the guard, the drop


def test_a_schema_dump_stands_for_the_chain(tmp_path: Path, dsn: str) -> None:
    dump = tmp_path / "dump.sql"
    dump.write_text(
        "\\restrict x\nSET statement_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n"
        "CREATE TABLE public.campaign_phases (id bigint NOT NULL, error_message text, status text NOT NULL);\n"
        "COPY public.campaign_phases (id, error_message, status) FROM stdin;\n1\ta;b\tc\n\\.\n\n"
        "ALTER TABLE ONLY public.campaign_phases ADD CONSTRAINT p PRIMARY KEY (id);\n"
    )
    root = repository(tmp_path / "repository", **{"migrations/000001_init.up.sql": INIT + "SELECT no_such();"})
    protocol = run(root, dsn, dump)
    assert (results(protocol), protocol.exit_code) == (ALL_PASS, 0)


def test_down_that_brings_back_less_is_caught(tmp_path: Path, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.drop_of

    def forgetful(request: Request, outcome: Outcome) -> module.Drop:
        drop = real(request, outcome)
        return replace(drop, down=b"ALTER TABLE campaign_phases ADD COLUMN error_message varchar(9);")

    monkeypatch.setattr(module, "drop_of", forgetful)
    text = INIT + "CREATE INDEX errors ON campaign_phases (error_message);\n"
    protocol = run(repository(tmp_path, **{"migrations/000001_init.up.sql": text}), dsn)
    found = check(protocol, "schema")
    assert found.result is Result.FAIL
    assert found.findings == (
        "column public.campaign_phases.error_message was text, is character varying(9)",
        "index errors on public.campaign_phases is gone",
    )


def test_a_database_with_tables_is_refused(tmp_path: Path, dsn: str, capfd: pytest.CaptureFixture[str]) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE somebodys (a int)")
    assert main(["rehearse", "--root", str(repository(tmp_path)), "--dsn", dsn]) == 2
    assert "never one in use" in capfd.readouterr().err
    with psycopg.connect(dsn) as connection:
        tables = connection.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        assert tables.fetchall() == [("somebodys",)]


def test_a_server_that_goes_away_is_an_error_of_one_line(
    tmp_path: Path, dsn: str, postgres: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    text = INIT + "SELECT pg_terminate_backend(pg_backend_pid());\n"
    root = repository(tmp_path, **{"migrations/000001_init.up.sql": text})
    assert main(["rehearse", "--root", str(root), "--dsn", dsn]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("legacy-ref-scan: error: the server went away in the middle: ")
    assert err.count("\n") == 1


def test_on_a_server_of_ones_own_as_people_run_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = shutil.copytree(FIXTURES / "domainflow/after", tmp_path / "after")
    before = sorted(path.name for path in (root / "database/migrations").iterdir())
    code, protocol = shape(capsys, "rehearse", "--root", root)
    assert code == protocol["exit_code"] == 0
    assert {item["id"]: item["result"] for item in protocol["checks"]} == ALL_PASS
    assert protocol["subject"].startswith("an embedded PostgreSQL ")
    assert sorted(path.name for path in (root / "database/migrations").iterdir()) == before
    assert main(["rehearse", "--root", str(root), "--column", "campaign_phases.error_message"]) == 0
    out = capsys.readouterr().out
    assert "a plain DROP COLUMN" in out
    assert "down migration: no rule asks for one" in out


def test_the_protocol_holds_no_values(tmp_path: Path, dsn: str) -> None:
    secret = READ.replace("WHERE id = $1", "WHERE status = 'swordfish'")
    protocol = run(repository(tmp_path, **{"store.go": secret}), dsn)
    assert "swordfish" not in str(document(protocol))
    assert CLEAN not in str(document(protocol))


def test_the_version_decides_what_is_replayed(tmp_path: Path, dsn: str) -> None:
    repository(tmp_path, **{"migrations/000002_drop_errors.up.sql": "ALTER TABLE campaign_phases DROP error_message;"})
    assert load_rule(tmp_path / "rules/drop.toml").migration.version == Version.of(2)  # type: ignore[union-attr]
    repository(tmp_path, **{"migrations/000002_drop_errors.up.sql": None})
    (tmp_path / "migrations/000002_drop_errors.up.sql").unlink()
    assert run(tmp_path, dsn).exit_code == 0


def test_names_that_are_key_words_are_quoted(tmp_path: Path, dsn: str) -> None:
    repository(
        tmp_path,
        **{
            "store.go": READ.replace("error_message", '\\"order\\"').replace("campaign_phases", '\\"user\\"'),
            "migrations/000001_init.up.sql": 'CREATE TABLE "user" (id bigint PRIMARY KEY, "order" text);\n',
            "migrations/000001_init.down.sql": 'DROP TABLE "user";\n',
            "rules/drop.toml": RULE.replace("campaign_phases", "user").replace("error_message", "order"),
        },
    )
    (line,) = check(run(tmp_path, dsn), "statements").findings
    assert 'column "order" does not exist' in line
    with psycopg.connect(dsn) as connection:
        connection.execute('ALTER TABLE "user" ADD "order" text')
        connection.execute("INSERT INTO \"user\" VALUES (1, NULL), (2, 'x')")
    rule = load_rule(tmp_path / "rules/drop.toml")
    live = verify(Request(root=tmp_path, rules=(rule,), until=Version.of(2)), dsn)
    assert check(live, "values").reason == "1 row still holds a value"
