"""What ends with the session of a migration: its temporary relations, functions and types."""

from __future__ import annotations

from legacy_ref_scan.catalog.state import State
from legacy_ref_scan.schema import Relation

_TEMPORARY = "pg_temp"


def end_session(state: State) -> None:
    """Take everything out that is temporary; the next migration may run in another session, as the code does."""
    if any(schema == _TEMPORARY for schema, _ in state.names):
        for oid in _temporary(state):
            for item in list(state.of(oid)):
                state.remove(item)
            state.remove_relation(oid)
    for function in [key for key in state.functions if key[0] == _TEMPORARY]:
        del state.functions[function]
    for kind in [key for key in state.types if key[0] == _TEMPORARY]:
        del state.types[kind]


def _temporary(state: State) -> list[int]:
    """The temporary relations, and the views over them, which PostgreSQL makes temporary too."""
    gone = {oid for oid, relation in state.relations.items() if relation.schema == _TEMPORARY}
    views = [relation for relation in state.relations.values() if relation.kind == "view" and relation.oid not in gone]
    changed = True
    while changed:
        found = {view.oid for view in views if view.oid not in gone and not gone.isdisjoint(_needed(view))}
        gone |= found
        changed = bool(found)
    return sorted(gone)


def _needed(view: Relation) -> set[int]:
    return {use.column[0] for use in view.uses} | view.depends
