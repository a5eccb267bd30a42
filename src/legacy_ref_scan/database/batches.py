"""How each migration tool sends a migration to the server: which texts, in a transaction or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from legacy_ref_scan.migrations import Migration
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
_TRIES_OUTSIDE = frozenset({"golang-migrate", "flyway"})
_STATEMENT_BY_STATEMENT = frozenset({"schema-file"})
_FROM_CLIENT = re.compile(rb"\s*copy\b.*\bfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Batch:
    """What is sent at once. `transaction`: between a BEGIN and a COMMIT of the tool's.

    `start` is the offset of the text in the file, for messages.
    """

    path: str
    start: int
    text: bytes
    transaction: bool


def batches(migration: Migration, convention: str) -> Iterator[Batch]:
    """The up part of a migration as its tool sends it."""
    data = migration.source.data
    outside = convention in _OUTSIDE and _OUTSIDE[convention].search(data) is not None
    if outside or convention in _STATEMENT_BY_STATEMENT:
        yield from single(migration)
        return
    wrapped = convention in _OUTSIDE
    for start, end in migration.up:
        if cut(data, start, end).statements:
            yield Batch(migration.path, start, data[start:end], wrapped)


def single(migration: Migration) -> Iterator[Batch]:
    """Statement by statement, each on its own; the data that psql would send for a COPY is left out with it."""
    data = migration.source.data
    for first, last in migration.up:
        for start, end in cut(data, first, last).statements:
            if not _FROM_CLIENT.match(data, start, end):
                yield Batch(migration.path, start, data[start:end], False)


def may_run_single(convention: str) -> bool:
    """Whether the tool can send single statements where a file as a whole can't run in a transaction."""
    return convention in _TRIES_OUTSIDE
