"""The version of a migration: an ordered value that is printed as its tool prints it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TEXT = re.compile(r"\d+(?:[._]\d+)*")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A number (68, 20240102030405) or, as Flyway has them, several with dots (1.2).

    `parts` are compared one by one, without zeros at the end: 1.0 is 1, and 1.10 comes after 1.9. `text` is how the
    tool prints it. Without any part it stands for no version, is false and comes before all others.
    """

    parts: tuple[int, ...] = ()
    text: str = field(default="", compare=False)

    @classmethod
    def of(cls, number: int | str) -> Version:
        """The version of a number, or of a text such as 1.2 or 1_2. Raises ValueError for any other."""
        text = str(number)
        if _TEXT.fullmatch(text) is None:
            raise ValueError(f"{text!r} is no version: a number, or several with dots")
        parts = [int(part) for part in re.split("[._]", text)]
        while len(parts) > 1 and parts[-1] == 0:
            parts.pop()
        return cls(tuple(parts), text.replace("_", "."))

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __str__(self) -> str:
        return self.text

    def __int__(self) -> int:
        """The number, where it is a single one (0 for none). Raises ValueError for a version with dots."""
        if len(self.parts) > 1:
            raise ValueError(f"{self.text} is not one number")
        return self.parts[0] if self.parts else 0


UNVERSIONED = Version()
