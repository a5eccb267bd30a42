"""The pair's bytes, and when there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from legacy_ref_scan.assume import with_targets
from legacy_ref_scan.generate import Refusal, plan_pair
from legacy_ref_scan.generate.spelling import literal, type_name
from legacy_ref_scan.model import Access, Gap, Reference, SourceFile, Span, Target, Verdict
from legacy_ref_scan.schema import Catalog, Column, Constraint, Index, Relation, SchemaObject, Trigger
from tests.generate.support import (
    CLEAN,
    DOWN,
    ERROR_MESSAGE,
    OID,
    TABLE,
    TARGETS,
    UP,
    catalog,
    down_of,
    names,
    pair_of,
    refusal,
    rule,
    use,
)


class TestBytes:
    def test_the_plan(self, migrations: Path) -> None:
        pair = pair_of(migrations, catalog(ERROR_MESSAGE))
        assert (pair.up.name, pair.down.name) == (UP, DOWN)
        assert pair.up.data == b"BEGIN;\nALTER TABLE campaign_phases DROP COLUMN IF EXISTS error_message;\nCOMMIT;\n"
        assert pair.down.data == (
            b"BEGIN;\nALTER TABLE campaign_phases ADD COLUMN IF NOT EXISTS error_message TEXT;\nCOMMIT;\n"
        )

    def test_several_columns_are_one_statement(self, migrations: Path) -> None:
        columns = [
            Column(attnum=4, name="failed_at", type="timestamp with time zone"),
            Column(attnum=3, name="paused_at", type="timestamp with time zone"),
        ]
        pair = pair_of(migrations, catalog(*columns), rule("paused_at", "failed_at"))
        assert pair.up.data.decode() == (
            "BEGIN;\nALTER TABLE campaign_phases\n    DROP COLUMN IF EXISTS paused_at,\n"
            "    DROP COLUMN IF EXISTS failed_at;\nCOMMIT;\n"
        )
        assert pair.down.data.decode() == (
            "BEGIN;\nALTER TABLE campaign_phases\n"
            "    ADD COLUMN IF NOT EXISTS paused_at TIMESTAMP WITH TIME ZONE,\n"
            "    ADD COLUMN IF NOT EXISTS failed_at TIMESTAMP WITH TIME ZONE;\nCOMMIT;\n"
        )

    def test_default_nullability_and_comment(self, migrations: Path) -> None:
        column = replace(ERROR_MESSAGE, not_null=True, default="'none'::text", comment="it's the old one")
        assert down_of(migrations, column) == (
            "ALTER TABLE campaign_phases ADD COLUMN IF NOT EXISTS error_message TEXT DEFAULT 'none'::text NOT NULL;\n"
            "COMMENT ON COLUMN campaign_phases.error_message IS 'it''s the old one';\n"
        )

    def test_dependents_come_back_in_an_order_that_works(self, migrations: Path) -> None:
        objects = (
            Index(
                name="phases_error",
                relation=OID,
                columns=(3,),
                definition="CREATE INDEX CONCURRENTLY phases_error ON campaign_phases (error_message)",
                comment="slow",
            ),
            Constraint(
                name="error_length",
                relation=OID,
                columns=(3,),
                definition="CHECK (length(error_message) < 100)",
            ),
            Constraint(
                name="error_unique", relation=OID, columns=(3,), type="unique", definition="UNIQUE (error_message)"
            ),
        )
        assert down_of(migrations, ERROR_MESSAGE, objects=objects) == (
            "ALTER TABLE campaign_phases ADD COLUMN IF NOT EXISTS error_message TEXT;\n"
            "ALTER TABLE campaign_phases ADD CONSTRAINT error_unique UNIQUE (error_message);\n"
            "ALTER TABLE campaign_phases ADD CONSTRAINT error_length CHECK (length(error_message) < 100);\n"
            "CREATE INDEX IF NOT EXISTS phases_error ON campaign_phases (error_message);\n"
            "COMMENT ON INDEX phases_error IS 'slow';\n"
        )

    def test_names_are_quoted_and_qualified_only_where_needed(self, migrations: Path) -> None:
        table = Relation(oid=OID, schema="ops", name="Order", columns=(Column(attnum=2, name="user"),))
        given = Catalog(relations={OID: table}, names={("ops", "Order"): OID})
        wanted = replace(rule(), targets=(Target("ops", "Order", "user"),))
        assert b'ALTER TABLE ops."Order" DROP COLUMN IF EXISTS "user";' in pair_of(migrations, given, wanted).up.data
        found = pair_of(migrations, replace(given, search_path=("ops", "public")), wanted)
        assert b'ALTER TABLE "Order" DROP' in found.up.data

    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("text", "TEXT"),
            ("character varying(255)", "CHARACTER VARYING(255)"),
            ("numeric(10,2)", "NUMERIC(10,2)"),
            ("text[]", "TEXT[]"),
            ("timestamp(3) with time zone", "TIMESTAMP(3) WITH TIME ZONE"),
            ("phase_status", "phase_status"),
            ('"Status"', '"Status"'),
            ("public.status_enum[]", "public.status_enum[]"),
        ],
    )
    def test_types(self, written: str, shown: str) -> None:
        assert type_name(written) == shown

    def test_literals(self) -> None:
        assert literal("a'b") == "'a''b'"
        assert literal("a\\b'") == "E'a\\\\b'''"


class TestRefusals:
    def test_a_reference_is_listed_with_its_line(self, migrations: Path) -> None:
        source = SourceFile("store.go", b"\n\nerror_message", "go")
        found = Reference(
            Target("public", TABLE, "error_message"), Access.READ, True, Span("store.go", 2, 15), "go-sql", "", "reads"
        )
        gap = Gap(Span("gone.sql", 0, 0), "unreadable", "cannot be read")
        report = replace(
            CLEAN, verdict=Verdict.REFERENCED, references=(found,), gaps=(gap,), files={"store.go": source}
        )
        refused = refusal(migrations, catalog(ERROR_MESSAGE), report=report)
        assert (refused.code, refused.reasons) == (
            1,
            ("store.go:3: read: reads", "gone.sql: gap: cannot be read"),
        )
        assert "legacy-ref-scan scan" in refused.advice
        assert names(migrations) == []

    def test_unknown_is_not_clean(self, migrations: Path) -> None:
        gaps = tuple(Gap(Span("a.go", at, at), "unknown-call", f"call {at}") for at in range(12))
        refused = refusal(migrations, catalog(ERROR_MESSAGE), report=replace(CLEAN, verdict=Verdict.UNKNOWN, gaps=gaps))
        assert refused.code == 3
        assert refused.reasons[-1] == "… and 2 more"

    def test_a_column_that_is_not_there(self, migrations: Path) -> None:
        for given in (catalog(), catalog(replace(ERROR_MESSAGE, gone=True)), with_targets(Catalog(), TARGETS, True)[0]):
            refused = refusal(migrations, given)
            assert (refused.code, "dropped already" in refused.summary) == (2, True)

    def test_a_rule_without_a_migration(self, migrations: Path) -> None:
        assert refusal(migrations, catalog(ERROR_MESSAGE), rule("error_message", plan=None)).code == 2

    def test_another_convention(self, migrations: Path) -> None:
        refused = plan_pair(CLEAN, catalog(ERROR_MESSAGE), rule("error_message"), migrations, "sqlc")
        assert isinstance(refused, Refusal)
        assert refused.code == 2
        assert "ALTER TABLE campaign_phases DROP COLUMN IF EXISTS error_message;" in refused.reasons

    @pytest.mark.parametrize(
        "blocker",
        [
            Trigger(name="notify", relation=OID, uses=use(3)),
            SchemaObject(kind="policy", name="own", relation=OID, uses=use(3)),
            Constraint(name="other_fk", relation=99, type="foreign key", columns=(1,), references=OID, referenced=(3,)),
            Constraint(name="self_fk", relation=OID, type="foreign key", columns=(1,), references=OID, referenced=(3,)),
        ],
        ids=lambda item: item.name,
    )
    def test_what_postgresql_refuses(self, migrations: Path, blocker: SchemaObject) -> None:
        refused = refusal(migrations, catalog(ERROR_MESSAGE, objects=(blocker,)))
        assert refused.code == 1
        assert blocker.name in refused.reasons[0]

    def test_a_view_blocks_and_a_whole_row_does_not(self, migrations: Path) -> None:
        view = Relation(oid=5, schema="public", name="v", kind="view", uses=use(3))
        assert refusal(migrations, catalog(ERROR_MESSAGE, relations={5: view})).code == 1
        pair_of(migrations, catalog(ERROR_MESSAGE, relations={5: replace(view, uses=use(0))}))

    def test_something_that_cannot_be_built_again(self, migrations: Path) -> None:
        grant = SchemaObject(kind="grant", name="reader", relation=OID, uses=use(3))
        refused = refusal(migrations, catalog(ERROR_MESSAGE, objects=(grant,)))
        assert (refused.code, "grant reader" in refused.summary) == (2, True)

    def test_another_content_is_never_overwritten(self, migrations: Path) -> None:
        (migrations / DOWN).write_text("mine")
        refused = refusal(migrations, catalog(ERROR_MESSAGE))
        assert (refused.code, DOWN in refused.summary) == (2, True)
        assert (migrations / DOWN).read_text() == "mine"
