"""`scan`: what still uses the columns under retirement."""

from __future__ import annotations

from collections.abc import Sequence

from legacy_ref_scan.cli.output import colour_wanted, emit, progress
from legacy_ref_scan.cli.scope import EXIT_CODES, Scope
from legacy_ref_scan.reports import FORMATS, Options


def scan(
    *,
    paths: Sequence[str],
    scope: Scope,
    rules: Sequence[str],
    columns: Sequence[str],
    also_rev: Sequence[str],
    format_: str,
    output: str | None,
    accounting: bool,
) -> int:
    """Scan and report; the exit code is the worst verdict's. Raises `ScanError`."""
    from legacy_ref_scan.released import with_released
    from legacy_ref_scan.scan import scan as run

    with progress() as show:
        request = scope.request(
            scope.rules(rules, columns),
            paths=tuple(scope.inside(path) for path in paths),
            progress=show,
            remember=bool(also_rev),
        )
        report = with_released(request, run(request), tuple(also_rev))
    options = Options(accounting=accounting, colour=colour_wanted(output))
    emit(FORMATS[format_].render(report, options), output, "utf-8" if format_ != "text" else None)
    return EXIT_CODES[report.worst]
