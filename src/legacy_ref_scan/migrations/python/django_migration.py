"""One migration of Django: what its class says, and the SQL of its operations."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from legacy_ref_scan.migrations.history import Problem
from legacy_ref_scan.migrations.python.django_objects import Emit
from legacy_ref_scan.migrations.python.django_operations import apply, table_of
from legacy_ref_scan.migrations.python.sqlalchemy_ddl import NotFollowedError
from legacy_ref_scan.migrations.python.text import fragment
from legacy_ref_scan.migrations.python.values import Call, Member, Module, Symbol, assign, parse_module
from legacy_ref_scan.model import Fragment, SourceFile

if TYPE_CHECKING:
    from legacy_ref_scan.migrations.python.django_state import Project

Key = tuple[str, str]
# What code does to a schema: through the editor, or as SQL that is not plainly about data.
_CHANGES = re.compile(
    rb"schema_editor\s*\.\s*(?:create|delete|add|remove|alter|execute)|\bexecute\w*\s*\((?!\s*f?r?[\"']{1,3}\s*"
    rb"(?:select|insert|update|delete|with|lock|analyze|vacuum)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Loaded:
    """A migration as its file has it."""

    key: Key
    source: SourceFile
    module: Module
    operations: tuple[object, ...] | None  # None where they are computed
    dependencies: tuple[Key, ...]
    run_before: tuple[Key, ...]
    replaces: tuple[Key, ...]


def read_migration(key: Key, source: SourceFile) -> Loaded | None:
    """The migration of a file; None where it is no Python of this version, or has no class of that name."""
    module = parse_module(source)
    body = next((node for node in module.tree.body if _is_migration(node)), None) if module is not None else None
    if module is None or not isinstance(body, ast.ClassDef):
        return None
    local: dict[str, object] = {}
    for node in body.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            assign(module, node, local)
    operations = local.get("operations", [])
    return Loaded(
        key,
        source,
        module,
        tuple(operations) if isinstance(operations, list | tuple) else None,
        tuple(_keys(local.get("dependencies"))),
        tuple(_keys(local.get("run_before"))),
        tuple(_keys(local.get("replaces"))),
    )


def _is_migration(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and node.name == "Migration"


def _keys(value: object) -> Iterator[Key]:
    """Dependencies: pairs of names; those on a swappable model are on the first migration of its app."""
    for item in value if isinstance(value, list | tuple) else ():
        if isinstance(item, tuple | list) and len(item) == 2 and all(isinstance(part, str) for part in item):
            yield str(item[0]), str(item[1])
        elif isinstance(item, Call) and item.last == "swappable_dependency" and item.args:
            to = item.args[0]
            yield (to.partition(".")[0] if isinstance(to, str) else "__user__"), "__first__"


@dataclass(frozen=True)
class Applied:
    """The SQL of a migration, and what could not be followed."""

    scripts: tuple[Fragment, ...]
    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, loaded: Loaded, project: Project) -> Applied:
        """Apply the operations one after the other; the project changes with them."""
        scripts: list[Fragment] = []
        problems: list[Problem] = []
        if loaded.operations is None:
            problems.append(_computed(loaded, "its operations are computed"))
        emit = Emit()
        for operation in loaded.operations or ():
            if not isinstance(operation, Call):
                problems.append(_computed(loaded, "an operation is computed"))
                continue
            emit.statements = []
            tables = table_of(operation, loaded.key[0], project)
            try:
                apply(operation, loaded.key[0], project, emit)
            except NotFollowedError as why:
                message = f"{loaded.source.path}: {why}"
                anything = not tables and operation.last not in _OF_STATE
                problems.append(Problem("migration-computed", message, (operation.span,), anything, tables=tables))
            problems.extend(_code(operation, loaded))
            if emit.statements:
                scripts.append(fragment(emit.statements, operation.span))
        if emit.deferred:
            scripts.append(fragment(emit.deferred, loaded.module.span(loaded.module.tree.body[-1])))
        return cls(tuple(scripts), tuple(problems))


_OF_STATE = frozenset({"AlterModelOptions", "AlterModelManagers"})


def _computed(loaded: Loaded, why: str) -> Problem:
    span = loaded.module.span(next(node for node in loaded.module.tree.body if _is_migration(node)))
    return Problem("migration-computed", f"{loaded.source.path}: {why}", (span,), anything=True)


def _code(operation: Call, loaded: Loaded) -> Iterator[Problem]:
    """Code that may change the schema; what only changes data is history."""
    if operation.last != "RunPython":
        return
    function = operation.get(0, "code")
    found = loaded.module.functions.get(function.path) if isinstance(function, Symbol) else None
    if found is None:
        known = isinstance(function, Symbol | Member) and function.last == "noop"
        if not known:
            message = f"{loaded.source.path} runs code of another file"
            yield Problem("migration-in-code", message, (operation.span,))
        return
    span = loaded.module.span(found)
    if _CHANGES.search(loaded.source.data, span.start, span.end):
        message = f"{loaded.source.path}: what {found.name} does to the schema is not known"
        yield Problem("migration-in-code", message, (span,))
