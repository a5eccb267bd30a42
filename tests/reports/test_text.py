"""The text report: goldens, grouping, and what a hostile file may do to a terminal."""

from __future__ import annotations

import re
from dataclasses import replace
from time import monotonic

from legacy_ref_scan.model import Access, Claim, Explanation, Gap, Mention, Report, SourceFile, Span, Target, Verdict
from legacy_ref_scan.reports import FORMATS, Options
from legacy_ref_scan.reports.style import width
from tests.reports.conftest import INSERT, STAR, reference

GOLDEN = """\
error[write, read]: 3 uses of public.campaign_phases.error_message
 --> store/phases.go:5:36 in (*Store).Save
  |
5 |         INSERT INTO campaign_phases (id, error_message)
  |                                          ^^^^^^^^^^^^^ INSERT names the column
...
8 |         SET error_message = EXCLUDED.error_message`)
  |             ^^^^^^^^^^^^^ UPDATE sets the column
  |                             ^^^^^^^^^^^^^^^^^^^^^^ an expression reads the column
  = help: leave the column out of the INSERT
  = help: leave the column out of SET

error[star]: the column comes along in *
  --> store/phases.go:12:27 in (*Store).List
   |
12 |     s.query("/* 失敗 */ SELECT * FROM campaign_phases")
   |                                ^
  = help: list the columns

error[read]: the select list reads the column
 --> store/phases_test.go:3:17 in q (test)
  |
3 | var q = "SELECT error_message FROM campaign_phases"
  |                 ^^^^^^^^^^^^^

unknown[unreadable]: the file could not be read: larger than 50 MB
 --> dump.sql:1:1

unknown[unknown-call]: the SQL text is the result of where()
  --> store/phases.go:13:10 in (*Store).List
   |
13 |     s.query(where(column))
   |             ^^^^^^^^^^^^^

goes along with the column, does not gate:
  migrations/000001_init.up.sql:3:5: define: CREATE TABLE defines the column

left over, breaks nothing when the column goes:
  store/phases.go:17:27: tag: a db tag of phase names the column

acknowledged by the rule:
  store/phases_test.go:3:5: unknown-variable: q may be any text
    because: runs only against archived databases, expires 2027-03-31

1 file could not be read:
  dump.sql: larger than 50 MB

note: migrations: migrations/ (golang-migrate, 1 file)

8 mentions: 5 references, 1 residue, 1 table without the column, 1 definition
3 files scanned (2 go, 1 sql), 1 skipped (binary), 1 unreadable, 4 statements
verdict: referenced: 5 references and 2 gaps to remove before public.campaign_phases.error_message can be dropped
"""

LISTING = """\
migrations/000001_init.up.sql
  3:5  error_message  definition
store/phases.go
  5:15  campaign_phases  table, without the column
  5:36  error_message  reference
  8:7  error_message  reference
  8:32  error_message  reference
  12:34  campaign_phases  reference
  17:27  error_message  residue
store/phases_test.go
  3:17  error_message  reference (the select list)
"""


def text(report: Report, **options: bool) -> str:
    return FORMATS["text"].render(report, Options(**options))


def one(source: SourceFile, start: int, end: int, message: str = "why") -> Report:
    """A report with a single reference into a single file."""
    found = reference(Span(source.path, start, end), Access.READ, message)
    return Report((found.target,), Verdict.REFERENCED, (found,), (), (), (), (), {source.path: source})


def drawn(source: SourceFile, start: int, end: int) -> list[str]:
    """The lines below the place of a single reference: source lines and underlines."""
    lines = text(one(source, start, end)).split("\n\n")[0].split("\n")[3:]
    return [line.partition("| ")[2] or line for line in lines]


def test_the_whole_report(report: Report) -> None:
    assert text(report) == GOLDEN


def test_accounting_lists_every_mention_by_file(report: Report) -> None:
    whole = text(report, accounting=True)
    assert LISTING in whole
    assert whole.replace(LISTING + "\n", "") == GOLDEN


def test_the_order_of_discovery_changes_nothing(report: Report) -> None:
    turned = replace(
        report,
        references=report.references[::-1],
        gaps=report.gaps[::-1],
        mentions=report.mentions[::-1],
        files=dict(sorted(report.files.items(), reverse=True)),
    )
    assert text(turned, accounting=True) == text(report, accounting=True)


def test_colour_only_adds_escapes(report: Report) -> None:
    coloured = text(report, colour=True)
    assert "\x1b[31;1merror[write, read]\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == GOLDEN


def test_clean_says_what_comes_next(clean: Report) -> None:
    assert text(clean) == (
        "0 mentions\n"
        "1 file scanned (1 go), 0 statements\n"
        "verdict: clean: nothing uses public.campaign_phases.error_message any more; "
        "`legacy-ref-scan generate-migration` may write the migration\n"
    )


def test_unknown_counts_the_gaps(clean: Report) -> None:
    gap = Gap(Span("", 0, 0), "no-migrations", "no migration directory was found")
    shown = text(replace(clean, verdict=Verdict.UNKNOWN, gaps=(gap,)))
    assert shown.startswith("unknown[no-migrations]: no migration directory was found\n\n0 mentions")
    assert shown.splitlines()[-1].startswith("verdict: unknown: 1 gap to decide before public.campaign_phases")


def test_columns_that_come_along_at_one_place_share_an_underline(report: Report) -> None:
    targets = [Target("public", "campaign_phases", name) for name in ("paused_at", "failed_at")]
    stars = tuple(replace(STAR, target=target) for target in targets)
    shown = text(replace(report, targets=tuple(targets), references=stars, gaps=()))
    assert shown.startswith(
        "error[star]: 2 columns of public.campaign_phases: paused_at, failed_at\n"
        "  --> store/phases.go:12:27 in (*Store).List\n"
        "   |\n"
        '12 |     s.query("/* 失敗 */ SELECT * FROM campaign_phases")\n'
        "   |                                ^\n"
        "  = why: the column comes along in *\n"
        "  = help: list the columns\n\n"
    )


def test_equal_gaps_of_a_file_are_one_finding(clean: Report) -> None:
    source = SourceFile("a.go", b"f(x)\ng(y)\n\nf(x)\n", "go")
    gaps = tuple(Gap(Span("a.go", at, at + 1), "unknown-call", "x may be any text") for at in (13, 2))
    shown = text(replace(clean, verdict=Verdict.UNKNOWN, gaps=gaps, files={"a.go": source}))
    assert shown.startswith(
        "unknown[unknown-call]: x may be any text (2 places)\n"
        " --> a.go:1:3\n  |\n1 | f(x)\n  |   ^\n...\n4 | f(x)\n  |   ^\n\n"
    )


def test_statements_of_a_sql_file_are_findings_of_their_own() -> None:
    source = SourceFile("a.sql", b"SELECT x,\n x;\nSELECT x;\n", "sql")
    found = tuple(
        reference(Span("a.sql", at, at + 1), Access.READ, "reads x", symbol="", kind="sql-file") for at in (7, 11, 21)
    )
    report = Report((found[0].target,), Verdict.REFERENCED, found, (), (), (), (), {"a.sql": source})
    assert text(report).count("error[read]") == 2


def test_a_reference_that_does_not_gate_is_a_warning(report: Report) -> None:
    shown = text(replace(report, references=(replace(STAR, gating=False), INSERT)))
    assert shown.index("error[write]") < shown.index("warning[star]")


def test_tabs_and_wide_characters_keep_the_underline_below_its_token() -> None:
    data = "\tx\t失敗é\u0301 = error_message;".encode()
    start = data.index(b"error")
    line, underline = drawn(SourceFile("a.sql", data, "sql"), start, start + 13)
    assert line == "    x    失敗é\u0301 = error_message;"
    assert width(line[: line.index("error")]) == underline.index("^")
    assert underline.strip() == "^" * 13


def test_a_wide_token_is_underlined_in_full() -> None:
    data = "SELECT 失敗 FROM t".encode()
    assert drawn(SourceFile("a.sql", data, "sql"), 7, 13) == ["SELECT 失敗 FROM t", "       ^^^^"]


def test_a_span_over_lines_shows_its_first_and_last_line() -> None:
    data = b"a := `SELECT x,\n  error_message\nFROM t\n  WHERE y`\nb\n"
    start, end = data.index(b"SELECT"), data.index(b"`\nb")
    assert drawn(SourceFile("a.go", data, "go"), start, end) == [
        "a := `SELECT x,",
        "      ^^^^^^^^^",
        "...",
        "  WHERE y`",
        "  ^^^^^^^",
    ]


def test_a_span_that_ends_with_a_line_has_one_underline() -> None:
    data = b"SELECT a\n\nx"
    assert drawn(SourceFile("a.sql", data, "sql"), 7, 10) == ["SELECT a", "       ^"]


def test_a_very_long_line_is_clipped_around_the_token() -> None:
    data = b"x" * 5_000_000 + b" error_message " + b"y" * 5_000_000
    line, underline = drawn(SourceFile("a.js", data, "other"), 5_000_001, 5_000_014)
    assert len(line) < 200
    assert line.startswith("…x")
    assert line.endswith("y…")
    assert line[underline.index("^") :].startswith("error_message")


def test_thousands_of_mentions_on_one_line_are_listed_in_linear_time(clean: Report) -> None:
    row = '{"error_message": "é"},'
    source = SourceFile("data.json", row.encode() * 50_000, "other")
    size = len(row.encode())
    claim = Claim(Span("data.json", 0, len(source.data)), Explanation.VALUE)
    mentions = tuple(
        (Mention(Span("data.json", at * size + 2, at * size + 15), "error_message", "column"), claim)
        for at in range(50_000)
    )
    started = monotonic()
    lines = text(replace(clean, mentions=mentions, files={"data.json": source}), accounting=True).splitlines()
    assert monotonic() - started < 30  # decoding the line once a mention takes minutes
    assert lines[50_000] == f"  1:{49_999 * len(row) + 3}  error_message  value"


def test_nothing_from_a_file_reaches_the_terminal_as_a_control_character() -> None:
    data = "a \x1b[2J \x07 \x9b \u202e\u2028 error_message\r x".encode()
    start = data.index(b"error")
    source = SourceFile("evil\x1b[31m\n.sql", data, "sql")
    shown = text(one(source, start, start + 13, "why \x1b]0;title\x07"))
    assert not [character for character in shown if ord(character) < 32 and character != "\n"]
    assert "a \\x1b[2J \\x07 \\x9b \\u{202e}\\u{2028} error_message\\x0d x" in shown
    assert "--> evil\\x1b[31m\\x0a.sql:1:" in shown


def test_a_path_that_is_not_utf8_can_be_written() -> None:
    source = SourceFile("caf\udce9.sql", b"error_message", "sql")
    assert "caf\\u{dce9}.sql:1:1" in text(one(source, 0, 13)).encode().decode()


def test_a_file_without_a_last_line_end_and_a_span_at_its_end() -> None:
    assert drawn(SourceFile("a.sql", b"SELECT", "sql"), 6, 6) == ["SELECT", "      ^"]
