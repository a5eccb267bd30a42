"""The operations of Django's migrations as the SQL that its PostgreSQL schema editor emits.

What each does is that of `django/db/migrations/operations/` and `django/db/backends/base/schema.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from legacy_ref_scan.migrations.python import django_objects as objects
from legacy_ref_scan.migrations.python.django_columns import column_type, definition
from legacy_ref_scan.migrations.python.django_objects import Emit
from legacy_ref_scan.migrations.python.django_state import (
    Field,
    Model,
    Project,
    bare,
    placed,
    quoted,
)
from legacy_ref_scan.migrations.python.sqlalchemy_ddl import NotFollowedError
from legacy_ref_scan.migrations.python.text import Sql, Text, literal, name, sql
from legacy_ref_scan.migrations.python.values import HOLE, Call, Symbol


def apply(call: Call, app: str, project: Project, emit: Emit) -> None:
    """Apply one operation: to the models, and as SQL. Raises `NotFollowedError`."""
    handler = _OPERATIONS.get(call.last)
    own = project.files.of_operation(call) if handler is None and project.files is not None else None
    if handler is not None and not call.loose:
        handler(call, app, project, emit)
    elif own is not None:
        for text in own:
            emit.now(text)
    elif not call.last.endswith("Extension"):
        raise NotFollowedError(f"what {call.last} does is not known")


def table_of(call: Call, app: str, project: Project) -> frozenset[str]:
    """The tables that an operation names by its model."""
    words = [call.text(0, "model_name"), call.text(0, "name"), call.text(0, "old_name")]
    models = (project.models.get((app, word.lower())) for word in words if word)
    return frozenset(bare(model.table) for model in models if model is not None)


# Models


def _create_model(call: Call, app: str, project: Project, emit: Emit) -> None:
    called = call.text(0, "name")
    fields, options = call.get(1, "fields"), call.get(2, "options") or {}
    if called is None or not isinstance(fields, list | tuple) or not isinstance(options, dict):
        raise NotFollowedError("a model is computed")
    made: dict[str, Field] = {}
    for item in fields:
        if not isinstance(item, tuple) or len(item) != 2 or not isinstance(item[0], str):
            raise NotFollowedError(f"the fields of {called} are computed")
        made[item[0]] = _field(*item)
    model = Model(app, called, made, {str(key): value for key, value in options.items()})
    if model.key_field is None and "CompositePrimaryKey" not in [item.kind for item in made.values()]:
        automatic = Field("id", Call(Symbol(project.automatic), (), {"primary_key": True}, call.span))
        model = model.with_fields({"id": automatic, **made})
    project.models[model.key] = model
    if model.has_table:
        _create_table(model, project, emit)
        project.models[model.key] = objects.named(model)


def _create_table(model: Model, project: Project, emit: Emit) -> None:
    columns = [definition(project, model, item) for item in model.fields.values() if item.concrete]
    composite = [item for item in model.fields.values() if item.kind == "CompositePrimaryKey"]
    for item in composite:
        columns.append(sql("PRIMARY KEY (", objects.columns_of(model, item.call.args), ")"))
    emit.now(sql("CREATE TABLE ", quoted(model.table), " (", objects.lines(columns), ")"))
    for item in model.fields.values():
        if item.many:
            objects.create_join_table(model, item, project, emit)
        elif item.concrete:
            objects.around(model, item, project, emit)
    objects.of_options(model, emit)


def _delete_model(call: Call, app: str, project: Project, emit: Emit) -> None:
    model = project.model(app, call.get(0, "name"))
    if model.has_table:
        for item in model.fields.values():
            table = objects.join_table(model, item)
            if table is not None:
                emit.now(sql("DROP TABLE ", quoted(table), " CASCADE"))
        emit.now(sql("DROP TABLE ", quoted(model.table), " CASCADE"))
    del project.models[model.key]


def _rename_model(call: Call, app: str, project: Project, emit: Emit) -> None:
    old = project.model(app, call.get(0, "old_name"))
    renamed = call.text(1, "new_name")
    if renamed is None:
        raise NotFollowedError("the new name of a model is computed")
    new = replace(old, name=renamed)
    del project.models[old.key]
    project.models[new.key] = new
    _rename_table(old, new, emit)
    for model, item in project.relations(old.key):
        owner = old if model.key == new.key else model
        _point_to(project, model, item, new)
        after = project.models[model.key]
        before_table, after_table = objects.join_table(owner, item), objects.join_table(after, after.fields[item.name])
        if before_table is None or after_table is None:
            continue
        if owner is not old and old.name.lower() != new.name.lower():
            target = sql("ALTER TABLE ", quoted(after_table), " RENAME COLUMN ")
            emit.now(sql(target, name(f"{old.name.lower()}_id"), " TO ", name(f"{new.name.lower()}_id")))
    for item in old.fields.values():
        before_table, after_table = objects.join_table(old, item), objects.join_table(new, item)
        if before_table and after_table and old.name.lower() != new.name.lower():
            if bare(before_table) != bare(after_table):
                emit.now(sql("ALTER TABLE ", quoted(before_table), " RENAME TO ", name(bare(after_table))))
            source, _ = objects.join_columns(old, item, project)
            changed, _ = objects.join_columns(new, item, project)
            if source != changed:
                start = sql("ALTER TABLE ", quoted(after_table), " RENAME COLUMN ")
                emit.now(sql(start, name(source), " TO ", name(changed)))


def _point_to(project: Project, model: Model, item: Field, new: Model) -> None:
    to = f"{new.app}.{new.name}"
    call = item.call
    if call.get(0, "to") == "self":
        return
    args = (to, *call.args[1:]) if call.args and "to" not in call.kwargs else call.args
    kwargs = {**call.kwargs, "to": to} if "to" in call.kwargs else call.kwargs
    changed = Field(item.name, Call(call.function, args, kwargs, call.span, call.loose))
    current = project.models[model.key]
    project.models[model.key] = current.with_fields({**current.fields, item.name: changed})


def _rename_table(old: Model, new: Model, emit: Emit) -> None:
    if old.has_table and bare(old.table) != bare(new.table):
        emit.now(sql("ALTER TABLE ", quoted(old.table), " RENAME TO ", name(placed(bare(new.table), new.table))))


def _alter_table_name(call: Call, app: str, project: Project, emit: Emit) -> None:
    old = project.model(app, call.get(0, "name"))
    table = call.get(1, "table")
    if table is not None and not isinstance(table, str):
        raise NotFollowedError("the name of a table is computed")
    new = old.with_options(db_table=table)
    project.models[old.key] = new
    _rename_table(old, new, emit)
    for item in old.fields.values():
        before, after = objects.join_table(old, item), objects.join_table(new, item)
        if before and after and bare(before) != bare(after):
            emit.now(sql("ALTER TABLE ", quoted(before), " RENAME TO ", name(bare(after))))


def _alter_options(call: Call, app: str, project: Project, emit: Emit) -> None:
    """A change of `managed` makes and drops no table."""
    model = project.model(app, call.get(0, "name"))
    options = call.get(1, "options")
    if isinstance(options, dict) and "managed" in options:
        project.models[model.key] = model.with_options(managed=options["managed"])


def _alter_together(call: Call, app: str, project: Project, emit: Emit) -> None:
    option = "unique_together" if call.last == "AlterUniqueTogether" else "index_together"
    model = project.model(app, call.get(0, "name"))
    changed = model.with_options(**{option: call.get(1, option)})
    project.models[model.key] = changed
    before, after = objects.together(model, option), objects.together(changed, option)
    for fields in before:
        if fields not in after:
            emit.now(objects.drop_together(model, option, fields))
    for fields in after:
        if fields not in before:
            emit.now(objects.create_together(changed, option, fields))
    project.models[model.key] = objects.named(changed)


def _comment(call: Call, app: str, project: Project, emit: Emit) -> None:
    model = project.model(app, call.get(0, "name"))
    text = call.get(1, "table_comment")
    emit.now(sql("COMMENT ON TABLE ", quoted(model.table), " IS ", literal(text) if isinstance(text, str) else "NULL"))


# Fields


def _new_field(call: Call) -> Field:
    called, made = call.text(1, "name"), call.get(2, "field")
    if called is None or HOLE in called:
        raise NotFollowedError("the name of a field is computed")
    return _field(called, made)


def _field(called: str, made: object) -> Field:
    """A call of a class makes a field, what a function returns is not known."""
    if not isinstance(made, Call) or made.loose or not made.last[:1].isupper():
        raise NotFollowedError(f"the field {called} is computed")
    return Field(called, made)


def _add_field(call: Call, app: str, project: Project, emit: Emit) -> None:
    model, item = project.model(app, call.get(0, "model_name")), _new_field(call)
    model = model.with_fields({**model.fields, item.name: item})
    project.models[model.key] = model
    if model.has_table:
        _add_column(model, item, project, emit)


def _add_column(model: Model, item: Field, project: Project, emit: Emit) -> None:
    if item.many:
        objects.create_join_table(model, item, project, emit)
    elif item.concrete:
        emit.now(sql("ALTER TABLE ", quoted(model.table), " ADD COLUMN ", definition(project, model, item)))
        objects.around(model, item, project, emit)


def _remove_field(call: Call, app: str, project: Project, emit: Emit) -> None:
    model = project.model(app, call.get(0, "model_name"))
    called = call.text(1, "name")
    item = model.field(called) if called is not None else None
    if item is None or called is None:
        raise NotFollowedError("the name of a field is computed")
    left = {key: value for key, value in model.fields.items() if value is not item}
    project.models[model.key] = model.with_fields(left)
    if model.has_table:
        _drop_column(model, item, called, emit)


def _drop_column(model: Model, item: Field, called: str, emit: Emit) -> None:
    table = objects.join_table(model, item)
    if table is not None:
        emit.now(sql("DROP TABLE ", quoted(table), " CASCADE"))
    elif item.concrete:
        column = name(placed(item.column, called))
        emit.now(sql("ALTER TABLE ", quoted(model.table), " DROP COLUMN ", column, " CASCADE"))


def _alter_field(call: Call, app: str, project: Project, emit: Emit) -> None:
    model, new = project.model(app, call.get(0, "model_name")), _new_field(call)
    old = model.field(new.name)
    changed = model.with_fields({key: new if item is old else item for key, item in model.fields.items()})
    old_type = column_type(project, model, old) if old.concrete else ""
    referring = [
        (other, item, column_type(project, other, item))
        for other, item in project.relations(model.key)
        if item.relation and old.primary_key
    ]
    project.models[model.key] = changed
    if not model.has_table:
        return
    if not old.concrete or not new.concrete:
        _replace_field(model, changed, old, new, project, emit)
        return
    objects.alter_column(changed, old, new, old_type, project, emit)
    for other, item, before in referring:
        if column_type(project, other, item) != before:
            objects.change_type(other, item, column_type(project, other, item), emit)


def _replace_field(model: Model, changed: Model, old: Field, new: Field, project: Project, emit: Emit) -> None:
    """From a column to a table of its own, or back; a relation of many may also only change what it says of itself."""
    before, after = objects.join_table(model, old), objects.join_table(changed, new)
    if before is not None and after is not None:
        if bare(before) != bare(after):
            emit.now(sql("ALTER TABLE ", quoted(before), " RENAME TO ", name(bare(after))))
        return
    _drop_column(model, old, new.name, emit)
    _add_column(changed, new, project, emit)


def _rename_field(call: Call, app: str, project: Project, emit: Emit) -> None:
    model = project.model(app, call.get(0, "model_name"))
    before, after = call.text(1, "old_name"), call.text(2, "new_name")
    if before is None or after is None:
        raise NotFollowedError("the name of a field is computed")
    old = model.field(before)
    new = Field(after, old.call)
    changed = model.with_fields(
        {after if item is old else key: new if item is old else item for key, item in model.fields.items()}
    )
    changed = changed.with_options(**objects.renamed_in_options(changed, before, after))
    changed = replace(changed, made=objects.names_renamed(changed, before, after))
    project.models[model.key] = changed
    if not model.has_table:
        return
    tables = objects.join_table(model, old), objects.join_table(changed, new)
    if tables[0] and tables[1] and bare(tables[0]) != bare(tables[1]):
        emit.now(sql("ALTER TABLE ", quoted(tables[0]), " RENAME TO ", name(bare(tables[1]))))
    elif old.concrete and old.column != new.column:
        start = sql("ALTER TABLE ", quoted(model.table), " RENAME COLUMN ")
        emit.now(sql(start, name(placed(old.column, before)), " TO ", name(new.column)))


# Indexes and constraints


def _add_index(call: Call, app: str, project: Project, emit: Emit) -> None:
    emit.now(objects.create_index(project.model(app, call.get(0, "model_name")), call.get(1, "index")))


def _remove_index(call: Call, app: str, project: Project, emit: Emit) -> None:
    called = call.text(1, "name")
    if called is None:
        raise NotFollowedError("the name of an index is computed")
    emit.now(sql("DROP INDEX IF EXISTS ", name(called)))


def _rename_index(call: Call, app: str, project: Project, emit: Emit) -> None:
    model = project.model(app, call.get(0, "model_name"))
    before, after = call.text(2, "old_name"), call.text(1, "new_name")
    fields = call.kwargs.get("old_fields")
    if isinstance(fields, list | tuple):
        before = objects.together_name(model, "index_together", tuple(str(item) for item in fields))
    if before is None or after is None:
        raise NotFollowedError("the name of an index is computed")
    emit.now(sql("ALTER INDEX IF EXISTS ", name(before), " RENAME TO ", name(after)))


def _add_constraint(call: Call, app: str, project: Project, emit: Emit) -> None:
    emit.now(objects.create_constraint(project.model(app, call.get(0, "model_name")), call.get(1, "constraint")))


def _remove_constraint(call: Call, app: str, project: Project, emit: Emit) -> None:
    model, called = project.model(app, call.get(0, "model_name")), call.text(1, "name")
    if called is None:
        raise NotFollowedError("the name of a constraint is computed")
    emit.now(sql("ALTER TABLE ", quoted(model.table), " DROP CONSTRAINT IF EXISTS ", name(called)))
    emit.now(sql("DROP INDEX IF EXISTS ", name(called)))


# SQL, code, and both


def _run_sql(call: Call, app: str, project: Project, emit: Emit) -> None:
    value = call.get(0, "sql")
    of_files = None if isinstance(value, str | list) or project.files is None else project.files.of_source(call.span)
    for text in of_files or _texts(value):
        emit.now(text)
    for operation in _calls(call.kwargs.get("state_operations") or []):
        apply(operation, app, project, Emit())


def _texts(value: object) -> Iterator[Sql]:
    if isinstance(value, Symbol) and value.last == "noop":
        return
    items: Sequence[object] = value if isinstance(value, list) else [value]
    for item in items:
        text = item[0] if isinstance(item, tuple | list) and item else item
        if not isinstance(text, str) or HOLE in text:
            raise NotFollowedError("the SQL that is run is computed")
        yield sql(text if isinstance(text, Text) else str(text))


def _calls(value: object) -> list[Call]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, Call) for item in value):
        raise NotFollowedError("operations are computed")
    return [item for item in value if isinstance(item, Call)]


def _separate(call: Call, app: str, project: Project, emit: Emit) -> None:
    """The database's operations see the models as they change them; the project keeps those of the state's."""
    of_database = project.copy()
    for operation in _calls(call.get(0, "database_operations") or []):
        apply(operation, app, of_database, emit)
    project.external |= of_database.external
    for operation in _calls(call.get(1, "state_operations") or []):
        apply(operation, app, project, Emit())


def _nothing(call: Call, app: str, project: Project, emit: Emit) -> None:
    """Data, or what only Django itself knows of."""


_OPERATIONS: dict[str, Callable[[Call, str, Project, Emit], None]] = {
    "AddConstraint": _add_constraint,
    "AddConstraintNotValid": _add_constraint,
    "AddField": _add_field,
    "AddIndex": _add_index,
    "AddIndexConcurrently": _add_index,
    "AlterConstraint": _nothing,
    "AlterField": _alter_field,
    "AlterIndexTogether": _alter_together,
    "AlterModelManagers": _nothing,
    "AlterModelOptions": _alter_options,
    "AlterModelTable": _alter_table_name,
    "AlterModelTableComment": _comment,
    "AlterUniqueTogether": _alter_together,
    "CreateModel": _create_model,
    "DeleteModel": _delete_model,
    "RemoveConstraint": _remove_constraint,
    "RemoveField": _remove_field,
    "RemoveIndex": _remove_index,
    "RemoveIndexConcurrently": _remove_index,
    "RenameField": _rename_field,
    "RenameIndex": _rename_index,
    "RenameModel": _rename_model,
    "RunPython": _nothing,
    "RunSQL": _run_sql,
    "SeparateDatabaseAndState": _separate,
    "ValidateConstraint": _nothing,
}
