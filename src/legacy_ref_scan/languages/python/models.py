"""Fields of ORM models and columns of table objects: what they call a column in the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from legacy_ref_scan.languages.python import literals
from legacy_ref_scan.languages.python.library import Library
from legacy_ref_scan.languages.python.module import Class, Module, children, dotted, last_name
from legacy_ref_scan.languages.python.text import Run
from legacy_ref_scan.model import Mapping, Span

_SQLALCHEMY = frozenset({"Column", "mapped_column", "column_property", "deferred", "synonym"})
_DJANGO = re.compile(r"(?:^|\.)models\.\w+(?:Field|Key)$|^(?:gis_models|postgres_fields)\.\w+$")
_TORTOISE = re.compile(r"(?:^|\.)fields\.\w+(?:Field|Key)$")
_PEEWEE = re.compile(r"^(?:peewee|pw)\.\w+Field$")
_BARE_FIELD = re.compile(r"^\w+(?:Field|ForeignKey)$")  # imported by name: Django's or peewee's
_REFLECTION = re.compile(rb"\b(?:automap_base|autoload_with|autoload|DeferredReflection)\b|\.reflect\(")
_COLUMN_KEYWORDS = frozenset({"name", "db_column", "column_name", "source_field"})
_TABLE_KEYWORDS = frozenset({"db_table", "table_name", "table"})
_SQLMODEL_BASES = frozenset({"SQLModel"})


@dataclass(frozen=True, slots=True)
class _Declared:
    """A class attribute: its name, what it is assigned, its annotation."""

    name: cst.Name
    value: cst.BaseExpression | None
    annotation: cst.BaseExpression | None


def mappings(module: Module, library: Library, tables: frozenset[str]) -> Iterator[Mapping]:
    """The columns that the classes and table objects of a file name, those of their base classes among them.

    Where a class does not name its table, it is one of `tables` if that is what the library would call it, else empty.
    """
    for known in module.definitions.values():
        if isinstance(known, Class):
            yield from _of_class(known, library, tables)
    yield from _of_tables(module)


def _of_class(owner: Class, library: Library, tables: frozenset[str]) -> Iterator[Mapping]:
    table = _table_of(owner)
    yield from _fields(owner, owner, table, tables)
    for base in _ancestors(owner, library, frozenset()):
        for mapping in _fields(base, owner, table or _table_of(base), tables):
            if mapping.table in tables:
                yield mapping


def _fields(declaring: Class, owner: Class, table: str, tables: frozenset[str]) -> Iterator[Mapping]:
    for declared in _declared(declaring.node):
        library = _library(declared, declaring)
        if not library or declared.name.value.startswith("__"):
            continue
        span, column = _column(declaring.module, declared, library)
        named = table or next((known for known in sorted(tables) if _is_default(library, owner.name, known)), "")
        yield Mapping(span, column, owner.name, library, named, declaring.module.source.test)


def _ancestors(owner: Class, library: Library, seen: frozenset[Class]) -> Iterator[Class]:
    for base in library.bases(owner):
        if base not in seen:
            yield base
            yield from _ancestors(base, library, seen | {owner, base})


def _is_default(library: str, name: str, table: str) -> bool:
    """Whether a library calls the table of a class so by itself: Django puts the application's label in front."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    if library == "django":
        return table.endswith(f"_{name.lower()}")
    return table in (name.lower(), snake)


def _declared(node: cst.ClassDef) -> Iterator[_Declared]:
    for small in _smalls(node.body):
        if isinstance(small, cst.AnnAssign) and isinstance(small.target, cst.Name):
            yield _Declared(small.target, small.value, small.annotation.annotation)
        elif isinstance(small, cst.Assign):
            for target in small.targets:
                if isinstance(target.target, cst.Name):
                    yield _Declared(target.target, small.value, None)


def _smalls(body: cst.BaseSuite) -> Iterator[cst.CSTNode]:
    for statement in body.body:
        if isinstance(statement, cst.SimpleStatementLine):
            yield from statement.body


def _library(declared: _Declared, owner: Class) -> str:
    call = declared.value if isinstance(declared.value, cst.Call) else None
    path = dotted(call.func) if call is not None else ""
    annotation = declared.annotation
    if isinstance(annotation, cst.Subscript):
        annotation = annotation.value
    if last_name(call.func if call is not None else cst.Pass()) in _SQLALCHEMY or (
        annotation is not None and last_name(annotation) == "Mapped" and not path.endswith("relationship")
    ):
        return "sqlalchemy"
    if declared.annotation is not None and _is_sqlmodel(owner):
        return "sqlmodel"
    if _DJANGO.search(path):
        return "django"
    if _PEEWEE.match(path):
        return "peewee"
    if _TORTOISE.search(path):
        return "tortoise"
    if _BARE_FIELD.match(path) and any(last_name(base.value).endswith("Model") for base in owner.node.bases):
        return "peewee" if "peewee" in {what.module for what in owner.module.imports.values()} else "django"
    return ""


def _is_sqlmodel(owner: Class) -> bool:
    if not any(last_name(base.value) in _SQLMODEL_BASES or base.value for base in owner.node.bases):
        return False
    return any(arg.keyword is not None and arg.keyword.value == "table" for arg in owner.node.keywords)


def _column(module: Module, declared: _Declared, library: str) -> tuple[Span, str]:
    """Where the column's name stands, and the name: a literal of the call, else the attribute's own name."""
    call = declared.value if isinstance(declared.value, cst.Call) else None
    for index, argument in enumerate(call.args if call is not None else ()):
        keyword = argument.keyword.value if argument.keyword is not None else ""
        positional = not keyword and index == 0 and library == "sqlalchemy"
        if (keyword in _COLUMN_KEYWORDS or positional) and isinstance(argument.value, cst.SimpleString):
            return module.span(argument.value), _literal(module, argument.value)
    name = declared.name.value
    if library in ("django", "peewee", "tortoise") and call is not None and "ForeignKey" in last_name(call.func):
        name = f"{name}_id"
    return module.span(declared.name), name


def _table_of(owner: Class) -> str:
    for declared in _declared(owner.node):
        if declared.name.value == "__tablename__" and isinstance(declared.value, cst.SimpleString):
            return _bare(_literal(owner.module, declared.value))
        if declared.name.value == "__table__" and isinstance(declared.value, cst.Call):
            return _first_literal(owner.module, declared.value)
    for statement in owner.node.body.body:
        if isinstance(statement, cst.ClassDef) and statement.name.value == "Meta":
            for declared in _declared(statement):
                if declared.name.value in _TABLE_KEYWORDS and isinstance(declared.value, cst.SimpleString):
                    return _bare(_literal(owner.module, declared.value))
    return ""


def reflects(module: Module) -> bool:
    """Whether a file reads the columns of tables from the database, so that no declaration names them."""
    return _REFLECTION.search(module.source.data) is not None


def _columns_of(module: Module, node: cst.Attribute, tables: dict[str, str]) -> Iterator[Mapping]:
    """`phases.c.error_message`, where `phases` is a table object."""
    holder = node.value
    if isinstance(holder, cst.Attribute) and holder.attr.value in ("c", "columns"):
        owner = dotted(holder.value)
        span, column = module.span(node.attr), node.attr.value
        yield Mapping(span, column, owner, "sqlalchemy", tables.get(owner, ""), module.source.test)


def _of_tables(module: Module) -> Iterator[Mapping]:
    """`Table("campaign_phases", metadata, Column("error_message", Text))`, at any place."""
    tables: dict[str, str] = {}
    stack: list[tuple[cst.CSTNode, str]] = [(module.tree, "")]
    while stack:
        node, table = stack.pop()
        if isinstance(node, cst.Assign) and isinstance(node.value, cst.Call) and last_name(node.value.func) == "Table":
            tables.update((dotted(target.target), _first_literal(module, node.value)) for target in node.targets)
        elif isinstance(node, cst.Attribute):
            yield from _columns_of(module, node, tables)
        if isinstance(node, cst.Call):
            name = last_name(node.func)
            if name == "Table":
                table = _first_literal(module, node)
            elif name == "Column" and table and node.args and isinstance(node.args[0].value, cst.SimpleString):
                literal = node.args[0].value
                column = _literal(module, literal)
                yield Mapping(module.span(literal), column, table, "sqlalchemy", table, module.source.test)
        stack += [(child, table) for child in reversed([*children(node)])]


def _first_literal(module: Module, call: cst.Call) -> str:
    first = call.args[0].value if call.args else None
    return _bare(_literal(module, first)) if isinstance(first, cst.SimpleString) else ""


def _literal(module: Module, node: cst.SimpleString) -> str:
    parts = literals.literal(module.source.data, module.span(node))
    return b"".join(part.text for part in parts if isinstance(part, Run)).decode("utf-8", "replace")


def _bare(table: str) -> str:
    """Django writes a schema as `"schema"."table"` or `schema"."table`; the last part is the table."""
    return table.rpartition(".")[2].strip('"')
