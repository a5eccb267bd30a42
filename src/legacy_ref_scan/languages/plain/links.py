"""Columns that one file lists and another, which speaks of the table, takes from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from posixpath import basename, dirname

from legacy_ref_scan.languages.plain.kinds import Kind, Weight
from legacy_ref_scan.languages.plain.spelling import Spelling, is_telling
from legacy_ref_scan.model import Mention, SourceFile

_LINKED = frozenset({"JavaScript", "Ruby", "PHP", "shell", "script", "make", "Perl", "Lua", "Elixir"})
_TAKES = rb"(?:\b(?:from|import|require(?:_relative|_once)?|include(?:_once)?|source|use)\b|^[ \t]*-?\.)[^\n]{0,160}?"
_IN_LIST = re.compile(rb"[\[(,{]\s*[\"'`:]?\Z|[%\w]?w[\[(][^\])]*\Z")


@dataclass(frozen=True)
class Links:
    """The candidate files of languages in which a file can take a list from another."""

    sources: Sequence[tuple[SourceFile, Kind]]
    spelling: Spelling
    is_code: Callable[[SourceFile, Kind], bool]

    @cached_property
    def _takers(self) -> tuple[tuple[SourceFile, Kind], ...]:
        """The files that speak of the table and take something from another."""
        table = re.compile(rb"\b" + self.spelling.folded_table + rb"\b")
        return tuple(
            (source, kind)
            for source, kind in self.sources
            if kind.name in _LINKED and table.search(source.data) and self.is_code(source, kind)
        )

    def taken_by(self, source: SourceFile, kind: Kind, mention: Mention) -> str:
        """The file about the table that takes what a file lists; "" for none, or where no column is listed."""
        if kind.name not in _LINKED or kind.weight in (Weight.INERT, Weight.GENERATED):
            return ""
        if not is_telling(mention.name) or not _is_listed(source.data, mention):
            return ""
        stem = basename(source.path).partition(".")[0]
        word = basename(dirname(source.path)) if stem in ("index", "mod", "__init__") else stem
        if len(word) < 2:
            return ""
        pattern = re.compile(_TAKES + rb"(?<![\w-])" + re.escape(word.encode()) + rb"(?![\w-])", re.MULTILINE)
        for other, of_kind in self._takers:
            if of_kind.name == kind.name and other.path != source.path and pattern.search(other.data):
                return other.path
        return ""


def _is_listed(data: bytes, mention: Mention) -> bool:
    """Whether a column's name stands in quotes among others, or is the value of a variable."""
    start, end = mention.span.start, mention.span.end
    if data[start:end] != mention.name.encode():
        return False
    before = data[max(0, start - 200) : start]
    if _IN_LIST.search(before) and data[end : end + 1] in (b'"', b"'", b"`", b",", b"]", b")", b" "):
        return not data[end : end + 8].lstrip(b"\"'` ").startswith((b":", b"=>"))
    return re.search(rb"=[ \t]*[\"'`]?\Z", before[-4:]) is not None
