"""One function for each kind of value: it gives the value to keep, or raises ValueError that says what is wanted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from json import dumps
from typing import Any

from legacy_ref_scan.model import Sink
from legacy_ref_scan.rules.names import parse_name
from legacy_ref_scan.rules.types import KINDS, Others
from legacy_ref_scan.versions import Version

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_LARGEST_VERSION = 2**63 - 1  # TOML's integers; golang-migrate itself counts to 2**64 - 1


def text(value: Any) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be a text that is not empty, not {_kind(value)}")
    return value


def word(value: Any) -> str:
    """A name of the host language."""
    if not text(value).isidentifier():
        raise ValueError(f"{value!r} must be one name, without a dot")
    return str(value)


def argument(value: Any) -> int | str:
    """A position from 1, or the name of a parameter."""
    if isinstance(value, str):
        return word(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"must be a position from 1, or a parameter's name, not {_kind(value)}")
    return value


def sink(value: Mapping[str, Any]) -> Sink:
    """A table of `[[scan.sinks]]`, its keys checked already."""
    if ("function" in value) == ("method" in value):
        raise ValueError("needs either function or method")
    if "function" in value and "package" not in value:
        raise ValueError("needs the package that declares the function")
    name = value.get("function") or value["method"]
    return Sink(value.get("package", ""), name, "method" in value, value["argument"])


def query(value: Any) -> str:
    """One query: `verify` runs it in a read-only transaction, and nothing else."""
    found = text(value).strip().removesuffix(";")
    if not re.match(r"(?:\s|--[^\n]*\n|\()*(?:select|with|values|table)\b", found, re.IGNORECASE):
        raise ValueError("must be one query: SELECT, WITH, VALUES or TABLE")
    return found


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts, which may be empty."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ValueError(f"must be a list of texts, not {_kind(value)}")
    return tuple(value)


def names(value: Any) -> tuple[str, ...]:
    """At least one name of PostgreSQL, none twice."""
    found = tuple(name(item) for item in texts(value))
    if not found:
        raise ValueError("must hold at least one name")
    if len(set(found)) < len(found):
        raise ValueError("holds a name twice")
    return found


def name(value: Any) -> str:
    """A name of PostgreSQL, folded."""
    parts = parse_name(text(value))
    if len(parts) != 1:
        raise ValueError(f"{value!r} must be one name, without a dot")
    return parts[0]


def table_name(value: Any) -> tuple[str, ...]:
    """`table` or `schema.table`, folded, in its parts."""
    parts = parse_name(text(value))
    if len(parts) > 2:
        raise ValueError(f"{value!r} must be a table, or schema.table")
    return parts


def version(value: Any) -> Version:
    """A number, or the text of a version with dots, as Flyway has them."""
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)+", value, re.ASCII):
        return Version.of(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST_VERSION:
        raise ValueError(f"must be a whole number from 0, or a text such as '1.2', not {_kind(value)}")
    return Version.of(value)


def duration(value: Any) -> str:
    """A time with its unit, as PostgreSQL's settings take it (manual, 19.1)."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}(ms|s|min|h)", text(value), re.ASCII):
        raise ValueError(f"{value!r} must be a time with its unit, such as 500ms, 5s or 2min")
    return str(value)


def truth(value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {_kind(value)}")
    return value


def file_name(value: Any) -> str:
    """What can stand in the name of a migration."""
    if not _FILE_NAME.fullmatch(text(value)):
        raise ValueError(f"{value!r} must be made of letters, digits, _ and -: it becomes a file name")
    return str(value)


def identity(value: Any) -> str:
    """What can stand in the id of a check."""
    if not _FILE_NAME.fullmatch(text(value)):
        raise ValueError(f"{value!r} must be made of letters, digits, _ and -")
    return str(value)


def directory(value: Any) -> str:
    """A path below the root, without a slash at its end."""
    path = text(value)
    if path.startswith("/") or "\\" in path or ".." in path.split("/"):
        raise ValueError(f"{value!r} must be relative to the root, with / between the parts and without ..")
    return path.rstrip("/")


def day(value: Any) -> date:
    """A date, or a text in the form of one."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a day of the calendar") from None
    raise ValueError("must be a day such as 2027-03-31")


def kinds(value: Any) -> frozenset[str]:
    """Kinds of files, of those in `KINDS`."""
    for kind in texts(value):
        if kind not in KINDS:
            close = get_close_matches(kind.lower(), KINDS, 1, 0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"the kinds are {', '.join(KINDS)}"
            raise ValueError(f"{kind!r} is no kind of file: {hint}")
    return frozenset(value)


def others(value: Mapping[str, frozenset[str]]) -> Others:
    """The table `[scan.others]`, its keys checked already."""
    found = Others(value.get("gate", frozenset()), value.get("list", frozenset()), value.get("ignore", frozenset()))
    twice = (found.gate & found.listed) | (found.gate & found.ignored) | (found.listed & found.ignored)
    if twice:
        raise ValueError(f"gives {sorted(twice)[0]!r} two meanings")
    return found


def one_of(*choices: str) -> Callable[[Any], str]:
    """The check of a key that has a few values."""

    def check(value: Any) -> str:
        if value not in choices or not isinstance(value, str):
            raise ValueError(f"must be {' or '.join(dumps(choice) for choice in choices)}, not {_kind(value)}")
        return value

    return check


def _kind(value: Any) -> str:
    known = {bool: "a truth value", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return repr(value) if isinstance(value, str) else known.get(type(value), f"a {type(value).__name__}")
