"""CREATE TABLE in its forms: plain, LIKE, INHERITS, PARTITION OF, OF type, AS query, foreign."""

from __future__ import annotations

from dataclasses import replace

from legacy_ref_scan.catalog import columns, constraints, notnull, partitions
from legacy_ref_scan.catalog.constraints import Clause
from legacy_ref_scan.catalog.copying import copy_check, copy_like, copy_objects, like_options
from legacy_ref_scan.catalog.exprtypes import collatable
from legacy_ref_scan.catalog.names import Name
from legacy_ref_scan.catalog.statement import Statement
from legacy_ref_scan.catalog.typenames import beneath
from legacy_ref_scan.schema import Column, Relation, SchemaObject
from legacy_ref_scan.sql.results import OutputColumn
from legacy_ref_scan.sql.tree import Node


def start(statement: Statement, node: Node | None, kind: str) -> Relation | None:
    """Enter an empty relation under the name at `node`; None where one is there already."""
    name = statement.qualified(node)
    if name is None:
        statement.gap(statement.node, "catalog-unparsed", "a relation without a name")
        return None
    state = statement.state
    temporary = _temporary(statement.node)
    schema = "pg_temp" if temporary else name.schema or state.creation_schema()
    old = state.names.get((schema, name.name))
    if old is not None:
        _again(statement, state.relations[old], name)
        return None
    state.schemas.add(schema)
    relation = Relation(
        oid=state.new_oid(),
        schema=schema,
        name=name.name,
        kind=kind,
        span=statement.text.span(name.start, name.end),
        definition=statement.written,
        temporary=temporary,
        maybe=statement.maybe,
    )
    return state.put_relation(relation)


def _is_there(statement: Statement, node: Node | None) -> bool:
    name = statement.qualified(node)
    schema = "pg_temp" if _temporary(statement.node) else (name and name.schema) or statement.state.creation_schema()
    return name is not None and (schema, name.name) in statement.state.names


def _again(statement: Statement, old: Relation, name: Name) -> None:
    """The relation is there already: that is what IF NOT EXISTS and guards are for."""
    if_not_exists = statement.node.has("kw_if") or statement.guarded
    if old.maybe and not statement.maybe:
        statement.state.change_relation(old.oid, maybe=False)
    elif not if_not_exists and not statement.maybe:
        node = Node("name", name.start, name.end)
        statement.gap(node, "catalog-duplicate", f'relation "{name}" exists already')


def _temporary(node: Node) -> bool:
    words = node.first("OptTemp", "OptTempTableName")
    return words is not None and words.has("kw_temp", "kw_temporary")


def create_table(statement: Statement) -> None:
    """CREATE TABLE, and CREATE FOREIGN TABLE, which differs in name only."""
    node = statement.node
    kind = "foreign" if node.type == "CreateForeignTableStmt" else "table"
    names = node.all("qualified_name")
    # looked up before the table is there: it may have the name of one further along the search path
    there = _is_there(statement, names[0] if names else None)
    parents = _parents(statement, names[1:]) if not there else []
    likes = list(node.find("TableLikeClause")) if statement.says("TableLikeClause") else []
    sources = {like.start: statement.relation(like) for like in likes if not there}
    relation = start(statement, names[0] if names else None, kind)
    if relation is None:
        return
    oid = relation.oid
    written = statement.written if kind == "foreign" else ""
    statement.state.change_relation(oid, parents=tuple(p.oid for p in parents), definition=written)
    for parent in parents:
        if parent.kind == "composite":
            _row_type(statement, oid, parent)
            continue
        inherit_columns(statement, oid, parent)
    clauses = _elements(statement, oid, sources)
    for parent in parents:
        copy_check(statement, parent, oid)
        copy_objects(statement, parent, oid, ("generated",))
        if parent.partitioned:
            partitions.equip(statement.state, parent, oid, attached=False)
    constraints.add_all(statement, oid, clauses)
    for parent in parents:
        notnull.inherit(statement.state, oid, parent)
    for definition in node.find("columnDef"):
        columns.add_generated(statement, oid, definition)
    for like in likes:
        copy_like(statement, oid, like, sources[like.start])
    _partition_key(statement, oid)


def _parents(statement: Statement, names: list[Node]) -> list[Relation]:
    """The parents of INHERITS and PARTITION OF, and the row type of OF."""
    node = statement.node
    inherit = node.child("OptInherit")
    listed = [*names, *(inherit.find("qualified_name") if inherit else ()), *node.all("any_name")]
    return [parent for parent in (statement.relation(name) for name in listed) if parent is not None]


def _row_type(statement: Statement, oid: int, kind: Relation) -> None:
    """OF type: the columns are the table's own."""
    for column in kind.columns:
        statement.state.add_column(oid, replace(column, comment="", maybe=column.maybe or statement.maybe))


def inherit_columns(statement: Statement, oid: int, parent: Relation) -> None:
    """Give a relation the columns of a parent that it does not have yet."""
    state = statement.state
    for column in parent.columns:
        own = state.relations[oid].column(column.name)
        if own is None:
            # identity goes to partitions, not to other children
            identity = column.identity if parent.partitioned else ""
            maybe = column.maybe or statement.maybe
            state.add_column(oid, _heirloom(column, identity, maybe))


def _heirloom(column: Column, identity: str, maybe: bool) -> Column:
    """A parent's column as a child gets it."""
    return replace(
        column, local=False, comment="", identity=identity, maybe=maybe, not_null=False, required=None, remarks=()
    )


def _elements(statement: Statement, oid: int, sources: dict[int, Relation | None]) -> list[Clause]:
    """Add the columns of the element list in order; the constraint clauses are returned."""
    clauses: list[Clause] = []
    for element in statement.node.find("TableElement", "TypedTableElement"):
        for node in element.children:
            if node.type == "columnDef":
                clauses.extend(columns.add(statement, oid, node))
            elif node.type == "columnOptions":
                clauses.extend(_options(statement, oid, node))
            elif node.type == "TableLikeClause":
                _like_columns(statement, oid, node, sources[node.start])
            elif node.type == "TableConstraint":
                clause = constraints.table_clause(statement, node)
                if clause is not None and clause.type:
                    clauses.append(clause)
                elif clause is not None and "kw_not" in clause.words:
                    constraints.add_not_null(statement, oid, clause)
    return clauses


def _options(statement: Statement, oid: int, node: Node) -> list[Clause]:
    """`c WITH OPTIONS …` of a typed table or a partition."""
    name = node.child("ColId")
    column = statement.state.relations[oid].column(statement.name(name)) if name else None
    if name is None or column is None:
        return []
    qualifiers = node.child("ColQualList")
    changed = columns.with_qualifiers(statement, column, qualifiers)
    statement.state.change_column(oid, column.attnum, default=changed.default)
    if changed.required is not None:
        required = changed.required
        notnull.require(statement.state, oid, column.name, required.name, heritable=required.heritable)
    return constraints.inline_clauses(statement, name, qualifiers)


def _like_columns(statement: Statement, oid: int, node: Node, source: Relation | None) -> None:
    options = like_options(node)
    for column in source.columns if source else ():
        copied = Column(
            attnum=0,
            name=column.name,
            type=column.type,
            not_null=column.not_null,
            required=replace(column.required, local=True) if column.required else None,
            collation=column.collation,
            span=statement.span(node),
            maybe=column.maybe or statement.maybe,
            default=_like_default(column, options),
            generated=column.generated if "generated" in options else "",
            identity=column.identity if "identity" in options else "",
            comment=column.comment if "comments" in options else "",
        )
        added = statement.state.add_column(oid, copied)
        if added.identity:
            columns.new_sequence(statement, statement.state.relations[oid], added)


def _like_default(column: Column, options: set[str]) -> str | None:
    wanted = "generated" if column.generated else "defaults"
    return column.default if wanted in options else None


def _partition_key(statement: Statement, oid: int) -> None:
    spec = statement.node.first("PartitionSpec") if statement.says("PartitionSpec") else None
    if spec is None:
        return
    relation = statement.state.change_relation(oid, partitioned=True)
    elements = list(spec.find("part_elem"))
    _, uses = statement.column_uses([n for e in elements for n in e.all("ColId")], relation)
    needs = statement.needs_in([n for e in elements for n in e.all("a_expr", "func_expr_windowless")], relation)
    statement.state.put(
        SchemaObject(
            kind="partition key",
            schema=relation.schema,
            name=relation.name,
            relation=oid,
            span=statement.span(spec),
            definition=statement.written,
            uses=(*uses, *needs.uses),
        )
    )


def create_table_as(statement: Statement) -> None:
    """CREATE TABLE … AS: the columns are those of the query's result now."""
    target = statement.node.child("create_as_target")
    query = statement.node.child("SelectStmt")
    if query is None:
        statement.gap(statement.node, "catalog-unparsed", "the query of CREATE TABLE AS is not known here")
        return
    output = statement.needs_of_query(query).output
    relation = start(statement, target.child("qualified_name") if target else None, "table")
    if relation is not None:
        fill(statement, relation.oid, output, target)


def select_into(statement: Statement) -> None:
    """SELECT … INTO t: a table made of the query's result."""
    into = statement.node.first("into_clause")
    if into is not None:
        output = statement.needs_of_query(statement.node).output
        relation = start(statement, into.first("qualified_name"), "table")
        if relation is not None:
            fill(statement, relation.oid, output, None)


def fill(statement: Statement, oid: int, output: tuple[OutputColumn, ...], names: Node | None) -> Relation:
    """Give a relation the columns of a query's result, renamed by the list at `names`."""
    made = result_columns(statement, output, names)
    columns = tuple(replace(c, sources=frozenset()) for c in made)
    return statement.state.change_relation(oid, columns=columns, last_attnum=len(made))


def _collation(statement: Statement, column: Column) -> str:
    """A column made of others keeps the one collation that these have besides the default (select_common_collation)."""
    columns = (statement.state.relations[oid].by_attnum(attnum) for oid, attnum in column.sources)
    found = {source.collation for source in columns if source is not None} - {""}
    if len(found) != 1 or not collatable(beneath(statement.state, column.type.removesuffix("[]"))):
        return ""
    return found.pop()


def result_columns(statement: Statement, output: tuple[OutputColumn, ...], names: Node | None) -> list[Column]:
    """The columns of a query's result; a shorter list of names renames the first ones."""
    listed = [element.children[0] for element in names.find("columnElem")] if names else []
    made: list[Column] = []
    for number, column in enumerate(output, 1):
        node = listed[number - 1] if number <= len(listed) else None
        result = Column(
            attnum=number,
            name=statement.name(node) if node else column.name,
            type=_result_type(statement, column.type),
            span=statement.span(node or statement.node),
            sources=column.sources,
            maybe=statement.maybe,
        )
        made.append(replace(result, collation=_collation(statement, result)))
    return made


def _result_type(statement: Statement, kind: str) -> str:
    """A row type comes with its schema, which a type's name only has where it is needed."""
    schema, dot, name = kind.partition(".")
    return name if dot and schema in statement.state.default_path else kind
