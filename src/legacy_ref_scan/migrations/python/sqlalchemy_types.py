"""SQLAlchemy's types as its PostgreSQL dialect writes them (`PGTypeCompiler` in its `dialects/postgresql/base.py`)."""

from __future__ import annotations

from legacy_ref_scan.migrations.python.text import Sql, joined, literal, name, sql
from legacy_ref_scan.migrations.python.values import Call, Symbol
from legacy_ref_scan.model import Span

_PLAIN = {
    "BigInteger": "bigint", "BIGINT": "bigint", "Boolean": "boolean", "BOOLEAN": "boolean", "BYTEA": "bytea",
    "CIDR": "cidr", "CITEXT": "citext", "DATE": "date", "DATERANGE": "daterange", "DATEMULTIRANGE": "datemultirange",
    "Date": "date", "Double": "double precision", "DOUBLE": "double precision", "DOUBLE_PRECISION": "double precision",
    "HSTORE": "hstore", "INET": "inet", "INT": "integer", "INT4RANGE": "int4range", "INT8RANGE": "int8range",
    "INTEGER": "integer", "Integer": "integer", "JSON": "json", "JSONB": "jsonb", "JSONPATH": "jsonpath",
    "LargeBinary": "bytea", "BLOB": "bytea", "MACADDR": "macaddr", "MACADDR8": "macaddr8", "MONEY": "money",
    "NUMRANGE": "numrange", "OID": "oid", "REAL": "real", "REGCLASS": "regclass", "SMALLINT": "smallint",
    "SmallInteger": "smallint", "TEXT": "text", "TSMULTIRANGE": "tsmultirange", "TSQUERY": "tsquery",
    "TSRANGE": "tsrange", "TSTZMULTIRANGE": "tstzmultirange", "TSTZRANGE": "tstzrange", "TSVECTOR": "tsvector",
    "Text": "text", "UUID": "uuid", "UnicodeText": "text", "Uuid": "uuid", "PickleType": "bytea",
}  # fmt: skip
_WITH_LENGTH = {
    "String": "varchar", "VARCHAR": "varchar", "Unicode": "varchar", "NVARCHAR": "varchar", "CHAR": "char",
    "NCHAR": "char", "AutoString": "varchar", "BIT": "bit",
}  # fmt: skip
_TIMES = {"DateTime": "timestamp", "DATETIME": "timestamp", "TIMESTAMP": "timestamp", "Time": "time", "TIME": "time"}
_SERIAL = {"integer": "serial", "bigint": "bigserial", "smallint": "smallserial"}


def type_name(value: object) -> Sql | None:
    """The type in SQL; None for one that is not SQLAlchemy's own, and for an enum without a name."""
    kind = value.last if isinstance(value, Symbol | Call) else ""
    call = value if isinstance(value, Call) else Call(Symbol(kind), (), {}, Span("", 0, 0))
    if kind in _PLAIN:
        return sql(_PLAIN[kind])
    if kind in _WITH_LENGTH:
        length = call.get(0, "length")
        return sql(f"{_WITH_LENGTH[kind]}({length})" if isinstance(length, int) else _WITH_LENGTH[kind])
    if kind in _TIMES:
        return sql(_time(kind, call))
    if kind in ("Numeric", "NUMERIC", "DECIMAL", "Decimal"):
        return sql(_numeric(call))
    if kind in ("Float", "FLOAT"):
        precision = call.get(0, "precision")
        return sql(f"float({precision})" if isinstance(precision, int) else "double precision")
    if kind in ("Interval", "INTERVAL"):
        return sql("interval")
    if kind == "ARRAY":
        item = type_name(call.get(0, "item_type"))
        dimensions = call.get(-1, "dimensions")
        return sql(item, "[]" * (dimensions if isinstance(dimensions, int) else 1)) if item else None
    if kind in ("Geometry", "Geography"):
        return sql(_geometry(kind.lower(), call))
    if kind in ("Enum", "ENUM"):
        return _enum_name(call)
    return None


def serial(type_: Sql) -> Sql:
    """The type of a primary key that counts by itself; the type as it is where it can't."""
    text = "".join(value for value, _ in type_)
    return sql(_SERIAL.get(text, "")) if text in _SERIAL else type_


def enum_labels(value: object) -> tuple[Call, list[str]] | None:
    """An enum type of its own in PostgreSQL, and its labels; None for any other type. An array's item counts."""
    call = value if isinstance(value, Call) else None
    if call is not None and call.last == "ARRAY":
        return enum_labels(call.get(0, "item_type"))
    if call is None or call.last not in ("Enum", "ENUM") or call.kwargs.get("native_enum") is False:
        return None
    labels = [item for item in call.args if isinstance(item, str)]
    return call, labels


def _enum_name(call: Call) -> Sql | None:
    if call.kwargs.get("native_enum") is False:
        length = max((len(item) for item in call.args if isinstance(item, str)), default=0)
        return sql(f"varchar({call.kwargs.get('length') or length})")
    called = call.kwargs.get("name")
    schema = call.kwargs.get("schema")
    return name(called, schema if isinstance(schema, str) else None) if isinstance(called, str) else None


def create_enum(value: object, guarded: bool = False) -> Sql | None:
    """CREATE TYPE of an enum; with a guard it is left alone where it is there."""
    found = enum_labels(value)
    type_ = _enum_name(found[0]) if found else None
    if found is None or type_ is None or not found[1]:
        return None
    made = sql("CREATE TYPE ", type_, " AS ENUM (", joined(", ", map(literal, found[1])), ")")
    if not guarded:
        return made
    return sql("DO $$ BEGIN ", made, "; EXCEPTION WHEN duplicate_object THEN NULL; END $$")


def _time(kind: str, call: Call) -> str:
    zone = call.get(0, "timezone") is True
    precision = call.kwargs.get("precision")
    size = f"({precision})" if isinstance(precision, int) else ""
    return f"{_TIMES[kind]}{size} {'with' if zone else 'without'} time zone"


def _numeric(call: Call) -> str:
    precision, scale = call.get(0, "precision"), call.get(1, "scale")
    if not isinstance(precision, int):
        return "numeric"
    return f"numeric({precision}, {scale})" if isinstance(scale, int) else f"numeric({precision})"


def _geometry(kind: str, call: Call) -> str:
    shape, srid = call.get(0, "geometry_type", "GEOMETRY"), call.get(1, "srid", -1)
    return f"{kind}({shape}, {srid})" if isinstance(shape, str) else kind
