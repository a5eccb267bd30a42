"""`//go:embed` variables: the text of a file, in the statement that it is a part of."""

from __future__ import annotations

import pytest

from tests.languages.golang.harness import fragments, scan, texts

FILES: dict[str, str | bytes] = {"store/sql/list.sql": "SELECT error_message FROM campaign_phases\n"}
LISTED = "SELECT error_message FROM campaign_phases\n"


def source(declaration: str, use: str) -> str:
    imports = 'import _ "embed"\n'
    return f"package store\n{imports}\n{declaration}\n\nfunc F(db *sql.DB) {{\n\t{use}\n}}\n"


@pytest.mark.parametrize(
    "declaration",
    [
        "//go:embed sql/list.sql\nvar list string",
        '// list is a query\n//\n//go:embed "sql/list.sql"\nvar list string',
        "var (\n\t//go:embed sql/list.sql\n\tlist string\n)",
        "var (\n\tother = 1\n\t//go:embed sql/list.sql\n\tlist string\n)",
    ],
)
def test_text_of_a_file_is_a_part_of_the_query(declaration: str) -> None:
    found = scan({**FILES, "store/a.go": source(declaration, 'db.Query(list + " ORDER BY id")')})
    (fragment,) = fragments(found)
    assert fragment.text.decode() == LISTED + " ORDER BY id"
    assert fragment.origin(7, 20).path == "store/sql/list.sql"


def test_a_whole_file_is_left_to_the_scan_of_sql_files() -> None:
    declaration = "//go:embed sql/list.sql\nvar list string"
    assert not texts(scan({**FILES, "store/a.go": source(declaration, "db.Query(list)")}))


def test_a_file_that_is_not_scanned_as_sql_is_a_query() -> None:
    declaration = "//go:embed list.txt\nvar list []byte"
    files: dict[str, str | bytes] = {
        "store/list.txt": LISTED,
        "store/a.go": source(declaration, "db.Query(string(list))"),
    }
    assert texts(scan(files)) == {LISTED}


def test_a_file_that_is_not_there() -> None:
    declaration = "//go:embed gone.sql\nvar list string"
    found = scan({"store/a.go": source(declaration, 'db.Query(list + "error_message")')})
    assert texts(found) == {"\x1aerror_message"}
