"""`fmt`'s verbs: which argument goes where in a format, as text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from legacy_ref_scan.languages.golang.frame import Frame
from legacy_ref_scan.languages.golang.packages import Node
from legacy_ref_scan.languages.golang.values import Atom, Known, Text, Unknown, Value, as_texts, made_up, texts

_VERB = re.compile(
    rb"%(?P<flags>[-+# 0]*)(?:\[(?P<at>\d+)\])?(?P<width>\*|\d+)?(?:\.(?:\*|\d+)?)?(?:\[(?P<nth>\d+)\])?"
    rb"(?P<verb>[a-zA-Z%])"
)
_TEXTUAL = b"svwq"
_NUMERIC = b"dbeEfFgG"
_IN_NAME = re.compile(rb"[A-Za-z0-9_]")


def sprintf(frame: Frame, node: Node, pattern: Value, arguments: list[Value], spread: bool) -> Value:
    """The texts that `fmt.Sprintf(pattern, arguments...)` can give.

    `spread`: the last argument is `args...`, a list.
    """
    known, open_end = _spread(arguments, spread)
    results: list[Text] = []
    for text in as_texts(pattern, frame.origin(node)):
        parts = list(_parts(frame, node, text, known, open_end))
        filled = frame.run.concatenate(parts, frame.origin(node)) if parts else (Text(()),)
        results += [part.as_partial() if text.partial else part for part in texts(filled)]
    return tuple(dict.fromkeys(results))


def _spread(arguments: list[Value], spread: bool) -> tuple[list[Value], bool]:
    from legacy_ref_scan.languages.golang.values import Items

    if not spread or not arguments:
        return arguments, False
    last = arguments[-1]
    if len(last) == 1 and isinstance(last[0], Items):
        return [*arguments[:-1], *last[0].elements], last[0].rest is not None
    return arguments[:-1], True


def _parts(frame: Frame, node: Node, text: Text, arguments: list[Value], open_end: bool) -> Iterator[Value]:
    position = 0
    for atom in text.atoms:
        if isinstance(atom, Unknown):
            yield (Text((atom,)),)
            continue
        done = 0
        for match in _VERB.finditer(atom.text):
            if match.start() > done:
                yield (Text((_part(atom, done, match.start()),)),)
            done = match.end()
            if match["verb"] == b"%":
                yield (Text((Known(b"%", _part(atom, match.start(), match.end()).origin),)),)
                continue
            if match["width"] == b"*":
                position += 1
            explicit = match["at"] or match["nth"]
            position = int(explicit) - 1 if explicit else position
            argument = arguments[position] if 0 <= position < len(arguments) else None
            position += 1
            alone = _stands_alone(text, atom, match)
            yield _formatted(frame, node, match["verb"], argument, open_end, alone)
        if done < len(atom.text):
            yield (Text((_part(atom, done, len(atom.text)),)),)


def _stands_alone(text: Text, atom: Known, match: re.Match[bytes]) -> bool:
    """Whether a verb has no neighbour that would make a name of the number, as `events_%d` does."""
    start, end = match.span()
    first, last = atom is text.atoms[0], atom is text.atoms[-1]
    before, after = atom.text[start - 1 : start] if start else b"", atom.text[end : end + 1]
    return (
        (bool(before) or first) and (bool(after) or last) and not _IN_NAME.match(before) and not _IN_NAME.match(after)
    )


def _part(atom: Known, start: int, end: int) -> Known:
    """Bytes of an atom; what comes from an escape sequence can't be told apart."""
    if atom.origin is None or len(atom.text) != atom.origin[2] - atom.origin[1]:
        return Known(atom.text[start:end], atom.origin)
    path, first, _ = atom.origin
    return Known(atom.text[start:end], (path, first + start, first + end))


def _formatted(frame: Frame, node: Node, verb: bytes, argument: Value | None, open_end: bool, alone: bool) -> Value:
    name = verb.decode("ascii")
    if argument is None:
        why = "from a list of arguments" if open_end else "without an argument"
        return frame.unknown(f"%{name} {why}", node)
    if verb in _TEXTUAL:
        text: Value = as_texts(argument, frame.origin(node))
        if verb == b"q":
            return frame.run.concatenate([made_up(b'"'), text, made_up(b'"')], frame.origin(node))
        return text
    if verb in b"dixX" and all(part.known for part in texts(argument)) and argument:
        return as_texts(argument, frame.origin(node))
    if verb in _NUMERIC and alone:
        return made_up(b"1")  # any number does: it is no part of a name
    return frame.unknown(f"number formatted by %{name}", node)


def sprint(frame: Frame, node: Node, arguments: list[Value]) -> Value:
    """`fmt.Sprint`: blanks come between operands when neither is a string, which is not the case here."""
    return frame.run.concatenate(arguments, frame.origin(node)) if arguments else made_up(b"")


def slice_atoms(atoms: tuple[Atom, ...], start: int, end: int) -> tuple[Atom, ...]:
    """The atoms of bytes `start`..`end` of a text (a hole counts as one byte)."""
    found: list[Atom] = []
    at = 0
    for atom in atoms:
        size = len(atom.text) if isinstance(atom, Known) else 1
        low, high = max(start - at, 0), min(end - at, size)
        if low < high:
            found.append(_part(atom, low, high) if isinstance(atom, Known) else atom)
        at += size
    return tuple(found)
