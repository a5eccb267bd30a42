"""Rules: strict loading with file and line, names as PostgreSQL folds them, and the JSON Schema beside the loader."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from legacy_ref_scan.model import ScanError, Sink, Target
from legacy_ref_scan.rules import (
    CONVENTIONS,
    KINDS,
    Acknowledgement,
    MigrationPlan,
    Others,
    Parity,
    Rule,
    adhoc_rule,
    default_name,
    find_rules,
    load_rule,
    parse_name,
    quote_name,
    render_rule,
)
from legacy_ref_scan.versions import Version

ROOT = Path(__file__).parent.parent
SCHEMA = json.loads(files("legacy_ref_scan").joinpath("data/rule.schema.json").read_text("utf-8"))
RETIRE = '[retire]\ntable = "t"\ncolumns = ["c"]\n'

FULL = """\
# comment
[retire]
schema = "app"
table = "Orders"
columns = ["note", '"Old Note"']
replacement = "order_notes.body"

[migration]
version = 7
name = "drop_note"
directory = "db/migrations/"
convention = "goose"

[catalog]
search_path = ["app", "public"]

[scan]
include = ["src/**"]
exclude = ["**/testdata/**"]
tests = "warn"
star = "show"
shared = "gate"

[scan.others]
gate = ["documentation"]
list = ["javascript", "json"]
ignore = ["localization"]

[[scan.sinks]]
package = "example.com/app/database"
function = "Run"
argument = 2

[[scan.sinks]]
method = "Fetch"
argument = "query"

[[acknowledge]]
path = "internal/legacy/*.go"
symbol = "(*Exporter).Dump"
reason = "runs only against archived databases"
expires = 2027-03-31

[[acknowledge]]
path = "a.go"
reason = "because"
access = "read"

[[verify]]
name = "replaced"
description = "every order has its note"
query = "SELECT id FROM orders o WHERE NOT EXISTS (SELECT FROM order_notes n WHERE n.id = o.id);"
of = "SELECT count(*) FROM orders"
"""


def load(tmp_path: Path, text: str | bytes) -> Rule:
    path = tmp_path / "r.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_rule(path)


def failure(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(ScanError) as caught:
        load(tmp_path, text)
    return str(caught.value).removeprefix(str(tmp_path) + "/")


def test_every_key_is_read(tmp_path: Path) -> None:
    assert load(tmp_path, FULL) == Rule(
        source=str(tmp_path / "r.toml"),
        targets=(Target("app", "orders", "note"), Target("app", "orders", "Old Note")),
        replacement="order_notes.body",
        migration=MigrationPlan(Version.of(7), "drop_note", "db/migrations", "goose"),
        search_path=("app", "public"),
        include=("src/**",),
        exclude=("**/testdata/**",),
        tests="warn",
        star="show",
        shared="gate",
        others=Others(frozenset({"documentation"}), frozenset({"javascript", "json"}), frozenset({"localization"})),
        sinks=(Sink("example.com/app/database", "Run", False, 2), Sink("", "Fetch", True, "query")),
        acknowledge=(
            Acknowledgement(
                "internal/legacy/*.go", "(*Exporter).Dump", "runs only against archived databases", date(2027, 3, 31)
            ),
            Acknowledgement("a.go", "", "because", None, "read"),
        ),
        verify=(
            Parity(
                "replaced",
                "SELECT id FROM orders o WHERE NOT EXISTS (SELECT FROM order_notes n WHERE n.id = o.id)",
                "SELECT count(*) FROM orders",
                "every order has its note",
            ),
        ),
    )
    assert [item.line for item in load(tmp_path, FULL).acknowledge] == [38, 44]


@pytest.mark.parametrize(
    "text", [RETIRE, "\ufeff" + RETIRE, RETIRE.replace("\n", "\r\n"), "retire = {table='t', columns=['c']}"]
)
def test_the_least_rule(tmp_path: Path, text: str) -> None:
    target = Target("public", "t", "c")
    assert load(tmp_path, text) == Rule(str(tmp_path / "r.toml"), (target,), unqualified=frozenset({target}))


def test_a_migration_without_a_name_gets_one(tmp_path: Path) -> None:
    assert load(tmp_path, RETIRE + "[migration]").migration == MigrationPlan(name="drop_t_c")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "r.toml:1: the section [retire] is missing"),
        (RETIRE + "[scann]\n", "r.toml:4: unknown key 'scann': did you mean 'scan'?"),
        (
            '[retire]\ntable = "t"\ncolums = ["c"]',
            "r.toml:3: unknown key 'colums' in [retire]: did you mean 'columns'?",
        ),
        (RETIRE + "tests = 'warn'", "r.toml:4: unknown key 'tests' in [retire]: it belongs into [scan]"),
        (
            RETIRE + "zzz = 1",
            "r.toml:4: unknown key 'zzz' in [retire]: the keys here are columns, replacement, schema, table",
        ),
        ('[retire]\ncolumns = ["c"]', "r.toml:1: retire needs the key 'table'"),
        ('[retire]\ntable = "t"', "r.toml:1: retire needs the key 'columns'"),
        ('[retire]\ntable = "t"\ncolumns = "c"', "r.toml:3: columns must be a list of texts, not 'c'"),
        ('[retire]\ntable = "t"\ncolumns = []', "r.toml:3: columns must hold at least one name"),
        ('[retire]\ntable = "t"\ncolumns = [\n  "c",\n  "C"]', "r.toml:3: columns holds a name twice"),
        ('[retire]\ntable = "t"\ncolumns = ["a b"]', "r.toml:3: columns 'a b' is not a PostgreSQL name"),
        ('[retire]\ntable = "t"\ncolumns = ["a.b"]', "r.toml:3: columns 'a.b' must be one name"),
        ('[retire]\ntable = "a.b.c"\ncolumns = ["c"]', "r.toml:2: table 'a.b.c' must be a table, or schema.table"),
        ('[retire]\ntable = 3\ncolumns = ["c"]', "r.toml:2: table must be a text that is not empty, not a number"),
        ('[retire]\ntable = "t."\ncolumns = ["c"]', "r.toml:2: table 't.' is not a PostgreSQL name"),
        (f'[retire]\ntable = "{"t" * 64}"\ncolumns = ["c"]', "63 bytes"),
        ('[retire]\ntable = "a.t"\nschema = "b"\ncolumns = ["c"]', "r.toml:3: schema and the schema in table differ"),
        ("retire = 1", "r.toml:1: retire is a table: write [retire]"),
        (
            RETIRE + "[migration]\nversion = '68'",
            "r.toml:5: version must be a whole number from 0, or a text such as '1.2', not '68'",
        ),
        (RETIRE + "[migration]\nversion = true", "or a text such as '1.2', not a truth value"),
        (RETIRE + "[migration]\nversion = -1", "r.toml:5: version must be a whole number from 0"),
        (RETIRE + "[migration]\nname = 'a/b'", "r.toml:5: name 'a/b' must be made of letters"),
        (RETIRE + "[migration]\ndirectory = '../x'", "r.toml:5: directory '../x' must be relative to the root"),
        (RETIRE + "[migration]\ndirectory = '/x'", "r.toml:5: directory '/x' must be relative to the root"),
        (
            RETIRE + "[migration]\nconvention = 'liquibase'",
            'r.toml:5: convention must be "golang-migrate" or "goose" or',
        ),
        (RETIRE + "[scan]\ntests = 'no'", 'r.toml:5: tests must be "gate" or "warn" or "ignore", not \'no\''),
        (
            RETIRE + "[scan.others]\nlist = ['Javascript']",
            "r.toml:5: list 'Javascript' is no kind of file: did you mean 'javascript'?",
        ),
        (RETIRE + "[scan.others]\nlists = []", "r.toml:5: unknown key 'lists' in [scan.others]: did you mean 'list'?"),
        (RETIRE + "[scan.others]\nlist = ['c']\ngate = ['c']", "r.toml:4: others gives 'c' two meanings"),
        (RETIRE + "[scan]\nothers = 1", "r.toml:5: others is a table: write [scan.others]"),
        (RETIRE + "[scan]\nsinks = 1", "r.toml:5: sinks is a list of tables: write [[scan.sinks]]"),
        (RETIRE + "[scan]\nsinks = [1]", "r.toml:5: sinks is a table: write [scan.sinks]"),
        (RETIRE + "[[scan.sinks]]\nmethod = 'a'", "r.toml:4: scan.sinks needs the key 'argument'"),
        (RETIRE + "[[scan.sinks]]\nargument = 1", "r.toml:4: scan.sinks needs either function or method"),
        (
            RETIRE + "[[scan.sinks]]\nargument = 1\nfunction = 'f'",
            "r.toml:4: scan.sinks needs the package that declares the function",
        ),
        (
            RETIRE + "[[scan.sinks]]\nargument = 0\nmethod = 'f'",
            "r.toml:5: argument must be a position from 1, or a parameter's name, not a number",
        ),
        (
            RETIRE + "[[scan.sinks]]\nargument = 1\nmethod = 'a.b'",
            "r.toml:6: method 'a.b' must be one name, without a dot",
        ),
        (
            RETIRE + "[[scan.sinks]]\nmethods = 'a'",
            "r.toml:5: unknown key 'methods' in [scan.sinks]: did you mean 'method'?",
        ),
        (RETIRE + "[scan]\nexclude = [1]", "r.toml:5: exclude must be a list of texts, not a list"),
        (RETIRE + "[catalog]\nsearch_path = []", "r.toml:5: search_path must hold at least one name"),
        (RETIRE + "[acknowledge]\npath = 'a'", "r.toml:4: acknowledge is a list of tables: write [[acknowledge]]"),
        (RETIRE + "[[acknowledge]]\npath = 'a'", "r.toml:4: acknowledge needs the key 'reason'"),
        (RETIRE + "[[acknowledge]]\npath = 'a'\nreason = ' '", "r.toml:6: reason must be a text that is not empty"),
        (
            RETIRE + "[[acknowledge]]\npath='a'\nreason='r'\n[[acknowledge]]\npath='a'\nreson='r'\n",
            "r.toml:9: unknown key 'reson' in [acknowledge]: did you mean 'reason'?",
        ),
        (
            RETIRE + "[[acknowledge]]\npath='a'\nreason='r'\nexpires='31.3.2027'",
            "r.toml:7: expires must be a day such as 2027-03-31",
        ),
        (
            RETIRE + "[[acknowledge]]\npath='a'\nreason='r'\nexpires='2027-02-30'",
            "r.toml:7: expires '2027-02-30' is not a day",
        ),
        (RETIRE + "[[acknowledge]]\npath='a'\nreason='r'\nexpires=2027-02-30", "r.toml:7: not valid TOML"),
        (
            RETIRE + "[[acknowledge]]\npath='a'\nreason='r'\nexpires=2027-02-28T00:00:00",
            "r.toml:7: expires must be a day",
        ),
        (RETIRE + "[verify]\nname = 'a'", "r.toml:4: verify is a list of tables: write [[verify]]"),
        (RETIRE + "[[verify]]\nname = 'a'", "r.toml:4: verify needs the key 'query'"),
        (RETIRE + "[[verify]]\nname = 'a b'\nquery = 'SELECT 1'", "r.toml:5: name 'a b' must be made of letters"),
        (RETIRE + "[[verify]]\nname = 'a'\nquery = 'DELETE FROM t'", "r.toml:6: query must be one query: SELECT"),
        (RETIRE + 2 * "[[verify]]\nname='a'\nquery='TABLE t'\n", "r.toml:8: name 'a' is there twice"),
        (RETIRE + "[scan\n", "r.toml:4: not valid TOML"),
        (RETIRE + 'x = "', "r.toml:4: not valid TOML: "),
        (b"\xff", "r.toml: the rule is not UTF-8 text"),
    ],
)
def test_a_bad_rule_is_an_error_with_file_and_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert message in failure(tmp_path, text)


def test_a_missing_rule_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="cannot read the rule: No such file"):
        load_rule(tmp_path / "none.toml")


def accepted_by_schema(document: Any) -> bool:
    plain = json.loads(json.dumps(document, default=lambda day: day.isoformat()))
    checker = jsonschema.FormatChecker(["date"])
    return bool(jsonschema.Draft202012Validator(SCHEMA, format_checker=checker).is_valid(plain))


GOOD = [
    FULL,
    RETIRE,
    RETIRE + "[migration]\n",
    RETIRE + "[catalog]\n[scan]\n",
    RETIRE + "[scan]\ninclude = []\nexclude = []",
    RETIRE + "[scan.others]\ngate = []\nlist = ['json', 'c#']",
    RETIRE + "[[scan.sinks]]\npackage='a/b'\nfunction='F'\nargument=1\n[[scan.sinks]]\nmethod='M'\nargument='q'",
    '[retire]\ntable = "app.orders"\ncolumns = ["c"]',
    "[retire]\ntable = '\"Weird\".\"t\"\"x\"'\ncolumns = ['\"a b\"', 'größe', '_x$1']",
    RETIRE + "[[acknowledge]]\npath='a'\nreason='r'\nexpires='2027-03-31'",
    RETIRE + "[[verify]]\nname='a'\nquery='with x as (select 1) select * from x'",
    RETIRE + "[migration]\nversion = 0\ndirectory = 'a..b/c'",
    RETIRE + "[migration]\nversion = '1.20.3'",
    RETIRE + "[migration]\nlock_timeout = '5s'\nstatement_timeout = '2min'\nguard = true",
]
BAD = [
    "",
    "retire = 1",
    RETIRE + "x = 1",
    RETIRE + "[scann]",
    '[retire]\ntable = "t"',
    '[retire]\ncolumns = ["c"]',
    '[retire]\ntable = "t"\ncolumns = []',
    '[retire]\ntable = "t"\ncolumns = "c"',
    '[retire]\ntable = "t"\ncolumns = ["a b"]',
    '[retire]\ntable = "t"\ncolumns = ["a.b"]',
    '[retire]\ntable = "t"\ncolumns = ["c", "c"]',
    '[retire]\ntable = "1t"\ncolumns = ["c"]',
    '[retire]\ntable = ""\ncolumns = ["c"]',
    '[retire]\ntable = "a.b.c"\ncolumns = ["c"]',
    f'[retire]\ntable = "{"t" * 64}"\ncolumns = ["c"]',
    RETIRE + 'schema = "a.b"',
    RETIRE + 'replacement = ""',
    RETIRE + "replacement = 1",
    RETIRE + "[migration]\nversion = '1'",
    RETIRE + "[migration]\nlock_timeout = '5'",
    RETIRE + "[migration]\nlock_timeout = 5",
    RETIRE + "[migration]\nstatement_timeout = '0s'",
    RETIRE + '[migration]\nstatement_timeout = "5s\'; DROP TABLE t"',
    RETIRE + "[migration]\nguard = 'yes'",
    RETIRE + "[migration]\nversion = '1..2'",
    RETIRE + "[migration]\nversion = '1_2'",
    RETIRE + "[migration]\nversion = -1",
    RETIRE + "[migration]\nversion = 1.5",
    RETIRE + "[migration]\nversion = true",
    RETIRE + "[migration]\nname = 'a b'",
    RETIRE + "[migration]\nname = ''",
    RETIRE + "[migration]\ndirectory = '/a'",
    RETIRE + "[migration]\ndirectory = 'a/../b'",
    RETIRE + "[migration]\ndirectory = '..'",
    RETIRE + "[migration]\ndirectory = ''",
    RETIRE + "[migration]\nconvention = 'x'",
    RETIRE + "[catalog]\nsearch_path = []",
    RETIRE + "[catalog]\nsearch_path = 'public'",
    RETIRE + "[scan]\nexclude = ['']",
    RETIRE + "[scan]\ntests = 'x'",
    RETIRE + "[scan]\nstar = true",
    RETIRE + "[scan]\nshared = 'x'",
    RETIRE + "[scan]\nothers = []",
    RETIRE + "[scan.others]\ngate = ['x']",
    RETIRE + "[scan.others]\ngate = 'json'",
    RETIRE + "[scan.others]\nshow = ['json']",
    RETIRE + "[scan.sinks]\nmethod='M'\nargument=1",
    RETIRE + "[[scan.sinks]]\nargument=1",
    RETIRE + "[[scan.sinks]]\nfunction='F'\nargument=1",
    RETIRE + "[[scan.sinks]]\npackage='p'\nfunction='F'\nmethod='M'\nargument=1",
    RETIRE + "[[scan.sinks]]\nmethod='M'\nargument=0",
    RETIRE + "[[scan.sinks]]\nmethod='M'\nargument=true",
    RETIRE + "[[scan.sinks]]\nmethod='a.M'\nargument=1",
    RETIRE + "[[scan.sinks]]\nmethod='M'\nargument='a b'",
    RETIRE + "[verify]\nname='a'\nquery='SELECT 1'",
    RETIRE + "[[verify]]\nname='a'",
    RETIRE + "[[verify]]\nquery='SELECT 1'",
    RETIRE + "[[verify]]\nname='a/b'\nquery='SELECT 1'",
    RETIRE + "[[verify]]\nname='a'\nquery='SELECTED'",
    RETIRE + "[acknowledge]\npath='a'\nreason='r'",
    RETIRE + "[[acknowledge]]\npath='a'",
    RETIRE + "[[acknowledge]]\nreason='a'",
    RETIRE + "[[acknowledge]]\npath='a'\nreason=''",
    RETIRE + "[[acknowledge]]\npath='a'\nreason='r'\naccess='define'",
    RETIRE + "[[acknowledge]]\npath='a'\nreason='r'\nexpires='soon'",
    RETIRE + "[[acknowledge]]\npath='a'\nreason='r'\nexpires='2027-02-30'",
    RETIRE + "[[acknowledge]]\npath='a'\nreason='r'\nexpires=2027-02-28T00:00:00",
    RETIRE + "[[acknowledge]]\npath='a'\nreason='r'\nsymbol=''",
]


@pytest.mark.parametrize("text", GOOD)
def test_schema_and_loader_accept(tmp_path: Path, text: str) -> None:
    load(tmp_path, text)
    assert accepted_by_schema(tomllib.loads(text))


@pytest.mark.parametrize("text", BAD)
def test_schema_and_loader_reject(tmp_path: Path, text: str) -> None:
    failure(tmp_path, text)
    assert not accepted_by_schema(tomllib.loads(text))


def test_the_schema_explains_every_key_of_the_loader() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    sections = SCHEMA["properties"]
    assert sections["migration"]["properties"]["convention"]["enum"] == list(CONVENTIONS)
    assert SCHEMA["$defs"]["kinds"]["items"]["enum"] == list(KINDS)
    for section in sections.values():
        keys = section.get("properties") or section["items"]["properties"]
        assert all(key.get("description") for key in (section, *keys.values()))


def test_the_shipped_rules() -> None:
    first, second = (load_rule(path) for path in find_rules(ROOT))
    assert first.targets == (Target("public", "campaign_phases", "error_message"),)
    assert first.replacement == "phase_executions.error_details"
    assert first.migration == MigrationPlan(
        Version.of(68), "drop_campaign_phases_error_columns", "database/migrations", "golang-migrate"
    )
    counts = ["total_items", "processed_items", "successful_items", "failed_items"]
    columns = ["paused_at", "failed_at", "progress_percentage", *counts, "configuration"]
    assert [target.column for target in second.targets] == columns
    assert second.migration == MigrationPlan(
        Version.of(69), "drop_campaign_phases_progress_columns", "database/migrations", "golang-migrate"
    )


def test_rules_are_found_in_order(tmp_path: Path) -> None:
    assert find_rules(tmp_path) == ()
    (tmp_path / "rules").mkdir()
    for name in ("b.toml", "a.toml", "c.txt"):
        (tmp_path / "rules" / name).write_text("")
    assert [path.name for path in find_rules(tmp_path)] == ["a.toml", "b.toml"]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("Campaign_Phases.ERROR_message", Target("public", "campaign_phases", "error_message")),
        ("app.t.c", Target("app", "t", "c")),
        ('"Weird".x', Target("public", "Weird", "x")),
        ('"a.b"."c""d".x', Target("a.b", 'c"d', "x")),
        (" t . c ", Target("public", "t", "c")),
        ("t.GRÖSSE", Target("public", "t", "grÖsse")),
    ],
)
def test_a_column_of_the_command_line(text: str, target: Target) -> None:
    rule = adhoc_rule([text, text])
    assert rule.targets == (target,)
    assert (rule.source, rule.migration) == ("--column", None)


@pytest.mark.parametrize(
    "text", ["c", "a.b.c.d", "", "t.", ".c", "t..c", 't."c', 't.""', "t.c d", "t.1c", "t;c", "t." + "c" * 64]
)
def test_a_wrong_column_of_the_command_line(text: str) -> None:
    with pytest.raises(ScanError, match="--column"):
        adhoc_rule([text])


def test_no_column_is_an_error() -> None:
    with pytest.raises(ScanError, match="no column"):
        adhoc_rule([])


@pytest.mark.parametrize("name", ["plain", "Weird", 'q"uote', "a b", "größe", "_x$1", "1x", "a.b"])
def test_a_quoted_name_is_read_back(name: str) -> None:
    assert parse_name(quote_name(name)) == (name,)


def test_default_names() -> None:
    assert default_name((Target("public", "t", "c"),)) == "drop_t_c"
    assert (
        default_name((Target("public", "My Table", "a"), Target("public", "My Table", "b"))) == "drop_my_table_columns"
    )


@pytest.mark.parametrize(
    "target",
    [
        Target("public", "campaign_phases", "error_message"),
        Target("App", 'we"ird', "a b\\c"),
        Target("s", "größe", "x"),
    ],
)
def test_a_rendered_rule_is_read_back(tmp_path: Path, target: Target) -> None:
    rule = load(tmp_path, render_rule(target))
    assert rule.targets == (target,)
    assert rule.migration == MigrationPlan(name=default_name((target,)))
    text = render_rule(target, version=68, directory="db/m", convention="goose", replacement='a."b"')
    rule = load(tmp_path, text)
    assert rule.migration == MigrationPlan(Version.of(68), default_name((target,)), "db/m", "goose")
    assert rule.replacement == 'a."b"'
    assert accepted_by_schema(tomllib.loads(text))


def test_the_commented_part_of_a_rendered_rule_is_right_too(tmp_path: Path) -> None:
    text = render_rule(Target("public", "t", "c"))
    _, marker, rest = text.partition("# [[acknowledge]]")
    uncommented = text.replace(marker + rest, re.sub(r"(?m)^# (?=\[\[|\w+ = )", "", marker + rest))
    rule = load(tmp_path, uncommented)
    assert rule.acknowledge[0].expires == date(2027, 3, 31)
    assert rule.verify[0].name == "replaced"
