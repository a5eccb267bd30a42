"""Up and down on random tables: PostgreSQL has the same schema afterwards, and squawk has nothing to say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from legacy_ref_scan.catalog import replay
from legacy_ref_scan.generate import Pair, plan_pair
from legacy_ref_scan.migrations import Migration
from legacy_ref_scan.model import SourceFile, Target
from legacy_ref_scan.versions import Version
from tests.generate.random_tables import Table
from tests.generate.support import CLEAN, PLAN, Connection, rule

SEEDS = range(int(os.environ.get("LEGACY_REF_SCAN_RANDOM_TABLES", "40")))
_SHAPES = (
    """SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
    pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum), a.attcollation, a.attacl::text
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = '{0}'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attname""",
    """SELECT pg_get_indexdef(indexrelid), obj_description(indexrelid), indisvalid FROM pg_index
    WHERE indrelid = '{0}'::regclass ORDER BY 1""",
    """SELECT conname, pg_get_constraintdef(oid), obj_description(oid) FROM pg_constraint
    WHERE conrelid = '{0}'::regclass ORDER BY 1""",
    """SELECT pg_get_statisticsobjdef(oid), obj_description(oid) FROM pg_statistic_ext
    WHERE stxrelid = '{0}'::regclass ORDER BY 1""",
    """SELECT relname, seqtypid::regtype::text, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle,
    (SELECT attname FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE d.objid = c.oid AND d.deptype IN ('a', 'i'))
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid ORDER BY 1""",
)


def shape(database: Connection, table: str) -> list[list[tuple[object, ...]]]:
    return [database.execute(query.format(table).encode()).fetchall() for query in _SHAPES]


_LOST = re.compile(r'^-- (?:"(.*)"|(\S+)) was NOT NULL', re.MULTILINE)


def comparable(found: list[list[tuple[object, ...]]], down: bytes) -> list[list[tuple[object, ...]]]:
    """Without what the down migration says it cannot bring back on a full table: NOT NULL, validated checks."""
    lost = {quoted or plain for quoted, plain in _LOST.findall(down.decode())}
    columns, indexes, constraints, statistics, sequences = found
    return [
        [(row[0], row[1], None, *row[3:]) if row[0] in lost else row for row in columns],
        indexes,
        [
            (name, str(text).removesuffix(" NOT VALID") if "IS NOT NULL" in str(text) else text, remark)
            for name, text, remark in constraints
            if not any(str(name).endswith(f"_{column}_not_null") for column in lost)
        ],
        statistics,
        sequences,
    ]


def planned(table: Table, directory: Path, **about: object) -> Pair:
    source = SourceFile("migrations/000067_all.up.sql", table.text.encode(), "sql")
    catalog = replay([Migration(Version.of(67), "all", source.path, ((0, len(source.data)),), source)])
    assert catalog.gaps == ()
    schema, name = ("app", "t") if table.name == "app.t" else ("public", table.name.strip('"'))
    targets = tuple(Target(schema, name, column) for column in table.doomed)
    wanted = replace(rule(plan=replace(PLAN, **about)), targets=targets)  # type: ignore[arg-type]
    pair = plan_pair(CLEAN, catalog, wanted, directory, "golang-migrate")
    assert isinstance(pair, Pair), pair
    return pair


@pytest.mark.parametrize("seed", SEEDS)
def test_down_brings_back_what_up_dropped(database: Connection, migrations: Path, seed: int) -> None:
    table = Table(seed)
    database.execute(table.text.encode())
    before = shape(database, table.name)
    pair = planned(table, migrations, lock_timeout="5s", statement_timeout="60s")
    for data in (pair.up.data, pair.down.data, pair.up.data, pair.down.data):
        assert b"CASCADE" not in data
        database.execute(data)
    after = shape(database, table.name)
    assert comparable(after, pair.down.data) == comparable(before, pair.down.data)


@pytest.mark.parametrize("seed", SEEDS)
def test_cut_at_every_semicolon(database: Connection, migrations: Path, seed: int) -> None:
    """As golang-migrate does it with x-multi-statement."""
    table = Table(seed)
    pair = planned(table, migrations)
    database.execute(table.text.encode())
    before = shape(database, table.name)
    for data in (pair.up.data, pair.down.data):
        for part in data.split(b";"):
            if part.strip():
                database.execute(part)
    after = shape(database, table.name)
    assert comparable(after, pair.down.data) == comparable(before, pair.down.data)


@pytest.mark.skipif(shutil.which("squawk") is None, reason="needs squawk")
def test_the_linter_has_nothing_to_say(migrations: Path, tmp_path: Path) -> None:
    files = []
    for seed in SEEDS:
        pair = planned(Table(seed), migrations, lock_timeout="5s", statement_timeout="60s")
        for file in (pair.up, pair.down):
            path = tmp_path / f"{seed}_{file.name}"
            path.write_bytes(file.data)
            files.append(str(path))
    done = subprocess.run(["squawk", *files], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
