"""`verify`: what a live database says about the columns, on one read-only connection."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from legacy_ref_scan.cli.commands import _inside, _root, _rules, _until
from legacy_ref_scan.cli.output import emit, progress
from legacy_ref_scan.model import ScanError


def verify(
    *,
    root: str,
    rules: Sequence[str],
    columns: Sequence[str],
    migrations: str | None,
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
    from legacy_ref_scan.scan import Request

    base = _root(root)
    chosen = _rules(base, rules, columns)
    if len(chosen) > 1:
        listed = ", ".join(rule.source for rule in chosen)
        raise ScanError(f"one rule is verified at a time: choose with --rule FILE among {listed}")
    directory = _inside(base, migrations) if migrations is not None else None
    request = Request(root=base, rules=chosen, migrations=directory, until=_until(base, chosen[0], directory))
    with progress() as show:
        path = Path(snapshot) if snapshot else None
        protocol = run(
            request, dsn, seconds=timeout, long=long_transaction, snapshot=path, show=show or (lambda _: None)
        )
    emit(render(protocol, format_), output, "utf-8" if format_ == "json" else None)
    return protocol.exit_code
