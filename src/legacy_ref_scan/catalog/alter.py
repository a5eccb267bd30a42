"""ALTER TABLE, one handler for each kind of command; columns go down to the children as in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from legacy_ref_scan.catalog import columns, constraints, notnull, objects, partitions, settings
from legacy_ref_scan.catalog.copying import copy_check, matching
from legacy_ref_scan.catalog.dependents import column_item, drop, object_item
from legacy_ref_scan.catalog.state import columns_used, key_of
from legacy_ref_scan.catalog.statement import Statement
from legacy_ref_scan.catalog.typenames import type_name
from legacy_ref_scan.schema import ASSUMED, Column, Constraint, Index, Relation
from legacy_ref_scan.sql.tree import Node

Handler = Callable[[Statement, int, Node], None]


def alter_table(statement: Statement) -> None:
    """ALTER TABLE, VIEW, MATERIALIZED VIEW, FOREIGN TABLE, SEQUENCE with a list of commands."""
    node = statement.node
    if node.has("kw_index"):
        _attach_index(statement)
        return
    if node.has("kw_tablespace"):
        return  # ALTER TABLE ALL IN TABLESPACE: no column is concerned
    relation = statement.relation(node)
    if relation is None:
        return
    oid = relation.oid
    partition = node.child("partition_cmd")
    if partition is not None:
        _partition(statement, oid, partition)
    commands = sorted(_commands(node), key=_pass)
    _each(statement, oid, [c for c in commands if _pass(c) < _OTHERS])
    _add_constraints(statement, oid, commands)
    _each(statement, oid, [c for c in commands if _pass(c) == _OTHERS])


def _each(statement: Statement, oid: int, commands: list[Node]) -> None:
    for command in commands:
        handler = _handler(command)
        if handler is None:
            statement.gap(command, "catalog-unknown-statement", "this form of ALTER TABLE is not known here")
        else:
            handler(statement, oid, command)


def _attach_index(statement: Statement) -> None:
    """ALTER INDEX … ATTACH PARTITION; the other forms concern no column."""
    command = next(statement.node.find("partition_cmd", "index_partition_cmd"), None)
    above = statement.qualified(statement.node.child("qualified_name"))
    below = statement.qualified(command.first("qualified_name")) if command else None
    parent, child = (statement.state.index(name) if name else None for name in (above, below))
    if parent is not None and child is not None:
        statement.state.put(replace(child, cloned_from=key_of(parent)))


def _pass(command: Node) -> int:
    """PostgreSQL works in passes (AlterTablePass): what goes, new types, new columns, and only then the rest."""
    words = [child.type for child in command.children]
    default = command.child("alter_column_default")
    if "kw_drop" in words or (default and default.has("kw_drop")):
        return 0
    if "kw_type" in words:
        return 1
    return 2 if words[0] == "kw_add" else _OTHERS


_OTHERS = 3


def _commands(node: Node) -> Iterator[Node]:
    for group in node.all("alter_table_cmds"):
        yield from group.all("alter_table_cmd")


def _handler(command: Node) -> Handler | None:
    words = [child.type for child in command.children]
    if words[0] == "kw_add":
        return _nothing if "TableConstraint" in words else _add_column
    if words[0] == "kw_drop":
        return _drop_constraint if words[1] == "kw_constraint" else _drop_column
    if words[0] == "kw_alter":
        return None if words[1] == "ERROR" else (_alter_constraint if words[1] == "kw_constraint" else _alter_column)
    if words[:2] == ["kw_no", "kw_inherit"]:
        return _no_inherit
    if words[0] in ("kw_inherit", "kw_of"):
        return _inherit
    if words[:2] == ["kw_not", "kw_of"]:
        return _not_of
    if words[0] == "kw_replica":
        return _replica_identity
    return _nothing if words[0] in _HARMLESS else None


# Commands after which every column, constraint and trigger is as before.
_HARMLESS = frozenset(
    {
        "kw_owner", "kw_set", "kw_reset", "kw_enable", "kw_disable", "kw_validate", "kw_cluster", "kw_force",
        "kw_no", "alter_generic_options",
    }
)  # fmt: skip


def _nothing(statement: Statement, oid: int, command: Node) -> None:
    return None


def _replica_identity(statement: Statement, oid: int, command: Node) -> None:
    """REPLICA IDENTITY USING INDEX names an index or the key that has it; every other form takes that back."""
    named = command.first("name")
    for item in list(statement.state.of(oid)):
        chosen = named is not None and item.kind in ("index", "constraint") and item.name == statement.name(named)
        if chosen != item.identifies:
            statement.state.change(item, identifies=chosen)


def _family(statement: Statement, oid: int) -> list[int]:
    """The relation and its descendants, unless ONLY is said."""
    if statement.says("kw_only"):
        return [oid]
    return [oid, *(relation.oid for relation in statement.state.descendants(oid))]


def _add_column(statement: Statement, oid: int, command: Node) -> None:
    definition = command.child("columnDef")
    name = definition.child("ColId") if definition else None
    if definition is None or name is None:
        statement.gap(command, "catalog-unparsed", "ADD COLUMN without a column")
        return
    relation = statement.state.relations[oid]
    old = relation.column(statement.name(name))
    if old is not None and relation.kind == ASSUMED:  # the target's, which was taken to be there: here is how it began
        statement.state.change_relation(oid, columns=tuple(item for item in relation.columns if item is not old))
    elif old is not None:
        _present(statement, oid, name, old, command.has("kw_if") or statement.guarded)
        return
    columns.add(statement, oid, definition)
    statement.added.add(definition.start)
    columns.add_generated(statement, oid, definition)
    made = statement.state.relations[oid].column(statement.name(name))
    for child in statement.state.descendants(oid):
        if made is not None and child.column(made.name) is None:
            added = replace(made, local=False, not_null=False, required=None)
            statement.state.add_column(child.oid, added)
            columns.add_generated(statement, child.oid, definition)
    if made is not None and made.required is not None:
        notnull.require(statement.state, oid, made.name)  # once more, for the children


def _present(statement: Statement, oid: int, name: Node, old: Column, expected: bool) -> None:
    """The column is there: certain from now on if it was not, else an error in PostgreSQL."""
    if old.maybe and not statement.maybe:
        statement.state.change_column(oid, old.attnum, maybe=False)
    elif not statement.maybe and not expected:
        statement.gap(name, "catalog-duplicate", f'column "{old.name}" exists already')


def _drop_column(statement: Statement, oid: int, command: Node) -> None:
    name = command.child("ColId")
    relation = statement.state.relations[oid]
    column = relation.column(statement.name(name)) if name else None
    if name is None or column is None:
        if name is not None and not command.has("kw_if"):
            statement.unknown_column(name, relation, statement.name(name))
        return
    items = [column_item(oid, column.attnum)]
    for child in _lost_with(statement, oid, column.name):
        items.append(child)
    drop(statement, command, items, _cascade(command))


def _lost_with(statement: Statement, oid: int, name: str) -> Iterator:  # type: ignore[type-arg]
    """The inherited columns that go when a parent's column goes: not declared locally, and of no other parent."""
    state = statement.state
    gone = {oid}
    if statement.says("kw_only"):
        for child in state.children(oid):
            kept = child.column(name)
            if kept is not None:
                state.change_column(child.oid, kept.attnum, local=True)
        return
    for child in state.descendants(oid):
        column = child.column(name)
        others = [p for p in child.parents if p not in gone and p in state.relations]
        if column is None or column.local or any(state.relations[p].column(name) for p in others):
            continue
        gone.add(child.oid)
        yield column_item(child.oid, column.attnum)


def _cascade(node: Node) -> bool:
    behavior = node.child("opt_drop_behavior")
    return behavior is not None and behavior.has("kw_cascade")


def _alter_column(statement: Statement, oid: int, command: Node) -> None:
    name = command.child("ColId")
    relation = statement.state.relations[oid]
    column = relation.column(statement.name(name)) if name else None
    if name is None or column is None:
        if name is not None:
            statement.unknown_column(name, relation, statement.name(name))
        return
    if relation.kind in ("view", "matview") and command.child("alter_column_default") is None:
        return
    before = relation.columns
    _change_family(statement, oid, column, command)
    if statement.maybe and statement.state.relations[oid].columns != before:
        message = f'column "{column.name}" is changed under a condition that is not known'
        statement.gap(name, "catalog-conditional", message)


def _change_family(statement: Statement, oid: int, column: Column, command: Node) -> None:
    if _not_null(statement, oid, column, command):
        return
    # only partitions share the identity of their table, and its sequence
    alone = _of_identity(command) and not statement.state.relations[oid].partitioned
    for member in [oid] if alone else _family(statement, oid):
        own = statement.state.relations[member].column(column.name)
        if own is not None:
            _change_column(statement, member, own, command)
    changed = statement.state.relations[oid].by_attnum(column.attnum)
    if changed is not None and changed.identity and not column.identity:
        columns.new_sequence(statement, statement.state.relations[oid], changed, command)


def _of_identity(command: Node) -> bool:
    words = {child.type for child in command.children}
    return bool(words & {"kw_generated", "kw_identity", "alter_identity_column_option_list"})


def _not_null(statement: Statement, oid: int, column: Column, command: Node) -> bool:
    words = [child.type for child in command.children][-3:]
    only = statement.says("kw_only")
    if words == ["kw_set", "kw_not", "kw_null"]:
        notnull.require(statement.state, oid, column.name, only=only)
    elif words == ["kw_drop", "kw_not", "kw_null"]:
        notnull.release(statement.state, oid, column.name, only=only)
    else:
        return False
    return True


def _change_column(statement: Statement, oid: int, column: Column, command: Node) -> None:
    words = [child.type for child in command.children if child.type not in ("opt_column", "ColId", "kw_alter")]
    default = command.child("alter_column_default")
    typed = command.child("Typename")
    state = statement.state

    def change(**fields: object) -> None:
        state.change_column(oid, column.attnum, **fields)

    if default is not None:
        value = default.child("a_expr")
        text = columns.default_text(statement, value, column.type) if default.has("kw_set") else None
        change(default=text, remarks=columns.remarked(column, "default", statement.span(default) if text else None))
    elif typed is not None:
        _change_type(statement, oid, column, command, typed)
    elif words[:2] == ["kw_add", "kw_generated"]:
        always = command.first("kw_always") is not None
        change(identity="always" if always else "by default")
    elif words[:2] == ["kw_drop", "kw_identity"]:
        if column.identity:
            change(identity="")
            _drop_sequence(statement, oid, column)
    elif words[:2] == ["kw_drop", "kw_expression"]:
        change(generated="", default=None)
        expression = state.object("generated", oid, column.name)
        if expression is not None:
            state.remove(expression)
    elif words[:2] == ["kw_set", "kw_expression"]:
        change(default=statement.raw(command.all("a_expr")[0]))
        columns.enter_generated(statement, oid, column.name, command)
    elif words[:1] == ["alter_identity_column_option_list"]:
        if command.first("kw_generated") is not None:
            change(identity="always" if command.first("kw_always") is not None else "by default")
        settings.change_options(statement, columns.sequence_of(state, oid, column), command)


def _change_type(statement: Statement, oid: int, column: Column, command: Node, typed: Node) -> None:
    name = type_name(statement.state, statement.tree.text, typed.start, typed.end).name
    collation = command.child("opt_collate_clause")
    named = statement.qualified(collation.child("any_name")) if collation else None
    statement.state.change_column(oid, column.attnum, type=name, collation=named.name if named else "")
    _rebuild_indexes(statement, oid, column.attnum)


def _rebuild_indexes(statement: Statement, oid: int, attnum: int) -> None:
    """A new type makes the indexes anew, with the names that the columns have now."""
    state = statement.state
    names = {column.attnum: column.name for column in state.relations[oid].columns}
    for item in state.of(oid):
        if isinstance(item, Index | Constraint) and attnum in columns_used(item, oid) and item.attributes:
            included = item.include if isinstance(item, Index) else ()
            numbers = (*item.columns, *included)
            fresh = [names.get(n, old) for n, old in zip(numbers, item.attributes, strict=False)]
            made = state.change(item, attributes=(*fresh, *item.attributes[len(fresh) :]))
            if isinstance(made, Index) and 0 in made.columns:
                made = state.put(replace(made, columns=objects.columns_again(statement, made)))
            partitions.complete(state, made)


def _drop_sequence(statement: Statement, oid: int, column: Column) -> None:
    state = statement.state
    owned = [
        relation.oid
        for relation in state.relations.values()
        if relation.kind == "sequence" and any(use.column == (oid, column.attnum) for use in relation.uses)
    ]
    for sequence in owned:
        state.remove_relation(sequence)


def _add_constraints(statement: Statement, oid: int, commands: list[Node]) -> None:
    """The constraints that the commands add, inline ones too; they may be about columns that came later."""
    groups = []
    for command in commands:
        table, column = command.child("TableConstraint"), command.child("columnDef")
        if table is not None:
            clause = constraints.table_clause(statement, table)
            groups.append([clause] if clause is not None else [])
        elif column is not None and column.start in statement.added:
            name = column.child("ColId")
            groups.append(constraints.inline_clauses(statement, name, column.child("ColQualList")) if name else [])
    constraints.add_groups(statement, oid, groups)
    if groups:
        for child in _family(statement, oid)[1:]:
            copy_check(statement, statement.state.relations[oid], child)


def _alter_constraint(statement: Statement, oid: int, command: Node) -> None:
    """ALTER CONSTRAINT: only [NO] INHERIT, which NOT NULL alone can have, changes what the catalog holds."""
    words = {child.type for child in command.walk()}
    name = command.child("name")
    column = notnull.named(statement.state.relations[oid], statement.name(name)) if name else None
    if column is not None and "kw_inherit" in words:
        notnull.set_heritable(statement.state, oid, column, "kw_no" not in words)


def _drop_constraint(statement: Statement, oid: int, command: Node) -> None:
    node = command.child("name")
    if node is None:
        return
    name = statement.name(node)
    state = statement.state
    item = state.object("constraint", oid, name)
    if item is None:
        column = notnull.named(state.relations[oid], name)
        if column is not None:
            notnull.release(state, oid, column.name, only=statement.says("kw_only"))
        # before PostgreSQL 18 these constraints had no names
        elif not (command.has("kw_if") or statement.lenient) and not name.endswith("_not_null"):
            statement.gap(node, "catalog-unknown-object", f'constraint "{name}" is not in the catalog')
        return
    items = [object_item(state, item)]
    # of constraints, children inherit CHECK only
    for child in _family(statement, oid)[1:] if getattr(item, "type", "") == "check" else ():
        inherited = state.object("constraint", child, name)
        if inherited is not None:
            items.append(object_item(state, inherited))
    drop(statement, command, items, _cascade(command))


def _inherit(statement: Statement, oid: int, command: Node) -> None:
    parent = statement.relation(command)
    if parent is not None:
        adopt(statement, parent, oid)


def adopt(statement: Statement, parent: Relation, oid: int) -> None:
    """Make a relation a child; its columns stay declared locally, but not those of a partition."""
    relation = statement.state.relations[oid]
    if parent.oid not in relation.parents:
        columns = relation.columns
        if parent.partitioned:
            # a partition declares nothing of its own, and has the identity columns of its table
            always = {column.name: column.identity for column in parent.columns}
            columns = tuple(replace(c, local=False, identity=always.get(c.name, "")) for c in columns)
        statement.state.change_relation(oid, parents=(*relation.parents, parent.oid), columns=columns)
        notnull.joined(statement.state, oid, parent)


def _no_inherit(statement: Statement, oid: int, command: Node) -> None:
    parent = statement.relation(command)
    if parent is not None:
        disown(statement, parent, oid)


def disown(statement: Statement, parent: Relation, oid: int) -> None:
    """Make a relation no child any more; the columns become its own."""
    state = statement.state
    relation = state.relations[oid]
    rest = tuple(p for p in relation.parents if p != parent.oid)
    kept = {c.name for p in rest if p in state.relations for c in state.relations[p].columns}
    free = {number for number in matching(parent, relation).values() if number} - {
        c.attnum for c in relation.columns if c.name in kept
    }
    notnull.parted(state, oid, parent)
    columns = state.relations[oid].columns
    state.change_relation(
        oid, parents=rest, columns=tuple(replace(c, local=True) if c.attnum in free else c for c in columns)
    )
    if parent.partitioned:
        state.change_relation(oid, columns=tuple(replace(c, identity="") for c in state.relations[oid].columns))


def _not_of(statement: Statement, oid: int, command: Node) -> None:
    for parent in statement.state.relations[oid].parents:
        disown(statement, statement.state.relations[parent], oid)


def _partition(statement: Statement, oid: int, command: Node) -> None:
    child = statement.relation(command)
    if child is None:
        return
    if command.has("kw_attach"):
        adopt(statement, statement.state.relations[oid], child.oid)
        partitions.equip(statement.state, statement.state.relations[oid], child.oid, attached=True)
    elif command.has("kw_detach"):
        partitions.part(statement.state, statement.state.relations[oid], child.oid)
        disown(statement, statement.state.relations[oid], child.oid)
