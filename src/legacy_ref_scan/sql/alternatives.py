"""The texts that one place of a program may hand out, judged together.

Following every branch and every count of a loop gives texts that no run of the program makes (`IN ()`, a comma without
a neighbour). PostgreSQL refuses such a text whatever becomes of the column. So what cannot be read in one text is
settled where another text of the same place is read to its end and explains the very same piece of the source.

One optional filter after the other makes hundreds of texts. A statement that names none of the tables is not read where
each of its names of columns was explained in another text of the place, and stood there, in that one or a third, along
with each other part of this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from legacy_ref_scan.model import Claim, Found, Fragment, Gap, Reference, Span
from legacy_ref_scan.sql.analyze import analyze
from legacy_ref_scan.sql.dumps import of_dump
from legacy_ref_scan.sql.findings import UNREADABLE, Schema
from legacy_ref_scan.sql.loose import is_statement

Known = dict[tuple[tuple[Fragment, ...], frozenset[str]], list[Found]]
"""Findings of texts that were analysed, by all that these rest on under one schema."""


def analyze_all(fragments: Iterable[Fragment], schema: Schema, known: Known | None = None) -> Iterator[Found]:
    """Everything that fragments say about the targets. What is `known` is taken over, and added to."""
    by_site: dict[Span, list[Fragment]] = {}
    for fragment in fragments:
        by_site.setdefault(fragment.site, []).append(fragment)
    for site, alternatives in by_site.items():
        if known is None:
            yield from _of_site(alternatives, schema)
            continue
        homes = {site.path, *(piece.origin.path for text in alternatives for piece in text.pieces)}
        key = tuple(alternatives), frozenset(filter(schema.near, homes))
        if key not in known:
            known[key] = list(_of_site(alternatives, schema))
        yield from known[key]


def _of_site(alternatives: list[Fragment], schema: Schema) -> Iterator[Found]:
    found = list(_of_texts(alternatives, schema))
    settled = _explained(found) if len(found) > 1 else frozenset()
    for items in found:
        yield from (item for item in items if not (_is_unreadable(item) and item.span in settled))


def _of_texts(alternatives: list[Fragment], schema: Schema) -> Iterator[list[Found]]:
    """The findings of each text that may say something new."""
    claimed: set[Span] = set()
    together: set[_Pair] = set()
    every = len(alternatives) == 1 or schema.trace is not None
    for fragment in alternatives:
        mentions = frozenset() if every else _columns_alone(fragment, schema)
        pairs = {(mention, part) for mention in mentions for part in _parts(fragment)}
        if mentions and mentions <= claimed and pairs <= together:
            continue
        items = list(of_dump(fragment, analyze(fragment, schema), schema.catalog))
        yield items
        claimed.update(item.span for item in items if isinstance(item, Claim))
        together |= pairs


_Part = Span | tuple[Span | None, Span, Span | None]
"""Where a known piece of a text comes from; of a hole, between what comes before and behind it."""
_Pair = tuple[Span, _Part]


def _columns_alone(fragment: Fragment, schema: Schema) -> frozenset[Span]:
    """The columns' names in a statement that names none of the tables; none where it is no such statement."""
    places = list(schema.names.places(fragment.text))
    if not is_statement(fragment.text) or any(role != "column" for _, _, _, role in places):
        return frozenset()
    return frozenset(fragment.origin(start, end) for start, end, _, _ in places)


def _parts(fragment: Fragment) -> Iterator[_Part]:
    pieces = [(piece.start, False, piece.origin) for piece in fragment.pieces]
    parts = sorted([*pieces, *((hole.offset, True, hole.origin) for hole in fragment.holes)])
    origins = [None, *(origin for _, _, origin in parts), None]
    for index, (_, is_hole, origin) in enumerate(parts):
        yield (origins[index], origin, origins[index + 2]) if is_hole else origin


def _explained(found: list[list[Found]]) -> frozenset[Span]:
    """What the texts that could be read say of their pieces."""
    readable = [items for items in found if not any(map(_is_unreadable, items))]
    return frozenset(item.span for items in readable for item in items if isinstance(item, Claim | Reference))


def _is_unreadable(item: Found) -> bool:
    return isinstance(item, Gap) and item.reason == UNREADABLE
