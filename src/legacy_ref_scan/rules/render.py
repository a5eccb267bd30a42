"""The commented rule that `init` writes: every key explained, those that were not given as comments."""

from __future__ import annotations

from json import dumps

from legacy_ref_scan.model import Target
from legacy_ref_scan.rules.names import default_name, quote_name
from legacy_ref_scan.rules.types import CONVENTIONS


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
        '# What goes with the column and is about other columns too (an index of several): "gate" or "show".',
        'shared = "show"',
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
