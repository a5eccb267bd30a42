"""Fields and conditions of Django as its PostgreSQL backend writes them.

The types are those of `django/db/backends/postgresql/base.py`, and of `django.contrib.postgres` and `gis`.
"""

from __future__ import annotations

from legacy_ref_scan.migrations.python.django_state import Field, Key, Model, Project, placed
from legacy_ref_scan.migrations.python.sqlalchemy_ddl import NotFollowedError
from legacy_ref_scan.migrations.python.text import Sql, joined, literal, name, sql
from legacy_ref_scan.migrations.python.values import Call

_TYPES = {
    "AutoField": "integer", "BigAutoField": "bigint", "BigIntegerField": "bigint", "BinaryField": "bytea",
    "BooleanField": "boolean", "CICharField": "citext", "CIEmailField": "citext", "CITextField": "citext",
    "DateField": "date", "DateRangeField": "daterange", "DateTimeField": "timestamp with time zone",
    "DateTimeRangeField": "tstzrange", "DurationField": "interval", "FloatField": "double precision",
    "BigIntegerRangeField": "int8range", "DecimalRangeField": "numrange", "GenericIPAddressField": "inet",
    "HStoreField": "hstore", "IPAddressField": "inet", "IntegerField": "integer", "IntegerRangeField": "int4range",
    "JSONField": "jsonb", "NullBooleanField": "boolean", "OrderWrt": "integer", "PositiveBigIntegerField": "bigint",
    "PositiveIntegerField": "integer", "PositiveSmallIntegerField": "smallint", "SearchVectorField": "tsvector",
    "SmallAutoField": "smallint", "SmallIntegerField": "smallint", "TextField": "text", "TimeField": "time",
    "UUIDField": "uuid",
}  # fmt: skip
_LENGTHS = {
    "CharField": None, "CommaSeparatedIntegerField": None, "EmailField": 254, "FileField": 100, "FilePathField": 100,
    "ImageField": 100, "SlugField": 50, "URLField": 200,
}  # fmt: skip
_SHAPES = {
    "GeometryField": "GEOMETRY", "PointField": "POINT", "LineStringField": "LINESTRING", "PolygonField": "POLYGON",
    "MultiPointField": "MULTIPOINT", "MultiLineStringField": "MULTILINESTRING", "MultiPolygonField": "MULTIPOLYGON",
    "GeometryCollectionField": "GEOMETRYCOLLECTION",
}  # fmt: skip
_COUNTING = frozenset({"AutoField", "BigAutoField", "SmallAutoField"})
_POSITIVE = frozenset({"PositiveBigIntegerField", "PositiveIntegerField", "PositiveSmallIntegerField"})
_KEYS_OF_DJANGO = frozenset({"auth", "contenttypes", "sites", "admin", "redirects", "flatpages"})
_COMPARISONS = {"exact": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_DEEPEST = 8


def column_type(project: Project, model: Model, item: Field, depth: int = 0) -> str:
    """The type of a field's column; for a class that is not Django's own, a type of the class's name."""
    if item.relation:
        return _type_of_key(project, project.target(model, item), item, depth)
    return _type(item.call)


def _type(call: Call) -> str:
    kind = call.last
    if kind in _TYPES:
        return _TYPES[kind]
    if kind in _LENGTHS:
        length = call.kwargs.get("max_length", _LENGTHS[kind])
        return f"varchar({length})" if isinstance(length, int) else "varchar"
    if kind == "DecimalField":
        return f"numeric({call.kwargs.get('max_digits')}, {call.kwargs.get('decimal_places')})"
    if kind == "ArrayField":
        base = call.get(0, "base_field")
        size = call.get(1, "size")
        return f"{_type(base)}[{size if isinstance(size, int) else ''}]" if isinstance(base, Call) else "text[]"
    if kind in _SHAPES:
        shape = "geography" if call.kwargs.get("geography") is True else "geometry"
        return f"{shape}({_SHAPES[kind]},{call.kwargs.get('srid', 4326)})"
    if kind == "GeneratedField":
        output = call.kwargs.get("output_field")
        return _type(output) if isinstance(output, Call) else '"GeneratedField"'
    return f'"{kind}"'


def _type_of_key(project: Project, key: Key, item: Field, depth: int) -> str:
    model = project.models.get(key)
    if model is None:
        return "integer" if key[0] in _KEYS_OF_DJANGO else "bigint"
    named = item.call.kwargs.get("to_field")
    target = model.field(named) if isinstance(named, str) else model.key_field
    if target is None or depth > _DEEPEST:
        return "bigint"
    return column_type(project, model, target, depth + 1)


def definition(project: Project, model: Model, item: Field) -> Sql:
    """A column as CREATE TABLE and ADD COLUMN have it. Django keeps defaults in Python, but for `db_default`."""
    parts: list[str | Sql] = [name(item.column), " ", column_type(project, model, item)]
    if item.kind == "GeneratedField":
        return sql(*parts, _generated(model, item))
    default = item.call.kwargs.get("db_default")
    if default is not None:
        parts += [" DEFAULT ", value(model, default)]
    parts.append(" NULL" if item.null and not item.primary_key else " NOT NULL")
    if item.primary_key:
        parts.append(" PRIMARY KEY")
    elif item.unique:
        parts.append(" UNIQUE")
    if item.kind in _POSITIVE:
        parts.append(sql(" CHECK (", name(item.column), " >= 0)"))
    if item.kind in _COUNTING:
        parts.append(" GENERATED BY DEFAULT AS IDENTITY")
    return sql(*parts)


def _generated(model: Model, item: Field) -> Sql:
    kind = "STORED" if item.call.kwargs.get("db_persist") is True else "VIRTUAL"
    return sql(" GENERATED ALWAYS AS (", value(model, item.call.kwargs.get("expression")), f") {kind}")


def pattern_operators(type_: str) -> str:
    """The operator class of the second index that Django gives to a text that is looked up; empty for others."""
    if type_.startswith("varchar"):
        return "varchar_pattern_ops"
    return "text_pattern_ops" if type_ == "text" else ""


def value(model: Model, item: object) -> Sql:
    """A value or an expression over a model's columns. Raises `NotFollowedError`."""
    if isinstance(item, str):
        return literal(item)
    if isinstance(item, bool | int | float):
        return sql(str(item).lower())
    if isinstance(item, Call):
        inner = item.args[0] if item.args else item.kwargs.get("expression", item.kwargs.get("value"))
        if item.last == "F" and isinstance(inner, str):
            return column(model, inner)
        if item.last == "Value":
            return value(model, inner)
        if item.last in ("Lower", "Upper", "Length", "Trim", "Abs"):
            return sql(f"{item.last.lower()}(", expression(model, inner), ")")
        if item.last in ("Now",) and not item.args:
            return sql("STATEMENT_TIMESTAMP()")
        if item.last in ("Coalesce", "Greatest", "Least"):
            return sql(f"{item.last.lower()}(", joined(", ", [expression(model, arg) for arg in item.args]), ")")
    raise NotFollowedError("an expression is computed")


def expression(model: Model, item: object) -> Sql:
    """As `value`, where a text is the name of a field."""
    return column(model, item) if isinstance(item, str) else value(model, item)


def column(model: Model, called: str) -> Sql:
    """The column of a field, with the place where the field is named."""
    return name(placed(model.field(called).column, called))


def condition(model: Model, item: object) -> Sql:
    """A `Q` object as migrations write it. Raises `NotFollowedError` for lookups that are not comparisons."""
    if not isinstance(item, Call) or item.last != "Q":
        raise NotFollowedError("a condition is computed")
    parts: list[Sql] = []
    for arg in item.args:
        if isinstance(arg, tuple) and len(arg) == 2 and isinstance(arg[0], str):
            parts.append(_lookup(model, arg[0], arg[1]))
        else:
            parts.append(sql("(", condition(model, arg), ")"))
    parts += [_lookup(model, key, arg) for key, arg in item.kwargs.items() if key not in ("_connector", "_negated")]
    connector = " OR " if item.kwargs.get("_connector") == "OR" else " AND "
    made = joined(connector, parts)
    return sql("NOT (", made, ")") if item.kwargs.get("_negated") is True else made


def _lookup(model: Model, path: str, item: object) -> Sql:
    called, _, kind = path.partition("__")
    left = column(model, placed(called, path))
    if kind == "isnull" and isinstance(item, bool):
        return sql(left, " IS NULL" if item else " IS NOT NULL")
    if kind in ("", "exact") and item is None:
        return sql(left, " IS NULL")
    if (kind or "exact") in _COMPARISONS:
        return sql(left, f" {_COMPARISONS[kind or 'exact']} ", value(model, item))
    if kind == "in" and isinstance(item, list | tuple):
        return sql(left, " IN (", joined(", ", [value(model, element) for element in item]), ")")
    if kind == "range" and isinstance(item, list | tuple) and len(item) == 2:
        return sql(left, " BETWEEN ", value(model, item[0]), " AND ", value(model, item[1]))
    raise NotFollowedError(f"the condition {path} is not a comparison")
