"""The migration pair: its bytes, its number, its refusals, and that both files are there or neither."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from legacy_ref_scan.assume import with_targets
from legacy_ref_scan.catalog import apply_file, replay
from legacy_ref_scan.cli import main
from legacy_ref_scan.generate import Pair, Refusal, plan_pair, planned_version, write_pair
from legacy_ref_scan.generate.numbers import numbered, pair_names, problems
from legacy_ref_scan.generate.spelling import literal, type_name
from legacy_ref_scan.migrations import Migration
from legacy_ref_scan.model import Access, Gap, Reference, Report, ScanError, SourceFile, Span, Target, Verdict
from legacy_ref_scan.rules import MigrationPlan, Rule
from legacy_ref_scan.schema import Catalog, Column, Constraint, Index, Relation, SchemaObject, Trigger, Use
from tests.expectations import FIXTURES

OID = 16384
TABLE = "campaign_phases"
PLAN = MigrationPlan(68, "drop_campaign_phases_error_columns", "migrations", "golang-migrate")
UP, DOWN = (f"000068_{PLAN.name}.{direction}.sql" for direction in ("up", "down"))
PLAN_DIRECTORY = "database/migrations"
TARGETS = (Target("public", TABLE, "error_message"),)
CLEAN = Report((), Verdict.CLEAN, (), (), (), (), (), {})
ERROR_MESSAGE = Column(attnum=3, name="error_message")
WRITE = "from pathlib import Path\nfrom legacy_ref_scan.generate.write import *\n"


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


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    return seed(tmp_path / "migrations", 66, 67)


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
        refused = plan_pair(CLEAN, catalog(ERROR_MESSAGE), rule("error_message"), migrations, "goose")
        assert isinstance(refused, Refusal)
        assert refused.code == 2

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


class TestNumbers:
    def wrong(self, version: int, *files: str) -> str:
        return "\n".join(problems(version, "drop_x", numbered(files)))

    def test_the_next_number_is_fine(self) -> None:
        assert self.wrong(68, "000067_a.up.sql", "000067_a.down.sql", "README.md") == ""

    def test_numeric_not_lexical_order(self) -> None:
        assert self.wrong(11, "9_a.up.sql", "10_b.up.sql") == ""

    def test_taken(self) -> None:
        assert self.wrong(68, "000067_a.up.sql", "000068_b.up.sql", "000068_b.down.sql") == (
            "version 68 is taken by 000068_b.down.sql, 000068_b.up.sql"
        )

    def test_taken_by_the_same_name_with_other_digits(self) -> None:
        assert "is taken by 68_drop_x.up.sql" in self.wrong(68, "000067_a.up.sql", "68_drop_x.up.sql")

    def test_a_gap(self) -> None:
        assert "so 67 would be next" in self.wrong(68, "000066_a.up.sql")
        assert "no version comes before it" in self.wrong(68)

    def test_later_migrations_are_there(self) -> None:
        assert "golang-migrate skips 68" in self.wrong(68, "000067_a.up.sql", "000069_b.up.sql")

    def test_a_name_twice(self) -> None:
        assert "the name drop_x is taken by 000067_drop_x.up.sql" in self.wrong(68, "000067_drop_x.up.sql")

    def test_a_directory_that_does_not_run(self) -> None:
        assert "version 3 has 2 up files" in self.wrong(4, "3_a.up.sql", "3_b.up.sql")

    def test_a_width_that_overflows(self) -> None:
        assert "more than the 2 digits" in self.wrong(100, "01_a.up.sql", "99_a.up.sql")
        assert self.wrong(100, "9_a.up.sql", "99_a.up.sql") == ""

    def test_dates_leave_gaps(self) -> None:
        assert self.wrong(20240601120000, "20240101120000_a.up.sql") == ""

    def test_a_written_pair_may_have_successors(self) -> None:
        files = ("000067_a.up.sql", "000068_drop_x.up.sql", "000068_drop_x.down.sql", "000069_b.up.sql")
        assert self.wrong(68, *files) == ""

    def test_padding_follows_the_directory(self) -> None:
        assert pair_names(68, "x", numbered(["0067_a.up.sql"])) == ("0068_x.up.sql", "0068_x.down.sql")
        assert pair_names(68, "x", []) == ("000068_x.up.sql", "000068_x.down.sql")

    def test_a_rule_without_a_number_takes_the_next_and_keeps_it(self, migrations: Path) -> None:
        free = replace(PLAN, version=None)
        assert planned_version(free, os.listdir(migrations)) is None
        pair = pair_of(migrations, catalog(ERROR_MESSAGE), rule("error_message", plan=free))
        assert pair.up.name == UP
        write_pair(pair)
        assert planned_version(free, os.listdir(migrations)) == 68
        assert write_pair(pair_of(migrations, catalog(ERROR_MESSAGE), rule("error_message", plan=free))) == []

    def test_a_refused_number_writes_nothing(self, tmp_path: Path) -> None:
        directory = seed(tmp_path / "migrations", 66)
        assert refusal(directory, catalog(ERROR_MESSAGE)).code == 2
        assert names(directory) == []


def kill_at(directory: Path, step: str, nth: int) -> int:
    """Write the pair in a process that kills itself at the nth call of an `os` function; its return code."""
    program = WRITE + textwrap.dedent(
        f"""
        import os, signal
        calls = 0
        real = os.{step}
        def dying(*args, **kwargs):
            global calls
            calls += 1
            if calls == {nth}:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)
        os.{step} = dying
        write_pair(Pair(Path({str(directory)!r}), File({UP!r}, b"up"), File({DOWN!r}, b"down")))
        """
    )
    return subprocess.run([sys.executable, "-c", program], check=False, capture_output=True).returncode


def failure(pair: Pair) -> str:
    """What `write_pair` complains about; nothing where it succeeds."""
    try:
        write_pair(pair)
    except ScanError as error:
        return str(error)
    return ""


@contextmanager
def unprivileged() -> Iterator[None]:
    """As a user who may not write where root may."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


class TestBothOrNeither:
    @pytest.fixture
    def pair(self, migrations: Path) -> Pair:
        return replace(
            pair_of(migrations, catalog(ERROR_MESSAGE)),
            up=replace(pair_of(migrations, catalog(ERROR_MESSAGE)).up, data=b"up"),
            down=replace(pair_of(migrations, catalog(ERROR_MESSAGE)).down, data=b"down"),
        )

    def test_written_once_unchanged_the_second_time(self, pair: Pair) -> None:
        assert [path.name for path in write_pair(pair)] == [UP, DOWN]
        assert names(pair.directory) == [DOWN, UP]
        assert (pair.directory / UP).read_bytes() == b"up"
        assert write_pair(pair) == []
        assert names(pair.directory) == [DOWN, UP]

    def test_the_umask_decides_the_mode(self, pair: Pair) -> None:
        write_pair(pair)
        mask = os.umask(0)
        os.umask(mask)
        assert {path.stat().st_mode & 0o777 for path in pair.paths} == {0o666 & ~mask}

    @pytest.mark.parametrize("step", ["write", "fsync", "link", "open"])
    @pytest.mark.parametrize("nth", [1, 2, 3, 4])
    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
    def test_an_error_at_any_step_leaves_nothing(
        self, pair: Pair, monkeypatch: pytest.MonkeyPatch, step: str, nth: int, code: int
    ) -> None:
        real: Callable[..., Any] = getattr(os, step)
        calls = 0

        def failing(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == nth:
                raise OSError(code, os.strerror(code))
            return real(*args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(os, step, failing)
            message = failure(pair)
        if calls >= nth:
            assert os.strerror(code) in message
            assert names(pair.directory) == []
        write_pair(pair)
        assert names(pair.directory) == [DOWN, UP]

    @pytest.mark.parametrize("step", ["write", "fsync", "link"])
    @pytest.mark.parametrize("nth", [1, 2])
    def test_an_interruption_leaves_nothing(
        self, pair: Pair, monkeypatch: pytest.MonkeyPatch, step: str, nth: int
    ) -> None:
        real: Callable[..., Any] = getattr(os, step)
        calls = 0

        def interrupted(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            result = real(*args, **kwargs)  # after it: the worst moment, nobody has taken note of the file
            if calls == nth:
                raise KeyboardInterrupt
            return result

        monkeypatch.setattr(os, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_pair(pair)
        assert names(pair.directory) == []

    @pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
    @pytest.mark.parametrize(
        ("step", "nth"),
        [("write", 1), ("write", 2), ("fsync", 1), ("fsync", 2), ("link", 1), ("link", 2), ("fsync", 3), ("unlink", 1)],
    )
    def test_a_killed_run_never_leaves_a_down_file_alone_and_the_next_completes_it(
        self, pair: Pair, step: str, nth: int
    ) -> None:
        assert kill_at(pair.directory, step, nth) == -9
        left = names(pair.directory)
        assert (DOWN not in left) or (UP in left)
        assert all(not name[0].isdigit() or name in (UP, DOWN) for name in left)
        for path in pair.paths:
            assert not path.exists() or path.read_bytes() in (b"up", b"down")
        write_pair(pair)
        assert names(pair.directory) == [DOWN, UP]
        assert (pair.directory / UP).read_bytes() == b"up"

    def test_a_file_that_appears_meanwhile_is_kept(self, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
        real = os.link

        def link(source: Path, target: Path) -> None:
            if target.name == DOWN:
                target.write_text("somebody else's")
            real(source, target)

        monkeypatch.setattr(os, "link", link)
        with pytest.raises(ScanError, match="File exists"):
            write_pair(pair)
        assert names(pair.directory) == [DOWN]
        assert (pair.directory / DOWN).read_text() == "somebody else's"

    def test_without_hard_links(self, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
        def link(source: Path, target: Path) -> None:
            raise OSError(errno.EPERM, "no links here")

        monkeypatch.setattr(os, "link", link)
        write_pair(pair)
        assert names(pair.directory) == [DOWN, UP]

    def test_a_read_only_directory(self, pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> None:
        base = tmp_path_factory.getbasetemp()
        for parent in (base.parent, base, pair.directory.parent):
            parent.chmod(0o755)  # closed to others otherwise, and others is who `unprivileged` is
        pair.directory.chmod(0o555)
        with unprivileged(), pytest.raises(ScanError, match="cannot write the migration: Permission denied"):
            write_pair(pair)
        assert names(pair.directory) == []

    def test_two_runs_at_once(self, pair: Pair) -> None:
        program = WRITE + (
            f"print(len(write_pair(Pair(Path({str(pair.directory)!r}), File({UP!r}, b'up'), File({DOWN!r}, b'down')))))"
        )
        runs = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(4)]
        written = sorted(run.communicate()[0].strip() for run in runs)
        assert written == ["0", "0", "0", "2"]
        assert names(pair.directory) == [DOWN, UP]


Connection = psycopg.Connection[tuple[Any, ...]]
SHAPE = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
       pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum), a.attcollation, a.attacl::text,
       pg_get_serial_sequence('campaign_phases', a.attname)
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = 'campaign_phases'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attname
"""
HANGING = """
SELECT pg_get_indexdef(indexrelid), obj_description(indexrelid)
FROM pg_index WHERE indrelid = 'campaign_phases'::regclass
UNION ALL
SELECT conname || ' ' || pg_get_constraintdef(oid), obj_description(oid)
FROM pg_constraint WHERE conrelid = 'campaign_phases'::regclass
UNION ALL SELECT pg_get_statisticsobjdef(oid), NULL FROM pg_statistic_ext WHERE stxrelid = 'campaign_phases'::regclass
ORDER BY 1
"""
TYPED = "CREATE TABLE campaign_phases (id bigint, error_message {});"
ROUND_TRIPS = {
    "plain": TYPED.format("text"),
    "default": TYPED.format("timestamptz NOT NULL DEFAULT now()"),
    "altered": TYPED.format("text")
    + "ALTER TABLE campaign_phases ALTER error_message SET DEFAULT 'a', ALTER error_message SET NOT NULL, "
    "ALTER error_message TYPE varchar(5);",
    "array": TYPED.format("numeric(10,2)[] DEFAULT '{}'"),
    "enum": """CREATE TYPE "Mood" AS ENUM ('a', 'b');""" + TYPED.format(""""Mood" DEFAULT 'a'::"Mood" """),
    "collation and comment": TYPED.format('text COLLATE "C"')
    + "COMMENT ON COLUMN campaign_phases.error_message IS 'it''s; a \\ b';",
    "identity": TYPED.format("int GENERATED BY DEFAULT AS IDENTITY"),
    "generated": TYPED.format("bigint GENERATED ALWAYS AS ((id + 1) * (id + 2)) STORED"),
    "serial": TYPED.format("bigserial"),
    "serial key": TYPED.format("serial PRIMARY KEY"),
    "owned sequence": "CREATE SEQUENCE tickets;"
    + TYPED.format("bigint NOT NULL DEFAULT nextval('tickets')")
    + "ALTER SEQUENCE tickets OWNED BY campaign_phases.error_message;",
    "unique": TYPED.format("varchar(20) UNIQUE"),
    "unique with a default": TYPED.format("text DEFAULT 'x' UNIQUE"),
    "check": TYPED.format("text CHECK (error_message <> '')")
    + "COMMENT ON CONSTRAINT campaign_phases_error_message_check ON campaign_phases IS 'why';",
    "foreign key": "CREATE TABLE other (code text PRIMARY KEY);"
    + TYPED.format("text REFERENCES other (code) ON DELETE CASCADE DEFERRABLE"),
    "exclusion": TYPED.format("int4range, EXCLUDE USING gist (error_message WITH &&)"),
    "indexes": TYPED.format("text")
    + "CREATE UNIQUE INDEX IF NOT EXISTS i ON campaign_phases USING btree (lower(error_message) DESC) "
    "WHERE error_message IS NOT NULL; COMMENT ON INDEX i IS 'why'; CREATE INDEX ON campaign_phases (error_message);",
    "renamed": "CREATE TABLE phases (id bigint, msg text CHECK (msg <> 'x')); CREATE INDEX i ON phases (msg);"
    "ALTER TABLE phases RENAME TO campaign_phases; ALTER TABLE campaign_phases RENAME msg TO error_message;",
    "statistics": TYPED.format("text") + "CREATE STATISTICS s ON (lower(error_message)) FROM campaign_phases;",
    "grant": TYPED.format("text")
    + "GRANT SELECT (error_message), UPDATE (error_message) ON campaign_phases TO PUBLIC;",
}


def run(connection: Connection, data: bytes) -> None:
    """As golang-migrate does it: the whole file in one call."""
    connection.execute(data)


def replayed(text: str) -> Catalog:
    """The catalog that a migration builds."""
    source = SourceFile("migrations/000067_all.up.sql", text.encode(), "sql")
    return replay([Migration(67, "all", source.path, ((0, len(source.data)),), source)])


def after(before: Catalog, data: bytes) -> Catalog:
    return apply_file(before, SourceFile("migrations/000068.sql", data, "sql"), ((0, len(data)),))


def essence(given: Catalog) -> tuple[object, ...]:
    """A catalog without positions and numbers."""
    (table,) = (item for item in given.relations.values() if item.name == TABLE)
    columns = sorted(
        (c.name, c.type, c.not_null, c.default, c.generated, c.identity, c.collation, c.comment) for c in table.columns
    )
    return columns, sorted((item.kind, item.name, item.comment) for item in given.objects.values())


class TestOnPostgreSQL:
    @pytest.mark.parametrize("case", ROUND_TRIPS)
    def test_down_brings_back_what_up_dropped(self, database: Connection, migrations: Path, case: str) -> None:
        run(database, ROUND_TRIPS[case].encode())
        before = database.execute(SHAPE).fetchall(), database.execute(HANGING).fetchall()
        pair = pair_of(migrations, replayed(ROUND_TRIPS[case]))
        run(database, pair.up.data)
        assert len(database.execute(SHAPE).fetchall()) == 1
        database.execute("INSERT INTO campaign_phases VALUES (1), (2)")
        run(database, pair.down.data)
        assert (database.execute(SHAPE).fetchall(), database.execute(HANGING).fetchall()) == before
        run(database, pair.up.data)

    @pytest.mark.parametrize("case", ROUND_TRIPS)
    def test_the_replay_reads_what_is_rendered(self, migrations: Path, case: str) -> None:
        given = replayed(ROUND_TRIPS[case])
        pair = pair_of(migrations, given)
        dropped = after(given, pair.up.data)
        assert essence(after(dropped, pair.down.data)) == essence(given)
        assert refusal(migrations, dropped).code == 2
        assert after(dropped, pair.down.data).gaps == ()

    def test_not_null_without_a_default_comes_back_on_a_full_table(
        self, database: Connection, migrations: Path
    ) -> None:
        column = replace(ERROR_MESSAGE, not_null=True)
        key = Constraint(
            name="pk", relation=OID, type="primary key", columns=(3,), definition="PRIMARY KEY (error_message)"
        )
        check = Constraint(name="c", relation=OID, columns=(3,), definition="CHECK (error_message IS NOT NULL)")
        pair = pair_of(migrations, catalog(column, objects=(key, check)))
        database.execute("CREATE TABLE campaign_phases (id bigint)")
        database.execute("INSERT INTO campaign_phases VALUES (1), (2)")
        run(database, pair.down.data)
        assert database.execute(SHAPE).fetchall()[0][:3] == ("error_message", "text", False)
        text = pair.down.data.decode()
        assert "-- error_message was NOT NULL, but rows that exist now have no value for it" in text
        assert "-- pk cannot be built while rows lack a value" in text
        assert all(";" not in line for line in text.splitlines() if line.startswith("--"))
        with pytest.raises(psycopg.errors.CheckViolation):
            database.execute("INSERT INTO campaign_phases VALUES (3)")


class TestDomainflow:
    """The shipped rule on the shipped fixtures, through the command line."""

    @pytest.fixture
    def repository(self, tmp_path: Path) -> Callable[[str], Path]:
        return lambda name: shutil.copytree(FIXTURES / "domainflow" / name, tmp_path / name)

    @pytest.mark.parametrize("name", ["before", "between"])
    def test_refuses_while_something_uses_the_column(self, repository: Callable[[str], Path], name: str) -> None:
        root = repository(name)
        there = sorted(path.name for path in (root / PLAN_DIRECTORY).iterdir())
        assert main(["generate-migration", "--root", str(root)]) == 1
        assert sorted(path.name for path in (root / PLAN_DIRECTORY).iterdir()) == there

    def test_writes_the_pair_of_the_plan(self, repository: Callable[[str], Path], database: Connection) -> None:
        root = repository("after")
        assert main(["generate-migration", "--root", str(root)]) == 0
        directory = root / PLAN_DIRECTORY
        up, down = (directory / UP).read_bytes(), (directory / DOWN).read_bytes()
        assert up == b"BEGIN;\nALTER TABLE campaign_phases DROP COLUMN IF EXISTS error_message;\nCOMMIT;\n"
        assert down == b"BEGIN;\nALTER TABLE campaign_phases ADD COLUMN IF NOT EXISTS error_message TEXT;\nCOMMIT;\n"
        for path in sorted(directory.glob("*.up.sql")):
            if path.name != UP:
                run(database, path.read_bytes())
        before = database.execute(SHAPE).fetchall(), database.execute(HANGING).fetchall()
        for step in (up, down, up, down):
            run(database, step)
        assert (database.execute(SHAPE).fetchall(), database.execute(HANGING).fetchall()) == before
