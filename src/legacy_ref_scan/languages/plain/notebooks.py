"""Jupyter notebooks, cell by cell: Python as the Python language reads it, `%sql` as SQL, outputs as data.

The format: https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from legacy_ref_scan.languages import Project, extract
from legacy_ref_scan.languages.plain.jsontext import Joined, Text, Value, decoded, parse
from legacy_ref_scan.mentions import Names
from legacy_ref_scan.model import (
    Claim,
    Consumer,
    Explanation,
    Extracted,
    Fragment,
    Gap,
    Mention,
    Piece,
    Sink,
    SourceFile,
    Span,
)
from legacy_ref_scan.rules import Others

_CELL_MAGIC = re.compile(rb"\s*%%(\w+)[^\n]*(?:\n|\Z)")
_LINE_MAGIC = re.compile(rb"^([ \t]*)((?:[\w, \t]+=[ \t]*)?)(?:%(\w+)|(!))([^\n]*)$", re.MULTILINE)
_SQL_MAGICS = frozenset({b"sql", b"bigquery", b"postgres", b"psql", b"read_sql", b"jupysql"})
_TIMED = frozenset({b"time", b"timeit", b"prun", b"memit", b"mprun", b"lprun"})


def notebook(project: Project, source: SourceFile, mentions: Sequence[Mention]) -> Iterator[Extracted] | None:
    """What the cells of a notebook hold, an item for each mention; None where it is no notebook."""
    try:
        document = parse(source.data)
    except ValueError:
        return None
    found = list(_cells_of(document))
    return _items(project, source, mentions, document, found) if found else None


def _cells_of(document: Value) -> Iterator[dict[bytes, Value]]:
    if not isinstance(document, dict):
        return
    sheets = document.get(b"worksheets")  # before version 4
    holders = [document, *(sheets if isinstance(sheets, list) else [])]
    for holder in holders:
        listed = holder.get(b"cells") if isinstance(holder, dict) else None
        yield from (cell for cell in listed or () if isinstance(cell, dict)) if isinstance(listed, list) else ()


def _items(
    project: Project,
    source: SourceFile,
    mentions: Sequence[Mention],
    document: Value,
    found: Sequence[dict[bytes, Value]],
) -> Iterator[Extracted]:
    language = _language(source.data, document)
    python: list[tuple[bytes, Span | None]] = []
    covered: list[Span] = []
    for cell in found:
        if _said(source.data, cell.get(b"cell_type")) != b"code":
            continue
        parts = list(_parts(source, cell.get(b"source", cell.get(b"input"))))
        covered += [span for _, span in parts]
        text = _joined([*parts, (b"\n", None)])
        magic = _CELL_MAGIC.match(text.text)
        if language == b"sql" or (magic is not None and magic[1] in _SQL_MAGICS):
            yield _sql(source, text, magic.end() if magic else 0, len(text.text))
        elif magic is not None and magic[1] not in _TIMED:
            yield from _other(source, project.names, text)
        else:
            kept, asides = _without_magics(text)
            python += kept
            for start, end, is_sql in asides:
                if is_sql:
                    yield _sql(source, text, start, end)
                else:
                    yield from _other(source, project.names, text.part(start, end))
    if python:
        yield from _python(project, source, _joined(python), language)
    yield from _rest(mentions, covered)


def _language(data: bytes, document: Value) -> bytes:
    """What the kernel runs: python where nothing is said."""
    metadata = document.get(b"metadata") if isinstance(document, dict) else None
    for section, key in ((b"language_info", b"name"), (b"kernelspec", b"language")):
        about = metadata.get(section) if isinstance(metadata, dict) else None
        said = _said(data, about.get(key)) if isinstance(about, dict) else b""
        if said:
            return said.lower()
    return b"python"


def _said(data: bytes, value: Value) -> bytes:
    return data[value.start : value.end] if isinstance(value, Text) else b""


def _parts(source: SourceFile, value: Value) -> Iterator[tuple[bytes, Span]]:
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, Text):
            yield from decoded(source.data, source.path, text)


def _joined(parts: Sequence[tuple[bytes, Span | None]]) -> Joined:
    text = bytearray()
    pieces: list[Piece] = []
    for part, span in parts:
        if span is not None and part:
            pieces.append(Piece(len(text), len(text) + len(part), span))
        text += part
    return Joined(bytes(text), tuple(pieces))


def _sql(source: SourceFile, text: Joined, start: int, end: int) -> Fragment:
    part = text.part(start, end)
    about = (Consumer.SQL, (), source.test, "notebook-sql")
    return Fragment(part.text, part.pieces, text.span(Span(source.path, start, end)), "", *about)


def _other(source: SourceFile, names: Names, text: Joined) -> Iterator[Extracted]:
    """A cell in a language of its own: both names in it are a gap, one is listed."""
    places = list(names.places(text.text))
    roles = {role for _, _, _, role in places}
    for start, end, name, role in places:
        span = text.span(Span(source.path, start, end))
        if role == "column" and len(roles) > 1:
            message = f"{name} stands with its table in a cell that is not Python, and is not read as code"
            yield Gap(span, "both-names-nearby", message, test=source.test)
        else:
            yield Claim(span, Explanation.OTHER_FILE, "notebook cell")


def _without_magics(text: Joined) -> tuple[list[tuple[bytes, Span | None]], list[tuple[int, int, bool]]]:
    """(the parts of a cell as plain Python, the ranges that magics take and whether they are SQL)."""
    kept: list[tuple[bytes, Span | None]] = []
    asides: list[tuple[int, int, bool]] = []
    at = 0
    for match in _LINE_MAGIC.finditer(text.text):
        kept += _of(text, at, match.end(1) if not match[2] else match.end(2))
        if match[3] in _TIMED:
            at = match.end() - len(match[5].lstrip())
            continue
        at = match.end()
        kept.append((b"None", None))
        asides.append((*match.span(5), match[3] in _SQL_MAGICS))
    cell = _CELL_MAGIC.match(text.text, 0)
    if cell is not None and not asides and not kept:
        at = cell.end()
    return [*kept, *_of(text, at, len(text.text))], asides


def _of(text: Joined, start: int, end: int) -> Iterator[tuple[bytes, Span | None]]:
    at = start
    for piece in text.origins(start, end):
        if at < piece.start:
            yield text.text[at : piece.start], None
        yield text.text[piece.start : piece.end], piece.origin
        at = piece.end
    if at < end:
        yield text.text[at:end], None


def _python(project: Project, source: SourceFile, text: Joined, language: bytes) -> Iterator[Extracted]:
    if not language.startswith((b"python", b"ipython")):
        yield from _other(source, project.names, text)
        return
    program = SourceFile(source.path, text.text, "python", source.test)
    if project.names.find(program):
        for item in extract("python", _AsPython(project, program)):
            yield _moved(item, text, source.path)


@dataclass(frozen=True)
class _AsPython:
    """A project whose one Python candidate is a notebook's code."""

    project: Project
    program: SourceFile

    @property
    def names(self) -> Names:
        return self.project.names

    @property
    def others(self) -> Others:
        return self.project.others

    @property
    def sinks(self) -> Sequence[Sink]:
        return self.project.sinks

    def candidates(self, language: str) -> Sequence[SourceFile]:
        return [self.program] if language == "python" else []

    def paths(self, language: str) -> Sequence[str]:
        return self.project.paths(language)

    def read(self, path: str) -> SourceFile | None:
        return self.program if path == self.program.path else self.project.read(path)

    def containing(self, language: str, words: Collection[str]) -> Sequence[SourceFile]:
        return self.project.containing(language, words)


def _moved(item: Extracted, text: Joined, path: str) -> Extracted:
    """An item of the cells' program, at its place in the notebook."""

    def moved(span: Span) -> Span:
        return text.span(span) if span.path == path else span

    if not isinstance(item, Fragment):
        return replace(item, span=moved(item.span))
    pieces = tuple(made for piece in item.pieces for made in _moved_piece(piece, text, path))
    holes = tuple(replace(hole, origin=moved(hole.origin)) for hole in item.holes)
    return replace(item, pieces=pieces, site=moved(item.site), holes=holes)


def _moved_piece(piece: Piece, text: Joined, path: str) -> Iterator[Piece]:
    origin = piece.origin
    if origin.path != path:
        yield piece
    elif piece.end - piece.start != origin.end - origin.start:
        yield replace(piece, origin=text.span(origin))
    else:
        for part in text.origins(origin.start, origin.end):
            shift = piece.start - origin.start
            yield Piece(part.start + shift, part.end + shift, part.origin)


def _rest(mentions: Sequence[Mention], covered: Sequence[Span]) -> Iterator[Claim]:
    """Outputs, prose and metadata."""
    spans = sorted((span.start, span.end) for span in covered)
    index = 0
    for mention in mentions:
        while index < len(spans) and spans[index][1] <= mention.span.start:
            index += 1
        if index == len(spans) or mention.span.start < spans[index][0]:
            yield Claim(mention.span, Explanation.OTHER_FILE, "output or prose of a notebook")
