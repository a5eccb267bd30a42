"""`retirable`: which columns could go next."""

from __future__ import annotations

from collections.abc import Sequence

from legacy_ref_scan.cli.output import colour_wanted, emit, progress
from legacy_ref_scan.cli.scope import Scope
from legacy_ref_scan.model import ScanError
from legacy_ref_scan.reports import Options


def retirable(
    *,
    scope: Scope,
    tables: Sequence[str],
    limit: int | None,
    format_: str,
    output: str | None,
) -> int:
    """List every column with its verdict; 0 whatever the verdicts are. Raises `ScanError`."""
    from legacy_ref_scan.reports.retirable import render, render_json
    from legacy_ref_scan.retirable import retirable as run

    if limit is not None and limit < 1:
        raise ScanError("--limit wants a number from 1")
    with progress() as show:
        found = run(scope.request(progress=show), tuple(tables))
    if format_ == "json":
        emit(render_json(found, limit), output, "utf-8")
    else:
        emit(render(found, Options(colour=colour_wanted(output)), limit), output)
    return 0
