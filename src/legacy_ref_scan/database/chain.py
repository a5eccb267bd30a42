"""Replays migrations on an empty database as their tool runs them, and says plainly where that is not possible."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from psycopg import errors

from legacy_ref_scan.catalog.names import quoted
from legacy_ref_scan.database.batches import Batch, batches, may_run_single, single
from legacy_ref_scan.database.checks import counted
from legacy_ref_scan.database.standins import STANDINS, extension_of, without_comments
from legacy_ref_scan.migrations import History, Migration
from legacy_ref_scan.model import HOLE
from legacy_ref_scan.sql.statements import cut

if TYPE_CHECKING:
    from legacy_ref_scan.database.connection import Connection

_ROLE = re.compile(r'role "([^"]+)" does not exist')
_MOST_ROLES = 50
_CREATE_INDEX = re.compile(rb"create\s+(?:unique\s+)?index\b", re.IGNORECASE)
_NAMED = re.compile(r'"([^"]+)"')
_EXTENSIONS = "SELECT name FROM pg_available_extensions"
_OWN_TABLES = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""


@dataclass(slots=True)
class Chain:
    """What came of a replay. `problem` says why it stopped, empty where it went through to its end."""

    applied: int = 0
    problem: str = ""
    roles: list[str] = field(default_factory=list)  # made, for migrations name them
    stand_ins: list[str] = field(default_factory=list)  # extensions in whose place others' signatures stand
    missing: list[str] = field(default_factory=list)  # extensions that are left out altogether
    indexes: int = 0  # left out, for their operator classes come with an extension that is missing
    outside: list[str] = field(default_factory=list)  # paths that ran statement by statement

    def notes(self) -> Iterator[str]:
        """What was otherwise than in production."""
        if self.stand_ins:
            yield f"the server lacks {_listed(self.stand_ins)}: only what PREPARE needs of it was made up"
        if self.missing:
            yield f"the server lacks the extensions {_listed(self.missing)}: they were left out"
        if self.indexes:
            yield f"{counted(self.indexes, 'index')} left out, for want of these extensions"
        if self.roles:
            yield f"roles made for the rehearsal: {_listed(self.roles)}"
        if self.outside:
            yield f"not possible in one transaction, run statement by statement: {_listed(self.outside)}"


class NotEmptyError(Exception):
    """The database holds relations: nothing is ever rehearsed in one that somebody may use."""


def require_empty(connection: Connection) -> None:
    """Raises `NotEmptyError` where the database has a relation that no extension made."""
    row = connection.execute(_OWN_TABLES).fetchone()
    if row is None or row[0]:
        raise NotEmptyError(f"the database has {row[0] if row else 'some'} relations")


def replay_on(connection: Connection, history: History, migrations: Iterable[Migration], *, own: bool) -> Chain:
    """Run the up parts in order. `own` says that the server is ours, so that missing roles may be made."""
    return _Runner(connection, history.convention, own).run(migrations)


class _Runner:
    def __init__(self, connection: Connection, convention: str, own: bool) -> None:
        self.connection, self.convention, self.own = connection, convention, own
        self.chain = Chain()
        self.available = {str(row[0]) for row in connection.execute(_EXTENSIONS).fetchall()}

    def run(self, migrations: Iterable[Migration]) -> Chain:
        for migration in migrations:
            problem = self._migrate(migration)
            if problem:
                self.chain.problem = problem
                break
            self.chain.applied += 1
        return self.chain

    def _migrate(self, migration: Migration) -> str:
        """Why the migration failed; empty where it did not."""
        for batch in batches(migration, self.convention):
            if HOLE in batch.text:
                line = migration.source.line_of(batch.place(batch.text.index(HOLE)))
                return f"{batch.path}:{line}: a part of it is not known before it runs: give --schema-dump"
            error = self._run(batch)
            if isinstance(error, errors.ActiveSqlTransaction) and may_run_single(self.convention):
                self.chain.outside.append(migration.path)
                failed = ((one, self._run(one)) for one in single(migration))
                batch, error = next(((one, e) for one, e in failed if e is not None), (batch, None))
            if error is not None:
                return _explained(batch, error, migration)
        return ""

    def _run(self, batch: Batch) -> errors.Error | None:
        """Run a batch; what is missing of the server and can be made or left out is, one thing at a time."""
        batch = replace(batch, text=self._without_extensions(batch.text))
        while (error := self._send(batch)) is not None:
            text = batch.text if self._make_role(error) else self._without_index(batch.text, error)
            if text is None:
                return error
            batch = replace(batch, text=text)
        return None

    def _make_role(self, error: errors.Error) -> bool:
        """Make the role that an error misses, where the server is ours."""
        role = _ROLE.search(str(error))
        if role is None or not self.own or len(self.chain.roles) >= _MOST_ROLES:
            return False
        self.chain.roles.append(role.group(1))
        self.connection.execute(f"CREATE ROLE {quoted(role.group(1))}".encode())
        return True

    def _without_index(self, text: bytes, error: errors.Error) -> bytes | None:
        """The text without the index that an extension's operator class is missing for; None for another error."""
        lacking = bool(self.chain.missing or self.chain.stand_ins)
        name = _NAMED.search(error.diag.message_primary or "")
        if not lacking or name is None or not isinstance(error, errors.UndefinedObject):
            return None
        for start, end in cut(text).statements:
            statement = without_comments(text[start:end])
            if _CREATE_INDEX.match(statement) and name.group(1).lower().encode() in statement.lower():
                self.chain.indexes += 1
                return _left_out(text, start, end)
        return None

    def _send(self, batch: Batch) -> errors.Error | None:
        try:
            if batch.transaction:
                self.connection.execute("BEGIN")
            self.connection.execute(batch.text)
            if batch.transaction:
                self.connection.execute("COMMIT")
        except errors.Error as error:
            if self.connection.closed:
                raise  # the server went away: no fault of the migration's
            self.connection.execute("ROLLBACK")
            return error
        return None

    def _without_extensions(self, text: bytes) -> bytes:
        """The text without the extensions that the server does not have; their stand-ins are made at once."""
        if b"extension" not in text.lower():
            return text
        for start, end in cut(text).statements:
            name = extension_of(text[start:end])
            if name is None or name in self.available:
                continue
            known = self.chain.stand_ins if name in STANDINS else self.chain.missing
            if name not in known:
                known.append(name)
                self.connection.execute(STANDINS.get(name, "SELECT 1").encode())
            text = _left_out(text, start, end)
        return text


def _left_out(text: bytes, start: int, end: int) -> bytes:
    """The text with a statement that does nothing in the place of another, as long as that one."""
    return text[:start] + b"SELECT 1".ljust(end - start) + text[end:]


def _explained(batch: Batch, error: errors.Error, migration: Migration) -> str:
    line = migration.source.line_of(batch.place(_position(batch.text, error)))
    state = f" ({error.sqlstate})" if error.sqlstate else ""
    message = (error.diag.message_primary or str(error)).strip()
    hint = ""
    if isinstance(error, errors.InsufficientPrivilege):
        hint = "; the role of the DSN may not do this"
    elif _ROLE.search(message):
        hint = "; create the role, or let the rehearsal use a server of its own"
    elif isinstance(error, errors.UndefinedObject | errors.UndefinedFunction | errors.FeatureNotSupported):
        hint = "; where an extension brings it, name a server that has it with --dsn, or give --schema-dump"
    return f"{batch.path}:{line}: {message}{state}{hint}"


def _position(text: bytes, error: errors.Error) -> int:
    """Where in the text the server points, in bytes; its start where it does not."""
    given = error.diag.statement_position
    if not given:
        found = cut(text).statements
        return found[0][0] if found else 0
    return len(text.decode("utf-8", "replace")[: int(given) - 1].encode())


def _listed(names: list[str]) -> str:
    return ", ".join(names)
