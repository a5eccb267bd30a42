"""What the mentions of an unparsed file are, besides SQL and comments: a model's column, a gap, a listed name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from legacy_ref_scan.languages.plain.adopted import Adopted
from legacy_ref_scan.languages.plain.constants import Constants
from legacy_ref_scan.languages.plain.evidence import is_bare, is_begun, is_qualified, sign
from legacy_ref_scan.languages.plain.forms import Forms
from legacy_ref_scan.languages.plain.kinds import Kind, Weight
from legacy_ref_scan.languages.plain.links import Links
from legacy_ref_scan.languages.plain.models import Model, declares, is_unmapped, model_at, models
from legacy_ref_scan.languages.plain.nearby import REACH, clusters
from legacy_ref_scan.languages.plain.scopes import in_one, is_named, scopes
from legacy_ref_scan.languages.plain.spelling import Spelling, is_telling
from legacy_ref_scan.model import Claim, Explanation, Extracted, Gap, Mapping, Mention, SourceFile, Span

_TOGETHER = 160  # bytes between two mentions that are one gap
# Statements of MyBatis and iBATIS, whose lists of columns may stand far from the table.
_MAPPER = re.compile(rb"<mapper\b[^>]*\bnamespace\s*=|<sqlMap\b")
# An attribute of a class of Ruby's own, or in the list of columns that a model of ActiveRecord passes over: what a
# careful team writes before it drops one.
_PASSED_OVER = re.compile(
    rb"\battr_(?:accessor|reader|writer)\b[^\n]*\Z|\bignored_columns\b\s*\+?=\s*(?:[^\n]*|[%\w]*[\[({][^\])}]*)\Z"
)


@dataclass(frozen=True, slots=True)
class _Sign:
    """Why a mention could be a use."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Program:
    """What the files of a program have to do with each other."""

    constants: Constants
    links: Links
    adopted: Adopted
    forms: Forms


def judge(
    source: SourceFile, kind: Kind, mentions: Sequence[Mention], program: Program, code: bool
) -> Iterator[Extracted]:
    """An item for each mention. `code`: whether two names that stand together count."""
    constants, spelling = program.constants, program.constants.spelling
    columns = [mention for mention in mentions if mention.role == "column"]
    found: dict[Mention, _Sign | Mapping | Claim] = {}
    if columns:
        parts = models(source, kind, spelling, constants.values, program.adopted.names(kind))
        found.update(_in_models(source, kind, columns, parts, spelling))
        if kind.weight is not Weight.GENERATED:
            found.update(_in_forms(source, kind, columns, program))
            found.update(_told(source, kind, columns, mentions, constants, found, parts, code))
            found.update(_taken(source, kind, [mention for mention in columns if mention not in found], program.links))
    yield from _gaps(source, columns, found)
    for mention in mentions:
        item = found.get(mention)
        if not isinstance(item, _Sign):
            yield item or Claim(mention.span, Explanation.OTHER_FILE, detail(kind))


def detail(kind: Kind) -> str:
    """How the accounting calls a file of a kind."""
    unlike = ("documentation", "API schema", "localization", "fixture")
    return kind.name if kind.name in unlike else f"{kind.name} file"


# Models


def _in_models(
    source: SourceFile, kind: Kind, columns: Sequence[Mention], parts: Sequence[Model], spelling: Spelling
) -> Iterator[tuple[Mention, _Sign | Mapping | Claim]]:
    ours = [(mention, model) for mention in columns if (model := model_at(parts, mention.span.start)) and model.ours]
    declared = {(m.name, model) for m, model in ours if declares(source, model.family, m.span.start, m.span.end)}
    for mention, model in ours:
        if _is_passed_over(source.data, mention.span.start):
            yield mention, Claim(mention.span, Explanation.OTHER_FILE, f"no column, as {model.name} says")
        elif is_unmapped(source, model.family, mention.span.start):
            yield mention, Claim(mention.span, Explanation.OTHER_FILE, f"a field of {model.name} without a column")
        elif declares(source, model.family, mention.span.start, mention.span.end):
            for table in sorted(spelling.names.tables)[:1]:
                about = (mention.span, mention.name, model.name, model.family.library, table, source.test)
                yield mention, Mapping(*about)
        elif (mention.name, model) in declared or kind.weight is Weight.GENERATED:
            yield mention, Claim(mention.span, Explanation.OTHER_FILE, f"in {model.name}, which declares it")
        else:
            message = f"{mention.name} stands in {model.name}, a model ({model.family.library}) of its table"
            yield mention, _Sign("model-attribute", message)


def _is_passed_over(data: bytes, at: int) -> bool:
    return _PASSED_OVER.search(data[max(0, at - REACH) : at]) is not None


# Other signs


def _in_forms(
    source: SourceFile, kind: Kind, columns: Sequence[Mention], program: Program
) -> Iterator[tuple[Mention, _Sign]]:
    for mention in columns:
        if program.forms.is_field(source, kind, mention, program.constants.spelling):
            message = f"{mention.name} is a field of a form that may be for a row of the table"
            yield mention, _Sign("form-field", message)


def _told(
    source: SourceFile,
    kind: Kind,
    columns: Sequence[Mention],
    mentions: Sequence[Mention],
    constants: Constants,
    known: dict[Mention, _Sign | Mapping | Claim],
    parts: Sequence[Model],
    code: bool,
) -> Iterator[tuple[Mention, _Sign]]:
    spelling = constants.spelling
    where = scopes(source, kind, spelling)
    nearby = code and not where  # a document says itself what belongs to the table
    together = {mention for group in clusters(source, mentions) for mention in group} if nearby else set()
    mapper = kind.name == "XML" and _MAPPER.search(source.data) and spelling.names.in_text(source.data, "table")
    if mapper:
        together = {m for m in columns if source.data[m.span.start : m.span.end] == m.name.encode()}
    for mention in columns:
        if mention in known:
            continue
        if code and is_bare(source, kind, mention) and not is_begun(source, mention, spelling):
            continue
        model = model_at(parts, mention.span.start)
        elsewhere = model is not None and not model.ours and not mapper  # in the model of another table
        if _in_scope(source.data, mention, where):
            message = f"{mention.name} stands in a {kind.name} document on its table"
            yield mention, _Sign("named-with-table", message)
        elif mention in together and not (elsewhere and not _is_asked(source.data, mention, spelling)):
            message = f"{mention.name} stands near its table in a {kind.name} file, which is not read as code"
            yield mention, _Sign("both-names-nearby", message)
        elif code and constants.is_spoken(source, mention.span.start, mention.span.end):
            yield mention, _Sign("model-constant", f"a model of the table names the constant that is {mention.name}")
        elif code:
            found = sign(source, kind, mention, spelling)
            if found is not None:
                yield mention, _Sign(*found)
        elif kind.weight is Weight.DATA and _is_dotted(source.data, mention, spelling):
            yield mention, _Sign("qualified-name", f"{mention.name} stands behind the name of its table")


def _is_asked(data: bytes, mention: Mention, spelling: Spelling) -> bool:
    """Whether the column stands in what is asked of an association that is called like the table, as in Rails."""
    before = data[max(0, mention.span.start - REACH) : mention.span.start]
    return any(re.search(rb"\b%s\s*&?\.[^\n;]*\Z" % re.escape(name.encode()), before) for name in spelling.names.tables)


def _taken(source: SourceFile, kind: Kind, columns: Sequence[Mention], links: Links) -> Iterator[tuple[Mention, _Sign]]:
    for mention in columns:
        taker = links.taken_by(source, kind, mention)
        if taker:
            message = f"{mention.name} stands in a list, and {taker}, which speaks of its table, takes from this file"
            yield mention, _Sign("listed-for-table", message)


def _is_dotted(data: bytes, mention: Mention, spelling: Spelling) -> bool:
    """`public.campaign_phases.error_message` in the data of a tool."""
    start, end = mention.span.start, mention.span.end
    if not is_named(data, start, end, plain=True):
        return False
    return (spelling.telling or data[start - 1 : start] == b".") and is_qualified(data, start, end, spelling)


def _in_scope(data: bytes, mention: Mention, where: Sequence[tuple[int, int]]) -> bool:
    inside = in_one(where, mention.span.start)
    exact = data[mention.span.start : mention.span.end] == mention.name.encode()
    return inside and exact and is_named(data, mention.span.start, mention.span.end, not is_telling(mention.name))


def _gaps(
    source: SourceFile, columns: Sequence[Mention], found: dict[Mention, _Sign | Mapping | Claim]
) -> Iterator[Gap]:
    """One gap for the signs that stand together, with nothing of another kind between them."""
    group: list[Mention] = []
    last: _Sign | Mapping | Claim | None = None
    for mention in columns:
        item = found.get(mention)
        if group and (item != last or mention.span.start - group[-1].span.end > _TOGETHER) and isinstance(last, _Sign):
            yield _gap(source, group, last)
            group = []
        if isinstance(item, _Sign):
            group.append(mention)
        last = item
    if isinstance(last, _Sign) and group:
        yield _gap(source, group, last)


def _gap(source: SourceFile, group: Sequence[Mention], why: _Sign) -> Gap:
    span = Span(source.path, group[0].span.start, group[-1].span.end)
    return Gap(span, why.reason, why.message, test=source.test)
