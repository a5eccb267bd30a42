"""What the hard cases expect, confirmed by PostgreSQL: their `queries.sql` is cut at blank lines and judged.

A paragraph without an expectation must be untouched; with `-- ok: touched` the analysed tree may hold the column as
long as nothing comes of it. One that PostgreSQL does not accept must expect a gap.
`-- runs: breaks` and `-- runs: on` say what happens when a statement is run: the functions that it calls count then.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tests.expectations import accesses_in, fixtures, target_of
from tests.judge import WHOLE_ROW, Judge, Judgement
from tests.postgres import Server, rolled_back

Connection = psycopg.Connection[tuple[Any, ...]]

SILENTLY_GONE = ("one_open", "one_each")
RUNS = re.compile(r"-- runs: (breaks|on)\b")


def migrations(fixture: Path) -> list[Path]:
    """The up migrations in numeric order."""
    found = (path for path in fixture.glob("migrations/*.up.sql") if path.stat().st_size)
    return sorted(found, key=lambda path: int(path.name.split("_")[0]))


def schema_of(fixture: Path) -> str:
    return "\n".join(path.read_text("utf-8-sig") for path in migrations(fixture))


def paragraphs(fixture: Path) -> list[str]:
    path = fixture / "queries.sql"
    return [part for part in re.split(r"\n\s*\n", path.read_text()) if part.strip()] if path.exists() else []


def cases() -> list[Path]:
    return [fixture for fixture in fixtures("hard") if paragraphs(fixture)]


def confirms(judgement: Judgement, access: str, target: tuple[str, str]) -> bool:
    """Whether the truth about the statement bears out an access that the fixture expects."""
    row = (target[0], WHOLE_ROW)
    if access == "read":
        return judgement.breaks or target in judgement.selected or row in judgement.selected
    if access == "write":
        return judgement.breaks or target in judgement.inserted | judgement.updated
    if access == "star":
        return judgement.touches or judgement.changes or judgement.breaks
    return False


def complaint(judge: Judge, paragraph: str, target: str) -> str | None:
    """What PostgreSQL says against the expectations of a paragraph."""
    table, column = target.rsplit(".", 1)
    if run := RUNS.search(paragraph):
        judgement = judge.call(paragraph, table, column)
        as_said = judgement.accepted and judgement.breaks == (run[1] == "breaks")
        return None if as_said else f"does not run as said: {judgement.error}"
    judgement = judge.judge(paragraph, table, column)
    accesses = accesses_in(paragraph)
    if "gap" in accesses:
        return None
    if not judgement.accepted:
        return f"PostgreSQL does not accept it: {judgement.error}"
    if not accesses:
        idle = replace(judgement, touches=False) if "-- ok: touched" in paragraph else judgement
        return None if idle.untouched else f"expects nothing, but: {judgement}"
    relation = table if "." in table else f"public.{table}"
    wrong = {access for access in accesses if not confirms(judgement, access, (relation, column))}
    return f"{sorted(wrong)} not confirmed: {judgement}" if wrong else None


def test_dependents_gate_by_what_drop_column_does(database: Connection) -> None:
    """What PostgreSQL refuses gates, and what it takes along though it still says something of other columns."""
    fixture = next(path for path in fixtures("hard") if path.name == "26_dependents")
    base, dependents = migrations(fixture)
    parts = [part for part in re.split(r"\n\s*\n", dependents.read_text()) if part.strip()]
    gating = [part for part in parts if "depend" in accesses_in(part)]
    harmless = [part for part in parts if part not in gating]
    database.execute(base.read_bytes())
    drop = "ALTER TABLE campaign_phases DROP COLUMN error_message"
    refused = []
    for part in [None, *gating]:
        with rolled_back(database):
            for statement in [*harmless, *([part] if part else [])]:
                database.execute(statement.encode())
            try:
                database.execute(drop)
            except errors.DependentObjectsStillExist:
                refused.append(part)
    silent = [part for part in gating if part not in refused]
    assert None not in refused
    assert len(refused) == 8
    assert [name for part in silent for name in SILENTLY_GONE if f" {name} " in part] == list(SILENTLY_GONE)


@pytest.mark.parametrize("fixture", cases(), ids=lambda path: path.name)
def test_postgresql_confirms_the_expectations(postgres: Server, fixture: Path) -> None:
    with Judge(schema_of(fixture), postgres) as judge:
        target = target_of(fixture)
        told = {part: complaint(judge, part, target) for part in paragraphs(fixture)}
    assert {part: why for part, why in told.items() if why} == {}


@pytest.mark.parametrize("fixture", fixtures("hard"), ids=lambda path: path.name)
def test_the_migrations_apply(postgres: Server, fixture: Path) -> None:
    name = postgres.create(schema_of(fixture))
    downs = sorted(fixture.glob("migrations/*.down.sql"), key=lambda path: -int(path.name.split("_")[0]))
    with postgres.connect(name) as connection:
        for path in downs:
            if path.stat().st_size:
                connection.execute(path.read_text("utf-8-sig").encode())
    postgres.drop(name)
