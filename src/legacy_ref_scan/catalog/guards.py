"""`IF [NOT] EXISTS (SELECT … FROM information_schema …)`: a question about the schema that the replay can answer."""

from __future__ import annotations

from typing import NamedTuple

from legacy_ref_scan.catalog import notnull
from legacy_ref_scan.catalog.names import Name, dotted
from legacy_ref_scan.catalog.state import State
from legacy_ref_scan.catalog.typenames import is_built_in, without_modifiers
from legacy_ref_scan.schema import Column, Relation
from legacy_ref_scan.sql.lexer import Kind, Token, name_of, string_value, words


class Guard(NamedTuple):
    """A condition on the schema. `names` are what it asks for; `holds` is None where it asks too much to answer."""

    names: frozenset[str]
    holds: bool | None

    def about(self, data: bytes) -> bool:
        """Whether a statement names one of the things that the guard asks for."""
        found = words(data)
        return any(t.kind in _NAMES and name_of(data[t.start : t.end]) in self.names for t in found) or any(
            t.kind is Kind.STRING and _text(data, t) in self.names for t in found
        )


_NAMES = (Kind.WORD, Kind.QUOTED)
_SCHEMAS = frozenset(
    {
        "table_schema", "schemaname", "constraint_schema", "specific_schema", "routine_schema", "trigger_schema",
        "view_schema", "sequence_schema", "event_object_schema", "table_catalog",
    }
)  # fmt: skip
_TABLES = frozenset(
    {
        "table_name", "tablename", "attrelid", "conrelid", "indrelid", "tgrelid", "polrelid", "event_object_table",
    }
)  # fmt: skip
_COLUMNS = frozenset({"column_name", "attname"})
_RELATIONS = frozenset({"relname", "viewname", "matviewname", "sequencename", "sequence_name", "indexname", "oid"})
_KINDS = {
    "conname": "constraint", "constraint_name": "constraint", "tgname": "trigger", "trigger_name": "trigger",
    "polname": "policy", "policyname": "policy", "rulename": "rule",
}  # fmt: skip


def guard(state: State, text: bytes, start: int, end: int) -> Guard | None:
    """The guard that a condition is; None for any other condition."""
    solid = list(words(text, start, end))
    raws = [text[token.start : token.end].lower() for token in solid]
    negated = False
    while raws and (raws[0] == b"not" or (raws[0] == b"(" and raws[-1] == b")" and _closes(raws) == len(raws) - 1)):
        negated ^= raws[0] == b"not"
        stop = len(raws) if raws[0] == b"not" else -1
        solid, raws = solid[1:stop], raws[1:stop]
    if not raws or not _asks_catalog(raws):
        return None
    counted = _counted(raws)
    if counted is not None:
        length, positive = counted
        negated ^= not positive
        solid, raws = solid[:length], raws[:length]
    asked, exact = _asked(text, solid, raws)
    names = frozenset(name.name for key, name in asked.items() if key not in _NO_NAMES)
    if raws[0] == b"to_regclass":
        holds = _regclass(state, raws, asked)
    else:
        whole = raws[0] == b"exists" and raws[1:2] == [b"("] and _closes(raws[1:]) == len(raws) - 2
        holds = _answer(state, asked, _shown(raws)) if whole or counted else None
        if not exact and (holds or not _narrows(raws)):
            holds = None  # what was not understood can only rule things out
    return Guard(names, None if holds is None else holds != negated) if names else None


def _closes(raws: list[bytes]) -> int:
    depth = 0
    for index, raw in enumerate(raws):
        depth += (raw == b"(") - (raw == b")")
        if depth == 0:
            return index
    return -1


def _counted(raws: list[bytes]) -> tuple[int, bool] | None:
    """`(SELECT count(*) FROM …) = 0`: where the query ends, and whether it asks for something that is there."""
    if raws[:4] != [b"(", b"select", b"count", b"("]:
        return None
    end = _closes(raws) + 1
    return (end, _COUNTS[tail]) if (tail := b"".join(raws[end:])) in _COUNTS else None


_COUNTS = {b"=0": False, b"<1": False, b">0": True, b">=1": True, b"<>0": True, b"!=0": True}


def _narrows(raws: list[bytes]) -> bool:
    """Whether a query is one SELECT whose conditions are all joined by AND, and none is denied."""
    denied = any(
        raw == b"not" and b"attisdropped" not in raws[i : i + 4] and b"attnotnull" not in raws[i : i + 4]
        for i, raw in enumerate(raws)
    )
    return not denied and raws.count(b"select") == 1 and not {*raws} & {b"or", b"union", b"except", b"case", b"left"}


def _asks_catalog(raws: list[bytes]) -> bool:
    return any(raw in (b"information_schema", b"to_regclass", b"to_regtype") or raw.startswith(b"pg_") for raw in raws)


def _asked(text: bytes, solid: list[Token], raws: list[bytes]) -> tuple[dict[str, Name], bool]:
    """What is compared with literals, and whether every literal of the condition was understood."""
    asked: dict[str, Name] = {}
    literals = [i for i, token in enumerate(solid) if token.kind is Kind.STRING]
    understood = 0
    for index in literals:
        value = _text(text, solid[index])
        before = raws[index - 1] if index else b""
        at = index - 1
        if before == b"(" and raws[index - 2 : index - 1] in ([b"to_regclass"], [b"to_regtype"]):
            asked["to_regclass"] = _dotted(value)
            understood += 1
        elif before == b"=" and solid[at - 1].kind in _NAMES:
            column = name_of(text[solid[at - 1].start : solid[at - 1].end])
            cast = raws[index + 1 : index + 3] in ([b"::", b"regclass"], [b"::", b"regtype"])
            if column in asked:
                return asked, False
            asked[column] = _dotted(value) if cast else Name(None, value, 0, 0)
            understood += 1
    literal_count = understood
    for index, raw in enumerate(raws):
        if raw == b"attnotnull" and raws[index + 1 : index + 2] in ([], [b"and"], [b")"]):
            denied = b"not" in raws[max(index - 3, 0) : index]
            asked["is_nullable"] = Name(None, "YES" if denied else "NO", 0, 0)
            understood += 1
    harmless = b"or" not in raws and b"like" not in raws and b"<>" not in raws and b"!=" not in raws
    conditions = sum(raw in (b"where", b"and", b"on") for raw in raws)
    return asked, literal_count == len(literals) and harmless and conditions == understood + _harmless(raws)


_NOW = frozenset({b"current_schema", b"current_catalog", b"current_database"})


def _harmless(raws: list[bytes]) -> int:
    """How many conditions hold for everything that is there: joins, the schema of now, columns that are not dropped."""
    found = 0
    for index, raw in enumerate(raws):
        after = raws[index + 1 : index + 2]
        if raw == b"=" and 0 < index < len(raws) - 1:
            joined = raws[index - 2 : index - 1] == [b"."] == raws[index + 2 : index + 3]
            kept = raws[index - 1 : index + 2] == [b"attisdropped", b"=", b"false"]
            found += joined or kept or raws[index + 1] in _NOW
        elif raw == b"attnum" and raws[index + 1 : index + 3] == [b">", b"0"]:
            found += 1
        elif raw == b"attisdropped" and after != [b"="]:
            found += b"not" in raws[max(index - 3, 0) : index]
    return found


def _text(text: bytes, token: Token) -> str:
    return string_value(text[token.start : token.end]).decode("utf-8", "replace")


def _dotted(value: str) -> Name:
    data = value.encode()
    parts = dotted(data, 0, len(data))
    return parts[-1] if parts else Name(None, value, 0, 0)


def _regclass(state: State, raws: list[bytes], asked: dict[str, Name]) -> bool | None:
    name = asked.get("to_regclass")
    found = state.relation(name) is not None or (name is not None and state.index(name) is not None)
    tail = raws[_closes(raws[1:]) + 2 :]
    if tail == [b"is", b"null"]:
        return not found
    return found if tail == [b"is", b"not", b"null"] else None


_TABLE_LIKE = frozenset({"table", "view", "foreign"})
# The kinds of relations that the catalogs and views of PostgreSQL show, where these are not all of them.
_KINDS_SHOWN = {
    b"pg_tables": frozenset({"table"}), b"pg_views": frozenset({"view"}), b"pg_matviews": frozenset({"matview"}),
    b"tables": _TABLE_LIKE, b"columns": _TABLE_LIKE, b"views": frozenset({"view"}),
}  # fmt: skip


def _shown(raws: list[bytes]) -> frozenset[str] | None:
    return next((_KINDS_SHOWN[raw] for raw in raws if raw in _KINDS_SHOWN), None)


def _answer(state: State, asked: dict[str, Name], shown: frozenset[str] | None) -> bool | None:
    """Whether the thing is there; None for questions about more than names."""
    schema = next((asked[key].name for key in (*_SCHEMAS, "nspname") if key in asked and key != "table_catalog"), None)
    rest = {key: name for key, name in asked.items() if key not in _SCHEMAS}
    table = next((rest.pop(key) for key in list(rest) if key in _TABLES), None)
    if schema is not None:
        rest.pop("nspname", None)
    relation = state.relation(_in(schema, table)) if table else None
    if relation is not None and shown is not None and relation.kind not in shown:
        relation = None
    properties = {key: rest.pop(key).name for key in _OF_COLUMN if key in rest}
    if properties and not {*rest} & _COLUMNS:
        return None
    if not rest:
        return relation is not None if table else (schema in state.schemas if schema is not None else None)
    if len(rest) > 1:
        return None
    (key, name), *_ = rest.items()
    if key in _COLUMNS:
        return _has_column(state, relation, name, properties) if table else None
    if key in _KINDS:
        return _has_object(state, _KINDS[key], name.name, relation if table else None, table is not None)
    if key in _RELATIONS:
        wanted = _in(schema, name)
        return state.relation(wanted) is not None or state.index(wanted) is not None
    if key in ("typname", "domain_name"):
        return state.type(_in(schema, name)) is not None or state.relation(_in(schema, name)) is not None
    if key in ("proname", "routine_name"):
        return bool(state.named_functions(_in(schema, name)))
    if key in ("schema_name", "nspname"):
        return name.name in state.schemas
    return None


def _in(schema: str | None, name: Name) -> Name:
    return name if schema is None or name.schema is not None else name._replace(schema=schema)


def _has_column(state: State, relation: Relation | None, name: Name, wanted: dict[str, str]) -> bool | None:
    column = relation.column(name.name) if relation else None
    if column is None or column.maybe:
        return None if column is not None else False
    answers = [_OF_COLUMN[key](state, column, value) for key, value in wanted.items()]
    return False if False in answers else (None if None in answers else True)


def _nullable(state: State, column: Column, value: str) -> bool | None:
    return column.not_null == (value.upper() == "NO")


def _data_type(state: State, column: Column, value: str) -> bool | None:
    """information_schema says ARRAY and USER-DEFINED too; a domain goes by what it is made of."""
    plain = without_modifiers(column.type)
    if not plain or plain.endswith("[]") or not is_built_in(plain):
        return None
    return ("character" if plain == "bpchar" else plain) == value


_OF_COLUMN = {"is_nullable": _nullable, "data_type": _data_type}
_NO_NAMES = _SCHEMAS | {"nspname", "table_type", *_OF_COLUMN}


def _has_object(state: State, kind: str, name: str, relation: Relation | None, of_table: bool) -> bool:
    tables = ([relation] if relation else []) if of_table else list(state.relations.values())
    if kind == "constraint" and any(notnull.named(table, name) for table in tables):
        return True
    if of_table:
        return relation is not None and state.object(kind, relation.oid, name) is not None
    return any(item.kind == kind and item.name == name for item in state.objects.values())
