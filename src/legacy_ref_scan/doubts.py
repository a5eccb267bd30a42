"""What the replay may have wrong: gaps where it could be about a target, notes elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from legacy_ref_scan.catalog import replay
from legacy_ref_scan.migrations import History, Migration, Problem
from legacy_ref_scan.model import Fragment, Gap, Span
from legacy_ref_scan.schema import Catalog

_SHOWN = 5

About = Callable[[Span], bool]
"""Whether the text at a place, or the whole file where the span is empty, names the table or a dependent."""


def doubts(
    history: History, about: About, tables: frozenset[str], search_path: tuple[str, ...]
) -> tuple[tuple[Gap, ...], tuple[str, ...]]:
    """The gaps and the notes that the problems of a history make; `tables` are the names of those in question."""
    gaps: list[Gap] = []
    notes: list[str] = []
    for problem in history.problems:
        certain = problem.anything or not tables.isdisjoint(problem.tables)
        places = problem.spans if certain else [span for span in problem.spans if about(span)]
        if places and (not problem.order or _order_matters(problem, places, history, search_path)):
            gaps.append(Gap(places[0], problem.reason, problem.message))
        else:
            notes.append(problem.message)
    return tuple(gaps), tuple(_shortened(notes))


def of_programs(history: History, catalog: Catalog, about: Callable[[bytes], bool]) -> Iterator[Gap]:
    """Statements that a program stands for, about the table by their SQL alone, and that the replay could not apply.

    Django names a table by its model: the text of the program would not tell.
    """
    scripts: dict[str, list[Fragment]] = {}
    for migration in history.migrations:
        scripts.setdefault(migration.path, []).extend(migration.scripts)
    for gap in catalog.gaps:
        at = gap.span
        around = (s for s in scripts.get(at.path, ()) if s.site.start <= at.start and at.end <= s.site.end)
        if any(about(script.text) for script in around):
            yield gap


def _shortened(notes: Sequence[str]) -> Iterator[str]:
    """Each note once, and of many the first."""
    distinct = list(dict.fromkeys(notes))
    yield from distinct[:_SHOWN]
    if len(distinct) > _SHOWN:
        yield f"… and {len(distinct) - _SHOWN} more of the migrations that could not be followed, about other tables"


def _order_matters(problem: Problem, places: Sequence[Span], history: History, search_path: tuple[str, ...]) -> bool:
    """Whether the files that are about the table would leave another schema the other way round.

    An order that fails where the other does not is none that can have run.
    """
    paths = {span.path for span in places}
    if len(paths) < 2:
        return False
    as_read = replay(history.migrations, search_path)
    backwards = replay(_reversed(history.migrations, paths), search_path)
    if len(as_read.gaps) != len(backwards.gaps):
        return len(as_read.gaps) > len(backwards.gaps)
    return set(_shape(as_read)) != set(_shape(backwards))


def _reversed(migrations: Sequence[Migration], paths: set[str]) -> Iterator[Migration]:
    """The migrations, those of the paths in the opposite order at the same places."""
    following = iter([item for item in reversed(migrations) if item.path in paths])
    return (next(following) if item.path in paths else item for item in migrations)


def _shape(catalog: Catalog) -> Iterator[tuple[object, ...]]:
    """Everything of a catalog that does not depend on the order in which it was made."""
    named = {oid: (relation.schema, relation.name) for oid, relation in catalog.relations.items()}
    for relation in catalog.relations.values():
        name = named[relation.oid]
        yield (*name, relation.kind, relation.definition if relation.kind in ("view", "matview") else "")
        for column in relation.columns:
            yield (*name, column.name, column.type, column.not_null, column.default, column.generated, column.maybe)
    for item in catalog.objects.values():
        yield named.get(item.relation), item.kind, item.schema, item.name, item.definition
    for function in catalog.functions.values():
        yield function.signature, function.definition
