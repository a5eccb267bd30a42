"""The report of `retirable`: every column with its verdict, the ones that nothing uses first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from legacy_ref_scan.model import Gap, Reference, Verdict
from legacy_ref_scan.reports.accounting import count
from legacy_ref_scan.reports.options import Options
from legacy_ref_scan.reports.places import in_order, locate
from legacy_ref_scan.reports.style import clean, encodable, paint
from legacy_ref_scan.retirable import Candidate, Retirable

VERSION = 1
_COLOURS = {Verdict.CLEAN: "green bold", Verdict.REFERENCED: "red bold", Verdict.UNKNOWN: "yellow bold"}


def render(found: Retirable, options: Options, limit: int | None = None) -> str:
    """One line a column; `limit` shortens the list, never the counts."""
    shown = found.candidates[:limit]
    lines = list(_table(shown, options.colour))
    if len(shown) < len(found.candidates):
        lines.append(f"… and {len(found.candidates) - len(shown):,} more")
    lines += ["", *(f"{paint('note', 'cyan bold', options.colour)}: {clean(note)}" for note in found.notes)]
    lines.append(
        f"{count(len(found.candidates), 'column', 'columns')}: {found.count(Verdict.CLEAN):,} that nothing uses, "
        f"{found.count(Verdict.UNKNOWN):,} unknown, {found.count(Verdict.REFERENCED):,} referenced"
    )
    return encodable("\n".join(lines)) + "\n"


def _table(shown: tuple[Candidate, ...], colour: bool) -> Iterator[str]:
    width = max((len(clean(str(item.judgement.target))) for item in shown), default=0)
    types = max((len(clean(item.type)) for item in shown), default=0)
    for item in shown:
        verdict = item.judgement.verdict
        cells = f"{clean(str(item.judgement.target)).ljust(width)}  {clean(item.type).ljust(types)}"
        yield f"{paint(verdict.value.ljust(10), _COLOURS[verdict], colour)}  {cells}  {_why(item)}".rstrip()


def _why(item: Candidate) -> str:
    found = item.judgement
    rule = f"retired by {clean(item.rule)}" if item.rule else ""
    match found.verdict:
        case Verdict.CLEAN:
            return rule
        case Verdict.UNKNOWN:
            return f"{count(len(found.gaps), 'gap', 'gaps')}, the first at {_at(item, in_order(found.gaps)[0])}"
        case Verdict.REFERENCED:
            least = "" if found.complete else "at least "
            number = count(len(found.gating), "reference", "references")
            return f"{least}{number}, the first at {_at(item, in_order(found.gating)[0])}"


def _at(item: Candidate, place: Reference | Gap) -> str:
    at = locate(item.judgement.report, place.span)
    return f"{clean(at.path)}:{at.line}" if at.path else "(no file)"


def render_json(found: Retirable, limit: int | None = None) -> str:
    """For machines."""
    shape = {
        "version": VERSION,
        "counts": {verdict.value: found.count(verdict) for verdict in Verdict},
        "columns": [_column(item) for item in found.candidates[:limit]],
        "notes": list(found.notes),
    }
    return encodable(json.dumps(shape, indent=2, ensure_ascii=False)) + "\n"


def _column(item: Candidate) -> dict[str, Any]:
    found = item.judgement
    return {
        "column": str(found.target),
        "type": item.type,
        "verdict": found.verdict.value,
        "rule": item.rule,
        "references": len(found.gating),
        "gaps": len(found.gaps) if found.complete else None,
        "complete": found.complete,
        "first": _at(item, in_order(found.gating)[0]) if found.gating else "",
    }
