"""What each statement of a migration takes away: columns and tables, dropped, renamed or moved to another schema."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from legacy_ref_scan.catalog.replay import Range, apply_part
from legacy_ref_scan.catalog.state import State
from legacy_ref_scan.catalog.statement import Part, Text
from legacy_ref_scan.catalog.transactions import open_file
from legacy_ref_scan.model import Fragment, SourceFile, Span
from legacy_ref_scan.schema import Catalog, Column, Relation
from legacy_ref_scan.sql.statements import cut

# A statement without one of these words takes nothing away; DO and EXECUTE hold others.
_MAY_TAKE = re.compile(rb"\b(?:drop|rename|set\s+schema|do|execute)\b", re.IGNORECASE)
_TABLES = frozenset({"table", "foreign"})


@dataclass(frozen=True, slots=True)
class Loss:
    """A name that readers may know and that a statement takes away.

    `column` is None where the whole table goes. `renamed` is the new name, "" for what is dropped. `certain` is false
    under a condition that the replay can't decide. `before` and `after` are the catalogs around the statement.
    """

    relation: Relation
    column: Column | None
    renamed: str
    certain: bool
    span: Span
    before: Catalog
    after: Catalog
    statement: str = ""  # as written

    @property
    def what(self) -> str:
        """`drop column`, `drop table`, `rename column`, `rename table`."""
        return f"{'rename' if self.renamed else 'drop'} {'table' if self.column is None else 'column'}"

    @property
    def name(self) -> str:
        """`schema.table` or `schema.table.column`."""
        table = f"{self.relation.schema}.{self.relation.name}"
        return table if self.column is None else f"{table}.{self.column.name}"


def losses(
    catalog: Catalog, source: SourceFile, ranges: Iterable[Range], scripts: Iterable[Fragment] = ()
) -> tuple[Catalog, tuple[Loss, ...]]:
    """The catalog after the statements in these ranges of a file, or of its scripts, and what they take away."""
    state = State(catalog)
    state.search_path = state.default_path
    found: list[Loss] = []
    whole = Text(source.data, source.path)
    parts = [(whole, first, last) for first, last in ranges]
    parts += [(Text(script.text, source.path, script), 0, len(script.text)) for script in scripts]
    open_file(state, [Part(*part) for part in parts])
    for text, first, last in parts:
        for start, end in cut(text.data, first, last).statements:
            if _MAY_TAKE.search(text.data, start, end) is None:
                apply_part(state, Part(text, start, end))
                found = [loss for loss in found if not (state.follows and _undone(loss, state))]
                continue
            old, before = state, state.freeze()
            state = State(before)
            state.go_on_from(old)
            apply_part(state, Part(text, start, end))
            written = source.data[start:end].decode("utf-8", "replace")
            taken = _taken(before, state.freeze(), text, start, end)
            found.extend(replace(loss, statement=written) for loss in taken)
    return state.freeze(), tuple(found)


def _undone(loss: Loss, state: State) -> bool:
    """Whether the thing itself is there again, as ROLLBACK leaves it: what is created anew is another one."""
    relation = state.relations.get(loss.relation.oid)
    if relation is None or (relation.schema, relation.name) != (loss.relation.schema, loss.relation.name):
        return False
    if loss.column is None:
        return relation.maybe == loss.relation.maybe
    return relation.by_attnum(loss.column.attnum) == loss.column


def _taken(before: Catalog, after: Catalog, text: Text, start: int, end: int) -> Iterator[Loss]:
    for oid, old in before.relations.items():
        if old.kind not in _TABLES or old.temporary:
            continue
        new = after.relations.get(oid)
        if new is old:
            continue
        if new is None:
            if not any(parent in before.relations and parent not in after.relations for parent in old.parents):
                yield Loss(old, None, "", True, _place(text, start, end, old.name), before, after)
            continue
        if (new.schema, new.name) != (old.schema, old.name):
            renamed = f"{new.schema}.{new.name}"
            yield Loss(old, None, renamed, True, _place(text, start, end, old.name), before, after)
        elif new.maybe and not old.maybe:
            yield Loss(old, None, "", False, _place(text, start, end, old.name), before, after)
        for column in old.columns:
            yield from _column_taken(column, old, new, (before, after), (text, start, end))


def _column_taken(
    column: Column, old: Relation, new: Relation, catalogs: tuple[Catalog, Catalog], at: tuple[Text, int, int]
) -> Iterator[Loss]:
    kept = new.by_attnum(column.attnum)
    renamed = kept.name if kept is not None and kept.name != column.name else ""
    doubtful = kept is not None and kept.maybe and not column.maybe
    if (kept is None or renamed or doubtful) and not _inherited(column, old, new, catalogs):
        yield Loss(old, column, renamed, not doubtful, _place(*at, column.name), *catalogs)


def _inherited(column: Column, old: Relation, new: Relation, catalogs: tuple[Catalog, Catalog]) -> bool:
    """Whether a parent loses the column in the same statement: its children are judged with it."""
    pairs = ((catalogs[0].relations.get(parent), catalogs[1].relations.get(parent)) for parent in new.parents)
    return any(
        before is not None
        and before.column(column.name) is not None
        and (after is None or after.column(column.name) is None)
        for before, after in pairs
    )


def _place(text: Text, start: int, end: int, name: str) -> Span:
    """Where the statement writes the name; all of it where it does not."""
    word = re.compile(rb"(?<![\w$])" + re.escape(name.encode()) + rb"(?![\w$])", re.IGNORECASE)
    places = list(word.finditer(text.data, start, end))
    return text.span(*places[-1].span()) if places else text.span(start, end)
