"""PostgreSQL as the judge: what a statement does with a column, and what becomes of it when the column is dropped.

The statement is analysed in two databases of one schema, one of which has lost the column (`DROP COLUMN … CASCADE`).
`debug_print_parse` prints the analysed tree, in which the permission info of each relation lists the columns that the
statement selects, inserts and updates (PostgreSQL, src/include/nodes/parsenodes.h: RTEPermissionInfo; up to version
15 the same fields stand in RangeTblEntry). So a silent rebind to another table counts, which no error would show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from psycopg import pq, sql

from tests.postgres import Server, rolled_back, shared_server

ColumnName = tuple[str, str]
"""("schema.relation", column); the column is `WHOLE_ROW` where the row is used as one value."""

WHOLE_ROW = "*"

# Bitmaps hold attnum - FirstLowInvalidHeapAttributeNumber (src/include/access/sysattr.h); attnum 0 is the whole row.
_OFFSET = 7

_PERMISSIONS = re.compile(
    r":relid\s+(\d+)\s(?:(?!:relid\s).)*?"  # the dump wraps its lines at any blank
    r":selectedCols\s+\(b([\d\s]*)\)\s+:insertedCols\s+\(b([\d\s]*)\)\s+:updatedCols\s+\(b([\d\s]*)\)",
    re.DOTALL,
)

# What the Parse message analyses at once; every other statement has to be executed to be analysed.
_PLANNABLE = re.compile(
    rb"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:select|with|insert|update|delete|merge|values|table)\b", re.I | re.S
)

# Up to version 15 the tree of EXPLAIN and CREATE TABLE AS leaves the query out; its plan has the permissions as well.
_PLANS_FOR_TREES = 160000

_SETTINGS = "SET debug_pretty_print = off; SET debug_print_parse = on; SET client_min_messages = log"

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
class Analysis:
    """A statement in one database: the error, or its result columns and the columns that it touches."""

    sqlstate: str = ""
    error: str = ""
    result: tuple[tuple[str, str], ...] = ()
    selected: frozenset[ColumnName] = frozenset()
    inserted: frozenset[ColumnName] = frozenset()
    updated: frozenset[ColumnName] = frozenset()


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
    """A connection that analyses statements and knows its relations by oid."""

    def __init__(self, server: Server, name: str) -> None:
        self.connection = server.connect(name)
        self.lookups = server.connect(name)  # apart, for their trees would mix with the statement's
        self._trees: list[str] = []
        self._attributes: dict[int, tuple[str, dict[int, str]]] = {}
        self._types: dict[int, str] = {}
        self._plans: list[str] = []
        self.connection.execute(_SETTINGS)
        self.connection.add_notice_handler(self._keep)

    def close(self) -> None:
        self.connection.close()
        self.lookups.close()

    def _keep(self, notice: psycopg.errors.Diagnostic) -> None:
        kept = {"parse tree:": self._trees, "plan:": self._plans}.get(notice.message_primary or "")
        if kept is not None and notice.message_detail:
            kept.append(notice.message_detail)

    def analyse(self, statement: str, *, execute: bool) -> Analysis:
        """Parses one statement, or executes it (or several) inside a transaction that is rolled back."""
        self._forget()
        text = statement.encode()
        if execute or not _PLANNABLE.match(text):
            with rolled_back(self.connection):
                outcome = self._execute(text)
                return self._analysis(outcome)
        return self._analysis(self._prepare(text))

    def _forget(self) -> None:
        self._trees.clear()
        self._plans.clear()

    def _prepare(self, text: bytes) -> pq.abc.PGresult:
        pgconn = self.connection.pgconn
        parsed = pgconn.prepare(b"", text)
        return pgconn.describe_prepared(b"") if parsed.status == pq.ExecStatus.COMMAND_OK else parsed

    def _execute(self, text: bytes) -> pq.abc.PGresult:
        pgconn = self.connection.pgconn
        pgconn.exec_(b"DISCARD PLANS")  # else a function that ran before is not analysed again
        if pgconn.server_version < _PLANS_FOR_TREES:
            pgconn.exec_(b"SET LOCAL debug_print_plan = on")
        self._forget()
        outcome = pgconn.exec_(text)
        if outcome.status == pq.ExecStatus.COPY_IN:
            pgconn.put_copy_end(b"nothing to copy")
            _drain(pgconn)
        elif outcome.status == pq.ExecStatus.COPY_OUT:
            while pgconn.get_copy_data(0)[0] > 0:
                pass
            _drain(pgconn)
        return outcome

    def _analysis(self, outcome: pq.abc.PGresult) -> Analysis:
        if outcome.status == pq.ExecStatus.FATAL_ERROR:
            state = outcome.error_field(pq.DiagnosticField.SQLSTATE) or b""
            return Analysis(state.decode(), outcome.get_error_message().strip())
        result = tuple(self._result_column(outcome, number) for number in range(outcome.nfields))
        touched: tuple[set[ColumnName], set[ColumnName], set[ColumnName]] = (set(), set(), set())
        permissions = list(_permissions(self._trees)) or list(_permissions(self._plans))
        for relation, *bitmaps in permissions:
            for names, members in zip(touched, bitmaps, strict=True):
                names.update(self._names(relation, members))
        selected, inserted, updated = (frozenset(names) for names in touched)
        return Analysis("", "", result, selected, inserted, updated)

    def _result_column(self, outcome: pq.abc.PGresult, number: int) -> tuple[str, str]:
        return (outcome.fname(number) or b"").decode(), self._type_name(outcome.ftype(number))

    def _type_name(self, oid: int) -> str:
        """Types that the schema creates have different oids in two databases."""
        if oid not in self._types:
            row = self.lookups.execute("SELECT format_type(%s, NULL)", (oid,)).fetchone()
            self._types[oid] = str(row[0]) if row else str(oid)
        return self._types[oid]

    def _names(self, oid: int, members: list[int]) -> Iterator[ColumnName]:
        if members:
            relation, attributes = self._relation(oid)
            yield from ((relation, attributes[member - _OFFSET]) for member in members if member >= _OFFSET)

    def _relation(self, oid: int) -> tuple[str, dict[int, str]]:
        if oid not in self._attributes:
            self._attributes[oid] = self._read_relation(oid)
        return self._attributes[oid]

    def _read_relation(self, oid: int) -> tuple[str, dict[int, str]]:
        rows = self.lookups.execute(
            "SELECT n.nspname || '.' || c.relname, a.attnum, a.attname FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.oid = %s AND a.attnum > 0",
            (oid,),
        ).fetchall()
        return (str(rows[0][0]) if rows else f"oid {oid}"), {0: WHOLE_ROW, **{int(row[1]): str(row[2]) for row in rows}}


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
            rebinds=stays and _touched(before, target) != _touched(after, target),
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


def _touched(analysis: Analysis, target: ColumnName) -> tuple[frozenset[ColumnName], ...]:
    return tuple(names - {target} for names in (analysis.selected, analysis.inserted, analysis.updated))


def _permissions(trees: list[str]) -> Iterator[tuple[int, list[int], list[int], list[int]]]:
    for tree in trees:
        for oid, *bitmaps in _PERMISSIONS.findall(tree):
            selected, inserted, updated = ([int(member) for member in bitmap.split()] for bitmap in bitmaps)
            yield int(oid), selected, inserted, updated


def _drain(pgconn: pq.abc.PGconn) -> None:
    while pgconn.get_result() is not None:
        pass
