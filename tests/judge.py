"""PostgreSQL as the judge: what a statement does with a column, and what becomes of it when the column is dropped.

The statement is analysed in two databases of one schema, one of which has lost the column (`DROP COLUMN … CASCADE`).
A silent rebind to another table counts too, which no error would show.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from legacy_ref_scan.database.analysis import WHOLE_ROW, Analysis, Analyzer, ColumnName, plannable
from tests.postgres import Server, rolled_back, shared_server

__all__ = ["WHOLE_ROW", "Analysis", "ColumnName", "Judge", "Judgement"]

_LINEAGE = """
WITH RECURSIVE needs(view) AS (
    SELECT r.ev_class FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.refobjid = %(relation)s::regclass AND d.refobjsubid = %(attnum)s AND r.ev_class <> d.refobjid
    UNION
    SELECT r.ev_class FROM needs n
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = n.view
        AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_class <> n.view
)
SELECT n.nspname || '.' || c.relname
FROM needs JOIN pg_class c ON c.oid = view JOIN pg_namespace n ON n.oid = c.relnamespace
"""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The truth about a statement and a column.

    `accepted`: it is valid while the column stands. `breaks`: it is not, once the column is gone. `changes`: it stays
    valid with other result columns (names, types, number). `rebinds`: it stays valid and touches other columns than
    before, apart from the dropped one. `touches`: the analysed tree names the column, or the whole row of its table.
    `through_view`: it touches a view that depends on the column, directly or over other views. `error` is the first
    error, before or after.
    """

    accepted: bool
    breaks: bool
    changes: bool
    rebinds: bool
    touches: bool
    through_view: bool
    selected: frozenset[ColumnName]
    inserted: frozenset[ColumnName]
    updated: frozenset[ColumnName]
    error: str

    @property
    def untouched(self) -> bool:
        """Whether dropping the column means nothing to the statement."""
        return self.accepted and not (self.breaks or self.changes or self.rebinds or self.touches or self.through_view)


class _Database:
    """A database with the two connections that the analysis needs."""

    def __init__(self, server: Server, name: str) -> None:
        self.connection, self.lookups = server.connect(name), server.connect(name)
        self._analyzer = Analyzer(self.connection, self.lookups)

    def close(self) -> None:
        self.connection.close()
        self.lookups.close()

    def analyse(self, statement: str, *, execute: bool) -> Analysis:
        """Parses one statement, or executes it (or several) inside a transaction that is rolled back."""
        text = statement.encode()
        if execute or not plannable(text):
            with rolled_back(self.connection):
                return self._analyzer.execute(text)
        return self._analyzer.prepare(text)


class Judge:
    """Judges statements against one schema. Statements run nowhere but in transactions that are rolled back.

    `schema_sql` may hold any number of statements. The judge owns databases of its own; `close` drops them.
    """

    def __init__(self, schema_sql: str, server: Server | None = None) -> None:
        self.server = server or shared_server()
        self._schema = schema_sql
        self._names: list[str] = []
        self.before = self._open()
        self._dropped: dict[tuple[str, str], _Database] = {}
        self._views: dict[tuple[str, str], frozenset[str]] = {}

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drops the judge's databases."""
        for database in (self.before, *self._dropped.values()):
            database.close()
        for name in self._names:
            self.server.drop(name)
        self._names.clear()

    def judge(self, statement: str, table: str, column: str, *, execute: bool = False) -> Judgement:
        """What `statement` does with a column of `table` (a name as in SQL, schema-qualified or not).

        With `execute` the statement is run (and rolled back) instead of prepared: statements inside the functions
        that it calls count then, and so do errors at run time.
        """
        before = self.before.analyse(statement, execute=execute)
        after = self._without(table, column).analyse(statement, execute=execute)
        accepted = not before.sqlstate
        stays = accepted and not after.sqlstate
        relation = self._qualified(table)
        target = (relation, column)
        reached = before.selected | before.inserted | before.updated
        return Judgement(
            accepted=accepted,
            breaks=accepted and bool(after.sqlstate),
            changes=stays and before.result != after.result,
            rebinds=stays and before.without(frozenset({target})) != after.without(frozenset({target})),
            touches=bool(reached & {target, (relation, WHOLE_ROW)}),
            through_view=any(name in self._views_over(relation, column) for name, _ in reached),
            selected=before.selected,
            inserted=before.inserted,
            updated=before.updated,
            error=before.error or after.error,
        )

    def call(self, statement: str, table: str, column: str) -> Judgement:
        """`judge` with the statement run: for function bodies, which PostgreSQL analyses when they are called."""
        return self.judge(statement, table, column, execute=True)

    def view_columns(self, query: str, table: str) -> frozenset[str]:
        """The columns of `table` that a view over the query would depend on (`pg_depend`)."""
        connection = self.before.lookups
        with rolled_back(connection):
            connection.execute(f"CREATE TEMP VIEW judged AS {query}".encode())
            rows = connection.execute(
                "SELECT a.attname FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid"
                " JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid"
                " WHERE r.ev_class = 'judged'::regclass AND d.refobjid = %s::regclass AND d.refobjsubid > 0",
                (table,),
            ).fetchall()
        return frozenset(str(row[0]) for row in rows)

    def _open(self) -> _Database:
        name = self.server.create(self._schema)
        self._names.append(name)
        return _Database(self.server, name)

    def _without(self, table: str, column: str) -> _Database:
        key = (table, column)
        if key not in self._dropped:
            database = self._open()
            drop = sql.SQL("ALTER TABLE {} DROP COLUMN {} CASCADE").format(
                sql.SQL(table),  # the name as the test wrote it
                sql.Identifier(column),
            )
            database.connection.execute(drop)
            self._dropped[key] = database
        return self._dropped[key]

    def _qualified(self, table: str) -> str:
        row = self.before.lookups.execute(
            "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.oid = %s::regclass",
            (table,),
        ).fetchone()
        assert row is not None
        return str(row[0])

    def _views_over(self, relation: str, column: str) -> frozenset[str]:
        key = (relation, column)
        if key not in self._views:
            connection = self.before.lookups
            found = connection.execute(
                "SELECT attnum FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s", key
            ).fetchone()
            assert found is not None, f"{relation} has no column {column}"
            rows = connection.execute(_LINEAGE, {"relation": relation, "attnum": found[0]}).fetchall()
            self._views[key] = frozenset(str(row[0]) for row in rows)
        return self._views[key]
