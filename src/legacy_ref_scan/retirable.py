"""Every column of the schema with its verdict: those that nothing uses are the next candidates for retirement."""

from __future__ import annotations

from dataclasses import dataclass, replace

from legacy_ref_scan.migrations import detect
from legacy_ref_scan.model import ScanError, Target, Verdict
from legacy_ref_scan.rules import Rule, find_rules, load_rule, parse_name
from legacy_ref_scan.scan import Ground, Request, open_workspace, replay_history
from legacy_ref_scan.schema import Catalog, Relation
from legacy_ref_scan.survey import Judgement, survey

_ORDER = {Verdict.CLEAN: 0, Verdict.UNKNOWN: 1, Verdict.REFERENCED: 2}
_TABLES = frozenset({"table", "foreign"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A column with its verdict. `type` is its SQL type; `rule` the file that retires it already, "" for none."""

    judgement: Judgement
    type: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Retirable:
    """Every column that was asked for: clean ones first, then by what stands in the way, little before much."""

    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...]

    def count(self, verdict: Verdict) -> int:
        """How many columns have that verdict."""
        return sum(item.judgement.verdict is verdict for item in self.candidates)


def retirable(request: Request, tables: tuple[str, ...] = ()) -> Retirable:
    """Judge every column of the tables (`table` or `schema.table`; none: all). The request has no rules.

    Raises `ScanError` where there are no migrations, or no such table.
    """
    say = request.progress or (lambda _: None)
    rules = [load_rule(path) for path in find_rules(request.root)]
    path = next((rule.search_path for rule in rules), ("public",))
    request = replace(request, rules=(Rule("retirable", (), search_path=path),), progress=None)
    workspace = open_workspace(request)
    history = detect(workspace, request.migrations)
    if not history.migrations:
        raise ScanError("; ".join(map(str, history.problems)) or "no migrations found")
    catalog = replay_history(request, history)
    wanted = _tables(catalog, tables)
    types = {Target(t.schema, t.name, c.name): c.type for t in wanted for c in t.columns if c.local}
    retired = {target: rule.source for rule in rules for target in rule.targets}
    judged = survey(request, Ground(workspace, history), catalog, list(types), say)
    found = [Candidate(item, types[item.target], retired.get(item.target, "")) for item in judged]
    return Retirable(tuple(sorted(found, key=_order)), (f"migrations: {history}", *history.notes))


def _tables(catalog: Catalog, names: tuple[str, ...]) -> list[Relation]:
    """The tables by name, in order; partitions and children go with their parents' columns."""
    if not names:
        return sorted((t for t in catalog.relations.values() if _is_table(t)), key=lambda t: (t.schema, t.name))
    found = []
    for name in names:
        try:
            *schema, table = parse_name(name)
        except ValueError as error:
            raise ScanError(f"--table {name}: {error}") from None
        relation = catalog.relation(table, schema[0] if schema else None)
        if relation is None or relation.kind not in _TABLES:
            raise ScanError(f"--table {name}: the migrations leave no such table")
        found.append(relation)
    return found


def _is_table(relation: Relation) -> bool:
    return relation.kind in _TABLES and not relation.temporary


def _order(item: Candidate) -> tuple[int, int, Target]:
    found = item.judgement
    weight = len(found.gaps) if found.verdict is Verdict.UNKNOWN else len(found.gating)
    return _ORDER[found.verdict], weight, found.target
