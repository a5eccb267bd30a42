"""What the migrations leave behind: views, functions, triggers, indexes … that are alive and need a target.

How each gates follows what PostgreSQL does on DROP COLUMN (manual, ALTER TABLE and 5.15 Dependency Tracking).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from legacy_ref_scan.model import Access, Found, Gap, Reference, Span
from legacy_ref_scan.schema import NOWHERE, Catalog, Constraint, Function, Index, Relation, SchemaObject, Trigger
from legacy_ref_scan.sql.analyze import analyze_function
from legacy_ref_scan.sql.findings import AS_VALUES, Schema
from legacy_ref_scan.sql.history import analyze_calls
from legacy_ref_scan.sql.literals import NOTHING_ASSIGNED, literals, named_together, sequence_names
from legacy_ref_scan.sql.watch import Watched

# Objects that PostgreSQL drops together with the column, without a word.
_TAKEN_ALONG = frozenset({"index", "constraint", "statistics", "comment", "grant"})
_REFUSED = "PostgreSQL refuses to drop the column while it exists"
_SILENT = "PostgreSQL drops it together with the column, without a word, and what it says of other columns is lost"
_SHARED = "PostgreSQL drops it together with the column, without a word; it is about other columns too"
_IDENTIFIES = "it is the table's REPLICA IDENTITY, and without it changes of a published table fail"
_ALONE = "PostgreSQL drops it together with the column; the down migration builds it again"


def living(schema: Schema) -> Iterator[Found]:
    """References and gaps of everything alive in the catalog, at the migrations that hold the living definitions."""
    catalog = schema.catalog
    yield from _definitions(schema)
    yield from _remarks(schema)
    yield from _inherited(schema)
    for relation in catalog.relations.values():
        yield from _relation(relation, schema)
        yield from _whole_rows(relation, schema)
        yield from _defaults(relation, schema)
        yield from _foreign(relation, schema)
        yield from _numbered(relation, schema)
        if relation.query is not None:
            yield from analyze_calls(relation.query, schema)
    for item in catalog.objects.values():
        yield from _object(item, schema)
    for function in catalog.functions.values():
        yield from _function(function, schema)
    yield from catalog_gaps(schema)


def catalog_gaps(schema: Schema) -> Iterator[Gap]:
    """Statements about the table that the replay could not apply; others change nothing for the target."""
    return (gap for gap in schema.catalog.gaps if schema.concerns(gap.span))


def _definitions(schema: Schema) -> Iterator[Reference]:
    for (oid, attnum), watched in schema.watch.columns.items():
        relation = schema.catalog.relations[oid]
        column = relation.by_attnum(attnum)
        if column is not None and column.span != NOWHERE and not watched.via:
            yield _reference(
                watched, Access.DEFINE, column.span, "definition", relation.name, False, "defines {target}"
            )


def _remarks(schema: Schema) -> Iterator[Reference]:
    """A default or a comment that was set later: it goes with the column, and the down migration builds it again."""
    for (oid, attnum), watched in schema.watch.columns.items():
        relation = schema.catalog.relations[oid]
        column = relation.by_attnum(attnum)
        for kind, span in column.remarks if column is not None and not watched.via else ():
            message = f"{kind} of {{target}}: {_ALONE}"
            yield _reference(watched, Access.DEPEND, span, kind, relation.name, False, message)


def _relation(relation: Relation, schema: Schema) -> Iterator[Reference]:
    """A view (by its query), a table (by a generated column, a default, a partition key)."""
    if relation.kind == "sequence":  # it is owned by the column
        for span, watched in _uses(relation, schema):
            message = f"sequence {relation.schema}.{relation.name} belongs to {{target}}: {_ALONE}"
            yield _reference(watched, Access.DEPEND, span, "sequence", relation.name, False, message)
        return
    kind = {"view": "view", "matview": "materialized view"}.get(relation.kind, "generated column")
    for span, watched in _uses(relation, schema):
        message = f"{kind} {relation.schema}.{relation.name} needs {{target}}: {_REFUSED}"
        advice = f"replace or drop the {kind} in a migration before the column goes"
        yield _reference(watched, Access.DEPEND, span, kind, relation.name, True, message, advice)


def _whole_rows(relation: Relation, schema: Schema) -> Iterator[Reference]:
    """A living view that takes the whole row: PostgreSQL drops the column, and the view's result changes."""
    for use in relation.uses if relation.kind in ("view", "matview") else ():
        oid, attnum = use.column
        for column, watched in schema.watch.columns.items() if attnum == 0 else ():
            if column[0] == oid:
                message = f"view {relation.schema}.{relation.name} takes the whole row, {watched.target.column} with it"
                advice = f"name the columns that are needed, without {watched.target.column}"
                name = relation.name
                yield _reference(watched, Access.STAR, use.span, "view", name, schema.star_gates, message, advice)


def _inherited(schema: Schema) -> Iterator[Reference]:
    """A column that a parent has too: PostgreSQL refuses to drop it from the child."""
    for (oid, _), watched in schema.watch.columns.items():
        relation = schema.catalog.relations[oid]
        parents = [schema.catalog.relations[p] for p in relation.parents if p in schema.catalog.relations]
        for parent in parents if not watched.via else ():
            if parent.column(watched.target.column) is not None:
                message = f"{{target}} is inherited from {parent.schema}.{parent.name}: {_REFUSED} there"
                advice = f"drop the column from {parent.name}"
                name = relation.name
                yield _reference(watched, Access.DEPEND, relation.span, "inheritance", name, True, message, advice)


def _uses(item: Relation | SchemaObject | Function, schema: Schema) -> Iterator[tuple[Span, Watched]]:
    seen: set[tuple[Span, Watched]] = set()
    for use in item.uses:
        watched = schema.watch.columns.get(use.column)
        if watched is not None and (use.span, watched) not in seen:
            seen.add((use.span, watched))
            yield use.span, watched


def _object(item: SchemaObject, schema: Schema) -> Iterator[Found]:
    """An index, a constraint, a trigger, a policy …"""
    gating, effect = _effect(item, schema)
    symbol = _symbol(item, schema.catalog)
    for span, watched in _uses(item, schema):
        if item.cloned_from is not None and watched.via:
            continue  # a partition's part of what the partitioned table has: it goes with that
        message = f"{item.kind} {symbol} needs {{target}}: {effect}"
        advice = f"drop or rebuild the {item.kind} without the column first" if gating else ""
        yield _reference(watched, Access.DEPEND, span, item.kind, symbol, gating, message, advice)
    if isinstance(item, Trigger) and not any(_uses(item, schema)) and _hands_over(item, schema):
        known = any(function.name == item.function[1] for function in schema.catalog.functions.values())
        origin = "" if known else ", which is in no migration"
        message = f"trigger {symbol} hands the column's name to its function {item.function[1]}{origin}"
        yield Gap(item.span, "trigger-argument" if known else "foreign-function", message, symbol)


_TAKES_ARGUMENTS = re.compile(rb"\btg_argv\b", re.IGNORECASE)


def _hands_over(trigger: Trigger, schema: Schema) -> bool:
    """Whether a trigger names the column for a function with arguments, or one that is not known (a built-in one).

    One of another table names the table too.
    """
    text = trigger.definition.encode()
    if not schema.names.in_text(text, "column"):
        return False
    if trigger.relation not in schema.watch.relations and not named_together(text, schema.names):
        return False
    known = [function for function in schema.catalog.functions.values() if function.name == trigger.function[1]]
    return not known or any(f.body is None or _TAKES_ARGUMENTS.search(f.body.text) for f in known)


def _numbered(relation: Relation, schema: Schema) -> Iterator[Reference]:
    """A column that takes its default from the sequence of the target: that sequence would go with it."""
    if relation.kind != "table" or not schema.watch.sequences:
        return
    named = {schema.catalog.relations[oid].name: watched for oid, watched in schema.watch.sequences.items()}
    for column in relation.columns:
        if (relation.oid, column.attnum) in schema.watch.columns:
            continue
        text = (column.default or "").encode()
        for _, name in sequence_names(literals(text, 0, len(text), NOTHING_ASSIGNED), frozenset(named)):
            symbol = f"{relation.name}.{column.name}"
            message = f"default of {symbol} needs the sequence of {{target}}: {_REFUSED}"
            advice = f"ALTER SEQUENCE {name} OWNED BY {symbol}"
            yield _reference(named[name], Access.DEPEND, column.span, "default", symbol, True, message, advice)


_REMOTE_TABLE = re.compile(r"\btable_name\s+'([^']*)'", re.IGNORECASE)


def _foreign(relation: Relation, schema: Schema) -> Iterator[Gap]:
    """A foreign table over a table that is called like the target's: its server may be this one (postgres_fdw)."""
    if relation.kind != "foreign" or relation.oid in schema.watch.relations:
        return
    remote = _REMOTE_TABLE.search(relation.definition)
    named = (remote[1] if remote else relation.name) in schema.names.tables
    if named and schema.names.in_text(relation.definition.encode(), "column"):
        message = f"foreign table {relation.schema}.{relation.name} is over a table of that name on its server"
        yield Gap(relation.span, "foreign-table", message, relation.name)


def _defaults(relation: Relation, schema: Schema) -> Iterator[Gap]:
    """A table whose defaults are the names of table and column: whoever reads its rows may make a statement of them."""
    defaults = ", ".join(column.default for column in relation.columns if column.default and not column.generated)
    if defaults and relation.kind == "table" and named_together(defaults.encode(), schema.names):
        message = f"the defaults of {relation.schema}.{relation.name} are the names of the table and of the column"
        yield Gap(relation.span, AS_VALUES, message, relation.name)


def _effect(item: SchemaObject, schema: Schema) -> tuple[bool, str]:
    """Whether an object gates, and what PostgreSQL does to it."""
    if item.kind not in _TAKEN_ALONG:
        return True, _REFUSED
    if item.identifies:
        return True, _IDENTIFIES
    needed = {use.column[0] for use in item.uses if use.column in schema.watch.columns}
    if needed and item.kind in ("index", "constraint", "statistics") and item.relation not in needed:
        return True, _REFUSED  # another table's: a foreign key, a field of a column that holds rows of this one
    others = {use.column for use in item.uses if use.column not in schema.watch.columns}
    others -= {(item.references, n) for n in item.referenced} if isinstance(item, Constraint) else set()
    if not others or item.kind == "grant":
        return False, _ALONE
    return (True, _SILENT) if _holds_for_others(item, schema) else (schema.shared_gates, _SHARED)


def _holds_for_others(item: SchemaObject, schema: Schema) -> bool:
    """Whether an object says something that is still worth saying without the column.

    A primary key identifies the rows, whatever it is made of. Other columns stay unique where this one is no part of
    the key, but payload or condition. Of anything else nothing is left that makes sense without the column.
    """
    unique = (isinstance(item, Index) and item.unique) or (
        isinstance(item, Constraint) and item.type in ("unique", "exclude")
    )
    if isinstance(item, Constraint) and item.type == "primary key":
        return True
    keys = item.columns if isinstance(item, Index | Constraint) else ()
    of_key = any((item.relation, attnum) in schema.watch.columns for attnum in keys)
    return unique and not of_key and 0 not in keys


def _symbol(item: SchemaObject, catalog: Catalog) -> str:
    relation = catalog.relations.get(item.relation)
    return f"{item.name} on {relation.name}" if relation else item.name


def _function(function: Function, schema: Schema) -> Iterator[Found]:
    """A function: PostgreSQL tracks the columns of an SQL-standard body and knows nothing of a string."""
    symbol = f"{function.schema}.{function.name}"
    for span, watched in _uses(function, schema):
        message = f"function {symbol} needs {{target}}: {_REFUSED}"
        advice = "replace the function in a migration before the column goes"
        yield _reference(watched, Access.DEPEND, span, "function", symbol, True, message, advice)
    unread = function.body is None and not function.atomic and function.language not in ("c", "internal")
    if unread and schema.names.in_text(function.definition.encode()):
        message = f"function {symbol} names the column or its table in {function.language}, which is not read"
        yield Gap(function.span, "foreign-language", message, symbol)
    if named_together(function.definition.encode(), schema.names):
        message = f"the names of the table and of the column are defaults of {symbol}'s arguments"
        yield Gap(function.span, AS_VALUES, message, symbol)
    yield from analyze_function(function, schema)


def _reference(
    watched: Watched, access: Access, span: Span, kind: str, symbol: str, gating: bool, message: str, advice: str = ""
) -> Reference:
    text = message.format(target=watched.target) + (f", through {watched.via}" if watched.via else "")
    return Reference(watched.target, access, gating, span, kind, symbol, text, advice)
