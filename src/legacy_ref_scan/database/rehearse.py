"""The rehearsal: migrations, every statement of the code, the drop and its way back, on a PostgreSQL of one's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import OperationalError

from legacy_ref_scan.catalog.names import quoted
from legacy_ref_scan.database.bodies import Bodies, check_bodies
from legacy_ref_scan.database.chain import Chain, NotEmptyError, replay_on, require_empty
from legacy_ref_scan.database.checks import Check, Figures, Protocol, Result, counted, timed
from legacy_ref_scan.database.cluster import embedded
from legacy_ref_scan.database.code import Code, statements_of
from legacy_ref_scan.database.connection import DatabaseError, connect, named, redacted
from legacy_ref_scan.database.dump import Dump, differences, dump
from legacy_ref_scan.database.live import function_findings, live_schema, named_functions, signature
from legacy_ref_scan.database.prepared import Broken, Preparation, compare, prepare_all
from legacy_ref_scan.database.steps import Step, run_step
from legacy_ref_scan.database.verdicts import Knowledge, Said
from legacy_ref_scan.generate import Pair, plan_pair
from legacy_ref_scan.migrations import History, Migration
from legacy_ref_scan.model import Reference, ScanError, SourceFile, Target, Verdict
from legacy_ref_scan.scan import Outcome, Request, open_workspace, scan
from legacy_ref_scan.sql.watch import watch
from legacy_ref_scan.versions import Version

if TYPE_CHECKING:
    from legacy_ref_scan.database.connection import Connection


@dataclass(frozen=True, slots=True)
class Drop:
    """What is rehearsed: the SQL of the migration and of its way back (None: there is none yet), and their names."""

    up: bytes
    down: bytes | None
    name: str
    down_name: str = ""


def rehearse(request: Request, *, dsn: str | None = None, schema_dump: Path | None = None) -> Protocol:
    """Rehearse the drop of the columns of the request's one rule. Raises `ScanError`.

    `dsn` names an empty database, which is left as the rehearsal leaves it; without it an embedded server is started
    and removed. `schema_dump` stands for the migrations.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    outcome = scan(request)
    with ExitStack() as stack:
        server = stack.enter_context(embedded()) if dsn is None else None
        where = server.dsn_of(server.create()) if server is not None else str(dsn)
        connection = stack.enter_context(connect(where))
        _refuse_used(connection)
        subject = named(connection) if server is None else f"an embedded {named(connection).partition('(')[2][:-1]}"
        stage = _Stage(request, outcome, where, connection, own=server is not None)
        try:
            checks = list(stage.run(schema_dump))
        except OperationalError as error:
            raise DatabaseError(f"the server went away in the middle: {redacted(str(error), where)}") from None
    targets = tuple(str(target) for target in outcome.report.targets)
    return Protocol("rehearse", subject, targets, started, tuple(checks), tuple(stage.notes))


def _refuse_used(connection: Connection) -> None:
    try:
        require_empty(connection)
    except NotEmptyError as error:
        raise ScanError(f"--dsn: {error}: a rehearsal wants an empty database, and never one in use") from None


class _Stage:
    """One rehearsal on one database; `run` yields the checks in order and stops where going on makes no sense."""

    def __init__(self, request: Request, outcome: Outcome, dsn: str, connection: Connection, own: bool) -> None:
        self.request, self.outcome, self.dsn, self.connection, self.own = request, outcome, dsn, connection, own
        self.targets = outcome.report.targets
        self.notes: list[str] = []
        self.gone = {(f"{target.schema}.{target.table}", target.column) for target in self.targets}
        self.drop = drop_of(request, outcome)

    def run(self, schema_dump: Path | None) -> Iterator[Check]:
        chain = timed(lambda: [self._build(schema_dump)])
        yield from chain
        if chain[0].result is not Result.PASS:
            return
        missing = [str(target) for target in self.targets if not column_there(self.connection, target)]
        if missing:
            why = f"the migrations leave no {', '.join(missing)}: dropped already, or misspelled"
            yield Check(id="column", title="the columns", result=Result.NOT_POSSIBLE, reason=why)
            return
        code = self._code()
        before = self._prepare(code)
        yield _prepare_check(code, before)
        bodies = check_bodies(self.connection)  # may make an extension: the dump has to see it
        shape = dump(self.connection)
        up = timed(lambda: [self._up()])
        yield from up
        if up[0].result is not Result.PASS and not self._rename():
            return
        yield from timed(lambda: [self._statements(before)])
        yield from timed(lambda: [self._bodies(bodies, shape)])
        if up[0].result is Result.PASS:
            yield from self._way_back(shape, before)

    # Building the schema

    def _build(self, schema_dump: Path | None) -> Check:
        history, migrations = self._migrations(schema_dump)
        if not migrations:
            raise ScanError("no migrations to rehearse: name their directory with --migrations, or give --schema-dump")
        chain = replay_on(self.connection, history, migrations, own=self.own)
        self.connection.execute("RESET ALL")  # a dump empties the search path of its session
        self.notes.extend(chain.notes())
        return _chain_check(chain, len(migrations), history)

    def _migrations(self, schema_dump: Path | None) -> tuple[History, tuple[Migration, ...]]:
        if schema_dump is None:
            history, until = self.outcome.history, self.request.until
            return history, tuple(m for m in history.migrations if until is None or m.version < until)
        try:
            data = schema_dump.read_bytes()
        except OSError as error:
            raise ScanError(f"--schema-dump {schema_dump}: cannot be read: {error.strerror or error}") from None
        source = SourceFile(str(schema_dump), data, "sql")
        only = Migration(Version(), schema_dump.name, source.path, ((0, len(data)),), source)
        history = History(source.path, "schema-file", (only,))
        return history, history.migrations

    # The statements of the code

    def _code(self) -> Code:
        """The statements of every file, those too that the rule excludes."""
        history = self.outcome.history
        migrations = {item.path for item in history.migrations}
        migrations |= {item.down_path for item in history.migrations if item.down_path}
        everything = replace(
            self.request, rules=tuple(replace(rule, include=(), exclude=()) for rule in self.request.rules)
        )
        workspace = open_workspace(everything)
        rules = {path for path in workspace.all_paths if path.startswith("rules/") and path.endswith(".toml")}
        return statements_of(workspace, self.outcome.catalog, self.targets, frozenset(migrations), frozenset(rules))

    def _connect(self, stack: ExitStack) -> tuple[Connection, Connection]:
        """Two connections to the database that look for tables as the rule says."""
        both = (stack.enter_context(connect(self.dsn)), stack.enter_context(connect(self.dsn)))
        path = ", ".join(quoted(name) for name in self.request.rules[0].search_path)
        for connection in both:
            connection.execute(f"SET search_path = {path}".encode())
        return both

    def _prepare(self, code: Code) -> Preparation:
        with ExitStack() as stack:
            return prepare_all(*self._connect(stack), code.statements)

    def _statements(self, before: Preparation) -> Check:
        with ExitStack() as stack:
            broken = list(compare(*self._connect(stack), before, frozenset(self.gone)))
        workspace = open_workspace(self.request)
        paths = set(workspace.paths)
        if any(rule.tests == "ignore" for rule in self.request.rules):
            paths = {path for path in paths if not workspace.is_test(path)}
        return _statements_check(before, broken, Knowledge(self.outcome.report, frozenset(paths)))

    # The drop and its way back

    def _up(self) -> Check:
        step = run_step(self.connection, self.drop.up)
        if step.problem:
            why = f"PostgreSQL refuses: {step.problem}"
            return Check(id="up", title="up migration", result=Result.FAIL, reason=why, findings=_details(step))
        return _step_check("up", "up migration", step, self.drop.name)

    def _rename(self) -> bool:
        """Where something refuses the drop, give the column and what stands for it in views another name.

        That breaks what names it, as the drop would, and leaves alone what only reads other columns of a view.
        """
        catalog = self.outcome.catalog
        statements: list[str] = []
        for (oid, attnum), item in watch(catalog, self.targets).columns.items():
            relation = catalog.relations[oid]
            column = relation.by_attnum(attnum)
            if column is None or (item.via and relation.kind not in ("view", "matview")):
                continue  # a child's column is renamed with its parent's
            new = f"legacy_ref_scan_{oid}_{attnum}"
            name = f"{relation.schema}.{relation.name}"
            self.gone.update(((name, column.name), (name, new)))
            table = f"{quoted(relation.schema)}.{quoted(relation.name)}"
            statements.append(f"ALTER TABLE {table} RENAME COLUMN {quoted(column.name)} TO {new};")
        if run_step(self.connection, "\n".join(statements).encode()).problem:
            return False
        self.notes.append("the columns got another name instead of the drop, so that what names them can be proven")
        return True

    def _way_back(self, shape: Dump, before: Preparation) -> Iterator[Check]:
        if self.drop.down is None:
            verdict = self.outcome.report.verdict
            clean = verdict is Verdict.CLEAN
            why = "no rule asks for one" if clean else f"there is none yet: the verdict is {verdict.value}"
            yield Check(id="down", title="down migration", result=Result.NOT_POSSIBLE, reason=why, required=not clean)
            return
        step = run_step(self.connection, self.drop.down)
        yield _step_check("down", "down migration", step, self.drop.down_name)
        if step.problem:
            return
        yield from timed(lambda: [self._same(shape, before)])
        yield _step_check("up-again", "up migration again", run_step(self.connection, self.drop.up), self.drop.name)

    def _same(self, shape: Dump, before: Preparation) -> Check:
        """Whether down brought everything back: the schema, and every statement."""
        found = list(differences(shape, dump(self.connection)))
        with ExitStack() as stack:
            broken = list(compare(*self._connect(stack), before, frozenset()))
        lines = (*found, *(f"{item.statement.place}: {item.how}" for item in broken if not item.only_star))
        reason = "is the one before, the order of columns aside" if not lines else "is not the one before"
        figures: Figures = (("objects", len(shape.order)), ("statements", len(before.accepted)))
        result = Result.FAIL if lines else Result.PASS
        return Check(id="schema", title="schema after down", result=result, reason=reason, figures=figures,
                     findings=lines)  # fmt: skip

    # Function bodies

    def _bodies(self, before: Bodies, shape: Dump) -> Check:
        after = check_bodies(self.connection)
        search_path = self.request.rules[0].search_path
        live = live_schema(shape, self.targets, search_path)
        proven = {
            f"function {name} fails now: {error}": None
            for name in sorted(before.errors)
            for error in sorted(after.errors.get(name, frozenset()) - before.errors[name])
        }
        undecided: dict[str, None] = {}
        for function, found in function_findings(live):
            if isinstance(found, Reference):
                proven[f"function {signature(function)} {found.message}"] = None
            else:
                undecided[f"function {signature(function)}: {found.message}"] = None
        return _bodies_check(before, len(named_functions(live)), tuple(proven), tuple(undecided))


def column_there(connection: Connection, target: Target) -> bool:
    """Whether the database has the column."""
    row = connection.execute(
        "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relname = %s AND a.attname = %s AND NOT a.attisdropped",
        (target.schema, target.table, target.column),
    ).fetchone()
    return row is not None and bool(row[0])


def drop_of(request: Request, outcome: Outcome) -> Drop:
    """The pair of the rule where it can be planned, else a plain DROP COLUMN without a way back."""
    rule, history = request.rules[0], outcome.history
    if rule.migration is not None and history.migrations:
        directory = request.root / history.directory
        pair = plan_pair(outcome.report, outcome.catalog, rule, directory, history.convention)
        if isinstance(pair, Pair):
            return Drop(pair.up.data, pair.down.data, pair.up.name, pair.down.name)
    return Drop(drop_statement(outcome.report.targets), None, "a plain DROP COLUMN")


def drop_statement(targets: tuple[Target, ...]) -> bytes:
    """DROP COLUMN for each target, in one transaction."""
    return "".join(
        f"ALTER TABLE {quoted(t.schema)}.{quoted(t.table)} DROP COLUMN {quoted(t.column)};\n" for t in targets
    ).encode()


def _chain_check(chain: Chain, wanted: int, history: History) -> Check:
    result = Result.NOT_POSSIBLE if chain.problem else Result.PASS
    reason = chain.problem or f"{history.directory or '.'} ({history.convention})"
    figures: Figures = (("applied", chain.applied), ("migrations", wanted))
    return Check(id="chain", title="migrations up to the drop", result=result, reason=reason, figures=figures)


def _step_check(id_: str, title: str, step: Step, origin: str) -> Check:
    if step.problem:
        return Check(id=id_, title=title, result=Result.FAIL, reason=step.problem, findings=_details(step))
    locks = tuple(f"{held.mode} on {held.relation} for {held.milliseconds} ms" for held in step.locks)
    figures: Figures = (("milliseconds", step.milliseconds), ("statements", step.statements))
    reason = f"{origin}, on tables without rows"
    return Check(id=id_, title=title, result=Result.PASS, reason=reason, figures=figures, findings=locks)


def _details(step: Step) -> tuple[str, ...]:
    return tuple(line.strip() for line in step.details.splitlines() if line.strip())


def _prepare_check(code: Code, before: Preparation) -> Check:
    """What was prepared before the drop, and why the rest was not."""
    skipped = code.skipped + before.reasons
    figures: Figures = (
        ("files", code.files),
        ("statements", len(code.statements) + sum(code.skipped.values())),
        ("prepared", len(before.accepted)),
        ("skipped", sum(skipped.values())),
        *((f"skipped ({why})", count) for why, count in skipped.most_common()),
    )
    refused = (f"{item.place}: {message} ({state})" for item, state, message in before.refused)
    lines = tuple(dict.fromkeys(refused))  # alternatives of one query fail alike
    reason = "PostgreSQL takes them" if before.accepted else "none that PostgreSQL takes was found"
    result = Result.PASS if before.accepted else Result.NOT_POSSIBLE
    return Check(id="prepare", title="statements before the drop", result=result, reason=reason, figures=figures,
                 findings=lines)  # fmt: skip


def _statements_check(before: Preparation, broken: list[Broken], known: Knowledge) -> Check:
    said = [(item, known.about(item.statement.spans)) for item in broken]
    gating = [(item, what) for item, what in said if not (what is Said.LISTED and item.only_star)]
    figures: Figures = (("prepared again", len(before.accepted)), ("proven", len(gating)))
    lines = [f"{item.statement.place} {item.how}; {what.value}" for item, what in said]
    bugs = sum(what is Said.CLEAN for _, what in gating)
    if bugs:
        reason = f"{bugs} of {len(gating)} proven references were called clean: a bug in legacy-ref-scan, report it"
    elif gating:
        counts = Counter(what.value for _, what in gating)
        reason = "; ".join(f"{count} proven: {what}" for what, count in counts.items())
    else:
        reason = "none breaks when the column goes"
    result = Result.FAIL if gating else Result.PASS
    return Check(id="statements", title="statements after the drop", result=result, reason=reason, figures=figures,
                 findings=tuple(sorted(set(lines))))  # fmt: skip


def _bodies_check(before: Bodies, named: int, proven: tuple[str, ...], undecided: tuple[str, ...]) -> Check:
    figures: Figures = (
        ("functions", before.functions),
        ("naming the column", named),
        ("uses", len(proven)),
        ("undecided", len(undecided)),
    )
    if proven:
        result, reason = Result.FAIL, f"{counted(len(proven), 'use')} of the column in function bodies"
    elif undecided:
        result, reason = Result.NOT_POSSIBLE, f"{counted(len(undecided), 'place')} could not be decided"
    else:
        result, reason = Result.PASS, "none uses the column"
    return Check(id="bodies", title="function bodies", result=result, figures=figures, findings=(*proven, *undecided),
                 reason=f"{reason}; looked at with {before.method} and our own resolver")  # fmt: skip
