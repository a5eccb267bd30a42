"""Names that programs give to texts: `DEVICE_TABLE = "device"`, so that an annotation need not spell them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from legacy_ref_scan.languages.plain.kinds import Kind
from legacy_ref_scan.languages.plain.models import FAMILIES, models
from legacy_ref_scan.languages.plain.spelling import Spelling
from legacy_ref_scan.model import SourceFile

_CONSTANT = re.compile(rb"\b([A-Z][A-Z0-9_]{2,})\b[ \t]*(?::[ \t]*[&'\w ]+)?=\s*[\"'`]([\w.]+)[\"'`]")
_LINE = 300  # bytes of a line before the text of a constant
_WORD = re.compile(rb"\b[A-Z][A-Z0-9_]{2,}\b")


@dataclass(frozen=True)
class Constants:
    """The constants of the candidate files in languages that have models."""

    sources: Sequence[tuple[SourceFile, Kind]]
    spelling: Spelling

    @cached_property
    def values(self) -> Mapping[bytes, bytes]:
        """What each constant stands for; of two with one name, the first."""
        found: dict[bytes, bytes] = {}
        for source, kind in self.sources:
            if kind.name in FAMILIES:
                for match in _CONSTANT.finditer(source.data):
                    found.setdefault(match[1], match[2])
        return found

    @cached_property
    def spoken(self) -> frozenset[bytes]:
        """The constants in the models of a target's table."""
        found: set[bytes] = set()
        for source, kind in self.sources:
            for model in models(source, kind, self.spelling, self.values):
                if model.ours:
                    found.update(_WORD.findall(source.data, model.start, model.end))
        return frozenset(found)

    def is_spoken(self, source: SourceFile, start: int, end: int) -> bool:
        """Whether the text at a place is the value of a constant that a model of the table names."""
        line = source.data.rfind(b"\n", max(0, start - _LINE), start) + 1 or max(0, start - _LINE)
        match = _CONSTANT.search(source.data, line, end + 1)
        return match is not None and match.start(2) <= start and end <= match.end(2) and match[1] in self.spoken
