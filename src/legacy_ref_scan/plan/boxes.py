"""The checklist: each box with what must hold, and the evidence that ticks it or what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from legacy_ref_scan.generate import Pair, Refusal
from legacy_ref_scan.model import Gap, Reference, Report, Verdict
from legacy_ref_scan.plan.facts import Evidence, Facts

_VERIFIED = (
    ("values", "no row holds a value any more"),
    ("parity", "what replaces the column has everything"),
    ("dependents", "nothing in the database depends on the column but what the migration names"),
    ("bodies", "no function of the database uses the column"),
    ("drift", "the database has the schema that the migrations build"),
    ("statements", "no statement that the server has seen uses the column"),
    ("readers", "no replica, publication or slot carries the column on"),
    ("window", "nothing stands in the way of the lock"),
    ("backup", "there is a backup to go back to"),
)
"""Checks of `verify` by the identity that its protocol gives them, as the sentence of a box."""
_UNVERIFIED = (
    "missing: run `legacy-ref-scan verify --dsn … --format json --output verify.json`, then `plan --evidence` it"
)


@dataclass(frozen=True, slots=True)
class Box:
    """One box. `ticked` is None where this run has no evidence for or against it: an older tick is kept, as long as it
    bears the same `seal`. `proof` is the evidence, or what is missing; `when` the time that it is from.
    """

    id: str
    text: str
    ticked: bool | None
    proof: str
    when: str = ""
    seal: str = ""

    @property
    def line(self) -> str:
        """The box as Markdown."""
        when = f" ({self.when})" if self.when else ""
        seal = f" {self.seal}" if self.seal else ""
        return f"- [{'x' if self.ticked else ' '}] {self.text}: {self.proof}{when} <!-- box:{self.id}{seal} -->"


def boxes(facts: Facts) -> tuple[Box, ...]:
    """Every box, in the order of the work."""
    return (*_code(facts), *_migration(facts), *_rehearsed(facts), *_verified(facts))


def _code(facts: Facts) -> Iterator[Box]:
    now = facts.now.strftime("%Y-%m-%d %H:%M UTC")
    done = facts.report.verdict is Verdict.CLEAN
    yield Box("code", "No code uses the columns", done, f"`{facts.scan}`: {_figures(facts.report)}", now)
    text = "The release that still runs does not use them either"
    if not facts.report.released:
        yield Box(
            "released", text, None, f"missing: run `{facts.generate} --also-rev TAG` with the tag of that release"
        )
    for revision, report in facts.report.released:
        proof = f"`--also-rev {revision}`: {_figures(report)}"
        yield Box("released", text, report.verdict is Verdict.CLEAN, proof, now)
    kept = facts.report.acknowledged
    listed = "; ".join(dict.fromkeys(f"{item.item.span.path}: {item.reason}" for item in kept))
    text = "What was acknowledged is still right"
    yield Box("acknowledged", text, not kept or None, listed or "nothing is", now, _seal(listed))


def _seal(text: str) -> str:
    """A tick by hand is for this text, and for no other."""
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def _figures(report: Report) -> str:
    """The verdict with its figures, and the first thing that stands in the way."""
    files = sum(report.scanned.values())
    said = (
        f"{report.verdict.value}; {files:,} files, {len(report.mentions):,} mentions, {report.statements:,} statements"
    )
    gating: list[Reference | Gap] = [item for item in report.references if item.gating]
    open_ = gating or list(report.gaps)
    if not open_:
        return said
    first = min(open_, key=lambda item: item.span)
    source = report.files.get(first.span.path)
    line = source.line_of(first.span.start) if source else 1
    kind = "references" if gating else "gaps"
    return f"{said}; {len(open_):,} {kind}, the first at {first.span.path}:{line}: {first.message}"


def _migration(facts: Facts) -> Iterator[Box]:
    now = facts.now.strftime("%Y-%m-%d %H:%M UTC")
    text = "The migration and its way back are written"
    if isinstance(facts.pair, Refusal):
        yield Box("migration", text, False, f"missing: `{facts.generate}` refuses: {facts.pair.summary}", now)
        return
    names = " and ".join(f"`{path.name}`" for path in facts.pair.paths)
    if facts.written:
        yield Box("migration", text, True, f"{names} as `{facts.generate}` writes them", now)
    else:
        yield Box("migration", text, False, f"missing: run `{facts.generate}`, which writes {names}", now)
    weaker = remarks(facts.pair)
    proof = "everything comes back as it was, columns at the end of the table" if not weaker else " ".join(weaker)
    yield Box("way-back", "What the way back cannot restore is accepted", not weaker or None, proof, now, _seal(proof))


def remarks(pair: Pair) -> list[str]:
    """What the way back says that it cannot build on a table full of rows."""
    lines = pair.down.data.decode().splitlines()
    return [line.removeprefix("-- ") for line in lines if line.startswith("-- ") and "squawk-ignore" not in line]


def _rehearsed(facts: Facts) -> Iterator[Box]:
    text = "Up, down and up again were rehearsed on a PostgreSQL with every statement of the code"
    found = facts.of("rehearse")
    if found is None:
        hint = "missing: run `legacy-ref-scan rehearse --format json --output rehearse.json`, then `plan --evidence` it"
        yield Box("rehearsed", text, None, hint, seal=facts.seal)
        return
    bad = [check for check in found.checks if check["result"] == "fail"] or [
        check for check in found.checks if check["result"] != "pass" and check.get("required", True)
    ]
    yield Box(
        "rehearsed", text, found.exit_code == 0, _proof(found, bad or list(found.checks)), found.started, facts.seal
    )


def _verified(facts: Facts) -> Iterator[Box]:
    found = facts.of("verify")
    for id_, sentence in _VERIFIED:
        text = sentence[0].upper() + sentence[1:]
        checks = found.check(id_) if found else ()
        if found is None or not checks:
            yield Box(f"verify-{id_}", text, None, _UNVERIFIED)
            continue
        bad = [check for check in checks if check["result"] != "pass"]
        yield Box(f"verify-{id_}", text, not bad, _proof(found, bad or list(checks)), found.started)


def _proof(found: Evidence, checks: list[Mapping[str, Any]]) -> str:
    """The command, the server, and what the checks say with their figures."""
    said = "; ".join(map(_said, checks[:4]))
    more = f"; … and {len(checks) - 4} more" if len(checks) > 4 else ""
    return f"`{found.command}` on {found.subject}, {found.file}: {said}{more}"


def _said(check: Mapping[str, Any]) -> str:
    figures = ", ".join(f"{name} {value}" for name, value in dict(check.get("figures") or {}).items())
    parts = [f"{check['id']} {check['result']}", str(check.get("reason") or ""), figures]
    return ", ".join(part for part in parts if part)
