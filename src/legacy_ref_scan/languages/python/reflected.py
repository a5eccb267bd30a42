"""SQLAlchemy's classes whose columns no declaration names: read from the database, or mapped onto a table by a call."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from legacy_ref_scan.languages.python.library import Library
from legacy_ref_scan.languages.python.module import Class, Module, dotted, last_name
from legacy_ref_scan.model import SourceFile

MAPPERS = frozenset({"map_imperatively", "mapper"})
"""What maps a class onto a table: `registry.map_imperatively(Phase, phases)`, `mapper(Phase, phases)` before 2.0."""

_DEFERRED = "DeferredReflection"
_AUTOMAP = "automap_base"
_MAPS = re.compile(rb"\bmap_imperatively\(|\bmapper\(|\b__table__\s*=")
_DEEPEST = 8


def reads_its_columns(library: Library, owner: Class, depth: int = 0) -> bool:
    """Whether the columns of a class come from the database: by a base of its own or of its bases."""
    for base in owner.node.bases:
        path = dotted(base.value)
        if path.rpartition(".")[2] == _DEFERRED or (path and _is_automap(library, owner.module, path)):
            return True
    bases = library.bases(owner) if depth < _DEEPEST else ()
    return any(reads_its_columns(library, base, depth + 1) for base in bases)


def _is_automap(library: Library, module: Module, path: str, depth: int = 0) -> bool:
    """Whether a name stands for what `automap_base()` gives, here or in the module that it is imported from."""
    if "." in path:
        other, name = library.attribute(module, path)
        return other is not None and depth < _DEEPEST and _is_automap(library, other, name, depth + 1)
    assigned = _assigned(module, path)
    if assigned is not None:
        return isinstance(assigned, cst.Call) and last_name(assigned.func) == _AUTOMAP
    what = module.imports.get(path)
    if what is None or depth >= _DEEPEST:
        return False
    other, name = library.imported(module, what)
    return other is not None and bool(name) and _is_automap(library, other, name, depth + 1)


def _assigned(module: Module, name: str) -> cst.BaseExpression | None:
    """What the top level of a file assigns to a name."""
    for statement in module.tree.body:
        for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            targets = small.targets if isinstance(small, cst.Assign) else ()
            if any(isinstance(one.target, cst.Name) and one.target.value == name for one in targets):
                return small.value if isinstance(small, cst.Assign) else None
    return None


def mapping_files(library: Library, candidates: frozenset[str]) -> Iterator[SourceFile]:
    """The files that map classes onto table objects, and are candidates or import one: they run before all others."""
    stems = {path.removesuffix("/__init__.py").removesuffix(".py").rpartition("/")[2].encode() for path in candidates}
    for source in library.project.containing("python", sorted((*MAPPERS, "__table__"))):
        if _MAPS.search(source.data) and (
            source.path in candidates or any(re.search(rb"\b%b\b" % re.escape(stem), source.data) for stem in stems)
        ):
            yield source


def names_no_table(library: Library) -> bool:
    """Whether code that is no test gets its classes from `automap_base()`: then any attribute may be a column."""
    sources = library.project.containing("python", [_AUTOMAP])
    return any(not source.test for source in sources)
