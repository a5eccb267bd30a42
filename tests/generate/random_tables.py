"""Random tables whose columns have dependents of all kinds, as text for PostgreSQL and for the replay."""

from __future__ import annotations

from random import Random

_TYPES = {
    "text": ("'x'", "'a;b'", "'it''s'", "concat('a', 'b')"),
    "varchar(20)": ("'y'", "'semi;colon'"),
    "integer": ("7", "(1 + 2)"),
    "bigint": ("-1",),
    "numeric(10,2)": ("0.5",),
    "timestamp with time zone": ("now()", "'2020-01-01'"),
    "boolean": ("true",),
    "jsonb": ("'{}'", """'{"a": ";"}'"""),
    "text[]": ("'{}'", "ARRAY['a', 'b']"),
    "uuid": ("gen_random_uuid()",),
    "mood": ("'sad'", "'happy'::mood"),
    "short": ("'s'",),
    "date": ("CURRENT_DATE",),
}
BASE = """CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN short AS text CHECK (length(VALUE) < 9);
CREATE TABLE other (code text PRIMARY KEY, number integer UNIQUE);
"""
_COMMENTS = ("plain", "it's; quoted", "back\\slash", "several\nlines")


class Table:
    """One table `t`; `doomed` are the columns to drop."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.name = self.random.choice(("t", "t", "app.t", '"Odd name"'))
        self.doomed = self.random.sample(("a", "b", "c d", "E"), self.random.randint(1, 3))
        self.lines = [BASE, "CREATE SCHEMA app;"]
        self.columns: list[str] = ["id bigint PRIMARY KEY", "kept text"]
        self.after: list[str] = []
        self.number = 0
        for column in self.doomed:
            self._column(f'"{column}"' if column in ("c d", "E") else column)

    @property
    def text(self) -> str:
        """Everything that builds it."""
        table = f"CREATE TABLE {self.name} ({', '.join(self.columns)});"
        return "\n".join((*self.lines, table, *self.after)) + "\n"

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _fresh(self, stem: str) -> str:
        self.number += 1
        return f"{stem}_{self.number}"

    def _column(self, column: str) -> None:
        kind = self.random.choice(("typed", "typed", "typed", "serial", "identity", "generated", "drawn"))
        getattr(self, f"_{kind}")(column)
        if self._chance(0.4):
            text = self.random.choice(_COMMENTS).replace("'", "''")
            self.after.append(f"COMMENT ON COLUMN {self.name}.{column} IS '{text}';")
        if self._chance(0.3):
            grant = self.random.choice((f"SELECT ({column})", f"SELECT ({column}), UPDATE ({column})"))
            self.after.append(f"GRANT {grant} ON {self.name} TO PUBLIC;")

    def _serial(self, column: str) -> None:
        self.columns.append(f"{column} {self.random.choice(('serial', 'bigserial', 'smallserial'))}")
        self._hangers(column, "integer")

    def _identity(self, column: str) -> None:
        options = self.random.choice(("", "", " (START WITH 10 INCREMENT BY 5)", " (MINVALUE 3 CACHE 2 CYCLE)"))
        how = self.random.choice(("ALWAYS", "BY DEFAULT"))
        self.columns.append(
            f"{column} {self.random.choice(('integer', 'bigint'))} GENERATED {how} AS IDENTITY{options}"
        )
        if self._chance(0.3):
            self.after.append(f"ALTER TABLE {self.name} ALTER COLUMN {column} SET INCREMENT BY 3;")
        self._hangers(column, "integer")

    def _generated(self, column: str) -> None:
        self.columns.append(f"{column} bigint GENERATED ALWAYS AS ((id + 1) * 2) STORED")
        self._hangers(column, "integer")

    def _drawn(self, column: str) -> None:
        sequence = self._fresh("draw")
        self.lines.append(
            f"CREATE SEQUENCE {sequence} {self.random.choice(('', 'START 5', 'INCREMENT BY 2 CACHE 4'))};"
        )
        self.columns.append(f"{column} bigint DEFAULT nextval('{sequence}')")
        if self._chance(0.6) and self.name != "app.t":  # a sequence lies in the schema of its table
            self.after.append(f"ALTER SEQUENCE {sequence} OWNED BY {self.name}.{column};")
        self._hangers(column, "integer")

    def _typed(self, column: str) -> None:
        kind = self.random.choice(list(_TYPES))
        default = f" DEFAULT {self.random.choice(_TYPES[kind])}" if self._chance(0.5) else ""
        required = " NOT NULL" if default and self._chance(0.5) else ""
        collation = ' COLLATE "C"' if kind == "text" and self._chance(0.3) else ""
        self.columns.append(f"{column} {kind}{collation}{default}{required}")
        self._hangers(column, kind)

    def _hangers(self, column: str, kind: str) -> None:
        for _ in range(self.random.randint(0, 4)):
            self._hanger(column, kind)

    def _hanger(self, column: str, kind: str) -> None:
        name, table = self._fresh("h"), self.name
        text = kind in ("text", "varchar(20)", "short")
        some = [
            f"CREATE INDEX {name} ON {table} ({column}, kept);",
            f"CREATE INDEX {name} ON {table} (kept) WHERE {column} IS NOT NULL;",
            f"CREATE INDEX {name} ON {table} (id) INCLUDE ({column});",
            f"CREATE STATISTICS {name} ON id, {column} FROM {table};",
            f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL OR id > 0);",
        ]
        if kind not in ("jsonb", "boolean"):
            some += [
                f"CREATE UNIQUE INDEX {name} ON {table} USING btree ({column} DESC NULLS LAST, id);",
                f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE (id, {column});",
                f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE ({column}, kept) DEFERRABLE INITIALLY DEFERRED;",
            ]
        if text:
            some += [
                f"CREATE INDEX {name} ON {table} (lower({column}));",
                f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} <> 'no;thing');",
                f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} < 'x' AND kept <> {column}) NOT VALID;",
            ]
        if kind == "text":
            some.append(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({column}) REFERENCES other (code) NOT VALID;"
            )
        if kind == "integer":
            some.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} > 0) NO INHERIT;")
        made = self.random.choice(some)
        self.after.append(made)
        if self._chance(0.3):
            what = (
                f"CONSTRAINT {name} ON {table}"
                if "CONSTRAINT" in made
                else ("STATISTICS " if "STATISTICS" in made else "INDEX ")
            )
            schema = "app." if self.name == "app.t" and "INDEX" in made else ""
            self.after.append(
                f"COMMENT ON {what}{'' if 'CONSTRAINT' in made else schema + name} IS 'of {name}; it''s';"
            )
