"""Which migrations the database has run, from the table in which the migration tool keeps it.

A tool that is past the pair's version skips it without a word (golang-migrate), and one that has stopped in the middle
runs nothing more (dirty).
"""

from __future__ import annotations

from psycopg import errors

from legacy_ref_scan.database.verify.context import Answer, Context, LiveCheck, failed, impossible, once, passed
from legacy_ref_scan.migrations import Migration
from legacy_ref_scan.versions import Version

# (last version, whether it stopped in the middle), by convention; each query is the tool's own default table.
_QUERIES = {
    "golang-migrate": "SELECT version::text, dirty FROM schema_migrations",
    "goose": "SELECT max(version_id)::text, false FROM goose_db_version WHERE is_applied",
    "dbmate": "SELECT max(version)::text, false FROM schema_migrations",
    "tern": "SELECT max(version)::text, false FROM public.schema_version",
    "flyway": "SELECT version, NOT success FROM flyway_schema_history WHERE version IS NOT NULL"
    " ORDER BY installed_rank DESC LIMIT 1",
}


def _applied(context: Context, _: str) -> Answer:
    query = _QUERIES.get(context.history.convention)
    if query is None or not context.history.migrations:
        return impossible(f"where {context.history.convention or 'the tool'} keeps what has run is not known here")
    try:
        rows = context.rows(query)
    except errors.UndefinedTable:
        return impossible("the table in which the tool keeps what has run is not there, or has another name")
    version, dirty = rows[0] if rows else (None, False)
    if version is None:
        return impossible("the tool has run nothing here yet")
    last = max((item.version for item in _earlier(context)), default=Version())
    figures = (("applied", str(version)), ("last before the drop", str(last)))
    if dirty:
        return failed(f"version {version} stopped in the middle: the database is dirty", figures)
    plan = context.rule.migration
    live = Version.of(str(version))
    if plan is not None and plan.version is not None and live >= plan.version:
        return failed(f"version {version} has run, so {plan.version} would be skipped, or has run", figures)
    if live != last:
        return failed(f"version {version} is the last that has run, and {last} the last before the drop", figures)
    return passed(f"version {version} is the last that has run", figures)


def _earlier(context: Context) -> list[Migration]:
    """The migrations before the pair's version."""
    plan = context.rule.migration
    until = plan.version if plan is not None else None
    return [item for item in context.history.migrations if until is None or item.version < until]


APPLIED = LiveCheck("applied", "migrations that have run", once, _applied, required=False)
