"""Judges what new migrations take away: every column and table that they drop or rename, against the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from legacy_ref_scan.check.pending import Pending, pending
from legacy_ref_scan.check.restore import Restored, restored
from legacy_ref_scan.model import Access, Gap, Reference, Report, Residue, Target, Verdict
from legacy_ref_scan.released import grounds
from legacy_ref_scan.rules import Rule, find_rules, load_rule
from legacy_ref_scan.scan import Aim, Ground, Request, aim_at, aim_at_table, examine, open_workspace, verdict_of
from legacy_ref_scan.survey import hold

__all__ = ["Check", "Drop", "Scope", "check"]

_WORST = (Verdict.REFERENCED, Verdict.UNKNOWN, Verdict.CLEAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which migrations are new: those that `base` (a git revision) does not have, the last `last` ones, or all."""

    base: str | None = None
    last: int | None = None
    every: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    """Something that a new migration takes away, and what its scans say.

    `reports` pairs each revision with the report on its code; "" is the one that holds the migration.
    """

    loss: Restored
    reports: tuple[tuple[str, Report], ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of all revisions."""
        return worst(report.verdict for _, report in self.reports)


@dataclass(frozen=True, slots=True)
class Check:
    """The answer. `gaps` are statements of the new migrations that may drop something and could not be read."""

    drops: tuple[Drop, ...]
    gaps: tuple[Gap, ...]
    pending: Pending
    notes: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of all drops."""
        return worst([*(drop.verdict for drop in self.drops), *(Verdict.UNKNOWN for _ in self.gaps[:1])])


def worst(verdicts: Iterator[Verdict] | list[Verdict]) -> Verdict:
    """Referenced before unknown before clean; clean where there is none."""
    found = set(verdicts)
    return next((verdict for verdict in _WORST if verdict in found), Verdict.CLEAN)


def check(request: Request, scope: Scope, also: tuple[str, ...] = ()) -> Check:
    """Judge what the new migrations take away. The request has no rules: those of the repository are looked up.

    Raises `ScanError` where there are no migrations, or no such base.
    """
    rules = [load_rule(path) for path in find_rules(request.root)]
    path = next((rule.search_path for rule in rules), ("public",))
    plain = replace(request, rules=(Rule("check", (), search_path=path),))
    news = pending(plain, scope.base, scope.last, scope.every)
    judge = _Judge(plain, news, rules, also)
    drops = tuple(judge.drop(restored(news.final, loss)) for loss in news.losses)
    return Check(drops, news.gaps, news, tuple(judge.notes))


class _Judge:
    """Scans for one loss after the other; the files of each revision are read once."""

    def __init__(self, request: Request, news: Pending, rules: list[Rule], also: tuple[str, ...]) -> None:
        self.request, self.news, self.rules, self.also = request, news, rules, also
        self.notes: list[str] = [f"migrations: {news.history}", *news.history.notes]
        self._grounds: dict[tuple[object, ...], tuple[tuple[str, Ground], ...]] = {}
        self._held: list[object] = []

    def drop(self, loss: Restored) -> Drop:
        say = self.request.progress or (lambda _: None)
        say(f"{loss.what} {loss.target}")
        request = replace(self.request, rules=(self._rule(loss.target),), progress=None)
        aim = self._aim(request, loss)
        found = []
        for revision, ground in self._of(request):
            report = examine(request, ground, aim)
            report = _with_models(report, request, ground, aim) if loss.whole else report
            report = _as_renamed(report) if loss.renamed else report
            found.append((revision, report if revision or loss.whole else _as_generated(report)))
        return Drop(loss, tuple(found))

    def _rule(self, target: Target) -> Rule:
        """The rule that retires the column, with its acknowledgements; else one that asks for everything."""
        rule = next((rule for rule in self.rules if target in rule.targets), self.request.rules[0])
        return replace(rule, targets=(target,))

    def _aim(self, request: Request, loss: Restored) -> Aim:
        if loss.whole:
            return aim_at_table(request, loss.catalog, loss.target)
        return aim_at(request, loss.catalog, (loss.target,))

    def _of(self, request: Request) -> tuple[tuple[str, Ground], ...]:
        (rule,) = request.rules
        key = (rule.include, rule.exclude, rule.others)
        if key not in self._grounds:
            workspace = open_workspace(request)
            self._held.append(hold(workspace))
            ground = Ground(workspace, self.news.history, kept={} if self.also else None)
            found = (("", ground), *grounds(request, ground, self.also))
            self._held.extend(hold(item.workspace) for _, item in found[1:])
            self._grounds[key] = found
        return self._grounds[key]


def _with_models(report: Report, request: Request, ground: Ground, aim: Aim) -> Report:
    """With what uses a table by its columns: the models of ORMs, which write no statement that names it.

    Models are known by the names of columns, of which a look for the table alone knows nothing. What is not certain of
    these names (`id` stands everywhere) is left out, but for models whose table is not known.
    """
    names = aim.schema.names
    relations = (aim.schema.catalog.relations[oid] for oid in aim.schema.watch.relations)
    columns = frozenset(column.name for relation in relations for column in relation.columns)
    schema = replace(aim.schema, names=replace(names, columns=columns))
    found = examine(request, ground, Aim(aim.targets, schema), lambda source: names.matter(source.data))
    known = {(item.span, item.access) for item in report.references}
    more = [item for item in found.references if (item.span, item.access) not in known]
    open_ = [item for item in found.gaps if item.reason == "unknown-mapping" and item not in report.gaps]
    references, gaps = (*report.references, *more), (*report.gaps, *open_)
    files = {**found.files, **report.files}
    return replace(report, references=references, gaps=gaps, files=files, verdict=verdict_of(references, gaps))


def _as_renamed(report: Report) -> Report:
    """Whole rows survive a new name, unless something takes the column from them by its old one."""
    if any(isinstance(item, Residue) and item.kind == "tag" for item in report.residue):
        return report
    references = tuple(_by_position(item) for item in report.references)
    return replace(report, references=references, verdict=verdict_of(references, report.gaps))


_SQLC_QUERY = re.compile(rb"^\s*--\s*name:\s*\w+\s+:\w+", re.MULTILINE)


def _as_generated(report: Report) -> Report:
    """sqlc writes out the `*` of its queries when it generates the code that goes with the migration.

    In the code of an older release it was written out with the column.
    """
    queries = {
        path for path, source in report.files.items() if source.language == "sql" and _SQLC_QUERY.search(source.data)
    }
    if not queries:
        return report
    references = tuple(_by_position(item) if item.span.path in queries else item for item in report.references)
    return replace(report, references=references, verdict=verdict_of(references, report.gaps))


def _by_position(item: Reference) -> Reference:
    return replace(item, gating=False) if item.access is Access.STAR else item
