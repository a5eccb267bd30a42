"""Struct tags and ORM models: fields that name a column, by a tag or by the naming strategy of an ORM."""

from __future__ import annotations

import re
from collections.abc import Iterator

from legacy_ref_scan.languages.golang import sinks
from legacy_ref_scan.languages.golang.packages import Declaration, GoFile, Index, Node
from legacy_ref_scan.languages.golang.types import struct_fields
from legacy_ref_scan.mentions import Names
from legacy_ref_scan.model import Claim, Explanation, Mapping, Mention, Span

_PAIR = re.compile(rb'([^\s":`]+):"((?:[^"\\]|\\.)*)"')
_COLUMN_KEYS = {
    b"db": "db", b"gorm": "gorm", b"bun": "bun", b"xorm": "xorm", b"pg": "go-pg", b"sql": "go-pg", b"boil": "sqlboiler",
    b"sqlx": "db", b"scan": "db", b"gorp": "db", b"goqu": "goqu", b"reform": "reform", b"dbr": "dbr",
}  # fmt: skip
_MODELS = frozenset(("gorm", "bun", "xorm", "go-pg"))
_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
_XORM_WORDS = frozenset(b"pk autoincr notnull null unique index created updated deleted version extends".split())


def of_tag(file: GoFile, tag: Node, mention: Mention) -> Claim | Mapping:
    """What a mention inside a raw tag means, by the key that it belongs to."""
    data, start = file.source.data, tag.start_byte
    for match in _PAIR.finditer(data, start + 1, tag.end_byte - 1):
        if match.start() <= mention.span.start < match.end():
            return _of_pair(file, tag, mention, match)
    span = Span(file.path, tag.start_byte, tag.end_byte)
    return Claim(span, Explanation.TEXT, "struct tag")


def _of_pair(file: GoFile, tag: Node, mention: Mention, match: re.Match[bytes]) -> Claim | Mapping:
    library = _COLUMN_KEYS.get(match[1])
    key = match[1].decode("utf-8", "replace")
    if library is None or mention.span.start < match.start(2):
        return Claim(Span(file.path, match.start(), match.end()), Explanation.TEXT, f"{key} tag")
    named = column_in(library, match[2])
    if named is None or mention.role != "column":
        return Claim(mention.span, Explanation.TEXT, f"{key} tag")
    start = match.start(2) + named[0]
    if not start <= mention.span.start < start + len(named[1]):
        return Claim(mention.span, Explanation.TEXT, f"{key} tag")
    column = named[1].decode("utf-8", "replace")
    owner = owner_of(file, tag)
    if b"." in named[1]:  # a nested struct: `db:"users.name"`
        column = column.rpartition(".")[2]
    return Mapping(mention.span, column, owner, library, "", file.source.test)


def column_in(library: str, value: bytes) -> tuple[int, bytes] | None:
    """(offset, name) of the column in a tag's value; None where the tag names none."""
    if library == "gorm":
        match = re.search(rb"(?:^|;)\s*column:\s*([^;]+)", value, re.IGNORECASE)
        return (match.start(1), match[1].rstrip()) if match else None
    if library == "xorm":
        match = re.search(rb"'([^']+)'", value)
        if match:
            return match.start(1), match[1]
        first = _WORD.search(value)
        return (first.start(), first[0]) if first and first[0].lower() not in _XORM_WORDS else None
    name = value.split(b",")[0]
    return None if name in (b"", b"-") or b":" in name else (0, name)


def owner_of(file: GoFile, node: Node) -> str:
    """The struct type around a node."""
    current = node.parent
    while current is not None:
        if current.type in ("type_spec", "type_alias"):
            name = current.child_by_field_name("name")
            return file.text(name) if name is not None else ""
        current = current.parent
    return ""


def models(index: Index, file: GoFile, names: Names) -> Iterator[Mapping]:
    """Fields of ORM models in a file whose column is a target's, where the tag does not say so already."""
    libraries = {sinks.builder_of(path) for path in file.imports.values()} & _MODELS
    for declaration in file.in_order:
        fields = struct_fields(declaration)
        library = _model_library(file, fields, libraries) or _plain_model(index, declaration, fields, names)
        if library and declaration.kind == "type":
            yield from _fields(index, declaration, fields, library, names)


def _model_library(file: GoFile, fields: list[Node], libraries: set[str]) -> str:
    for field in fields:
        tag = field.child_by_field_name("tag")
        text = file.bytes(tag) if tag is not None else b""
        for match in _PAIR.finditer(text):
            library = _COLUMN_KEYS.get(match[1], "")
            if library in _MODELS:
                return library
        kind = field.child_by_field_name("type")
        if kind is not None and file.text(kind) in ("gorm.Model", "bun.BaseModel"):
            return file.text(kind).partition(".")[0]
    return next(iter(libraries), "") if len(libraries) == 1 and libraries <= {"gorm", "xorm"} else ""


def _plain_model(index: Index, declaration: Declaration, fields: list[Node], names: Names) -> str:
    """gorm, where a struct in a package without it is of the target's table: gorm needs neither a tag nor an import."""
    file = declaration.file
    if declaration.kind != "type" or table_of(index, declaration, fields, "gorm") not in names.tables:
        return ""
    tags = (field.child_by_field_name("tag") for field in fields)
    if any(b'db:"' in file.bytes(tag) for tag in tags if tag is not None):
        return ""
    return "gorm" if index.uses_gorm else ""


def _fields(
    index: Index, declaration: Declaration, fields: list[Node], library: str, names: Names
) -> Iterator[Mapping]:
    file = declaration.file
    table = table_of(index, declaration, fields, library)
    for field in fields:
        tag = field.child_by_field_name("tag")
        tagged = _tagged(file, tag, library) if tag is not None else None
        for name in field.children_by_field_name("name"):
            column, span = tagged or (snake_case(file.text(name)), Span(file.path, name.start_byte, name.end_byte))
            if column in names.columns:
                yield Mapping(span, column, declaration.name, library, table, file.source.test)


def _tagged(file: GoFile, tag: Node, library: str) -> tuple[str, Span] | None:
    for match in _PAIR.finditer(file.source.data, tag.start_byte + 1, tag.end_byte - 1):
        if _COLUMN_KEYS.get(match[1]) == library:
            if match[2].split(b",")[0] == b"-":
                return "-", Span(file.path, match.start(2), match.end(2))
            named = column_in(library, match[2])
            if named is not None:
                start = match.start(2) + named[0]
                return named[1].decode("utf-8", "replace"), Span(file.path, start, start + len(named[1]))
    return None


def table_of(index: Index, declaration: Declaration, fields: list[Node], library: str) -> str:
    """The table of a model: its `TableName` method, bun's tag, else the naming strategy's plural."""
    file = declaration.file
    for method in index.lookup(file.folder, "TableName"):
        if method.kind == "method" and method.receiver_type == declaration.name:
            returned = re.search(rb'return\s+["`]([^"`]+)["`]\s*(?![\s+])', method.file.bytes(method.node))
            if returned:
                return returned[1].decode("utf-8", "replace")
            return ""
    for field in fields:
        tag = field.child_by_field_name("tag")
        found = re.search(rb'(?:table:|pg:"|sql:")([\w.]+)', file.bytes(tag)) if tag is not None else None
        if found and not field.children_by_field_name("name"):
            return found[1].decode("utf-8", "replace")
    singular = snake_case(declaration.name)
    return singular if library == "xorm" else plural(singular)


def snake_case(name: str) -> str:
    """`ErrorMessage` -> `error_message`, `UserID` -> `user_id`, as gorm's naming strategy does."""
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name))
    return parts.lower()


def plural(word: str) -> str:
    """The regular English plural of a snake_case name."""
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + ("es" if re.search(r"(s|x|z|ch|sh)$", word) else "s")
