"""Calls: what each can run, be it a function of the project, a closure, a link of a builder or a foreign function."""

from __future__ import annotations

from legacy_ref_scan.languages.golang import foreign, sinks, templating
from legacy_ref_scan.languages.golang.chains import guess_library, is_chain, link, start_link
from legacy_ref_scan.languages.golang.expressions import imported
from legacy_ref_scan.languages.golang.frame import STORED, Frame, TypeName
from legacy_ref_scan.languages.golang.inline import Callees, apply, callees, invoke
from legacy_ref_scan.languages.golang.interfaces import gives_text, implementations, is_interface
from legacy_ref_scan.languages.golang.orm.querymods import gathered
from legacy_ref_scan.languages.golang.packages import Declaration, Node, default_name
from legacy_ref_scan.languages.golang.stdlib import BUILTINS, Called
from legacy_ref_scan.languages.golang.types import type_of
from legacy_ref_scan.languages.golang.values import EMPTY, Entries, Function, Value, union
from legacy_ref_scan.languages.golang.wrappers import declared_sinks, function_sinks, hand_over, method_sinks
from legacy_ref_scan.model import Consumer


def call(frame: Frame, node: Node) -> list[Value]:
    """The results of a call expression. `a.B().C()` nests as deep as it is long: so the links are taken in turn."""
    links = [node]
    while (operand := _called_operand(links[-1])) is not None:
        links.append(operand)
    receiver: Value | None = None
    results: list[Value] = []
    for current in reversed(links):
        frame.run.step()
        results = _one(frame, current, receiver)
        receiver = results[0] if results else frame.unknown("nothing", current)
    return results


def _called_operand(node: Node) -> Node | None:
    function = node.child_by_field_name("function")
    operand = function.child_by_field_name("operand") if function is not None else None
    is_link = function is not None and function.type == "selector_expression"
    return operand if is_link and operand is not None and operand.type == "call_expression" else None


def _one(frame: Frame, node: Node, receiver: Value | None) -> list[Value]:
    function = node.child_by_field_name("function")
    while function is not None and function.type in ("type_instantiation_expression", "parenthesized_expression"):
        function = function.named_children[0]
    if function is not None and function.type == "index_expression":
        function = function.child_by_field_name("operand") or function
    if function is None:
        return _opaque(frame, node, "a call")
    if function.type == "selector_expression":
        return _selected(frame, node, function, receiver)
    if function.type == "identifier":
        return _named(frame, node, function)
    return _computed(frame, node, function)


def arguments_of(frame: Frame, node: Node) -> Called:
    """Evaluates the arguments of a call."""
    arguments = node.child_by_field_name("arguments")
    nodes = [child for child in arguments.named_children if child.type != "comment"] if arguments is not None else []
    if len(nodes) == 1 and nodes[0].type == "call_expression":
        only = frame.run.machine.call(frame, nodes[0])[:1] or [frame.unknown("nothing", node)]
        return gathered(frame, Called(node, nodes, only))
    values = [EMPTY if child.type.endswith("_type") else frame.evaluate(child) for child in nodes]
    return gathered(frame, Called(node, nodes, values))


def _named(frame: Frame, node: Node, function: Node) -> list[Value]:
    name = frame.file.text(function)
    local = frame.get(name)
    if local is not None:
        return _values_called(frame, node, local, name)
    declared = frame.run.index.in_package(frame.file, name)
    functions = [d for d in declared if d.kind == "func"]
    if functions:
        return _invoke_all(frame, functions, arguments_of(frame, node), None, None, name)
    if any(d.kind == "type" for d in declared):
        return _converted(frame, node)
    if declared:
        return _values_called(frame, node, frame.evaluate(function), name)
    arguments = arguments_of(frame, node)
    builtin = BUILTINS.get(name)
    if builtin is not None and arguments.nodes:
        return [builtin(frame, arguments)]
    if sinks.is_text_function(name):
        foreign.text_uses(frame, arguments, name)
        return []
    return foreign.unknown_call(
        frame, arguments, name, Consumer.TEXT if name in sinks.INERT_BUILTINS else Consumer.UNKNOWN
    )


def _converted(frame: Frame, node: Node) -> list[Value]:
    arguments = arguments_of(frame, node)
    return [arguments.values[0] if arguments.values else frame.unknown("conversion", node)]


def _values_called(frame: Frame, node: Node, value: Value, name: str) -> list[Value]:
    functions = [alt for alt in value if isinstance(alt, Function)]
    arguments = arguments_of(frame, node)
    if not functions:
        return foreign.unknown_call(frame, arguments, name)
    results: list[list[Value]] = []
    for function in functions:
        if function.declaration is not None:
            results.append(_invoke_all(frame, [function.declaration], arguments, None, function.receiver, name))
        else:
            results.append(apply(frame, function, arguments.values, arguments.nodes, node))
    return _by_position(results)


def _by_position(results: list[list[Value]]) -> list[Value]:
    width = max((len(values) for values in results), default=0)
    return [union(values[at] for values in results if at < len(values)) for at in range(width)]


def _computed(frame: Frame, node: Node, function: Node) -> list[Value]:
    value = frame.evaluate(function)
    if any(isinstance(alt, Function) for alt in value):
        return _values_called(frame, node, value, "function")
    if function.type in ("unary_expression", "slice_type", "array_type", "qualified_type", "pointer_type"):
        return _converted(frame, node)
    return _opaque(frame, node, "a computed function")


def _opaque(frame: Frame, node: Node, name: str) -> list[Value]:
    return foreign.unknown_call(frame, arguments_of(frame, node), name)


def _selected(frame: Frame, node: Node, function: Node, receiver: Value | None) -> list[Value]:
    operand, field = function.child_by_field_name("operand"), function.child_by_field_name("field")
    if operand is None or field is None:
        return _opaque(frame, node, "a selector")
    name = frame.file.text(field)
    path = imported(frame, operand) if receiver is None else None
    if path is not None:
        return _package_function(frame, node, path, name)
    value = receiver if receiver is not None else frame.evaluate(operand)
    return _method(frame, node, operand, value, name)


def _is_logger(frame: Frame, path: str, name: str) -> bool:
    """Whether a function or method of a package is a logger's; one that writes to a database is followed."""
    asks = sinks.DATABASE_IMPORT, sinks.ASKS_DATABASE
    return sinks.is_logger(path, name) and not frame.run.index.holds(path, *asks)


def _package_function(frame: Frame, node: Node, path: str, name: str) -> list[Value]:
    if _is_logger(frame, path, name) and not function_sinks(frame, path, name):
        return foreign.logged(frame, arguments_of(frame, node), f"{default_name(path)}.{name}")
    declared = frame.run.index.exported(path, name)
    functions = [d for d in declared if d.kind == "func"]
    if functions:
        return _invoke_all(frame, functions, arguments_of(frame, node), None, None, f"{default_name(path)}.{name}")
    if any(d.kind == "type" for d in declared):
        return _converted(frame, node)
    if declared:
        return _values_called(
            frame, node, union(frame.evaluate(n) for n in node.children_by_field_name("function")), name
        )
    arguments = arguments_of(frame, node)
    return foreign.function(frame, arguments, path, name)


def _behind(frame: Frame, owner: TypeName | None, arguments: Called, name: str) -> Callees:
    """The methods behind an interface, where something that matters is handed to them or they give a text."""
    if owner is None or not is_interface(frame.run.index, owner):
        return Callees((), True)
    matters = any(map(frame.run.hands_on, arguments.values))
    if not matters and not gives_text(frame.run.index, owner, name):
        return Callees((), True)
    test = frame.file.source.test
    return Callees(implementations(frame.run.index, owner, name, len(arguments.values), test), True)


def _method(frame: Frame, node: Node, operand: Node, value: Value, name: str) -> list[Value]:
    arguments = arguments_of(frame, node)
    held_files = foreign.of_files(frame, arguments, value, name)
    if held_files is not None:
        return held_files
    if templating.is_template(value):
        made = templating.method(frame, value, name, operand, arguments)
        if made is not None:
            return made
    if is_chain(value, name):
        return [link(frame, value, name, arguments)]
    owner = type_of(frame, operand)
    if owner is not None and _is_logger(frame, owner[0], name) and not method_sinks(frame, owner, name):
        return foreign.logged(frame, arguments, name)
    known = _behind(frame, owner, arguments, name) or callees(frame, owner, value, name, len(arguments.values))
    if known and not (known.guessed and name in sinks.SQL_METHODS):
        return _invoke_all(frame, list(known.declarations), arguments, operand, value, name)
    held = [alt for alt in value if isinstance(alt, Entries)]
    fields = union(found for alt in held if (found := alt.get(name.encode())) is not None)
    if any(isinstance(alt, Function) for alt in fields):
        return _values_called(frame, node, fields, name)
    library = guess_library(frame, operand, value, name, arguments)
    if library and not name.startswith(("Write", "Scan")):
        return [start_link(frame, library, value, name, arguments)]
    return foreign.method(frame, arguments, operand, value, name)


def _invoke_all(
    frame: Frame,
    functions: list[Declaration],
    arguments: Called,
    operand: Node | None,
    receiver: Value | None,
    label: str,
) -> list[Value]:
    named = declared_sinks(frame, functions)
    if not named and all(_is_logger(frame, function.file.folder, function.name) for function in functions):
        return foreign.logged(frame, arguments, label)
    hand_over(frame, named, arguments, functions, label)
    results = [invoke(frame, function, arguments, operand, receiver) for function in functions]
    if all(result is None for result in results):
        return foreign.unknown_call(frame, arguments, label)
    for value, node in zip(arguments.values, arguments.nodes, strict=False):
        frame.use(value, node, f"argument of {label}", strength=STORED)
    return _by_position([result for result in results if result is not None])
