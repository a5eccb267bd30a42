"""The modules of a repository that its migrations import: constants and helpers that stand in another file."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from functools import cached_property
from posixpath import dirname

from legacy_ref_scan.migrations.history import Read
from legacy_ref_scan.migrations.python.values import Module, Symbol, parse_module


class Imports:
    """Finds and reads modules by their dotted names, from any directory above the one that imports them."""

    def __init__(self, paths: Iterable[str], read: Read) -> None:
        self._all, self._read = paths, read
        self._modules: dict[str, Module | None] = {}

    @cached_property
    def _paths(self) -> frozenset[str]:
        return frozenset(path for path in self._all if path.endswith(".py"))

    def module(self, path: str) -> Module | None:
        """The module of a file, its imports resolved one file deep and deeper on demand."""
        if path not in self._modules:
            self._modules[path] = None  # modules that import each other
            source = self._read(path)
            self._modules[path] = parse_module(source, self.value_in(path)) if source is not None else None
        return self._modules[path]

    def value_in(self, path: str) -> _Importer:
        """What looks up the names that a file imports."""
        return _Importer(self, path)

    def function(self, symbol: Symbol, importer: str) -> tuple[Module, ast.FunctionDef] | None:
        """The function of the repository that a name of another file means."""
        owner, _, name = symbol.path.rpartition(".")
        module = self.module(path) if owner and (path := self._find(owner, importer)) else None
        function = module.functions.get(name) if module is not None else None
        return (module, function) if module is not None and function is not None else None

    def class_of(self, symbol: Symbol, importer: str) -> tuple[Module, ast.ClassDef] | None:
        """The class of the repository that a name of a file means."""
        owner, _, name = symbol.path.rpartition(".")
        path = self._find(owner, importer) if owner else importer
        module = self.module(path) if path is not None else None
        body = module.tree.body if module is not None else ()
        found = next((node for node in body if isinstance(node, ast.ClassDef) and node.name == name), None)
        return (module, found) if module is not None and found is not None else None

    def _find(self, dotted: str, importer: str) -> str | None:
        below = dotted.lstrip(".").replace(".", "/")
        directory = dirname(importer)
        if dotted.startswith("."):
            for _ in range(len(dotted) - len(dotted.lstrip(".")) - 1):
                directory = dirname(directory)
            return self._file(directory, below)
        while True:
            found = self._file(directory, below)
            if found is not None or not directory:
                return found
            directory = dirname(directory)

    def _file(self, directory: str, below: str) -> str | None:
        base = "/".join(part for part in (directory, below) if part)
        candidates: Sequence[str] = (f"{base}.py", f"{base}/__init__.py") if below else (f"{base}/__init__.py",)
        return next((path for path in candidates if path in self._paths), None)


class _Importer:
    """Calls give the value of an imported name; the symbol itself where no file of the repository says more."""

    def __init__(self, imports: Imports, path: str) -> None:
        self._imports, self._path = imports, path

    def __call__(self, symbol: Symbol) -> object:
        owner, _, name = symbol.path.rpartition(".")
        path = self._imports._find(owner, self._path) if owner.strip(".") or owner else None
        module = self._imports.module(path) if path is not None and path != self._path else None
        if module is None or name not in module.names:
            return symbol
        value = module.names[name]
        return value if isinstance(value, str | int | list | tuple | dict) else symbol
