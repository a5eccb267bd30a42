"""Statements in pg_stat_statements that use the column, resolved by our own resolver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from legacy_ref_scan.catalog.names import quoted
from legacy_ref_scan.database.analysis import plannable
from legacy_ref_scan.database.checks import counted
from legacy_ref_scan.database.connection import MARK
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
from legacy_ref_scan.model import Consumer, Gap, Reference, SourceFile, whole_file
from legacy_ref_scan.sql.analyze import analyze
from legacy_ref_scan.sql.lexer import Kind, tokens
from legacy_ref_scan.sql.statements import cut

_WHERE = """
SELECT (SELECT n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
        WHERE x.extname = 'pg_stat_statements'),
       EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements')
"""
_STATEMENTS = """
SELECT s.query, sum(s.calls)::bigint, string_agg(DISTINCT coalesce(r.rolname, '?'), ', ')
FROM {schema}.pg_stat_statements s LEFT JOIN pg_roles r ON r.oid = s.userid
WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY s.query
"""
_INFO = "SELECT stats_reset::timestamptz(0)::text, dealloc FROM {schema}.pg_stat_statements_info"
_HIDDEN = "<insufficient privilege>"
_SHOWN = 160
_VALUES = frozenset({Kind.STRING, Kind.DOLLAR, Kind.NUMBER})

_Line = tuple[int, str]
"""How often a statement was called, and what is said of it."""


def _statements(context: Context, _: str) -> Answer:
    ((schema, available),) = context.rows(_WHERE)
    if schema is None:
        how = "the server has it: CREATE EXTENSION" if available else "the server does not have it"
        return impossible(f"the extension pg_stat_statements is not in this database ({how})")
    place = quoted(str(schema))
    rows = context.rows(_STATEMENTS.format(schema=place))
    since, evicted = _info(context, place)
    hidden = sum(1 for query, _, _ in rows if query == _HIDDEN or query is None)
    uses, gaps, migrations = _sorted(rows, context)
    figures = (
        ("statements", len(rows)),
        ("uses", len(uses)),
        ("calls", sum(calls for calls, _ in uses)),
        ("undecided", len(gaps)),
        ("of migrations", len(migrations)),
        ("not readable", hidden),
        ("evicted", evicted),
        ("since", since),
    )
    lines = tuple(line for _, line in (*sorted(uses, reverse=True), *sorted(gaps, reverse=True)))
    lines += tuple(f"in a migration: {line}" for _, line in sorted(migrations, reverse=True))
    if uses:
        return failed(f"{counted(len(uses), 'use')} of the column since {since}", figures, lines)
    if hidden:
        return impossible(f"{hidden} statements of other roles are hidden: grant pg_read_all_stats", figures, lines)
    if gaps:
        return impossible(f"{len(gaps)} statements could not be resolved", figures, lines)
    lost = f"; {evicted:,} were evicted meanwhile" if evicted else ""
    return passed(f"none of the statements since {since} uses the column{lost}", figures, lines)


def _sorted(rows: Iterable[Row], context: Context) -> tuple[list[_Line], list[_Line], list[_Line]]:
    """Statements that use the column, those that could not be resolved, and those of migrations."""
    uses: list[_Line] = []
    gaps: list[_Line] = []
    migrations: list[_Line] = []
    once_run = _of_migrations(context)
    for query, calls, roles in rows:
        text = str(query or "")
        if MARK in text or not plannable(text.encode()):
            continue
        found = next(_resolved(text, context), None)
        if found is not None:
            kept = migrations if _shape(text) in once_run else uses if isinstance(found, Reference) else gaps
            times = counted(number(calls), "call")
            kept.append((number(calls), f"{times} by {roles}: {found.message}: {masked(text)}"))
    return uses, gaps, migrations


def _info(context: Context, schema: str) -> tuple[str, int]:
    """Since when it counts, and how many statements it has forgotten; the view came with PostgreSQL 14."""
    if context.connection.info.server_version < 140000:
        return "an unknown time", 0
    rows = context.rows(_INFO.format(schema=schema))
    return (str(rows[0][0]), number(rows[0][1])) if rows else ("an unknown time", 0)


def _resolved(text: str, context: Context) -> Iterator[Reference | Gap]:
    """What the statement does with a target: uses first, then gaps."""
    schema = context.live.schema
    data = text.encode("utf-8", "surrogateescape")
    if not schema.names.matter(data):
        return
    source = SourceFile("(pg_stat_statements)", data, "sql")
    found = list(analyze(whole_file(source, kind="pg_stat_statements", consumer=Consumer.SQL), schema))
    yield from (item for item in found if isinstance(item, Reference) and item.gating)
    yield from (item for item in found if isinstance(item, Gap))


def _of_migrations(context: Context) -> frozenset[str]:
    """The statements of the migrations about the column: they have run, and run no more."""
    names = context.live.schema.names
    return frozenset(
        _shape(text[start:end].decode("utf-8", "replace"))
        for migration in context.history.migrations
        if not migration.repeatable
        for text in migration.texts
        if names.matter(text)
        for start, end in cut(text).statements
    )


def _shape(text: str) -> str:
    """A statement without its values, whether they stand there or were replaced by `$1` as PostgreSQL does."""
    data = text.encode("utf-8", "surrogateescape")
    words = (token for token in tokens(data) if token.kind > Kind.COMMENT)
    shown = ("…" if t.kind in _VALUES or t.kind is Kind.PARAMETER else data[t.start : t.end].decode() for t in words)
    return " ".join(shown).lower()


def masked(text: str) -> str:
    """A statement on one line without comments and without any value that stands in it."""
    data = text.encode("utf-8", "surrogateescape")
    parts: list[str] = []
    for kind, start, end in tokens(data):
        raw = data[start:end].decode("utf-8", "replace")
        parts.append(" " if kind in (Kind.SPACE, Kind.COMMENT) else "…" if kind in _VALUES else raw)
    line = " ".join("".join(parts).split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


STATEMENTS = LiveCheck("statements", "statements in pg_stat_statements", once, _statements, required=False)
