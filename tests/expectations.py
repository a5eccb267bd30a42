"""Reads what the files of a fixture say they expect, by a plain line regex: the judge must not share our parsers' bugs.

An expectation stands in a comment (`//`, `--`, `#`) on the line where the finding starts:

- `want: read, write "anything"`: gating references with these accesses; what follows in quotes is for people.
- `want-gap: why`: a gap.
- `want-listed: depend`: a reference that does not gate.
- `want-residue: why`: a residue; residues without an expectation are not compared.
- `todo-want…`: known to be missing; the fixture fails as soon as it is found (a strict xfail).
- `ok: why`: for people; that nothing is found here is the rule.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from legacy_ref_scan.model import Report

FIXTURES = Path(__file__).parent.parent / "fixtures"
DEFAULT_TARGET = "campaign_phases.error_message"

_EXPECTATION = re.compile(r"(?:^|\s)(?://|--|#)\s*(todo-)?want(-gap|-residue|-listed)?:\s*([a-z]+(?:\s*,\s*[a-z]+)*)?")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What is compared: `access` is an access, "gap", "residue" or "listed ACCESS"."""

    path: str
    line: int
    access: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.access}"


@dataclass(frozen=True, slots=True)
class Expectations:
    """The findings that a fixture wants, and those that are known to be missing."""

    wanted: frozenset[Finding]
    todo: frozenset[Finding]

    def differences(self, report: Report) -> list[str]:
        """What speaks against the report, one line each; empty where it is as expected."""
        found, compared = findings(report), self.wanted | self.todo
        optional = {one for one in found if one.access == "residue" or one.access.startswith("listed ")}
        return [
            *(f"missing: {one}" for one in sorted(self.wanted - found)),
            *(f"not expected: {one}" for one in sorted(found - compared - optional)),
            *(f"found, so no longer to do: {one}" for one in sorted(self.todo & found)),
        ]


def fixtures(kind: str) -> list[Path]:
    """The fixture repositories of a folder, in order."""
    return sorted(path for path in (FIXTURES / kind).iterdir() if path.is_dir())


def target_of(fixture: Path) -> str:
    """TABLE.COLUMN of a fixture: its first rule's, else the default."""
    for rule in sorted((fixture / "rules").glob("*.toml")):
        retire = tomllib.loads(rule.read_text())["retire"]
        return f"{retire['table']}.{retire['columns'][0]}"
    return DEFAULT_TARGET


def read_expectations(fixture: Path) -> Expectations:
    """The expectations in all files of a fixture."""
    wanted: set[Finding] = set()
    todo: set[Finding] = set()
    for path in sorted(fixture.rglob("*")):
        if path.is_file():
            for is_todo, finding in _of_file(path, path.relative_to(fixture).as_posix()):
                (todo if is_todo else wanted).add(finding)
    return Expectations(frozenset(wanted), frozenset(todo))


def accesses_in(text: str) -> set[str]:
    """The accesses that the expectations in a piece of text name, to do or not."""
    return {finding.access for _, finding in _of_lines(text.splitlines(), "")}


def findings(report: Report) -> frozenset[Finding]:
    """What a report says, in the shape that is compared."""

    def place(path: str, start: int) -> tuple[str, int]:
        return path, report.files[path].line_of(start)

    return frozenset(
        [
            *(
                Finding(*place(r.span.path, r.span.start), r.access.value if r.gating else f"listed {r.access.value}")
                for r in report.references
            ),
            *(Finding(*place(gap.span.path, gap.span.start), "gap") for gap in report.gaps),
            *(Finding(*place(item.span.path, item.span.start), "residue") for item in report.residue),
        ]
    )


def _of_file(path: Path, name: str) -> Iterator[tuple[bool, Finding]]:
    # "\n" alone ends a line, as in `SourceFile`; bytes that are not UTF-8 hold no expectation.
    yield from _of_lines(path.read_bytes().decode("utf-8", "replace").split("\n"), name)


def _of_lines(lines: Iterable[str], name: str) -> Iterator[tuple[bool, Finding]]:
    for number, line in enumerate(lines, start=1):
        for todo, kind, accesses in _EXPECTATION.findall(line):
            for access in _accesses(kind, accesses):
                yield bool(todo), Finding(name, number, access)


def _accesses(kind: str, accesses: str) -> list[str]:
    if kind in ("-gap", "-residue"):
        return [kind[1:]]
    prefix = "listed " if kind == "-listed" else ""
    return [prefix + access.strip() for access in accesses.split(",")]
