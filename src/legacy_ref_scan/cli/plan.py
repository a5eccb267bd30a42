"""`plan`: the retirement plan as a Markdown document that keeps itself up to date."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from legacy_ref_scan.cli.output import emit
from legacy_ref_scan.cli.pair import Planned, planned
from legacy_ref_scan.cli.scope import Scope, shown
from legacy_ref_scan.generate import Refusal, missing
from legacy_ref_scan.model import ScanError
from legacy_ref_scan.plan import Evidence, Facts, boxes, fresh, load_evidence, updated
from legacy_ref_scan.reports.style import clean
from legacy_ref_scan.rules import Rule

_ENDING = ".plan.md"


def plan(
    *,
    scope: Scope,
    rules: Sequence[str],
    also_rev: Sequence[str],
    evidence: Sequence[str],
    output: str | None,
    check: bool,
) -> int:
    """Write the plan of one rule, or bring it up to date. With `check`: 0 where it is and every box is ticked, else 3.

    Raises `ScanError`.
    """
    rule = scope.one_rule("a migration is written for one rule", rules)
    protocols = tuple(load_evidence(Path(file)) for file in evidence)
    document = f"{Path(rule.source).stem}{_ENDING}"
    itself = f"**/{document}" if output is None else _glob(scope.root, output)
    found = planned(scope, rule, also_rev, (itself,))
    facts = _facts(rule, found, f" --rule {shown(Path(rule.source))}" if rules else "", protocols)
    path = Path(output) if output is not None else scope.root / found.history.directory / document
    old = _read(path)
    text = fresh(facts) if old is None else updated(old, facts)
    open_ = text.count("- [ ] ")
    verb = "unchanged" if text == old else "would write" if check else "wrote"
    if text != old and not check:
        emit(text, str(path))
    total = len(boxes(facts))
    emit(f"{verb}: {clean(os.path.relpath(path))}: {open_} of {max(total, open_)} boxes open\n")
    return 3 if check and (open_ or text != old) else 0


def _facts(rule: Rule, found: Planned, option: str, evidence: tuple[Evidence, ...]) -> Facts:
    until = found.until
    return Facts(
        rule=rule,
        report=found.report,
        pair=found.pair,
        written=not isinstance(found.pair, Refusal) and not missing(found.pair),
        directory=found.history.directory,
        convention=found.history.convention,
        migrations=sum(until is None or item.version < until for item in found.history.migrations),
        scan=f"legacy-ref-scan scan{option}",
        generate=f"legacy-ref-scan generate-migration{option}",
        evidence=evidence,
        now=datetime.now(UTC),
    )


def _glob(base: Path, output: str) -> str:
    """The document itself names the column: it is no use of it."""
    return "/" + os.path.relpath(Path(output).absolute(), base).replace(os.sep, "/")


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ScanError(f"{path}: cannot read the plan: {error}") from None
