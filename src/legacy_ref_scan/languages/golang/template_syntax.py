"""The syntax of `text/template`: the parts of a template, the ways through its branches, and its pipelines.

It is that of https://pkg.go.dev/text/template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from legacy_ref_scan.languages.golang.formatting import slice_atoms
from legacy_ref_scan.languages.golang.values import MAX_ALTERNATIVES, Atom, Known, Origin, Text

# The marks of an action, which may hold them in a quoted text; a hyphen and a space trim the text outside.
_ACTION = re.compile(
    rb"\{\{(?P<left>-\s)?\s*(?P<body>(?:\"(?:\\.|[^\"\\])*\"|`[^`]*`|'(?:\\.|[^'\\])*'|/\*.*?\*/|(?!\s-?\}\}|\}\}).)*)"
    rb"(?P<right>\s-(?=\}\}))?\s*\}\}",
    re.DOTALL,
)
_KEYWORD = re.compile(rb"(?:if|range|with|else|end|define|block|template|break|continue)\b")
_NAMED = re.compile(rb"\w+\s*(?:\"([^\"]*)\"|`([^`]*)`)")
_ELSE = re.compile(rb"else\s+(?:if|with)\b")
_COUNTS = re.compile(rb"range\s+(\$\w+)\s*,\s*\$\w+\s*:=")
_ASKS = re.compile(rb"if\s+(?:(?:gt|ne)\s+)?(\$\w+)(?:\s+0)?\s*$")
_SPACES = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Text outside of the actions, at `start`..`end` of the template."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Action:
    """A pipeline, at `start`..`end` of the template, whose value is put into the text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Insert:
    """`{{template "name"}}`."""

    name: bytes


@dataclass(slots=True)
class Choice:
    """`if`, `with` or `range`: one branch for each of its conditions, and one for none of them.

    `index`: the variable that counts the rounds of a `range`. `asks`: the variable that an `if` wants not to be 0, as
    before a comma between items.
    """

    number: int
    above: tuple[tuple[int, int], ...]
    index: bytes = b""
    asks: bytes = b""
    branches: list[list[Part]] = field(default_factory=lambda: [[]])
    complete: bool = False


Part = Stretch | Action | Insert | Choice


@dataclass
class Template:
    """A template that was read. `spans`: the actions, each with whether it puts something into the text."""

    parts: list[Part] = field(default_factory=list)
    defined: dict[bytes, list[Part]] = field(default_factory=dict)
    choices: list[Choice] = field(default_factory=list)
    spans: list[tuple[int, int, bool]] = field(default_factory=list)

    def ways(self) -> tuple[list[Mapping[int, int]], bool]:
        """Which branch to take at each choice: all the first ones, all the last ones, and each other one beside first
        ones. So each branch is met with and without each other one. Second: whether ways were left out.
        """
        found: list[Mapping[int, int]] = [{}, {choice.number: len(choice.branches) - 1 for choice in self.choices}]
        for choice in self.choices:
            for branch in range(len(choice.branches)):
                found.append({**dict(choice.above), choice.number: branch})
        distinct = list({tuple(sorted((k, v) for k, v in way.items() if v)): way for way in found}.values())
        return distinct[:MAX_ALTERNATIVES], len(distinct) > MAX_ALTERNATIVES

    def along(self, way: Mapping[int, int]) -> Iterator[Stretch | Action]:
        """The parts that a way leads through, in order."""
        yield from self._follow(self.parts, way, (), {})

    def _follow(
        self, parts: list[Part], way: Mapping[int, int], inside: tuple[bytes, ...], rounds: Mapping[bytes, int]
    ) -> Iterator[Stretch | Action]:
        for part in parts:
            match part:
                case Choice(asks=asks, branches=branches) if asks in rounds:
                    yield from self._follow(branches[0 if rounds[asks] else 1], way, inside, rounds)
                case Choice(number=number, branches=branches, index=index) if index and not way.get(number, 0):
                    for count in range(2):
                        yield from self._follow(branches[0], way, inside, {**rounds, index: count})
                case Choice(number=number, branches=branches):
                    yield from self._follow(branches[way.get(number, 0)], way, inside, rounds)
                case Insert(name=name):
                    if name not in inside:
                        yield from self._follow(self.defined.get(name, []), way, (*inside, name), rounds)
                case _:
                    yield part


def has_actions(data: bytes) -> bool:
    """Whether a text has actions at all."""
    return b"{{" in data and _ACTION.search(data) is not None


def read(data: bytes) -> Template | None:
    """Read a template; None for one whose blocks do not match, which Go refuses."""
    template = Template()
    open_blocks: list[Choice | None] = []  # None: a `define` or `block`
    targets: list[list[Part]] = [template.parts]
    for start, end, trims_before, trims_after, action in _pieces(data):
        if action is None:
            _stretch(data, start, end, trims_before, trims_after, targets[-1])
            continue
        first, last = action
        body = data[first:last]
        keyword = _KEYWORD.match(body)
        template.spans.append((start, end, keyword is None and not body.startswith(b"/*")))
        if keyword is None:
            if body and not body.startswith(b"/*") and not re.match(rb"\$\w*\s*(?:,\s*\$\w+\s*)?:?=", body):
                targets[-1].append(Action(first, last))
        elif not _block(template, open_blocks, targets, keyword[0], body):
            return None
    return template if not open_blocks else None


def _pieces(data: bytes) -> Iterator[tuple[int, int, bool, bool, tuple[int, int] | None]]:
    """Stretches and actions: start, end, whether the actions around a stretch trim it, and an action's body."""
    at, trims = 0, False
    for match in _ACTION.finditer(data):
        yield at, match.start(), trims, match["left"] is not None, None
        yield match.start(), match.end(), False, False, match.span("body")
        at, trims = match.end(), match["right"] is not None
    yield at, len(data), trims, False, None


def _stretch(data: bytes, start: int, end: int, before: bool, after: bool, target: list[Part]) -> None:
    while before and start < end and data[start] in _SPACES:
        start += 1
    while after and start < end and data[end - 1] in _SPACES:
        end -= 1
    if start < end:
        target.append(Stretch(start, end))


def _block(
    template: Template, opened: list[Choice | None], targets: list[list[Part]], keyword: bytes, body: bytes
) -> bool:
    """Opens, goes on with or ends a block; false where that does not fit."""
    if keyword in (b"if", b"range", b"with"):
        above = tuple(_place(choice) for choice in opened if choice is not None)
        counts, asks = _COUNTS.match(body), _ASKS.match(body)
        choice = Choice(len(template.choices), above, counts[1] if counts else b"", asks[1] if asks else b"")
        template.choices.append(choice)
        targets[-1].append(choice)
        opened.append(choice)
        targets.append(choice.branches[0])
    elif keyword in (b"define", b"block", b"template"):
        named = _NAMED.match(body)
        if named is None:
            return False
        name = named[1] or named[2] or b""
        if keyword != b"define":
            targets[-1].append(Insert(name))
        if keyword != b"template":
            opened.append(None)
            targets.append(template.defined.setdefault(name, []))
    elif keyword in (b"else", b"end"):
        return _goes_on(opened, targets, keyword, body)
    return True


def _place(choice: Choice) -> tuple[int, int]:
    return choice.number, len(choice.branches) - 1


def _goes_on(opened: list[Choice | None], targets: list[list[Part]], keyword: bytes, body: bytes) -> bool:
    if not opened:
        return False
    current = opened[-1]
    targets.pop()
    if keyword == b"else":
        if current is None or current.complete:
            return False
        current.branches.append([])
        current.complete = _ELSE.match(body) is None
        targets.append(current.branches[-1])
        return True
    if current is not None and not current.complete:
        current.branches.append([])
    opened.pop()
    return True


# Pipelines

_OPERAND = re.compile(
    rb"(?P<text>\"(?:\\.|[^\"\\])*\"|`[^`]*`)|(?P<field>(?:\$\w*)?(?:\.\w+)+)|(?P<rest>\.|\$\w*|'(?:\\.|[^'\\])*')"
    rb"|(?P<number>[-+]?\d[\w.]*)|(?P<word>\w+)|(?P<open>\()|(?P<close>\))|(?P<pipe>\|)|(?P<space>\s+)"
)


@dataclass(frozen=True, slots=True)
class Operand:
    """A word of a pipeline: kind "text", "field", "number", "word" (a function) or "rest", and its place."""

    kind: str
    start: int
    end: int


Term = Operand | tuple["Term", ...]
Command = tuple[Term, ...]


def pipeline(data: bytes, start: int, end: int) -> list[Command] | None:
    """The commands of a pipeline, each a row of operands, with what stands in parentheses as a command of its own.

    None for what can't be read so.
    """
    stack: list[list[Term]] = [[]]
    commands: list[Command] = []
    at = start
    while at < end:
        match = _OPERAND.match(data, at, end)
        if match is None or match.lastgroup is None:
            return None
        at = match.end()
        if match.lastgroup == "open":
            stack.append([])
        elif match.lastgroup == "close":
            if len(stack) == 1:
                return None
            inner = tuple(stack.pop())
            stack[-1].append(inner)
        elif match.lastgroup == "pipe":
            if len(stack) > 1:
                return None
            commands.append(tuple(stack[0]))
            stack = [[]]
        elif match.lastgroup != "space":
            stack[-1].append(Operand(match.lastgroup, match.start(), match.end()))
    if len(stack) > 1:
        return None
    commands.append(tuple(stack[0]))
    return commands if all(commands) else None


# Bytes of a template


def cut(text: Text, start: int, end: int) -> Text:
    """The bytes `start`..`end` of a template's text."""
    return Text(slice_atoms(text.atoms, start, end), text.partial)


def origin_of(atoms: tuple[Atom, ...], otherwise: Origin) -> Origin:
    """Where bytes stand, if they stand in one piece."""
    if len(atoms) == 1 and isinstance(atoms[0], Known) and atoms[0].origin is not None:
        return atoms[0].origin
    return otherwise
