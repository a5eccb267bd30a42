"""`check`: the gate for migrations that drop or rename something."""

from __future__ import annotations

from collections.abc import Sequence

from legacy_ref_scan.cli.commands import EXIT_CODES, _inside, _root
from legacy_ref_scan.cli.output import colour_wanted, emit, progress
from legacy_ref_scan.model import ScanError
from legacy_ref_scan.reports import Options


def check(
    *,
    root: str,
    base: str | None,
    pending: int | None,
    every: bool,
    migrations: str | None,
    exclude: Sequence[str],
    staged: bool,
    rev: str | None,
    also_rev: Sequence[str],
    format_: str,
    output: str | None,
) -> int:
    """Judge what the new migrations take away; the exit code is the worst verdict's. Raises `ScanError`."""
    from legacy_ref_scan.check import Scope
    from legacy_ref_scan.check import check as run
    from legacy_ref_scan.reports.check import render, render_json
    from legacy_ref_scan.scan import Request

    if sum((base is not None, pending is not None, every)) > 1:
        raise ScanError("--base, --pending and --all exclude each other")
    if pending is not None and pending < 1:
        raise ScanError("--pending wants a number from 1")
    directory = _root(root)
    with progress() as show:
        found = run(
            Request(
                root=directory,
                rules=(),
                migrations=_inside(directory, migrations) if migrations is not None else None,
                exclude=tuple(exclude),
                staged=staged,
                revision=rev,
                progress=show,
            ),
            Scope(base=base, last=pending, every=every),
            tuple(also_rev),
        )
    if format_ == "json":
        emit(render_json(found), output, "utf-8")
    else:
        emit(render(found, Options(colour=colour_wanted(output))), output)
    return EXIT_CODES[found.verdict]
