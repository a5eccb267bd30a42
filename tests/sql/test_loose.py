"""Texts that are no statements: parts of one, names alone, prose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from legacy_ref_scan.model import Claim, Consumer, Fragment, Gap, Piece, Reference, Span
from legacy_ref_scan.sql.analyze import analyze
from legacy_ref_scan.sql.findings import Schema
from tests.sql.test_bodies import TABLES, schema_of

SCHEMA = schema_of(TABLES)


def judged(text: str, consumer: Consumer = Consumer.UNKNOWN, note: str = "", schema: Schema = SCHEMA) -> set[str]:
    data = text.encode()
    span = Span("a.go", 0, len(data))
    fragment = Fragment(data, (Piece(0, len(data), span),), span, consumer=consumer, note=note, kind="go-sql")
    results: set[str] = set()
    for found in analyze(fragment, schema):
        match found:
            case Reference():
                results.add(str(found.access))
            case Gap():
                results.add(found.reason)
            case Claim():
                assert "message" not in data[found.span.start : found.span.end].decode() or found.why
    return results


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM phases WHERE message IS NULL", {"read"}),
        ("JOIN phases p ON p.message = x.y", {"read"}),
        ("phases p ON p.message = x.y", {"read"}),
        ("id, message, status", {"fragment-without-table"}),
        ("WHERE message IS NULL", {"fragment-without-table"}),
        (" AND p.message = $1", {"fragment-without-table"}),
        ("SET message = NULL", {"fragment-without-table"}),
        ("RETURNING message", {"fragment-without-table"}),
        ("message desc", {"fragment-without-table"}),
        ("SELECT message", {"fragment-without-table"}),
        ("message", {"loose-name"}),
        ("p.message", {"loose-name"}),
        ("\x1a.message", {"loose-name"}),
        ("%smessage", {"loose-name"}),
        ("%s%[2]vmessage", {"loose-name"}),
        ("JOIN jobs j ON j.message = 'x'", set()),
        ("the message of the phases is missing", set()),
        ("failed: message %s", set()),
        ("update phases failed", set()),
        ("a/message", set()),
        ("some.message.path.com", set()),
        ("app-message", set()),
    ],
)
def test_parts_names_and_prose(text: str, expected: set[str]) -> None:
    assert judged(text) == expected


@pytest.mark.parametrize("note", ["map index", "comparison", "switch case", "argument of len", "named argument"])
def test_a_name_that_is_only_looked_at_is_no_gap(note: str) -> None:
    assert judged("message", note=note) == set()


def test_a_name_for_a_query_builder_is_a_gap() -> None:
    assert judged("message", Consumer.BUILDER) == {"builder-column"}


def test_a_message_for_people_is_text_unless_it_is_a_query() -> None:
    assert judged("no message in phases", Consumer.TEXT) == set()
    assert judged("SELECT message FROM phases", Consumer.TEXT) == {"read"}


@pytest.mark.parametrize(("near", "expected"), [(True, {"loose-name"}), (False, set())])
def test_a_key_of_a_map_counts_where_its_folder_speaks_of_the_table(near: bool, expected: set[str]) -> None:
    assert judged("message", note="map key", schema=replace(SCHEMA, near=lambda _: near)) == expected
