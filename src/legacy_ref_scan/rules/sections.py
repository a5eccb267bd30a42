"""The sections of a rule file and the keys of each, with the check of every key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from legacy_ref_scan.rules import checks
from legacy_ref_scan.rules.types import CONVENTIONS


@dataclass(frozen=True)
class Key:
    """One key of a section: its check gives the value to keep, or raises ValueError that says what is wanted."""

    check: Callable[[Any], Any]
    required: bool = False
    section: str = ""  # of a table within a section: its name in `SECTIONS`
    listed: bool = False  # a list of such tables


SECTIONS: Mapping[str, Mapping[str, Key]] = {
    "retire": {
        "table": Key(checks.table_name, required=True),
        "columns": Key(checks.names, required=True),
        "schema": Key(checks.name),
        "replacement": Key(checks.text),
    },
    "migration": {
        "version": Key(checks.version),
        "name": Key(checks.file_name),
        "directory": Key(checks.directory),
        "convention": Key(checks.one_of(*CONVENTIONS)),
        "lock_timeout": Key(checks.duration),
        "statement_timeout": Key(checks.duration),
        "guard": Key(checks.truth),
    },
    "catalog": {"search_path": Key(checks.names)},
    "scan": {
        "include": Key(checks.texts),
        "exclude": Key(checks.texts),
        "tests": Key(checks.one_of("gate", "warn", "ignore")),
        "star": Key(checks.one_of("gate", "show")),
        "shared": Key(checks.one_of("gate", "show")),
        "others": Key(checks.others, section="scan.others"),
        "sinks": Key(checks.sink, section="scan.sinks", listed=True),
    },
    "scan.sinks": {
        "package": Key(checks.text),
        "function": Key(checks.word),
        "method": Key(checks.word),
        "argument": Key(checks.argument, required=True),
    },
    "scan.others": {"gate": Key(checks.kinds), "list": Key(checks.kinds), "ignore": Key(checks.kinds)},
    "acknowledge": {
        "path": Key(checks.text, required=True),
        "reason": Key(checks.text, required=True),
        "symbol": Key(checks.text),
        "access": Key(checks.one_of("read", "write", "star", "depend")),
        "expires": Key(checks.day),
    },
    "verify": {
        "name": Key(checks.identity, required=True),
        "query": Key(checks.query, required=True),
        "of": Key(checks.query),
        "description": Key(checks.text),
    },
}
