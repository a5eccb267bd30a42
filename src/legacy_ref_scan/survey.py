"""The verdicts of many columns at once, equal to those of one scan for each.

One pass over the files that speak SQL looks for all columns together and finds most of what is surely used. What it
does not find used is scanned alone, over the same files and the same schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from legacy_ref_scan.mentions import Names, names_of
from legacy_ref_scan.model import Gap, Reference, Report, SourceFile, Target, Verdict
from legacy_ref_scan.scan import Aim, Ground, Request, aim_at, examine
from legacy_ref_scan.schema import Catalog
from legacy_ref_scan.workspace import Workspace

_SPEAKS_SQL = re.compile(
    rb"\b(?:select\b.{0,2000}?\bfrom|insert\s+into|update\b.{0,200}?\bset|delete\s+from|merge\s+into)\b",
    re.IGNORECASE | re.DOTALL,
)
FEW = 6
"""Up to so many columns, a scan for each is as quick as the pass before."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a column. `report` is that of its scan; where the first pass was enough, it holds only the
    references that the pass found, and `complete` is false."""

    target: Target
    report: Report
    complete: bool

    @property
    def verdict(self) -> Verdict:
        """The verdict of a scan for this column alone."""
        return self.report.verdict

    @property
    def gating(self) -> tuple[Reference, ...]:
        """The references that stand in the way (at least those of the first pass)."""
        return tuple(item for item in self.report.references if item.gating)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What could not be decided."""
        return self.report.gaps


def survey(
    request: Request, ground: Ground, catalog: Catalog, targets: Sequence[Target], say: Callable[[str], None]
) -> Iterator[Judgement]:
    """A judgement for each column of the catalog, in the order given. The rules of the request hold for all of them."""
    held = hold(ground.workspace)
    sure = _surely_used(request, ground, catalog, tuple(targets)) if len(targets) > FEW else {}
    for number, target in enumerate(targets, 1):
        say(f"column {number} of {len(targets)}: {target}")
        known = sure.get(target)
        if known is not None:
            yield Judgement(target, known, complete=False)
        else:
            report = examine(request, ground, aim_at(request, catalog, (target,)))
            yield Judgement(target, report, complete=True)
    del held


def hold(workspace: Workspace) -> list[SourceFile | None]:
    """Every file of the workspace: while somebody holds them, no scan reads them again."""
    return [workspace.read(path) for path in workspace.paths]


def _surely_used(
    request: Request, ground: Ground, catalog: Catalog, targets: tuple[Target, ...]
) -> dict[Target, Report]:
    """What the pass over all columns finds used, each with its references."""
    aim = aim_at(request, catalog, targets)
    report = examine(request, ground, aim, _worth_a_pass)
    by_target: dict[Target, list[Reference]] = {}
    for item in report.references:
        by_target.setdefault(item.target, []).append(item)
    sure: dict[Target, Report] = {}
    for target, references in by_target.items():
        names = _names_alone(aim, target)
        kept = tuple(item for item in references if _is_certain(item, names, report))
        if any(item.gating for item in kept):
            empty = replace(report, targets=(target,), references=kept, gaps=(), residue=(), acknowledged=())
            sure[target] = replace(empty, verdict=Verdict.REFERENCED, mentions=(), notes=())
    return sure


def _worth_a_pass(source: SourceFile) -> bool:
    return not source.test and _SPEAKS_SQL.search(source.data) is not None


def _names_alone(aim: Aim, target: Target) -> Names:
    """The names that a scan for one of the columns looks for."""
    vias = {item.via.partition(".")[2] for item in aim.schema.watch.columns.values() if item.target == target}
    return names_of((target,), vias - {"", target.table})


def _is_certain(item: Reference, names: Names, report: Report) -> bool:
    """Whether a scan for the column alone would look at the same file."""
    source = report.files.get(item.span.path)
    return source is not None and names.matter(source.data)
