"""From a rule file, or the columns named on the command line, to a `Rule`: strict, errors say file and line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from legacy_ref_scan.model import ScanError, Target
from legacy_ref_scan.rules.names import default_name, parse_name
from legacy_ref_scan.rules.sections import SECTIONS, Key
from legacy_ref_scan.rules.types import Acknowledgement, MigrationPlan, Parity, Rule

DEFAULT_SCHEMA = "public"
"""Where a table is looked for whose schema nobody named."""
_Where = tuple[str | int, ...]


def find_rules(root: str | os.PathLike[str]) -> tuple[Path, ...]:
    """The rule files of a repository: `rules/*.toml`, sorted."""
    return tuple(sorted(Path(root).glob("rules/*.toml")))


def load_rule(path: str | os.PathLike[str]) -> Rule:
    """Reads a rule file. Raises `ScanError` with file, line and what would be right."""
    name = os.fspath(path)
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        document = tomllib.loads(text)
    except OSError as error:
        raise ScanError(f"{name}: cannot read the rule: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ScanError(f"{name}: the rule is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ScanError(_syntax_error(name, text, str(error))) from None
    return _Document(name, dict(_lines(text))).rule(document)


def adhoc_rule(columns: Iterable[str]) -> Rule:
    """A rule for columns named as `table.column` or `schema.table.column`, quoted as in SQL where needed."""
    targets: dict[Target, bool] = {}
    for text in columns:
        try:
            names = parse_name(text)
        except ValueError as error:
            raise ScanError(f"--column {text}: {error}") from None
        if len(names) not in (2, 3):
            raise ScanError(f"--column {text}: give TABLE.COLUMN or SCHEMA.TABLE.COLUMN")
        qualified = len(names) == 3
        target = Target(*names) if qualified else Target(DEFAULT_SCHEMA, *names)
        targets[target] = targets.get(target, False) or qualified
    if not targets:
        raise ScanError("no column to look for: give --column TABLE.COLUMN or a rule")
    unqualified = frozenset(target for target, qualified in targets.items() if not qualified)
    return Rule("--column", tuple(targets), unqualified=unqualified)


def _syntax_error(name: str, text: str, message: str) -> str:
    match = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    line = (match and match.group(1)) or str(max(1, len(text.splitlines())))
    return f"{name}:{line}: not valid TOML: {message[: match.start()] if match else message}"


def _lines(text: str) -> Iterator[tuple[_Where, int]]:
    """The line of each header and key. Exact for rules as people write them; the rest has its section's line."""
    section: _Where = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]", line)
        key = re.match(r"\s*([\w.\"'-]+(?:\s*\.\s*[\w\"'-]+)*)\s*=", line)
        if header:
            section = _key_parts(header.group(2))
            if header.group(1) == "[[":
                counts[header.group(2)] = counts.get(header.group(2), -1) + 1
                section = (*section, counts[header.group(2)])
            yield section, number
        elif key:
            yield (*section, *_key_parts(key.group(1))), number


def _key_parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in text.split("."))


@dataclass(frozen=True)
class _Document:
    """A parsed rule file on its way to a `Rule`; knows on which line each key stands."""

    name: str
    lines: Mapping[_Where, int]

    def rule(self, document: Mapping[str, Any]) -> Rule:
        self._check_known(document, [section for section in SECTIONS if "." not in section], ())
        if "retire" not in document:
            raise self._error((), "the section [retire] is missing: it says which columns go")
        retire = self._section(document, "retire")
        targets = self._targets(retire)
        qualified = len(retire["table"]) > 1 or "schema" in retire
        plan = {"name": default_name(targets), **self._section(document, "migration")}
        return Rule(
            source=self.name,
            targets=targets,
            replacement=retire.get("replacement", ""),
            migration=MigrationPlan(**plan) if "migration" in document else None,
            acknowledge=tuple(self._acknowledgements(document.get("acknowledge", []))),
            verify=self._parities(document.get("verify", [])),
            unqualified=frozenset() if qualified else frozenset(targets),
            **self._section(document, "catalog"),
            **self._section(document, "scan"),
        )

    def _targets(self, retire: Mapping[str, Any]) -> tuple[Target, ...]:
        *schema, table = retire["table"]
        if schema and retire.get("schema", schema[0]) != schema[0]:
            raise self._error(("retire", "schema"), "schema and the schema in table differ")
        name = schema[0] if schema else retire.get("schema", DEFAULT_SCHEMA)
        return tuple(Target(name, table, column) for column in retire["columns"])

    def _acknowledgements(self, items: Any) -> Iterator[Acknowledgement]:
        for where, item in self._items(items, "acknowledge", ("acknowledge",)):
            yield Acknowledgement(**{"symbol": "", **self._table(item, "acknowledge", where)}, line=self._line(where))

    def _parities(self, items: Any) -> tuple[Parity, ...]:
        found: dict[str, Parity] = {}
        for where, item in self._items(items, "verify", ("verify",)):
            parity = Parity(**self._table(item, "verify", where))
            if parity.name in found:
                raise self._error((*where, "name"), f"name {parity.name!r} is there twice")
            found[parity.name] = parity
        return tuple(found.values())

    def _section(self, document: Mapping[str, Any], section: str) -> dict[str, Any]:
        return self._table(document.get(section, {}), section, (section,), optional=section not in document)

    def _table(self, table: Any, section: str, where: _Where, optional: bool = False) -> dict[str, Any]:
        if not isinstance(table, dict):
            raise self._error(where, f"{section.rpartition('.')[2]} is a table: write [{section}]")
        keys = SECTIONS[section]
        self._check_known(table, keys, where)
        for key in keys:
            if keys[key].required and key not in table and not optional:
                raise self._error(where, f"{section} needs the key {key!r}")
        return {key: self._value(keys[key], value, (*where, key)) for key, value in table.items()}

    def _value(self, key: Key, value: Any, where: _Where) -> Any:
        if key.listed:
            return tuple(self._item(key, item, at) for at, item in self._items(value, key.section, where))
        try:
            return key.check(self._table(value, key.section, where) if key.section else value)
        except ValueError as error:
            raise self._error(where, f"{where[-1]} {error}") from None

    def _items(self, items: Any, section: str, where: _Where) -> Iterator[tuple[_Where, Any]]:
        """Each table of a list, and its place."""
        if not isinstance(items, list):
            raise self._error(where, f"{where[-1]} is a list of tables: write [[{section}]]")
        return (((*where, number), item) for number, item in enumerate(items))

    def _item(self, key: Key, item: Any, where: _Where) -> Any:
        try:
            return key.check(self._table(item, key.section, where))
        except ValueError as error:
            raise self._error(where, f"{key.section} {error}") from None

    def _check_known(self, table: Mapping[str, Any], known: Iterable[str], where: _Where) -> None:
        for key in table:
            if key not in known:
                raise self._error((*where, key), self._unknown(key, tuple(known), where))

    def _unknown(self, key: str, known: tuple[str, ...], where: _Where) -> str:
        place = f" in [{'.'.join(str(part) for part in where if isinstance(part, str))}]" if where else ""
        close = get_close_matches(key, known, 1, 0.5)
        if close:
            return f"unknown key {key!r}{place}: did you mean {close[0]!r}?"
        homes = [section for section, keys in SECTIONS.items() if key in keys]
        hint = f"it belongs into [{homes[0]}]" if homes else f"the keys here are {', '.join(sorted(known))}"
        return f"unknown key {key!r}{place}: {hint}"

    def _error(self, where: _Where, message: str) -> ScanError:
        return ScanError(f"{self.name}:{self._line(where)}: {message}")

    def _line(self, where: _Where) -> int:
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)
