"""Table constraints: from their clauses, inline or of their own, to named objects of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from legacy_ref_scan.catalog import notnull, partitions
from legacy_ref_scan.catalog.figure import expression_name
from legacy_ref_scan.catalog.names import Name, addition, choose, distinct_names, qualified, quoted
from legacy_ref_scan.catalog.state import State
from legacy_ref_scan.catalog.statement import Needs, Statement
from legacy_ref_scan.model import Access
from legacy_ref_scan.schema import Constraint, Index, Relation, Use
from legacy_ref_scan.sql.tree import Node

_ELEMENTS = ("ConstraintElem", "ColConstraintElem")


@dataclass(frozen=True, slots=True)
class Clause:
    """A constraint clause of a table. `column` is the one that it stands behind, None for a table constraint.

    `attributes` are the DEFERRABLE and such that follow an inline clause.
    """

    node: Node  # ConstraintElem or ColConstraintElem
    name: Name | None = None
    column: Node | None = None
    attributes: str = ""

    @property
    def words(self) -> set[str]:
        """The keywords of the clause."""
        return {child.type for child in self.node.children}

    @property
    def type(self) -> str:
        """The type of constraint; "" for NULL, DEFAULT and the like."""
        for word, kind in _TYPES.items():
            if word in self.words:
                return kind
        return ""


_TYPES = {
    "kw_primary": "primary key",
    "kw_references": "foreign key",
    "kw_unique": "unique",
    "kw_check": "check",
    "kw_exclude": "exclude",
}
# PostgreSQL makes them in this order (transformCreateStmt): CHECK, the primary key, other indexes, foreign keys.
_ORDER = ("check", "primary key", "unique", "exclude", "foreign key")


def table_clause(statement: Statement, node: Node) -> Clause | None:
    """The clause of a `TableConstraint`."""
    element = node.child(*_ELEMENTS)
    return Clause(element, statement.qualified(node.child("name"))) if element else None


def inline_clauses(statement: Statement, column: Node, qualifiers: Node | None) -> list[Clause]:
    """The clauses behind a column, with the attributes that follow each."""
    found: list[Clause] = []
    for node in qualifiers.all("ColConstraint") if qualifiers else ():
        element = node.child(*_ELEMENTS)
        attribute = node.child("ConstraintAttr")
        if element is not None:
            found.append(Clause(element, statement.qualified(node.child("name")), column))
        elif attribute is not None and found:
            found[-1] = replace(found[-1], attributes=f"{found[-1].attributes} {statement.raw(attribute)}")
    return found


def add_all(statement: Statement, oid: int, clauses: list[Clause]) -> None:
    """Add the constraints of CREATE TABLE; equal keys become one."""
    add_groups(statement, oid, [clauses])


def add_groups(statement: Statement, oid: int, groups: list[list[Clause]]) -> None:
    """Add constraints in PostgreSQL's order; of equal keys in one group the first stays."""
    clauses = [clause for group in groups for clause in _merged(statement, _in_order(group))]
    for clause in (c for group in groups for c in group if "kw_not" in c.words and c.node.has("ColId")):
        add_not_null(statement, oid, clause)
    for clause in _in_order(clauses):
        made = _make(statement, statement.state.relations[oid], clause)
        if made is not None:
            _enter(statement, made)


def _in_order(clauses: list[Clause]) -> list[Clause]:
    return sorted((c for c in clauses if c.type), key=lambda clause: _ORDER.index(clause.type))


def _merged(statement: Statement, clauses: list[Clause]) -> list[Clause]:
    """transformIndexConstraints: of two equal keys the first stays, and takes the name if it has none."""
    kept: list[Clause] = []
    for clause in clauses:
        key = _key_of(statement, clause)
        twin = next((i for i, other in enumerate(kept) if key and _key_of(statement, other) == key), None)
        if twin is None:
            kept.append(clause)
        elif kept[twin].name is None:
            kept[twin] = replace(kept[twin], name=clause.name)
    return kept


def _key_of(statement: Statement, clause: Clause) -> tuple[str, ...]:
    """What two keys of one statement have to share to be one; empty for what is no key."""
    if clause.type not in ("primary key", "unique") or clause.node.has("ExistingIndex"):
        return ()
    others = clause.node.all("opt_unique_null_treatment", "opt_c_include", "ConstraintAttributeSpec")
    options = [statement.raw(other).lower() for other in others]
    return (*(statement.name(name) for name in _names(clause)), "", *options, clause.attributes.lower())


def add_not_null(statement: Statement, oid: int, clause: Clause) -> None:
    """`CONSTRAINT x NOT NULL c`."""
    relation = statement.state.relations[oid]
    given = clause.name.name if clause.name else ""
    heritable = not any(
        "kw_inherit" in {c.type for c in e.children} for e in clause.node.find("ConstraintAttributeElem")
    )
    for name in clause.node.all("ColId"):
        if relation.column(statement.name(name)) is None:
            statement.unknown_column(name, relation, statement.name(name))
        notnull.require(statement.state, oid, statement.name(name), given, heritable=heritable)


def _enter(statement: Statement, made: Constraint) -> None:
    state = statement.state
    old = state.object("constraint", made.relation, made.name)
    if old is not None and statement.guarded:
        return
    state.put(made)
    if made.type == "primary key":
        for name in _named(state.relations[made.relation], made.columns):
            notnull.require(state, made.relation, name)
    if not statement.says("kw_only"):
        partitions.spread(state, made)


def _make(statement: Statement, relation: Relation, clause: Clause) -> Constraint | None:
    maker = _MAKERS[clause.type]
    made = maker(statement, relation, clause)
    if made is None:
        return None
    body = _body(statement, clause, relation, made)
    definition = f"ALTER TABLE {qualified(relation.schema, relation.name)} ADD CONSTRAINT {quoted(made.name)} {body}"
    return replace(made, definition=definition)


def _body(statement: Statement, clause: Clause, relation: Relation, made: Constraint) -> str:
    written = statement.raw(clause.node)
    if clause.node.has("ExistingIndex"):
        return f"{clause.type.upper()} ({', '.join(quoted(name) for name in _named(relation, made.columns))})"
    if clause.column is None or clause.type == "check":
        return written + clause.attributes
    column = quoted(statement.name(clause.column))
    if clause.type == "foreign key":
        return f"FOREIGN KEY ({column}) {written}{clause.attributes}"
    nulls = clause.node.child("opt_unique_null_treatment")
    last = nulls or clause.node.child("kw_unique", "kw_key") or clause.node
    rest = statement.text.data[last.end : clause.node.end].decode("utf-8", "replace")
    treatment = f" {statement.raw(nulls)}" if nulls else ""
    return f"{clause.type.upper()}{treatment} ({column}){rest}{clause.attributes}"


def _names(clause: Clause) -> list[Node]:
    """The column names of a key: inline, or the list (a period at its end too)."""
    if clause.column is not None:
        return [clause.column]
    own = clause.node.all("columnList", "optionalPeriodName")
    return [node.children[0] for group in own for node in group.find("columnElem")]


def _named(relations: Relation, attnums: tuple[int, ...]) -> list[str]:
    by_number = {column.attnum: column.name for column in relations.columns}
    return [by_number[attnum] for attnum in attnums if attnum in by_number]


def _free(state: State, relation: Relation) -> Callable[[str], bool]:
    return lambda name: state.constraint_name_taken(relation.schema, name)


def _free_index(state: State, relation: Relation) -> Callable[[str], bool]:
    schema = relation.schema
    return lambda name: state.index_name_taken(schema, name, key=True)


def _constraint(statement: Statement, relation: Relation, clause: Clause, name: str, needs: Needs) -> Constraint:
    return Constraint(
        schema=relation.schema,
        name=clause.name.name if clause.name else name,
        relation=relation.oid,
        span=statement.text.span(clause.name.start, clause.name.end) if clause.name else statement.span(clause.node),
        uses=needs.uses,
        depends=needs.depends - {relation.oid},
        type=clause.type,
    )


def _check(statement: Statement, relation: Relation, clause: Clause) -> Constraint:
    needs = statement.needs_in(clause.node.all("a_expr"), relation)
    attnums = sorted({use.column[1] for use in needs.uses if use.column[0] == relation.oid})
    names = _named(relation, tuple(attnums))
    name = choose(relation.name, names[0] if len(names) == 1 else "", "check", _free(statement.state, relation))
    return replace(_constraint(statement, relation, clause, name, needs), columns=tuple(attnums))


def _key(statement: Statement, relation: Relation, clause: Clause) -> Constraint | None:
    existing = clause.node.child("ExistingIndex")
    if existing is not None:
        return _using_index(statement, relation, clause, existing)
    attnums, uses = statement.column_uses(_names(clause), relation)
    payload = [node.children[0] for group in clause.node.all("opt_c_include") for node in group.find("columnElem")]
    included, more = statement.column_uses(payload, relation)
    attributes = distinct_names(_named(relation, attnums + included))
    second, label = ("", "pkey") if clause.type == "primary key" else (addition(attributes), "key")
    name = choose(relation.name, second, label, _free_index(statement.state, relation))
    made = _constraint(statement, relation, clause, name, Needs((*uses, *more)))
    return replace(made, columns=attnums, include=included, attributes=tuple(attributes))


def _using_index(statement: Statement, relation: Relation, clause: Clause, node: Node) -> Constraint | None:
    name = statement.qualified(node.child("name"))
    index = statement.state.object("index", relation.oid, name.name) if name else None
    if name is None or not isinstance(index, Index):
        statement.gap(node, "catalog-unknown-object", f'index "{name}" is not in the catalog')
        return None
    statement.state.remove(index)
    made = _constraint(statement, relation, clause, index.name, Needs(index.uses))
    return replace(made, columns=index.columns, include=index.include, attributes=index.attributes)


def _exclude(statement: Statement, relation: Relation, clause: Clause) -> Constraint:
    elements = list(clause.node.find("index_elem"))
    plain = [element.children[0] if element.has("ColId") else None for element in elements]
    attnums, uses = statement.column_uses([node for node in plain if node], relation)
    where = [e for group in clause.node.all("OptWhereClause") for e in group.all("a_expr")]
    needs = statement.needs_in([*(e for e in elements if not e.has("ColId")), *where], relation)
    names = distinct_names(expression_name(statement, element) for element in elements)
    name = choose(relation.name, addition(names), "excl", _free_index(statement.state, relation))
    made = _constraint(statement, relation, clause, name, Needs((*uses, *needs.uses), needs.depends))
    return replace(made, columns=attnums, attributes=tuple(names))


def _foreign(statement: Statement, relation: Relation, clause: Clause) -> Constraint | None:
    attnums, uses = statement.column_uses(_names(clause), relation)
    name = choose(relation.name, addition(_named(relation, attnums)), "fkey", _free(statement.state, relation))
    target = statement.relation(clause.node.child("qualified_name"))
    if target is None:
        made = _constraint(statement, relation, clause, name, Needs(uses))
        return replace(made, columns=attnums)
    targets = clause.node.child("opt_column_list", "opt_column_and_period_list")
    listed = [node.children[0] for node in targets.find("columnElem")] if targets else []
    referenced, more = statement.column_uses(listed, target)
    if not targets:
        referenced, more = _primary_key(statement, target, clause)
    made = _constraint(statement, relation, clause, name, Needs((*uses, *more), frozenset({target.oid})))
    return replace(made, columns=attnums, references=target.oid, referenced=referenced)


def _primary_key(statement: Statement, target: Relation, clause: Clause) -> tuple[tuple[int, ...], tuple[Use, ...]]:
    """`REFERENCES t` without columns means the primary key of t."""
    keys = (c for c in statement.state.of(target.oid) if isinstance(c, Constraint) and c.type == "primary key")
    key = next(keys, None)
    node = clause.node.child("qualified_name")
    if key is None or node is None:
        return (), ()
    span = statement.span(node)
    return key.columns, tuple(Use((target.oid, attnum), Access.READ, span) for attnum in key.columns)


_MAKERS: dict[str, Callable[[Statement, Relation, Clause], Constraint | None]] = {
    "check": _check,
    "primary key": _key,
    "unique": _key,
    "exclude": _exclude,
    "foreign key": _foreign,
}
