"""What the Go side needs to see of a scan."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from legacy_ref_scan.model import Mention, SourceFile


class Names(Protocol):
    """The spellings of the targets' names."""

    @property
    def columns(self) -> frozenset[str]: ...
    @property
    def tables(self) -> frozenset[str]: ...
    @property
    def dependents(self) -> frozenset[str]: ...

    def find(self, source: SourceFile) -> tuple[Mention, ...]: ...
    def in_text(self, data: bytes, role: str | None = None) -> bool: ...


class Project(Protocol):
    """The files of a scan, as a language sees them."""

    @property
    def names(self) -> Names: ...

    def candidates(self, language: str) -> Sequence[SourceFile]: ...
    def paths(self, language: str) -> Sequence[str]: ...
    def read(self, path: str) -> SourceFile | None: ...
    def containing(self, language: str, words: Collection[str]) -> Sequence[SourceFile]: ...
