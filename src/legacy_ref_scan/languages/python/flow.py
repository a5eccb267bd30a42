"""Runs the bodies of a project's Python files: assignments, branches and loops, and calls into functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import libcst as cst

from legacy_ref_scan.languages.python import text as texts
from legacy_ref_scan.languages.python.branches import narrowed
from legacy_ref_scan.languages.python.declared import Declarations
from legacy_ref_scan.languages.python.entities import Entities
from legacy_ref_scan.languages.python.evaluate import Frame, as_items, each_of, pending_of
from legacy_ref_scan.languages.python.findings import Findings
from legacy_ref_scan.languages.python.library import Library
from legacy_ref_scan.languages.python.mapped import Model
from legacy_ref_scan.languages.python.module import STRINGS, Class, Function, Module, dotted
from legacy_ref_scan.languages.python.receive import Env
from legacy_ref_scan.languages.python.registry import Registry, text_of
from legacy_ref_scan.languages.python.text import Entity, Pairs, Text, Unknown, Value, Values
from legacy_ref_scan.languages.python.typed import Typed
from legacy_ref_scan.languages.python.uses import Uses
from legacy_ref_scan.model import Access, Explanation, Span

_DEEPEST = 4
# `metadata.tables["phases"]` of SQLAlchemy, `dataset.connect()["phases"]`: as the reason says why the value is unknown.
_TABLES_BY_NAME = {"attribute tables": "table", "result of connect()": "query"}


# A function, the class of its `self`, whether only what is bound can be passed, and its bound parameters.
_Run = tuple[Function, Class | None, bool, tuple[tuple[str, Values], ...]]


class Interpreter(Typed):
    """Runs modules and hands what reaches a receiver to the findings."""

    def __init__(self, library: Library, findings: Findings, budget: int) -> None:
        super().__init__(library, findings, budget)
        self.registry = Registry(library, lambda owner, name: self.class_env(owner).get(name, ()))
        uses = Uses(self.registry, findings)
        self.entities = Entities(self.registry, uses)
        self.declarations = Declarations(self.registry, uses, findings)
        self._globals: dict[str, Env] = {}
        self._classes: dict[Class, Env] = {}
        self._results: dict[_Run, Values] = {}
        self._returned: defaultdict[Module, dict[Function, dict[Values, None]]] = defaultdict(lambda: defaultdict(dict))
        self._open: set[Function] = set()
        self._frames: dict[Function, Frame] = {}
        self._run: set[Function] = set()
        self._cut_short: set[Function] = set()

    def run(self, module: Module) -> None:
        """Runs a file: its top level, then every function once with unknown parameters.

        A private function that the file calls and nobody else knows runs with its callers' arguments alone.
        """
        self.globals(module)
        inner = {function for function in module.every if self._is_inner(function)}
        for function in sorted(module.every, key=lambda one: one.name != "__init__"):
            if function not in inner:
                self.enter(function, {}, function.owner, Frame(module), known=False)
        for function in module.every:
            if function in inner and (function not in self._run or function in self._cut_short):
                self.enter(function, {}, function.owner, Frame(module), known=False)
        for owner in [one for one in module.definitions.values() if isinstance(one, Class)]:
            self._run_inherited(owner)

    def _is_inner(self, function: Function) -> bool:
        """Whether every use of a function is a call in its own file."""
        name = function.name
        if not name.startswith("_") or name.startswith("__") or function.node.decorators:
            return False
        used, called = function.module.uses.get(name, (0, 0))
        if not called or used != called:
            return False
        return self.library.private[name] == 1

    def globals(self, module: Module) -> Env:
        """The variables of a module's top level."""
        path = module.source.path
        if path not in self._globals:
            frame = Frame(module)
            self._globals[path] = frame.env  # first, for an import cycle must end
            env = self._block(module.tree.body, frame)
            self._globals[path] = frame.env if env is None else env
        return self._globals[path]

    def class_env(self, owner: Class) -> Env:
        """The variables of a class's body, and what its methods assign to attributes of `self`."""
        if owner not in self._classes:
            frame = Frame(owner.module, owner.symbol, owner)
            self._classes[owner] = frame.env
            self._block(owner.node.body.body, frame)
            self._classes[owner].update(frame.env)
        return self._classes[owner]

    def telling(self, module: Module) -> set[str]:
        """The names of a file whose value or result holds a mention: other files may use them."""
        names = {name for name, values in self.globals(module).items() if self._tells(values)}
        names |= {
            known.name
            for known in module.definitions.values()
            if isinstance(known, Class) and any(map(self._tells, self.class_env(known).values()))
        }
        returned = self._returned[module].items()
        return names | {function.name for function, results in returned if any(map(self._tells, results))}

    def _tells(self, values: Values) -> bool:
        """Whether a file that only imports a value can use the column without naming it."""
        return self._any(tuple(v for v in values if not isinstance(v, Entity) or v.model.open))

    def enter(self, function: Function, bound: Env, owner: Class | None, frame: Frame, *, known: bool = True) -> Values:
        """Runs a function; `bound` are its known parameters. Gives the alternatives of its result."""
        site = function.module.span(function.node.name)
        key = (function, owner, known, tuple(sorted(bound.items(), key=lambda item: item[0])))
        if key in self._results:
            return self._results[key]
        if function in self._open or frame.depth >= _DEEPEST or self.budget < 0:
            self._cut_short.add(function)
            return (Unknown(f"result of {function.name}()", site),)
        inner = Frame(function.module, frame.symbol if frame.depth or known else function.symbol, owner)
        inner.depth = frame.depth + 1 if known else 0
        inner.symbol = inner.symbol or function.symbol
        inner.outer = self._frames.get(function)
        self._run.add(function)
        self._parameters(function, bound, inner, known=known)
        self._open.add(function)
        try:
            self._block(_body(function.node.body), inner)
        finally:
            self._open.discard(function)
        result = self.limited(inner.returns, site, inner)
        if all(isinstance(value, Unknown) for value in result):
            result = self.annotated(function.node.returns, function.module) or result
        result = result or (Unknown(f"result of {function.name}()", site),)
        self._results[key] = result
        self._returned[function.module][function][result] = None
        return result

    def _parameters(self, function: Function, bound: Env, inner: Frame, *, known: bool) -> None:
        listed = function.node.params
        for param in (*listed.posonly_params, *listed.params, *listed.kwonly_params):
            name = param.name.value
            vague = all(isinstance(value, Unknown) for value in bound.get(name, ()))
            typed = self.typed(param, function) if vague else ()
            if typed:
                inner.env[name] = typed
                continue
            default = self.evaluate(param.default, Frame(function.module)) if param.default is not None else ()
            unknown = Unknown(f"parameter {name} of {function.name}", function.module.span(param.name))
            if name in bound:
                inner.env[name] = bound[name]
            else:
                inner.env[name] = default if known and default else (*default, unknown)
        first = next(iter((*listed.posonly_params, *listed.params)), None)
        if first is not None and inner.owner is not None and function.owner is not None:
            inner.env[first.name.value] = self.receiver(function, inner.owner) or inner.env[first.name.value]

    def _run_inherited(self, owner: Class) -> None:
        """The methods of its bases, where the class gives their attributes values of its own with a mention."""
        if not any(map(self._any, self.class_env(owner).values())):
            return
        done = set(owner.methods)
        for base in self.library.bases(owner):
            for name, method in base.methods.items():
                if name not in done:
                    done.add(name)
                    self.enter(method, {}, owner, Frame(owner.module, f"{owner.symbol}.{name}"), known=False)

    # Statements. Each gives the variables after it, None where nothing runs after it.

    def _block(self, statements: Iterable[cst.CSTNode], frame: Frame) -> Env | None:
        for statement in statements:
            if not self._statement(statement, frame):
                return None
        return frame.env

    def _statement(self, node: cst.CSTNode, frame: Frame) -> bool:
        match node:
            case cst.SimpleStatementLine() | cst.SimpleStatementSuite():
                return all(self._small(small, frame) for small in node.body)
            case cst.If():
                return self._if(node, frame)
            case cst.For() | cst.While():
                return self._loop(node, frame)
            case cst.Try() | cst.TryStar():
                return self._try(node, frame)
            case cst.With():
                for item in node.items:
                    values = self.evaluate(item.item, frame)
                    if item.asname is not None:
                        self.bind(item.asname.name, _unknowns(values), frame)
                return self._block(_body(node.body), frame) is not None
            case cst.Match():
                self.evaluate(node.subject, frame)
                bodies = [_body(case.body) for case in node.cases]
                return self._branches([*bodies, ()], frame)
            case cst.FunctionDef() | cst.ClassDef():
                self._definition(node, frame)
        return True

    def _small(self, node: cst.BaseSmallStatement, frame: Frame) -> bool:
        match node:
            case cst.Expr(value) if isinstance(value, STRINGS):
                return True  # a docstring
            case cst.Assign():
                values = self.evaluate(node.value, frame)
                for target in node.targets:
                    self.bind(target.target, values, frame)
            case cst.AnnAssign() if node.value is not None:
                values = self.evaluate(node.value, frame)
                if all(isinstance(value, Unknown) for value in values):
                    values = self.annotated(node.annotation, frame.module) or values
                self.bind(node.target, values, frame)
            case cst.AugAssign():
                self._augment(node, frame)
            case cst.Return():
                frame.returns += self.evaluate(node.value, frame) if node.value is not None else ()
                return False
            case cst.Raise():
                self._raise(node, frame)
                return False
            case cst.Break() | cst.Continue():
                return True  # what follows does not run, but what was assigned so far lives on behind the loop
            case cst.Import() | cst.ImportFrom() | cst.Global() | cst.Nonlocal():
                pass
            case _:
                self._inside(node, frame)
        return True

    def _augment(self, node: cst.AugAssign, frame: Frame) -> None:
        right = self.evaluate(node.value, frame)
        left = self.evaluate(node.target, frame)
        if isinstance(node.operator, cst.AddAssign):
            self.bind(node.target, self.added((left, right), node, frame), frame)
        else:
            pending = pending_of((*left, *right))
            self.bind(node.target, (pending,) if pending else self.unknown("an operation", node, frame), frame)

    def _raise(self, node: cst.Raise, frame: Frame) -> None:
        if isinstance(node.exc, cst.Call):
            site = frame.module.span(node.exc)
            for argument in node.exc.args:
                self._show(self.evaluate(argument.value, frame), argument, site, frame, "raised")
        elif node.exc is not None:
            self.evaluate(node.exc, frame)

    def _if(self, node: cst.If, frame: Frame) -> bool:
        self.evaluate(node.test, frame)
        before = frame.copy_env()
        yes, no = narrowed(node.test, before)
        outcomes: list[Env | None] = []
        if yes is not None:
            frame.env = yes
            outcomes.append(self._block(_body(node.body), frame))
        if no is not None:
            frame.env = no
            orelse = node.orelse
            if isinstance(orelse, cst.If):
                outcomes.append(frame.env if self._if(orelse, frame) else None)
            elif orelse is not None:
                outcomes.append(self._block(_body(orelse.body), frame))
            else:
                outcomes.append(frame.env)
        return self._merge(outcomes, node, frame)

    def _loop(self, node: cst.For | cst.While, frame: Frame) -> bool:
        rounds: list[Values | None] = [None]
        if isinstance(node, cst.For):
            sources = self.evaluate(node.iter, frame)
            rounds = [_any_item(sources, frame.module.span(node.iter))]
        before = frame.copy_env()
        # Twice: what the first round assigns can be used by the second.
        for values in rounds * 2:
            if isinstance(node, cst.For) and values is not None:
                self.bind(node.target, values, frame)
            elif isinstance(node, cst.While):
                self.evaluate(node.test, frame)
            after = self._block(_body(node.body), frame)
            self._merge([before, after if after is not None else frame.env], node, frame)
        if node.orelse is not None:
            return self._block(_body(node.orelse.body), frame) is not None
        return True

    def _try(self, node: cst.Try | cst.TryStar, frame: Frame) -> bool:
        before = frame.copy_env()
        body = self._block(_body(node.body), frame)
        if body is not None and node.orelse is not None:
            body = self._block(_body(node.orelse.body), frame)
        reached = frame.copy_env()
        outcomes: list[Env | None] = [body]
        for handler in node.handlers:
            self._merge([dict(before), dict(reached)], node, frame)
            outcomes.append(self._block(_body(handler.body), frame))
        alive = self._merge(outcomes, node, frame)
        if node.finalbody is not None:
            alive = self._block(_body(node.finalbody.body), frame) is not None and alive
        return alive

    def _branches(self, bodies: Sequence[Sequence[cst.CSTNode]], frame: Frame) -> bool:
        before = frame.copy_env()
        outcomes: list[Env | None] = []
        for body in bodies:
            frame.env = dict(before)
            outcomes.append(self._block(body, frame))
        return self._merge(outcomes, None, frame)

    def _merge(self, outcomes: Sequence[Env | None], node: cst.CSTNode | None, frame: Frame) -> bool:
        living = [env for env in outcomes if env is not None]
        if not living:
            return False
        frame.env = merged = dict(living[0])
        for env in living[1:]:
            for name, values in env.items():
                old = merged.get(name)
                if old is not values:
                    site = frame.module.span(node or frame.module.tree)
                    merged[name] = self.limited((*(old or ()), *values), site, frame)
        return True

    def _definition(self, node: cst.FunctionDef | cst.ClassDef, frame: Frame) -> None:
        for decorator in node.decorators:
            self.evaluate(decorator.decorator, frame)
        known = frame.module.definitions.get(node)
        if isinstance(known, Function) and known.owner is None:
            self._frames[known] = frame
        if isinstance(known, Class):
            for base in (*known.node.bases, *known.node.keywords):
                self.evaluate(base.value, frame)
            self.class_env(known)

    # Names and attributes.

    def look_up(self, name: str, frame: Frame, span: Span) -> Values:
        """A variable of the function, of its module, or imported."""
        scope: Frame | None = frame
        while scope is not None:
            if name in scope.env:
                return scope.env[name]
            scope = scope.outer
        found = self._global(frame.module, name, frozenset())
        if found is not None:
            return found
        model = self.registry.class_named(frame.module, name)
        return (Entity("model", model),) if model is not None else (Unknown(f"name {name}", span),)

    def _global(self, module: Module, name: str, seen: frozenset[str]) -> Values | None:
        if module.source.path in seen:
            return None
        seen |= {module.source.path}
        found = self.globals(module).get(name)
        if found is not None:
            return found
        if name in module.imports:
            other, inner = self.library.imported(module, module.imports[name])
            return self._global(other, inner, seen) if other is not None and inner else None
        for star in module.stars:
            other, _ = self.library.imported(module, star)
            found = self._global(other, name, seen) if other is not None else None
            if found is not None:
                return found
        return None

    def attribute(self, node: cst.Attribute, frame: Frame) -> Values:
        """A variable of a module, an attribute of `self` or of a class."""
        name = node.attr.value
        values = self.evaluate(node.value, frame)
        found = self._of_entities(values, node, Access.READ, frame)
        if found is None and isinstance(node.value, cst.Name):
            owner = self._owner(node.value.value, frame)
            if owner is not None:
                found = self._class_attribute(owner, name, frame, frozenset())
        if found is None and isinstance(node.value, cst.Attribute) and node.value.attr.value == "classes":
            found = self._automapped(name, node, frame)
        path = dotted(node)
        if found is None and path:
            module, inner = self.library.attribute(frame.module, path)
            found = self._exported(module, inner) if module is not None else None
        if found is not None:
            return found
        model = self.registry.behind_set(name)
        if model is not None:
            return (Entity("query", model),)
        if name == "value" and any(isinstance(value, Text) for value in values):
            return values  # of an Enum's member
        return self.unknown(f"attribute {name}", node, frame)

    def _automapped(self, name: str, node: cst.Attribute, frame: Frame) -> Values | None:
        """`Base.classes.campaign_phases`: automap calls its classes like the tables."""
        if name not in self.registry.tables:
            return None
        model = Model(name, name, "sqlalchemy", {}, open=True, reflects=True)
        self.entities.uses.every(model, frame.module.span(node), frame.symbol)
        self.findings.claim(frame.module.span(node.attr), Explanation.TABLE, "a class that automap makes")
        return (Entity("model", model),)

    def _exported(self, module: Module, name: str) -> Values | None:
        found = self._global(module, name, frozenset())
        model = self.registry.class_named(module, name) if found is None else None
        return (Entity("model", model),) if model is not None else found

    def _of_entities(self, values: Values, node: cst.Attribute, access: Access, frame: Frame) -> Values | None:
        found: list[Value] = []
        span = frame.module.span(node.attr)
        for value in values:
            if isinstance(value, Entity):
                found += self._property(value, node.attr.value, frame)
                found += self.entities.attribute(value, node.attr.value, span, access, frame.symbol) or ()
        return self.limited(found, span, frame) or None

    def _property(self, value: Entity, name: str, frame: Frame) -> Values:
        """What a property of a model gives: `phase.open_jobs`, a query say."""
        owner = value.model.owner if value.kind == "instance" else None
        method = self.library.method(owner, name) if owner is not None and name not in value.model.fields else None
        if method is None or not any("property" in dotted(one.decorator) for one in method.node.decorators):
            return ()
        return tuple(made for made in self.enter(method, {}, owner, frame) if isinstance(made, Entity))

    def item(self, base: Value, key: Value, site: Span, frame: Frame) -> Values:
        if isinstance(base, Unknown) and base.reason in _TABLES_BY_NAME and isinstance(key, Text):
            table, kind = text_of((key,)), _TABLES_BY_NAME[base.reason]
            model = Model(table, table, "sqlalchemy", {}, open=True, reflects=True)
            if table and kind == "query":
                self.entities.uses.every(model, site, frame.symbol)
            return (Entity(kind, model),) if table else super().item(base, key, site, frame)
        found = self.entities.item(base, key, frame.symbol) if isinstance(base, Entity) else None
        return (found,) if found is not None else super().item(base, key, site, frame)

    def _class_attribute(self, owner: Class, name: str, frame: Frame, seen: frozenset[str]) -> Values | None:
        if owner.symbol in seen:
            return None
        values = self.class_env(owner).get(name) or self._initialised(owner, name)
        if values is not None:
            return values
        method = owner.methods.get(name)
        if method is not None and any("property" in dotted(d.decorator) for d in method.node.decorators):
            return self.enter(method, {}, frame.owner or owner, frame)
        for base in self.library.bases(owner):
            values = self._class_attribute(base, name, frame, seen | {owner.symbol})
            if values is not None:
                return values
        return None

    def _initialised(self, owner: Class, name: str) -> Values | None:
        """What `__init__` of a class keeps under a name, which stands in a file that has not run yet."""
        made = owner.methods.get("__init__")
        if made is None or made in self._run:
            return None
        self.enter(made, {}, owner, Frame(owner.module), known=False)
        return self.class_env(owner).get(name)

    def store(self, target: cst.Attribute | cst.Subscript, values: Values, frame: Frame) -> None:
        """`self.name = …` is kept for the class; `x[key] = …` adds to a dict."""
        if isinstance(target, cst.Attribute):
            holders = self.evaluate(target.value, frame)
            if any(isinstance(holder, Entity) for holder in holders):
                self._of_entities(holders, target, Access.WRITE, frame)
            if dotted(target.value) in ("self", "cls") and frame.owner is not None:
                env = self.class_env(frame.owner)
                name = target.attr.value
                env[name] = self.limited((*env.get(name, ()), *values), frame.module.span(target), frame)
            return
        bases = self.evaluate(target, frame) and self.evaluate(target.value, frame)
        index = target.slice[0].slice
        if isinstance(target.value, cst.Name) and isinstance(index, cst.Index) and isinstance(bases[0], Pairs):
            key = self.evaluate(index.value, frame)[0]
            if isinstance(key, Text):
                pairs = (*bases[0].pairs, (key.flat.decode("utf-8", "replace"), values))
                frame.env[target.value.value] = (Pairs(pairs, (*bases[0].keys, key), bases[0].complete),)


def _body(node: cst.BaseSuite) -> Sequence[cst.CSTNode]:
    return node.body if isinstance(node, cst.IndentedBlock) else (node,)


def _unknowns(values: Values) -> Values:
    return tuple(value for value in values if isinstance(value, Unknown)) or values


def _any_item(sources: Values, span: Span) -> Values:
    found: list[Value] = []
    for source in sources:
        listed = as_items(source)
        if listed is not None and listed.items:
            found += [value for values in listed.items for value in values]
        elif each_of(source):
            found += each_of(source)
        else:
            found.append(Unknown("an item", span))
    return tuple(dict.fromkeys(found))[: texts.LIMIT]
