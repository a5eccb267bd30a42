"""Where the bytes of a fragment come from."""

from __future__ import annotations

from legacy_ref_scan.model import Fragment, Piece, Span

QUOTED = Fragment(
    b'DROP TABLE "phases"',
    (
        Piece(0, 12, Span("quote.go", 100, 112)),
        Piece(12, 18, Span("names.go", 40, 46)),
        Piece(18, 19, Span("quote.go", 112, 113)),
    ),
    Span("quote.go", 90, 120),
)


def test_a_name_is_found_in_its_own_file_though_its_quotes_stand_in_another() -> None:
    assert QUOTED.origin(11, 19) == Span("names.go", 40, 46)


def test_a_range_of_one_file_reaches_from_the_first_piece_to_the_last() -> None:
    assert QUOTED.origin(0, 19) == Span("quote.go", 100, 113)


def test_what_no_piece_covers_is_the_whole_site() -> None:
    made_up = Fragment(b", ", (), Span("list.go", 1, 9))
    assert made_up.origin(0, 2) == Span("list.go", 1, 9)
