"""`verify`: what a live database says about the columns, on one read-only connection."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from legacy_ref_scan.cli.output import emit, progress
from legacy_ref_scan.cli.scope import Scope


def verify(
    *,
    scope: Scope,
    rules: Sequence[str],
    columns: Sequence[str],
    dsn: str,
    timeout: float,
    long_transaction: float,
    snapshot: str | None,
    format_: str,
    output: str | None,
) -> int:
    """Check a database for one rule; 0 where all passed, 4 where a check failed, 3 where one was not possible."""
    from legacy_ref_scan.database import driver

    driver.psycopg()
    from legacy_ref_scan.database.checks import render
    from legacy_ref_scan.database.verify import verify as run

    rule = scope.one_rule("one rule is verified", rules, columns)
    request = scope.request((rule,), until=scope.until(rule))
    with progress() as show:
        path = Path(snapshot) if snapshot else None
        protocol = run(
            request, dsn, seconds=timeout, long=long_transaction, snapshot=path, show=show or (lambda _: None)
        )
    emit(render(protocol, format_), output, "utf-8" if format_ == "json" else None)
    return protocol.exit_code
