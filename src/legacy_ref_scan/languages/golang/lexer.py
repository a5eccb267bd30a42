"""Comments, strings and words of Go source, for files that the grammar can't read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    rb"""(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<raw>`[^`]*(?:`|\Z))
    |(?P<string>"(?:\\[^\n]|[^"\\\n])*+(?:"|\\?(?=\n|\Z)))
    |(?P<rune>'(?:\\.[^'\n]{0,8}|[^'\\\n]{1,4})')
    |(?P<word>(?:[^\W\d]|[\x80-\xff])(?:\w|[\x80-\xff])*)
    |(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)


class Token(NamedTuple):
    """A piece of Go source: kind is "comment", "raw", "string" or "word"."""

    kind: str
    start: int
    end: int

    def ends_in(self, data: bytes) -> bool:
        """Whether the token of a string or comment of `data` has its end."""
        last = {"string": b'"', "raw": b"`"}.get(self.kind, b"*/" if data.startswith(b"/*", self.start) else b"")
        return self.end - self.start > len(last) and data.endswith(last, 0, self.end)


def tokens(data: bytes, start: int, end: int) -> Iterator[Token]:
    """The comments, strings and words of a stretch of source that may not be well-formed."""
    for match in _TOKEN.finditer(data, start, end):
        if match.lastgroup not in ("other", "rune", None):
            yield Token(str(match.lastgroup), match.start(), match.end())
