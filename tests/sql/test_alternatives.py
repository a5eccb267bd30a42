"""Texts of one place that no run of a program makes, beside those that it does make."""

from __future__ import annotations

from legacy_ref_scan.model import Consumer, Fragment, Gap, Piece, Reference, Span
from legacy_ref_scan.sql.alternatives import analyze_all
from tests.sql.test_bodies import TABLES, schema_of

SITE = Span("store.go", 0, 200)


def fragment(start: int, text: str, site: Span = SITE) -> Fragment:
    """A text whose first `start` bytes stand in the source, byte for byte; the rest was put behind it."""
    return Fragment(text.encode(), (Piece(0, start, Span("store.go", 10, 10 + start)),), site, consumer=Consumer.SQL)


HEAD = "SELECT message, "
BROKEN, READABLE = f"{HEAD}FROM jobs", f"{HEAD}id FROM jobs"


def reasons(*fragments: Fragment) -> list[str]:
    found = analyze_all(fragments, schema_of(TABLES))
    return [item.reason for item in found if isinstance(item, Gap)]


def test_a_text_that_cannot_be_read_alone_is_a_gap() -> None:
    assert reasons(fragment(len(HEAD), BROKEN)) == ["unreadable-sql"]


def test_it_is_settled_by_one_of_the_same_place_that_can() -> None:
    assert reasons(fragment(len(HEAD), BROKEN), fragment(len(HEAD), READABLE)) == []


def test_another_place_settles_nothing() -> None:
    other = fragment(len(HEAD), READABLE, Span("store.go", 300, 400))
    assert reasons(fragment(len(HEAD), BROKEN), other) == ["unreadable-sql"]


def test_a_use_in_the_one_that_can_be_read_stays() -> None:
    texts = [text.replace("jobs", "phases") for text in (BROKEN, READABLE)]
    found = list(analyze_all([fragment(len(HEAD), text) for text in texts], schema_of(TABLES)))
    assert [item.access for item in found if isinstance(item, Reference)] == ["read"]
