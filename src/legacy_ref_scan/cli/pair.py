"""The migration pair of one rule, from a scan: what `generate-migration` writes and `plan` describes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from legacy_ref_scan.cli.output import progress
from legacy_ref_scan.cli.scope import Scope
from legacy_ref_scan.generate import LEFTOVERS, Pair, Refusal, plan_pair
from legacy_ref_scan.migrations.history import History
from legacy_ref_scan.model import Report
from legacy_ref_scan.released import with_released
from legacy_ref_scan.rules import Rule
from legacy_ref_scan.scan import scan
from legacy_ref_scan.versions import Version


@dataclass(frozen=True, slots=True)
class Planned:
    """The pair or why there is none, the report that it rests on, and the migrations before `until`."""

    pair: Pair | Refusal
    report: Report
    history: History
    until: Version | None


def planned(scope: Scope, rule: Rule, also_rev: Sequence[str], leave_out: tuple[str, ...] = ()) -> Planned:
    """Scan for the rule, in the releases that still run too, and plan its pair. Raises `ScanError`."""
    until = scope.until(rule)
    with progress() as show:
        request = scope.request(
            (rule,), leave_out=(LEFTOVERS, *leave_out), until=until, progress=show, remember=bool(also_rev)
        )
        outcome = scan(request)
        report = with_released(request, outcome, tuple(also_rev))
    history = outcome.history
    pair = plan_pair(report, outcome.catalog, rule, scope.root / history.directory, history.convention)
    return Planned(pair, report, history, until)
