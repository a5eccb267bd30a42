"""Variables of scripts that hold one word: `TABLE=campaign_phases`, `ENV`, `psql -v col=error_message`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from legacy_ref_scan.languages.plain.kinds import Kind

_SCRIPTS = frozenset({"shell", "script", "make", "Dockerfile", "YAML", "configuration"})
_ASSIGNED = re.compile(
    rb"(?:^|[;&])[ \t]*(?:(?:export|local|readonly|declare|typeset|ENV|ARG)[ \t]+(?:-\w+[ \t]+)?)?"
    rb"([A-Za-z_]\w*)[ \t]*(?:=|:=|\?=)[ \t]*([\"']?)([\w.]+)\2[ \t]*(?=$|[;#&\r])",
    re.MULTILINE,
)
# Any other way in which a variable gets a value: then the word is not all that it can hold.
_CHANGED = rb"(?:^|[\s;(])(?:for[ \t]+%b[ \t]+in\b|read[ \t]+(?:-\w+[ \t]+)*%b\b|%b[ \t]*[:?+]?=)"
_GIVEN = re.compile(rb"(?:\s-v[ \t]*|--(?:set|variable)[= \t]+)[\"']?([A-Za-z_]\w*)=[\"']?([\w.]+)[\"']?")
_NAME = re.compile(rb"\$[({]?([A-Za-z_]\w*)[)}]?\Z|\$\{([A-Za-z_]\w*):?-[\w.]*\}\Z")


@dataclass(frozen=True)
class Variables:
    """Where the values of a script's variables stand. `given` are those that psql gets on its command line."""

    assigned: Mapping[bytes, tuple[int, int]] = field(default_factory=dict)
    given: Mapping[bytes, tuple[int, int]] = field(default_factory=dict)

    def place_of(self, text: bytes) -> tuple[int, int] | None:
        """Where the value of `$NAME`, `${NAME}`, `:name` or `:"name"` stands, if it is known."""
        if text[:1] == b":":
            return self.given.get(text.strip(b':"'))
        match = _NAME.match(text)
        return self.assigned.get(match[1]) if match is not None and match[1] else None

    @property
    def pattern(self) -> bytes:
        """A regular expression for psql's variables in a text; b"" for none."""
        names = b"|".join(sorted(self.given))
        return rb"(?<![:\w]):(?:(?:%b)\b|\"(?:%b)\")" % (names, names) if names else b""


def variables(data: bytes, kind: Kind) -> Variables:
    """The variables of a file that have one value only."""
    if kind.name not in _SCRIPTS:
        return Variables()
    assigned = {match[1]: match.span(3) for match in _ASSIGNED.finditer(data)}
    given: dict[bytes, tuple[int, int]] = {}
    several: set[bytes] = set()
    for match in _GIVEN.finditer(data):
        if match[1] in given and data[slice(*given[match[1]])] != match[2]:
            several.add(match[1])
        given[match[1]] = match.span(2)
    return Variables(
        {name: place for name, place in assigned.items() if _changes(data, name) <= 1},
        {name: place for name, place in given.items() if name not in several},
    )


def _changes(data: bytes, name: bytes) -> int:
    return sum(1 for _ in re.finditer(_CHANGED % (name, name, name), data, re.MULTILINE))
