"""The JSON report: its own versioned shape, described by `data/report.schema.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from legacy_ref_scan.model import Acknowledged, Claim, Explanation, Gap, Mention, Reference, Report, Residue, Span
from legacy_ref_scan.reports.fingerprint import fingerprints
from legacy_ref_scan.reports.options import Options
from legacy_ref_scan.reports.places import acknowledged_in_order, in_order, line_text, locate
from legacy_ref_scan.reports.snippet import clip
from legacy_ref_scan.reports.style import encodable

VERSION = 1
"""Raised when a key goes or changes its meaning; new keys do not raise it."""

Names = Mapping[Reference | Gap, str]


def render(report: Report, options: Options) -> str:
    """The report as one JSON object, in UTF-8 without escapes."""
    import json  # late: `--version` needs none of it

    return encodable(json.dumps(document(report, options), indent=2, ensure_ascii=False)) + "\n"


def document(report: Report, options: Options) -> dict[str, Any]:
    """The report as plain dicts and lists, keys in the order of the documentation."""
    names = fingerprints(report)
    shape: dict[str, Any] = {
        "version": VERSION,
        "verdict": report.verdict.value,
        "targets": [str(target) for target in report.targets],
        "references": [_reference(report, names, item) for item in in_order(report.references)],
        "gaps": [_gap(report, names, item) for item in in_order(report.gaps)],
        "residue": [_residue(report, item) for item in in_order(report.residue)],
        "acknowledged": [_acknowledged(report, names, item) for item in acknowledged_in_order(report.acknowledged)],
        "ledger": _ledger(report),
        "notes": list(report.notes),
    }
    if report.released:
        shape["released"] = [{"revision": name, **document(other, options)} for name, other in report.released]
    if options.accounting:
        pairs = sorted(report.mentions, key=lambda pair: (pair[0].span, pair[0].role))
        shape["mentions"] = [_mention(report, mention, claim) for mention, claim in pairs]
    return shape


def _place(report: Report, span: Span) -> dict[str, Any]:
    at = locate(report, span)
    return {
        "path": at.path,
        "line": at.line,
        "column": at.column,
        "end_line": at.end_line,
        "end_column": at.end_column,
    }


def _reference(report: Report, names: Names, item: Reference) -> dict[str, Any]:
    return {
        **_place(report, item.span),
        "target": str(item.target),
        "access": item.access.value,
        "gating": item.gating,
        "kind": item.kind,
        "symbol": item.symbol,
        "sql": _sql(report, item.span),
        "message": item.message,
        "help": item.help,
        "test": item.test,
        "fingerprint": names[item],
    }


def _sql(report: Report, span: Span) -> str:
    at = locate(report, span)
    text = line_text(report, at.path, at.line)
    if text is None:
        return ""
    last = at.end_column - 1 if at.end_line == at.line else len(text)
    return clip(text, at.column - 1, last)


def _gap(report: Report, names: Names, item: Gap) -> dict[str, Any]:
    return {
        **_place(report, item.span),
        "reason": item.reason,
        "message": item.message,
        "symbol": item.symbol,
        "test": item.test,
        "fingerprint": names[item],
    }


def _residue(report: Report, item: Residue) -> dict[str, Any]:
    return {**_place(report, item.span), "kind": item.kind, "message": item.message, "symbol": item.symbol}


def _acknowledged(report: Report, names: Names, acknowledged: Acknowledged) -> dict[str, Any]:
    about = {"reason": acknowledged.reason, "expires": acknowledged.expires or None}
    match acknowledged.item:
        case Reference() as item:
            return {**about, "reference": _reference(report, names, item)}
        case Gap() as item:
            return {**about, "gap": _gap(report, names, item)}


def _mention(report: Report, mention: Mention, claim: Claim) -> dict[str, Any]:
    return {
        **_place(report, mention.span),
        "name": mention.name,
        "role": mention.role,
        "explanation": _name(claim.why),
        "detail": claim.detail,
    }


def _ledger(report: Report) -> dict[str, Any]:
    counts = report.ledger
    return {
        "mentions": len(report.mentions),
        "explanations": {_name(why): counts.get(why, 0) for why in Explanation},
        "files": {
            "scanned": dict(sorted(report.scanned.items())),
            "skipped": dict(sorted(report.skipped.items())),
            "unreadable": [{"path": path, "reason": why} for path, why in sorted(report.unreadable.items())],
        },
        "statements": report.statements,
    }


def _name(why: Explanation) -> str:
    return why.name.lower()
