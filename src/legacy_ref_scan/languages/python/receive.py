"""What becomes of a call: its result, its receiver, and the functions of the project that it leads into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import libcst as cst

from legacy_ref_scan.languages.python import calls, reflected, sinks
from legacy_ref_scan.languages.python import text as texts
from legacy_ref_scan.languages.python.entities import Argument, Call, Entities
from legacy_ref_scan.languages.python.evaluate import Evaluator, Frame
from legacy_ref_scan.languages.python.findings import Found
from legacy_ref_scan.languages.python.mapped import DYNAMIC, Model
from legacy_ref_scan.languages.python.module import Class, Function, dotted, last_name
from legacy_ref_scan.languages.python.registry import Registry
from legacy_ref_scan.languages.python.text import (
    Constant,
    Entity,
    Foreign,
    Items,
    Pairs,
    Run,
    Text,
    Unknown,
    Value,
    Values,
)
from legacy_ref_scan.model import Consumer, Span

_GROWING = {"append": 0, "add": 0, "extend": 0, "insert": 1, "update": 0, "appendleft": 0}
Env = dict[str, Values]


class Caller(Evaluator):
    """Evaluates calls. Running the body of a function is left to `Interpreter`."""

    def enter(self, function: Function, bound: Env, owner: Class | None, frame: Frame, *, known: bool = True) -> Values:
        """Runs a function; `bound` are its known parameters. Gives the alternatives of its result."""
        raise NotImplementedError

    entities: Entities
    registry: Registry

    def model_at(self, node: cst.BaseExpression, frame: Frame) -> Model | None:
        """The model that a name stands for."""
        raise NotImplementedError

    def table_at(self, node: cst.Call, frame: Frame) -> Model | None:
        """The table that a call of `Table` makes."""
        raise NotImplementedError

    def call(self, node: cst.Call, frame: Frame) -> Values:
        """The result of a call; its arguments are handed to their receiver."""
        name = last_name(node.func)
        receivers: Values = ()
        if isinstance(node.func, cst.Attribute):
            receivers = self.evaluate(node.func.value, frame)
        elif not isinstance(node.func, cst.Name):
            self.evaluate(node.func, frame)
        if name == "map" and len(node.args) == 2:
            return self._map(node, frame)
        listed = [(argument, self.evaluate(argument.value, frame)) for argument in node.args]
        foreign = self._elsewhere(node, name, receivers, listed, frame)
        if foreign is not None:
            return foreign
        if name in reflected.MAPPERS:
            self._map_class(node, listed, frame)
        modelled = self._modelled(node, name, receivers, listed, frame)
        if modelled is not None:
            return modelled
        result = self._made(node, name, receivers, listed, frame)
        if self._receive(node, name, listed, frame, receivers):
            return result or self.unknown(f"result of {name}()", node, frame)
        if result is not None:
            return result
        entered = self._follow(node, name, listed, frame)
        if entered is not None:
            return entered
        self._grow(node, name, receivers, listed, frame)
        self._pass_on(node, name, listed, frame)
        return self.unknown(f"result of {name or 'a call'}()", node, frame)

    def _map_class(self, node: cst.Call, listed: list[tuple[cst.Arg, Values]], frame: Frame) -> None:
        """`map_imperatively(Phase, phases)`: from here on the class is a model over the table."""
        plain = [argument for argument, _ in listed if argument.keyword is None]
        path = dotted(plain[0].value) if plain else ""
        module, name = self.library.attribute(frame.module, path) if "." in path else (frame.module, path)
        owner = self.library.function(module, name) if module is not None and name else None
        tables = [value.model for _, values in listed[1:] for value in values if isinstance(value, Entity)]
        if not isinstance(owner, Class):
            return
        unknown = Model(name, DYNAMIC, "sqlalchemy", {}, open=True, reflects=True)
        model = self.registry.map(owner, tables[0] if tables else unknown)
        if model.reflects and self.registry.concerns(model) and model.table != DYNAMIC:
            self.entities.uses.every(model, frame.module.span(node), frame.symbol)

    def _elsewhere(
        self, node: cst.Call, name: str, receivers: Values, listed: list[tuple[cst.Arg, Values]], frame: Frame
    ) -> Values | None:
        """What a call gives that connects to another database, or hands it a statement; None for any other call."""
        flat = [value for _, values in listed for value in values]
        first = next((value.flat for value in flat if isinstance(value, Text)), b"")
        path = self._full_path(node.func, frame)
        database = sinks.connects_to(path, path.rpartition(".")[2] or name, first)
        if database and not (name != "connect" and frame.module.source.test):
            return (Foreign(database),)
        holders = [value for value in receivers if value != Constant(None)]
        if isinstance(node.func, cst.Name) and node.func.value in frame.env:
            holders = [value for value in frame.env[node.func.value] if value != Constant(None)]
        foreign = holders[0] if holders and all(isinstance(value, Foreign) for value in holders) else None
        if foreign is None and (
            name.startswith("read_sql") or name in ("to_sql", "sessionmaker", "Session", "closing")
        ):
            foreign = next((value for value in flat if isinstance(value, Foreign)), None)
        if not isinstance(foreign, Foreign) or any(isinstance(value, Entity) for value in flat):
            return None
        for value in flat:
            if isinstance(value, Text):
                self.findings.elsewhere(value, foreign.database)
        return (foreign,) if sinks.stays_connected(name) else self.unknown(f"result of {name}()", node, frame)

    def _full_path(self, node: cst.BaseExpression, frame: Frame) -> str:
        """The dotted path of what is called, from the module that it is imported from."""
        head, _, rest = dotted(node).partition(".")
        what = frame.module.imports.get(head)
        if what is None or what.level:
            return ""
        return ".".join(part for part in (what.module, what.name, rest) if part)

    def _modelled(
        self, node: cst.Call, name: str, receivers: Values, listed: list[tuple[cst.Arg, Values]], frame: Frame
    ) -> Values | None:
        """The result of a call that is about models, tables or queries; None where it is not."""
        known = frame.module.imports.get(name) if isinstance(node.func, cst.Name) else None
        called = known.name if known is not None and known.name else name  # `insert as pg_insert`
        call = Call(called, tuple(_argument_of(*one, frame) for one in listed), frame.module.span(node), frame.symbol)
        found = [receiver for receiver in receivers if isinstance(receiver, Entity)]
        if not found:
            return self._of_function(node, call, listed, frame)
        self._receive(node, name, listed, frame)
        results: list[Value] = []
        for receiver in found:
            results += self._own_method(receiver, name, listed, frame) or self.entities.method(receiver, call) or ()
        return self.limited(results, call.site, frame) or self.unknown(f"result of {name}()", node, frame)

    def _of_function(
        self, node: cst.Call, call: Call, listed: list[tuple[cst.Arg, Values]], frame: Frame
    ) -> Values | None:
        model = self.model_at(node.func, frame)
        if model is not None and model.unseen:
            return self.entities.made(model, call)
        if model is not None and model.owner is not None:
            made = self.library.method(model.owner, "__init__")
            if made is None:
                return self.entities.made(model, call)
            self.enter(made, _bound(made, listed, skip_first=True), model.owner, frame)
            own = {param.name.value for param in (*made.node.params.params, *made.node.params.kwonly_params)}
            rest = tuple(argument for argument in call.arguments if argument.keyword not in own)
            if made.node.params.star_kwarg is not None:  # handed on to the library
                return self.entities.made(model, replace(call, arguments=rest))
            return (Entity("instance", model),)
        table = self.table_at(node, frame) if call.name in ("Table", "table") else None
        return (Entity("table", table),) if table is not None else self.entities.function(call)

    def _own_method(
        self, receiver: Entity, name: str, listed: list[tuple[cst.Arg, Values]], frame: Frame
    ) -> Values | None:
        """A method that the project defines on a model, or on a manager or query set of it."""
        owners = [receiver.model.owner] if receiver.kind in ("model", "instance") and receiver.model.owner else []
        if receiver.kind == "query":
            owners = self.registry.managers(receiver.model)
        for owner in owners:
            method = self.library.method(owner, name)
            if method is not None:
                return self.enter(method, _bound(method, listed, skip_first=True), owner, frame)
        return None

    def _made(
        self, node: cst.Call, name: str, receivers: Values, listed: list[tuple[cst.Arg, Values]], frame: Frame
    ) -> Values | None:
        site = frame.module.span(node)
        plain = [values for argument, values in listed if argument.keyword is None and not argument.star]
        named = {argument.keyword.value: values for argument, values in listed if argument.keyword is not None}

        def choose(options: Sequence[Values]) -> list[Values]:
            return self.combinations(options, site, frame)

        made: list[Value] = []
        for picked in choose([*([receivers] if receivers else []), *plain, *named.values()]):
            receiver = picked[0] if receivers else None
            arguments = picked[1:] if receivers else picked
            keywords = dict(zip(named, arguments[len(plain) :], strict=True))
            found = None
            if isinstance(receiver, Pairs):
                found = calls.of_dict(receiver, name, site)
            if isinstance(receiver, Text):
                found = calls.of_method(receiver, name, arguments[: len(plain)], keywords, site, choose)
            if found is None and not isinstance(receiver, Text):
                found = calls.of_helper(name, arguments[: len(plain)], site, choose)
            if found is None:
                return None
            made += found
        return self.limited(made, site, frame)

    def _map(self, node: cst.Call, frame: Frame) -> Values:
        """`map(str, items)`, `map(sql.Identifier, items)`: the function on each item."""
        name = last_name(node.args[0].value)
        self.evaluate(node.args[0].value, frame)
        sources = self.evaluate(node.args[1].value, frame)
        site = frame.module.span(node)
        known = sources[0] if len(sources) == 1 and isinstance(sources[0], Items) else Items((), complete=False)
        made: list[Values] = []
        for values in known.items:
            results = [calls.of_helper(name, (value,), site, lambda options: []) for value in values]
            flat = tuple(value for result in results for value in (result or ()))
            made.append(flat or (Unknown(f"result of {name}()", site),))
        return (Items(tuple(made), known.complete),)

    def _receive(
        self,
        node: cst.Call,
        name: str,
        listed: list[tuple[cst.Arg, Values]],
        frame: Frame,
        receivers: Values = (),
    ) -> bool:
        """Hands the arguments to a known receiver; whether there is one."""
        site = frame.module.span(node)
        receiver = dotted(node.func.value) if isinstance(node.func, cst.Attribute) else ""
        if sinks.shows_text(dotted(node.func), name, receiver):
            for argument, values in listed:
                self._show(values, argument, site, frame, f"argument of {name}")
            return True
        if name in sinks.IMPLIED:
            return self._imply(sinks.IMPLIED[name], name, listed, site, frame, receivers)
        if name == "callproc":
            self._show_values(listed[1:], site, frame)
            return True
        taken = False
        for position, (argument, values) in enumerate(listed):
            for value in values:
                if isinstance(value, Text) and _is_statement(name, position, argument, value):
                    taken = True
                    span = frame.module.span(argument.value)
                    self.findings.emit(Found(value, span, frame.symbol, Consumer.SQL, f"argument of {name}"))
                    others = [one for index, one in enumerate(listed) if index != position]
                    self._show_values(others, site, frame)
        return taken

    def _show_values(self, listed: list[tuple[cst.Arg, Values]], site: Span, frame: Frame) -> None:
        """Values of parameters, and the parameters' names: no part of a statement."""
        for argument, values in listed:
            for text in _texts(values):
                found = Found(text, frame.module.span(argument.value), frame.symbol, Consumer.TEXT, "a parameter")
                self.findings.shown(found, site)

    def _show(self, values: Values, argument: cst.Arg, call: Span, frame: Frame, note: str) -> None:
        for value in values:
            if isinstance(value, Text):
                span = frame.module.span(argument.value)
                self.findings.shown(Found(value, span, frame.symbol, Consumer.TEXT, note), call)

    def _imply(
        self,
        what: sinks.Implied,
        name: str,
        listed: list[tuple[cst.Arg, Values]],
        site: Span,
        frame: Frame,
        receivers: Values = (),
    ) -> bool:
        tables = _argument(listed, *what.table)
        columns = _argument(listed, *what.columns) or (receivers if name == "to_sql" else ())
        schemas = _argument(listed, "schema", -1) or _argument(listed, "schema_name", -1)
        for table in tables:
            for column in columns or (None,):
                if isinstance(table, Text):
                    if len(schemas) == 1 and isinstance(schemas[0], Text):
                        table = texts.concat([schemas[0].parts, (Run(b".", None),), table.parts])
                    text = _implied(what, table, column, site)
                    self.findings.emit(Found(text, site, frame.symbol, Consumer.SQL, f"implied by {name}"))
        return any(isinstance(table, Text) for table in tables)

    def _follow(self, node: cst.Call, name: str, listed: list[tuple[cst.Arg, Values]], frame: Frame) -> Values | None:
        functions = self._callees(node, name, listed, frame)
        results: list[Value] = []
        for function, owner in functions:
            bound = _bound(function, listed, skip_first=function.owner is not None)
            bound = {name: self.bounded(values, frame.module.span(node)) for name, values in bound.items()}
            results += self.enter(function, bound, owner, frame)
        return self.limited(results, frame.module.span(node), frame) if results else None

    def _callees(
        self, node: cst.Call, name: str, listed: list[tuple[cst.Arg, Values]], frame: Frame
    ) -> list[tuple[Function, Class | None]]:
        known: Function | Class | None = None
        owner: Class | None = None
        if isinstance(node.func, cst.Name):
            known = self.library.function(frame.module, name)
        elif isinstance(node.func, cst.Attribute):
            receiver = node.func.value
            if _is_super(receiver):
                owner = frame.owner
                found = (self.library.method(base, name) for base in (self.library.bases(owner) if owner else ()))
                known = next((method for method in found if method is not None), None)
            elif isinstance(receiver, cst.Name):
                owner = self._owner(receiver.value, frame)
                known = self.library.method(owner, name) if owner is not None else None
            if known is None and dotted(node.func):
                module, inner = self.library.attribute(frame.module, dotted(node.func))
                known = self.library.function(module, inner) if module is not None else None
        if isinstance(known, Class):
            made = known.methods.get("__init__")
            return [(made, known)] if made is not None else []
        if known is not None:
            return [(known, owner or known.owner)]
        passed = any(self._any(values) for _, values in listed)
        return [(f, f.owner) for f in self.library.definitions(name)] if passed and name else []

    def _grow(
        self, node: cst.Call, name: str, receivers: Values, listed: list[tuple[cst.Arg, Values]], frame: Frame
    ) -> None:
        """`items.append(x)` and its like."""
        target = node.func.value if isinstance(node.func, cst.Attribute) else None
        if name not in _GROWING or target is None or len(listed) != _GROWING[name] + 1:
            return
        values = listed[-1][1]
        grown: list[Value] = []
        for receiver in receivers:
            if not isinstance(receiver, Items):
                return
            added: tuple[Values, ...] = (values,)
            complete = receiver.complete
            if name in ("extend", "update"):
                known = values[0] if len(values) == 1 and isinstance(values[0], Items) else Items((), complete=False)
                added, complete = known.items, complete and known.complete
            grown.append(Items((*receiver.items, *added), complete))
        if grown:
            self.bind(target, self.limited(grown, frame.module.span(node), frame), frame)

    def _pass_on(self, node: cst.Call, name: str, listed: list[tuple[cst.Arg, Values]], frame: Frame) -> None:
        """A text from elsewhere that goes to a call which nobody knows could be used there in any way."""
        site = frame.module.span(node)
        for argument, values in listed:
            for value in values:
                if isinstance(value, Text) and not all(_inside(origin, site) for origin in value.origins):
                    span = frame.module.span(argument.value)
                    note = f"argument of {name or 'a call'}"
                    self.findings.emit(Found(value, span, frame.symbol, Consumer.UNKNOWN, note))

    def _owner(self, name: str, frame: Frame) -> Class | None:
        if name in ("self", "cls") and frame.owner is not None:
            return frame.owner
        known = self.library.function(frame.module, name) if name not in frame.env else None
        return known if isinstance(known, Class) else None

    def _mentions(self, value: Value) -> bool:
        match value:
            case Text():
                return self.findings.holds(value)
            case Items(items):
                return any(map(self._any, items))
            case Pairs(pairs):
                return any(self._any(values) for _, values in pairs)
            case Entity(model=model):
                return self.registry.concerns(model)
        return False

    def _any(self, values: Values) -> bool:
        return any(self._mentions(value) for value in values)


def _argument_of(argument: cst.Arg, values: Values, frame: Frame) -> Argument:
    where = frame.module.span(argument.keyword or argument.value)
    return Argument(argument.keyword.value if argument.keyword else "", where, values, argument.star)


def _is_statement(name: str, position: int, argument: cst.Arg, value: Text) -> bool:
    index = sinks.statement_index(name, value.flat)
    if index is None:
        return False
    return position == index if argument.keyword is None else argument.keyword.value in sinks.SQL_KEYWORDS


def _argument(listed: list[tuple[cst.Arg, Values]], keyword: str, index: int) -> Values:
    for position, (argument, values) in enumerate(listed):
        named = argument.keyword.value if argument.keyword is not None else ""
        if named == keyword or (not named and position == index):
            return values
    return ()


def _implied(what: sinks.Implied, table: Text, columns: Value | None, site: Span) -> Text:
    listed: tuple[texts.Part, ...] = ()
    several = "{table}{columns}" in what.verb
    if isinstance(columns, (Items, Pairs)):
        joined = texts.join(texts.made_up(", "), columns, site, lambda items: [tuple(v[0] for v in items)])[0]
        listed = joined.parts if isinstance(joined, Text) else ()
    elif isinstance(columns, Text):
        listed = columns.parts
    elif "FROM {table}" in what.verb:
        listed = texts.made_up("*").parts
    elif columns is not None:
        listed = (texts.Blank("columns that are not known", site),)
    if several and listed:
        listed = (Run(b" (", None), *listed, Run(b")", None))
    slots = {"{table}": table.parts, "{columns}": listed}
    words = what.verb.replace("{", "\0{").replace("}", "}\0").split("\0")
    return texts.concat(slots[word] if word in slots else texts.made_up(word).parts for word in words)


def _texts(values: Values) -> Iterator[Text]:
    """The texts among some values, with those of lists, and the keys and values of dicts."""
    for value in values:
        match value:
            case Text():
                yield value
            case Items(items):
                yield from (text for item in items for text in _texts(item))
            case Pairs(pairs, keys):
                yield from keys
                yield from (text for _, item in pairs for text in _texts(item))


def _bound(function: Function, listed: list[tuple[cst.Arg, Values]], *, skip_first: bool) -> Env:
    static = any(dotted(decorator.decorator) == "staticmethod" for decorator in function.node.decorators)
    params = [*function.node.params.posonly_params, *function.node.params.params]
    names = [param.name.value for param in (params[1:] if skip_first and not static else params)]
    every = {*names, *(param.name.value for param in function.node.params.kwonly_params)}
    bound: Env = {}
    for position, (argument, values) in enumerate(listed):
        if argument.star:
            break
        if argument.keyword is not None:
            if argument.keyword.value in every:
                bound[argument.keyword.value] = values
        elif position < len(names):
            bound[names[position]] = values
    return bound


def _is_super(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Call) and dotted(node.func) == "super"


def _inside(origin: Span, site: Span) -> bool:
    return origin.path == site.path and site.start <= origin.start and origin.end <= site.end
