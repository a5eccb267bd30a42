"""How many statements of real SQL files each parser reads, and how fast they are cut and parsed.

`python -m benchmarks.readers DIRECTORY…` takes every .sql file below the directories, one line a directory.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from legacy_ref_scan.sql.statements import cut
from legacy_ref_scan.sql.tree import TooComplexError, parse

_BOTH, _OURS, _OTHER, _NONE = "both", "tree-sitter only", "sqlglot only", "none"
_OTHER_DATABASES = frozenset({"sqlite", "sqlite3", "mysql", "mariadb", "mssql", "sqlserver", "clickhouse"})


def main() -> int:
    """Reads and prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readers", description=__doc__)
    parser.add_argument("directories", nargs="+", type=Path)
    parser.add_argument("--show", action="store_true", help="print the statements that tree-sitter does not read")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # sqlglot says of each opaque statement that it is one
    for directory in options.directories:
        counts: Counter[str] = Counter()
        spent: dict[str, float] = defaultdict(float)
        for text in _texts(directory):
            _read(text, counts, spent, options.show)
        total = max(1, counts.total())
        kinds = (_BOTH, _OURS, _OTHER, _NONE)
        shares = ", ".join(f"{name} {counts[name]} ({counts[name] / total:.2%})" for name in kinds)
        speeds = ", ".join(f"{name} {counts.total() / max(spent[name], 1e-9):,.0f}/s" for name in sorted(spent))
        sys.stdout.write(f"{directory.name}: {counts.total()} statements: {shares}; {speeds}\n")
    return 0


def _texts(directory: Path) -> Iterator[bytes]:
    for path in sorted(directory.rglob("*.sql")):
        if path.is_file() and _OTHER_DATABASES.isdisjoint(part.lower() for part in path.parts):
            yield path.read_bytes().removeprefix(b"\xef\xbb\xbf")


def _read(text: bytes, counts: Counter[str], spent: dict[str, float], show: bool) -> None:
    began = time.perf_counter()
    statements = cut(text).statements
    spent["cut"] += time.perf_counter() - began
    for start, end in statements:
        began = time.perf_counter()
        ours = _parses(text, start, end)
        between = time.perf_counter()
        other = _sqlglot_parses(text[start:end])
        spent["parsed"] += between - began
        spent["parsed by sqlglot"] += time.perf_counter() - between
        counts[(_BOTH if other else _OURS) if ours else (_OTHER if other else _NONE)] += 1
        if show and not ours:
            sys.stdout.write(f"  {text[start:end][:300]!r}\n")


def _parses(text: bytes, start: int, end: int) -> bool:
    try:
        return not parse(text, start, end).errors
    except TooComplexError:
        return False


def _sqlglot_parses(statement: bytes) -> bool:
    """Whether sqlglot makes a tree of it; an opaque command is none."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(statement.decode("utf-8", "replace"), read="postgres")
    except (SqlglotError, RecursionError, ValueError, AttributeError, TypeError, IndexError, KeyError):
        return False
    return not isinstance(tree, exp.Command)


if __name__ == "__main__":
    sys.exit(main())
