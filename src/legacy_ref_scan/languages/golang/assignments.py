"""Assignments: how variables, fields, elements and what pointers lead to get their values."""

from __future__ import annotations

from collections.abc import Callable

from legacy_ref_scan.languages.golang.expressions import spec_values, zero_value
from legacy_ref_scan.languages.golang.frame import STORED, Frame
from legacy_ref_scan.languages.golang.packages import Node
from legacy_ref_scan.languages.golang.types import type_of, type_of_node
from legacy_ref_scan.languages.golang.values import (
    Alternative,
    Entries,
    Items,
    Known,
    Text,
    Unknown,
    Value,
    made_up,
    union,
)

_BUFFER_TYPES = frozenset((("strings", "Builder"), ("bytes", "Buffer")))


def expressions_of(node: Node | None) -> list[Node]:
    """The expressions of a list, which the grammar writes without a list where there is only one."""
    if node is None or node.type != "expression_list":
        return [node] if node is not None else []
    return [child for child in node.named_children if child.type != "comment"]


def values_of(frame: Frame, nodes: list[Node], count: int) -> list[Value]:
    """The values of a list of expressions, `count` of them: a single call may give several."""
    if len(nodes) == 1 and count > 1 and nodes[0].type == "call_expression":
        results = frame.run.machine.call(frame, nodes[0])
    else:
        results = [frame.evaluate(node) for node in nodes]
    missing = [frame.unknown("a further result", node) for node in nodes[:1]] * max(0, count - len(results))
    return [*results, *missing]


def declare_short(frame: Frame, node: Node) -> None:
    """`a, b := …`."""
    left, right = expressions_of(node.child_by_field_name("left")), expressions_of(node.child_by_field_name("right"))
    values = values_of(frame, right, len(left))
    for position, (target, value) in enumerate(zip(left, values, strict=False)):
        name = frame.file.text(target)
        if name in frame.scopes[-1] and len(left) > 1:
            frame.assign(name, value)  # `a, err := …` declares only what is new in this scope
        else:
            kind = type_of(frame, right[position]) if position < len(right) else None
            frame.declare(name, value)
            if kind is not None:
                frame.types[name] = kind


def assign(frame: Frame, node: Node) -> None:
    """`a, b = …`, `a += …`."""
    left, right = expressions_of(node.child_by_field_name("left")), expressions_of(node.child_by_field_name("right"))
    operator = node.child_by_field_name("operator")
    written = frame.file.bytes(operator) if operator is not None else b"="
    values = values_of(frame, right, len(left))
    for target, value in zip(left, values, strict=False):
        if written == b"=":
            assign_to(frame, target, value)
        elif written == b"+=":
            old = frame.evaluate(target)
            assign_to(frame, target, frame.run.concatenate([old, value], frame.origin(node)))
        else:
            assign_to(frame, target, frame.unknown("number", node))


def assign_to(frame: Frame, target: Node, value: Value) -> None:
    """Stores a value in a variable, a field, a map entry or behind a pointer."""
    match target.type:
        case "identifier":
            _assign_name(frame, target, value)
        case "selector_expression":
            _assign_field(frame, target, value)
        case "index_expression":
            _assign_element(frame, target, value)
        case "parenthesized_expression" | "unary_expression" if target.named_child_count:
            assign_to(frame, target.named_children[-1], value)
        case _:
            frame.evaluate(target)
            frame.use(value, target, "assignment", strength=STORED)


def _assign_name(frame: Frame, target: Node, value: Value) -> None:
    name = frame.file.text(target)
    if name == "_" or frame.assign(name, value):
        return
    for declaration in frame.run.index.in_package(frame.file, name):
        frame.store_variable(declaration.file.folder, name, value)
    frame.use(value, target, f"variable {name}", strength=STORED)


def _assign_field(frame: Frame, target: Node, value: Value) -> None:
    operand, field = target.child_by_field_name("operand"), target.child_by_field_name("field")
    if operand is None or field is None:
        return
    name = frame.file.text(field)
    frame.use(value, target, f"struct field {name}", strength=STORED)
    owner = type_of(frame, operand)
    folder, kind = owner if owner is not None and owner[0] else (frame.file.folder, "")
    frame.store_field(folder, kind, name, value)
    path = frame.file.imports.get(frame.file.text(operand)) if operand.type == "identifier" else None
    for declaration in frame.run.index.exported(path, name) if path else ():
        frame.store_variable(declaration.file.folder, name, value)
    _update(frame, operand, lambda alt: alt.put((Text((Known(name.encode()),)),), value))


def leave_open(frame: Frame, node: Node, reason: str) -> None:
    """A function that nobody can look into got a variable's address, or a buffer: who knows what it wrote there."""
    target = node.child_by_field_name("operand") if node.type == "unary_expression" else node
    if target is None or target.type != "identifier" or (target is node and not _is_buffer(frame, node)):
        return
    name = frame.file.text(target)
    value = frame.get(name)
    if value is not None:
        unknown = Unknown(reason, frame.origin(node))
        frame.assign(name, union(_opened(alt, unknown, _is_buffer(frame, target)) for alt in value))


def _is_buffer(frame: Frame, node: Node) -> bool:
    return frame.types.get(frame.file.text(node)) in _BUFFER_TYPES


def _opened(alt: Alternative, unknown: Unknown, buffer: bool) -> Value:
    rest = Text((unknown,))
    match alt:
        case Items():
            return (Items(alt.elements, alt.rest or unknown),)
        case Entries(type=""):
            return (alt, rest)
        case Text() if buffer:
            return (Text((*alt.atoms, unknown), alt.partial),)
        case Text() if alt != rest:
            return (alt, rest)
    return (alt,)


def _update(frame: Frame, operand: Node, change: Callable[[Entries], Entries]) -> None:
    if operand.type != "identifier":
        return
    name = frame.file.text(operand)
    old = frame.get(name)
    if old is not None and any(isinstance(alt, Entries) for alt in old):
        frame.assign(name, tuple(change(alt) if isinstance(alt, Entries) else alt for alt in old))


def _assign_element(frame: Frame, target: Node, value: Value) -> None:
    operand, index = target.child_by_field_name("operand"), target.child_by_field_name("index")
    if operand is None or index is None:
        return
    key = frame.evaluate(index)
    frame.use(key, index, "map key", strength=STORED)
    frame.use(value, target, "map value", strength=STORED)
    if operand.type == "selector_expression" and _assign_in_field(frame, operand, key, value, target):
        return
    name = frame.file.text(operand) if operand.type == "identifier" else ""
    old = frame.get(name)
    if old is None:
        frame.evaluate(operand)
        if name:
            for declaration in frame.run.index.in_package(frame.file, name):
                frame.store_variable(declaration.file.folder, name, (Entries(((key, value),)),))
        return
    frame.assign(name, union([_with_element(frame, alt, key, value, target) for alt in old]))


def _assign_in_field(frame: Frame, operand: Node, key: Value, value: Value, target: Node) -> bool:
    """`query.Filters["a"] = x`, where `query` is a local variable: the map in its field has the key from now on."""
    held = union([_with_element(frame, alt, key, value, target) for alt in frame.evaluate(operand)])
    if not any(isinstance(alt, Entries) for alt in held):
        held = union([held, (Entries(((key, value),)),)])
    return put_in_field(frame, operand, held)


def put_in_field(frame: Frame, operand: Node, held: Value) -> bool:
    """`query.Filters` holds something else from now on; false where `query` is no local variable.

    Of that one only: what is known of the field anywhere else is not touched.
    """
    base, field = operand.child_by_field_name("operand"), operand.child_by_field_name("field")
    name = frame.file.text(base) if base is not None and base.type == "identifier" else ""
    old = frame.get(name) if name else None
    if old is None or field is None:
        return False
    called = made_up(frame.file.bytes(field))
    known = [alt.put(called, held) if isinstance(alt, Entries) else alt for alt in old]
    if not any(isinstance(alt, Entries) for alt in old):
        known.append(Entries(((called, held),)))
    return frame.assign(name, tuple(known))


def _with_element(frame: Frame, alt: object, key: Value, value: Value, node: Node) -> Value:
    if isinstance(alt, Entries):
        return (alt.put(key, value),)
    if isinstance(alt, Items):
        position = _position(key)
        if position is not None and position < len(alt.elements):
            return (Items((*alt.elements[:position], value, *alt.elements[position + 1 :]), alt.rest),)
        return (Items(tuple(union([element, value]) for element in alt.elements) or (value,), alt.rest),)
    return (Entries(((key, value),)),)


def _position(key: Value) -> int | None:
    """Which element an index names, where a loop over a known list counts it."""
    match key:
        case (Text(atoms=(Unknown(position=position),)),):
            return position
    return None


def declare(frame: Frame, node: Node) -> None:
    """`var a, b = …`, `const (…)`."""
    for child in node.named_children:
        for spec in (child, *child.named_children) if child.type.endswith("_list") else (child,):
            if spec.type in ("var_spec", "const_spec"):
                _spec(frame, spec)


def _spec(frame: Frame, spec: Node) -> None:
    names = [name for name in spec.children_by_field_name("name") if name.is_named]
    kind = spec.child_by_field_name("type")
    nodes = spec_values(spec)
    values = values_of(frame, nodes, len(names)) if nodes else []
    for position, name in enumerate(names):
        zero = zero_value(frame, kind) if kind is not None and not values else None
        value = values[position] if position < len(values) else zero
        written = frame.file.text(name)
        frame.declare(written, value if value is not None else frame.unknown(f"variable {written}", name))
        named = type_of_node(frame, kind) if kind is not None else None
        if named is None and position < len(nodes):
            named = type_of(frame, nodes[position])
        if named is not None:
            frame.types[written] = named
