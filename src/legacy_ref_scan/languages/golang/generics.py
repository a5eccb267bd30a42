"""Type parameters of Go: what they stand for where a generic type is written, or a generic function is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from legacy_ref_scan.languages.golang.frame import TypeName
from legacy_ref_scan.languages.golang.packages import Declaration


class Instance(tuple[str, str]):
    """A named type with type arguments, `Page[Phase]`; it is equal to the bare name, which is what most ask for."""

    arguments: tuple[TypeName | None, ...]

    def __new__(cls, named: TypeName, arguments: tuple[TypeName | None, ...]) -> Instance:
        made = super().__new__(cls, named)
        made.arguments = arguments
        return made


Bound = Mapping[TypeName, TypeName]
"""Type parameters, in the folder that declares them, and what they stand for."""


def filled(named: TypeName | None, bound: Bound) -> TypeName | None:
    """A type with what its type parameters stand for."""
    if named is None or not bound:
        return named
    if isinstance(named, Instance):
        return Instance(named, tuple(filled(argument, bound) for argument in named.arguments))
    return bound.get(named, named)


@lru_cache(maxsize=4096)
def type_parameters(declaration: Declaration) -> list[TypeName]:
    """Those of a generic type or function, in order."""
    listed = declaration.node.child_by_field_name("type_parameters")
    groups = listed.named_children if listed is not None else []
    names = (name for group in groups for name in group.children_by_field_name("name"))
    return [(declaration.file.folder, declaration.file.text(name)) for name in names]


def of_instance(declaration: Declaration, owner: TypeName) -> dict[TypeName, TypeName]:
    """What the parameters of a declared type stand for in one of its instances."""
    return _paired(type_parameters(declaration), owner)


def of_receiver(declaration: Declaration, owner: TypeName | None) -> dict[TypeName, TypeName]:
    """The same for a method, whose receiver has names of its own for them: `func (p *Page[T]) Next()`."""
    return _paired(_named_by_receiver(declaration), owner) if owner is not None else {}


def has_generic_receiver(declaration: Declaration) -> bool:
    """Whether it is a method of a generic type."""
    return bool(_named_by_receiver(declaration))


def receiving(declaration: Declaration, named: TypeName, bound: Bound) -> TypeName:
    """The type of a method's receiver inside of the method."""
    names = _named_by_receiver(declaration)
    return Instance(named, tuple(bound.get(name) for name in names)) if names and bound else named


def inferred(
    declaration: Declaration, pairs: Iterable[tuple[TypeName | None, TypeName | None]]
) -> dict[TypeName, TypeName]:
    """What the parameters of a generic function stand for, by its parameters' types and those of the arguments."""
    wanted = set(type_parameters(declaration))
    bound: dict[TypeName, TypeName] = {}
    open_pairs = list(pairs)
    while open_pairs:
        pattern, given = open_pairs.pop()
        if pattern is None or given is None:
            continue
        if pattern in wanted:
            bound.setdefault(pattern, given)
        elif isinstance(pattern, Instance) and isinstance(given, Instance):
            open_pairs += zip(pattern.arguments, given.arguments, strict=False)
    return bound


def struct_name(named: TypeName | None) -> str:
    """How a struct is known to those who store and read its fields: `Page[store.Phase]`; "" for none."""
    if not isinstance(named, Instance):
        return named[1] if named is not None else ""
    arguments = [f"{argument[0]}.{struct_name(argument)}" for argument in named.arguments if argument is not None]
    return f"{named[1]}[{', '.join(arguments)}]" if len(arguments) == len(named.arguments) else named[1]


def spelled(bound: Bound) -> tuple[object, ...]:
    """Something that tells bindings apart: an `Instance` is equal to its bare name."""
    return tuple((name, _spelled(bound[name])) for name in sorted(bound))


def _spelled(named: TypeName | None) -> object:
    return (*named, *map(_spelled, named.arguments)) if isinstance(named, Instance) else named


def _paired(names: list[TypeName], owner: TypeName) -> dict[TypeName, TypeName]:
    arguments = owner.arguments if isinstance(owner, Instance) else ()
    return {name: argument for name, argument in zip(names, arguments, strict=False) if argument is not None}


@lru_cache(maxsize=4096)
def _named_by_receiver(declaration: Declaration) -> list[TypeName]:
    receiver = declaration.node.child_by_field_name("receiver")
    kind = receiver.named_children[0].child_by_field_name("type") if receiver and receiver.named_child_count else None
    while kind is not None and kind.type in ("pointer_type", "parenthesized_type"):
        kind = kind.named_children[0] if kind.named_child_count else None
    listed = kind.child_by_field_name("type_arguments") if kind is not None and kind.type == "generic_type" else None
    return [(declaration.file.folder, declaration.file.text(item)) for item in listed.named_children] if listed else []
