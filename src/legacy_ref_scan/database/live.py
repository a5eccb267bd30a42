"""A live database through our own eyes: its dump replayed into a catalog, and what in it needs a target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from legacy_ref_scan.assume import with_targets
from legacy_ref_scan.catalog import apply_file
from legacy_ref_scan.database.dump import Dump
from legacy_ref_scan.mentions import names_of
from legacy_ref_scan.model import Found, Gap, Reference, SourceFile, Target
from legacy_ref_scan.schema import Catalog, Function
from legacy_ref_scan.sql.analyze import analyze_function
from legacy_ref_scan.sql.findings import Schema
from legacy_ref_scan.sql.watch import row_names, watch

PATH = "(the live database)"
"""Stands where a file's path would, in the places of findings."""


@dataclass(frozen=True, slots=True)
class Live:
    """A live schema: the dump, the catalog that the replay makes of it, and what it is resolved against."""

    dump: Dump
    source: SourceFile
    catalog: Catalog
    schema: Schema


def live_schema(dump: Dump, targets: Iterable[Target], search_path: tuple[str, ...]) -> Live:
    """Replay a dump. A target that the database does not have (any more) is put there, so that it can be found."""
    wanted = tuple(targets)
    source = SourceFile(PATH, dump.sql(), "sql")
    made = apply_file(Catalog(search_path=search_path), source, ((0, len(source.data)),))
    catalog, _ = with_targets(made, wanted, replayed=True)
    watched = watch(catalog, wanted)
    dependents = {item.via.partition(".")[2] for item in watched.columns.values() if item.via}
    dependents.update(row_names(catalog, watched))
    names = names_of(wanted, dependents - {target.table for target in wanted})
    return Live(dump, source, catalog, Schema(catalog, watched, names))


def named_functions(live: Live) -> list[Function]:
    """The functions whose text has a name of a target, whatever it means there."""
    return [
        function
        for function in live.catalog.functions.values()
        if live.schema.names.in_text(function.definition.encode("utf-8", "surrogateescape"), "column")
    ]


def function_findings(live: Live) -> Iterator[tuple[Function, Reference | Gap]]:
    """What the resolver finds in the bodies of all functions, each with its function, once a place."""
    for function in live.catalog.functions.values():
        seen: set[object] = set()
        for found in _body(function, live.schema):
            if isinstance(found, Reference | Gap) and (found.span, type(found)) not in seen:
                seen.add((found.span, type(found)))
                yield function, found


def _body(function: Function, schema: Schema) -> Iterator[Found]:
    foreign = function.body is None and not function.atomic and function.language not in ("c", "internal")
    if foreign and schema.names.in_text(function.definition.encode("utf-8", "surrogateescape")):
        message = f"its body is in {function.language}, which is not read"
        yield Gap(function.span, "foreign-language", message, function.name)
    yield from analyze_function(function, schema)


def signature(function: Function) -> str:
    """`public.record_failure(uuid, text)`."""
    schema, name, types = function.signature
    return f"{schema}.{name}({', '.join(types)})"
