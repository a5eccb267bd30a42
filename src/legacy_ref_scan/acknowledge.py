"""Acknowledgements of a rule: they never hide a finding, they move it, and unused or expired ones are reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from legacy_ref_scan.model import Acknowledged, Gap, Reference
from legacy_ref_scan.rules import Acknowledgement, Rule

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


@dataclass(frozen=True, slots=True)
class Acknowledgements:
    """What is left, what was moved, and what to say about the acknowledgements themselves."""

    references: tuple[Reference, ...]
    gaps: tuple[Gap, ...]
    acknowledged: tuple[Acknowledged, ...]
    notes: tuple[str, ...]


def acknowledge(
    references: Iterable[Reference], gaps: Iterable[Gap], rules: Iterable[Rule], line_of: Callable[[str, int], int]
) -> Acknowledgements:
    """Move what the rules acknowledge; `line_of` is for messages."""
    entries = [(rule, entry) for rule in rules for entry in rule.acknowledge]
    today = datetime.now(UTC).date()
    expired = {id(entry) for _, entry in entries if entry.expires is not None and entry.expires < today}
    used: set[int] = set()
    moved: list[Acknowledged] = []
    kept_references: list[Reference] = []
    kept_gaps: list[Gap] = []
    items: list[Reference | Gap] = [*references, *gaps]
    for item in items:
        match = next((e for _, e in entries if _matches(e, item)), None)
        if match is not None:
            used.add(id(match))
        if match is not None and id(match) not in expired:
            moved.append(Acknowledged(item, match.reason, str(match.expires or "")))
        elif isinstance(item, Reference):
            kept_references.append(item)
        else:
            kept_gaps.append(item)
    notes = [_note(rule, e, id(e) in used) for rule, e in entries if id(e) in expired or id(e) not in used]
    return Acknowledgements(tuple(kept_references), tuple(kept_gaps), tuple(moved), tuple(notes))


def _note(rule: Rule, entry: Acknowledgement, used: bool) -> str:
    where = f"{rule.source}:{entry.line}"
    if not used:
        return f"{where}: the acknowledgement of {entry.path} matches nothing: remove it"
    return f"{where}: the acknowledgement of {entry.path} expired on {entry.expires}: what it covered gates again"


def _matches(entry: Acknowledgement, item: Reference | Gap) -> bool:
    if entry.symbol and entry.symbol != item.symbol:
        return False
    if entry.access is not None and (not isinstance(item, Reference) or item.access != entry.access):
        return False
    return bool(_glob(entry.path).match_file(item.span.path))


@cache
def _glob(pattern: str) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines([pattern])
