"""Where the column's and the table's name stand close together in code that nobody parses."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cache

from legacy_ref_scan.languages.plain.spelling import is_telling
from legacy_ref_scan.model import Mention, SourceFile

REACH = 400
"""Bytes between the two names."""

_LONGEST_NAME = 63  # of PostgreSQL, in bytes

_CALLS = (
    rb"\b(?:prisma|tx|trx|db|kysely|knex)\b(?:\.\w+)?\s*\.(?:find\w*|create\w*|update\w*|delete\w*|upsert|count|aggregate|"
    rb"groupBy|select\w*|insert\w*|query\w*|execute|raw|table|from)\s*[(<]|\$(?:query|execute)Raw|\bsql`|\bPrismaClient\b"
    rb"|\.from\(\s*['\"`]\w+['\"`]\s*\)\s*\.(?:select|insert|update|upsert|delete)\("  # Supabase, Kysely
    rb"|\(\s*['\"`]\w+['\"`]\s*\)\s*\.(?:where\w*|insert|update|del|pluck|returning|leftJoin|orderBy)\("  # Knex
    rb"|\bgetRepository\(|\bcreateQueryBuilder\(|\b(?:knex|db|trx)\(\s*['\"`]|\.raw\(\s*['\"`]"
)
_PAGE = re.compile(_CALLS)
_DATABASE = re.compile(
    _CALLS + rb"|(?i:\b(?:knex|sequelize|typeorm|drizzle|kysely|slonik|supabase|postgres|postgresql|pg-promise|massive|"
    rb"mikro-orm|objection|bookshelf|pgtyped|psql)\b)|['\"]pg['\"]|@Entity\(|@InjectRepository|\bpgTable\b"
)
_PAGES = (".tsx", ".jsx", ".vue", ".svelte", ".astro", ".gjs", ".gts")


def talks_to_database(path: str, data: bytes) -> bool:
    """Whether a file of a language that fills front ends too has to do with a database."""
    return (_PAGE if path.endswith(_PAGES) else _DATABASE).search(data) is not None


def clusters(source: SourceFile, mentions: Sequence[Mention]) -> list[list[Mention]]:
    """The mentions of columns that stand near one of a table, those close to each other together.

    Both names must stand as the database spells them. Where one of them is a plain word (`title`, `users`), what
    stands around must look like SQL or like a table's column too.
    """
    exact = [mention for mention in mentions if _text(source, mention) == mention.name.encode()]
    tables = [mention for mention in exact if mention.role in ("table", "dependent")]
    ends = [table.span.end for table in tables]
    grouped: list[list[Mention]] = []
    for column in (mention for mention in exact if mention.role == "column"):
        first = bisect_left(ends, column.span.start - REACH)
        last = bisect_right(ends, column.span.end + REACH + _LONGEST_NAME)
        if not _convincing(source, column, [table for table in tables[first:last] if _near(column, table)]):
            continue
        if grouped and column.span.start - grouped[-1][-1].span.end <= REACH:
            grouped[-1].append(column)
        else:
            grouped.append([column])
    return grouped


def _text(source: SourceFile, mention: Mention) -> bytes:
    return source.data[mention.span.start : mention.span.end]


def _near(one: Mention, other: Mention) -> bool:
    return max(one.span.start, other.span.start) - min(one.span.end, other.span.end) <= REACH


def _convincing(source: SourceFile, column: Mention, tables: Sequence[Mention]) -> bool:
    names = {table.name for table in tables}
    if is_telling(column.name) and any(map(is_telling, names)):
        return True
    low = max(0, min([column.span.start, *(table.span.start for table in tables)]) - REACH // 2)
    around = source.data[low : max([column.span.end, *(table.span.end for table in tables)]) + REACH // 2]
    return any(_evidence(column.name, name).search(around) is not None for name in names)


@cache
def _evidence(column: str, table: str) -> re.Pattern[bytes]:
    t, c = re.escape(table.encode()), re.escape(column.encode())
    return re.compile(
        rb"(?i:\b(?:from|join|into|update|table|only|truncate|copy)\s+(?:[a-z_]\w*\.)?[\"`\\]*)"
        + t
        + rb"\b(?!\s+import)"
        rb"|(?<!\bt\([\"'])(?<!\bt [\"'])(?<!__\([\"'])\b" + t + rb"[\"`]?\.[\"`]?" + c + rb"\b"
        rb"|(?<![\w:]):" + t + rb"\b[\s,]+:" + c + rb"\b"
        # `table = "users"`, Terraform's `objects = ["users"]`, .NET's ToTable("users"), Laravel's `unique:users,title`
        rb"|\b(?:table|tableName|table_name|relation)[\"']?\s*[:=]\s*[\"'`](?:\w+\.)?" + t + rb"[\"'`]"
        rb"|\bobjects\s*=\s*\[[^\]]*\""
        + t
        + rb"\"|\bToTable\(\s*\""
        + t
        + rb"\"|\b(?:unique|exists):"
        + t
        + rb","
        + c
        + rb"\b"
    )
