"""What is left in the column: values, empty strings apart, and their snapshot in a file."""

from __future__ import annotations

import os
from pathlib import Path

from legacy_ref_scan.catalog.names import quoted
from legacy_ref_scan.database.checks import counted
from legacy_ref_scan.database.connection import MARK
from legacy_ref_scan.database.verify.context import (
    Answer,
    Context,
    LiveCheck,
    each_target,
    failed,
    impossible,
    number,
    once,
    passed,
    table_name,
    target_of,
)
from legacy_ref_scan.model import ScanError

_KEY = """
SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
WHERE i.indrelid = %s AND i.indisprimary ORDER BY array_position(i.indkey::int2[], a.attnum)
"""


def _remaining(context: Context, part: str) -> Answer:
    target = target_of(context, part)
    if context.oid(target) is None:
        return impossible("the database does not have the column: dropped already, or misspelled")
    column = quoted(target.column)
    ((rows, values, empty),) = context.rows(
        f"SELECT count(*), count({column}), count(*) FILTER (WHERE {column}::text = '') FROM {table_name(target)}"
    )
    figures = (("rows", number(rows)), ("not null", number(values)), ("empty strings", number(empty)))
    telling = number(values) - number(empty)
    if telling:
        verb = "holds" if telling == 1 else "hold"
        return failed(f"{counted(telling, 'row')} still {verb} a value", figures)
    return passed("no row holds a value" + (", empty strings aside" if number(empty) else ""), figures)


def _snapshots(context: Context) -> tuple[str, ...]:
    return once(context) if context.snapshot is not None else ()


def _snapshot(context: Context, _: str) -> Answer:
    """The rows with a value, by their primary key, as CSV."""
    path, target = context.snapshot, context.targets[0]
    place = context.oid(target)
    if path is None or place is None:
        return impossible("the database does not have the column")
    if path.exists():
        return impossible(f"{path} is there already: a snapshot is never overwritten")
    key = [str(name) for (name,) in context.rows(_KEY, place[0])]
    there = [item.column for item in context.targets if context.oid(item) is not None]
    columns = ", ".join(quoted(name) for name in dict.fromkeys((*(key or ["ctid"]), *there)))
    some = " OR ".join(f"{quoted(name)} IS NOT NULL" for name in there)
    query = f"COPY (SELECT {MARK} {columns} FROM {table_name(target)} WHERE {some}) TO STDOUT (FORMAT csv, HEADER)"
    count, size = _write(context, query, path)
    return passed(f"written to {path}", (("rows", count), ("bytes", size)))


def _write(context: Context, query: str, path: Path) -> tuple[int, int]:
    """Copy to a file that only its owner reads, whole or not at all; rows and bytes."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file, context.connection.cursor() as cursor:
                with cursor.copy(query.encode()) as copy:
                    for data in copy:
                        file.write(data)
                count = cursor.rowcount
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
        return count, path.stat().st_size
    except OSError as error:
        raise ScanError(f"--snapshot {path}: cannot be written: {error.strerror or error}") from None


VALUES = LiveCheck("values", "values that are left", each_target, _remaining)
SNAPSHOT = LiveCheck("snapshot", "snapshot of the values", _snapshots, _snapshot)
