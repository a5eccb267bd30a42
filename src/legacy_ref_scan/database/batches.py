"""How each migration tool sends a migration to the server: which texts, in a transaction or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from legacy_ref_scan.migrations import Migration
from legacy_ref_scan.model import Fragment
from legacy_ref_scan.sql.statements import cut

# `-- +goose NO TRANSACTION` (goose, "Migrations outside of a transaction"), `-- +migrate Up notransaction`
# (sql-migrate), `-- migrate:up transaction:false` (dbmate), `---- tern: disable-tx ----` (tern),
# `executeInTransaction=false` (Flyway's script configuration, in a comment).
_OUTSIDE = {
    "goose": re.compile(rb"^[ \t]*--[ \t]*\+goose[ \t]+NO[ \t]+TRANSACTION", re.MULTILINE | re.IGNORECASE),
    "sql-migrate": re.compile(rb"^--[ \t]*\+migrate[ \t]+Up\b[^\n]*\bnotransaction\b", re.MULTILINE | re.IGNORECASE),
    "dbmate": re.compile(rb"^--[ \t]*migrate:up\b[^\n]*\btransaction[ \t]*:[ \t]*false\b", re.MULTILINE),
    "tern": re.compile(rb"^----[ \t]*tern:[ \t]*disable-tx[ \t]*----", re.MULTILINE),
    "flyway": re.compile(rb"\bexecuteInTransaction[ \t]*[=:][ \t]*false\b"),
}
# golang-migrate sends a file as one query: without a BEGIN of its own it is the server's implicit transaction, and a
# lone CREATE INDEX CONCURRENTLY is none. With x-multi-statement it sends statement by statement. Flyway finds out by
# itself which scripts can't run in a transaction.
# Alembic's autocommit_block ends the transaction around one statement.
_TRIES_OUTSIDE = frozenset({"golang-migrate", "flyway", "directories", "alembic"})
_STATEMENT_BY_STATEMENT = frozenset({"schema-file", "sqlc"})
_FROM_CLIENT = re.compile(rb"\s*copy\b.*\bfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Batch:
    """What is sent at once. `transaction`: between a BEGIN and a COMMIT of the tool's.

    `start` is the offset of the text in the file; where a program puts the text together, `script` maps it back.
    """

    path: str
    start: int
    text: bytes
    transaction: bool
    script: Fragment | None = None

    def place(self, offset: int) -> int:
        """Where a byte of the text stands in the file."""
        if self.script is None:
            return self.start + offset
        return self.script.origin(self.start + offset, self.start + offset + 1).start


def batches(migration: Migration, convention: str) -> Iterator[Batch]:
    """The up part of a migration as its tool sends it."""
    outside = convention in _OUTSIDE and _OUTSIDE[convention].search(migration.source.data) is not None
    if outside or convention in _STATEMENT_BY_STATEMENT:
        yield from single(migration)
        return
    for whole in _texts(migration, wrapped=convention in _OUTSIDE):
        if cut(whole.text).statements:
            yield whole


def single(migration: Migration) -> Iterator[Batch]:
    """Statement by statement, each on its own; the data that psql would send for a COPY is left out with it."""
    for whole in _texts(migration, wrapped=False):
        for start, end in cut(whole.text).statements:
            if not _FROM_CLIENT.match(whole.text, start, end):
                yield replace(whole, start=whole.start + start, text=whole.text[start:end], transaction=False)


def _texts(migration: Migration, wrapped: bool) -> Iterator[Batch]:
    for start, end in migration.up:
        yield Batch(migration.path, start, migration.source.data[start:end], wrapped)
    for script in migration.scripts:
        yield Batch(migration.path, 0, script.text, True, script)


def may_run_single(convention: str) -> bool:
    """Whether the tool can send single statements where a file as a whole can't run in a transaction."""
    return convention in _TRIES_OUTSIDE
