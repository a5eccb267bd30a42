"""Function bodies in `pg_proc`, those too that no migration made, resolved by our own resolver."""

from __future__ import annotations

from legacy_ref_scan.database.checks import counted
from legacy_ref_scan.database.live import function_findings, named_functions, signature
from legacy_ref_scan.database.verify.context import Answer, Context, LiveCheck, failed, impossible, once, passed
from legacy_ref_scan.model import Reference
from legacy_ref_scan.schema import Function


def _bodies(context: Context, _: str) -> Answer:
    live = context.live
    named = named_functions(live)
    uses: list[str] = []
    gaps: list[str] = []
    for function, found in function_findings(live):
        line = f"{signature(function)}{_origin(function, context)}: {found.message}"
        if isinstance(found, Reference):
            uses.append(line)
        else:
            gaps.append(line)
    foreign = sum(function.signature not in context.catalog.functions for function in live.catalog.functions.values())
    figures = (
        ("functions", len(live.catalog.functions)),
        ("made by no migration", foreign),
        ("naming the column", len(named)),
        ("uses", len(uses)),
        ("undecided", len(gaps)),
    )
    findings = tuple(dict.fromkeys((*uses, *gaps)))
    if uses:
        return failed(f"{counted(len(uses), 'use')} in function bodies", figures, findings)
    if gaps:
        return impossible(f"{counted(len(gaps), 'place')} in function bodies could not be decided", figures, findings)
    return passed("no function body uses the column", figures)


def _origin(function: Function, context: Context) -> str:
    return "" if function.signature in context.catalog.functions else " (no migration made it)"


BODIES = LiveCheck("bodies", "function bodies in pg_proc", once, _bodies)
