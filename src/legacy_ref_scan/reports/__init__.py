"""Reports: one module per output format, each a function from `Report` to text.

A new format is one module with a `render` function and one line in `FORMATS`.
"""

from __future__ import annotations

from typing import Protocol

from legacy_ref_scan.model import Report
from legacy_ref_scan.reports import json, text
from legacy_ref_scan.reports.options import Options

__all__ = ["FORMATS", "Options", "Renderer"]


class Renderer(Protocol):
    """A report format."""

    def render(self, report: Report, options: Options) -> str:
        """The whole report, ending in a newline. Lone surrogates never come out: it encodes as UTF-8."""


FORMATS: dict[str, Renderer] = {
    "text": text,
    "json": json,
}
