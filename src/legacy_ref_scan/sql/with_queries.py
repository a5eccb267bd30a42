"""WITH: its queries become visible here, and columns are renamed by position."""

from __future__ import annotations

from legacy_ref_scan.model import Explanation
from legacy_ref_scan.sql.expressions import Expressions
from legacy_ref_scan.sql.names import Part, part
from legacy_ref_scan.sql.scope import Columns, Scope, Visible
from legacy_ref_scan.sql.tree import Node
from legacy_ref_scan.sql.with_tables import CommonTable, WithTables


class WithQueries(Expressions):
    """Resolves WITH clauses."""

    def with_clause(self, node: Node, scope: Scope | None) -> None:
        """Makes the WITH queries visible; RECURSIVE lets each see itself and all its siblings."""
        recursive = node.has("kw_recursive")
        tables = WithTables(self.tables)
        entries: list[CommonTable] = []
        for cte in node.find_own("common_table_expr"):
            name_node = cte.child("name")
            if name_node is None:
                continue
            name = part(self.tree, name_node)
            self.label(name, Explanation.VARIABLE, "the name of a WITH query")
            visible = tables if recursive else self._before(tables)
            entry = CommonTable(name, cte, scope or Scope(), visible)
            entries.append(entry)
            tables.tables[name.name] = entry
        self.tables = tables

    def _before(self, tables: WithTables) -> WithTables:
        copy = WithTables(tables.outer)
        copy.tables = dict(tables.tables)
        return copy

    def finish_with(self, with_clause: Node | None) -> None:
        """Queries of WITH that nothing named are resolved all the same."""
        if with_clause is not None and self.tables is not None:
            for entry in self.tables.tables.values():
                self.common_columns(entry)

    def common_columns(self, entry: CommonTable) -> Columns:
        """The columns of a WITH query; of one that is being resolved, those of its first branch."""
        if entry.columns is not None:
            return entry.columns
        if entry.busy:
            return self.renamed(entry, entry.provisional)
        entry.busy = True
        before, self.tables = self.tables, entry.tables
        current, self.current = self.current, entry
        inner = next((c for c in entry.node.children if c.type in ("PreparableStmt", "SelectStmt")), None)
        columns = self.query(inner, entry.scope) if inner is not None else ()
        self.tables, self.current = before, current
        entry.columns = self.renamed(entry, columns)
        entry.busy = False
        for clause in entry.node.all("opt_search_clause", "opt_cycle_clause"):
            self.label_all(clause, Explanation.OUTPUT_NAME, "a column of a WITH query")
        return entry.columns

    def renamed(self, entry: CommonTable, columns: Columns) -> Columns:
        names = entry.node.child("opt_name_list", "name_list")
        return self.rename(columns, [part(self.tree, n) for n in names.find("name")]) if names else columns

    def rename(self, columns: Columns, names: list[Part]) -> Columns:
        """Columns renamed by position; whatever a star brought along is consumed by that."""
        for name in names:
            self.label(name, Explanation.OUTPUT_NAME, "a column alias")
        if not names:
            return columns
        self.result.consume(tuple(c for c in columns if c.star))
        renamed = [
            Visible(name.name, sources=column.origins, type=column.type)
            for name, column in zip(names, columns, strict=False)
        ]
        renamed.extend(Visible(name.name) for name in names[len(columns) :])
        return tuple(renamed) + columns[len(names) :]
