"""Names of table and column that code hands to a statement as parameters: a function behind it may make a statement."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from legacy_ref_scan.mentions import Names
from legacy_ref_scan.model import Fragment, Gap, SourceFile
from legacy_ref_scan.sql.findings import AS_VALUES

_PARAMETERS = ("a parameter", "argument of sql.Named")
# A question about the schema, right before its parameters: it compares them with names.
_ASKS_THE_SCHEMA = re.compile(rb"\binformation_schema\b|\bpg_(?:catalog|attribute|class|indexes|tables|stats?)\b", re.I)
_REACH = 600  # bytes


def names_as_parameters(
    fragments: Sequence[Fragment], names: Names, read: Callable[[str], SourceFile | None]
) -> Iterator[Gap]:
    """A gap for each parameter that is the column's name, in a file where another one is the table's."""
    bound = [fragment for fragment in fragments if fragment.note.startswith(_PARAMETERS)]
    tables = {fragment.site.path for fragment in bound if _is_one(fragment, names.tables | names.dependents)}
    for fragment in bound:
        if fragment.site.path in tables and _is_one(fragment, names.columns):
            source = read(fragment.site.path)
            start = fragment.site.start
            if source is None or not _ASKS_THE_SCHEMA.search(source.data, max(0, start - _REACH), start):
                message = "the table's and the column's names are parameters here: a statement may be made of them"
                yield Gap(fragment.site, AS_VALUES, message, fragment.symbol, fragment.test)


def _is_one(fragment: Fragment, names: frozenset[str]) -> bool:
    """Whether a text is one of the names, with a schema before it or without."""
    text = fragment.text.strip().rpartition(b".")[2].strip(b'"')
    return text.decode("utf-8", "replace").lower() in {name.lower() for name in names}
