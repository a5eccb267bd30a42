"""Walks `upgrade()` of an Alembic revision: the SQL of its operations, and what could not be followed."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from legacy_ref_scan.migrations.history import Problem
from legacy_ref_scan.migrations.python import searchable
from legacy_ref_scan.migrations.python.alembic_operations import TABLE_SECOND, executed, statements
from legacy_ref_scan.migrations.python.imports import Imports
from legacy_ref_scan.migrations.python.sql_files import SqlFiles
from legacy_ref_scan.migrations.python.sqlalchemy_ddl import NotFollowedError, Table
from legacy_ref_scan.migrations.python.sqlalchemy_types import create_enum, type_name
from legacy_ref_scan.migrations.python.text import Sql, fragment, sql
from legacy_ref_scan.migrations.python.values import (
    HOLE,
    UNKNOWN,
    Call,
    Member,
    Module,
    Symbol,
    assign,
    bind,
    imported,
)
from legacy_ref_scan.migrations.templates import Template
from legacy_ref_scan.model import Fragment, Span

_OP = "alembic.op."
_COMPUTED = Template("Alembic", HOLE.encode(), re.escape(HOLE).encode())
_QUOTED = re.compile(r'"((?:[^"]|"")+)"')
_CHANGES_SCHEMA = re.compile(r"\s*(?:create|alter|drop|do|comment)\b", re.IGNORECASE)
_DATA = re.compile(
    r"\s*(?:insert|update|delete|select|with|merge|truncate|copy|grant|revoke|set|analyze)\b", re.IGNORECASE
)
_DEEPEST, _LONGEST = 8, 500
_ENUMS = frozenset({"Enum", "ENUM", "ARRAY"})

Local = dict[str, object]


@dataclass(frozen=True, slots=True)
class _Batch:
    table: Table | None


class Upgrade:
    """The walk of one module. `scripts` and `problems` are what it found."""

    def __init__(self, module: Module, imports: Imports, files: SqlFiles) -> None:
        self.module, self.imports, self.files = module, imports, files
        self.scripts: list[Fragment] = []
        self.problems: list[Problem] = []
        self._made: list[str] = []  # the text of each statement
        self._depth = 0

    def run(self, function: ast.FunctionDef, local: Local | None = None) -> None:
        """Walk a function of the module."""
        if self._depth >= _DEEPEST:
            self._not_followed(function, "functions call each other")
            return
        self._depth += 1
        self._body(function.body, {} if local is None else local)
        self._depth -= 1

    def _body(self, body: Iterable[ast.stmt], local: Local) -> None:
        for node in body:
            if isinstance(node, ast.Return | ast.Raise):
                break
            self._statement(node, local)

    def _statement(self, node: ast.stmt, local: Local) -> None:
        match node:
            case ast.Expr():
                self._run(node.value, local)
            case ast.Assign() | ast.AnnAssign():
                if node.value is not None:
                    self._run(node.value, local)
                assign(self.module, node, local)
            case ast.Import() | ast.ImportFrom():
                local.update(imported(node))
            case ast.With():
                self._with(node, local)
            case ast.If():
                self._if(node, local)
            case ast.For():
                self._for(node, local)
            case ast.While():
                self._uncertain(node, [node.body], local)
            case ast.Try():
                self._body([*node.body, *node.orelse], local)
                self._uncertain(node, [handler.body for handler in node.handlers], local)
                self._body(node.finalbody, local)
            case ast.FunctionDef():
                self.module.functions[node.name] = node

    def _with(self, node: ast.With, local: Local) -> None:
        for item in node.items:
            value = self.module.value(item.context_expr, local)
            batch = _batch(value)
            if batch is not None and batch.table is None:
                self._not_followed(item.context_expr, "the table of a batch is computed", anything=True)
            if item.optional_vars is not None:
                bind(item.optional_vars, batch or value, local)
        self._body(node.body, local)

    def _if(self, node: ast.If, local: Local) -> None:
        known = self._condition(node.test, local)
        if known is None:
            self._uncertain(node, [node.body, node.orelse], local)
        else:
            self._body(node.body if known else node.orelse, local)

    def _condition(self, node: ast.expr, local: Local) -> bool | None:
        """Whether a condition holds on PostgreSQL; None where that is not known."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self._condition(node.operand, local)
            return None if inner is None else not inner
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            left, right = (self.module.value(item, local) for item in (node.left, node.comparators[0]))
            if _is_dialect(left) and isinstance(right, str | list | tuple):
                same = "postgresql" in right if not isinstance(right, str) else right == "postgresql"
                return same if isinstance(node.ops[0], ast.Eq | ast.In) else not same
        value = self.module.value(node, local)
        return value if isinstance(value, bool) else None

    def _for(self, node: ast.For, local: Local) -> None:
        values = self.module.value(node.iter, local)
        if isinstance(values, dict):
            values = list(values)
        if not isinstance(values, list | tuple) or len(values) > _LONGEST:
            bind(node.target, UNKNOWN, local)
            self._uncertain(node, [node.body], local)
            return
        for value in values:
            bind(node.target, value, local)
            self._body(node.body, local)

    def _uncertain(self, node: ast.stmt, bodies: list[list[ast.stmt]], local: Local) -> None:
        """Statements that may run or not, or more than once: applied, and left open where they change the schema."""
        before = len(self._made)
        for body in bodies:
            self._body(body, local)
        changes = [text for text in self._made[before:] if _CHANGES_SCHEMA.match(text)]
        if changes:
            tables = frozenset(name for text in changes for name in _QUOTED.findall(text))
            message = f"{self.module.source.path} changes the schema under a condition that is not known here"
            self.problems.append(Problem("migration-conditional", message, (self.module.span(node),), tables=tables))

    # Calls

    def _run(self, node: ast.expr, local: Local) -> None:
        value = self.module.value(node, local)
        if isinstance(value, Call):
            self._call(value, node)

    def _call(self, call: Call, node: ast.expr) -> None:
        function = call.function
        try:
            if isinstance(function, Symbol):
                self._named(function, call, node)
            elif isinstance(function.owner, _Batch):
                self._emit(statements(call.last, call, function.owner.table), call.span)
            elif isinstance(function.owner, Call) and function.owner.last in _ENUMS and call.last in ("create", "drop"):
                self._emit(_enum(function.owner, call), call.span)
            elif call.last == "execute":
                self._emit(executed(call.get(0, "statement")), call.span)
            elif call.last in _FROM_MODELS or _made_by_table(call):
                raise NotFollowedError("tables are made from models")
            elif isinstance(function.owner, Call):
                self._call(function.owner, node)
        except NotFollowedError as reason:
            of_files = self.files.of_source(call.span) if call.last == "execute" else None
            if of_files is None:
                self._give_up(call, str(reason))
            else:
                self._emit(iter(of_files), call.span)

    def _named(self, function: Symbol, call: Call, node: ast.expr) -> None:
        local_function = self.module.functions.get(function.path)
        if function.path.startswith(_OP):
            self._emit(statements(call.last, call), call.span)
        elif local_function is not None:
            self.run(local_function, _arguments(self.module, local_function, call))
        elif (found := self.imports.function(function, self.module.source.path)) is not None:
            self._elsewhere(*found, call)
        elif call.last == "execute":
            self._emit(executed(call.get(0, "statement")), call.span)
        elif call.last in _FROM_MODELS:
            raise NotFollowedError("tables are made from models")
        elif function.path.startswith(f"{searchable.PACKAGE}."):
            self._emit(searchable.statements(call), call.span)
        elif not _harmless(function):
            self._not_followed(node, f"what {function.path} does is not known")

    def _elsewhere(self, module: Module, function: ast.FunctionDef, call: Call) -> None:
        """A function of another file, walked there."""
        other = Upgrade(module, self.imports, self.files)
        other.scripts, other.problems, other._made, other._depth = self.scripts, self.problems, self._made, self._depth
        other.run(function, _arguments(module, function, call))

    def _emit(self, made: Iterator[Sql], span: Span) -> None:
        for statement in made:
            text = "".join(value for value, _ in statement)
            if HOLE in text:
                if not _DATA.match(text):
                    self._computed(text, span)
                continue
            self._made.append(text)
            self.scripts.append(fragment([statement], span))

    def _computed(self, text: str, span: Span) -> None:
        message = f"{self.module.source.path}: a part of the SQL that is executed is computed"
        anything = _COMPUTED.may_name_anything(text.encode("utf-8", "replace"))
        self.problems.append(Problem("migration-computed", message, (span,), anything))

    def _give_up(self, call: Call, why: str) -> None:
        """An operation with computed arguments: about the tables that it names, about any where it names none."""
        batch = call.function.owner if isinstance(call.function, Member) else None
        at = 1 if call.last in TABLE_SECOND else 0
        table = call.get(at, "source_table" if call.last == "create_foreign_key" else "table_name")
        tables = {table} if isinstance(table, str) and HOLE not in table else set()
        if isinstance(batch, _Batch) and batch.table is not None:
            tables = {batch.table.name}
        message = f"{self.module.source.path}: {why}"
        anything = not tables and call.last not in _ABOUT_NO_TABLE
        self.problems.append(Problem("migration-computed", message, (call.span,), anything, tables=frozenset(tables)))

    def _not_followed(self, node: ast.AST, why: str, anything: bool = False) -> None:
        message = f"{self.module.source.path}: {why}"
        self.problems.append(Problem("migration-in-code", message, (self.module.span(node),), anything))


_FROM_MODELS = frozenset({"create_all", "drop_all"})
# An index that goes, and an enum: they are needed to build a column again, not to find its uses.
_ABOUT_NO_TABLE = frozenset({"drop_index", "create", "drop"})


def _batch(value: object) -> _Batch | None:
    if not isinstance(value, Call) or value.last != "batch_alter_table":
        return None
    table, schema = value.text(0, "table_name"), value.text(1, "schema")
    return _Batch(Table(table, schema) if table is not None and HOLE not in table else None)


def _is_dialect(value: object) -> bool:
    """`op.get_bind().dialect.name`, `context.dialect.name`, `bind.engine.name` …"""
    owner = value.owner if isinstance(value, Member) and value.last == "name" else None
    if isinstance(value, Symbol) and value.path.endswith((".dialect.name", ".engine.name")):
        return True
    return isinstance(owner, Member | Symbol) and owner.last in ("dialect", "engine", "bind")


def _enum(enum: Call, call: Call) -> Iterator[Sql]:
    if call.last == "create":
        made = create_enum(enum, guarded=call.get(1, "checkfirst") is True)
        if made is None:
            raise NotFollowedError("an enum type is computed")
        yield made
    else:
        named = type_name(enum)
        if named is None:
            raise NotFollowedError("an enum type is computed")
        yield sql("DROP TYPE IF EXISTS ", named)


def _made_by_table(call: Call) -> bool:
    """`sa.Table(…).create(bind)`."""
    owner = call.function.owner if isinstance(call.function, Member) else None
    return call.last in ("create", "drop") and isinstance(owner, Call) and owner.last == "Table"


def _harmless(function: Symbol) -> bool:
    """What is built in or of the standard library changes no schema, nor do SQLAlchemy's own constructors."""
    root = function.path.partition(".")[0]
    return "." not in function.path or root in sys.stdlib_module_names or root in ("sqlalchemy", "alembic")


def _arguments(module: Module, function: ast.FunctionDef, call: Call) -> Local:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    named = [argument.arg for argument in function.args.kwonlyargs]
    local: Local = dict.fromkeys((*names, *named), UNKNOWN)
    defaults = function.args.defaults
    for key, default in (
        *zip(names[len(names) - len(defaults) :], defaults, strict=True),
        *zip(named, function.args.kw_defaults, strict=True),
    ):
        if default is not None:
            local[key] = module.value(default)
    local.update(zip(names, call.args, strict=False))
    if function.args.vararg is not None:
        local[function.args.vararg.arg] = call.args[len(names) :]
    if function.args.kwarg is not None:
        local[function.args.kwarg.arg] = {key: value for key, value in call.kwargs.items() if key not in local}
    local.update({key: value for key, value in call.kwargs.items() if key in local})
    return local
