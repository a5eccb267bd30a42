"""Tokens as PostgreSQL's scanner makes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy_ref_scan.sql.lexer import name_of, string_value, tokens, unterminated, words

TOKENS = [
    ("SELECT a.b", "WORD:SELECT WORD:a OTHER:. WORD:b"),
    ('"a""b" U&"\\0061"', 'QUOTED:"a""b" QUOTED:U&"\\0061"'),
    ("'it''s' E'it\\'s' B'01' N'x' U&'x'", "STRING:'it''s' STRING:E'it\\'s' STRING:B'01' STRING:N'x' STRING:U&'x'"),
    ("$$a$$ $tag$ $$ $tag$", "DOLLAR:$$a$$ DOLLAR:$tag$·$$·$tag$"),
    ("$1 :name %s %(name)s", "PARAMETER:$1 PARAMETER::name PARAMETER:%s PARAMETER:%(name)s"),
    ("a::text", "WORD:a OTHER::: WORD:text"),
    ("VALUES ($1,$2)", "WORD:VALUES OTHER:( PARAMETER:$1 OTHER:, PARAMETER:$2 OTHER:)"),
    ("1.5e-3 .5 10", "NUMBER:1.5e-3 NUMBER:.5 NUMBER:10"),
    ("a<--b", "WORD:a OTHER:<"),
    ("a/*x/*y*/z*/b", "WORD:a WORD:b"),
    ("data ?| x", "WORD:data OTHER:?| WORD:x"),
    ("a\x1ab", "WORD:a HOLE:\x1a WORD:b"),
    ("größe", "WORD:größe"),
    ("'never closed", "STRING:'never·closed"),
    ("/* never closed", ""),
]


@pytest.mark.parametrize(("text", "expected"), TOKENS, ids=[text for text, _ in TOKENS])
def test_tokens(text: str, expected: str) -> None:
    data = text.encode()
    found = [f"{t.kind.name}:{data[t.start : t.end].decode()}".replace(" ", "·") for t in words(data)]
    assert " ".join(found) == expected


@given(st.binary())
def test_tokens_tile_any_text(text: bytes) -> None:
    at = 0
    for token in tokens(text):
        assert token.start == at < token.end
        at = token.end
    assert at == len(text)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"Error_Message", "error_message"),
        (b'"Error_Message"', "Error_Message"),
        (b'"a""b"', 'a"b'),
        (b'U&"error\\005Fmessage"', "error_message"),
        (b'u&"\\+00005F"', "_"),
        ("GRÖSSE".encode(), "grÖsse"),
    ],
)
def test_names_are_folded_as_postgresql_does(raw: bytes, name: str) -> None:
    assert name_of(raw) == name


def test_a_name_is_cut_as_postgresql_cuts_it() -> None:
    assert name_of(b"A" * 70) == "a" * 63
    assert name_of(b'"' + b"a" * 63 + b'"') == "a" * 63
    assert name_of(("a" * 62 + "äb").encode()) == "a" * 62  # not within a character


@pytest.mark.parametrize(
    ("raw", "value"),
    [(b"'it''s'", b"it's"), (b"E'a\\'b\\n'", b"a'b\n"), (b"$$a$$", b"a"), (b"$t$a$b$t$", b"a$b"), (b"'open", b"open")],
)
def test_values_of_literals(raw: bytes, value: bytes) -> None:
    assert string_value(raw) == value


@pytest.mark.parametrize(
    ("text", "open_ended"),
    [
        ("'a'", False),
        ("'a", True),
        ("'a''", True),
        ("''", False),
        ("E'a\\'", True),
        ('"a"', False),
        ('"a', True),
        ("$$a$$", False),
        ("$a$ $b$", True),
        ("$$", True),
        ("/* a */", False),
        ("/* /* */", True),
        ("-- a", False),
        ("a", False),
    ],
)
def test_what_lacks_its_end(text: str, open_ended: bool) -> None:
    (token,) = tokens(text.encode())
    assert unterminated(token.kind, text.encode()) is open_ended
