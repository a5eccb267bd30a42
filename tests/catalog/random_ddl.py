"""Random statements over a few names. Most are refused by PostgreSQL; the ones that it takes make a history."""

from __future__ import annotations

import random
from collections.abc import Callable

_TABLES = ("t", "u", "v1", "app.t", "x")
_COLUMNS = ("a", "b", "c", "error_message", '"Q q"')
_TYPES = ("int", "text", "varchar(7)", "timestamptz", "numeric(5,2)", "int[]", "serial", "mood", "bigint")


class Names:
    """Picks names and pieces of statements."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def one(self, *choices: str) -> str:
        return self.random.choice(choices)

    @property
    def table(self) -> str:
        return self.one(*_TABLES)

    @property
    def column(self) -> str:
        return self.one(*_COLUMNS)

    @property
    def columns(self) -> str:
        return ", ".join(self.random.sample(_COLUMNS, self.random.randint(1, 3)))

    @property
    def expression(self) -> str:
        c = self.column
        return self.one(
            f"{c} IS NOT NULL", f"length({c}::text) > 1", f"coalesce({c}::text, {self.column}::text) <> ''",
            f"CASE WHEN {c} IS NULL THEN true ELSE false END",
        )  # fmt: skip

    @property
    def definition(self) -> str:
        extra = self.one(
            "", "", "", "NOT NULL", "DEFAULT NULL", "UNIQUE", "PRIMARY KEY", f"CHECK ({self.expression})",
            f"REFERENCES {self.table}", f"REFERENCES {self.table} ({self.column})", "GENERATED ALWAYS AS IDENTITY",
            f"GENERATED ALWAYS AS ({self.column}) STORED", f"CONSTRAINT {self.one('k1', 'k2')} UNIQUE",
        )  # fmt: skip
        return f"{self.column} {self.one(*_TYPES)} {extra}".rstrip()

    @property
    def constraint(self) -> str:
        name = self.one("", "", "CONSTRAINT k1 ", "CONSTRAINT k2 ")
        return name + self.one(
            f"UNIQUE ({self.columns})", f"PRIMARY KEY ({self.columns})", f"CHECK ({self.expression})",
            f"FOREIGN KEY ({self.column}) REFERENCES {self.table} ({self.column})", f"UNIQUE ({self.column})",
        )  # fmt: skip

    @property
    def cascade(self) -> str:
        return self.one("", "", " CASCADE")

    @property
    def query(self) -> str:
        t = self.table
        return self.one(
            f"SELECT * FROM {t}", f"SELECT {self.columns} FROM {t}",
            f"SELECT {self.column} AS x, {self.column} FROM {t}",
            f"SELECT p.{self.column}, q.{self.column} AS y FROM {t} p JOIN {self.table} q USING ({self.column})",
            f"SELECT p.* FROM {t} p WHERE EXISTS (SELECT 1 FROM {self.table} q WHERE q.{self.column} = p.a)",
            f"WITH w AS (SELECT * FROM {t}) SELECT {self.column} FROM w",
            f"SELECT {self.column}, count(*) AS n FROM {t} GROUP BY 1",
            f"SELECT {self.column} FROM {t} UNION ALL SELECT {self.column} FROM {self.table}",
            f"SELECT row_to_json(p) AS j FROM {t} p",
        )  # fmt: skip


def _create(n: Names) -> str:
    parts = ", ".join([n.definition for _ in range(n.random.randint(1, 4))] + [n.constraint] * n.random.randint(0, 1))
    tail = n.one("", "", "", f" INHERITS ({n.table})", f" PARTITION BY RANGE ({n.column})")
    return f"CREATE TABLE {n.one('', 'IF NOT EXISTS ')}{n.table} ({parts}){tail}"


def _alter(n: Names) -> str:
    command = n.one(
        f"ADD {n.definition}", f"ADD COLUMN IF NOT EXISTS {n.definition}", f"DROP COLUMN {n.column}{n.cascade}",
        f"DROP COLUMN IF EXISTS {n.column}{n.cascade}", f"ALTER {n.column} TYPE text USING {n.column}::text",
        f"ALTER {n.column} SET NOT NULL", f"ALTER {n.column} SET DEFAULT NULL",
        f"ALTER {n.column} DROP DEFAULT", f"ADD {n.constraint}", f"ADD {n.constraint}",
        f"DROP CONSTRAINT k1{n.cascade}",
        f"DROP CONSTRAINT IF EXISTS k2{n.cascade}", f"INHERIT {n.table}", f"NO INHERIT {n.table}",
        f"ALTER {n.column} DROP EXPRESSION", f"ALTER {n.column} DROP IDENTITY IF EXISTS",
    )  # fmt: skip
    second = f", ADD {n.definition}" if n.random.random() < 0.2 else ""
    return f"ALTER TABLE {n.one('', '', 'ONLY ')}{n.table} {command}{second}"


def _rename(n: Names) -> str:
    return f"ALTER TABLE {n.table} " + n.one(
        f"RENAME {n.column} TO {n.column}", f"RENAME COLUMN {n.column} TO {n.column}",
        f"RENAME CONSTRAINT k1 TO {n.one('k2', 'k3')}",
        f"RENAME TO {n.one('t', 'u', 'v1', 'x')}", "SET SCHEMA app", "SET SCHEMA public",
    )  # fmt: skip


def _index(n: Names) -> str:
    unique, name = n.one("", "UNIQUE "), n.one("", "i1 ", "i2 ", "IF NOT EXISTS i1 ")
    element = n.one(n.columns, n.columns, f"lower({n.column})", f"({n.column}::text), {n.column}", f"({n.column})")
    tail = n.one("", "", f" INCLUDE ({n.column})", f" WHERE {n.expression}")
    return f"CREATE {unique}INDEX {name}ON {n.table} ({element}){tail}"


def _view(n: Names) -> str:
    kind = n.one("VIEW", "OR REPLACE VIEW", "MATERIALIZED VIEW")
    return f"CREATE {kind} {n.one('w1', 'w2', 'app.w1')}{n.one('', '', ' (x, y)')} AS {n.query}"


def _table_as(n: Names) -> str:
    return n.one(
        f"CREATE TABLE {n.table} (LIKE {n.table} INCLUDING ALL)", f"CREATE TABLE {n.table} (z int, LIKE {n.table})",
        f"CREATE TABLE {n.table} PARTITION OF {n.table} DEFAULT",
    )  # fmt: skip


def _hanging(n: Names) -> str:
    return n.one(
        f"CREATE TRIGGER g1 BEFORE UPDATE OF {n.columns} ON {n.table} FOR EACH ROW EXECUTE FUNCTION f()",
        f"CREATE TRIGGER g2 BEFORE INSERT ON {n.table} FOR EACH ROW WHEN (NEW.{n.column} IS NULL) EXECUTE FUNCTION f()",
        f"CREATE POLICY p1 ON {n.table} USING ({n.expression})",
        f"CREATE POLICY p2 ON {n.table} USING (EXISTS (SELECT 1 FROM {n.table} q WHERE q.{n.column} IS NULL))",
        f"CREATE RULE r1 AS ON DELETE TO {n.table} DO ALSO UPDATE {n.table} SET {n.column} = OLD.{n.column}",
        f"CREATE STATISTICS s1 ON {n.columns}, {n.column} FROM {n.table}",
        f"ALTER PUBLICATION pub ADD TABLE {n.table} ({n.columns})",
        f"CREATE OR REPLACE FUNCTION at(p {n.table}) RETURNS SETOF {n.table} LANGUAGE plpgsql AS 'BEGIN END'",
        f"COMMENT ON COLUMN {n.table}.{n.column} IS 'remark'",
    )  # fmt: skip


def _drop(n: Names) -> str:
    return n.one(
        f"DROP TABLE {n.table}{n.cascade}", f"DROP TABLE IF EXISTS {n.table}, {n.table}", f"DROP INDEX i1{n.cascade}",
        f"DROP VIEW {n.one('w1', 'w2', 'app.w1')}{n.cascade}", f"DROP MATERIALIZED VIEW w1{n.cascade}",
        f"DROP TRIGGER g1 ON {n.table}", f"DROP POLICY IF EXISTS p1 ON {n.table}", "DROP STATISTICS s1",
        f"ALTER VIEW {n.one('w1', 'w2')} RENAME x TO z", "ALTER INDEX i1 RENAME TO i3",
        "ALTER TYPE mood RENAME TO mood2",
        "ALTER TYPE mood2 RENAME TO mood", f"DROP TYPE mood{n.cascade}", "DROP FUNCTION f() CASCADE",
        "CREATE TYPE mood AS ENUM ('x', 'y')", f"ALTER PUBLICATION pub DROP TABLE {n.table}",
        f"DROP FUNCTION at{n.cascade}",
    )  # fmt: skip


_KINDS: tuple[tuple[Callable[[Names], str], int], ...] = (
    (_create, 6), (_alter, 10), (_rename, 4), (_index, 4), (_view, 4), (_table_as, 2), (_hanging, 4), (_drop, 2),
)  # fmt: skip
PREAMBLE = (
    "CREATE SCHEMA app",
    "CREATE TYPE mood AS ENUM ('x', 'y')",
    "CREATE PUBLICATION pub",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
)


def statements(seed: int, count: int) -> list[str]:
    """Candidates, most of them with an error that PostgreSQL finds."""
    names = Names(seed)
    makers = [maker for maker, _ in _KINDS]
    weights = [weight for _, weight in _KINDS]
    return [make(names) for make in names.random.choices(makers, weights, k=count)]
