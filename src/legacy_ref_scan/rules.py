"""Reads, checks and writes rules: which columns are retired, by which migration, what is acknowledged."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from difflib import get_close_matches
from json import dumps
from pathlib import Path
from typing import Any

from legacy_ref_scan.model import ScanError, Sink, Target
from legacy_ref_scan.versions import Version

CONVENTIONS = (
    "golang-migrate",
    "goose",
    "sql-migrate",
    "dbmate",
    "tern",
    "flyway",
    "alembic",
    "django",
    "sqlc",
    "schema-file",
)
"""The names of `migrations.CONVENTIONS`, which a rule may choose from."""

KINDS = tuple(
    """api-schema batch c c# clojure configuration dart data dockerfile documentation elixir erb erlang fixture groovy
    haskell hcl java javascript json kotlin localization lookml lua make notebook perl php powershell prisma ruby rust
    scala script shell sqlc-configuration swift template text toml visual-basic xml yaml""".split()
)
"""The kinds of files besides Go, SQL and Python, of which `[scan.others]` speaks."""

_ACCESSES = ("read", "write", "star", "depend")
_IDENTIFIER = re.compile(r'\s*(?:"((?:[^"\0]|"")+)"|([A-Za-z_\u0080-\U0010ffff][\w$]*))\s*')
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_LONGEST = 63  # NAMEDATALEN - 1, in bytes
_LARGEST_VERSION = 2**63 - 1  # TOML's integers; golang-migrate itself counts to 2**64 - 1

Where = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """The migration that a rule asks for. `directory` and `convention` are empty where they are to be detected."""

    version: Version | None = None
    name: str = ""
    directory: str = ""
    convention: str = ""
    lock_timeout: str = ""  # as PostgreSQL writes it, "5s"
    statement_timeout: str = ""
    guard: bool = False  # fail while a value remains


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What somebody has looked at and answers for.

    `path` is a glob as in .gitignore, `symbol` the enclosing function or SQL object ("" for any), `access` restricts
    it to one kind of reference (None: any, gaps too). It counts up to and including the day `expires`.
    """

    path: str
    symbol: str
    reason: str
    expires: date | None = None
    access: str | None = None
    line: int = field(default=0, compare=False)  # where the rule says so


@dataclass(frozen=True, slots=True)
class Others:
    """What the kinds of files besides Go, SQL and Python are worth; a kind in none of the three has its default.

    Those in `gate` count as code whatever they are, those in `listed` are in the accounting and never gate, those in
    `ignored` are not read.
    """

    gate: frozenset[str] = frozenset()
    listed: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()

    def strictest(self, other: Others) -> Others:
        """Of two rules, what asks for more: a kind gates if either says so, and is listed only if both do."""
        gate = self.gate | other.gate
        quiet, unread = self.listed | self.ignored, other.listed | other.ignored
        return Others(gate, ((quiet & unread) - gate) - (self.ignored & other.ignored), self.ignored & other.ignored)


@dataclass(frozen=True, slots=True)
class Parity:
    """A query for `verify`: the keys of the rows that lack what replaces the columns; none means that all is well.

    `of` counts the rows that the query is about ("": not counted). `name` is its identity, `description` says what
    holds of every row.
    """

    name: str
    query: str
    of: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule file, or the columns named on the command line. `source` says which, for people."""

    source: str
    targets: tuple[Target, ...]
    replacement: str = ""
    migration: MigrationPlan | None = None
    search_path: tuple[str, ...] = ("public",)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tests: str = "gate"  # "gate" | "warn" | "ignore"
    star: str = "gate"  # "gate" | "show": SELECT * that is scanned by name
    others: Others = Others()
    sinks: tuple[Sink, ...] = ()
    acknowledge: tuple[Acknowledgement, ...] = ()
    verify: tuple[Parity, ...] = ()


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
    targets: dict[Target, None] = {}
    for text in columns:
        try:
            names = parse_name(text)
        except ValueError as error:
            raise ScanError(f"--column {text}: {error}") from None
        if len(names) not in (2, 3):
            raise ScanError(f"--column {text}: give TABLE.COLUMN or SCHEMA.TABLE.COLUMN")
        targets[Target(*names) if len(names) == 3 else Target("public", *names)] = None
    if not targets:
        raise ScanError("no column to look for: give --column TABLE.COLUMN or a rule")
    return Rule("--column", tuple(targets))


def parse_name(text: str) -> tuple[str, ...]:
    """The parts of a dotted name, folded to lower case unless quoted (PostgreSQL manual, 4.1.1).

    Raises ValueError that says what is wrong.
    """
    parts: list[str] = []
    at = 0
    while True:
        match = _IDENTIFIER.match(text, at)
        if match is None:
            raise ValueError(f'{text!r} is not a PostgreSQL name (quote unusual ones: "my column")')
        quoted, plain = match.groups()
        parts.append(quoted.replace('""', '"') if quoted else _fold(plain))
        if len(parts[-1].encode()) > _LONGEST:
            raise ValueError(f"{parts[-1]!r} is longer than PostgreSQL's {_LONGEST} bytes")
        if match.end() == len(text):
            return tuple(parts)
        if text[match.end()] != ".":
            raise ValueError(f'{text!r} is not a PostgreSQL name (quote unusual ones: "my column")')
        at = match.end() + 1


def quote_name(name: str) -> str:
    """The name as SQL must write it: quoted where folding would change it."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_$]*", name) else '"' + name.replace('"', '""') + '"'


def default_name(targets: tuple[Target, ...]) -> str:
    """How the migration is called where the rule does not say."""
    last = targets[0].column if len(targets) == 1 else "columns"
    return re.sub(r"[^A-Za-z0-9]+", "_", f"drop_{targets[0].table}_{last}").strip("_").lower()


def render_rule(
    target: Target,
    *,
    version: int | None = None,
    directory: str = "",
    convention: str = "",
    replacement: str = "",
) -> str:
    """A commented rule for one column, as `init` writes it; `load_rule` reads it back."""
    table = quote_name(target.table)
    lines = [
        f"# Retires {target}. Every key is explained in the README; an unknown one is an error.",
        "",
        "[retire]",
        *([f"schema = {dumps(quote_name(target.schema), ensure_ascii=False)}"] if target.schema != "public" else []),
        f"table = {dumps(table, ensure_ascii=False)}",
        f"columns = [{dumps(quote_name(target.column), ensure_ascii=False)}]",
        "# What holds the value from now on; shown with every reference.",
        _setting("replacement", replacement, "other_table.other_column"),
        "",
        "# The migration that generate-migration writes once nothing uses the column.",
        "[migration]",
        '# The number of the pair ("1.2" where versions have dots). Left out: the next free one.',
        f"version = {version}" if version is not None else "# version = 68",
        f"name = {dumps(default_name((target,)))}",
        "# Left out: found by looking for migrations.",
        _setting("directory", directory, "database/migrations"),
        f"# One of {', '.join(CONVENTIONS)}.",
        _setting("convention", convention, "golang-migrate"),
        "# How long the migration may wait for its lock, and run.",
        '# lock_timeout = "5s"',
        '# statement_timeout = "60s"',
        "# Fail while a row still holds a value.",
        "# guard = true",
        "",
        "[catalog]",
        "# Where PostgreSQL looks for a table that is named without its schema.",
        f"search_path = [{', '.join(dumps(quote_name(name), ensure_ascii=False) for name in _search_path(target))}]",
        "",
        "[scan]",
        "# Globs as in .gitignore. Without include, every file counts.",
        '# include = ["internal/**"]',
        "exclude = []",
        '# Uses in tests: "gate" (they count like code), "warn" or "ignore".',
        'tests = "gate"',
        '# SELECT * whose result is taken by column name: "gate" or "show".',
        'star = "gate"',
        "",
        "# Kinds of files besides Go, SQL and Python. Scripts, dashboards, templates and programs gate, documentation,",
        "# fixtures and data are listed. `gate` makes a kind count as code, `list` never gates, `ignore` is not read.",
        "# [scan.others]",
        '# gate = ["documentation"]',
        '# list = ["javascript"]',
        '# ignore = ["localization"]',
        "",
        "# A wrapper of the database that is not known by itself: this argument of it is SQL.",
        "# [[scan.sinks]]",
        '# package = "example.com/app/database"   # the import path; of a method it may be left out',
        '# function = "Run"                       # or: method = "Run"',
        "# argument = 2                           # a position from 1, or the parameter's name",
        "",
        "# A use or a gap that somebody has looked at and answers for. It stays in every report.",
        "# [[acknowledge]]",
        '# path = "internal/legacy/*.go"',
        '# symbol = "(*Exporter).Dump"   # optional: the function or SQL object',
        '# access = "read"               # optional: read, write, star or depend',
        '# reason = "runs only against archived databases"',
        "# expires = 2027-03-31          # optional",
        "",
        "# A query for `verify`: the keys of the rows that lack what replaces the column. It must return none.",
        "# [[verify]]",
        '# name = "replaced"',
        '# description = "every row has its replacement"   # optional',
        '# query = "SELECT id FROM other_table WHERE other_column IS NULL"',
        '# of = "SELECT count(*) FROM other_table"         # optional: how many rows the query is about',
    ]
    return "\n".join(lines) + "\n"


def _search_path(target: Target) -> tuple[str, ...]:
    return ("public",) if target.schema == "public" else (target.schema, "public")


def _setting(key: str, value: str, example: str) -> str:
    return f"{key} = {dumps(value, ensure_ascii=False)}" if value else f'# {key} = "{example}"'


def _fold(name: str) -> str:
    """PostgreSQL folds ASCII letters only, in a database with a multi-byte encoding."""
    return re.sub("[A-Z]+", lambda match: match.group().lower(), name)


def _syntax_error(name: str, text: str, message: str) -> str:
    match = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    line = (match and match.group(1)) or str(max(1, len(text.splitlines())))
    return f"{name}:{line}: not valid TOML: {message[: match.start()] if match else message}"


def _lines(text: str) -> Iterator[tuple[Where, int]]:
    """The line of each header and key. Exact for rules as people write them; the rest has its section's line."""
    section: Where = ()
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
class _Key:
    """One key of a section: its check gives the value to keep, or raises ValueError that says what is wanted."""

    check: Callable[[Any], Any]
    required: bool = False
    section: str = ""  # of a table within a section: its name in `_SECTIONS`
    listed: bool = False  # a list of such tables


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be a text that is not empty, not {_kind(value)}")
    return value


def _word(value: Any) -> str:
    if not _text(value).isidentifier():
        raise ValueError(f"{value!r} must be one name, without a dot")
    return str(value)


def _argument(value: Any) -> int | str:
    if isinstance(value, str):
        return _word(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"must be a position from 1, or a parameter's name, not {_kind(value)}")
    return value


def _sink(value: Mapping[str, Any]) -> Sink:
    if ("function" in value) == ("method" in value):
        raise ValueError("needs either function or method")
    if "function" in value and "package" not in value:
        raise ValueError("needs the package that declares the function")
    name = value.get("function") or value["method"]
    return Sink(value.get("package", ""), name, "method" in value, value["argument"])


def _query(value: Any) -> str:
    """One query: `verify` runs it in a read-only transaction, and nothing else."""
    text = _text(value).strip().removesuffix(";")
    if not re.match(r"(?:\s|--[^\n]*\n|\()*(?:select|with|values|table)\b", text, re.IGNORECASE):
        raise ValueError("must be one query: SELECT, WITH, VALUES or TABLE")
    return text


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ValueError(f"must be a list of texts, not {_kind(value)}")
    return tuple(value)


def _names(value: Any) -> tuple[str, ...]:
    names = tuple(_name(item) for item in _texts(value))
    if not names:
        raise ValueError("must hold at least one name")
    if len(set(names)) < len(names):
        raise ValueError("holds a name twice")
    return names


def _name(value: Any) -> str:
    parts = parse_name(_text(value))
    if len(parts) != 1:
        raise ValueError(f"{value!r} must be one name, without a dot")
    return parts[0]


def _table_name(value: Any) -> tuple[str, ...]:
    parts = parse_name(_text(value))
    if len(parts) > 2:
        raise ValueError(f"{value!r} must be a table, or schema.table")
    return parts


def _version(value: Any) -> Version:
    """A number, or the text of a version with dots, as Flyway has them."""
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)+", value, re.ASCII):
        return Version.of(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST_VERSION:
        raise ValueError(f"must be a whole number from 0, or a text such as '1.2', not {_kind(value)}")
    return Version.of(value)


def _duration(value: Any) -> str:
    """A time with its unit, as PostgreSQL's settings take it (manual, 19.1)."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}(ms|s|min|h)", _text(value), re.ASCII):
        raise ValueError(f"{value!r} must be a time with its unit, such as 500ms, 5s or 2min")
    return str(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {_kind(value)}")
    return value


def _file_name(value: Any) -> str:
    if not _FILE_NAME.fullmatch(_text(value)):
        raise ValueError(f"{value!r} must be made of letters, digits, _ and -: it becomes a file name")
    return str(value)


def _identity(value: Any) -> str:
    if not _FILE_NAME.fullmatch(_text(value)):
        raise ValueError(f"{value!r} must be made of letters, digits, _ and -")
    return str(value)


def _directory(value: Any) -> str:
    path = _text(value)
    if path.startswith("/") or "\\" in path or ".." in path.split("/"):
        raise ValueError(f"{value!r} must be relative to the root, with / between the parts and without ..")
    return path.rstrip("/")


def _day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a day of the calendar") from None
    raise ValueError("must be a day such as 2027-03-31")


def _kinds(value: Any) -> frozenset[str]:
    for kind in _texts(value):
        if kind not in KINDS:
            close = get_close_matches(kind.lower(), KINDS, 1, 0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"the kinds are {', '.join(KINDS)}"
            raise ValueError(f"{kind!r} is no kind of file: {hint}")
    return frozenset(value)


def _others(value: Mapping[str, frozenset[str]]) -> Others:
    kinds = Others(value.get("gate", frozenset()), value.get("list", frozenset()), value.get("ignore", frozenset()))
    twice = (kinds.gate & kinds.listed) | (kinds.gate & kinds.ignored) | (kinds.listed & kinds.ignored)
    if twice:
        raise ValueError(f"gives {sorted(twice)[0]!r} two meanings")
    return kinds


def _one_of(*choices: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in choices or not isinstance(value, str):
            raise ValueError(f"must be {' or '.join(dumps(choice) for choice in choices)}, not {_kind(value)}")
        return value

    return check


def _kind(value: Any) -> str:
    names = {bool: "a truth value", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return repr(value) if isinstance(value, str) else names.get(type(value), f"a {type(value).__name__}")


_SECTIONS: Mapping[str, Mapping[str, _Key]] = {
    "retire": {
        "table": _Key(_table_name, required=True),
        "columns": _Key(_names, required=True),
        "schema": _Key(_name),
        "replacement": _Key(_text),
    },
    "migration": {
        "version": _Key(_version),
        "name": _Key(_file_name),
        "directory": _Key(_directory),
        "convention": _Key(_one_of(*CONVENTIONS)),
        "lock_timeout": _Key(_duration),
        "statement_timeout": _Key(_duration),
        "guard": _Key(_truth),
    },
    "catalog": {"search_path": _Key(_names)},
    "scan": {
        "include": _Key(_texts),
        "exclude": _Key(_texts),
        "tests": _Key(_one_of("gate", "warn", "ignore")),
        "star": _Key(_one_of("gate", "show")),
        "others": _Key(_others, section="scan.others"),
        "sinks": _Key(_sink, section="scan.sinks", listed=True),
    },
    "scan.sinks": {
        "package": _Key(_text),
        "function": _Key(_word),
        "method": _Key(_word),
        "argument": _Key(_argument, required=True),
    },
    "scan.others": {"gate": _Key(_kinds), "list": _Key(_kinds), "ignore": _Key(_kinds)},
    "acknowledge": {
        "path": _Key(_text, required=True),
        "reason": _Key(_text, required=True),
        "symbol": _Key(_text),
        "access": _Key(_one_of(*_ACCESSES)),
        "expires": _Key(_day),
    },
    "verify": {
        "name": _Key(_identity, required=True),
        "query": _Key(_query, required=True),
        "of": _Key(_query),
        "description": _Key(_text),
    },
}


@dataclass(frozen=True)
class _Document:
    """A parsed rule file on its way to a `Rule`; knows on which line each key stands."""

    name: str
    lines: Mapping[Where, int]

    def rule(self, document: Mapping[str, Any]) -> Rule:
        self._check_known(document, [section for section in _SECTIONS if "." not in section], ())
        if "retire" not in document:
            raise self._error((), "the section [retire] is missing: it says which columns go")
        retire = self._section(document, "retire")
        targets = self._targets(retire)
        plan = {"name": default_name(targets), **self._section(document, "migration")}
        return Rule(
            source=self.name,
            targets=targets,
            replacement=retire.get("replacement", ""),
            migration=MigrationPlan(**plan) if "migration" in document else None,
            acknowledge=tuple(self._acknowledgements(document.get("acknowledge", []))),
            verify=self._parities(document.get("verify", [])),
            **self._section(document, "catalog"),
            **self._section(document, "scan"),
        )

    def _targets(self, retire: Mapping[str, Any]) -> tuple[Target, ...]:
        *schema, table = retire["table"]
        if schema and retire.get("schema", schema[0]) != schema[0]:
            raise self._error(("retire", "schema"), "schema and the schema in table differ")
        name = schema[0] if schema else retire.get("schema", "public")
        return tuple(Target(name, table, column) for column in retire["columns"])

    def _acknowledgements(self, items: Any) -> Iterator[Acknowledgement]:
        if not isinstance(items, list):
            raise self._error(("acknowledge",), "acknowledge is a list of tables: write [[acknowledge]]")
        for number, item in enumerate(items):
            where: Where = ("acknowledge", number)
            yield Acknowledgement(**{"symbol": "", **self._table(item, "acknowledge", where)}, line=self._line(where))

    def _parities(self, items: Any) -> tuple[Parity, ...]:
        if not isinstance(items, list):
            raise self._error(("verify",), "verify is a list of tables: write [[verify]]")
        found: dict[str, Parity] = {}
        for number, item in enumerate(items):
            parity = Parity(**self._table(item, "verify", ("verify", number)))
            if parity.name in found:
                raise self._error(("verify", number, "name"), f"name {parity.name!r} is there twice")
            found[parity.name] = parity
        return tuple(found.values())

    def _section(self, document: Mapping[str, Any], section: str) -> dict[str, Any]:
        return self._table(document.get(section, {}), section, (section,), optional=section not in document)

    def _table(self, table: Any, section: str, where: Where, optional: bool = False) -> dict[str, Any]:
        if not isinstance(table, dict):
            raise self._error(where, f"{section.rpartition('.')[2]} is a table: write [{section}]")
        keys = _SECTIONS[section]
        self._check_known(table, keys, where)
        for key in keys:
            if keys[key].required and key not in table and not optional:
                raise self._error(where, f"{section} needs the key {key!r}")
        return {key: self._value(keys[key], value, (*where, key)) for key, value in table.items()}

    def _value(self, key: _Key, value: Any, where: Where) -> Any:
        if key.listed:
            return self._listed(key, value, where)
        try:
            return key.check(self._table(value, key.section, where) if key.section else value)
        except ValueError as error:
            raise self._error(where, f"{where[-1]} {error}") from None

    def _listed(self, key: _Key, items: Any, where: Where) -> tuple[Any, ...]:
        if not isinstance(items, list):
            raise self._error(where, f"{where[-1]} is a list of tables: write [[{key.section}]]")
        one = replace(key, listed=False)
        return tuple(self._item(one, item, (*where, number)) for number, item in enumerate(items))

    def _item(self, key: _Key, item: Any, where: Where) -> Any:
        try:
            return key.check(self._table(item, key.section, where))
        except ValueError as error:
            raise self._error(where, f"{key.section} {error}") from None

    def _check_known(self, table: Mapping[str, Any], known: Iterable[str], where: Where) -> None:
        for key in table:
            if key not in known:
                raise self._error((*where, key), self._unknown(key, tuple(known), where))

    def _unknown(self, key: str, known: tuple[str, ...], where: Where) -> str:
        place = f" in [{'.'.join(str(part) for part in where if isinstance(part, str))}]" if where else ""
        close = get_close_matches(key, known, 1, 0.5)
        if close:
            return f"unknown key {key!r}{place}: did you mean {close[0]!r}?"
        homes = [section for section, keys in _SECTIONS.items() if key in keys]
        hint = f"it belongs into [{homes[0]}]" if homes else f"the keys here are {', '.join(sorted(known))}"
        return f"unknown key {key!r}{place}: {hint}"

    def _error(self, where: Where, message: str) -> ScanError:
        return ScanError(f"{self.name}:{self._line(where)}: {message}")

    def _line(self, where: Where) -> int:
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)
