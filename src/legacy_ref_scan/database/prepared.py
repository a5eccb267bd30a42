"""Prepares every statement of the code, and tells what becomes of each when the column goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from legacy_ref_scan.database.analysis import Analysis, Analyzer, ColumnName
from legacy_ref_scan.database.code import CodeStatement
from legacy_ref_scan.database.parameters import numbered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from legacy_ref_scan.database.connection import Connection

_AMBIGUOUS = "42P08"
_WHY = {
    "42601": "PostgreSQL cannot read it",
    "42P01": "a table in it is not there",
    "42703": "a column in it is not there",
    "42883": "a function or operator in it is not there",
    "42704": "a type or another object in it is not there",
    "42501": "the role may not run it",
    "42P08": "its parameters have no single type",
    "42804": "its types do not match",
    "42803": "its GROUP BY does not fit",
    "3F000": "a schema in it is not there",
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement that PostgreSQL accepts, and its analysis."""

    statement: CodeStatement
    text: bytes
    analysis: Analysis


@dataclass(frozen=True, slots=True)
class Broken:
    """A statement that does not survive the drop: `how` says what becomes of it."""

    statement: CodeStatement
    how: str
    only_star: bool = False  # it runs on, with other result columns


@dataclass(frozen=True, slots=True)
class Preparation:
    """All statements at one moment. `refused` are those that PostgreSQL does not take, with its message."""

    accepted: tuple[Prepared, ...]
    refused: tuple[tuple[CodeStatement, str, str], ...]  # statement, SQLSTATE, message

    @property
    def reasons(self) -> Counter[str]:
        """How many were refused, and why."""
        return Counter(_WHY.get(state, f"error {state}") for _, state, _ in self.refused)


def prepare_all(connection: Connection, lookups: Connection, statements: Iterable[CodeStatement]) -> Preparation:
    """Prepare each statement; nothing is run. Both connections are to one database."""
    analyzer = Analyzer(connection, lookups)
    accepted: list[Prepared] = []
    refused: list[tuple[CodeStatement, str, str]] = []
    for statement in statements:
        text = numbered(statement.text)
        analysis = analyzer.prepare(text)
        if analysis.sqlstate == _AMBIGUOUS and (other := numbered(statement.text, apart=True)) != text:
            text, analysis = other, analyzer.prepare(other)
        if analysis.sqlstate:
            refused.append((statement, analysis.sqlstate, _first_line(analysis.error)))
        else:
            accepted.append(Prepared(statement, text, analysis))
    return Preparation(tuple(accepted), tuple(refused))


def compare(
    connection: Connection, lookups: Connection, before: Preparation, gone: frozenset[ColumnName]
) -> Iterator[Broken]:
    """The statements that were accepted before and are refused now, or say something else without a word."""
    analyzer = Analyzer(connection, lookups)
    for item in before.accepted:
        after = analyzer.prepare(item.text)
        if after.sqlstate:
            yield Broken(item.statement, f"fails: {_first_line(after.error)} ({after.sqlstate})")
        elif item.analysis.result != after.result:
            yield Broken(item.statement, f"its result {_changed(item.analysis, after)}", only_star=True)
        elif item.analysis.without(gone) != after.without(gone):
            yield Broken(item.statement, "takes other columns than before, without any error")


def _changed(before: Analysis, after: Analysis) -> str:
    lost = [name for name, _ in before.result if name not in dict(after.result)]
    if lost:
        return f"loses {', '.join(lost)}"
    return f"changes from {len(before.result)} to {len(after.result)} columns"


def _first_line(message: str) -> str:
    return (message.splitlines() or [""])[0].removeprefix("ERROR:").strip()
