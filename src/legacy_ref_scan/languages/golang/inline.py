"""Calls to functions whose source is here: they are interpreted with the arguments of the call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from legacy_ref_scan.languages.golang.assignments import assign_to
from legacy_ref_scan.languages.golang.frame import MAX_DEPTH, Frame, Run, Site, TypeName
from legacy_ref_scan.languages.golang.generics import (
    filled,
    has_generic_receiver,
    inferred,
    of_receiver,
    receiving,
    spelled,
    type_parameters,
)
from legacy_ref_scan.languages.golang.packages import Declaration, Index, Node
from legacy_ref_scan.languages.golang.stdlib import Called
from legacy_ref_scan.languages.golang.types import aliased, methods, named_type, result_types, type_of, type_of_node
from legacy_ref_scan.languages.golang.values import (
    Chain,
    Entries,
    Function,
    Items,
    Source,
    Text,
    Unknown,
    Value,
    union,
)
from legacy_ref_scan.model import Consumer

# Types of results that are texts, or that texts can be taken from.
_TEXTUAL = re.compile(
    r"\*?(\[\d*\])*\*?(string|byte)$|map\[.*string$|map\[string\]|"
    r".*(Builder|Dataset|Sqlizer|Buffer|Expression|Query|gorm\.DB|Session|Cond|Template|FuncMap|QuerySeter|"
    r"orm\.Condition|RawSeter)$"
)
_WRITERS = frozenset(("*strings.Builder", "*bytes.Buffer", "io.Writer", "io.StringWriter"))
_ANY = frozenset(("any", "interface{}"))
_INSTANTIATIONS = frozenset(("type_instantiation_expression", "index_expression"))
_MAX_GUESSES = 3


class Callees(NamedTuple):
    """The methods that a call can mean; `guessed`: by name alone."""

    declarations: tuple[Declaration, ...]
    guessed: bool

    def __bool__(self) -> bool:
        return bool(self.declarations)


def callees(frame: Frame, owner: TypeName | None, value: Value, name: str, count: int) -> Callees:
    """The methods of the project that `operand.name(…)` can call, where the operand is of the type `owner`."""
    owner = aliased(frame.run.index, owner)
    if owner is not None:
        found = methods(frame.run.index, owner, name)
        if found or owner[0] not in frame.run.index.folders:
            return Callees(found, False)
    if any(not isinstance(alt, Text | Entries) for alt in value):
        return Callees((), False)
    if all(isinstance(alt, Text) and (alt.known or len(alt.atoms) > 1) for alt in value):
        return Callees((), False)
    same = [d for d in frame.run.index.lookup(frame.file.folder, name) if d.kind == "method"]
    fitting = tuple(d for d in same if accepts(d, count))
    return Callees(fitting if len(fitting) <= _MAX_GUESSES else (), True)


def accepts(declaration: Declaration, count: int) -> bool:
    """Whether a function takes so many arguments."""
    names = parameters(declaration.node)
    variadic = bool(names) and names[-1].variadic
    return count >= len(names) - 1 if variadic else count == len(names)


class Parameter(NamedTuple):
    """A parameter: its name ("" where it has none) and type."""

    name: str
    node: Node
    kind: Node | None
    variadic: bool


@lru_cache(maxsize=4096)
def parameters(function: Node) -> list[Parameter]:
    """The parameters of a function, one for each name."""
    listed = function.child_by_field_name("parameters")
    found = []
    for group in listed.named_children if listed is not None else []:
        if group.type not in ("parameter_declaration", "variadic_parameter_declaration"):
            continue
        kind = group.child_by_field_name("type")
        variadic = group.type.startswith("variadic")
        names = group.children_by_field_name("name")
        for name in names:
            found.append(Parameter(_text(name), name, kind, variadic))
        if not names:
            found.append(Parameter("", group, kind, variadic))
    return found


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def invoke(
    frame: Frame, declaration: Declaration, call: Called, operand: Node | None, receiver: Value | None
) -> list[Value] | None:
    """The results of a call to a function of the project; None where following it promises nothing."""
    run = frame.run
    body = declaration.node.child_by_field_name("body")
    if body is None or declaration.key in run.stack or len(run.stack) >= MAX_DEPTH:
        return None
    if not _promising(run, declaration, call, receiver):
        return None
    sites = tuple(frame.site_of(node) for node in call.nodes)
    generics = _type_arguments(frame, declaration, call, operand)
    key = (declaration.key, tuple(call.values), receiver, sites, spelled(generics))
    if key in run.memo:
        return run.memo[key]
    inner = Frame(run, declaration.file, declaration.symbol, declaration=declaration, generics=generics)
    _bind(frame, inner, declaration, call, sites)
    bind_receiver(inner, declaration, receiver)
    run.stack.append(declaration.key)
    try:
        results = run_body(inner, declaration.node, body)
    finally:
        run.stack.pop()
    changed = _copy_out(frame, inner, declaration, call, operand)
    if not changed:
        run.memo[key] = results
    return results


def _type_arguments(
    frame: Frame, declaration: Declaration, call: Called, operand: Node | None
) -> dict[TypeName, TypeName]:
    """What the type parameters of a function, or of its receiver, stand for in a call."""
    if has_generic_receiver(declaration):
        return of_receiver(declaration, type_of(frame, operand)) if operand is not None else {}
    if not type_parameters(declaration):
        return {}
    kinds = [parameter.kind for parameter in parameters(declaration.node)]
    patterns = (named_type(frame.run.index, declaration.file, kind) if kind is not None else None for kind in kinds)
    given = (type_of(frame, node) for node in call.nodes)
    bound = inferred(declaration, zip(patterns, given, strict=False))
    written = zip(type_parameters(declaration), _written_arguments(frame, call.node), strict=False)
    return bound | {name: kind for name, kind in written if kind is not None}


def _written_arguments(frame: Frame, node: Node) -> list[TypeName | None]:
    """The types of `collect[Row](…)`; one alone looks like an index."""
    function = node.child_by_field_name("function")
    kinds = function.named_children[1:] if function is not None and function.type in _INSTANTIATIONS else []
    return [
        filled((frame.file.folder, frame.file.text(kind)), frame.generics)
        if kind.type == "identifier"
        else type_of_node(frame, kind)
        for kind in kinds
    ]


def _promising(run: Run, declaration: Declaration, call: Called, receiver: Value | None) -> bool:
    if declaration.key in run.knowledge.focus:
        return True
    if any(map(run.hands_on, call.values)) or (receiver is not None and run.hands_on(receiver)):
        return True
    return _makes_texts(run.index, declaration)


@lru_cache(maxsize=4096)
def _makes_texts(index: Index, declaration: Declaration) -> bool:
    """Whether a function gives a text, or writes to something that it is given."""
    kinds = [parameter.kind for parameter in parameters(declaration.node) if parameter.kind is not None]
    if any(_text(kind) in _WRITERS for kind in kinds):
        return True
    return any(_textual(index, declaration, kind) for kind in result_types(declaration.node))


def _textual(index: Index, declaration: Declaration, kind: Node) -> bool:
    if _TEXTUAL.match(_text(kind)) or _is_type_parameter(declaration, kind):
        return True
    named = named_type(index, declaration.file, kind) if kind.type == "type_identifier" else None
    if named is None or _text(kind) in ("error", "bool", "int", "int64", "any", "float64"):
        return False
    underlying = [d.node.child_by_field_name("type") for d in index.lookup(*named) if d.kind == "type"]
    return any(node is not None and _text(node) in ("string", "[]string") for node in underlying)


def _is_type_parameter(declaration: Declaration, kind: Node) -> bool:
    """`func Join[T ~string](a, b T) T` gives a text where it takes one."""
    return any(name == _text(kind) for _, name in type_parameters(declaration))


def _bind(frame: Frame, inner: Frame, declaration: Declaration, call: Called, sites: tuple[Site, ...]) -> None:
    names = parameters(declaration.node)
    values = list(call.values)
    if len(call.nodes) == 1 and len(names) > 1 and len(values) < len(names):
        values += [inner.unknown("a further result", call.node)] * (len(names) - len(values))
    for position, parameter in enumerate(names):
        if parameter.variadic:
            value = _rest(values[position:], call.spread)
        else:
            value = values[position] if position < len(values) else inner.unknown("a missing argument", call.node)
        declare_parameter(inner, parameter, value)
        if position < len(sites) and parameter.name and not parameter.variadic:
            inner.sites[parameter.name] = sites[position]
            if parameter.kind is not None and _text(parameter.kind) in _ANY and position < len(call.nodes):
                _take_type(inner, parameter.name, frame, call.nodes[position])


def _take_type(inner: Frame, name: str, frame: Frame, node: Node) -> None:
    """What is handed over as `any` keeps its type: a wrapper of an ORM takes models so."""
    named = type_of(frame, node)
    if named is not None:
        inner.types[name] = named


def _rest(values: list[Value], spread: bool) -> Value:
    if spread and values:
        last = values[-1]
        return last if len(values) == 1 else (Items(tuple(values[:-1]), Unknown("rest of the arguments", ("", 0, 0))),)
    return (Items(tuple(values)),)


def declare_parameter(inner: Frame, parameter: Parameter, value: Value) -> None:
    """A parameter as a local variable, with its type."""
    inner.declare(parameter.name or "_", value)
    named = type_of_node(inner, parameter.kind) if parameter.kind is not None else None
    if named is not None and parameter.name:
        inner.types[parameter.name] = named


def bind_receiver(inner: Frame, declaration: Declaration, value: Value | None) -> None:
    """The receiver as a local variable."""
    receiver = declaration.node.child_by_field_name("receiver")
    for group in receiver.named_children if receiver is not None else []:
        for name in group.children_by_field_name("name"):
            known = value if value is not None else inner.unknown(f"receiver {_text(name)}", name)
            inner.declare(_text(name), known)
            named = (declaration.file.folder, declaration.receiver_type)
            inner.types[_text(name)] = receiving(declaration, named, inner.generics)


def unknown_parameter(frame: Frame, declaration: Declaration, position: int, parameter: Parameter) -> Value:
    """What a parameter is worth as long as nobody looked at the callers."""
    source = Source("parameter", declaration.key, position)
    reason = f"parameter {parameter.name} of {declaration.name}"
    if parameter.variadic:
        return (Items((), Unknown(reason, frame.origin(parameter.node), source)),)
    return frame.unknown(reason, parameter.node, source)


def run_body(inner: Frame, function: Node, body: Node) -> list[Value]:
    """Interprets a body; its results by position."""
    results = function.child_by_field_name("result")
    if results is not None and results.type == "parameter_list":
        inner.result_names = tuple(_declared_results(inner, results))
    inner.execute(body)
    run_waiting(inner)
    return _results(inner, function)


def _results(inner: Frame, function: Node) -> list[Value]:
    """The results by position, each the union over the `return`s.

    What an error says is for people, and of no interest to whoever hands it on: errors are wrapped again and again on
    their way up, with one more text for each way.
    """
    width = max((len(values) for values in inner.returns), default=0)
    results = [union(values[at] for values in inner.returns if at < len(values)) for at in range(width)]
    for position, kind in enumerate(result_types(function)[: len(results)]):
        if _text(kind) == "error":
            said = tuple(alt for alt in results[position] if not isinstance(alt, Chain))  # a query's end was used there
            inner.use(said, kind, "what an error says", Consumer.TEXT)
            results[position] = inner.unknown("an error", kind)
    return results


def _declared_results(inner: Frame, results: Node) -> Iterator[str]:
    """Named results as local variables, with their types."""
    for group in results.named_children:
        kind = group.child_by_field_name("type")
        for name in group.children_by_field_name("name"):
            declare_parameter(inner, Parameter(_text(name), name, kind, False), (Text(()),))
            yield _text(name)


def run_waiting(frame: Frame) -> None:
    """Closures that nobody called so far are called by somebody else, with unknown arguments."""
    while frame.waiting:
        function, node = frame.waiting.pop()
        if _closure_key(function) not in frame.run.applied:
            apply(frame, function, [], [], node)


def run_closures(frame: Frame, call: Called) -> None:
    """Function literals given to a function that is not known are called by it, with unknown arguments."""
    for value in call.values:
        for alt in value:
            if isinstance(alt, Function) and alt.node is not None and _closure_key(alt) not in frame.run.applied:
                apply(frame, alt, [], [], call.node)


def _closure_key(function: Function) -> tuple[str, int]:
    return (function.file.path, function.node.start_byte if function.node is not None else -1)


def apply(frame: Frame, function: Function, values: list[Value], nodes: list[Node], node: Node) -> list[Value]:
    """Calls a function literal: it sees and changes the variables around it."""
    literal = function.node
    body = literal.child_by_field_name("body") if literal is not None else None
    if literal is None or body is None:
        return []
    key = (function.file.path, literal.start_byte, -1)
    if key in frame.run.stack or len(frame.run.stack) >= MAX_DEPTH:
        return []
    frame.run.applied.add(_closure_key(function))
    home, scopes = frame.run.closures.get(_closure_key(function), (frame, frame.scopes))
    saved = (home.scopes, home.returns, home.loops, home.dead, home.result_names)
    home.scopes = [*(home.scopes if len(home.scopes) >= len(scopes) else scopes), {}]
    home.returns, home.loops, home.dead, home.result_names = [], [], False, ()
    frame.run.stack.append(key)
    try:
        _bind_closure(frame, home, literal, values, nodes)
        home.execute(body)
        return _results(home, literal)
    finally:
        frame.run.stack.pop()
        kept = home.scopes
        home.scopes, home.returns, home.loops, home.dead, home.result_names = saved
        for scope, after in zip(home.scopes, kept, strict=False):
            scope.update(after)


def _bind_closure(frame: Frame, home: Frame, literal: Node, values: list[Value], nodes: list[Node]) -> None:
    """Declares the parameters of a function literal in the frame around it."""
    spread = bool(nodes) and nodes[-1].type == "variadic_argument"
    for position, parameter in enumerate(parameters(literal)):
        given = values[position] if position < len(values) and not parameter.variadic else None
        if parameter.variadic and values:
            given = _rest(values[position:], spread)
        named = parameter.name or "value"
        declare_parameter(home, parameter, given or home.unknown(f"parameter {named} of a closure", parameter.node))
        if given is not None and parameter.name and position < len(nodes):
            home.sites[parameter.name] = frame.site_of(nodes[position])


def _copy_out(frame: Frame, inner: Frame, declaration: Declaration, call: Called, operand: Node | None) -> bool:
    """What a function wrote behind a pointer is seen by its caller: buffers, builders, maps."""
    changed = False
    for position, parameter in enumerate(parameters(declaration.node)):
        if position < len(call.nodes) and parameter.kind is not None and _shared(parameter.kind):
            after = inner.final(parameter.name)
            if after is not None and after != call.values[position]:
                changed = True
                _write_back(frame, call.nodes[position], after)
    if operand is not None and declaration.receiver.startswith("*"):
        receiver = declaration.node.child_by_field_name("receiver")
        names = [n for g in (receiver.named_children if receiver else []) for n in g.children_by_field_name("name")]
        after = inner.final(_text(names[0])) if names else None
        before = frame.evaluate(operand) if operand.type == "identifier" else None
        if after is not None and before is not None and after != before and _telling(after):
            changed = True
            _write_back(frame, operand, after)
    return changed


def _telling(value: Value) -> bool:
    return any(isinstance(alt, Entries) for alt in value)


def _shared(kind: Node) -> bool:
    return kind.type in ("pointer_type", "map_type") or _text(kind) in ("io.Writer", "io.StringWriter")


def _write_back(frame: Frame, node: Node, value: Value) -> None:
    target = node
    while target.type in ("unary_expression", "parenthesized_expression") and target.named_child_count:
        target = target.named_children[-1]
    if target.type in ("identifier", "selector_expression"):
        assign_to(frame, target, value)
