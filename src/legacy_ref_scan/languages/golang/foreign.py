"""Calls of functions and methods that the project does not declare: what they get, and what they give."""

from __future__ import annotations

from legacy_ref_scan.languages.golang import rows, sinks, templating
from legacy_ref_scan.languages.golang.assignments import assign_to, leave_open
from legacy_ref_scan.languages.golang.chains import root_link
from legacy_ref_scan.languages.golang.embedded import below, read_file
from legacy_ref_scan.languages.golang.frame import STORED, Frame
from legacy_ref_scan.languages.golang.inline import run_closures
from legacy_ref_scan.languages.golang.orm.beego_names import asked_elsewhere
from legacy_ref_scan.languages.golang.packages import Node, default_name
from legacy_ref_scan.languages.golang.stdlib import Called, append_to, model_of, quoted
from legacy_ref_scan.languages.golang.types import type_of
from legacy_ref_scan.languages.golang.values import (
    EMPTY,
    Alternative,
    Entries,
    Files,
    Items,
    Known,
    Text,
    Value,
    made_up,
    texts,
    union,
)
from legacy_ref_scan.languages.golang.wrappers import function_sinks, hand_over, method_sinks
from legacy_ref_scan.model import OUTSIDE, Consumer

_WRITES = frozenset(("WriteString", "WriteByte", "WriteRune", "Write"))
_WRITERS = frozenset(("fmt.Fprintf", "fmt.Fprint", "io.WriteString"))
_LIST_OF_STATEMENT = b" \t\n("


def logged(frame: Frame, arguments: Called, label: str) -> list[Value]:
    """A call of a logger, whose source is not followed: what it writes is for people."""
    text_uses(frame, arguments, label)
    return [frame.unknown(f"result of {label}", arguments.node)]


def function(frame: Frame, arguments: Called, path: str, name: str) -> list[Value]:
    """What a call of a package's function gives; `path` is the package's import path."""
    full = f"{path}.{name}"
    label = f"{default_name(path)}.{name}" if path else name
    found = _of_package(frame, arguments, path, name)
    if found is not None:
        return found
    if named := function_sinks(frame, path, name):
        hand_over(frame, named, arguments, [], label)
        return _opaque_result(frame, arguments, label)
    if full == "fmt.Errorf" or sinks.is_text_function(full):
        return _said(frame, arguments, full, label)
    model = model_of(full, len(arguments.values))
    if model is not None and (full not in _WRITERS or _is_own_buffer(frame, arguments)):
        return [model(frame, arguments)]
    if full in sinks.SQL_FUNCTIONS:
        _sink_uses(frame, arguments, sinks.SQL_FUNCTIONS[full], label)
        return _opaque_result(frame, arguments, label)
    library = sinks.builder_of(path)
    chained = root_link(frame, library, name, arguments) if library else None
    if chained is not None:
        return [chained]
    rows.of_rows(frame, name, arguments)
    aside = _aside(frame, arguments, path)
    return unknown_call(frame, arguments, label + aside, _consumer(frame, path, name))


def _of_package(frame: Frame, arguments: Called, path: str, name: str) -> list[Value] | None:
    """What functions of `io/fs` and `text/template` give that are followed; None for all others."""
    if path == "io/fs" and len(arguments.values) > 1:
        return of_files(frame, arguments, arguments.values[0], name)
    return templating.package_function(frame, name, arguments) if path == templating.PACKAGE else None


def _said(frame: Frame, arguments: Called, full: str, label: str) -> list[Value]:
    """A text for people, with what its format puts in."""
    formatted = model_of("fmt.Sprintf", 1) if full.endswith("f") and arguments.values else None
    if formatted is not None:
        frame.use(formatted(frame, arguments), arguments.node, f"argument of {label}", Consumer.TEXT)
    else:
        text_uses(frame, arguments, label)
    return [frame.unknown(f"result of {label}", arguments.node)]


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


def _is_own_buffer(frame: Frame, arguments: Called) -> bool:
    """The first argument is a buffer of this function, not just any writer."""
    return bool(arguments.values) and all(isinstance(alt, Text) and (not alt.atoms or isinstance(alt.atoms[0], Known)
        or alt.atoms[0].reason.startswith("parameter")) for alt in arguments.values[0])  # fmt: skip


def of_files(frame: Frame, arguments: Called, value: Value, name: str) -> list[Value] | None:
    """A file of an embedded file system, or a part of it; None for what is neither."""
    files = [alt for alt in value if isinstance(alt, Files)]
    if not files or not arguments.values or name not in ("ReadFile", "Open", "Sub"):
        return None
    if name == "Sub":
        found: Value = tuple(below(alt, arguments.values[-1]) for alt in files)
    else:
        found = union(read_file(frame, alt, arguments.values[-1], arguments.node) for alt in files)
    return [found, frame.unknown("nil", arguments.node)]


def method(frame: Frame, arguments: Called, operand: Node, value: Value, name: str) -> list[Value]:
    """What `operand.name(…)` gives; `value` is what the operand is worth."""
    found = _buffer_method(frame, arguments, operand, value, name)
    return found if found is not None else _unknown_method(frame, arguments, operand, value, name)


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
    """More than a hole: a buffer that was made, or written to, where that is seen."""
    return any(not alt.atoms or len(alt.atoms) > 1 or alt.known for alt in texts(value))


def _sanitized(frame: Frame, alt: Items, node: Node) -> Value:
    """`pgx.Identifier{"public", "t"}.Sanitize()` is `"public"."t"`."""
    parts: list[Value] = []
    for element in alt.elements:
        parts += [made_up(b"."), quoted(frame, element, node)]
    return frame.run.concatenate(parts[1:], frame.origin(node)) if parts else EMPTY


def _unknown_method(frame: Frame, arguments: Called, operand: Node, value: Value, name: str) -> list[Value]:
    rows.of_rows(frame, name, arguments, value)
    formatted = model_of("fmt.Sprintf", len(arguments.values)) if name == "Sprintf" and arguments.values else None
    if formatted is not None:
        return [formatted(frame, arguments)]
    written = frame.file.text(operand)
    label = f"{written}.{name}" if len(written) < 40 and "\n" not in written else name
    if named := method_sinks(frame, type_of(frame, operand), name):
        hand_over(frame, named, arguments, [], label)
    elif name == "CopyFrom" and len(arguments.values) >= 3:
        _copy_from(frame, arguments)
    elif name in sinks.PASS_THROUGH and arguments.values:
        _uses(frame, arguments, label, skip=sinks.PASS_THROUGH[name])
        return [arguments.values[sinks.PASS_THROUGH[name]], frame.unknown(f"result of {label}", arguments.node)]
    elif _is_command(frame, name, arguments) or _gives_values(frame, operand, name):
        text_uses(frame, arguments, label)
    elif (query := _query_index(frame, name, arguments)) is not None and not _goes_elsewhere(frame, operand, name):
        _sink_uses(frame, arguments, query, label)
    elif sinks.is_text_method(name) and not frame.run.names.in_text(frame.file.bytes(operand), "table"):
        text_uses(frame, arguments, label)
    else:
        owner = type_of(frame, operand)
        foreign = owner is not None and owner[0] not in frame.run.index.folders
        if owner is None or not foreign:
            return unknown_call(frame, arguments, label)
        label += _aside(frame, arguments, owner[0])
        return unknown_call(frame, arguments, label, _consumer(frame, owner[0], name))
    return _opaque_result(frame, arguments, label)


def _is_command(frame: Frame, name: str, arguments: Called) -> bool:
    """`conn.Do("HSET", key, "status", x)` of a file that talks to Redis."""
    if name not in sinks.COMMAND_METHODS or not arguments.values:
        return False
    speaks = any(path.startswith(sinks.COMMAND_PACKAGES) for path in frame.file.imports.values())
    return speaks and all(text.data().isupper() and text.data().isalpha() for text in texts(arguments.values[0]))


def _gives_values(frame: Frame, operand: Node, name: str) -> bool:
    """`mock.ExpectQuery(…).WithArgs("error")` and `rows.AddRow("error")` of sqlmock and pgxmock."""
    if name not in sinks.VALUES_OF_MOCKS:
        return False
    owner = type_of(frame, operand)
    paths = frame.file.imports.values() if owner is None else (owner[0],)
    return any(sinks.MOCKED_DATABASE.search(path) for path in paths)


def _goes_elsewhere(frame: Frame, operand: Node, name: str) -> bool:
    """Whether the receiver is of a module that has nothing to do with SQL: `client.Get(ctx, key)` of Redis."""
    owner = type_of(frame, operand)
    module = owner is not None and "." in owner[0].partition("/")[0]
    return owner is not None and module and _consumer(frame, owner[0], name) is Consumer.TEXT


def _query_index(frame: Frame, name: str, arguments: Called) -> int | None:
    """Which argument of a method is the statement that it runs; None where the method runs none."""
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


def text_uses(frame: Frame, arguments: Called, label: str) -> None:
    """Records the arguments of a call as texts for people; those of a format as the text that it makes."""
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


def unknown_call(frame: Frame, arguments: Called, label: str, consumer: Consumer = Consumer.UNKNOWN) -> list[Value]:
    """What a call gives of which nothing is known but who receives its arguments, which are recorded."""
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
