"""Where a YAML, TOML or JSON document says that it is about the table: the mapping that holds `table: campaign_phases`.

Metadata of Hasura, Metabase, Superset, dbt, Debezium and the like name a table in one scalar and its columns in others.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache

from legacy_ref_scan.languages.plain.kinds import Kind
from legacy_ref_scan.languages.plain.spelling import Spelling
from legacy_ref_scan.model import SourceFile

_LINES_ABOVE = 20  # between `name: campaign_phases` and the `table:` that it belongs to
_LARGEST = 2 << 20  # bytes of JSON that are read bracket by bracket
_TELLING = rb"\w*(?:[tT]able|TABLE|relation|model|dataset|entity|stream|collection|view|from|objs)(?:_?[nN]ame|_NAME)?"
_LISTING = rb"table\.(?:include\.list|whitelist)"  # of Debezium and Kafka Connect: the value names several
_WEAK = rb"(?:name|id|identifier|source|alias|object)"
_COLUMNS = re.compile(rb"(?i)\b\w*(?:column|field|attribute|propert|dimension|permission|filter)\w*[\"']?\s*:")
_TABLE_KEY = re.compile(rb"(?i)[\"']?\w*(?:table|relation|dataset|model|entity|view)s?(?:_?name)?[\"']?\s*:?")


def scopes(source: SourceFile, kind: Kind, spelling: Spelling) -> list[tuple[int, int]]:
    """(start, end) of the mappings that name one of the tables as what they are about; in order, none in another."""
    found: list[tuple[int, int]] = []
    if kind.name == "YAML":
        found = sorted(_of_yaml(source.data, spelling))
    elif kind.name == "TOML":
        found = list(_of_toml(source.data, spelling))
    elif kind.name == "JSON" and len(source.data) <= _LARGEST:
        found = sorted(_of_json(source.data, spelling))
    apart: list[tuple[int, int]] = []
    for start, end in found:
        if not apart or end > apart[-1][1]:
            apart.append((start, end))
    return apart


def in_one(where: Sequence[tuple[int, int]], offset: int) -> bool:
    """Whether a byte stands in one of the scopes."""
    index = bisect_right(where, (offset, 1 << 62)) - 1
    return index >= 0 and where[index][0] <= offset < where[index][1]


def is_named(data: bytes, start: int, end: int, plain: bool) -> bool:
    """Whether a column's name in a scope stands for the column: as a value, as a key that is no everyday word, or as
    one right below a key that speaks of columns."""
    after = data[end : end + 8].lstrip(b"\\\"' \t")
    return not (plain and after[:1] in (b":", b"=")) or _is_below_columns(data, start, end)


_KEYED = re.compile(
    rb"(?i)(?:^|[\s\"'])(?:\w*columns?|column_config|fields?|filter|check|set|presets?|where)[\"']?[ \t]*:[ \t]*"
    rb"(?:\{\s*[\"']?|\#[^\n]*|-[ \t]*)?\Z"
)


def _is_below_columns(data: bytes, start: int, end: int) -> bool:
    line = data.rfind(b"\n", 0, start) + 1
    if data[end : end + 8].lstrip(b"\"' \t")[:1] == b"=":
        return True  # of TOML, where only sections of columns count
    if data[line:start].strip(b" \t-\"'"):
        return _KEYED.search(data, max(0, start - 60), start) is not None  # `"columns": {"title": …`
    parent = _parent(data, line, _depth(data, line) or 0)
    if parent is None:
        return False
    stop = data.find(b"\n", parent[0])
    return _KEYED.search(data[parent[0] - 1 : stop].rstrip()) is not None


# YAML

_INDENT = re.compile(rb"[ \t]*(?:-[ \t]+)*")


@cache
def _yaml_keys(spelling: Spelling) -> re.Pattern[bytes]:
    return re.compile(
        rb"^(?P<indent>[ \t]*(?:-[ \t]+)*)(?:[\"']?(?:(?P<telling>" + _TELLING + rb")|(?P<weak>" + _WEAK + rb"))[\"']?"
        rb"[ \t]*:[ \t]*(?:[\"']?(?:\w+\.){0,2}|(?:source|ref)\((?:[^()\n]*,)?[ \t]*[\"'])"
        + spelling.table
        + rb"[\"')]*[ \t]*(?:\#.*)?\r?$"
        rb"|(?P<flow>"
        + _TELLING
        + rb")[ \t]*:[ \t]*\{[^{}\n]*\bname[ \t]*:[ \t]*[\"']?"
        + spelling.table
        + rb"\b[^{}\n]*\}"
        rb"|(?P<listing>" + _LISTING + rb")[ \t]*:[^\n]*\b" + spelling.table + rb"\b"
        rb"|[\"']?" + spelling.table + rb"[\"']?[ \t]*:[ \t]*\r?(?P<key>$))",
        re.MULTILINE,
    )


def _of_yaml(data: bytes, spelling: Spelling) -> Iterator[tuple[int, int]]:
    reached = 0
    for match in _yaml_keys(spelling).finditer(data):
        if match.start() < reached:
            continue  # in a mapping that counts already
        depth = len(match["indent"])
        if match["key"] is not None:
            if (below := _of_key(data, match.start(), depth)) is not None:
                reached = below[1]
                yield below
            continue
        telling = match["weak"] is None
        parent = _parent(data, match.start(), depth)
        if not telling and parent is not None and _TABLE_KEY.match(data, parent[0]) and not _is_item(match["indent"]):
            depth, telling = parent[1], True
        start, end = _mapping(data, match.start(), depth)
        if telling or _COLUMNS.search(data, start, end):
            reached = end
            yield start, end


_TABLES = re.compile(rb"(?i)[\"']?tables[\"']?[ \t]*:")


def _of_key(data: bytes, line: int, depth: int) -> tuple[int, int] | None:
    """The lines below `campaign_phases:` in a mapping or a list of tables, where they speak of columns."""
    parent = _parent(data, line, depth)
    if parent is None or _TABLES.match(data, parent[0]) is None:
        return None
    first = data.find(b"\n", line) + 1
    end = first
    while 0 < end < len(data) and ((found := _depth(data, end)) is None or found > depth):
        newline = data.find(b"\n", end)
        end = newline + 1 if newline >= 0 else len(data)
    return (first, end) if _COLUMNS.search(data, first, end) else None


def _is_item(indent: bytes) -> bool:
    return b"-" in indent


def _depth(data: bytes, line: int) -> int | None:
    """The column at which a line's text begins, a list's dash counted as white space; None for an empty line."""
    match = _INDENT.match(data, line)
    end = match.end() if match else line
    return None if data[end : end + 1] in (b"", b"\n", b"\r", b"#") else end - line


def _parent(data: bytes, line: int, depth: int) -> tuple[int, int] | None:
    """(offset of its text, depth) of the key that a line is below of."""
    at = line
    for _ in range(_LINES_ABOVE):
        if at <= 0:
            return None
        at = data.rfind(b"\n", 0, at - 1) + 1
        found = _depth(data, at)
        if found is not None and found < depth:
            return at + found, found
    return None


def _mapping(data: bytes, line: int, depth: int) -> tuple[int, int]:
    """The lines around one that belong to the mapping whose keys stand at a depth."""
    start = line
    while start > 0 and not _begins(data, start, depth):
        above = data.rfind(b"\n", 0, start - 1) + 1
        found = _depth(data, above)
        if (found is not None and found < depth) or data.startswith(b"---", above):
            break
        start = above
    end = line
    while True:
        newline = data.find(b"\n", end)
        if newline < 0:
            return start, len(data)
        end = newline + 1
        found = _depth(data, end)
        if data.startswith(b"---", end) or (found is not None and (found < depth or _begins(data, end, depth))):
            return start, end


def _begins(data: bytes, line: int, depth: int) -> bool:
    """Whether a line begins the next item of a list whose items' keys stand at a depth."""
    match = _INDENT.match(data, line)
    return match is not None and b"-" in match[0] and match[0].index(b"-") < depth <= len(match[0])


# TOML

_SECTION = re.compile(rb"^[ \t]*\[\[?([^\]\n]+)\]", re.MULTILINE)
_OF_COLUMNS = re.compile(rb"(?i)columns?|fields?|attributes|filters?")


def _of_toml(data: bytes, spelling: Spelling) -> Iterator[tuple[int, int]]:
    """The lines of `[campaign_phases.columns]`."""
    heads = list(_SECTION.finditer(data))
    for index, head in enumerate(heads):
        parts = [part.strip(b" \t\"'") for part in head[1].split(b".")]
        if any(map(spelling.is_table, parts)) and any(map(_OF_COLUMNS.fullmatch, parts)):
            yield head.end(), heads[index + 1].start() if index + 1 < len(heads) else len(data)


# JSON

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}]', re.DOTALL)


@cache
def _json_keys(spelling: Spelling) -> re.Pattern[bytes]:
    return re.compile(
        rb"\"(?:(?P<telling>" + _TELLING + rb")|" + _WEAK + rb")\"\s*:\s*\"(?:\w+\.){0,2}" + spelling.table + rb"\""
        rb"|\"(?P<listing>" + _LISTING + rb")\"\s*:\s*\"[^\"]*\b" + spelling.table + rb"\b"
    )


def _of_json(data: bytes, spelling: Spelling) -> Iterator[tuple[int, int]]:
    keys = {match.start(): bool(match["telling"] or match["listing"]) for match in _json_keys(spelling).finditer(data)}
    if not keys:
        return
    opened: list[tuple[int, bytes]] = []  # (offset, the key before it)
    wanted: dict[int, bool] = {}  # by the offset of the object's brace: whether it surely names a table
    last = b""
    for token in _TOKEN.finditer(data):
        if token[0] == b"{":
            opened.append((token.start(), last))
            last = b""
        elif token[0] == b"}":
            begin, _ = opened.pop() if opened else (0, b"")
            telling = wanted.pop(begin, None)
            if telling or (telling is not None and _COLUMNS.search(data, begin, token.end())):
                yield begin, token.end()
        else:
            last = token[0]
            telling = keys.get(token.start())
            if telling is not None and opened:
                inner = not telling and len(opened) > 1 and _TABLE_KEY.fullmatch(opened[-1][1])
                begin = opened[-2][0] if inner else opened[-1][0]
                wanted[begin] = wanted.get(begin, False) or telling or bool(inner)
