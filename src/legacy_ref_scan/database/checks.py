"""A check: what was looked at, with which result and which figures. Text, JSON and the exit code come from these."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from legacy_ref_scan.model import ScanError

VERSION = 1
"""Of the JSON shape. Raised when a key goes or changes its meaning; new keys do not raise it."""

CLEAN, UNDECIDED, FAILED = 0, 3, 4
_SHOWN = 20
_SIGNS = {"pass": "ok", "fail": "FAIL", "not possible": "?"}

Figures = tuple[tuple[str, int | float | str], ...]


class Result(StrEnum):
    """What came of a check."""

    PASS = "pass"
    FAIL = "fail"
    NOT_POSSIBLE = "not possible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check.

    `id` is stable: kebab-case, with the target's or the query's name behind a colon where there are several of a
    kind. `reason` says why it failed or was not possible, or what passed. `findings` are lines for people, each about
    one thing; none holds a value of a row, a parameter or a password. A check that is not `required` and was not
    possible leaves the exit code alone. `seconds` is how long it took.
    """

    id: str
    title: str
    result: Result
    reason: str = ""
    target: str = ""
    figures: Figures = ()
    findings: tuple[str, ...] = ()
    required: bool = True
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Protocol:
    """All checks of one run. `command` is "rehearse" or "verify", `subject` the server, `started` its time in UTC."""

    command: str
    subject: str
    targets: tuple[str, ...]
    started: str
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """4 where a check failed, 3 where a required one was not possible, 0 where all passed. Nothing checked: 3."""
        results = {check.result for check in self.checks}
        if Result.FAIL in results:
            return FAILED
        open_ = any(check.result is Result.NOT_POSSIBLE and check.required for check in self.checks)
        return UNDECIDED if open_ or not self.checks else CLEAN


def counted(number: int, noun: str) -> str:
    """`1 row`, `1,204 rows`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def timed(work: Callable[[], Iterable[Check]]) -> list[Check]:
    """The checks of a piece of work, each with the time of all of it."""
    begin = time.monotonic()
    checks = list(work())
    seconds = round(time.monotonic() - begin, 3)
    return [replace(check, seconds=check.seconds or seconds) for check in checks]


def render(protocol: Protocol, format_: str) -> str:
    """The protocol as "text" or "json"."""
    if format_ == "json":
        import json

        from legacy_ref_scan.reports.style import encodable

        return encodable(json.dumps(document(protocol), indent=2, ensure_ascii=False)) + "\n"
    return text(protocol)


def document(protocol: Protocol) -> dict[str, Any]:
    """The protocol as plain dicts and lists."""
    return {
        "version": VERSION,
        "command": protocol.command,
        "subject": protocol.subject,
        "targets": list(protocol.targets),
        "started": protocol.started,
        "exit_code": protocol.exit_code,
        "checks": [_check(check) for check in protocol.checks],
        "notes": list(protocol.notes),
    }


def parse(data: str | bytes) -> Protocol:
    """The protocol that `render` wrote as JSON. Raises `ScanError` where it is none, or of a later version."""
    import json

    try:
        shape = json.loads(data)
        if shape["version"] != VERSION:
            raise ScanError(f"a protocol of version {shape['version']}: this program reads version {VERSION}")
        checks = tuple(
            Check(**{**item, "result": Result(item["result"]), "figures": tuple(item["figures"].items()),
                     "findings": tuple(item["findings"])})
            for item in shape["checks"]
        )  # fmt: skip
        targets, notes = tuple(shape["targets"]), tuple(shape["notes"])
        return Protocol(shape["command"], shape["subject"], targets, shape["started"], checks, notes)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ScanError("no protocol of rehearse or verify: write one with --format json --output FILE") from None


def _check(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "title": check.title,
        "target": check.target,
        "result": check.result.value,
        "required": check.required,
        "reason": check.reason,
        "figures": dict(check.figures),
        "findings": list(check.findings),
        "seconds": check.seconds,
    }


def text(protocol: Protocol) -> str:
    """The protocol for people: a line a check, its findings below."""
    from legacy_ref_scan.reports.style import clean

    lines = [f"{protocol.command}: {', '.join(protocol.targets)} on {protocol.subject}", ""]
    for check in protocol.checks:
        lines.append(f"{_SIGNS[check.result.value]:>4}  {check.title}: {check.reason or check.result.value}")
        if check.figures:
            lines.append("      " + ", ".join(f"{name} {_figure(value)}" for name, value in check.figures))
        lines.extend(f"      - {line}" for line in check.findings[:_SHOWN])
        if len(check.findings) > _SHOWN:
            lines.append(f"      … and {len(check.findings) - _SHOWN:,} more")
    lines.extend(f"note: {note}" for note in protocol.notes)
    counts = [(result, sum(check.result is result for check in protocol.checks)) for result in Result]
    lines += ["", f"{protocol.command}: " + ", ".join(f"{count} {result.value}" for result, count in counts)]
    return "\n".join(clean(line) for line in lines) + "\n"


def _figure(value: int | float | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"
