"""Resolves every name of a statement by scope, as PostgreSQL's parse analysis does (src/backend/parser/).

The walk visits each identifier once and says what it is: a column of a relation, an output name, a variable …
It knows no target: callers filter the uses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from legacy_ref_scan.model import Explanation
from legacy_ref_scan.schema import Catalog
from legacy_ref_scan.sql.definitions import Definitions
from legacy_ref_scan.sql.results import Label, OutputColumn, Resolved
from legacy_ref_scan.sql.scope import Columns, Environment, Scope
from legacy_ref_scan.sql.tree import Node, Tree, keywords

NO_ENVIRONMENT = Environment()

# Statements that wrap a query or a change of data.
_WRAPPERS = frozenset(
    {
        "source_file", "toplevel_stmt", "stmt", "ExplainStmt", "ExplainableStmt", "PrepareStmt", "PreparableStmt",
        "DeclareCursorStmt", "routine_body_stmt", "routine_body_stmt_list", "opt_routine_body", "RuleActionStmt",
        "RuleActionStmtOrEmpty", "RuleActionMulti", "RuleActionList", "schema_stmt", "OptSchemaEltList",
    }
)  # fmt: skip


def resolve(
    tree: Tree,
    catalog: Catalog,
    node: Node | None = None,
    environment: Environment = NO_ENVIRONMENT,
    consume: bool = True,
) -> Resolved:
    """Resolve a statement (`node`: a part of the tree that is one; else all of it).

    `consume` says that somebody takes the result as it comes; without it, a `*` stays unused in `Resolved.columns`.
    """
    return StatementResolver(tree, catalog, environment).run(node or tree.root, consume)


def label_keywords(tree: Tree, result: Resolved, names: Collection[str]) -> None:
    """Label the grammar's own keywords that are spelled like a column: `TYPE` of CREATE TYPE, `KEY` of PRIMARY KEY.

    One that stands for a name is no keyword in the tree.
    """
    wanted = {f"kw_{name}": name.encode() for name in names if name.encode() in keywords()}
    for node in tree.root.walk() if wanted else ():
        word = wanted.get(node.type)
        if word is not None and not node.children and tree.raw(node).lower() == word:
            result.labels.setdefault(node.start, Label(Explanation.IDENTIFIER, "a keyword", node.end))


class StatementResolver(Definitions):
    """Dispatches on the kind of statement."""

    def run(self, node: Node, consume: bool) -> Resolved:
        """Resolve the statement under `node`."""
        outputs = list(self.statement(node, Scope()))
        for columns in outputs if consume else ():
            self.result.consume(columns)
        if self.tree.errors:
            self.result.unread.append(self.tree.extent)
        if outputs:
            self.result.columns = outputs[-1]
            self.result.output = tuple(OutputColumn(c.name, c.origins, c.type) for c in outputs[-1])
        return self.result

    def statement(self, node: Node, scope: Scope) -> Iterator[Columns]:
        """The result columns of each query among the statements under `node`."""
        kind = node.type
        if kind in _WRAPPERS:
            for child in node.children:
                yield from self.statement(child, scope)
        elif kind == "SelectStmt":
            yield self.query(node, scope)
        elif kind in self.CHANGES:
            yield self.change(node, scope)
        elif kind == "ReturnStmt":
            self.expressions(node, scope)
        elif node.children and kind not in ("name", "cursor_name", "prep_type_clause"):
            yield from self.definition(node, scope)
        elif node.children:
            self.label_all(node, Explanation.VARIABLE, "a statement's name")
