"""Random statements of every kind over a random schema: changes of data, COPY, definitions over queries."""

from __future__ import annotations

import re
from itertools import count
from random import Random

from tests.sql.generated_expressions import MARK, Item, Level, Scopes
from tests.sql.generated_queries import QueryWriter
from tests.sql.generated_schema import CHILD, GeneratedSchema, Table

STYLES = ("$1", "$1", "?", ":name", "@name", "%s")
_PARAMETER = re.compile(f"{MARK}(\\d+){MARK}")


def make_statement(random: Random, schema: GeneratedSchema) -> str:
    """A statement with marks for its parameters: render it with `in_style`."""
    writer = StatementWriter(random, schema)
    writer.begin()
    return writer.statement()


def in_style(statement: str, style: str) -> str:
    """The statement with its parameters in one of `STYLES`."""

    numbers = count(1)

    def render(_: re.Match[str]) -> str:
        number = next(numbers)
        return {"$1": f"${number}", "?": "?", ":name": f":p{number}", "@name": f"@p{number}", "%s": "%s"}[style]

    return _PARAMETER.sub(render, statement)


class StatementWriter(QueryWriter):
    """Writes statements of every kind. `outer` is what they see around them: the variables of a body."""

    outer: Scopes = ()

    def statement(self) -> str:
        choice = self.random.random()
        if choice < 0.5:
            return self.query(())[0]
        if choice < 0.88:
            return self.change()
        return self.around()

    def change(self) -> str:
        """INSERT, UPDATE, DELETE or MERGE, maybe behind or inside WITH."""
        if self.chance(0.12):
            entry = self.common_table(self.outer, 1, False)
            return f"WITH {entry} {self.one_change()}"
        if self.chance(0.1):
            text, columns = self.returning_change()
            self.with_tables["done"] = columns
            return f"WITH done AS ({text}) {self.select(self.outer, 1, None)[0]}"
        return self.one_change()

    def one_change(self) -> str:
        return self.pick((self.insert, self.insert, self.update, self.update, self.delete, self.merge_statement))()

    def returning_change(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        table = self.table()
        name = self.pick(["message", "z"])
        column = self.pick(table.names_of("text"))
        where = self.expression("bool", (Level([Item(table.name, table.columns)]), *self.outer), 1)
        return f"DELETE FROM {table.qualified} WHERE {where} RETURNING {column} AS {name}", ((name, "text"),)

    def table(self) -> Table:
        if self.chance(0.5):
            return self.schema.target
        return self.pick([table for table in self.schema.tables if table.plain])

    def name_of(self, table: Table) -> str:
        bare = self.schema.visible.get(table.name) is table
        return table.name if bare and self.chance(0.8) else table.qualified

    def changed(self) -> tuple[Table, str, Item]:
        """A table to change, its name with an alias or without, and its range variable."""
        table = self.table()
        name = self.name_of(table)
        if self.chance(0.5):
            alias = self.alias()
            return table, f"{name} AS {alias}", Item(alias, table.columns)
        return table, name, Item(table.name, table.columns)

    def value(self, kind: str, scopes: Scopes) -> str:
        if self.chance(0.08):
            return "DEFAULT"
        return self.expression(kind, scopes, 1)

    # INSERT

    def insert(self) -> str:
        table, name, item = self.changed()
        some = self.random.sample(table.columns, self.random.randint(1, len(table.columns)))
        columns = some if self.chance(0.7) else list(table.columns)
        listed = f" ({', '.join(self.spelled(n) for n, _ in columns)})" if columns is some else ""
        kinds = [kind for _, kind in columns]
        choice = self.random.random()
        if choice < 0.05:
            source, listed = "DEFAULT VALUES", ""
        elif choice < 0.6:
            rows = [f"({','.join(self.value(k, self.outer) for k in kinds)})" for _ in range(self.random.randint(1, 2))]
            source = f"VALUES {', '.join(rows)}"
        else:
            source = self.query(self.outer, 1, kinds)[0]
        return f"INSERT INTO {name}{listed} {source}{self.on_conflict(table, item)}{self.returning([item])}"

    def on_conflict(self, table: Table, item: Item) -> str:
        if self.chance(0.6):
            return ""
        keys = self.pick([("id",), *table.unique]) if table.name != CHILD else ()
        where = f"({', '.join(keys)})" if keys else ""
        if table.unique and self.chance(0.2):
            where = f"ON CONSTRAINT {table.name}_both"
        if not where or self.chance(0.3):
            return f" ON CONFLICT {where} DO NOTHING"
        excluded = Item("excluded", table.columns)
        scopes = (Level([item]), Level([excluded]), *self.outer)
        return f" ON CONFLICT {where} DO UPDATE SET {self.assignments(table, scopes)}{self.where(scopes)}"

    def returning(self, items: list[Item], old_new: bool = True) -> str:
        if self.chance(0.55):
            return ""
        level = Level(list(items))
        if old_new and self.chance(0.1):
            name = self.pick([n for n, _ in items[0].columns])
            return f" RETURNING WITH (OLD AS message, NEW AS b) message.{name}, b.id, message.message"
        if old_new and self.chance(0.3):
            columns = items[0].columns
            level.items += [Item("old", columns), Item("new", columns)]
            name = self.pick([n for n, k in columns])
            return f" RETURNING {self.pick(('old', 'new', 'OLD', 'NEW'))}.{self.pick((name, '*', 'message'))}, new.id"
        self.windows = False
        targets, _ = self.targets(level, (level, *self.outer), 1, None)
        self.windows = True
        return f" RETURNING {targets}"

    def where(self, scopes: Scopes) -> str:
        return f" WHERE {self.expression('bool', scopes, 1)}" if self.chance(0.6) else ""

    # UPDATE, DELETE, MERGE

    def assignments(self, table: Table, scopes: Scopes) -> str:
        chosen = self.random.sample(table.columns, self.random.randint(1, min(3, len(table.columns))))
        if self.chance(0.2):
            names = ", ".join(name for name, _ in chosen)
            if self.chance(0.5):
                return f"({names}) = ({self.subquery(scopes, [kind for _, kind in chosen], 1)})"
            return f"({names}) = ROW ({', '.join(self.value(kind, scopes) for _, kind in chosen)})"
        return ", ".join(self.assignment(name, kind, scopes) for name, kind in chosen)

    def assignment(self, name: str, kind: str, scopes: Scopes) -> str:
        if kind == "pair" and self.chance(0.6):
            return f"{name}.message = {self.expression('text', scopes, 1)}"
        if kind == "text[]" and self.chance(0.5):
            return f"{name}[1] = {self.expression('text', scopes, 1)}"
        return f"{self.spelled(name)} = {self.value(kind, scopes)}"

    def update(self) -> str:
        table, name, item = self.changed()
        level = Level([item])
        more = Level()
        self.taken = {item.name}
        from_clause = self.from_clause(more, (), 1) if self.chance(0.35) else ""
        level.items += more.items
        level.merged.update(more.merged)
        scopes = (level, *self.outer)
        text = f"UPDATE {name} SET {self.assignments(table, scopes)}{from_clause}{self.where(scopes)}"
        return text + self.returning(level.items)

    def delete(self) -> str:
        _, name, item = self.changed()
        level = Level([item])
        more = Level()
        self.taken = {item.name}
        using = self.from_clause(more, (), 1).replace(" FROM ", " USING ", 1) if self.chance(0.35) else ""
        level.items += more.items
        level.merged.update(more.merged)
        return f"DELETE FROM {name}{using}{self.where((level, *self.outer))}{self.returning(level.items)}"

    def merge_statement(self) -> str:
        table, name, item = self.changed()
        source = Level()
        self.taken = {item.name}
        using = self.primary(source, (), False, 2)
        both = Level([item, *source.items], source.merged)
        text = f"MERGE INTO {name} USING {using} ON {self.expression('bool', (both, *self.outer), 1)}"
        for kind in self.random.sample(("matched", "not matched", "by source"), self.random.randint(1, 2)):
            text += self.merge_branch(kind, table, item, source, both)
        return text + (self.returning(both.items, old_new=False) if self.chance(0.4) else "")

    def merge_branch(self, kind: str, table: Table, item: Item, source: Level, both: Level) -> str:
        scope = {"matched": both, "not matched": source, "by source": Level([item])}[kind]
        words = {"matched": "MATCHED", "not matched": "NOT MATCHED", "by source": "NOT MATCHED BY SOURCE"}[kind]
        condition = f" AND {self.expression('bool', (scope, *self.outer), 1)}" if self.chance(0.4) else ""
        if kind == "not matched":
            some = self.random.sample(table.columns, self.random.randint(1, len(table.columns)))
            columns = some if self.chance(0.7) else list(table.columns)
            listed = f" ({', '.join(n for n, _ in columns)})" if columns is some else ""
            values = ", ".join(self.value(k, (scope, *self.outer)) for _, k in columns)
            action = f"INSERT{listed} VALUES ({values})"
        else:
            action = self.pick(("DELETE", "DO NOTHING", f"UPDATE SET {self.assignments(table, (scope, *self.outer))}"))
        return f" WHEN {words}{condition} THEN {action}"

    # Statements around queries, and definitions

    def around(self) -> str:
        choice = self.random.random()
        if choice < 0.3:
            return self.copy()
        if choice < 0.4:
            table = self.table()
            column = self.pick(table.names_of("text"))
            where = f" WHERE {column} IS NOT NULL" if self.chance(0.3) else ""
            return f"CREATE INDEX ON {self.name_of(table)} ({self.pick((column, f'lower({column})'))}){where}"
        without = self.parameters
        query = self.query((), 1)[0]
        if self.parameters != without:
            return query
        return self.pick(
            (
                f"EXPLAIN {query}",
                f"EXPLAIN (COSTS off) {self.one_change()}",
                f"CREATE TABLE copied AS {query}",
                f"CREATE TEMP TABLE copied AS {query} WITH NO DATA",
                f"CREATE VIEW seen AS {query}",
                f"DECLARE found CURSOR FOR {query}",
                f"PREPARE found AS {query}",
                re.sub(r"^SELECT (.*?) FROM ", r"SELECT \1 INTO TEMP message FROM ", query, count=1),
                f"CREATE MATERIALIZED VIEW seen AS {query} WITH NO DATA",
            )
        )

    def copy(self) -> str:
        table = self.table()
        columns = self.random.sample(table.columns, self.random.randint(1, len(table.columns)))
        listed = f" ({', '.join(name for name, _ in columns)})" if self.chance(0.6) else ""
        query = self.query((), 2, ["text", "int"])[0]
        return self.pick(
            (
                f"COPY {self.name_of(table)}{listed} FROM STDIN",
                f"COPY {self.name_of(table)}{listed} TO STDOUT (FORMAT csv)",
                f"COPY ({query}) TO STDOUT",
            )
        )
