"""Query builders: the SQL that a chain means."""

# ruff: noqa: E501 -- a statement and its SQL read best on one line

from __future__ import annotations

import pytest

from legacy_ref_scan.model import Consumer
from tests.languages.golang.harness import HOLE, body, fragments, scan, texts

SQUIRREL = [
    ('sq.Select("a", "error_message").From("campaign_phases x").Where("x.id = ?", 1).OrderBy("a DESC")',
     "SELECT a, error_message FROM campaign_phases x WHERE (x.id = ?) ORDER BY a DESC"),
    ('sq.Select("1").From("campaign_phases").Where(sq.Eq{"error_message": "x"})',
     "SELECT 1 FROM campaign_phases WHERE (error_message = ?)"),
    ('sq.Select("1").From("campaign_phases").Where(sq.Or{sq.Eq{"id": 1}, sq.NotEq{"error_message": nil}})',
     "SELECT 1 FROM campaign_phases WHERE (id = ? AND error_message <> ?)"),
    ('sq.Insert("campaign_phases").Columns("id", "error_message").Values(1, "x").Suffix("RETURNING id")',
     "INSERT INTO campaign_phases (id, error_message) VALUES (?, ?) RETURNING id"),
    ('sq.Update("campaign_phases").Set("error_message", "x").Where(sq.Eq{"id": 1})',
     "UPDATE campaign_phases SET error_message = ? WHERE (id = ?)"),
    ('sq.Update("campaign_phases").SetMap(map[string]any{"error_message": 1, "b": 2})',
     "UPDATE campaign_phases SET error_message = ?, b = ?"),
    ('sq.Delete("campaign_phases").Where("error_message IS NULL")',
     "DELETE FROM campaign_phases WHERE (error_message IS NULL)"),
    ('sq.StatementBuilder.PlaceholderFormat(sq.Dollar).Select("p.error_message").From("jobs j")'
     '.LeftJoin("campaign_phases p ON p.id = j.id").GroupBy("p.id").Limit(3)',
     "SELECT p.error_message FROM jobs j LEFT JOIN campaign_phases p ON p.id = j.id GROUP BY p.id LIMIT ?"),
    ('sq.Insert("campaign_phases").Columns("id", "error_message").Select(sq.Select("id").Column("?", "x").From("jobs"))',
     "INSERT INTO campaign_phases (id, error_message) SELECT id, ? FROM jobs"),
    ('sq.Select("1").From("jobs").JoinClause(sq.Select("error_message").From("campaign_phases").Prefix("JOIN (").Suffix(") p"))',
     "SELECT 1 FROM jobs JOIN ( SELECT error_message FROM campaign_phases ) p"),
    ('sq.Select(cols()...).From("campaign_phases")', "SELECT id, error_message FROM campaign_phases"),
    ('sq.Select(unknown()).From("campaign_phases")', f"SELECT {HOLE} FROM campaign_phases"),
]  # fmt: skip
TOP = 'func cols() []string { return []string{"id", "error_message"} }\n'


@pytest.mark.parametrize(("chain", "sql"), SQUIRREL)
def test_squirrel(chain: str, sql: str) -> None:
    source = body(f"q, args, err := {chain}.ToSql()\ns.db.QueryContext(ctx, q, args...)", "", TOP)
    source = source.replace("package store\n", 'package store\nimport sq "github.com/Masterminds/squirrel"\n')
    found = [fragment for fragment in fragments(scan(source)) if fragment.text.decode() == sql]
    assert [(fragment.consumer, fragment.kind) for fragment in found] == [(Consumer.BUILDER, "go-builder")]


@pytest.mark.parametrize(
    "chain",
    [
        'sq.Select("1").From("jobs").Where(sq.Eq{"a": "error_message"})',
        'sq.Select("1").From("jobs").Where("a = ?", "error_message")',
        'sq.Update("jobs").Set("a", "error_message")',
        'sq.Insert("jobs").Columns("a").Values("error_message")',
    ],
)
def test_a_value_is_no_name(chain: str) -> None:
    source = body(f"q, args, err := {chain}.ToSql()\ns.db.QueryContext(ctx, q, args...)")
    source = source.replace("package store\n", 'package store\nimport sq "github.com/Masterminds/squirrel"\n')
    found = [fragment for fragment in fragments(scan(source)) if b"error_message" in fragment.text]
    assert {fragment.consumer for fragment in found} == {Consumer.TEXT}


@pytest.mark.parametrize("chain", ['b.Select("a::date", "error_message")', 'b.OrderBy("a = ?", "error_message")'])
def test_what_follows_an_item_of_a_list_is_a_name(chain: str) -> None:
    source = (
        'package a\nimport sq "github.com/Masterminds/squirrel"\n'
        f"func F(b sq.StatementBuilderType) sq.SelectBuilder {{ return {chain} }}\n"
    )
    found = [fragment for fragment in fragments(scan(source)) if b"error_message" in fragment.text]
    assert Consumer.TEXT not in {fragment.consumer for fragment in found}
    assert found


def test_a_chain_in_steps() -> None:
    source = (
        'package a\nimport sq "github.com/Masterminds/squirrel"\n'
        'var base = sq.Select("id", "error_message").From("campaign_phases")\n'
        'func F(db *sql.DB, flag bool) {\n\tstmt := base.Where("a = ?", 1)\n'
        '\tif flag { stmt = stmt.Where(sq.Eq{"b": 2}) }\n\tq, _, _ := stmt.ToSql()\n\tdb.Query(q)\n}\n'
    )
    found = {fragment.text.decode() for fragment in fragments(scan(source))}
    head = "SELECT id, error_message FROM campaign_phases"
    assert found >= {f"{head} WHERE (a = ?)", f"{head} WHERE (a = ?) AND (b = ?)"}


def test_a_builder_given_to_a_helper_keeps_its_text() -> None:
    source = (
        'package a\nimport sq "github.com/Masterminds/squirrel"\n'
        'func filter(stmt sq.SelectBuilder) sq.SelectBuilder { return stmt.Where("error_message IS NULL") }\n'
        'func F(db *sql.DB) { q, _, _ := filter(sq.Select("1").From("campaign_phases")).ToSql(); db.Query(q) }\n'
    )
    found = {fragment.text.decode() for fragment in fragments(scan(source))}
    assert "SELECT 1 FROM campaign_phases WHERE (error_message IS NULL)" in found


@pytest.mark.parametrize(
    ("chain", "sql"),
    [
        ('goqu.From("campaign_phases").Select("id", goqu.C("error_message")).Where(goqu.Ex{"a": 1}).ToSQL()',
         "SELECT id, error_message FROM campaign_phases WHERE (a = ?)"),
        ('goqu.From("campaign_phases").Select("id").Where(goqu.C("error_message").Eq(1)).ToSQL()',
         "SELECT id FROM campaign_phases WHERE (error_message = ?)"),
        ('goqu.Update("campaign_phases").Set(goqu.Record{"error_message": 1}).Where(goqu.I("id").Eq(1)).ToSQL()',
         "UPDATE campaign_phases SET error_message = ? WHERE (id = ?)"),
    ],
)  # fmt: skip
def test_goqu(chain: str, sql: str) -> None:
    source = body(f"q, args, err := {chain}", '"github.com/doug-martin/goqu/v9"')
    source = source.replace('import "github', 'import goqu "github')
    assert sql in {fragment.text.decode() for fragment in fragments(scan(source))}


def test_gorm() -> None:
    call = 's.db.Table("campaign_phases").Where("error_message = ?", "x").Order("id").Find(&rows)'
    found = fragments(scan(body(call, '"gorm.io/gorm"')))
    assert found[0].text == b"SELECT * FROM campaign_phases WHERE (error_message = ?) ORDER BY id"
    assert found[0].consumer is Consumer.BUILDER


GORM = """package store

import "gorm.io/gorm"

type CampaignPhase struct {{
	gorm.Model
	ErrorMessage string
}}

func F(db *gorm.DB, x any) {{
	var phase CampaignPhase
	{statement}
}}
"""


@pytest.mark.parametrize(
    ("statement", "sql"),
    [
        ('db.Table("campaign_phases").Where("error_message > 1").Update("a", 1)', "UPDATE campaign_phases SET a = ? WHERE (error_message > 1)"),
        ('db.Table("campaign_phases").Select("a, error_message").Where("b").Find(&x)', "SELECT a, error_message FROM campaign_phases WHERE (b)"),
        ('db.Table("campaign_phases").Updates(map[string]any{"error_message": nil})', "UPDATE campaign_phases SET error_message = ?"),
        ('db.Table("campaign_phases").Pluck("error_message", &x)', "SELECT error_message FROM campaign_phases"),
        ('db.Table("campaign_phases").Distinct("error_message").Find(&x)', "SELECT DISTINCT error_message FROM campaign_phases"),
        ('db.Model(&CampaignPhase{}).Order("error_message desc").Find(&x)', "SELECT 1 FROM campaign_phases ORDER BY error_message desc"),
        ('db.Model(new(CampaignPhase)).Where("error_message > 1").Count(&x)', "SELECT count(*) FROM campaign_phases WHERE (error_message > 1)"),
        ('db.Model((*CampaignPhase)(nil)).Update("error_message", x)', "UPDATE campaign_phases SET error_message = ?"),
        ('db.Where("error_message > 1").Delete(&CampaignPhase{})', "DELETE FROM campaign_phases WHERE (error_message > 1)"),
        ('db.Delete(&CampaignPhase{}, "error_message > 1")', "DELETE FROM campaign_phases WHERE (error_message > 1)"),
        ('db.First(&phase, "error_message > 1")', "SELECT 1 FROM campaign_phases WHERE (error_message > 1)"),
        ('db.Select("error_message").First(&phase, 1)', "SELECT error_message FROM campaign_phases"),
        ('db.Table("jobs").Joins("JOIN campaign_phases p ON p.error_message = msg").Scan(&x)', "SELECT * FROM jobs JOIN campaign_phases p ON p.error_message = msg"),
        ('db.Where("error_message > 1").Find(x)', "SELECT * FROM \x1a WHERE (error_message > 1)"),
    ],
)  # fmt: skip
def test_gorm_statements(statement: str, sql: str) -> None:
    assert sql in texts(scan(GORM.format(statement=statement)))
