"""The values that expressions of a migration have, as far as its module says: constants, names, calls as written."""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final
from warnings import catch_warnings, simplefilter

from legacy_ref_scan.migrations.python.text import Text, constant
from legacy_ref_scan.model import SourceFile, Span


class Unknown:
    """The value of what is not known."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
HOLE: Final = "\x1a"
"""Stands in a text where a part of it is not known."""

_VERB, _FIELD = re.compile(r"%(?:\(\w*\))?[a-z]"), re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Symbol:
    """Something that is imported or built in, by its dotted name: `sqlalchemy.Integer`."""

    path: str

    @property
    def last(self) -> str:
        return self.path.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Member:
    """An attribute of a value: `sa.func.now().label`."""

    owner: object
    last: str


@dataclass(frozen=True)
class Call:
    """A call as written: what is called, and the values of its arguments. `**mapping` with unknown keys is `loose`."""

    function: Symbol | Member
    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    span: Span
    loose: bool = False

    @property
    def last(self) -> str:
        """The last part of the name that is called."""
        return self.function.last

    def get(self, position: int, keyword: str, default: object = None) -> object:
        """An argument by its position or its keyword."""
        if keyword in self.kwargs:
            return self.kwargs[keyword]
        return self.args[position] if 0 <= position < len(self.args) else default

    def text(self, position: int, keyword: str) -> str | None:
        """An argument that is a string."""
        value = self.get(position, keyword)
        return value if isinstance(value, str) else None


@dataclass(frozen=True)
class Module:
    """A parsed Python file: its tree, and the values of its module-level names."""

    source: SourceFile
    tree: ast.Module
    names: dict[str, object] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)

    def span(self, node: ast.AST) -> Span:
        """Where a node stands: positions of `ast` count in bytes of UTF-8, as ours do."""
        assert isinstance(node, ast.expr | ast.stmt)
        starts, last = self._line_starts, node.end_lineno or node.lineno
        begin, end = starts[node.lineno - 1] + node.col_offset, starts[last - 1] + (node.end_col_offset or 0)
        return Span(self.source.path, begin, end)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(line.end() for line in re.finditer(rb"\r\n|\r|\n", self.source.data))]

    def value(self, node: ast.expr | None, local: Mapping[str, object] | None = None) -> object:
        """The value of an expression."""
        try:
            return _Evaluation(self, {**self.names, **(local or {})}).value(node) if node is not None else None
        except RecursionError:
            return UNKNOWN


def parse_module(source: SourceFile, lookup: Callable[[Symbol], object] | None = None) -> Module | None:
    """The module of a file; None where it is no Python of this version. `lookup` knows more of imported names."""
    try:
        with catch_warnings():
            simplefilter("ignore")  # of escapes that a later Python refuses
            tree = ast.parse(source.data, source.path)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    module = Module(source, tree)
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound = imported(node)
            module.names.update({name: lookup(value) if lookup else value for name, value in bound.items()})
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            assign(module, node, module.names)
        elif isinstance(node, ast.FunctionDef):
            module.functions[node.name] = node
    return module


def assign(module: Module, node: ast.Assign | ast.AnnAssign, into: dict[str, object]) -> None:
    """Bind the names that an assignment binds."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    value = module.value(node.value, into) if node.value is not None else UNKNOWN
    for target in targets:
        bind(target, value, into)


def bind(target: ast.expr, value: object, into: dict[str, object]) -> None:
    """Bind a name, or the names of a tuple."""
    if isinstance(target, ast.Name):
        into[target.id] = value
    elif isinstance(target, ast.Tuple | ast.List):
        values = value if isinstance(value, list | tuple) and len(value) == len(target.elts) else None
        for number, element in enumerate(target.elts):
            bind(element, values[number] if values is not None else UNKNOWN, into)


def imported(node: ast.Import | ast.ImportFrom) -> dict[str, Symbol]:
    """The names that an import binds."""
    if isinstance(node, ast.Import):
        heads = {alias.name: alias.name if alias.asname else alias.name.partition(".")[0] for alias in node.names}
        return {alias.asname or heads[alias.name]: Symbol(heads[alias.name]) for alias in node.names}
    base = "." * node.level + (f"{node.module}." if node.module else "")
    return {alias.asname or alias.name: Symbol(base + alias.name) for alias in node.names}


@dataclass(frozen=True, slots=True)
class _Evaluation:
    module: Module
    names: Mapping[str, object]

    def value(self, node: ast.expr) -> object:
        match node:
            case ast.Constant(value=str()):
                return constant(self.module.source.data, node, self.module.span(node))
            case ast.Constant():
                return node.value
            case ast.Name():
                return self.names.get(node.id, Symbol(node.id))
            case ast.Attribute():
                return self._attribute(node)
            case ast.List() | ast.Tuple() | ast.Set():
                return self._sequence(node)
            case ast.Dict():
                return self._mapping(node)
            case ast.Call():
                return self._call(node)
            case ast.JoinedStr():
                return self._formatted(node)
            case ast.BinOp():
                return self._binary(node)
            case ast.UnaryOp():
                return self._unary(node)
            case ast.Subscript():
                return self._element(node)
        return UNKNOWN

    def _element(self, node: ast.Subscript) -> object:
        owner, key = self.value(node.value), self.value(node.slice)
        if isinstance(owner, dict) and isinstance(key, str | int):
            return owner.get(key, UNKNOWN)
        if isinstance(owner, list | tuple) and isinstance(key, int) and -len(owner) <= key < len(owner):
            return owner[key]
        return UNKNOWN

    def _attribute(self, node: ast.Attribute) -> object:
        owner = self.value(node.value)
        if isinstance(owner, Symbol):
            return Symbol(f"{owner.path}.{node.attr}")
        return Member(owner, node.attr)

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set) -> object:
        items: list[object] = []
        for element in node.elts:
            if isinstance(element, ast.Starred):
                inner = self.value(element.value)
                if not isinstance(inner, list | tuple):
                    return UNKNOWN
                items.extend(inner)
            else:
                items.append(self.value(element))
        return tuple(items) if isinstance(node, ast.Tuple) else items

    def _mapping(self, node: ast.Dict) -> object:
        found: dict[object, object] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            name = self.value(key) if key is not None else UNKNOWN
            if not isinstance(name, str | int):
                return UNKNOWN
            found[name] = self.value(value)
        return found

    def _call(self, node: ast.Call) -> object:
        function = self.value(node.func)
        if not isinstance(function, Symbol | Member):
            return UNKNOWN
        args: list[object] = []
        loose = False
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                inner = self.value(argument.value)
                loose |= not isinstance(inner, list | tuple)
                args.extend(inner if isinstance(inner, list | tuple) else ())
            else:
                args.append(self.value(argument))
        kwargs: dict[str, object] = {}
        for keyword in node.keywords:
            value = self.value(keyword.value)
            if keyword.arg is not None:
                kwargs[keyword.arg] = value
            elif isinstance(value, dict):
                kwargs.update({str(key): item for key, item in value.items()})
            else:
                loose = True
        call = Call(function, tuple(args), kwargs, self.module.span(node), loose)
        return self._computed(call)

    def _computed(self, call: Call) -> object:
        """What a few functions of strings give."""
        owner = call.function.owner if isinstance(call.function, Member) else None
        first = call.args[0] if call.args else None
        if call.last in ("getenv", "get") and _is_environment(call.function) and len(call.args) == 2:
            return call.args[1]  # what is not set has its default, as in a database that is made from the migrations
        if isinstance(call.function, Symbol) and call.function.path == "json.dumps" and _is_data(first):
            return Text.of([(json.dumps(first), call.span)])
        if call.last == "dedent" and isinstance(first, str):
            return Text.of([(textwrap.dedent(first), call.span)])
        if isinstance(owner, str) and call.last == "join" and isinstance(first, list | tuple):
            texts = [item for item in first if isinstance(item, str)]
            return Text.of([(owner.join(texts), call.span)]) if len(texts) == len(first) else UNKNOWN
        if isinstance(owner, str) and call.last == "format":
            if _plain((*call.args, *call.kwargs.values())) and not call.loose:
                return self._filled(lambda: owner.format(*call.args, **call.kwargs), call.span)
            return Text.of([(_FIELD.sub(HOLE, owner), call.span)])
        if isinstance(owner, dict) and call.last in ("items", "keys", "values"):
            return list(getattr(owner, call.last)())
        if isinstance(owner, str) and call.last in ("strip", "lower", "upper") and not call.args:
            return Text.of([(getattr(str(owner), call.last)(), call.span)])
        if call.last in ("list", "tuple") and isinstance(first, list | tuple):
            return list(first) if call.last == "list" else tuple(first)
        return call

    def _formatted(self, node: ast.JoinedStr) -> object:
        span = self.module.span(node)
        values: list[str] = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                value = self.value(part.value) if part.format_spec is None else UNKNOWN
            else:
                value = part.value if isinstance(part, ast.Constant) else UNKNOWN
            values.append(str(value) if _plain((value,)) else HOLE)
        return Text.of([("".join(values), span)])

    def _binary(self, node: ast.BinOp) -> object:
        left, right = self.value(node.left), self.value(node.right)
        span = self.module.span(node)
        if isinstance(node.op, ast.Add):
            if isinstance(left, Text) or isinstance(right, Text):
                halves = (value.parts if isinstance(value, Text) else ((HOLE, None),) for value in (left, right))
                return Text.of(part for half in halves for part in half)
            if isinstance(left, list) and isinstance(right, list):
                return [*left, *right]
        if isinstance(node.op, ast.Mod) and isinstance(left, str):
            values = right if isinstance(right, tuple) else (right,)
            flat = tuple(right.values()) if isinstance(right, dict) else values
            if _plain(flat):
                return self._filled(lambda: str(left) % right, span)
            return Text.of([(_VERB.sub(HOLE, left), span)])
        return UNKNOWN

    def _filled(self, make: Callable[[], str], span: Span) -> object:
        try:
            return Text.of([(make(), span)])
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            return UNKNOWN

    def _unary(self, node: ast.UnaryOp) -> object:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not) and isinstance(value, bool):
            return not value
        if isinstance(node.op, ast.USub) and isinstance(value, int | float):
            return -value
        return UNKNOWN


def _is_environment(function: Symbol | Member) -> bool:
    return isinstance(function, Symbol) and function.path in ("os.getenv", "os.environ.get", "getenv", "environ.get")


def _is_data(value: object) -> bool:
    """Whether a value is made of texts, numbers and the like alone."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and HOLE not in key and _is_data(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_data, value))
    return value is None or (isinstance(value, str | int | float | bool) and HOLE not in str(value))


def _plain(values: tuple[object, ...]) -> bool:
    return all(isinstance(value, str | int | float) for value in values)
