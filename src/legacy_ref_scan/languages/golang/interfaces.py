"""Calls through an interface: which methods of the project can be behind them."""

from __future__ import annotations

from functools import lru_cache

from legacy_ref_scan.languages.golang.frame import TypeName
from legacy_ref_scan.languages.golang.inline import accepts
from legacy_ref_scan.languages.golang.packages import Declaration, Index

MAX_IMPLEMENTATIONS = 4
"""More types than that with such a method are not followed: what they are given stays open."""


def implementations(index: Index, owner: TypeName, name: str, arguments: int, test: bool) -> tuple[Declaration, ...]:
    """The methods that a call through an interface can mean, in any package; none where they are too many.

    Fakes in tests count only for calls in tests.
    """
    if not is_interface(index, owner):
        return ()
    every = [d for d in _methods(index, name) if accepts(d, arguments) and (test or not d.file.source.test)]
    return tuple(every) if len(every) <= MAX_IMPLEMENTATIONS else ()


def is_interface(index: Index, owner: TypeName) -> bool:
    """Whether a type of the project is an interface."""
    declared = index.lookup(*owner) if owner[0] in index.folders else ()
    kinds = (d.node.child_by_field_name("type") for d in declared if d.kind == "type")
    return any(kind is not None and kind.type == "interface_type" for kind in kinds)


@lru_cache(maxsize=256)
def _methods(index: Index, name: str) -> tuple[Declaration, ...]:
    """Every method of that name, found by how gofmt writes its head."""
    sources = index.project.containing("go", [f") {name}("])
    return tuple(d for s in sources for d in index.parse(s).declarations.get(name, ()) if d.kind == "method")
