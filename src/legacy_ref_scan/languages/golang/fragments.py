"""From uses to fragments: which of the recorded texts are whole, and how their bytes map to the files."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from legacy_ref_scan.languages.golang.engine import Root
from legacy_ref_scan.languages.golang.frame import ASSEMBLED, Use
from legacy_ref_scan.languages.golang.values import Known, Origin, Text, Unknown
from legacy_ref_scan.model import HOLE, Consumer, Fragment, Gap, Hole, Piece, Span

Marks = Mapping[str, tuple[list[int], list[int]]]
"""Path -> starts and ends of its mentions, sorted."""


@dataclass(frozen=True)
class _Candidate:
    use: Use
    root: Root
    ids: tuple[Origin, ...]

    @cached_property
    def data(self) -> bytes:
        return self.use.text.data()


def select(roots: Iterable[Root], marks: Marks) -> list[Use]:
    """The uses that count: those that went no further, and no version with holes where a caller filled them."""
    every = [_Candidate(use, root, _ids(use, marks)) for root in roots for use in root.uses]
    by_id: dict[Origin, list[_Candidate]] = {}
    for candidate in every:
        for mention in dict.fromkeys(candidate.ids):
            by_id.setdefault(mention, []).append(candidate)
    kept: dict[object, Use] = {}
    for candidate in every:
        rivals = min((by_id[mention] for mention in candidate.ids), key=len, default=[])
        if not any(_replaces(rival, candidate) for rival in rivals):
            use = candidate.use
            kept.setdefault((use.site, use.consumer, use.kind, use.text.atoms), use)
    return list(kept.values())


def _ids(use: Use, marks: Marks) -> tuple[Origin, ...]:
    """The mentions in the literals of a text, in the order of the text."""
    found: list[Origin] = []
    for atom in use.text.atoms:
        if isinstance(atom, Known) and atom.origin is not None:
            path, start, end = atom.origin
            starts, ends = marks.get(path, ([], []))
            for at in range(bisect_left(ends, start + 1), bisect_left(starts, end)):
                found.append((path, starts[at], ends[at]))
    return tuple(found)


def _replaces(rival: _Candidate, candidate: _Candidate) -> bool:
    if rival is candidate:
        return False
    mine, theirs = candidate.use, rival.use
    if mine.text.atoms == theirs.text.atoms:
        return _same_text_is_better(mine, theirs)
    if mine.strength < ASSEMBLED and _holds(rival.ids, candidate.ids):
        return len(rival.data) > len(candidate.data) and candidate.data.strip() in rival.data
    return _fills_parameters(rival, candidate)


def _same_text_is_better(mine: Use, theirs: Use) -> bool:
    """The same text at a stronger place; a builder's statement over the string that it returns."""
    if theirs.strength != mine.strength:
        return theirs.strength > mine.strength
    return theirs.kind == "go-builder" and mine.kind != "go-builder" and mine.consumer is not Consumer.TEXT


def _holds(outer: tuple[Origin, ...], inner: tuple[Origin, ...]) -> bool:
    size = len(inner)
    return any(outer[at : at + size] == inner for at in range(len(outer) - size + 1))


def _fills_parameters(rival: _Candidate, candidate: _Candidate) -> bool:
    """The rival is the same text, seen from a caller who knows the parameters.

    Only for functions that nobody can call from elsewhere: an exported method may have callers behind interfaces.
    """
    declaration = candidate.root.declaration
    if rival.root is candidate.root or declaration.key not in rival.root.calls:
        return False
    if declaration.kind == "method" and declaration.name[:1].isupper():
        return False
    if rival.root.declaration.file.source.test and not declaration.file.source.test:
        return False
    open_holes = [a for a in candidate.use.text.atoms if isinstance(a, Unknown) and _own_parameter(a, candidate.root)]
    if not open_holes or any(isinstance(a, Unknown) and _own_parameter(a, candidate.root) for a in rival.use.text.atoms):
        return False
    return _is_subsequence([a for a in candidate.use.text.atoms if isinstance(a, Known)], rival.use.text.atoms)


def _own_parameter(atom: Unknown, root: Root) -> bool:
    return atom.source is not None and atom.source.kind == "parameter" and atom.source.owner == root.declaration.key


def _is_subsequence(needle: list[Known], atoms: Iterable[object]) -> bool:
    rest = iter(atoms)
    return all(any(atom == wanted for atom in rest) for wanted in needle)


def fragment(use: Use) -> Fragment:
    """A use as a fragment."""
    text, pieces, holes = laid_out(use.text, use.site)
    return Fragment(
        text, pieces, Span(*use.site), use.symbol, use.consumer, holes, use.test, use.kind, use.note
    )


def laid_out(text: Text, site: Origin) -> tuple[bytes, tuple[Piece, ...], tuple[Hole, ...]]:
    """The bytes of a text, where they come from, and its holes."""
    parts: list[bytes] = []
    pieces: list[Piece] = []
    holes: list[Hole] = []
    at = 0
    for atom in text.atoms:
        if isinstance(atom, Unknown):
            holes.append(Hole(at, atom.reason, Span(*(atom.origin if atom.origin[0] else site))))
            parts.append(HOLE)
            at += 1
            continue
        if atom.origin is not None and atom.text:
            pieces.append(Piece(at, at + len(atom.text), Span(*atom.origin)))
        parts.append(atom.text)
        at += len(atom.text)
    return b"".join(parts), tuple(pieces), tuple(holes)


def partial_gaps(uses: Iterable[Use]) -> Iterator[Gap]:
    """A gap for every place where some combinations of strings were left out."""
    for use in {use.site: use for use in uses if use.text.partial}.values():
        message = "too many combinations of strings: not every possible text was looked at"
        yield Gap(Span(*use.site), "go-too-many-texts", message, use.symbol, use.test)
