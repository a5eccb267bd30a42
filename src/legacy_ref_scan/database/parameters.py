"""Parameters of every style that drivers know (`$1`, `?`, `:name`, `@name`, `%s`, `%(name)s`) as PostgreSQL's `$n`."""

from __future__ import annotations

import re

from legacy_ref_scan.sql.lexer import Kind, tokens
from legacy_ref_scan.sql.repair import repairs

_NUMBERED = re.compile(rb"\$[0-9]")
_NAMED = re.compile(rb"[:@](?:'[^']*'|\"[^\"]*\"|\w+)|%\(\w+\)s", re.DOTALL)
_ANONYMOUS = frozenset((b"?", b"%s"))


def numbered(text: bytes, apart: bool = False) -> bytes:
    """The statement with numbered parameters; one that has them already is returned as it is.

    A name used twice is one parameter, as drivers send it; with `apart` each place is one of its own, for PostgreSQL
    wants one type for a parameter where a driver that writes the value into the text does not.
    """
    if any(token.kind is Kind.PARAMETER and text[token.start : token.start + 1] == b"$" for token in tokens(text)):
        return text
    numbers: dict[bytes, int] = {}
    parts: list[bytes] = []
    count = at = 0
    for start, end, replacement in repairs(text, 0, len(text)):
        written = text[start:end]
        if start < at or not (written in _ANONYMOUS or _NAMED.fullmatch(written)) or b"$1" not in replacement:
            continue
        count += 1
        number = count if apart or written in _ANONYMOUS else numbers.setdefault(written, count)
        if number != count:
            count -= 1
        parts += [text[at:start], replacement.replace(b"$1", b"$%d" % number)]
        at = end
    # a literal percent sign is doubled where the driver writes %s
    rest = b"".join((*parts, text[at:]))
    return rest.replace(b"%%", b"%") if b"%s" in text or b"%(" in text else rest
