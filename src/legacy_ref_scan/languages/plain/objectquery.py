"""Queries over classes instead of tables: JPQL, HQL, DQL. They read like SQL and name a model and its attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from legacy_ref_scan.languages.plain.kinds import Kind
from legacy_ref_scan.languages.plain.spelling import Spelling
from legacy_ref_scan.mentions import Names
from legacy_ref_scan.model import Claim, Explanation, Extracted, Fragment, Gap

_KINDS = frozenset({"Java", "Kotlin", "Scala", "Groovy", "PHP", "C#", "XML", "JavaScript"})
_FROM = re.compile(rb"(?i:\b(?:from|join(?:\s+fetch)?|update|delete\s+from|into)\s+)((?:[\w\\]+\.)*\w+)")
_CLASS = re.compile(rb"(?:[\w\\]+[.\\])?[A-Z][a-z0-9]\w*\Z")
_NOT_SQL = frozenset({b"select", b"set", b"lateral", b"unnest", b"only"})


def is_object_query(fragment: Fragment, kind: Kind, names: Names) -> bool:
    """Whether everything a text selects from is written as a class, or as an attribute of one."""
    if kind.name not in _KINDS:
        return False
    sources = [source for source in _FROM.findall(fragment.text) if source.lower() not in _NOT_SQL]
    classes = [source for source in sources if _CLASS.match(source)]
    tables = {name.encode().lower() for name in (*names.tables, *names.dependents)}
    paths = [source for source in sources if b"." in source and source not in classes]
    spelled_as_table = any(source.lower() in tables for source in classes)
    return bool(classes) and len(classes) + len(paths) == len(sources) and not spelled_as_table


def judged(fragment: Fragment, spelling: Spelling) -> Iterator[Extracted]:
    """A gap for a column's name where the text is about the table's model, or reaches it by an attribute."""
    sources = _FROM.findall(fragment.text)
    ours = any(spelling.is_model(source.replace(b"\\", b".")) for source in sources)
    reaches = any(b"." in source and not _CLASS.match(source) for source in sources)
    for start, end, name, role in spelling.names.places(fragment.text):
        span = fragment.origin(start, end)
        if role == "column" and (ours or reaches):
            message = f"a query over classes names {name}"
            yield Gap(span, "object-query", message, test=fragment.test)
        else:
            yield Claim(span, Explanation.OTHER_TABLE if not ours else Explanation.TABLE, "a query over classes")
