"""Which migrations are new, the schema before and after them, and what they take away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from legacy_ref_scan.catalog import replay
from legacy_ref_scan.catalog.replay import apply_migration
from legacy_ref_scan.catalog.steps import Loss, losses
from legacy_ref_scan.migrations import History, Migration, detect
from legacy_ref_scan.model import Gap, ScanError, SourceFile, Span
from legacy_ref_scan.scan import Request, open_workspace
from legacy_ref_scan.schema import Catalog, ColumnId, Relation
from legacy_ref_scan.sql.statements import cut
from legacy_ref_scan.trees import merge_base
from legacy_ref_scan.workspace import Workspace

# What a statement that could not be replayed would have to say to take something away.
_MAY_TAKE = re.compile(rb"\b(?:drop|rename|set\s+schema|execute)\b", re.IGNORECASE)
_GUESSES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_TABLES = frozenset({"table", "foreign"})


@dataclass(frozen=True, slots=True)
class Pending:
    """The new migrations of a history. `losses` are what they take away from released schemas and do not give back.

    `since` says for people what they are new against. `gaps` are their statements that may take something away and
    were not replayed.
    """

    history: History
    migrations: tuple[Migration, ...]
    final: Catalog
    losses: tuple[Loss, ...]
    gaps: tuple[Gap, ...]
    since: str


def pending(request: Request, base: str | None, last: int | None, every: bool) -> Pending:
    """The new migrations by one of the three ways to tell. Raises `ScanError`."""
    workspace = open_workspace(request)
    history = detect(workspace, request.migrations)
    if not history.migrations:
        raise ScanError("; ".join(map(str, history.problems)) or "no migrations found")
    path = request.rules[0].search_path
    if every:
        return _walk(history, history.migrations, None, path, "an empty database", every=True)
    if last is not None:
        new = history.migrations[len(history.migrations) - min(last, len(history.migrations)) :]
        return _walk(history, new, None, path, f"the migrations before the last {last}")
    older, since = _released(request, history, base)
    known = {item.path: _content(item) for item in older.migrations} if older else {}
    new = tuple(item for item in history.migrations if known.get(item.path) != _content(item))
    before = replay(older.migrations, path) if older else None
    return _walk(history, new, before, path, since)


def _content(migration: Migration) -> tuple[bytes, ...]:
    return migration.texts


def _released(request: Request, history: History, base: str | None) -> tuple[History | None, str]:
    """The migrations of the revision where this branch left the base; None where it had none there."""
    head = request.revision or "HEAD"
    for guess in (base,) if base else _GUESSES:
        commit = merge_base(str(request.root), guess, head)
        if commit:
            break
    else:
        hint = f"no revision {base!r}" if base else f"none of {', '.join(_GUESSES)} exists here"
        raise ScanError(f"{hint}: name what is released with --base REV, or use --pending N or --all")
    tree = Workspace(request.root, rev=commit)
    try:
        older = detect(tree, history.directory, history.convention)
    except ScanError:  # the directory is new
        return None, f"{guess} ({commit[:12]}), which has no {history.directory}"
    return older, f"{guess} ({commit[:12]})"


def _walk(
    history: History,
    new: tuple[Migration, ...],
    released: Catalog | None,
    path: tuple[str, ...],
    since: str,
    every: bool = False,
) -> Pending:
    """Replay all, and look at each statement of the new ones."""
    paths = {item.path for item in new}
    catalog = Catalog(search_path=path)
    found: list[Loss] = []
    gaps: list[Gap] = []
    fresh: set[ColumnId] = set()  # columns that no released migration made
    for migration in history.migrations:
        if migration.path not in paths:
            catalog = apply_migration(catalog, migration)
            continue
        before = catalog
        catalog, taken = losses(before, migration.source, migration.up, migration.scripts)
        made_here = _columns(catalog, *(loss.before for loss in taken)) - _columns(before)
        found.extend(loss for loss in taken if _was_released(loss, fresh | made_here, released))
        gaps.extend(_undecided(catalog.gaps[len(before.gaps) :], migration.source))
        if not every:
            fresh |= made_here
    kept = [loss for loss in found if not _is_back(loss, catalog)]
    if released is not None:
        kept.extend(_edited(released, catalog, kept, new))
    gaps.extend(_code(history, paths))
    return Pending(history, new, catalog, tuple(kept), tuple(gaps), since)


def _columns(*catalogs: Catalog) -> set[ColumnId]:
    """Every column and, with the number 0, every table."""
    tables = [item for catalog in catalogs for item in catalog.relations.values() if item.kind in _TABLES]
    return {(item.oid, column.attnum) for item in tables for column in item.columns} | {(t.oid, 0) for t in tables}


def _was_released(loss: Loss, fresh: set[ColumnId], released: Catalog | None) -> bool:
    if (loss.relation.oid, loss.column.attnum if loss.column else 0) not in fresh:
        return True
    known = released.relation(loss.relation.name, loss.relation.schema) if released else None
    return known is not None and (loss.column is None or known.column(loss.column.name) is not None)


def _is_back(loss: Loss, final: Catalog) -> bool:
    """Whether something of that name is there in the end, so that its readers still find it."""
    now = final.relation(loss.relation.name, loss.relation.schema)
    if loss.column is None:
        return now is not None and loss.certain and all(now.column(column.name) for column in loss.relation.columns)
    relation = now or final.relations.get(loss.relation.oid)
    column = relation.column(loss.column.name) if relation else None
    return column is not None and (loss.certain or not column.maybe)


def _edited(released: Catalog, final: Catalog, known: list[Loss], new: tuple[Migration, ...]) -> Iterator[Loss]:
    """What is gone because files that were released have changed: no statement drops it."""
    names = {loss.name for loss in known}
    for relation in released.relations.values():
        if relation.kind not in _TABLES or relation.temporary:
            continue
        table = f"{relation.schema}.{relation.name}"
        now = final.relation(relation.name, relation.schema)
        span = Span(new[0].path, 0, 0) if new else relation.span
        if now is None:
            if table not in names:
                yield Loss(relation, None, "", True, span, released, final)
            continue
        for column in relation.columns:
            if now.column(column.name) is None and f"{table}.{column.name}" not in names:
                yield Loss(_same_oid(relation, now), column, "", True, span, released, final)


def _same_oid(old: Relation, now: Relation) -> Relation:
    return replace(old, oid=now.oid)


def _undecided(gaps: tuple[Gap, ...], source: SourceFile) -> Iterator[Gap]:
    """Of what was not replayed, the statements that may take something away."""
    statements = cut(source.data).statements
    for gap in gaps:
        around = [at for at in statements if at[0] <= gap.span.start < at[1]] or [(0, len(source.data))]
        # a function of an older file that the new one calls
        if gap.span.path != source.path or any(_MAY_TAKE.search(source.data, start, end) for start, end in around):
            yield gap


def _code(history: History, paths: set[str]) -> Iterator[Gap]:
    """New migrations that were not read: in code, unreadable, or without a version."""
    read = {item.path for item in history.migrations}
    for item in history.problems:
        for span in item.spans:
            if span.path in paths or span.path not in read:
                yield Gap(span, item.reason, item.message)
