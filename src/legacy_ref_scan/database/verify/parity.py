"""Parity: the rule's own queries, each of which returns the rows that lack what replaces the column."""

from __future__ import annotations

from psycopg import errors, pq

from legacy_ref_scan.database.checks import counted
from legacy_ref_scan.database.verify.context import Answer, Context, LiveCheck, failed, passed

_SHOWN = 20
_COUNTED = 10_000


def _names(context: Context) -> tuple[str, ...]:
    return tuple(item.name for item in context.rule.verify)


def _parity(context: Context, part: str) -> Answer:
    query = next(item for item in context.rule.verify if item.name == part)
    examined = _ask(context, f"SELECT * FROM (\n{query.of}\n) counted") if query.of else None
    lacking = _ask(context, f"SELECT * FROM (\n{query.query}\n) lacking LIMIT {_COUNTED}")
    about = examined[0][0][1] if examined else ""
    figures = ((("rows", int(about)),) if about.isdigit() else ()) + (("lacking", len(lacking)),)
    if not lacking:
        return passed(query.description or "no row lacks it", figures)
    keys = tuple(", ".join(f"{name} {_key(value)}" for name, value in row) for row in lacking[:_SHOWN])
    more = " or more" if len(lacking) == _COUNTED else ""
    what = f": {query.description}" if query.description else ""
    return failed(f"not so for {counted(len(lacking), 'row')}{more}{what}", figures, keys)


def _ask(context: Context, query: str) -> list[list[tuple[str, str]]]:
    """The rows as (name, value as text), over the extended protocol, which takes a single statement."""
    result = context.connection.pgconn.exec_params(query.encode(), None)
    if result.status != pq.ExecStatus.TUPLES_OK:
        raise errors.error_from_result(result)
    names = [(result.fname(number) or b"").decode() for number in range(result.nfields)]
    return [
        [(name, (result.get_value(row, number) or b"").decode("utf-8", "replace")) for number, name in enumerate(names)]
        for row in range(result.ntuples)
    ]


def _key(text: str) -> str:
    return text if len(text) <= 64 else text[:63] + "…"


PARITY = LiveCheck("parity", "parity", _names, _parity)
