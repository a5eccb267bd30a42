"""The files of one scan as languages see them: candidates by language, everything else on demand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from posixpath import dirname

from legacy_ref_scan.languages import LANGUAGES
from legacy_ref_scan.mentions import Names
from legacy_ref_scan.model import Claim, Found, Sink, SourceFile, Span
from legacy_ref_scan.other_databases import OtherDatabases
from legacy_ref_scan.rules import Others
from legacy_ref_scan.workspace import Workspace

# Files that are no candidates may be asked for by another name; below this much text they are kept, not read again.
_KEPT_BYTES = 64 << 20
# A table of rows may have a mention in each: what is behind its first rows is no use of a column.
_DATA_HEAD = 256 << 10
_SEARCHED = frozenset({"go", "python"})
_DEFAULTS = Others()


class ScanProject:
    """Implements `languages.Project` over a workspace.

    The paths in `migrations` are not scanned as SQL files, those in `rules` not at all. `choose` leaves out candidates.
    """

    def __init__(
        self,
        workspace: Workspace,
        names: Names,
        migrations: frozenset[str],
        rules: frozenset[str],
        others: Others = _DEFAULTS,
        choose: Callable[[SourceFile], bool] | None = None,
        sinks: Sequence[Sink] = (),
    ) -> None:
        self.workspace, self.names, self.others, self.sinks = workspace, names, others, sinks
        self._choose = choose
        self.statements = 0
        self.counts: Counter[str] = Counter()
        self._migrations, self._rules = migrations, rules
        self._candidates: dict[str, list[SourceFile]] = {language: [] for language in LANGUAGES}
        self._paths: dict[str, list[str]] = {language: [] for language in LANGUAGES}
        self._kept: dict[str, bytes] = {}
        self._history: list[SourceFile] = []
        self._other_databases = OtherDatabases(workspace)
        self._released: dict[str, bool] = {}
        self.foreign: list[SourceFile] = []  # candidates written for another database
        self._sift()
        self._take_back()

    def _sift(self) -> None:
        """Read every file once and keep the candidates."""
        kept = 0
        for path in self.workspace.paths:
            if path in self._rules or self._is_ignored(path):
                continue
            self._paths[self.workspace.language(path)].append(path)
            source = self.workspace.read(path)
            if source is None:
                continue
            source = self._shortened(source)
            self.counts[source.language] += 1
            if (self._choose is None or self._choose(source)) and self.names.matter(source.data):
                self._group(source).append(source)
            elif source.language in _SEARCHED and kept < _KEPT_BYTES:
                kept += len(source.data)
                self._kept[source.path] = source.data

    def _take_back(self) -> None:
        """SQL files of another database's directory that code for PostgreSQL takes are candidates all the same."""
        for source in [item for item in self.foreign if item.language == "sql"]:
            if self._other_databases.is_taken(source, self.containing):
                self.foreign.remove(source)
                self._candidates["sql"].append(source)

    def _is_ignored(self, path: str) -> bool:
        if not self.others.ignored or self.workspace.language(path) != "other":
            return False
        from legacy_ref_scan.languages.plain.kinds import kind_by_path

        ignored = kind_by_path(path).slug in self.others.ignored
        if ignored:
            self.workspace.skipped[path] = "of a kind that the rule ignores"
        return ignored

    def _shortened(self, source: SourceFile) -> SourceFile:
        """The first rows of a large file of data, which is then recorded; any other file as it is."""
        if source.language != "other" or len(source.data) <= _DATA_HEAD:
            return source
        from legacy_ref_scan.languages.plain.kinds import kind_by_path

        slug = kind_by_path(source.path).slug
        if slug != "data" or slug in self.others.gate:
            return source
        self.workspace.skipped[source.path] = f"data behind its first {_DATA_HEAD >> 10} kB"
        head = source.data[: source.data.rfind(b"\n", 0, _DATA_HEAD) + 1] or source.data[:_DATA_HEAD]
        self._kept[source.path] = head
        return replace(source, data=head)

    def holds_code(self) -> bool:
        """Whether anything was read that could use a column."""
        if any(self.counts.get(language) for language in LANGUAGES if language != "other"):
            return True
        from legacy_ref_scan.languages.plain.kinds import PROGRAMS, kind_by_path

        wanted = (PROGRAMS | self.others.gate) - self.others.listed
        return any(kind_by_path(path).slug in wanted for path in self._paths["other"])

    def _group(self, source: SourceFile) -> list[SourceFile]:
        if source.path in self._migrations:
            return self._history
        if self._other_databases.hold(source):
            if source.language == "go":
                self._paths["go"].remove(source.path)
            return self.foreign
        return self._candidates[source.language]

    def languages(self) -> list[str]:
        """The languages with candidates; Go where it is used at all, for it may embed a candidate of another one."""
        return [name for name in LANGUAGES if self._candidates[name] or (name == "go" and self._paths[name])]

    def candidates(self, language: str) -> Sequence[SourceFile]:
        """The files of that language that may hold a mention."""
        return self._candidates[language]

    def paths(self, language: str) -> Sequence[str]:
        """Every listed file of that language."""
        return self._paths[language]

    def read(self, path: str) -> SourceFile | None:
        """Any file of the workspace; None where it cannot be read."""
        data = self._kept.get(path)
        if data is not None:
            return SourceFile(path, data, self.workspace.language(path), self.workspace.is_test(path))
        return self.workspace.read(path) if path in self._listed else None

    @cached_property
    def _listed(self) -> frozenset[str]:
        return frozenset(self.workspace.all_paths)

    def containing(self, language: str, words: Collection[str]) -> Sequence[SourceFile]:
        """The files of that language whose bytes hold one of the words."""
        needles = [word.encode() for word in words]
        if self._choose is None and all(map(self.names.matter, needles)):  # only what names the target can hold them
            paths = [path for path in self._paths[language] if path in self._mentioning]
        else:
            paths = self._paths[language]
        found: list[SourceFile] = []
        for path in paths:
            data = self._kept.get(path)
            if data is not None and not any(needle in data for needle in needles):
                continue
            source = self.read(path)
            if source is not None and (data is not None or any(needle in source.data for needle in needles)):
                found.append(source)
        return found

    @cached_property
    def _mentioning(self) -> frozenset[str]:
        return frozenset(source.path for source in self.accountable())

    def accountable(self) -> list[SourceFile]:
        """Every file whose mentions must be explained."""
        return [*self._history, *self.foreign, *(source for group in self._candidates.values() for source in group)]

    def concerns(self, span: Span) -> bool:
        """Whether the text at a place holds a mention."""
        source = self.read(span.path)
        return source is None or self.names.in_text(source.data[span.start : span.end])

    def about(self, span: Span) -> bool:
        """Whether the text at a place, or the whole file where the span is empty, names the table or a dependent."""
        source = self.read(span.path)
        if source is None:
            return True
        text = source.data[span.start : span.end] if span.end > span.start else source.data
        return any(self.names.in_text(text, role) for role in ("table", "dependent"))

    def near(self, path: str) -> bool:
        """Whether the table is spoken of in the directory of a file."""
        return dirname(path) in self._neighbourhoods

    @cached_property
    def _neighbourhoods(self) -> frozenset[str]:
        return frozenset(
            dirname(source.path) for source in self.accountable() if self.names.in_text(source.data, "table")
        )

    def is_released(self, path: str) -> bool:
        """Whether Go code that is no test imports the directory of a test's file, as it does with `internal/test`."""
        if not path.endswith(".go") or path.endswith("_test.go"):
            return False
        folder = dirname(path)
        if folder not in self._released:
            importers = self.containing("go", [f'/{"/".join(folder.split("/")[-2:])}"'])
            self._released[folder] = any(not source.test for source in importers)
        return self._released[folder]

    def line_of(self, path: str, offset: int) -> int:
        """The line of an offset, 1 where the file is not at hand."""
        source = self.read(path)
        return source.line_of(offset) if source else 1

    def files_of(self, found: Iterable[Found]) -> dict[str, SourceFile]:
        """The files that findings point into."""
        files = {source.path: source for source in self.accountable()}
        for item in found:
            path = item.span.path
            if path not in files and not isinstance(item, Claim):
                files[path] = self.read(path) or SourceFile(path, b"", self.workspace.language(path))
        return files
