"""Signs that a column's name in unparsed code is the table's: `campaign_phases.error_message`, a query on the model,
an attribute of a row.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache, lru_cache

from legacy_ref_scan.languages.plain.kinds import Kind
from legacy_ref_scan.languages.plain.spelling import Spelling, is_telling
from legacy_ref_scan.model import Mention, SourceFile

REACH = 400  # bytes from a query's model to a column
_DYNAMIC = frozenset({"Ruby", "ERB", "Elixir", "PHP", "JavaScript", "Groovy", "Perl", "Lua", "template"})
_LONG_LINE = 4000
_COMPILED = frozenset({"Java", "Kotlin", "Scala", "C#", "Rust", "Swift", "Haskell", "Dart", "C", "JavaScript"})
_STRING = re.compile(rb"""\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\\n]|\\.)*`""")
_IN_EXPRESSION = re.compile(rb"\$\{[^}`]*\Z")
_QUOTE = rb"[\"'`\]\[]*"
# A text for people, looked up by its name.
_LOOKED_UP = re.compile(rb"(?:\b(?:t|I18n\.t|translate|__|trans|i18n|gettext)|\$t)[ \t(]*[\"'][\w.]*\Z")
# What ends the statement that a query's model stands in.
_BREAK = re.compile(
    rb"\n[ \t]*\r?\n|\n[ \t]*(?:end|def|fn|func|function|public|private|class|module|do|else)\b|;[ \t]*\r?\n|\n[ \t]*\}"
)


@cache
def _qualified(spelling: Spelling) -> re.Pattern[bytes]:
    """The table, then whatever joins it to its column: `.`, `::`, `"a"."b"`, `:a, :b`."""
    joints = [_QUOTE + rb"(?:\.|::)" + _QUOTE, _QUOTE + rb",[ \t]*[:\"'`]"]
    if spelling.telling:  # `users/name` is a path, `users, name` two variables
        joints.append(_QUOTE + rb"[/:,][ \t]*" + _QUOTE)
    return re.compile(rb"(?<![\w-])" + spelling.folded_table + rb"(?:" + b"|".join(joints) + rb")\Z")


@cache
def _query(spelling: Spelling) -> re.Pattern[bytes]:
    """A model that something is asked of, or that is handed to what asks."""
    verbs = rb"(?:from|in|join|on|Repository|repository|model|query|select|Query|get|find|insert|update|of|new|count)"
    calls = rb"(?:find|create|update|delete|upsert|count|aggregate|groupBy|query|insert|select|where)\w*"
    model = spelling.model + rb"(?:Entity|Model|s|Record)?"
    return re.compile(
        rb"\b" + model + rb"(?:\.|::|->)(?!class\b)\w+"
        rb"|\b" + verbs + rb"[ \t]*[(<\[]?[ \t]*\w{0,2}[ \t]*" + model + rb"\b(?![\w.:]*\()"
        rb"|\." + spelling.instance + rb"\.\s*" + calls + rb"\s*\("
        rb"|[:\"']" + spelling.instance + rb"[\"']?\)?\.permit\("
    )


@cache
def _attribute(spelling: Spelling) -> re.Pattern[bytes]:
    """A row, then what takes an attribute of it."""
    joint = rb"(?:&?\.|->|\?\.|\?->|!\.|\[[ \t]*[:\"']{0,2})"
    return re.compile(rb"(?<![\w.\"'])(?:[@$]|[a-z]+_)?" + spelling.instance + joint + rb"\Z")


def is_bare(source: SourceFile, kind: Kind, mention: Mention) -> bool:
    """Whether an everyday word is an identifier of a language whose compiler ties it to what it belongs to.

    There a model declares the column, and the rest breaks when that declaration goes; only texts escape the compiler.
    """
    if kind.name not in _COMPILED or is_telling(mention.name):
        return False
    start, end = mention.span.start, mention.span.end
    path = source.data[start - 2 : start] == b"::" or source.data[start:end].isupper()  # Diesel, jOOQ
    return not path and not _is_quoted(source, kind, start, end)


def _is_quoted(source: SourceFile, kind: Kind, start: int, end: int) -> bool:
    data = source.data
    if kind.name == "JavaScript" and _IN_EXPRESSION.search(data, max(0, start - REACH), start):
        return False
    line, stop = data.rfind(b"\n", 0, start) + 1, data.find(b"\n", end)
    if (stop if stop >= 0 else len(data)) - line > _LONG_LINE:
        return True  # nobody writes such a line by hand, and to look through it again and again would take long
    for match in _STRING.finditer(data, line, stop if stop >= 0 else len(data)):
        if match.start() < start and end < match.end():
            return True
    quotes = _long_quotes(source, b"`" if kind.name == "JavaScript" else b'"""')
    return bisect_right(quotes, start) % 2 == 1


@lru_cache(maxsize=4)
def _long_quotes(source: SourceFile, quote: bytes) -> list[int]:
    """Where the quotes stand that may hold several lines."""
    return [match.start() for match in re.finditer(re.escape(quote), source.data)]


def sign(source: SourceFile, kind: Kind, mention: Mention, spelling: Spelling) -> tuple[str, str] | None:
    """(reason, message) of a gap where a column's name is tied to the table; None where nothing says so."""
    data, start, end = source.data, mention.span.start, mention.span.end
    before = data[max(0, start - REACH) : start]
    if is_qualified(data, start, end, spelling):
        return "qualified-name", f"{mention.name} stands behind the name of its table"
    if kind.name in _DYNAMIC and _attribute(spelling).search(before[-80:]):
        return "row-attribute", f"an attribute of what is called like a row of the table: {mention.name}"
    asked = [match.end() for match in _query(spelling).finditer(before)]
    if asked and not _BREAK.search(before, asked[-1]):
        return "model-query", f"{mention.name} stands in what is asked of the model of its table"
    return None


def is_qualified(data: bytes, start: int, end: int, spelling: Spelling) -> bool:
    """Whether the table's name stands right in front of the column's."""
    before = data[max(0, start - 90) : start]
    match = _qualified(spelling).search(before)
    if match is None or re.match(rb"[\"'`]?\.\w|-\w", data[end : end + 3]):
        return False
    return _LOOKED_UP.search(before[: match.start()]) is None
