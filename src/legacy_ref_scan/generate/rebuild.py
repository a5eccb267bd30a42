"""Builds again what DROP COLUMN took along: constraints, indexes, statistics, grants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from legacy_ref_scan.catalog.names import quoted
from legacy_ref_scan.generate.spelling import literal
from legacy_ref_scan.schema import Constraint, Index, SchemaObject

# A CHECK that NULL may violate: most give NULL for NULL, which passes.
_REFUSES_NULL = re.compile(r"\b(is\s+(not\s+)?(null|distinct|true|false|unknown)|coalesce|num_n(on)?nulls)\b", re.I)
_CREATE_INDEX = re.compile(
    r"\A(create\s+(?:unique\s+)?index\s+)(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?(?!on\b)", re.I
)
_NULLS_EQUAL = re.compile(r"\bnulls\s+not\s+distinct\b", re.I)
_NOT_VALID = re.compile(r"\bnot\s+valid\Z", re.I)
_DISTINCT_TYPES = frozenset({"primary key", "unique", "exclude"})


class UnrenderableError(Exception):
    """Something that goes with the column cannot be built again; the message names it."""


def needs_distinct_values(item: SchemaObject, attnum: int, kept: Iterable[SchemaObject] = ()) -> bool:
    """Whether an object forbids that two rows have the same value in a column; `kept` are those that stay.

    Not where its other columns are unique by themselves, as a primary key among them is.
    """
    if not _is_unique(item) or not isinstance(item, Index | Constraint) or attnum not in item.columns:
        return False
    others = set(item.columns) - {attnum}
    return not any(_makes_unique(other, others) for other in kept)


def _is_unique(item: SchemaObject) -> bool:
    match item:
        case Index():
            return item.unique
        case Constraint():
            return item.type in _DISTINCT_TYPES
    return False


def _makes_unique(item: SchemaObject, attnums: set[int]) -> bool:
    """Whether two rows that are the same in these columns cannot be."""
    plain = isinstance(item, Constraint) and item.type in ("primary key", "unique") and 0 not in item.columns
    return plain and isinstance(item, Constraint) and bool(item.columns) and attnums.issuperset(item.columns)


def rebuild(table: str, item: SchemaObject, empty: frozenset[int]) -> Iterator[str]:
    """The statements that create an object of `table` (as written) again; `empty`: columns without a value in old rows.

    What those rows would violate becomes a remark. Raises `UnrenderableError`.
    """
    statement = _statement(table, item, empty)
    if _cannot_hold(item, empty):
        # No semicolon in a remark: golang-migrate with x-multi-statement splits at every one.
        yield f"-- {quoted(item.name)} cannot be built while rows lack a value. Once every row has one:"
        yield from (f"-- {line}" for line in statement.replace(";", "").splitlines())
        return
    yield _ended(statement)
    if item.comment:
        yield f"COMMENT ON {_called(table, item)} IS {literal(item.comment)};"


def drop_object(table: str, item: SchemaObject) -> Iterator[str]:
    """The statement that drops an index or statistics by name, so that nothing goes without being named."""
    if item.kind in ("index", "statistics"):
        yield f"DROP {item.kind.upper()} IF EXISTS {_in_schema(table, item)};"


def drop_constraint(item: SchemaObject) -> Iterator[str]:
    """The clause of ALTER TABLE that drops a constraint."""
    if item.kind == "constraint":
        yield f"DROP CONSTRAINT IF EXISTS {quoted(item.name)}"


def _in_schema(table: str, item: SchemaObject) -> str:
    """With its schema where the table has to be written with one, or lies in another."""
    schema = f"{quoted(item.schema)}." if "." in table and item.schema else ""
    return f"{schema}{quoted(item.name)}"


def _statement(table: str, item: SchemaObject, empty: frozenset[int]) -> str:
    text = item.definition.strip().rstrip(";").rstrip()
    if not text:
        raise UnrenderableError(f"{item.kind} {item.name}")
    match item:
        case Index():
            # In a transaction, so never CONCURRENTLY.
            return _CREATE_INDEX.sub(r"\1IF NOT EXISTS ", text)
        case Constraint():
            return _constraint(table, item, text, empty)
    return text


def _constraint(table: str, item: Constraint, text: str, empty: frozenset[int]) -> str:
    if not text.lower().startswith("alter"):
        named = text if text.lower().startswith("constraint") else f"CONSTRAINT {quoted(item.name)} {text}"
        text = f"ALTER TABLE {table} ADD {named}"
    lacking = not empty.isdisjoint((*item.columns, *(use.column[1] for use in item.uses)))
    doubtful = item.type == "check" and lacking and _REFUSES_NULL.search(text) and not _NOT_VALID.search(text)
    return f"{text} NOT VALID" if doubtful else text


def _cannot_hold(item: SchemaObject, empty: frozenset[int]) -> bool:
    """A primary key, or a unique index that takes NULLs for equal, over columns that come back empty."""
    if not isinstance(item, Index | Constraint) or empty.isdisjoint(item.columns):
        return False
    primary = isinstance(item, Constraint) and item.type == "primary key"
    return primary or bool(_NULLS_EQUAL.search(item.definition))


def _called(table: str, item: SchemaObject) -> str:
    if item.kind == "constraint":
        return f"CONSTRAINT {quoted(item.name)} ON {table}"
    return f"{item.kind.upper()} {_in_schema(table, item)}"


def _ended(statement: str) -> str:
    """With its semicolon, which must not end up in a comment on the last line."""
    return statement + ("\n;" if "--" in statement.rpartition("\n")[2] else ";")
