"""Columns that are called like keywords: the grammar's own words are none of their uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from legacy_ref_scan.model import Report, Verdict
from legacy_ref_scan.rules import adhoc_rule
from legacy_ref_scan.scan import Request, scan

WORDS = ("type", "key", "value", "index", "view", "action", "start", "schema", "owner", "level", "data", "language")
DDL = """\
CREATE TYPE state AS ENUM ('new');
ALTER TYPE state ADD VALUE 'old';
ALTER TYPE state OWNER TO joe;
CREATE INDEX i ON jobs (id);
CREATE VIEW v AS SELECT 1;
CREATE SEQUENCE q START WITH 1;
CREATE SCHEMA app;
ALTER TABLE jobs ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES t (id) ON DELETE NO ACTION;
ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs ALTER COLUMN a SET DATA TYPE int;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
"""
USES = """\
SELECT {0} FROM events;
SELECT (e).{0} FROM events e;
UPDATE events SET {0} = 'x';
INSERT INTO events (id, {0}) VALUES (1, 'x');
SELECT id FROM events ORDER BY {0} NULLS FIRST;
ALTER TABLE events ALTER {0} TYPE varchar;
ALTER TABLE events ADD PRIMARY KEY ({0});
CREATE INDEX i ON events ({0});
COMMENT ON COLUMN events.{0} IS 'x';
GRANT SELECT ({0}) ON events TO joe;
"""


def report_on(root: Path, column: str, text: str) -> Report:
    (root / "migrations").mkdir()
    columns = ", ".join(f"{word} text" for word in WORDS)
    (root / "migrations/000001_a.up.sql").write_text(f"CREATE TABLE events (id bigint, {columns});\n")
    (root / "migrations/000001_a.down.sql").write_text("DROP TABLE events;\n")
    (root / "queries.sql").write_text(text)
    return scan(Request(root=root, rules=(adhoc_rule([f"events.{column}"]),))).report


@pytest.mark.parametrize("column", WORDS)
def test_keywords_of_other_statements_are_no_uses(tmp_path: Path, column: str) -> None:
    report = report_on(tmp_path, column, DDL)
    assert (report.verdict, report.gaps) == (Verdict.CLEAN, ())


@pytest.mark.parametrize("column", WORDS)
def test_every_statement_with_the_column_is_one(tmp_path: Path, column: str) -> None:
    report = report_on(tmp_path, column, USES.format(column))
    source = report.files["queries.sql"]
    found = {source.line_of(item.span.start) for item in report.references if item.span.path == "queries.sql"}
    assert (found, report.gaps) == (set(range(1, len(USES.splitlines()) + 1)), ())
