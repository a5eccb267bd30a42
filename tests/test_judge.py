"""The judge's own trial: statements whose truth is known from PostgreSQL's manual."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.judge import Judge, Judgement
from tests.postgres import Server

SCHEMA = """
CREATE TABLE phases (id int PRIMARY KEY, message text, status text);
CREATE TABLE jobs (id int PRIMARY KEY, message text);
CREATE SCHEMA other;
CREATE TABLE other.phases (id int, message text);
CREATE VIEW messages AS SELECT id, message FROM phases;
CREATE VIEW ids AS SELECT id FROM messages;
CREATE VIEW statuses AS SELECT id, status FROM phases;
CREATE FUNCTION fail(p_id int) RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN UPDATE phases SET message = 'failed' WHERE id = p_id; END $$;
CREATE FUNCTION fail_job(p_id int) RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN UPDATE jobs SET message = 'failed' WHERE id = p_id; END $$;
"""

TARGET = ("public.phases", "message")

BREAKS = """
SELECT message FROM phases
UPDATE phases SET message = $1 WHERE id = $2
UPDATE phases SET (message, status) = ($1, $2)
INSERT INTO phases (id, message) VALUES ($1,$2)
INSERT INTO phases VALUES (1, $1, $2)
SELECT p.id FROM phases p JOIN jobs USING (message)
MERGE INTO phases p USING jobs j ON p.id = j.id WHEN MATCHED THEN UPDATE SET message = j.message
COPY phases (id, message) FROM STDIN
COPY (SELECT message FROM phases) TO STDOUT
CREATE INDEX ON phases (lower(message))
EXPLAIN SELECT message FROM phases
CREATE TABLE copied AS SELECT message FROM phases
DO $$ BEGIN PERFORM message FROM phases; END $$
""".strip().splitlines()

UNTOUCHED = """
SELECT count(*) FROM phases
SELECT id, status FROM phases
SELECT message FROM jobs
SELECT j.message FROM phases JOIN jobs j USING (id)
SELECT message FROM other.phases
SELECT status AS message FROM phases ORDER BY message
WITH phases(message) AS (SELECT 1) SELECT message FROM phases
UPDATE jobs SET message = status FROM phases WHERE phases.id = jobs.id
SELECT * FROM statuses
COPY phases (id, status) FROM STDIN
DELETE FROM phases WHERE 'message' = status -- message
LOCK TABLE phases
""".strip().splitlines()


@pytest.fixture(scope="module")
def judge(postgres: Server) -> Iterator[Judge]:
    with Judge(SCHEMA, postgres) as judge:
        yield judge


def verdict(judge: Judge, statement: str) -> Judgement:
    judgement = judge.judge(statement, "phases", "message")
    assert judgement.accepted, judgement.error
    return judgement


@pytest.mark.parametrize("statement", BREAKS)
def test_a_use_breaks(judge: Judge, statement: str) -> None:
    judgement = verdict(judge, statement)
    assert judgement.breaks
    assert judgement.error
    assert not judgement.untouched


@pytest.mark.parametrize("statement", UNTOUCHED)
def test_what_is_no_use_is_untouched(judge: Judge, statement: str) -> None:
    assert verdict(judge, statement).untouched


@pytest.mark.parametrize("statement", ["SELECT * FROM phases", "TABLE phases", "DELETE FROM phases RETURNING *"])
def test_a_star_changes_the_result(judge: Judge, statement: str) -> None:
    judgement = verdict(judge, statement)
    assert judgement.changes
    assert not judgement.breaks
    assert TARGET in judgement.selected


def test_copy_by_position_changes(judge: Judge) -> None:
    assert verdict(judge, "COPY phases FROM STDIN").changes


def test_a_whole_row_touches_without_breaking(judge: Judge) -> None:
    judgement = verdict(judge, "SELECT to_jsonb(p) FROM phases p")
    assert judgement.touches
    assert not judgement.breaks
    assert judgement.selected == {("public.phases", "*")}


def test_a_silent_rebind_to_the_outer_query_is_seen(judge: Judge) -> None:
    judgement = verdict(
        judge, "SELECT id FROM jobs WHERE EXISTS (SELECT message FROM phases WHERE phases.id = jobs.id)"
    )
    assert not judgement.breaks
    assert judgement.touches
    rebound = verdict(judge, "SELECT (SELECT message FROM phases LIMIT 1) FROM jobs")
    assert rebound.rebinds
    assert not rebound.breaks


def test_access_is_told_apart(judge: Judge) -> None:
    judgement = verdict(judge, "UPDATE phases SET message = status WHERE id = 1 RETURNING id")
    assert judgement.updated == {TARGET}
    assert judgement.selected == {("public.phases", "status"), ("public.phases", "id")}
    judgement = verdict(judge, "INSERT INTO phases (id, message) SELECT id, message FROM jobs")
    assert judgement.inserted == {("public.phases", "id"), TARGET}
    assert judgement.selected == {("public.jobs", "id"), ("public.jobs", "message")}


@pytest.mark.parametrize(("view", "over"), [("messages", True), ("ids", True), ("statuses", False)])
def test_views_over_the_column(judge: Judge, view: str, over: bool) -> None:
    judgement = verdict(judge, f"SELECT id FROM {view}")
    assert judgement.through_view is over
    assert judgement.breaks is over


def test_pg_depend_of_a_query(judge: Judge) -> None:
    assert judge.view_columns("SELECT id FROM phases NATURAL JOIN jobs", "phases") == {"id", "message"}
    assert judge.view_columns("SELECT count(*) FROM phases", "phases") == set()


def test_function_bodies_are_judged_by_a_call(judge: Judge) -> None:
    for _ in range(2):  # the second call finds the plan of the first
        judgement = judge.call("SELECT fail(1)", "phases", "message")
        assert judgement.breaks
        assert TARGET in judgement.updated
    assert judge.call("SELECT fail_job(1)", "phases", "message").untouched
    assert not judge.judge("SELECT fail(1)", "phases", "message").breaks


def test_invalid_statements_are_not_accepted(judge: Judge) -> None:
    judgement = judge.judge("SELECT nothing FROM phases", "phases", "message")
    assert not judgement.accepted
    assert not judgement.untouched
    assert "nothing" in judgement.error


def test_nothing_is_left_behind(judge: Judge) -> None:
    judge.call("INSERT INTO phases VALUES (1, 'a', 'b')", "phases", "message")
    judge.judge("CREATE TABLE left_behind ()", "phases", "message")
    assert verdict(judge, "CREATE TABLE left_behind ()").accepted
    assert judge.before.lookups.execute("SELECT count(*) FROM phases").fetchone() == (0,)


def test_a_schema_of_another_name(make_judge: Callable[[str], Judge]) -> None:
    judge = make_judge(SCHEMA)
    assert judge.judge("SELECT message FROM other.phases", "other.phases", "message").breaks
    assert judge.judge("SELECT message FROM phases", "other.phases", "message").untouched
