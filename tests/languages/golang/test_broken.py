"""Sources that are half-written, huge, nested or not text: nothing gets lost."""

# ruff: noqa: E501 -- a Go source reads best as one string

from __future__ import annotations

import pytest

from legacy_ref_scan.model import Explanation, Fragment, Gap
from tests.languages.golang.harness import body, claims, fragments, gaps, scan, texts

Q = "SELECT error_message FROM campaign_phases"


@pytest.mark.parametrize(
    "source",
    [
        f'package a\nfunc F() {{ db.Query("{Q}"',
        f'package a\nfunc F() {{ x := [ }} ) db.Query("{Q}") // error_message\n',
        f'package a\nfunc ( {{ "{Q}"\n\nfunc G() {{ db.Query("{Q}") }}\n',
        f'@@@ "{Q}" @@@ error_message `error_message` /* campaign_phases',
        f"package a\nvar q = `{Q}",
        f'"{Q}"',
        f'package a\n<<<<<<< HEAD\nconst q = "{Q}"\n=======\nconst q = "x"\n>>>>>>> b\n',
    ],
)
def test_syntax_errors(source: str) -> None:
    assert any(Q in text for text in texts(scan(source)))


def test_bytes_that_are_not_utf8() -> None:
    found = scan({"a.go": b'package a\n// \xff\xfe error_message\nvar q = "\xe9 error_message FROM campaign_phases"\n'})
    assert fragments(found)[0].text.startswith(b"\xe9 error_message")


def test_a_long_sum_does_not_overflow() -> None:
    parts = " + ".join(f'"c{n}, "' for n in range(3000))
    found = texts(
        scan(
            f'package a\nfunc F(db *sql.DB) {{ db.Query("SELECT " + {parts} + "error_message FROM campaign_phases") }}\n'
        )
    )
    assert len(found) == 1
    assert next(iter(found)).endswith("c2999, error_message FROM campaign_phases")


def test_deep_nesting_is_a_gap_and_loses_nothing() -> None:
    found = scan(f'package a\nfunc F(db *sql.DB) {{ db.Query({"(" * 3000}"{Q}"{")" * 3000}) }}\n')
    assert Q in texts(found)
    assert "go-not-interpreted" in {gap.reason for gap in gaps(found)}


def test_a_long_chain_does_not_overflow() -> None:
    links = '.Where("a = 1")' * 400
    source = f'package a\nimport sq "github.com/Masterminds/squirrel"\nfunc F() {{ sq.Select("error_message").From("campaign_phases"){links}.ToSql() }}\n'
    assert any(text.startswith(Q) for text in texts(scan(source)))


def test_escapes_keep_their_place() -> None:
    source = 'package a\nfunc F(db *sql.DB) { db.Query("SELECT\\n\\"error_message\\" FROM \\u0063ampaign_phases") }\n'
    (fragment,) = fragments(scan(source))
    at = fragment.text.index(b"error_message")
    span = fragment.origin(at, at + len(b"error_message"))
    assert source[span.start : span.end] == "error_message"
    assert fragment.text == b'SELECT\n"error_message" FROM campaign_phases'


@pytest.mark.parametrize(
    "source",
    [
        f'package a\nfunc ( {{ "{Q}\n',
        f'package a\nfunc F() {{ db.Query("SELECT id" {Q}") }}\n',
        f'package a\nfunc F() {{ db.Query("{Q}) }}\n\nfunc G() {{ db.Query(") }}\n',
        f"package a\nvar q = `SELECT 1\n\nvar r = `{Q}`\n",
        f"package a\nvar q = `SELECT 1`\nvar r = {Q}`\n",
        "package a\nvar q = `SELECT 1\nvar r = `SELECT\n error_message\n FROM campaign_phases\nvar s = 1\n",
        f"package a\n/* {Q}\nfunc F() {{ }}\n",
        f'package a\nfunc F() {{ x := "\\\n{Q}" }}\n',
    ],
)
def test_a_name_behind_an_open_quote_is_no_identifier(source: str) -> None:
    found = scan(source)
    at = source.index("error_message")
    trusted: list[Fragment | Gap] = [*fragments(found), *gaps(found)]
    assert any(covers(item, at) for item in trusted)


def covers(item: Fragment | Gap, at: int) -> bool:
    spans = [piece.origin for piece in item.pieces] if isinstance(item, Fragment) else [item.span]
    return any(span.start <= at < span.end for span in spans)


def test_identifiers_of_a_broken_file_are_still_identifiers() -> None:
    found = scan('package a\nfunc F() { x := "a" "b"; ErrorMessage() } )\n')
    assert not gaps(found)
    assert [claim.why for claim in claims(found)] == [Explanation.IDENTIFIER]


def test_new_takes_a_value_since_go_1_26() -> None:
    text = body(
        'page := Page{From: new(2), To: new(ids[0].ID())}\nq := new("SELECT error_message FROM campaign_phases")\n'
        "db.Query(*q, page)\nuse(campaignPhases, error_message)",
        top="var raw = `raw`\ntype Page struct{ From, To *int }",
    )
    found = scan(text)
    assert gaps(found) == []
    assert "SELECT error_message FROM campaign_phases" in texts(found)
