"""Fields of ORM classes as they are declared: what each calls a column in the database, and what it relates to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from legacy_ref_scan.languages.python import literals
from legacy_ref_scan.languages.python.mapped import Field
from legacy_ref_scan.languages.python.module import Class, Function, Module, dotted, last_name
from legacy_ref_scan.languages.python.text import Run
from legacy_ref_scan.model import Span

_SQLALCHEMY = frozenset({"Column", "mapped_column", "column_property", "deferred", "synonym", "query_expression"})
_SQLALCHEMY_RELATIONS = frozenset({"relationship", "Relationship", "relation", "dynamic_loader", "association_proxy"})
_DJANGO = re.compile(r"(?:^|\.)models\.\w+(?:Field|Key)$|^(?:gis_models|postgres_fields)\.\w+$")
_TORTOISE = re.compile(r"(?:^|\.)fields\.\w+(?:Field|Key|Relation)$")
_PEEWEE = re.compile(r"^(?:peewee|pw)\.\w+Field$")
_BARE_FIELD = re.compile(r"^\w+(?:Field|ForeignKey)$")  # imported by name: Django's or peewee's
_OTHERS_FIELD = re.compile(r"(?:^|\.)(?:serializers|forms|filters|django_filters|graphene|ma|wtforms|schema)\.")
_ORMAR = re.compile(r"^(?:ormar|edgy|saffier)\.\w+$")
_PONY = frozenset({"Required", "Optional", "PrimaryKey", "Discriminator"})
_PONY_RELATIONS = frozenset({"Set"})
_REFLECTION = re.compile(rb"\b(?:automap_base|autoload_with|autoload|DeferredReflection)\b|\.reflect\(")
_COLUMN_KEYWORDS = frozenset({"name", "db_column", "db_column_name", "column_name", "source_field", "column"})
_FOREIGN = re.compile(r"ForeignKey|OneToOne")
_MANY = re.compile(r"ManyToMany|ReverseRelation|BackReference")
_SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Declared:
    """A class attribute: its name, what it is assigned, its annotation."""

    name: cst.Name
    value: cst.BaseExpression | None
    annotation: cst.BaseExpression | None


def own_fields(owner: Class, library: str) -> Iterator[Field]:
    """The fields that a class itself declares. `library` is what its bases say: "sqlmodel", "pony", "piccolo" or
    empty."""
    for declared in [*declarations(owner.node), *_computed(owner)]:
        if declared.name.value.startswith("__"):
            continue
        kind = _kind(declared, owner, library)
        if kind:
            yield _field(owner.module, declared, kind)


def declarations(node: cst.ClassDef) -> Iterator[Declared]:
    """The assignments in the body of a class."""
    for small in _smalls(node.body):
        if isinstance(small, cst.AnnAssign) and isinstance(small.target, cst.Name):
            yield Declared(small.target, small.value, small.annotation.annotation)
        elif isinstance(small, cst.Assign):
            for target in small.targets:
                if isinstance(target.target, cst.Name):
                    yield Declared(target.target, small.value, None)


def _computed(owner: Class) -> Iterator[Declared]:
    """`@declared_attr def error_message(cls): return Column(Text)`."""
    for function in owner.methods.values():
        if not any("declared_attr" in dotted(d.decorator) for d in function.node.decorators):
            continue
        for small in _smalls(function.node.body):
            if isinstance(small, cst.Return) and isinstance(small.value, cst.Call):
                yield Declared(function.node.name, small.value, None)


def _smalls(body: cst.BaseSuite) -> Iterator[cst.CSTNode]:
    for statement in body.body:
        if isinstance(statement, cst.SimpleStatementLine):
            yield from statement.body
        elif isinstance(statement, cst.If):  # `if settings.X:` in the body of a class
            yield from _smalls(statement.body)


def _kind(declared: Declared, owner: Class, library: str) -> str:
    """The library whose field it is, empty for any other attribute."""
    call = declared.value if isinstance(declared.value, cst.Call) else None
    path = dotted(call.func) if call is not None else ""
    last = last_name(call.func) if call is not None else ""
    annotation = declared.annotation
    if isinstance(annotation, cst.Subscript):
        annotation = annotation.value
    if library == "pony" and last in _PONY | _PONY_RELATIONS:
        return "pony"
    if library == "piccolo" and call is not None:
        return "piccolo"
    if library == "sqlmodel" and declared.annotation is not None and not _is_class_variable(declared.annotation):
        return "sqlmodel"
    if last in _SQLALCHEMY or last in _SQLALCHEMY_RELATIONS:
        return "sqlalchemy"
    if annotation is not None and last_name(annotation) in ("Mapped", "DynamicMapped", "WriteOnlyMapped"):
        return "sqlalchemy"
    return _kind_by_call(path, owner) if path else ""


def _kind_by_call(path: str, owner: Class) -> str:
    if _OTHERS_FIELD.search(path):
        return ""
    if _DJANGO.search(path):
        return "django"
    if _PEEWEE.match(path):
        return "peewee"
    if _ORMAR.match(path) and owner.node.bases:
        return "ormar"
    modules = {what.module.split(".")[0] for what in owner.module.imports.values()}
    if _TORTOISE.search(path):
        return "django" if "django" in modules and "tortoise" not in modules else "tortoise"
    if _BARE_FIELD.match(path) and any(last_name(base.value).endswith(("Model", "Mixin")) for base in owner.node.bases):
        return "peewee" if {"peewee", "playhouse"} & modules else "django"
    return ""


def _is_class_variable(annotation: cst.BaseExpression) -> bool:
    return isinstance(annotation, cst.Subscript) and last_name(annotation.value) == "ClassVar"


def _field(module: Module, declared: Declared, library: str) -> Field:
    call = declared.value if isinstance(declared.value, cst.Call) else None
    last = last_name(call.func) if call is not None else ""
    name = declared.name.value
    span, column = _column(module, declared, library)
    related, many = _related(module, declared, last)
    if last in _SQLALCHEMY_RELATIONS | _PONY_RELATIONS or _MANY.search(last):
        column = ""
    elif library == "sqlalchemy" and last in ("column_property", "synonym", "query_expression"):
        span, column = _derived(module, declared, call, last)
    reverse = _keyword(module, call, "related_name") or _keyword(module, call, "backref")
    return Field(name, column, span, library, related, many, reverse)


def _derived(module: Module, declared: Declared, call: cst.Call | None, last: str) -> tuple[Span, str]:
    """A synonym is another field's name, `column_property(Column(…))` the column; an expression is no column."""
    first = call.args[0].value if call is not None and call.args else None
    if isinstance(first, cst.Call) and last_name(first.func) in _SQLALCHEMY:
        return _column(module, Declared(declared.name, first, None), "sqlalchemy")
    if last == "synonym" and isinstance(first, cst.SimpleString):
        return module.span(first), literal_text(module, first)
    return module.span(declared.name), ""


def _column(module: Module, declared: Declared, library: str) -> tuple[Span, str]:
    """Where the column's name stands, and the name: a literal of the call, else the attribute's own name."""
    call = declared.value if isinstance(declared.value, cst.Call) else None
    for index, argument in enumerate(call.args if call is not None else ()):
        keyword = argument.keyword.value if argument.keyword is not None else ""
        positional = not keyword and index == 0 and library == "sqlalchemy"
        named = keyword in _COLUMN_KEYWORDS and (keyword != "column" or library == "pony")
        if (named or positional) and isinstance(argument.value, cst.SimpleString):
            return module.span(argument.value), literal_text(module, argument.value)
        if (positional or keyword in ("sa_column", "sa_column_kwargs")) and isinstance(argument.value, cst.Call):
            inner = Declared(declared.name, argument.value, None)  # deferred(Column("x", …)), Field(sa_column=…)
            if last_name(argument.value.func) in _SQLALCHEMY:
                return _column(module, inner, "sqlalchemy")
        if keyword == "sa_column_kwargs" and isinstance(argument.value, cst.Dict):
            named_by = _value_of(module, argument.value, "name")
            if named_by is not None:
                return module.span(named_by), literal_text(module, named_by)
    name = declared.name.value
    last = last_name(call.func) if call is not None else ""
    if library in ("django", "peewee", "tortoise") and _FOREIGN.search(last):
        name = f"{name}_id"
    return module.span(declared.name), name


def _value_of(module: Module, node: cst.Dict, key: str) -> cst.SimpleString | None:
    for element in node.elements:
        if not isinstance(element, cst.DictElement) or not isinstance(element.key, cst.SimpleString):
            continue
        if isinstance(element.value, cst.SimpleString) and literal_text(module, element.key) == key:
            return element.value
    return None


def _related(module: Module, declared: Declared, last: str) -> tuple[str, bool]:
    """The class that a relation leads to, and whether to many of it."""
    call = declared.value if isinstance(declared.value, cst.Call) else None
    relation = last in _SQLALCHEMY_RELATIONS or last in _PONY_RELATIONS or _FOREIGN.search(last) or _MANY.search(last)
    annotated = annotated_class(module, declared.annotation) if declared.annotation is not None else ("", False)
    if annotated[0] and (relation or call is None):
        return annotated
    if not relation or call is None:
        return "", False
    first = next(
        (a.value for a in call.args if a.keyword is None or a.keyword.value in ("to", "argument", "model")), None
    )
    if isinstance(first, cst.Lambda):
        first = first.body
    name = literal_text(module, first) if isinstance(first, cst.SimpleString) else dotted(first)
    uselist = _keyword(module, call, "uselist")
    many = bool(last in _PONY_RELATIONS or _MANY.search(last) or (last in _SQLALCHEMY_RELATIONS and uselist != "False"))
    return name.split(".")[-1], many


_CONTAINERS = frozenset(
    {"list", "List", "set", "Set", "Sequence", "Iterable", "Iterator", "tuple", "Tuple", "Collection"}
)
_QUERIES = frozenset({"QuerySet", "Query", "Select", "Manager", "DynamicMapped", "WriteOnlyMapped", "ScalarResult"})
_WRAPPERS = frozenset(
    {"Mapped", "Optional", "Annotated", "Union", "Awaitable", "Final", "ForeignKeyRelation", "Required"}
)


def annotated_class(module: Module, node: cst.BaseExpression) -> tuple[str, bool]:
    """The class that an annotation names, and whether it is a container of it; empty for anything else."""
    if isinstance(node, cst.SimpleString):
        try:
            return annotated_class(module, cst.parse_expression(literal_text(module, node)))
        except cst.ParserSyntaxError:
            return "", False
    if isinstance(node, cst.BinaryOperation):
        left = annotated_class(module, node.left)
        return left if left[0] and left[0] != "None" else annotated_class(module, node.right)
    if isinstance(node, cst.Subscript):
        first = node.slice[0].slice if node.slice else None
        inner = annotated_class(module, first.value) if isinstance(first, cst.Index) else ("", False)
        holder = last_name(node.value)
        if holder in _CONTAINERS or holder in _QUERIES:
            return inner[0], True
        return inner if holder in _WRAPPERS else ("", False)
    name = dotted(node)
    return ("", False) if name == "None" else (name, False)


def _keyword(module: Module, call: cst.Call | None, name: str) -> str:
    for argument in call.args if call is not None else ():
        if argument.keyword is not None and argument.keyword.value == name:
            return (
                literal_text(module, argument.value)
                if isinstance(argument.value, cst.SimpleString)
                else dotted(argument.value)
            )
    return ""


def returned_text(function: Function) -> str:
    """The literal that a function returns; empty where it returns anything else."""
    for small in _smalls(function.node.body):
        if isinstance(small, cst.Return) and isinstance(small.value, cst.SimpleString):
            return literal_text(function.module, small.value)
    return ""


def meta(owner: Class, key: str) -> cst.BaseExpression | None:
    """What the inner class `Meta` assigns to a name."""
    for statement in owner.node.body.body:
        if isinstance(statement, cst.ClassDef) and statement.name.value == "Meta":
            for declared in declarations(statement):
                if declared.name.value == key:
                    return declared.value
    return None


def configured_table(owner: Class) -> str:
    """The table of `ormar_config = base.copy(tablename="phases")`, or of a `Meta` with that name."""
    node = meta(owner, "tablename")
    if isinstance(node, cst.SimpleString):
        return literal_text(owner.module, node)
    made = (one.value for one in declarations(owner.node) if one.name.value == "ormar_config")
    return next((keyword(owner.module, call.args, "tablename") for call in made if isinstance(call, cst.Call)), "")


def keyword(module: Module, arguments: Sequence[cst.Arg], name: str) -> str:
    """The literal that a keyword has; empty where it is not there, or no literal."""
    for argument in arguments:
        if argument.keyword is not None and argument.keyword.value == name:
            return literal_text(module, argument.value) if isinstance(argument.value, cst.SimpleString) else ""
    return ""


def snake_case(name: str) -> str:
    """`CampaignPhase` as `campaign_phase`."""
    return _SNAKE.sub("_", name).lower()


def reflects(module: Module) -> bool:
    """Whether a file reads the columns of tables from the database, so that no declaration names them."""
    return _REFLECTION.search(module.source.data) is not None


def literal_text(module: Module, node: cst.SimpleString) -> str:
    """The value of a string literal."""
    if id(node) not in module.positions.nodes:  # of an annotation that was itself a string
        value = node.evaluated_value
        return value if isinstance(value, str) else value.decode("utf-8", "replace")
    parts = literals.literal(module.source.data, module.span(node))
    return b"".join(part.text for part in parts if isinstance(part, Run)).decode("utf-8", "replace")


def bare(table: str) -> str:
    """Django writes a schema as `"schema"."table"` or `schema"."table`: here as `schema.table`."""
    return table.replace('"', "")
