"""The report of `check`: what new migrations take away, the verdict on each, and what stands in the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from legacy_ref_scan.check import Check, Drop
from legacy_ref_scan.model import Report, Verdict
from legacy_ref_scan.reports import json as json_report
from legacy_ref_scan.reports.accounting import count
from legacy_ref_scan.reports.options import Options
from legacy_ref_scan.reports.places import in_order, locate
from legacy_ref_scan.reports.style import clean, encodable, paint

VERSION = 1
SHOWN = 8
"""How many places a drop shows in text; JSON has all."""
_COLOURS = {Verdict.CLEAN: "green bold", Verdict.REFERENCED: "red bold", Verdict.UNKNOWN: "yellow bold"}


def render(check: Check, options: Options) -> str:
    """For people: a block for each drop, and a summary."""
    colour = options.colour
    blocks = [_block(drop, check, colour) for drop in check.drops]
    blocks += [[f"unknown: {clean(gap.span.path)}: {clean(gap.message)}"] for gap in check.gaps]
    blocks += [[f"{paint('note', 'cyan bold', colour)}: {clean(note)}" for note in check.notes]] if check.notes else []
    blocks.append(list(_summary(check, colour)))
    return encodable("\n\n".join("\n".join(block) for block in blocks)) + "\n"


def _block(drop: Drop, check: Check, colour: bool) -> list[str]:
    verdict = paint(drop.verdict.value, _COLOURS[drop.verdict], colour)
    path, line, column = _place(check, drop)
    new = f" to {drop.loss.renamed}" if drop.loss.renamed else ""
    lines = [f"{verdict}: {drop.loss.what} {clean(drop.loss.name)}{clean(new)}", f"  --> {clean(path)}:{line}:{column}"]
    if not drop.loss.certain:
        lines.append("  it happens under a condition that is not decided here")
    for revision, report in drop.reports:
        if revision:
            lines.append(f"  in {clean(revision)}: {report.verdict.value}")
        lines.extend(_in_the_way(report, "    " if revision else "  "))
    return lines


def _in_the_way(report: Report, indent: str) -> Iterator[str]:
    gating = [item for item in in_order(report.references) if item.gating]
    lines = [f"{_at(report, item.span)}: {item.access.value}: {item.message}" for item in gating]
    lines += [f"{_at(report, item.span)}: gap: {item.message}" for item in in_order(report.gaps)]
    unique = list(dict.fromkeys(lines))
    yield from (f"{indent}{clean(text)}" for text in unique[:SHOWN])
    if len(unique) > SHOWN:
        yield f"{indent}… and {len(unique) - SHOWN:,} more (--format json has all)"
    kept = len(report.acknowledged)
    if kept:
        yield f"{indent}{count(kept, 'finding', 'findings')} acknowledged by a rule"


def _at(report: Report, span: Any) -> str:
    at = locate(report, span)
    return f"{at.path}:{at.line}" if at.path else "(no file)"


def _place(check: Check, drop: Drop) -> tuple[str, int, int]:
    span = drop.loss.span
    source = next((item.source for item in check.pending.migrations if item.path == span.path), None)
    if source is None:
        return span.path, 1, 1
    at = source.locate(span.start, span.end)
    return at.path, at.line, at.column


def _summary(check: Check, colour: bool) -> Iterator[str]:
    new = count(len(check.pending.migrations), "new migration", "new migrations")
    yield f"{new} against {clean(check.pending.since)}"
    verdict = paint(check.verdict.value, _COLOURS[check.verdict], colour)
    if not check.drops and not check.gaps:
        yield f"verdict: {verdict}: nothing that was released is dropped or renamed"
        return
    counts = ", ".join(
        f"{number} {verdict.value}"
        for verdict in Verdict
        if (number := sum(drop.verdict is verdict for drop in check.drops))
    )
    gaps = f", {count(len(check.gaps), 'statement', 'statements')} not read" if check.gaps else ""
    yield f"verdict: {verdict}: {count(len(check.drops), 'drop', 'drops')}{': ' if counts else ''}{counts}{gaps}"


def render_json(check: Check) -> str:
    """For machines; the report on each revision has the shape of a scan's report."""
    shape = {
        "version": VERSION,
        "verdict": check.verdict.value,
        "since": check.pending.since,
        "migrations": [item.path for item in check.pending.migrations],
        "drops": [_drop(check, drop) for drop in check.drops],
        "gaps": [{"path": gap.span.path, "reason": gap.reason, "message": gap.message} for gap in check.gaps],
        "notes": list(check.notes),
    }
    return encodable(json.dumps(shape, indent=2, ensure_ascii=False)) + "\n"


def _drop(check: Check, drop: Drop) -> dict[str, Any]:
    path, line, column = _place(check, drop)
    return {
        "what": drop.loss.what,
        "name": drop.loss.name,
        "new_name": drop.loss.renamed,
        "certain": drop.loss.certain,
        "path": path,
        "line": line,
        "column": column,
        "verdict": drop.verdict.value,
        "reports": [
            {"revision": revision, **json_report.document(report, Options())} for revision, report in drop.reports
        ],
    }
