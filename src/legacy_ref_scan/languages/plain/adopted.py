"""Classes that another file ties to the table: Entity Framework's `DbSet<Post> Posts`, a JPA entity's embeddable or
mapped superclass, the interface that Kysely's `users: AccountTable` names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from legacy_ref_scan.languages.plain.constants import Constants
from legacy_ref_scan.languages.plain.kinds import Kind
from legacy_ref_scan.languages.plain.models import Model, models
from legacy_ref_scan.languages.plain.spelling import Spelling
from legacy_ref_scan.model import SourceFile

_DB_SET = re.compile(rb"\bDbSet<(?:[\w.]+\.)?(\w+)>\??[ \t]+(\w+)")
_TO_TABLE = re.compile(
    rb"\bEntity(?:TypeBuilder)?<(?:[\w.]+\.)?(\w+)>[^;]{0,800}?\bToTable\(\s*(?:name:\s*)?\"([\w.]+)\""
)
_FIELD_OF = re.compile(rb"[\"']?(\w+)[\"']?\??[ \t]*:[ \t]*(?:[\w.]+\.)?([A-Z]\w*)")
_EMBEDDED = re.compile(
    rb"@(?:[\w.]+\.)?Embedded(?:Id)?\b(?:\s*@[\w.]+(?:\([^)]*\))?){0,8}\s*(?:(?:private|protected|public|final|lateinit|var|"
    rb"val)\s+)*(?:(?P<java>[A-Z]\w*)\s+\w+\s*[;=]|\w+\s*:\s*(?P<kotlin>[A-Z]\w*))"
)
_SUPERCLASS = re.compile(
    rb"\bclass\s+\w+(?:\s*<[^{>]*>)?\s+extends\s+(\w+)|\bclass\s+\w+\s*(?:\([^{]{0,2000}\))?\s*:\s*(\w+)\s*\("
)
_INCLUDE = re.compile(rb"^[ \t]*include[ \t]+([\w:]+)", re.MULTILINE)


@dataclass(frozen=True)
class Adopted:
    """The classes of each language that are about a target's table though they do not say so themselves.

    `sources` are all candidates with their kinds.
    """

    sources: Sequence[tuple[SourceFile, Kind]]
    constants: Constants

    def names(self, kind: Kind) -> frozenset[bytes]:
        """The classes in files of a kind."""
        match kind.name.removeprefix("generated "):
            case "C#":
                return self._entity_framework
            case "Java" | "Kotlin" | "Groovy":
                return self._jpa
            case "Ruby":
                return self._included
            case "JavaScript":
                return self._kysely
            case _:
                return frozenset()

    @cached_property
    def _entity_framework(self) -> frozenset[bytes]:
        return frozenset(
            match[1]
            for source in self._of("C#")
            for pattern in (_DB_SET, _TO_TABLE)
            for match in pattern.finditer(source.data)
            if _is_called_like(self.constants.spelling, match[2])
        )

    @cached_property
    def _kysely(self) -> frozenset[bytes]:
        return frozenset(
            match[2]
            for source in self._of("JavaScript", "generated JavaScript")
            if b"kysely" in source.data
            for match in _FIELD_OF.finditer(source.data)
            if self.constants.spelling.is_table(match[1])
        )

    @cached_property
    def _included(self) -> frozenset[bytes]:
        """The modules that a model includes."""
        return frozenset(
            match[1].rpartition(b"::")[2]
            for model, source in self._ours("Ruby")
            for match in _INCLUDE.finditer(source.data, model.start, model.end)
        )

    @cached_property
    def _jpa(self) -> frozenset[bytes]:
        return frozenset(self._of_entities())

    def _of_entities(self) -> Iterator[bytes]:
        for model, source in self._ours("Java", "Kotlin", "Groovy"):
            for pattern in (_EMBEDDED, _SUPERCLASS):
                for match in pattern.finditer(source.data, model.start, model.end):
                    yield next(group for group in match.groups() if group)

    def _ours(self, *kinds: str) -> Iterator[tuple[Model, SourceFile]]:
        for source, kind in self.sources:
            if kind.name in kinds:
                for model in models(source, kind, self.constants.spelling, self.constants.values):
                    if model.ours:
                        yield model, source

    def _of(self, *kinds: str) -> Iterator[SourceFile]:
        return (source for source, kind in self.sources if kind.name in kinds)


def _is_called_like(spelling: Spelling, name: bytes) -> bool:
    """Whether a set of rows is called like the table: `Posts`, "posts"."""
    return spelling.is_table(name) or spelling.is_model(name)
