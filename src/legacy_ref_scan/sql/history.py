"""What migrations that have run leave in tables: rows of seeds, statements and names that something keeps and runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from legacy_ref_scan.model import Found, Fragment, Gap
from legacy_ref_scan.sql.analyze import Analyzer
from legacy_ref_scan.sql.findings import AS_VALUES, IN_LITERAL, Schema
from legacy_ref_scan.sql.lexer import Kind, words
from legacy_ref_scan.sql.resolve import NO_ENVIRONMENT
from legacy_ref_scan.sql.statements import cut

_CHANGES_ROWS = re.compile(rb"(?:\s+|--[^\n]*\n)*(?:insert|update|delete|merge|copy|with|select)\b", re.IGNORECASE)
_CALLS = re.compile(rb"(?:\s+|\(|--[^\n]*\n)*(?:select|with|call|perform|insert|update|do)\b", re.IGNORECASE)
_OPTIONS = re.compile(rb"(?:\s+|--[^\n]*\n)*alter\s+table\b[^;(]*\sset\s*\(", re.IGNORECASE)
_ASKS = re.compile(rb"(?:\s+|\(|--[^\n]*\n)*(?:select|call|perform)\b", re.IGNORECASE)
_CALLED = re.compile(rb"(\w+)\s*\(")
_MAKES = re.compile(rb"\bcreate\s+(?:or\s+replace\s+)?(?:function|procedure)\s+(?:\w+\.)?(\w+)", re.IGNORECASE)
_KEEPS_NOTHING = re.compile(
    rb"has_\w+_privilege|pg_get_serial_sequence|\w+_description|setval|coalesce|exists|to_reg\w+|format|concat|max|count"
)


def analyze_seeds(fragment: Fragment, schema: Schema) -> Iterator[Found]:
    """Everything that the statements which fill tables say, of a file that also defines them."""
    analyzer = Analyzer(fragment, schema)
    for start, end in cut(fragment.text).statements:
        if _CHANGES_ROWS.match(fragment.text, start, end) and analyzer.mentions(fragment.text[start:end]):
            yield from analyzer.statement(start, end, NO_ENVIRONMENT)


def analyze_kept(fragment: Fragment, schema: Schema) -> Iterator[Found]:
    """Statements and names in literals that a migration stores in a table or hands to a function that may keep them.

    `cron.schedule` keeps one. What runs a statement at once has done so.
    """
    if not schema.names.matter(fragment.text):
        return
    analyzer = Analyzer(fragment, schema)
    for start, end in cut(fragment.text).statements:
        if _OPTIONS.match(fragment.text, start, end):
            yield from _options(analyzer, start, end)
        if _CALLS.match(fragment.text, start, end) and analyzer.mentions(fragment.text[start:end]):
            kept = (IN_LITERAL,) if _is_done(fragment, schema, start, end) else (IN_LITERAL, AS_VALUES)
            found = analyzer.statement(start, end, NO_ENVIRONMENT)
            yield from (item for item in found if isinstance(item, Gap) and item.reason in kept)


def _is_done(fragment: Fragment, schema: Schema, start: int, end: int) -> bool:
    """Whether a statement only calls functions that keep nothing: PostgreSQL's own, and helpers of the migration that
    are gone."""
    if not _ASKS.match(fragment.text, start, end):
        return False
    alive = {function.name for function in schema.catalog.functions.values()}
    names = {found[1].lower() for found in _CALLED.finditer(fragment.text, start, end)}
    own = {found[1].lower() for found in _MAKES.finditer(fragment.text)}
    return all(_KEEPS_NOTHING.fullmatch(name) or (name in own and name.decode() not in alive) for name in names)


def _options(analyzer: Analyzer, start: int, end: int) -> Iterator[Gap]:
    """Options of the table that name the column for an extension (`timescaledb.compress_segmentby = 'c'`)."""
    text = analyzer.text
    if not analyzer.mentions(text[start:end], "table"):
        return
    for token in words(text, start, end):
        if token.kind is Kind.STRING and analyzer.mentions(text[token.start : token.end], "column"):
            message = "an option of the table names the column for an extension"
            yield analyzer.gap(token.start, token.end, AS_VALUES, message)


def analyze_calls(query: Fragment, schema: Schema) -> Iterator[Found]:
    """What a living view hands to functions each time: a query in a literal for `crosstab` or `dblink`."""
    if schema.names.matter(query.text):
        yield from Analyzer(query, schema).handed_on([(0, len(query.text))])
