"""Values of the abstract interpreter: a value is a tuple of alternatives, a text a row of known bytes and holes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, reduce
from itertools import product
from typing import TYPE_CHECKING, NamedTuple, cast

from legacy_ref_scan.model import HOLE

if TYPE_CHECKING:
    from legacy_ref_scan.languages.golang.packages import Declaration, GoFile, Node

MAX_ALTERNATIVES = 64
LEFT_OUT = "one of too many alternatives"
"""The reason of a hole for alternatives that were not kept."""
_KEPT = 200
_FEW = 8
# Builders whose links may come in any order, and the links that say which table a statement is about.
_IN_ANY_ORDER = frozenset(("squirrel", "goqu", "sqlbuilder", "upper", "dbr"))
_TABLES = frozenset("From Into Table Insert Update Delete InsertInto DeleteFrom SelectFrom Select FromSelect".split())

Origin = tuple[str, int, int]
"""A span as a plain tuple: it is hashed far too often for a dataclass."""


class Known(NamedTuple):
    """Bytes of the text. `origin` is where they stand in a file; None: made up (a separator without a literal)."""

    text: bytes
    origin: Origin | None = None


class Source(NamedTuple):
    """What would have to be known to fill a hole: ("parameter", function, index) or ("field", folder, name)."""

    kind: str
    owner: object
    name: object


class Unknown(NamedTuple):
    """A hole in a text. `position`: the number that stands there, the index of a loop over a list that is known."""

    reason: str
    origin: Origin
    source: Source | None = None
    position: int | None = None


Atom = Known | Unknown


_BASE, _MODULUS = 1_000_003, (1 << 61) - 1


def _checksum(atoms: tuple[Atom, ...]) -> int:
    """A polynomial of the atoms' hashes: that of two rows put together is made of those of the two."""
    checksum = 0
    for atom in atoms:
        checksum = (checksum * _BASE + hash(atom)) % _MODULUS
    return checksum


class Text:
    """One possible string. `partial`: combinations with other strings were left out, because there are too many.

    Immutable; a plain class, because its bytes and its hash are asked for again and again.
    """

    __slots__ = ("_data", "_sum", "atoms", "partial")

    def __init__(self, atoms: tuple[Atom, ...], partial: bool = False, checksum: int | None = None) -> None:
        self.atoms = atoms
        self.partial = partial
        self._data: bytes | None = None
        self._sum = _checksum(atoms) if checksum is None else checksum

    def __add__(self, other: Text) -> Text:
        """Both in a row. The checksum is made of theirs, for the atoms can be many."""
        checksum = (self._sum * pow(_BASE, len(other.atoms), _MODULUS) + other._sum) % _MODULUS
        return Text(self.atoms + other.atoms, self.partial or other.partial, checksum)

    def data(self) -> bytes:
        """The bytes, with `HOLE` for every hole."""
        if self._data is None:
            self._data = b"".join([atom.text if isinstance(atom, Known) else HOLE for atom in self.atoms])
        return self._data

    @property
    def known(self) -> bool:
        """No holes."""
        return all(isinstance(atom, Known) for atom in self.atoms)

    @property
    def only(self) -> Atom | None:
        """The atom of a text that has just one."""
        return self.atoms[0] if len(self.atoms) == 1 else None

    def as_partial(self) -> Text:
        """The same, marked as one of too many."""
        return self if self.partial else Text(self.atoms, True, self._sum)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Text) or self._sum != other._sum:
            return False
        return self.atoms == other.atoms and self.partial == other.partial

    def __hash__(self) -> int:
        return self._sum

    def __repr__(self) -> str:
        return f"Text({self.data()!r})"


@dataclass(frozen=True, slots=True)
class Items:
    """A slice or an array. `rest` is a hole for further elements that are not known."""

    elements: tuple[Value, ...]
    rest: Unknown | None = None
    hashed: int = field(init=False, compare=False, repr=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hashed", hash((self.elements, self.rest)))

    def __hash__(self) -> int:
        return self.hashed


@dataclass(frozen=True, slots=True)
class Entries:
    """A map or a struct: (key, value) in order. `type` is the name of the struct, "" for a map."""

    pairs: tuple[tuple[Value, Value], ...]
    type: str = ""
    hashed: int = field(init=False, compare=False, repr=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hashed", hash((self.pairs, self.type)))

    def __hash__(self) -> int:
        return self.hashed

    def get(self, key: bytes) -> Value | None:
        """The last value stored under a key; None where the key is not known to be there."""
        for name, value in reversed(self.pairs):
            if any(isinstance(alt, Text) and alt.data() == key for alt in name):
                return value
        return None

    def put(self, key: Value, value: Value) -> Entries:
        """The map with one more entry, which replaces a former one of the same key."""
        kept = tuple(pair for pair in self.pairs if pair[0] != key)
        return replace(self, pairs=(*kept, (key, value)))


@dataclass(frozen=True, slots=True)
class Function:
    """A function as a value: a declaration of the module, or a literal (`node`) in `file`.

    `receiver` is what a method value (`x.method`, not called) is bound to.
    """

    declaration: Declaration | None
    node: Node | None
    file: GoFile
    receiver: Value | None = None


@dataclass(frozen=True, slots=True)
class External:
    """Something of a package whose source is not here: `squirrel.StatementBuilder`."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Files:
    """A file system that is part of the program: (name in it, path in the project)."""

    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One link of a builder's chain."""

    method: str
    arguments: tuple[Value, ...]
    origin: Origin
    hashed: int = field(init=False, compare=False, repr=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hashed", hash((self.method, self.arguments, self.origin)))

    def __hash__(self) -> int:
        return self.hashed


@dataclass(frozen=True, slots=True)
class Chain:
    """A query builder: the library and the calls made so far."""

    library: str
    calls: tuple[Call, ...]
    hashed: int = field(init=False, compare=False, repr=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hashed", hash((self.library, self.calls)))

    def __hash__(self) -> int:
        return self.hashed


Alternative = Text | Items | Entries | Function | External | Files | Chain
Value = tuple[Alternative, ...]

HANDED = 3
"""How deep in what a function is handed a name is looked for: `&Query{Filters: map[string]any{"name": x}}`."""
_NOTHING = Text(())
EMPTY: Value = (_NOTHING,)
TOO_MANY: Value = (Text((Unknown(LEFT_OUT, ("", 0, 0)),)),)
"""What stands for the alternatives of a value that were not kept."""


def hole(reason: str, origin: Origin, source: Source | None = None) -> Value:
    """A value of which nothing is known."""
    return (Text((Unknown(reason, origin, source),)),)


def made_up(text: bytes) -> Value:
    """A text that stands nowhere."""
    return (Text((Known(text),)),)


def texts(value: Value) -> Iterator[Text]:
    """The alternatives that are strings."""
    return (alt for alt in value if isinstance(alt, Text))


def union(values: Iterable[Value], limit: int = MAX_ALTERNATIVES) -> Value:
    """All alternatives, each once; too many make the survivors partial."""
    merged: dict[Alternative, None] = {}
    for value in values:
        merged.update(dict.fromkeys(value))
    if len(merged) > _FEW:
        merged = dict.fromkeys(_condensed(list(merged)))
    if len(merged) <= limit:
        return tuple(merged)
    kept = [_partial(alt) for alt in list(merged)[:limit]]
    return (*kept, *TOO_MANY)


def _condensed(alternatives: list[Alternative]) -> list[Alternative]:
    """Builders of one start that were extended in many ways, and structs of one type, as a few that say as much.

    A builder that conditions add links to has as many forms as there are ways through them. Each link is in the
    shortest of these that has it, and one form has all of them. Of structs, each field has its values by itself.
    """
    groups: dict[object, list[Alternative]] = {}
    for alt in alternatives:
        groups.setdefault(_group(alt), []).append(alt)
    condensed: list[Alternative] = []
    for key, group in groups.items():
        if key is None or len(group) <= _FEW:
            condensed += group
        elif isinstance(group[0], Chain):
            condensed += _condensed_chains([alt for alt in group if isinstance(alt, Chain)])
        else:
            condensed.append(_merged_structs([alt for alt in group if isinstance(alt, Entries)]))
    return condensed


def _group(alt: Alternative) -> object:
    """What alternatives have in common that can be condensed: of a builder its start and its tables."""
    match alt:
        case Chain(library=library, calls=calls) if calls and library in _IN_ANY_ORDER:
            return library, calls[0], tuple(call for call in calls if call.method in _TABLES)
        case Entries(pairs=pairs, type=kind) if kind:
            return kind, frozenset(key for key, _ in pairs)
    return None


def _condensed_chains(chains: list[Chain]) -> list[Alternative]:
    shortest: dict[Call, Chain] = {}
    everything: dict[tuple[str, Origin], Call] = {}
    by_length = sorted(chains, key=lambda chain: len(chain.calls))
    for call, chain in ((call, form) for form in by_length for call in form.calls):
        shortest.setdefault(call, chain)
        place = (call.method, call.origin)
        known = everything.get(place)
        everything[place] = call if known is None or known == call else _either(known, call)
    whole = Chain(by_length[0].library, tuple(everything.values()))
    return list(dict.fromkeys([by_length[0], *shortest.values(), whole]))


def _either(one: Call, other: Call) -> Call:
    """A link whose arguments are those of two links of one place."""
    if len(one.arguments) != len(other.arguments):
        return one if len(one.arguments) > len(other.arguments) else other
    arguments = tuple(union(pair) for pair in zip(one.arguments, other.arguments, strict=True))
    return replace(one, arguments=arguments)


def _merged_structs(structs: list[Entries]) -> Entries:
    first, others = structs[0], structs[1:]
    keys = [key for key, _ in first.pairs]
    found: dict[Value, list[Value]] = {key: [value] for key, value in first.pairs}
    for other in others:
        for key, value in other.pairs:
            found[key].append(value)
    return Entries(tuple((key, union(found[key])) for key in dict.fromkeys(keys)), first.type)


def _partial(alt: Alternative) -> Alternative:
    return alt.as_partial() if isinstance(alt, Text) else alt


def as_texts(value: Value, origin: Origin) -> tuple[Text, ...]:
    """The value as a string; what is none becomes a hole."""
    if all(isinstance(alt, Text) for alt in value):
        return cast("tuple[Text, ...]", value)
    return tuple(alt if isinstance(alt, Text) else Text((Unknown(_named(alt), origin),)) for alt in value)


def _named(alt: Alternative) -> str:
    """What a value that is no string is called as a hole."""
    match alt:
        case External(path=path, name=name):
            return f"value {path.rpartition('/')[2]}.{name}"
        case Entries(type=kind):
            return f"struct {kind}" if kind else "map"
        case Items():
            return "list"
        case Files():
            return "file system"
        case Chain():
            return "query builder"
    return "function"


class Concatenation:
    """Joins values to texts. `matters` tells texts that hold a name; they are never left out silently."""

    def __init__(self, matters: Callable[[bytes], bool]) -> None:
        self._matters = matters
        # A chain of a builder is rendered where each of its links is used: what it was made of then comes again.
        self._row = lru_cache(maxsize=_KEPT)(self._in_a_row)

    def __call__(self, parts: Sequence[Value], origin: Origin, names: tuple[str, ...] = ()) -> Value:
        """Every combination of the alternatives of `parts`, in order.

        Parts of one name ("" for none) are one variable, which has the same value at each of its places.
        """
        if len(parts) == 1:
            return as_texts(parts[0], origin)
        return self._row(tuple([as_texts(part, origin) for part in parts]), names)

    def _in_a_row(self, parts: tuple[tuple[Text, ...], ...], names: tuple[str, ...]) -> tuple[Text, ...]:
        again = next((name for at, name in enumerate(names) if name and name in names[:at]), "")
        if not again:
            return reduce(self._pair, parts, (_NOTHING,))
        others = tuple("" if name == again else name for name in names)
        rows: dict[Text, None] = {}
        for text in parts[names.index(again)]:
            chosen = ((text,) if name == again else part for name, part in zip(names, parts, strict=True))
            rows.update(dict.fromkeys(self._in_a_row(tuple(chosen), others)))
        return self._limited(tuple(rows))

    def _limited(self, rows: tuple[Text, ...]) -> tuple[Text, ...]:
        """At most so many; those that hold a name come first, and where they alone are too many, all are partial."""
        if len(rows) <= MAX_ALTERNATIVES:
            return rows
        named = self._named(rows)
        kept = (named or list(rows))[:MAX_ALTERNATIVES]
        return tuple(text.as_partial() for text in kept) if len(named) > MAX_ALTERNATIVES else tuple(kept)

    def _pair(self, left: tuple[Text, ...], right: tuple[Text, ...]) -> tuple[Text, ...]:
        if len(left) * len(right) <= MAX_ALTERNATIVES:
            return tuple(dict.fromkeys(a + b for a, b in product(left, right)))
        return self._cover(left, right)

    def _cover(self, left: tuple[Text, ...], right: tuple[Text, ...]) -> tuple[Text, ...]:
        """Each alternative at least once, and every pair of alternatives that both hold a name.

        The other combinations add nothing that concerns the target; where even these pairs are too many, the
        result is partial.
        """
        count = max(len(left), len(right))
        pairs = {(left[i % len(left)], right[i % len(right)]): None for i in range(count)}
        named_left, named_right = self._named(left), self._named(right)
        pairs.update(dict.fromkeys(product(named_left or left[:1], named_right or right[:1])))
        full = len(pairs) > MAX_ALTERNATIVES
        kept = [a + b for a, b in list(pairs)[:MAX_ALTERNATIVES]]
        return tuple(dict.fromkeys(text.as_partial() if full else text for text in kept))

    def telling(self, value: Value) -> Value:
        """The alternatives without those that say of a name what another one says: no name, no hole, nothing.

        For a condition or an order: a table in it would say whose the names around it are.
        """
        if len(value) < 3:
            return value
        plain = [alt for alt in value if isinstance(alt, Text) and alt.known and not self._matters(alt.data())]
        spare = set(map(id, plain[1:]))
        return tuple(alt for alt in value if id(alt) not in spare)

    def _named(self, alternatives: tuple[Text, ...]) -> list[Text]:
        return [text for text in alternatives if self._matters(text.data())]


def _is_field(key: Text) -> bool:
    """The name of a struct's field is no text of the program."""
    return bool(key.atoms) and all(isinstance(atom, Known) and atom.origin is None for atom in key.atoms)


def flatten(value: Value, depth: int = 4) -> Iterator[Text]:
    """Every text inside a value: itself, elements, keys and values."""
    for alt in value:
        match alt:
            case Text():
                yield alt
            case Items(elements=elements) if depth:
                for element in elements:
                    yield from flatten(element, depth - 1)
            case Entries(pairs=pairs) if depth:
                for key, item in pairs:
                    yield from (text for text in flatten(key, depth - 1) if not _is_field(text))
                    yield from flatten(item, depth - 1)
            case Chain(calls=calls) if depth:
                for link in calls:
                    for argument in link.arguments:
                        yield from flatten(argument, depth - 1)
