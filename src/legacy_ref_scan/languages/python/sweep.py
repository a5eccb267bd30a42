"""Python that does not parse: string literals and comments by their tokens, and a gap for every other mention."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from legacy_ref_scan.languages.python import literals
from legacy_ref_scan.languages.python.module import STRING_LITERAL
from legacy_ref_scan.languages.python.text import Blank, Part, concat, to_fragment
from legacy_ref_scan.model import Claim, Consumer, Explanation, Extracted, Fragment, Gap, Mention, SourceFile, Span

_TOKEN = re.compile(
    rb"(?P<comment>\#[^\r\n]*)|(?P<string>(?:(?<![A-Za-z0-9_])[rRbBuUfFtT]{0,3})?" + STRING_LITERAL + rb")",
    re.VERBOSE | re.DOTALL,
)
_JOINED = re.compile(rb"(?:\s|\\\r?\n|\+|\#[^\n]*\n)*+")
_NAMED = re.compile(rb"\s*+\+\s*+[\w.]++(?:\([^()\n]{0,80}\))?\s*+\+\s*+")
_EXPRESSION = re.compile(rb"(\{\{|\}\})|\{[^{}]*\}")


def sweep(source: SourceFile, mentions: tuple[Mention, ...]) -> Iterator[Extracted]:
    """Items that cover the mentions of a file which does not parse."""
    strings: list[Span] = []
    comments: list[Span] = []
    for match in _TOKEN.finditer(source.data):
        span = Span(source.path, match.start(), match.end())
        if match.lastgroup == "comment":
            comments.append(span)
        elif _is_closed(match[0]):
            strings.append(span)
    groups = _groups(source, strings)
    covered: set[Span] = set()
    for group in groups:
        if not any(_holds(literal, mention.span) for literal in group for mention in mentions):
            continue
        fragment = _fragment(source, group)
        held = {m.span for m in mentions if any(_holds(piece.origin, m.span) for piece in fragment.pieces)}
        if held:
            covered |= held
            yield fragment
    for mention in mentions:
        comment = next((span for span in comments if _holds(span, mention.span)), None)
        if comment is not None:
            yield Claim(comment, Explanation.COMMENT)
        elif mention.span not in covered:
            message = f"{mention.name} stands in a Python file that does not parse"
            yield Gap(mention.span, "unparsed-python", message, test=source.test)


def _is_closed(token: bytes) -> bool:
    _, quotes = literals.opening(token, 0)
    body = token[token.index(quotes) + len(quotes) :]
    inner = body[: -len(quotes)]
    return body.endswith(quotes) and (len(inner) - len(inner.rstrip(b"\\"))) % 2 == 0


def _groups(source: SourceFile, strings: list[Span]) -> list[list[Span]]:
    """Literals that one expression puts together."""
    groups: list[list[Span]] = [[strings[0]]] if strings else []
    for before, after in pairwise(strings):
        between = source.data[before.end : after.start]
        joined = _JOINED.fullmatch(between) and (b"\n" not in between or _continues(between))
        if joined or _NAMED.fullmatch(between):
            groups[-1].append(after)
        else:
            groups.append([after])
    return groups


def _continues(between: bytes) -> bool:
    """Whether what stands between two literals, a line end among it, may be within one expression."""
    return b"+" in between or b"\\" in between or between.rpartition(b"\n")[2].strip() == b""


def _fragment(source: SourceFile, group: list[Span]) -> Fragment:
    parts: list[tuple[Part, ...]] = []
    for before, span in zip([None, *group], group, strict=False):
        if before is not None and not _JOINED.fullmatch(source.data[before.end : span.start]):
            parts.append((Blank("a name", Span(source.path, before.end, span.start)),))
        parts.append(_value(source, span))
    site = Span(source.path, group[0].start, group[-1].end)
    return to_fragment(concat(parts), site, "", Consumer.UNKNOWN, source.test, "file that does not parse")


def _value(source: SourceFile, span: Span) -> tuple[Part, ...]:
    prefix, quotes = literals.opening(source.data, span.start)
    if b"f" not in prefix and b"t" not in prefix:
        return literals.literal(source.data, span)
    parts: list[Part] = []
    at = span.start + len(prefix) + len(quotes)
    end = span.end - len(quotes)
    for match in _EXPRESSION.finditer(source.data, at, end):
        if match[1]:
            continue
        parts += literals.body(source.data, Span(span.path, at, match.start()), prefix)
        parts.append(Blank("an expression", Span(span.path, match.start(), match.end())))
        at = match.end()
    return (*parts, *literals.body(source.data, Span(span.path, at, end), prefix))


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end
