"""The dump: it tells what differs, and our replay of it gives the schema that the migrations give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from legacy_ref_scan.catalog import apply_file, replay
from legacy_ref_scan.cli import main
from legacy_ref_scan.database.chain import replay_on
from legacy_ref_scan.database.dump import differences, dump
from legacy_ref_scan.migrations import detect
from legacy_ref_scan.model import SourceFile
from legacy_ref_scan.schema import Catalog
from legacy_ref_scan.workspace import Workspace
from tests.expectations import FIXTURES
from tests.postgres import Server

Connection = psycopg.Connection[tuple[Any, ...]]
SCHEMA = """
CREATE TYPE mood AS ENUM ('a', 'it''s'); CREATE DOMAIN positive AS int DEFAULT 1 CHECK (VALUE > 0);
CREATE TABLE other (code text PRIMARY KEY);
CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text COLLATE "C" DEFAULT 'x' NOT NULL, b mood,
    c text GENERATED ALWAYS AS (a || 'y') STORED, d text REFERENCES other, e positive, CHECK (a <> b::text));
CREATE TABLE p (k int, v text) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE child (x int) INHERITS (t);
CREATE SEQUENCE s; CREATE INDEX i ON t (a, d) WHERE a IS NOT NULL; CREATE STATISTICS st ON a, d FROM t;
CREATE VIEW v2 AS SELECT a, d FROM t; CREATE VIEW v1 AS SELECT a FROM v2;
CREATE OR REPLACE VIEW v2 AS SELECT a, d, 1 AS one FROM t; CREATE MATERIALIZED VIEW m AS SELECT a FROM v1;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION g(x int DEFAULT 1) RETURNS text BEGIN ATOMIC SELECT a FROM t; END;
CREATE TRIGGER tr BEFORE UPDATE OF a ON t FOR EACH ROW WHEN (NEW.a <> '') EXECUTE FUNCTION f();
CREATE POLICY po ON t USING (a = 'x'); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING; CREATE PUBLICATION pu FOR TABLE t (id, a);
COMMENT ON COLUMN t.a IS 'why'; GRANT SELECT (a) ON t TO PUBLIC; CREATE SCHEMA "My Schema";
CREATE TABLE "My Schema"."T" ("C" int);
"""
CHANGES = {
    "ALTER TABLE t ALTER a DROP NOT NULL": "column public.t.a was",
    "ALTER TABLE t ALTER a SET DEFAULT 'z'": "column public.t.a was",
    "ALTER TABLE t ADD z int": "column public.t.z is new",
    "DROP INDEX i": "index i on public.t is gone",
    "ALTER TABLE t DISABLE TRIGGER tr": "trigger tr on public.t was",
    "COMMENT ON COLUMN t.a IS NULL": "comment a on public.t is gone",
    "REVOKE SELECT (a) ON t FROM PUBLIC": "grants a on public.t",
    "ALTER TABLE t DISABLE ROW LEVEL SECURITY": "options t",
    "DROP POLICY po ON t": "policy po on public.t is gone",
    "DROP RULE r ON t": "rule r on public.t is gone",
    "DROP STATISTICS st": "statistics st on public.t is gone",
    "ALTER FUNCTION f() SECURITY DEFINER": "function public.f() was",
    "DROP PUBLICATION pu": "publication pu is gone",
    "ALTER TABLE t DROP CONSTRAINT t_check": "constraint t_check on public.t is gone",
    "ALTER TYPE mood ADD VALUE 'c'": "type public.mood was",
    "DROP MATERIALIZED VIEW m": "view public.m is gone",
    "DROP SEQUENCE s": "sequence public.s is gone",
    'ALTER TABLE "My Schema"."T" RENAME "C" TO c': "column My Schema.T.C is gone",
}


def catalog_of(data: bytes) -> Catalog:
    return apply_file(Catalog(), SourceFile("live", data, "sql"), ((0, len(data)),))


def test_nothing_differs_from_itself(database: Connection) -> None:
    database.execute(SCHEMA.encode())
    before = dump(database)
    assert list(differences(before, dump(database))) == []
    database.execute(
        "ALTER TABLE other ADD x text; ALTER TABLE other DROP code CASCADE;"
        "ALTER TABLE other ADD code text PRIMARY KEY; ALTER TABLE t ADD FOREIGN KEY (d) REFERENCES other;"
        "ALTER TABLE other DROP x"
    )
    assert list(differences(before, dump(database))) == []  # in another order, that is all


def test_every_kind_of_change_is_seen(database: Connection) -> None:
    database.execute(SCHEMA.encode())
    before = dump(database)
    for statement, expected in CHANGES.items():
        database.execute("BEGIN")
        database.execute(statement.encode())
        found = list(differences(before, dump(database)))
        database.execute("ROLLBACK")
        assert any(line.startswith(expected) for line in found), (statement, found)


def test_the_dump_replays_without_a_gap(database: Connection) -> None:
    database.execute(SCHEMA.encode())
    catalog = catalog_of(dump(database).sql())
    assert catalog.gaps == ()
    direct = catalog_of(SCHEMA.encode())
    kept = {key[0::3] for key in direct.objects if key[0] != "grant"}  # grants are compared, and not replayed
    assert {key[0::3] for key in catalog.objects} == kept
    assert set(catalog.functions) == set(direct.functions)
    assert {name for name in direct.names if "_seq" not in name[1]} <= set(catalog.names)


@pytest.mark.parametrize("variant", ["before", "between", "after"])
def test_it_gives_the_catalog_of_the_migrations(database: Connection, variant: str) -> None:
    history = detect(Workspace(FIXTURES / "domainflow" / variant))
    assert replay_on(database, history, history.migrations, own=False).problem == ""
    live, mine = catalog_of(dump(database).sql()), replay(history.migrations)
    assert live.gaps == ()
    assert set(live.names) == set(mine.names)
    assert {key[0::3] for key in live.objects} == {key[0::3] for key in mine.objects}
    assert set(live.functions) == set(mine.functions)
    columns = [
        {
            (r.name, c.name): (c.type, c.not_null)
            for r in each.relations.values()
            for c in r.columns
            if r.kind == "table"
        }
        for each in (live, mine)
    ]
    assert columns[0] == columns[1]


def test_a_live_schema_stands_for_the_migrations(postgres: Server, tmp_path: Path) -> None:
    """A function that no migration made is found in a scan over the dump."""
    function = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE t SET a = 'x'; END $$"
    name = postgres.create(f"CREATE TABLE t (id int, a text); {function}")
    (tmp_path / "main.go").write_text("package main\n")
    made = tmp_path / "live.sql"
    arguments = ["--root", str(tmp_path)]
    assert main(["schema", *arguments, "--dsn", postgres.dsn_of(name), "--output", str(made)]) == 0
    assert main(["scan", *arguments, "--column", "t.a", "--migrations", "live.sql"]) == 1
    assert main(["scan", *arguments, "--column", "t.id", "--migrations", "live.sql"]) == 0
