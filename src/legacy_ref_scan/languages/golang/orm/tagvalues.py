"""Struct tags of ORMs and mappers: what `gorm:"column:x;->"`, `bun:"x,pk"` or `xorm:"'x' text"` say of a field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from legacy_ref_scan.model import Access

PAIR = re.compile(rb'([^\s":`]+):"((?:[^"\\]|\\.)*)"')
LIBRARY_OF_KEY = {
    b"db": "db", b"gorm": "gorm", b"bun": "bun", b"xorm": "xorm", b"pg": "go-pg", b"boil": "sqlboiler",
    b"sqlx": "db", b"scan": "db", b"gorp": "db", b"goqu": "goqu", b"reform": "reform", b"dbr": "dbr", b"orm": "beego",
}  # fmt: skip
_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
_XORM_WORDS = frozenset(
    b"pk autoincr notnull null unique index created updated deleted version extends default not cache nocache comment "
    b"local collate".split()
)
_XORM_TYPE = re.compile(
    rb"(?i)(?:(?:tiny|small|medium|big)?int(?:eger)?|(?:tiny|medium|long)?(?:text|blob)|n?(?:var)?char|binary|varbinary|"
    rb"date|time|datetime|timestampz?|real|float|double|decimal|numeric|bool(?:ean)?|bit|serial|bigserial|jsonb?|uuid|"
    rb"bytea|enum|set|clob|xml|array|money)$"
)
_BOTH = (Access.READ, Access.WRITE)
_GORM_SQL = ("check", "expression", "where")


@dataclass(frozen=True, slots=True)
class Tag:
    """What a tag says. `column` is (offset in the tag's value, name); None: the naming strategy decides.

    `prefix` goes before the columns of an embedded struct, `suffix` behind what the naming strategy makes. `join`
    is the table of a many-to-many association.
    """

    column: tuple[int, bytes] | None = None
    skipped: bool = False
    embedded: bool = False
    prefix: str = ""
    suffix: str = ""
    relation: bool = False
    join: str = ""
    accesses: tuple[Access, ...] = _BOTH


UNTAGGED = Tag()


def parse(library: str, value: bytes) -> Tag:
    """A tag's value as the library reads it."""
    if library == "gorm":
        return _gorm(value)
    if library == "xorm":
        return _xorm(value)
    if library == "beego":
        return _beego(value)
    return _comma_separated(library, value)


def _gorm(value: bytes) -> Tag:
    """gorm.io/docs/models.html, "Fields Tags": `key:value` pairs, keys in any case."""
    settings = {key: (start, text) for key, start, text in gorm_settings(value)}
    off = settings.get(b"-")
    if off is not None and off[1].lower() != b"migration":
        return Tag(skipped=True)
    column = settings.get(b"column")
    prefix = settings.get(b"embeddedprefix", (0, b""))[1]
    join = settings.get(b"many2many", (0, b""))[1]
    related = any(key in settings for key in (b"foreignkey", b"references", b"many2many", b"polymorphic"))
    return Tag(
        column=column if column and column[1] else None,
        embedded=b"embedded" in settings,
        prefix=prefix.decode("utf-8", "replace"),
        relation=related,
        join=join.decode("utf-8", "replace"),
        accesses=_permissions(settings),
    )


def _permissions(settings: dict[bytes, tuple[int, bytes]]) -> tuple[Access, ...]:
    """`->` alone is read only, `<-:false` too, `->:false` is never read: gorm, schema/field.go."""
    reads = settings.get(b"->", (0, b""))[1].lower() != b"false"
    writes = settings.get(b"<-", (0, b""))[1].lower() != b"false"
    if b"->" in settings and b"<-" not in settings:
        writes = False
    return tuple(access for access, wanted in ((Access.READ, reads), (Access.WRITE, writes)) if wanted)


def gorm_settings(value: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """(key in lower case, offset of the text, text) of each setting of a gorm tag."""
    at = 0
    for part in re.split(rb"(?<!\\);", value):
        key, colon, text = part.partition(b":")
        stripped = text.strip()
        start = at + len(key) + len(colon) + (len(text) - len(text.lstrip()))
        yield key.strip().lower(), start, stripped
        at += len(part) + 1


def holds_sql(library: str, value: bytes, offset: int) -> bool:
    """Whether the byte at `offset` of a gorm tag stands in SQL: of a check, an index's expression or condition."""
    if library != "gorm":
        return False
    settings = [s for s in gorm_settings(value) if s[1] <= offset < s[1] + len(s[2])]
    return any(
        key == b"check" or any(f"{word}:".encode() in text.lower() for word in _GORM_SQL) for key, _, text in settings
    )


def _xorm(value: bytes) -> Tag:
    """xorm.io/docs, "Columns definition": the name stands in quotes, or is the first word that means nothing else."""
    words = value.split()
    if words[:1] == [b"-"]:
        return Tag(skipped=True)
    accesses: tuple[Access, ...] = _BOTH
    if b"->" in words:
        accesses = (Access.WRITE,)
    elif b"<-" in words:
        accesses = (Access.READ,)
    embedded = b"extends" in (word.lower() for word in words)
    quoted = re.search(rb"(?<!\()(?<![\w(])'([^'\s,()]+)'", value)
    if quoted and not re.search(rb"(?i)default\s*$", value[: quoted.start()]):
        return Tag((quoted.start(1), quoted[1]), embedded=embedded, accesses=accesses)
    first = _WORD.match(value)
    if first and not embedded and _is_xorm_name(first[0]) and value[first.end() : first.end() + 1] != b"(":
        return Tag((0, first[0]), accesses=accesses)
    return Tag(embedded=embedded, accesses=accesses)


def _is_xorm_name(word: bytes) -> bool:
    return word.lower() not in _XORM_WORDS and _XORM_TYPE.match(word) is None


def _beego(value: bytes) -> Tag:
    """beego, client/orm, `parseStructTag` and `getColumnName`: `key(text)` and words, with `;` between them."""
    settings: dict[bytes, tuple[int, bytes]] = {}
    at = 0
    for part in value.split(b";"):
        key, _, text = part.strip().partition(b"(")
        start = at + len(part) - len(part.lstrip()) + len(key) + 1
        settings[key.lower()] = (start, text[:-1] if text.endswith(b")") else b"")
        at += len(part) + 1
    if b"-" in settings:
        return Tag(skipped=True)
    column = settings.get(b"column")
    kind = settings.get(b"rel", (0, b""))[1]
    return Tag(
        column=column if column and column[1] else None,
        suffix="_id" if kind in (b"fk", b"one") else "",
        relation=kind == b"m2m" or b"reverse" in settings,
        join=settings.get(b"rel_table", (0, b""))[1].decode("utf-8", "replace"),
    )


def _comma_separated(library: str, value: bytes) -> Tag:
    """`name,option,option:value`: sqlx, scany, pgx, bun, go-pg, upper, sqlboiler, reform."""
    name, *options = value.split(b",")
    if name == b"-":
        return Tag(skipped=True)
    words = {option.partition(b":")[0].strip(): option.partition(b":")[2] for option in options}
    if b":" in name:  # bun:"rel:belongs-to", pg:"fk:user_id"
        words.setdefault(name.partition(b":")[0], name.partition(b":")[2])
        name = b""
    relation = any(word in words for word in (b"rel", b"join", b"m2m", b"many2many"))
    embedded = any(word in words for word in (b"embed", b"inline", b"inherit"))
    accesses = () if b"scanonly" in words else _BOTH  # bun: such a field only takes results
    if library == "bun" and b"extend" in words:
        embedded = True
    return Tag(
        (0, name) if name else None,
        embedded=embedded,
        prefix=words.get(b"embed", b"").decode("utf-8", "replace"),
        relation=relation,
        join=words.get(b"m2m", b"").decode("utf-8", "replace"),
        accesses=accesses,
    )
