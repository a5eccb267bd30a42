"""`generate-migration`: the pair that drops the columns, or a refusal that says why not."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from legacy_ref_scan.cli.output import emit
from legacy_ref_scan.cli.scope import Scope
from legacy_ref_scan.reports.style import clean

if TYPE_CHECKING:
    from legacy_ref_scan.generate import Refusal


def generate(*, scope: Scope, rules: Sequence[str], also_rev: Sequence[str], check: bool) -> int:
    """Write the migration pair of one rule, or say why not. Raises `ScanError`."""
    from legacy_ref_scan.cli.pair import planned
    from legacy_ref_scan.generate import Refusal, missing, write_pair

    pair = planned(scope, scope.one_rule("a migration is written for one rule", rules), also_rev).pair
    if isinstance(pair, Refusal):
        return _refuse(pair)
    wanted = [pair.directory / file.name for file in missing(pair)]
    if not check:
        wanted = write_pair(pair)
    verb = "would write" if check else "wrote"
    lines = [f"{verb if path in wanted else 'unchanged'}: {clean(os.path.relpath(path))}" for path in pair.paths]
    emit("\n".join(lines) + "\n")
    return 0


def _refuse(refusal: Refusal) -> int:
    lines = [f"refused: {refusal.summary}", *(f"  {reason}" for reason in refusal.reasons)]
    if refusal.advice:
        lines.append(refusal.advice)
    for line in lines:
        print(clean(line), file=sys.stderr)  # noqa: T201
    return refusal.code
