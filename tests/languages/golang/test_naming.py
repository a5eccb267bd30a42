"""Naming strategies and struct tags of ORMs, against what the libraries themselves answer."""

from __future__ import annotations

import pytest

from legacy_ref_scan.languages.golang.orm.naming import gorm_name, plural, snake_name, table_name, underscored
from legacy_ref_scan.languages.golang.orm.tagvalues import holds_sql, parse
from legacy_ref_scan.model import Access


@pytest.mark.parametrize(
    ("field", "gorm", "bun", "xorm"),
    [
        ("ErrorMessage", "error_message", "error_message", "error_message"),
        ("UserID", "user_id", "user_id", "user_i_d"),
        ("APIKey", "api_key", "api_key", "a_p_i_key"),
        ("UserIDs", "user_ids", "user_i_ds", "user_i_ds"),
        ("Sha256Sum", "sha256_sum", "sha256_sum", "sha256_sum"),
        ("ID", "id", "id", "i_d"),
    ],
)
def test_columns_of_fields(field: str, gorm: str, bun: str, xorm: str) -> None:
    assert (gorm_name(field), underscored(field), snake_name(field)) == (gorm, bun, xorm)


@pytest.mark.parametrize(
    ("singular", "many"),
    [
        ("category", "categories"), ("person", "people"), ("campaign_phase", "campaign_phases"), ("status", "statuses"),
        ("box", "boxes"), ("wolf", "wolves"), ("datum", "data"), ("sheep", "sheep"), ("index", "indices"),
        ("analysis", "analyses"), ("sales_person", "sales_people"), ("key", "keys"),
    ],
)  # fmt: skip
def test_plurals(singular: str, many: str) -> None:
    assert plural(singular) == many


def test_xorm_makes_no_plural() -> None:
    assert table_name("xorm", "CampaignPhase") == "campaign_phase"
    assert table_name("gorm", "CampaignPhase") == "campaign_phases"


BOTH = (Access.READ, Access.WRITE)


@pytest.mark.parametrize(
    ("library", "value", "column", "accesses"),
    [
        ("gorm", b"type:text;column:error_message;not null", b"error_message", BOTH),
        ("gorm", b"->;column:a", b"a", (Access.READ,)),
        ("gorm", b"<-:false", None, (Access.READ,)),
        ("gorm", b"->:false;<-:create", None, (Access.WRITE,)),
        ("xorm", b"'a' varchar(25) notnull", b"a", BOTH),
        ("xorm", b"varchar(25) notnull 'a'", b"a", BOTH),
        ("xorm", b"NOT NULL DEFAULT 'a'", None, BOTH),
        ("xorm", b"-> TEXT", None, (Access.WRITE,)),
        ("xorm", b"a", b"a", BOTH),
        ("beego", b"size(200);column(error_message);null", b"error_message", BOTH),
        ("beego", b"default(column)", None, BOTH),
        ("bun", b"a,pk,nullzero", b"a", BOTH),
        ("bun", b",pk", None, BOTH),
        ("bun", b"a,scanonly", b"a", ()),
        ("bun", b"rel:belongs-to,join:a=b", None, BOTH),
        ("db", b"a,omitempty", b"a", BOTH),
    ],
)
def test_tags(library: str, value: bytes, column: bytes | None, accesses: tuple[Access, ...]) -> None:
    tag = parse(library, value)
    assert (tag.column[1] if tag.column else None, tag.accesses) == (column, accesses)
    if tag.column:
        assert value[tag.column[0] :].startswith(tag.column[1])


@pytest.mark.parametrize(("library", "value"), [("gorm", b"-"), ("gorm", b"-:all"), ("xorm", b"-"), ("bun", b"-")])
def test_tags_that_leave_the_field_out(library: str, value: bytes) -> None:
    assert parse(library, value).skipped


def test_gorm_keeps_what_only_the_migration_ignores() -> None:
    assert not parse("gorm", b"-:migration").skipped


def test_sql_in_tags() -> None:
    assert holds_sql("gorm", b"check:a > 0", 6)
    assert holds_sql("gorm", b"index:idx,where:a > 0", 16)
    assert not holds_sql("gorm", b"index:idx_a", 6)


def test_relations_of_beego() -> None:
    assert parse("beego", b"rel(fk)").suffix == "_id"
    assert parse("beego", b"null; rel(one); column(owner)").column == (23, b"owner")
    assert parse("beego", b"rel(m2m)").relation
    assert parse("beego", b"reverse(many)").relation
    assert parse("beego", b"-;column(a)").skipped
