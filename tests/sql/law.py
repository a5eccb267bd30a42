"""The law: what PostgreSQL says a drop does to a statement, and what we may say of the statement then."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

from legacy_ref_scan.catalog import apply_file
from legacy_ref_scan.mentions import names_of
from legacy_ref_scan.model import Access, Claim, Consumer, Found, Gap, Reference, SourceFile, Target, whole_file
from legacy_ref_scan.schema import Catalog
from legacy_ref_scan.sql.analyze import analyze, analyze_function
from legacy_ref_scan.sql.findings import Schema
from legacy_ref_scan.sql.watch import watch
from tests.judge import Judge, Judgement
from tests.sql.generated_bodies import GeneratedFunction
from tests.sql.generated_schema import CHILD, TARGET_COLUMN, GeneratedSchema

_CALL = "SELECT public.made('a', 1)"
_CHECK = """
CREATE EXTENSION plpgsql_check;
DO $do$ DECLARE e record; BEGIN
    IF (SELECT l.lanname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.proname = 'made') = 'sql' THEN
        RETURN;  -- it was checked when it was created
    END IF;
    FOR e IN SELECT * FROM plpgsql_check_function_tb('public.made', '{}'::regclass) WHERE level = 'error' LOOP
        RAISE EXCEPTION '%', e.message;
    END LOOP;
END $do$;
"""

_LOST_VIEW = re.compile(r'(?:ERROR:\s+)?relation "[\w.]+" does not exist')

MISSED, FALSE, GAP, ACCESS, UNCOVERED, RIGHT, REFUSED = (
    "missed",
    "false reference",
    "gap",
    "other access",
    "mention without a finding",
    "right",
    "not accepted",
)


def schema_of(sql: str, target: Target, search_path: tuple[str, ...] = ("public",)) -> Schema:
    """What statements are resolved against, from a schema's DDL, as a scan makes it."""
    data = sql.encode()
    catalog = apply_file(Catalog(search_path=search_path), SourceFile("s.sql", data, "sql"), ((0, len(data)),))
    assert not catalog.gaps, catalog.gaps
    watched = watch(catalog, [target])
    assert not watched.missing
    dependents = {w.via.partition(".")[2] for w in watched.columns.values() if w.via}
    return Schema(catalog, watched, names_of([target], dependents - {target.table}))


def findings_of(statement: str | bytes, schema: Schema, kind: str = "sql-file") -> list[Found]:
    """What the analysis says of one statement: of a SQL file, or of a host language that hands it to a database."""
    data = statement if isinstance(statement, bytes) else statement.encode()
    return list(analyze(whole_file(SourceFile("q.sql", data, "sql"), consumer=Consumer.SQL, kind=kind), schema))


def uncovered(statement: bytes, schema: Schema, found: list[Found]) -> list[str]:
    """The mentions that no finding explains."""
    spans = [item.span for item in found if isinstance(item, Reference | Gap | Claim)]
    return [
        mention.name
        for mention in schema.names.find(SourceFile("q.sql", statement, "sql"))
        if not any(span.start <= mention.span.start and mention.span.end <= span.end for span in spans)
    ]


_ROW_VARIABLE = re.compile(r"\b(?:new|old|r\d)(?:\.\*)?(?:\) ->> '+message'+)?\Z", re.IGNORECASE)


def _invisible(reference: Reference, statement: str) -> bool:
    """What the judge can't see: of CREATE VIEW, for which no tree is printed, anything but errors; a child's row;
    the row that a variable of PL/pgSQL holds, used as one value.
    """
    if statement.startswith("CREATE VIEW"):
        return True
    if statement.startswith("CREATE FUNCTION") and _ROW_VARIABLE.search(
        statement.encode()[: reference.span.end].decode()
    ):
        return True
    key = statement.encode()[reference.span.start : reference.span.end].startswith(b"'")  # to_jsonb(row) ->> 'key'
    return f", through public.{CHILD}" in reference.message and (reference.access is Access.STAR or key)


@dataclass
class Law:
    """Judges one generated schema's statements, by PostgreSQL and by the analysis."""

    generated: GeneratedSchema

    @cached_property
    def judge(self) -> Judge:
        return Judge(self.generated.for_postgres)

    @cached_property
    def schema(self) -> Schema:
        target = Target(self.generated.target.schema, self.generated.target.name, TARGET_COLUMN)
        return schema_of(self.generated.sql, target, self.generated.search_path)

    def verdict(self, for_postgres: str, as_written: str, kind: str) -> str:
        """`RIGHT`, `REFUSED` by PostgreSQL, or what is wrong."""
        found = findings_of(as_written, self.schema, kind)
        if uncovered(as_written.encode(), self.schema, found):
            return UNCOVERED
        truth = self.judge.judge(for_postgres, self.relation, TARGET_COLUMN)
        if not truth.accepted:
            return REFUSED
        return self.compare(truth, found, as_written)

    def verdict_of_function(self, made: GeneratedFunction) -> str:
        """The same for a living function: checked as a whole where the server can, else called."""
        checked = _CHECK if self.can_check else _CALL
        truth = self.judge.call(f"{made.sql}\n{checked.format(made.relation or 0)}", self.relation, TARGET_COLUMN)
        if not truth.accepted:
            return REFUSED
        data = made.sql.encode()
        catalog = apply_file(self.schema.catalog, SourceFile("f.sql", data, "sql"), ((0, len(data)),))
        assert not catalog.gaps, catalog.gaps
        (function,) = (f for f in catalog.functions.values() if f.name == "made")
        return self.compare(truth, list(analyze_function(function, replace(self.schema, catalog=catalog))), made.sql)

    @cached_property
    def can_check(self) -> bool:
        """Whether the server has plpgsql_check, which analyses every statement of a body, run or not."""
        found = self.judge.before.lookups.execute(
            "SELECT FROM pg_available_extensions WHERE name = 'plpgsql_check'"
        ).fetchone()
        return found is not None

    @property
    def relation(self) -> str:
        return self.generated.target.qualified

    def compare(self, truth: Judgement, found: list[Found], as_written: str) -> str:
        references = [item for item in found if isinstance(item, Reference) and item.gating]
        gaps = any(isinstance(item, Gap) for item in found)
        used = truth.breaks or truth.changes or truth.rebinds
        if gaps:
            return GAP
        if truth.rebinds and CHILD in as_written:
            used = False  # a child's column goes too; to the judge it is just another column
        of_a_view = truth.through_view or _LOST_VIEW.match(truth.error)
        # a view that needs the column is a reference of its own, so statements over it may be silent or not
        if used and not references and not of_a_view:
            return MISSED
        if truth.untouched and any(not _invisible(item, as_written) for item in references):
            return FALSE
        written = (self.relation, TARGET_COLUMN) in truth.updated | truth.inserted
        if written and not any(item.access in (Access.WRITE, Access.STAR) for item in references):
            return ACCESS
        return RIGHT
