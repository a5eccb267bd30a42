"""The models of a Django project as its migrations leave them: what `django.db.migrations.state` keeps, read only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import md5
from typing import TYPE_CHECKING

from legacy_ref_scan.migrations.python.sqlalchemy_ddl import NotFollowedError
from legacy_ref_scan.migrations.python.text import Sql, Text
from legacy_ref_scan.migrations.python.values import HOLE, Call, Symbol

if TYPE_CHECKING:
    from legacy_ref_scan.migrations.python.sql_files import SqlFiles

Key = tuple[str, str]
"""(label of the app, name of the model in lower case)."""

LONGEST = 63
_NO_COLUMN = frozenset({"GenericForeignKey", "GenericRelation", "CompositePrimaryKey"})
_OF_DJANGO = {
    ("contenttypes", "contenttype"): "django_content_type",
    ("sites", "site"): "django_site",
    ("sessions", "session"): "django_session",
    ("admin", "logentry"): "django_admin_log",
}


@dataclass(frozen=True)
class Field:
    """A field: its name as written, and the call that makes it."""

    name: str
    call: Call

    @property
    def kind(self) -> str:
        """The name of its class."""
        return self.call.last

    @property
    def many(self) -> bool:
        """Whether it is a relation with a table of its own."""
        return "ManyToMany" in self.kind or "through" in self.call.kwargs or self.kind.endswith("Manager")

    @property
    def relation(self) -> bool:
        """Whether its column holds the key of another model."""
        return not self.many and (self.kind in ("ForeignKey", "OneToOneField") or "to" in self.call.kwargs)

    @property
    def concrete(self) -> bool:
        """Whether the table has a column for it."""
        return not self.many and self.kind not in _NO_COLUMN

    @property
    def column(self) -> str:
        """The name of its column, with the place of the field's name."""
        given = self.call.kwargs.get("db_column")
        if isinstance(given, str):
            return given
        return suffixed(self.name, "_id") if self.relation else self.name

    @property
    def primary_key(self) -> bool:
        return self.call.kwargs.get("primary_key") is True

    @property
    def null(self) -> bool:
        return self.call.kwargs.get("null") is True or self.kind == "NullBooleanField"

    @property
    def unique(self) -> bool:
        """Of its own, apart from being the primary key."""
        return not self.primary_key and (self.call.kwargs.get("unique") is True or self.kind.startswith("OneToOne"))

    @property
    def indexed(self) -> bool:
        by_default = self.relation or self.kind == "SlugField"
        wanted = self.call.kwargs.get("db_index", by_default)
        return wanted is not False and not self.unique and not self.primary_key


@dataclass(frozen=True)
class Model:
    """A model with its fields in order. `made` are the names of what groups of fields made, by option and group."""

    app: str
    name: str
    fields: Mapping[str, Field]
    options: Mapping[str, object]
    made: Mapping[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.app, self.name.lower()

    @property
    def has_table(self) -> bool:
        return self.options.get("managed") is not False and self.options.get("proxy") is not True

    @property
    def table(self) -> str:
        """The name of its table, with the place of the model's name."""
        given = self.options.get("db_table")
        if isinstance(given, str) and given:
            return given
        return placed(truncated(f"{self.app}_{self.name.lower()}"), self.name)

    @property
    def key_field(self) -> Field | None:
        return next((item for item in self.fields.values() if item.primary_key), None)

    def field(self, name: str) -> Field:
        """The field of that name, or of that attribute (`user_id`). Raises `NotFollowedError`."""
        for candidate in (name, name.removesuffix("_id")):
            if candidate in self.fields:
                return self.fields[candidate]
        if name == "pk" and self.key_field is not None:
            return self.key_field
        raise NotFollowedError(f"the model {self.name} has no field {name}")

    def with_fields(self, fields: Mapping[str, Field]) -> Model:
        """The same with other fields."""
        return replace(self, fields=dict(fields))

    def with_options(self, **options: object) -> Model:
        """The same with some options changed."""
        return replace(self, options={**self.options, **options})


@dataclass
class Project:
    """The models so far. `user` is the model of users; `automatic` the class of keys that nobody declares;
    `apps` those with migrations in the repository."""

    user: str = "auth.User"
    automatic: str = "AutoField"
    apps: frozenset[str] = frozenset()
    models: dict[Key, Model] = field(default_factory=dict)
    external: set[str] = field(default_factory=set)
    files: SqlFiles | None = None

    def copy(self) -> Project:
        """The same models, to be changed apart."""
        return replace(self, models=dict(self.models))

    def model(self, app: str, name: object) -> Model:
        """A model of an app. Raises `NotFollowedError`."""
        if not isinstance(name, str):
            raise NotFollowedError("the name of a model is computed")
        found = self.models.get((app, name.lower()))
        if found is None:
            raise NotFollowedError(f"the model {app}.{name} is not known")
        return found

    def target(self, model: Model, field_: Field) -> Key:
        """The model that a relation points to. Raises `NotFollowedError`."""
        to = field_.call.get(0, "to")
        if isinstance(to, Symbol):
            to = self.user if to.last == "AUTH_USER_MODEL" else to.last
        if not isinstance(to, str) or HOLE in to:
            raise NotFollowedError(f"what {model.name}.{field_.name} points to is computed")
        if to == "self":
            return model.key
        app, _, name = to.rpartition(".")
        return app or model.app, name.lower()

    def relations(self, key: Key) -> Iterator[tuple[Model, Field]]:
        """Every field of a model that points to one."""
        for model in list(self.models.values()):
            for item in model.fields.values():
                if (item.relation or item.many) and self._points(model, item, key):
                    yield model, item

    def _points(self, model: Model, item: Field, key: Key) -> bool:
        try:
            return self.target(model, item) == key
        except NotFollowedError:
            return False


def external_table(key: Key) -> str:
    """The table of a model that no migration of the repository makes."""
    return _OF_DJANGO.get(key, truncated(f"{key[0]}_{key[1]}"))


def placed(text: str, like: str) -> Text:
    """A text with the place of another."""
    return Text.of([(text, like.origin if isinstance(like, Text) else None)])


def suffixed(text: str, suffix: str) -> Text:
    """A longer text with the same place."""
    return placed(text + suffix, text)


def quoted(table: str) -> Sql:
    """As Django quotes it: a name with quotes inside (`app"."orders`) is one with a schema."""
    origin = table.origin if isinstance(table, Text) else None
    return ((table if table.startswith('"') and table.endswith('"') else f'"{table}"', origin),)


def bare(table: str) -> str:
    """The last part of a table's name, without quotes."""
    return table.rpartition('"."')[2].strip('"')


def digest(*words: str, length: int) -> str:
    """`names_digest` of django/db/backends/utils.py."""
    hashed = md5(usedforsecurity=False)
    for word in words:
        hashed.update(word.encode())
    return hashed.hexdigest()[:length]


def truncated(name: str) -> str:
    """`truncate_name` of django/db/backends/utils.py."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 4]}{digest(name, length=4)}"


def object_name(table: str, columns: list[str], suffix: str = "") -> str:
    """`_create_index_name` of django/db/backends/base/schema.py: the names of indexes and constraints."""
    table = bare(table)
    ending = f"{digest(table, *columns, length=8)}{suffix}"
    name = f"{table}_{'_'.join(columns)}_{ending}"
    if len(name) <= LONGEST:
        return name
    if len(ending) > LONGEST / 3:
        ending = ending[: LONGEST // 3]
    rest = (LONGEST - len(ending)) // 2 - 1
    name = f"{table[:rest]}_{'_'.join(columns)[:rest]}_{ending}"
    return f"D{name[:-1]}" if name[0] == "_" or name[0].isdigit() else name
