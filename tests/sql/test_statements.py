"""Where one statement ends and the next begins."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy_ref_scan.sql.statements import cut

CUTS = [
    ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"], []),
    ("SELECT 1;; ;-- nothing\n;", ["SELECT 1"], []),
    ("SELECT ';'; SELECT \";\"", ["SELECT ';'", 'SELECT ";"'], []),
    ("SELECT E'\\';'; SELECT 2", ["SELECT E'\\';'", "SELECT 2"], []),
    ("SELECT 1 -- ; \n; SELECT 2", ["SELECT 1 -- ;", "SELECT 2"], []),
    ("SELECT /* ; /* ; */ ; */ 1; SELECT 2", ["SELECT /* ; /* ; */ ; */ 1", "SELECT 2"], []),
    ("DO $$ BEGIN a; b; END $$; SELECT 2", ["DO $$ BEGIN a; b; END $$", "SELECT 2"], []),
    ("DO $x$ $$;$$ ; $x$; SELECT 2", ["DO $x$ $$;$$ ; $x$", "SELECT 2"], []),
    (
        "CREATE RULE r AS ON INSERT TO t DO (a; b); SELECT 2",
        ["CREATE RULE r AS ON INSERT TO t DO (a; b)", "SELECT 2"],
        [],
    ),
    (
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END; SELECT 3",
        ["CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END", "SELECT 3"],
        [],
    ),
    ("BEGIN; SELECT 1; END;", ["BEGIN", "SELECT 1", "END"], []),
    ("\\connect db\nSELECT 1;", ["SELECT 1"], ["\\connect db"]),
    ("COPY t FROM stdin;\n1\t;\n\\.\nSELECT 2;", ["COPY t FROM stdin", "SELECT 2"], ["1\t;\n\\."]),
    ("COPY t FROM STDIN; SELECT 2", ["COPY t FROM STDIN", "SELECT 2"], []),
    ("SELECT 'open; SELECT 2", ["SELECT 'open; SELECT 2"], []),
    ("SELECT (1; SELECT 2", ["SELECT (1; SELECT 2"], []),
    ("SELECT 1)); SELECT 2", ["SELECT 1))", "SELECT 2"], []),
    ("", [], []),
    ("  -- only a comment", [], []),
]


@pytest.mark.parametrize(("text", "statements", "skipped"), CUTS, ids=[text[:40] for text, _, _ in CUTS])
def test_cut(text: str, statements: list[str], skipped: list[str]) -> None:
    data = text.encode()
    found = cut(data)
    assert [data[start:end].decode().strip() for start, end in found.statements] == statements
    assert [data[start:end].decode().strip() for start, end in found.skipped] == skipped


@given(
    st.lists(st.sampled_from(["SELECT 1", ";", "'", '"', "$$", "(", ")", "--", "/*", "*/", "\n", "\\x", "case", "end"]))
)
def test_parts_are_in_order_and_apart(parts: list[str]) -> None:
    data = " ".join(parts).encode()
    found = cut(data)
    ranges = sorted((*found.statements, *found.skipped))
    assert all(start < end <= len(data) for start, end in ranges)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(ranges))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("-- name: a\nSELECT 1\n\n-- name: b!\nUPDATE t SET x = 1", ["SELECT 1", "UPDATE t SET x = 1"]),
        ("-- :name a :many\nSELECT 1;\n-- :name b\nSELECT 2", ["SELECT 1", "SELECT 2"]),
        (
            "-- how --\n\n-- a --\nSELECT 1\n\n-- b --\n-- what b does\nWITH q AS (SELECT 2) SELECT 3",
            ["SELECT 1", "WITH"],
        ),
        ("-- a --\nSELECT 1\n-- from --\nFROM t\n\n-- where --\nWHERE true", ["SELECT 1"]),
        ("SELECT 1\nUNION\n\n-- second --\nSELECT 2", ["SELECT 1"]),
        (
            "CREATE FUNCTION f() AS $$\n-- name: x\nSELECT 1 $$; SELECT (\n-- name: y\n1)",
            ["CREATE FUNCTION", "SELECT ("],
        ),
        ("SELECT 1 -- name: a\nFROM t", ["SELECT 1"]),
    ],
)
def test_headers_of_named_queries_end_the_statement_before_them(text: str, wanted: list[str]) -> None:
    data = text.encode()
    found = [
        "\n".join(line for line in data[start:end].decode().strip().split("\n") if not line.startswith("--"))
        for start, end in cut(data).statements
    ]
    assert [one[: len(want)] for one, want in zip(found, wanted, strict=True)] == wanted
