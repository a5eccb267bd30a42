"""Checks of a staging or production database, read-only by construction; each is one entry of `CHECKS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from legacy_ref_scan.database.checks import Check, Protocol
from legacy_ref_scan.database.connection import named, read_only
from legacy_ref_scan.database.verify.applied import APPLIED
from legacy_ref_scan.database.verify.backup import BACKUP
from legacy_ref_scan.database.verify.bodies import BODIES
from legacy_ref_scan.database.verify.context import Context, LiveCheck, run
from legacy_ref_scan.database.verify.dependents import DEPENDENTS
from legacy_ref_scan.database.verify.drift import DRIFT
from legacy_ref_scan.database.verify.parity import PARITY
from legacy_ref_scan.database.verify.readers import READERS
from legacy_ref_scan.database.verify.statements import STATEMENTS
from legacy_ref_scan.database.verify.values import SNAPSHOT, VALUES
from legacy_ref_scan.database.verify.window import WINDOW
from legacy_ref_scan.mentions import names_of
from legacy_ref_scan.scan import Request, open_workspace, read_history, replay_history

CHECKS: tuple[LiveCheck, ...] = (
    VALUES, SNAPSHOT, PARITY, DEPENDENTS, BODIES, APPLIED, DRIFT, STATEMENTS, READERS, WINDOW, BACKUP
)  # fmt: skip
"""In the order of the protocol."""


def verify(
    request: Request,
    dsn: str,
    *,
    seconds: float = 30.0,
    long: float = 60.0,
    snapshot: Path | None = None,
    show: Callable[[str], None] = lambda _: None,
) -> Protocol:
    """Check a database for the columns of the request's one rule, on one read-only connection. Raises `ScanError`.

    `seconds` is the longest that one statement may take, `long` from how many seconds on a transaction is a long one;
    `snapshot` is a file for the values that are left.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    rule = request.rules[0]
    workspace = open_workspace(replace(request, rules=(replace(rule, include=(), exclude=()),)))
    history = read_history(request, workspace, names_of(rule.targets, ()))
    catalog = replay_history(request, history)
    checks: list[Check] = []
    with read_only(dsn) as connection:
        subject = named(connection)
        context = Context(connection, dsn, rule, catalog, history, seconds, long, snapshot)
        for check in CHECKS:
            show(check.title)
            checks.extend(run(check, context))
    return Protocol("verify", subject, tuple(map(str, rule.targets)), started, tuple(checks))
