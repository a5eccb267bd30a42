"""Live checks on PostgreSQL with what they look for planted."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from legacy_ref_scan.cli import main
from legacy_ref_scan.database import verify as module
from legacy_ref_scan.database.checks import Protocol, Result, document
from legacy_ref_scan.database.verify import CHECKS, verify
from legacy_ref_scan.database.verify.context import Answer, Context, LiveCheck, once, passed
from legacy_ref_scan.database.verify.statements import masked
from legacy_ref_scan.rules import load_rule
from legacy_ref_scan.scan import Request
from tests.database.support import check, figure, shape
from tests.expectations import FIXTURES
from tests.postgres import Server

Connection = psycopg.Connection[tuple[Any, ...]]
ROOT = FIXTURES / "domainflow/after"
SECRET = "swordfish: the message itself"
CAMPAIGN = "INSERT INTO lead_generation_campaigns (id, name) VALUES ('00000000-0000-0000-0000-000000000001', 'spring')"
PHASE = """
INSERT INTO campaign_phases (id, campaign_id, phase_type, phase_order, status, error_message)
VALUES ('00000000-0000-0000-0000-00000000000{}', '00000000-0000-0000-0000-000000000001', '{}', {}, '{}', {})
"""
EXECUTION = """
INSERT INTO phase_executions (campaign_id, phase_id, status, error_details) VALUES
('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-00000000000{}', 'failed', '{}')
"""
BY_HAND = """CREATE FUNCTION by_hand(i uuid) RETURNS text LANGUAGE plpgsql AS
$$ BEGIN RETURN (SELECT error_message FROM campaign_phases WHERE id = i); END $$"""


@pytest.fixture
def live(postgres: Server) -> Iterator[tuple[str, Connection]]:
    """A database that the fixture's migrations built, and a connection to plant something."""
    name = postgres.create()
    with postgres.connect(name) as connection:
        for path in sorted((ROOT / "database/migrations").glob("*.up.sql")):
            connection.execute(path.read_bytes())
        yield postgres.dsn_of(name), connection
    postgres.drop(name)


Live = tuple[str, Connection]


def run(dsn: str, **about: Any) -> Protocol:
    (path,) = (ROOT / "rules").glob("*.toml")
    rule = load_rule(path)
    until = rule.migration.version if rule.migration else None
    return verify(Request(root=ROOT, rules=(rule,), until=until), dsn, **about)


def required(protocol: Protocol) -> dict[str, str]:
    return {item.id.partition(":")[0]: item.result.value for item in protocol.checks if item.required}


def test_a_database_as_the_migrations_make_it_passes(live: Live) -> None:
    dsn, connection = live
    connection.execute(CAMPAIGN)
    connection.execute(PHASE.format(2, "dns_validation", 1, "failed", "NULL").encode())
    connection.execute(EXECUTION.format(2, '{"message": "late"}').encode())
    connection.execute("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)")
    protocol = run(dsn)
    assert required(protocol) == dict.fromkeys(("values", "parity", "dependents", "bodies", "drift"), "pass")
    assert check(protocol, "drift").findings == ()
    assert check(protocol, "parity").figures == (("rows", 1), ("lacking", 0))
    assert check(protocol, "values").id == "values:public.campaign_phases.error_message"
    assert check(protocol, "values").target == "public.campaign_phases.error_message"
    assert check(protocol, "window").result is Result.PASS
    assert protocol.exit_code == 0


def test_values_that_are_left_are_counted_and_never_shown(live: Live, tmp_path: Path) -> None:
    dsn, connection = live
    connection.execute(CAMPAIGN)
    phases = (("dns_validation", f"'{SECRET}'"), ("http_keyword_validation", "''"), ("domain_generation", "NULL"))
    for number, (kind, value) in enumerate(phases, 2):
        connection.execute(PHASE.format(number, kind, number, "completed", value).encode())
    target = tmp_path / "left.csv"
    protocol = run(dsn, snapshot=target)
    found = check(protocol, "values")
    assert (found.result, found.reason) == (Result.FAIL, "1 row still holds a value")
    assert found.figures == (("rows", 3), ("not null", 2), ("empty strings", 1))
    assert target.read_text().splitlines() == [
        "id,error_message",
        f"00000000-0000-0000-0000-000000000002,{SECRET}",
        '00000000-0000-0000-0000-000000000003,""',
    ]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert figure(check(protocol, "snapshot"), "rows") == 2
    assert [path.name for path in tmp_path.iterdir()] == ["left.csv"]
    assert SECRET not in str(document(protocol))
    assert protocol.exit_code == 4


def test_a_snapshot_is_never_overwritten(live: Live, tmp_path: Path) -> None:
    target = tmp_path / "left.csv"
    target.write_text("of yesterday")
    found = check(run(live[0], snapshot=target), "snapshot")
    assert (found.result, target.read_text()) == (Result.NOT_POSSIBLE, "of yesterday")


def test_a_snapshot_that_cannot_be_written_is_said(live: Live, tmp_path: Path) -> None:
    found = check(run(live[0], snapshot=tmp_path / "no" / "left.csv"), "snapshot")
    assert found.result is Result.NOT_POSSIBLE
    assert "cannot be written: No such file or directory" in found.reason


def test_rows_that_lack_the_replacement_are_named_by_their_keys(live: Live) -> None:
    dsn, connection = live
    connection.execute(CAMPAIGN)
    details = ("", '{"message": "  "}', '{"code": 1}', '{"message": "why"}')
    kinds = ("dns_validation", "http_keyword_validation", "domain_generation", "analysis")
    for number, (kind, detail) in enumerate(zip(kinds, details, strict=True), 2):
        connection.execute(PHASE.format(number, kind, number, "failed", "NULL").encode())
        if detail:
            connection.execute(EXECUTION.format(number, detail).encode())
    found = check(run(dsn), "parity")
    assert found.id == "parity:error_details"
    assert found.result is Result.FAIL
    assert found.figures == (("rows", 4), ("lacking", 3))
    assert [line[:39] for line in found.findings] == [f"id 00000000-0000-0000-0000-00000000000{n}" for n in (2, 3, 4)]


def test_a_parity_query_cannot_write(live: Live, tmp_path: Path) -> None:
    dsn, connection = live
    connection.execute(CAMPAIGN)
    body = "WITH gone AS (DELETE FROM lead_generation_campaigns RETURNING 1) SELECT count(*) FROM gone"
    connection.execute(f"CREATE FUNCTION remove_all() RETURNS bigint LANGUAGE sql AS '{body}'".encode())
    rule = tmp_path / "r.toml"
    query = "WITH gone AS (DELETE FROM lead_generation_campaigns RETURNING id) SELECT * FROM gone"
    two = "SELECT 1; DELETE FROM lead_generation_campaigns"
    rule.write_text(
        '[retire]\ntable = "campaign_phases"\ncolumns = ["error_message"]\n'
        f'[[verify]]\nname = "a"\nquery = "{query}"\n[[verify]]\nname = "b"\nquery = "{two}"\n'
        '[[verify]]\nname = "c"\nquery = "SELECT remove_all()"\n'
    )
    protocol = verify(Request(root=ROOT, rules=(load_rule(rule),)), dsn)
    reasons = {item.id: item.reason for item in protocol.checks if item.id.startswith("parity")}
    assert "must be at the top level" in reasons["parity:a"]
    assert "syntax error" in reasons["parity:b"]
    assert "read-only transaction" in reasons["parity:c"]
    assert protocol.exit_code == 3
    assert connection.execute("SELECT count(*) FROM lead_generation_campaigns").fetchone() == (1,)


def test_what_no_migration_made_is_found(live: Live) -> None:
    dsn, connection = live
    connection.execute(BY_HAND)
    connection.execute("CREATE VIEW by_hand_view AS SELECT id, error_message FROM campaign_phases")
    connection.execute("CREATE INDEX by_hand_index ON campaign_phases (status, error_message)")
    protocol = run(dsn)
    (line,) = check(protocol, "bodies").findings
    assert line == "public.by_hand(uuid) (no migration made it): reads public.campaign_phases.error_message"
    assert figure(check(protocol, "bodies"), "made by no migration") == 1
    dependents = check(protocol, "dependents")
    assert dependents.findings == (
        "view by_hand_view: PostgreSQL refuses the drop while it exists",
        "index by_hand_index: goes along without a word, and is about other columns too",
    )
    drift = check(protocol, "drift")
    assert drift.result is Result.FAIL
    assert {line.partition(" comes")[0] for line in drift.findings} == {
        "function public.by_hand(uuid)", "view public.by_hand_view", "index public.campaign_phases.by_hand_index",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "result", "line"),
    [
        ("ALTER TABLE campaign_phases ADD extra int", "fail", "column public.campaign_phases.extra comes from no"),
        (
            "ALTER TABLE campaign_phases ALTER status TYPE text",
            "fail",
            "differs: text NOT NULL instead of phase_status",
        ),
        ("DROP TRIGGER {} ON phase_executions", "pass", "is not in the database"),
        ("CREATE TABLE unrelated (a int)", "pass", "table public.unrelated comes from no migration"),
        ("CREATE VIEW jobs AS SELECT error_message FROM campaign_jobs", "pass", "view public.jobs comes from no"),
    ],
)
def test_drift_fails_where_it_is_about_the_table(live: Live, statement: str, result: str, line: str) -> None:
    dsn, connection = live
    row = connection.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = 'phase_executions'::regclass"
                             " AND NOT tgisinternal").fetchone()  # fmt: skip
    if "{}" in statement and row is None:
        pytest.skip("the fixture has no such trigger")
    connection.execute("DROP VIEW IF EXISTS campaign_phase_status CASCADE" if "TYPE" in statement else "SELECT 1")
    connection.execute(statement.format(row[0] if row else "").encode())
    found = check(run(dsn), "drift")
    assert found.result.value == result
    assert any(line in shown for shown in found.findings)


@pytest.mark.parametrize(
    ("rows", "result", "reason"),
    [
        ("(67, false)", "pass", "version 67 is the last that has run"),
        ("(66, false)", "fail", "version 66 is the last that has run, and 67 the last before the drop"),
        ("(67, true)", "fail", "version 67 stopped in the middle: the database is dirty"),
        ("(70, false)", "fail", "version 70 has run, so 68 would be skipped, or has run"),
        ("", "not possible", "the tool has run nothing here yet"),
        (None, "not possible", "the table in which the tool keeps what has run is not there, or has another name"),
    ],
)
def test_what_has_run(live: Live, rows: str | None, result: str, reason: str) -> None:
    dsn, connection = live
    if rows is not None:
        connection.execute("CREATE TABLE schema_migrations (version bigint, dirty boolean)")
    if rows:
        connection.execute(f"INSERT INTO schema_migrations VALUES {rows}".encode())
    found = check(run(dsn), "applied")
    assert (found.result.value, found.reason) == (result, reason)


def test_publications_and_slots_carry_the_column(live: Live) -> None:
    dsn, connection = live
    connection.execute("CREATE PUBLICATION lrs_all FOR TABLE campaign_phases")
    found = check(run(dsn), "readers")
    assert found.result is Result.NOT_POSSIBLE
    assert found.findings == ("publication lrs_all carries the column to its subscribers",)
    connection.execute("DROP PUBLICATION lrs_all")
    connection.execute("CREATE PUBLICATION lrs_some FOR TABLE campaign_phases (id, error_message)")
    protocol = run(dsn)
    assert check(protocol, "readers").result is Result.FAIL
    assert "publication lrs_some names the column in its list" in check(protocol, "readers").findings[0]
    connection.execute("DROP PUBLICATION lrs_some")
    connection.execute("CREATE PUBLICATION lrs_without FOR TABLE campaign_phases (id)")
    assert check(run(dsn), "readers").result is Result.PASS


def test_a_long_transaction_says_not_now(live: Live, postgres: Server) -> None:
    dsn, _ = live
    with psycopg.connect(dsn) as other:
        other.execute("SELECT count(*) FROM campaign_phases")
        found = check(run(dsn, long=0), "window")
    assert found.result is Result.FAIL
    assert any("holds AccessShareLock" in line and "idle in transaction" in line for line in found.findings)
    assert figure(found, "bytes")
    assert check(run(dsn, long=3600), "window").result is Result.PASS


def test_a_lock_that_keeps_readers_away_is_an_answer(live: Live) -> None:
    dsn, _ = live
    with psycopg.connect(dsn) as other:
        other.execute("LOCK TABLE campaign_phases IN ACCESS EXCLUSIVE MODE")
        protocol = run(dsn, long=0)
    assert check(protocol, "values").reason == "somebody holds a lock that keeps every reader away"
    assert check(protocol, "window").result is Result.FAIL
    assert protocol.exit_code == 4


def test_what_takes_too_long_is_ended(live: Live) -> None:
    dsn, connection = live
    connection.execute(CAMPAIGN)
    connection.execute("CREATE FUNCTION slow(phase_status_enum) RETURNS boolean LANGUAGE sql AS 'SELECT true'")
    slow = LiveCheck("slow", "slow", once, lambda context, _: _asleep(context))
    with replaced_checks(slow):
        protocol = run(dsn, seconds=0.1)
    assert check(protocol, "slow").reason == "it takes longer than 0.1 s: give it more with --timeout"
    assert protocol.exit_code == 3


def _asleep(context: Context) -> Answer:
    context.rows("SELECT pg_sleep(10)")
    return passed("woke up")


@contextmanager
def replaced_checks(*checks: LiveCheck) -> Iterator[None]:
    before = module.CHECKS
    module.CHECKS = checks
    try:
        yield
    finally:
        module.CHECKS = before


@contextmanager
def role(connection: Connection, dsn: str, *grants: str) -> Iterator[str]:
    """A role that may connect, and nothing else but what the grants say; its connection string."""
    name = "lrs_" + connection.info.dbname
    connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'swordfish'".encode())
    try:
        for grant in grants:
            connection.execute(grant.format(name).encode())
        yield psycopg.conninfo.make_conninfo(dsn, user=name, password="swordfish")
    finally:
        connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}".encode())


def test_a_role_without_rights_gets_reasons(live: Live) -> None:
    dsn, connection = live
    with role(connection, dsn) as weak:
        protocol = run(weak)
    for id_ in ("values", "parity"):
        assert check(protocol, id_).result is Result.NOT_POSSIBLE
        assert "permission denied for table campaign_phases" in check(protocol, id_).reason
    for id_ in ("dependents", "bodies", "drift"):
        assert check(protocol, id_).result is Result.PASS
    assert protocol.exit_code == 3
    assert "swordfish" not in str(document(protocol))


def test_rows_that_row_security_hides_are_not_taken_for_none(live: Live) -> None:
    dsn, connection = live
    connection.execute("ALTER TABLE campaign_phases ENABLE ROW LEVEL SECURITY")
    with role(connection, dsn, "GRANT SELECT ON campaign_phases TO {}") as weak:
        found = check(run(weak), "values")
    assert found.result is Result.NOT_POSSIBLE
    assert "row-level security" in found.reason
    connection.execute("ALTER TABLE campaign_phases DISABLE ROW LEVEL SECURITY")


def test_a_server_that_goes_away_leaves_what_was_found_before(live: Live) -> None:
    dsn, connection = live
    connection.execute(CAMPAIGN)
    connection.execute(PHASE.format(2, "dns_validation", 1, "failed", "'x'").encode())

    def away(context: Context, _: str) -> Answer:
        connection.execute("SELECT pg_terminate_backend(%s)", (context.connection.info.backend_pid,))
        context.rows("SELECT 1")
        return passed("still here")

    with replaced_checks(*CHECKS[:1], LiveCheck("away", "away", once, away), *CHECKS[2:]):
        protocol = run(dsn)
    found = {item.id.partition(":")[0]: item for item in protocol.checks}
    assert found["values"].result is Result.FAIL
    assert found["away"].reason == "the server went away in the middle"
    assert {found[id_].reason for id_ in ("dependents", "bodies", "drift")} == {"the server had gone away before"}
    assert protocol.exit_code == 4


def test_a_column_that_is_gone_is_said(live: Live) -> None:
    dsn, connection = live
    connection.execute("ALTER TABLE campaign_phases DROP COLUMN error_message CASCADE")
    protocol = run(dsn)
    assert "dropped already, or misspelled" in check(protocol, "values").reason
    assert check(protocol, "drift").result is Result.FAIL


def _stat_statements(connection: Connection) -> bool:
    try:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        connection.execute("SELECT count(*) FROM pg_stat_statements")
    except psycopg.Error:
        return False
    return True


def test_legacy_readers_in_pg_stat_statements(live: Live) -> None:
    dsn, connection = live
    if not _stat_statements(connection):
        found = check(run(dsn), "statements")
        assert found.result is Result.NOT_POSSIBLE
        assert "pg_stat_statements" in found.reason  # not there, or not loaded at the start
        assert not found.required
        pytest.skip("the server does not count statements")
    connection.execute("SELECT pg_stat_statements_reset()")
    for _ in range(3):
        connection.execute(f"SELECT id FROM campaign_phases WHERE error_message = '{SECRET}'".encode())
    connection.execute("SELECT error_message FROM campaign_jobs")
    connection.execute("SELECT status FROM campaign_phases")
    protocol = run(dsn)
    found = check(protocol, "statements")
    assert found.result is Result.FAIL
    assert (figure(found, "uses"), figure(found, "calls"), figure(found, "undecided")) == (1, 3, 0)
    assert found.findings[0].startswith("3 calls by ")
    assert "SELECT id FROM campaign_phases WHERE error_message = $1" in found.findings[0]
    assert SECRET not in str(document(protocol))
    connection.execute("SELECT pg_stat_statements_reset()")
    again = check(run(dsn), "statements")
    assert again.result is Result.PASS, again.findings  # our own questions do not count
    assert check(run(dsn), "statements").result is Result.PASS


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("SELECT  a\n FROM t WHERE b = 'x''y' AND c = 3.5 -- why\n", "SELECT a FROM t WHERE b = … AND c = …"),
        ("SELECT $$a$$, $tag$b$tag$, E'\\'', $1", "SELECT …, …, …, $1"),
        ("SELECT 'open", "SELECT …"),
    ],
)
def test_shown_statements_hold_no_values(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_as_people_run_it(live: Live, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    dsn, connection = live
    connection.execute(BY_HAND)
    monkeypatch.setenv("LEGACY_REF_SCAN_DSN", dsn)
    code, protocol = shape(capsys, "verify", "--root", ROOT)
    assert code == protocol["exit_code"] == 4
    assert protocol["command"] == "verify"
    ids = [item["id"] for item in protocol["checks"]]
    assert ids[0] == "values:public.campaign_phases.error_message"
    assert len(ids) == len(set(ids))
    assert {"id", "title", "target", "result", "required", "reason", "figures", "findings", "seconds"} == set(
        protocol["checks"][0]
    )
    assert main(["verify", "--root", str(ROOT)]) == 4
    out = capsys.readouterr().out
    assert "FAIL  function bodies in pg_proc: 1 use in function bodies" in out
    assert dsn not in out


def test_every_check_has_an_identity() -> None:
    names: Callable[[LiveCheck], str] = lambda item: item.id  # noqa: E731
    assert len({names(item) for item in CHECKS}) == len(CHECKS)
    assert all(isinstance(item, LiveCheck) for item in CHECKS)
