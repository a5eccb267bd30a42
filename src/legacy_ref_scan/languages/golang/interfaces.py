"""Calls through an interface: which methods of the project can be behind them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from legacy_ref_scan.languages.golang.frame import TypeName
from legacy_ref_scan.languages.golang.inline import accepts
from legacy_ref_scan.languages.golang.packages import Declaration, Index, Node
from legacy_ref_scan.languages.golang.types import methods, named_type, struct_fields

MAX_IMPLEMENTATIONS = 4
"""More types than that with such a method are not followed: what they are given stays open."""


def implementations(index: Index, owner: TypeName, name: str, arguments: int, test: bool) -> tuple[Declaration, ...]:
    """The methods that a call through an interface can mean, in any package; none where they are too many.

    Fakes in tests count only for calls in tests.
    """
    if not is_interface(index, owner):
        return ()
    every = [d for d in _methods(index, name) if accepts(d, arguments) and (test or not d.file.source.test)]
    if len(every) > 1:
        wanted = frozenset(_demanded(index, owner))
        every = [d for d in every if _implements(index, d, wanted)]
    return tuple(every) if len(every) <= MAX_IMPLEMENTATIONS else ()


def gives_text(index: Index, owner: TypeName, name: str) -> bool:
    """Whether a method of an interface says that its result is a string."""
    declared = index.lookup(*owner) if owner[0] in index.folders else ()
    bodies = (d.node.child_by_field_name("type") for d in declared if d.kind == "type")
    specs = (spec for body in bodies if body is not None for spec in body.named_children)
    return any(_text(spec, "name") == name and _text(spec, "result") == "string" for spec in specs)


def _text(spec: Node, part: str) -> str:
    node = spec.child_by_field_name(part)
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def _demanded(index: Index, owner: TypeName, depth: int = 3) -> Iterator[str]:
    """The methods of an interface of the project, with those of interfaces of the project that it embeds."""
    for declaration in index.lookup(*owner) if owner[0] in index.folders else ():
        body = declaration.node.child_by_field_name("type") if declaration.kind == "type" else None
        for member in body.named_children if body is not None and body.type == "interface_type" else ():
            name = member.child_by_field_name("name")
            if name is not None:
                yield declaration.file.text(name)
            elif member.named_child_count and depth:
                inner = named_type(index, declaration.file, member.named_children[0])
                yield from _demanded(index, inner, depth - 1) if inner is not None else ()


def _implements(index: Index, method: Declaration, wanted: frozenset[str]) -> bool:
    """Whether the receiver of a method has the others too; one that embeds a type may have any."""
    owner = (method.file.folder, method.receiver_type)
    missing = [name for name in sorted(wanted) if not methods(index, owner, name)]
    return not missing or _embeds(index, owner)


def _embeds(index: Index, owner: TypeName) -> bool:
    fields = (field for d in index.lookup(*owner) for field in struct_fields(d))
    return any(not field.children_by_field_name("name") for field in fields)


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
