"""Who generated a file, and the tables of SQLBoiler's models."""

from __future__ import annotations

import re

from legacy_ref_scan.languages.golang.orm.naming import gorm_name, plural
from legacy_ref_scan.languages.golang.packages import GoFile

HEADER_BYTES = 2048
_HEADER = re.compile(
    rb"(?m)^// Code generated (?:\(@generated\) )?by (sqlc|entc?|SQLBoiler|go-jet|gopkg\.in/reform\.v1)\b.*DO NOT EDIT"
)
_BOILED = re.compile(rb'"([\w.]+)\.([\w]+)"')


def generator_of(file: GoFile) -> bytes:
    """The tool that the first lines of a file name as its generator; b"" for code that people wrote."""
    match = _HEADER.search(file.source.data[:HEADER_BYTES])
    return match[1] if match is not None else b""


def boiled_table(file: GoFile, owner: str) -> str:
    """The table of a model that SQLBoiler generated in a file; "" for any other struct with `boil` tags."""
    if generator_of(file) != b"SQLBoiler":
        return ""
    for declaration in file.declarations.get(f"{owner}TableColumns", ()):
        found = _BOILED.search(file.bytes(declaration.node))
        if found:
            return found[1].decode()
    return plural(gorm_name(owner)) if f"{owner}Columns" in file.declarations else ""
