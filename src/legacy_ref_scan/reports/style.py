"""What may be written to a terminal: colour, escaped control characters, display widths."""

from __future__ import annotations

import re
import unicodedata

TAB = 4
_COLOURS = {"red": "31", "yellow": "33", "green": "32", "blue": "34", "cyan": "36", "bold": "1"}
# Control and format characters (bidirectional overrides among them), lone surrogates, line and paragraph separators:
# a source line must be able neither to move the cursor nor to show another text than it has.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NO_WIDTH = frozenset({"Mn", "Me"})
_SURROGATE = re.compile("[\ud800-\udfff]")


def paint(text: str, colours: str, enabled: bool) -> str:
    """`text` in the named colours ("red bold"), unchanged where colour is not wanted."""
    if not enabled or not text:
        return text
    codes = ";".join(_COLOURS[colour] for colour in colours.split())
    return f"\x1b[{codes}m{text}\x1b[0m"


def visible(character: str) -> str:
    """One character as it may be shown: unsafe ones as an escape, a tab as blanks."""
    if " " <= character <= "~":
        return character
    if character == "\t":
        return " " * TAB
    if unicodedata.category(character) not in _UNSAFE:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"


def clean(text: str) -> str:
    """A text from outside (a path, a symbol, a message) on one line and without control characters."""
    return text if text.isascii() and text.isprintable() else "".join(map(visible, text))


def width(shown: str) -> int:
    """How many terminal cells a text without control characters takes."""
    return len(shown) if shown.isascii() else sum(map(_cells, shown))


def _cells(character: str) -> int:
    if unicodedata.category(character) in _NO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def encodable(text: str) -> str:
    """`text` without lone surrogates (a path that is not UTF-8): each becomes U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)
