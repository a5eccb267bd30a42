"""SQL files: each is one fragment, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator

from legacy_ref_scan.languages import Project
from legacy_ref_scan.model import Consumer, Extracted, whole_file


def extract(project: Project) -> Iterator[Extracted]:
    """One fragment for each candidate file."""
    for source in project.candidates("sql"):
        yield whole_file(source, kind="sql-file", symbol="", consumer=Consumer.SQL)
