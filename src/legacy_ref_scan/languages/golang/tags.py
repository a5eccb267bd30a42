"""Mentions in struct tags: what each means, by the key of the tag that it belongs to."""

from __future__ import annotations

import re

from legacy_ref_scan.languages.golang.orm.boiled import generator_of
from legacy_ref_scan.languages.golang.orm.tagvalues import LIBRARY_OF_KEY, PAIR, holds_sql, parse
from legacy_ref_scan.languages.golang.packages import GoFile, Node
from legacy_ref_scan.model import Access, Claim, Explanation, Gap, Mapping, Mention, Span

# Modules that make statements of every `db` tag of a struct they are given: what a file calls, and the library.
_TAKE_TAGS = {
    "github.com/huandu/go-sqlbuilder": (b"NewStruct(", "go-sqlbuilder"),
    "github.com/go-gorp/gorp": (b"AddTable", "gorp"),
}
# Libraries like proteus take whole statements from tags.
_STATEMENT = re.compile(
    rb"\s*(?:select\b.*\bfrom|insert\s+into|update\s+\S+\s+set|delete\s+from|with\s+\w+\s+as)\b", re.I
)


def of_tag(file: GoFile, tag: Node, mention: Mention) -> Claim | Mapping | Gap:
    """What a mention inside a raw tag means, by the key that it belongs to."""
    data, start = file.source.data, tag.start_byte
    for match in PAIR.finditer(data, start + 1, tag.end_byte - 1):
        if match.start() <= mention.span.start < match.end():
            key, value = match[1], match[2]
            library = LIBRARY_OF_KEY.get(key)
            offset = mention.span.start - match.start(2)
            if library is not None and offset >= 0 and mention.role == "column":
                found = _of_value(file, tag, mention, library, value, offset)
                if found is not None:
                    return found
            if mention.role == "column" and _STATEMENT.match(value):
                message = f"a statement in a {key.decode('utf-8', 'replace')} tag: a library that reads it may run it"
                return Gap(mention.span, "statement-in-tag", message, owner_of(file, tag), file.source.test)
            return Claim(mention.span, Explanation.TEXT, f"{key.decode('utf-8', 'replace')} tag")
    return Claim(Span(file.path, tag.start_byte, tag.end_byte), Explanation.TEXT, "struct tag")


def _of_value(file: GoFile, tag: Node, mention: Mention, library: str, value: bytes, offset: int) -> Mapping | None:
    """The column that a tag names, or a column in the SQL of a check or an index."""
    owner, test = owner_of(file, tag), file.source.test
    if library == "sqlboiler" and generator_of(file) != b"SQLBoiler":
        library = "db"  # a struct of one's own that takes results
    library = _taker(file) if library == "db" else library
    if holds_sql(library, value, offset):
        return Mapping(mention.span, mention.name, owner, library, "", test, (Access.READ,))
    named = parse(library, value).column
    if named is None or not named[0] <= offset < named[0] + len(named[1]):
        return None
    column = named[1].decode("utf-8", "replace").rpartition(".")[2]  # a nested struct: `db:"users.name"`
    return Mapping(mention.span, column, owner, library, "", test)


def _taker(file: GoFile) -> str:
    """The library that takes the tags of a file's structs; "db" for those that only fill structs."""
    for path in file.imports.values():
        for module, (call, library) in _TAKE_TAGS.items():
            if path.startswith(module) and call in file.source.data:
                return library
    return "db"


def owner_of(file: GoFile, node: Node) -> str:
    """The struct type around a node."""
    current = node.parent
    while current is not None:
        if current.type in ("type_spec", "type_alias"):
            name = current.child_by_field_name("name")
            return file.text(name) if name is not None else ""
        current = current.parent
    return ""
