"""What the caller of a renderer may choose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`accounting` lists every mention with its explanation; `colour` allows ANSI escapes (text only)."""

    accounting: bool = False
    colour: bool = False
