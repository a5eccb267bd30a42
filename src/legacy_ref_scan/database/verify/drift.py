"""Drift: how the live schema differs from the one that the migrations build, on which the scan's verdict rests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from legacy_ref_scan.database.checks import counted
from legacy_ref_scan.database.verify.context import Answer, Context, LiveCheck, failed, impossible, once, passed
from legacy_ref_scan.schema import Catalog, Constraint, Index, Relation, Trigger

# The tables in which the migration tools keep what has run.
_BOOKKEEPING = frozenset(
    {
        "schema_migrations", "goose_db_version", "gorp_migrations", "schema_version", "flyway_schema_history",
        "schema_lock",
    }
)  # fmt: skip
_COMPARED = frozenset({"index", "constraint", "trigger", "policy", "rule", "publication"})

Facts = Mapping[tuple[str, ...], str]
"""(kind, schema, relation, name) → what must be the same."""


def _drift(context: Context, _: str) -> Answer:
    if not context.history.migrations:
        return impossible("there are no migrations to compare the live schema with")
    live = context.live
    mine, theirs = dict(_facts(context.catalog)), dict(_facts(live.catalog))
    differing = sorted(key for key in {*mine, *theirs} if mine.get(key) != theirs.get(key))
    differing = list(_without_parts(differing, mine, theirs, _conditional(context.catalog)))
    tables = {target.table for target in context.targets}
    near = [key for key in differing if key[2] in tables or _names(context, key)]
    lines = tuple(
        _line(key, mine.get(key), theirs.get(key)) for key in (*near, *(k for k in differing if k not in near))
    )
    figures = (("objects", len(mine)), ("different", len(differing)), ("about the column's table", len(near)))
    if near:
        what = counted(len(near), "difference")
        return failed(f"{what} around the column from what the migrations build", figures, lines)
    elsewhere = f"; {len(differing)} differences elsewhere" if differing else ""
    return passed(f"the live schema is the one of the migrations around the column{elsewhere}", figures, lines)


def _facts(catalog: Catalog) -> Iterator[tuple[tuple[str, ...], str]]:
    relations = {oid: item for oid, item in catalog.relations.items() if item.kind not in ("sequence", "assumed")}
    for relation in relations.values():
        if relation.name in _BOOKKEEPING or relation.temporary:
            continue
        yield (relation.kind, relation.schema, relation.name, ""), ""
        for column in relation.columns:
            if not column.gone:
                null = " NOT NULL" if column.not_null else ""
                # what a view's columns are made of is judged where the view is; their types follow from it
                text = f"{column.type}{null}" if relation.kind == "table" else ""
                yield ("column", relation.schema, relation.name, column.name), text
    for item in catalog.objects.values():
        owner = relations.get(item.relation)
        if item.kind in _COMPARED and (owner is None or _has_its_own(owner, catalog)):
            table = owner.name if owner else ""
            names = {column.attnum: column.name for column in owner.columns} if owner else {}
            yield (item.kind, item.schema, table, item.name), _essence(item, names)
    for (schema, name, types), function in catalog.functions.items():
        body = b" ".join(function.body.text.split()).decode("utf-8", "replace") if function.body else ""
        yield ("function", schema, "", f"{name}({', '.join(types)})"), body


def _has_its_own(relation: Relation, catalog: Catalog) -> bool:
    """What hangs on a partition follows from its partitioned table, by names that the server makes up."""
    parents = (catalog.relations.get(oid) for oid in relation.parents)
    return relation.name not in _BOOKKEEPING and not any(
        parent is not None and parent.partitioned for parent in parents
    )


def _essence(item: object, names: Mapping[int, str]) -> str:
    """What must be the same of an object, apart from how it was written."""
    match item:
        case Index():
            return f"{'unique ' if item.unique else ''}{[names.get(number, '') for number in item.columns]}"
        case Constraint():
            return f"{item.type} {sorted(names.get(number, '') for number in item.columns)}"
        case Trigger():
            return f"{item.function} {item.timing} {sorted(item.events)}"
    return ""


def _without_parts(
    differing: list[tuple[str, ...]], mine: Facts, theirs: Facts, conditional: frozenset[tuple[str, ...]]
) -> Iterator[tuple[str, ...]]:
    """Without what a condition decides, and without the parts of relations that one side does not have at all."""
    relations = {key[1:3] for key in differing if not key[3] and (key not in mine or key not in theirs)}
    for key in differing:
        if key not in conditional and not (key[3] and key[2] and key[1:3] in relations):
            yield key


def _conditional(catalog: Catalog) -> frozenset[tuple[str, ...]]:
    """What a condition in a migration decides: it may be there or not."""
    return frozenset(
        key
        for relation in catalog.relations.values()
        for key in (
            *([(relation.kind, relation.schema, relation.name, "")] if relation.maybe else ()),
            *(
                ("column", relation.schema, relation.name, column.name)
                for column in relation.columns
                if column.maybe or relation.maybe
            ),
        )
    )


def _names(context: Context, key: tuple[str, ...]) -> bool:
    """Whether a function or a view speaks of the column, here or there: with its table, or in a trigger's body."""
    kind, schema, relation, name = key
    names = context.live.schema.names
    for catalog in (context.catalog, context.live.catalog):
        functions = catalog.functions.values() if kind == "function" else ()
        views = catalog.relations.values() if kind in ("view", "matview") else ()
        texts = [(f.definition, f.returns == "trigger") for f in functions if _called(f.signature) == name]
        texts += [(view.definition, False) for view in views if (view.schema, view.name) == (schema, relation)]
        for text, of_trigger in texts:
            data = text.encode("utf-8", "surrogateescape")
            if names.in_text(data, "column") and (of_trigger or names.in_text(data, "table")):
                return True
    return False


def _called(signature: tuple[str, str, tuple[str, ...]]) -> str:
    return f"{signature[1]}({', '.join(signature[2])})"


def _line(key: tuple[str, ...], mine: str | None, theirs: str | None) -> str:
    kind, schema, relation, name = key
    what = f"{kind} {'.'.join(part for part in (schema, relation, name) if part)}"
    if theirs is None:
        return f"{what} is not in the database"
    if mine is None:
        return f"{what} comes from no migration"
    return f"{what} differs" + (f": {theirs} instead of {mine}" if kind != "function" else "")


DRIFT = LiveCheck("drift", "drift from the migrations", once, _drift)
