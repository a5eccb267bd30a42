"""The options of a sequence in its definition: what CREATE says, and what ALTER says later."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBER = r"\s*[-+]?\s*\d+"
_OPTION = re.compile(
    rf"\b(?:AS\s+(?P<type>\w+)|INCREMENT(?:\s+BY)?(?P<increment>{_NUMBER})|START(?:\s+WITH)?(?P<start>{_NUMBER})"
    rf"|NO\s+(?P<none>MINVALUE|MAXVALUE|CYCLE)|MINVALUE(?P<least>{_NUMBER})|MAXVALUE(?P<most>{_NUMBER})"
    rf"|CACHE(?P<cache>{_NUMBER})|(?P<cycle>CYCLE))\b",
    re.IGNORECASE,
)
_HEAD = re.compile(
    r'\s*CREATE\s+(?:TEMP\s+|TEMPORARY\s+|UNLOGGED\s+)?SEQUENCE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:"(?:[^"]|"")*"|[\w$.])+',
    re.IGNORECASE,
)
_WORDS = {
    "type": "AS", "increment": "INCREMENT BY", "start": "START WITH", "least": "MINVALUE", "most": "MAXVALUE",
    "cache": "CACHE",
}  # fmt: skip
_KINDS = {"minvalue": "least", "maxvalue": "most", "cycle": "cycle"}


def options_of(definition: str) -> tuple[str, ...]:
    """The options of a sequence's definition as ALTER and CREATE take them; a later one replaces an earlier one."""
    head = _HEAD.match(definition)
    return _options(definition[head.end() :]) if head else ()


def with_options(definition: str, added: Iterable[str]) -> str:
    """The definition of a sequence with further options."""
    head = _HEAD.match(definition)
    if head is None:
        return definition
    found = _options(" ".join((definition[head.end() :], *added)))
    return " ".join((definition[: head.end()], *found))


def _options(text: str) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for match in _OPTION.finditer(text):
        kind = match.lastgroup or ""
        value = "".join((match[kind] or "").split())
        if kind == "none":
            found.pop(_KINDS[value.lower()], None)
        else:
            found[kind] = f"{_WORDS[kind]} {value}" if kind in _WORDS else "CYCLE"
    return tuple(found.values())
