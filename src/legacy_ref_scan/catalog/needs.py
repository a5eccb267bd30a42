"""What PostgreSQL says that a stored query or expression needs: more than what would break without a column.

A stored `*` is a list of columns, in every subquery and CTE, whether or not anything reads them; a whole row as one
value is no use of any column (attnum 0 here).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from legacy_ref_scan.catalog.exprtypes import of_call, of_constant, settled, united
from legacy_ref_scan.catalog.state import State
from legacy_ref_scan.catalog.typenames import beneath, type_name
from legacy_ref_scan.model import Access
from legacy_ref_scan.schema import ColumnId, Relation
from legacy_ref_scan.sql.resolve import NO_ENVIRONMENT, StatementResolver
from legacy_ref_scan.sql.results import OutputColumn, Problem, Resolved
from legacy_ref_scan.sql.scope import Scope, Visible, range_variable
from legacy_ref_scan.sql.tree import Node, Tree


class Found(NamedTuple):
    """Uses are (column, access, start, end), offsets into the text that was parsed."""

    uses: tuple[tuple[ColumnId, Access, int, int], ...]
    relations: frozenset[int]
    output: tuple[OutputColumn, ...]
    problems: tuple[Problem, ...]


class _Stored(StatementResolver):
    """Takes every `*` as used, and looks for the types of what is stored."""

    def __init__(self, tree: Tree, state: State) -> None:
        super().__init__(tree, state.catalog, NO_ENVIRONMENT)
        self.state = state

    def cast_type(self, node: Node) -> str:
        return type_name(self.state, self.tree.text, node.start, node.end).name

    def united_type(self, first: str, second: str) -> str:
        if first == second:
            return first
        return united(beneath(self.state, first), beneath(self.state, second))

    def type_of(self, expression: Node) -> str:
        known = super().type_of(expression) or of_constant(expression)
        if known or len(expression.children) != 1 or expression.children[0].type != "func_expr":
            return known
        own = {function.name for function in self.state.functions.values()}
        name = self.call_name(expression.children[0])
        return "" if name in own else of_call(name)

    def query(self, node: Node, scope: Scope | None) -> tuple[Visible, ...]:
        columns = super().query(node, scope)
        self.result.consume(columns)
        return columns


def of_query(tree: Tree, state: State, node: Node) -> Found:
    """What a query or a change of data needs."""
    return _found(_Stored(tree, state).run(node, True), _whole_rows(node))


def of_expressions(
    tree: Tree, state: State, nodes: Sequence[Node], relation: Relation, alias: str, extra: Mapping[str, Relation]
) -> Found:
    """What expressions over one relation need; `extra` are further range variables."""
    resolver = _Stored(tree, state)
    outer = Scope(variables=[range_variable(other, name) for name, other in extra.items()])
    scope = Scope(outer, [range_variable(relation, alias)])
    whole: set[int] = set()
    for node in nodes:
        resolver.in_relation(node, scope)
        whole |= _whole_rows(node)
    return _found(resolver.result, whole)


def _found(resolved: Resolved, whole: set[int]) -> Found:
    """`whole` are the offsets of tokens whose `star` means a row as one value."""
    uses = tuple(
        ((oid, 0 if access is Access.STAR and start in whole else attnum), access, start, end)
        for (oid, attnum), access, start, end in resolved.uses
    )
    relations = frozenset(oid for oid, _ in resolved.relations)
    output = tuple(column._replace(type=settled(column.type)) for column in resolved.output)
    return Found(uses, relations, output, tuple(resolved.problems))


def _leaves(node: Node) -> Iterator[int]:
    return (leaf.start for leaf in node.walk() if not leaf.children)


def _whole_rows(query: Node) -> set[int]:
    """The tokens of column references but for those that are expanded: a `*` that is a target of its own."""
    expanded = {id(reference) for target in query.find("target_el") if (reference := _only_reference(target))}
    references = (node for node in query.find("columnref") if id(node) not in expanded)
    return {leaf for reference in references for leaf in _leaves(reference)}


def _only_reference(target: Node) -> Node | None:
    expression = target.child("a_expr")
    if expression is None or len(expression.children) != 1 or expression.children[0].type != "columnref":
        return None
    reference = expression.children[0]
    *_, last = (leaf for leaf in reference.walk() if not leaf.children)
    return reference if last.type == "*" else None
