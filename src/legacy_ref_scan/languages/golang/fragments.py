"""From uses to fragments: which of the recorded texts are whole, and how their bytes map to the files."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from legacy_ref_scan.languages.golang.embedded import is_whole_file
from legacy_ref_scan.languages.golang.engine import Root
from legacy_ref_scan.languages.golang.frame import ASSEMBLED, Use
from legacy_ref_scan.languages.golang.orm.links import UNSEEN_COLUMNS
from legacy_ref_scan.languages.golang.sinks import may_be_sql
from legacy_ref_scan.languages.golang.values import LEFT_OUT, Known, Origin, Text, Unknown
from legacy_ref_scan.mentions import Names
from legacy_ref_scan.model import HOLE, Consumer, Fragment, Hole, Piece, Span

Marks = Mapping[str, tuple[list[int], list[int]]]
"""Path -> starts and ends of its mentions, sorted."""
# A text that is looked at may still go on to where it is kept.
_LOOKS = ("comparison", "switch case", "map index", "argument of len", "argument of cap")


def select(roots: Iterable[Root], marks: Marks, names: Names, templates: Collection[Text] = ()) -> list[Use]:
    """The uses that count: those that went no further, and no version with holes where a caller filled them.

    Of `templates` only the texts that they make count, but where one is handed on as it stands.
    """
    every = list(roots)
    strongest: dict[Text, int] = {}
    built: set[Text] = set()
    for use in (use for root in every for use in root.uses):
        if not use.note.startswith(_LOOKS):
            strongest[use.text] = max(strongest.get(use.text, 0), use.strength)
        if use.kind == "go-builder":
            built.add(use.text)
    absorbed = _absorbed(strongest, marks)
    kept: dict[object, Use] = {}
    for root in every:
        for use in root.uses:
            if use.strength < strongest.get(use.text, 0) or (use.text in absorbed and use.strength < ASSEMBLED):
                continue
            if use.text in templates and use.strength < ASSEMBLED:
                continue
            if use.text in built and use.kind != "go-builder" and use.consumer is not Consumer.TEXT:
                continue  # the statement of a builder, on its way from ToSql to the database
            kept.setdefault((_place(use), use.consumer, use.kind, _ids(use.text, marks)), use)
    filled = _filled(every)
    chosen = [use for use in kept.values() if id(use) not in filled and not is_whole_file(use.text)]
    return list(_settled(list(_without_formats(chosen)), names))


def _without_formats(uses: list[Use]) -> Iterator[Use]:
    """A format that a branch forgets to fill is no statement: the texts that the others make of it say it all."""
    by_site: dict[Origin, list[bytes]] = {}
    for use in uses:
        by_site.setdefault(use.site, []).append(use.text.data())
    for use in uses:
        data = use.text.data()
        rivals = by_site[use.site] if _VERB.search(data) else []
        if not any(_inside(data, rival, _VERB) for rival in rivals if not _VERB.search(rival)):
            yield use


def _settled(uses: list[Use], names: Names) -> Iterator[Use]:
    """Where no text of a place names the table, or stands for more than were kept, those left out say nothing of it.

    Each part is in one of the texts that were kept: a hole for the table in it is found there.
    """
    partial = {use.site for use in uses if use.text.partial}
    about = {use.site for use in uses if use.site in partial and _may_name_table(use.text, names)}
    for use in uses:
        settled = use.text.partial and (use.site not in about or use.consumer is Consumer.TEXT)
        yield replace(use, text=Text(use.text.atoms)) if settled else use


def _may_name_table(text: Text, names: Names) -> bool:
    cut = any(isinstance(atom, Unknown) and atom.reason == LEFT_OUT for atom in text.atoms)
    return cut or any(names.in_text(text.data(), role) for role in ("table", "dependent"))


def _place(use: Use) -> object:
    """What tells uses of the same literals apart.

    A query: the place and the bytes. What a log prints is never run, nor is a URL: one version of it is enough to
    explain its names. And who knows what an unknown function does with a text knows it from any one place.
    """
    if use.consumer is Consumer.TEXT:
        return use.site
    data = use.text.data()
    if use.consumer is Consumer.UNKNOWN:
        return data if may_be_sql(data) else use.site[0]
    return (use.site, data)


_OPEN = re.compile(rb"%(?:\[\d+\])?[svdq]|\x1a")
_VERB = re.compile(rb"%(?:\[\d+\])?[svdq]")
_Laid = tuple[int, bytes, tuple[Origin, ...], bool]
"""Length, bytes and mentions of a text, and whether its only holes are columns that a caller's builder has."""


def _absorbed(texts: Iterable[Text], marks: Marks) -> set[Text]:
    """The texts that are a part of a longer one, with the same literals."""
    laid = {text: (len(data := text.data()), data, _ids(text, marks), _lacks_columns(text)) for text in texts}
    by_id: dict[Origin, set[_Laid]] = {}
    for item in laid.values():
        for mention in item[2]:
            by_id.setdefault(mention, set()).add(item)
    rivals = {mention: sorted(items, reverse=True) for mention, items in by_id.items()}
    part_of = {item: _is_part(item, rivals) for item in set(laid.values()) if item[2]}
    return {text for text, item in laid.items() if part_of.get(item)}


def _is_part(item: _Laid, rivals: Mapping[Origin, list[_Laid]]) -> bool:
    size, data, ids, lacks_columns = item
    core = data.strip()
    for length, longer, outer, _ in min((rivals[mention] for mention in ids), key=len):
        if length <= size:
            return False  # the longest come first
        if _inside(core, longer, _OPEN if lacks_columns else _VERB) and _holds(outer, ids):
            return True
    return False


def _lacks_columns(text: Text) -> bool:
    unknown = [atom for atom in text.atoms if isinstance(atom, Unknown)]
    return bool(unknown) and all(atom.reason == UNSEEN_COLUMNS for atom in unknown)


def _inside(core: bytes, longer: bytes, open_parts: re.Pattern[bytes]) -> bool:
    """Whether a text is a part of another one, its open parts (the verbs of a format) filled in."""
    at = 0
    for piece in open_parts.split(core):
        at = longer.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True


def _ids(text: Text, marks: Marks) -> tuple[Origin, ...]:
    """The mentions in the literals of a text, in the order of the text."""
    found: list[Origin] = []
    for atom in text.atoms:
        if isinstance(atom, Known) and atom.origin is not None:
            path, start, end = atom.origin
            starts, ends = marks.get(path, ([], []))
            for at in range(bisect_left(ends, start + 1), bisect_left(starts, end)):
                found.append((path, starts[at], ends[at]))
    return tuple(found)


def _holds(outer: tuple[Origin, ...], inner: tuple[Origin, ...]) -> bool:
    size = len(inner)
    return any(outer[at : at + size] == inner for at in range(len(outer) - size + 1))


def _filled(roots: list[Root]) -> set[int]:
    """Ids of the uses with a hole for a parameter that the callers fill: there are callers' versions of them.

    Only for functions that nobody can call from elsewhere: an exported method may have callers behind interfaces.
    """
    callers: dict[object, list[Root]] = {}
    for root in roots:
        for key in root.calls:
            callers.setdefault(key, []).append(root)
    found: set[int] = set()
    for root in roots:
        declaration = root.declaration
        if declaration.kind == "method" and declaration.name[:1].isupper():
            continue
        test = declaration.file.source.test
        open_uses = [use for use in root.uses if _own_parameters(use, root)]
        if not open_uses:
            continue
        rivals = {
            use.text
            for caller in callers.get(declaration.key, ())
            if test or not caller.declaration.file.source.test
            for use in caller.uses
            if not _own_parameters(use, root)
        }
        holding = _by_atom(rivals)
        fuller = {text: _has_fuller(text, root, rivals, holding) for text in {use.text for use in open_uses}}
        found |= {id(use) for use in open_uses if fuller[use.text]}
    return found


def _by_atom(texts: Iterable[Text]) -> dict[Known, list[Text]]:
    holding: dict[Known, list[Text]] = {}
    for text in texts:
        for atom in {atom for atom in text.atoms if isinstance(atom, Known)}:
            holding.setdefault(atom, []).append(text)
    return holding


def _has_fuller(text: Text, root: Root, rivals: set[Text], holding: Mapping[Known, list[Text]]) -> bool:
    known = [atom for atom in text.atoms if isinstance(atom, Known)]
    if not known:
        return bool(rivals)
    rarest = min((holding.get(atom, []) for atom in known), key=len)
    if any(_is_subsequence(known, rival.atoms) for rival in rarest):
        return True
    # What several callers hand over stands in it side by side; each of them has a text of its own.
    own = [atom for atom in known if atom.origin is not None and _within(atom.origin, root)]
    return any(holding.get(atom) for atom in own)


def _within(origin: Origin, root: Root) -> bool:
    path, start, end = origin
    node = root.declaration.node
    return path == root.declaration.file.path and node.start_byte <= start and end <= node.end_byte


def _own_parameters(use: Use, root: Root) -> bool:
    return any(isinstance(atom, Unknown) and _own_parameter(atom, root) for atom in use.text.atoms)


def _own_parameter(atom: Unknown, root: Root) -> bool:
    return atom.source is not None and atom.source.kind == "parameter" and atom.source.owner == root.declaration.key


def _is_subsequence(needle: list[Known], atoms: Iterable[object]) -> bool:
    rest = iter(atoms)
    return all(any(atom == wanted for atom in rest) for wanted in needle)


def fragment(use: Use) -> Fragment:
    """A use as a fragment."""
    text, pieces, holes = laid_out(use.text, use.site)
    site = Span(*use.site)
    return Fragment(text, pieces, site, use.symbol, use.consumer, holes, use.test, use.kind, use.note, use.text.partial)


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
