"""What an object-relational mapping comes to: a model over a table, and its fields over columns."""

from __future__ import annotations

from dataclasses import dataclass, field

from legacy_ref_scan.languages.python.module import Class
from legacy_ref_scan.model import Span

DYNAMIC = "?"
"""The table of a model whose name is put together at run time."""


@dataclass(frozen=True, slots=True)
class Field:
    """A mapped attribute of a class. `column` is empty where it is no column (a relation to many, a property).

    `span` is where the column's name stands; `related` the class that a relation leads to, as written; `many` says
    that it leads to several.
    """

    name: str
    column: str
    span: Span
    library: str
    related: str = ""
    many: bool = False
    reverse: str = ""  # the name of the way back: `related_name`, `backref`


@dataclass(frozen=True, eq=False)
class Model:
    """A class or table object over a table. `table` is `schema.table`, `table`, empty (a mixin) or `DYNAMIC`.

    `fields` are all its attributes by name, those of its bases among them; `homes` the tables of those fields that a
    base keeps in a table of its own. `open` says that it has columns that nobody declares, `reflects` that they are
    read from the database, `unseen` that it is a class of another project, known by its name alone.
    """

    name: str
    table: str
    library: str
    fields: dict[str, Field]
    owner: Class | None = None
    homes: dict[str, str] = field(default_factory=dict)
    open: bool = False
    unseen: bool = False
    reflects: bool = False

    def table_of(self, name: str) -> str:
        """The table that keeps the column of a field."""
        return self.homes.get(name, self.table)

    def by_column(self, column: str) -> Field | None:
        """The field that maps a column."""
        return next((known for known in self.fields.values() if known.column == column), None)
