"""Every other text file: SQL in its strings, here-documents and scalars, and an explanation for the other mentions."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import partial

from legacy_ref_scan.languages import Project
from legacy_ref_scan.languages.plain.adopted import Adopted
from legacy_ref_scan.languages.plain.associations import associations
from legacy_ref_scan.languages.plain.comments import comments
from legacy_ref_scan.languages.plain.constants import Constants
from legacy_ref_scan.languages.plain.derived import derived
from legacy_ref_scan.languages.plain.embedded import statements
from legacy_ref_scan.languages.plain.forms import Forms
from legacy_ref_scan.languages.plain.history import defined, historic, is_schema, tool_of
from legacy_ref_scan.languages.plain.judging import Program, detail, judge
from legacy_ref_scan.languages.plain.kinds import Kind, Weight, kind_of, treated
from legacy_ref_scan.languages.plain.links import Links
from legacy_ref_scan.languages.plain.macros import macros
from legacy_ref_scan.languages.plain.models import models
from legacy_ref_scan.languages.plain.nearby import talks_to_database
from legacy_ref_scan.languages.plain.notebooks import notebook
from legacy_ref_scan.languages.plain.objectquery import is_object_query, judged
from legacy_ref_scan.languages.plain.prepared import prepared
from legacy_ref_scan.languages.plain.spelling import spelling_of
from legacy_ref_scan.model import Claim, Explanation, Extracted, Fragment, Mention, SourceFile, Span

# A typed parameter of ClickHouse, `{id:UUID}`, which PostgreSQL refuses: programs keep queries for both side by side.
_CLICKHOUSE = re.compile(
    rb"(?<!['$\w])\{\w+:[ ]?(?:UUID|String|U?Int\d+|Float\d+|Bool|Identifier|Date(?:Time)?(?:32|64)?(?:\([^()]*\))?|"
    rb"(?:Array|Nullable|Map|LowCardinality)\([^{}]*\))\}"
)


def extract(project: Project) -> Iterator[Extracted]:
    """Everything found in the other candidates; each of their mentions is covered by one of the items."""
    candidates = [(source, _kind(project, source)) for source in project.candidates("other")]
    spelling = spelling_of(project.names)
    constants = Constants(candidates, spelling)
    links, adopted = Links(candidates, spelling, _may_be_code), Adopted(candidates, constants)
    program = Program(constants, links, adopted, Forms(project.paths("other")))
    for source, kind in candidates:
        yield from _associations(source, kind, program)
        named = {mention.span: mention for mention in derived(source, kind, spelling)}
        named.update((mention.span, mention) for mention in project.names.find(source))
        mentions = tuple(named[span] for span in sorted(named))
        if mentions:
            yield from _sweep(project, source, kind, mentions, program)


def _kind(project: Project, source: SourceFile) -> Kind:
    return treated(kind_of(source.path, source.data), project.others.gate, project.others.listed)


def _associations(source: SourceFile, kind: Kind, program: Program) -> Iterator[Extracted]:
    """Lines that stand for a column which nobody need spell there."""
    if kind.weight not in (Weight.CODE, Weight.WEB) or tool_of(source) or is_schema(source):
        return
    constants = program.constants
    parts = partial(models, source, kind, constants.spelling, constants.values, program.adopted.names(kind))
    found = list(associations(source, kind, constants.spelling, parts))
    if kind.name == "Ruby":
        found += macros(source, constants.spelling, parts)
    hidden = _hidden(source, kind) if found else []
    for gap in found:
        if not any(start <= gap.span.start < end for start, end in hidden):
            yield gap


def _sweep(
    project: Project, source: SourceFile, kind: Kind, mentions: tuple[Mention, ...], program: Program
) -> Iterator[Extracted]:
    tool = tool_of(source)
    yield from prepared(source, kind, mentions, program.constants.spelling)
    if kind.weight is Weight.INERT:
        yield Claim(Span(source.path, 0, len(source.data)), Explanation.OTHER_FILE, detail(kind))
    elif kind.name == "notebook" and (items := notebook(project, source, mentions)) is not None:
        yield from items
    elif tool:
        yield from historic(source, tool, mentions, dumped=_has_dump(project))
    else:
        yield from _read(project, source, kind, mentions, program)


def _read(
    project: Project, source: SourceFile, kind: Kind, mentions: tuple[Mention, ...], program: Program
) -> Iterator[Extracted]:
    hidden = _hidden(source, kind)
    fragments = [f for f in statements(source, kind, hidden) if project.names.in_text(f.text)]
    for fragment in fragments:
        if _CLICKHOUSE.search(fragment.text):
            yield Claim(fragment.site, Explanation.OTHER_FILE, "SQL for another database")
        elif is_object_query(fragment, kind, project.names):
            yield from judged(fragment, program.constants.spelling)
        else:
            yield fragment
    rest = _without(mentions, [(p.origin.start, p.origin.end) for f in fragments for p in f.pieces])
    shown = _without(rest, hidden)
    left = set(shown)
    for mention in rest:
        if mention not in left:
            yield Claim(mention.span, Explanation.COMMENT, kind.name)
    if is_schema(source):
        yield from defined(source, shown, program.constants.spelling)
    else:
        yield from judge(source, kind, shown, program, _is_code(source, kind, fragments))


_ANNOTATION = re.compile(rb"@(?:[\w\\]+\\)?(?:\w*Column|Table|Entity)\b")


def _hidden(source: SourceFile, kind: Kind) -> list[tuple[int, int]]:
    """The comments, but for those of PHP that Doctrine reads."""
    found = comments(source.data, kind.comments)
    if kind.name != "PHP":
        return found
    return [(start, end) for start, end in found if _ANNOTATION.search(source.data, start, end) is None]


def _is_code(source: SourceFile, kind: Kind, fragments: Sequence[Fragment]) -> bool:
    return (kind.weight is Weight.WEB and bool(fragments)) or _may_be_code(source, kind)


def _may_be_code(source: SourceFile, kind: Kind) -> bool:
    """Whether two names that stand together in a file may be a use."""
    if kind.weight is Weight.WEB:
        return talks_to_database(source.path, source.data)
    return kind.weight is Weight.CODE


def _has_dump(project: Project) -> bool:
    """Whether a dump of the schema says what the migrations left."""
    dumps = ("db/schema.rb", "db/structure.sql")
    return any(path.endswith(dumps) for language in ("other", "sql") for path in project.paths(language))


def _without(mentions: Sequence[Mention], spans: Sequence[tuple[int, int]]) -> tuple[Mention, ...]:
    """The mentions that do not start in one of the spans."""
    ordered = sorted(spans)
    starts = [start for start, _ in ordered]

    def inside(mention: Mention) -> bool:
        index = bisect_right(starts, mention.span.start) - 1
        return index >= 0 and mention.span.start < ordered[index][1]

    return tuple(mention for mention in mentions if not inside(mention))
