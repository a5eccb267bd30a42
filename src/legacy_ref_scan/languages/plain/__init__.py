"""Every other text file: SQL in its strings, here-documents and scalars, and an explanation for the other mentions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from legacy_ref_scan.languages import Project
from legacy_ref_scan.languages.plain.comments import comments
from legacy_ref_scan.languages.plain.embedded import statements
from legacy_ref_scan.languages.plain.kinds import Kind, Weight, kind_of, treated
from legacy_ref_scan.languages.plain.nearby import clusters, talks_to_database
from legacy_ref_scan.model import Claim, Explanation, Extracted, Fragment, Gap, Mention, SourceFile, Span


def extract(project: Project) -> Iterator[Extracted]:
    """Everything found in the other candidates; each of their mentions is covered by one of the items."""
    for source in project.candidates("other"):
        mentions = project.names.find(source)
        if mentions:
            yield from _sweep(project, source, mentions)


def _sweep(project: Project, source: SourceFile, mentions: tuple[Mention, ...]) -> Iterator[Extracted]:
    kind = treated(kind_of(source.path, source.data), project.others.gate, project.others.listed)
    if kind.weight is Weight.INERT:
        for mention in mentions:
            yield Claim(mention.span, Explanation.OTHER_FILE, _detail(kind))
        return
    hidden = comments(source.data, kind.comments)
    fragments = [f for f in statements(source, kind, hidden) if project.names.in_text(f.text)]
    yield from fragments
    rest = _without(mentions, [(p.origin.start, p.origin.end) for f in fragments for p in f.pieces])
    shown = _without(rest, hidden)
    left = set(shown)
    for mention in rest:
        if mention not in left:
            yield Claim(mention.span, Explanation.COMMENT, kind.name)
    yield from _explained(source, kind, shown, fragments)


def _explained(
    source: SourceFile, kind: Kind, mentions: tuple[Mention, ...], fragments: Sequence[Fragment]
) -> Iterator[Extracted]:
    """Gaps where two names stand together in code, claims for the others."""
    gating = kind.weight is Weight.CODE or (
        kind.weight is Weight.WEB and (bool(fragments) or talks_to_database(source.data))
    )
    grouped = clusters(source, mentions) if gating else []
    told = {mention for group in grouped for mention in group}
    for group in grouped:
        column = group[0].name
        span = Span(source.path, group[0].span.start, group[-1].span.end)
        message = f"{column} stands near its table in a {kind.name} file, which is not read as code"
        yield Gap(span, "both-names-nearby", message, test=source.test)
    for mention in mentions:
        if mention not in told:
            yield Claim(mention.span, Explanation.OTHER_FILE, _detail(kind))


def _detail(kind: Kind) -> str:
    return kind.name if kind.name in ("documentation", "API schema") else f"{kind.name} file"


def _without(mentions: Sequence[Mention], spans: Sequence[tuple[int, int]]) -> tuple[Mention, ...]:
    """The mentions that do not start in one of the spans."""
    ordered = sorted(spans)
    starts = [start for start, _ in ordered]

    def inside(mention: Mention) -> bool:
        index = bisect_right(starts, mention.span.start) - 1
        return index >= 0 and mention.span.start < ordered[index][1]

    return tuple(mention for mention in mentions if not inside(mention))
