"""`check`: the gate for migrations that drop or rename something."""

from __future__ import annotations

from collections.abc import Sequence

from legacy_ref_scan.cli.output import colour_wanted, emit, progress
from legacy_ref_scan.cli.scope import EXIT_CODES, Scope
from legacy_ref_scan.model import ScanError
from legacy_ref_scan.reports import Options


def check(
    *,
    scope: Scope,
    base: str | None,
    pending: int | None,
    every: bool,
    also_rev: Sequence[str],
    format_: str,
    output: str | None,
) -> int:
    """Judge what the new migrations take away; the exit code is the worst verdict's. Raises `ScanError`."""
    from legacy_ref_scan.check import Scope as New
    from legacy_ref_scan.check import check as run
    from legacy_ref_scan.reports.check import render, render_json

    if sum((base is not None, pending is not None, every)) > 1:
        raise ScanError("--base, --pending and --all exclude each other")
    if pending is not None and pending < 1:
        raise ScanError("--pending wants a number from 1")
    with progress() as show:
        new = New(base=base, last=pending, every=every)
        found = run(scope.request(progress=show), new, tuple(also_rev))
    if format_ == "json":
        emit(render_json(found), output, "utf-8")
    else:
        emit(render(found, Options(colour=colour_wanted(output))), output)
    return EXIT_CODES[found.verdict]
