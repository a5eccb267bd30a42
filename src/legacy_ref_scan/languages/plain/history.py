"""Migrations of other tools, which have run: Rails, Laravel, Ecto, knex, TypeORM, Sequelize, Liquibase, Flyway in Java.

Nobody replays them, so what they may leave behind (a view, a function, a trigger, an index over several columns) stays
open; the dump that Rails keeps of its schema says what is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from legacy_ref_scan.languages.plain.spelling import Spelling
from legacy_ref_scan.model import Claim, Explanation, Extracted, Gap, Mention, SourceFile

_BY_PATH: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("Rails", re.compile(r"(?:^|/)\w*migrat\w*/\d{3,}_\w+\.rb$")),
    ("Laravel", re.compile(r"(?:^|/)migrations/(?:.*/)?\d{4}_\d\d_\d\d_\d+_\w+\.php$")),
    ("Doctrine", re.compile(r"(?:^|/)migrations/(?:.*/)?Version\d{8,}\.php$", re.I)),
    ("Ecto", re.compile(r"(?:^|/)migrations/(?:.*/)?\d{8,}_\w+\.exs$")),
    ("JavaScript", re.compile(
        r"(?:^|/)migrations?/(?:.*/)?(?:\d{8,}[-_.]?[\w.-]*|V?\d+[-_][\w.-]+|[A-Z]\w*\d{8,}\w*)\.[cm]?[jt]s$"
        r"|(?:^|/)(?:migrations?|drizzle)/(?:.*/)?[\w.-]*snapshot[\w.-]*\.json$"
    )),
    ("Flyway", re.compile(r"(?:^|/)migrations?/(?:.*/)?V\d[\d_]*__\w+\.(?:java|kt|groovy)$")),
    ("Entity Framework", re.compile(r"(?:^|/)Migrations/(?:.*/)?(?:\d{8,}_[\w.]+|\w+ModelSnapshot)\.cs$")),
)  # fmt: skip
_LIQUIBASE = re.compile(rb"<databaseChangeLog\b|^[ \t]*[\"']?databaseChangeLog[\"']?[ \t]*:", re.MULTILINE)
_LASTING = re.compile(
    rb"(?i)\bcreate\s+(?:or\s+replace\s+)?(?:materialized\s+)?(?:view|function|procedure|trigger|policy|rule|constraint\s+"
    rb"trigger|unique\s+index|index)\b|\b(?:add_?index|create_?index|create_?view|create_?function|create_?trigger|"
    rb"unique_index|add_unique_constraint|addUniqueConstraint|create_constraint|add_check_constraint)\b"
)
_SCHEMA_FILES = re.compile(r"(?:^|/)db/(?:\w+_)?schema\.rb$")
_TABLE_BLOCK = re.compile(rb"^[ \t]*create_table[ (]+[\"':](\w+)", re.MULTILINE)
_OVER_SEVERAL = re.compile(rb"\b(?:t\.index|add_index)\b[^\n\[]*\[[^\]\n]*,")


def tool_of(source: SourceFile) -> str:
    """The tool whose migration a file is; "" for none."""
    for tool, pattern in _BY_PATH:
        if pattern.search(source.path):
            return tool
    if source.path.endswith((".xml", ".yaml", ".yml", ".json")) and _LIQUIBASE.search(source.data[:4096]):
        return "Liquibase"
    return ""


def is_schema(source: SourceFile) -> bool:
    """Whether a file is Rails' own dump of the schema."""
    return _SCHEMA_FILES.search(source.path) is not None


def historic(source: SourceFile, tool: str, mentions: Sequence[Mention], dumped: bool) -> Iterator[Extracted]:
    """History, unless the migration makes something over the column that lives on, and no dump tells what is left."""
    for mention in mentions:
        if mention.role == "column" and not dumped and _makes_what_lasts(source, mention, mentions):
            message = f"an index, view, function or trigger that a {tool} migration creates is not followed"
            yield Gap(mention.span, "unread-migration", message, test=source.test)
        else:
            yield Claim(mention.span, Explanation.HISTORY, f"{tool} migration")


_REACH = 1000


def _makes_what_lasts(source: SourceFile, mention: Mention, mentions: Sequence[Mention]) -> bool:
    """`CREATE VIEW …` or `add_index …` stands before the column, and the table between or close behind."""
    low = max(0, mention.span.start - _REACH)
    last = next(iter([*_LASTING.finditer(source.data, low, mention.span.start)][-1:]), None)
    if last is None or re.search(rb"\n[ \t]*\n", source.data[last.end() : mention.span.start]):
        return False
    if re.search(rb"index", last[0], re.IGNORECASE) and not _several(source.data, last.end(), mention.span.end):
        return False  # PostgreSQL drops it together with the column, and it is about nothing else
    near = range(last.start() - 200, mention.span.end + _REACH)
    return any(other.role != "column" and other.span.start in near for other in mentions)


def _several(data: bytes, start: int, end: int) -> bool:
    """Whether the list of an index names more than one column."""
    inside = re.search(rb"[\[(][^\])]*\Z", data[start:end])
    if inside is None:
        return False
    stop = data.find(b"\n", end)
    text = data[start + inside.start() : stop if stop >= 0 else len(data)]
    closed = re.match(rb"[\[(][^\])]*", text)
    return closed is not None and b"," in closed[0]


def defined(source: SourceFile, mentions: Sequence[Mention], spelling: Spelling) -> Iterator[Extracted]:
    """What Rails' dump says: a definition, or an index over several columns that PostgreSQL drops without a word."""
    blocks = list(_TABLE_BLOCK.finditer(source.data))
    for mention in mentions:
        block = next((b for b in reversed(blocks) if b.start() <= mention.span.start), None)
        ours = block is not None and spelling.is_table(block[1])
        start = source.data.rfind(b"\n", 0, mention.span.start) + 1
        line = source.data[start : source.data.find(b"\n", mention.span.end)]
        if ours and mention.role == "column" and _OVER_SEVERAL.search(line):
            message = "PostgreSQL drops this index together with the column, without a word, and others are in it"
            yield Gap(mention.span, "schema-index", message, test=source.test)
        elif ours or mention.role != "column":
            yield Claim(mention.span, Explanation.DEFINITION, "Rails schema")
        else:
            yield Claim(mention.span, Explanation.OTHER_TABLE, "Rails schema")
