"""Random expressions over the columns that are in scope: the lower half of the statement generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from tests.sql.generated_schema import TARGET_COLUMN, Columns, GeneratedSchema

T = TypeVar("T")

# Around the number of a parameter until the statement is rendered in a style.
MARK = "\x00"


@dataclass
class Item:
    """A range variable: its name in the statement and its columns.

    `row`: it can be used as a whole row. `bare`: its columns can be named without it, which those of a variable can't.
    """

    name: str
    columns: Columns
    row: bool = True
    bare: bool = True


@dataclass
class Level:
    """What one query level has in FROM; `merged` are the columns that USING or NATURAL made one."""

    items: list[Item] = field(default_factory=list)
    merged: dict[str, str] = field(default_factory=dict)

    def unqualified(self, name: str) -> str | None:
        """The type of the column that a bare name means here; "" where it is ambiguous."""
        if name in self.merged:
            return self.merged[name]
        types = [kind for item in self.items if item.bare for column, kind in item.columns if column == name]
        return None if not types else types[0] if len(types) == 1 else ""


Scopes = tuple[Level, ...]


class ExpressionWriter:
    """Writes expressions; what needs whole queries is in the classes above it."""

    def __init__(self, random: Random, schema: GeneratedSchema) -> None:
        self.random, self.schema = random, schema
        self.parameters = 0
        self.aliases = 0

    def pick(self, options: Sequence[T]) -> T:
        return self.random.choice(options)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def alias(self) -> str:
        self.aliases += 1
        odd = ("phases", "message", "jobs", "Mixed") if self.chance(0.1) else ("a", "b", "p", "x")
        name = self.pick(odd)
        return f'"{name}{self.aliases}"' if name == "Mixed" else f"{name}{self.aliases}" if self.chance(0.95) else name

    def subquery(self, scopes: Scopes, types: Sequence[str], depth: int) -> str:
        raise NotImplementedError

    # Columns

    def references(self, kind: str, scopes: Scopes) -> list[str]:
        """Every way to name a column of that type: bare and qualified."""
        found: list[str] = []
        hidden: set[str] = set()
        for depth, level in enumerate(scopes):
            for item in level.items:
                names = [name for name, column_type in item.columns if column_type == kind]
                if item.name and item.name not in hidden:
                    found += [f"{item.name}.{name}" for name in names]
                for name in names if item.bare else ():
                    if all(inner.unqualified(name) is None for inner in scopes[:depth]):
                        found += [name] if level.unqualified(name) == kind else []
            hidden |= {item.name for item in level.items}
        return found

    def column(self, kind: str, scopes: Scopes) -> str | None:
        found = self.references(kind, scopes)
        wanted = [name for name in found if name.split(".")[-1] == TARGET_COLUMN]
        if wanted and self.chance(0.45):
            return self.spelled(self.pick(wanted))
        return self.pick(found) if found else None

    def spelled(self, name: str) -> str:
        """The same name as people write it: capitals, quotes, Unicode escapes."""
        if self.chance(0.85):
            return name
        head, dot, last = name.rpartition(".")
        return head + dot + self.pick((last.upper(), f'"{last}"', f'U&"{last[:-1]}\\{ord(last[-1]):04X}"'))

    def rows(self, scopes: Scopes) -> list[Item]:
        """Range variables that can be named as whole rows: no column of that name is in the way."""
        return [
            item
            for item in (scopes[0].items if scopes else ())
            if item.row and item.name and all(level.unqualified(item.name.strip('"')) is None for level in scopes)
        ]

    # Expressions

    def expression(self, kind: str, scopes: Scopes, depth: int = 0) -> str:
        if depth < 3 and self.chance(0.45 - 0.12 * depth):
            makers: dict[str, Callable[[Scopes, int], str]] = {
                "text": self.text,
                "int": self.integer,
                "jsonb": self.json,
                "text[]": self.array,
                "bool": self.condition,
            }
            if kind in makers:
                return makers[kind](scopes, depth + 1)
        if kind == "bool":
            return self.comparison(scopes, depth)
        named = self.column(kind, scopes) if self.chance(0.8) else None
        return named or self.literal(kind)

    def literal(self, kind: str) -> str:
        if kind in ("text", "int") and self.chance(0.4):
            self.parameters += 1
            return f"{MARK}{self.parameters}{MARK}::{kind}"
        return {
            "text": self.pick(("'x'", "'message'", "E'it\\'s'", "$$message$$", "'a' /* message */", "NULL::text")),
            "int": self.pick(("1", "0", "42")),
            "jsonb": "'{\"message\": 1}'::jsonb",
            "text[]": "ARRAY['a']::text[]",
            "pair": "ROW('m', 1)::pair",
            "bool": self.pick(("true", "false")),
        }[kind]

    def text(self, scopes: Scopes, depth: int) -> str:
        def of(kind: str) -> str:
            return self.expression(kind, scopes, depth)

        row = self.rows(scopes)
        options: list[Callable[[], str]] = [
            lambda: f"coalesce({of('text')}, {of('text')})",
            lambda: f"({of('text')} || {of('text')})",
            lambda: f"lower({of('text')})",
            lambda: f"CASE WHEN {of('bool')} THEN {of('text')} ELSE {of('text')} END",
            lambda: f"CASE {of('text')} WHEN {of('text')} THEN {of('text')} END",
            lambda: f"CAST({of('int')} AS text)",
            lambda: f"({of('int')})::text",
            lambda: f"{self.operand('jsonb', scopes)} ->> 'message'",
            lambda: f"({of('pair')}).message",
            lambda: f"({of('text[]')})[1]",
            lambda: f"({self.subquery(scopes, ['text'], depth)})",
            lambda: f"substring({of('text')} FROM {of('int')} FOR 2)",
            lambda: f"trim(both 'x' from {of('text')})",
            lambda: f"concat_ws(',', VARIADIC {of('text[]')})",
            lambda: f"nullif({of('text')}, {of('text')})",
            lambda: f'{of("text")} COLLATE "C"',
        ]
        if row:
            item = self.pick(row)
            names = [name for name, kind in item.columns if kind == "text"]
            options += [lambda: f"to_jsonb({item.name}) ->> 'message'", lambda: f"{item.name}::text"]
            options += [lambda: f"row_to_json({item.name})::text", lambda: f"to_jsonb({item.name}.*) ->> 'status'"]
            if names:
                options += [lambda: f"({item.name}).{self.pick(names)}", lambda: f"{self.pick(names)}({item.name})"]
        return self.pick(options)()

    def operand(self, kind: str, scopes: Scopes) -> str:
        return self.column(kind, scopes) or self.literal(kind)

    def integer(self, scopes: Scopes, depth: int) -> str:
        def of(kind: str) -> str:
            return self.expression(kind, scopes, depth)

        options: tuple[Callable[[], str], ...] = (
            lambda: f"length({of('text')})",
            lambda: f"({of('int')} + {of('int')})",
            lambda: f"({self.subquery(scopes, ['int'], depth)})",
            lambda: f"extract(year FROM now() + {of('int')} * interval '1 day')::int",
            lambda: f"position({of('text')} IN {of('text')})",
            lambda: f"({of('pair')}).amount",
            lambda: f"- {of('int')}",
            lambda: f"cardinality({of('text[]')})",
        )
        return self.pick(options)()

    def json(self, scopes: Scopes, depth: int) -> str:
        def of(kind: str) -> str:
            return self.expression(kind, scopes, depth)

        row = self.rows(scopes)
        options: tuple[Callable[[], str], ...] = (
            lambda: f"to_jsonb({of('text')})",
            lambda: f"jsonb_build_object('message', {of('text')})",
            lambda: f"{self.operand('jsonb', scopes)} -> 'message'",
            lambda: f"{self.operand('jsonb', scopes)} #> '{{message}}'",
            lambda: f"{self.operand('jsonb', scopes)} - 'message'",
            lambda: f"to_jsonb({self.pick(row).name})" if row else "'{}'::jsonb",
            lambda: f"jsonb_build_array({of('int')}, {of('text')})",
        )
        return self.pick(options)()

    def array(self, scopes: Scopes, depth: int) -> str:
        def of(kind: str) -> str:
            return self.expression(kind, scopes, depth)

        options: tuple[Callable[[], str], ...] = (
            lambda: f"ARRAY[{of('text')}, {of('text')}]",
            lambda: f"ARRAY({self.subquery(scopes, ['text'], depth)})",
            lambda: f"string_to_array({of('text')}, ',')",
            lambda: f"({of('text[]')})[1:2]",
            lambda: f"{of('text[]')} || {of('text')}",
        )
        return self.pick(options)()

    # Conditions

    def condition(self, scopes: Scopes, depth: int) -> str:
        first, second = self.expression("bool", scopes, depth), self.expression("bool", scopes, depth)
        return self.pick((f"({first} AND {second})", f"({first} OR {second})", f"NOT ({first})", f"({first}) IS TRUE"))

    def comparison(self, scopes: Scopes, depth: int) -> str:
        def of(kind: str) -> str:
            return self.expression(kind, scopes, depth + 1)

        deep = depth + 1
        row = self.rows(scopes)
        one = self.operand("text", scopes)
        options: list[Callable[[], str]] = [
            lambda: f"{of('text')} {self.pick(('=', '<>', '<', '>=', 'LIKE', 'ILIKE', '~'))} {of('text')}",
            lambda: f"{one} = {of('text')}",
            lambda: f"{one} IS {self.pick(('', 'NOT '))}NULL",
            lambda: f"{one} IS DISTINCT FROM {of('text')}",
            lambda: f"{one} LIKE '!%' ESCAPE '!'",
            lambda: f"{one} NOT SIMILAR TO 'a|b'",
            lambda: f"{one} {self.pick(('', 'NOT '))}IN ({of('text')}, {of('text')})",
            lambda: f"{one} BETWEEN {of('text')} AND {of('text')}",
            lambda: f"{of('int')} < {of('int')}",
            lambda: f"{self.operand('jsonb', scopes)} {self.json_keys()}",
            lambda: f"{self.operand('jsonb', scopes)} @> '{{\"message\": 1}}'",
            lambda: f"({of('text')}, {of('int')}) = ({of('text')}, {of('int')})",
            lambda: f"{one} = ANY({of('text[]')})",
            lambda: f"{of('text[]')} && {of('text[]')}",
        ]
        if depth < 2:
            options += [
                lambda: f"{one} {self.pick(('', 'NOT '))}IN ({self.subquery(scopes, ['text'], deep)})",
                lambda: f"{one} {self.pick(('= ANY', '<> ALL', '= SOME'))} ({self.subquery(scopes, ['text'], deep)})",
                lambda: f"{self.pick(('', 'NOT '))}EXISTS ({self.subquery(scopes, ['text', 'int'], deep)})",
                lambda: f"({one}, {of('int')}) IN ({self.subquery(scopes, ['text', 'int'], deep)})",
            ]
        if row:
            item = self.pick(row)
            options += [lambda: f"{item.name} IS NOT NULL", lambda: f"{item.name}.* IS NOT NULL"]
        return self.pick(options)()

    def json_keys(self) -> str:
        return self.pick(("? 'message'", "?| ARRAY['message', 'x']", "?& ARRAY['message']"))
