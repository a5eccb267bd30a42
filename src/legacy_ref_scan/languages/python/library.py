"""The Python modules of a project: parsed once, found by import or by the name of a function."""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from functools import cached_property

from legacy_ref_scan.languages import Project
from legacy_ref_scan.languages.python.module import Class, Function, Imported, Module, dotted, parse
from legacy_ref_scan.model import SourceFile

_MOST_DEFINITIONS = 4
_PRIVATE = re.compile(rb"(?<![A-Za-z0-9_])_[A-Za-z0-9_]+")


class Library:
    """Modules by path. `None` stands for a file that is missing or does not parse."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._modules: dict[str, Module | None] = {}
        self._definitions: dict[str, tuple[Function, ...]] = {}
        self._found: dict[tuple[str, str, int], Module | None] = {}

    def load(self, source: SourceFile) -> Module | None:
        """The parsed file."""
        if source.path not in self._modules:
            self._modules[source.path] = parse(source, positions=self.project.names.matter(source.data))
        return self._modules[source.path]

    def imported(self, module: Module, what: Imported) -> tuple[Module | None, str]:
        """What an import of a module stands for: (module, name in it); the name is empty for the module itself."""
        if not what.name:
            return self._find(module, what.module, what.level), ""
        found = self._find(module, f"{what.module}.{what.name}" if what.module else what.name, what.level)
        if found is not None:
            return found, ""
        return self._find(module, what.module, what.level), what.name

    def attribute(self, module: Module, path: str) -> tuple[Module | None, str]:
        """What `a.b.c` stands for, where `a` is an imported module: the longest module, and the one name behind it."""
        head, *rest = path.split(".")
        what = module.imports.get(head)
        if what is None or not rest:
            return None, ""
        prefix = ".".join(part for part in (what.module, what.name, *rest[:-1]) if part)
        return self._find(module, prefix, what.level), rest[-1]

    def function(self, module: Module, name: str, seen: frozenset[str] = frozenset()) -> Function | Class | None:
        """The function or class that a name of a module stands for, followed through imports."""
        if module.source.path in seen:
            return None
        found = module.functions.get(name) or module.classes.get(name)
        if found is not None:
            return found
        seen |= {module.source.path}
        what = module.imports.get(name)
        if what is None:
            return self._starred(module, name, seen)
        other, inner = self.imported(module, what)
        return self.function(other, inner, seen) if other is not None and inner else None

    def _starred(self, module: Module, name: str, seen: frozenset[str]) -> Function | Class | None:
        for star in module.stars:
            other, _ = self.imported(module, star)
            found = self.function(other, name, seen) if other is not None else None
            if found is not None:
                return found
        return None

    def method(self, owner: Class, name: str, seen: frozenset[str] = frozenset()) -> Function | None:
        """A method of a class or of its bases."""
        if name in owner.methods:
            return owner.methods[name]
        if owner.symbol in seen:
            return None
        for base in self.bases(owner):
            found = self.method(base, name, seen | {owner.symbol})
            if found is not None:
                return found
        return None

    def bases(self, owner: Class) -> tuple[Class, ...]:
        """The base classes that the project defines."""
        found: list[Class] = []
        for base in owner.node.bases:
            path = dotted(base.value)
            known = self.function(owner.module, path) if path and "." not in path else self._in_module(owner, path)
            if isinstance(known, Class) and known is not owner:
                found.append(known)
        return tuple(found)

    def definitions(self, name: str) -> tuple[Function, ...]:
        """Every function of that name in the project; none where there are too many to tell."""
        if name not in self._definitions:
            self._definitions[name] = self._search(name)
        return self._definitions[name]

    @cached_property
    def private(self) -> Counter[str]:
        """How many files hold each name that begins with an underscore."""
        sources = filter(None, map(self.project.read, self.project.paths("python")))
        return Counter(word.decode() for source in sources for word in set(_PRIVATE.findall(source.data)))

    def _search(self, name: str) -> tuple[Function, ...]:
        defined = re.compile(rb"\bdef[ \t]+" + re.escape(name.encode()) + rb"[ \t]*[(\[]")
        sources = [s for s in self.project.containing("python", [name]) if defined.search(s.data)]
        if len(sources) > _MOST_DEFINITIONS:
            return ()
        modules = filter(None, map(self.load, sources))
        found = tuple(function for module in modules for function in module.every if function.name == name)
        return found if len(found) <= _MOST_DEFINITIONS else ()

    def _in_module(self, owner: Class, path: str) -> Function | Class | None:
        module, name = self.attribute(owner.module, path)
        return self.function(module, name) if module is not None else None

    def _find(self, module: Module, name: str, level: int) -> Module | None:
        key = (module.source.path, name, level)
        if key not in self._found:
            path = self._path(*key)
            source = self.project.read(path) if path is not None else None
            self._found[key] = self.load(source) if source is not None else None
        return self._found[key]

    def _path(self, importer: str, name: str, level: int) -> str | None:
        tail = name.replace(".", "/")
        if level:
            folder = posixpath.dirname(importer)
            for _ in range(level - 1):
                folder = posixpath.dirname(folder)
            stem = posixpath.normpath(posixpath.join(folder, tail))
            return next((path for path in (f"{stem}.py", f"{stem}/__init__.py") if path in self._paths), None)
        if not tail:
            return None
        found = [
            path
            for path in self._by_tail.get(tail.rpartition("/")[2], ())
            if f"/{path}".endswith((f"/{tail}.py", f"/{tail}/__init__.py"))
        ]
        return max(found, key=lambda path: (len(posixpath.commonprefix([path, importer])), -len(path)), default=None)

    @cached_property
    def _paths(self) -> frozenset[str]:
        return frozenset(self.project.paths("python"))

    @cached_property
    def _by_tail(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = defaultdict(list)
        for path in self.project.paths("python"):
            folder, name = posixpath.split(path)
            table[posixpath.basename(folder) if name == "__init__.py" else name.removesuffix(".py")].append(path)
        return table
