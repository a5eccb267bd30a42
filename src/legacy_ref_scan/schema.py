"""The frozen types of a catalog: a PostgreSQL schema as a history of migrations leaves it.

Columns are known by `ColumnId`, as in `pg_depend` (refobjid, refobjsubid), so a rename touches one place.
The functions that change a catalog live in `catalog/`; this module holds data and look-ups only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from legacy_ref_scan.model import Access, Fragment, Gap, Span

ColumnId = tuple[int, int]
"""(oid of the relation, attnum of the column); attnum 0 is the whole row."""

ObjectKey = tuple[str, str, int, str]
"""(kind, schema, oid of the relation, name) of a `SchemaObject`."""

NOWHERE = Span("", 0, 0)


@dataclass(frozen=True, slots=True)
class Use:
    """A schema object uses a column; `span` is the token in the migration that says so.

    `access` is `READ` (an expression, a column list), `WRITE`, or `STAR` (came along in `*`, a whole row).
    """

    column: ColumnId
    access: Access
    span: Span


@dataclass(frozen=True, slots=True)
class NotNull:
    """The constraint behind `NOT NULL` (pg_constraint has them since PostgreSQL 18).

    `local`: declared on this table, not only because a parent has it. `heritable`: children get it too.
    """

    name: str
    local: bool = True
    heritable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a relation. `type` and `default` are SQL text as written (type normalised to PostgreSQL's name)."""

    attnum: int
    name: str
    type: str = "text"
    not_null: bool = False
    default: str | None = None
    generated: str = ""  # "" | "stored" | "virtual"; the expression is in `default`
    identity: str = ""  # "" | "always" | "by default"
    collation: str = ""
    comment: str = ""
    span: Span = NOWHERE
    remarks: tuple[tuple[str, Span], ...] = ()  # ("default" | "comment", where it was set after the column was made)
    sources: frozenset[ColumnId] = frozenset()  # columns of a view: where their values come from
    maybe: bool = False  # added or dropped under a condition that the replay can't decide
    gone: bool = False  # not in the schema any more, only looked for: `*` does not bring it along
    local: bool = True  # declared here; False: only because a parent has it
    required: NotNull | None = None  # the constraint of a column that is not null


ASSUMED = "assumed"
"""The kind of a relation of which only the target is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Anything with columns. `kind`: "table", "view", "matview", "foreign", "composite", "sequence",
    or `ASSUMED`.

    `definition` is the statement as written (views: what to replay). `uses` are the columns that a view's query needs,
    or the column that owns a sequence; `depends` the oids of all relations that it needs, with or without a column.
    `query` is the view's query as a fragment. `parents` are the oids it inherits from, is a partition of, or whose
    row type it has (typed tables). `last_attnum` is the highest number ever given: numbers are not used again.
    """

    oid: int
    schema: str
    name: str
    kind: str = "table"
    columns: tuple[Column, ...] = ()
    span: Span = NOWHERE  # the name in the statement that created it
    definition: str = ""
    uses: tuple[Use, ...] = ()
    depends: frozenset[int] = frozenset()
    query: Fragment | None = None
    parents: tuple[int, ...] = ()
    last_attnum: int = 0
    partitioned: bool = False
    temporary: bool = False
    comment: str = ""
    maybe: bool = False

    def column(self, name: str) -> Column | None:
        """The living column of that name (folded), None where there is none."""
        return next((column for column in self.columns if column.name == name), None)

    def by_attnum(self, attnum: int) -> Column | None:
        """The living column with that number."""
        return next((column for column in self.columns if column.attnum == attnum), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaObject:
    """What hangs on a relation: an index, a constraint, a trigger, a policy, a rule, statistics, a publication.

    `definition` is one SQL statement without a semicolon that creates it again as written. `uses` names every column
    it needs with the token's place; `depends` the oids of all relations it needs besides its own. `relation` is the
    oid it belongs to. A constraint stands for its index too. A publication is one object with `relation` 0 and one
    for each table in it. A generated column and the key of a partitioned table are objects too ("generated", named
    like the column; "partition key"), for they need columns as the others do. `cloned_from` is the key of the object of
    a partitioned table that a partition's object belongs to: PostgreSQL makes, renames and drops the two together.
    `identifies` tells the index or key that is the table's REPLICA IDENTITY.
    """

    # "index" | "constraint" | "trigger" | "policy" | "rule" | "statistics" | "publication" | "grant" | "generated" |
    # "partition key"
    kind: str = ""
    schema: str = ""
    name: str
    relation: int = 0
    span: Span = NOWHERE
    definition: str = ""
    uses: tuple[Use, ...] = ()
    depends: frozenset[int] = frozenset()
    comment: str = ""
    cloned_from: ObjectKey | None = None
    identifies: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(SchemaObject):
    """`columns` are the key columns in order (attnum 0: an expression), `include` the payload.

    `attributes` are the names that both had when the index was made: default names of copies come from these.
    """

    kind: str = "index"
    columns: tuple[int, ...] = ()
    include: tuple[int, ...] = ()
    unique: bool = False
    method: str = "btree"
    predicate: str = ""
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint(SchemaObject):
    """`type`: "primary key", "unique", "check", "foreign key", "exclude". `columns` are attnums of `relation`.

    `attributes` are those of its index, as in `Index`. `local` is false for a CHECK that only parents declare.
    """

    kind: str = "constraint"
    type: str = "check"
    columns: tuple[int, ...] = ()
    references: int = 0  # oid of the referenced relation
    referenced: tuple[int, ...] = ()  # its attnums
    attributes: tuple[str, ...] = ()
    include: tuple[int, ...] = ()  # the payload of a key's index
    local: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger(SchemaObject):
    """`function` is (schema, name); `old_table` and `new_table` are the transition tables' names."""

    kind: str = "trigger"
    function: tuple[str, str] = ("", "")
    timing: str = ""  # "before" | "after" | "instead of"
    events: tuple[str, ...] = ()  # "insert", "update", "delete", "truncate"
    update_of: tuple[int, ...] = ()
    row_level: bool = False
    old_table: str = ""
    new_table: str = ""


@dataclass(frozen=True, slots=True)
class Needed:
    """What one clause of an object needs: `uses` and `depends` as in `SchemaObject`."""

    uses: tuple[Use, ...] = ()
    depends: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(SchemaObject):
    """`using` and `check` are what its two clauses need; ALTER POLICY replaces one and leaves the other."""

    kind: str = "policy"
    using: Needed = Needed()
    check: Needed = Needed()


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a function. `mode`: "in", "out", "inout", "variadic", "table"."""

    name: str
    mode: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A living function or procedure. `body` maps back to the migration; None where the body is not SQL text.

    `atomic` tells the SQL-standard body (`BEGIN ATOMIC`, `RETURN`), whose columns PostgreSQL tracks, from a string.
    `altered` is the last ALTER FUNCTION that set its search path, which goes before what `definition` says.
    """

    schema: str
    name: str
    arguments: tuple[Argument, ...] = ()
    returns: str = ""
    returns_set: bool = False
    language: str = "sql"
    body: Fragment | None = None
    atomic: bool = False
    procedure: bool = False
    span: Span = NOWHERE
    definition: str = ""
    uses: tuple[Use, ...] = ()  # of an atomic body and of default expressions
    depends: frozenset[int] = frozenset()  # relations of an atomic body, and of argument and result types
    altered: str = ""

    @property
    def signature(self) -> tuple[str, str, tuple[str, ...]]:
        """What tells overloads apart: schema, name, types of the input arguments."""
        types = tuple(a.type for a in self.arguments if a.mode in ("in", "inout", "variadic"))
        return (self.schema, self.name, types)


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """An enum, a domain or a range. Composite types are relations too (`Relation.kind == "composite"`)."""

    schema: str
    name: str
    kind: str = "enum"  # "enum" | "domain" | "range" | "composite"
    labels: tuple[str, ...] = ()
    base: str = ""
    span: Span = NOWHERE
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Catalog:
    """A schema. `names` finds a relation by (schema, name); `objects` are keyed (kind, schema, relation oid, name).

    `gaps` are statements that the replay could not apply.
    """

    search_path: tuple[str, ...] = ("public",)
    relations: Mapping[int, Relation] = field(default_factory=dict)
    names: Mapping[tuple[str, str], int] = field(default_factory=dict)
    objects: Mapping[ObjectKey, SchemaObject] = field(default_factory=dict)
    functions: Mapping[tuple[str, str, tuple[str, ...]], Function] = field(default_factory=dict)
    types: Mapping[tuple[str, str], Type] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    next_oid: int = 16384
    schemas: frozenset[str] = frozenset({"public"})

    def relation(self, name: str, schema: str | None = None) -> Relation | None:
        """The relation that PostgreSQL would find: in `schema`, else along the search path (temporary ones first)."""
        schemas = (schema,) if schema is not None else ("pg_temp", *self.search_path)
        for candidate in schemas:
            oid = self.names.get((candidate, name))
            if oid is not None:
                return self.relations[oid]
        return None

    def dependents(self, column: ColumnId) -> Iterator[SchemaObject | Relation | Function]:
        """Every living object whose `uses` name the column or its relation's whole row."""
        wanted = {column, (column[0], 0)}
        for group in (self.relations, self.objects, self.functions):
            for item in group.values():
                if any(use.column in wanted for use in item.uses):
                    yield item

    def of_relation(self, oid: int) -> Iterator[SchemaObject]:
        """The indexes, constraints, triggers, policies and rules of a relation."""
        return (item for item in self.objects.values() if item.relation == oid)
