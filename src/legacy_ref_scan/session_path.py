"""The search path that sessions get from elsewhere: a connection string, a configuration, ALTER ROLE."""

from __future__ import annotations

import re
from collections.abc import Iterable

from legacy_ref_scan.model import Target
from legacy_ref_scan.schema import Catalog
from legacy_ref_scan.workspace import Workspace

_BETWEEN = rb"(?:\s*(?:=|:|,|%3D|%2C|\\|\"|'|`|\$|\w|\bto\b))"
# `search_path=app,public` in a connection string, `SET search_path TO app`, `currentSchema=app` of JDBC.
_SETS = rb"\b(?:search_path|currentSchema)%(between)s{1,80}?\s*(?<![\w-])%(schema)s(?![\w-])"
_FOR_SESSIONS = rb"\balter\s+(?:role|user|database)\b[^;]{1,200}?%(sets)s"
_NEEDLES = (b"search_path", b"currentSchema")


def session_path(catalog: Catalog, targets: Iterable[Target], workspace: Workspace) -> tuple[str, ...]:
    """The schemas of targets that a session's path may put first, where a bare name means another table by default.

    SQL files say it of all sessions with ALTER ROLE and ALTER DATABASE alone.
    """
    hidden = dict.fromkeys(target.schema for target in targets if _is_hidden(catalog, target))
    return tuple(schema for schema in hidden if _is_set(workspace, schema))


def _is_hidden(catalog: Catalog, target: Target) -> bool:
    found = catalog.relation(target.table)
    return found is not None and found.schema != target.schema


def _is_set(workspace: Workspace, schema: str) -> bool:
    sets = _SETS % {b"between": _BETWEEN, b"schema": re.escape(schema.encode())}
    anywhere = re.compile(sets, re.IGNORECASE)
    for_sessions = re.compile(_FOR_SESSIONS % {b"sets": sets}, re.IGNORECASE)
    for path in workspace.paths:
        source = workspace.read(path)
        if source is None or not any(needle in source.data for needle in _NEEDLES):
            continue
        if (for_sessions if source.language == "sql" else anywhere).search(source.data):
            return True
    return False
