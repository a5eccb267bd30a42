"""rubenv/sql-migrate: `-- +migrate Up` and `-- +migrate Down` sections, several of each in one file."""

from __future__ import annotations

import re

from legacy_ref_scan.migrations.history import Migration
from legacy_ref_scan.migrations.sections import Sections
from legacy_ref_scan.versions import Version

# sql-migrate wants its marks at the very start of a line; StatementBegin and StatementEnd change no direction.
_MARK = re.compile(rb"^-- \+migrate (Up|Down)\b[^\n]*(?:\n|\Z)", re.MULTILINE)
_NUMBER = re.compile(r"(\d+)")


def _order(migration: Migration) -> tuple[bool, Version, str]:
    """By the number in front, those without one last; then by file name (its `Migration.Less`)."""
    return not migration.name[:1].isdigit(), migration.version, migration.name


_SECTIONS = Sections("sql-migrate", _MARK, _NUMBER, _order)
recognise = _SECTIONS.recognise
load = _SECTIONS.load
