"""What a host language sees of a scan, and the one list of host languages.

A language is a module with `extract(project)`. It hands out SQL fragments, mappings, claims and gaps, so that every
mention in its candidate files is covered by one of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from legacy_ref_scan.mentions import Names
    from legacy_ref_scan.model import Extracted, Sink, SourceFile
    from legacy_ref_scan.rules import Others


class Project(Protocol):
    """What a language sees of a scan."""

    @property
    def names(self) -> Names:
        """The spellings of the targets' names."""

    @property
    def others(self) -> Others:
        """What the kinds of files without a language of their own are worth."""

    @property
    def sinks(self) -> Sequence[Sink]:
        """What the rules name as functions that take SQL."""

    def candidates(self, language: str) -> Sequence[SourceFile]:
        """The files of that language for which `names.matter()` is true."""

    def paths(self, language: str) -> Sequence[str]:
        """Every listed file of that language."""

    def read(self, path: str) -> SourceFile | None:
        """Any listed file; None where it is missing, binary, too large or unreadable."""

    def containing(self, language: str, words: Collection[str]) -> Sequence[SourceFile]:
        """The files of that language whose bytes hold one of the words."""


class Language(Protocol):
    """A module of this package."""

    def extract(self, project: Project) -> Iterator[Extracted]:
        """Everything found in the candidate files; each of their mentions is covered by one of the items."""


LANGUAGES: dict[str, str] = {
    "go": "legacy_ref_scan.languages.golang",
    "sql": "legacy_ref_scan.languages.sqlfile",
    "python": "legacy_ref_scan.languages.python",
    "other": "legacy_ref_scan.languages.plain",
}
"""Where each language lives. A module is imported only when one of its candidates is looked at."""


def extract(language: str, project: Project) -> Iterator[Extracted]:
    """What the module of `language` finds in the project. Raises KeyError for a name that is not in `LANGUAGES`."""
    module = cast(Language, import_module(LANGUAGES[language]))
    return module.extract(project)
