"""Literals that something may make a statement of: whole statements, and names of table and column.

`dblink`, `cron.schedule` or a table of queries keep a statement as a text; a function that formats, or a table of
names, makes one of the two names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from legacy_ref_scan.mentions import Names
from legacy_ref_scan.sql.dynamic import DynamicText, assemble
from legacy_ref_scan.sql.lexer import Kind, Token, name_of, string_value, words

Assigned = Mapping[str, Sequence[tuple[int, int]]]
NOTHING_ASSIGNED: Assigned = {}

_LITERALS = (Kind.STRING, Kind.DOLLAR)
_OPENING, _CLOSING = (b"(", b"["), (b")", b"]")
# What puts texts together: their arguments are parts of one text.
_MAKES_TEXT = frozenset({b"format", b"concat", b"concat_ws", b"quote_ident", b"quote_literal", b"quote_nullable"})
_COMPARES = frozenset({b"=", b"<>", b"!=", b"<", b">", b"<=", b">=", b"~", b"~*", b"!~", b"like", b"ilike", b"is"})
_JSON_ACCESS = frozenset({b"->", b"->>", b"#>", b"#>>", b"?", b"?|", b"?&", b"@>", b"<@", b"#-", b"-"})
_OF_ROWS = re.compile(rb"table_to_xml\w*")  # the table's name is enough: they take whole rows
_OF_SEQUENCES = re.compile(rb"nextval|currval|setval|pg_sequence_last_value")
_HARMLESS = re.compile(rb"jsonb?_(?:build_)?object(?:_agg)?|hstore|jsonb?_set|jsonb?_extract_path(?:_text)?|pg_notify")
# Words without anything but spaces between them are prose; names in a list, an array, a path or JSON are not.
_PROSE = re.compile(rb"\w\s+\w")
_NAME = re.compile(rb"[A-Za-z_\x80-\xff][\w$\x80-\xff]*")
_MAX_LITERAL = 2000  # bytes: what is longer is a document


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal, or a variable that holds one. `inside` are the starts of the parentheses around it, outermost first,
    `call` the name in front of the innermost. `compared`: it only is looked at."""

    token: Token
    values: tuple[bytes, ...]
    inside: tuple[int, ...]
    call: bytes
    compared: bool


def literals(text: bytes, start: int, end: int, assigned: Assigned) -> tuple[Literal, ...]:
    """The literals of an expression or a statement, and the variables that an assignment gives one."""
    solid = words(text, start, end)
    raws = [text[token.start : token.end] for token in solid]
    found: list[Literal] = []
    stack: list[tuple[int, bytes, bool]] = []
    for index, token in enumerate(solid):
        raw = raws[index]
        before = raws[index - 1].lower() if index else b""
        if raw in _OPENING:
            listed = before == b"in" or before in _COMPARES
            listed = listed or (before in (b"any", b"all", b"array") and _is_compared(raws, index - 1))
            called = solid[index - 1].kind in (Kind.WORD, Kind.QUOTED) if index else False
            name = b"" if raw == b"[" or not called else before
            inherits = not name or before in (b"in", b"any", b"all", b"array", b"row", b"values")
            stack.append((token.start, name, listed or (inherits and any(entry[2] for entry in stack[-1:]))))
        elif raw in _CLOSING:
            del stack[-1:]
        elif values := _values(text, token, assigned):
            groups = tuple(entry[0] for entry in stack)
            call = next((name for _, name, _ in reversed(stack) if name), b"")
            compared = any(entry[2] for entry in stack[-1:]) or _is_compared(raws, index)
            found.append(Literal(token, values, groups, call, compared))
    return tuple(found)


def _values(text: bytes, token: Token, assigned: Assigned) -> tuple[bytes, ...]:
    raw = text[token.start : token.end]
    if token.kind in _LITERALS:
        return (string_value(raw),)
    if token.kind not in (Kind.WORD, Kind.QUOTED):
        return ()
    ranges = assigned.get(name_of(raw), ())
    return tuple(
        string_value(text[inner.start : inner.end])
        for first, last in ranges
        for inner in words(text, first, last)
        if inner.kind in _LITERALS
    )


def _is_compared(raws: Sequence[bytes], index: int) -> bool:
    """Whether an operator beside a value compares it, or takes it for a key of a document."""
    sides = (*raws[max(index - 1, 0) : index], *raws[index + 1 : index + 2])
    return any(side.lower() in _COMPARES or side in _JSON_ACCESS or side.lower() == b"in" for side in sides)


# Names of table and column


def column_names(found: Sequence[Literal], names: Names, stores: bool) -> list[Token]:
    """The literals that name a column of a table whose name stands in another one of the same row or call.

    The table's may be compared: `WHEN t = 'x' THEN 'c'`. `stores`: so may the column's, for a statement that changes
    rows writes `SET c = 'x'` so.
    """
    rows = [item.token for item in found if _OF_ROWS.fullmatch(item.call) and _holds(item, names.tables)]
    taken = [item for item in found if not _HARMLESS.fullmatch(item.call)]
    tables = [item.inside for item in taken if _holds(item, names.tables | names.dependents)]
    columns = [i for i in taken if tables and (stores or not i.compared) and _holds(i, names.columns)]
    return rows + [item.token for item in columns if any(_together(item.inside, table) for table in tables)]


def sequence_names(found: Sequence[Literal], names: frozenset[str]) -> Iterator[tuple[Token, str]]:
    """The literals that name one of some sequences for a function that takes its values."""
    for item in found:
        last = {value.rpartition(b".")[2].strip(b'" ').decode("utf-8", "replace").lower() for value in item.values}
        for name in names:
            if _OF_SEQUENCES.fullmatch(item.call) and name.lower() in last:
                yield item.token, name


def named_together(text: bytes, names: Names) -> bool:
    """Whether literals of a text name the table and a column of it in one row or call."""
    if not names.matter(text):
        return False
    return bool(column_names(literals(text, 0, len(text), NOTHING_ASSIGNED), names, stores=False))


def _together(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether the parentheses around one are around the other too, as with `f('t', ARRAY['c'])`."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _holds(item: Literal, names: frozenset[str]) -> bool:
    return any(_names_one(value, names) for value in item.values)


def _names_one(value: bytes, names: frozenset[str]) -> bool:
    if len(value) > _MAX_LITERAL or _PROSE.search(value.strip()):
        return False
    wanted = {name.lower() for name in names}
    return any(word.group().decode("utf-8", "replace").lower() in wanted for word in _NAME.finditer(value))


# Statements


def made_texts(
    text: bytes, start: int, end: int, assigned: Assigned, wanted: Callable[[Token], bool]
) -> Iterator[tuple[DynamicText, bytes]]:
    """The texts that the wanted literals of an expression make with `||`, `format()` and their like, and the name of
    the function that each goes to."""
    line = _Line(text, words(text, start, end))
    done = start
    for index, token in enumerate(line.solid):
        if token.kind in _LITERALS and token.start >= done and wanted(token):
            first, last = line.around(index)
            done = line.solid[last].end
            opening = line.opening[first]
            call = line.raws[opening - 1].lower() if opening > 0 else b""
            for made in assemble(text, line.solid[first].start, done, assigned):
                yield made, call


class _Line:
    """Tokens with the parentheses around them, by their index."""

    def __init__(self, text: bytes, solid: Sequence[Token]) -> None:
        self.solid = solid
        self.raws = [text[token.start : token.end] for token in solid]
        self.opening: list[int] = []  # of each token the parenthesis around it; -1 for none
        self.partner: dict[int, int] = {}
        stack: list[int] = []
        for index, raw in enumerate(self.raws):
            if raw in _CLOSING and stack:
                self.partner[index] = stack[-1]
                self.partner[stack.pop()] = index
            self.opening.append(stack[-1] if stack else -1)
            if raw in _OPENING:
                stack.append(index)

    def around(self, index: int) -> tuple[int, int]:
        """The first and the last of the tokens that make one text with a literal."""
        first = last = index
        while True:
            before = first, last
            while first > 1 and self.raws[first - 1] == b"||":
                first = self.operand_start(first - 2)
            while last + 2 < len(self.raws) and self.raws[last + 1] == b"||":
                last = self.operand_end(last + 2)
            first, last = self.continued(first, last)
            opening = self.opening[first]
            if opening > 0 and self.raws[opening - 1].lower() in _MAKES_TEXT:
                first, last = opening - 1, self.partner.get(opening, len(self.raws) - 1)
            if (first, last) == before:
                return first, last

    def continued(self, first: int, last: int) -> tuple[int, int]:
        """A literal goes on in the next line with another one."""
        solid = self.solid
        while first and solid[first - 1].kind is Kind.STRING and solid[first].kind is Kind.STRING:
            first -= 1
        while last + 1 < len(solid) and solid[last + 1].kind is Kind.STRING and solid[last].kind is Kind.STRING:
            last += 1
        return first, last

    def operand_start(self, index: int) -> int:
        """Where the operand begins whose last token is at `index`."""
        opening = self.partner.get(index)
        if opening is None:
            return index
        return opening - 1 if opening and _NAME.fullmatch(self.raws[opening - 1]) else opening

    def operand_end(self, index: int) -> int:
        """Where the operand ends whose first token is at `index`."""
        if index + 1 < len(self.raws) and self.raws[index] not in _OPENING and self.raws[index + 1] in _OPENING:
            index += 1
        return self.partner.get(index, index)
