"""Random functions over a random schema: PL/pgSQL with records, cursors, loops, EXECUTE and triggers, and plain SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from tests.sql.generated import StatementWriter
from tests.sql.generated_expressions import MARK, Item, Level
from tests.sql.generated_schema import CHILD, TARGET_COLUMN, Columns, GeneratedSchema, Table

_CONSTANTS = ("'a'", "1")
_MARKED = re.compile(f"{MARK}\\d+{MARK}::(text|int)")


@dataclass(frozen=True)
class GeneratedFunction:
    """`sql` creates `public.made`, and its trigger on `relation` where it is a trigger function."""

    sql: str
    relation: str = ""


def make_function(random: Random, schema: GeneratedSchema, straight: bool = False) -> GeneratedFunction:
    """A function; with `straight` every statement of it runs when it is called, and it is no trigger's."""
    writer = BodyWriter(random, schema, straight)
    writer.begin()
    return writer.function()


class BodyWriter(StatementWriter):
    """Writes bodies; the variables are the outermost level of every query in them."""

    def __init__(self, random: Random, schema: GeneratedSchema, straight: bool) -> None:
        super().__init__(random, schema)
        self.straight = straight
        self.variables = Level([Item("", (("v_text", "text"), ("v_int", "int")), row=False)])
        self.records: list[str] = []
        self.cursors: dict[str, Columns] = {}
        self.opened: list[str] = []  # nobody analyses a cursor that is never opened
        self.returns_rows = False

    def function(self) -> GeneratedFunction:
        choice = self.random.random()
        if choice < 0.15:
            return self.sql_function()
        if choice < 0.4 and not self.straight:
            return self.trigger_function()
        return self.plain_function()

    # Functions

    def sql_function(self) -> GeneratedFunction:
        self.variables.items[0] = Item("", (("v_text", "text"), ("v_int", "int")), row=False)
        query = self.query((self.variables,), 1, ["text"])[0]
        first = f"{self.one_change()}; " if self.chance(0.3) else ""
        returns = f"RETURNS SETOF text LANGUAGE sql AS {self.literal_of(_settled(first + query))}"
        return GeneratedFunction(f"CREATE FUNCTION public.made(v_text text, v_int int) {returns};")

    def plain_function(self) -> GeneratedFunction:
        self.returns_rows = self.chance(0.3)
        column = self.pick((TARGET_COLUMN, "status", "out_text"))
        returns = f"TABLE ({column} text)" if self.returns_rows else "void"
        conflict = self.pick(("", "", "#variable_conflict use_column\n", "#variable_conflict use_variable\n"))
        body = conflict + self.body("RETURN;")
        text = f"CREATE FUNCTION public.made(v_text text, v_int int) RETURNS {returns} LANGUAGE plpgsql AS "
        return GeneratedFunction(text + self.literal_of(body) + ";")

    def trigger_function(self) -> GeneratedFunction:
        table = self.table()
        while table.name == CHILD:
            table = self.table()
        self.variables.items[0] = Item("", (), row=False)
        self.variables.items += [Item("new", table.columns, bare=False), Item("old", table.columns, bare=False)]
        self.records += ["new"]
        declared = "v_text text; v_int int;"
        self.variables.items.append(Item("", (("v_text", "text"), ("v_int", "int")), row=False))
        body = self.body(self.pick(("RETURN NEW;", "RETURN OLD;", "RETURN NULL;")), declared, table)
        create = "CREATE FUNCTION public.made() RETURNS trigger LANGUAGE plpgsql AS " + self.literal_of(body)
        trigger = f"CREATE TRIGGER made BEFORE UPDATE ON {table.qualified} FOR EACH ROW EXECUTE FUNCTION public.made()"
        return GeneratedFunction(f"{create};\n{trigger};", table.qualified)

    def literal_of(self, body: str) -> str:
        return f"'{body.replace(chr(39), chr(39) * 2)}'" if self.chance(0.2) else f"$body${body}$body$"

    def body(self, last: str, declared: str = "", table: Table | None = None) -> str:
        declarations = [declared, *(self.declaration(number) for number in range(self.random.randint(1, 3)))]
        opened = [f"OPEN {cursor}; CLOSE {cursor};" for cursor in self.opened]
        statements = [*opened, *(self.line(0, table) for _ in range(self.random.randint(1, 3)))]
        text = f"DECLARE {' '.join(declarations)} BEGIN {' '.join(statements)} {last} END"
        return _settled(text)

    # Declarations

    def declaration(self, number: int) -> str:
        name = f"r{number}"
        choice = self.random.random()
        if choice < 0.25:
            table = self.table()
            self.variables.items.append(Item(name, table.columns, bare=False))
            self.records.append(name)
            return f"{name} {self.pick((table.qualified, table.qualified + '%ROWTYPE'))};"
        if choice < 0.4:
            table = self.table()
            column, kind = self.pick([c for c in table.columns if c[1] in ("text", "int")])
            self.scalar(name, kind)
            return f"{name} {table.qualified}.{column}%TYPE;"
        if choice < 0.55:
            query, columns = self.query((self.variables,), 1)
            self.cursors[f"c{number}"] = columns
            self.opened.append(f"c{number}")
            return f"c{number} CURSOR FOR {query};"
        if choice < 0.65:
            self.scalar(TARGET_COLUMN, "text")
            return f"{TARGET_COLUMN} text := {self.expression('text', (self.variables,), 1)};"
        if choice < 0.75:
            self.scalar(name, "text")
            return f"{name} CONSTANT text := {self.expression('text', (self.variables,), 1)};"
        return f"{name} record;"

    def scalar(self, name: str, kind: str) -> None:
        self.variables.items.append(Item("", ((name, kind),), row=False))

    # Statements

    def line(self, depth: int, table: Table | None = None) -> str:
        makers = [self.assign, self.assign, self.perform, self.select_into, self.changed_rows, self.changed_rows]
        makers.append(self.raised)
        if self.straight:
            makers += [self.executed, self.formatted]  # what they run is seen only when it runs
        if self.cursors:
            makers.append(self.fetched)
        if self.returns_rows:
            makers += [self.returned, self.returned]
        if depth < 2 and not self.straight:
            makers += [self.branch, self.branch, self.block, self.choice, self.loop, self.loop]
        text = self.pick(makers)(depth)
        if table is not None and self.chance(0.15):
            return f"IF TG_TABLE_NAME = '{table.name}' THEN {text} END IF;"
        return text

    def target_of(self, kind: str) -> str:
        """Something that a text or a number can be assigned to."""
        options = ["v_text" if kind == "text" else "v_int"]
        for item in self.variables.items:
            options += [f"{item.name}.{n}" for n, k in item.columns if k == kind and item.name in self.records]
        wanted = [name for name in options if name.endswith(TARGET_COLUMN)]
        return self.pick(wanted) if wanted and self.chance(0.4) else self.pick(options)

    def assign(self, depth: int) -> str:
        kind = self.pick(("text", "text", "int"))
        sign = self.pick((":=", "="))
        return f"{self.target_of(kind)} {sign} {self.expression(kind, (self.variables,), 1)};"

    def perform(self, depth: int) -> str:
        query = self.select((self.variables,), 1, None)[0]
        return f"PERFORM {query.removeprefix('SELECT ')};"

    def select_into(self, depth: int) -> str:
        if self.chance(0.4):
            query, columns = self.select((self.variables,), 1, None)
            return _with_record(f"SELECT INTO rec {query.removeprefix('SELECT ')}; {self.used(columns, depth)}")
        query = self.select((self.variables,), 1, ["text", "int"])[0]
        into = f"{self.target_of('text')}, {self.target_of('int')}"
        strict = self.pick(("", "", "STRICT ")) if not self.straight else ""
        return f"SELECT INTO {strict}{into} {query.removeprefix('SELECT ')};"

    def used(self, columns: Columns, depth: int) -> str:
        """A statement that may use fields of the record `rec`, which holds a row of such columns."""
        names = [name for name, _ in columns]
        usable = tuple((n, k) for n, k in columns if n.isidentifier() and names.count(n) == 1 and k != "row")
        self.variables.items.append(Item("rec", usable, row=False, bare=False))
        text = self.pick((self.assign, self.changed_rows, self.raised))(depth)
        self.variables.items.pop()
        return text

    def changed_rows(self, depth: int) -> str:
        self.outer = (self.variables,)
        if self.chance(0.25):
            text = f"{self.returning_change()[0]} INTO {self.target_of('text')};"
        else:
            text = f"{self.one_change()};"
        self.outer = ()
        return text

    def raised(self, depth: int) -> str:
        value = self.expression("text", (self.variables,), 1)
        condition = self.expression("bool", (self.variables,), 1)
        return self.pick((f"RAISE NOTICE '% message', {value};", f"ASSERT ({condition}) IS NOT NULL OR true;"))

    def executed(self, depth: int) -> str:
        if self.chance(0.4):
            query = _settled(self.select((), 1, ["text"])[0], _CONSTANTS)
            return f"EXECUTE {_quoted(query)} INTO {self.target_of('text')};"
        return f"EXECUTE {_quoted(_settled(self.one_change(), _CONSTANTS))};"

    def formatted(self, depth: int) -> str:
        table = self.table()
        column = self.pick(table.names_of("text"))
        schema, name = _quoted(table.schema), _quoted(table.name)
        value = self.expression("text", (self.variables,), 2)
        call = self.pick(
            (
                f"format('UPDATE %I.%I SET %I = %L', {schema}, {name}, {_quoted(column)}, {value})",
                f"format('UPDATE %s SET {column} = $1', {_quoted(table.qualified)}) USING {value}",
                f"'UPDATE ' || {schema} || '.' || quote_ident({name}) || ' SET {column} = ' || quote_nullable({value})",
                f"format('DELETE FROM {table.qualified} WHERE %1$I = %2$L', {_quoted(column)}, {value})",
            )
        )
        return f"EXECUTE {call};"

    def loop(self, depth: int) -> str:
        choice = self.random.random()
        if choice < 0.2:
            array = self.expression("text[]", (self.variables,), 1)
            return f"FOREACH v_text IN ARRAY {array} LOOP {self.line(depth + 1)} END LOOP;"
        if choice < 0.4:
            bound = self.expression("int", (self.variables,), 1)
            name = self.pick(("i", "v_int", TARGET_COLUMN))
            return f"FOR {name} IN 1..{bound} LOOP {self.line(depth + 1)} END LOOP;"
        if choice < 0.5:
            return self.scalar_loop(depth)
        if choice < 0.6 and self.cursors:
            cursor = self.pick(sorted(self.cursors))
            return f"FOR rec IN {cursor} LOOP {self.used(self.cursors[cursor], depth)} END LOOP;"
        query, columns = self.query((self.variables,), 1)
        return _with_record(f"FOR rec IN {query} LOOP {self.used(columns, depth)} END LOOP;")

    def scalar_loop(self, depth: int) -> str:
        query = self.query((self.variables,), 1, ["text", "int"])[0]
        if self.chance(0.5):
            query = self.query((self.variables,), 1)[0]
            return (
                f"FOR {self.pick(('v_text', self.target_of('text')))} IN {query} LOOP {self.line(depth + 1)} END LOOP;"
            )
        return f"FOR {self.target_of('text')}, {self.target_of('int')} IN {query} LOOP {self.line(depth + 1)} END LOOP;"

    def fetched(self, depth: int) -> str:
        cursor = self.pick(sorted(self.cursors))
        use = self.used(self.cursors[cursor], depth)
        return _with_record(f"OPEN {cursor}; FETCH {cursor} INTO rec; CLOSE {cursor}; {use}")

    def returned(self, depth: int) -> str:
        if self.chance(0.3):
            return f"RETURN QUERY EXECUTE {_quoted(_settled(self.select((), 1, ['text'])[0], _CONSTANTS))};"
        return f"RETURN QUERY {self.query((self.variables,), 1, ['text'])[0]};"

    # Nested statements

    def branch(self, depth: int) -> str:
        condition = self.expression("bool", (self.variables,), 1)
        other = f" ELSE {self.line(depth + 1)}" if self.chance(0.4) else ""
        middle = ""
        if self.chance(0.2):
            middle = f" ELSIF {self.expression('bool', (self.variables,), 1)} THEN {self.line(depth + 1)}"
        return f"IF {condition} THEN {self.line(depth + 1)}{middle}{other} END IF;"

    def choice(self, depth: int) -> str:
        value, other = (self.expression("text", (self.variables,), 1) for _ in range(2))
        return f"CASE {value} WHEN {other} THEN {self.line(depth + 1)} ELSE {self.line(depth + 1)} END CASE;"

    def block(self, depth: int) -> str:
        """A block with a variable that hides one, or a handler."""
        if self.chance(0.4):
            return f"BEGIN {self.line(depth + 1)} EXCEPTION WHEN OTHERS THEN {self.line(depth + 1)} END;"
        kept = list(self.variables.items)
        cursors = dict(self.cursors)
        self.opened = []
        declared = self.declaration(self.random.randint(0, 9))
        inside = " ".join([*(f"OPEN {cursor}; CLOSE {cursor};" for cursor in self.opened), self.line(depth + 1)])
        self.variables.items, self.cursors = kept, cursors
        return f"<<inside>> DECLARE {declared} BEGIN {inside} END inside;"


def _with_record(statements: str) -> str:
    return f"DECLARE rec record; BEGIN {statements} END;"


def _settled(text: str, values: tuple[str, str] = ("v_text", "v_int")) -> str:
    """The text with a value where a statement's parameter was."""
    return _MARKED.sub(lambda match: f"{values[0 if match.group(1) == 'text' else 1]}::{match.group(1)}", text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
