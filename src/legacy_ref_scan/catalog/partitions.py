"""Indexes, keys, triggers and foreign keys of partitioned tables: every partition has its own of each.

PostgreSQL's rules: DefineIndex and AttachPartitionEnsureIndexes, CloneRowTriggersToPartition,
CloneForeignKeyConstraints (src/backend/commands/indexcmds.c and tablecmds.c).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from legacy_ref_scan.catalog.copying import KEYS, clone_index, moved
from legacy_ref_scan.catalog.names import addition, choose
from legacy_ref_scan.catalog.rewriting import rename_object
from legacy_ref_scan.catalog.state import State, key_of
from legacy_ref_scan.schema import Constraint, Index, Relation, SchemaObject, Trigger
from legacy_ref_scan.sql.lexer import name_of, words
from legacy_ref_scan.sql.tree import parse

Shape = tuple[object, ...]


def equip(state: State, parent: Relation, oid: int, attached: bool) -> None:
    """Give a partition what its parent has. `attached`: what the table had before serves where it fits."""
    for wanted in (_is_index, _is_row_trigger, _is_foreign_key):
        for item in state.of(parent.oid):
            if wanted(item):
                _equip(state, item, parent, oid, attached)


def spread(state: State, item: SchemaObject) -> None:
    """Give the partitions what their parent has got now."""
    relation = state.relations[item.relation]
    if not relation.partitioned or not (_is_index(item) or _is_row_trigger(item) or _is_foreign_key(item)):
        return
    for child in state.children(relation.oid):
        _equip(state, item, relation, child.oid, attached=True)


def complete(state: State, item: SchemaObject) -> None:
    """Give the partitions without it an index that was for ONLY its table: made anew, it is for all of them."""
    relation = state.relations[item.relation]
    served = {clone.relation for clone in state.clones(item)}
    for child in state.children(relation.oid) if relation.partitioned and _is_index(item) else ():
        if child.oid not in served:
            _equip(state, item, relation, child.oid, attached=True)


def part(state: State, parent: Relation, oid: int) -> None:
    """After DETACH the indexes and keys stand on their own; the triggers go."""
    for item in state.of(oid):
        if item.cloned_from is None or item.cloned_from[2] != parent.oid:
            continue
        if item.kind == "trigger":
            _remove_all(state, item)
        else:
            state.put(replace(item, cloned_from=None))


def _remove_all(state: State, item: SchemaObject) -> None:
    for clone in state.clones(item):
        _remove_all(state, clone)
    state.remove(item)


def _is_index(item: SchemaObject) -> bool:
    return isinstance(item, Index) or (isinstance(item, Constraint) and item.type in KEYS)


def _is_row_trigger(item: SchemaObject) -> bool:
    return isinstance(item, Trigger) and item.row_level


def _is_foreign_key(item: SchemaObject) -> bool:
    return isinstance(item, Constraint) and item.type == "foreign key"


def _equip(state: State, item: SchemaObject, parent: Relation, oid: int, attached: bool) -> None:
    target = state.relations[oid]
    fitting = _fitting(state, item, parent, target) if attached else None
    if fitting is not None:
        state.put(replace(fitting, cloned_from=key_of(item)))
        return
    match item:
        case Constraint(type="foreign key"):
            made = state.put(_foreign_key(state, item, parent, target))
        case Constraint() | Index():
            made = state.put(replace(clone_index(state, item, parent, target), cloned_from=key_of(item)))
        case _:
            made = state.put(replace(moved(item, parent, target), cloned_from=key_of(item)))
    spread(state, made)


def _foreign_key(state: State, item: Constraint, parent: Relation, target: Relation) -> Constraint:
    copied = moved(item, parent, target)
    assert isinstance(copied, Constraint)
    name = item.name
    if state.object("constraint", target.oid, name) is not None:
        columns = {column.attnum: column.name for column in target.columns}
        second = addition(columns[attnum] for attnum in copied.columns if attnum in columns)
        name = choose(target.name, second, "fkey", lambda n: state.constraint_name_taken(target.schema, n))
    definition = rename_object(copied.definition, item.name, name)
    return replace(copied, name=name, definition=definition, cloned_from=key_of(item))


def _fitting(state: State, item: SchemaObject, parent: Relation, target: Relation) -> SchemaObject | None:
    """What the table has already and nobody else claims; triggers are never taken over."""
    if item.kind == "trigger":
        return None
    wanted = _shape(item, parent)
    for own in state.of(target.oid):
        free = own.cloned_from is None and own.kind in ("index", "constraint")
        if free and _same_kind(item, own) and _shape(own, target) == wanted:
            return own
    return None


def _same_kind(item: SchemaObject, own: SchemaObject) -> bool:
    """An index of the parent may claim the index of a key; a key wants a key of its type."""
    if isinstance(item, Constraint):
        return isinstance(own, Constraint) and own.type == item.type and item.type != "exclude"
    return _is_index(own)


def _shape(item: SchemaObject, relation: Relation) -> Shape:
    """What two indexes or foreign keys have to share (CompareIndexInfo, tryAttachPartitionForeignKey)."""
    names = {column.attnum: column.name for column in relation.columns}
    match item:
        case Constraint(type="foreign key"):
            columns = tuple(names.get(n, "") for n in item.columns)
            options = _folded(item.definition.partition(" REFERENCES ")[2])
            return (columns, item.references, item.referenced, tuple(w for w in options if w in _ACTIONS))
        case Constraint():
            nulls = "not distinct" in item.definition.lower()
            columns = tuple(names.get(n, "") for n in item.columns)
            plain = tuple((column,) for column in columns)
            return (True, "btree", columns, tuple(names.get(n, "") for n in item.include), nulls, plain, ())
        case Index():
            columns = tuple(names.get(n, "") for n in item.columns)
            nulls = "not distinct" in item.definition.lower()
            include = tuple(names.get(n, "") for n in item.include)
            return (item.unique, item.method, columns, include, nulls, *_expressions(item))
    return ()


_ACTIONS = frozenset({"cascade", "null", "default", "restrict", "update", "delete", "full", "deferrable", "deferred"})
_ORDER = frozenset({"asc", "desc", "nulls", "first", "last"})


def _expressions(item: Index) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """The elements and the predicate as folded words, without the order, which is not compared."""
    tree = parse(item.definition.encode())
    elements = (
        tree.raw(e).decode("utf-8", "replace") for g in tree.root.find("index_params") for e in g.all("index_elem")
    )
    return tuple(tuple(w for w in _folded(e) if w not in _ORDER) for e in elements), tuple(_folded(item.predicate))


def _folded(text: str) -> Iterable[str]:
    data = text.encode()
    return [
        name_of(data[token.start : token.end]) for token in words(data) if data[token.start : token.end] not in b"()"
    ]
