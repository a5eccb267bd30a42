"""Just enough of Go's types to know which package a method or a field belongs to."""

from __future__ import annotations

import re
from functools import lru_cache

from legacy_ref_scan.languages.golang.frame import Frame, TypeName
from legacy_ref_scan.languages.golang.generics import Instance, filled, of_instance, of_receiver
from legacy_ref_scan.languages.golang.packages import Declaration, GoFile, Index, Node

MAP: TypeName = ("", "map")
"""The type of every map."""
_WRAPPED = frozenset(("pointer_type", "parenthesized_type", "slice_type", "array_type", "generic_type"))


def type_of_node(frame: Frame, kind: Node) -> TypeName | None:
    """The named type that a type expression is about: pointers and slices are stripped, type parameters known."""
    return filled(named_type(frame.run.index, frame.file, kind), frame.generics)


def named_type(index: Index, file: GoFile, kind: Node) -> TypeName | None:
    """The same for a type that is written in `file`; one with type arguments is an `Instance`."""
    current: Node | None = kind
    arguments: Node | None = None
    while current is not None and current.type in _WRAPPED:
        arguments = current.child_by_field_name("type_arguments") or arguments
        inner = current.child_by_field_name("element") or current.child_by_field_name("type")
        current = inner if inner is not None else (current.named_children[0] if current.named_child_count else None)
    named = _written_name(index, file, current) if current is not None else None
    if named is None or arguments is None:
        return named
    inside = (argument.named_children[0] for argument in arguments.named_children if argument.named_child_count)
    return Instance(named, tuple(named_type(index, file, argument) for argument in inside))


def _written_name(index: Index, file: GoFile, current: Node) -> TypeName | None:
    if current.type == "type_identifier":
        return (file.folder, file.text(current))
    if current.type == "map_type":
        return MAP
    if current.type in ("qualified_type", "selector_expression"):  # the latter where a type is an argument: new(a.B)
        package = current.child_by_field_name("package") or current.child_by_field_name("operand")
        name = current.child_by_field_name("name") or current.child_by_field_name("field")
        if package is not None and name is not None:
            path = file.imports.get(file.text(package), file.text(package))
            folders = index.resolve(path)
            return (folders[0] if folders else path, file.text(name))
    return None


def aliased(index: Index, named: TypeName | None, depth: int = 3) -> TypeName | None:
    """The type behind `type Query = orm.Query`; any other type as it is."""
    declared = index.lookup(*named) if named is not None else ()
    for declaration in declared:
        kind = declaration.node.child_by_field_name("type") if declaration.node.type == "type_alias" else None
        if kind is not None and kind.type == "qualified_type" and depth:
            return aliased(index, named_type(index, declaration.file, kind), depth - 1)
    return named


def type_of(frame: Frame, node: Node, depth: int = 4) -> TypeName | None:
    """The named type of an expression, where declarations nearby tell it."""
    if depth == 0:
        return None
    if node.type == "identifier":
        return _type_of_name(frame, node)
    if node.type in ("parenthesized_expression", "unary_expression", "type_assertion_expression"):
        if node.type == "type_assertion_expression":
            kind = node.child_by_field_name("type")
            return type_of_node(frame, kind) if kind is not None else None
        inner = node.child_by_field_name("operand") or (node.named_children[0] if node.named_child_count else None)
        return type_of(frame, inner, depth - 1) if inner is not None else None
    if node.type == "composite_literal":
        kind = node.child_by_field_name("type")
        return type_of_node(frame, kind) if kind is not None else None
    if node.type == "selector_expression":
        return _type_of_field(frame, node, depth)
    if node.type == "call_expression":
        return _type_of_result(frame, node, depth)
    return None


def _type_of_name(frame: Frame, node: Node) -> TypeName | None:
    name = frame.file.text(node)
    known = frame.types.get(name)
    if known is not None or frame.get(name) is not None:
        return known
    for declaration in frame.run.index.in_package(frame.file, name):
        kind = declaration.node.child_by_field_name("type") if declaration.kind == "var" else None
        if kind is not None:
            return named_type(frame.run.index, declaration.file, kind)
    return None


def _type_of_field(frame: Frame, node: Node, depth: int) -> TypeName | None:
    operand, field = node.child_by_field_name("operand"), node.child_by_field_name("field")
    owner = type_of(frame, operand, depth - 1) if operand is not None else None
    if owner is None or field is None:
        return None
    return field_type(frame.run.index, owner, frame.file.text(field))


def field_type(index: Index, owner: TypeName, field: str) -> TypeName | None:
    """The named type of a struct's field."""
    for declaration in index.lookup(*owner):
        for names, member in _named_fields(declaration):
            kind = member.child_by_field_name("type") if field in names else None
            if kind is not None:
                return filled(named_type(index, declaration.file, kind), of_instance(declaration, owner))
    return None


@lru_cache(maxsize=4096)
def struct_fields(declaration: Declaration) -> list[Node]:
    """The field declarations of a struct type."""
    body = declaration.node.child_by_field_name("type") if declaration.kind == "type" else None
    if body is None or body.type != "struct_type":
        return []
    return [
        field for fields in body.named_children for field in fields.named_children if field.type == "field_declaration"
    ]


def field_names(index: Index, owner: TypeName) -> tuple[str, ...]:
    """The names of a struct's fields in order, an embedded one under its type's; none for what is no struct of ours."""
    return tuple(name for d in index.lookup(*owner)[:1] for names, _ in _named_fields(d) for name in names)


@lru_cache(maxsize=4096)
def _named_fields(declaration: Declaration) -> list[tuple[list[str], Node]]:
    return [(_names_of_field(declaration.file, member), member) for member in struct_fields(declaration)]


def _names_of_field(file: GoFile, member: Node) -> list[str]:
    names = member.children_by_field_name("name")
    kind = member.child_by_field_name("type")
    written = re.sub(r"\[.*", "", file.text(kind), flags=re.DOTALL) if kind is not None else ""
    return [file.text(name) for name in names] or [written.rpartition(".")[2].lstrip("*")]


def _type_of_result(frame: Frame, node: Node, depth: int) -> TypeName | None:
    function = node.child_by_field_name("function")
    if function is None:
        return None
    made = _made_type(frame, node, function)
    if made is not None:
        return made
    found: tuple[Declaration, ...] = ()
    owner: TypeName | None = None
    if function.type == "identifier":
        name = frame.file.text(function)
        found = frame.run.index.in_package(frame.file, name) if frame.get(name) is None else ()
    elif function.type == "selector_expression":
        operand, field = function.child_by_field_name("operand"), function.child_by_field_name("field")
        path = frame.file.imports.get(frame.file.text(operand)) if operand is not None else None
        found = frame.run.index.exported(path, frame.file.text(field)) if path and field is not None else ()
        owner = type_of(frame, operand, depth - 1) if operand is not None and not path else None
        if owner is not None and field is not None:
            found = methods(frame.run.index, owner, frame.file.text(field))
    for declaration in found:
        kinds = result_types(declaration.node) if declaration.kind in ("func", "method") else []
        if kinds:
            bound = of_receiver(declaration, owner)
            return filled(named_type(frame.run.index, declaration.file, kinds[0]), bound)
    return None


def _made_type(frame: Frame, node: Node, function: Node) -> TypeName | None:
    """`new(T)`, `make([]T, 0)` and `(*T)(nil)`."""
    kind: Node | None = None
    if function.type == "identifier" and frame.file.bytes(function) in (b"new", b"make"):
        arguments = node.child_by_field_name("arguments")
        kind = arguments.named_children[0] if arguments is not None and arguments.named_child_count else None
    elif function.type == "parenthesized_expression" and function.named_child_count:
        pointer = function.named_children[0]
        kind = pointer.child_by_field_name("operand") if pointer.type == "unary_expression" else None
    if kind is None:
        return None
    return (frame.file.folder, frame.file.text(kind)) if kind.type == "identifier" else type_of_node(frame, kind)


@lru_cache(maxsize=4096)
def result_types(function: Node) -> list[Node]:
    """The types of a function's results, in order, one for each."""
    result = function.child_by_field_name("result")
    if result is None:
        return []
    if result.type != "parameter_list":
        return [result]
    kinds: list[Node] = []
    for parameter in result.named_children:
        kind = parameter.child_by_field_name("type")
        if kind is not None:
            kinds += [kind] * max(1, len(parameter.children_by_field_name("name")))
    return kinds


@lru_cache(maxsize=1 << 14)
def methods(index: Index, owner: TypeName, name: str) -> tuple[Declaration, ...]:
    """The methods of a type; for embedded structs those of the embedded type."""
    if owner[0] not in index.folders:
        return ()
    if name.encode() in index.method_names(owner[0]):
        own = tuple(d for d in index.lookup(owner[0], name) if d.kind == "method" and d.receiver_type == owner[1])
        if own:
            return own
    for declaration in index.lookup(owner[0], owner[1]):
        for member in struct_fields(declaration):
            kind = member.child_by_field_name("type")
            inner = named_type(index, declaration.file, kind) if kind is not None else None
            if not member.children_by_field_name("name") and inner is not None and inner != owner:
                found = methods(index, inner, name)
                if found:
                    return found
    return ()
