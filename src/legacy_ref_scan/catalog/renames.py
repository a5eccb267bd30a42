"""ALTER … RENAME and ALTER … SET SCHEMA, for every kind of object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from legacy_ref_scan.catalog import notnull, sequences
from legacy_ref_scan.catalog.functions import signed
from legacy_ref_scan.catalog.names import Name
from legacy_ref_scan.catalog.rewriting import rename_column, rename_column_in, rename_object, rename_table
from legacy_ref_scan.catalog.state import State, key_of
from legacy_ref_scan.catalog.statement import Statement
from legacy_ref_scan.catalog.typenames import shown
from legacy_ref_scan.catalog.types import renamed_type
from legacy_ref_scan.schema import Function, Relation, SchemaObject
from legacy_ref_scan.sql.tree import Node

_RELATIONS = frozenset({"kw_table", "kw_view", "kw_materialized", "kw_foreign", "kw_index", "kw_sequence"})
_ROUTINES = frozenset({"kw_function", "kw_procedure", "kw_routine"})


def rename(statement: Statement) -> None:
    """ALTER … RENAME."""
    node = statement.node
    what = node.children[1].type
    if what in _RELATIONS:
        _rename_in_relation(statement)
    elif what in _ROUTINES:
        _each_function(statement, lambda f: replace(f, name=statement.name(node.all("name")[-1])))
    elif what in _OTHERS:
        _OTHERS[what](statement)


def _rename_in_relation(statement: Statement) -> None:
    node = statement.node
    names = node.all("name")
    target = node.first("qualified_name")
    name = statement.qualified(target)
    relation = statement.state.relation(name)
    if name is not None and relation is None and node.has("kw_index", "kw_table"):
        index = statement.state.index(name)
        if index is not None:
            _rename_object(statement, index, statement.name(names[-1]))
            return
    if relation is None:
        if target is not None and not statement.lenient:
            statement.gap(target, "catalog-unknown-relation", f'relation "{name}" is not in the catalog')
    elif node.has("kw_constraint"):
        _rename_named(statement, "constraint", relation, names)
    elif len(names) == 2:
        _rename_column(statement, relation, names[0], statement.name(names[1]))
    else:
        _rename_relation(statement, relation, statement.name(names[0]))


def _rename_relation(statement: Statement, relation: Relation, new: str) -> None:
    state, old = statement.state, relation.name
    if statement.maybe:
        message = f'relation "{old}" is renamed under a condition that is not known'
        statement.gap(statement.node, "catalog-conditional", message)
    shown_before = shown(state, relation.schema, old)
    columns = sequences.callers(state, relation) if relation.kind == "sequence" else []
    sequences.follow(state, columns, state.change_relation(relation.oid, name=new))
    _mend_table_name(state, relation.oid, old, new)
    _rename_type_entry(state, relation, relation.schema, new)
    renamed_type(statement, shown_before, shown(state, relation.schema, new))


def _mend_table_name(state: State, oid: int, old: str, new: str) -> None:
    for item in list(state.objects.values()):
        if item.relation == oid or oid in item.depends:
            state.put(replace(item, definition=rename_table(item.definition, old, new)))


def _rename_type_entry(state: State, relation: Relation, schema: str, name: str) -> None:
    kind = state.types.pop((relation.schema, relation.name), None)
    if kind is not None:
        state.types[schema, name] = replace(kind, schema=schema, name=name)


def _rename_column(statement: Statement, relation: Relation, node: Node, new: str) -> None:
    old = statement.name(node)
    if relation.column(old) is None:
        if not (statement.guarded or statement.lenient):
            statement.unknown_column(node, relation, old)
        return
    state = statement.state
    for oid in (relation.oid, *(child.oid for child in state.descendants(relation.oid))):
        column = state.relations[oid].column(old)
        if column is None:
            continue
        state.change_column(oid, column.attnum, name=new, maybe=column.maybe or statement.maybe)
        if statement.maybe:
            state.add_column(oid, replace(column, maybe=True))
        _mend_column_name(state, oid, column.attnum, old, new)


def _mend_column_name(state: State, oid: int, attnum: int, old: str, new: str) -> None:
    for item in list(state.objects.values()):
        own = item.kind == "generated" and item.relation == oid and item.name == old
        if own or any(use.column == (oid, attnum) for use in item.uses):
            mended = rename_column(item, oid, old, new)
            name = new if own else item.name.replace(f"({old})", f"({new})") if item.kind == "grant" else item.name
            state.change(item, **_changed(item, mended), name=name)
            column = state.relations[item.relation].column(item.name) if item.kind == "generated" else None
            if column is not None and column.default is not None:
                default = rename_column_in(column.default, old, new)
                state.change_column(item.relation, column.attnum, default=default)


def _changed(before: SchemaObject, after: SchemaObject) -> dict[str, str]:
    fields = {"definition": after.definition}
    if hasattr(after, "predicate"):
        fields["predicate"] = after.predicate
    return fields


def _rename_named(statement: Statement, kind: str, relation: Relation, names: list[Node]) -> None:
    item = statement.state.object(kind, relation.oid, statement.name(names[0]))
    if item is not None:
        _rename_object(statement, item, statement.name(names[-1]))
        for child in statement.state.descendants(relation.oid) if getattr(item, "type", "") == "check" else ():
            inherited = statement.state.object(kind, child.oid, item.name)
            if inherited is not None:
                _rename_object(statement, inherited, statement.name(names[-1]))
    elif kind == "constraint" and notnull.rename(
        statement.state, relation.oid, statement.name(names[0]), statement.name(names[-1])
    ):
        return
    elif not (statement.lenient or statement.name(names[0]).endswith("_not_null")):
        message = f'{kind} "{statement.name(names[0])}" of "{relation.name}" is not in the catalog'
        statement.gap(names[0], "catalog-unknown-object", message)


def _rename_object(statement: Statement, item: SchemaObject, new: str) -> None:
    for clone in statement.state.clones(item) if item.kind == "trigger" else ():
        _rename_object(statement, clone, new)
    item = statement.state.objects[key_of(item)]
    statement.state.change(item, name=new, definition=rename_object(item.definition, item.name, new))


def _on_table(kind: str) -> Callable[[Statement], None]:
    def rename_on_table(statement: Statement) -> None:
        relation = statement.relation(statement.node)
        if relation is not None:
            _rename_named(statement, kind, relation, statement.node.all("name"))

    return rename_on_table


def _rename_type(statement: Statement) -> None:
    """ALTER TYPE or DOMAIN … RENAME TO, RENAME ATTRIBUTE, RENAME CONSTRAINT."""
    node, state = statement.node, statement.state
    names = node.all("name")
    if node.has("kw_constraint"):
        return
    named = node.child("any_name")
    name = statement.qualified(named)
    relation = state.relation(name)
    if relation is not None and node.has("kw_attribute"):
        _rename_column(statement, relation, names[0], statement.name(names[1]))
    elif relation is not None:
        _rename_relation(statement, relation, statement.name(names[0]))
    else:
        kind = state.type(name) if name else None
        if kind is None:
            if named is not None and not statement.lenient:
                statement.gap(named, "catalog-unknown-type", f'type "{name}" is not in the catalog')
            return
        new = statement.name(names[0])
        del state.types[kind.schema, kind.name]
        state.types[kind.schema, new] = replace(kind, name=new)
        renamed_type(statement, shown(state, kind.schema, kind.name), shown(state, kind.schema, new))


def _rename_schema(statement: Statement) -> None:
    old, new = (statement.name(name) for name in statement.node.all("name"))
    state = statement.state
    state.schemas.discard(old)
    state.schemas.add(new)
    for relation in [r for r in state.relations.values() if r.schema == old]:
        _move_relation(statement, relation, new)
    for function in [f for f in state.functions.values() if f.schema == old]:
        del state.functions[function.signature]
        state.put_function(replace(function, schema=new))
    for kind in [t for t in state.types.values() if t.schema == old]:
        _move_type(statement, kind.name, old, new)
    for item in [o for o in state.objects.values() if o.kind == "statistics" and o.schema == old]:
        state.change(item, schema=new)


def _free(statement: Statement, kind: str, name: Name | None) -> list[SchemaObject]:
    """The statistics, or the publication with its tables, of a name."""
    if name is None:
        return []
    found = [item for item in statement.state.objects.values() if item.kind == kind and item.name == name.name]
    schemas = [name.schema] if name.schema else [s for s in statement.state.search_path if kind == "statistics"]
    first = next((s for s in schemas if any(item.schema == s for item in found)), "")
    return [item for item in found if item.schema == first]


def _rename_free(kind: str) -> Callable[[Statement], None]:
    def rename_free(statement: Statement) -> None:
        names = statement.node.all("name", "any_name")
        for item in _free(statement, kind, statement.qualified(names[0])):
            _rename_object(statement, item, statement.name(names[-1]))

    return rename_free


_OTHERS: dict[str, Callable[[Statement], None]] = {
    "kw_type": _rename_type,
    "kw_domain": _rename_type,
    "kw_trigger": _on_table("trigger"),
    "kw_policy": _on_table("policy"),
    "kw_rule": _on_table("rule"),
    "kw_schema": _rename_schema,
    "kw_statistics": _rename_free("statistics"),
    "kw_publication": _rename_free("publication"),
}


def _each_function(statement: Statement, change: Callable[[Function], Function]) -> None:
    node = statement.node.first("function_with_argtypes")
    found = signed(statement, node) if node else []
    if not found and node is not None:
        message = f'function "{statement.raw(node)}" is not in the catalog'
        statement.gap(node, "catalog-unknown-object", message)
    for function in found:
        changed = change(function)
        del statement.state.functions[function.signature]
        statement.state.put_function(changed)
        _mend_triggers(statement.state, function, changed)


def _mend_triggers(state: State, old: Function, new: Function) -> None:
    for item in list(state.objects.values()):
        if item.kind == "trigger" and getattr(item, "function", None) == (old.schema, old.name):
            definition = rename_object(item.definition, old.name, new.name)
            state.change(item, function=(new.schema, new.name), definition=definition)


def set_schema(statement: Statement) -> None:
    """ALTER … SET SCHEMA."""
    node, state = statement.node, statement.state
    what = node.children[1].type
    schema = statement.name(node.all("name")[-1])
    state.schemas.add(schema)
    if what in _ROUTINES:
        _each_function(statement, lambda f: replace(f, schema=schema))
    elif what in ("kw_type", "kw_domain"):
        name = statement.qualified(node.child("any_name"))
        kind = state.type(name) if name else None
        relation = state.relation(name)
        if relation is not None:
            _move_relation(statement, relation, schema)
        elif kind is not None:
            _move_type(statement, kind.name, kind.schema, schema)
    elif what in _RELATIONS:
        relation = statement.relation(node)
        if relation is not None:
            _move_relation(statement, relation, schema)
    elif what == "kw_statistics":
        for item in _free(statement, "statistics", statement.qualified(node.child("any_name"))):
            state.change(item, schema=schema)


def _move_relation(statement: Statement, relation: Relation, schema: str) -> None:
    """Its indexes, constraints and owned sequences move along."""
    state = statement.state
    before, after = (shown(state, s, relation.name) for s in (relation.schema, schema))
    _rename_type_entry(state, relation, schema, relation.name)
    if relation.kind == "sequence":
        _move_sequence(state, relation, schema)
    else:
        state.change_relation(relation.oid, schema=schema)
    for item in state.of(relation.oid):
        if item.kind != "statistics" and item.schema:
            state.change(item, schema=schema)
    for other in list(state.relations.values()):
        if other.kind == "sequence" and any(use.column[0] == relation.oid for use in other.uses):
            _move_sequence(state, other, schema)
    renamed_type(statement, before, after)


def _move_sequence(state: State, sequence: Relation, schema: str) -> None:
    columns = sequences.callers(state, sequence)
    sequences.follow(state, columns, state.change_relation(sequence.oid, schema=schema))


def _move_type(statement: Statement, name: str, old: str, new: str) -> None:
    state = statement.state
    kind = state.types.pop((old, name))
    state.types[new, name] = replace(kind, schema=new)
    renamed_type(statement, shown(state, old, name), shown(state, new, name))
