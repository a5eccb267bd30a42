"""What hangs on a table: indexes, triggers, policies, rules, statistics, publications."""

from __future__ import annotations

from dataclasses import replace

from legacy_ref_scan.catalog import partitions
from legacy_ref_scan.catalog.figure import expression_name
from legacy_ref_scan.catalog.names import addition, choose, distinct_names, quoted
from legacy_ref_scan.catalog.statement import Statement
from legacy_ref_scan.catalog.typenames import type_name
from legacy_ref_scan.schema import Index, Needed, Policy, Relation, SchemaObject, Trigger, Use
from legacy_ref_scan.sql.tree import Node, parse

# What an element of an index can be, besides a plain column.
_EXPRESSIONS = ("a_expr", "func_expr_windowless")


def create_index(statement: Statement) -> None:
    """CREATE INDEX."""
    node = statement.node
    table = node.child("relation_expr")
    relation = statement.relation(table)
    if relation is None or table is None:
        return
    elements = [e for group in node.all("index_params") for e in group.all("index_elem")]
    payload = [e for group in node.all("opt_include") for e in group.find("index_elem")]
    columns, uses = _elements(statement, relation, elements)
    include, more = _elements(statement, relation, payload)
    where = node.child("where_clause")
    condition = where.child("a_expr") if where else None
    needs = statement.needs_in([condition] if condition else [], relation)
    named = node.child("name", "opt_single_name")
    attributes = tuple(distinct_names(expression_name(statement, element) for element in [*elements, *payload]))
    name = statement.name(named) if named else _default_name(statement, relation, attributes)
    if named is not None and _is_taken(statement, relation, named):
        return
    method = node.child("access_method_clause")
    method_name = method.child("name") if method else None
    made = statement.state.put(
        Index(
            schema=relation.schema,
            name=name,
            relation=relation.oid,
            span=statement.span(named or table),
            definition=_index_definition(statement, name, named),
            uses=(*uses, *more, *needs.uses),
            depends=needs.depends - {relation.oid},
            columns=columns,
            include=include,
            unique=node.has("opt_unique"),
            method=statement.name(method_name) if method_name else "btree",
            predicate=statement.raw(condition) if condition else "",
            attributes=attributes,
        )
    )
    if table.first("kw_only") is None:
        partitions.spread(statement.state, made)


def _is_taken(statement: Statement, relation: Relation, named: Node) -> bool:
    """Whether a relation of that name is there already, which without IF NOT EXISTS is an error in PostgreSQL."""
    name = statement.name(named)
    taken = statement.state.relation_name_taken(relation.schema, name)
    if taken and not (statement.node.has("kw_if") or statement.guarded or statement.maybe):
        statement.gap(named, "catalog-duplicate", f'relation "{name}" exists already')
    return taken


def _elements(statement: Statement, relation: Relation, nodes: list[Node]) -> tuple[tuple[int, ...], tuple[Use, ...]]:
    attnums: list[int] = []
    uses: list[Use] = []
    for element in nodes:
        plain = element.child("ColId") or _bare_column(statement, relation, element)
        if plain is not None:
            numbers, found = statement.column_uses([plain], relation)
            attnums.extend(numbers or (0,))
        else:
            found = statement.needs_in(element.all(*_EXPRESSIONS), relation).uses
            attnums.append(0)
        uses.extend(found)
    return tuple(attnums), tuple(uses)


def columns_again(statement: Statement, index: Index) -> tuple[int, ...]:
    """The key columns of an index whose columns have other types now: a cast to the own type is the plain column."""
    relation = statement.state.relations[index.relation]
    tree = parse(index.definition.encode())
    inside = replace(statement, tree=tree, node=tree.root)
    elements = (e for group in tree.root.find("index_params") for e in group.all("index_elem"))
    plain = [
        _bare_column(inside, relation, element) if not number else None
        for element, number in zip(elements, index.columns, strict=False)
    ]
    names = [relation.column(inside.name(node)) if node is not None else None for node in plain]
    return tuple(c.attnum if c is not None else n for c, n in zip(names, index.columns, strict=False))


def _bare_column(statement: Statement, relation: Relation, element: Node) -> Node | None:
    """`((c))`, `((c COLLATE x))`, a cast to the column's own type: kept as the plain column (ComputeIndexAttrs)."""
    expression = element.child("a_expr")
    parts = [part for part in expression.children if part.type not in ("(", ")")] if expression else []
    if not parts or parts[0].type != "columnref" or len(parts[0].children) != 1:
        return None
    rest = [part.type for part in parts[1:]]
    name = parts[0].child("ColId")
    if name is not None and rest == ["::", "Typename"]:
        column = relation.column(statement.name(name))
        kind = type_name(statement.state, statement.tree.text, parts[2].start, parts[2].end).name
        return name if column is not None and column.type == kind else None
    return name if rest in ([], ["kw_collate", "any_name"]) else None


def _default_name(statement: Statement, relation: Relation, names: tuple[str, ...]) -> str:
    taken = statement.state.relation_name_taken
    return choose(relation.name, addition(names), "idx", lambda name: taken(relation.schema, name))


def _index_definition(statement: Statement, name: str, named: Node | None) -> str:
    """The statement as written, with the name that PostgreSQL chose where it had none."""
    if named is not None:
        return statement.written
    on = statement.node.child("kw_on")
    at = on.start - statement.node.start if on else 0
    data = statement.tree.raw(statement.node)
    return (data[:at] + quoted(name).encode() + b" " + data[at:]).decode("utf-8", "replace")


def create_trigger(statement: Statement) -> None:
    """CREATE [OR REPLACE] [CONSTRAINT] TRIGGER."""
    node = statement.node
    name, called = node.child("name"), node.child("func_name")
    relation = statement.relation(node.child("qualified_name"))
    if relation is None or name is None or called is None:
        return
    columns, uses = _update_of(statement, relation)
    rows = {"new": relation, "old": relation}
    when = node.child("TriggerWhen")
    needs = statement.needs_in(when.all("a_expr") if when else [], _nothing(relation), extra=rows)
    old_table, new_table = _transition_tables(statement)
    timing = node.child("TriggerActionTime") or node
    words = {child.type for child in timing.children}
    old = statement.state.object("trigger", relation.oid, statement.name(name))
    made = statement.state.put(
        Trigger(
            schema=relation.schema,
            name=statement.name(name),
            relation=relation.oid,
            span=statement.span(name),
            definition=statement.written,
            comment=old.comment if old else "",
            uses=(*uses, *needs.uses),
            depends=needs.depends - {relation.oid},
            function=_function(statement, called),
            timing="before" if "kw_before" in words else "after" if "kw_after" in words else "instead of",
            events=_events(node),
            update_of=columns,
            row_level=_row_level(node),
            old_table=old_table,
            new_table=new_table,
        )
    )
    partitions.spread(statement.state, made)


def _nothing(relation: Relation) -> Relation:
    """A relation without columns: in WHEN, columns are reached through NEW and OLD only."""
    return replace(relation, columns=())


def _update_of(statement: Statement, relation: Relation) -> tuple[tuple[int, ...], tuple[Use, ...]]:
    listed = [e.children[0] for event in statement.node.find("TriggerOneEvent") for e in event.find("columnElem")]
    return statement.column_uses(listed, relation)


def _events(node: Node) -> tuple[str, ...]:
    found = (event.children[0].type.removeprefix("kw_") for event in node.find("TriggerOneEvent"))
    return tuple(dict.fromkeys(found))


def _row_level(node: Node) -> bool:
    each = node.child("TriggerForSpec") or node
    return any(child.type == "kw_row" for group in (each, *each.all("TriggerForType")) for child in group.children)


def _transition_tables(statement: Statement) -> tuple[str, str]:
    tables = {"kw_old": "", "kw_new": ""}
    for transition in statement.node.find("TriggerTransition"):
        which, name = transition.child("TransitionOldOrNew"), transition.child("TransitionRelName")
        if which is not None and name is not None:
            tables[which.children[0].type] = statement.name(name)
    return tables["kw_old"], tables["kw_new"]


def _function(statement: Statement, node: Node) -> tuple[str, str]:
    name = statement.qualified(node)
    assert name is not None
    known = statement.state.named_functions(name)
    return (known[0].schema if known else name.schema or "", name.name)


_POLICY_CLAUSES = ("RowSecurityOptionalExpr", "RowSecurityOptionalWithCheck")


def create_policy(statement: Statement) -> None:
    """CREATE POLICY."""
    node = statement.node
    name = node.child("name")
    relation = statement.relation(node.child("qualified_name"))
    if relation is None or name is None:
        return
    made = Policy(
        schema=relation.schema,
        name=statement.name(name),
        relation=relation.oid,
        span=statement.span(name),
        definition=statement.written,
    )
    statement.state.put(_with_clauses(statement, relation, made))


def _with_clauses(statement: Statement, relation: Relation, policy: Policy) -> Policy:
    """The policy with what the clauses that are said need."""
    said = [_policy_needs(statement, relation, clause) for clause in _POLICY_CLAUSES]
    using, check = said[0] or policy.using, said[1] or policy.check
    uses, depends = (*using.uses, *check.uses), using.depends | check.depends
    return replace(policy, using=using, check=check, uses=uses, depends=depends)


def _policy_needs(statement: Statement, relation: Relation, kind: str) -> Needed | None:
    clause = statement.node.child(kind)
    if clause is None:
        return None
    needs = statement.needs_in(clause.all("a_expr"), relation)
    return Needed(needs.uses, needs.depends - {relation.oid})


def alter_policy(statement: Statement) -> None:
    """ALTER POLICY: a clause that is given replaces the one of its kind."""
    node = statement.node
    name = node.child("name")
    relation = statement.relation(node.child("qualified_name"))
    policy = statement.state.object("policy", relation.oid, statement.name(name)) if relation and name else None
    if relation is None or not isinstance(policy, Policy):
        if relation is not None and name is not None:
            statement.gap(name, "catalog-unknown-object", f'policy "{statement.name(name)}" is not in the catalog')
        return
    if node.has(*_POLICY_CLAUSES):
        changed = replace(policy, definition=_new_policy(policy.definition, statement))
        statement.state.put(_with_clauses(statement, relation, changed))


def _new_policy(definition: str, statement: Statement) -> str:
    """The definition with the clauses that ALTER POLICY gives in place of its own."""
    tree = parse(definition.encode())
    text = definition.encode()
    for kind in reversed(_POLICY_CLAUSES):
        new = statement.node.child(kind)
        old = tree.root.first(kind)
        if new is not None:
            start, end = (old.start, old.end) if old else (len(text), len(text))
            text = text[:start] + (b"" if old else b" ") + statement.tree.raw(new) + text[end:]
    return text.decode("utf-8", "replace")


def create_rule(statement: Statement) -> None:
    """CREATE RULE. `ON SELECT` rules make a view of a table; PostgreSQL 16 refuses them."""
    node = statement.node
    name = node.child("name")
    relation = statement.relation(node.child("qualified_name"))
    if relation is None or name is None:
        return
    needs = statement.needs_of_query(node)
    old = statement.state.object("rule", relation.oid, statement.name(name))
    statement.state.put(
        SchemaObject(
            kind="rule",
            schema=relation.schema,
            name=statement.name(name),
            relation=relation.oid,
            span=statement.span(name),
            definition=statement.written,
            comment=old.comment if old else "",
            uses=needs.uses,
            depends=needs.depends - {relation.oid},
        )
    )
