"""Calls: to the standard library's models, to SQL sinks, to builders, to functions of the project."""

from __future__ import annotations

from legacy_ref_scan.languages.golang import rows, sinks, templating
from legacy_ref_scan.languages.golang.chains import (
    asked_elsewhere,
    guess_library,
    is_chain,
    link,
    root_link,
    start_link,
)
from legacy_ref_scan.languages.golang.embedded import below, read_file
from legacy_ref_scan.languages.golang.expressions import imported
from legacy_ref_scan.languages.golang.frame import STORED, Frame, TypeName
from legacy_ref_scan.languages.golang.inline import Callees, apply, callees, invoke, run_closures
from legacy_ref_scan.languages.golang.interfaces import gives_text, implementations, is_interface
from legacy_ref_scan.languages.golang.orm.querymods import gathered
from legacy_ref_scan.languages.golang.packages import Declaration, Node, default_name
from legacy_ref_scan.languages.golang.statements import assign_to, leave_open
from legacy_ref_scan.languages.golang.stdlib import BUILTINS, Called, append_to, model_of, quoted
from legacy_ref_scan.languages.golang.types import type_of
from legacy_ref_scan.languages.golang.values import (
    EMPTY,
    Alternative,
    Entries,
    Files,
    Function,
    Items,
    Known,
    Text,
    Value,
    made_up,
    texts,
    union,
)
from legacy_ref_scan.languages.golang.wrappers import declared_sinks, function_sinks, hand_over, method_sinks
from legacy_ref_scan.model import OUTSIDE, Consumer

_WRITES = frozenset(("WriteString", "WriteByte", "WriteRune", "Write"))
_LIST_OF_STATEMENT = b" \t\n("


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
        _text_uses(frame, arguments, name)
        return []
    return _unknown_call(frame, arguments, name, Consumer.TEXT if name in sinks.INERT_BUILTINS else Consumer.UNKNOWN)


def _converted(frame: Frame, node: Node) -> list[Value]:
    arguments = arguments_of(frame, node)
    return [arguments.values[0] if arguments.values else frame.unknown("conversion", node)]


def _values_called(frame: Frame, node: Node, value: Value, name: str) -> list[Value]:
    functions = [alt for alt in value if isinstance(alt, Function)]
    arguments = arguments_of(frame, node)
    if not functions:
        return _unknown_call(frame, arguments, name)
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
    return _unknown_call(frame, arguments_of(frame, node), name)


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


def _package_function(frame: Frame, node: Node, path: str, name: str) -> list[Value]:
    full = f"{path}.{name}"
    if sinks.is_logger(path, name) and not function_sinks(frame, path, name):
        return _logged(frame, arguments_of(frame, node), f"{default_name(path)}.{name}")
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
    return _external_function(frame, arguments, path, full)


def _logged(frame: Frame, arguments: Called, label: str) -> list[Value]:
    """A call of a logger, whose source is not followed: what it writes is for people."""
    _text_uses(frame, arguments, label)
    return [frame.unknown(f"result of {label}", arguments.node)]


def _external_function(frame: Frame, arguments: Called, path: str, full: str) -> list[Value]:
    node = arguments.node
    if path == "io/fs" and len(arguments.values) > 1:
        found = _of_files(frame, arguments, arguments.values[0], full.rpartition(".")[2])
        if found is not None:
            return found
    if path == templating.PACKAGE:
        found = templating.package_function(frame, full.rpartition(".")[2], arguments)
        if found is not None:
            return found
    named = function_sinks(frame, path, full.rpartition(".")[2])
    if named:
        hand_over(frame, named, arguments, [], _short(full))
        return _opaque_result(frame, arguments, _short(full))
    model = model_of(full, len(arguments.values))
    if full == "fmt.Errorf" or (sinks.is_text_function(full) and full.endswith("f") and arguments.values):
        made = model_of("fmt.Sprintf", 1)
        if made is not None and arguments.values:
            frame.use(made(frame, arguments), node, f"argument of {_short(full)}", Consumer.TEXT)
        return [frame.unknown(f"result of {_short(full)}", node)]
    if sinks.is_text_function(full):
        _text_uses(frame, arguments, _short(full))
        return [frame.unknown(f"result of {_short(full)}", node)]
    if full in ("fmt.Fprintf", "fmt.Fprint", "io.WriteString") and not _is_buffer(frame, arguments):
        model = None
    if model is not None:
        return [model(frame, arguments)]
    if full in sinks.SQL_FUNCTIONS:
        _sink_uses(frame, arguments, sinks.SQL_FUNCTIONS[full], _short(full))
        return _opaque_result(frame, arguments, _short(full))
    if sinks.builder_of(path):
        chained = root_link(frame, sinks.builder_of(path), full.rpartition(".")[2], arguments)
        if chained is not None:
            return [chained]
    rows.of_rows(frame, full.rpartition(".")[2], arguments)
    label = _short(full) + _aside(frame, arguments, path)
    return _unknown_call(frame, arguments, label, _consumer(frame, path, full.rpartition(".")[2]))


def _aside(frame: Frame, arguments: Called, path: str) -> str:
    """What to add to a call's name where no lone name in it can reach a database."""
    aside = sinks.is_aside(path, frame.file.text(arguments.node)) and not frame.run.index.resolve(path)
    return f", {OUTSIDE}" if aside and not _names_a_table(frame, path) else ""


def _names_a_table(frame: Frame, path: str) -> bool:
    """Whether a file that imports a module, or one beside, holds the table's name by itself, which may go there."""
    known = frame.run.knowledge.aside
    key = (frame.file.folder, path)
    if key not in known:
        known[key] = _holds_a_table(frame, path)
    return known[key]


def _holds_a_table(frame: Frame, path: str) -> bool:
    literals = tuple(f"{quote}{table}{quote}" for table in frame.run.names.tables for quote in '"`')
    return any(
        source.path.rpartition("/")[0] == frame.file.folder or path.encode() in source.data
        for source in frame.run.index.holding(literals)
        if not source.test
    )


def _consumer(frame: Frame, path: str, name: str) -> Consumer:
    """Who receives what a package of that path is given; a package of the project may do anything with it."""
    return Consumer.TEXT if sinks.is_inert(path, name) and not frame.run.index.resolve(path) else Consumer.UNKNOWN


def _short(full: str) -> str:
    path, _, name = full.rpartition(".")
    return f"{default_name(path)}.{name}" if path else name


def _is_buffer(frame: Frame, arguments: Called) -> bool:
    """The first argument is a buffer of this function, not just any writer."""
    return bool(arguments.values) and all(isinstance(alt, Text) and (not alt.atoms or isinstance(alt.atoms[0], Known)
        or alt.atoms[0].reason.startswith("parameter")) for alt in arguments.values[0])  # fmt: skip


def _of_files(frame: Frame, arguments: Called, value: Value, name: str) -> list[Value] | None:
    """A file of an embedded file system, or a part of it; None for what is neither."""
    files = [alt for alt in value if isinstance(alt, Files)]
    if not files or not arguments.values or name not in ("ReadFile", "Open", "Sub"):
        return None
    if name == "Sub":
        found: Value = tuple(below(alt, arguments.values[-1]) for alt in files)
    else:
        found = union(read_file(frame, alt, arguments.values[-1], arguments.node) for alt in files)
    return [found, frame.unknown("nil", arguments.node)]


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
    held_files = _of_files(frame, arguments, value, name)
    if held_files is not None:
        return held_files
    if templating.is_template(value):
        made = templating.method(frame, value, name, operand, arguments)
        if made is not None:
            return made
    if is_chain(value, name):
        return [link(frame, value, name, arguments)]
    owner = type_of(frame, operand)
    if owner is not None and sinks.is_logger(owner[0], name) and not method_sinks(frame, owner, name):
        return _logged(frame, arguments, name)
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
    buffered = _buffer_method(frame, arguments, operand, value, name)
    if buffered is not None:
        return buffered
    return _unknown_method(frame, arguments, operand, value, name)


def _buffer_method(frame: Frame, arguments: Called, operand: Node, value: Value, name: str) -> list[Value] | None:
    if not any(isinstance(alt, Text) for alt in value):
        if name == "Sanitize" and all(isinstance(alt, Items) for alt in value):
            return [union(_sanitized(frame, alt, arguments.node) for alt in value if isinstance(alt, Items))]
        return None
    if name in _WRITES and len(arguments.values) == 1 and (frame.types.get(_base(frame, operand)) or _has_text(value)):
        frame.use(arguments.values[0], arguments.nodes[0], f"argument of {name}", strength=STORED)
        append_to(frame, operand, arguments.values[0], arguments.node)
        return [frame.unknown("number of bytes", arguments.node), frame.unknown("nil", arguments.node)]
    if name in ("String", "Bytes") and not arguments.values:
        return [value]
    if name in ("Reset", "Grow") and operand.type == "identifier":
        if name == "Reset":
            assign_to(frame, operand, EMPTY)
        return []
    return None


def _base(frame: Frame, operand: Node) -> str:
    return frame.file.text(operand) if operand.type == "identifier" else ""


def _has_text(value: Value) -> bool:
    """More than a hole: a buffer that was made, or written to, where we saw it."""
    return any(not alt.atoms or len(alt.atoms) > 1 or alt.known for alt in texts(value))


def _sanitized(frame: Frame, alt: Items, node: Node) -> Value:
    """`pgx.Identifier{"public", "t"}.Sanitize()` is `"public"."t"`."""
    parts: list[Value] = []
    for element in alt.elements:
        parts += [made_up(b"."), quoted(frame, element, node)]
    return frame.run.concatenate(parts[1:], frame.origin(node)) if parts else EMPTY


def _unknown_method(frame: Frame, arguments: Called, operand: Node, value: Value, name: str) -> list[Value]:
    rows.of_rows(frame, name, arguments, value)
    written = frame.file.text(operand)
    label = f"{written}.{name}" if len(written) < 40 and "\n" not in written else name
    if named := method_sinks(frame, type_of(frame, operand), name):
        hand_over(frame, named, arguments, [], label)
    elif name == "CopyFrom" and len(arguments.values) >= 3:
        _copy_from(frame, arguments)
    elif name in sinks.PASS_THROUGH and arguments.values:
        _uses(frame, arguments, label, skip=sinks.PASS_THROUGH[name])
        return [arguments.values[sinks.PASS_THROUGH[name]], frame.unknown(f"result of {label}", arguments.node)]
    elif _is_command(frame, name, arguments) or _gives_values(frame, name):
        _text_uses(frame, arguments, label)
    elif (query := _query_index(frame, name, arguments)) is not None and not _goes_elsewhere(frame, operand, name):
        _sink_uses(frame, arguments, query, label)
    elif sinks.is_text_method(name) and not frame.run.names.in_text(frame.file.bytes(operand), "table"):
        _text_uses(frame, arguments, label)
    else:
        owner = type_of(frame, operand)
        foreign = owner is not None and owner[0] not in frame.run.index.folders
        if owner is None or not foreign:
            return _unknown_call(frame, arguments, label)
        label += _aside(frame, arguments, owner[0])
        return _unknown_call(frame, arguments, label, _consumer(frame, owner[0], name))
    return _opaque_result(frame, arguments, label)


def _is_command(frame: Frame, name: str, arguments: Called) -> bool:
    """`conn.Do("HSET", key, "status", x)` of a file that talks to Redis."""
    if name not in sinks.COMMAND_METHODS or not arguments.values:
        return False
    speaks = any(path.startswith(sinks.COMMAND_PACKAGES) for path in frame.file.imports.values())
    return speaks and all(text.data().isupper() and text.data().isalpha() for text in texts(arguments.values[0]))


def _gives_values(frame: Frame, name: str) -> bool:
    """`mock.ExpectQuery(…).WithArgs("error")` and `rows.AddRow("error")` of sqlmock and pgxmock."""
    mocks = any(path.rstrip("/v0123456789").endswith("mock") for path in frame.file.imports.values())
    return name in sinks.VALUES_OF_MOCKS and mocks


def _goes_elsewhere(frame: Frame, operand: Node, name: str) -> bool:
    """Whether the receiver is of a module that has nothing to do with SQL: `client.Get(ctx, key)` of Redis."""
    owner = type_of(frame, operand)
    module = owner is not None and "." in owner[0].partition("/")[0]
    return owner is not None and module and _consumer(frame, owner[0], name) is Consumer.TEXT


def _query_index(frame: Frame, name: str, arguments: Called) -> int | None:
    index = sinks.SQL_METHODS.get(name)
    if index is None:
        return None
    if index == sinks.AFTER_CONTEXT:
        first = frame.file.text(arguments.nodes[0]).lower() if arguments.nodes else ""
        index = 1 if "ctx" in first or "context" in first or "background" in first else 0
    elif name in ("Get", "Select") and arguments.nodes and sinks.is_context(frame.file.bytes(arguments.nodes[0])):
        index = 2
    if index >= len(arguments.values) or arguments.nodes[index].type == "variadic_argument":
        return None  # the values of a prepared statement
    if name in sinks.LOOSE_METHODS and not _reads_like_sql(arguments.values[index]):
        return None
    return index


def _reads_like_sql(value: Value) -> bool:
    return any(any(byte in _LIST_OF_STATEMENT for byte in text.data()) or not text.known for text in texts(value))


def _sink_uses(frame: Frame, arguments: Called, query: int, label: str) -> None:
    # what follows a statement is bound to its parameters, unless it is a wrapper's that formats
    formats = any(b"%" in text.data() for text in texts(arguments.values[query]))
    rows.of_query(frame, arguments, query, label)
    for position, (value, node) in enumerate(zip(arguments.values, arguments.nodes, strict=False)):
        if position == query:
            frame.use(value, node, f"argument of {label}", Consumer.SQL)
        else:  # the keys of a map are the names of the query's arguments
            plain = tuple(alt for alt in value if not isinstance(alt, Entries))
            bound = position > query and not formats
            note = f"{'a parameter' if bound else 'argument'} of {label}"
            frame.use(plain, node, note, Consumer.TEXT if bound else Consumer.UNKNOWN)


def _text_uses(frame: Frame, arguments: Called, label: str) -> None:
    if label.endswith("f") and len(arguments.values) > 1:
        model = model_of("fmt.Sprintf", 1)
        if model is not None:
            frame.use(model(frame, arguments), arguments.node, f"argument of {label}", Consumer.TEXT)
            return
    for value, node in zip(arguments.values, arguments.nodes, strict=False):
        frame.use(value, node, f"argument of {label}", Consumer.TEXT)


def _uses(frame: Frame, arguments: Called, label: str, skip: int = -1, consumer: Consumer = Consumer.UNKNOWN) -> None:
    for position, (value, node) in enumerate(zip(arguments.values, arguments.nodes, strict=False)):
        if position != skip:
            frame.use(value, node, f"argument of {label}", consumer)


def _unknown_call(frame: Frame, arguments: Called, label: str, consumer: Consumer = Consumer.UNKNOWN) -> list[Value]:
    query = asked_elsewhere(frame, arguments)
    if query:
        _opaque_result(frame, arguments, label)
        return [query]
    _uses(frame, arguments, label, consumer=consumer)
    return _opaque_result(frame, arguments, label)


def _opaque_result(frame: Frame, arguments: Called, label: str) -> list[Value]:
    """What a call leaves of which no source is here: closures were run, variables were filled."""
    run_closures(frame, arguments)
    for node in arguments.nodes:
        leave_open(frame, node, f"filled by {label}")
    return [frame.unknown(f"result of {label}", arguments.node)]


def _copy_from(frame: Frame, arguments: Called) -> None:
    """`CopyFrom(ctx, pgx.Identifier{"t"}, []string{"a", "b"}, …)` is `COPY t (a, b) FROM STDIN`."""
    node = arguments.node
    for table in arguments.values[1]:
        for columns in arguments.values[2]:
            parts = [made_up(b"COPY "), _dotted(frame, table, node), made_up(b" ("), _listed(frame, columns, node)]
            text = frame.run.concatenate([*parts, made_up(b") FROM STDIN")], frame.origin(node))
            frame.use(text, node, "pgx CopyFrom", Consumer.SQL)
    frame.use(arguments.values[1], arguments.nodes[1], "table of CopyFrom", strength=STORED)
    frame.use(arguments.values[2], arguments.nodes[2], "columns of CopyFrom", strength=STORED)
    for value, argument in list(zip(arguments.values, arguments.nodes, strict=False))[3:]:
        frame.use(value, argument, "argument of CopyFrom")


def _listed(frame: Frame, columns: Alternative, node: Node) -> Value:
    if not isinstance(columns, Items):
        return (columns,)
    names: list[Value] = [part for column in columns.elements for part in (made_up(b", "), column)]
    if columns.rest is not None:
        names += [made_up(b", "), (Text((columns.rest,)),)]
    return frame.run.concatenate(names[1:], frame.origin(node)) if names else EMPTY


def _dotted(frame: Frame, table: Alternative, node: Node) -> Value:
    if not isinstance(table, Items):
        return (table,)
    parts: list[Value] = [part for name in table.elements for part in (made_up(b"."), name)][1:]
    return frame.run.concatenate(parts, frame.origin(node)) if parts else frame.unknown("table of CopyFrom", node)


def _invoke_all(
    frame: Frame,
    functions: list[Declaration],
    arguments: Called,
    operand: Node | None,
    receiver: Value | None,
    label: str,
) -> list[Value]:
    named = declared_sinks(frame, functions)
    if not named and all(sinks.is_logger(function.file.folder, function.name) for function in functions):
        return _logged(frame, arguments, label)
    hand_over(frame, named, arguments, functions, label)
    results = [invoke(frame, function, arguments, operand, receiver) for function in functions]
    if all(result is None for result in results):
        return _unknown_call(frame, arguments, label)
    for value, node in zip(arguments.values, arguments.nodes, strict=False):
        frame.use(value, node, f"argument of {label}", strength=STORED)
    return _by_position([result for result in results if result is not None])
