"""The flat tree: repairs before parsing keep every offset, and what PostgreSQL reads has no error."""

from __future__ import annotations

import pytest

from legacy_ref_scan.sql.tree import MAX_STATEMENT, TooComplexError, parse

READABLE = [
    "SELECT a FROM t WHERE b = ANY (SELECT c FROM u)",
    "SELECT a FROM t WHERE b <> ALL (VALUES (1), (2))",
    "SELECT a FROM t WHERE b = SOME ((SELECT c) EXCEPT ALL (SELECT d FROM u))",
    "SELECT a FROM t WHERE b LIKE 'x!%' ESCAPE '!' AND c",
    "SELECT 'a'\n  'b' AS c",
    "SELECT /* /* nested */ */ a FROM t",
    "SELECT U&\"\\0061\", U&'\\0061' FROM t",
    "SELECT a FROM t WHERE b = ? AND c ? 'key' AND d = :name AND e = @name AND f = %s AND g = %(name)s",
    "SELECT DISTINCT ON (a) ?::text, b FROM t",
    "SELECT ARRAY[:a, :b], tags[1:2], tags[:n] FROM t",
    "INSERT INTO t DEFAULT VALUES ON CONFLICT DO NOTHING RETURNING a",
    "INSERT INTO t (a,b) VALUES ($1,$2)",
    "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED BY SOURCE AND b THEN DO NOTHING",
    "SELECT a FROM \x1a WHERE b = \x1a AND c IN (\x1a) ORDER BY \x1a",
    "SELECT a FROM t\x1a WHERE b = 1",
    "SELECT a FROM t p JOIN u USING (a) AS x",
    "UPDATE t SET (a, b) = ROW (1, DEFAULT), c.d = 2, e[1] = 3 WHERE CURRENT OF f",
]


@pytest.mark.parametrize("text", READABLE)
def test_no_error(text: str) -> None:
    assert parse(text.encode()).errors == ()


@pytest.mark.parametrize("text", READABLE)
def test_names_keep_their_places(text: str) -> None:
    data = text.encode()
    tree = parse(data)
    for node in tree.root.walk():
        assert 0 <= node.start <= node.end <= len(data)
        if node.type == "identifier" and data[node.start : node.end] != b"\x1a":
            assert data[node.start : node.end].decode().isidentifier()


@pytest.mark.parametrize("text", ["SELECT a, FROM t", "SELECT FROM WHERE t", "SELECT (a FROM t", "UPDATE t SET"])
def test_what_postgresql_refuses_has_an_error(text: str) -> None:
    assert parse(text.encode()).errors


def test_a_part_of_a_text_keeps_its_offsets() -> None:
    text = b"-- first\nSELECT 1; SELECT message FROM phases"
    tree = parse(text, 19, len(text))
    assert [tree.raw(node) for node in tree.root.find("identifier")] == [b"message", b"phases"]


def test_an_operand_with_a_prefix_keeps_its_offsets() -> None:
    tree = parse(b"message || status", prefix=b"SELECT ")
    assert [(node.start, tree.raw(node)) for node in tree.root.find("identifier")] == [(0, b"message"), (11, b"status")]


def test_lists_are_flat_however_long() -> None:
    tree = parse(b"SELECT " + b" AND ".join([b"a"] * 3_000))
    expression = tree.root.first("a_expr")
    assert expression is not None
    assert len(expression.all("columnref")) == 3_000


@pytest.mark.parametrize(
    "text", [b"SELECT '" + b"x" * MAX_STATEMENT + b"'", b"SELECT " + b"(" * 20_000 + b")" * 20_000]
)
def test_bounds(text: bytes) -> None:
    with pytest.raises(TooComplexError):
        parse(text)
