"""`rehearse`: the drop, its way back and every statement of the code on a PostgreSQL of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from legacy_ref_scan.cli.commands import _inside, _root, _rules, _until
from legacy_ref_scan.cli.output import emit, progress
from legacy_ref_scan.model import ScanError


def rehearse(
    *,
    root: str,
    rules: Sequence[str],
    columns: Sequence[str],
    migrations: str | None,
    exclude: Sequence[str],
    staged: bool,
    rev: str | None,
    dsn: str | None,
    schema_dump: str | None,
    format_: str,
    output: str | None,
) -> int:
    """Rehearse one rule; 0 where all went well, 4 where a check failed, 3 where one was not possible."""
    from legacy_ref_scan.database import driver

    driver.psycopg()
    from legacy_ref_scan.database.checks import render
    from legacy_ref_scan.database.rehearse import rehearse as run
    from legacy_ref_scan.generate import LEFTOVERS
    from legacy_ref_scan.scan import Request

    base = _root(root)
    chosen = _rules(base, rules, columns)
    if len(chosen) > 1:
        listed = ", ".join(rule.source for rule in chosen)
        raise ScanError(f"one rule is rehearsed at a time: choose with --rule FILE among {listed}")
    directory = _inside(base, migrations) if migrations is not None else None
    with progress() as show:
        request = Request(
            root=base,
            rules=chosen,
            migrations=directory,
            exclude=(*exclude, LEFTOVERS),
            staged=staged,
            revision=rev,
            until=_until(base, chosen[0], directory),
            progress=show,
        )
        protocol = run(request, dsn=dsn, schema_dump=Path(schema_dump) if schema_dump else None)
    emit(render(protocol, format_), output, "utf-8" if format_ == "json" else None)
    return protocol.exit_code
