"""Judges a field of the host language that names a target's column: an ORM's mapping gates, a lone tag is residue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from legacy_ref_scan.model import Access, Claim, Explanation, Found, Gap, Mapping, Reference, Residue
from legacy_ref_scan.schema import Relation
from legacy_ref_scan.sql.analyze import Schema

# Libraries that only scan results by name: the tag alone never makes a query.
# Libraries whose every model is known with its table, unless the code that names it could not be read.
_MODELS = frozenset({"gorm", "bun", "xorm", "go-pg"})
_READS_TAGS = "Tag.Get"
_SCANNERS = frozenset({"db", "scany", "pgx", "sqlx"})


def judge_mapping(mapping: Mapping, schema: Schema) -> tuple[Reference | Gap | Residue | Claim, ...]:
    """What a mapping is: an ORM both reads and writes every field."""
    relation = _table(mapping.table, schema) if mapping.table else None
    column = relation.column(mapping.column) if relation else None
    watched = schema.watch.columns.get((relation.oid, column.attnum)) if relation and column else None
    if mapping.table and watched is None:
        return (Claim(mapping.span, Explanation.OTHER_TABLE, mapping.table),)
    if watched is not None:
        message = f"{mapping.library} maps {mapping.owner} to {watched.target.table}: it reads and writes every field"
        advice = f"remove the field from {mapping.owner}"
        kind = f"{mapping.library}-mapping"
        return tuple(
            Reference(watched.target, access, True, mapping.span, kind, mapping.owner, message, advice, mapping.test)
            for access in (Access.READ, Access.WRITE)
        )
    if not schema.near(mapping.span.path) and mapping.library not in _MODELS:
        return (Claim(mapping.span, Explanation.OTHER_TABLE, f"a field of {mapping.owner}"),)
    if mapping.library in _SCANNERS:
        message = f"{mapping.owner} can still take {mapping.column} from a result; that breaks nothing by itself"
        return (Residue(mapping.span, "tag", message, mapping.owner),)
    message = f"{mapping.library} maps {mapping.owner}.{mapping.column}, and to which table is not known here"
    return (Gap(mapping.span, "unknown-mapping", message, mapping.owner, mapping.test),)


def reflected(found: Iterable[Found]) -> Iterator[Found]:
    """A statement over the table takes its columns from struct tags by reflection: a lone tag may be one of them."""
    findings = list(found)
    by_tags = any(f.reason == "dynamic-column" and _READS_TAGS in f.message for f in findings if isinstance(f, Gap))
    for item in findings:
        if by_tags and isinstance(item, Residue) and item.kind == "tag":
            message = "a statement over the table takes its columns from struct tags, and this may be one of them"
            yield Gap(item.span, "tag-through-reflection", message, item.symbol)
        else:
            yield item


def _table(name: str, schema: Schema) -> Relation | None:
    qualifier, _, table = name.rpartition(".")
    return schema.catalog.relation(table, qualifier or None)
