"""Other revisions whose code runs against the schema of this one: the release that is up while a migration runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from legacy_ref_scan.migrations import detect
from legacy_ref_scan.model import Report, ScanError
from legacy_ref_scan.scan import Ground, Outcome, Request, examine, open_workspace


def grounds(request: Request, ground: Ground, revisions: tuple[str, ...]) -> Iterator[tuple[str, Ground]]:
    """The files of each revision, with the schema that `ground` has: older migrations have run by then.

    Raises `ScanError` where a revision is not there.
    """
    for revision in dict.fromkeys(revisions):
        workspace = open_workspace(replace(request, revision=revision, staged=False))
        history = ground.history
        try:
            older = detect(workspace, history.directory, history.convention) if history.migrations else None
        except ScanError:  # the directory was elsewhere, or nowhere
            older = None
        yield revision, Ground(workspace, history, older, like=ground)


def with_released(request: Request, outcome: Outcome, revisions: tuple[str, ...]) -> Report:
    """The report of an outcome, with one on the code of each revision. Raises `ScanError` where one is not there."""
    found = grounds(request, outcome.ground, revisions)
    released = tuple((revision, examine(request, ground, outcome.aim)) for revision, ground in found)
    return replace(outcome.report, released=released)
