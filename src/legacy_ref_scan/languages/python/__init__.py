"""Python: the SQL that a program puts together, followed through variables, calls and modules.

libcst is imported only when a Python file can matter.
"""

from __future__ import annotations

from collections.abc import Iterator

from legacy_ref_scan.languages import Project
from legacy_ref_scan.model import Extracted


def extract(project: Project) -> Iterator[Extracted]:
    """Everything found in the Python candidates; each of their mentions is covered by one of the items."""
    candidates = project.candidates("python")
    if not candidates:
        return
    from legacy_ref_scan.languages.python.program import extract_from

    yield from extract_from(project, candidates)
