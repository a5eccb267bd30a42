"""Runs a migration statement by statement in its transaction, and notes which locks it holds and for how long."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg import errors

from legacy_ref_scan.sql.lexer import words
from legacy_ref_scan.sql.statements import cut

if TYPE_CHECKING:
    from legacy_ref_scan.database.connection import Connection

# System relations have oids below FirstNormalObjectId. What the step itself drops has no name any more: it is left out.
_LOCKS = """
SELECT n.nspname || '.' || c.relname, l.mode FROM pg_locks l
JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND l.relation >= 16384
"""
STRENGTH = (
    "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock",
    "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
)  # fmt: skip
"""PostgreSQL's table locks, the weakest first (manual, 13.3 Explicit Locking)."""

_BEGINS, _ENDS = frozenset({b"begin", b"start"}), frozenset({b"commit", b"end"})
_NO_TRANSACTION = re.compile(rb"\bconcurrently\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Held:
    """The strongest lock on a relation, and how long it was held, in milliseconds."""

    relation: str
    mode: str
    milliseconds: float


@dataclass(slots=True)
class Step:
    """What came of one migration. `problem` is the server's message where it failed; then nothing was changed."""

    milliseconds: float = 0.0
    statements: int = 0
    locks: list[Held] = field(default_factory=list)
    problem: str = ""
    sqlstate: str = ""
    details: str = ""


def run_step(connection: Connection, text: bytes) -> Step:
    """Run a migration whose text may hold its own BEGIN and COMMIT; without them it gets a transaction around it."""
    return _Run(connection, text).run()


class _Run:
    def __init__(self, connection: Connection, text: bytes) -> None:
        self.connection, self.step = connection, Step()
        self.statements = [text[start:end] for start, end in cut(text).statements]
        explicit = any(_first_word(item) in _BEGINS for item in self.statements)
        self.wrapped = not explicit and not _NO_TRANSACTION.search(text)
        self.since: dict[str, tuple[float, str]] = {}

    def run(self) -> Step:
        begin = time.monotonic()
        statements = [b"BEGIN", *self.statements, b"COMMIT"] if self.wrapped else self.statements
        try:
            for statement in statements:
                self._send(statement)
            self._release()
        except errors.Error as error:
            self.step.problem = error.diag.message_primary or str(error)
            self.step.sqlstate = error.sqlstate or ""
            self.step.details = error.diag.message_detail or ""
            if not self.connection.closed:
                self.connection.execute("ROLLBACK")
        self.step.milliseconds = round((time.monotonic() - begin) * 1000, 2)
        self.step.statements = len(self.statements)
        return self.step

    def _send(self, statement: bytes) -> None:
        sent = time.monotonic()
        self.connection.execute(statement)
        if _first_word(statement) in _ENDS:
            self._release()
        elif self.connection.info.transaction_status:  # inside a transaction: the locks are still there
            self._note(sent)

    def _note(self, sent: float) -> None:
        for relation, mode in self.connection.execute(_LOCKS).fetchall():
            since, before = self.since.get(relation, (sent, mode))
            self.since[relation] = (since, max(before, mode, key=STRENGTH.index))

    def _release(self) -> None:
        now = time.monotonic()
        for relation, (since, mode) in self.since.items():
            self.step.locks.append(Held(relation, mode, round((now - since) * 1000, 2)))
        self.since.clear()


def _first_word(statement: bytes) -> bytes:
    first = next(iter(words(statement)), None)
    return statement[first.start : first.end].lower() if first else b""
