"""The texts that one place of a program may hand out, judged together.

Following every branch and every count of a loop gives texts that no run of the program makes (`IN ()`, a comma without
a neighbour). PostgreSQL refuses such a text whatever becomes of the column. So what cannot be read in one text is
settled where another text of the same place is read to its end and explains the very same piece of the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from legacy_ref_scan.model import Claim, Consumer, Found, Fragment, Gap, Reference, Span
from legacy_ref_scan.sql.analyze import Schema, analyze
from legacy_ref_scan.sql.dumps import of_dump

UNREADABLE = "unreadable-sql"


Known = dict[tuple[tuple[Fragment, ...], bool], list[Found]]
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
        key = tuple(alternatives), schema.near(site.path)
        if key not in known:
            known[key] = list(_of_site(alternatives, schema))
        yield from known[key]


def _of_site(alternatives: list[Fragment], schema: Schema) -> Iterator[Found]:
    found: list[list[Found]] = []
    claimed: set[Span] = set()
    for fragment in alternatives:
        if claimed and schema.trace is None and _says_nothing_new(fragment, schema, claimed):
            continue
        found.append(list(of_dump(fragment, analyze(fragment, schema), schema.catalog)))
        claimed.update(item.span for item in found[-1] if isinstance(item, Claim))
    settled = _explained(found) if len(found) > 1 else frozenset()
    for items in found:
        yield from (item for item in items if not (_is_unreadable(item) and item.span in settled))


def _says_nothing_new(fragment: Fragment, schema: Schema, claimed: set[Span]) -> bool:
    """Whether a statement, known to its end, names none of the tables, and its names of columns are explained already.

    It cannot use the columns then; an optional filter after the other makes hundreds of such texts.
    """
    if fragment.consumer is not Consumer.SQL or fragment.holes:
        return False
    places = list(schema.names.places(fragment.text))
    return all(role == "column" and fragment.origin(start, end) in claimed for start, end, _, role in places)


def _explained(found: list[list[Found]]) -> frozenset[Span]:
    """What the texts that could be read say of their pieces."""
    readable = [items for items in found if not any(map(_is_unreadable, items))]
    return frozenset(item.span for items in readable for item in items if isinstance(item, Claim | Reference))


def _is_unreadable(item: Found) -> bool:
    return isinstance(item, Gap) and item.reason == UNREADABLE
