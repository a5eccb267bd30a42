"""`init`: a commented rule for one column."""

from __future__ import annotations

import os
from pathlib import Path

from legacy_ref_scan.cli.output import emit
from legacy_ref_scan.cli.scope import Scope, shown
from legacy_ref_scan.model import ScanError
from legacy_ref_scan.reports.style import clean
from legacy_ref_scan.rules import adhoc_rule, default_name, find_rules, load_rule, render_rule


def init(*, column: str, scope: Scope, output: str | None) -> int:
    """Write a commented rule for one column. Raises `ScanError` where a rule is there."""
    from legacy_ref_scan.migrations import detect
    from legacy_ref_scan.migrations.golang_migrate import next_version
    from legacy_ref_scan.workspace import Workspace

    target = adhoc_rule([column]).targets[0]
    history = detect(Workspace(scope.root), scope.migrations)
    taken = {item.version.parts[0] for item in history.migrations if item.version}
    version = next_version(taken) if history.migrations else None
    text = render_rule(target, version=version, directory=history.directory, convention=history.convention)
    stem = default_name((target,)) if version is None else f"{version:06d}_{default_name((target,))}"
    path = Path(output) if output is not None else scope.root / "rules" / f"{stem}.toml"
    name = clean(os.path.relpath(path))
    if path.exists():
        if path.read_text(encoding="utf-8") != text:
            raise ScanError(f"{name} is there with other content: it is not overwritten")
        emit(f"unchanged: {name}\n")
        return 0
    others = [other for other in find_rules(scope.root) if target in load_rule(other).targets]
    if others and output is None:
        raise ScanError(f"{os.path.relpath(others[0])} retires {target} already")
    if output is None:
        _make_directory(path.parent)
    emit(text, str(path))
    emit(f"wrote: {name}\nnext: {_hint(scope.root)}\n")
    return 0


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise ScanError(f"{path}: cannot be made: {error.strerror or error}") from None


def _hint(root: Path) -> str:
    where = "" if root == Path.cwd() else f" --root {shown(root)}"
    return f"legacy-ref-scan scan{where}"
