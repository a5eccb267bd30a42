"""Texts of one place that no run of a program makes, beside those that it does make."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from legacy_ref_scan.model import Consumer, Found, Fragment, Gap, Piece, Reference, Span
from legacy_ref_scan.sql.alternatives import analyze_all
from legacy_ref_scan.sql.analyze import analyze
from legacy_ref_scan.sql.findings import Schema
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


PIECES = ["SELECT message FROM other o WHERE true", " AND a > 1", " AND b > 2", " AND EXISTS (SELECT FROM more)"]


def made_of(*numbers: int) -> Fragment:
    """The pieces with these numbers, each of a place of its own, one behind the other."""
    texts = [PIECES[number].encode() for number in numbers]
    ends = [sum(map(len, texts[: index + 1])) for index in range(len(texts))]
    pieces = tuple(
        Piece(end - len(text), end, Span("store.go", 1000 * number, 1000 * number + len(text)))
        for number, text, end in zip(numbers, texts, ends, strict=True)
    )
    return Fragment(b"".join(texts), pieces, SITE, consumer=Consumer.SQL)


def analysed(monkeypatch: pytest.MonkeyPatch, *fragments: Fragment) -> list[bytes]:
    """The texts that were read."""
    read: list[bytes] = []

    def noting(fragment: Fragment, schema: Schema) -> Iterator[Found]:
        read.append(fragment.text)
        return analyze(fragment, schema)

    monkeypatch.setattr("legacy_ref_scan.sql.alternatives.analyze", noting)
    list(analyze_all(fragments, schema_of(f"{TABLES} CREATE TABLE other (message text, a int, b int);")))
    return read


def test_a_text_of_parts_that_were_all_read_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, both = made_of(0, 1), made_of(0, 2), made_of(0, 1, 2)
    assert analysed(monkeypatch, one, two, both) == [one.text, two.text]


def test_a_part_that_was_not_read_yet_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """`more` may be a view of which the migrations know nothing."""
    one, unknown = made_of(0, 1), made_of(0, 3)
    assert analysed(monkeypatch, one, unknown, made_of(0, 1, 3)) == [one.text, unknown.text]


def test_a_text_that_names_the_table_is_read_in_each_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "PIECES", [piece.replace("other", "phases") for piece in PIECES])
    texts = made_of(0, 1), made_of(0, 2), made_of(0, 1, 2)
    assert analysed(monkeypatch, *texts) == [item.text for item in texts]
