"""Parity: the rule's own queries, each of which returns the rows that lack what replaces the column."""

from __future__ import annotations

from legacy_ref_scan.database.checks import counted
from legacy_ref_scan.database.verify.context import Answer, Context, LiveCheck, failed, number, passed

_SHOWN = 20
_COUNTED = 10_000


def _names(context: Context) -> tuple[str, ...]:
    return tuple(item.name for item in context.rule.verify)


def _parity(context: Context, part: str) -> Answer:
    query = next(item for item in context.rule.verify if item.name == part)
    # By way of the extended protocol: one statement, and the transaction is read-only.
    examined = _count(context, query.of) if query.of else None
    with context.connection.cursor() as cursor:
        cursor.execute(_single(query.query), (), prepare=False)
        lacking = cursor.fetchmany(_COUNTED)
        names = [column.name for column in cursor.description or ()]
    figures = ((("rows", examined),) if examined is not None else ()) + (("lacking", len(lacking)),)
    if not lacking:
        return passed(query.description or "no row lacks it", figures)
    keys = tuple(", ".join(f"{n} {_key(v)}" for n, v in zip(names, row, strict=True)) for row in lacking[:_SHOWN])
    more = " or more" if len(lacking) == _COUNTED else ""
    reason = f"not so for {counted(len(lacking), 'row')}{more}" + (
        f": {query.description}" if query.description else ""
    )
    return failed(reason, figures, keys)


def _count(context: Context, query: str) -> int:
    with context.connection.cursor() as cursor:
        cursor.execute(_single(query), (), prepare=False)
        row = cursor.fetchone()
    return number(row[0]) if row else 0


def _single(query: str) -> bytes:
    """psycopg reads `%` as the begin of a parameter where it is given any, even none."""
    return query.strip().rstrip(";").replace("%", "%%").encode()


def _key(value: object) -> str:
    text = str(value)
    return text if len(text) <= 64 else text[:63] + "…"


PARITY = LiveCheck("parity", "parity", _names, _parity)
