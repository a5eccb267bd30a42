"""The whole pipeline: rules, workspace, migrations, mentions, fragments, references and gaps, verdict."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial, reduce
from pathlib import Path

from legacy_ref_scan.accounting import account
from legacy_ref_scan.acknowledge import acknowledge
from legacy_ref_scan.assume import in_another_case, in_other_schemas, with_targets
from legacy_ref_scan.catalog import replay
from legacy_ref_scan.doubts import doubts, of_programs
from legacy_ref_scan.in_tests import in_tests
from legacy_ref_scan.languages import extract
from legacy_ref_scan.living import living
from legacy_ref_scan.mappings import judge_mapping, reflected
from legacy_ref_scan.memory import Kept, Memory
from legacy_ref_scan.mentions import Names, names_of
from legacy_ref_scan.migrations import History, Migration, detect
from legacy_ref_scan.model import (
    Access,
    Claim,
    Explanation,
    Found,
    Fragment,
    Gap,
    Mapping,
    Reference,
    Report,
    Residue,
    ScanError,
    SourceFile,
    Span,
    Target,
    Verdict,
    whole_file,
)
from legacy_ref_scan.parameters import names_as_parameters
from legacy_ref_scan.project import ScanProject
from legacy_ref_scan.rules import Others, Rule
from legacy_ref_scan.schema import Catalog
from legacy_ref_scan.session_path import session_path
from legacy_ref_scan.sql.alternatives import Known, analyze_all
from legacy_ref_scan.sql.analyze import analyze
from legacy_ref_scan.sql.findings import Schema
from legacy_ref_scan.sql.history import analyze_kept, analyze_seeds
from legacy_ref_scan.sql.trace import Trace
from legacy_ref_scan.sql.watch import row_names, watch
from legacy_ref_scan.versions import Version
from legacy_ref_scan.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to scan for and where. `migrations` overrides the rules' directory; `until` leaves later versions out.

    `trace` keeps what the analysis makes of the texts that it wants. `remember`: other revisions are scanned next.
    """

    root: Path
    rules: tuple[Rule, ...]
    paths: tuple[str, ...] = ()
    migrations: str | None = None
    exclude: tuple[str, ...] = ()
    staged: bool = False
    revision: str | None = None
    until: Version | None = None
    progress: Callable[[str], None] | None = None
    trace: Trace | None = None
    remember: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer, the schema that it rests on, and what a scan of another revision for the same takes over."""

    report: Report
    catalog: Catalog
    history: History
    ground: Ground
    aim: Aim


def scan(request: Request) -> Outcome:
    """Answer for every mention of the rules' columns. Raises `ScanError` where nothing could be scanned."""
    say = request.progress or (lambda _: None)
    targets = tuple(dict.fromkeys(target for rule in request.rules for target in rule.targets))
    if not targets:
        raise ScanError("no column to look for: give --column TABLE.COLUMN or --rule FILE")
    say("listing files")
    workspace = open_workspace(request)
    history = read_history(request, workspace, names_of(targets, ()))
    say("replaying migrations")
    replayed = replay_history(request, history)
    _check_schemas(request, replayed)
    replayed, unseen = _on_a_baseline(request, history, replayed, targets)
    catalog, notes = with_targets(replayed, targets, bool(history.migrations))
    notes = (*unseen, *notes)
    ground = Ground(workspace, history, kept={} if request.remember else None)
    aim = aim_at(request, catalog, targets)
    report = examine(request, ground, aim)
    return Outcome(replace(report, notes=(*report.notes, *notes)), catalog, history, ground, aim)


@dataclass(frozen=True)
class Ground:
    """What several scans of one repository share: its files, its migrations and what was read of them.

    `released` are the migrations of an older revision whose files are scanned against the schema of a newer one, and
    `like` is that one: what it has `kept` is taken over where nothing that it rests on differs.
    """

    workspace: Workspace
    history: History
    released: History | None = None
    like: Ground | None = None
    kept: dict[int, Kept] | None = None

    @property
    def migration_paths(self) -> frozenset[str]:
        """The files of migrations, which are not scanned as code."""
        older = _migration_paths(self.released) if self.released else frozenset()
        return _migration_paths(self.history) | older


@dataclass(frozen=True)
class Aim:
    """What to look for. `relation` is the table where any use of it counts, not of its columns alone."""

    targets: tuple[Target, ...]
    schema: Schema
    relation: Target | None = None


def aim_at(request: Request, catalog: Catalog, targets: tuple[Target, ...]) -> Aim:
    """Look for columns that the catalog has."""
    return Aim(targets, _schema(request, catalog, targets))


def aim_at_table(request: Request, catalog: Catalog, table: Target) -> Aim:
    """Look for any use of a table of the catalog; the column of `table` stands for all (`*`).

    Only the names of the table, its children and the views over it are looked for: no statement does without them.
    """
    relation = catalog.relation(table.table, table.schema)
    columns = tuple(Target(table.schema, table.table, item.name) for item in relation.columns) if relation else ()
    schema = _schema(request, catalog, columns)
    watched = {key: replace(item, target=table) for key, item in schema.watch.columns.items()}
    names = replace(schema.names, columns=frozenset(), tables=frozenset({table.table}))
    return Aim((table,), replace(schema, watch=replace(schema.watch, columns=watched), names=names), table)


def examine(request: Request, ground: Ground, aim: Aim, choose: Callable[[SourceFile], bool] | None = None) -> Report:
    """Answer for every mention of what the aim names. `choose` leaves out candidates: the answer is then no verdict."""
    say = request.progress or (lambda _: None)
    workspace, history = ground.workspace, ground.history
    say("reading files")
    others = reduce(Others.strictest, (rule.others for rule in request.rules))
    rules = _rule_paths(request, workspace)
    sinks = tuple(dict.fromkeys(sink for rule in request.rules for sink in rule.sinks))
    project = ScanProject(workspace, aim.schema.names, ground.migration_paths, rules, others, choose, sinks)
    _check_scanned(project, workspace)
    schema = replace(aim.schema, near=project.near, concerns=project.concerns, trace=request.trace)
    schema = schema.under(session_path(schema.catalog, aim.targets, workspace))
    say("resolving")
    found: list[Found] = list(_history_claims(ground.released)) if ground.released else []
    found.extend(_findings(project, schema, history, _memory(ground, aim, project, schema)))
    names = aim.schema.names.tables | aim.schema.names.dependents
    gaps, doubtful = doubts(history, project.about, names, schema.catalog.search_path)
    found.extend(gaps)
    found.extend(of_programs(history, schema.catalog, lambda text: schema.names.in_text(text, "table")))
    if aim.relation is not None:
        found = [_use_of_relation(item, aim.relation) for item in found]
    report = _report(request, aim.targets, project, workspace, found)
    return replace(report, notes=(*_history_notes(history, schema), *doubtful, *report.notes))


_ALONE = frozenset({"the table's name", "the table's name alone"})  # in a text that is no statement by itself


def _use_of_relation(item: Found, relation: Target) -> Found:
    """A statement that names the table and none of its columns uses it all the same."""
    if not isinstance(item, Claim) or item.why is not Explanation.TABLE:
        return item
    name = f"{relation.schema}.{relation.table}"
    if item.detail in _ALONE:
        return Gap(item.span, "table-name", f"the name of {name} stands here alone: a statement may be made of it")
    schema, _, table = item.detail.rpartition(".")
    if table == relation.table and schema not in ("", relation.schema):
        return item
    return Reference(relation, Access.READ, True, item.span, "table", "", f"uses {name}", "stop using the table here")


def open_workspace(request: Request) -> Workspace:
    """The files that the request and its rules leave."""
    exclude = (*request.exclude, *(glob for rule in request.rules for glob in rule.exclude))
    include = tuple(glob for rule in request.rules for glob in rule.include)
    return Workspace(
        request.root,
        paths=request.paths,
        include=include,
        exclude=exclude,
        staged=request.staged,
        rev=request.revision,
    )


def _check_schemas(request: Request, catalog: Catalog) -> None:
    """Refuse a table named without its schema that is in another: the answer for none would read like a proof."""
    for rule in request.rules:
        for target in rule.targets:
            alike = in_another_case(catalog, target)
            if alike:
                raise ScanError(
                    f"{rule.source}: the migrations leave no column {target}, but there is {alike[0]}: "
                    f'write capitals in quotes, as SQL does (--column \'"{alike[0].table}"."{alike[0].column}"\')'
                )
            others = in_other_schemas(catalog, target) if target in rule.unqualified else ()
            if others:
                table, found = f"{target.schema}.{target.table}", " and ".join(map(str, others))
                raise ScanError(
                    f"{rule.source}: the migrations leave no table {table}, but there is {found}: "
                    f"name the schema ({target} if the one in {target.schema} was dropped)"
                )


def read_history(request: Request, workspace: Workspace, names: Names) -> History:
    """The migrations: of the request's directory, else the rules', else the one that is found."""
    plans = [rule.migration for rule in request.rules if rule.migration is not None]
    directory = request.migrations or next((plan.directory for plan in plans if plan.directory), None)
    spoken_of = (plan for plan in plans if request.migrations in (None, plan.directory))
    convention = next((plan.convention for plan in spoken_of if plan.convention), None)
    return detect(workspace, directory, convention, lambda data: names.in_text(data, "table"))


def replay_history(request: Request, history: History, start: Catalog | None = None) -> Catalog:
    """The schema that the history leaves."""
    wanted = tuple(m for m in history.migrations if request.until is None or m.version < request.until)
    return replay(wanted, request.rules[0].search_path if request.rules else ("public",), start)


def _on_a_baseline(
    request: Request, history: History, replayed: Catalog, targets: tuple[Target, ...]
) -> tuple[Catalog, tuple[str, ...]]:
    """The schema where the history speaks of tables that it does not create: on top of what was there before it.

    A table that it creates and drops again can't have been there: creating it would fail.
    """
    missing = [target for target in targets if replayed.relation(target.table, target.schema) is None]
    names = names_of(missing, ())
    texts = (text for migration in history.migrations for text in migration.texts)
    if not missing or not any(names.in_text(text, "table") for text in texts):
        return replayed, ()
    baseline, _ = with_targets(Catalog(search_path=replayed.search_path), missing, True)
    found = replay_history(request, history, baseline)
    if len(found.gaps) > len(replayed.gaps):
        return replayed, ()
    tables = sorted({f"{target.schema}.{target.table}" for target in missing})
    return found, (f"no migration creates {', '.join(tables)}: taken to be there before the first",)


def _rule_paths(request: Request, workspace: Workspace) -> frozenset[str]:
    """The rules themselves name what they retire; that is no use of it."""
    sources = (Path(rule.source) for rule in request.rules if rule.source.endswith(".toml"))
    listed = (path for path in workspace.all_paths if path.startswith("rules/") and path.endswith(".toml"))
    inside = (os.path.relpath(source, workspace.root).replace(os.sep, "/") for source in sources)
    return frozenset((*listed, *inside))


def _schema(request: Request, catalog: Catalog, targets: tuple[Target, ...]) -> Schema:
    catalog = _reaching(catalog, targets)
    watched = watch(catalog, targets)
    dependents = {w.via.partition(".")[2] for w in watched.columns.values() if w.via}
    dependents.update(row_names(catalog, watched))
    names = names_of(targets, dependents - {target.table for target in targets})
    replacement = next((rule.replacement for rule in request.rules if rule.replacement), "")
    star_gates = all(rule.star == "gate" for rule in request.rules)
    shared_gates = any(rule.shared == "gate" for rule in request.rules)
    return Schema(catalog, watched, names, star_gates=star_gates, shared_gates=shared_gates, replacement=replacement)


def _reaching(catalog: Catalog, targets: tuple[Target, ...]) -> Catalog:
    """A catalog whose search path ends with the targets' schemas: a session's own path may hold them."""
    schemas = dict.fromkeys((*catalog.search_path, *(target.schema for target in targets)))
    return replace(catalog, search_path=tuple(schemas))


# Findings


def _memory(ground: Ground, aim: Aim, project: ScanProject, schema: Schema) -> Memory:
    path = schema.catalog.search_path
    like = ground.like.kept if ground.like else None
    known = like.get(id(aim)) if like else None
    if known is not None and known.search_path != path:
        known = None
    if ground.kept is None:
        return Memory(project, known, None)
    return Memory(project, known, ground.kept.setdefault(id(aim), Kept(aim, project, path)))


def _findings(project: ScanProject, schema: Schema, history: History, memory: Memory) -> Iterator[Found]:
    yield from _history_claims(history)
    yield from living(schema)
    yield from _run_again(history, schema)
    for language in project.languages():
        analyse = partial(_of_language, project, language, schema, memory.texts)
        yield from memory.of_language(language, analyse)
    for source in project.foreign:
        yield Claim(Span(source.path, 0, len(source.data)), Explanation.OTHER_FILE, "SQL for another database")
    yield from _unreadable(project)


def _of_language(project: ScanProject, language: str, schema: Schema, known: Known | None) -> Iterator[Found]:
    fragments: list[Fragment] = []
    for item in extract(language, project):
        if isinstance(item, Fragment):
            fragments.append(item)
        elif isinstance(item, Mapping):
            yield from judge_mapping(item, schema)
        else:
            yield item
    project.statements += len(fragments)
    yield from analyze_all(fragments, schema, known)
    yield from names_as_parameters(fragments, schema.names, project.read)


def _history_claims(history: History) -> Iterator[Claim]:
    """A migration that has run is history: what it leaves behind is judged as living objects."""
    for migration in history.migrations:
        detail = f"migration {migration.version or migration.name}"
        for path, size in _paths_of(migration):
            yield Claim(Span(path, 0, size), Explanation.HISTORY, detail)
    for path in history.programs:
        yield Claim(Span(path, 0, 1 << 40), Explanation.HISTORY, "a migration that is a program")


def _paths_of(migration: Migration) -> Iterator[tuple[str, int]]:
    yield migration.path, len(migration.source.data)
    if migration.down_path is not None and migration.down_path != migration.path:
        yield migration.down_path, 1 << 40


def _migration_paths(history: History) -> frozenset[str]:
    paths = (path for migration in history.migrations for path, _ in _paths_of(migration))
    return frozenset((*paths, *history.programs))


def _run_again(history: History, schema: Schema) -> Iterator[Found]:
    """What runs again gates like code: a repeatable migration, the seeds in the one file that sets up a database."""
    set_up = history.convention == "schema-file" and len(history.migrations) == 1
    for migration in history.migrations:
        for start, end in migration.up if migration.repeatable or set_up else ():
            fragment = whole_file(migration.source, start, end, kind="sql-file")
            yield from analyze(fragment, schema) if migration.repeatable else analyze_seeds(fragment, schema)
        for start, end in migration.up:
            yield from analyze_kept(whole_file(migration.source, start, end, kind="sql-file"), schema)
        for script in migration.scripts:
            yield from analyze_kept(script, schema)


def _unreadable(project: ScanProject) -> Iterator[Gap]:
    for path, reason in sorted(project.workspace.unreadable.items()):
        message = f"this file could not be read, so nothing is known of it: {reason}"
        yield Gap(Span(path, 0, 0), "unreadable-file", message)


# The report


def _check_scanned(project: ScanProject, workspace: Workspace) -> None:
    if not project.holds_code():
        where = f"{workspace.root}: " if not workspace.all_paths else ""
        count = len(workspace.paths)
        raise ScanError(f"{where}nothing to scan: no Go, SQL, Python or other program among {count} files")


def _report(
    request: Request, targets: tuple[Target, ...], project: ScanProject, workspace: Workspace, found: list[Found]
) -> Report:
    tests = next((rule.tests for rule in request.rules if rule.tests != "gate"), "gate")
    kept = in_tests(_distinct(found), tests, project.is_released)
    kept = list(reflected(kept))
    accounted, unexplained = account(project.accountable(), project.names, kept)
    findings = [*kept, *in_tests(unexplained, tests, project.is_released)]
    references = [f for f in findings if isinstance(f, Reference)]
    gaps = [f for f in findings if isinstance(f, Gap)]
    judged = acknowledge(references, gaps, request.rules, project.line_of)
    residue = tuple(sorted({f for f in findings if isinstance(f, Residue)}, key=lambda r: r.span))
    return Report(
        targets=targets,
        verdict=verdict_of(judged.references, judged.gaps),
        references=tuple(sorted(judged.references, key=lambda r: (r.span, r.target, r.access))),
        gaps=tuple(sorted(judged.gaps, key=lambda g: (g.span, g.reason))),
        residue=residue,
        acknowledged=judged.acknowledged,
        mentions=accounted,
        files=project.files_of(findings),
        scanned=dict(project.counts),
        skipped=dict(Counter(workspace.skipped.values())),
        unreadable=dict(workspace.unreadable),
        notes=(*workspace.notes, *judged.notes),
        statements=project.statements,
    )


def verdict_of(references: Iterable[Reference], gaps: Iterable[Gap]) -> Verdict:
    """Referenced with one gating reference; unknown with none and a gap; else clean."""
    if any(reference.gating for reference in references):
        return Verdict.REFERENCED
    return Verdict.UNKNOWN if any(True for _ in gaps) else Verdict.CLEAN


def _distinct(found: Iterable[Found]) -> Iterator[Found]:
    """One finding a place: alternatives of a query find the same token again and again; a use outweighs a gap there.

    What a test and other code both use counts as used by the other code.
    """
    used = {(f.span, f.target) for f in found if isinstance(f, Reference)}
    spans = {span for span, _ in used}
    seen: set[tuple[object, ...]] = set()
    for item in sorted(found, key=lambda item: isinstance(item, Reference | Gap) and item.test):
        key: tuple[object, ...]
        if isinstance(item, Reference):
            key = ("reference", item.span, item.target, item.access)
        elif isinstance(item, Gap):
            key = ("gap", item.span, item.reason)
            if item.span in spans:
                continue
        else:
            key = (item,)
        if key not in seen:
            seen.add(key)
            yield item


def _history_notes(history: History, schema: Schema) -> Iterator[str]:
    if history.migrations:
        yield f"migrations: {history}"
    yield from history.notes
    # those that name the table or the column are gaps
    elsewhere = [gap for gap in schema.catalog.gaps if not schema.concerns(gap.span)]
    if elsewhere:
        first = f"{elsewhere[0].span.path}: {elsewhere[0].message}"
        count = f"statements of the migrations that were not replayed: {len(elsewhere)}"
        yield f"{count}; none names the table or the column; the first is in {first}"
