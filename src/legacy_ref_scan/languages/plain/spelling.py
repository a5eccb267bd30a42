"""How programs spell the names of a target: the table, the class of its rows, a variable that holds one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

from legacy_ref_scan.mentions import Names, model_names

# What a class over a table's rows is called besides the rows' own name.
_BEFORE = rb"(?:Abstract|Base|Db|DB|Tb|Sys)?"
_AFTER = (
    rb"(?:Entity|Model|Models|Record|Row|Rows|Table|Tables|PO|DO|Dao|DAO|Schema|Impl|Configuration|Config|Map|Mapping|"
    rb"Mapper|Base|Orm|ORM|Repository|Repo|Store|Factory|Form)?"
)


def is_telling(name: str) -> bool:
    """Whether a name is made of several words, as no everyday word is."""
    return "_" in name or name[1:] not in (name[1:].lower(), name[1:].upper())


@dataclass(frozen=True)
class Spelling:
    """Regular expressions for the names of the targets' tables and what is over them."""

    names: Names

    @cached_property
    def table(self) -> bytes:
        """One of the tables, as the database spells it."""
        return _any(self._tables)

    @cached_property
    def folded_table(self) -> bytes:
        """One of the tables, in any case where PostgreSQL would fold it."""
        plain = [name for name in self._tables if name == name.lower()]
        return b"(?:(?i:" + _any(plain) + b")|" + _any(set(self._tables).difference(plain)) + b")"

    @cached_property
    def column(self) -> bytes:
        """One of the columns, as the database spells it."""
        return _any(self.names.columns)

    @cached_property
    def model(self) -> bytes:
        """The class of a row: CampaignPhase, CampaignPhases."""
        return _any(name for table in self._tables for name in model_names(table)[0])

    @cached_property
    def instance(self) -> bytes:
        """A variable that holds a row: campaign_phase, campaignPhase, and the plurals."""
        return _any(name for table in self._tables for name in model_names(table)[1])

    @cached_property
    def telling(self) -> bool:
        """Whether all names are made of several words, as no everyday word is."""
        return all(is_telling(name) for name in (*self._tables, *self.names.columns))

    @cached_property
    def _tables(self) -> tuple[str, ...]:
        return tuple(sorted((*self.names.tables, *self.names.dependents)))

    def is_table(self, name: bytes) -> bool:
        """Whether a name, maybe with its schema, is one of the tables."""
        return self._table.fullmatch(name.strip(b"\"'`[] ")) is not None

    def is_model(self, name: bytes) -> bool:
        """Whether a class may be the one of a table's rows by its name."""
        return self._class.fullmatch(name.rpartition(b".")[2].rpartition(b"::")[2]) is not None

    @cached_property
    def _table(self) -> re.Pattern[bytes]:
        return re.compile(rb"(?i:(?:[\w\"`]+\.)?[\"`]?" + self.table + rb")")

    @cached_property
    def _class(self) -> re.Pattern[bytes]:
        return re.compile(_BEFORE + self.model + _AFTER)


@cache
def spelling_of(names: Names) -> Spelling:
    """The one `Spelling` of some names."""
    return Spelling(names)


def _any(words: Iterable[str]) -> bytes:
    ordered = sorted({word.encode("utf-8", "surrogateescape") for word in words}, key=lambda word: (-len(word), word))
    return b"(?:" + (b"|".join(map(re.escape, ordered)) or b"(?!)") + b")"
