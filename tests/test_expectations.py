"""The comparison of fixtures must be able to fail: it is held against hand-made reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from legacy_ref_scan.model import Access, Gap, Reference, Report, Residue, SourceFile, Span, Target, Verdict
from tests.expectations import Finding, fixtures, read_expectations, target_of

GO = """\
q := "SELECT c FROM t" // want: read
db.Exec(`UPDATE t
  SET c = $1, -- want: write "c"
      d = c -- want: read "c"`, x)
db.Exec("SELECT " + col + " FROM t") // want-gap: dynamic column
var a = "c" // todo-want: read, write
Tag string `db:"c"` // want-residue: a tag
// ok: another table
// we want: nothing from this line
"""
TARGET = Target("public", "t", "c")


def at_line(line: int) -> Span:
    start = sum(len(text) + 1 for text in GO.split("\n")[: line - 1])
    return Span("a.go", start, start + 1)


def reference(line: int, access: Access, *, gating: bool = True) -> Reference:
    return Reference(TARGET, access, gating, at_line(line), "go-sql", "", "")


EXPECTED = (reference(1, Access.READ), reference(3, Access.WRITE), reference(4, Access.READ))
GAP = Gap(at_line(5), "dynamic", "")
TAG = Residue(at_line(7), "tag", "")


def differences(
    tmp_path: Path,
    references: tuple[Reference, ...],
    gaps: tuple[Gap, ...] = (GAP,),
    residue: tuple[Residue, ...] = (TAG,),
) -> list[str]:
    (tmp_path / "a.go").write_text(GO)
    files = {"a.go": SourceFile("a.go", GO.encode(), "go")}
    report = Report((TARGET,), Verdict.REFERENCED, references, gaps, residue, (), (), files)
    return read_expectations(tmp_path).differences(report)


def test_expectations_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.go").write_text(GO)
    (tmp_path / "b.sql").write_bytes(b"\xff\nSELECT c FROM t; -- want: star, depend\n-- want-listed: depend\n")
    (tmp_path / "c.py").write_text("run(q)  # want: read\n")
    expectations = read_expectations(tmp_path)
    assert {str(finding) for finding in expectations.wanted} == {
        "a.go:1: read",
        "a.go:3: write",
        "a.go:4: read",
        "a.go:5: gap",
        "a.go:7: residue",
        "b.sql:2: star",
        "b.sql:2: depend",
        "b.sql:3: listed depend",
        "c.py:1: read",
    }
    assert expectations.todo == {Finding("a.go", 6, "read"), Finding("a.go", 6, "write")}


def test_a_report_as_expected(tmp_path: Path) -> None:
    assert differences(tmp_path, EXPECTED) == []


def test_what_does_not_gate_and_residue_need_no_expectation(tmp_path: Path) -> None:
    listed = reference(9, Access.DEFINE, gating=False)
    assert differences(tmp_path, (*EXPECTED, listed), residue=(TAG, Residue(at_line(8), "comment", ""))) == []


@pytest.mark.parametrize(
    ("references", "gaps", "residue", "said"),
    [
        (EXPECTED[1:], (GAP,), (TAG,), "missing: a.go:1: read"),
        (EXPECTED, (), (TAG,), "missing: a.go:5: gap"),
        (EXPECTED, (GAP,), (), "missing: a.go:7: residue"),
        ((*EXPECTED, reference(1, Access.WRITE)), (GAP,), (TAG,), "not expected: a.go:1: write"),
        ((*EXPECTED, reference(8, Access.READ)), (GAP,), (TAG,), "not expected: a.go:8: read"),
        (EXPECTED, (GAP, Gap(at_line(8), "x", "")), (TAG,), "not expected: a.go:8: gap"),
        ((*EXPECTED, reference(6, Access.READ)), (GAP,), (TAG,), "found, so no longer to do: a.go:6: read"),
    ],
)
def test_every_difference_is_told(
    tmp_path: Path, references: tuple[Reference, ...], gaps: tuple[Gap, ...], residue: tuple[Residue, ...], said: str
) -> None:
    assert differences(tmp_path, references, gaps, residue) == [said]


@pytest.mark.parametrize("fixture", [*fixtures("domainflow"), *fixtures("hard")], ids=lambda path: path.name)
def test_no_marker_is_mistyped(fixture: Path) -> None:
    """Each line that seems to hold an expectation yields one."""
    read = read_expectations(fixture)
    places = {(finding.path, finding.line) for finding in read.wanted | read.todo}
    for path in sorted(path for path in fixture.rglob("*") if path.is_file()):
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").split("\n"), start=1):
            if "want" in line and any(mark in line for mark in ("// ", "-- ", "# ")) and "wanted" not in line:
                assert (path.relative_to(fixture).as_posix(), number) in places, line
    assert target_of(fixture) == "campaign_phases.error_message"
