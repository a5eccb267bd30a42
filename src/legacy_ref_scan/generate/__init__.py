"""The migration pair that drops the columns, or a refusal that says what stands in the way."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from legacy_ref_scan.generate.dependents import Doomed, blocking, doomed
from legacy_ref_scan.generate.numbers import next_free, numbered, pair_names, problems
from legacy_ref_scan.generate.rebuild import UnrenderableError
from legacy_ref_scan.generate.render import down, up
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


def planned_version(plan: MigrationPlan, files: Iterable[str]) -> Version | None:
    """The version that the pair has or will have: the rule's, or that of a pair of this name; None: the next one.

    `files` are the names in the migration directory. A scan that decides on the pair replays older versions only.
    """
    if plan.version is not None:
        return plan.version
    return next((Version.of(item.version) for item in numbered(files) if item.name == plan.name), None)


def plan_pair(report: Report, catalog: Catalog, rule: Rule, directory: Path, convention: str) -> Pair | Refusal:
    """The pair for a rule, rendered and checked but not written.

    `report` and `catalog` are those of a scan that replayed only the versions before the rule's, so that a pair that
    was written already is planned again with the same bytes. Nothing but a clean verdict gives a pair.
    """
    if rule.migration is None:
        return Refusal(2, f"{rule.source} has no [migration]: it does not say which migration to write")
    if convention != CONVENTION:
        return Refusal(2, f"{directory} follows {convention}: only {CONVENTION} pairs can be written")
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
    return _numbered_pair(catalog, tables, rule.migration, directory)


def _numbered_pair(catalog: Catalog, tables: list[Doomed], plan: MigrationPlan, directory: Path) -> Pair | Refusal:
    files = _listing(directory)
    there = numbered(files)
    planned = planned_version(plan, files)
    if planned is not None and len(planned.parts) > 1:
        return Refusal(2, f"version {planned} has dots, and {CONVENTION} takes whole numbers only")
    version = next_free(there) if planned is None else int(planned)
    wrong = tuple(problems(version, plan.name, there))
    if wrong:
        advice = "give the rule the version that is next, or leave it out"
        return Refusal(2, f"version {version} cannot be written to {directory}", wrong, advice)
    names = pair_names(version, plan.name, there)
    try:
        pair = Pair(directory, File(names[0], up(catalog, tables)), File(names[1], down(catalog, tables)))
        missing(pair)
    except UnrenderableError as error:
        return Refusal(2, f"{error} goes with the column, and the replay does not know how to build it again")
    except ScanError as error:
        return Refusal(2, str(error))
    return pair


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
