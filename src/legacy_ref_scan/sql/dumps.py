"""Files that make the table with the column and build on it, as a dump of the schema does: they stand on their own."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from operator import itemgetter

from legacy_ref_scan.model import Access, Found, Fragment, Reference
from legacy_ref_scan.schema import Catalog
from legacy_ref_scan.sql.lexer import name_of
from legacy_ref_scan.sql.statements import cut

_START = rb"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
# What says something of the column and makes nothing that lives without the table.
_OF_TABLE = re.compile(
    _START + rb"(?:alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?[^\s;]+\s+(?:add\s+constraint|alter|cluster)\b"
    rb"|alter\s+sequence\s+(?:if\s+exists\s+)?[^\s;]+\s+owned\s+by\b"
    rb"|create\s+(?:unique\s+)?index\b|comment\s+on\b|create\s+statistics\b|grant\b|revoke\b)",
    re.IGNORECASE | re.DOTALL,
)
_AGAIN = re.compile(rb"\bif\s+not\s+exists\b", re.IGNORECASE)
_OBJECT = re.compile(
    _START + rb"create\s+(?:or\s+replace\s+)?(?:constraint\s+|materialized\s+|recursive\s+)?"
    rb"(?:trigger|view|function|procedure|policy|rule)\s+(?:[\w$]+\s*\.\s*)?(\"(?:[^\"]|\"\")+\"|[\w$]+)",
    re.IGNORECASE | re.DOTALL,
)


def of_dump(fragment: Fragment, found: Iterable[Found], catalog: Catalog) -> Iterator[Found]:
    """The findings of a text; in a file that defines the column itself, what belongs to the definition does not gate.

    The file is made anew from the schema. Its views, functions and triggers are judged where migrations leave them;
    those that no migration makes gate here. A definition `IF NOT EXISTS` makes no dump: such a file runs on a database
    that has the table, where what comes behind it fails without the column.
    """
    if fragment.kind != "sql-file":
        yield from found
        return
    items = list(found)
    defining = [item for item in items if isinstance(item, Reference) and item.access is Access.DEFINE]
    statements = cut(fragment.text).statements if defining else ()

    def holder(item: Reference) -> tuple[int, int] | None:
        at = bisect_right(statements, item.span.start - fragment.site.start, key=itemgetter(0)) - 1
        return statements[at][:2] if at >= 0 else None

    again = any((place := holder(item)) and _AGAIN.search(fragment.text, *place) for item in defining)
    defined = set() if again else {item.target for item in defining}
    for item in items:
        if isinstance(item, Reference) and item.gating and item.target in defined:
            place = holder(item)
            if place is not None and _is_defined(fragment.text, place[0], catalog):
                message = f"belongs to the definition of {item.target} in this file"
                item = replace(item, access=Access.DEFINE, gating=False, message=message, help="")
        yield item


def _is_defined(text: bytes, start: int, catalog: Catalog) -> bool:
    """Whether the statement belongs to the table, or to something that the migrations leave too."""
    if _OF_TABLE.match(text, start):
        return True
    made = _OBJECT.match(text, start)
    if made is None:
        return False
    name = name_of(made[1])
    named = (item.name for group in (catalog.objects, catalog.functions, catalog.relations) for item in group.values())
    return name in named
