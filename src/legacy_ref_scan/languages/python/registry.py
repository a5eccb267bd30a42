"""The ORM models and table objects of a project: which table each is, and which column each attribute."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from functools import cached_property

import libcst as cst

from legacy_ref_scan.languages.python import models
from legacy_ref_scan.languages.python.library import Library
from legacy_ref_scan.languages.python.mapped import DYNAMIC, Field, Model
from legacy_ref_scan.languages.python.module import Class, Module, dotted, last_name
from legacy_ref_scan.languages.python.reflected import reads_its_columns
from legacy_ref_scan.languages.python.text import Entity, Items, Pairs, Text, Values
from legacy_ref_scan.model import HOLE, Gap, Mapping

_MOST_SUBCLASSES = 400
_DEEPEST = 8
_LABEL = re.compile(rb"""^\s+label\s*(?::\s*\w+\s*)?=\s*['"](\w+)['"]""", re.MULTILINE)
_MANAGERS = frozenset({"Manager", "QuerySet", "BaseManager"})
ClassValue = Callable[[Class, str], Values]


class Registry:
    """Models by their class, made when they are asked for. `value` gives what a class's body assigns to a name."""

    def __init__(self, library: Library, value: ClassValue) -> None:
        self.library = library
        self._value = value
        self._models: dict[Class, Model | None] = {}
        self._by_name: dict[str, Class | None] = {}
        self._managers: dict[Class, Model] = {}
        self._names: dict[tuple[str, str], Model | None] = {}
        self._making: set[Class] = set()
        self._registered: dict[tuple[str, str], Model] = {}
        self.mapped_by_calls: set[Class] = set()

    @property
    def tables(self) -> frozenset[str]:
        return self.library.project.names.tables

    def model(self, owner: Class) -> Model | None:
        """The model that a class is; None where it is none (a mixin is one without a table)."""
        if owner in self._making:  # a class among its own bases, or one that its own body asks for
            return None
        if owner not in self._models:
            self._making.add(owner)
            self._models[owner] = self._make(owner)
            self._making.discard(owner)
        return self._models[owner]

    def named(self, module: Module, name: str) -> Model | None:
        """The model that a name written in a file stands for, looked for in the whole project if need be."""
        known = self.library.function(module, name.split(".")[-1])
        if not isinstance(known, Class):
            known = self._anywhere(name.split(".")[-1])
        return self.model(known) if known is not None else None

    def managers(self, model: Model) -> list[Class]:
        """The project's own managers and query sets of a model."""
        return [owner for owner, known in self._managers.items() if known is model]

    def managed(self, owner: Class) -> Model | None:
        """The model whose manager or query set a class is."""
        return self._managers.get(owner)

    def known(self) -> list[Model]:
        """The models that were made so far, those of the candidates among them."""
        return [model for model in self._models.values() if model is not None]

    def behind_set(self, name: str) -> Model | None:
        """The target's model that Django's own name for the way back leads to, on whatever object: `user.phase_set`."""
        if not name.endswith("_set"):
            return None
        found = [m for m in self.known() if m.library == "django" and f"{m.name.lower()}_set" == name]
        return found[0] if len(found) == 1 and self.concerns(found[0]) else None

    @property
    def attributes(self) -> frozenset[str] | None:
        """The names of all attributes and columns of the models over the targets' tables; None where there is no
        such model, or one that does not say all."""
        over = [model for model in self.known() if self.concerns(model)]
        if not over or any(model.open or DYNAMIC in _homes(model) for model in over):
            return None
        return frozenset(
            name for model in over for known in model.fields.values() for name in (known.name, known.column)
        )

    def homes_of(self, mixin: Model, name: str) -> list[str]:
        """The targets' tables that keep a field of a mixin."""
        heirs = self.subclasses(mixin.owner) if mixin.owner is not None else ()
        found = {self._home(heir, name) for heir in heirs}
        return sorted(home for home in found if home.rpartition(".")[2] in self.tables)

    def class_named(self, module: Module, name: str) -> Model | None:
        """The model that a name of a file, or `models.Phase`, is; found by its imports."""
        if "." in name:
            other, inner = self.library.attribute(module, name)
            return self.class_named(other, inner) if other is not None and inner else None
        key = (module.source.path, name)
        if key not in self._names:
            known = self.library.function(module, name)
            if isinstance(known, Class) and known in self._making:
                return None
            self._names[key] = self.model(known) if isinstance(known, Class) else self._unseen(module, name)
        return self._names[key]

    def _unseen(self, module: Module, name: str) -> Model | None:
        """A class that is called like a target's table and comes from a package that is not in the project."""
        what = module.imports.get(name)
        if what is None or not what.name or self.library.imported(module, what)[0] is not None:
            return None
        size = len(what.name)
        found = (
            table for start, end, table, role in self._places(what.name) if (role, start, end) == ("table", 0, size)
        )
        table = next(found, "") if what.name[:1].isupper() else ""
        return Model(what.name, table, "", {}, open=True, unseen=True) if table else None

    @property
    def maps_targets(self) -> bool:
        """Whether a model of the project is over a target's table."""
        return any(home.rpartition(".")[2] in self.tables for model in self.known() for home in _homes(model))

    def registered(self, owner: Class) -> Model | None:
        """The model of `admin.site.register(Phase, PhaseAdmin)`, for the second."""
        return self._registered.get((owner.module.source.path, owner.name))

    def note_registered(self, module: Module) -> None:
        """Remembers what a file registers with Django's admin."""
        for statement in module.tree.body:
            for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
                call = small.value if isinstance(small, cst.Expr) else None
                if isinstance(call, cst.Call) and last_name(call.func) == "register" and len(call.args) > 1:
                    model = self.class_named(module, dotted(call.args[0].value))
                    if model is not None:
                        self._registered[module.source.path, dotted(call.args[1].value)] = model

    def concerns(self, model: Model) -> bool:
        """Whether a model may be over a target's table."""
        return any(home.rpartition(".")[2] in self.tables or home == DYNAMIC for home in _homes(model))

    def mappings(self, module: Module) -> Iterator[Mapping | Gap]:
        """The columns that the classes of a file map."""
        for owner in [known for known in module.definitions.values() if isinstance(known, Class)]:
            model = self.model(owner)
            if model is not None:
                yield from self._of_model(model, owner)

    def _of_model(self, model: Model, owner: Class) -> Iterator[Mapping | Gap]:
        own = {known.name for known in models.own_fields(owner, self._special(owner))}
        for name, known in model.fields.items():
            if not known.column or known.column not in self.library.project.names.columns:
                continue
            table = model.table_of(name)
            if name in own and not table:
                yield from self._of_mixin(known, owner)
            elif name in own or table.rpartition(".")[2] in self.tables:
                yield self._mapping(known, owner, table)

    def _mapping(self, known: Field, owner: Class, table: str) -> Mapping | Gap:
        source = self.library.project.read(known.span.path)
        test = source is not None and source.test
        if table == DYNAMIC:
            message = f"{owner.name} maps {known.column}, and the name of its table is put together at run time"
            return Gap(known.span, "unknown-mapping", message, owner.name, test)
        return Mapping(known.span, known.column, owner.name, known.library, table, test)

    def _of_mixin(self, known: Field, owner: Class) -> Iterator[Mapping | Gap]:
        """A field of a class without a table: one for each class that inherits it; where there is none, an open one."""
        heirs = list(self.subclasses(owner))
        if len(heirs) > _MOST_SUBCLASSES:
            yield self._mapping(known, owner, DYNAMIC)
            return
        homes = {table: heir for heir, table in ((heir, self._home(heir, known.name)) for heir in heirs) if table}
        for table, heir in homes.items():
            yield self._mapping(known, heir, table)
        if not homes and known.library != "sqlmodel":  # without a table it only checks values
            yield self._mapping(known, owner, "")

    def _home(self, owner: Class, name: str) -> str:
        model = self.model(owner)
        return model.table_of(name) if model is not None and name in model.fields else ""

    def subclasses(self, owner: Class) -> Iterator[Class]:
        """The classes that inherit from a class, through others too."""
        seen = {owner}
        todo = [owner]
        while todo and len(seen) <= _MOST_SUBCLASSES + 1:
            at = todo.pop()
            for heir in self._heirs(at):
                if heir not in seen:
                    seen.add(heir)
                    todo.append(heir)
                    yield heir

    def _heirs(self, owner: Class) -> Iterator[Class]:
        inherits = re.compile(rb"\bclass\s+\w+\s*(?:\[[^\]]*\]\s*)?\([^)]*\b" + re.escape(owner.name.encode()) + rb"\b")
        for source in self.library.project.containing("python", [owner.name]):
            module = self.library.load(source) if inherits.search(source.data) else None
            for known in module.definitions.values() if module is not None else ():
                if isinstance(known, Class) and owner in self.library.bases(known):
                    yield known

    # Making a model

    def _make(self, owner: Class) -> Model | None:
        special = self._special(owner)
        own = {known.name: known for known in models.own_fields(owner, special)}
        bases = [model for base in self.library.bases(owner) if (model := self.model(base)) is not None]
        library = next((f.library for f in own.values()), "") or next((b.library for b in bases if b.library), special)
        derived = bool(owner.node.bases or owner.node.decorators)  # from a declarative base, or mapped by a decorator
        named = derived and bool(self._value(owner, "__tablename__") or self._value(owner, "__table__"))
        if not library and not bases and not named and not self._is_django(owner):
            return None
        library = library or ("sqlalchemy" if named else "django")
        core = self._core_table(owner)
        table = core.table if core is not None else self._table(owner, library, bases)
        own = {**(core.fields if core is not None else {}), **own}
        fields, homes = dict(own), dict.fromkeys(own, table)
        for base in bases:
            for name, known in base.fields.items():
                if name not in fields:
                    fields[name] = known
                    homes[name] = base.table_of(name) or table
        if not fields and not table:
            return None
        elsewhere = {n: t for n, t in homes.items() if t != table}
        reflects = (core is not None and core.reflects) or any(base.reflects for base in bases)
        reflects = reflects or (library == "sqlalchemy" and reads_its_columns(self.library, owner))
        is_open = reflects or (named and not fields)  # with no field at all, a base that is not seen has them
        model = Model(owner.name, table, library, fields, owner, elsewhere, is_open, reflects=reflects)
        self._note_managers(model, owner)
        return model

    def _core_table(self, owner: Class) -> Model | None:
        """The table object that a class is over: `__table__ = phases`."""
        values = self._value(owner, "__table__")
        return next((v.model for v in values if isinstance(v, Entity) and v.kind == "table"), None)

    def map(self, owner: Class, table: Model) -> Model:
        """Remembers that a class is mapped onto a table by a call, whatever it declares itself."""
        known = self._models.get(owner)
        fields = {**table.fields, **(known.fields if known is not None else {})}
        model = Model(owner.name, table.table, "sqlalchemy", fields, owner, open=table.open, reflects=table.reflects)
        self._models[owner] = model
        self.mapped_by_calls.add(owner)
        self._names.clear()
        return model

    def _special(self, owner: Class, depth: int = 0) -> str:
        """A library whose fields are only known by the class: SQLModel (annotations), Pony, Piccolo (common words)."""
        for base in owner.node.bases:
            if last_name(base.value) == "SQLModel":
                return "sqlmodel"
            if last_name(base.value) == "Entity":
                return "pony"
            what = owner.module.imports.get(dotted(base.value))
            if what is not None and (what.module, what.name) == ("piccolo.table", "Table"):
                return "piccolo"
        bases = self.library.bases(owner) if depth < _DEEPEST else ()
        return next((found for base in bases if (found := self._special(base, depth + 1))), "")

    def _is_django(self, owner: Class) -> bool:
        return any(dotted(base.value) in ("models.Model", "db.models.Model") for base in owner.node.bases)

    def _table(self, owner: Class, library: str, bases: list[Model]) -> str:
        explicit = self._explicit(owner)
        if explicit:
            return explicit
        if library == "django":
            return self._django_table(owner, bases)
        inherited = next((base.table for base in bases if base.table), "")
        if library == "sqlmodel":
            is_table = any(k.keyword and k.keyword.value == "table" for k in owner.node.keywords)
            return self._computed(owner) or owner.name.lower() if is_table else inherited
        if library == "piccolo":
            return models.keyword(owner.module, owner.node.keywords, "tablename") or models.snake_case(owner.name)
        if library == "ormar":
            return models.configured_table(owner) or self._by_class_name(owner, self._spelled(owner.name))
        if library == "pony":
            return inherited or owner.name.lower()
        if library in ("peewee", "tortoise"):
            choices = (owner.name.lower(), models.snake_case(owner.name))
            return self._computed(owner) or self._by_class_name(owner, choices)
        return self._sqlalchemy_table(owner, inherited)

    def _computed(self, owner: Class) -> str:
        """The table of a class whose base computes the name: the target that is spelled like the class."""
        functions = (models.meta(base, "table_function") for base in (owner, *self.library.bases(owner)))
        if self.library.method(owner, "__tablename__") is None and not any(functions):
            return ""
        return next(iter(sorted({name for _, _, name, role in self._places(owner.name) if role == "table"})), DYNAMIC)

    def _spelled(self, name: str) -> tuple[str, ...]:
        """The targets that are spelled like a class, and the class's own name in plural."""
        return (*(table for _, _, table, role in self._places(name) if role == "table"), f"{name.lower()}s")

    def _by_class_name(self, owner: Class, choices: tuple[str, ...]) -> str:
        """The table of a class that the library names: its choice where that is a target, else the first."""
        return next((choice for choice in choices if choice in self.tables), choices[0])

    def _sqlalchemy_table(self, owner: Class, inherited: str) -> str:
        if inherited:
            return inherited  # single-table inheritance
        if "__tablename__" not in owner.methods and self._computed(owner):
            table = self._computed(owner)
            return models.snake_case(owner.name) if table == DYNAMIC else table
        if any(dotted(base.value).endswith(".Model") or dotted(base.value) == "Model" for base in owner.node.bases):
            snake = models.snake_case(owner.name)
            return snake if snake in self.tables or any(f.column for f in models.own_fields(owner, "")) else ""
        if owner.name.lower() in self.tables or models.snake_case(owner.name) in self.tables:
            return self._by_class_name(owner, (owner.name.lower(), models.snake_case(owner.name)))
        return ""

    def _places(self, name: str) -> Iterator[tuple[int, int, str, str]]:
        return self.library.project.names.places(name.encode())

    def _explicit(self, owner: Class) -> str:
        """The table that the class names; `DYNAMIC` where it does and the name is not known."""
        values = self._value(owner, "__tablename__") or self._value(owner, "_table_")
        if values:
            return self._qualified(text_of(values), owner)
        if "__tablename__" in owner.methods:
            return self._qualified(models.returned_text(owner.methods["__tablename__"]), owner)
        if self._value(owner, "__table__"):
            return self._qualified(_first_argument(owner, "__table__"), owner)
        for key in ("db_table", "table_name", "table"):
            node = models.meta(owner, key)
            if node is not None:
                inner = next((c for c in _inner(owner, "Meta")), None)
                values = self._value(inner, key) if inner is not None else ()
                return self._qualified(models.bare(text_of(values)), owner)
        return ""

    def _qualified(self, table: str, owner: Class) -> str:
        if not table:
            return DYNAMIC
        schema = ""
        for value in self._value(owner, "__table_args__"):
            last = value.items[-1] if isinstance(value, Items) and value.items else (value,)
            found = next((v.get("schema") for v in last if isinstance(v, Pairs)), None)
            schema = text_of(found or ())
        inner = next(_inner(owner, "Meta"), None)
        if inner is not None and not schema and "." not in table:
            schema = text_of(self._value(inner, "schema"))
        return f"{schema}.{table}" if schema else table

    # Django

    def _django_table(self, owner: Class, bases: list[Model]) -> str:
        abstract, proxy = models.meta(owner, "abstract"), models.meta(owner, "proxy")
        if isinstance(abstract, cst.Name) and abstract.value == "True":
            return ""
        if isinstance(proxy, cst.Name) and proxy.value == "True":
            return next((base.table for base in bases if base.table), "")
        inner = next(_inner(owner, "Meta"), None)
        label = text_of(self._value(inner, "app_label")) if inner is not None else ""
        name = owner.name.lower()
        labels = [label] if label else self._labels(owner.module.source.path)
        for known in labels:
            if f"{known}_{name}" in self.tables:
                return f"{known}_{name}"
        if labels:
            return f"{labels[0]}_{name}"
        return next((table for table in sorted(self.tables) if table.endswith(f"_{name}")), "")

    def _labels(self, path: str) -> list[str]:
        """What the application of a file may be called, the nearest folder first."""
        found: list[str] = []
        folder = posixpath.dirname(path)
        while folder:
            name = posixpath.basename(folder)
            configured = self._configured.get(folder)
            if configured:
                return [configured, *found] if not found else [configured]
            if name not in ("models", "model"):
                found.append(name)
            folder = posixpath.dirname(folder)
        return found

    @cached_property
    def _configured(self) -> dict[str, str]:
        """The label of each folder that has an `apps.py`."""
        table: dict[str, str] = {}
        for path in self.library.project.paths("python"):
            if posixpath.basename(path) == "apps.py":
                source = self.library.project.read(path)
                match = _LABEL.search(source.data) if source is not None else None
                folder = posixpath.dirname(path)
                table[folder] = match[1].decode() if match else posixpath.basename(folder)
        return table

    def _note_managers(self, model: Model, owner: Class) -> None:
        """`objects = PhaseManager()`, `PhaseQuerySet.as_manager()`, `PhaseManager.from_queryset(PhaseQuerySet)()`."""
        for declared in models.declarations(owner.node):
            for name in _called(declared.value):
                known = self.library.function(owner.module, name)
                if isinstance(known, Class) and self._is_manager(known):
                    self._managers.setdefault(known, model)

    def _is_manager(self, owner: Class, depth: int = 0) -> bool:
        if any(last_name(base.value) in _MANAGERS for base in owner.node.bases):
            return True
        if any(isinstance(base.value, cst.Call) for base in owner.node.bases):
            return owner.name.endswith(("Manager", "QuerySet"))
        return depth < _DEEPEST and any(self._is_manager(base, depth + 1) for base in self.library.bases(owner))

    # Classes by name

    def _anywhere(self, name: str) -> Class | None:
        """The one class of that name in the project that is a model."""
        if name not in self._by_name:
            self._by_name[name] = self._search(name) if name.isidentifier() else None
        return self._by_name[name]

    def _search(self, name: str) -> Class | None:
        defined = re.compile(rb"\bclass\s+" + re.escape(name.encode()) + rb"\b")
        found: list[Class] = []
        for source in self.library.project.containing("python", [f"class {name}"]):
            module = self.library.load(source) if defined.search(source.data) else None
            known = module.classes.get(name) if module is not None else None
            if known is not None and self.model(known) is not None:
                found.append(known)
        return found[0] if len(found) == 1 else None


def text_of(values: Values) -> str:
    """The one text among some values; empty where there is none, or where a part of it is not known."""
    texts = {value.flat for value in values if isinstance(value, Text)}
    flat = next(iter(texts)) if len(texts) == 1 else HOLE
    return "" if HOLE in flat else flat.decode("utf-8", "replace")


def _homes(model: Model) -> set[str]:
    return {model.table, *model.homes.values()} - {""}


def _inner(owner: Class, name: str) -> Iterator[Class]:
    for known in owner.module.definitions.values():
        if isinstance(known, Class) and known.symbol == f"{owner.symbol}.{name}":
            yield known


def _first_argument(owner: Class, name: str) -> str:
    for declared in models.declarations(owner.node):
        if declared.name.value == name and isinstance(declared.value, cst.Call):
            first = declared.value.args[0].value if declared.value.args else None
            if isinstance(first, cst.SimpleString):
                return models.literal_text(owner.module, first)
    return ""


def _called(node: cst.BaseExpression | None) -> Iterator[str]:
    """The names of classes in `A()`, `A.as_manager()`, `A.from_queryset(B)()`."""
    while isinstance(node, cst.Call):
        for argument in node.args:
            if isinstance(argument.value, cst.Name):
                yield argument.value.value
        node = node.func
        if isinstance(node, cst.Attribute):
            node = node.value
    if isinstance(node, cst.Name):
        yield node.value
