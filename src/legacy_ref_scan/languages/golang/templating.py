"""Calls of `text/template`: a template as a value, and the texts that it makes where it is parsed and executed.

What a template's data puts in is a hole, unless a method of the package that parses it is called like the field.
"""

from __future__ import annotations

from legacy_ref_scan.languages.golang import template_syntax
from legacy_ref_scan.languages.golang.assignments import assign_to
from legacy_ref_scan.languages.golang.formatting import sprint, sprintf
from legacy_ref_scan.languages.golang.frame import ASSEMBLED, STORED, Frame
from legacy_ref_scan.languages.golang.inline import apply, invoke
from legacy_ref_scan.languages.golang.packages import Node
from legacy_ref_scan.languages.golang.stdlib import Called, append_to
from legacy_ref_scan.languages.golang.template_syntax import Action, Command, Operand, Template, Term
from legacy_ref_scan.languages.golang.values import (
    EMPTY,
    Alternative,
    Entries,
    Function,
    Text,
    Value,
    hole,
    made_up,
    texts,
    union,
)

PACKAGE = "text/template"
_TYPE = f"{PACKAGE}.Template"
_FUNCTIONS, _TEXT = made_up(b"functions"), made_up(b"text")
_EXECUTES = {"Execute": 2, "ExecuteTemplate": 3}
_SAME = frozenset(("Option", "Lookup", "Clone", "New", "Delims"))


def is_template(value: Value) -> bool:
    """The receiver of a method is a template."""
    return any(isinstance(alt, Entries) and alt.type == _TYPE for alt in value)


def package_function(frame: Frame, name: str, arguments: Called) -> list[Value] | None:
    """What `template.New` and `template.Must` give; None for other functions of the package."""
    if name == "New":
        return [(Entries((), _TYPE),)]
    if name == "Must" and arguments.values and is_template(arguments.values[0]):
        return [arguments.values[0]]
    return None


def method(frame: Frame, value: Value, name: str, operand: Node, arguments: Called) -> list[Value] | None:
    """What a method of a template gives; None for one that is not known here."""
    nil = frame.unknown("nil", arguments.node)
    if name in _EXECUTES and len(arguments.values) == _EXECUTES[name]:
        held = [alt for alt in value if isinstance(alt, Entries)]
        made = union(found for alt in held if (found := alt.get(b"text")) is not None)
        if made:
            append_to(frame, arguments.nodes[0], made, arguments.node)
        return [nil]
    if name == "Funcs" and arguments.values:
        return [_changed(frame, value, operand, _FUNCTIONS, arguments.values[0])]
    if name == "Parse" and arguments.values:
        made = union(_rendered(frame, alt, arguments) for alt in value if isinstance(alt, Entries))
        return [_changed(frame, value, operand, _TEXT, made), nil]
    return [value, nil] if name in _SAME else None


def _changed(frame: Frame, value: Value, operand: Node, key: Value, item: Value) -> Value:
    """The template with functions or a text; it is changed behind its pointer."""
    changed = tuple(_with(alt, key, item) if isinstance(alt, Entries) else alt for alt in value)
    if operand.type == "identifier" and frame.get(frame.file.text(operand)) is not None:
        assign_to(frame, operand, changed)
    return changed


def _with(alt: Entries, key: Value, item: Value) -> Entries:
    old = alt.get(b"functions") if key == _FUNCTIONS else None
    return alt.put(key, item if old is None else (*old, *item))


def _rendered(frame: Frame, template: Entries, arguments: Called) -> Value:
    """The texts that a template can make, each used where it is parsed; one without a name is kept as it is."""
    found: list[Value] = []
    for text in texts(arguments.values[0]):
        data = text.data()
        tree = template_syntax.read(data) if frame.run.followed(data) and template_syntax.has_actions(data) else None
        if tree is None:
            frame.use((text,), arguments.nodes[0], "argument of Parse", strength=ASSEMBLED)
            found.append((text,))
            continue
        made = _TemplateTexts(frame, template.get(b"functions") or (), text, tree, arguments).texts()
        frame.use(made, arguments.nodes[0], "a template's text", strength=STORED)
        found.append(made)
    return union(found) or EMPTY


class _TemplateTexts:
    """The texts of one template."""

    def __init__(self, frame: Frame, functions: Value, text: Text, tree: Template, call: Called) -> None:
        self.frame, self.functions, self.text, self.tree, self.node = frame, functions, text, tree, call.node
        self.data = text.data()
        self.made: dict[Action, Value] = {}

    def texts(self) -> Value:
        """One text for each way through the template; what it put in no text is noted as explained."""
        self.note()
        ways, left_out = self.tree.ways()
        found: dict[Alternative, None] = {}
        for way in ways:
            parts = [self.value(part) for part in self.tree.along(way)]
            whole = self.frame.run.concatenate([EMPTY, *parts], self.frame.origin(self.node))
            found.update(dict.fromkeys(whole))
        return tuple(alt.as_partial() if left_out and isinstance(alt, Text) else alt for alt in found)

    def note(self) -> None:
        """The template is not used as it stands, and its actions are no SQL."""
        knowledge = self.frame.run.knowledge
        knowledge.templates.add(self.text)
        for start, end, puts_in in self.tree.spans:
            for atom in template_syntax.cut(self.text, start, end).atoms:
                origin = template_syntax.origin_of((atom,), ("", 0, 0))
                if origin[0]:
                    knowledge.actions.setdefault(origin[0], {})[origin[1:]] = puts_in

    def value(self, part: template_syntax.Stretch | Action) -> Value:
        if isinstance(part, template_syntax.Stretch):
            return (template_syntax.cut(self.text, part.start, part.end),)
        if part not in self.made:
            self.made[part] = self.pipeline(part)
        return self.made[part]

    def hole(self, start: int, end: int) -> Value:
        written = self.data[start:end].decode("utf-8", "replace")
        atoms = template_syntax.cut(self.text, start, end).atoms
        return hole(
            f"{{{{{written[:40]}}}}} of a template", template_syntax.origin_of(atoms, self.frame.origin(self.node))
        )

    def pipeline(self, action: Action) -> Value:
        commands = template_syntax.pipeline(self.data, action.start, action.end)
        value: Value | None = None
        for command in commands or ():
            value = self.command(command, [] if value is None else [value], action)
        return value or self.hole(action.start, action.end)

    def command(self, command: Command, last: list[Value], action: Action) -> Value:
        """The value of a command; that of the one before it in the pipeline is its last argument."""
        head, rest = command[0], command[1:]
        if isinstance(head, Operand) and head.kind == "word":
            arguments = [*(self.term(term, action) for term in rest), *last]
            return self.function(self.data[head.start : head.end], arguments) or self.hole(action.start, action.end)
        return self.term(head, action) if not rest and not last else self.hole(action.start, action.end)

    def term(self, term: Term, action: Action) -> Value:
        if isinstance(term, tuple):
            return self.command(term, [], action) if term else self.hole(action.start, action.end)
        match term.kind:
            case "text":
                return (template_syntax.cut(self.text, term.start + 1, term.end - 1),)
            case "number":
                return (template_syntax.cut(self.text, term.start, term.end),)
            case "word":
                return self.function(self.data[term.start : term.end], []) or self.hole(term.start, term.end)
            case "field":
                return self.field(term) or self.hole(action.start, action.end)
        return self.hole(action.start, action.end)

    def function(self, name: bytes, arguments: list[Value]) -> Value:
        if name == b"printf" and arguments:
            return sprintf(self.frame, self.node, arguments[0], arguments[1:], False)
        if name == b"print":
            return sprint(self.frame, self.node, arguments)
        found = [alt for m in self.functions if isinstance(m, Entries) for alt in m.get(name) or ()]
        results = [self.called(alt, arguments) if isinstance(alt, Function) else [] for alt in found]
        return union(result[0] for result in results if result) if all(results) else ()

    def called(self, function: Function, arguments: list[Value]) -> list[Value]:
        """What a function gives that the template was given: it is followed as deep as one of the program's start."""
        run, nodes = self.frame.run, [self.node] * len(arguments)
        above = run.stack[:]
        if not run.in_template:
            run.stack[:] = above[-1:]
        inside, run.in_template = run.in_template, True
        try:
            if function.declaration is None:
                return apply(self.frame, function, arguments, nodes, self.node)
            call = Called(self.node, nodes, arguments)
            return invoke(self.frame, function.declaration, call, None, function.receiver) or []
        finally:
            run.stack[:], run.in_template = above, inside

    def field(self, operand: Operand) -> Value:
        """What a method of this package gives that is called like a field of the data."""
        name = self.data[operand.start + 1 : operand.end].decode("utf-8", "replace")
        folder = self.frame.file.folder
        declared = [d for d in self.frame.run.index.lookup(folder, name) if d.kind == "method"]
        results = [invoke(self.frame, d, Called(self.node, [], []), None, None) for d in declared]
        return union(result[0] if result else () for result in results) if all(results) else ()
