"""Definitions after a rename: PostgreSQL stores trees, we store text, so the names in it are written anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from legacy_ref_scan.catalog.names import quoted
from legacy_ref_scan.schema import Constraint, Index, SchemaObject
from legacy_ref_scan.sql.lexer import Kind, Token, name_of, tokens

# A name after one of these is a table's.
_BEFORE_TABLE = frozenset({"on", "table", "from", "join", "update", "into", "only", "references", "to", "exists"})
# A name after one of these is the object's own.
_BEFORE_OBJECT = frozenset(
    {
        "index", "constraint", "trigger", "policy", "rule", "statistics", "concurrently", "exists", "function",
        "procedure",
    }
)  # fmt: skip


def move_table(definition: str, old: str, new: str) -> str:
    """The text with the (qualified) name of a table replaced by another one, written as SQL, where a table stands."""
    data = definition.encode()
    parts: list[bytes] = []
    name: list[bytes] = []  # the dotted name that is being read
    for token, before, after in _neighbours(data):
        raw = data[token.start : token.end]
        if token.kind > Kind.COMMENT and (name or (before in _BEFORE_TABLE and token.kind in _NAMES)):
            name.append(raw)
            if after == b"." or raw == b".":
                continue
            whole = b"".join(name)
            parts.append(new.encode() if name_of(name[-1]) == old else whole)
            name.clear()
        else:
            parts.append(raw)
    return b"".join(parts).decode("utf-8", "replace")


_NAMES = (Kind.WORD, Kind.QUOTED)


def rename_table(definition: str, old: str, new: str) -> str:
    """The text with the table's name replaced where a table's name stands."""
    return _rewritten(definition, {old: new}, lambda before, after: before in _BEFORE_TABLE or after == b".")


def rename_object(definition: str, old: str, new: str) -> str:
    """The text with the object's own name replaced."""
    return _rewritten(definition, {old: new}, lambda before, after: before in _BEFORE_OBJECT)


def rename_column(item: SchemaObject, oid: int, old: str, new: str) -> SchemaObject:
    """The object with a column's name replaced in its text.

    Where it reads other relations too (subqueries of policies and rules), a name can be anybody's: it stays as written.
    """
    if isinstance(item, Constraint) and item.type == "foreign key":
        return replace(item, definition=_foreign_key(item, oid, old, new))
    if item.depends - {item.relation}:
        return item
    if item.kind == "statistics":  # `ON columns FROM table`
        return replace(item, definition=_rewritten(item.definition, {old: new}, _names_column(_BEFORE_TABLE - {"on"})))
    changed = replace(item, definition=rename_column_in(item.definition, old, new))
    if isinstance(changed, Index):
        return replace(changed, predicate=rename_column_in(changed.predicate, old, new))
    return changed


def rename_column_in(text: str, old: str, new: str) -> str:
    """An expression or definition over one relation with a column's name replaced."""
    return _rewritten(text, {old: new}, _names_column(_BEFORE_TABLE))


def _names_column(before_table: frozenset[str]) -> Callable[[str, bytes], bool]:
    """Whether a name can be a column's, by the word before it and the sign behind it."""
    return lambda before, after: before not in before_table | _BEFORE_OBJECT and after != b"."


def _foreign_key(item: Constraint, oid: int, old: str, new: str) -> str:
    """`FOREIGN KEY (own) REFERENCES t (theirs)`: the column is on one side, or on both of a self-reference."""
    at = item.definition.upper().find(" REFERENCES ")
    own, theirs = item.definition[:at], item.definition[at:]
    if item.relation == oid:
        own = rename_column_in(own, old, new)
    if item.references == oid:
        theirs = rename_column_in(theirs, old, new)
    return own + theirs


def _rewritten(definition: str, names: Mapping[str, str], wanted: Callable[[str, bytes], bool]) -> str:
    data = definition.encode()
    parts: list[bytes] = []
    for token, before, after in _neighbours(data):
        raw = data[token.start : token.end]
        new = names.get(name_of(raw)) if token.kind in (Kind.WORD, Kind.QUOTED) else None
        parts.append(quoted(new).encode() if new is not None and wanted(before, after) else raw)
    return b"".join(parts).decode("utf-8", "replace")


def _neighbours(data: bytes) -> Iterator[tuple[Token, str, bytes]]:
    """Each token with the word before it (folded; "" after anything else) and the text of the solid one after it."""
    found = list(tokens(data))
    following = [b""] * len(found)
    after = b""
    for index in range(len(found) - 1, -1, -1):
        following[index] = after
        if found[index].kind > Kind.COMMENT:
            after = data[found[index].start : found[index].end]
    before = ""
    for token, coming in zip(found, following, strict=True):
        yield token, before, coming
        if token.kind > Kind.COMMENT:
            raw = data[token.start : token.end]
            before = name_of(raw) if token.kind is Kind.WORD else ("" if raw != b"." else before)
