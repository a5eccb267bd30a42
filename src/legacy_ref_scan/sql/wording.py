"""What a report says of a use: why it is one, and what to do about it."""

from __future__ import annotations

from legacy_ref_scan.model import Access, Target
from legacy_ref_scan.sql.watch import Watched

_MESSAGES = {
    Access.READ: "reads {target}",
    Access.WRITE: "writes {target}",
    Access.STAR: "takes all columns of {table}, {column} among them",
    Access.DEFINE: "defines {target}",
    Access.DEPEND: "needs {target}",
}


def message_of(watched: Watched, access: Access) -> str:
    """Why a use is a reference, for people."""
    target = watched.target
    table = f"{target.schema}.{target.table}"
    text = _MESSAGES[access].format(target=target, table=table, column=target.column)
    return f"{text}, through {watched.via}" if watched.via else text


def help_of(access: Access, target: Target, replacement: str) -> str:
    """What to do about a use."""
    instead = f"use {replacement} instead" if replacement else f"stop using {target.column} here"
    if access is Access.STAR:
        return f"name the columns that are needed, without {target.column}"
    if access is Access.WRITE:
        return f"stop writing {target.column}" + (f"; write {replacement} instead" if replacement else "")
    return instead
