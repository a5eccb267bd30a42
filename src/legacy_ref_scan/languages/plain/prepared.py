"""Prepared rows: a table of data that is called like the table (`seeds/users.csv`, `test/fixtures/users.yml`).

What loads such a file names the columns by its header or its keys, and fails when one of them is gone: Rails' fixtures
and COPY do. What else stands in it are values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from posixpath import basename

from legacy_ref_scan.languages.plain.kinds import Kind
from legacy_ref_scan.languages.plain.spelling import Spelling
from legacy_ref_scan.model import Gap, Mention, SourceFile

_SHEETS = (".csv", ".tsv")
_DOCUMENTS = (".yml", ".yaml", ".json", ".json5", ".jsonl", ".ndjson")
_FOLDER = re.compile(
    r"(?:^|/)(?:__)?(?:seeds?|seeders?|seed[-_]data|fixtures?|samples?|sample[-_]data|demo|testdata)(?:__)?/", re.I
)
_NUMBER = re.compile(rb"^\d+[-_.]*")
_LINES = 20  # in which a header stands, comments before it
_REACH = 4000  # bytes from the model of an object to its last key
_DJANGO = re.compile(rb"[\"']?\bmodel[\"']?\s*:\s*[\"']?[\w.]+\.(\w+)[\"']?")


def prepared(source: SourceFile, kind: Kind, mentions: Sequence[Mention], spelling: Spelling) -> Iterator[Gap]:
    """A gap for each column that a file of rows of the table names."""
    if source.path.endswith(_SHEETS):
        rows = _is_called_like(source.path, spelling) and kind.name == "data"
        found = [mention for mention in mentions if rows and _in_header(source.data, mention)]
    elif source.path.endswith(_DOCUMENTS) and kind.name in ("fixture", "YAML", "JSON"):
        rows = _is_called_like(source.path, spelling) and _FOLDER.search(source.path) is not None
        found = [
            mention
            for mention in mentions
            if _is_key(source.data, mention) and (rows or _of_django(source, mention, spelling))
        ]
    else:
        found = []
    for mention in found[:1]:
        message = f"{mention.name} is a column of prepared rows that are called like the table: loading them would fail"
        yield Gap(mention.span, "prepared-rows", message, test=source.test)


def _is_called_like(path: str, spelling: Spelling) -> bool:
    """users.csv, 01_users.csv, public.users.csv."""
    stem = basename(path).rpartition(".")[0].encode()
    return spelling.is_table(stem) or spelling.is_table(_NUMBER.sub(b"", stem))


def _in_header(data: bytes, mention: Mention) -> bool:
    """Whether a column stands in the first line that is no comment."""
    if mention.role != "column":
        return False
    line = 0
    for _ in range(_LINES):
        end = data.find(b"\n", line)
        end = len(data) if end < 0 else end
        if data[line:end].strip() and not data.startswith(b"#", line):
            return line <= mention.span.start < end
        line = end + 1
    return False


def _is_key(data: bytes, mention: Mention) -> bool:
    start, end = mention.span.start, mention.span.end
    exact = mention.role == "column" and data[start:end] == mention.name.encode("utf-8", "surrogateescape")
    return exact and re.match(rb"[\"']?\s*:", data[end : end + 8]) is not None


def _of_django(source: SourceFile, mention: Mention, spelling: Spelling) -> bool:
    """Whether an object of a fixture of Django is of the table's model: `"model": "accounts.user"`."""
    if _FOLDER.search(source.path) is None:
        return False
    start = mention.span.start
    above = list(_DJANGO.finditer(source.data, max(0, start - _REACH), start))
    return bool(above) and _row(spelling).fullmatch(above[-1][1]) is not None


@cache
def _row(spelling: Spelling) -> re.Pattern[bytes]:
    return re.compile(rb"(?i:" + spelling.instance + rb")")
