"""What a plan rests on: the scan, the migration, and the protocols of `rehearse` and `verify`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from legacy_ref_scan.generate import Pair, Refusal
from legacy_ref_scan.model import Report, ScanError
from legacy_ref_scan.rules import Rule


@dataclass(frozen=True, slots=True)
class Evidence:
    """A protocol of `rehearse` or `verify` in its JSON form, and the name of its file."""

    file: str
    command: str
    subject: str
    started: str
    targets: tuple[str, ...]
    exit_code: int
    checks: tuple[Mapping[str, Any], ...]

    def check(self, id_: str) -> tuple[Mapping[str, Any], ...]:
        """The checks of that identity, one for each target or query."""
        return tuple(check for check in self.checks if str(check["id"]).partition(":")[0] == id_)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a plan says. `pair` is a refusal where there is no migration to write; `written`: it is there.

    `directory` is the migration directory as the reader sees it; `scan` and `generate` are the commands that were
    run. `now` is the time of this run in UTC.
    """

    rule: Rule
    report: Report
    pair: Pair | Refusal
    written: bool
    directory: str
    convention: str
    migrations: int
    scan: str
    generate: str
    evidence: tuple[Evidence, ...]
    now: datetime

    @property
    def columns(self) -> str:
        """The columns under retirement."""
        return ", ".join(map(str, self.rule.targets))

    @property
    def seal(self) -> str:
        """A short digest of the migration: what was rehearsed is this one, or another."""
        if isinstance(self.pair, Refusal):
            return "none"
        return sha256(self.pair.up.data + b"\0" + self.pair.down.data).hexdigest()[:12]

    def of(self, command: str) -> Evidence | None:
        """The latest protocol of a command about these columns."""
        wanted = {str(target) for target in self.rule.targets}
        found = [item for item in self.evidence if item.command == command and wanted.issubset(item.targets)]
        return max(found, key=lambda item: item.started, default=None)


def load_evidence(path: Path) -> Evidence:
    """Read a protocol. Raises `ScanError` where the file is none."""
    try:
        shape = json.loads(path.read_bytes())
        if shape["command"] not in ("rehearse", "verify"):
            raise ValueError(shape["command"])
        checks = tuple(check for check in shape["checks"] if check["id"] and check["result"])
        texts = {key: str(shape[key]) for key in ("command", "subject", "started")}
        targets = tuple(map(str, shape["targets"]))
        return Evidence(path.name, targets=targets, exit_code=int(shape["exit_code"]), checks=checks, **texts)
    except OSError as error:
        raise ScanError(f"{path}: cannot read the evidence: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError):
        message = "not a protocol of rehearse or verify: make one with `--format json --output FILE`"
        raise ScanError(f"{path}: {message}") from None
