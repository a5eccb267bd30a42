"""Text that nobody should write: no crash, no hang, and no mention that is lost."""

from __future__ import annotations

import resource
import time
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from legacy_ref_scan.model import Gap, Reference, Target
from legacy_ref_scan.sql.findings import Schema
from tests.sql.generated import in_style, make_statement
from tests.sql.generated_schema import GeneratedSchema, make_schema
from tests.sql.law import findings_of, schema_of, uncovered

SEEDS = st.integers(0, 2**32 - 1)  # a statement takes thousands of choices: too many to draw each
USE = b"SELECT message FROM phases"
COMMON = "CREATE TABLE phases (id int, message text, status text); CREATE TABLE jobs (id int, message text);"

DEEP = {
    "parentheses": b"SELECT " + b"(" * 10_000 + b"message" + b")" * 10_000 + b" FROM phases",
    "too many parentheses": b"SELECT " + b"(" * 100_000 + b"message" + b")" * 100_000 + b" FROM phases",
    "open parentheses": b"SELECT " + b"(" * 10_000 + b"message FROM phases",
    "subselects": b"SELECT (SELECT " * 3_000 + b"message" + b" FROM phases)" * 3_000,
    "derived tables": b"SELECT * FROM (" * 2_000 + USE + b") a" * 2_000,
    "calls": b"SELECT " + b"f(" * 5_000 + b"message" + b")" * 5_000 + b" FROM phases",
    "CASE": b"SELECT " + b"CASE WHEN message = 'a' THEN " * 3_000 + b"1" + b" END" * 3_000 + b" FROM phases",
    "NOT": b"SELECT 1 FROM phases WHERE " + b"NOT " * 10_000 + b"(message IS NULL)",
    "subscripts": b"SELECT message" + b"[" * 5_000 + b"1" + b"]" * 5_000 + b" FROM phases",
    "comments": b"SELECT " + b"/*" * 10_000 + b"message" + b"*/" * 10_000 + b"message FROM phases",
    "plpgsql": b"DO $$ BEGIN " + b"IF a THEN " * 2_000 + b"UPDATE phases SET message = 1;" + b" END IF;" * 2_000,
}

LONG = {
    "operands": b"SELECT 1 FROM phases WHERE " + b" AND ".join([b"message = 'x'"] * 3_000),
    "rows": b"INSERT INTO phases (id, message) VALUES " + b",".join([b"(1,'x')"] * 10_000),
    "unions": b" UNION ALL ".join([USE] * 2_000),
    "joins": b"SELECT 1 FROM phases" + b" JOIN jobs USING (message)" * 2_000,
    "chained WITH": b"WITH c0 AS (SELECT message FROM phases)"
    + b"".join(b", c%d AS (SELECT message FROM c%d)" % (i, i - 1) for i in range(1, 1_000))
    + b" SELECT message FROM c999",
    "doubled stars": b"WITH c0 AS (SELECT * FROM phases)"
    + b"".join(b", c%d AS (SELECT x.*, y.* FROM c%d x, c%d y)" % (i, i - 1, i - 1) for i in range(1, 25))
    + b" SELECT message FROM c24",
    "statements": USE + b";" + (USE + b";") * 1_000,
    "words": b"message phases " * 1_000,
    "operators": b"SELECT message " + b"+*-/<>=~!@#%^&|`?" * 5_000 + b" FROM phases",
}

ODD = {
    "a literal of 10 MB": b"UPDATE phases SET message = '" + b"x" * 10_000_000 + b"'",
    "more than a statement may have": b"UPDATE phases SET message = '" + b"x" * 20_000_000 + b"'",
    "NUL": b"SELECT mess\0age, message\0 FROM phases\0 WHERE message = '\0'",
    "not UTF-8": b"SELECT message\xff\xfe, \xc3\x28 FROM phases WHERE \xff = message",
    "every byte": bytes(range(1, 256)) * 200 + b" message phases",
    "an open quote": b"SELECT id FROM phases WHERE status = 'x; SELECT message FROM phases",
    "an open name": b'SELECT "message FROM phases',
    "an open comment": b"SELECT id FROM phases /* message",
    "an open dollar quote": b"SELECT id FROM phases WHERE status = $a$ message FROM phases $b$",
}


@pytest.fixture(scope="module")
def schema() -> Schema:
    return schema_of(COMMON, Target("public", "phases", "message"))


@pytest.mark.parametrize("text", [*DEEP.values(), *LONG.values(), *ODD.values()], ids=[*DEEP, *LONG, *ODD])
def test_no_crash_no_hang_no_silence(schema: Schema, text: bytes) -> None:
    before = time.monotonic()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = findings_of(text, schema)
    assert time.monotonic() - before < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 500_000  # kilobytes
    assert any(isinstance(item, Reference | Gap) for item in found)
    assert uncovered(text, schema, found) == []


@pytest.mark.parametrize("name", ["too many parentheses", "subselects", "derived tables", "calls", "CASE"])
def test_what_is_too_deep_is_a_gap_with_that_reason(schema: Schema, name: str) -> None:
    assert {item.reason for item in findings_of(DEEP[name], schema) if isinstance(item, Gap)} == {"too-complex"}


def test_what_is_long_is_read_all_the_same(schema: Schema) -> None:
    for name, count in {"operands": 3_000, "rows": 1, "unions": 2_000, "statements": 1_001}.items():
        found = findings_of(LONG[name], schema)
        assert sum(isinstance(item, Reference) for item in found) == count
        assert not any(isinstance(item, Gap) for item in found)


GENERATED = make_schema(Random(1))


@pytest.fixture(scope="module")
def generated() -> tuple[GeneratedSchema, Schema]:
    target = Target(GENERATED.target.schema, GENERATED.target.name, "message")
    return GENERATED, schema_of(GENERATED.sql, target, GENERATED.search_path)


def mutated(random: Random, statement: bytes, other: bytes) -> bytes:
    """The statement cut off, with a part doubled, spliced with another, or with bytes changed."""
    at, to = sorted(random.randrange(len(statement) + 1) for _ in range(2))
    noise = bytes(random.randrange(256) for _ in range(random.randrange(1, 5)))
    return random.choice(
        (
            statement[:to],
            statement[at:],
            statement[:to] + statement[at:],
            statement[:at] + other[random.randrange(len(other)) :],
            statement[:at] + noise + statement[to:],
            statement[:at]
            + random.choice((b"'", b'"', b"(", b")", b"/*", b"--", b"$$", b";", b"\x1a"))
            + statement[at:],
        )
    )


@settings(max_examples=400, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(seed=SEEDS, sql_file=st.booleans())
def test_mutated_statements(generated: tuple[GeneratedSchema, Schema], seed: int, sql_file: bool) -> None:
    random = Random(seed)
    one, two = (in_style(make_statement(random, generated[0]), "$1").encode() for _ in range(2))
    text = mutated(random, mutated(random, one, two), two)
    found = findings_of(text, generated[1], "sql-file" if sql_file else "go-sql")
    assert uncovered(text, generated[1], found) == []


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(parts=st.lists(st.one_of(st.binary(max_size=12), st.sampled_from([b" message ", b" phases ", USE]))))
def test_random_bytes(schema: Schema, parts: list[bytes]) -> None:
    text = b"".join(parts)
    assert uncovered(text, schema, findings_of(text, schema)) == []


BROKEN = [
    "SELECT message FROM phases WHERE (",
    "SELECT , message FROM phases",
    "SELECT message FROM (phases",
    "SELECT message phases FROM",
    "SELECT message, FROM phases",
    "UPDATE phases SET message",
    "UPDATE phases SET message = WHERE",
    "INSERT INTO phases (id, message",
    "INSERT INTO phases message VALUES",
    "DELETE FROM phases WHERE message = AND",
    "WITH a AS (SELECT message FROM phases",
    "SELECT 1 FROM phases WHERE status = 'x message = 1",
    'SELECT "id, message FROM phases',
    "SELECT 1 FROM phases /* WHERE message = 1",
    "SELECT 1 FROM phases WHERE status = $a$ message $b$",
    "SELECT CASE WHEN message THEN FROM phases END",
]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_statement_over_the_table_is_never_explained_away(schema: Schema, text: str) -> None:
    found = findings_of(text, schema)
    assert any(isinstance(item, Reference | Gap) for item in found)
    assert uncovered(text.encode(), schema, found) == []
