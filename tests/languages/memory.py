"""A project that lives in memory, and what every language must keep to: exact origins, and nothing lost."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from legacy_ref_scan.languages import extract
from legacy_ref_scan.mentions import Names, names_of
from legacy_ref_scan.model import Claim, Extracted, Fragment, Gap, Mapping, Residue, Sink, SourceFile, Span, Target
from legacy_ref_scan.rules import Others

PHASES = names_of([Target("public", "campaign_phases", "error_message")], [])


class MemoryProject:
    """Files by path."""

    def __init__(self, files: dict[str, str | bytes], language: str, names: Names = PHASES) -> None:
        self._names = names
        self.sinks: Sequence[Sink] = ()
        self.files = {
            path: SourceFile(path, text.encode() if isinstance(text, str) else text, language)
            for path, text in files.items()
        }

    @property
    def names(self) -> Names:
        return self._names

    @property
    def others(self) -> Others:
        return Others()

    def candidates(self, language: str) -> Sequence[SourceFile]:
        return [s for s in self.files.values() if s.language == language and self._names.matter(s.data)]

    def paths(self, language: str) -> Sequence[str]:
        return [path for path, source in self.files.items() if source.language == language]

    def read(self, path: str) -> SourceFile | None:
        return self.files.get(path)

    def containing(self, language: str, words: Collection[str]) -> Sequence[SourceFile]:
        needles = [word.encode() for word in words]
        return [s for s in self.files.values() if s.language == language and any(n in s.data for n in needles)]


def scan(files: dict[str, str | bytes], language: str, names: Names = PHASES) -> list[Extracted]:
    """What a language finds, after checking that its origins are exact and that it lost no mention."""
    project = MemoryProject(files, language, names)
    items = list(extract(language, project))
    for item in items:
        if isinstance(item, Fragment):
            check_origins(project, item)
    check_nothing_lost(project, language, items)
    return items


def check_origins(project: MemoryProject, fragment: Fragment) -> None:
    """Pieces are in order, do not overlap, and match the host file byte for byte where both have one length."""
    at = 0
    for piece in fragment.pieces:
        assert at <= piece.start < piece.end <= len(fragment.text)
        at = piece.end
        origin = project.files[piece.origin.path].data[piece.origin.start : piece.origin.end]
        if len(origin) == piece.end - piece.start:
            assert origin == fragment.text[piece.start : piece.end]
    for hole in fragment.holes:
        assert fragment.text[hole.offset : hole.offset + 1] == b"\x1a"


def check_nothing_lost(project: MemoryProject, language: str, items: list[Extracted]) -> None:
    """Every byte of every mention in a candidate is covered."""
    covered: dict[str, set[int]] = {}
    for item in items:
        for span in spans(item):
            covered.setdefault(span.path, set()).update(range(span.start, span.end))
    for source in project.candidates(language):
        for mention in project.names.find(source):
            lost = set(range(mention.span.start, mention.span.end)) - covered.get(source.path, set())
            line = source.line_of(mention.span.start)
            assert not lost, f"{source.path}:{line}: {source.line_text(line)}"


def spans(item: Extracted) -> list[Span]:
    """The bytes of a host file that an item covers."""
    match item:
        case Fragment(pieces=pieces):
            return [piece.origin for piece in pieces]
        case Mapping(span=span) | Gap(span=span) | Claim(span=span) | Residue(span=span):
            return [span]
