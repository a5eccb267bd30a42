"""`explain`: how the text at one place was put together, read and judged."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from legacy_ref_scan.cli.output import colour_wanted, emit, progress
from legacy_ref_scan.cli.scope import Scope
from legacy_ref_scan.model import Report, ScanError, SourceFile, Span

if TYPE_CHECKING:
    from legacy_ref_scan.workspace import Workspace

_PLACE = re.compile(r"(?P<path>.+?):(?P<line>\d+)(?::(?P<column>\d+))?")


def explain(
    *,
    place: str,
    scope: Scope,
    rules: Sequence[str],
    columns: Sequence[str],
    format_: str,
) -> int:
    """Print what a scan makes of FILE:LINE or FILE:LINE:COLUMN; 0 where there is something. Raises `ScanError`."""
    from legacy_ref_scan.reports import explain as report
    from legacy_ref_scan.reports import explain_text
    from legacy_ref_scan.reports.style import encodable
    from legacy_ref_scan.scan import open_workspace
    from legacy_ref_scan.scan import scan as run
    from legacy_ref_scan.sql.trace import Trace

    path, line, column = _parse(place)
    with progress() as show:
        request = scope.request(scope.rules(rules, columns), progress=show)
        workspace = open_workspace(request)
        source = _source(workspace, _relative(scope.root, path))
        span = _span(source, line, column)
        trace = Trace(lambda fragment: report.touches(fragment, span))
        outcome = run(replace(request, trace=trace))
    shape = report.document(outcome.report, outcome.catalog, trace.texts, span, column, workspace.read)
    if not (shape["mentions"] or shape["findings"] or shape["texts"]):
        raise ScanError(_nothing(outcome.report, source, line, column))
    if format_ == "json":
        import json

        emit(encodable(json.dumps(shape, indent=2, ensure_ascii=False)) + "\n", None, "utf-8")
    else:
        emit(explain_text.render(shape, colour_wanted(None)))
    return 0


def _parse(place: str) -> tuple[str, int, int | None]:
    match = _PLACE.fullmatch(place)
    if match is None:
        raise ScanError(f"{place}: give FILE:LINE or FILE:LINE:COLUMN, both counted from 1")
    return match["path"], int(match["line"]), int(match["column"]) if match["column"] else None


def _relative(root: Path, path: str) -> str:
    """As the workspace names it: below the root, from where the user stands or from the root."""
    if not (root / path).exists() and Path(path).exists():
        path = os.path.relpath(Path(path).absolute(), root)
    elif os.path.isabs(path):
        path = os.path.relpath(path, root)
    return os.path.normpath(path).replace(os.sep, "/")


def _source(workspace: Workspace, path: str) -> SourceFile:
    if path not in workspace.all_paths:
        beside = " (a file that git ignores is not scanned)" if Path(workspace.root, path).exists() else ""
        raise ScanError(f"{path}: no such file among those to scan{beside}")
    if path not in workspace.paths:
        raise ScanError(f"{path}: the globs of the rule or of --exclude leave this file out")
    source = workspace.read(path)
    if source is None:
        why = workspace.unreadable.get(path) or workspace.skipped.get(path, "it cannot be read")
        raise ScanError(f"{path}: not scanned: {why}")
    return source


def _span(source: SourceFile, line: int, column: int | None) -> Span:
    """The bytes of the line, without blanks around it, or the one character."""
    if not 1 <= line <= source.lines:
        raise ScanError(f"{source.path}:{line}: the file has {source.lines:,} lines")
    start, end = source.line_range(line)
    if column is None:
        raw = source.data[start:end]
        return Span(source.path, start + len(raw) - len(raw.lstrip()), start + len(raw.rstrip()))
    text = source.data[start:end].decode("utf-8", "surrogateescape").rstrip("\r\n")
    if not 1 <= column <= len(text) + 1:
        raise ScanError(f"{source.path}:{line}:{column}: the line has {len(text):,} characters")
    at = start + len(text[: column - 1].encode("utf-8", "surrogateescape"))
    return Span(source.path, at, at + 1)


def _nothing(report: Report, source: SourceFile, line: int, column: int | None) -> str:
    """That nothing is there, and where the nearest mention of the file is."""
    where = f"{source.path}:{line}" + (f":{column}" if column else "")
    names = ", ".join(sorted({name for target in report.targets for name in (target.table, target.column)}))
    spans = [mention.span for mention, _ in report.mentions if mention.span.path == source.path]
    places = [source.locate(span.start, span.end) for span in spans]
    nearest = min(places, key=lambda at: (abs(at.line - line), abs(at.column - (column or 1))), default=None)
    hint = f"; the nearest mention is at {nearest.line}:{nearest.column}" if nearest else "; the file has none"
    return f"{where}: nothing here names {names}, and no query that does passes through{hint}"
