"""Templated SQL keeps the place of every byte that is not part of an action."""

import pytest

from legacy_ref_scan.model import HOLE, Fragment, Piece, Span
from legacy_ref_scan.sql.templates import inside_actions, without_templates

TEXT = b"SELECT {{.Columns}} FROM t{% if x %} WHERE a = {{ b }}{% endif %} AND c"


def test_text_without_actions_is_the_same_fragment() -> None:
    fragment = Fragment(b"SELECT 1", (Piece(0, 8, Span("a.sql", 0, 8)),), Span("a.sql", 0, 8))
    assert without_templates(fragment) is fragment


def test_actions_become_holes_and_offsets_stay_true() -> None:
    fragment = Fragment(TEXT, (Piece(0, len(TEXT), Span("a.sql", 5, 5 + len(TEXT))),), Span("a.sql", 5, 5 + len(TEXT)))
    cut = without_templates(fragment)
    assert cut.text == b"SELECT \x1a FROM t\x1a WHERE a = \x1a\x1a AND c"
    assert [hole.offset for hole in cut.holes] == [at for at, byte in enumerate(cut.text) if byte == HOLE[0]]
    for piece in cut.pieces:
        origin = piece.origin
        assert cut.text[piece.start : piece.end] == TEXT[origin.start - 5 : origin.end - 5]
    covered = sum(piece.end - piece.start for piece in cut.pieces)
    assert covered == len(cut.text) - len(cut.holes)


def test_holes_of_the_fragment_move_along() -> None:
    from legacy_ref_scan.model import Hole

    text = b"{{a}} x \x1a y"
    hole = Hole(text.index(HOLE), "unknown", Span("a.go", 90, 91))
    pieces = (Piece(0, 8, Span("a.go", 0, 8)), Piece(9, 11, Span("a.go", 100, 102)))
    cut = without_templates(Fragment(text, pieces, Span("a.go", 0, 102), holes=(hole,)))
    assert [cut.text[h.offset : h.offset + 1] for h in cut.holes] == [HOLE, HOLE]
    assert cut.holes[1].reason == "unknown"


def whole(text: bytes) -> Fragment:
    span = Span("models/stg_phases.sql", 0, len(text))
    return Fragment(text, (Piece(0, len(text), span),), span, kind="sql-file")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        (b"SELECT a FROM {{ ref('phases') }} p", b"SELECT a FROM phases p"),
        (b"SELECT a FROM {{ ref('pkg', 'phases', v=2) }} p", b"SELECT a FROM phases p"),
        (b'SELECT a FROM {{- source("app", "phases") -}} p', b"SELECT a FROM phases p"),
        (b"SELECT a FROM {{ ref(name) }}", b"SELECT a FROM \x1a"),
        (b"{{ config(materialized='view') }}\nSELECT {# why #} a", b" \nSELECT   a"),
        (b"SELECT max(a) FROM {{ this }}", b"SELECT max(a) FROM stg_phases"),
        (b"SELECT a FROM t\n{% if x() %}\nWHERE a > 1\n{% endif %}\n", b"SELECT a FROM t\n \nWHERE a > 1\n \n"),
        (b"SELECT a FROM\n{% if x %}\nt\n{% else %}\nu\n{% endif %}\n", b"SELECT a FROM\n\x1a\nt\n\x1a\nu\n \n"),
        (b"SELECT {% for c in cs %}{{ c }}{% if not loop.last %}, {% endif %}{% endfor %}", b"SELECT \x1a\x1a \x1a"),
    ],
)
def test_what_dbt_writes(text: bytes, made: bytes) -> None:
    cut = without_templates(whole(text))
    assert cut.text == made
    for piece in cut.pieces:
        assert cut.text[piece.start : piece.end] == text[piece.origin.start : piece.origin.end]


def test_names_inside_actions_are_found() -> None:
    text = b"{{ ref('a') }} {{ b }} {# c #} {% set d = 1 %}"
    assert [text[start:end] for start, end in inside_actions(whole(text))] == [b"{{ b }}", b"{% set d = 1 %}"]
