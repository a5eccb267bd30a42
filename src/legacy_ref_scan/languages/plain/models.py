"""Models of an ORM in languages that nobody parses: which part of a file is about which table, and which lines of it
declare a column.

A small lexical table for each family of languages; a part reaches from one declaration to the next.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from legacy_ref_scan.languages.plain.kinds import Kind
from legacy_ref_scan.languages.plain.spelling import Spelling
from legacy_ref_scan.model import SourceFile

_LINE = 400  # bytes of a line around a name
_BACK = 1500  # bytes of annotations before a class


@dataclass(frozen=True, slots=True)
class Family:
    """How the ORMs of some languages are written.

    `starts` finds what may be a model: its group `name` is a class, its group `table` a table's own name. `tables`
    finds the table's name inside, in its groups. A class without it is a model where `sign` matches, or the path.
    `declares` are pairs: what stands before a column's name on its line, and what after it.
    """

    library: str
    starts: re.Pattern[bytes]
    tables: re.Pattern[bytes]
    sign: re.Pattern[bytes]
    declares: tuple[tuple[re.Pattern[bytes], re.Pattern[bytes]], ...] = ()
    path: re.Pattern[str] = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Model:
    """Bytes `start` to `end` of a file that are about one table. `ours`: that of a target."""

    start: int
    end: int
    name: str
    family: Family
    ours: bool


def _pairs(*pairs: tuple[bytes, bytes]) -> tuple[tuple[re.Pattern[bytes], re.Pattern[bytes]], ...]:
    return tuple((re.compile(before + rb"\Z"), re.compile(after)) for before, after in pairs)


def _lines(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.MULTILINE)


_NEVER = re.compile(rb"(?!)")
_ALWAYS = re.compile(rb"")
_QUOTED = rb"[\"'`]([\w.]+)[\"'`]"

_ACTIVE_RECORD = Family(
    "ActiveRecord",
    _lines(rb"^[ \t]*class\s+(?P<name>[\w:]+)"),
    re.compile(rb"\btable_name\s*=\s*[\"':]([\w.]+)"),
    re.compile(rb"\bclass\s+[\w:]+\s*<\s*(?:::)?(?:ApplicationRecord|ActiveRecord::Base|Sequel::Model|\w*Record\b)"),
    path=re.compile(r"(?:^|/)models/"),
)
_JPA = Family(
    "JPA",
    _lines(rb"^[ \t]*(?:(?:public|protected|private|abstract|final|static|open|data|sealed|internal|case)\s+)*"
           rb"(?:class|record|interface|object)\s+(?P<name>\w+)"),
    re.compile(rb"@(?:[\w.]+\.)?(?:Table|SecondaryTable|MappedEntity)\s*\(\s*(?:[^()\"]*?\b(?:name|value)\s*=\s*)?"
               rb"(?:\"([\w.`\\\"]+?)\"|(?:\w+\.)*(?P<constant>[A-Z][A-Z0-9_]{2,})\b)|extends\s+\w*Table\s*\(\s*\"(\w+)\"|\bobject\s+\w+\s*:\s*\w*Table\(\s*\"(\w+)\""),
    re.compile(rb"@(?:[\w.]+\.)?(?:Entity|Table|MappedSuperclass|Embeddable|MappedEntity|TableName)\b"),
    _pairs(
        (rb"^\s*(?:@[\w.]+(?:\([^)]*\))?\s*)*(?:(?:private|protected|public|final|lateinit|override|var|val|internal|"
         rb"transient|volatile)\s+)+(?:[\w<>\[\],.? ]+\s+)?", rb"\s*(?:[;=:,)]|$)"),
        (rb"@(?:[\w.]+\.)?(?:Column|JoinColumn|TableField|MappedProperty)\s*\((?:[^()]*?\b(?:name|value)\s*=)?\s*\"",
         rb"\""),
        (rb"\b(?:text|varchar|integer|long|bool|timestamp|column\[[^\]]*\])\s*\(\s*\"", rb"\""),
    ),
)  # fmt: skip
_DOT_NET = Family(
    "Entity Framework",
    _lines(rb"^[ \t]*(?:(?:public|internal|sealed|abstract|partial|static)\s+)*(?:class|record)\s+(?P<name>\w+)"),
    re.compile(rb"\[Table\(\s*\"([\w.]+)\"|\.ToTable\(\s*\"([\w.]+)\""),
    re.compile(
        rb"\[(?:Table|Key|Column|Required)\b|IEntityTypeConfiguration|DbContext|DataAnnotations|EntityFramework"
    ),
    _pairs(
        (rb"^\s*(?:\[[^\]]*\]\s*)*public\s+(?:virtual\s+|required\s+)*[\w<>?\[\].]+\s+", rb"\s*(?:\{|=>|;)"),
        (rb"(?:\[Column|HasColumnName)\(\s*\"", rb"\""),
    ),
    re.compile(r"(?:^|/)(?:entities|models|domain)/", re.I),
)
_PHP = Family(
    "Eloquent or Doctrine",
    _lines(rb"^[ \t]*(?:(?:final|abstract|readonly)\s+)*class\s+(?P<name>\w+)"),
    re.compile(rb"\$table\s*=\s*[\"']([\w.]+)|ORM\\Table\(\s*(?:name\s*[:=]\s*)?[\"']([\w.`]+)"),
    re.compile(rb"\bclass\s+\w+\s+extends\s+(?:\w*Model|Authenticatable|\w*Pivot)\b|ORM\\Entity"),
    _pairs(
        (rb"(?:private|protected|public)\s+(?:readonly\s+)?\??[\w\\|]*\s*\$", rb"\s*[;=,]"),
        (rb"ORM\\(?:Join)?Column\([^)\n]*\bname\s*[:=]\s*[\"']", rb"[\"']"),
    ),
    re.compile(r"(?:^|/)Models/"),
)
_RUST = Family(
    "Diesel or SeaORM",
    re.compile(rb"\btable!\s*\{\s*(?:(?:use\b[^;]*;|#\[[^\]]*\]|//[^\n]*)\s*)*(?:\w+\.)?(?P<table>\w+)\s*\("
               rb"|^[ \t]*(?:pub(?:\([^)]*\))?\s+)?(?:struct|enum)\s+(?P<name>\w+)", re.MULTILINE),
    re.compile(rb"\btable_name\s*=\s*\"?([\w.]+)"),
    re.compile(rb"derive\([^)]*\b(?:Queryable|Insertable|Identifiable|AsChangeset|DeriveEntityModel)\b"),
    _pairs((rb"^\s*(?:pub(?:\([^)]*\))?\s+)?(?:r#)?", rb"\s*(?:->|:(?!:))"), (rb"column_name\s*=\s*\"?", rb"\"?")),
)  # fmt: skip
_ECTO = Family(
    "Ecto",
    re.compile(rb"^[ \t]*schema\s*\(?\s*\"(?P<table>[\w.]+)\"", re.MULTILINE),
    _NEVER,
    _NEVER,
    _pairs((rb"\b(?:field|embeds_one|embeds_many)\s*\(?\s*:", rb""), (rb"\bsource:\s*:", rb"")),
)
_PRISMA = Family(
    "Prisma",
    _lines(rb"^[ \t]*(?:model|view|type|enum|datasource|generator)\s+(?P<name>\w+)\s*\{"),
    re.compile(rb"@@map\(\s*(?:name:\s*)?\"(\w+)\""),
    _ALWAYS,
    _pairs((rb"^\s*", rb"\s+\w"), (rb"@map\(\s*(?:name:\s*)?\"", rb"\"")),
)
_JAVASCRIPT = Family(
    "JavaScript ORM",
    re.compile(rb"^[ \t]*(?:export\s+)?(?:default\s+)?(?:abstract\s+)?class\s+(?P<name>\w+)"
               rb"|\b(?:pgTable|pgView|\w+[sS]chema\.table|\w*[tT]ableCreator)\(\s*[\"'`](?P<table>\w+)"
               rb"|\.define\(\s*[\"'`](?P<define>\w+)|\binterface\s+(?P<kysely>\w+)Table\b", re.MULTILINE),
    re.compile(rb"@Entity\(\s*(?:\{[^}]*?\b(?:name|tableName)\s*:\s*)?" + _QUOTED
               + rb"|\btableName\s*[:=]\s*" + _QUOTED + rb"|\btableName\s*\(\s*\)[^{]*\{\s*return\s*" + _QUOTED
               + rb"|@Table\(\s*" + _QUOTED),
    re.compile(rb"@Entity\b|@Table\b|\bclass\s+\w+\s+extends\s+(?:Model|BaseEntity|\w*BaseEntity)\b|\.define\("
               rb"|\binterface\s+\w+Table\b[^}]*\b(?:Generated|ColumnType)\b"),
    _pairs(
        (rb"^\s*(?:(?:public|private|readonly|declare|protected|static|@\w+\([^)]*\))\s*)*[\"']?",
         rb"[\"']?\s*[?!]?\s*[:;]"),
        (rb"@(?:Join)?Column\([^)\n]*\b(?:name|field)\s*:\s*[\"'`]", rb"[\"'`]"),
        (rb"[:=]\s*\w+\(\s*[\"'`]", rb"[\"'`]"),
        (rb"\b(?:field|fieldName|name)\s*:\s*[\"'`]", rb"[\"'`]"),
    ),
)  # fmt: skip
_XML = Family(
    "mapping file",
    re.compile(rb"<(?:class|entity|resultMap|mapper|joined-subclass|union-subclass)\b[^>]*?"
               rb"\b(?:name|type|class|namespace)\s*=\s*\"(?P<name>[\w.$]+)\"[^>]*>"),
    re.compile(rb"\btable(?:Name)?\s*=\s*\"([\w.]+)\"|<table\s+name\s*=\s*\"([\w.]+)\""),
    _ALWAYS,
    _pairs((rb"\b(?:column|name|property)\s*=\s*\"", rb"\"")),
)  # fmt: skip

FAMILIES: dict[str, Family] = {
    "Ruby": _ACTIVE_RECORD,
    **dict.fromkeys(("Java", "Kotlin", "Scala", "Groovy"), _JPA),
    "C#": _DOT_NET,
    "PHP": _PHP,
    "Rust": _RUST,
    "Elixir": _ECTO,
    "Prisma": _PRISMA,
    "JavaScript": _JAVASCRIPT,
    "XML": _XML,
}
"""By the name of a kind."""


def models(source: SourceFile, kind: Kind, spelling: Spelling, values: Mapping[bytes, bytes]) -> list[Model]:
    """The parts of a file that each are about one table, in order; not all of the file need be in one.

    `values` are the texts that the constants of the program stand for.
    """
    family = FAMILIES.get(kind.name.removeprefix("generated "))
    if family is None:
        return []
    matches = list(family.starts.finditer(source.data))
    before = [0, *(match.end() for match in matches)]
    starts = [max(low, _begin(source.data, match.start())) for low, match in zip(before, matches, strict=False)]
    ends = [*starts[1:], len(source.data)][: len(starts)]
    return list(_judged(source, family, spelling, zip(matches, starts, ends, strict=True), values))


def _judged(
    source: SourceFile,
    family: Family,
    spelling: Spelling,
    parts: Iterator[tuple[re.Match[bytes], int, int]],
    values: Mapping[bytes, bytes],
) -> Iterator[Model]:
    for match, start, end in parts:
        groups = match.groupdict()
        own = groups.get("table")
        named = [own] if own else [_first(m, values) for m in family.tables.finditer(source.data, start, end)]
        named = [table for table in named if table]
        name = next((value for value in groups.values() if value), b"")
        if named:
            ours = any(spelling.is_table(table) for table in named)
        else:
            signed = family.sign.search(source.data, start, end) or family.path.search(source.path)
            ours = bool(signed) and (spelling.is_model(name) or spelling.is_model(name[:1].upper() + _camel(name[1:])))
            if not signed:
                continue
        yield Model(start, end, name.decode("utf-8", "replace"), family, ours)


def _first(match: re.Match[bytes], values: Mapping[bytes, bytes]) -> bytes:
    constant = match.groupdict().get("constant")
    if constant:
        return values.get(constant, b"")
    return next((group for group in match.groups() if group), b"")


def _camel(name: bytes) -> bytes:
    """campaign_phase, as in `define("campaign_phase")`, as a class is written."""
    return re.sub(rb"_(\w)", lambda match: match[1].upper(), name)


_BREAKS = (b"\n\n", b"\r\n\r\n", b"}\n", b";\n")


def _begin(data: bytes, at: int) -> int:
    """Where the annotations before a declaration begin."""
    low = max(0, at - _BACK)
    window = data[low:at]
    return max((low + window.rfind(mark) + len(mark) for mark in _BREAKS if mark in window), default=at if low else 0)


def model_at(found: Sequence[Model], offset: int) -> Model | None:
    """The model that a byte of the file stands in."""
    index = bisect_right([model.start for model in found], offset) - 1
    return found[index] if index >= 0 and offset < found[index].end else None


def declares(source: SourceFile, family: Family, start: int, end: int) -> bool:
    """Whether the name at a place is that of a column that a model declares there."""
    low = max(0, start - _LINE)
    line = source.data.rfind(b"\n", low, start) + 1 or low
    before, after = source.data[line:start], source.data[end : end + _LINE].partition(b"\n")[0]
    return any(first.search(before) and second.match(after) for first, second in family.declares)
