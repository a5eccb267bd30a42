"""Catalogs, rules and directories for the tests of the migration pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from legacy_ref_scan.generate import Pair, Refusal, plan_pair
from legacy_ref_scan.model import Access, Report, Span, Target, Verdict
from legacy_ref_scan.rules import MigrationPlan, Rule
from legacy_ref_scan.schema import Catalog, Column, Relation, SchemaObject, Use
from legacy_ref_scan.versions import Version

Connection = psycopg.Connection[tuple[Any, ...]]
OID = 16384
TABLE = "campaign_phases"
PLAN = MigrationPlan(Version.of(68), "drop_campaign_phases_error_columns", "migrations", "golang-migrate")
UP, DOWN = (f"000068_{PLAN.name}.{direction}.sql" for direction in ("up", "down"))
PLAN_DIRECTORY = "database/migrations"
TARGETS = (Target("public", TABLE, "error_message"),)
CLEAN = Report((), Verdict.CLEAN, (), (), (), (), (), {})
ERROR_MESSAGE = Column(attnum=3, name="error_message")


def use(attnum: int) -> tuple[Use, ...]:
    return (Use((OID, attnum), Access.READ, Span("migrations/000001_init.up.sql", 0, 1)),)


def catalog(*columns: Column, objects: tuple[SchemaObject, ...] = (), **about: Any) -> Catalog:
    """A catalog of one table with an id, a status and the columns given."""
    table = Relation(
        oid=OID, schema="public", name=TABLE, columns=(Column(attnum=1, name="id", type="bigint"), *columns)
    )
    return Catalog(
        relations={OID: table, **about.pop("relations", {})},
        names={("public", TABLE): OID},
        objects={(item.kind, item.schema, item.relation, item.name): item for item in objects},
        **about,
    )


def rule(*columns: str, plan: MigrationPlan | None = PLAN) -> Rule:
    return Rule("rules/068.toml", tuple(Target("public", TABLE, name) for name in columns), migration=plan)


def seed(directory: Path, *versions: int) -> Path:
    """A directory with a pair for each version."""
    directory.mkdir(exist_ok=True)
    for version in versions:
        for direction in ("up", "down"):
            (directory / f"{version:06d}_step_{version}.{direction}.sql").write_text("SELECT 1;\n")
    return directory


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if "_step_" not in path.name)


def plan(directory: Path, given: Catalog, wanted: Rule | None = None, report: Report = CLEAN) -> Pair | Refusal:
    return plan_pair(report, given, wanted or rule("error_message"), directory, "golang-migrate")


def pair_of(directory: Path, given: Catalog, wanted: Rule | None = None) -> Pair:
    planned = plan(directory, given, wanted)
    assert isinstance(planned, Pair), planned
    return planned


def refusal(*args: Any, **about: Any) -> Refusal:
    planned = plan(*args, **about)
    assert isinstance(planned, Refusal)
    return planned


def down_of(directory: Path, *columns: Column, objects: tuple[SchemaObject, ...] = (), **about: Any) -> str:
    """The statements of the down file between BEGIN and COMMIT."""
    pair = pair_of(directory, catalog(*columns, objects=objects, **about), rule(*(c.name for c in columns)))
    text = pair.down.data.decode()
    assert text.startswith("BEGIN;\n")
    assert text.endswith("\nCOMMIT;\n")
    return text.removeprefix("BEGIN;\n").removesuffix("COMMIT;\n")
