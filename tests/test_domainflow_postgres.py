"""The migrations of the domainflow fixtures on PostgreSQL, and what dropping the column does there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tests.expectations import FIXTURES

Connection = psycopg.Connection[tuple[Any, ...]]

UP = b"BEGIN;\nALTER TABLE campaign_phases DROP COLUMN IF EXISTS error_message;\nCOMMIT;\n"
DOWN = b"BEGIN;\nALTER TABLE campaign_phases ADD COLUMN IF NOT EXISTS error_message TEXT;\nCOMMIT;\n"

SEED = """
INSERT INTO lead_generation_campaigns (id, name) VALUES ('00000000-0000-0000-0000-000000000001', 'spring');
INSERT INTO campaign_phases (id, campaign_id, phase_type, phase_order) VALUES
    ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 'dns_validation', 1);
"""
RECORD = "SELECT record_phase_failure('00000000-0000-0000-0000-000000000002', 'timeout')"
EXECUTE = """
INSERT INTO phase_executions (campaign_id, phase_id, status, error_details)
VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', 'failed', '{"message": "late"}')
"""
COLUMN = """
SELECT format_type(atttypid, atttypmod), attnotnull, atthasdef FROM pg_attribute
WHERE attrelid = 'campaign_phases'::regclass AND attname = 'error_message' AND NOT attisdropped
"""
LEFT_BEHIND = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace
"""


def migrations(variant: str, direction: str) -> list[Path]:
    found = (FIXTURES / "domainflow" / variant / "database/migrations").glob(f"*.{direction}.sql")
    return sorted(found, reverse=direction == "down")


def apply(connection: Connection, variant: str, direction: str = "up") -> None:
    """Each file is one command, as golang-migrate sends it."""
    for path in migrations(variant, direction):
        connection.execute(path.read_bytes())


@pytest.mark.parametrize("variant", ["before", "between", "after"])
def test_the_chain_goes_up_down_and_up(database: Connection, variant: str) -> None:
    assert len(migrations(variant, "up")) == len(migrations(variant, "down")) == 67
    apply(database, variant)
    assert database.execute(COLUMN).fetchall() == [("text", False, False)]
    apply(database, variant, "down")
    assert database.execute(LEFT_BEHIND).fetchall() == []
    apply(database, variant)


def test_after_the_pair_goes_up_down_and_up(database: Connection) -> None:
    apply(database, "after")
    database.execute(SEED)
    for migration, column in ((UP, []), (DOWN, [("text", False, False)]), (UP, [])):
        database.execute(migration)
        assert database.execute(COLUMN).fetchall() == column
        database.execute(RECORD)
        database.execute(EXECUTE)
    messages = database.execute("SELECT DISTINCT error_details ->> 'message' FROM phase_executions").fetchall()
    assert sorted(messages) == [("late",), ("timeout",)]
    database.execute("SELECT error_message FROM campaign_phase_status")
    database.execute(DOWN)
    apply(database, "after", "down")


@pytest.mark.parametrize("variant", ["before", "between"])
def test_the_view_stands_in_the_way_and_the_functions_do_not(database: Connection, variant: str) -> None:
    apply(database, variant)
    database.execute(SEED)
    with pytest.raises(errors.DependentObjectsStillExist, match="campaign_phase_status"):
        database.execute(UP)
    database.execute("ROLLBACK")
    database.execute("DROP VIEW campaign_phase_status")
    database.execute(RECORD)
    database.execute(EXECUTE)

    database.execute(UP)

    for statement in (RECORD, EXECUTE):
        with pytest.raises(errors.UndefinedColumn, match="error_message"):
            database.execute(statement)
