"""Text that may be SQL, or a part of it, or none: statements by their shape, parts by trying them, names by context."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from legacy_ref_scan.mentions import Names
from legacy_ref_scan.model import HOLE, OUTSIDE, Claim, Consumer, Explanation, Fragment
from legacy_ref_scan.schema import Catalog
from legacy_ref_scan.sql.lexer import Kind, name_of, words
from legacy_ref_scan.sql.tree import TooComplexError, Tree, is_prose, parse_whole
from legacy_ref_scan.sql.watch import Watch, Watched

LOOSE = "loose-name"
# A statement by its shape: prose seldom has the second word in the right place.
_SHAPES = re.compile(
    rb"""^[\s(]*(?:/\*.*?\*/\s*|--[^\n]*\n\s*)*
    (?:(?:set|reset|begin|start|savepoint|lock|create|drop|alter|notify|discard|load|select\s+(?:pg_catalog\.)?set_config)
      \b[^;]*;\s*)*[\s(]*(?:
      select\b .* \bfrom\b
    | select\s+ [^\s]
    | insert\s+into\b
    | update\s+ (?:only\s+)? [^\s]+ (?:\s+ (?:as\s+)? [^\s]+)? \s+ set\b
    | delete\s+from\b
    | with\s+ (?:recursive\s+)? [^\s(]+ \s* (?:\([^)]*\)\s*)? as\b
    | merge\s+into\b
    | \\?copy\s+ [^\s]+ .* \b(?:from|to)\b
    | (?:create|drop|alter)\s+ (?:or\s+replace\s+)?(?:unique\s+|temp\s+|temporary\s+|materialized\s+|unlogged\s+)*
      (?:table|view|index|trigger|function|procedure|policy|rule|type|sequence|schema|publication|statistics|domain)\b
    | truncate\s | comment\s+on\b | grant\s .* \bon\b | revoke\s .* \bon\b | lock\s+table\b | refresh\s+materialized\b
    | explain\s .* \b(?:select|insert|update|delete)\b | prepare\s .* \bas\b | declare\s .* \bcursor\b
    | do\s+\$ | table\s+[^\s]+\s*;?\s*$ | values\s*\(
    )""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_SELECT_WITHOUT_FROM = re.compile(rb"^[\s(]*select\b(?!.*\bfrom\b)", re.IGNORECASE | re.DOTALL)
# Words that a part of a statement may hold besides names.
_SQL_WORDS = frozenset(
    [
        "and",
        "or",
        "not",
        "is",
        "null",
        "as",
        "asc",
        "desc",
        "nulls",
        "first",
        "last",
        "in",
        "like",
        "ilike",
        "between",
        "exists",
        "on",
        "using",
        "where",
        "order",
        "by",
        "group",
        "having",
        "limit",
        "offset",
        "returning",
        "set",
        "from",
        "join",
        "left",
        "right",
        "inner",
        "outer",
        "full",
        "cross",
        "natural",
        "lateral",
        "union",
        "all",
        "distinct",
        "case",
        "when",
        "then",
        "else",
        "end",
        "true",
        "false",
        "default",
        "values",
        "excluded",
        "conflict",
        "do",
        "nothing",
        "update",
        "insert",
        "into",
        "select",
        "delete",
        "any",
    ]
)
# What a part of a statement needs in front to be one, by its first word; `__part__` is a table that is not known.
_CLAUSE_PREFIXES = {
    **dict.fromkeys(("select", "with", "insert", "update", "delete", "call"), (b"",)),
    "from": (b"SELECT 1 ",),
    "set": (b"UPDATE __part__ ",),
    "values": (b"INSERT INTO __part__ ",),
    "on": (b"SELECT 1 FROM __part__ JOIN __part__ ", b"INSERT INTO __part__ VALUES (1) "),
    "returning": (b"DELETE FROM __part__ ",),
    **dict.fromkeys(
        (
            "where",
            "order",
            "group",
            "having",
            "limit",
            "offset",
            "join",
            "left",
            "right",
            "inner",
            "full",
            "cross",
            "natural",
        ),
        (b"SELECT 1 FROM __part__ ",),
    ),
    **dict.fromkeys(("union", "intersect", "except"), (b"SELECT 1 ",)),
    **dict.fromkeys(("and", "or"), (b"SELECT 1 FROM __part__ WHERE true ",)),
}
_OTHER_PREFIXES = (b"SELECT ", b"SELECT 1 FROM __part__ ORDER BY ", b"UPDATE __part__ SET ", b"INSERT INTO __part__ ")
_TABLE_PREFIXES = (b"SELECT 1 FROM ", b"SELECT 1 FROM __part__ JOIN ")
_ONE_NAME = re.compile(rb'^[\s`"]*(?:[A-Za-z_][\w$]*["`]?\s*\.\s*["`]?){0,2}[A-Za-z_][\w$]*["`\s]*$')
_SQL_SIGNS = re.compile(rb"[,=<>()*]|\.[A-Za-z_]|::|\$\d")
# A path, a route (with its method), or words with hyphens: none is a division or a difference.
_PATH = re.compile(
    rb"^[\w./*%@~:+\x1a-]*[\w\x1a][/-](?!>)[\w./*%@~:+\x1a-]*$"
    rb"|^(?:(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE) +)?/[^\s()]*$"
)
# JSON, markup, a comment of another language: no part of a statement begins so, and such texts can be long.
_DATA = re.compile(rb'\s*(?:\{\s*"|\[\s*[{"]|<[!/A-Za-z]|//)')
_NAME_BYTE = re.compile(rb"[A-Za-z0-9_]")
_ROW = 3  # keys: fewer are a row of this or that table by chance
_TABLES = frozenset(("table", "partitioned table", "foreign table"))
_ENDS_OF_WORDS = re.compile(rb"[^\w.\"\x1a]")
_VERBS = re.compile(rb"^(?:%(?:\[\d+\])?[svq])+(?=\w)")
_DOTTED = re.compile(rb"^[\x1a ]*\w+(?:\.\w+)+[\x1a ]*$")
_PROSE_SIGNS = re.compile(rb"[:;!?]\s|[:!?]$|\.\s|\.$|'[a-z] |%w|^/|https?:|[{}\[\]\\#]")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a statement that could be read. `surely` says that it is SQL beyond doubt."""

    tree: Tree
    surely: bool
    consume: bool = True


Judgement = Part | tuple[Explanation, str, str]
"""A part to resolve, or (explanation, reason, message) for all the mentions of the text."""


def is_statement(text: bytes, strict: bool = False) -> bool:
    """Whether a text is a SQL statement by its shape; `strict` asks for a query with its FROM."""
    head = text[:20000]
    if not _SHAPES.match(head):
        return False
    if _SELECT_WITHOUT_FROM.match(text):
        return not strict and HOLE in text
    return True


def grown_names(fragment: Fragment, names: Names) -> Iterator[Claim]:
    """Names in the pieces of a text that are a part of a longer name where the pieces meet: `status` + `_code`."""
    for piece in fragment.pieces if len(fragment.pieces) > 1 else ():
        before = _NAME_BYTE.match(fragment.text, piece.start - 1) is not None and piece.start > 0
        after = _NAME_BYTE.match(fragment.text, piece.end) is not None
        raw = fragment.text[piece.start : piece.end] if before or after else b""
        for start, end, _, _ in names.places(raw):
            if (before and start == 0) or (after and end == len(raw)):
                span = fragment.origin(piece.start + start, piece.start + end)
                yield Claim(span, Explanation.IDENTIFIER, "a part of a longer name")


def may_be_row(fragment: Fragment, catalog: Catalog, watch: Watch) -> bool:
    """Whether the dict that a text is a key of can be a row over the target: each of its keys is a column then."""
    relations = [catalog.relations[oid] for oid, _ in watch.columns if fragment.beside]
    return not fragment.beside or any(all(one.column(key) for key in fragment.beside) for one in relations)


def column_of_row(fragment: Fragment, catalog: Catalog, watch: Watch) -> Watched | None:
    """The column that a key of a map in Go writes: each key is a column of its table, and of no other one."""
    names = (*fragment.beside, name_of(fragment.text))
    if len(names) < _ROW or not fragment.kind.startswith("go-"):
        return None
    having = [one for one in catalog.relations.values() if one.kind in _TABLES and all(map(one.column, names))]
    column = having[0].column(names[-1]) if len(having) == 1 else None
    return watch.columns.get((having[0].oid, column.attnum)) if column is not None else None


def judge(fragment: Fragment, names: Names, near: bool) -> Judgement:
    """What a text that is no statement is. `near`: its folder speaks of the table."""
    text = fragment.text
    column = names.in_text(text, "column")
    if _ONE_NAME.match(_VERBS.sub(b"", text)) or _last_name(text) in names.columns:
        return _one_name(fragment, names, near, column)
    if (_PROSE_SIGNS.search(text) and not _SQL_SIGNS.search(text)) or _PATH.match(text) or _DOTTED.match(text):
        return (Explanation.TEXT, "", "prose")
    part = None if _DATA.match(text) else read_part(text, names)
    if part is not None:
        return part
    if not column:
        return (Explanation.TEXT, "", "a text that names the table")
    if fragment.consumer is Consumer.SQL or (near and fragment.consumer is Consumer.BUILDER and _looks_like_sql(text)):
        message = "a text that could be part of a statement, and could not be read as one"
        return (Explanation.GAP, "unreadable-fragment", message)
    return (Explanation.TEXT, "", "a text that is no SQL")


def _of_something_else(text: bytes, names: Names) -> bool:
    """`org.example.image.title`: before a column with two qualifiers or more stands the table, for that is no alias."""
    parts = text.strip().split(b".")
    return len(parts) > 2 and HOLE not in text and not _names_table(parts[-2], names)


def _one_name(fragment: Fragment, names: Names, near: bool, column: bool) -> Judgement:
    exact = _last_name(fragment.text) in names.columns
    if fragment.consumer is Consumer.BUILDER:
        if column and near:
            message = "the column's name goes to a query builder whose table is not known here"
            return (Explanation.GAP, "builder-column", message)
        return (Explanation.TABLE if not column else Explanation.TEXT, "", "a name in a query builder")
    if not column:
        return (Explanation.TABLE, "", "the table's name alone")
    if _of_something_else(fragment.text, names):
        return (Explanation.TEXT, "", "a name with dots, of something else")
    if exact and near and _goes_somewhere(fragment.note):
        return (Explanation.GAP, LOOSE, f"the column's name alone, {fragment.note}: where it goes is not known")
    return (Explanation.TEXT, "", fragment.note or "a name alone")


# Uses of a lone name that only look at it, or that nobody makes.
_HARMLESS = (
    "map index",
    "comparison",
    "switch case",
    "subscript",
    "never used",
    "argument of len",
    "named argument",
    "argument of sql.Named",
)
# What a format makes is followed by itself.
_FORMATS = re.compile(r"^argument of (?:[\w.]+\.)?Sprintf$")
_READS_A_REQUEST = re.compile(
    r"\.(?:Query\(\)\.Get|FormValue|PathValue|Header\(?\)?\.Get|Getenv|LookupEnv|QueryParam|Get(?:String|Strings|Int|Int64|Bool))$"
)


def _last_name(text: bytes) -> str:
    """The last name of a text without spaces that may be a column behind an unknown qualifier; empty for others."""
    word = _VERBS.sub(b"", text.strip(b" " + HOLE))
    return name_of(word.rsplit(b".", 1)[-1]) if not _ENDS_OF_WORDS.search(word) else ""


def is_harmless(note: str) -> bool:
    """Whether the use that a note describes can't make a part of a statement of a text: it only looks at it."""
    return note in ("comparison", "switch case") or note.startswith(("argument of len", "map index"))


def _goes_somewhere(note: str) -> bool:
    if _FORMATS.search(note):
        return False
    return not (note.startswith(_HARMLESS) or note.endswith(OUTSIDE) or _READS_A_REQUEST.search(note))


def read_part(text: bytes, names: Names) -> Part | None:
    """Read a text as a part of a statement: a list of columns, a condition, a clause."""
    if is_prose(text):
        return None
    solid = words(text)
    plain = [text[t.start : t.end].lower().decode("utf-8", "replace") for t in solid if t.kind is Kind.WORD]
    signs = any(t.kind in (Kind.OTHER, Kind.PARAMETER) for t in solid)
    if not signs and not all(word in _SQL_WORDS or names.in_text(word.encode()) for word in plain):
        return None  # three words of prose would read as a column and its alias
    first = plain[0] if plain else ""
    tables = _TABLE_PREFIXES if solid and _names_table(text[solid[0].start : solid[0].end], names) else ()
    try:
        tree = parse_whole(text, (*tables, *_CLAUSE_PREFIXES.get(first, _OTHER_PREFIXES)))
    except TooComplexError:
        return None
    return Part(tree, surely=_sure(text, plain), consume=False) if tree is not None else None


def _names_table(word: bytes, names: Names) -> bool:
    return names.in_text(word, "table") or names.in_text(word, "dependent")


def _sure(text: bytes, plain: list[str]) -> bool:
    return bool({"where", "from", "join", "order", "group", "set", "returning", "select"} & set(plain)) or b"::" in text


def _looks_like_sql(text: bytes) -> bool:
    plain = {text[t.start : t.end].lower().decode("utf-8", "replace") for t in words(text) if t.kind is Kind.WORD}
    return len(plain & _SQL_WORDS) >= 2 and bool(_SQL_SIGNS.search(text))
