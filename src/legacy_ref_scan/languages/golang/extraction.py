"""The whole extraction: places of mentions, interpretation, fragments, and a sweep for what is left."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from legacy_ref_scan.languages import Project
from legacy_ref_scan.languages.golang.engine import Engine, Root, enclosing
from legacy_ref_scan.languages.golang.fragments import fragment, laid_out, select
from legacy_ref_scan.languages.golang.literals import decode
from legacy_ref_scan.languages.golang.orm.collect import enqueue_users, mapped_fields
from legacy_ref_scan.languages.golang.orm.ent import Schemas
from legacy_ref_scan.languages.golang.orm.generated import Generated
from legacy_ref_scan.languages.golang.packages import GoFile
from legacy_ref_scan.languages.golang.places import (
    Literal,
    described,
    doubtful,
    goes_to_people,
    keys_beside,
    place,
)
from legacy_ref_scan.languages.golang.sinks import is_path
from legacy_ref_scan.languages.golang.tags import of_tag
from legacy_ref_scan.model import Claim, Consumer, Explanation, Extracted, Fragment, Gap, Mapping, Mention, Span

_NAME = re.compile(rb"\w+")
_UNBALANCED = "the Go grammar can't read this place, and a quote without its partner may have made text of it"


@dataclass
class _File:
    file: GoFile
    mentions: tuple[Mention, ...]
    literals: dict[tuple[int, int], tuple[Literal, list[Mention]]] = field(default_factory=dict)
    tags: list[Mapping] = field(default_factory=list)


def extract_all(project: Project) -> Iterator[Extracted]:
    """See `golang.extract`."""
    engine = Engine(project)
    schemas = Schemas(engine.index, project.names)
    generated = Generated(engine.index, project.names, schemas)
    files: list[_File] = []
    for source in project.candidates("go"):
        found = _File(engine.index.parse(source), project.names.find(source))
        files.append(found)
        yield from _placed(found, engine, schemas, generated)
    embedded = list(engine.enqueue_embedded())
    engine.enqueue_torn()
    enqueue_users(engine, [found.file for found in files])
    roots = engine.run()
    marks = {f.file.path: ([m.span.start for m in f.mentions], [m.span.end for m in f.mentions]) for f in files}
    uses = select(roots, marks, engine.names, engine.knowledge.templates)
    fragments = [generated.marked(_with_keys(engine, fragment(use))) for use in uses]
    yield from (*fragments, *embedded)
    yield from mapped_fields(engine, [found.file for found in files], [tag for found in files for tag in found.tags])
    yield from engine.gaps
    yield from _problems(roots, files)
    covered = _Cover(fragments)
    for found in files:
        for item in _left_over(found, covered, engine.knowledge.actions.get(found.file.path, {})):
            yield generated.marked(item) if isinstance(item, Fragment) else item


def _placed(found: _File, engine: Engine, schemas: Schemas, generated: Generated) -> Iterator[Extracted]:
    """Claims; tags are kept, literals are noted and their functions queued."""
    file = found.file
    for mention in found.mentions:
        where = place(file, mention)
        if doubtful(file, mention):
            yield Gap(mention.span, "go-unreadable", _UNBALANCED, "", file.source.test)
        if isinstance(where, Literal):
            judged = schemas.item(file, where, mention) or generated.item(file, where, mention)
            if judged is None:
                _note(found, where, mention, engine)
            else:
                yield judged
        elif isinstance(where, Claim):
            yield where
        elif where is None:
            yield Gap(mention.span, "go-unreadable", "the Go grammar can't read this place", "", file.source.test)
        else:
            item = of_tag(file, where, mention)
            if isinstance(item, Mapping):
                found.tags.append(item)
            else:
                yield item


def _note(found: _File, literal: Literal, mention: Mention, engine: Engine) -> None:
    """Keeps a literal, and queues its function where the literal may be a part of a statement."""
    place = (literal.start, literal.end)
    if place not in found.literals:
        found.literals[place] = (literal, [])
        file = found.file
        if engine.matters(decode(file.source.data, *place, file.path).data()):
            for declaration in enclosing(file, literal.start):
                engine.enqueue(declaration, 0)
    found.literals[place][1].append(mention)


class _Cover:
    """Which bytes of the files the fragments account for."""

    def __init__(self, fragments: list[Fragment]) -> None:
        spans: dict[str, list[tuple[int, int]]] = {}
        for item in fragments:
            for piece in item.pieces:
                spans.setdefault(piece.origin.path, []).append((piece.origin.start, piece.origin.end))
        self._merged = {path: _merge(sorted(every)) for path, every in spans.items()}

    def holds(self, span: Span) -> bool:
        """All of the span, by one piece or by adjacent ones."""
        starts, ends = self._merged.get(span.path, ([], []))
        at = bisect_right(starts, span.start) - 1
        return at >= 0 and ends[at] >= span.end


def _merge(spans: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    starts: list[int] = []
    ends: list[int] = []
    for start, end in spans:
        if ends and start <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return starts, ends


def _left_over(found: _File, covered: _Cover, actions: dict[tuple[int, int], bool]) -> Iterator[Fragment | Claim | Gap]:
    """A literal that no assembled text holds is a fragment of its own; a path that names the table is none."""
    file = found.file
    for (start, end), (literal, every) in found.literals.items():
        judged = {m: _in_action(m, file, actions) for m in every if not covered.holds(m.span)}
        yield from (item for item in judged.values() if item is not None)
        mentions = [mention for mention, item in judged.items() if item is None]
        if not mentions:
            continue
        text, pieces, holes = laid_out(decode(file.source.data, start, end, file.path), (file.path, start, end))
        if is_path(text) and all(mention.role == "table" for mention in mentions):
            yield Claim(Span(file.path, start, end), Explanation.TEXT, "a path")
            continue
        symbol = next((declaration.symbol for declaration in enclosing(file, start)), "")
        note = described(file, literal.node)
        yield Fragment(
            text,
            pieces,
            Span(file.path, start, end),
            symbol,
            Consumer.TEXT if goes_to_people(file, literal.node) else Consumer.UNKNOWN,
            holes,
            test=file.source.test,
            kind="go-sql",
            note=note,
        )


def _with_keys(engine: Engine, item: Fragment) -> Fragment:
    """A name that is a key of a map, with the other keys: they tell whether it can be a row of the table."""
    if len(item.pieces) != 1 or item.holes or not _NAME.fullmatch(item.text):
        return item
    origin = item.pieces[0].origin
    file = engine.index.file(origin.path)
    keys = keys_beside(file, origin.start, origin.end) if file is not None else ()
    return replace(item, beside=keys) if keys else item


def _in_action(mention: Mention, file: GoFile, actions: dict[tuple[int, int], bool]) -> Claim | Gap | None:
    """What a mention in an action of a template is that was followed; None for one outside of them."""
    span = mention.span
    puts_in = next((puts for (start, end), puts in actions.items() if start <= span.start and span.end <= end), None)
    if puts_in is None:
        return None
    written = file.source.data[span.start : span.end].decode("utf-8", "replace")
    if not puts_in or mention.role != "column" or written != mention.name:
        return Claim(span, Explanation.IDENTIFIER, "in a template's action")
    message = f"{written} stands in a template's action: what it puts into the statement is not known"
    return Gap(span, "template-action", message, test=file.source.test)


def _problems(roots: list[Root], files: list[_File]) -> Iterator[Gap]:
    """A gap on every mention of a function that could not be interpreted to its end."""
    literals = {found.file.path: found for found in files}
    for root in roots:
        node, path = root.declaration.node, root.declaration.file.path
        if not root.problem:
            continue
        message = f"{root.declaration.symbol} was not interpreted to its end: {root.problem}"
        known = literals.get(path)
        starts = [mention.span.start for mention in known.mentions] if known is not None else []
        inside = slice(bisect_left(starts, node.start_byte), bisect_left(starts, node.end_byte))
        spans = [mention.span for mention in known.mentions[inside]] if known is not None else []
        for span in spans or [Span(path, node.start_byte, node.start_byte)]:
            yield Gap(span, "go-not-interpreted", message, root.declaration.symbol, root.declaration.file.source.test)
