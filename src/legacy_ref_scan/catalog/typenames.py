"""Type names as PostgreSQL prints them (format_type): `int` is `integer`, `varchar(3)` is `character varying(3)`."""

from __future__ import annotations

from typing import NamedTuple

from legacy_ref_scan.catalog.names import Name, quoted
from legacy_ref_scan.catalog.state import State
from legacy_ref_scan.sql.lexer import Kind, name_of, words

# Spellings of the built-in types, by the names that their words join to.
_ALIASES = {
    "int": "integer", "int4": "integer", "integer": "integer", "int2": "smallint", "smallint": "smallint",
    "int8": "bigint", "bigint": "bigint", "bool": "boolean", "boolean": "boolean", "float4": "real", "real": "real",
    "float8": "double precision", "double precision": "double precision", "decimal": "numeric", "dec": "numeric",
    "numeric": "numeric", "varchar": "character varying", "char varying": "character varying",
    "character varying": "character varying", "nchar varying": "character varying",
    "national character varying": "character varying", "national char varying": "character varying",
    "char": "character", "character": "character", "nchar": "character", "national character": "character",
    "national char": "character", "bpchar": "bpchar", "bit": "bit", "bit varying": "bit varying",
    "varbit": "bit varying", "timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone",
    "time": "time without time zone", "timetz": "time with time zone", "interval": "interval",
    "json": "json", "xml": "xml",
}  # fmt: skip
SERIALS = {
    "serial": "integer", "serial4": "integer", "bigserial": "bigint", "serial8": "bigint",
    "smallserial": "smallint", "serial2": "smallint",
}  # fmt: skip
# These print their precision before `with time zone`.
_TIMES = frozenset({"timestamp", "time", "timestamptz", "timetz"})


class TypeName(NamedTuple):
    """`name` as format_type prints it; `serial` for the pseudo-types that make a sequence."""

    name: str
    serial: bool = False
    setof: bool = False


class _Words(NamedTuple):
    names: list[str]  # folded; dots are kept as "."
    quoted: bool
    modifiers: str  # "(10,2)" or ""
    array: bool
    like: bool  # %TYPE
    setof: bool


def type_name(state: State, text: bytes, start: int, end: int) -> TypeName:
    """The type that `text[start:end]` names; user types are looked up along the search path."""
    read = _read(text, start, end)
    suffix = "[]" if read.array else ""
    if read.like:
        return TypeName(_of_column(state, read.names) + suffix, setof=read.setof)
    if "." in read.names or read.quoted:
        return TypeName(_named(state, read) + suffix, setof=read.setof)
    joined = " ".join(read.names)
    if joined in SERIALS and _own(state, Name(None, joined, 0, 0)) is None:
        return TypeName(SERIALS[joined], serial=True)
    return TypeName((_builtin(read) or _named(state, read)) + suffix, setof=read.setof)


def _read(text: bytes, start: int, end: int) -> _Words:
    names: list[str] = []
    modifiers: list[str] = []
    depth = brackets = 0
    is_quoted = array = like = setof = False
    for token in words(text, start, end):
        raw = text[token.start : token.end]
        word = name_of(raw) if token.kind in (Kind.WORD, Kind.QUOTED) else raw.decode("utf-8", "replace")
        brackets += (raw == b"[") - (raw == b"]")
        depth += raw == b"("
        if depth:
            modifiers.append(word)
        elif raw in (b"[", b"]") or brackets or (token.kind is Kind.WORD and word == "array" and names):
            array = True
        elif token.kind is Kind.WORD and word == "setof" and not names:
            setof = True
        elif raw == b"%":
            like = True
        elif not like:
            is_quoted = is_quoted or token.kind is Kind.QUOTED
            names.append(word)
        depth -= raw == b")"
    return _Words(names, is_quoted, "".join(modifiers), array, like, setof)


def _builtin(read: _Words) -> str | None:
    names = read.names
    first = names[0] if names else ""
    if first in _TIMES:
        plain = _ALIASES[first]
        zone = "with time zone" if "with" in names or first.endswith("tz") else "without time zone"
        return f"{plain.split()[0]}{read.modifiers} {zone}"
    if first == "interval":
        return " ".join(names) + read.modifiers
    if first == "float":
        digits = read.modifiers.strip("()")
        return "real" if digits.isdigit() and int(digits) <= 24 else "double precision"
    base = _ALIASES.get(" ".join(names))
    if base in ("character", "bit") and not read.modifiers:
        return f"{base}(1)"
    if base == "numeric" and read.modifiers:
        return base + (read.modifiers if "," in read.modifiers else read.modifiers.replace(")", ",0)"))
    if base == "bpchar" and read.modifiers:
        return "character" + read.modifiers
    return base + read.modifiers if base else None


def _named(state: State, read: _Words) -> str:
    parts = [name for name in read.names if name != "."]
    name = Name(parts[-2] if len(parts) > 1 else None, parts[-1] if parts else "", 0, 0)
    if name.schema == "pg_catalog":
        return _builtin(read._replace(names=[name.name])) or quoted(name.name) + read.modifiers
    schema = _own(state, name) or name.schema
    return shown(state, schema, name.name) + read.modifiers


def shown(state: State, schema: str | None, name: str) -> str:
    """The name of a user type as text: without the schema where the catalog's own search path reaches it."""
    if schema is None or schema in state.default_path:
        return quoted(name)
    return f"{quoted(schema)}.{quoted(name)}"


def _own(state: State, name: Name) -> str | None:
    """The schema of a type that the catalog knows: a type of its own, or the row type of a relation."""
    found = state.type(name)
    if found is not None:
        return found.schema
    relation = state.relation(name)
    return relation.schema if relation is not None else None


def _of_column(state: State, names: list[str]) -> str:
    parts = [name for name in names if name != "."]
    if len(parts) < 2:
        return ".".join(parts)
    relation = state.relation(Name(parts[-3] if len(parts) > 2 else None, parts[-2], 0, 0))
    column = relation.column(parts[-1]) if relation is not None else None
    return column.type if column is not None else ".".join(parts) + "%TYPE"


def is_known(state: State, kind: str) -> bool:
    """Whether a type, as `type_name` gives it, is built in or one that the catalog holds: none of an extension."""
    plain = without_modifiers(kind.removesuffix("[]"))
    if is_built_in(plain):
        return True
    own = {shown(state, t.schema, t.name) for t in state.types.values()}
    return plain in own or any(shown(state, r.schema, r.name) == plain for r in state.relations.values())


def beneath(state: State, kind: str) -> str:
    """What a domain is made of, in the end; any other type as it is."""
    bases = {shown(state, t.schema, t.name): t.base for t in state.types.values() if t.kind == "domain"}
    while kind in bases:
        kind = bases.pop(kind)
    return kind


def is_built_in(plain: str) -> bool:
    """Whether a type without modifiers is one that PostgreSQL brings along."""
    first = plain.partition(" ")[0]
    return plain in _BUILT_IN or plain in _ALIASES.values() or first in ("interval", "timestamp", "time")


# The other types of pg_type that columns have.
_BUILT_IN = frozenset(
    """text uuid jsonb bytea date inet cidr macaddr macaddr8 money name oid point line lseg box path polygon circle
    tsvector tsquery jsonpath pg_lsn pg_snapshot txid_snapshot xid xid8 cid tid regclass regtype regproc regprocedure
    regrole regnamespace regoper regoperator regconfig regdictionary regcollation refcursor int4range int8range
    numrange tsrange tstzrange daterange int4multirange int8multirange nummultirange tsmultirange tstzmultirange
    datemultirange int2vector oidvector "char" unknown void""".split()
)


def without_modifiers(name: str) -> str:
    """A type as a function's signature has it: `numeric(3,2)` is `numeric`."""
    opening = name.find("(")
    if opening < 0 or name.startswith('"'):
        return name
    closing = name.find(")", opening)
    return _BARE.get(name[:opening] + name[closing + 1 :], name[:opening] + name[closing + 1 :])


_BARE: dict[str, str] = {}
