"""The catalog while a migration is applied: dicts that one replay owns, and the look-ups that need their own index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from legacy_ref_scan.catalog.names import Name
from legacy_ref_scan.model import Gap
from legacy_ref_scan.schema import (
    Catalog,
    Column,
    Constraint,
    Function,
    NotNull,
    ObjectKey,
    Relation,
    SchemaObject,
    Type,
)

Signature = tuple[str, str, tuple[str, ...]]
WITH_INDEX = frozenset({"primary key", "unique", "exclude"})


class State:
    """A catalog that can change. It starts as a copy of a `Catalog`, and `catalog` is a view of it as it is now."""

    def __init__(self, catalog: Catalog) -> None:
        self.search_path = catalog.search_path
        self.default_path = catalog.search_path
        self.relations: dict[int, Relation] = dict(catalog.relations)
        self.names: dict[tuple[str, str], int] = dict(catalog.names)
        self.objects: dict[ObjectKey, SchemaObject] = dict(catalog.objects)
        self.functions: dict[Signature, Function] = dict(catalog.functions)
        self.types: dict[tuple[str, str], Type] = dict(catalog.types)
        self.gaps: list[Gap] = list(catalog.gaps)
        self.schemas: set[str] = set(catalog.schemas)
        self.next_oid = catalog.next_oid
        self.follows = False  # whether the file at hand undoes anything, so that its transactions matter
        self.points: list[tuple[str, dict[str, Any]]] = []  # what BEGIN and SAVEPOINT saved
        self._of: dict[int, dict[ObjectKey, None]] = {}
        self._index_names: dict[tuple[str, str], ObjectKey] = {}
        self._constraint_names: dict[tuple[str, str], int] = {}
        self._children: dict[int, list[int]] = {}
        for key, item in self.objects.items():
            self._enter(key, item)
        for relation in self.relations.values():
            self._adopt(relation)
            self._count_names(relation, 1)

    @property
    def catalog(self) -> Catalog:
        """What the resolver sees: a view, which later changes show through."""
        return self._as_catalog(self.search_path, ())

    def freeze(self) -> Catalog:
        """The catalog at the end; this state must not change any more."""
        return self._as_catalog(self.default_path, tuple(self.gaps))

    def _as_catalog(self, search_path: tuple[str, ...], gaps: tuple[Gap, ...]) -> Catalog:
        return Catalog(
            search_path=search_path,
            relations=self.relations,
            names=self.names,
            objects=self.objects,
            functions=self.functions,
            types=self.types,
            gaps=gaps,
            next_oid=self.next_oid,
            schemas=frozenset(self.schemas),
        )

    def save(self) -> dict[str, Any]:
        """What `restore` goes back to."""
        return {name: _copied(value) for name, value in vars(self).items() if name != "points"}

    def go_on_from(self, other: State) -> None:
        """Take over what is no part of a catalog: the session and its transaction."""
        self.search_path, self.follows, self.points = other.search_path, other.follows, other.points

    def restore(self, saved: dict[str, Any]) -> None:
        """Undo every change since `save`; what is saved can be restored once."""
        for name, value in saved.items():
            setattr(self, name, value)

    # Look-ups

    def creation_schema(self) -> str:
        """Where an unqualified name is created: the first schema of the search path that is there."""
        real = [schema for schema in self.search_path if schema not in ("$user", "pg_temp", "pg_catalog")]
        return next((schema for schema in real if schema in self.schemas), real[0] if real else "public")

    def relation(self, name: Name | None) -> Relation | None:
        """The relation of that name along the search path."""
        if name is None:
            return None
        for schema in self._schemas(name):
            oid = self.names.get((schema, name.name))
            if oid is not None:
                return self.relations[oid]
        return None

    def _schemas(self, name: Name) -> tuple[str, ...]:
        return (name.schema,) if name.schema is not None else ("pg_temp", *self.search_path)

    def index(self, name: Name) -> SchemaObject | None:
        """The index, or the constraint that an index stands for, of that name."""
        for schema in self._schemas(name):
            key = self._index_names.get((schema, name.name))
            if key is not None:
                return self.objects[key]
        return None

    def type(self, name: Name) -> Type | None:
        """The enum, domain, range or composite type of that name."""
        for schema in self._schemas(name):
            found = self.types.get((schema, name.name))
            if found is not None:
                return found
        return None

    def named_functions(self, name: Name) -> list[Function]:
        """Every overload of that name in the first schema of the search path that has one."""
        found = self.all_functions(name)
        return [function for function in found if function.schema == found[0].schema]

    def all_functions(self, name: Name) -> list[Function]:
        """Every overload of that name in any schema of the search path, in its order."""
        named = [f for f in self.functions.values() if f.name == name.name]
        return [f for schema in self._schemas(name) for f in named if f.schema == schema]

    def of(self, oid: int) -> list[SchemaObject]:
        """The objects of a relation."""
        return [self.objects[key] for key in self._of.get(oid, ())]

    def object(self, kind: str, oid: int, name: str) -> SchemaObject | None:
        """An object of a relation by its name."""
        return next((item for item in self.of(oid) if item.kind == kind and item.name == name), None)

    def children(self, oid: int) -> list[Relation]:
        """The relations that inherit from one, are its partitions, or have its row type."""
        return [self.relations[child] for child in self._children.get(oid, ())]

    def relation_name_taken(self, schema: str, name: str) -> bool:
        """Tables, views, sequences and indexes share one space of names (pg_class)."""
        return (schema, name) in self.names or (schema, name) in self._index_names

    def constraint_name_taken(self, schema: str, name: str) -> bool:
        """Default names of constraints are chosen to be free in the whole schema."""
        return self._constraint_names.get((schema, name), 0) > 0

    def index_name_taken(self, schema: str, name: str, *, key: bool) -> bool:
        """Default names of indexes; those of keys are free among the constraints too (ChooseRelationName)."""
        return self.relation_name_taken(schema, name) or (key and self.constraint_name_taken(schema, name))

    # Changes

    def new_oid(self) -> int:
        """The next free oid."""
        self.next_oid += 1
        return self.next_oid - 1

    def put_relation(self, relation: Relation) -> Relation:
        """Enter a relation, or replace the one with its oid."""
        before = self.relations.get(relation.oid)
        if before is not None:
            if (before.schema, before.name) != (relation.schema, relation.name):
                self.names.pop((before.schema, before.name), None)
            if before.parents != relation.parents:
                self._orphan(before)
            self._count_names(before, -1)
        self._count_names(relation, 1)
        if before is None or before.parents != relation.parents:
            self._adopt(relation)
        self.relations[relation.oid] = relation
        self.names[relation.schema, relation.name] = relation.oid
        return relation

    def change_relation(self, oid: int, **changes: Any) -> Relation:
        """Replace some fields of a relation."""
        return self.put_relation(replace(self.relations[oid], **changes))

    def remove_relation(self, oid: int) -> None:
        """Take a relation out, without what hangs on it."""
        relation = self.relations.pop(oid)
        self.names.pop((relation.schema, relation.name), None)
        self._orphan(relation)
        self._count_names(relation, -1)
        self._children.pop(oid, None)

    def add_column(self, oid: int, column: Column) -> Column:
        """Append a column; its attnum is the next free one."""
        relation = self.relations[oid]
        numbered = replace(column, attnum=relation.last_attnum + 1)
        self.change_relation(oid, columns=(*relation.columns, numbered), last_attnum=numbered.attnum)
        return numbered

    def change_column(self, oid: int, attnum: int, **changes: Any) -> None:
        """Replace some fields of a column."""
        columns = self.relations[oid].columns
        self.change_relation(oid, columns=tuple(replace(c, **changes) if c.attnum == attnum else c for c in columns))

    def remove_column(self, oid: int, attnum: int) -> None:
        """Take a column out, without what hangs on it."""
        columns = self.relations[oid].columns
        self.change_relation(oid, columns=tuple(c for c in columns if c.attnum != attnum))

    def require(self, oid: int, attnum: int, required: NotNull | None) -> None:
        """Give a column its NOT NULL constraint, or take it away."""
        self.change_column(oid, attnum, not_null=required is not None, required=required)

    def put(self, item: SchemaObject) -> SchemaObject:
        """Enter an object of a relation, or replace the one with its key."""
        key = key_of(item)
        if key in self.objects:
            self._leave(key, self.objects[key])
        self.objects[key] = item
        self._enter(key, item)
        return item

    def remove(self, item: SchemaObject) -> None:
        """Take an object out."""
        key = key_of(item)
        if key in self.objects:
            self._leave(key, self.objects.pop(key))

    def change(self, item: SchemaObject, **changes: Any) -> SchemaObject:
        """Replace some fields of an object, its name too."""
        clones = self.clones(item)
        order = list(self._of[item.relation])
        self.remove(item)
        changed = self.put(replace(item, **changes))
        if key_of(changed) == key_of(item) or changed.relation != item.relation:
            return changed
        for clone in clones:
            self.objects[key_of(clone)] = replace(clone, cloned_from=key_of(changed))
        # what is made for a partition follows the order in which the objects were made
        self._of[item.relation] = {key_of(changed) if key == key_of(item) else key: None for key in order}
        return changed

    def clones(self, item: SchemaObject) -> list[SchemaObject]:
        """The objects of partitions that belong to one of the partitioned table."""
        key = key_of(item)
        return [o for child in self.children(item.relation) for o in self.of(child.oid) if o.cloned_from == key]

    def put_function(self, function: Function) -> None:
        """Enter a function, or replace the one with its signature."""
        self.functions[function.signature] = function

    def _enter(self, key: ObjectKey, item: SchemaObject) -> None:
        self._of.setdefault(item.relation, {})[key] = None
        if has_index(item):
            self._index_names[item.schema, item.name] = key
        if item.kind == "constraint":
            name = (item.schema, item.name)
            self._constraint_names[name] = self._constraint_names.get(name, 0) + 1

    def _leave(self, key: ObjectKey, item: SchemaObject) -> None:
        self._of[item.relation].pop(key, None)
        if has_index(item):
            self._index_names.pop((item.schema, item.name), None)
        if item.kind == "constraint":
            self._constraint_names[item.schema, item.name] -= 1

    def _count_names(self, relation: Relation, number: int) -> None:
        """The names of NOT NULL constraints are taken too."""
        for column in relation.columns:
            if column.required is not None:
                name = (relation.schema, column.required.name)
                self._constraint_names[name] = self._constraint_names.get(name, 0) + number

    def _adopt(self, relation: Relation) -> None:
        for parent in relation.parents:
            self._children.setdefault(parent, []).append(relation.oid)

    def _orphan(self, relation: Relation) -> None:
        for parent in relation.parents:
            if relation.oid in self._children.get(parent, ()):
                self._children[parent].remove(relation.oid)

    def descendants(self, oid: int) -> Iterator[Relation]:
        """Children, their children and so on, parents first."""
        waiting = self.children(oid)
        seen: set[int] = set()
        while waiting:
            relation = waiting.pop(0)
            if relation.oid not in seen:
                seen.add(relation.oid)
                yield relation
                waiting.extend(self.children(relation.oid))


def _copied(value: Any) -> Any:
    match value:
        case dict():
            return {key: _copied(inner) if isinstance(inner, dict | list) else inner for key, inner in value.items()}
        case list() | set():
            return value.copy()
    return value


def key_of(item: SchemaObject) -> ObjectKey:
    """The key of an object in `Catalog.objects`."""
    return (item.kind, item.schema, item.relation, item.name)


def has_index(item: SchemaObject) -> bool:
    """Whether an index of that name exists: the object is one, or a constraint that stands for one."""
    return item.kind == "index" or (isinstance(item, Constraint) and item.type in WITH_INDEX)


def columns_used(item: SchemaObject | Relation | Function, oid: int) -> Iterable[int]:
    """The attnums of a relation's columns that an object needs (0: the whole row)."""
    return {use.column[1] for use in item.uses if use.column[0] == oid}
