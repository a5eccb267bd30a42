"""What a name can mean at a place of a statement: range variables in nested scopes, CTEs, PL/pgSQL variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from legacy_ref_scan.schema import Catalog, ColumnId, Relation, Type
from legacy_ref_scan.sql.lexer import name_of

# As PostgreSQL and the catalog write the name of a type: with its schema or without, quoted where it has to be.
_PART = r'("(?:[^"]|"")+"|[^\s."%]+)'
_TYPE_NAME = re.compile(rf"(?:{_PART}\s*\.\s*)?{_PART}")
_QUOTED_OR_NOT = re.compile(r'"(?:[^"]|"")*"|[^"]+')

Place = tuple[int, int]
"""Start and end of a token in the text."""


@dataclass(frozen=True, slots=True)
class Visible:
    """A column that a scope shows.

    `own` is the relation's column itself; a derived column (of a subquery, a CTE) has none, only `sources`, the columns
    its value comes from. `star` is set while the column came along in a `*` that nothing has consumed yet: whoever
    takes the column by name or by position makes it a use.
    `shifted` are the columns before it under an alias list: without one of them the name means another column. `shift`
    is the place of that list. `plain` says that a result column is a relation's column under its own name: whoever
    orders by that name loses it with the column.
    """

    name: str
    own: ColumnId | None = None
    sources: frozenset[ColumnId] = frozenset()
    star: Place | None = None
    type: str = ""
    shifted: tuple[ColumnId, ...] = ()
    shift: Place = (0, 0)
    plain: bool = False

    @property
    def origins(self) -> frozenset[ColumnId]:
        """The columns of relations that the value comes from."""
        return frozenset((self.own,)) if self.own else self.sources


Columns = tuple[Visible, ...]


@dataclass(frozen=True, slots=True)
class RangeVariable:
    """A name in FROM (or NEW, OLD, EXCLUDED, a record variable) with its columns.

    `known` is false where the columns are not all known: a relation that no migration creates, a function's result.
    `dynamic` tells that the relation's name itself is not known (a hole).
    """

    name: str
    columns: tuple[Visible, ...] = ()
    relation: Relation | None = None
    known: bool = True
    dynamic: bool = False
    qualifier: str = ""  # the schema, while no alias hides it
    label: str = ""  # for people: what it is
    starred: bool = True  # whether `*` and bare names reach its columns; those of an alias of USING are merged already

    def column(self, name: str) -> Visible | None:
        """The column of that name."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(slots=True)
class Scope:
    """One query level. `merged` are the columns that USING or NATURAL made one."""

    parent: Scope | None = None
    variables: list[RangeVariable] = field(default_factory=list)
    merged: dict[str, tuple[Visible, ...]] = field(default_factory=dict)

    def levels(self) -> Iterator[Scope]:
        """This scope and those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def variable(self, name: str, qualifier: str = "") -> RangeVariable | None:
        """The innermost range variable of that name (and schema)."""
        for scope in self.levels():
            for variable in scope.variables:
                if variable.name == name and (not qualifier or variable.qualifier == qualifier):
                    return variable
        return None


@dataclass(frozen=True, slots=True)
class Environment:
    """What stands around a statement: the variables of PL/pgSQL or the arguments of a SQL function.

    A record variable is a range variable; a scalar maps to None. `conflict` is PL/pgSQL's `variable_conflict`:
    "error", "use_variable" or "use_column"; SQL functions are "use_column". `labels` qualify variables.
    """

    variables: Mapping[str, RangeVariable | None] = field(default_factory=dict)
    labels: frozenset[str] = frozenset()
    conflict: str = "use_column"


def range_variable(relation: Relation, alias: str = "", label: str = "") -> RangeVariable:
    """A range variable over a relation of the catalog."""
    columns = tuple(
        Visible(column.name, own=(relation.oid, column.attnum), type=column.type) for column in relation.columns
    )
    return RangeVariable(
        name=alias or relation.name,
        columns=columns,
        relation=relation,
        known=relation.kind != "assumed",
        qualifier="" if alias else relation.schema,
        label=label or f"{relation.schema}.{relation.name}",
    )


def without_setof(result: str) -> str:
    """The type of a function's result, of each row where there are several; in lower case but for what is quoted."""
    kind = _QUOTED_OR_NOT.sub(lambda part: part[0] if part[0].startswith('"') else part[0].lower(), result.strip())
    return kind.removeprefix("setof ").strip()


def relation_of_type(catalog: Catalog, name: str) -> Relation | None:
    """The relation whose row type a type name means, as it is or through domains; None for every other type."""
    seen: set[str] = set()
    while name not in seen:
        seen.add(name)
        written = _TYPE_NAME.fullmatch(name.strip().removesuffix("[]").strip())
        if written is None:
            return None
        schema, plain = (name_of(part.encode()) if part else "" for part in written.groups())
        relation = catalog.relation(plain, schema or None)
        if relation is not None:
            return relation
        domain = _domain(catalog, plain, schema)
        if domain is None:
            return None
        name = domain.base
    return None


def _domain(catalog: Catalog, name: str, schema: str) -> Type | None:
    kinds = (catalog.types.get((place, name)) for place in ([schema] if schema else catalog.search_path))
    return next((kind for kind in kinds if kind is not None and kind.kind == "domain"), None)
