"""`schema`: what the migrations build, and what depends on each column of a table."""

from __future__ import annotations

from legacy_ref_scan.cli.output import emit
from legacy_ref_scan.cli.scope import Scope
from legacy_ref_scan.model import ScanError


def schema(*, table: str | None, scope: Scope, format_: str) -> int:
    """Print the replayed catalog. Raises `ScanError`."""
    from legacy_ref_scan.catalog import replay
    from legacy_ref_scan.migrations import detect
    from legacy_ref_scan.reports import schema as report
    from legacy_ref_scan.rules import parse_name
    from legacy_ref_scan.workspace import Workspace

    workspace = Workspace(scope.root)
    history = detect(workspace, scope.migrations)
    if not history.migrations:
        raise ScanError(
            "; ".join(map(str, (*history.problems, *history.notes))) or f"no migrations in {history.directory or '.'}"
        )
    catalog = replay(history.migrations)
    try:
        name = None if table is None else parse_name(table)
    except ValueError as error:
        raise ScanError(str(error)) from None
    document = report.document(catalog, str(history), workspace.read, name)
    emit(report.render(document, format_), None, "utf-8" if format_ != "text" else None)
    return 0
