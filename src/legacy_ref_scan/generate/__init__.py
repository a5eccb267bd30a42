"""The migration pair that drops the columns, or a refusal that says what stands in the way."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from legacy_ref_scan.generate.dependents import Doomed, blocking, doomed
from legacy_ref_scan.generate.layout import LAYOUTS, assemble, entries, next_version, written_as
from legacy_ref_scan.generate.layout import problems as layout_problems
from legacy_ref_scan.generate.numbers import next_free, numbered, pair_names, problems
from legacy_ref_scan.generate.rebuild import UnrenderableError
from legacy_ref_scan.generate.render import Frame, down, up
from legacy_ref_scan.generate.write import LEFTOVERS, File, Pair, missing, write_pair
from legacy_ref_scan.model import Gap, Reference, Report, ScanError, Target, Verdict
from legacy_ref_scan.rules import MigrationPlan, Rule
from legacy_ref_scan.schema import Catalog, Function, Relation, SchemaObject
from legacy_ref_scan.versions import Version

__all__ = ["LEFTOVERS", "Pair", "Refusal", "missing", "plan_pair", "planned_version", "write_pair"]

CONVENTION = "golang-migrate"
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no migration. `code` is the exit code; `reasons` are lines, `advice` says what to do."""

    code: int
    summary: str
    reasons: tuple[str, ...] = ()
    advice: str = ""


def planned_version(plan: MigrationPlan, files: Iterable[str], convention: str = CONVENTION) -> Version | None:
    """The version that the pair has or will have: the rule's, or that of a pair of this name; None: the next one.

    `files` are the names in the migration directory. A scan that decides on the pair replays older versions only.
    """
    if plan.version is not None:
        return plan.version
    if convention in LAYOUTS:
        found: Iterable[tuple[Version, str]] = ((e.version, e.title) for e in entries(LAYOUTS[convention], files))
    else:
        found = ((Version.of(item.version), item.name) for item in numbered(files))
    return next((version for version, name in found if name == plan.name), None)


def plan_pair(report: Report, catalog: Catalog, rule: Rule, directory: Path, convention: str) -> Pair | Refusal:
    """The pair for a rule, rendered and checked but not written.

    `report` and `catalog` are those of a scan that replayed only the versions before the rule's, so that a pair that
    was written already is planned again with the same bytes. Nothing but a clean verdict gives a pair.
    """
    if rule.migration is None:
        return Refusal(2, f"{rule.source} has no [migration]: it does not say which migration to write")
    if report.verdict is not Verdict.CLEAN:
        return _not_clean(report)
    for revision, other in report.released:
        if other.verdict is not Verdict.CLEAN:
            return _not_clean(other, f" for the code of {revision}")
    tables, absent = doomed(catalog, rule.targets)
    if absent:
        return _absent(absent, directory)
    blockers = [item for table in tables for item in blocking(catalog, table)]
    if blockers:
        return _blocked(report, blockers)
    held = [column.name for table in tables for column in table.columns if column.not_null and rule.migration.guard]
    if held:
        return Refusal(2, f"guard: {', '.join(held)} is NOT NULL, so every row holds a value", (), "leave guard out")
    try:
        return _planned(catalog, tables, rule.migration, directory, convention)
    except UnrenderableError as error:
        return Refusal(2, f"{error} goes with the column, and the replay does not know how to build it again")
    except ScanError as error:
        return Refusal(2, str(error))


def _planned(
    catalog: Catalog, tables: list[Doomed], plan: MigrationPlan, directory: Path, convention: str
) -> Pair | Refusal:
    own = convention == CONVENTION
    frame = Frame(own, plan.lock_timeout, plan.statement_timeout, plan.guard)
    texts = up(catalog, tables, frame), down(catalog, tables, frame)
    if own:
        return _numbered_pair(texts, plan, directory)
    if convention in LAYOUTS:
        return _laid_out(texts, plan, directory, convention)
    lines = ("up:", *texts[0].decode().splitlines(), "down:", *texts[1].decode().splitlines())
    advice = "write the migration with the tool itself, from these statements"
    return Refusal(2, f"{directory} follows {convention}, for which no file is written", lines, advice)


def _numbered_pair(texts: tuple[bytes, bytes], plan: MigrationPlan, directory: Path) -> Pair | Refusal:
    files = _listing(directory)
    there = numbered(files)
    planned = planned_version(plan, files)
    if planned is not None and len(planned.parts) > 1:
        return Refusal(2, f"version {planned} has dots, and {CONVENTION} takes whole numbers only")
    version = next_free(there) if planned is None else int(planned)
    wrong = tuple(problems(version, plan.name, there))
    if wrong:
        return _wrong_version(str(version), directory, wrong)
    names = pair_names(version, plan.name, there)
    pair = Pair(directory, File(names[0], texts[0]), File(names[1], texts[1]))
    missing(pair)
    return pair


def _laid_out(texts: tuple[bytes, bytes], plan: MigrationPlan, directory: Path, convention: str) -> Pair | Refusal:
    """A migration of another convention; one that was written keeps its name."""
    layout = LAYOUTS[convention]
    there = entries(layout, _listing(directory))
    planned = planned_version(plan, (entry.file for entry in there), convention)
    if planned is not None and len(planned.parts) > 1 and convention != "flyway":
        return Refusal(2, f"version {planned} has dots, and {convention} takes whole numbers only")
    written = [e.written for e in there if e.version == planned and e.title == plan.name]
    text = next(iter(written), None) or (written_as(planned, there) if planned else next_version(layout, there))
    names = tuple(name.format(version=text, title=plan.name) for name in layout.files)
    version = Version.of(text)
    wrong = tuple(layout_problems(layout, convention, version, plan.name, names, there))
    if wrong:
        return _wrong_version(text, directory, wrong)
    files = assemble(layout, names, texts[0].decode(), texts[1].decode())
    together = files[0] if len(files) == 1 else None
    pair = Pair(directory, File(names[0], texts[0]), File(names[-1], texts[1]), together)
    missing(pair)
    return pair


def _wrong_version(version: str, directory: Path, wrong: tuple[str, ...]) -> Refusal:
    advice = "give the rule the version that is next, or leave it out"
    return Refusal(2, f"version {version} cannot be written to {directory}", wrong, advice)


def _listing(directory: Path) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError as error:
        raise ScanError(f"{directory}: cannot list the migrations: {error.strerror or error}") from None


def _not_clean(report: Report, where: str = "") -> Refusal:
    gating = [item for item in report.references if item.gating]
    lines = [_line(report, item) for item in (*_sorted(gating), *_sorted(report.gaps))]
    shown = lines[:_SHOWN]
    if len(lines) > _SHOWN:
        shown.append(f"… and {len(lines) - _SHOWN:,} more")
    code = 1 if report.verdict is Verdict.REFERENCED else 3
    counts = f"{_count(len(gating), 'reference')}, {_count(len(report.gaps), 'gap')}"
    summary = f"the verdict{where} is {report.verdict.value}: {counts}"
    return Refusal(code, summary, tuple(shown), "`legacy-ref-scan scan` shows each with its source")


def _sorted(items: Iterable[Reference | Gap]) -> list[Reference | Gap]:
    return sorted(items, key=lambda item: item.span)


def _line(report: Report, item: Reference | Gap) -> str:
    source = report.files.get(item.span.path)
    at = f"{item.span.path}:{source.line_of(item.span.start)}" if source else item.span.path or "(no file)"
    match item:
        case Reference():
            return f"{at}: {item.access.value}: {item.message}"
        case Gap():
            return f"{at}: gap: {item.message}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _absent(absent: list[Target], directory: Path) -> Refusal:
    names = ", ".join(map(str, absent))
    advice = "check the spelling in the rule; `legacy-ref-scan schema` lists what is there"
    return Refusal(2, f"{names}: not in the schema that {directory} builds: dropped already?", (), advice)


def _blocked(report: Report, blockers: list[Relation | SchemaObject | Function]) -> Refusal:
    """An acknowledgement does not help against what PostgreSQL itself refuses."""
    reasons = tuple(dict.fromkeys(f"{item.span.path}: {_called(item)}" for item in blockers))
    advice = "drop or replace each in an earlier migration"
    return Refusal(1, "PostgreSQL refuses to drop a column that other objects depend on", reasons, advice)


def _called(item: Relation | SchemaObject | Function) -> str:
    kind = "function" if isinstance(item, Function) else item.kind
    return f"{kind} {item.name}"
