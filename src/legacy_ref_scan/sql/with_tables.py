"""The WITH queries of a statement by their names, as far as each place of it sees them."""

from __future__ import annotations

from legacy_ref_scan.sql.names import Part
from legacy_ref_scan.sql.scope import Columns, Scope
from legacy_ref_scan.sql.tree import Node


class CommonTable:
    """A WITH query: resolved when it is first named, or at the end."""

    def __init__(self, name: Part, node: Node, scope: Scope, tables: WithTables) -> None:
        self.name, self.node, self.scope, self.tables = name, node, scope, tables
        self.columns: Columns | None = None
        self.provisional: Columns = ()
        self.busy = False


class WithTables:
    """The WITH queries that are visible, innermost first."""

    def __init__(self, outer: WithTables | None = None) -> None:
        self.outer = outer
        self.tables: dict[str, CommonTable] = {}

    def find(self, name: str) -> CommonTable | None:
        """The WITH query of that name."""
        tables: WithTables | None = self
        while tables is not None:
            if name in tables.tables:
                return tables.tables[name]
            tables = tables.outer
        return None
