"""Judges a field of the host language that names a target's column: an ORM's mapping gates, a lone tag is residue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from legacy_ref_scan.model import HOLE, Access, Claim, Explanation, Found, Gap, Mapping, Reference, Residue
from legacy_ref_scan.schema import Relation
from legacy_ref_scan.sql.findings import Schema
from legacy_ref_scan.sql.resolve import resolve
from legacy_ref_scan.sql.tree import TooComplexError, parse
from legacy_ref_scan.sql.watch import Watched

# Libraries whose every model is known with its table, unless the code that names it could not be read.
_MODELS = frozenset({"gorm", "bun", "xorm", "go-pg"})
# Libraries that only scan results by name: the tag alone never makes a query.
_SCANNERS = frozenset({"db", "scany", "pgx", "sqlx"})
_READS_TAGS = "Tag.Get"
_SHOWN = 4
_ELSEWHERE = "tag-of-another-table"  # until it is known whether a statement takes its columns from tags


def judge_mapping(mapping: Mapping, schema: Schema) -> tuple[Reference | Gap | Residue | Claim, ...]:
    """What a mapping is: an ORM both reads and writes every field."""
    relation = _table(mapping.table, schema) if mapping.table else None
    column = relation.column(mapping.column) if relation else None
    watched = schema.watch.columns.get((relation.oid, column.attnum)) if relation and column else None
    if mapping.table and watched is None:
        return (Claim(mapping.span, Explanation.OTHER_TABLE, mapping.table),)
    if watched is not None:
        return _of_target(mapping, watched)
    if not schema.near(mapping.span.path) and mapping.library not in _MODELS:
        return (Claim(mapping.span, Explanation.OTHER_TABLE, f"a field of {mapping.owner}"),)
    if mapping.library in _SCANNERS:
        return (_residue(mapping, schema),)
    message = f"{mapping.library} maps {mapping.owner}.{mapping.column}, and to which table is not known here"
    return (Gap(mapping.span, "unknown-mapping", message, mapping.owner, mapping.test),)


def _of_target(mapping: Mapping, watched: Watched) -> tuple[Reference | Gap | Residue, ...]:
    table, owner = watched.target.table, mapping.owner
    if mapping.library in _SCANNERS or not mapping.accesses:
        message = f"{owner} takes {mapping.column} from results of {table}; that breaks nothing by itself"
        return (Residue(mapping.span, "tag", message, owner),)
    if mapping.library == "reflection":
        message = f"{owner} says that its table is {table}, and code that reads tags may put each into a statement"
        return (Gap(mapping.span, "tag-through-reflection", message, owner, mapping.test),)
    message = f"{mapping.library} maps {owner} to {table}: it {_WHAT[mapping.accesses]}"
    advice, kind = f"remove the field from {owner}", f"{mapping.library}-mapping"
    return tuple(
        Reference(watched.target, access, True, mapping.span, kind, owner, message, advice, mapping.test)
        for access in mapping.accesses
    )


_WHAT = {
    (Access.READ, Access.WRITE): "reads and writes every field",
    (Access.READ,): "reads this column",
    (Access.WRITE,): "writes this column",
}


def _residue(mapping: Mapping, schema: Schema) -> Residue:
    """A tag, with the tables that its column is of by the queries that fill the struct, or may be of."""
    for query in mapping.given:
        written = [relation for relation in _relations(query, schema) if relation.oid in schema.watch.relations]
        if written and _takes(query, mapping.column):
            message = (
                f"{mapping.owner} gives the value of :{mapping.column} in a statement over {written[0].name}; "
                "the statement is what breaks"
            )
            return Residue(mapping.span, "parameter", message, mapping.owner)
    read = [_relations(query, schema) for query in (*mapping.queries, *mapping.given)]
    sources = sorted({relation.name for relations in read for relation in relations})
    does = "takes {} from results of" if mapping.queries else "gives {} to statements over"
    what = f"{mapping.owner} {does.format(mapping.column)} {', '.join(sources[:_SHOWN])}"
    if any(relation.oid in schema.watch.relations for relations in read for relation in relations):
        return Residue(mapping.span, "tag", f"{what}; that breaks nothing by itself", mapping.owner)
    if read and all(read):
        return Residue(mapping.span, _ELSEWHERE, what, mapping.owner)
    tables = sorted({r.name for r in schema.catalog.relations.values() if r.column(mapping.column) is not None})
    named = ", ".join(tables[:_SHOWN]) + (f" and {len(tables) - _SHOWN} more" if len(tables) > _SHOWN else "")
    candidates = f" (a column of {named})" if len(tables) > 1 else ""
    message = (
        f"{mapping.owner} can still take {mapping.column} from a result{candidates}; that breaks nothing by itself"
    )
    return Residue(mapping.span, "tag", message, mapping.owner)


def _takes(query: bytes, name: str) -> bool:
    """Whether a statement has a parameter of that name."""
    return re.search(rb"(?<![:\w])[:@]" + re.escape(name.encode()) + rb"(?!\w)", query) is not None


def _relations(query: bytes, schema: Schema) -> list[Relation]:
    """The relations of a statement; none where a part of it is not known or could not be read."""
    if not query or HOLE in query:
        return []
    try:
        result = resolve(parse(query, 0, len(query)), schema.catalog)
    except (TooComplexError, RecursionError):
        return []
    return [] if result.unread else [schema.catalog.relations[oid] for oid, _ in result.relations]


def reflected(found: Iterable[Found]) -> Iterator[Found]:
    """A statement over the table takes its columns from struct tags by reflection: a lone tag may be one of them.

    Without such a statement, a tag of a struct that only takes rows of other tables has nothing to do with this one.
    """
    findings = list(found)
    by_tags = any(f.reason == "dynamic-column" and _READS_TAGS in f.message for f in findings if isinstance(f, Gap))
    for item in findings:
        if by_tags and isinstance(item, Residue) and item.kind in ("tag", _ELSEWHERE):
            message = "a statement over the table takes its columns from struct tags, and this may be one of them"
            yield Gap(item.span, "tag-through-reflection", message, item.symbol)
        elif isinstance(item, Residue) and item.kind == _ELSEWHERE:
            yield Claim(item.span, Explanation.OTHER_TABLE, item.message)
        else:
            yield item


def _table(name: str, schema: Schema) -> Relation | None:
    qualifier, _, table = name.rpartition(".")
    return schema.catalog.relation(table, qualifier or None)
