"""What a table takes over from another one: LIKE … INCLUDING, and what children inherit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from legacy_ref_scan.catalog import notnull
from legacy_ref_scan.catalog.names import addition, choose, distinct_names, qualified
from legacy_ref_scan.catalog.rewriting import move_table, rename_object
from legacy_ref_scan.catalog.state import State
from legacy_ref_scan.catalog.statement import Statement
from legacy_ref_scan.schema import Constraint, Index, Relation, SchemaObject, Trigger, Use
from legacy_ref_scan.sql.lexer import name_of
from legacy_ref_scan.sql.tree import Node, parse


def matching(source: Relation, target: Relation) -> dict[int, int]:
    """Attnums of one relation to those of another, by name."""
    numbers = {column.name: column.attnum for column in target.columns}
    return {c.attnum: numbers[c.name] for c in source.columns if c.name in numbers}


def moved(item: SchemaObject, source: Relation, target: Relation) -> SchemaObject:
    """The object as one of another relation, whose columns have the same names."""
    numbers = matching(source, target)

    def number(use: Use) -> Use:
        oid, attnum = use.column
        return replace(use, column=(target.oid, numbers.get(attnum, attnum))) if oid == source.oid else use

    # a foreign key to its own table: what it refers to stays
    own = len(item.columns) if isinstance(item, Constraint) and item.type == "foreign key" else len(item.uses)
    copied = replace(
        item,
        relation=target.oid,
        schema=target.schema if item.schema else "",
        uses=(*(number(use) for use in item.uses[:own]), *item.uses[own:]),
        definition=move_table(item.definition, source.name, qualified(target.schema, target.name)),
        comment="",
        cloned_from=None,
    )
    match copied:
        case Constraint() | Index():
            include = tuple(numbers.get(a, a) for a in copied.include)
            return replace(copied, columns=tuple(numbers.get(a, a) for a in copied.columns), include=include)
        case Trigger():
            return replace(copied, update_of=tuple(numbers.get(a, a) for a in copied.update_of))
    return copied


def copy_objects(statement: Statement, source: Relation, oid: int, kinds: Iterable[str]) -> None:
    """Copy the objects of these kinds that the target does not have, names kept."""
    state = statement.state
    target = state.relations[oid]
    for item in state.of(source.oid):
        if item.kind in kinds and state.object(item.kind, oid, item.name) is None:
            state.put(moved(item, source, target))


def copy_check(statement: Statement, source: Relation, oid: int) -> None:
    """Children inherit CHECK constraints, unless they say NO INHERIT."""
    state = statement.state
    for item in state.of(source.oid):
        if not isinstance(item, Constraint) or item.type != "check" or _no_inherit(item):
            continue
        if state.object("constraint", oid, item.name) is None:
            state.put(moved(item, source, state.relations[oid]))


def _no_inherit(item: Constraint) -> bool:
    return item.definition.upper().rstrip().endswith("NO INHERIT")


def like_options(node: Node) -> set[str]:
    """What a LIKE clause includes."""
    options: set[str] = set()
    including = True
    for child in (c for group in node.all("TableLikeOptionList") for c in group.children):
        if child.type in ("kw_including", "kw_excluding"):
            including = child.type == "kw_including"
            continue
        words = {word.type.removeprefix("kw_") for word in child.walk() if word.type.startswith("kw_")}
        named = _LIKE_OPTIONS if "all" in words else words
        options = options | named if including else options - named
    return options


_LIKE_OPTIONS = {"comments", "constraints", "defaults", "generated", "identity", "indexes", "statistics"}


def copy_like(statement: Statement, oid: int, node: Node, source: Relation | None) -> None:
    """What LIKE … INCLUDING copies besides the columns."""
    options = like_options(node)
    if source is None:
        return
    if "generated" in options:
        copy_objects(statement, source, oid, ("generated",))
    if "constraints" in options:
        for item in statement.state.of(source.oid):
            if isinstance(item, Constraint) and item.type == "check":
                comment = item.comment if "comments" in options else ""
                statement.state.put(replace(moved(item, source, statement.state.relations[oid]), comment=comment))
    if "indexes" in options:
        for item in statement.state.of(source.oid):
            if isinstance(item, Index) or (isinstance(item, Constraint) and item.type in KEYS):
                copied = clone_index(statement.state, item, source, statement.state.relations[oid])
                comment = item.comment if "comments" in options and isinstance(item, Index) else ""
                statement.state.put(replace(copied, comment=comment))
                for column in source.columns if copied.name.endswith("pkey") else ():
                    if isinstance(item, Constraint) and item.type == "primary key" and column.attnum in item.columns:
                        notnull.require(statement.state, oid, column.name)
    if "statistics" in options:
        for item in statement.state.of(source.oid):
            if item.kind == "statistics":
                _copy_statistics(statement.state, item, source, statement.state.relations[oid])


KEYS = {"primary key": "pkey", "unique": "key", "exclude": "excl"}


def clone_index(state: State, item: Index | Constraint, source: Relation, target: Relation) -> Index | Constraint:
    """The index or key as the target's: it gets a default name (generateClonedIndexStmt)."""
    copied = moved(item, source, target)
    assert isinstance(copied, Index | Constraint)
    parts = distinct_names(copied.attributes)
    label = KEYS[copied.type] if isinstance(copied, Constraint) else "idx"
    second = "" if label == "pkey" else addition(parts)
    key = isinstance(copied, Constraint)
    name = choose(target.name, second, label, lambda n: state.index_name_taken(target.schema, n, key=key))
    return replace(copied, name=name, definition=rename_object(copied.definition, item.name, name))


def _copy_statistics(state: State, item: SchemaObject, source: Relation, target: Relation) -> None:
    params = [param.child("ColId") for param in parse(item.definition.encode()).root.find("stats_param")]
    data = item.definition.encode()
    named = {name_of(data[node.start : node.end]) for node in params if node is not None}
    # the columns in their order, then the expressions (generateClonedExtStatsStmt)
    used = [column.name for column in source.columns if column.name in named] + ["expr"] * params.count(None)
    name = choose(target.name, addition(used), "stat", lambda n: _statistics_taken(state, target.schema, n))
    copied = moved(item, source, target)
    state.put(replace(copied, name=name, definition=rename_object(copied.definition, item.name, name)))


def _statistics_taken(state: State, schema: str, name: str) -> bool:
    return any(i.kind == "statistics" and i.schema == schema and i.name == name for i in state.objects.values())
