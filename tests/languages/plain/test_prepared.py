"""Files of rows that are called like the table: a header or a key that names the column is a gap, a value is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from legacy_ref_scan.mentions import names_of
from legacy_ref_scan.model import Gap, Target
from legacy_ref_scan.rules import adhoc_rule
from legacy_ref_scan.scan import Request
from legacy_ref_scan.scan import scan as scan_tree
from tests.languages.memory import scan

TITLES = names_of([Target("public", "users", "title")], [])
OBJECT = '[{"model": "accounts.%s", "pk": 1, "fields": {"title": "x"}}]'


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("seeds/users.csv", "id,title\n1,title\n", 1),
        ("seeds/01_users.csv", "# rows\n\n\"id\";\"title\"\n", 1),
        ("data/public.users.tsv", "id\ttitle\n", 1),
        ("seeds/users.csv", "id,name\n1,title\n", 0),
        ("seeds/posts.csv", "id,title\n", 0),
        ("test/fixtures/users.yml", "one:\n  title: x\ntwo:\n  title: y\n", 1),
        ("test/fixtures/users.yml", "one:\n  name: title\n", 0),
        ("test/fixtures/posts.yml", "one:\n  title: x\n", 0),
        ("prisma/seeds/users.json", '[{"title": "x"}]', 1),
        ("src/i18n/users.json", '{"title": "Users"}', 0),
        ("docs/api/users.yml", "title: Users\n", 0),
        ("app/fixtures/a.json", OBJECT % "user", 1),
        ("app/fixtures/a.json", OBJECT % "post", 0),
    ],
)  # fmt: skip
def test_prepared_rows(path: str, text: str, expected: int) -> None:
    items = scan({path: text}, "other", TITLES)
    assert [item.reason for item in items if isinstance(item, Gap)] == ["prepared-rows"] * expected


def test_a_large_table_of_rows_is_looked_at_by_its_head(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT 1;\n")
    (tmp_path / "users.csv").write_text("id,title\n" + "1,title\n" * 100_000)
    report = scan_tree(Request(root=tmp_path, rules=(adhoc_rule(["users.title"]),))).report
    assert [gap.reason for gap in report.gaps] == ["prepared-rows"]
    assert report.skipped == {"data behind its first 256 kB": 1}
    assert len(report.mentions) < 40_000
