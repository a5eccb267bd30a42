"""What a project as a whole says of its ORMs: which it imports, and settings that change the names of tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from legacy_ref_scan.languages.golang.orm.naming import snake_name, underscored
from legacy_ref_scan.languages.golang.packages import Index
from legacy_ref_scan.languages.golang.prefilter import BEEGO
from legacy_ref_scan.model import SourceFile

_SINGULAR = re.compile(rb"SingularTable(?:\s*:|\()\s*true")
_PREFIX = re.compile(rb'TablePrefix:\s*"([^"]*)"|New(?:Prefix|Suffix)Mapper\([^,\n]*,\s*"([^"]*)"')
_READS_TAGS = ("Tag.Get(", "Tag.Lookup(")
_GORM = ("gorm.io/gorm", "github.com/jinzhu/gorm")
_REGISTERED = re.compile(rb"\bRegisterModel(?:With(Prefix|Suffix))?\(((?:[^()]|\([^()]*\))*)\)")
_STRUCT = re.compile(rb"(?:new\(\s*|&\s*|\(\s*\*)(?:(\w+)\.)?(\w+)")
_TEXT = re.compile(rb'\s*"([^"]*)"')


class Settings:
    """Answers are kept with the index: each costs a search of all Go files."""

    def __init__(self, index: Index) -> None:
        self._index = index

    @property
    def uses_gorm(self) -> bool:
        """Whether any Go file names gorm's import path."""
        return self.uses(_GORM)

    @property
    def uses_beego(self) -> bool:
        """Whether any Go file names the import path of beego's ORM."""
        return self.uses(BEEGO)

    @property
    def reads_tags(self) -> bool:
        """Whether any Go file reads struct tags by reflection."""
        return self.uses(_READS_TAGS)

    def uses(self, words: tuple[str, ...]) -> bool:
        """Whether any Go file holds one of the words."""
        return bool(self._index.holding(words))

    def registers(self, folder: str, name: str) -> bool:
        """Whether the project makes a struct a model of beego's."""
        return self.uses_beego and any((folder, name) in _registered(self._index, s) for s in self._registering(name))

    def _registering(self, name: str) -> list[SourceFile]:
        return [s for s in self._index.holding(("RegisterModel",)) if name.encode() in s.data]

    def tables(self, library: str, struct: str, plain: str, singular: str) -> Iterator[str]:
        """The names that a struct's table can have under the naming strategies that the project sets."""
        if library == "beego":
            yield from self._tables_of_beego(struct)
            return
        names = [plain]
        sources = self._index.holding(("SingularTable", "TablePrefix", "PrefixMapper")) if library != "bun" else ()
        for source in sources:
            names += [singular] if _SINGULAR.search(source.data) else []
        yield from names
        for source in sources:
            for match in _PREFIX.finditer(source.data):
                prefix = (match[1] or match[2] or b"").decode("utf-8", "replace")
                yield from (prefix + name for name in names if prefix)

    def _tables_of_beego(self, struct: str) -> Iterator[str]:
        names = [snake_name(struct), *([underscored(struct)] if self.uses(("SetNameStrategy(",)) else [])]
        yield from names
        for source in self._index.holding(("RegisterModelWithPrefix(", "RegisterModelWithSuffix(")):
            for match in _REGISTERED.finditer(source.data):
                text = _TEXT.match(match[2])
                affix = text[1].decode("utf-8", "replace") if text else ""
                yield from (name + affix if match[1] == b"Suffix" else affix + name for name in names if match[1])


@lru_cache(maxsize=1000)
def _registered(index: Index, source: SourceFile) -> frozenset[tuple[str, str]]:
    """(folder, name) of the structs that a file registers."""
    file = index.parse(source)
    found: set[tuple[str, str]] = set()
    for call in _REGISTERED.finditer(source.data):
        for package, name in _STRUCT.findall(call[2]):
            path = file.imports.get(package.decode("utf-8", "replace"))
            folders = index.resolve(path) if path else () if package else (file.folder,)
            found.update((folder, name.decode("utf-8", "replace")) for folder in folders)
    return frozenset(found)
