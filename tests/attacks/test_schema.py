"""Children that keep the column, temporary relations that end with the session, foreign tables over the table."""

from __future__ import annotations

import pytest

from tests.attacks.attack import COLUMN, Attack, breaks, report_on

COUNT = "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(error_message) FROM child';"
PARTITIONED = "CREATE TABLE part (id int, error_message text) PARTITION BY LIST (id);"
OF_PHASES = "INHERITS (campaign_phases)"


@pytest.mark.parametrize(
    ("migration", "column", "verdict"),
    [
        (f"CREATE TABLE child () {OF_PHASES};", COLUMN, "referenced"),
        (f"CREATE TABLE child (error_message text) {OF_PHASES};", COLUMN, "clean"),
        ("CREATE TABLE child (LIKE campaign_phases); ALTER TABLE child INHERIT campaign_phases;", COLUMN, "clean"),
        ("CREATE TABLE child () INHERITS (campaign_phases, phase_executions);", COLUMN, "clean"),
        (f"CREATE TABLE a () {OF_PHASES}; CREATE TABLE child () INHERITS (a);", COLUMN, "referenced"),
        (f"CREATE TABLE a (error_message text) {OF_PHASES}; CREATE TABLE child () INHERITS (a);", COLUMN, "clean"),
        (
            f"CREATE TABLE a () {OF_PHASES}; CREATE TABLE child () INHERITS (a);"
            f"CREATE TABLE b () {OF_PHASES}; ALTER TABLE child INHERIT b;",
            COLUMN,
            "referenced",
        ),
        (f"CREATE TABLE child () {OF_PHASES}; ALTER TABLE child NO INHERIT campaign_phases;", COLUMN, "clean"),
        (
            f"{PARTITIONED} CREATE TABLE child (LIKE part); ALTER TABLE part ATTACH PARTITION child DEFAULT;",
            "part.error_message",
            "referenced",
        ),
        (
            f"{PARTITIONED} CREATE TABLE child PARTITION OF part DEFAULT; ALTER TABLE part DETACH PARTITION child;",
            "part.error_message",
            "clean",
        ),
    ],
)
def test_children(migration: str, column: str, verdict: str) -> None:
    attack = Attack("", (migration, COUNT), calls=("SELECT f()",))
    assert report_on(attack, column=column).verdict == verdict
    assert breaks(attack, column=column) == (verdict != "clean")


TEMPORARY = "CREATE TEMP TABLE campaign_phases (id int, error_message text);"
READER = "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(error_message) FROM campaign_phases';"


@pytest.mark.parametrize(
    ("migrations", "files", "verdict"),
    [
        ((TEMPORARY,), {"a.sql": "SELECT error_message FROM campaign_phases;\n"}, "referenced"),
        ((TEMPORARY, READER), {}, "referenced"),
        (("CREATE TEMP VIEW v AS SELECT error_message FROM campaign_phases;",), {}, "clean"),
        (
            (
                "CREATE TEMP TABLE t AS SELECT id FROM campaign_phases;"
                "CREATE VIEW v AS SELECT c.error_message FROM t, campaign_phases c;",
            ),
            {},
            "clean",
        ),
    ],
)
def test_what_is_temporary(migrations: tuple[str, ...], files: dict[str, str], verdict: str) -> None:
    assert report_on(Attack("", migrations, files)).verdict == verdict


SERVER = "CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw; CREATE FOREIGN TABLE remote"


@pytest.mark.parametrize(
    ("columns", "options", "verdict"),
    [
        ("id int, error_message text", "table_name 'campaign_phases'", "unknown"),
        ("id int, m text OPTIONS (column_name 'error_message')", "table_name 'campaign_phases'", "unknown"),
        ("id int, error_message text", "table_name 'phase_executions'", "clean"),
        ("id int", "table_name 'campaign_phases'", "clean"),
    ],
)
def test_foreign_tables(columns: str, options: str, verdict: str) -> None:
    migration = f"{SERVER} ({columns}) SERVER here OPTIONS (schema_name 'public', {options});"
    assert report_on(Attack("", (migration,))).verdict == verdict


UNIQUE = """
ALTER TABLE campaign_phases DROP CONSTRAINT campaign_phases_pkey;
UPDATE campaign_phases SET error_message = coalesce(error_message, id::text);
ALTER TABLE campaign_phases ALTER error_message SET NOT NULL, ADD CONSTRAINT u UNIQUE (error_message);
CREATE PUBLICATION p FOR TABLE campaign_phases;
"""


@pytest.mark.parametrize(
    ("migration", "verdict"),
    [
        ("ALTER TABLE campaign_phases REPLICA IDENTITY USING INDEX u;", "referenced"),
        (
            "ALTER TABLE campaign_phases REPLICA IDENTITY USING INDEX u; ALTER INDEX u RENAME TO v;",
            "referenced",
        ),
        (
            "ALTER TABLE campaign_phases REPLICA IDENTITY USING INDEX u;"
            "ALTER TABLE campaign_phases REPLICA IDENTITY FULL;",
            "clean",
        ),
    ],
)
def test_replica_identity(migration: str, verdict: str) -> None:
    attack = Attack("", (UNIQUE, migration), calls=("UPDATE campaign_phases SET name = 'z'",))
    assert report_on(attack).verdict == verdict
    assert breaks(attack) == (verdict != "clean")


@pytest.mark.parametrize(
    ("options", "verdict"),
    [
        ("timescaledb.compress, timescaledb.compress_segmentby = 'error_message'", "unknown"),
        ("timescaledb.compress, timescaledb.compress_segmentby = 'name'", "clean"),
        ("fillfactor = 70", "clean"),
    ],
)
def test_options_of_the_table(options: str, verdict: str) -> None:
    assert report_on(Attack("", (f"ALTER TABLE campaign_phases SET ({options});",))).verdict == verdict
