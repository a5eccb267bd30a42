"""Templated SQL keeps the place of every byte that is not part of an action."""

from legacy_ref_scan.model import HOLE, Fragment, Piece, Span
from legacy_ref_scan.sql.templates import without_templates

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
