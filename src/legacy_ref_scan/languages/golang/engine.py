"""The worklist: which functions are interpreted, and how values lead from one to the next."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from legacy_ref_scan.languages import LANGUAGES, Project
from legacy_ref_scan.languages.golang.calls import call
from legacy_ref_scan.languages.golang.embedded import embedding, sql_by_another_name
from legacy_ref_scan.languages.golang.expressions import evaluate, spec_values
from legacy_ref_scan.languages.golang.frame import STORED, ExhaustedError, Frame, Knowledge, Machine, Run, Use
from legacy_ref_scan.languages.golang.inline import (
    apply,
    bind_receiver,
    declare_parameter,
    parameters,
    run_body,
    run_waiting,
    unknown_parameter,
)
from legacy_ref_scan.languages.golang.orm.boiled import makes_no_sql
from legacy_ref_scan.languages.golang.packages import Declaration, GoFile, Index
from legacy_ref_scan.languages.golang.prefilter import torn, unmentioned
from legacy_ref_scan.languages.golang.sinks import may_be_sql, may_hold_column, may_name_table
from legacy_ref_scan.languages.golang.statements import execute
from legacy_ref_scan.languages.golang.values import Known, Source, Text
from legacy_ref_scan.model import Fragment, Gap, Span

MAX_ROUNDS = 5
MAX_HOLE_ROUNDS = 2
"""How many callers up the parameters that leave holes are looked for; beyond, the hole stays, with its reason."""
MAX_ROOTS = 6000
MAX_TOTAL_STEPS = 800_000
MAX_RUNS_PER_ROOT = 3

Key = tuple[str, int, int]
_MACHINE = Machine(evaluate, execute, call, apply)


@dataclass
class Root:
    """A declaration to be interpreted, and what came of it. `round`: how many steps from a mention it was found."""

    declaration: Declaration
    round: int
    uses: list[Use] = field(default_factory=list)
    runs: int = 0
    queued: bool = False
    problem: str = ""
    calls: set[Key] = field(default_factory=set)  # functions for whose sake it was interpreted


class Engine:
    """Interprets what can reach a mention."""

    def __init__(self, project: Project) -> None:
        self.index = Index(project)
        self.names = project.names
        self.knowledge = Knowledge()
        self.matters: Callable[[bytes], bool] = lru_cache(maxsize=200_000)(self._matters)
        self.roots: dict[Key, Root] = {}
        self.gaps: list[Gap] = []
        self._queue: deque[Root] = deque()
        self._followed: set[object] = set()
        self._full = False
        self._steps = 0

    def _matters(self, data: bytes) -> bool:
        """Whether a text holds a name and may be a part of a statement.

        A table counts as the database knows it: what an ORM makes of its name stands in no statement.
        """
        found = list(self.names.places(data))
        if any(role == "column" for _, _, _, role in found):
            return may_hold_column(data)
        exact = any(data[start:end].lower() == name.lower().encode() for start, end, name, _ in found)
        return exact and may_name_table(data)

    def enqueue(self, declaration: Declaration, rounds: int, caller_of: Key | None = None) -> None:
        """Interprets a declaration, again if it was interpreted already and a reason came up."""
        if declaration.kind == "type" or makes_no_sql(declaration.file):
            return
        key = _root_key(declaration)
        root = self.roots.get(key)
        if root is None:
            exhausted = len(self.roots) >= MAX_ROOTS or self._steps > MAX_TOTAL_STEPS
            if rounds > MAX_ROUNDS or (rounds and exhausted):
                self._bound(declaration)
                return
            root = self.roots[key] = Root(declaration, rounds)
        elif caller_of is not None and caller_of in root.calls:
            return
        if caller_of is not None:
            root.calls.add(caller_of)
        if not root.queued and root.runs < MAX_RUNS_PER_ROOT:
            root.queued = True
            self._queue.append(root)

    def enqueue_embedded(self) -> Iterator[Fragment]:
        """Interprets what uses a variable that takes its text from a file with a name in it.

        Such a file that is SQL by its text alone comes back as a fragment.
        """
        candidates = {source.path: source for name in LANGUAGES for source in self.index.project.candidates(name)}
        for declaration, held in embedding(self.index):
            if isinstance(held, Text):
                sources = [candidates[path] for path in _paths_of(held) if path in candidates]
            else:
                sources = [candidates[path] for _, path in held.names if path in candidates]
            if any(self.matters(source.data) for source in sources):
                self._users_of_name(declaration.file.folder, declaration.name, 0)
            yield from (found for source in sources if (found := sql_by_another_name(source, declaration)) is not None)

    def enqueue_torn(self) -> None:
        """Interprets what may put a name together from halves, or has it inside of a longer one."""
        wanted = unmentioned(self.index.project)
        pattern = re.compile(b"|".join(re.escape(part.encode()) for part in wanted))
        for source in torn(self.index.project):
            file = self.index.parse(source)
            for match in pattern.finditer(source.data):
                for declaration in enclosing(file, match.start()):
                    self.enqueue(declaration, 1)
                    for name in _names_of_spec(declaration) if declaration.kind in ("const", "var") else ():
                        self._users_of_name(file.folder, name, 1)

    def _bound(self, declaration: Declaration) -> None:
        if not self._full:
            node = declaration.node.child_by_field_name("name") or declaration.node
            span = Span(declaration.file.path, node.start_byte, node.end_byte)
            message = f"values were followed through {MAX_ROUNDS} steps and {len(self.roots)} functions, no further"
            self.gaps.append(Gap(span, "go-bound-reached", message, declaration.symbol, declaration.file.source.test))
            self._full = True

    def fresh_run(self) -> Run:
        """A run that shares what is known with all others."""
        return Run(self.index, self.names, self.matters, self.knowledge, _MACHINE)

    def run(self) -> list[Root]:
        """Works until nothing new turns up."""
        while self._queue:
            root = self._queue.popleft()
            root.queued = False
            root.runs += 1
            run = self.fresh_run()
            root.problem = ""
            try:
                _interpret(run, root.declaration)
            except ExhaustedError:
                root.problem = "it takes too many steps to interpret"
            except RecursionError:
                root.problem = "it is nested too deeply"
            root.uses = run.uses
            self._steps += run.steps
            self._follow(root, run)
        return list(self.roots.values())

    # -- where values go -----------------------------------------------------------------------------------------

    def _follow(self, root: Root, run: Run) -> None:
        declaration, rounds = root.declaration, root.round + 1
        for kind, (folder, name) in sorted(run.stored):
            if kind == "field":
                self._spread(folder, name, rounds, rb"\." + re.escape(name.encode()))
            else:
                self._users_of_name(folder, name, rounds)
        for source in sorted(run.wanted, key=repr):
            self._demand(source, root, rounds)
        if declaration.kind in ("func", "method"):
            note = f"returned by {declaration.symbol}"
            if any(use.note == note and may_be_sql(use.text.data()) for use in run.uses):
                self._callers(declaration, rounds)
        elif run.uses:  # constants are followed whatever they look like: a part of a query is no query
            for name in _names_of_spec(declaration):
                self._users_of_name(declaration.file.folder, name, rounds)

    def _demand(self, source: Source, root: Root, rounds: int) -> None:
        """A hole in a text that matters: look for what could fill it."""
        if root.round > MAX_HOLE_ROUNDS:
            return
        if source.kind == "parameter" and isinstance(source.owner, tuple):
            owner = next((d for d in self._declared_at(source.owner)), None)
            if owner is not None:
                self._callers(owner, rounds)
        elif source.kind in ("field", "variable"):
            folder, name = str(source.owner), str(source.name)
            self.knowledge.demanded.add((folder, name))
            word = re.escape(name.encode())
            pattern = (
                rb"(?<!\w)"
                + word
                + (rb"\s*(?::[^=]|(?:,[^\n=]*)?\+?=[^=])" if source.kind == "field" else rb"\s*\+?=[^=]")
            )
            writers = list(self._found(folder, name, pattern))
            for writer in writers:
                if _root_key(writer) not in self.roots:
                    self.enqueue(writer, rounds)
            if writers and (source, root.declaration.key) not in self._followed:
                self._followed.add((source, root.declaration.key))
                self.enqueue(root.declaration, rounds)

    def _declared_at(self, key: Key) -> Iterator[Declaration]:
        file = self.index.file(key[0])
        if file is not None:
            yield from (d for d in file.in_order if d.node.start_byte == key[1] and d.position == key[2])

    def _callers(self, declaration: Declaration, rounds: int) -> None:
        if ("callers", declaration.key) in self._followed:
            return
        self._followed.add(("callers", declaration.key))
        self.knowledge.focus.add(declaration.key)
        for user in self._users(declaration.file.folder, declaration.name, declaration.kind == "method"):
            if user.key != declaration.key:
                self.enqueue(user, rounds, declaration.key)

    def _users_of_name(self, folder: str, name: str, rounds: int) -> None:
        if ("name", folder, name) not in self._followed:
            self._followed.add(("name", folder, name))
            for user in self._users(folder, name, False):
                self.enqueue(user, rounds)

    def _spread(self, folder: str, name: str, rounds: int, pattern: bytes) -> None:
        for reader in self._found(folder, name, pattern + rb"(?!\w)"):
            self.enqueue(reader, rounds)

    def _users(self, folder: str, name: str, method: bool) -> Iterator[Declaration]:
        """Declarations that use a top-level name, in its package and in those that import it."""
        lead = rb"\.\s*" if method else rb"(?<![.\w])"
        word = re.escape(name.encode())
        yield from self._found(folder, name, lead + word + rb"(?!\w)")
        if not name[:1].isupper():
            return
        for source in self.index.importers(folder):
            if name.encode() in source.data and source.path not in self.index.folders.get(folder, ()):
                file = self.index.parse(source)
                dotted = any(folder in self.index.resolve(path) for path in file.dot_imports)
                if dotted or any(folder in self.index.resolve(path) for path in file.imports.values()):
                    yield from _enclosing(file, (rb"(?<!\w)" if dotted else rb"\.\s*") + word + rb"(?!\w)", name)

    def _found(self, folder: str, name: str, pattern: bytes) -> Iterator[Declaration]:
        for file in self.index.files_with(folder, name):
            yield from _enclosing(file, pattern, name)


def _root_key(declaration: Declaration) -> Key:
    """All names of one spec are one root."""
    return (declaration.file.path, declaration.node.start_byte, 0)


def _enclosing(file: GoFile, pattern: bytes, name: str) -> Iterator[Declaration]:
    """The declarations around the places where code (no comment, no string) matches."""
    seen: set[int] = set()
    for match in re.finditer(pattern, file.source.data):
        for declaration in enclosing(file, match.start()):
            start = declaration.node.start_byte
            own = declaration.name == name and declaration.kind not in ("func", "method")
            if start in seen or own:
                continue
            at = match.group().find(name.encode()) + match.start()
            node = file.tree.root_node.descendant_for_byte_range(at, at)
            if node is not None and "comment" not in node.type and "string" not in node.type:
                seen.add(start)
                yield declaration


def enclosing(file: GoFile, offset: int) -> Iterable[Declaration]:
    """The top-level declaration around a byte; of a spec with several names, the first."""
    starts = file.starts
    at = bisect_right(starts, offset) - 1
    while at > 0 and starts[at - 1] == starts[at]:
        at -= 1
    if at >= 0 and offset < file.in_order[at].node.end_byte:
        yield file.in_order[at]


def _paths_of(text: Text) -> list[str]:
    return [atom.origin[0] for atom in text.atoms if isinstance(atom, Known) and atom.origin is not None]


def _names_of_spec(declaration: Declaration) -> list[str]:
    names = declaration.node.children_by_field_name("name")
    return [declaration.file.text(name) for name in names if name.is_named]


def _interpret(run: Run, declaration: Declaration) -> None:
    if declaration.kind not in ("func", "method"):
        _interpret_spec(run, declaration)
        return
    body = declaration.node.child_by_field_name("body")
    if body is None:
        return
    frame = Frame(run, declaration.file, declaration.symbol, declaration=declaration)
    for position, parameter in enumerate(parameters(declaration.node)):
        declare_parameter(frame, parameter, unknown_parameter(frame, declaration, position, parameter))
    bind_receiver(frame, declaration, None)
    run.stack.append(declaration.key)
    run_body(frame, declaration.node, body)


def _interpret_spec(run: Run, declaration: Declaration) -> None:
    names = _names_of_spec(declaration)
    frame = Frame(run, declaration.file, ", ".join(names), declaration=declaration)
    for position, node in enumerate(spec_values(declaration.node)):
        value = frame.evaluate(node)
        kind = "constant" if declaration.kind == "const" else "variable"
        label = names[position] if position < len(names) else declaration.name
        frame.use(value, node, f"{kind} {label}, never used", strength=STORED)
    run_waiting(frame)
