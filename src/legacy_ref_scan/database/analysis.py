"""What PostgreSQL itself makes of a statement: its error, its result columns, and the columns that it touches.

`debug_print_parse` prints the analysed tree, in which the permission info of each relation lists the columns that the
statement selects, inserts and updates (PostgreSQL, src/include/nodes/parsenodes.h: RTEPermissionInfo; up to version
15 the same fields stand in RangeTblEntry). So a silent rebind to another table shows, which no error would tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import errors, pq

if TYPE_CHECKING:
    from legacy_ref_scan.database.connection import Connection

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

_UNTYPED, _AMBIGUOUS = "42P18", "42P08"
_TEXT_OID = 25
_PARAMETER = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Analysis:
    """A statement in one database: the error, or its result columns and the columns that it touches."""

    sqlstate: str = ""
    error: str = ""
    result: tuple[tuple[str, str], ...] = ()
    selected: frozenset[ColumnName] = frozenset()
    inserted: frozenset[ColumnName] = frozenset()
    updated: frozenset[ColumnName] = frozenset()

    def without(self, gone: frozenset[ColumnName]) -> tuple[frozenset[ColumnName], ...]:
        """What it touches, apart from some columns."""
        return self.selected - gone, self.inserted - gone, self.updated - gone


def plannable(statement: bytes) -> bool:
    """Whether PREPARE analyses the statement."""
    return _PLANNABLE.match(statement) is not None


class Analyzer:
    """Analyses statements on one connection; `lookups` is another one to the same database, for names by oid.

    A column that was dropped after the analyzer met it keeps its name.
    """

    def __init__(self, connection: Connection, lookups: Connection) -> None:
        self.connection = connection
        self.lookups = lookups  # apart, for their trees would mix with the statement's
        self._trees: list[str] = []
        self._attributes: dict[int, tuple[str, dict[int, str]]] = {}
        self._types: dict[int, str] = {}
        self._plans: list[str] = []
        self.connection.execute(_SETTINGS)
        self.connection.add_notice_handler(self._keep)

    def _keep(self, notice: errors.Diagnostic) -> None:
        kept = {"parse tree:": self._trees, "plan:": self._plans}.get(notice.message_primary or "")
        if kept is not None and notice.message_detail:
            kept.append(notice.message_detail)

    def prepare(self, statement: bytes) -> Analysis:
        """Analyses one plannable statement without running it. A parameter without a type is taken for text."""
        types: list[int] = []
        while True:
            self._forget()
            pgconn = self.connection.pgconn
            parsed = pgconn.prepare(b"", statement, types)
            if parsed.status == pq.ExecStatus.COMMAND_OK:
                return self._analysis(pgconn.describe_prepared(b""))
            number = _untyped(parsed)
            if number <= len(types) or number > 1 << 16:
                return self._analysis(parsed)
            types += [0] * (number - len(types) - 1) + [_TEXT_OID]

    def execute(self, statement: bytes) -> Analysis:
        """Runs one statement or several; the caller holds a transaction open, and rolls it back."""
        return self._analysis(self._execute(statement))

    def _forget(self) -> None:
        self._trees.clear()
        self._plans.clear()

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
            return Analysis(_sqlstate(outcome), outcome.get_error_message().strip())
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


def _sqlstate(outcome: pq.abc.PGresult) -> str:
    return (outcome.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()


def _untyped(outcome: pq.abc.PGresult) -> int:
    """The number of the parameter whose type PostgreSQL asks for; 0 for another error."""
    if _sqlstate(outcome) != _UNTYPED:
        return 0
    found = _PARAMETER.search((outcome.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode())
    return int(found.group(1)) if found else 0


def _permissions(trees: list[str]) -> Iterator[tuple[int, list[int], list[int], list[int]]]:
    for tree in trees:
        for oid, *bitmaps in _PERMISSIONS.findall(tree):
            selected, inserted, updated = ([int(member) for member in bitmap.split()] for bitmap in bitmaps)
            yield int(oid), selected, inserted, updated


def _drain(pgconn: pq.abc.PGconn) -> None:
    while pgconn.get_result() is not None:
        pass
