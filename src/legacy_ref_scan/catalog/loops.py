"""Loops of DO blocks over rows that are known: VALUES, an array of constants, a simple query of the catalog."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from legacy_ref_scan.catalog.state import State, has_index
from legacy_ref_scan.catalog.statement import Text
from legacy_ref_scan.model import Fragment, Piece
from legacy_ref_scan.schema import Constraint
from legacy_ref_scan.sql.lexer import Kind, Token, name_of, string_value, words
from legacy_ref_scan.sql.tree import Node

Row = Mapping[str, str]
"""A row by its column names; what FOREACH gives has the name ""."""

_NAMES = (Kind.WORD, Kind.QUOTED)


def rows_of(state: State, text: bytes, node: Node) -> list[Row] | None:
    """The rows that a `stmt_for` or `stmt_foreach_a` goes through; None where they are not known."""
    source = node.child("for_query", "sql_expression")
    if source is None:
        return None
    expression = source if source.type == "sql_expression" else source.child("sql_expression")
    if expression is None:
        return None
    tokens = [_Word(text, token) for token in words(text, expression.start, expression.end)]
    if node.type == "stmt_foreach_a":
        return _array(tokens)
    return _values(tokens) or _catalog(state, tokens)


class _Word:
    """A token as it is compared: folded, and its value where it is a string."""

    def __init__(self, text: bytes, token: Token) -> None:
        raw = text[token.start : token.end]
        self.kind = token.kind
        self.is_name = token.kind in _NAMES
        self.is_string = token.kind is Kind.STRING
        self.text = name_of(raw) if self.is_name else raw.decode("utf-8", "replace")
        self.value = string_value(raw).decode("utf-8", "replace") if self.is_string else self.text


def _array(tokens: list[_Word]) -> list[Row] | None:
    """ARRAY['a', 'b'], maybe cast."""
    texts = [token.text for token in tokens]
    if texts[:2] != ["array", "["] or "]" not in texts:
        return None
    end = texts.index("]")
    tail = texts[end + 1 :]
    if tail and (tail[0] != "::" or not {*tail[1:]} <= {"text", "varchar", "name", "[", "]"}):
        return None
    values = _constants(tokens[2:end])
    return None if values is None else [{"": value} for value in values]


def _constants(tokens: list[_Word]) -> list[str] | None:
    """The strings of a list."""
    if any(t.text != "," for t in tokens[1::2]) or not all(t.is_string for t in tokens[::2]) or len(tokens) % 2 == 0:
        return None
    return [token.value for token in tokens[::2]]


def _values(tokens: list[_Word]) -> list[Row] | None:
    """SELECT * FROM (VALUES (…), …) AS t (a, b)."""
    texts = [token.text for token in tokens]
    if texts[:5] != ["select", "*", "from", "(", "values"]:
        return None
    rows: list[list[str]] = []
    at = 5
    while texts[at : at + 1] == ["("] and ")" in texts[at:]:
        end = texts.index(")", at)
        row = _constants(tokens[at + 1 : end])
        if row is None:
            return None
        rows.append(row)
        at = end + (2 if texts[end + 1 : end + 2] == [","] else 1)
    alias = [t for t in texts[at:] if t != "as"]
    if alias[:1] != [")"] or alias[2:3] != ["("] or alias[-1:] != [")"]:
        return None
    names = alias[3:-1:2]
    if any(len(row) != len(names) for row in rows):
        return None
    return [dict(zip(names, row, strict=True)) for row in rows]


_ALIAS = re.compile(r"[a-z_]\w*\Z")


def _catalog(state: State, tokens: list[_Word]) -> list[Row] | None:
    """SELECT columns FROM a view of the catalog WHERE column = 'constant' AND column IN (…) …"""
    texts = [token.text for token in tokens]
    if texts[:1] != ["select"] or "from" not in texts:
        return None
    texts = [*texts, ";"]
    at = texts.index("from")
    listed = [text for text in texts[1:at] if text != "distinct"]
    schema, dot, view = texts[at + 1 : at + 4] if texts[at + 2] == "." else ["pg_catalog", ".", texts[at + 1]]
    at += 4 if texts[at + 2] == "." else 2
    if dot != "." or (schema, view) not in _VIEWS:
        return None
    alias = ""
    if texts[at] not in ("where", "order", ";"):
        at += texts[at] == "as"
        alias, at = texts[at], at + 1
    names = _plain(listed, alias)
    end = texts.index("order") if "order" in texts else len(texts) - 1
    tests = _tests(tokens[at + 1 : end], alias) if texts[at] == "where" else ([] if at == end else None)
    if names is None or tests is None:
        return None
    known = [*_VIEWS[schema, view](state)]
    needed = {*names.values(), *(column for column, _ in tests)}
    if any(not needed <= row.keys() for row in known):
        return None
    kept = (row for row in known if all(row[column] in allowed for column, allowed in tests))
    return [{label: row[column] for label, column in names.items()} for row in kept]


def _plain(listed: list[str], alias: str) -> dict[str, str] | None:
    """The columns of a target list by their labels."""
    names: dict[str, str] = {}
    for item in " ".join(listed).split(" , "):
        parts = [part for part in item.split() if part != "as"]
        if alias and parts[:2] == [alias, "."]:
            parts = parts[2:]
        if not 1 <= len(parts) <= 2 or not all(_ALIAS.match(part) for part in parts):
            return None
        names[parts[-1]] = parts[0]
    return names


def _tests(tokens: list[_Word], alias: str) -> list[tuple[str, list[str]]] | None:
    """The comparisons of a WHERE that joins them by AND alone."""
    groups: list[list[_Word]] = [[]]
    for token in tokens:
        if token.text == "and" and not token.is_string:
            groups.append([])
        else:
            groups[-1].append(token)
    found: list[tuple[str, list[str]]] = []
    for group in groups:
        own = group[2:] if [t.text for t in group[:2]] == [alias, "."] else group
        words_of = [token.text for token in own]
        values = None
        if words_of[1:2] == ["="]:
            values = _constants(own[2:])
        elif words_of[1:3] == ["in", "("] and words_of[-1:] == [")"]:
            values = _constants(own[3:-1])
        if values is None or (words_of[1] == "=" and len(values) != 1):
            return None
        found.append((words_of[0], values))
    return found


def _tables(state: State) -> Iterator[Row]:
    kinds = {"table": "BASE TABLE", "view": "VIEW", "foreign": "FOREIGN"}
    for relation in state.relations.values():
        if relation.kind in kinds:
            yield {
                "table_schema": relation.schema, "table_name": relation.name, "table_type": kinds[relation.kind],
            }  # fmt: skip


def _pg_tables(state: State) -> Iterator[Row]:
    for relation in state.relations.values():
        if relation.kind == "table":
            yield {"schemaname": relation.schema, "tablename": relation.name}


def _columns(state: State) -> Iterator[Row]:
    for relation in state.relations.values():
        for column in relation.columns if relation.kind in ("table", "view", "foreign") else ():
            yield {"table_schema": relation.schema, "table_name": relation.name, "column_name": column.name}


def _constraints(state: State) -> Iterator[Row]:
    for item in state.objects.values():
        if isinstance(item, Constraint) and item.type != "exclude":
            yield {
                "table_schema": item.schema, "constraint_schema": item.schema, "constraint_name": item.name,
                "table_name": state.relations[item.relation].name, "constraint_type": item.type.upper(),
            }  # fmt: skip


def _indexes(state: State) -> Iterator[Row]:
    for item in state.objects.values():
        if has_index(item):
            yield {
                "schemaname": item.schema, "indexname": item.name, "tablename": state.relations[item.relation].name,
            }  # fmt: skip


_VIEWS = {
    ("information_schema", "tables"): _tables,
    ("information_schema", "columns"): _columns,
    ("information_schema", "table_constraints"): _constraints,
    ("pg_catalog", "pg_tables"): _pg_tables,
    ("pg_catalog", "pg_indexes"): _indexes,
}


def unrolled(text: Text, declared: Iterable[Node], variable: str, body: tuple[int, int], row: Row) -> Text | None:
    """A block that does what the loop does for one row: its values stand where the variable stood.

    None where the variable is used as a whole.
    """
    data, pieces, size = bytearray(), [], 0

    def add(value: bytes, start: int, end: int) -> None:
        nonlocal size
        pieces.append(Piece(size, size + len(value), text.span(start, end)))
        data.extend(value)
        size += len(value)

    def say(value: bytes) -> None:
        nonlocal size
        data.extend(value)
        size += len(value)

    for node in declared:
        add(text.data[node.start : node.end], node.start, node.end)
    say(b" BEGIN ")
    at = body[0]
    solid = words(text.data, *body)
    for index, token in enumerate(solid):
        if token.kind not in _NAMES or name_of(text.data[token.start : token.end]) != variable:
            continue
        if index and text.data[solid[index - 1].start : solid[index - 1].end] == b".":
            continue
        place = _value(text.data, solid, index, row)
        if place is None:
            return None
        value, end = place
        add(text.data[at : token.start], at, token.start)
        add(b"'" + value.replace("'", "''").encode() + b"'", token.start, end)
        at = end
    add(text.data[at : body[1]], at, body[1])
    say(b" END")
    site = text.span(*body)
    return Text(bytes(data), text.path, Fragment(bytes(data), tuple(pieces), site))


def _value(data: bytes, solid: tuple[Token, ...], index: int, row: Row) -> tuple[str, int] | None:
    """What stands for the variable, or for its field, and where that ends."""
    if "" in row:
        return row[""], solid[index].end
    following = solid[index + 1 : index + 3]
    if len(following) < 2 or data[following[0].start : following[0].end] != b"." or following[1].kind not in _NAMES:
        return None
    field = name_of(data[following[1].start : following[1].end])
    return (row[field], following[1].end) if field in row else None
