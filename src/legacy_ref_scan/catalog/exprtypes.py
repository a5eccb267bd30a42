"""The types of a query's columns, as far as casts, literals and a few functions tell; "" where they do not."""

from __future__ import annotations

from legacy_ref_scan.catalog.typenames import without_modifiers
from legacy_ref_scan.sql.tree import Node

UNKNOWN = "unknown"
"""The type of a plain string constant and of NULL, until something tells."""

# pg_cast: what each type becomes by itself, where the other one does not become it too.
_WIDENS = {
    "smallint": {"integer", "bigint", "numeric", "real", "double precision"},
    "integer": {"bigint", "numeric", "real", "double precision"},
    "bigint": {"numeric", "real", "double precision"},
    "numeric": {"real", "double precision"},
    "real": {"double precision"},
    "date": {"timestamp without time zone", "timestamp with time zone"},
    "timestamp without time zone": {"timestamp with time zone"},
    "cidr": {"inet"},
}
_PREFERRED = frozenset({"double precision", "text", "timestamp with time zone", "boolean", "inet"})
_STRINGS = frozenset({"text", "character varying", "character", "bpchar"})
_CALLS = {
    "count": "bigint", "now": "timestamp with time zone", "row_number": "bigint", "rank": "bigint",
    "dense_rank": "bigint", "row_to_json": "json", "to_json": "json", "to_jsonb": "jsonb", "json_agg": "json",
    "jsonb_agg": "jsonb", "json_build_object": "json", "jsonb_build_object": "jsonb", "length": "integer",
    "char_length": "integer", "md5": "text", "concat": "text", "format": "text", "string_agg": "text",
    "gen_random_uuid": "uuid", "uuidv4": "uuid", "uuidv7": "uuid", "bool_and": "boolean", "bool_or": "boolean",
    "clock_timestamp": "timestamp with time zone", "to_tsvector": "tsvector", "random": "double precision",
}  # fmt: skip


def united(first: str, second: str) -> str:
    """select_common_type and select_common_typmod (src/backend/parser/parse_coerce.c) for two types."""
    if first == second or "" in (first, second):
        return first if first == second else ""
    if UNKNOWN in (first, second):
        return _bare(second if first == UNKNOWN else first)
    one, two = _bare(first), _bare(second)
    if one == two:
        return one
    if one in _STRINGS and two in _STRINGS:
        return one
    if two in _WIDENS.get(one, ()):
        return one if one in _PREFERRED else two
    return one if one in _WIDENS.get(two, ()) else ""


def _bare(kind: str) -> str:
    """The type without a modifier, as format_type prints it."""
    plain = without_modifiers(kind)
    return {"character": "bpchar", "bit": '"bit"'}.get(plain, plain)


def collatable(kind: str) -> bool:
    """Whether a type, or what an array is made of, is a string."""
    return _bare(kind.removesuffix("[]")) in _STRINGS


def settled(kind: str) -> str:
    """The type of a result column: a constant that nothing told a type is text."""
    return "text" if kind == UNKNOWN else kind


def of_constant(node: Node) -> str:
    """The type of a literal."""
    constant = node.child("AexprConst")
    if len(node.children) != 1 or constant is None or not constant.children:
        return ""
    kind = constant.children[0].type
    if kind == "Iconst":
        return "integer"
    return {"Sconst": UNKNOWN, "kw_null": UNKNOWN, "kw_true": "boolean", "kw_false": "boolean"}.get(kind, "")


def of_call(name: str) -> str:
    """The result type of a built-in function that has one whatever its arguments are."""
    return _CALLS.get(name, "")
