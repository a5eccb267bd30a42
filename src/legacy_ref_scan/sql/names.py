"""Names in the tree: identifiers, qualified names, column references."""

from __future__ import annotations

from typing import NamedTuple

from legacy_ref_scan.sql.lexer import name_of
from legacy_ref_scan.sql.scope import Place
from legacy_ref_scan.sql.tree import Node, Tree

# The nodes whose leaf is one name.
NAME_NODES = frozenset(
    {
        "ColId", "ColLabel", "BareColLabel", "name", "type_function_name", "attr_name", "NonReservedWord",
        "param_name", "var_name", "RoleId", "identifier", "quoted_identifier", "TransitionRelName", "any_identifier",
    }
)  # fmt: skip


class Part(NamedTuple):
    """One name of a dotted one; `*` for a star."""

    name: str
    start: int
    end: int

    @property
    def place(self) -> Place:
        """Where the name stands."""
        return (self.start, self.end)


def part(tree: Tree, node: Node) -> Part:
    """The name that a leaf (or a node over one leaf) stands for."""
    return Part(name_of(tree.text[node.start : node.end]), node.start, node.end)


def parts(tree: Tree, node: Node) -> tuple[list[Part], list[Node]]:
    """The names of a dotted name (qualified_name, any_name, func_name, columnref) and its subscripts.

    `a.b[1].c` gives the names a, b and the subscripts from `[1]` on.
    """
    found: list[Part] = []
    rest: list[Node] = []
    for child in node.children or [node]:
        if child.type in ("indirection", "opt_indirection", "attrs"):
            for element in child.children if child.type != "attrs" else [child]:
                _element(tree, element, found, rest)
        elif child.type == "indirection_el":
            _element(tree, child, found, rest)
        elif child.type in NAME_NODES:
            found.append(part(tree, child))
    return found, rest


def _element(tree: Tree, element: Node, found: list[Part], rest: list[Node]) -> None:
    if rest:
        rest.append(element)
        return
    names = element.all("attr_name", "*")
    if not names:
        rest.append(element)
    for node in names:
        found.append(Part("*", node.start, node.end) if node.type == "*" else part(tree, node))
