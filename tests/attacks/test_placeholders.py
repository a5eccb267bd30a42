"""Texts that are put together by something that is not read: placeholders of many kinds, parts of names."""

from __future__ import annotations

import pytest

from tests.attacks.attack import Attack, breaks, report_on

PLACEHOLDERS = (
    "${columns}", "$COLUMNS", "{columns}", "@columns@", "#{columns}", "$(columns)", "<%= columns %>", ':"columns"',
    "@{columns}", "%{columns}", "{{ columns }}",
)  # fmt: skip


@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        ("SELECT {} FROM campaign_phases", "unknown"),
        ("SELECT {} FROM phase_executions", "clean"),
        ("DELETE FROM campaign_phases WHERE {} IS NULL", "unknown"),
        ("SELECT id FROM campaign_phases WHERE name = {}", "clean"),
        ("INSERT INTO campaign_phases (id, name) VALUES (1, {})", "clean"),
        ("SELECT id FROM campaign_phases WHERE name = '{}'", "clean"),
        ("SELECT id FROM campaign_phases -- {}", "clean"),
        ("SELECT error_message FROM {}", "unknown"),
    ],
)
def test_placeholders(placeholder: str, statement: str, verdict: str) -> None:
    files = {"a.sql": statement.replace("{}", placeholder) + "\n;\n"}
    assert report_on(Attack("", files=files)).verdict == verdict


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM campaign_phases WHERE name = ANY('{a,b}'::text[]) AND id = $1",
        "SELECT id FROM campaign_phases WHERE name::json #>> '{error_message}' = $body$x$body$",
        "SELECT @ id FROM campaign_phases WHERE id = @id AND name = :name",
        "INSERT INTO phase_executions (id, phase_id) SELECT :id, id FROM campaign_phases",
        "UPDATE phase_executions SET id = 1, error_message = 'x' WHERE phase_id = ${error_message}",
    ],
)
def test_what_postgresql_reads_itself(statement: str) -> None:
    assert report_on(Attack("", files={"a.sql": f"{statement};\n"})).verdict == "clean"


def _go(statement: str) -> dict[str, str]:
    imports = 'import (\n\t"database/sql"\n\t"fmt"\n)\n'
    return {"a.go": f"package a\n\n{imports}\nfunc f(db *sql.DB, x string) {{ db.Exec({statement}) }}\n"}


PARTITIONED = """
ALTER TABLE campaign_phases RENAME TO old_phases;
CREATE TABLE campaign_phases (id int, error_message text) PARTITION BY LIST (id);
CREATE TABLE campaign_phases_1 PARTITION OF campaign_phases FOR VALUES IN (1);
"""


@pytest.mark.parametrize(
    ("migration", "statement", "verdict"),
    [
        ("", '"SELECT error_message FROM " + x + ".campaign_phases"', "referenced"),
        ("", 'fmt.Sprintf("UPDATE %q.campaign_phases SET error_message = NULL", x)', "referenced"),
        ("", 'fmt.Sprintf("DELETE FROM tenant_%s.campaign_phases WHERE error_message IS NULL", x)', "referenced"),
        ("", 'fmt.Sprintf("DELETE FROM tenant_%s.phase_executions WHERE error_message IS NULL", x)', "clean"),
        ("", 'fmt.Sprintf("DELETE FROM campaign_phases_%s WHERE error_message IS NULL", x)', "clean"),
        (PARTITIONED, 'fmt.Sprintf("DELETE FROM campaign_phases_%s WHERE error_message IS NULL", x)', "unknown"),
        (PARTITIONED, 'fmt.Sprintf("DELETE FROM campaign_phases_2024_%s WHERE error_message = 1", x)', "unknown"),
        (PARTITIONED, 'fmt.Sprintf("DELETE FROM phase_executions_%s WHERE error_message IS NULL", x)', "clean"),
    ],
)
def test_parts_of_names(migration: str, statement: str, verdict: str) -> None:
    migrations = (migration,) if migration else ()
    assert report_on(Attack("", migrations, _go(statement))).verdict == verdict


@pytest.mark.parametrize(
    ("statement", "argument", "verdict"),
    [
        ("format('UPDATE %I.campaign_phases SET error_message = NULL', s)", "public", "referenced"),
        ("'UPDATE pub' || s || '.campaign_phases SET error_message = NULL'", "lic", "referenced"),
        ("format('UPDATE %I.phase_executions SET error_message = NULL', s)", "public", "clean"),
    ],
)
def test_parts_of_names_in_a_function(statement: str, argument: str, verdict: str) -> None:
    function = "CREATE FUNCTION f(s text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE {}; END $$;"
    attack = Attack("", (function.format(statement),), calls=(f"SELECT f('{argument}')",))
    assert report_on(attack).verdict == verdict
    assert breaks(attack) == (verdict != "clean")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("{{error_message}}", "clean"),
        ("{{ error_message }} {{- name -}}", "clean"),
        ('{{"error_message"}}', "unknown"),
        ("UPDATE campaign_phases SET {{error_message}} = 1", "unknown"),
    ],
)
def test_a_text_that_is_a_placeholder_alone(text: str, verdict: str) -> None:
    source = f"package a\n\nconst table = `campaign_phases`\n\nfunc f() {{ give(`{text}`) }}\n"
    assert report_on(Attack("", files={"a.go": source})).verdict == verdict
