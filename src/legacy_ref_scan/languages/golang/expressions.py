"""Expressions: what a Go expression can be worth as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from legacy_ref_scan.languages.golang.embedded import embedded_value
from legacy_ref_scan.languages.golang.frame import STORED, Frame, TypeName
from legacy_ref_scan.languages.golang.generics import struct_name
from legacy_ref_scan.languages.golang.literals import decode
from legacy_ref_scan.languages.golang.packages import Declaration, Node
from legacy_ref_scan.languages.golang.places import key_note
from legacy_ref_scan.languages.golang.types import MAP, field_names, methods, type_of, type_of_node
from legacy_ref_scan.languages.golang.values import (
    EMPTY,
    Alternative,
    Entries,
    External,
    Function,
    Items,
    Known,
    Source,
    Text,
    Unknown,
    Value,
    union,
)

_COMPARISONS = frozenset((b"==", b"!=", b"<", b">", b"<=", b">="))
_NAMED = frozenset(("identifier", "selector_expression"))
BUFFERS = frozenset(("strings.Builder", "bytes.Buffer"))


def evaluate(frame: Frame, node: Node) -> Value:
    """The value of an expression."""
    evaluator = _EVALUATORS.get(node.type)
    if evaluator is not None:
        return evaluator(frame, node)
    for child in node.named_children:
        frame.evaluate(child)
    return frame.unknown(f"{node.type.replace('_', ' ')}", node)


def _literal(frame: Frame, node: Node) -> Value:
    return (decode(frame.file.source.data, node.start_byte, node.end_byte, frame.file.path),)


def _number(frame: Frame, node: Node) -> Value:
    return (Text((Known(frame.file.bytes(node), frame.origin(node)),)),)


def _nothing(frame: Frame, node: Node) -> Value:
    return frame.unknown(frame.file.text(node)[:40], node)


def _inner(frame: Frame, node: Node) -> Value:
    return frame.evaluate(node.named_children[0]) if node.named_child_count else frame.unknown("nothing", node)


def _identifier(frame: Frame, node: Node) -> Value:
    name = frame.file.text(node)
    local = frame.get(name)
    if local is not None:
        return local
    declared = frame.run.index.in_package(frame.file, name)
    if declared:
        return package_value(frame, declared, node)
    path = frame.file.imports.get(name)
    return (External(path, ""),) if path else frame.unknown(f"name {name}", node)


def package_value(frame: Frame, declared: Iterable[Declaration], node: Node) -> Value:
    """What top-level declarations of one name (of several files, build tags) can be worth."""
    return union([_declared(frame, declaration, node) for declaration in declared])


def _declared(frame: Frame, declaration: Declaration, node: Node) -> Value:
    if declaration.kind in ("func", "method"):
        return (Function(declaration, None, declaration.file),)
    if declaration.kind == "type":
        return (External("", declaration.name),)
    assigned = frame.run.knowledge.variables.get((declaration.file.folder, declaration.name), ())
    initial = _initial(frame, declaration, node)
    return union([initial, assigned]) if assigned else initial


def _initial(frame: Frame, declaration: Declaration, node: Node) -> Value:
    constants = frame.run.knowledge.constants
    if declaration.key not in constants:
        reason = f"{declaration.kind} {declaration.name}"
        source = Source("variable", declaration.file.folder, declaration.name)
        constants[declaration.key] = frame.unknown(f"{reason}, defined by itself", node)
        frame.run.muted += 1
        try:
            found = initial_value(frame, declaration)
        finally:
            frame.run.muted -= 1
        constants[declaration.key] = found if found is not None else frame.unknown(reason, node, source)
    return constants[declaration.key]


def initial_value(frame: Frame, declaration: Declaration) -> Value | None:
    """The value of a package-level const or var as declared; None where the declaration gives none."""
    inner = Frame(frame.run, declaration.file, declaration.name)
    spec = declaration.node
    values = spec_values(spec)
    if not values:
        held = embedded_value(frame.run.index, declaration)
        if held is not None:
            return held
        kind = spec.child_by_field_name("type")
        return zero_value(inner, kind) if kind is not None and kind.type != "type_identifier" else None
    if declaration.position < len(values):
        return inner.evaluate(values[declaration.position])
    results = frame.run.machine.call(inner, values[0]) if values[0].type == "call_expression" else []
    return results[declaration.position] if declaration.position < len(results) else None


def spec_values(spec: Node) -> list[Node]:
    """The initialisers of a const_spec or var_spec."""
    value = spec.child_by_field_name("value")
    if value is None:
        return []
    return value.named_children if value.type == "expression_list" else [value]


def zero_value(frame: Frame, kind: Node) -> Value | None:
    """The zero value of types that hold text; None for others."""
    written = frame.file.text(kind)
    if written in ("string", "[]byte") or written.lstrip("*") in BUFFERS:
        return EMPTY
    if kind.type in ("slice_type", "array_type"):
        return (Items(()),)
    if kind.type == "map_type":
        return (Entries(()),)
    named = type_of_node(frame, kind)
    return (Entries((), named[1]),) if named is not None and named[0] and kind.type != "pointer_type" else None


def _selector(frame: Frame, node: Node) -> Value:
    operand, field = node.child_by_field_name("operand"), node.child_by_field_name("field")
    if operand is None or field is None:
        return frame.unknown("selector", node)
    name = frame.file.text(field)
    path = imported(frame, operand)
    if path is not None:
        declared = frame.run.index.exported(path, name)
        return package_value(frame, declared, node) if declared else (External(path, name),)
    return union([_field_of(frame, alt, operand, name, node) for alt in frame.evaluate(operand)])


def imported(frame: Frame, operand: Node) -> str | None:
    """The import path that an operand names, unless a variable shadows it."""
    if operand.type not in ("identifier", "package_identifier"):
        return None
    name = frame.file.text(operand)
    if frame.get(name) is not None:
        return None
    path = frame.file.imports.get(name)
    if path is None:
        # `import "example.com/x/store-pg"` may declare package store: match what no variable explains.
        path = next((p for p in frame.file.imports.values() if _declares(frame, p, name)), None)
    return path


def _declares(frame: Frame, path: str, name: str) -> bool:
    for folder in frame.run.index.resolve(path):
        for file in frame.run.index.folders[folder][:1]:
            parsed = frame.run.index.file(file)
            if parsed is not None and parsed.package == name:
                return True
    return False


def _field_of(frame: Frame, alt: Alternative, operand: Node, name: str, node: Node) -> Value:
    if isinstance(alt, External):
        return (External(alt.path, f"{alt.name}.{name}" if alt.name else name),)
    if isinstance(alt, Entries):
        found = alt.get(name.encode())
        if found is not None:
            return found
    owner = type_of(frame, operand)
    folder = owner[0] if owner is not None and owner[0] else frame.file.folder
    known = frame.run.knowledge.field(folder, name, struct_name(owner))
    if known:
        return known
    bound = methods(frame.run.index, owner, name) if owner is not None else ()
    if bound:
        return tuple(Function(method, None, method.file, (alt,)) for method in bound)
    written = frame.file.text(operand)
    return frame.unknown(f"field {name} of {written[:40]}", node, Source("field", folder, name))


def _binary(frame: Frame, node: Node) -> Value:
    operator = node.child_by_field_name("operator")
    kind = frame.file.bytes(operator) if operator is not None else b""
    if kind == b"+":
        return _sum(frame, node)
    operands = [child for child in (node.child_by_field_name("left"), node.child_by_field_name("right")) if child]
    for operand in operands:
        value = frame.evaluate(operand)
        if kind in _COMPARISONS:
            frame.use(value, operand, "comparison")
    return frame.unknown(f"result of {kind.decode('ascii', 'replace')}", node)


def _sum(frame: Frame, node: Node) -> Value:
    """`a + b + c` nests to the left, as deep as it is long: so no recursion."""
    operands: list[Node] = []
    current: Node | None = node
    while current is not None and current.type == "binary_expression" and _is_plus(frame, current):
        right = current.child_by_field_name("right")
        if right is not None:
            operands.append(right)
        current = current.child_by_field_name("left")
    if current is not None:
        operands.append(current)
    values = [frame.evaluate(operand) for operand in reversed(operands)]
    if all(operand.type == "int_literal" for operand in operands):
        return frame.unknown("number", node)
    names = [frame.file.text(operand) if operand.type in _NAMED else "" for operand in reversed(operands)]
    return frame.run.concatenate(values, frame.origin(node), tuple(names))


def _is_plus(frame: Frame, node: Node) -> bool:
    operator = node.child_by_field_name("operator")
    return operator is not None and frame.file.bytes(operator) == b"+"


def _call(frame: Frame, node: Node) -> Value:
    results = frame.run.machine.call(frame, node)
    return results[0] if results else frame.unknown("nothing", node)


def _conversion(frame: Frame, node: Node) -> Value:
    operand = node.child_by_field_name("operand")
    return frame.evaluate(operand) if operand is not None else frame.unknown("conversion", node)


def _unary(frame: Frame, node: Node) -> Value:
    operand, operator = node.child_by_field_name("operand"), node.child_by_field_name("operator")
    if operand is None or operator is None:
        return frame.unknown("operand", node)
    value = frame.evaluate(operand)
    return value if frame.file.bytes(operator) in (b"&", b"*") else frame.unknown("operation", node)


def _index(frame: Frame, node: Node) -> Value:
    operand, index = node.child_by_field_name("operand"), node.child_by_field_name("index")
    if operand is None or index is None:
        return frame.unknown("element", node)
    container, key = frame.evaluate(operand), frame.evaluate(index)
    frame.use(key, index, "map index")
    return union([_element(frame, alt, key, node) for alt in container])


def _element(frame: Frame, alt: Alternative, key: Value, node: Node) -> Value:
    keys = [text.data() for text in key if isinstance(text, Text) and text.known]
    if isinstance(alt, Entries):
        found = [value for wanted in keys if (value := alt.get(wanted)) is not None]
        if len(found) == len(key):
            return union(found)
        return union([*(value for _, value in alt.pairs), frame.unknown("element that was not found", node)])
    if isinstance(alt, Items):
        places = [int(text) for text in keys if text.isdigit()]
        if len(places) == len(key) and alt.rest is None and all(place < len(alt.elements) for place in places):
            return union([alt.elements[place] for place in places])
        rest = [frame.unknown(alt.rest.reason, node)] if alt.rest is not None else []
        return union([*alt.elements, *rest]) or frame.unknown("element of an empty list", node)
    return frame.unknown("element", node)


def _slice(frame: Frame, node: Node) -> Value:
    operand = node.child_by_field_name("operand")
    for name in ("start", "end", "capacity"):
        bound = node.child_by_field_name(name)
        if bound is not None:
            frame.evaluate(bound)
    if operand is None:
        return frame.unknown("slice", node)
    return union([_part(frame, alt, node) for alt in frame.evaluate(operand)])


def _part(frame: Frame, alt: Alternative, node: Node) -> Value:
    """A part of a list may lack elements, a part of a text its ends: names are kept, what is cut is a hole."""
    cut = Unknown("slice", frame.origin(node))
    if isinstance(alt, Items):
        return (Items(alt.elements, cut), alt)
    if isinstance(alt, Text):
        already = bool(alt.atoms) and isinstance(alt.atoms[0], Unknown) and alt.atoms[0].reason == cut.reason
        if already:
            return (alt,)
        some = (Text((cut,)),) if _hides_column(frame, alt.data()) else ()
        return (alt, Text((cut, *alt.atoms, cut), alt.partial), *some)
    return (alt,)


def _hides_column(frame: Frame, data: bytes) -> bool:
    """Whether a column's name is inside of a longer word, which a part of the text may be: `"iderror"[2:]`."""
    lower = data.lower()
    inside = any(name.lower().encode() in lower for name in frame.run.names.columns)
    return inside and not frame.run.names.in_text(data, "column")


def _composite(frame: Frame, node: Node) -> Value:
    kind, body = node.child_by_field_name("type"), node.child_by_field_name("body")
    if body is None:
        return frame.unknown("composite literal", node)
    if kind is not None and frame.file.text(kind) in BUFFERS:
        return EMPTY
    named = type_of_node(frame, kind) if kind is not None else None
    return _literal_value(frame, body, kind, named)


def _elided(frame: Frame, node: Node) -> Value:
    return _literal_value(frame, node, None, None)


def _literal_value(frame: Frame, body: Node, kind: Node | None, named: TypeName | None) -> Value:
    elements = [child for child in body.named_children if child.type in ("literal_element", "keyed_element")]
    named = named if named != MAP else None
    map_like = kind is not None and kind.type == "map_type"
    list_like = kind is not None and kind.type in ("slice_type", "array_type", "implicit_length_array_type")
    written = f"{_package_name(named[0])}.{named[1]}" if named is not None else ""
    if any(child.type == "keyed_element" for child in elements) and not list_like:
        item = kind.child_by_field_name("value") if kind is not None and map_like else None
        pairs = [pair for child in elements if (pair := _pair(frame, child, map_like, named, item)) is not None]
        return (Entries(tuple(pairs), written),)
    if not elements and not list_like:
        return (Entries((), written),)
    names = field_names(frame.run.index, named) if named is not None and not list_like else ()
    if named is not None and len(names) == len(elements):
        return (
            Entries(tuple(_positional(frame, *pair, named) for pair in zip(names, elements, strict=True)), written),
        )
    element = kind.child_by_field_name("element") if kind is not None and list_like else None
    values = [_list_element(frame, child, element) for child in elements]
    return (Items(tuple(values)),)


def _positional(frame: Frame, name: str, child: Node, named: TypeName) -> tuple[Value, Value]:
    """`repo{db, "t"}`: the fields in the order of the struct."""
    value = _list_element(frame, child)
    frame.store_field(named[0], struct_name(named), name, value)
    return (Text((Known(name.encode()),)),), value


def _package_name(path: str) -> str:
    from legacy_ref_scan.languages.golang.packages import default_name

    return default_name(path) if path else ""


def _list_element(frame: Frame, child: Node, kind: Node | None = None) -> Value:
    """An element of a list whose elements are of a type: `[]column{{"id", "text"}}` writes it once for all."""
    inner = child.child_by_field_name("value") if child.type == "keyed_element" else child
    if inner is None:
        return EMPTY
    target = inner.named_children[0] if inner.type == "literal_element" and inner.named_child_count else inner
    value = _typed(frame, target, kind)
    frame.use(value, target, "composite element", strength=STORED)
    return value


def _typed(frame: Frame, node: Node, kind: Node | None) -> Value:
    """A value of a type that is written elsewhere.

    The tables of cases in tests are long, and what they hold is what the code under test gives, not what it is given.
    """
    if node.type != "literal_value" or kind is None or frame.file.source.test:
        return frame.evaluate(node)
    frame.run.step()
    if kind.type == "pointer_type" and kind.named_child_count:
        kind = kind.named_children[0]
    return _literal_value(frame, node, kind, type_of_node(frame, kind))


def _pair(
    frame: Frame, child: Node, map_like: bool, named: TypeName | None, kind: Node | None = None
) -> tuple[Value, Value] | None:
    key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
    if key is None or value is None:
        return None
    key_node = key.named_children[0] if key.named_child_count else key
    value_node = value.named_children[0] if value.type == "literal_element" and value.named_child_count else value
    result = _typed(frame, value_node, kind)
    if key_node.type == "identifier" and not map_like:
        name = frame.file.text(key_node)
        frame.use(result, value_node, f"struct field {name}", strength=STORED)
        folder, owner = (named[0], struct_name(named)) if named is not None and named[0] else (frame.file.folder, "")
        frame.store_field(folder, owner, name, result)
        return (Text((Known(name.encode()),)),), result
    key_value = frame.evaluate(key_node)
    frame.use(key_value, key_node, key_note(frame.file, child), strength=STORED)
    frame.use(result, value_node, "map value", strength=STORED)
    return key_value, result


def _function(frame: Frame, node: Node) -> Value:
    function = Function(None, node, frame.file)
    frame.run.closures[(frame.file.path, node.start_byte)] = (frame, list(frame.scopes))
    frame.waiting.append((function, node))
    return (function,)


_EVALUATORS: dict[str, Callable[[Frame, Node], Value]] = {
    "interpreted_string_literal": _literal,
    "raw_string_literal": _literal,
    "rune_literal": _literal,
    "int_literal": _number,
    "float_literal": _number,
    "true": _nothing,
    "false": _nothing,
    "nil": _nothing,
    "iota": _nothing,
    "parenthesized_expression": _inner,
    "literal_element": _inner,
    "type_assertion_expression": _conversion,
    "type_conversion_expression": _conversion,
    "variadic_argument": _inner,
    "identifier": _identifier,
    "selector_expression": _selector,
    "binary_expression": _binary,
    "unary_expression": _unary,
    "call_expression": _call,
    "index_expression": _index,
    "slice_expression": _slice,
    "composite_literal": _composite,
    "literal_value": _elided,
    "func_literal": _function,
}
