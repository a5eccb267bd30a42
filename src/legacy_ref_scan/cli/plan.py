"""`plan`: the retirement plan as a Markdown document that keeps itself up to date."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from legacy_ref_scan.cli.commands import _inside, _one_rule, _root, _shown, _until
from legacy_ref_scan.cli.output import emit, progress
from legacy_ref_scan.model import ScanError
from legacy_ref_scan.reports.style import clean

_ENDING = ".plan.md"


def plan(
    *,
    root: str,
    rules: Sequence[str],
    migrations: str | None,
    exclude: Sequence[str],
    staged: bool,
    rev: str | None,
    also_rev: Sequence[str],
    evidence: Sequence[str],
    output: str | None,
    check: bool,
) -> int:
    """Write the plan of one rule, or bring it up to date. With `check`: 0 where it is and every box is ticked, else 3.

    Raises `ScanError`.
    """
    from legacy_ref_scan.generate import LEFTOVERS, Refusal, missing, plan_pair
    from legacy_ref_scan.plan import Facts, boxes, fresh, load_evidence, updated
    from legacy_ref_scan.released import with_released
    from legacy_ref_scan.scan import Request
    from legacy_ref_scan.scan import scan as run

    base = _root(root)
    rule = _one_rule(base, rules)
    directory = _inside(base, migrations) if migrations is not None else None
    protocols = tuple(load_evidence(Path(file)) for file in evidence)
    with progress() as show:
        request = Request(
            root=base,
            rules=(rule,),
            migrations=directory,
            exclude=(
                *exclude,
                LEFTOVERS,
                _glob(base, output) if output is not None else f"**/{_stem(rule.source)}{_ENDING}",
            ),
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
    option = f" --rule {_shown(Path(rule.source))}" if rules else ""
    facts = Facts(
        rule=rule,
        report=report,
        pair=pair,
        written=not isinstance(pair, Refusal) and not missing(pair),
        directory=history.directory,
        convention=history.convention,
        migrations=sum(request.until is None or item.version < request.until for item in history.migrations),
        scan=f"legacy-ref-scan scan{option}",
        generate=f"legacy-ref-scan generate-migration{option}",
        evidence=protocols,
        now=datetime.now(UTC),
    )
    path = Path(output) if output is not None else base / history.directory / f"{_stem(rule.source)}{_ENDING}"
    old = _read(path)
    text = fresh(facts) if old is None else updated(old, facts)
    open_ = text.count("- [ ] ")
    verb = "unchanged" if text == old else "would write" if check else "wrote"
    if text != old and not check:
        emit(text, str(path))
    total = len(boxes(facts))
    emit(f"{verb}: {clean(os.path.relpath(path))}: {open_} of {max(total, open_)} boxes open\n")
    return 3 if check and (open_ or text != old) else 0


def _glob(base: Path, output: str) -> str:
    """The document itself names the column: it is no use of it."""
    return "/" + os.path.relpath(Path(output).absolute(), base).replace(os.sep, "/")


def _stem(source: str) -> str:
    return Path(source).stem


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ScanError(f"{path}: cannot read the plan: {error}") from None
