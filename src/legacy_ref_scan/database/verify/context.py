"""What every live check is given, and how its answer becomes a `Check`, whatever goes wrong on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import Error, OperationalError, errors

from legacy_ref_scan.catalog.names import quoted
from legacy_ref_scan.database.checks import Check, Figures, Result
from legacy_ref_scan.database.connection import MARK, looking, redacted
from legacy_ref_scan.database.dump import dump
from legacy_ref_scan.database.live import Live, live_schema
from legacy_ref_scan.migrations import History
from legacy_ref_scan.model import ScanError, Target
from legacy_ref_scan.rules import Rule
from legacy_ref_scan.schema import Catalog

if TYPE_CHECKING:
    from legacy_ref_scan.database.connection import Connection

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check found out; see `Check`."""

    result: Result
    reason: str
    figures: Figures = ()
    findings: tuple[str, ...] = ()


def passed(reason: str, figures: Figures = (), findings: tuple[str, ...] = ()) -> Answer:
    """All is well."""
    return Answer(Result.PASS, reason, figures, findings)


def failed(reason: str, figures: Figures = (), findings: tuple[str, ...] = ()) -> Answer:
    """Something stands in the way of the drop."""
    return Answer(Result.FAIL, reason, figures, findings)


def impossible(reason: str, figures: Figures = (), findings: tuple[str, ...] = ()) -> Answer:
    """It cannot be told, and why."""
    return Answer(Result.NOT_POSSIBLE, reason, figures, findings)


@dataclass(frozen=True)
class Context:
    """One run: the only connection, the rule, the schema that the migrations build (`history` says which they are).

    `seconds` is the longest that a statement may take, `long` from how many seconds on a transaction is a long one,
    `snapshot` where the values go that are left.
    """

    connection: Connection
    dsn: str
    rule: Rule
    catalog: Catalog
    history: History
    seconds: float = 30.0
    long: float = 60.0
    snapshot: Path | None = None

    @property
    def targets(self) -> tuple[Target, ...]:
        """The columns of the rule."""
        return self.rule.targets

    def rows(self, query: str, *parameters: object) -> list[Row]:
        """The rows of a query of ours; it is marked, so that nobody takes it for one of the application's."""
        marked = query.replace("SELECT", f"SELECT {MARK}", 1)
        return self.connection.execute(marked.encode(), parameters or None).fetchall()

    @cached_property
    def live(self) -> Live:
        """The live schema through our own eyes; asked for inside a transaction."""
        path = tuple(str(name) for (name,) in self.rows("SELECT unnest(current_schemas(false))"))
        return live_schema(dump(self.connection), self.targets, path or ("public",))

    def oid(self, target: Target) -> tuple[int, int] | None:
        """The target's table and column number; None where the database does not have it."""
        found = self.rows(
            "SELECT a.attrelid::bigint, a.attnum::int FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s"
            " AND a.attname = %s AND NOT a.attisdropped",
            target.schema,
            target.table,
            target.column,
        )
        return (int(str(found[0][0])), int(str(found[0][1]))) if found else None


@dataclass(frozen=True, slots=True)
class LiveCheck:
    """A check of a live database. `look` gives one answer for each part; the part's name goes into the check's id.

    A part is a target's text, a query's name, or "" where there is only one.
    """

    id: str
    title: str
    parts: Callable[[Context], tuple[str, ...]]
    look: Callable[[Context, str], Answer]
    required: bool = True


def run(check: LiveCheck, context: Context) -> Iterator[Check]:
    """Each part of a check in a read-only transaction of its own; an error is an answer, never the end of the run."""
    for part in check.parts(context):
        begin = time.monotonic()
        answer = _ask(check, context, part)
        yield Check(
            id=f"{check.id}:{part}" if part else check.id,
            title=f"{check.title} ({part})" if part else check.title,
            result=answer.result,
            reason=answer.reason,
            target=part if part in {str(target) for target in context.targets} else "",
            figures=answer.figures,
            findings=answer.findings,
            required=check.required,
            seconds=round(time.monotonic() - begin, 3),
        )


def _ask(check: LiveCheck, context: Context, part: str) -> Answer:
    if context.connection.closed:
        return impossible("the server had gone away before")
    try:
        with looking(context.connection, context.seconds, context.rule.search_path):
            return check.look(context, part)
    except errors.QueryCanceled:
        return impossible(f"it takes longer than {context.seconds:g} s: give it more with --timeout")
    except errors.LockNotAvailable:
        return impossible("somebody holds a lock that keeps every reader away")
    except errors.InsufficientPrivilege as error:
        return impossible(f"the role may not do this: {_message(error, context)}")
    except OperationalError as error:
        if context.connection.closed:
            return impossible("the server went away in the middle")
        return impossible(_message(error, context))
    except Error as error:
        return impossible(_message(error, context))
    except ScanError as error:
        return impossible(str(error))


def _message(error: Error, context: Context) -> str:
    """The server's own words. Its detail may quote a row, and is left out."""
    return redacted(error.diag.message_primary or type(error).__name__, context.dsn)


def once(_: Context) -> tuple[str, ...]:
    """The parts of a check that is made once."""
    return ("",)


def each_target(context: Context) -> tuple[str, ...]:
    """The parts of a check that is made for each column."""
    return tuple(str(target) for target in context.targets)


def target_of(context: Context, part: str) -> Target:
    """The target of a part of `each_target`."""
    return next(target for target in context.targets if str(target) == part)


def table_name(target: Target) -> str:
    """The target's table as SQL writes it."""
    return f"{quoted(target.schema)}.{quoted(target.table)}"


def number(value: object) -> int:
    """A count that the server gave, 0 for none."""
    return int(str(value)) if value is not None else 0
