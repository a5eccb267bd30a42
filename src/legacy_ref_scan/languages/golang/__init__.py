"""Go: finds the SQL text in source files, assembled across variables, functions and packages, without a toolchain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from legacy_ref_scan.model import Extracted

if TYPE_CHECKING:
    from legacy_ref_scan.languages import Project


def extract(project: Project) -> Iterator[Extracted]:
    """Everything that the project's Go files say about the targets' names.

    Every mention in a candidate file is inside a claim, a mapping, a gap, or a piece of a fragment. A fragment is a
    whole text as it reaches a function of a database library, a query builder, a log or something unknown; what could
    not be known of it is a hole with the reason.
    """
    from legacy_ref_scan.languages.golang.prefilter import concerned

    if not concerned(project):
        return iter(())
    from legacy_ref_scan.languages.golang.extraction import extract_all

    return extract_all(project)
