"""SQL files that migrations run: named where their text is read, or handed to an operation of the project's own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from legacy_ref_scan.migrations.history import Read
from legacy_ref_scan.migrations.python.imports import Imports
from legacy_ref_scan.migrations.python.text import Sql
from legacy_ref_scan.migrations.python.values import Call, Module, Symbol
from legacy_ref_scan.model import Span

_RUNS = "RunSQL"
_NAME = re.compile(rb"""["']([^"'\n]+\.sql)["']""")
_BACKWARDS = re.compile(rb"\breverse_sql\s*=")
_DEEPEST = 5


class SqlFiles:
    """Finds the files of a repository by the names that its migrations write. `used` are those that were found."""

    def __init__(self, paths: Iterable[str], read: Read) -> None:
        self._every, self._read = paths, read
        self._imports = Imports(paths, read)
        self.used: dict[str, None] = {}

    def of_operation(self, call: Call) -> list[Sql] | None:
        """The files that an operation gets the names of, where its class is a `RunSQL` of the repository's own; None
        where it is none, or a name is not that of one file."""
        if not isinstance(call.function, Symbol) or not self._runs_sql(call.function, call.span.path):
            return None
        values = (*call.args, *(value for name, value in call.kwargs.items() if not name.startswith("reverse")))
        return self._texts([value for value in values if isinstance(value, str)])

    def of_source(self, span: Span) -> list[Sql] | None:
        """The files that are named between two places of a program, up to what undoes them."""
        source = self._read(span.path)
        text = source.data[span.start : span.end] if source is not None else b""
        backwards = _BACKWARDS.search(text)
        found = _NAME.finditer(text, 0, backwards.start() if backwards else len(text))
        return self._texts([match[1].decode("utf-8", "replace") for match in found])

    def _texts(self, names: list[str]) -> list[Sql] | None:
        paths = [path for name in names for path in [self._one(name)] if path is not None]
        if not paths or len(paths) != len(names):
            return None
        self.used.update(dict.fromkeys(paths))
        return [self._text(path) for path in paths]

    def _one(self, name: str) -> str | None:
        """The one file of that name; a part of its path will do."""
        wanted = "/" + name.replace("\\", "/").lstrip("./")
        found = [path for path in self._paths if f"/{path}".endswith((wanted, f"{wanted}.sql"))]
        return found[0] if len(found) == 1 else None

    def _text(self, path: str) -> Sql:
        source = self._read(path)
        data = source.data if source is not None else b""
        return ((data.decode("utf-8", "surrogateescape"), Span(path, 0, len(data))),)

    @cached_property
    def _paths(self) -> tuple[str, ...]:
        return tuple(path for path in self._every if path.endswith(".sql"))

    def _runs_sql(self, symbol: Symbol, importer: str, depth: int = 0) -> bool:
        known = self._imports.class_of(symbol, importer) if depth < _DEEPEST else None
        if known is None:
            return False
        module, node = known
        return any(
            base.last == _RUNS or self._runs_sql(base, module.source.path, depth + 1) for base in _bases(module, node)
        )


def _bases(module: Module, node: ast.ClassDef) -> Iterator[Symbol]:
    for base in node.bases:
        value = module.value(base)
        if isinstance(value, Symbol):
            yield value
