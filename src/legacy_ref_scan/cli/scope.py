"""What the options that commands share mean: the repository, its rules, and the request for a scan of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from legacy_ref_scan.model import ScanError, Verdict
from legacy_ref_scan.rules import Rule, adhoc_rule, find_rules, load_rule

if TYPE_CHECKING:
    from legacy_ref_scan.scan import Request
    from legacy_ref_scan.versions import Version

EXIT_CODES = {Verdict.CLEAN: 0, Verdict.REFERENCED: 1, Verdict.UNKNOWN: 3}


@dataclass(frozen=True, slots=True)
class Scope:
    """What to look at. `root` is absolute, `migrations` is below it or absolute."""

    root: Path
    migrations: str | None = None
    exclude: tuple[str, ...] = ()
    staged: bool = False
    rev: str | None = None

    @classmethod
    def of(
        cls,
        root: str,
        migrations: str | None,
        exclude: Sequence[str] = (),
        staged: bool = False,
        rev: str | None = None,
    ) -> Scope:
        """From the options as they were given. Raises `ScanError` where the root is no directory."""
        if not Path(root).is_dir():
            raise ScanError(f"--root {root}: not a directory")
        base = cls(Path(root).resolve())
        return cls(base.root, base.inside(migrations) if migrations is not None else None, tuple(exclude), staged, rev)

    def request(
        self,
        rules: tuple[Rule, ...] = (),
        *,
        paths: tuple[str, ...] = (),
        leave_out: tuple[str, ...] = (),
        until: Version | None = None,
        progress: Callable[[str], None] | None = None,
        remember: bool = False,
    ) -> Request:
        """A request for a scan of it; `leave_out` are globs besides those of --exclude."""
        from legacy_ref_scan.scan import Request

        return Request(
            root=self.root,
            rules=rules,
            paths=paths,
            migrations=self.migrations,
            exclude=(*self.exclude, *leave_out),
            staged=self.staged,
            revision=self.rev,
            until=until,
            progress=progress,
            remember=remember,
        )

    def inside(self, path: str) -> str:
        """A path below the root; one that is only there from where the user stands is made absolute."""
        if not (self.root / path).exists() and Path(path).exists():
            return str(Path(path).absolute())
        return path

    def rules(self, files: Sequence[str], columns: Sequence[str]) -> tuple[Rule, ...]:
        """The rules that are named, else all of the repository. Raises `ScanError` where there is none."""
        if files and columns:
            raise ScanError("--rule and --column exclude each other")
        if columns:
            return (adhoc_rule(list(columns)),)
        paths = [self._rule_file(file) for file in files] or list(find_rules(self.root))
        if not paths:
            raise ScanError(
                f"{self.root / 'rules'} holds no rule: name a column with --column TABLE.COLUMN, "
                "a rule with --rule FILE, or write one with `legacy-ref-scan init TABLE.COLUMN`"
            )
        return tuple(load_rule(shown(path)) for path in paths)

    def one_rule(self, what: str, files: Sequence[str], columns: Sequence[str] = ()) -> Rule:
        """The only rule; `what` says why it must be one ("one rule is verified"). Raises `ScanError`."""
        rules = self.rules(files, columns)
        if len(rules) > 1:
            listed = ", ".join(rule.source for rule in rules)
            raise ScanError(f"{what} at a time: choose with --rule FILE among {listed}")
        return rules[0]

    def until(self, rule: Rule) -> Version | None:
        """The version that the pair has or will have: only older migrations count for what it drops and rebuilds."""
        from legacy_ref_scan.generate import planned_version
        from legacy_ref_scan.migrations import detect
        from legacy_ref_scan.workspace import Workspace

        plan = rule.migration
        if plan is None or plan.version is not None:
            return plan.version if plan else None
        directory = self.migrations or plan.directory or None
        history = detect(Workspace(self.root), directory, plan.convention or None)
        return planned_version(plan, (Path(item.path).name for item in history.migrations), history.convention)

    def _rule_file(self, file: str) -> Path:
        """As given from where the user stands; else below the root."""
        here, below = Path(file), self.root / file
        return below if not here.exists() and below.exists() else here


def shown(path: Path) -> str:
    """As short as it can be named from here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
