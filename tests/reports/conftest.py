"""One report, built by hand, against which every renderer is tested."""

from __future__ import annotations

import pytest

from legacy_ref_scan.model import (
    Access,
    Acknowledged,
    Claim,
    Explanation,
    Gap,
    Mention,
    Reference,
    Report,
    Residue,
    SourceFile,
    Span,
    Target,
    Verdict,
)

TARGET = Target("public", "campaign_phases", "error_message")

STORE = SourceFile(
    "store/phases.go",
    b"""package store

func (s *Store) Save(id int) error {
\treturn s.exec(`
\t\tINSERT INTO campaign_phases (id, error_message)
\t\tVALUES ($1, $2)
\t\tON CONFLICT (id) DO UPDATE
\t\tSET error_message = EXCLUDED.error_message`)
}

func (s *Store) List() {
\ts.query("/* \xe5\xa4\xb1\xe6\x95\x97 */ SELECT * FROM campaign_phases")
\ts.query(where(column))
}

type phase struct {
\tErrorMessage string `db:"error_message"`
}
""",
    "go",
)
TEST = SourceFile(
    "store/phases_test.go",
    b'package store\n\nvar q = "SELECT error_message FROM campaign_phases"\n',
    "go",
    test=True,
)
MIGRATION = SourceFile(
    "migrations/000001_init.up.sql",
    b"CREATE TABLE campaign_phases (\n    id int,\n    error_message text\n);\n",
    "sql",
)


def span(source: SourceFile, text: str, nth: int = 0) -> Span:
    """The place of the nth occurrence of a text."""
    needle = text.encode()
    start = -1
    for _ in range(nth + 1):
        start = source.data.index(needle, start + 1)
    return Span(source.path, start, start + len(needle))


def reference(at: Span, access: Access, message: str, **about: object) -> Reference:
    """A gating use of the target from Go."""
    given: dict[str, object] = {"gating": True, "kind": "go-sql", "symbol": "(*Store).Save", **about}
    return Reference(target=TARGET, access=access, span=at, message=message, **given)  # type: ignore[arg-type]


INSERT = reference(
    span(STORE, "error_message"), Access.WRITE, "INSERT names the column", help="leave the column out of the INSERT"
)
UPDATE = reference(
    span(STORE, "error_message", 1), Access.WRITE, "UPDATE sets the column", help="leave the column out of SET"
)
EXCLUDED = reference(span(STORE, "EXCLUDED.error_message"), Access.READ, "an expression reads the column")
STAR = reference(
    span(STORE, "*", 4), Access.STAR, "the column comes along in *", symbol="(*Store).List", help="list the columns"
)
TESTED = reference(span(TEST, "error_message"), Access.READ, "the select list reads the column", symbol="q", test=True)
DEFINED = reference(
    span(MIGRATION, "error_message"),
    Access.DEFINE,
    "CREATE TABLE defines the column",
    gating=False,
    kind="sql-file",
    symbol="campaign_phases",
)
DYNAMIC = Gap(
    span(STORE, "where(column)"), "unknown-call", "the SQL text is the result of where()", symbol="(*Store).List"
)
DUMP = Gap(Span("dump.sql", 0, 0), "unreadable", "the file could not be read: larger than 50 MB")
TAG = Residue(span(STORE, "error_message", 3), "tag", "a db tag of phase names the column", symbol="phase")
KEPT = Acknowledged(
    Gap(span(TEST, "q"), "unknown-variable", "q may be any text"), "runs only against archived databases", "2027-03-31"
)


def mention(at: Span, role: str = "column") -> Mention:
    """A mention of a name of the target."""
    return Mention(at, "error_message" if role == "column" else "campaign_phases", role)


STORE_SPAN = Span(STORE.path, 0, len(STORE.data))
MENTIONS = (
    *((mention(span(STORE, "error_message", nth)), Claim(STORE_SPAN, Explanation.REFERENCE)) for nth in range(3)),
    (mention(TAG.span), Claim(TAG.span, Explanation.RESIDUE)),
    (mention(span(STORE, "campaign_phases"), "table"), Claim(STORE_SPAN, Explanation.TABLE)),
    (mention(span(STORE, "campaign_phases", 1), "table"), Claim(STORE_SPAN, Explanation.REFERENCE)),
    (mention(TESTED.span), Claim(TESTED.span, Explanation.REFERENCE, "the select list")),
    (mention(DEFINED.span), Claim(DEFINED.span, Explanation.DEFINITION)),
)


@pytest.fixture
def report() -> Report:
    """References of four kinds, two gaps (one in a file that was not read), residue, an acknowledgement."""
    return Report(
        targets=(TARGET,),
        verdict=Verdict.REFERENCED,
        references=(DEFINED, STAR, TESTED, UPDATE, INSERT, EXCLUDED),
        gaps=(DYNAMIC, DUMP),
        residue=(TAG,),
        acknowledged=(KEPT,),
        mentions=MENTIONS,
        files={source.path: source for source in (STORE, TEST, MIGRATION)},
        scanned={"go": 2, "sql": 1},
        skipped={"binary": 1},
        unreadable={"dump.sql": "larger than 50 MB"},
        notes=("migrations: migrations/ (golang-migrate, 1 file)",),
        statements=4,
    )


@pytest.fixture
def clean() -> Report:
    """A report without any finding."""
    return Report((TARGET,), Verdict.CLEAN, (), (), (), (), (), {}, scanned={"go": 1})
