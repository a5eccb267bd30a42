"""`rehearse`: the drop, its way back and every statement of the code on a PostgreSQL of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from legacy_ref_scan.cli.output import emit, progress
from legacy_ref_scan.cli.scope import Scope


def rehearse(
    *,
    scope: Scope,
    rules: Sequence[str],
    columns: Sequence[str],
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

    rule = scope.one_rule("one rule is rehearsed", rules, columns)
    with progress() as show:
        request = scope.request((rule,), leave_out=(LEFTOVERS,), until=scope.until(rule), progress=show)
        protocol = run(request, dsn=dsn, schema_dump=Path(schema_dump) if schema_dump else None)
    emit(render(protocol, format_), output, "utf-8" if format_ == "json" else None)
    return protocol.exit_code
