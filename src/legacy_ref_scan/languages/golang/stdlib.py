"""Models of library functions that build text: fmt, strings, strconv, regexp, pq, and the built-in functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from legacy_ref_scan.languages.golang.assignments import assign_to, put_in_field
from legacy_ref_scan.languages.golang.builders import spread
from legacy_ref_scan.languages.golang.expressions import BUFFERS, zero_value
from legacy_ref_scan.languages.golang.formatting import slice_atoms, sprint, sprintf
from legacy_ref_scan.languages.golang.frame import STORED, Frame
from legacy_ref_scan.languages.golang.packages import Node
from legacy_ref_scan.languages.golang.values import (
    EMPTY,
    Alternative,
    Atom,
    Entries,
    Items,
    Known,
    Text,
    Unknown,
    Value,
    as_texts,
    made_up,
    texts,
    union,
)

_REPEATED = 50
_TYPES = frozenset(("type_identifier", "identifier", "selector_expression"))


class Called(NamedTuple):
    """A call: its node, its argument nodes and their values."""

    node: Node
    nodes: list[Node]
    values: list[Value]

    @property
    def spread(self) -> bool:
        return bool(self.nodes) and self.nodes[-1].type == "variadic_argument"


Model = Callable[[Frame, Called], Value]


def _sprintf(frame: Frame, call: Called) -> Value:
    return sprintf(frame, call.node, call.values[0], call.values[1:], call.spread)


def _appendf(frame: Frame, call: Called) -> Value:
    tail = sprintf(frame, call.node, call.values[1], call.values[2:], call.spread)
    return frame.run.concatenate([call.values[0], tail], frame.origin(call.node))


def _sprint(frame: Frame, call: Called) -> Value:
    return sprint(frame, call.node, call.values)


def _sprintln(frame: Frame, call: Called) -> Value:
    parts = [part for value in call.values for part in (value, made_up(b" "))]
    return frame.run.concatenate([*parts[:-1], made_up(b"\n")], frame.origin(call.node))


def append_to(frame: Frame, target: Node, added: Value, node: Node) -> None:
    """What a writer function does to a buffer: its text grows."""
    old = frame.evaluate(target)
    assign_to(frame, target, frame.run.concatenate([old, added], frame.origin(node)))


def _fprintf(frame: Frame, call: Called) -> Value:
    return _written(frame, call, sprintf(frame, call.node, call.values[1], call.values[2:], call.spread))


def _fprint(frame: Frame, call: Called) -> Value:
    return _written(frame, call, sprint(frame, call.node, call.values[1:]))


def _written(frame: Frame, call: Called, added: Value) -> Value:
    frame.use(added, call.node, "written by fmt.Fprint", strength=STORED)
    append_to(frame, call.nodes[0], added, call.node)
    return frame.unknown("number of bytes", call.node)


def _join(frame: Frame, call: Called) -> Value:
    return union(
        [_joined(frame, alt, call.values[1], call.node) for alt in call.values[0]] or [frame.unknown("list", call.node)]
    )


def _joined(frame: Frame, alt: Alternative, separator: Value, node: Node) -> Value:
    if isinstance(alt, Text) and alt.atoms and isinstance(alt.atoms[0], Unknown) and alt.atoms[0].reason == "nil":
        return EMPTY
    if not isinstance(alt, Items):
        reason = (
            alt.atoms[0].reason if isinstance(alt, Text) and alt.atoms and isinstance(alt.atoms[0], Unknown) else ""
        )
        source = alt.atoms[0].source if isinstance(alt, Text) and reason and isinstance(alt.atoms[0], Unknown) else None
        return frame.unknown(f"joined {reason or 'list'}", node, source)
    parts: list[Value] = []
    for element in alt.elements:
        parts += [separator, element]
    parts = parts[1:]
    if alt.rest is not None:
        parts.append((Text((alt.rest,)),))
    return frame.run.concatenate(parts, frame.origin(node)) if parts else EMPTY


def _repeat(frame: Frame, call: Called) -> Value:
    counts = [text.data() for text in texts(call.values[1]) if text.known]
    if len(counts) != len(call.values[1]) or not all(count.isdigit() and int(count) <= _REPEATED for count in counts):
        rest = frame.unknown("repeated text", call.node)
        return frame.run.concatenate([call.values[0], rest], frame.origin(call.node))
    return union(frame.run.concatenate([call.values[0]] * int(c) or [EMPTY], frame.origin(call.node)) for c in counts)


def _replace(frame: Frame, call: Called) -> Value:
    """`strings.Replace`: only known for known patterns; a hole is not searched."""
    olds = [text.data() for text in texts(call.values[1]) if text.known]
    results: list[Value] = []
    for text in as_texts(call.values[0], frame.origin(call.node)):
        for old in olds:
            parts = _split(text, old)
            glue = [part for piece in parts for part in (call.values[2], (Text(piece, text.partial),))][1:]
            results.append(frame.run.concatenate(glue, frame.origin(call.node)))
        if not olds:
            results += [(text,), frame.unknown("text with replacements", call.node)]
    return union(results)


def _split(text: Text, separator: bytes) -> list[tuple[Known | Unknown, ...]]:
    data = text.data()
    pieces, start = [], 0
    at = data.find(separator) if separator else -1
    while at >= 0:
        pieces.append(slice_atoms(text.atoms, start, at))
        start = at + len(separator)
        at = data.find(separator, start)
    return [*pieces, slice_atoms(text.atoms, start, len(data))]


def _fields(frame: Frame, call: Called) -> Value:
    return _cut(frame, call, re.compile(rb"\S+"))


def _split_by(frame: Frame, call: Called) -> Value:
    separators = [text.data() for text in texts(call.values[1]) if text.known and text.atoms]
    if len(separators) != 1 or len(call.values[1]) != 1:
        return frame.unknown("parts of a text", call.node)
    return tuple(
        Items(tuple((Text(piece, text.partial),) for piece in _split(text, separators[0])))
        for text in as_texts(call.values[0], frame.origin(call.node))
    )


def _cut(frame: Frame, call: Called, pattern: re.Pattern[bytes]) -> Value:
    return tuple(
        Items(tuple((Text(slice_atoms(t.atoms, m.start(), m.end()), t.partial),) for m in pattern.finditer(t.data())))
        for t in as_texts(call.values[0], frame.origin(call.node))
    )


def _trim_space(frame: Frame, call: Called) -> Value:
    results = []
    for text in as_texts(call.values[0], frame.origin(call.node)):
        data = text.data()
        start = len(data) - len(data.lstrip(b" \t\n\r\v\f"))
        end = max(start, len(data.rstrip(b" \t\n\r\v\f")))
        results.append(Text(slice_atoms(text.atoms, start, end), text.partial))
    return tuple(results)


def _trim(start: bool, end: bool, whole: bool) -> Model:
    """`TrimSuffix` and its sisters; `whole`: the second argument is cut as a whole, else it is a set of characters."""

    def model(frame: Frame, call: Called) -> Value:
        cuts = [text.data() for text in texts(call.values[1]) if text.known] if len(call.values) > 1 else []
        every = as_texts(call.values[0], frame.origin(call.node))
        return tuple(dict.fromkeys(_trimmed(text, cut, start, end, whole) for text in every for cut in cuts or [b""]))

    return model


def _trimmed(text: Text, cut: bytes, start: bool, end: bool, whole: bool) -> Text:
    data = text.data()
    shorter = data
    if start and cut:
        shorter = data.removeprefix(cut) if whole else data.lstrip(cut)
    first = len(data) - len(shorter)
    if end and cut:
        shorter = shorter.removesuffix(cut) if whole else shorter.rstrip(cut)
    return Text(slice_atoms(text.atoms, first, first + len(shorter)), text.partial)


def _map_case(change: Callable[[bytes], bytes]) -> Model:
    def model(frame: Frame, call: Called) -> Value:
        return tuple(
            Text(tuple(_changed(atom, change) for atom in text.atoms), text.partial)
            for text in as_texts(call.values[0], frame.origin(call.node))
        )

    return model


def _changed(atom: Atom, change: Callable[[bytes], bytes]) -> Atom:
    """Changed bytes no longer match their origin: with the quote before them they are an indivisible piece."""
    if isinstance(atom, Unknown) or change(atom.text) == atom.text:
        return atom
    origin = atom.origin
    whole = origin is not None and len(atom.text) == origin[2] - origin[1]
    return Known(change(atom.text), (origin[0], origin[1] - 1, origin[2]) if origin is not None and whole else origin)


def _same(frame: Frame, call: Called) -> Value:
    return call.values[0]


def _quote_identifier(frame: Frame, call: Called) -> Value:
    return quoted(frame, call.values[0], call.node)


def quoted(frame: Frame, value: Value, node: Node) -> Value:
    """A name as a quoted SQL identifier."""
    return frame.run.concatenate([made_up(b'"'), value, made_up(b'"')], frame.origin(node))


def _quote_literal(frame: Frame, call: Called) -> Value:
    return frame.run.concatenate([made_up(b"'"), call.values[0], made_up(b"'")], frame.origin(call.node))


def _concat_lists(frame: Frame, call: Called) -> Value:
    return append_lists(call.values)


def append_lists(values: list[Value]) -> Value:
    """Lists one after the other; an unknown one leaves the end open."""
    combined: list[Items] = [Items(())]
    for value in values:
        combined = [_extended(left, right) for left in combined for right in value][:64]
    return tuple(dict.fromkeys(combined))


def _extended(left: Items, right: Alternative) -> Items:
    if isinstance(right, Items):
        return Items(left.elements + right.elements, left.rest or right.rest)
    rest = next((a for a in right.atoms if isinstance(a, Unknown)), None) if isinstance(right, Text) else None
    if rest is not None and rest.reason == "nil":
        return left
    return Items(left.elements, left.rest or rest)


def _append(frame: Frame, call: Called) -> Value:
    first, others = call.values[0], call.values[1:]
    if all(isinstance(alt, Text) and alt.known for alt in first) and any(
        isinstance(a, Text) and a.atoms for a in first
    ):
        return frame.run.concatenate(call.values, frame.origin(call.node))  # append([]byte("…"), "…"...)
    if call.spread:
        return append_lists([first, *([(Items(tuple(others[:-1])),)] if others[:-1] else []), others[-1]])
    return append_lists([first, (Items(tuple(others)),)])


def _make(frame: Frame, call: Called) -> Value:
    kind = call.nodes[0] if call.nodes else None
    if kind is not None and kind.type == "map_type":
        return (Entries(()),)
    if kind is not None and kind.type == "slice_type":
        length = [text.data() for text in texts(call.values[1])] if len(call.values) > 1 else [b"0"]
        if length == [b"0"] or frame.file.text(kind) == "[]byte":
            return (Items(()),)
        return (Items((), Unknown("elements of a list that was made", frame.origin(call.node))),)
    return frame.unknown("made value", call.node)


def _new(frame: Frame, call: Called) -> Value:
    kind = call.nodes[0] if call.nodes else None
    if kind is not None and frame.file.text(kind) in BUFFERS:
        return EMPTY
    if kind is not None and kind.type not in _TYPES and not kind.type.endswith("_type"):
        return call.values[0]  # since Go 1.26 the argument may be a value
    zero = zero_value(frame, kind) if kind is not None else None
    return zero if zero is not None else frame.unknown("new value", call.node)


BUILTINS: dict[str, Model] = {"append": _append, "make": _make, "new": _new, "string": _same}


def _copy_in(frame: Frame, call: Called) -> Value:
    """lib/pq, copy.go, `CopyIn`: `COPY t (a, b) FROM STDIN`."""
    return _copy(frame, call, [call.values[0]], call.values[1:])


def _copy_in_schema(frame: Frame, call: Called) -> Value:
    schema, table, *columns = call.values if len(call.values) > 1 else [call.values[0], EMPTY]
    return _copy(frame, call, [schema, made_up(b"."), table], columns)


def _copy(frame: Frame, call: Called, table: list[Value], columns: list[Value]) -> Value:
    names = [part for column in spread(columns) for part in (made_up(b", "), column)][1:]
    parts = [made_up(b"COPY "), *table, made_up(b" ("), *names, made_up(b") FROM STDIN")]
    return frame.run.concatenate(parts, frame.origin(call.node))


def _copy_map(frame: Frame, call: Called) -> Value:
    """`maps.Copy(to, from)`."""
    added = [alt for alt in call.values[1] if isinstance(alt, Entries)]
    known = [alt for alt in call.values[0] if isinstance(alt, Entries)] or [Entries(())]
    others = tuple(alt for alt in call.values[0] if not isinstance(alt, Entries))
    merged = tuple(replace(old, pairs=(*old.pairs, *new.pairs)) for old in known for new in added)
    frame.use(call.values[1], call.node, "copied by maps.Copy", strength=STORED)
    target = call.nodes[0]
    if added and not (target.type == "selector_expression" and put_in_field(frame, target, union([merged, others]))):
        assign_to(frame, target, union([merged, others]))
    return EMPTY


FUNCTIONS: dict[str, Model] = {
    "maps.Copy": _copy_map,
    "fmt.Sprintf": _sprintf,
    "fmt.Sprint": _sprint,
    "fmt.Sprintln": _sprintln,
    "fmt.Appendf": _appendf,
    "fmt.Fprintf": _fprintf,
    "fmt.Fprint": _fprint,
    "io.WriteString": _fprint,
    "io.ReadAll": _same,
    "strings.Join": _join,
    "bytes.Join": _join,
    "strings.Repeat": _repeat,
    "strings.Replace": _replace,
    "strings.ReplaceAll": _replace,
    "strings.Fields": _fields,
    "strings.Split": _split_by,
    "strings.TrimSpace": _trim_space,
    "strings.Trim": _trim(True, True, False),
    "strings.TrimRight": _trim(False, True, False),
    "strings.TrimLeft": _trim(True, False, False),
    "strings.TrimSuffix": _trim(False, True, True),
    "strings.TrimPrefix": _trim(True, False, True),
    "strings.ToLower": _map_case(bytes.lower),
    "strings.ToUpper": _map_case(bytes.upper),
    "strings.Clone": _same,
    "strings.NewReader": _same,
    "strconv.Itoa": _same,
    "strconv.Quote": _quote_identifier,
    "regexp.QuoteMeta": _same,
    "slices.Clone": _same,
    "slices.Concat": _concat_lists,
    "bytes.NewBufferString": _same,
    "bytes.NewBuffer": _same,
    "bytes.NewReader": _same,
    "html.EscapeString": _same,
    "github.com/lib/pq.QuoteIdentifier": _quote_identifier,
    "github.com/lib/pq.QuoteLiteral": _quote_literal,
    "github.com/lib/pq.Array": _same,
    "github.com/lib/pq.CopyIn": _copy_in,
    "github.com/lib/pq.CopyInSchema": _copy_in_schema,
    "github.com/jmoiron/sqlx.Rebind": lambda frame, call: call.values[1],
    "github.com/jmoiron/sqlx.In": _same,
    "github.com/jmoiron/sqlx.Named": _same,
}
ARITY: dict[str, int] = {"strings.Join": 2, "bytes.Join": 2, "strings.Repeat": 2, "strings.Replace": 3,
                         "strings.ReplaceAll": 3, "strings.Split": 2, "fmt.Appendf": 2, "fmt.Fprintf": 2,
                         "io.WriteString": 2, "maps.Copy": 2, "github.com/jmoiron/sqlx.Rebind": 2}  # fmt: skip


def model_of(full_name: str, arguments: int) -> Model | None:
    """The model of a function, provided that it is called with enough arguments."""
    return FUNCTIONS.get(full_name) if arguments >= ARITY.get(full_name, 1) else None
