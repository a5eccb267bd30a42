"""`schema`: what the migrations build and what depends on each column of a table, or what a live database holds."""

from __future__ import annotations

from legacy_ref_scan.cli.output import emit
from legacy_ref_scan.cli.scope import Scope
from legacy_ref_scan.model import ScanError

_SECONDS = 60.0


def schema(*, table: str | None, scope: Scope, format_: str, dsn: str | None, output: str | None) -> int:
    """Print the replayed catalog, or the schema of a live database as SQL. Raises `ScanError`."""
    if dsn is not None:
        if table is not None:
            raise ScanError("--dsn prints a whole schema: leave the table out")
        return _of_database(dsn, output)
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
    emit(report.render(document, format_), output, "utf-8" if format_ != "text" else None)
    return 0


def _of_database(dsn: str, output: str | None) -> int:
    """The definitions of a live database, each after what it needs: a schema file for `--migrations`."""
    from legacy_ref_scan.database import driver

    driver.psycopg()
    from legacy_ref_scan.database.connection import looking, read_only
    from legacy_ref_scan.database.dump import dump

    with read_only(dsn) as connection, looking(connection, _SECONDS):
        text = dump(connection).sql()
    emit(text.decode("utf-8", "surrogateescape"), output, "utf-8")
    return 0
