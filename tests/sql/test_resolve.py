"""What each token of a statement is: `c` is a column of `t`, `u` and `w` (and of `s.t`), `b` a composite of them.

Expected uses are written "token table.column access", in the order of the text.
"""

from __future__ import annotations

import pytest

from legacy_ref_scan.catalog import apply_file
from legacy_ref_scan.model import Explanation, SourceFile
from legacy_ref_scan.schema import Catalog
from legacy_ref_scan.sql.lexer import Kind, name_of, tokens
from legacy_ref_scan.sql.resolve import resolve
from legacy_ref_scan.sql.results import Resolved
from legacy_ref_scan.sql.tree import parse

DDL = b"""
CREATE SCHEMA s;
CREATE TYPE pair AS (c text, d int);
CREATE TABLE t (id int PRIMARY KEY, c text, d text, status text, data jsonb, CONSTRAINT t_both UNIQUE (id, c));
CREATE TABLE u (id int, c text, x text);
CREATE TABLE o (id int, t_id int, y text, b pair);
CREATE TABLE s.t (id int, c text);
CREATE VIEW v AS SELECT id, c AS e FROM t;
CREATE FUNCTION rows_of_t() RETURNS SETOF t LANGUAGE sql AS 'SELECT * FROM t';
CREATE FUNCTION named(n int) RETURNS TABLE (c text, n int) LANGUAGE sql AS 'SELECT '''', 1';
"""


CATALOG = apply_file(Catalog(), SourceFile("s.sql", DDL, "sql"), ((0, len(DDL)),))


def resolved(text: bytes) -> Resolved:
    return resolve(parse(text), CATALOG)


def uses(text: bytes, column: str = "c") -> list[str]:
    """The uses of columns of that name."""
    found: dict[tuple[int, str], None] = {}
    for use in sorted(resolved(text).uses, key=lambda use: use.start):
        relation = CATALOG.relations[use.column[0]]
        used = relation.by_attnum(use.column[1])
        if used is not None and used.name == column:
            schema = "" if relation.schema == "public" else f"{relation.schema}."
            line = f"{text[use.start : use.end].decode()} {schema}{relation.name}.{used.name} {use.access.value}"
            found[use.start, line] = None
    return [line for _, line in sorted(found)]


USES = [
    # Names and scopes
    ("SELECT c FROM t", ["c t.c read"]),
    ('SELECT "c", C, U&"\\0063", "C" FROM t', ['"c" t.c read', "C t.c read", 'U&"\\0063" t.c read']),
    ("SELECT p.c, public.t.id FROM t p, public.t", ["c t.c read"]),
    ("SELECT public.t.c FROM public.t", ["c t.c read"]),
    ("SELECT c FROM s.t", ["c s.t.c read"]),
    ("SELECT c FROM o JOIN t USING (id)", ["c t.c read"]),
    ("SELECT 1 FROM o WHERE EXISTS (SELECT 1 FROM u WHERE u.id = o.id AND y = c)", ["c u.c read"]),
    ("SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM o WHERE c = y)", ["c t.c read"]),
    ("SELECT (SELECT c) FROM t", ["c t.c read"]),
    ("SELECT 1 FROM t, LATERAL (SELECT c) a", ["c t.c read"]),
    ("SELECT 1 AS c ORDER BY c", []),
    ("SELECT d AS c FROM t ORDER BY c", []),
    ("SELECT d AS c FROM t ORDER BY (c)", []),
    ("SELECT d AS c FROM t ORDER BY c || ''", ["c t.c read"]),
    ("SELECT y AS c FROM o GROUP BY GROUPING SETS ((c), ())", []),
    ("SELECT max(d) OVER (c), max(d) OVER c FROM t WINDOW c AS (PARTITION BY c)", ["c t.c read"]),
    ("SELECT d AS c FROM t GROUP BY c", ["c t.c read"]),
    ("SELECT y AS c FROM o GROUP BY c", []),
    ("SELECT DISTINCT ON (c) d FROM t", ["c t.c read"]),
    ("SELECT max(d) FILTER (WHERE c = 'x') OVER (PARTITION BY c ORDER BY c) FROM t", ["c t.c read"] * 3),
    ("SELECT d FROM t GROUP BY GROUPING SETS ((d), (c)), ROLLUP (c)", ["c t.c read"] * 2),
    ("SELECT 'c', data->>'c', $$c$$ FROM t -- c", []),
    # WITH
    ("WITH x AS (SELECT c AS e FROM t) SELECT e FROM x", ["c t.c read"]),
    ("WITH x(c) AS (SELECT 1) SELECT c FROM x", []),
    ("WITH t AS (SELECT 1 AS c) SELECT c FROM t", []),
    ("WITH x AS (SELECT * FROM t) SELECT c FROM x", ["c t.c read"]),
    ("WITH x AS (SELECT * FROM t) SELECT d FROM x", []),
    ("WITH x AS (DELETE FROM t RETURNING c) SELECT c FROM x", ["c t.c read"]),
    ("WITH RECURSIVE x AS (SELECT c FROM t UNION ALL SELECT c FROM x) SELECT c FROM x", ["c t.c read"]),
    # FROM
    ("SELECT 1 FROM t JOIN u USING (c)", ["c t.c read", "c u.c read"]),
    ("SELECT 1 FROM t NATURAL JOIN u", ["NATURAL t.c read", "NATURAL u.c read"]),
    ("SELECT 1 FROM t NATURAL JOIN o", []),
    ("SELECT a.c FROM t JOIN u USING (c) AS a", ["c t.c read", "c u.c read"]),
    ("SELECT * FROM (u JOIN (SELECT '' AS c) a USING (c)), t", ["* t.c star", "* u.c star", "c u.c read"]),
    ("SELECT 1 FROM o, t JOIN u ON t.c = u.c", ["c t.c read", "c u.c read"]),
    ("SELECT z FROM t p (z, message)", []),
    ("SELECT message FROM t p (z, message)", ["message t.c read"]),
    ("SELECT e FROM t p (z, message, e)", ["z, message, e t.c star"]),
    ("SELECT c FROM (SELECT d AS c FROM t) a", []),
    ("SELECT c FROM (VALUES (1)) a (c)", []),
    ("SELECT c FROM rows_of_t()", ["c t.c read"]),
    ("SELECT c FROM named(1)", []),
    ("SELECT c FROM unnest(ARRAY['x']) AS a (c)", []),
    ("SELECT e FROM v", []),
    # Stars, whole rows, composites
    ("SELECT * FROM t", ["* t.c star"]),
    ("SELECT p.* FROM t p, u", ["* t.c star"]),
    ("TABLE t", ["TABLE t t.c star"]),
    ("SELECT count(*) FROM t", []),
    ("SELECT 1 FROM t WHERE EXISTS (SELECT * FROM t)", []),
    ("SELECT p FROM t p", ["p t.c star"]),
    ("SELECT to_jsonb(p.*) FROM t p", ["* t.c star"]),
    ("SELECT to_jsonb(p)->>'c' FROM t p", ["p t.c star", "'c' t.c read"]),
    ("SELECT (p).c, (p).d FROM t p", ["c t.c read"]),
    ("SELECT c(p) FROM t p", ["c t.c read"]),
    ("SELECT (b).c, (o.b).c FROM o", ["c pair.c read"] * 2),
    ("SELECT jsonb_populate_record(null::t, '{}')", ["t t.c star"]),
    ("SELECT * FROM (SELECT id FROM t) a", []),
    ("(SELECT * FROM t) UNION ALL SELECT * FROM t", ["* t.c star"] * 2),
    # Changes
    ("INSERT INTO t (id, c) VALUES ($1,$2)", ["c t.c write"]),
    ("INSERT INTO t VALUES ($1,$2,$3)", ["t t.c star"]),
    ("INSERT INTO o VALUES (1, 2)", []),
    ("INSERT INTO t DEFAULT VALUES", []),
    ("INSERT INTO t SELECT * FROM u", ["t t.c star", "* u.c star"]),
    (
        "INSERT INTO t (id) VALUES (1) ON CONFLICT (id, c) WHERE c > '' DO UPDATE SET c = EXCLUDED.c"
        " WHERE t.c = '' RETURNING c",
        ["c t.c read", "c t.c read", "c t.c write", "c t.c read", "c t.c read", "c t.c read"],
    ),
    ("INSERT INTO t (id) VALUES (1) ON CONFLICT ON CONSTRAINT t_both DO NOTHING", ["t_both t.c read"]),
    ("UPDATE t SET (c, d) = ($1, $2)", ["c t.c write"]),
    ("UPDATE t SET d = u.c FROM u WHERE t.c IS NULL", ["c u.c read", "c t.c read"]),
    ("UPDATE o SET y = c FROM t WHERE o.id = t.id", ["c t.c read"]),
    ("UPDATE o SET b.c = 'x'", ["c pair.c write"]),
    ("DELETE FROM o USING t WHERE o.id = t.id AND c = ''", ["c t.c read"]),
    ("DELETE FROM t RETURNING OLD.c, new.d", ["c t.c read"]),
    ("DELETE FROM t RETURNING *", ["* t.c star"]),
    ("UPDATE t SET d = '' RETURNING WITH (OLD AS c, NEW AS n) c.d, n.c", ["c t.c read"]),
    (
        "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED AND u.c = '' THEN UPDATE SET c = u.c"
        " WHEN NOT MATCHED THEN INSERT (id, c) VALUES (u.id, c)",
        ["c u.c read", "c t.c write", "c u.c read", "c t.c write", "c u.c read"],
    ),
    ("MERGE INTO t USING o ON true WHEN NOT MATCHED BY SOURCE AND c = '' THEN DELETE", ["c t.c read"]),
    ("COPY t (id, c) FROM STDIN", ["c t.c write"]),
    ("COPY t (id, c) TO STDOUT", ["c t.c read"]),
    ("COPY t FROM STDIN", ["t t.c star"]),
    ("COPY (SELECT c FROM t) TO STDOUT", ["c t.c read"]),
    # Around queries, definitions
    ("EXPLAIN ANALYZE SELECT c FROM t", ["c t.c read"]),
    ("PREPARE p AS UPDATE t SET c = $1", ["c t.c write"]),
    ("DECLARE x CURSOR FOR SELECT c FROM t", ["c t.c read"]),
    ("CREATE TABLE n AS SELECT * FROM t", ["* t.c star"]),
    ("CREATE VIEW n (c) AS SELECT d FROM t", []),
    ("CREATE INDEX ON t (lower(c)) WHERE c IS NOT NULL", ["c t.c read", "c t.c read"]),
    ("ALTER TABLE t ALTER COLUMN c SET NOT NULL", ["c t.c read"]),
    ("ALTER TABLE t DROP COLUMN c", ["c t.c define"]),
    ("COMMENT ON COLUMN t.c IS 'x'", ["c t.c read"]),
    ("ANALYZE t (c), u (id)", ["c t.c read"]),
    ("CREATE FUNCTION k(p t) RETURNS text LANGUAGE sql RETURN (p).c", ["t t.c star", "c t.c read"]),
    ("CREATE FUNCTION k(c text) RETURNS text LANGUAGE sql RETURN c", []),
    ("DELETE FROM t WHERE CURRENT OF c", []),
    ("CREATE TABLE n (c text, id int REFERENCES t (c))", ["c t.c read"]),
]


@pytest.mark.parametrize(("text", "expected"), USES, ids=[text[:60] for text, _ in USES])
def test_uses(text: str, expected: list[str]) -> None:
    assert uses(text.encode()) == expected


@pytest.mark.parametrize("text", [text for text, _ in USES])
def test_every_token_is_understood(text: str) -> None:
    data = text.encode()
    found = resolved(data)
    known = {use.start for use in found.uses} | set(found.labels)
    assert not parse(data).errors
    for token in tokens(data):
        if token.kind in (Kind.WORD, Kind.QUOTED) and name_of(data[token.start : token.end]) == "c":
            assert token.start in known, f"{text[: token.start]}▸{text[token.start :]}"


LABELS = [
    ("SELECT c FROM u", 7, Explanation.OTHER_TABLE),
    ("SELECT c FROM nowhere", 7, Explanation.OTHER_TABLE),
    ("SELECT d AS c FROM t", 12, Explanation.OUTPUT_NAME),
    ("SELECT d c FROM t", 9, Explanation.OUTPUT_NAME),
    ("SELECT c.d FROM t c", 7, Explanation.VARIABLE),
    ("SELECT 1 FROM t c", 16, Explanation.VARIABLE),
    ("WITH c AS (SELECT 1) SELECT 1 FROM c", 5, Explanation.VARIABLE),
    ("SELECT c(1)", 7, Explanation.VARIABLE),
    ("SELECT '' COLLATE c", 18, Explanation.VARIABLE),
    ("SELECT f(c => 1)", 9, Explanation.VARIABLE),
    ("CREATE TABLE n (c text)", 16, Explanation.DEFINITION),
    ("UPDATE o SET b.c = ''", 15, Explanation.VALUE),
]


@pytest.mark.parametrize(("text", "place", "why"), LABELS, ids=[text for text, _, _ in LABELS])
def test_labels(text: str, place: int, why: Explanation) -> None:
    assert resolved(text.encode()).labels[place].why is why


PROBLEMS = [
    ("SELECT c FROM t, u", ["ambiguous-column"]),
    ("SELECT c FROM t, nowhere", []),
    ("SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM nowhere WHERE c = 1)", ["unknown-relation"]),
    ("SELECT x.c FROM \x1a x", ["dynamic-table"]),
    ("SELECT * FROM \x1a", ["dynamic-table"]),
    ("SELECT (f(1)).c", ["composite-field"]),
    ("SELECT c FROM t", []),
]


@pytest.mark.parametrize(("text", "reasons"), PROBLEMS, ids=[text for text, _ in PROBLEMS])
def test_problems(text: str, reasons: list[str]) -> None:
    assert [problem.reason for problem in resolved(text.encode()).problems] == reasons


HOLES = [
    ("SELECT \x1a FROM t", {"t"}),
    ("SELECT p.\x1a FROM t p, u", {"t"}),
    ("SELECT 1 FROM t, u ORDER BY \x1a", {"t", "u"}),
    ("INSERT INTO t (id, \x1a) VALUES (1, 2)", {"t"}),
    ("SELECT id FROM t WHERE d = \x1a", None),
    ("SELECT id FROM t WHERE d IN (\x1a)", None),
]


@pytest.mark.parametrize(("text", "reach"), HOLES, ids=[text.replace("\x1a", "~") for text, _ in HOLES])
def test_holes_reach_the_relations_in_scope(text: str, reach: set[str] | None) -> None:
    found = [{CATALOG.relations[oid].name for oid in oids} for oids in resolved(text.encode()).holes.values()]
    assert found == ([] if reach is None else [reach])


def test_a_column_without_the_table_is_not_understood() -> None:
    found = resolved(b"SELECT c FROM o")
    assert not found.uses
    assert 7 not in found.labels
