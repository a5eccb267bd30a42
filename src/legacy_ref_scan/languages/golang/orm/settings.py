"""What a project as a whole says of its ORMs: which it imports, and settings that change the names of tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from legacy_ref_scan.languages.golang.packages import Index

_SINGULAR = re.compile(rb"SingularTable(?:\s*:|\()\s*true")
_PREFIX = re.compile(rb'TablePrefix:\s*"([^"]*)"|New(?:Prefix|Suffix)Mapper\([^,\n]*,\s*"([^"]*)"')
_READS_TAGS = ("Tag.Get(", "Tag.Lookup(")
_GORM = ("gorm.io/gorm", "github.com/jinzhu/gorm")


class Settings:
    """Answers are kept with the index: each costs a search of all Go files."""

    def __init__(self, index: Index) -> None:
        self._index = index

    @property
    def uses_gorm(self) -> bool:
        """Whether any Go file names gorm's import path."""
        return self.uses(_GORM)

    @property
    def reads_tags(self) -> bool:
        """Whether any Go file reads struct tags by reflection."""
        return self.uses(_READS_TAGS)

    def uses(self, words: tuple[str, ...]) -> bool:
        """Whether any Go file holds one of the words."""
        return bool(self._index.holding(words))

    def tables(self, library: str, plain: str, singular: str) -> Iterator[str]:
        """The names that a struct's table can have under the naming strategies that the project sets."""
        names = [plain]
        sources = self._index.holding(("SingularTable", "TablePrefix", "PrefixMapper")) if library != "bun" else ()
        for source in sources:
            names += [singular] if _SINGULAR.search(source.data) else []
        yield from names
        for source in sources:
            for match in _PREFIX.finditer(source.data):
                prefix = (match[1] or match[2] or b"").decode("utf-8", "replace")
                yield from (prefix + name for name in names if prefix)
