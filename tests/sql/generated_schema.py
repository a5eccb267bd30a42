"""Random schemas whose tables share column names, and what the statement generator has to know of them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

Columns = tuple[tuple[str, str], ...]
"""(name, type) of each column, in order."""

TARGET_COLUMN = "message"
CHILD = "late_phases"
"""The child table or the partition of the target's table, where it has one."""

# Columns that several tables have; `pair` is a composite type with a field that is spelled like the target.
_SHARED: Columns = (
    (TARGET_COLUMN, "text"),
    ("status", "text"),
    ("kind", "text"),
    ("n", "int"),
    ("data", "jsonb"),
    ("tags", "text[]"),
    ("spot", "pair"),
)
_NAMES = ("phases", "jobs", "runs", "notes", "steps")


@dataclass(frozen=True)
class Table:
    """A relation that statements may name. `plain` tables can be changed."""

    schema: str
    name: str
    columns: Columns
    plain: bool = True
    unique: tuple[tuple[str, ...], ...] = ()

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    def names_of(self, kind: str) -> list[str]:
        return [name for name, column_type in self.columns if column_type == kind]


@dataclass(frozen=True)
class GeneratedSchema:
    """`sql` creates it; `target` is the table that loses `message`. Unqualified names are found in `visible`."""

    sql: str
    tables: tuple[Table, ...]
    target: Table
    search_path: tuple[str, ...] = ("public", "other")

    @property
    def visible(self) -> dict[str, Table]:
        found: dict[str, Table] = {}
        for schema in self.search_path:
            for table in self.tables:
                if table.schema == schema:
                    found.setdefault(table.name, table)
        return found

    @property
    def for_postgres(self) -> str:
        """The same with the search path as the database's own, for a judge's connections."""
        path = ", ".join(self.search_path)
        setting = f"format('ALTER DATABASE %I SET search_path TO {path}', current_database())"
        return f"DO $$ BEGIN EXECUTE {setting}; END $$;\nSET search_path TO {path};\n{self.sql}"


def make_schema(random: Random) -> GeneratedSchema:
    """3 to 5 tables in two schemas, a child table or a partition, views over them."""
    tables = _tables(random)
    target = tables[0]
    statements = ["CREATE SCHEMA other;", "CREATE TYPE public.pair AS (message text, amount int);"]
    kind = random.choice(("plain", "plain", "parent", "parent", "partitioned"))
    partitioned = " PARTITION BY HASH (id)" if kind == "partitioned" else ""
    statements += [_create(table, partitioned if table is target else "") for table in tables]
    if kind == "parent":
        tables.append(Table("public", CHILD, (*target.columns, ("extra", "text"))))
        statements.append(f"CREATE TABLE public.{CHILD} (extra text) INHERITS ({target.qualified});")
    elif kind == "partitioned":
        tables.append(Table("public", CHILD, target.columns))
        bounds = "FOR VALUES WITH (MODULUS 1, REMAINDER 0)"
        statements.append(f"CREATE TABLE public.{CHILD} PARTITION OF {target.qualified} {bounds};")
    for view, definition in _views(random, tables):
        statements.append(definition)
        tables.append(view)
    statements.append(
        "CREATE FUNCTION public.listed(wanted text) RETURNS TABLE (message text, n int) LANGUAGE sql"
        " AS 'SELECT wanted, 1';"
    )
    return GeneratedSchema("\n".join(statements), tuple(tables), target)


def _tables(random: Random) -> list[Table]:
    made: list[Table] = []
    for name in _NAMES[: random.randint(3, 5)]:
        shared = random.sample(_SHARED, random.randint(3, len(_SHARED)))
        if (TARGET_COLUMN, "text") not in shared and (name == "phases" or random.random() < 0.4):
            shared.append((TARGET_COLUMN, "text"))
        own = (f"own_{name}", "text")
        columns = [*shared, own]
        random.shuffle(columns)
        columns.insert(random.choice((0, 0, 0, len(columns))), ("id", "int"))
        schema = "other" if name not in ("phases", "jobs") and random.random() < 0.4 else "public"
        names = [column for column, _ in columns]
        pairs = [("id", TARGET_COLUMN)] if TARGET_COLUMN in names and random.random() < 0.5 else []
        made.append(Table(schema, name, tuple(columns), unique=tuple(pairs)))
    if random.random() < 0.5:  # behind the first one in the search path
        made.append(Table("other", "phases", (("id", "int"), (TARGET_COLUMN, "text"), ("n", "int"))))
    return made


def _create(table: Table, partitioned: str) -> str:
    columns = [f"{name} {kind}{' PRIMARY KEY' if name == 'id' else ''}" for name, kind in table.columns]
    uniques = [f"CONSTRAINT {table.name}_both UNIQUE ({', '.join(names)})" for names in table.unique]
    return f"CREATE TABLE {table.qualified} ({', '.join([*columns, *uniques])}){partitioned};"


def _views(random: Random, tables: list[Table]) -> list[tuple[Table, str]]:
    """A view over the target, a view over that view, one over the target without the column."""
    target = tables[0]
    made: list[tuple[Table, str]] = []
    if random.random() < 0.7:
        star = Table("public", "all_phases", target.columns, plain=False)
        made.append((star, f"CREATE VIEW public.all_phases AS SELECT * FROM {target.qualified};"))
    if made and random.random() < 0.6:
        columns: Columns = (("id", "int"), (random.choice(("note", "status")), "text"))
        view = Table("public", "noted", columns, plain=False)
        made.append((view, f"CREATE VIEW public.noted (id, {columns[1][0]}) AS SELECT id, message FROM all_phases;"))
    if random.random() < 0.7:
        others = tuple(column for column in target.columns if column[0] != TARGET_COLUMN)
        view = Table("public", "quiet", (*others, (TARGET_COLUMN, "text")), plain=False)
        listed = ", ".join(name for name, _ in others)
        made.append((view, f"CREATE VIEW public.quiet AS SELECT {listed}, 'none' AS message FROM {target.qualified};"))
    return made
