"""Text files of any kind: SQL in their strings, gaps where two names stand together, claims for the rest."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from legacy_ref_scan.languages.plain.comments import comments
from legacy_ref_scan.languages.plain.kinds import PROGRAMS, SLUGS, Weight, kind_of
from legacy_ref_scan.mentions import Names, names_of
from legacy_ref_scan.model import Claim, Explanation, Fragment, Gap, Target
from legacy_ref_scan.rules import KINDS
from tests.languages.memory import PHASES, scan

TITLES = names_of([Target("public", "users", "title")], [])
SELECT = "SELECT error_message FROM campaign_phases"


def found(path: str, text: str | bytes, names: Names = PHASES) -> tuple[list[str], list[str], set[tuple[str, str]]]:
    """(texts of the fragments, reasons of the gaps, claims)."""
    items = scan({path: text}, "other", names)
    fragments = [item.text.decode() for item in items if isinstance(item, Fragment)]
    gaps = [item.reason for item in items if isinstance(item, Gap)]
    return fragments, gaps, {(item.why, item.detail) for item in items if isinstance(item, Claim)}


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.sh", f'psql -c "{SELECT}"\n', SELECT),
        ("a.sh", f"psql -c '{SELECT}'\n", SELECT),
        ("a.sh", 'psql -c "BEGIN; UPDATE campaign_phases SET error_message = NULL"\n',
         "BEGIN; UPDATE campaign_phases SET error_message = NULL"),
        ("a.sh", f"psql <<EOF\n{SELECT};\nEOF\necho done\n", f"{SELECT};\n"),
        ("a.sh", f"psql <<-'SQL' | cat\n\t{SELECT}\n\tSQL\n", f"\t{SELECT}\n"),
        ("a.sh", 'psql -c "SELECT error_message FROM campaign_phases WHERE id = $ID AND x = ${Y:-1} AND z = $1"\n',
         f"{SELECT} WHERE id = \x1a AND x = \x1a AND z = $1"),
        ("a.sh", 'T=campaign_phases\nC="error_message"\npsql -c "SELECT ${C} FROM $T WHERE x = $X"\n',
         f"{SELECT} WHERE x = \x1a"),
        ("a.sh", "psql -v ON_ERROR_STOP=1 -v col=error_message <<'EOF'\n"
         'SELECT :"col" FROM campaign_phases WHERE d = $body$x$body$;\nEOF\n',
         'SELECT error_message FROM campaign_phases WHERE d = $body$x$body$;\n'),
        ("a.sh", "psql -c 'SELECT error_message FROM campaign_phases WHERE d = $$x$$ and t::text = :x'\n",
         f"{SELECT} WHERE d = $$x$$ and t::text = :x"),
        ("a.sh", 'C=a\nC=b\npsql -c "SELECT error_message FROM campaign_phases WHERE $C"\n', f"{SELECT} WHERE \x1a"),
        ("a.sh", 'for C in a b; do\nC=b\npsql -c "SELECT error_message FROM campaign_phases WHERE $C"\n',
         f"{SELECT} WHERE \x1a"),
        ("Makefile", 'TABLE ?= campaign_phases\nx:\n\tpsql -c "SELECT error_message FROM $(TABLE)"\n', SELECT),
        ("a.yaml", f"query: {SELECT}\nother: 1\n", SELECT),
        ("a.yaml", f"a:\n  sql: |\n    {SELECT}\n    WHERE true\n  b: 1\n", f"{SELECT}\n    WHERE true"),
        ("a.yml", f"- {SELECT}\n- x\n", SELECT),
        ("a.yml", "q: 'SELECT error_message FROM campaign_phases WHERE x = ''a'' AND y'\n",
         f"{SELECT} WHERE x = ''a'' AND y"),
        ("a.json", '{"rawSql": "SELECT error_message\\nFROM \\"campaign_phases\\" WHERE $__timeFilter(t)"}',
         'SELECT error_message\nFROM "campaign_phases" WHERE \x1a(t)'),
        ("a.ts", f"db.query(`{SELECT} WHERE id = ${{id}}`)\n", f"{SELECT} WHERE id = \x1a"),
        ("a.js", f"q('{SELECT}')\n", SELECT),
        ("A.java", 'String q = "SELECT error_message " +\n    "FROM campaign_phases " + where + " LIMIT 1";\n',
         f"{SELECT} \x1a LIMIT 1"),
        ("A.kt", f'val q = """\n  {SELECT}\n"""\n', f"\n  {SELECT}\n"),
        ("a.rb", f"execute <<~SQL\n  {SELECT}\nSQL\n", f"  {SELECT}\n"),
        ("a.rb", f'execute("{SELECT} WHERE #{{x}}")\n', f"{SELECT} WHERE \x1a"),
        ("a.rb", f"execute(%q({SELECT}))\n", SELECT),
        ("a.rs", f'sqlx::query(r#"{SELECT} WHERE a = "x""#)\n', f'{SELECT} WHERE a = "x"'),
        ("a.php", f"$q = '{SELECT}';\n", SELECT),
        ("a.toml", f'q = """\n{SELECT}"""\n', f"\n{SELECT}"),
        ("a.sql.j2", f"{SELECT} WHERE id = {{{{ id }}}};\n", f"{SELECT} WHERE id = \x1a"),
        ("Makefile", f'x:\n\tpsql -c "{SELECT}"\n', SELECT),
        ("Dockerfile", f'RUN psql -c "{SELECT}"\n', SELECT),
        ("m.xml", f"<select id='x'>\n {SELECT} WHERE id = #{{id}}\n</select>", f"{SELECT} WHERE id = $1\n"),
        ("a.ts", f"await sql<Row[]>`{SELECT} WHERE id = ${{id}} ORDER BY ${{by}}`\n",
         f"{SELECT} WHERE id = $1 ORDER BY \x1a"),
        ("q.json", f'{{"query": "{SELECT} WHERE t BETWEEN {{{{a}}}} AND {{{{b}}}} AND {{{{c}}}}"}}',
         f"{SELECT} WHERE t BETWEEN $1 AND $1 AND \x1a"),
        ("a.ipynb", '{"source": ["SELECT error_message\\n",\n "FROM campaign_phases"]}',
         "SELECT error_message\nFROM campaign_phases"),
        ("a.lua", f"q = [[{SELECT}]]\n", SELECT),
        ("a.cs", f'var q = $"{SELECT} WHERE id = {{id}}";\n', f"{SELECT} WHERE id = \x1a"),
    ],
)  # fmt: skip
def test_sql_is_found(path: str, text: str, expected: str) -> None:
    fragments, gaps, _ = found(path, text)
    assert expected in fragments
    assert gaps == []


def test_an_apostrophe_before_does_not_hide_sql() -> None:
    text = f'// it\'s here\nconst a = "don\'t"\nq("{SELECT}")\n'
    assert found("a.ts", text)[0] == [SELECT]


@pytest.mark.parametrize(
    "text",
    [
        "label: Select the error_message from the campaign_phases\n",
        "label: Copy error_message to clipboard\n",
        "label: with error_message as usual\n",
        "class: update error_message\n",
    ],
)
def test_prose_is_no_sql(text: str) -> None:
    assert found("a.yaml", text)[0] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.sh", "T=campaign_phases\nC=error_message\npsql -c \"$(build $T $C)\"\n"),
        ("a.rb", "add_column :campaign_phases, :error_message, :text\n"),
        ("debezium.toml", "table = 'campaign_phases'\ncolumns = ['error_message']\n"),
        ("a.tf", 'table = "campaign_phases"\ncolumn = "error_message"\n'),
        ("a.ts", "import { Pool } from 'pg'\nconst t = { campaign_phases: ['error_message'] }\n"),
    ],
)  # fmt: skip
def test_two_names_close_together_in_code_are_one_gap(path: str, text: str) -> None:
    assert found(path, text)[1] == ["both-names-nearby"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.sh", "T=campaign_phases\n" + "#\n" * 300 + "C=error_message\n"),
        ("a.sh", "# campaign_phases has error_message\n"),
        ("a.ts", "export interface A { campaign_phases: { error_message: string }[] }\n"),
        ("a.json", '{"campaign_phases": [{"error_message": null}]}'),
        ("openapi.yaml", "openapi: 3.0.1\ncampaign_phases: {error_message: {type: string}}\n"),
        ("api/x.yaml", "swagger: '2.0'\ncampaign_phases: {error_message: {type: string}}\n"),
        ("a.proto", "message campaign_phases { string error_message = 1; }\n"),
        ("a.graphql", "type campaign_phases { error_message: String }\n"),
        ("README.md", f"```sql\n{SELECT};\n```\n"),
        ("LICENSE", "campaign_phases error_message\n"),
        ("a.csv", "campaign_phases,error_message\n"),
        ("a.svg", "<text>campaign_phases error_message</text>\n"),
        ("package-lock.json", '{"campaign_phases": "error_message"}'),
        ("a.css", ".campaign_phases .error_message {}\n"),
        ("gen.rb", "# Code generated by x. DO NOT EDIT.\ncampaign_phases error_message\n"),
        ("sqlc.yaml", 'overrides:\n  - column: "campaign_phases.error_message"\n'),
        ("a.yaml", "CampaignPhase: ErrorMessage\n"),
    ],
)
def test_no_false_alarm(path: str, text: str) -> None:
    fragments, gaps, claims = found(path, text)
    assert (fragments, gaps) == ([], [])
    assert {why for why, _ in claims} <= {Explanation.OTHER_FILE, Explanation.COMMENT}


def test_queries_for_clickhouse_beside_those_for_postgresql() -> None:
    ours, theirs = f"{SELECT} WHERE id = {{{{id}}}}", f"{SELECT} WHERE id = {{id:UUID}} FINAL"
    fragments, gaps, claims = found("a.ts", f"const a = `{ours}`\nconst b = `{theirs}`\n")
    assert (len(fragments), gaps) == (1, [])
    assert (Explanation.OTHER_FILE, "SQL for another database") in claims


@pytest.mark.parametrize(
    ("text", "gaps"),
    [
        ("users:\n  title: x\n", []),
        ("for users in x; do title=1; done\n", []),
        ("import title from users\n", ["both-names-nearby"]),
        ('run("users.title")\n', ["both-names-nearby"]),
        ("remove_column :users, :title\n", ["both-names-nearby"]),
        ("rename title of table users\n", ["both-names-nearby"]),
    ],
)
def test_plain_words_need_more_than_to_stand_together(text: str, gaps: list[str]) -> None:
    assert found("a.rb", text, TITLES)[1] == gaps


@pytest.mark.parametrize(
    ("path", "text", "claim"),
    [
        ("a.sh", "x=1 # error_message\n", (Explanation.COMMENT, "shell")),
        ("a.sh", "echo '# error_message'\n", (Explanation.OTHER_FILE, "shell file")),
        ("a.sh", "echo ${#error_message}\n", (Explanation.OTHER_FILE, "shell file")),
        ("a.ts", "/* error_message */\n", (Explanation.COMMENT, "JavaScript")),
        ("a.ts", "x = 'http://error_message'\n", (Explanation.OTHER_FILE, "JavaScript file")),
        ("a.ts", "/* never closed error_message\n", (Explanation.OTHER_FILE, "JavaScript file")),
        ("a.vue", "<!-- error_message -->\n", (Explanation.COMMENT, "JavaScript")),
        ("a.tmpl", "{{/* error_message */}}\n", (Explanation.COMMENT, "template")),
        ("a.rst", "error_message\n", (Explanation.OTHER_FILE, "documentation")),
        ("a.proto", "error_message\n", (Explanation.OTHER_FILE, "API schema")),
        ("CHANGELOG", "error_message\n", (Explanation.OTHER_FILE, "documentation")),
        ("unknown", "error_message\n", (Explanation.OTHER_FILE, "text file")),
    ],
)
def test_claims(path: str, text: str, claim: tuple[Explanation, str]) -> None:
    assert found(path, text) == ([], [], {claim})


@pytest.mark.parametrize(
    ("path", "head", "name", "weight"),
    [
        ("bin/run", b"#!/bin/sh\n", "script", Weight.CODE),
        (".env", b"", "configuration", Weight.CODE),
        (".env.example", b"", "configuration", Weight.CODE),
        ("config.yaml.example", b"", "YAML", Weight.CODE),
        ("Dockerfile.dev", b"", "Dockerfile", Weight.CODE),
        ("x/Gemfile", b"", "Ruby", Weight.CODE),
        ("types.d.ts", b"", "generated JavaScript", Weight.GENERATED),
        ("docs/swagger/x.json", b"", "API schema", Weight.INERT),
        ("go.sum", b"", "data", Weight.INERT),
    ],
)
def test_kinds(path: str, head: bytes, name: str, weight: Weight) -> None:
    kind = kind_of(path, head)
    assert (kind.name, kind.weight) == (name, weight)


def test_a_rule_may_speak_of_every_kind() -> None:
    assert set(KINDS) == SLUGS
    assert PROGRAMS < SLUGS


TOKENS = st.sampled_from(
    ["error_message", "campaign_phases", "ErrorMessage", "SELECT", "FROM", "UPDATE", "SET", "select", "from", "\n",
     "  ", "'", '"', "`", '"""', "\\", "\\n", "#", "//", "/*", "*/", "<!--", "-->", "${x}", "#{x}", "{{ x }}", "$x",
     "$(", ")", "<<EOF\n", "\nEOF\n", "|", ":", "- ", "+", " + ", ";", "é", "\r\n", "%q(", 'r#"', '"#', "--", "{#",
     "#}", "''"]
)  # fmt: skip
PATHS = st.sampled_from(
    ["a.sh", "a.yaml", "a.json", "a.ts", "a.rb", "a.java", "a.rs", "a.php", "a.tmpl", "a.xml", "a.md", "a.cs",
     "a.ipynb", "a.lua", "Makefile", "a.toml", "a.vue", "a.ex", "a.proto", "x"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(PATHS, st.lists(TOKENS, max_size=40), st.sampled_from(["", " "]))
def test_no_mention_is_lost(path: str, tokens: list[str], between: str) -> None:
    scan({path: between.join(tokens)}, "other")


@pytest.mark.parametrize(
    "unit",
    [b"/* ", b"<!-- ", b"{{ ", b"'", b'"', b"`", b"'''", b"<<EOF\n", b"select ", b'"select ', b"${", b"\\", b"(", b"--",
     b"insert  into ", b"with a(", b"copy a(", b"update a ", b"{% ", b"error_message campaign_phases "],
)  # fmt: skip
@pytest.mark.parametrize("path", ["a.ts", "a.yaml", "a.tmpl"])
def test_time_grows_with_size_only(path: str, unit: bytes) -> None:
    data = b"campaign_phases " + unit * (200_000 // len(unit)) + b" error_message"
    started = time.process_time()
    scan({path: data}, "other")
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("path", "row"),
    [
        ("a.yaml", b"- title: x\n  table: users\n"),
        ("a.json", b'{"table": "users", "title": 1},\n'),
        ("a.ts", b"users.title\n"),
    ],
)
def test_large_data_takes_no_longer_than_its_size(path: str, row: bytes) -> None:
    data = b"import 'knex'\n" * path.endswith(".ts") + row * (100_000 // len(row))
    started = time.process_time()
    scan({path: data}, "other", TITLES)
    assert time.process_time() - started < 8


def test_comments_know_strings() -> None:
    data = b"a = '#' # one\nb = \"# no\" # two\n"
    assert [data[start:end] for start, end in comments(data, ("#",))] == [b"# one", b"# two"]
