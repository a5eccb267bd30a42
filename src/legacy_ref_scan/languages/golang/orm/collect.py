"""Mappings of a whole scan: the models in the candidate files, in files that make up their table's name, and rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from posixpath import dirname

from legacy_ref_scan.languages.golang.engine import Engine, enclosing
from legacy_ref_scan.languages.golang.orm.destinations import MODEL_LIBRARIES
from legacy_ref_scan.languages.golang.orm.models import Models
from legacy_ref_scan.languages.golang.packages import Declaration, GoFile
from legacy_ref_scan.languages.golang.types import struct_fields
from legacy_ref_scan.model import Access, Gap, Mapping, Span

_METHOD = re.compile(rb"\)\s*TableName\([^)]*\)\s*string\b")
_PLAIN_METHOD = re.compile(rb'\)\s*TableName\([^)]*\)\s*string\s*\{\s*return\s+(?:"[^"]*"|`[^`]*`)\s*\}')


def mapped_fields(engine: Engine, files: Iterable[GoFile], tags: Iterable[Mapping]) -> Iterator[Mapping | Gap]:
    """Every field that maps a target's column, and what may hold one.

    `tags` are the fields whose tag names one; each comes back, with its table where that is known now. Asked for after
    the run, which tells what the rows of a statement are read into.
    """
    models = Models(engine.fresh_run())
    known: dict[Span, list[Mapping]] = {}
    listed = {file.path: file for file in files}
    for file in (*listed.values(), *_with_made_up_tables(engine, listed)):
        for item in models.mappings(file):
            known.setdefault(item.span, []).append(item)
        yield from models.unseen(file)
    for item in _rows(engine, models):
        known.setdefault(item.span, []).append(item)
    for tag in tags:
        if tag.span not in known:
            struct = dirname(tag.span.path), tag.owner
            filled = tuple(sorted(engine.knowledge.filled.get(struct, ())))
            given = tuple(sorted(engine.knowledge.given.get(struct, ())))
            yield replace(_completed(tag, listed[tag.span.path], models), queries=filled, given=given)
    yield from (item for items in known.values() for item in items)


def enqueue_users(engine: Engine, files: Iterable[GoFile]) -> None:
    """Interprets functions that read a target's model into something else: no literal there names the target."""
    models = Models(engine.fresh_run())
    for file in files:
        for declaration in file.in_order:
            library = models.library(declaration) if struct_fields(declaration) else ""
            if library in MODEL_LIBRARIES and set(models.tables(declaration, library)) & engine.names.tables:
                _enqueue_users(engine, declaration)


def _enqueue_users(engine: Engine, declaration: Declaration) -> None:
    name, package = declaration.name, declaration.file.package
    starts = [f".Model({lead}{qualifier}{name}" for lead in ("&", "new(", "(*") for qualifier in ("", f"{package}.")]
    pattern = re.compile(b"(?:" + b"|".join(re.escape(start.encode()) for start in starts) + rb")\b")
    for source in engine.index.holding(tuple(starts)):
        file = engine.index.parse(source)
        for match in pattern.finditer(source.data):
            for user in enclosing(file, match.start()):
                engine.enqueue(user, 0)


def _completed(tag: Mapping, file: GoFile, models: Models) -> Mapping:
    """SQL in a tag (a check, an index) is about the table of the struct that it stands in."""
    owners = [d for d in file.declarations.get(tag.owner, ()) if d.kind == "type"]
    tables = models.tables(owners[0], tag.library) if owners and len(tag.accesses) == 1 else ()
    return replace(tag, table=tables[0]) if tables else tag


def _with_made_up_tables(engine: Engine, listed: dict[str, GoFile]) -> Iterator[GoFile]:
    """Files of which nothing speaks of the target, for a method there puts the table's name together."""
    for source in engine.index.holding((" TableName(",)):
        made_up = len(_METHOD.findall(source.data)) > len(_PLAIN_METHOD.findall(source.data))
        if source.path not in listed and made_up:
            yield engine.index.parse(source)


def _rows(engine: Engine, models: Models) -> Iterator[Mapping]:
    """Structs that take the rows of a model's table: the ORM asks for the columns that they have."""
    for (library, folder, name), tables in sorted(engine.knowledge.rows.items()):
        for declaration in engine.index.lookup(folder, name):
            if struct_fields(declaration):
                yield from models.mapped(declaration, library, tuple(sorted(tables)), (Access.READ,))
