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

    `starts` finds what may be a model: its groups `table` and `row` are a table's own name, every other one is a class
    (`of` before the rest). `tables` finds the table's name inside, in its groups. A class without it is a model where
    `sign` matches, or the path. `declares` are pairs: what stands before a column's name on its line, and what after
    it. A field behind `unmapped` is none of the table's.
    """

    library: str
    starts: re.Pattern[bytes]
    tables: re.Pattern[bytes]
    sign: re.Pattern[bytes]
    declares: tuple[tuple[re.Pattern[bytes], re.Pattern[bytes]], ...] = ()
    path: re.Pattern[str] = re.compile(r"(?!)")
    unmapped: re.Pattern[bytes] = re.compile(rb"(?!)")


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

# Classes that hand out a row's attributes, called after its model.
_SHOWS = rb"(?:Serializer|Blueprint|Dashboard|Type|Resource|Decorator|Presenter|Representer|Policy|Factory|Map)"

_ACTIVE_RECORD = Family(
    "ActiveRecord",
    _lines(rb"^[ \t]*(?:class|module)\s+(?P<name>[\w:]+)|^[ \t]*ActiveAdmin\.register[ (]+(?P<admin>[\w:]+)"
           rb"|^(?:[ ]{0,2}|\t)factory[ \t(]+[:\"'](?P<factory>\w+)(?:[^\n]*?\bclass:[ \t]*[:\"']*(?P<of>[\w:]+))?"),
    re.compile(rb"\btable_name\s*=\s*[\"':]([\w.]+)|\bROM::Relation\b[^\n]*\n\s*schema[ (]+:(\w+)"),
    re.compile(rb"\bclass\s+[\w:]+\s*<\s*(?:::)?(?:ApplicationRecord|ActiveRecord::Base|Sequel::Model|\w*Record\b)"
               rb"|\bclass\s+[\w:]+" + _SHOWS + rb"\b|\bActiveAdmin\.register\b|\bfactory[ \t(]+[:\"']"),
    path=re.compile(r"(?:^|/)models/"),
)  # fmt: skip
_JPA = Family(
    "JPA",
    _lines(rb"^[ \t]*(?:(?:public|protected|private|abstract|final|static|open|data|sealed|internal|case)\s+)*"
           rb"(?:class|record|interface|object)\s+(?P<name>\w+)"),
    re.compile(rb"@(?:[\w.]+\.)?(?:Table|SecondaryTable|MappedEntity|TableName|Entity)\s*\(\s*"
               rb"(?:[^()\"]*?\b(?:name|value)\s*=\s*)?(?:\"([\w.`\\\"]+?)\"|(?:\w+\.)*(?P<constant>[A-Z][A-Z0-9_]{2,})\b)"
               rb"|extends\s+\w*Table\s*(?:\[[^\n\"]*?\])?\s*\(\s*(?:\w+\s*,\s*)?(?:Some\([^()]*\)\s*,\s*)?\"(\w+)\""
               rb"|\bobject\s+\w+\s*:\s*\w*Table(?:<\w+>)?\(\s*\"(\w+)\"|\boverride\s+val\s+tableName\s*=\s*\"(\w+)\""),
    re.compile(rb"@(?:[\w.]+\.)?(?:Entity|Table|MappedSuperclass|Embeddable|MappedEntity|TableName)\b"
               rb"|\bobject\s+\w+\s*:\s*\w*Table\b"),
    _pairs(
        (rb"^\s*(?:@[\w.]+(?:\([^)]*\))?\s*)*(?:(?:private|protected|public|final|lateinit|override|var|val|internal|"
         rb"transient|volatile)\s+)+(?:[\w<>\[\],.? ]+\s+)?", rb"\s*(?:[;=:,)]|$)"),
        (rb"@(?:[\w.]+\.)?(?:Column|JoinColumn|TableField|MappedProperty)\s*\((?:[^()]*?\b(?:name|value)\s*=)?\s*\"",
         rb"\""),
        (rb"\b(?:text|varchar|integer|long|bool|timestamp|reference|optReference|column\[[^\n\"]*\])\s*\(\s*\"",
         rb"\""),
    ),
    unmapped=re.compile(rb"@(?:[\w.]+\.)?Transient\b"),
)  # fmt: skip
_DOT_NET = Family(
    "Entity Framework",
    _lines(rb"^[ \t]*(?:(?:public|internal|sealed|abstract|partial|static)\s+)*(?:class|record)\s+(?P<name>\w+)"
           rb"|\bEntity<(?:[\w.]+\.)?(?P<entity>\w+)>\("),
    re.compile(rb"\[Table\(\s*(?:Name\s*=\s*)?\"([\w.]+)\"|\b(?:ToTable|Table)\(\s*(?:name:\s*)?\"([\w.]+)\""),
    re.compile(rb"\[(?:Table|Key|Column|Required)\b|IEntityTypeConfiguration|DbContext|DataAnnotations|EntityFramework"
               rb"|\bEntity<|\bClassMap<"),
    _pairs(
        (rb"^\s*(?:\[[^\]]*\]\s*)*public\s+(?:virtual\s+|required\s+|override\s+)*[\w<>?\[\].]+\s+",
         rb"\s*(?:\{|=>|;|=|$)"),
        (rb"(?:\[(?:[^\]\n]*,\s*)?Column|HasColumnName|\.Column|\bColumn)\(\s*(?:Name\s*=\s*)?\"", rb"\""),
        (rb"\brecord\b[^\n]*[(,]\s*(?:\[[^\]]*\]\s*)*[\w<>?\[\].]+\s+", rb"\s*[,)=]"),
    ),
    re.compile(r"(?:^|/)(?:entities|models|domain)/", re.I),
    unmapped=re.compile(rb"\[NotMapped\b"),
)  # fmt: skip
_PHP = Family(
    "Eloquent or Doctrine",
    _lines(rb"^[ \t]*(?:(?:final|abstract|readonly)\s+)*class\s+(?P<name>\w+)"),
    re.compile(rb"\$table\s*=\s*[\"']([\w.]+)|\b(?:ORM\\)?Table\(\s*(?:name\s*[:=]\s*)?[\"']([\w.`]+)"),
    re.compile(rb"\bclass\s+\w+\s+extends\s+(?:\w*Model|Authenticatable|\w*Pivot|Factory|\w*Resource)\b"
               rb"|ORM\\Entity|\#\[[^\]]*\bEntity\b"),
    _pairs(
        (rb"(?:private|protected|public)\s+(?:readonly\s+)?\??[\w\\|]*\s*\$", rb"\s*[;=,)]"),
        (rb"\b(?:ORM\\)?(?:Join)?Column\([^)\n]*\bname\s*[:=]\s*[\"']", rb"[\"']"),
    ),
    re.compile(r"(?:^|/)Models/"),
)  # fmt: skip
_RUST = Family(
    "Diesel or SeaORM",
    re.compile(rb"\btable!\s*\{\s*(?:(?:use\b[^;]*;|#\[[^\]]*\]|//[^\n]*)\s*)*(?:\w+\.)?(?P<table>\w+)\s*\("
               rb"|^[ \t]*(?:pub(?:\([^)]*\))?\s+)?(?:struct|enum)\s+(?P<name>\w+)", re.MULTILINE),
    re.compile(rb"\btable_name\s*=\s*\"?(?:\w+::)*([\w.]+)"),
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
               rb"|\.define\(\s*[\"'`](?P<define>\w+)|\b(?P<init>\w+)\.init\(|\bEntitySchema\b|^module\.exports\s*=\s*\{"
               rb"|\.model\(\s*[\"'`](?P<registered>\w+)|\bcube\(\s*[\"'`](?P<cube>\w+)"
               rb"|^[ \t]*(?:export\s+)?(?:declare\s+)?(?:interface|type)\s+(?P<rows>\w+)"
               rb"|\b(?P<row>\w+)\s*:\s*\{\s*Row\s*:\s*\{", re.MULTILINE),
    re.compile(rb"@Entity\(\s*(?:\{[^}]*?\b(?:name|tableName)\s*:\s*)?" + _QUOTED
               + rb"|\btableName\s*[:=]\s*" + _QUOTED + rb"|\btableName\s*\(\s*\)[^{]*\{\s*return\s*" + _QUOTED
               + rb"|@Table\(\s*" + _QUOTED + rb"|\bsql_?[tT]able\s*:\s*" + _QUOTED),
    re.compile(rb"@Entity\b|@Table\b|\bclass\s+\w+\s+extends\s+(?:Model|\w*Base(?:Entity|Model))\b|\.define\("
               rb"|\binterface\s+\w+\b[^}]{0,4000}\b(?:Generated|ColumnType)<|\w\s*:\s*\{\s*Row\s*:\s*\{|\bcube\("),
    _pairs(
        (rb"^\s*(?:(?:public|private|readonly|declare|protected|static|@\w+\([^)]*\))\s*)*[\"']?",
         rb"[\"']?\s*[?!]?\s*[:;]"),
        (rb"@(?:Join)?Column\([^)\n]*\b(?:name|field)\s*:\s*[\"'`]", rb"[\"'`]"),
        (rb"[:=]\s*\w+\(\s*[\"'`]", rb"[\"'`]"),
        (rb"\b(?:field|fieldName|name|columnName|sql)\s*:\s*[\"'`]", rb"[\"'`]"),
    ),
)  # fmt: skip
_XML = Family(
    "mapping file",
    re.compile(rb"<(?:class|entity|resultMap|mapper|joined-subclass|union-subclass)\b[^>]*?"
               rb"\b(?:name|type|class|namespace)\s*=\s*\"(?P<name>[\w.$\\]+)\"[^>]*>"),
    re.compile(rb"\btable(?:Name)?\s*=\s*\"([\w.]+)\"|<table\s+name\s*=\s*\"([\w.]+)\""),
    _ALWAYS,
    _pairs((rb"\b(?:column|name|property)\s*=\s*\"", rb"\"")),
)  # fmt: skip
_LOOKML = Family(
    "LookML",
    _lines(rb"^[ \t]*(?:view|explore):\s*\+?(?P<name>\w+)\s*\{"),
    re.compile(rb"\bsql_table_name:\s*([\w.\"`]+)"),
    _ALWAYS,
    _pairs((rb"\$\{TABLE\}\.[\"`]?", rb"")),
)

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
    "LookML": _LOOKML,
}
"""By the name of a kind."""


def models(
    source: SourceFile,
    kind: Kind,
    spelling: Spelling,
    values: Mapping[bytes, bytes],
    adopted: frozenset[bytes] = frozenset(),
) -> list[Model]:
    """The parts of a file that each are about one table, in order; not all of the file need be in one.

    `values` are the texts that the constants of the program stand for, `adopted` the classes that another file says
    to be about the table.
    """
    family = FAMILIES.get(kind.name.removeprefix("generated "))
    if family is None:
        return []
    matches = list(family.starts.finditer(source.data))
    before = [0, *(match.end() for match in matches)]
    starts = [max(low, _begin(source.data, match.start())) for low, match in zip(before, matches, strict=False)]
    ends = [*starts[1:], len(source.data)][: len(starts)]
    parts = zip(matches, starts, ends, strict=True)
    return list(_judged(source, family, spelling, parts, values, adopted))


def _judged(
    source: SourceFile,
    family: Family,
    spelling: Spelling,
    parts: Iterator[tuple[re.Match[bytes], int, int]],
    values: Mapping[bytes, bytes],
    adopted: frozenset[bytes],
) -> Iterator[Model]:
    for match, start, end in parts:
        groups = match.groupdict()
        own = groups.get("table") or groups.get("row")
        named = [own] if own else [_first(m, values) for m in family.tables.finditer(source.data, start, end)]
        named = [table for table in named if table]
        name = groups.get("of") or next((value for value in groups.values() if value), b"")
        if named:
            ours = any(spelling.is_table(table) for table in named)
        elif name.rpartition(b"::")[2] in adopted:
            ours = True
        elif family.sign.search(source.data, start, end) or family.path.search(source.path):
            ours = _is_model(name, spelling)
        else:
            continue
        yield Model(start, end, name.decode("utf-8", "replace"), family, ours)


_SUFFIX = re.compile(_SHOWS + rb"\Z")


def _is_model(name: bytes, spelling: Spelling) -> bool:
    """Whether a class is called like one over the table's rows; `User::Billing` is a part of User in Ruby."""
    parts = [_SUFFIX.sub(b"", part) or part for part in name.split(b"::")]
    return any(spelling.is_model(part) or spelling.is_model(part[:1].upper() + _camel(part[1:])) for part in parts)


def _first(match: re.Match[bytes], values: Mapping[bytes, bytes]) -> bytes:
    constant = match.groupdict().get("constant")
    if constant:
        return values.get(constant, b"")
    return next((group for group in match.groups() if group), b"")


def _camel(name: bytes) -> bytes:
    """campaign_phase, as in `define("campaign_phase")`, as a class is written."""
    return re.sub(rb"_(\w)", lambda match: match[1].upper(), name)


def is_unmapped(source: SourceFile, family: Family, start: int) -> bool:
    """Whether the field that is declared at a place is marked as none of the table's."""
    before = source.data[max(0, start - _LINE) : start]
    last = max((before.rfind(mark) for mark in (b";", b"{", b"}")), default=-1)
    return family.unmapped.search(before, last + 1) is not None


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
