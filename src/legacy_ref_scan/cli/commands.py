"""What each command does: plain functions that take parsed options and return the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from legacy_ref_scan.cli.output import colour_wanted, emit, progress
from legacy_ref_scan.model import ScanError, Verdict
from legacy_ref_scan.reports import FORMATS, Options
from legacy_ref_scan.reports.style import clean
from legacy_ref_scan.rules import Rule, adhoc_rule, find_rules, load_rule

if TYPE_CHECKING:
    from legacy_ref_scan.generate import Refusal
    from legacy_ref_scan.versions import Version

EXIT_CODES = {Verdict.CLEAN: 0, Verdict.REFERENCED: 1, Verdict.UNKNOWN: 3}


def scan(
    *,
    paths: Sequence[str],
    root: str,
    rules: Sequence[str],
    columns: Sequence[str],
    migrations: str | None,
    exclude: Sequence[str],
    staged: bool,
    rev: str | None,
    format_: str,
    output: str | None,
    accounting: bool,
    also_rev: Sequence[str] = (),
) -> int:
    """Scan and report; the exit code is the worst verdict's. Raises `ScanError`."""
    from legacy_ref_scan.released import with_released
    from legacy_ref_scan.scan import Request
    from legacy_ref_scan.scan import scan as run

    base = _root(root)
    with progress() as show:
        request = Request(
            root=base,
            rules=_rules(base, rules, columns),
            paths=tuple(_inside(base, path) for path in paths),
            migrations=_inside(base, migrations) if migrations is not None else None,
            exclude=tuple(exclude),
            staged=staged,
            revision=rev,
            progress=show,
            remember=bool(also_rev),
        )
        report = with_released(request, run(request), tuple(also_rev))
    options = Options(accounting=accounting, colour=colour_wanted(output))
    emit(FORMATS[format_].render(report, options), output, "utf-8" if format_ != "text" else None)
    return EXIT_CODES[report.worst]


def generate(
    *,
    root: str,
    rules: Sequence[str],
    migrations: str | None,
    exclude: Sequence[str],
    staged: bool,
    rev: str | None,
    check: bool,
    also_rev: Sequence[str] = (),
) -> int:
    """Write the migration pair of one rule, or say why not. Raises `ScanError`."""
    from legacy_ref_scan.generate import LEFTOVERS, Refusal, missing, plan_pair, write_pair
    from legacy_ref_scan.released import with_released
    from legacy_ref_scan.scan import Request
    from legacy_ref_scan.scan import scan as run

    base = _root(root)
    rule = _one_rule(base, rules)
    directory = _inside(base, migrations) if migrations is not None else None
    with progress() as show:
        request = Request(
            root=base,
            rules=(rule,),
            migrations=directory,
            exclude=(*exclude, LEFTOVERS),
            staged=staged,
            revision=rev,
            progress=show,
            until=_until(base, rule, directory),
            remember=bool(also_rev),
        )
        outcome = run(request)
        report = with_released(request, outcome, tuple(also_rev))
    history = outcome.history
    pair = plan_pair(report, outcome.catalog, rule, base / history.directory, history.convention)
    if isinstance(pair, Refusal):
        return _refuse(pair)
    wanted = [pair.directory / file.name for file in missing(pair)]
    if not check:
        wanted = write_pair(pair)
    verb = "would write" if check else "wrote"
    lines = [f"{verb if path in wanted else 'unchanged'}: {clean(os.path.relpath(path))}" for path in pair.paths]
    emit("\n".join(lines) + "\n")
    return 0


def schema(*, table: str | None, root: str, migrations: str | None, format_: str) -> int:
    """Print the replayed catalog. Raises `ScanError`."""
    from legacy_ref_scan.catalog import replay
    from legacy_ref_scan.migrations import detect
    from legacy_ref_scan.reports import schema as report
    from legacy_ref_scan.rules import parse_name
    from legacy_ref_scan.workspace import Workspace

    workspace = Workspace(base := _root(root))
    history = detect(workspace, _inside(base, migrations) if migrations is not None else None)
    if not history.migrations:
        raise ScanError(
            "; ".join(map(str, (*history.problems, *history.notes))) or f"no migrations in {history.directory or '.'}"
        )
    catalog = replay(history.migrations)
    name = None
    if table is not None:
        try:
            name = parse_name(table)
        except ValueError as error:
            raise ScanError(str(error)) from None
    document = report.document(catalog, str(history), workspace.read, name)
    emit(report.render(document, format_), None, "utf-8" if format_ != "text" else None)
    return 0


def init(*, column: str, root: str, migrations: str | None, output: str | None) -> int:
    """Write a commented rule for one column. Raises `ScanError` where a rule is there."""
    from legacy_ref_scan.migrations import detect
    from legacy_ref_scan.migrations.golang_migrate import next_version
    from legacy_ref_scan.rules import default_name, render_rule
    from legacy_ref_scan.workspace import Workspace

    base = _root(root)
    target = adhoc_rule([column]).targets[0]
    history = detect(Workspace(base), _inside(base, migrations) if migrations is not None else None)
    version = (
        next_version({item.version.parts[0] for item in history.migrations if item.version})
        if history.migrations
        else None
    )
    text = render_rule(target, version=version, directory=history.directory, convention=history.convention)
    stem = default_name((target,)) if version is None else f"{version:06d}_{default_name((target,))}"
    path = Path(output) if output is not None else base / "rules" / f"{stem}.toml"
    shown = clean(os.path.relpath(path))
    if path.exists():
        if path.read_text(encoding="utf-8") != text:
            raise ScanError(f"{shown} is there with other content: it is not overwritten")
        emit(f"unchanged: {shown}\n")
        return 0
    others = [other for other in find_rules(base) if target in load_rule(other).targets]
    if others and output is None:
        raise ScanError(f"{os.path.relpath(others[0])} retires {target} already")
    if output is None:
        _make_directory(path.parent)
    emit(text, str(path))
    emit(f"wrote: {shown}\nnext: {_hint(base)}\n")
    return 0


def _root(root: str) -> Path:
    path = Path(root)
    if not path.is_dir():
        raise ScanError(f"--root {root}: not a directory")
    return path.resolve()


def _rules(root: Path, files: Sequence[str], columns: Sequence[str]) -> tuple[Rule, ...]:
    if files and columns:
        raise ScanError("--rule and --column exclude each other")
    if columns:
        return (adhoc_rule(list(columns)),)
    paths = [_rule_file(root, file) for file in files] or list(find_rules(root))
    if not paths:
        raise ScanError(
            f"{root / 'rules'} holds no rule: name a column with --column TABLE.COLUMN, "
            "a rule with --rule FILE, or write one with `legacy-ref-scan init TABLE.COLUMN`"
        )
    return tuple(load_rule(_shown(path)) for path in paths)


def _one_rule(root: Path, files: Sequence[str]) -> Rule:
    rules = _rules(root, files, ())
    if len(rules) > 1:
        listed = ", ".join(rule.source for rule in rules)
        raise ScanError(f"a migration is written for one rule at a time: choose with --rule FILE among {listed}")
    return rules[0]


def _rule_file(root: Path, file: str) -> Path:
    """As given from where the user stands; else below the root."""
    here, below = Path(file), root / file
    return below if not here.exists() and below.exists() else here


def _shown(path: Path) -> str:
    """As short as it can be named from here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _inside(root: Path, path: str) -> str:
    """A path below the root; one that is only there from where the user stands is made absolute."""
    if not (root / path).exists() and Path(path).exists():
        return str(Path(path).absolute())
    return path


def _until(root: Path, rule: Rule, migrations: str | None) -> Version | None:
    """The version that the pair has or will have: only older migrations count for what it drops and rebuilds."""
    from legacy_ref_scan.generate import planned_version
    from legacy_ref_scan.migrations import detect
    from legacy_ref_scan.workspace import Workspace

    plan = rule.migration
    if plan is None or plan.version is not None:
        return plan.version if plan else None
    history = detect(Workspace(root), migrations or plan.directory or None, plan.convention or None)
    return planned_version(plan, (Path(item.path).name for item in history.migrations), history.convention)


def _refuse(refusal: Refusal) -> int:
    lines = [f"refused: {refusal.summary}", *(f"  {reason}" for reason in refusal.reasons)]
    if refusal.advice:
        lines.append(f"{refusal.advice}")
    for line in lines:
        print(clean(line), file=sys.stderr)  # noqa: T201
    return refusal.code


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise ScanError(f"{path}: cannot be made: {error.strerror or error}") from None


def _hint(root: Path) -> str:
    where = "" if root == Path.cwd() else f" --root {_shown(root)}"
    return f"legacy-ref-scan scan{where}"
