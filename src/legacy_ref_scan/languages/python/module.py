"""A parsed Python file: byte positions, what stands where, and which functions, classes and imports it has."""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import cache, cached_property

import libcst as cst

from legacy_ref_scan.languages.python.positions import Positions, positions
from legacy_ref_scan.model import SourceFile, Span

# libcst's native parser overflows the C stack (a crash, no exception) somewhere beyond 1,000 nested brackets or 3,000
# chained operators.
_DEEPEST = 200
_LONGEST_CHAIN = 1000
_RECURSION = 20_000
STRING_LITERAL = rb"""(?:
    '''(?:[^\\']++|\\.|'(?!''))*+(?:''')?|\"\"\"(?:[^\\"]++|\\.|"(?!""))*+(?:\"\"\")?|
    '(?:[^\\'\r\n]++|\\\r?\n|\\.)*+'?|"(?:[^\\"\r\n]++|\\\r?\n|\\.)*+"?)"""
"""A string literal without its prefix, for a pattern with VERBOSE and DOTALL. One that is not closed ends with its line
or file: looking again behind each escaped quote would take quadratic time."""

_NESTING = re.compile(
    STRING_LITERAL
    + rb"""
    |\#[^\n]*|[(\[{]|[)\]}]|[,\n:;]|\belif\b|[-+*/%.|&^@<>]|\b(?:and|or|not|if|lambda|await)\b|~""",
    re.VERBOSE | re.DOTALL,
)
_SKIPPED_FIELDS = re.compile(
    r"whitespace|lpar$|rpar$|lbracket$|rbracket$|lbrace$|rbrace$|comma$|semicolon$|header$|footer$|leading_lines"
    r"|lines_after|trailing_whitespace$|newline$|colon$|dot$|operators?$|equal$|indent$"
)

STRINGS = (cst.SimpleString, cst.ConcatenatedString, cst.FormattedString, cst.TemplatedString)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A token that can hold a mention. `kind`: "name", "string", "text" (of an f-string), "comment",
    "docstring"; `detail` says what it is there for."""

    start: int
    end: int
    kind: str
    detail: str = ""


@dataclass(frozen=True, eq=False)
class Function:
    """A function or method of a file. `symbol` is its dotted name within the file."""

    node: cst.FunctionDef
    module: Module
    symbol: str
    owner: Class | None = None

    @property
    def name(self) -> str:
        return self.node.name.value


@dataclass(frozen=True, eq=False)
class Class:
    """A class of a file, with its methods."""

    node: cst.ClassDef
    module: Module
    symbol: str
    methods: dict[str, Function] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.node.name.value


@dataclass(frozen=True, slots=True)
class Imported:
    """What a local name stands for: a module (`name` is empty) or a name of a module. `level`: leading dots."""

    module: str
    name: str = ""
    level: int = 0


@dataclass(eq=False)
class Module:
    """A parsed file. Filled by `parse`; only what is worked out on demand is added later."""

    source: SourceFile
    tree: cst.Module
    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, Class] = field(default_factory=dict)
    every: list[Function] = field(default_factory=list)
    definitions: dict[cst.CSTNode, Function | Class] = field(default_factory=dict)
    imports: dict[str, Imported] = field(default_factory=dict)
    stars: list[Imported] = field(default_factory=list)
    spans: dict[int, Span] = field(default_factory=dict)  # those asked for, by the `id` of their nodes
    _leaves: dict[int, Leaf | None] = field(default_factory=dict)  # those asked for, by offset

    @cached_property
    def positions(self) -> Positions:
        """The bytes of every node; found only when needed."""
        return positions(self.tree, self.source.data)

    def span(self, node: cst.CSTNode) -> Span:
        """The bytes of a node."""
        key = id(node)
        known = self.spans.get(key)
        if known is None:
            known = self.spans[key] = Span(self.source.path, *self.positions.nodes[key])
        return known

    def leaf_at(self, offset: int) -> Leaf | None:
        """The token that holds the byte at `offset`, if it can hold a mention: a name, a string or a comment."""
        if offset not in self._leaves:
            found = _comment_at(self, offset) or _leaf_at(self, offset) or _leaf_at(self, offset, everywhere=True)
            self._leaves[offset] = found
        return self._leaves[offset]

    @cached_property
    def uses(self) -> dict[str, tuple[int, int]]:
        """How often each name is used, and how often of that as what is called; definitions do not count."""
        found: dict[str, tuple[int, int]] = {}
        stack: list[cst.CSTNode] = [self.tree]
        while stack:
            node = stack.pop()
            below = list(children(node))
            if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
                below.remove(node.name)
            stack += below
            if isinstance(node, cst.Name):
                used, called = found.get(node.value, (0, 0))
                found[node.value] = (used + 1, called)
            elif isinstance(node, cst.Call) and last_name(node.func):
                used, called = found.get(last_name(node.func), (0, 0))
                found[last_name(node.func)] = (used, called + 1)
        return found

    @cached_property
    def history(self) -> str:
        """Which kind of migration the file is ("Alembic", "Django"), empty where it is none."""
        assigned = {name for name in _assigned(self.tree) if name in ("revision", "down_revision")}
        if len(assigned) == 2:
            return "Alembic"
        for known in self.classes.values():
            if known.name == "Migration" and any(_ends_with(base.value, "Migration") for base in known.node.bases):
                return "Django"
        return ""


def parse(source: SourceFile, *, positions: bool) -> Module | None:
    """The parsed file; None where it is no Python that can be read (Python 2, a conflict, a template, too deep).

    `positions` are found at once for a file that is accounted for: they too can turn out to nest too deeply.
    """
    if _too_deep(source.data):
        return None
    try:
        with deep_recursion():
            module = _parsed(source)
            if positions:
                _ = module.positions
    except (cst.ParserSyntaxError, cst.CSTValidationError, UnicodeDecodeError, RecursionError):
        return None
    return module


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Allows what a long chain of operators needs; Python frames of Python functions take no C stack."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The nodes below a node, in order, without white space and punctuation."""
    for name in _fields(type(node)):
        value = getattr(node, name)
        kind: type[object] = type(value)
        if kind is list or kind is tuple:
            for item in value:
                kind = type(item)
                if _is_node(kind):  # type: ignore[arg-type]
                    yield item
        elif _is_node(kind):  # type: ignore[arg-type]
            yield value


def dotted(node: cst.CSTNode | None) -> str:
    """`a.b.c` of a name or a chain of attributes; empty for anything else."""
    if type(node) is cst.Name:
        return node.value
    if type(node) is cst.Attribute:
        left = dotted(node.value)
        return f"{left}.{node.attr.value}" if left else ""
    return ""


def last_name(node: cst.CSTNode) -> str:
    """The last name of `a.b().c`: what is called or looked up."""
    if type(node) is cst.Name:
        return node.value
    return node.attr.value if type(node) is cst.Attribute else ""


def _parsed(source: SourceFile) -> Module:
    module = Module(source, cst.parse_module(source.data.decode("utf-8")))
    _define(module, module.tree, None, "")
    return module


@cache
def is_a(kind: type[object], base: type[cst.CSTNode]) -> bool:
    """Whether a type is one of libcst's kinds of nodes; asked for by type, for these are abstract: slow to test."""
    return issubclass(kind, base)


@cache
def _is_node(kind: type[object]) -> bool:
    return issubclass(kind, cst.CSTNode)


@cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind) if not _SKIPPED_FIELDS.search(one.name))


def _too_deep(data: bytes) -> bool:
    depth = elifs = 0
    chains = [0]
    for match in _NESTING.finditer(data):
        token = match[0]
        if token in b"([{":
            chains.append(0)
            depth += 1
            if depth > _DEEPEST:
                return True
        elif token in b")]}":
            depth = max(depth - 1, 0)
            if len(chains) > 1:
                chains.pop()
        elif token in (b",", b":", b";") or (token == b"\n" and not depth):
            chains[-1] = 0
        elif token == b"elif":
            elifs += 1
        elif token != b"\n" and not token.startswith(b"#"):
            chains[-1] += 1
        if chains[-1] > _LONGEST_CHAIN or elifs > _LONGEST_CHAIN:
            return True
    return False


def _comment_at(module: Module, offset: int) -> Leaf | None:
    comments = module.positions.comments
    index = bisect_right(comments, offset, key=lambda place: place[0]) - 1
    return Leaf(*comments[index], "comment") if index >= 0 and offset < comments[index][1] else None


def _leaf_at(module: Module, offset: int, *, everywhere: bool = False) -> Leaf | None:
    """The name or string at an offset. A string within an f-string's expression splits the f-string.

    `everywhere`: in nodes too whose place does not hold the offset. A block is longer than its place in a few files.
    """
    spans = module.positions.nodes
    stack: list[tuple[cst.CSTNode, str]] = [(module.tree, "name")]
    while stack:
        node, detail = stack.pop()
        kind = _LEAVES.get(type(node), "")
        start, end = spans[id(node)]
        if kind:
            if start <= offset < end:
                return Leaf(start, end, "docstring" if (detail, kind) == ("docstring", "string") else kind, detail)
        elif everywhere or start <= offset < end or type(node) in _WIDER:
            if type(node) in _TELLING:
                stack += [(child, _detail(node, child, detail)) for child in children(node)]
            else:
                below = "name" if _is_code(type(node)) else detail
                stack += [(child, below) for child in children(node)]
    return None


_LEAVES: dict[type[cst.CSTNode], str] = {
    cst.SimpleString: "string",
    cst.FormattedStringText: "text",
    cst.TemplatedStringText: "text",
    cst.Name: "name",
}
_WIDER = frozenset({cst.Module, cst.FunctionDef, cst.ClassDef, cst.Parameters, cst.Param, cst.Annotation})
"""The nodes with children outside of their own place: decorators, annotations."""
_TELLING = {
    *(cst.Expr, cst.Attribute, cst.Arg, cst.Param, cst.ImportAlias, cst.ImportFrom, cst.AsName, cst.DictElement),
    *(cst.Dict, cst.List, cst.Tuple, cst.Set, cst.Index, cst.Comparison, cst.ComparisonTarget, cst.FunctionDef),
    *(cst.ClassDef, cst.Call, cst.ConcatenatedString, cst.FormattedString, cst.BinaryOperation, cst.TemplatedString),
    *(cst.FormattedStringExpression, cst.TemplatedStringExpression),
}
"""The nodes whose kind and place say what a child is there for."""


@cache
def _is_code(kind: type[cst.CSTNode]) -> bool:
    return issubclass(kind, (cst.BaseStatement, cst.BaseSmallStatement, cst.BaseExpression))


def _detail(node: cst.CSTNode, child: cst.CSTNode, inherited: str) -> str:
    """What a child stands there for."""
    match node:
        case cst.Expr() if isinstance(child, STRINGS):
            return "docstring"
        case cst.Attribute() if child is node.attr:
            return "attribute"
        case cst.Arg():
            if child is node.keyword:
                return "keyword argument"
            return f"argument {node.keyword.value}" if node.keyword else inherited
        case cst.Param() if child is node.name:
            return "parameter"
        case cst.ImportAlias() | cst.ImportFrom() | cst.AsName():
            return "import"
        case cst.DictElement() if child is node.key:
            return f"dict key, {inherited}" if _passes_on(inherited) else "dict key"
        case cst.Dict() | cst.List() | cst.Tuple() | cst.Set() if _passes_on(inherited):
            return inherited
        case cst.Index():
            return "subscript"
        case cst.Comparison() | cst.ComparisonTarget():
            return "comparison"
        case cst.FunctionDef() | cst.ClassDef() if child is node.name:
            return "definition"
        case cst.Call():
            return f"argument of {last_name(node.func)}" if isinstance(child, cst.Arg) else inherited
        case cst.ConcatenatedString() | cst.FormattedString() | cst.BinaryOperation() | cst.TemplatedString():
            return inherited
        case cst.FormattedStringExpression() | cst.TemplatedStringExpression():
            return "name"
    return "name" if _is_code(type(node)) else inherited


def _passes_on(detail: str) -> bool:
    """Whether the items of a list or dict are there for the same purpose as the whole."""
    return detail.startswith(("argument ", "comparison"))


def _define(module: Module, node: cst.CSTNode, owner: Class | None, prefix: str) -> None:
    """Lists what is defined and imported, at any depth."""
    for child in _statements(node):
        match child:
            case cst.FunctionDef():
                symbol = f"{prefix}{child.name.value}"
                function = Function(child, module, symbol, owner)
                module.every.append(function)
                module.definitions[child] = function
                if owner is not None:
                    owner.methods[child.name.value] = function
                else:
                    module.functions.setdefault(child.name.value, function)
                _define(module, child, None, f"{symbol}.")
            case cst.ClassDef():
                symbol = f"{prefix}{child.name.value}"
                known = Class(child, module, symbol)
                module.definitions[child] = known
                module.classes.setdefault(child.name.value, known)
                _define(module, child, known, f"{symbol}.")
            case cst.ImportFrom(names=cst.ImportStar()):
                module.stars.append(Imported(dotted(child.module), "", len(child.relative)))
            case cst.Import() | cst.ImportFrom():
                module.imports.update(_imports(child))


def _statements(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The definitions and imports below a node, those within other definitions left out."""
    stack = list(children(node))
    while stack:
        child = stack.pop(0)
        if isinstance(child, (cst.FunctionDef, cst.ClassDef, cst.Import, cst.ImportFrom)):
            yield child
        elif not is_a(type(child), cst.BaseExpression):
            stack[:0] = children(child)


def _imports(node: cst.Import | cst.ImportFrom) -> Iterator[tuple[str, Imported]]:
    if isinstance(node.names, cst.ImportStar):
        return
    for alias in node.names:
        name = dotted(alias.name)
        local = dotted(alias.asname.name) if alias.asname and isinstance(alias.asname.name, cst.Name) else ""
        if isinstance(node, cst.Import):
            yield (local, Imported(name)) if local else (name.split(".")[0], Imported(name.split(".")[0]))
        else:
            yield local or name, Imported(dotted(node.module), name, len(node.relative))


def _assigned(tree: cst.Module) -> Iterator[str]:
    for statement in tree.body:
        for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            if isinstance(small, cst.Assign):
                yield from (dotted(target.target) for target in small.targets)
            elif isinstance(small, cst.AnnAssign):
                yield dotted(small.target)


def _ends_with(node: cst.BaseExpression, name: str) -> bool:
    return last_name(node) == name
