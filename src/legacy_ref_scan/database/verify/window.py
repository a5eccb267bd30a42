"""When to run it: how large the table is, who holds locks on it, and which transactions would keep it waiting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from legacy_ref_scan.database.checks import counted
from legacy_ref_scan.database.verify.context import (
    Answer,
    Context,
    LiveCheck,
    Row,
    failed,
    impossible,
    number,
    once,
    passed,
)

# The table, its partitions and its children: DROP COLUMN locks them all.
_FAMILY = """
WITH RECURSIVE family AS (
    SELECT %s::oid AS member UNION SELECT i.inhrelid FROM family f JOIN pg_inherits i ON i.inhparent = f.member
)
SELECT member::bigint FROM family
"""
_SIZE = """
SELECT sum(CASE WHEN %s THEN pg_total_relation_size(c.oid) ELSE 0 END), sum(greatest(c.reltuples, 0))::bigint,
       sum(coalesce(s.seq_scan + coalesce(s.idx_scan, 0) + s.n_tup_ins + s.n_tup_upd + s.n_tup_del, 0))
       / greatest(max(extract(epoch FROM now() - coalesce(d.stats_reset, pg_postmaster_start_time()))), 1)
FROM pg_class c LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
LEFT JOIN pg_stat_database d ON d.datname = current_database() WHERE c.oid = ANY (%s::oid[])
"""
# Transactions that hold or await a lock on the table, then those that are merely old.
_LOCKS = """
SELECT l.pid, l.mode, l.granted, extract(epoch FROM clock_timestamp() - a.xact_start)::int, coalesce(a.state, ''),
       coalesce(a.usename, ''), coalesce(a.application_name, '')
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.relation = ANY (%s::oid[]) AND l.pid IS DISTINCT FROM pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY l.granted, 4 DESC NULLS LAST
"""
_OLD = """
SELECT a.pid, extract(epoch FROM clock_timestamp() - a.xact_start)::int, coalesce(a.state, ''),
       coalesce(a.usename, ''), coalesce(a.application_name, '')
FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND a.xact_start < clock_timestamp() - make_interval(secs => %s) ORDER BY a.xact_start
"""
_HIDDEN = """
SELECT count(*) FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND a.backend_type IS NULL
"""
_PREPARED = "SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()"
_ADVICE = (
    "DROP COLUMN changes the catalog alone: it needs AccessExclusiveLock for milliseconds, however large the table is",
    "all that comes after it waits while it waits: SET lock_timeout = '2s' and try again, rather than queue",
)


def _window(context: Context, _: str) -> Answer:
    place = next((found for target in context.targets if (found := context.oid(target))), None)
    if place is None:
        return impossible("the database does not have the table or its columns")
    family = [number(member) for (member,) in context.rows(_FAMILY, place[0])]
    locks = context.rows(_LOCKS, family)
    within_reach = not any(granted and mode == "AccessExclusiveLock" for _, mode, granted, *_ in locks)
    ((size, rows, rate),) = context.rows(_SIZE, within_reach, family)
    old = context.rows(_OLD, context.long)
    hidden = number(context.rows(_HIDDEN)[0][0])
    prepared = number(context.rows(_PREPARED)[0][0])
    waiting = [row for row in locks if not row[2]]
    blocking = [row for row in locks if row[2] and (row[3] is None or number(row[3]) >= context.long)]
    figures = (
        ("bytes", number(size)),
        ("rows, about", number(rows)),
        ("uses a second", round(float(str(rate)), 2)),
        ("locks held", len(locks) - len(waiting)),
        ("locks awaited", len(waiting)),
        ("long transactions", len(old)),
        ("prepared transactions", prepared),
    )
    findings = (*_lines(waiting, blocking, old), *_ADVICE)
    if waiting or blocking:
        reason = "not now: transactions on the table would keep the drop waiting, and everybody behind it"
        return failed(reason, figures, findings)
    if hidden:
        reason = f"{hidden} sessions hide their transactions from this role: grant pg_read_all_stats"
        return impossible(reason, figures, findings)
    waits = f"; wait for {counted(len(old), 'long transaction')} that may still come to the table" if old else ""
    prepared_waits = f"; {prepared} prepared transactions are open" if prepared else ""
    return passed(f"nobody stands in the way now{waits}{prepared_waits}", figures, findings)


def _lines(waiting: Iterable[Row], blocking: Iterable[Row], old: Iterable[Row]) -> Iterator[str]:
    """Who stands in the way, a line for each."""
    for pid, mode, _, _, _, user, name in waiting:
        yield f"pid {pid} ({user}, {name}) waits for {mode}"
    for pid, mode, _, age, state, user, name in blocking:
        yield f"pid {pid} ({user}, {name}) holds {mode} for {_age(age)}, {state}"
    for pid, age, state, user, name in old:
        yield f"pid {pid} ({user}, {name}) in a transaction for {_age(age)}, {state}"


def _age(seconds: object) -> str:
    return "an unknown time" if seconds is None else f"{number(seconds):,} s"


WINDOW = LiveCheck("window", "size, locks and long transactions", once, _window, required=False)
