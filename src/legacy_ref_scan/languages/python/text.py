"""Values of a Python program as far as they are known: text that remembers where each byte comes from, and sequences.

All values are immutable. An expression has several alternatives (`Values`), at most `LIMIT` of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from legacy_ref_scan.languages.python.mapped import Model
from legacy_ref_scan.model import HOLE, Consumer, Fragment, Hole, Piece, Span

LIMIT = 48
"""How many alternatives of one value are followed."""

LARGEST = 1 << 13
"""The most parts of a text, or of all texts within a sequence, that a variable holds; a larger value is unknown."""


@dataclass(frozen=True, slots=True)
class Run:
    """Known bytes. Where `origin` has their length, they match byte for byte; None: made up (a separator, a quote)."""

    text: bytes
    origin: Span | None

    @property
    def exact(self) -> bool:
        return self.origin is not None and self.origin.end - self.origin.start == len(self.text)


@dataclass(frozen=True, slots=True)
class Blank:
    """An unknown part of a text."""

    reason: str
    origin: Span


@dataclass(frozen=True)
class Text:
    """A string value."""

    parts: tuple[Run | Blank, ...]

    def __hash__(self) -> int:
        return hash(self.flat)

    @cached_property
    def flat(self) -> bytes:
        """The bytes, with `HOLE` where a part is unknown."""
        return b"".join(part.text if isinstance(part, Run) else HOLE for part in self.parts)

    @cached_property
    def origins(self) -> frozenset[Span]:
        """Where the known bytes stand."""
        return frozenset(part.origin for part in self.parts if isinstance(part, Run) and part.origin)

    def cut(self, start: int, end: int) -> tuple[Run | Blank, ...]:
        """The parts of bytes `start`..`end` of `flat`."""
        return tuple(self._cut(start, end))

    def _cut(self, start: int, end: int) -> Iterator[Run | Blank]:
        at = 0
        for part in self.parts:
            size = len(part.text) if isinstance(part, Run) else 1
            low, high = max(start - at, 0), min(end - at, size)
            if low < high:
                yield part if isinstance(part, Blank) or (low == 0 and high == size) else _slice(part, low, high)
            at += size
            if at >= end:
                return


@dataclass(frozen=True)
class Items:
    """A list, tuple or set. `complete` is false where further items may follow."""

    items: tuple[Values, ...]
    complete: bool = True

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.items, self.complete))

    @cached_property
    def size(self) -> int:
        return 1 + sum(size(value) for values in self.items for value in values)


@dataclass(frozen=True)
class Pairs:
    """A dict with literal keys. `keys` are those that remember where they stand; `complete`: there are no others."""

    pairs: tuple[tuple[str, Values], ...]
    keys: tuple[Text, ...] = ()
    complete: bool = True

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.pairs, self.complete))

    @cached_property
    def size(self) -> int:
        return 1 + sum(size(value) for _, values in self.pairs for value in values)

    def get(self, key: str) -> Values | None:
        return next((values for name, values in reversed(self.pairs) if name == key), None)


@dataclass(frozen=True, slots=True)
class Constant:
    """None, True, False or a whole number."""

    value: int | None


@dataclass(frozen=True, slots=True)
class Entity:
    """A model, a table, a query over one, or a row of it.

    `kind`: "model" (the class), "instance", "query" (gives instances), "rows" (gives something else), "table" (of
    SQLAlchemy's Core), "columns" (its `c`), "column". `verb`: "insert", "update", "delete" where the query is one.
    `focus` is what the next `filter_by` is about where that is another model.
    """

    kind: str
    model: Model
    verb: str = ""
    focus: Model | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """Names of fields whose model is known later: `Q(error_message=…)`, `F("error_message")`."""

    names: tuple[tuple[str, Span], ...]


@dataclass(frozen=True, slots=True)
class Foreign:
    """A connection to another database than PostgreSQL, or a cursor of one."""

    database: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Anything else, with the reason why it is not known."""

    reason: str
    origin: Span


Value = Text | Items | Pairs | Constant | Entity | Pending | Foreign | Unknown
Values = tuple[Value, ...]
Part = Run | Blank


def size(value: Value) -> int:
    """How many parts a value has, those of its items included, and more for long texts."""
    match value:
        case Text(parts):
            return len(parts) + sum(len(part.text) for part in parts if isinstance(part, Run)) // 1024
        case Items() | Pairs():
            return value.size
    return 1


def _slice(run: Run, low: int, high: int) -> Run:
    if run.origin is None:
        return Run(run.text[low:high], None)
    if run.exact:
        start = run.origin.start
        return Run(run.text[low:high], Span(run.origin.path, start + low, start + high))
    return Run(run.text[low:high], run.origin)


def made_up(text: str | bytes) -> Text:
    """Text that stands nowhere in a file."""
    return Text((Run(text.encode() if isinstance(text, str) else text, None),))


def parts_of(value: Value, origin: Span) -> tuple[Part, ...]:
    """A value as a part of a text: what `str()` gives, a blank where that is not known."""
    match value:
        case Text(parts):
            return parts
        case Constant(number):
            return (Run(str(number).encode(), None),)
        case Unknown(reason, where):
            return (Blank(reason, where),)
        case _:
            return (Blank("a sequence as text", origin),)


def concat(texts: Iterable[tuple[Part, ...]]) -> Text:
    """The texts one after another."""
    return Text(tuple(part for parts in texts for part in parts))


def to_fragment(
    text: Text, site: Span, symbol: str, consumer: Consumer, test: bool, note: str, kind: str = "python-sql"
) -> Fragment:
    """The text as a fragment with its pieces and holes."""
    pieces: list[Piece] = []
    holes: list[Hole] = []
    at = 0
    for part in text.parts:
        if isinstance(part, Blank):
            holes.append(Hole(at, part.reason, part.origin))
            at += 1
            continue
        if part.origin is not None and part.text:
            pieces.append(Piece(at, at + len(part.text), part.origin))
        at += len(part.text)
    return Fragment(text.flat, tuple(pieces), site, symbol, consumer, tuple(holes), test=test, kind=kind, note=note)


_PERCENT = re.compile(rb"%(?:\(([^()]*)\))?[#0\- +]{0,5}(?:\*|\d{0,9})(?:\.(?:\*|\d{0,9}))?[hlL]?([a-zA-Z%])")
_BRACES = re.compile(rb"\{\{|\}\}|\{([^{}!:]*)(![rsa])?(:[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}")
_EDGE_SPACE = b" \t\n\r\x0b\x0c"


def substitute(text: Text, pattern: re.Pattern[bytes], replace: Callable[[re.Match[bytes]], tuple[Part, ...]]) -> Text:
    """The text with each match of a pattern replaced."""
    kept: list[tuple[Part, ...]] = []
    at = 0
    for match in pattern.finditer(text.flat):
        kept += [text.cut(at, match.start()), replace(match)]
        at = match.end()
    return concat([*kept, text.cut(at, len(text.flat))])


def percent(text: Text, value: Value, origin: Span) -> Text:
    """`text % value`."""
    named = value if isinstance(value, Pairs) else None
    queue = list(value.items) if isinstance(value, Items) else [(value,)]
    complete = not isinstance(value, Unknown) and (not isinstance(value, Items) or value.complete)

    def replace(match: re.Match[bytes]) -> tuple[Part, ...]:
        key, verb = match[1], match[2]
        if verb == b"%":
            return text.cut(match.end() - 1, match.end())
        found: Values | None = None
        if key is not None:
            found = named.get(key.decode("utf-8", "replace")) if named else None
        elif queue and complete:
            found = queue.pop(0)
        return _formatted(found, origin, quoted=verb in b"ra")

    return substitute(text, _PERCENT, replace)


def format_braces(text: Text, arguments: Sequence[Value], keywords: dict[str, Value], origin: Span) -> Text:
    """`text.format(*arguments, **keywords)`."""
    numbers = iter(range(len(arguments) + text.flat.count(b"{")))

    def replace(match: re.Match[bytes]) -> tuple[Part, ...]:
        if match[0] in (b"{{", b"}}"):
            return text.cut(match.start(), match.start() + 1)
        name = match[1].decode("utf-8", "replace").strip()
        found: Value | None
        if not name or name.isdigit():
            index = int(name) if name else next(numbers)
            found = arguments[index] if index < len(arguments) else None
        else:
            found = keywords.get(name)
        if match[3] and match[3] not in (b":", b":s"):
            found = None
        return _formatted(None if found is None else (found,), origin, quoted=match[2] in (b"!r", b"!a"))

    return substitute(text, _BRACES, replace)


def _formatted(values: Values | None, origin: Span, *, quoted: bool) -> tuple[Part, ...]:
    if not values or len(values) != 1:
        return (Blank("an argument that is not known", origin),)
    parts = parts_of(values[0], origin)
    if quoted and isinstance(values[0], Text):
        return (Run(b"'", None), *parts, Run(b"'", None))
    return parts


def join(separator: Text, value: Value, origin: Span, choose: Callable[[Sequence[Values]], Iterable[Values]]) -> Values:
    """`separator.join(value)`; `choose` gives the combinations of the items' alternatives."""
    if isinstance(value, Pairs) and len(value.keys) == len(value.pairs):
        value = Items(tuple((key,) for key in value.keys), value.complete)
    if not isinstance(value, Items):
        return (Text((Blank("the items of join", origin),)),)
    return tuple(_joined(separator, picked, value.complete, origin) for picked in choose(value.items))


def _joined(separator: Text, items: Values, complete: bool, origin: Span) -> Text:
    texts: list[tuple[Part, ...]] = []
    for index, item in enumerate(items):
        texts += [separator.parts] if index else []
        texts.append(parts_of(item, origin))
    if not complete:
        texts += [separator.parts] if items else []
        texts.append((Blank("further items of join", origin),))
    return concat(texts)


def strip(text: Text, *, left: bool, right: bool) -> Text:
    """The text without white space at its edges."""
    flat = text.flat
    start = len(flat) - len(flat.lstrip(_EDGE_SPACE)) if left else 0
    end = len(flat.rstrip(_EDGE_SPACE)) if right else len(flat)
    return Text(text.cut(start, end))


def dedent(text: Text) -> Text:
    """`textwrap.dedent(text)`."""
    lines = text.flat.split(b"\n")
    margins = [line[: len(line) - len(line.lstrip(b" \t"))] for line in lines if line.strip(_EDGE_SPACE)]
    margin = _common(margins)
    kept: list[tuple[Part, ...]] = []
    at = 0
    for line in lines:
        end = at + len(line)
        start = at + len(margin) if line.strip(_EDGE_SPACE) else end
        kept.append(text.cut(start, min(end + 1, len(text.flat))))
        at = end + 1
    return concat(kept)


def _common(margins: Sequence[bytes]) -> bytes:
    if not margins:
        return b""
    low, high = min(margins), max(margins)
    same = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return low[:same]


def replace(text: Text, old: Value, new: Value, origin: Span) -> Text:
    """`text.replace(old, new)`; a blank where either is not known."""
    if not isinstance(old, Text) or not old.flat or HOLE in old.flat:
        return Text((*text.parts, Blank("a replacement", origin)))
    return substitute(text, re.compile(re.escape(old.flat)), lambda match: parts_of(new, origin))
