"""Random queries: FROM with joins of all kinds, WITH, set operations, GROUP BY, ORDER BY, windows."""

from __future__ import annotations

from collections.abc import Sequence

from tests.sql.generated_expressions import ExpressionWriter, Item, Level, Scopes
from tests.sql.generated_schema import TARGET_COLUMN, Columns, Table

_ALIASES = (TARGET_COLUMN, TARGET_COLUMN, "status", "kind", "note", "phases")
_JOINS = ("JOIN", "LEFT JOIN", "RIGHT OUTER JOIN", "FULL JOIN", "INNER JOIN")


class QueryWriter(ExpressionWriter):
    """Writes queries and remembers their result columns."""

    with_tables: dict[str, Columns]
    taken: set[str]
    windows = True
    named_window = ""  # the WINDOW clause of the query that is being written

    def begin(self) -> None:
        self.with_tables = {}
        self.taken = set()  # names that range variables have already in the FROM that is being written

    def subquery(self, scopes: Scopes, types: Sequence[str], depth: int) -> str:
        return self.query(scopes, depth + 1, types)[0]

    def query(self, scopes: Scopes, depth: int = 0, types: Sequence[str] | None = None) -> tuple[str, Columns]:
        """A query with its result columns; `types` are those that it must have."""
        if depth < 2 and self.chance(0.15):
            return self.with_query(scopes, depth, types)
        if depth < 3 and self.chance(0.1):
            return self.set_operation(scopes, depth, types)
        if types is None and self.chance(0.04):
            name, columns, _ = self.relation()
            return f"TABLE {name}", columns
        if types is not None and self.chance(0.06):
            row = ", ".join(self.expression(kind, scopes, depth + 1) for kind in types)
            return f"VALUES ({row})", tuple((f"column{i}", kind) for i, kind in enumerate(types, 1))
        if types is None and self.chance(0.15):
            return self.grouped(scopes, depth)
        return self.select(scopes, depth, types)

    # SELECT

    def select(self, scopes: Scopes, depth: int, types: Sequence[str] | None) -> tuple[str, Columns]:
        level = Level()
        around, self.taken, windows, self.windows = self.taken, set(), self.windows, True
        from_clause = self.from_clause(level, scopes, depth) if self.chance(0.95) else ""
        inner = (level, *scopes)
        before, self.named_window = self.named_window, ""
        targets, columns = self.targets(level, inner, depth, types)
        named, self.named_window = self.named_window, before
        distinct, order = self.distinct_and_order(inner, columns, depth)
        text = f"SELECT {distinct}{targets}{from_clause}"
        if from_clause and self.chance(0.45):
            text += f" WHERE {self.expression('bool', inner, depth)}"
        text += named
        self.taken, self.windows = around, windows
        return text + order + self.locking(level, distinct, from_clause), columns

    def locking(self, level: Level, distinct: str, from_clause: str) -> str:
        text = self.pick((" LIMIT 3", " LIMIT 1 OFFSET 0", " FETCH FIRST ROW ONLY")) if self.chance(0.1) else ""
        simple = len(level.items) == 1 and not distinct and "(" not in from_clause
        if simple and level.items[0].row and self.chance(0.08) and not self.with_tables:
            text += f" FOR UPDATE OF {level.items[0].name} SKIP LOCKED"
        return text

    def targets(self, level: Level, scopes: Scopes, depth: int, types: Sequence[str] | None) -> tuple[str, Columns]:
        if types is not None:
            items = [self.target(kind, scopes, depth) for kind in types]
            return ", ".join(text for text, _ in items), tuple(column for _, column in items)
        texts: list[str] = []
        columns: list[tuple[str, str]] = []
        for _ in range(self.random.randint(1, 4)):
            if level.items and self.chance(0.12):
                text, found = self.star(level)
                columns += found
            else:
                text, column = self.target(self.pick(("text", "text", "text", "int", "jsonb", "bool")), scopes, depth)
                columns.append(column)
            texts.append(text)
        return ", ".join(texts), tuple(columns)

    def star(self, level: Level) -> tuple[str, Columns]:
        if self.chance(0.5):
            merged = tuple(level.merged.items())
            return "*", merged + tuple(c for i in level.items for c in i.columns if c[0] not in level.merged)
        item = self.pick(level.items)
        return (f"{item.name}.*", item.columns) if item.name else ("1 AS one", (("one", "int"),))

    def target(self, kind: str, scopes: Scopes, depth: int) -> tuple[str, tuple[str, str]]:
        rows = self.rows(scopes)
        if rows and kind == "jsonb" and self.chance(0.1):
            name = self.pick(rows).name
            return name, (name, "row")
        text = (
            self.window(kind, scopes, depth)
            if self.windows and self.chance(0.08)
            else self.expression(kind, scopes, depth)
        )
        if self.chance(0.35):
            name = self.pick(_ALIASES)
            return f"{text} AS {name}", (name, kind)
        last = text.rsplit(".", 1)[-1]
        return text, (last if last.isidentifier() else "?column?", kind)

    def window(self, kind: str, scopes: Scopes, depth: int) -> str:
        argument = self.expression(kind, scopes, depth + 1)
        partition, order = (self.expression("text", scopes, depth + 2) for _ in range(2))
        where = f" FILTER (WHERE {self.expression('bool', scopes, depth + 2)})" if self.chance(0.3) else ""
        if self.chance(0.3):
            self.named_window = f" WINDOW message AS (PARTITION BY {partition} ORDER BY {order})"
            return f"last_value({argument}) OVER {self.pick(('message', '(message)'))}"
        if where and kind == "text":
            return f"min({argument}){where} OVER (PARTITION BY {partition} ORDER BY {order})"
        return f"first_value({argument}) OVER (PARTITION BY {partition} ORDER BY {order} DESC NULLS LAST)"

    def distinct_and_order(self, scopes: Scopes, columns: Columns, depth: int) -> tuple[str, str]:
        if self.chance(0.06):
            key = self.order_key(scopes, columns, depth)
            return f"DISTINCT ON ({key}) ", f" ORDER BY {key}" if self.chance(0.5) else ""
        if self.chance(0.35):
            keys = [self.order_key(scopes, columns, depth) for _ in range(self.random.randint(1, 2))]
            return "", f" ORDER BY {', '.join(key + self.pick(('', ' DESC', ' NULLS FIRST')) for key in keys)}"
        return "", ""

    def order_key(self, scopes: Scopes, columns: Columns, depth: int) -> str:
        outputs = [name for name, _ in columns if name != "?column?"]
        if outputs and self.chance(0.5):
            return self.pick(outputs)
        if self.chance(0.3):
            return str(self.random.randint(1, max(1, len(columns))))
        return self.column("text", scopes) or self.expression("text", scopes, depth + 2)

    def grouped(self, scopes: Scopes, depth: int) -> tuple[str, Columns]:
        """GROUP BY names, aliases, numbers and sets; everything else in the targets is an aggregate."""
        level = Level()
        around, self.taken = self.taken, set()
        from_clause = self.from_clause(level, scopes, depth)
        self.taken = around
        inner = (level, *scopes)
        keys = [self.operand("text", inner) for _ in range(self.random.randint(1, 2))]
        alias = self.pick(_ALIASES)
        by = self.pick((keys[0], "1", alias if level.unqualified(alias) is None else keys[0]))
        by = self.pick(
            (by, f"{by}, {keys[-1]}", f"ROLLUP ({by})", f"GROUPING SETS (({by}), ())", f"CUBE ({keys[0]}, {keys[-1]})")
        )
        aggregate = self.aggregate(inner, depth)
        first = f"{keys[0]} AS {alias}"
        having = f" HAVING {self.aggregate(inner, depth)} > {self.literal('text')}" if self.chance(0.3) else ""
        order = self.pick(("", f" ORDER BY {alias}", f" ORDER BY {keys[0]}", " ORDER BY 2 DESC"))
        where = f" WHERE {self.expression('bool', inner, depth)}" if self.chance(0.3) else ""
        text = f"SELECT {first}, {aggregate} AS total{from_clause}{where} GROUP BY {by}{having}{order}"
        return text, ((alias, "text"), ("total", "text"))

    def aggregate(self, scopes: Scopes, depth: int) -> str:
        argument = self.operand("text", scopes)
        where = f" FILTER (WHERE {self.expression('bool', scopes, depth + 2)})" if self.chance(0.3) else ""
        order = f" ORDER BY {self.operand('text', scopes)}" if self.chance(0.3) else ""
        return self.pick(
            (
                f"max({argument}){where}",
                f"string_agg({argument}, ','{order}){where}",
                f"count(*){where}::text",
                f"count(DISTINCT {argument})::text",
                f"mode() WITHIN GROUP (ORDER BY {argument}){where}",
            )
        )

    # FROM

    def from_clause(self, level: Level, scopes: Scopes, depth: int) -> str:
        texts = []
        for number in range(1 if self.chance(0.7) else 2):
            part = Level()
            self.taken = self.taken | {item.name for item in level.items}
            texts.append(self.from_item(part, (level, *scopes) if number else scopes, bool(number), depth))
            level.items += part.items
            level.merged.update({k: v for k, v in part.merged.items() if k not in level.merged})
        return " FROM " + ", ".join(texts)

    def from_item(self, level: Level, scopes: Scopes, lateral: bool, depth: int) -> str:
        """One item into `level`; `lateral`: the first of the scopes is this very FROM."""
        text = self.primary(level, scopes, lateral, depth)
        for _ in range(self.pick((0, 0, 1, 1, 2))):
            right = Level()
            self.taken = self.taken | {item.name for item in level.items}
            joined = self.primary(right, (level, *scopes), True, depth)
            text = f"{text} {self.join(level, right, scopes, joined, depth)}"
        return text

    def join(self, left: Level, right: Level, scopes: Scopes, joined: str, depth: int) -> str:
        common = [n for n, k in _columns(right) if k and left.unqualified(n) == k and right.unqualified(n) == k]
        lateral = joined.startswith(("LATERAL", "listed", "unnest", "jsonb_to_record", "ROWS"))
        kind = self.pick(_JOINS[:2] if lateral else _JOINS)
        unclear = any(left.unqualified(n) == "" for n, _ in _columns(right))
        if self.chance(0.15) and not unclear and all(left.unqualified(n) in (None, k) for n, k in _columns(right)):
            text = f"NATURAL {kind} {joined}"
        elif common and self.chance(0.4):
            common = sorted(set(self.random.sample(common, min(len(common), self.random.randint(1, 2)))))
            text = f"{kind} {joined} USING ({', '.join(common)})"
            if self.chance(0.2):
                alias = self.alias()
                text += f" AS {alias}"
                columns = tuple((n, str(left.unqualified(n))) for n in common)
                self.merge(left, right, common)
                left.items.append(Item(alias, columns, row=False))
                return text
        elif self.chance(0.15):
            text, common = f"CROSS JOIN {joined}", []
        else:
            both = Level([*left.items, *right.items], dict(left.merged))
            text = f"{kind} {joined} ON {self.expression('bool', (both, *scopes), depth + 1)}"
            common = []
        self.merge(left, right, sorted(set(common)))
        return text

    def merge(self, left: Level, right: Level, common: Sequence[str]) -> None:
        left.merged.update({name: str(right.unqualified(name)) for name in common})
        left.items += right.items

    def primary(self, level: Level, scopes: Scopes, lateral: bool, depth: int) -> str:
        choice = self.random.random()
        outer = scopes[1:] if lateral else scopes
        if choice < 0.6 or depth > 2:
            return self.relation_item(level)
        if choice < 0.78:
            query, columns = self.query(outer, depth + 1)
            return f"({query}) {self.named(level, columns)}"
        if choice < 0.85 and lateral:
            query, columns = self.query(scopes, depth + 1)
            return f"LATERAL ({query}) {self.named(level, columns)}"
        if choice < 0.9:
            rows = f"({self.expression('text', outer, 3)}, {self.expression('int', outer, 3)})"
            alias, name = self.alias(), self.pick(_ALIASES)
            level.items.append(Item(alias, ((name, "text"), ("n", "int"))))
            return f"(VALUES {rows}) AS {alias} ({name}, n)"
        if choice < 0.95:
            return self.function_item(level, scopes)
        inner = Level()
        text = self.from_item(inner, scopes, lateral, depth + 1)
        if " JOIN " not in text:
            level.items += inner.items
            return text
        if self.chance(0.4):
            columns = tuple(inner.merged.items())
            columns += tuple(c for item in inner.items if item.row for c in item.columns if c[0] not in inner.merged)
            return f"({text}) {self.named(level, columns, rename=False)}"
        level.items += inner.items
        level.merged.update(inner.merged)
        return f"({text})"

    def named(self, level: Level, columns: Columns, rename: bool = True) -> str:
        """An alias, maybe with a column list, for a derived table."""
        alias = self.alias()
        text = f"AS {alias}"
        if rename and columns and self.chance(0.25):
            names = self.random.sample((*_ALIASES[1:], "z", "y"), min(len(columns), self.random.randint(1, 3)))
            columns = tuple((n, k) for n, (_, k) in zip(names, columns, strict=False)) + columns[len(names) :]
            text += f" ({', '.join(names)})"
        level.items.append(Item(alias, _unique(columns)))
        return text

    def relation(self) -> tuple[str, Columns, Table | None]:
        """A relation's name as a statement may write it: a WITH query, bare or with its schema."""
        if self.with_tables and self.chance(0.5):
            name = self.pick(sorted(self.with_tables))
            return name, self.with_tables[name], None
        table = self.schema.target if self.chance(0.35) else self.pick(self.schema.tables)
        bare = self.schema.visible.get(table.name) is table and table.name not in self.with_tables
        return table.name if bare and self.chance(0.8) else table.qualified, table.columns, table

    def relation_item(self, level: Level) -> str:
        name, columns, table = self.relation()
        text = f"ONLY {name}" if table and table.plain and self.chance(0.05) else name
        if self.chance(0.6) or name.rsplit(".", 1)[-1] in self.taken:
            alias = self.alias()
            text += f" {self.pick(('', 'AS '))}{alias}"
            if columns and self.chance(0.12):
                names = self.random.sample(
                    ("message", "z", "y", "status"), self.random.randint(1, min(4, len(columns)))
                )
                columns = tuple((n, k) for n, (_, k) in zip(names, columns, strict=False)) + columns[len(names) :]
                text += f" ({', '.join(names)})"
        else:
            alias = name.rsplit(".", 1)[-1]
        level.items.append(Item(alias, _unique(columns)))
        if table and table.plain and self.chance(0.05):
            text += " TABLESAMPLE system (50) REPEATABLE (1)"
        return text

    def function_item(self, level: Level, scopes: Scopes) -> str:
        alias = self.alias()
        name = self.pick(_ALIASES)
        argument = self.expression("text", scopes, 3)
        text, columns = self.pick(
            (
                (f"listed({argument}) AS {alias}", (("message", "text"), ("n", "int"))),
                (f"unnest({self.operand('text[]', scopes)}) AS {alias} ({name})", ((name, "text"),)),
                (f"generate_series(1, 2) AS {alias} ({name})", ((name, "int"),)),
                (
                    f"JSON_TABLE({self.operand('jsonb', scopes)}, '$[*]' COLUMNS ({name} text PATH '$.message',"
                    f" nr FOR ORDINALITY)) AS {alias}",
                    ((name, "text"), ("nr", "int")),
                ),
                (
                    f"XMLTABLE('/a' PASSING {argument}::xml COLUMNS {name} text PATH 'message', n int) AS {alias}",
                    ((name, "text"), ("n", "int")),
                ),
                (
                    f"jsonb_to_record({self.operand('jsonb', scopes)}) AS {alias} ({name} text, n int)",
                    ((name, "text"), ("n", "int")),
                ),
                (
                    f"unnest({self.operand('text[]', scopes)}) WITH ORDINALITY AS {alias} ({name}, n)",
                    ((name, "text"), ("n", "bigint")),
                ),
                (
                    f"ROWS FROM (generate_series(1, 2), unnest(ARRAY[{argument}])) AS {alias} (n, {name})",
                    (("n", "int"), (name, "text")),
                ),
            )
        )
        level.items.append(Item(alias, columns, row=False))
        return text

    # Set operations, WITH

    def set_operation(self, scopes: Scopes, depth: int, types: Sequence[str] | None) -> tuple[str, Columns]:
        kinds = types if types is not None else [self.pick(("text", "int")) for _ in range(self.random.randint(1, 3))]
        first, columns = self.select_only(scopes, depth + 1, kinds)
        second, _ = self.select_only(scopes, depth + 1, kinds)
        operator = self.pick(("UNION", "UNION ALL", "INTERSECT", "EXCEPT ALL"))
        names = [name for name, _ in columns if name.isidentifier()]
        order = f" ORDER BY {self.pick([*names, '1'])}" if self.chance(0.4) else ""
        return f"{first} {operator} {second}{order}", columns

    def select_only(self, scopes: Scopes, depth: int, types: Sequence[str]) -> tuple[str, Columns]:
        text, columns = self.select(scopes, depth, types)
        return f"({text})", columns

    def with_query(self, scopes: Scopes, depth: int, types: Sequence[str] | None) -> tuple[str, Columns]:
        before = dict(self.with_tables)
        recursive = self.chance(0.3)
        entries = [self.common_table(scopes, depth, recursive) for _ in range(self.random.randint(1, 2))]
        body, columns = self.select(scopes, depth + 1, types)
        self.with_tables = before
        return f"WITH {'RECURSIVE ' if recursive else ''}{', '.join(entries)} {body}", columns

    def common_table(self, scopes: Scopes, depth: int, recursive: bool) -> str:
        taken = set(self.with_tables)
        free = [n for n in ("w1", "w2", "phases", "jobs", TARGET_COLUMN) if n not in taken]
        name = self.pick(free or ["w3"])
        if recursive and self.chance(0.6):
            return self.recursive_table(name, scopes, depth)
        kinds = [self.pick(("text", "text", "int")) for _ in range(self.random.randint(1, 3))]
        if self.chance(0.3):
            query, columns = self.query(scopes, depth + 1)
        else:
            query, columns = self.query(scopes, depth + 1, kinds)
        listed = ""
        if self.chance(0.4):
            names = self.random.sample(("message", "status", "z", "y"), min(len(columns), 4))
            columns = tuple((n, k) for n, (_, k) in zip(names, columns, strict=False)) + columns[len(names) :]
            listed = f" ({', '.join(names)})"
        self.with_tables[name] = _unique(columns)
        return f"{name}{listed} AS {self.pick(('', '', 'MATERIALIZED '))}({query})"

    def recursive_table(self, name: str, scopes: Scopes, depth: int) -> str:
        first, columns = self.select(scopes, depth + 1, ["text", "int"])
        names = ("message", "n") if self.chance(0.6) else tuple(n for n, _ in columns)
        listed = f" ({', '.join(names)})" if names == ("message", "n") else ""
        self.with_tables[name] = _unique(tuple(zip(names, ("text", "int"), strict=True)))
        own = self.pick(("r", TARGET_COLUMN + "s"))
        item = Item(own, self.with_tables[name])
        scope = (Level([item]), *scopes)
        text = f"SELECT {self.operand('text', scope)}, {self.operand('int', scope)} FROM {name} {own}"
        extra = ""
        if listed and self.chance(0.3):
            extra = self.pick((" SEARCH DEPTH FIRST BY message SET status", " CYCLE message, n SET kind USING status"))
            added: Columns = (("status", ""),) if "SEARCH" in extra else (("kind", "bool"), ("status", ""))
            self.with_tables[name] += added
        return f"{name}{listed} AS (({first}) UNION ALL {text}){extra}"


def _columns(level: Level) -> list[tuple[str, str]]:
    return [column for item in level.items for column in item.columns]


def _unique(columns: Columns) -> Columns:
    """The same columns; those that can't be named, for they are doubled or have no name, lose their type."""
    names = [name for name, _ in columns]
    return tuple((n, k if names.count(n) == 1 and n.isidentifier() else "") for n, k in columns)
