"""What the scan of one revision takes over from that of another: what rests on nothing that differs between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from legacy_ref_scan.model import Found
from legacy_ref_scan.project import ScanProject
from legacy_ref_scan.sql.alternatives import Known


@dataclass(frozen=True)
class Kept:
    """What a scan for an aim found in a project: by language, with the number of its statements, and by text.

    `search_path` is where its sessions look for tables, which the files of the project may say.
    """

    aim: object  # held, for it is known by its identity
    project: ScanProject
    search_path: tuple[str, ...]
    languages: dict[str, tuple[list[Found], int]] = field(default_factory=dict)
    texts: Known = field(default_factory=dict)


class Memory:
    """Analyses a language once for several revisions where no file that it could read differs, else its texts once.

    `known` is the scan to take over from, `kept` what the next ones take over; both for one and the same aim.
    """

    def __init__(self, project: ScanProject, known: Kept | None, kept: Kept | None) -> None:
        self.project, self.known, self.kept = project, known, kept

    @property
    def texts(self) -> Known | None:
        """The findings of texts; None where nothing is remembered."""
        either = self.known or self.kept
        return either.texts if either else None

    def of_language(self, language: str, analyse: Callable[[], Iterator[Found]]) -> Iterable[Found]:
        """What the language has: as known, or by analysing it now."""
        if self.kept is None and self.known is None:
            return analyse()
        if self.known is not None and language in self.known.languages and self._is_same(self.known.project, language):
            items, statements = self.known.languages[language]
            self.project.statements += statements
        else:
            before = self.project.statements
            items = list(analyse())
            statements = self.project.statements - before
        if self.kept is not None:
            self.kept.languages[language] = items, statements
        return items

    def _is_same(self, other: ScanProject, language: str) -> bool:
        """The files of the language, SQL files (which may be embedded), and all that holds a mention."""
        wanted = {language, "sql"}
        return all(
            _same_files(self.project, self.project.paths(name), other, other.paths(name)) for name in wanted
        ) and _same_files(self.project, _paths(self.project), other, _paths(other))


def _paths(project: ScanProject) -> Sequence[str]:
    return [source.path for source in project.accountable()]


def _same_files(one: ScanProject, paths: Sequence[str], other: ScanProject, others: Sequence[str]) -> bool:
    if sorted(paths) != sorted(others):
        return False
    pairs = ((one.read(path), other.read(path)) for path in paths)
    return all(a is not None and b is not None and a.data == b.data for a, b in pairs)
