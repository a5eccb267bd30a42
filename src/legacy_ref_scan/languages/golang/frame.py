"""The state of the abstract interpreter: what is known of the project, of one run, and of one function's variables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from legacy_ref_scan.languages.golang.builders import Renderer
from legacy_ref_scan.languages.golang.packages import Declaration, GoFile, Index, Node
from legacy_ref_scan.languages.golang.sinks import may_be_sql
from legacy_ref_scan.languages.golang.values import (
    HANDED,
    MAX_ALTERNATIVES,
    TOO_MANY,
    Alternative,
    Chain,
    Concatenation,
    Function,
    Origin,
    Source,
    Text,
    Unknown,
    Value,
    flatten,
    hole,
    texts,
    union,
)
from legacy_ref_scan.mentions import Names
from legacy_ref_scan.model import Consumer

MAX_STEPS = 60_000
MAX_PLAIN = 12
MAX_DEPTH = 6
MAX_RENDERED = 400
"""How many builders are kept with their texts."""

ASSEMBLED, STORED = 2, 1
"""How strong a use is: an argument, a comparison …; or a mere stop on the way (a field, a return, an element)."""

TypeName = tuple[str, str]
"""(import path or folder of the package, name); the folder "" stands for builtin types."""


K = TypeVar("K")


class ExhaustedError(Exception):
    """A run took more steps than it may."""


@dataclass(frozen=True, slots=True)
class Use:
    """A text that holds a name reached a place where it is used."""

    text: Text
    site: Origin
    consumer: Consumer
    note: str
    symbol: str
    strength: int
    test: bool
    kind: str = "go-sql"


@dataclass(frozen=True, slots=True)
class Site:
    """The argument expression that gave a parameter its value."""

    origin: Origin
    symbol: str
    test: bool


@dataclass
class Knowledge:
    """What runs of several functions found out together."""

    fields: dict[tuple[str, str], dict[str, Value]] = field(default_factory=dict)  # (folder, field) -> by struct
    variables: dict[tuple[str, str], Value] = field(default_factory=dict)  # (folder, package variable) -> assigned
    constants: dict[tuple[str, int, int], Value] = field(default_factory=dict)
    focus: set[tuple[str, int, int]] = field(default_factory=set)  # functions whose callers matter
    demanded: set[tuple[str, str]] = field(default_factory=set)  # (folder, field or variable) a query needs
    tables: dict[tuple[tuple[str, int, int], str], tuple[str, ...]] = field(default_factory=dict)  # of (model, library)
    rows: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)  # (library, *struct) -> tables
    rendered: dict[tuple[Chain, Origin], Value] = field(default_factory=dict)
    asked: dict[Origin, set[bytes]] = field(default_factory=dict)  # the queries that a call runs
    filled: dict[TypeName, set[bytes]] = field(default_factory=dict)  # structs and the queries whose rows they take
    given: dict[TypeName, set[bytes]] = field(default_factory=dict)  # and those whose named parameters they fill
    aside: dict[tuple[str, str], bool] = field(default_factory=dict)  # (folder, module): may it get the table's name?
    templates: set[Text] = field(default_factory=set)  # that were followed along their branches
    actions: dict[str, dict[tuple[int, int], bool]] = field(default_factory=dict)  # of these: put something in?

    def field(self, folder: str, name: str, owner: str) -> Value:
        """What was stored in a field of a struct; of any struct where that is not known."""
        known = self.fields.get((folder, name), {})
        return union([value for kind, value in known.items() if not owner or kind == "" or _may_be_one(kind, owner)])


@dataclass(frozen=True)
class Machine:
    """The mutually recursive parts of the interpreter, so that their modules need not import each other."""

    evaluate: Callable[[Frame, Node], Value]
    execute: Callable[[Frame, Node], None]
    call: Callable[[Frame, Node], list[Value]]
    apply: Callable[[Frame, Function, list[Value], list[Node], Node], list[Value]]


@dataclass
class Run:
    """One root: a function or a package-level declaration that is interpreted."""

    index: Index
    names: Names
    matters: Callable[[bytes], bool]
    knowledge: Knowledge
    machine: Machine
    uses: list[Use] = field(default_factory=list)
    stored: set[tuple[str, tuple[str, str]]] = field(default_factory=set)  # ("field" | "variable", key) learnt
    wanted: set[Source] = field(default_factory=set)  # sources of holes in texts that matter
    stack: list[tuple[str, int, int]] = field(default_factory=list)
    memo: dict[object, list[Value]] = field(default_factory=dict)
    closures: dict[tuple[str, int], tuple[Frame, list[dict[str, Value]]]] = field(default_factory=dict)
    applied: set[tuple[str, int]] = field(default_factory=set)
    seen: set[tuple[Text, Origin, Consumer, int]] = field(default_factory=set)
    telling: dict[Value, bool] = field(default_factory=dict)
    muted: int = 0
    steps: int = 0
    in_template: bool = False  # the functions of a template are followed as deep as any

    @cached_property
    def concatenate(self) -> Concatenation:
        return Concatenation(self.followed)

    def hands_on(self, value: Value) -> bool:
        """Whether a value has a text with a name in it, as deep as is looked; asked again and again of large ones."""
        known = self.telling.get(value)
        if known is None:
            known = any(self.matters(text.data()) for text in flatten(value, HANDED))
            self.telling[value] = known
        return known

    def followed(self, data: bytes) -> bool:
        """A text that holds a name and may be SQL."""
        return self.matters(data) and may_be_sql(data)

    def rendered(self, chain: Chain, origin: Origin) -> Value:
        """A builder as the SQL that it means. A function that is interpreted again asks for the same once more."""
        known = self.knowledge.rendered
        found = known.get((chain, origin))
        if found is None:
            if len(known) >= MAX_RENDERED:
                known.clear()
            found = known[chain, origin] = Renderer(self.concatenate, origin).render(chain)
        return found

    def narrowed(self, value: Value) -> Value:
        """At most `MAX_ALTERNATIVES`, fewer where no name is concerned; those that hold a name come first.

        What is left out is a hole, or makes the rest partial where it holds a name.
        """
        if len(value) <= MAX_PLAIN:
            return value
        named = [alt for alt in value if any(self.followed(text.data()) for text in flatten((alt,), 1))]
        chosen = set(map(id, named[:MAX_ALTERNATIVES]))
        plain = [alt for alt in value if id(alt) not in chosen][: max(0, MAX_PLAIN - len(named))]
        kept: list[Alternative] = [*named[:MAX_ALTERNATIVES], *plain]
        if len(kept) == len(value) or self._adds_nothing(value, kept):
            return value if len(kept) == len(value) else tuple(kept)
        if len(named) > MAX_ALTERNATIVES:
            return tuple(alt.as_partial() if isinstance(alt, Text) else alt for alt in kept) + TOO_MANY
        return tuple(kept) + TOO_MANY

    def _adds_nothing(self, value: Value, kept: list[Alternative]) -> bool:
        """Whether what is left out are texts without a name or a star, and with no hole that others do not have."""
        chosen = set(map(id, kept))
        dropped = [alt for alt in value if id(alt) not in chosen]
        holes = {atom for text in texts(tuple(kept)) for atom in text.atoms if isinstance(atom, Unknown)}
        return all(
            isinstance(alt, Text)
            and not alt.partial
            and b"*" not in alt.data()
            and not self.names.in_text(alt.data())
            and all(atom in holes for atom in alt.atoms if isinstance(atom, Unknown))
            for alt in dropped
        )

    def step(self) -> None:
        """Counts; raises `ExhaustedError` at the bound."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise ExhaustedError


@dataclass
class Loop:
    """Variables at each `break` and `continue`."""

    breaks: list[list[dict[str, Value]]] = field(default_factory=list)
    continues: list[list[dict[str, Value]]] = field(default_factory=list)


@dataclass
class Frame:
    """A function (or package-level declaration) under interpretation."""

    run: Run
    file: GoFile
    symbol: str
    scopes: list[dict[str, Value]] = field(default_factory=lambda: [{}])
    types: dict[str, TypeName] = field(default_factory=dict)
    generics: dict[TypeName, TypeName] = field(default_factory=dict)  # what type parameters stand for
    sites: dict[str, Site] = field(default_factory=dict)
    returns: list[list[Value]] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    waiting: list[tuple[Function, Node]] = field(default_factory=list)  # closures not called so far
    result_names: tuple[str, ...] = ()
    exits: list[dict[str, Value]] = field(default_factory=list)  # the parameters' scope at each `return`
    dead: bool = False
    declaration: Declaration | None = None

    # -- the machine -------------------------------------------------------------------------------------------

    def evaluate(self, node: Node) -> Value:
        """The value of an expression; its uses are recorded on the way."""
        self.run.step()
        return self.run.machine.evaluate(self, node)

    def execute(self, node: Node) -> None:
        """Runs a statement."""
        self.run.step()
        self.run.machine.execute(self, node)

    # -- variables ---------------------------------------------------------------------------------------------

    def get(self, name: str) -> Value | None:
        """A local variable's value."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def declare(self, name: str, value: Value) -> None:
        """A new variable of the innermost scope."""
        if name != "_":
            self.scopes[-1][name] = value
            self.sites.pop(name, None)
            self.types.pop(name, None)

    def assign(self, name: str, value: Value) -> bool:
        """A new value of a local variable; false where there is none of that name."""
        for scope in reversed(self.scopes):
            if name in scope:
                scope[name] = value
                self.sites.pop(name, None)
                return True
        return False

    def snapshot(self) -> list[dict[str, Value]]:
        """The variables as they are now."""
        return [scope.copy() for scope in self.scopes]

    def merge(self, states: Iterable[list[dict[str, Value]]]) -> None:
        """The variables become what any of `states` (of one shape) says."""
        every = list(states)
        if not every:
            return
        first = every[0]
        for other in every[1:]:
            for scope, theirs in zip(first, other, strict=False):
                self._merge_scope(scope, theirs)
        self.scopes = first

    def _merge_scope(self, scope: dict[str, Value], theirs: dict[str, Value]) -> None:
        for name, value in theirs.items():
            mine = scope.get(name)
            if mine is None:
                scope[name] = value
            elif mine is not value and mine != value:
                scope[name] = self.run.narrowed(union([mine, value], 4 * MAX_ALTERNATIVES))

    def final(self, name: str) -> Value | None:
        """A parameter's value when the function ends, over all its `return`s."""
        ends = [scope[name] for scope in self.exits if name in scope]
        if not self.dead and name in self.scopes[0]:
            ends.append(self.scopes[0][name])
        return union(ends) or None

    # -- places and uses ---------------------------------------------------------------------------------------

    def origin(self, node: Node) -> Origin:
        return self.file.origin(node)

    def unknown(self, reason: str, node: Node, source: Source | None = None) -> Value:
        """A hole that stands for an expression."""
        return hole(reason, self.origin(node), source)

    def use(
        self,
        value: Value,
        node: Node,
        note: str,
        consumer: Consumer = Consumer.UNKNOWN,
        strength: int = ASSEMBLED,
        kind: str = "go-sql",
    ) -> None:
        """Records every text in `value` that holds a name as used at `node`.

        The parameter of a wrapper counts as used where the wrapper was called.
        """
        if self.run.muted:
            return
        chains = tuple(alt for alt in value if isinstance(alt, Chain))
        if chains:
            self.use(self.rendered(chains, node), node, note, Consumer.BUILDER, strength, "go-builder")
            value = tuple(alt for alt in value if not isinstance(alt, Chain))
        # What is nested deeper was recorded where the inner literal stands.
        found = [text for text in flatten(value, 1 if strength > STORED else 0) if self.run.matters(text.data())]
        if not found:
            return
        place = self._site(node)
        for text in found:
            key = (text, place.origin, consumer, strength)
            if key in self.run.seen:
                continue
            self.run.seen.add(key)
            if consumer is not Consumer.TEXT:
                self._want(text)
            self.run.uses.append(Use(text, place.origin, consumer, note, place.symbol, strength, place.test, kind))

    def _want(self, text: Text) -> None:
        """Notes what would have to be known to fill the holes of a text that matters and may be SQL."""
        if text.known or not may_be_sql(text.data()):
            return
        self.run.wanted.update(
            atom.source for atom in text.atoms if isinstance(atom, Unknown) and atom.source is not None
        )

    def rendered(self, value: Value, node: Node) -> Value:
        """Builders as the SQL that they mean."""
        origin = self.origin(node)
        return union(self.run.rendered(alt, origin) if isinstance(alt, Chain) else (alt,) for alt in value)

    def _site(self, node: Node) -> Site:
        if node.type == "identifier":
            known = self.sites.get(self.file.text(node))
            if known is not None:
                return known
        return Site(self.origin(node), self.symbol, self.file.source.test)

    def site_of(self, node: Node) -> Site:
        """Where the value of an argument comes from, through any number of wrappers."""
        return self._site(node)

    def store_field(self, folder: str, owner: str, name: str, value: Value) -> None:
        """Keeps what was assigned to a field of a struct ("": of which is not known) for the functions that read it.

        Of errors only literals: each holds the text of the one that it wraps.
        """
        if owner and self._is_error(folder, owner):
            value = tuple(alt for alt in value if not isinstance(alt, Text) or (alt.known and len(alt.atoms) == 1))
        self._learn(self.run.knowledge.fields.setdefault((folder, name), {}), owner, ("field", (folder, name)), value)

    def _is_error(self, folder: str, owner: str) -> bool:
        index = self.run.index
        if folder not in index.folders or b"Error" not in index.method_names(folder):
            return False
        methods = (item for item in index.lookup(folder, "Error") if item.receiver_type == owner)
        results = (item.node.child_by_field_name("result") for item in methods)
        return any(result is not None and result.text == b"string" for result in results)

    def store_variable(self, folder: str, name: str, value: Value) -> None:
        """Keeps what was assigned to a package variable for the functions that read it."""
        self._learn(self.run.knowledge.variables, (folder, name), ("variable", (folder, name)), value)

    def _learn(self, table: dict[K, Value], key: K, stored: tuple[str, tuple[str, str]], value: Value) -> None:
        telling = tuple(alt for alt in value if not isinstance(alt, Text) or _tells(alt))
        if not telling:
            return
        inside = list(flatten(telling, 1))
        for text in inside if stored[1] in self.run.knowledge.demanded else ():
            self.run.wanted.update(atom.source for atom in text.atoms if isinstance(atom, Unknown) and atom.source)
        before = table.get(key, ())
        table[key] = after = self.run.narrowed(union([before, telling], 4 * MAX_ALTERNATIVES))
        if after != before and any(self.run.matters(text.data()) and may_be_sql(text.data()) for text in inside):
            self.run.stored.add(stored)


def _may_be_one(kind: str, owner: str) -> bool:
    """Whether two spellings can mean one struct: without its type arguments it is any instance of a generic one."""
    one, _, arguments = kind.partition("[")
    other, _, wanted = owner.partition("[")
    return one == other and (not arguments or not wanted or arguments == wanted)


def _tells(text: Text) -> bool:
    return not text.atoms or any(not isinstance(atom, Unknown) for atom in text.atoms)
