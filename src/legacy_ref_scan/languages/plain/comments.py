"""Where the comments of a text file are: one pass over its strings and comments, so that neither hides the other."""

from __future__ import annotations

import re
from functools import cache

# A `#` or `;` starts a comment only after white space: `${#list}`, `a#b`, `x;y` hold none.
_LINE: dict[str, bytes] = {
    "#": rb"(?:^|(?<=[\s;]))\#[^\n]*",
    "#!": rb"(?:^|(?<=[\s;]))\#(?!\[)[^\n]*",  # PHP: `#[` begins an attribute
    ";": rb"^[ \t]*;[^\n]*",
    "%": rb"%[^\n]*",
    "--": rb"--[^\n]*",
    "//": rb"(?<![:\\])//[^\n]*",
}
_BLOCK: dict[str, tuple[bytes, bytes]] = {
    "/*": (rb"/\*", b"*/"),
    "<!--": (rb"<!--", b"-->"),
    "{{/*": (rb"\{\{-?[ \t]*/\*", b"*/"),
    "{#": (rb"\{\#", b"#}"),
}
_LONG_STRINGS = {b"'''": b"'''", b'"""': b'"""', b"`": b"`"}
# In some languages an apostrophe holds one character, or begins a lifetime (`&'a str`) or a name (`f'`).
CHARACTERS = "'c'"
_CHARACTER = rb"""'''|\"\"\"|`|"(?:[^"\\\n]++|\\.)*+"?|'(?:\\[^'\n]{1,10}|[^'\\\n])'"""
# A string that is not closed ends with its line: looking again behind each escaped quote would take quadratic time.
_STRING = rb"""'''|\"\"\"|`|"(?:[^"\\\n]++|\\.)*+"?|(?<![A-Za-z0-9_])'(?:[^'\\\n]++|\\.)*+'?"""


def comments(data: bytes, syntaxes: tuple[str, ...]) -> list[tuple[int, int]]:
    """(start, end) of each comment, in order; what is opened and never closed is none."""
    found: list[tuple[int, int]] = []
    unclosed: set[bytes] = set()
    at = 0
    pattern = _pattern(syntaxes)
    while (match := pattern.search(data, at)) is not None:
        at = match.end()
        group = match.lastgroup or ""
        closer = _LONG_STRINGS.get(match[0], b"") if group == "string" else _closer(group)
        if closer:
            end = -1 if closer in unclosed else data.find(closer, at)
            if end < 0:
                unclosed.add(closer)
                continue
            at = end + len(closer)
        if group != "string":
            found.append((match.start(), at))
    return found


def _closer(group: str) -> bytes:
    return list(_BLOCK.values())[int(group[1:])][1] if group.startswith("b") else b""


@cache
def _pattern(syntaxes: tuple[str, ...]) -> re.Pattern[bytes]:
    blocks = [
        b"(?P<b%d>" % index + opener + b")"
        for index, (name, (opener, _)) in enumerate(_BLOCK.items())
        if name in syntaxes
    ]
    lines = [_LINE[syntax] for syntax in syntaxes if syntax in _LINE]
    line = [b"(?P<line>" + b"|".join(lines) + b")"] if lines else []
    if not (blocks or lines):
        return re.compile(rb"(?!)")
    string = _CHARACTER if CHARACTERS in syntaxes else _STRING
    return re.compile(
        b"|".join([*blocks, *line, b"(?P<string>" + string + b")"]), re.VERBOSE | re.DOTALL | re.MULTILINE
    )
