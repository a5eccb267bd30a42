"""What the resolver finds in one statement, before anybody asks for a target."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from legacy_ref_scan.model import Access, Explanation
from legacy_ref_scan.schema import ColumnId, Relation
from legacy_ref_scan.sql.scope import Place, Visible


class TokenUse(NamedTuple):
    """A token uses a column (attnum 0: the whole row). Offsets are into the text that was parsed."""

    column: ColumnId
    access: Access
    start: int
    end: int


class OutputColumn(NamedTuple):
    """A column of a query's result and the columns of relations that its value comes from."""

    name: str
    sources: frozenset[ColumnId]
    type: str = ""


class Problem(NamedTuple):
    """A place that could be a use and could not be decided."""

    start: int
    end: int
    reason: str
    message: str


class Label(NamedTuple):
    """What an identifier token is, where it is no use of a column."""

    why: Explanation
    detail: str
    end: int


@dataclass(slots=True)
class Resolved:
    """Everything the walk of a statement found.

    `labels` holds every identifier token that the walk visited and understood, by its start; a token that stands in
    neither `labels` nor `uses` was not understood (the token net makes it a gap). `relations` are the mentions of
    relations of the catalog, `unknown` those of others. `holes` are the relations in scope of a hole, by its offset.
    `unread` are the statements and expressions that the grammar could not read, each as a whole. `columns` are the
    result columns of the last query; a `*` among them is consumed already unless the caller asked for it.
    """

    uses: list[TokenUse] = field(default_factory=list)
    output: tuple[OutputColumn, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    labels: dict[int, Label] = field(default_factory=dict)
    relations: list[tuple[int, Place]] = field(default_factory=list)
    holes: dict[int, frozenset[int]] = field(default_factory=dict)
    unread: list[Place] = field(default_factory=list)
    columns: tuple[Visible, ...] = ()

    def use(self, column: Visible, access: Access, place: Place) -> None:
        """A token takes a column: its own, or the ones that a `*` below brought along."""
        if column.own is not None:
            self.uses.append(TokenUse(column.own, access, *place))
        elif column.star is not None:
            self.uses.extend(TokenUse(source, access, *place) for source in column.sources)
        self.uses.extend(TokenUse(other, Access.STAR, *column.shift) for other in column.shifted)

    def consume(self, columns: Iterator[Visible] | tuple[Visible, ...]) -> None:
        """The columns are taken by position: what a `*` brought along is now used, at the star."""
        for column in columns:
            if column.star is not None:
                self.uses.extend(TokenUse(source, Access.STAR, *column.star) for source in column.origins)

    def take_by_position(self, columns: tuple[Visible, ...], declared: Relation, place: Place) -> None:
        """A query gives a row of a relation column by column: without one of them it gives one too many.

        What is a row of the relation itself loses the column as the relation does.
        """
        one_by_one = len(columns) == len(declared.columns) > 1
        origins = {oid for column in columns for oid, _ in column.origins if column.star is not None}
        if one_by_one and origins != {declared.oid}:
            self.uses.extend(TokenUse((declared.oid, c.attnum), Access.STAR, *place) for c in declared.columns)

    def merge(self, other: Resolved) -> None:
        """Take in what another statement of the same text gave."""
        self.uses.extend(other.uses)
        self.problems.extend(other.problems)
        self.relations.extend(other.relations)
        self.holes.update(other.holes)
        self.unread.extend(other.unread)
        for place, label in other.labels.items():
            self.labels.setdefault(place, label)
