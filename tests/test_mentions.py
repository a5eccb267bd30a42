"""Mentions: whole words in every spelling, and nothing that only looks like one."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy_ref_scan.mentions import Names, names_of
from legacy_ref_scan.model import SourceFile, Target

PHASES = names_of([Target("public", "campaign_phases", "error_message")], ["phase_errors"])
PATHS = names_of([Target("public", "users", "path")], [])


def found(text: str | bytes, names: Names = PHASES, language: str = "go") -> list[tuple[str, str, str]]:
    data = text.encode() if isinstance(text, str) else text
    mentions = names.find(SourceFile("f", data, language))
    return [(data[m.span.start : m.span.end].decode(), m.name, m.role) for m in mentions]


@pytest.mark.parametrize(
    "text",
    [
        "error_message",
        "ERROR_MESSAGE",
        "cp.error_message,",
        '"error_message"',
        'db:"error_message"',
        "'error_message'",
        "(error_message)",
        "$error_message",
        "error_message%s",
        "%serror_message",
        "%[1]serror_message",
        "%(p)serror_message",
        r"\nerror_message\n",
        r"\x0aerror_message",
        r"\u000aerror_message",
        r"\012error_message",
        "id%2Cerror_message",
        "ErrorMessage",
        "errorMessage",
        r'U&"error\005Fmessage"',
        r'u&"\0065rror_message"',
        r'U&"error\+00005Fmessage"',
        """U&"error!005fmessage" UESCAPE '!'""",
        r'"error\x5fmessage"',
        r'"error\137message"',
        r'"error\u005fmessage"',
    ],
)
def test_the_column_in_every_spelling(text: str) -> None:
    assert [(name, role) for _, name, role in found(text)] == [("error_message", "column")]
    assert PHASES.matter(text.encode())
    assert PHASES.in_text(text.encode())
    assert PHASES.in_text(text.encode(), "column")
    assert not PHASES.in_text(text.encode(), "table")


@pytest.mark.parametrize(
    "text",
    [
        "error_message_id",
        "last_error_message",
        "error_messages",
        "errormessage",
        "xerror_message",
        "error_message2",
        "éerror_message",
        "error_messageé",
        "GetErrorMessage",
        "ErrorMessages",
        "ERRORMESSAGE",
        "errorMESSAGE",
        "error message",
        "error-message",
        "campaign_phases_old",
        "campaign_phase_id",
        "",
    ],
)
def test_longer_words_and_other_words_are_no_mention(text: str) -> None:
    assert found(text) == []
    assert not PHASES.in_text(text.encode())


def test_table_and_dependent_with_singular_and_plural() -> None:
    tables = "campaign_phases CampaignPhases campaignPhases CampaignPhase campaignPhase CAMPAIGN_PHASES"
    text = tables + " phase_errors PhaseError"
    assert found(text) == [
        *((word, "campaign_phases", "table") for word in tables.split()),
        ("phase_errors", "phase_errors", "dependent"),
        ("PhaseError", "phase_errors", "dependent"),
    ]
    assert PHASES.in_text(b"CampaignPhase", "table")
    assert not PHASES.in_text(b"CampaignPhase", "column")


@pytest.mark.parametrize(
    ("table", "model"),
    [
        ("categories", "Category"),
        ("category", "Categories"),
        ("addresses", "Address"),
        ("statuses", "Status"),
        ("order_boxes", "OrderBox"),
        ("people", "Person"),
        ("test_analyses", "TestAnalysis"),
        ("user_indices", "UserIndex"),
        ("leaves", "Leaf"),
        ("media", "Medium"),
        ("api_keys", "APIKey"),
        ("api_keys", "ApiKey"),
        ("shipments", "Shipment"),
    ],
)
def test_inflections_of_a_table(table: str, model: str) -> None:
    names = names_of([Target("public", table, "some_column")], [])
    assert found(model, names) == [(model, table, "table")]
    assert names.matter(model.encode())


def test_initialisms_of_a_column() -> None:
    names = names_of([Target("public", "t", "user_id")], [])
    assert [text for text, _, _ in found("UserID UserId userID userId UserIDs", names)] == [
        "UserID",
        "UserId",
        "userID",
        "userId",
    ]


def test_a_single_word_in_capitals_is_the_host_languages_own() -> None:
    assert [text for text, _, _ in found("path Path PATH User Users users", PATHS)] == ["path", "PATH", "User", "users"]
    assert [text for text, _, _ in found("path Path PATH", PATHS, "sql")] == ["path", "Path", "PATH"]
    assert PATHS.in_text(b"SELECT Path FROM t", "column")
    names = names_of([Target("public", "t", "id")], [])
    assert [text for text, _, _ in found("id Id ID", names)] == ["id"]


def test_a_quoted_name_with_quotes_and_other_letters() -> None:
    names = names_of([Target("public", "Größe", 'we"ird name')], [])
    assert found('"we""ird name" Größe xGröße', names) == [
        ('we""ird name', 'we"ird name', "column"),
        ("Größe", "Größe", "table"),
    ]


def test_a_name_that_is_column_and_table_counts_once_as_column() -> None:
    names = names_of([Target("public", "notes", "notes")], ["notes"])
    assert found("notes", names) == [("notes", "notes", "column")]


def test_data_with_a_unicode_identifier_matters_as_it_is() -> None:
    assert PHASES.matter(b'SELECT U&"x"')
    assert not PHASES.matter(rb'"\x1b[0m \u00e9 \137"')
    assert not PHASES.matter(b"func main() {}")
    assert PHASES.matter(b"SetErrorMessage")


def test_codes_are_read_wherever_they_stand() -> None:
    far = " " * 2000
    text = rf'"\x1b" {far} "error_message" {far} "error\x5fmess\141ge" {far} "\x1b" "\x1b"'
    assert [name for _, name, _ in found(text)] == ["error_message", "error_message"]
    assert not PHASES.matter(rf'"\x1b" {far} "error\x5f" {far} "message"'.encode())


def test_no_names_find_nothing() -> None:
    names = names_of([], [])
    assert not names.matter(b"anything \\x41")
    assert found(rb"anything \x41", names) == []


words = st.text(st.sampled_from(string.ascii_lowercase + "_" + "0"), min_size=1, max_size=8)


@given(words, words, st.binary(max_size=40), st.binary(max_size=40))
def test_what_find_finds_matters_and_is_in_text(column: str, table: str, before: bytes, after: bytes) -> None:
    names = names_of([Target("public", table, column)], [])
    data = before + b" " + column.encode() + b" " + after
    mentions = names.find(SourceFile("f", data, "sql"))
    assert any(m.span.start == len(before) + 1 for m in mentions)
    assert names.matter(data)
    assert names.in_text(data)
    ends = [0, *(m.span.end for m in mentions)]
    assert all(m.span.start >= end for m, end in zip(mentions, ends, strict=False))


@given(st.text(alphabet='error_message ErrorMessage\\x5fu&"0campign_ph!', max_size=60))
def test_matter_is_never_false_where_something_is_found(text: str) -> None:
    data = text.encode()
    if PHASES.find(SourceFile("f", data, "sql")) or PHASES.in_text(data):
        assert PHASES.matter(data)


@given(st.text(alphabet="aAbB_ .", max_size=30))
def test_whole_words_are_what_a_plain_pattern_says(text: str) -> None:
    names = names_of([Target("public", "b_a", "a_b")], ["b_a_b"])
    expected = [match.group() for match in re.finditer(r"(?i)\b(?:a_b|b_as?|b_a_bs?)\b|\b[AaBb][Aa]?[Bb]?\b", text)]
    spellings = {"AB": "a_b", "aB": "a_b", "BA": "b_a", "bA": "b_a", "BAB": "b_a_b", "bAB": "b_a_b"}
    plain = {"a_b", "b_a", "b_a_b"}
    kept = [word for word in expected if word.lower() in plain or word in spellings]
    assert [word for word, _, _ in found(text, names)] == kept
