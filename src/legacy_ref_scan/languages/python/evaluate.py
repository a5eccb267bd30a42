"""What a Python expression can be: its alternatives, as far as texts and sequences of texts are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod

import libcst as cst

from legacy_ref_scan.languages.python import literals, sinks
from legacy_ref_scan.languages.python import text as texts
from legacy_ref_scan.languages.python.findings import Findings, Found
from legacy_ref_scan.languages.python.library import Library
from legacy_ref_scan.languages.python.module import Class, Module, children, is_a, last_name
from legacy_ref_scan.languages.python.text import (
    LARGEST,
    LIMIT,
    Blank,
    Constant,
    Entity,
    Items,
    Pairs,
    Part,
    Pending,
    Run,
    Text,
    Unknown,
    Value,
    Values,
)
from legacy_ref_scan.model import Gap, Span

_CONSTANTS: dict[str, int | None] = {"None": None, "True": 1, "False": 0}
_MOST_REPEATED = 200


@dataclass
class Frame:
    """One run of a function's body: its variables, and where it stands."""

    module: Module
    symbol: str = ""
    owner: Class | None = None
    outer: Frame | None = None  # of a function within a function
    env: dict[str, Values] = field(default_factory=dict)
    depth: int = 0
    returns: list[Value] = field(default_factory=list)

    def copy_env(self) -> dict[str, Values]:
        return dict(self.env)


class Evaluator:
    """Evaluates expressions. Calls, names of other scopes and attributes are left to `Interpreter`."""

    def __init__(self, library: Library, findings: Findings, budget: int) -> None:
        self.library = library
        self.findings = findings
        self.budget = budget

    def call(self, node: cst.Call, frame: Frame) -> Values:
        raise NotImplementedError

    def look_up(self, name: str, frame: Frame, span: Span) -> Values:
        raise NotImplementedError

    def attribute(self, node: cst.Attribute, frame: Frame) -> Values:
        raise NotImplementedError

    def evaluate(self, node: cst.CSTNode, frame: Frame) -> Values:
        """The alternatives of an expression, at least one; calls within it are handed to their receivers."""
        self.budget -= 1
        if self.budget < 0:
            return (Unknown("too much to follow", frame.module.span(node)),)
        step = _STEPS.get(type(node))
        values = self._other(node, frame) if step is None else step(self, node, frame)
        if type(node) in _TEXTUAL:
            self._remember(values, node, frame)
        return values

    def unknown(self, reason: str, node: cst.CSTNode, frame: Frame) -> Values:
        """One unknown value."""
        return (Unknown(reason, frame.module.span(node)),)

    def limited(self, values: Iterable[Value], site: Span, frame: Frame) -> Values:
        """The values, each once, at most `LIMIT`: one for each set of mentions first, more such sets are a gap."""
        kept = self.bounded(values, site)
        if len(kept) < 2:
            return kept
        kept = tuple(dict.fromkeys(kept))
        if len(kept) <= LIMIT:
            return kept
        telling = {self._told(value): value for value in reversed(kept)}
        if len(telling) > LIMIT:
            self._too_many(site, frame)
        return tuple(dict.fromkeys((*telling.values(), *kept)))[:LIMIT]

    def bounded(self, values: Iterable[Value], site: Span) -> Values:
        """The values, with an unknown one for each that is too large: `x = [x, x]` doubles it with every round."""
        return tuple(v if texts.size(v) <= LARGEST else Unknown("too large a value", site) for v in values)

    def combinations(self, alternatives: Sequence[Values], site: Span, frame: Frame) -> list[Values]:
        """One of each alternative; where there are too many combinations, each alternative at least once.

        A combination that is left out matters only where two parts vary in what they mention.
        """
        if prod(map(len, alternatives)) <= LIMIT:
            return list(product(*alternatives))
        if sum(len(set(map(self._told, values))) > 1 for values in alternatives if len(values) > 1) > 1:
            self._too_many(site, frame)
        widest = max(map(len, alternatives))
        return [tuple(values[turn % len(values)] for values in alternatives) for turn in range(widest)]

    def _told(self, value: Value) -> frozenset[Span]:
        return self.findings.told(value) if isinstance(value, Text) else frozenset()

    def _too_many(self, site: Span, frame: Frame) -> None:
        message = f"more than {LIMIT} alternatives of a text that holds names of the target"
        self.findings.gap(Gap(site, "too-many-alternatives", message, frame.symbol, frame.module.source.test))

    def _remember(self, values: Values, node: cst.CSTNode, frame: Frame) -> None:
        for value in values:
            if isinstance(value, Text) and self.findings.holds(value):
                span = frame.module.span(node)
                leaf = frame.module.leaf_at(span.start + 2) or frame.module.leaf_at(span.start)
                note = leaf.detail if leaf is not None and leaf.kind == "string" else ""
                self.findings.loose(Found(value, span, frame.symbol, sinks.consumer_of(note), note))

    def _other(self, node: cst.CSTNode, frame: Frame) -> Values:
        for child in children(node):
            if is_a(type(child), cst.BaseExpression):
                self.evaluate(child, frame)
            else:
                self._inside(child, frame)
        return self.unknown(_describe(node), node, frame)

    def _inside(self, node: cst.CSTNode, frame: Frame) -> None:
        for child in children(node):
            kind = type(child)
            if is_a(kind, cst.BaseExpression):
                self.evaluate(child, frame)
            elif not is_a(kind, cst.BaseStatement) and not is_a(kind, cst.BaseSmallStatement):
                self._inside(child, frame)

    def _simple(self, node: cst.SimpleString, frame: Frame) -> Values:
        return (Text(literals.literal(frame.module.source.data, frame.module.span(node))),)

    def _concatenated(self, node: cst.ConcatenatedString, frame: Frame) -> Values:
        return self._concat((self.evaluate(node.left, frame), self.evaluate(node.right, frame)), node, frame)

    def _formatted(self, node: cst.FormattedString | cst.TemplatedString, frame: Frame) -> Values:
        prefix = node.start.rstrip("'\"").lower().encode()
        parts: list[Values] = []
        for part in node.parts:
            if isinstance(part, (cst.FormattedStringText, cst.TemplatedStringText)):
                data = frame.module.source.data
                parts.append((Text(literals.body(data, frame.module.span(part), prefix)),))
            elif isinstance(part, (cst.FormattedStringExpression, cst.TemplatedStringExpression)):
                parts.append(self._interpolated(part, frame))
        return self._concat(parts, node, frame)

    def _interpolated(
        self, node: cst.FormattedStringExpression | cst.TemplatedStringExpression, frame: Frame
    ) -> Values:
        values = self.evaluate(node.expression, frame)
        for part in node.format_spec or ():
            self._inside(part, frame)
        if node.format_spec:
            return self.unknown("a value with a format", node, frame)
        if node.conversion in ("r", "a"):
            quote = texts.made_up("'").parts
            return tuple(texts.concat([quote, v.parts, quote]) if isinstance(v, Text) else v for v in values)
        return values

    def _concat(self, alternatives: Sequence[Values], node: cst.CSTNode, frame: Frame) -> Values:
        site = frame.module.span(node)
        made: list[Value] = []
        for picked in self.combinations(alternatives, site, frame):
            made.append(texts.concat(texts.parts_of(value, site) for value in picked))
        return self.limited(made, site, frame)

    def _binary(self, node: cst.BinaryOperation, frame: Frame) -> Values:
        # `a + b + c + …` leans to the left: taken apart in a loop, so that a long chain needs no deep recursion.
        if isinstance(node.operator, cst.Add):
            operands: list[cst.BaseExpression] = []
            at: cst.BaseExpression = node
            while isinstance(at, cst.BinaryOperation) and isinstance(at.operator, cst.Add):
                operands.append(at.right)
                at = at.left
            return self.added([self.evaluate(one, frame) for one in (at, *reversed(operands))], node, frame)
        left, right = self.evaluate(node.left, frame), self.evaluate(node.right, frame)
        site = frame.module.span(node)
        pairs = self.combinations((left, right), site, frame)
        pending = pending_of((*left, *right))
        if pending is not None:
            return (pending,)
        if isinstance(node.operator, cst.Modulo) and any(isinstance(value, Text) for value in left):
            return self.limited((v for a, b in pairs for v in self._percent(a, b, site, frame)), site, frame)
        if isinstance(node.operator, cst.Multiply):
            return self.limited((_repeated(a, b, site) for a, b in pairs), site, frame)
        return self.unknown("an operation", node, frame)

    def _percent(self, left: Value, right: Value, site: Span, frame: Frame) -> Values:
        if not isinstance(left, Text):
            return (Unknown("an operation", site),)
        if not isinstance(right, Items):
            return (texts.percent(left, right, site),)
        picks = self.combinations(right.items, site, frame)
        return tuple(texts.percent(left, Items(tuple((v,) for v in p), right.complete), site) for p in picks)

    def added(self, alternatives: Sequence[Values], node: cst.CSTNode, frame: Frame) -> Values:
        """What `+` gives: texts one after another, or sequences."""
        flat = [value for values in alternatives for value in values]
        if any(isinstance(value, Text) for value in flat):
            return self._concat(alternatives, node, frame)
        site = frame.module.span(node)
        pending = pending_of(flat)
        if pending is not None:
            return (pending,)
        if not any(isinstance(value, Items) for value in flat):
            return self.unknown("a sum", node, frame)
        return self.limited(map(_chained, self.combinations(alternatives, site, frame)), site, frame)

    def _sequence(self, node: cst.List | cst.Tuple | cst.Set, frame: Frame) -> Values:
        items: list[Values] = []
        complete = True
        for element in node.elements:
            values = self.evaluate(element.value, frame)
            if isinstance(element, cst.StarredElement):
                known = values[0] if len(values) == 1 else None
                items += known.items if isinstance(known, Items) else ()
                complete = complete and isinstance(known, Items) and known.complete
            else:
                items.append(values)
        return (Items(tuple(items), complete),)

    def _dict(self, node: cst.Dict, frame: Frame) -> Values:
        pairs: list[tuple[str, Values]] = []
        keys: list[Text] = []
        complete = True
        for element in node.elements:
            key = self.evaluate(element.key, frame) if isinstance(element, cst.DictElement) else ()
            values = self.evaluate(element.value, frame)
            if len(key) == 1 and isinstance(key[0], Text):
                pairs.append((key[0].flat.decode("utf-8", "replace"), values))
                keys.append(key[0])
            elif not key and len(values) == 1 and isinstance(values[0], Pairs):
                pairs += values[0].pairs
                keys += values[0].keys
                complete = complete and values[0].complete
            else:
                complete = False
        self.findings.dict_keys(frame.module.span(node), keys)
        return (Pairs(tuple(pairs), tuple(keys), complete),)

    def _name(self, node: cst.Name, frame: Frame) -> Values:
        if node.value in _CONSTANTS:
            return (Constant(_CONSTANTS[node.value]),)
        return self.look_up(node.value, frame, frame.module.span(node))

    def _integer(self, node: cst.Integer, frame: Frame) -> Values:
        return (Constant(node.evaluated_value),)

    def _unary(self, node: cst.UnaryOperation, frame: Frame) -> Values:
        values = self.evaluate(node.expression, frame)
        known = values[0] if len(values) == 1 else None
        if isinstance(node.operator, cst.Minus) and isinstance(known, Constant) and known.value is not None:
            return (Constant(-known.value),)
        pending = pending_of(values)
        if pending is not None:
            return (pending,)
        return self.unknown("an operation", node, frame)

    def _subscript(self, node: cst.Subscript, frame: Frame) -> Values:
        bases = self.evaluate(node.value, frame)
        for element in node.slice:
            self._inside(element, frame)
        index = node.slice[0].slice if len(node.slice) == 1 else None
        queries = tuple(base for base in bases if isinstance(base, Entity) and base.kind == "query")
        if not isinstance(index, cst.Index):
            return queries or bases if queries or _is_copy(index) else self.unknown("a slice", node, frame)
        keys = self.evaluate(index.value, frame)
        site = frame.module.span(node)
        found = [v for base in bases for key in keys for v in self.item(base, key, site, frame)]
        return self.limited(found, site, frame)

    def item(self, base: Value, key: Value, site: Span, frame: Frame) -> Values:
        """What `base[key]` can be."""
        return _item(base, key, site)

    def _either(self, node: cst.IfExp, frame: Frame) -> Values:
        self.evaluate(node.test, frame)
        values = (*self.evaluate(node.body, frame), *self.evaluate(node.orelse, frame))
        return self.limited(values, frame.module.span(node), frame)

    def _boolean(self, node: cst.BooleanOperation, frame: Frame) -> Values:
        left, right = self.evaluate(node.left, frame), self.evaluate(node.right, frame)
        if isinstance(node.operator, cst.Or):
            kept = tuple(value for value in left if truth(value) is not False)
            right = right if any(truth(value) is not True for value in left) else ()
            return self.limited((*kept, *right), frame.module.span(node), frame)
        return self.limited((*left, *right), frame.module.span(node), frame)

    def _walrus(self, node: cst.NamedExpr, frame: Frame) -> Values:
        values = self.evaluate(node.value, frame)
        if isinstance(node.target, cst.Name):
            frame.env[node.target.value] = self.bounded(values, frame.module.span(node))
        return values

    def _awaited(self, node: cst.Await, frame: Frame) -> Values:
        return self.evaluate(node.expression, frame)

    def _comprehension(self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp, frame: Frame) -> Values:
        before = frame.copy_env()
        items, complete = self._comprehended((node.elt,), node.for_in, frame)
        frame.env = before
        return (Items(tuple(items), complete),)

    def _dict_comprehension(self, node: cst.DictComp, frame: Frame) -> Values:
        before = frame.copy_env()
        items, complete = self._comprehended((node.key, node.value), node.for_in, frame)
        frame.env = before
        keys: list[Text] = []
        pairs: list[tuple[str, Values]] = []
        for values in items:
            key, held = _entry(values)
            complete = complete and key is not None
            if key is not None:
                keys.append(key)
                pairs.append((key.flat.decode("utf-8", "replace"), held))
        return (Pairs(tuple(pairs), tuple(keys), complete),)

    def _comprehended(
        self, parts: Sequence[cst.BaseExpression], loop: cst.CompFor, frame: Frame
    ) -> tuple[list[Values], bool]:
        """What each round gives, several parts as a tuple, and whether these are all rounds."""
        sources = self.evaluate(loop.iter, frame)
        known = as_items(sources[0]) if len(sources) == 1 else None
        any_item = (each_of(sources[0]) if len(sources) == 1 else ()) or self.unknown("an item", loop.iter, frame)
        rounds: list[Values] = list(known.items[:LIMIT]) if known else [any_item]
        made: list[Values] = []
        complete = known is not None and known.complete and len(known.items) <= LIMIT
        for values in rounds:
            self.bind(loop.target, values, frame)
            for condition in loop.ifs:
                self.evaluate(condition.test, frame)
            if loop.inner_for_in is not None:
                inner, sure = self._comprehended(parts, loop.inner_for_in, frame)
                made += inner
                complete = complete and sure
            else:
                found = tuple(self.evaluate(part, frame) for part in parts)
                made.append(found[0] if len(found) == 1 else (Items(found),))
        return made, complete

    def bind(self, target: cst.BaseExpression, values: Values, frame: Frame) -> None:
        """Gives a target of an assignment or a loop its values."""
        if isinstance(target, cst.Name):
            frame.env[target.value] = self.bounded(values, frame.module.span(target))
        elif isinstance(target, (cst.Tuple, cst.List)):
            self._unpack(target, values, frame)
        elif isinstance(target, cst.StarredElement):
            self.bind(target.value, self.unknown("several values", target, frame), frame)
        elif isinstance(target, (cst.Attribute, cst.Subscript)):
            self.store(target, values, frame)

    def store(self, target: cst.Attribute | cst.Subscript, values: Values, frame: Frame) -> None:
        raise NotImplementedError

    def _unpack(self, target: cst.Tuple | cst.List, values: Values, frame: Frame) -> None:
        known = values[0] if len(values) == 1 and isinstance(values[0], Items) else None
        for index, element in enumerate(target.elements):
            if known is not None and known.complete and index < len(known.items):
                self.bind(element.value, known.items[index], frame)
            else:
                self.bind(element.value, self.unknown("a part of a value", element, frame), frame)


def pending_of(values: Iterable[Value]) -> Pending | None:
    """`Q(…) | ~Q(…)`: the names of all of them; None where there is none."""
    found = [value for value in values if isinstance(value, Pending)]
    return Pending(tuple(name for value in found for name in value.names)) if found else None


def as_items(value: Value) -> Items | None:
    """What a loop goes over, where that is known: the items of a list, the keys of a dict."""
    if isinstance(value, Pairs) and len(value.keys) == len(value.pairs):
        return Items(tuple((key,) for key in value.keys), value.complete)
    return value if isinstance(value, Items) else None


def each_of(value: Value) -> Values:
    """What one round of a loop gives, where the value is a query or a model; else nothing."""
    if isinstance(value, Entity) and value.kind in ("query", "model"):
        return (Entity("instance", value.model),)
    return ()


def truth(value: Value) -> bool | None:
    """What `bool()` gives, None where it is not known."""
    match value:
        case Constant(number):
            return bool(number)
        case Text(parts):
            known = any(isinstance(part, Run) and part.text for part in parts)
            return True if known else (False if not any(isinstance(part, Blank) for part in parts) else None)
        case Items(items, complete):
            return True if items else (False if complete else None)
    return None


def _describe(node: cst.CSTNode) -> str:
    return f"value of {last_name(node.func) or 'a call'}()" if isinstance(node, cst.Call) else "an expression"


def _repeated(left: Value, right: Value, site: Span) -> Value:
    value, times = (left, right) if isinstance(right, Constant) else (right, left)
    if isinstance(value, (Text, Items)):
        count = times.value if isinstance(times, Constant) else None
        if count is None or count > _MOST_REPEATED:
            again: tuple[Part, ...] = (Blank("repeated", site),)
            return Text(value.parts + again) if isinstance(value, Text) else Items(value.items, complete=False)
        if isinstance(value, Text):
            return Text(value.parts * count)
        return Items(value.items * count, value.complete)
    return Unknown("an operation", site)


def _chained(picked: Values) -> Value:
    items: list[Values] = []
    complete = True
    for value in picked:
        if isinstance(value, Items):
            items += value.items
            complete = complete and value.complete
        else:
            complete = False
    return Items(tuple(items), complete)


def _entry(values: Values) -> tuple[Text | None, Values]:
    """The key and the value of one round of a dict comprehension; no key where it is not known."""
    pair = values[0] if len(values) == 1 else None
    if not isinstance(pair, Items) or len(pair.items) != 2 or len(pair.items[0]) != 1:
        return None, ()
    key = pair.items[0][0]
    return (key if isinstance(key, Text) else None), pair.items[1]


def _is_copy(index: cst.BaseSlice | None) -> bool:
    return isinstance(index, cst.Slice) and not (index.lower or index.upper or index.step)


def _item(base: Value, key: Value, site: Span) -> Values:
    if isinstance(key, Items) and isinstance(base, Unknown):
        return (key,)  # `frame[["id", "error_message"]]`: these columns of a data frame
    if isinstance(base, Items) and isinstance(key, Constant) and key.value is not None:
        inside = base.complete and -len(base.items) <= key.value < len(base.items)
        return base.items[key.value] if inside else (Unknown("an item", site),)
    if isinstance(base, Pairs):
        if isinstance(key, Text):
            return base.get(key.flat.decode("utf-8", "replace")) or (Unknown("an item", site),)
        # Which key is not known: any of the values.
        return (*(value for _, values in base.pairs for value in values), Unknown("an item", site))
    return (Unknown("an item", site),)


_STEPS: dict[type[cst.CSTNode], Callable[..., Values]] = {
    cst.SimpleString: Evaluator._simple,
    cst.ConcatenatedString: Evaluator._concatenated,
    cst.FormattedString: Evaluator._formatted,
    cst.TemplatedString: Evaluator._formatted,
    cst.BinaryOperation: Evaluator._binary,
    cst.List: Evaluator._sequence,
    cst.Tuple: Evaluator._sequence,
    cst.Set: Evaluator._sequence,
    cst.Dict: Evaluator._dict,
    cst.Name: Evaluator._name,
    cst.Integer: Evaluator._integer,
    cst.UnaryOperation: Evaluator._unary,
    cst.Subscript: Evaluator._subscript,
    cst.IfExp: Evaluator._either,
    cst.BooleanOperation: Evaluator._boolean,
    cst.NamedExpr: Evaluator._walrus,
    cst.Await: Evaluator._awaited,
    cst.ListComp: Evaluator._comprehension,
    cst.SetComp: Evaluator._comprehension,
    cst.GeneratorExp: Evaluator._comprehension,
    cst.DictComp: Evaluator._dict_comprehension,
    cst.Call: lambda evaluator, node, frame: evaluator.call(node, frame),
    cst.Attribute: lambda evaluator, node, frame: evaluator.attribute(node, frame),
}
_TEXTUAL = frozenset(
    {cst.SimpleString, cst.ConcatenatedString, cst.FormattedString, cst.BinaryOperation, cst.Call, cst.TemplatedString}
)
