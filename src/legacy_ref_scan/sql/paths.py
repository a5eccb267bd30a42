"""Search paths that a text sets for itself: a function's `SET search_path`, and that of a file's later statements."""

from __future__ import annotations

import re
from dataclasses import replace

from legacy_ref_scan.schema import Catalog
from legacy_ref_scan.sql.lexer import Kind, name_of, string_value, words

_SETS = re.compile(rb"\bset\s+(?:local\s+|session\s+)?(?:search_path\s*(?:=|\bto\b)\s*|schema\s+(?='))", re.IGNORECASE)
_CONFIGURES = re.compile(rb"\bset_config\s*\(\s*'search_path'\s*,\s*(?='([^']*)')", re.IGNORECASE)
_SETS_NOW = re.compile(rb"\s*" + _SETS.pattern, re.IGNORECASE)
_LOCAL = re.compile(rb"\s*(?:set\s+local\b|select\b.*,\s*true\s*\))", re.IGNORECASE | re.DOTALL)
_ENDS = re.compile(rb"\s*(?:commit|rollback(?!\s+(?:work\s+|transaction\s+)?to\b)|end|abort)\b", re.IGNORECASE)
_FORGETS = re.compile(rb"\s*(?:reset\s+(?:search_path|all)|discard\s+all)\b", re.IGNORECASE)
_STATEMENT = re.compile(rb"\s*(?:set|select|perform|reset|discard)\b", re.IGNORECASE)


def under_path(catalog: Catalog, path: tuple[str, ...]) -> Catalog:
    """A catalog in which a path comes first; what it had stays behind, for a bare name may be meant all the same."""
    return replace(catalog, search_path=tuple(dict.fromkeys((*path, *catalog.search_path))))


def path_of_function(definition: bytes) -> tuple[str, ...]:
    """The path that a function sets for its body, or in it; () for none."""
    return _set_in(definition, 0, len(definition)) or ()


def path_after(text: bytes, start: int, end: int) -> tuple[str, ...] | None:
    """The path that a statement leaves for those after it; () where it takes it back, None where it says nothing."""
    if not _STATEMENT.match(text, start, end):
        return None
    if _FORGETS.match(text, start, end):
        return ()
    if _SETS_NOW.match(text, start, end):
        return _set_in(text, start, end)
    found = _CONFIGURES.search(text, start, end)
    return _listed(found[1], 0, len(found[1])) if found is not None else None


def is_local(text: bytes, start: int, end: int) -> bool:
    """Whether the path that a statement sets ends with the transaction."""
    return _LOCAL.match(text, start, end) is not None


def ends_transaction(text: bytes, start: int, end: int) -> bool:
    """COMMIT, ROLLBACK and their like."""
    return _ENDS.match(text, start, end) is not None


def _set_in(text: bytes, start: int, end: int) -> tuple[str, ...] | None:
    if (found := _SETS.search(text, start, end)) is not None:
        return _listed(text, found.end(), end)
    if (found := _CONFIGURES.search(text, start, end)) is not None:
        return _listed(found[1], 0, len(found[1]))
    return None


def _listed(text: bytes, start: int, end: int) -> tuple[str, ...]:
    """The names up to where no comma follows; without `$user`, and () for DEFAULT."""
    path: list[str] = []
    wants_name = True
    for token in words(text, start, end):
        raw = text[token.start : token.end]
        if wants_name and token.kind in (Kind.WORD, Kind.QUOTED, Kind.STRING):
            name = string_value(raw).decode("utf-8", "replace") if token.kind is Kind.STRING else name_of(raw)
            path.extend(item.strip().strip('"') for item in name.split(","))
        elif wants_name or raw != b",":
            break
        wants_name = raw == b","
    return tuple(name for name in path if name not in ("", "$user", "default"))
