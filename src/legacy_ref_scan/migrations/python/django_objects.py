"""What hangs on the columns of a Django model: join tables, keys, indexes and constraints, with Django's names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from legacy_ref_scan.migrations.python.django_columns import (
    column,
    column_type,
    condition,
    expression,
    pattern_operators,
)
from legacy_ref_scan.migrations.python.django_state import (
    Field,
    Key,
    Model,
    Project,
    bare,
    external_table,
    object_name,
    placed,
    quoted,
    truncated,
)
from legacy_ref_scan.migrations.python.sqlalchemy_ddl import NotFollowedError
from legacy_ref_scan.migrations.python.text import Sql, joined, name, sql
from legacy_ref_scan.migrations.python.values import Call, Symbol

Fields = tuple[str, ...]


@dataclass
class Emit:
    """Collects statements; `deferred` are foreign keys to tables that come later in the migration."""

    statements: list[Sql] = field(default_factory=list)
    deferred: list[Sql] = field(default_factory=list)

    def now(self, statement: Sql) -> None:
        """A statement that runs at once."""
        self.statements.append(statement)

    def later(self, statement: Sql) -> None:
        """A statement that runs at the end of the migration."""
        self.deferred.append(statement)


def lines(items: Iterable[Sql]) -> Sql:
    """A list with commas."""
    return joined(", ", items)


def columns_of(model: Model, fields: Iterable[object]) -> Sql:
    """The columns of fields, in a list."""
    return lines(column(model, item) for item in fields if isinstance(item, str))


def _names(model: Model, fields: Iterable[str]) -> list[str]:
    return [str(model.field(item).column) for item in fields]


# A field's own


def around(model: Model, item: Field, project: Project, emit: Emit) -> None:
    """The foreign key, the indexes and the comment of a new column."""
    if item.relation:
        foreign_key(model, item, project, emit)
    _indexes(model, item, project, emit)
    comment = item.call.kwargs.get("db_comment")
    if isinstance(comment, str):
        text = comment.replace("'", "''")
        emit.now(sql("COMMENT ON COLUMN ", quoted(model.table), ".", name(item.column), f" IS '{text}'"))


def foreign_key(model: Model, item: Field, project: Project, emit: Emit) -> None:
    """The constraint of a relation, unless `db_constraint` says that there is none."""
    if item.call.kwargs.get("db_constraint") is False:
        return
    table, key = _referenced(model, item, project, emit)
    called = object_name(model.table, [str(item.column)], f"_fk_{bare(table)}_{key}")
    _run(_foreign_key(model.table, item.column, called, table, key), project.target(model, item), project, emit)


def _foreign_key(table: str, column_: str, called: str, referenced: str, key: str) -> Sql:
    start = sql("ALTER TABLE ", quoted(table), " ADD CONSTRAINT ", name(called), " FOREIGN KEY (", name(column_))
    return sql(start, ") REFERENCES ", quoted(referenced), " (", name(key), ") DEFERRABLE INITIALLY DEFERRED")


def _referenced(model: Model, item: Field, project: Project, emit: Emit) -> tuple[str, str]:
    """Table and column that a relation points to. A table that is not made here is taken to be there, with its key."""
    key = project.target(model, item)
    target = project.models.get(key)
    named = item.call.kwargs.get("to_field")
    if target is None and key[0] in project.apps:
        return truncated(f"{key[0]}_{key[1]}"), str(named or "id")
    if target is None:
        return _external(key, column_type(project, model, item), project, emit), str(named or "id")
    wanted = target.field(named) if isinstance(named, str) else target.key_field
    return str(target.table), str(wanted.column) if wanted is not None else "id"


def _external(key: Key, type_: str, project: Project, emit: Emit) -> str:
    table = external_table(key)
    if table not in project.external:
        project.external.add(table)
        emit.now(sql("CREATE TABLE IF NOT EXISTS ", quoted(table), f' ("id" {type_} NOT NULL PRIMARY KEY)'))
    return table


def _indexes(model: Model, item: Field, project: Project, emit: Emit) -> None:
    columns = [str(item.column)]
    if item.indexed:
        emit.now(_index(model, item, object_name(model.table, columns)))
    operators = pattern_operators(column_type(project, model, item))
    if operators and (item.indexed or item.unique or item.primary_key):
        emit.now(_index(model, item, object_name(model.table, columns, "_like"), f" {operators}"))


def _index(model: Model, item: Field, called: str, operators: str = "") -> Sql:
    return sql("CREATE INDEX ", name(called), " ON ", quoted(model.table), " (", name(item.column), f"{operators})")


def alter_column(model: Model, old: Field, new: Field, old_type: str, project: Project, emit: Emit) -> None:
    """What AlterField changes about a column that stays one."""
    start = sql("ALTER TABLE ", quoted(model.table), " ")
    if old.relation and not _same_relation(old, new):
        _drop_foreign_key(model, old, project, emit)
    if old.column != new.column:
        emit.now(sql(start, "RENAME COLUMN ", name(placed(old.column, new.name)), " TO ", name(new.column)))
    new_type = column_type(project, model, new)
    if new_type != old_type:
        change_type(model, new, new_type, emit)
    if old.null != new.null and not new.primary_key:
        emit.now(sql(start, "ALTER COLUMN ", name(new.column), " DROP NOT NULL" if new.null else " SET NOT NULL"))
    _alter_unique(model, old, new, emit)
    _alter_index(model, old, new, old_type, project, emit)
    if new.relation and not _same_relation(old, new):
        foreign_key(model, new, project, emit)


def _same_relation(old: Field, new: Field) -> bool:
    keys = ("to", "to_field", "db_constraint")
    same = all(
        str(old.call.get(0 if key == "to" else -1, key)).lower()
        == str(new.call.get(0 if key == "to" else -1, key)).lower()
        for key in keys
    )
    return old.relation == new.relation and same


def _drop_foreign_key(model: Model, old: Field, project: Project, emit: Emit) -> None:
    table, key = _referenced(model, old, project, emit)
    called = object_name(model.table, [str(old.column)], f"_fk_{bare(table)}_{key}")
    emit.now(sql("ALTER TABLE ", quoted(model.table), " DROP CONSTRAINT IF EXISTS ", name(called)))


def change_type(model: Model, item: Field, type_: str, emit: Emit) -> None:
    """ALTER COLUMN … TYPE with the cast that Django writes."""
    column_ = name(item.column)
    start = sql("ALTER TABLE ", quoted(model.table), " ALTER COLUMN ", column_)
    emit.now(sql(start, f" TYPE {type_} USING ", column_, f"::{type_}"))


def _alter_unique(model: Model, old: Field, new: Field, emit: Emit) -> None:
    """A column that was unique from the start has PostgreSQL's name for it, else Django's."""
    start = sql("ALTER TABLE ", quoted(model.table))
    called = object_name(model.table, [str(new.column)], "_uniq")
    if old.unique and not new.unique:
        for given in (f"{bare(model.table)}_{old.column}_key", object_name(model.table, [str(old.column)], "_uniq")):
            emit.now(sql(start, " DROP CONSTRAINT IF EXISTS ", name(given)))
    elif new.unique and not old.unique:
        emit.now(sql(start, " ADD CONSTRAINT ", name(called), " UNIQUE (", name(new.column), ")"))


def _alter_index(model: Model, old: Field, new: Field, old_type: str, project: Project, emit: Emit) -> None:
    had, has = old.indexed or old.unique or old.primary_key, new.indexed or new.unique or new.primary_key
    columns = [str(new.column)]
    if old.indexed and not new.indexed:
        emit.now(sql("DROP INDEX IF EXISTS ", name(object_name(model.table, [str(old.column)]))))
    if new.indexed and not old.indexed:
        emit.now(_index(model, new, object_name(model.table, columns)))
    operators, before = pattern_operators(column_type(project, model, new)), pattern_operators(old_type)
    like = object_name(model.table, columns, "_like")
    if before and had and not (operators and has):
        emit.now(sql("DROP INDEX IF EXISTS ", name(object_name(model.table, [str(old.column)], "_like"))))
    if operators and has and not (before and had):
        emit.now(_index(model, new, like, f" {operators}"))


# Relations of many


def join_table(model: Model, item: Field) -> str | None:
    """The table that Django makes for a relation of many; None where there is none, or a model stands for it."""
    if not item.many or item.call.kwargs.get("through") is not None or "ManyToMany" not in item.kind:
        return None
    given = item.call.kwargs.get("db_table")
    if isinstance(given, str):
        return given
    return placed(truncated(f"{model.table.strip(chr(34))}_{item.name}"), item.name)


def join_columns(model: Model, item: Field, project: Project) -> tuple[str, str]:
    """Its columns: the model's key, and the other's."""
    target = project.target(model, item)
    other = target[1]
    if target == model.key:
        return f"from_{other}_id", f"to_{other}_id"
    return f"{model.name.lower()}_id", f"{other}_id"


def create_join_table(model: Model, item: Field, project: Project, emit: Emit) -> None:
    """The table of a relation of many, with its keys and indexes."""
    table = join_table(model, item)
    key = model.key_field
    if table is None or key is None:
        return
    own, other = join_columns(model, item, project)
    # As if the table's columns were fields that point to both models.
    to_other = _pointing(item, item.call.get(0, "to"))
    identity = "bigint" if project.automatic == "BigAutoField" else "integer"
    columns = [
        sql(f'"id" {identity} NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY'),
        sql(name(placed(own, item.name)), f" {column_type(project, model, key)} NOT NULL"),
        sql(name(placed(other, item.name)), f" {column_type(project, model, to_other)} NOT NULL"),
    ]
    emit.now(sql("CREATE TABLE ", quoted(table), " (", lines(columns), ")"))
    start = sql("ALTER TABLE ", quoted(table), " ADD CONSTRAINT ", name(object_name(table, [own, other], "_uniq")))
    emit.now(sql(start, " UNIQUE (", lines([name(own), name(other)]), ")"))
    ends = ((own, str(model.table), str(key.column)), (other, *_referenced(model, to_other, project, emit)))
    for column_, target, target_key in ends:
        if item.call.kwargs.get("db_constraint") is not False:
            called = object_name(table, [column_], f"_fk_{bare(target)}_{target_key}")
            _run(
                _foreign_key(table, column_, called, target, target_key), project.target(model, to_other), project, emit
            )
        index = sql("CREATE INDEX ", name(object_name(table, [column_])), " ON ", quoted(table))
        emit.now(sql(index, " (", name(column_), ")"))


def _pointing(item: Field, to: object) -> Field:
    return Field(item.name, Call(Symbol("ForeignKey"), (), {"to": to}, item.call.span))


def _run(statement: Sql, target: Key, project: Project, emit: Emit) -> None:
    """A foreign key at once, or where its table is one that the migration makes later, at the end."""
    if target in project.models or target[0] not in project.apps:
        emit.now(statement)
    else:
        emit.later(statement)


# Indexes and constraints of several columns


def of_options(model: Model, emit: Emit) -> None:
    """What the options of a new model ask for."""
    for option in ("unique_together", "index_together"):
        for fields in together(model, option):
            emit.now(create_together(model, option, fields))
    for index in _listed(model.options.get("indexes")):
        emit.now(create_index(model, index))
    for constraint in _listed(model.options.get("constraints")):
        emit.now(create_constraint(model, constraint))
    comment = model.options.get("db_table_comment")
    if isinstance(comment, str):
        text = comment.replace("'", "''")
        emit.now(sql("COMMENT ON TABLE ", quoted(model.table), f" IS '{text}'"))


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else ()


def together(model: Model, option: str) -> list[Fields]:
    """The groups of fields of `unique_together` or `index_together`. Raises `NotFollowedError`."""
    value = model.options.get(option)
    if value is None or (isinstance(value, Call) and value.last == "set" and not value.args):
        return []
    value = value.args[0] if isinstance(value, Call) and value.last in ("set", "frozenset") else value
    if not isinstance(value, list | tuple):
        raise NotFollowedError(f"{option} is computed")
    groups = [value] if value and all(isinstance(item, str) for item in value) else value
    return [
        tuple(item for item in group if isinstance(item, str)) for group in groups if isinstance(group, list | tuple)
    ]


def together_name(model: Model, option: str, fields: Fields) -> str:
    """The name of the constraint or the index of a group: that of its columns when it was made."""
    made = model.made.get((option, fields))
    if made is not None:
        return made
    return object_name(model.table, _names(model, fields), "_uniq" if option == "unique_together" else "_idx")


def create_together(model: Model, option: str, fields: Fields) -> Sql:
    """The constraint or the index of a group."""
    called = name(together_name(model, option, fields))
    columns = columns_of(model, fields)
    if option == "unique_together":
        return sql("ALTER TABLE ", quoted(model.table), " ADD CONSTRAINT ", called, " UNIQUE (", columns, ")")
    return sql("CREATE INDEX ", called, " ON ", quoted(model.table), " (", columns, ")")


def drop_together(model: Model, option: str, fields: Fields) -> Sql:
    """What takes the constraint or the index of a group away."""
    called = name(together_name(model, option, fields))
    if option == "unique_together":
        return sql("ALTER TABLE ", quoted(model.table), " DROP CONSTRAINT IF EXISTS ", called)
    return sql("DROP INDEX IF EXISTS ", called)


_METHODS = {
    "GinIndex": "gin",
    "GistIndex": "gist",
    "BrinIndex": "brin",
    "HashIndex": "hash",
    "SpGistIndex": "spgist",
    "BTreeIndex": "btree",
}


def create_index(model: Model, index: object) -> Sql:
    """`models.Index` and those of `django.contrib.postgres`. Raises `NotFollowedError`."""
    if not isinstance(index, Call) or (index.last != "Index" and index.last not in _METHODS):
        raise NotFollowedError("an index is computed")
    called = index.kwargs.get("name")
    if not isinstance(called, str):
        raise NotFollowedError("the name of an index is computed")
    method = f" USING {_METHODS[index.last]}" if index.last in _METHODS else ""
    elements = _elements(model, index)
    return sql(
        "CREATE INDEX ",
        name(called),
        " ON ",
        quoted(model.table),
        method,
        " (",
        lines(elements),
        ")",
        _tail(model, index),
    )


def _elements(model: Model, call: Call) -> list[Sql]:
    fields = call.kwargs.get("fields", ())
    operators = call.kwargs.get("opclasses", ())
    elements: list[Sql] = []
    for number, item in enumerate(fields if isinstance(fields, list | tuple) else ()):
        if not isinstance(item, str):
            raise NotFollowedError("the fields of an index are computed")
        suffix = " DESC" if item.startswith("-") else ""
        operator = operators[number] if isinstance(operators, list | tuple) and number < len(operators) else ""
        element = column(model, placed(item.removeprefix("-"), item))
        elements.append(sql(element, f" {operator}" if isinstance(operator, str) and operator else "", suffix))
    for item in call.args:
        elements.append(_ordered(model, item))
    return elements


def _ordered(model: Model, item: object) -> Sql:
    if isinstance(item, Call) and item.last in ("desc", "asc") and not item.args:
        owner = getattr(item.function, "owner", None)
        return sql(_ordered(model, owner), f" {item.last.upper()}")
    if isinstance(item, Call) and item.last == "OrderBy":
        return sql(_ordered(model, item.get(0, "expression")), " DESC" if item.kwargs.get("descending") is True else "")
    return expression(model, item) if isinstance(item, str) else sql("(", expression(model, item), ")")


def _tail(model: Model, call: Call) -> Sql:
    include, where = call.kwargs.get("include"), call.kwargs.get("condition")
    parts: list[str | Sql] = []
    if isinstance(include, list | tuple) and include:
        parts += [" INCLUDE (", columns_of(model, include), ")"]
    if where is not None:
        parts += [" WHERE ", condition(model, where)]
    return sql(*parts)


def create_constraint(model: Model, constraint: object) -> Sql:
    """A check, or a unique constraint, which is an index where it has a condition. Raises `NotFollowedError`."""
    called = constraint.kwargs.get("name") if isinstance(constraint, Call) else None
    if not isinstance(constraint, Call) or not isinstance(called, str):
        raise NotFollowedError("a constraint is computed")
    start = sql("ALTER TABLE ", quoted(model.table), " ADD CONSTRAINT ", name(called))
    if constraint.last == "CheckConstraint":
        wanted = constraint.kwargs.get("condition", constraint.kwargs.get("check"))
        return sql(start, " CHECK (", condition(model, wanted), ")")
    if constraint.last != "UniqueConstraint":
        raise NotFollowedError(f"what {constraint.last} adds is not known")
    elements = lines(_elements(model, constraint))
    as_index = constraint.args or any(constraint.kwargs.get(key) for key in ("condition", "include", "opclasses"))
    if as_index:
        start = sql("CREATE UNIQUE INDEX ", name(called), " ON ", quoted(model.table))
        return sql(start, " (", elements, ")", _tail(model, constraint))
    deferrable = " DEFERRABLE INITIALLY DEFERRED" if _is_deferred(constraint.kwargs.get("deferrable")) else ""
    return sql(start, " UNIQUE (", elements, f"){deferrable}")


def _is_deferred(value: object) -> bool:
    return getattr(value, "last", "") == "DEFERRED"


def renamed_in_options(model: Model, before: str, after: str) -> dict[str, object]:
    """The options that name fields, after a field was renamed."""
    changed: dict[str, object] = {}
    for option in ("unique_together", "index_together"):
        if model.options.get(option) is not None:
            groups = together(model, option)
            changed[option] = [_renamed(group, before, after) for group in groups]
    return changed


def named(model: Model) -> Model:
    """The model, with the names that the constraints and indexes of its groups have from now on."""
    groups = [(option, group) for option in ("unique_together", "index_together") for group in together(model, option)]
    return replace(model, made={pair: together_name(model, *pair) for pair in groups})


def names_renamed(model: Model, before: str, after: str) -> dict[tuple[str, Fields], str]:
    """The names of groups, after a field was renamed."""
    return {(option, _renamed(group, before, after)): name_ for (option, group), name_ in model.made.items()}


def _renamed(group: Fields, before: str, after: str) -> Fields:
    return tuple(after if item == before else item for item in group)
