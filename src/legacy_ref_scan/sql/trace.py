"""What the analysis made of the texts around one place, kept on demand; `explain` shows it.

Nothing is kept, and nothing computed, where no trace is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from legacy_ref_scan.model import Fragment
from legacy_ref_scan.sql.results import Resolved
from legacy_ref_scan.sql.tree import Tree


@dataclass(frozen=True, slots=True)
class Reading:
    """A stretch of a text that was resolved: a statement, or a `part` of one.

    `tree` is None for the body of a PL/pgSQL function, which has many.
    """

    start: int
    end: int
    result: Resolved
    tree: Tree | None
    part: bool = False


@dataclass(slots=True)
class TracedText:
    """A text and what was read in it: statements, or a part of one. Nothing: it was taken for prose."""

    fragment: Fragment
    readings: list[Reading] = field(default_factory=list)


class Trace:
    """Keeps the texts that `wanted` asks for, in the order of the analysis."""

    def __init__(self, wanted: Callable[[Fragment], bool]) -> None:
        self._wanted = wanted
        self._kept: dict[int, TracedText] = {}

    @property
    def texts(self) -> list[TracedText]:
        """Every text that was wanted."""
        return list(self._kept.values())

    def text(self, fragment: Fragment) -> None:
        """A text with a mention is about to be analysed."""
        if self._wanted(fragment):
            self._kept.setdefault(id(fragment), TracedText(fragment))

    def read(self, fragment: Fragment, reading: Reading) -> None:
        """A stretch of a text was resolved."""
        self.text(fragment)
        kept = self._kept.get(id(fragment))
        if kept is not None:
            kept.readings.append(reading)
