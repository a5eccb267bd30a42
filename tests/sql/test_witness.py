"""The second parser: silent where it agrees or can't read, a gap where it sees a column that the walk did not."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from legacy_ref_scan.model import Explanation, Gap, Target
from legacy_ref_scan.sql.resolve import resolve
from legacy_ref_scan.sql.results import Label, Resolved
from legacy_ref_scan.sql.tree import parse
from legacy_ref_scan.sql.witness import REASON, disagreements
from tests.sql.law import findings_of, schema_of

SCHEMA = schema_of(
    "CREATE TABLE t (id int, c text, d text); CREATE TABLE u (id int, c text);"
    " CREATE VIEW v AS SELECT id, c AS e, 'x' AS c FROM t;",
    Target("public", "t", "c"),
)

AGREED = [
    "SELECT u.c FROM t JOIN u USING (id)",
    "SELECT d AS c FROM t ORDER BY c",
    "WITH t AS (SELECT 1 AS c) SELECT t.c FROM t",
    "SELECT t.c FROM (SELECT d AS c FROM t) t",
    "SELECT t.id FROM t, u c WHERE c IS NOT NULL",
    "INSERT INTO t (id,d) SELECT id, c FROM u WHERE c IN ($1,$2) AND id = ? AND d = :name AND d = %s",
    "UPDATE t SET d = u.c FROM u WHERE u.id = t.id AND u.c = @c",
    "SELECT v.c FROM v, t",
    "SELECT p.c FROM t p (x, y, c)",
    "SELECT f(c => 1) FROM t",
    "SELECT '' COLLATE c, c(1), 'c'::c FROM t",
    'SELECT U&"\\0063" FROM u, t AS t (x, y)',
    "SELECT d AS c FROM t WHERE \x1a ORDER BY c",
    "SELECT 'größe' AS c FROM t ORDER BY c",
    "EXPLAIN SELECT d AS c FROM t",
]


@pytest.mark.parametrize("text", AGREED)
def test_silent_where_both_agree(text: str) -> None:
    data = text.encode()
    result = resolve(parse(data), SCHEMA.catalog)
    assert list(disagreements(data, 0, len(data), result, SCHEMA.watch.names)) == []
    assert not [item for item in findings_of(data, SCHEMA) if isinstance(item, Gap) and item.reason == REASON]


def forget(result: Resolved, place: int, label: Label | None) -> Resolved:
    """The result as if the walk had taken the token there for something else."""
    labels = {start: found for start, found in result.labels.items() if start != place}
    return replace(result, uses=[], labels=labels | ({place: label} if label else {}))


@pytest.mark.parametrize(
    ("text", "place", "label"),
    [
        ("SELECT c FROM t", 7, Label(Explanation.VARIABLE, "a function's name", 8)),
        ("SELECT c FROM t", 7, None),
        ("SELECT p.c FROM t p", 9, Label(Explanation.OTHER_TABLE, "public.u", 10)),
        (
            "SELECT 1 FROM u WHERE EXISTS (SELECT 1 FROM t p WHERE p.c = 'x')",
            56,
            Label(Explanation.OTHER_TABLE, "", 57),
        ),
        ("SELECT 'ä' FROM t WHERE ($1,$2) = (d, c)", 39, Label(Explanation.VARIABLE, "", 40)),
        ("DELETE FROM t p WHERE p.c = $1", 24, Label(Explanation.OTHER_TABLE, "public.u", 25)),
    ],
)
def test_a_walk_that_went_wrong_is_a_problem(text: str, place: int, label: Label | None) -> None:
    data = text.encode()
    result = resolve(parse(data), SCHEMA.catalog)
    assert any(use.start == place for use in result.uses)
    wrong = forget(result, place, label)
    found = list(disagreements(data, 0, len(data), wrong, SCHEMA.watch.names))
    assert [(problem.start, problem.end, problem.reason) for problem in found] == [(place, place + 1, REASON)]


def test_a_scan_without_such_statements_does_not_import_it() -> None:
    code = (
        "import sys; from tests.sql.test_witness import SCHEMA, findings_of;"
        "findings_of('SELECT c FROM t', SCHEMA); findings_of('SELECT c FROM u', SCHEMA);"
        "assert 'sqlglot' not in sys.modules;"
        "findings_of('SELECT d AS c FROM t', SCHEMA); assert 'sqlglot' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
