"""Migrations that a tool fills in before it runs them: which statements depend on values that nobody knows here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from legacy_ref_scan.migrations.history import Problem, Range
from legacy_ref_scan.model import SourceFile, Span
from legacy_ref_scan.sql.statements import cut

_COMMENT_LINE = re.compile(rb"^[ \t]*--[^\n]*", re.MULTILINE)
# Other statements change data or rights; what they name does not matter to the schema.
_CHANGES_SCHEMA = re.compile(rb"\s*(?:create|alter|drop|do)\b", re.IGNORECASE)
_BEFORE_A_NAME = (
    rb"\b(?:table|view|exists|only|on|into|from|join|update|references|column|add|drop|alter|(?<!owner )to)\s+\"?"
)


@dataclass(frozen=True)
class Template:
    """What a tool fills in: `mark` finds the first byte of any, `hole` matches one whole, `text` one that brings
    statements of its own (b"(?!)" for none)."""

    tool: str
    mark: bytes
    hole: bytes
    text: bytes = b"(?!)"

    def problems(self, source: SourceFile, ranges: tuple[Range, ...]) -> Iterator[Problem]:
        """A problem for each statement with a hole.

        Where the hole may be the name of a table or of a column, or is part of one, it may concern any table.
        """
        if self.mark not in source.data:
            return
        data = _COMMENT_LINE.sub(lambda line: b" " * len(line.group()), source.data)
        for start, end in (statement for part in ranges for statement in cut(data, *part).statements):
            hole = self._hole.search(data, start, end)
            if hole:
                line = f"{source.path}: {self.tool} fills in {hole.group().decode('utf-8', 'replace')}"
                message = f"{line}, and what it becomes is not known"
                anything = self.may_name_anything(data[start:end])
                yield Problem("migration-template", message, (Span(source.path, start, end),), anything)

    def may_name_anything(self, statement: bytes) -> bool:
        """Whether a statement with a hole may change any table."""
        if self._text.search(statement):
            return True
        return bool(_CHANGES_SCHEMA.match(statement) and self._name.search(statement))

    @cached_property
    def _hole(self) -> re.Pattern[bytes]:
        return re.compile(self.hole, re.DOTALL)

    @cached_property
    def _text(self) -> re.Pattern[bytes]:
        return re.compile(self.text, re.DOTALL)

    @cached_property
    def _name(self) -> re.Pattern[bytes]:
        """A hole where a name stands, unless it is the schema of one; or glued to a part of a name."""
        hole = b"(?:" + self.hole + b")"
        alone = _BEFORE_A_NAME + hole + rb"(?!\"?\.)"
        return re.compile(alone + rb"|[\w.]\"?" + hole + rb"(?!\"?\.)|" + hole + rb"\w", re.DOTALL | re.IGNORECASE)
