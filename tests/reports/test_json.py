"""The JSON report against its own schema, and the stability of fingerprints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema

from legacy_ref_scan.model import Access, Report, SourceFile, Span, Verdict
from legacy_ref_scan.reports import FORMATS, Options
from tests.reports.conftest import EXCLUDED, INSERT, STORE, reference

SCHEMA: dict[str, Any] = json.loads(files("legacy_ref_scan").joinpath("data/report.schema.json").read_text())


def load(report: Report, **options: bool) -> dict[str, Any]:
    shape: dict[str, Any] = json.loads(FORMATS["json"].render(report, Options(**options)))
    return shape


def undocumented(value: object, schema: dict[str, Any], at: str = "") -> Iterator[str]:
    """Paths of keys that the schema does not describe."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        for item in value:
            yield from undocumented(item, schema["items"], f"{at}[]")
    elif isinstance(value, dict) and "additionalProperties" not in schema:
        for key, item in value.items():
            if key not in schema["properties"]:
                yield f"{at}.{key}"
            else:
                yield from undocumented(item, schema["properties"][key], f"{at}.{key}")


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_output_is_valid_and_every_key_is_documented(report: Report, clean: Report) -> None:
    for given in (report, clean):
        for accounting in (False, True):
            shape = load(given, accounting=accounting)
            jsonschema.validate(shape, SCHEMA, cls=jsonschema.Draft202012Validator)
            assert list(undocumented(shape, SCHEMA)) == []
            assert ("mentions" in shape) is accounting


def test_the_schema_notices_what_is_missing(report: Report) -> None:
    shape = load(report)
    del shape["references"][0]["fingerprint"]
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(shape)


def test_a_reference_in_full(report: Report) -> None:
    found = next(item for item in load(report)["references"] if item["access"] == "star")
    assert len(found.pop("fingerprint")) == 32
    assert found == {
        "path": "store/phases.go",
        "line": 12,
        "column": 27,
        "end_line": 12,
        "end_column": 28,
        "target": "public.campaign_phases.error_message",
        "access": "star",
        "gating": True,
        "kind": "go-sql",
        "symbol": "(*Store).List",
        "sql": '\ts.query("/* 失敗 */ SELECT * FROM campaign_phases")',
        "message": "the column comes along in *",
        "help": "list the columns",
        "test": False,
    }


def test_the_top_level(report: Report) -> None:
    shape = load(report)
    assert list(shape) == [
        "version", "verdict", "targets", "references", "gaps", "residue", "acknowledged", "ledger", "notes",
    ]  # fmt: skip
    assert (shape["version"], shape["verdict"]) == (1, "referenced")
    assert shape["acknowledged"][0]["expires"] == "2027-03-31"
    assert shape["acknowledged"][0]["gap"]["reason"] == "unknown-variable"


def test_the_ledger_adds_up(report: Report) -> None:
    shape = load(report, accounting=True)
    ledger = shape["ledger"]
    assert ledger["mentions"] == sum(ledger["explanations"].values()) == len(shape["mentions"])
    assert ledger["explanations"]["reference"] == 5
    assert ledger["files"]["unreadable"] == [{"path": "dump.sql", "reason": "larger than 50 MB"}]


def test_a_gap_in_a_file_that_was_not_read_has_a_place(report: Report) -> None:
    assert load(report)["gaps"][0] | {"fingerprint": ""} == {
        "path": "dump.sql",
        "line": 1,
        "column": 1,
        "end_line": 1,
        "end_column": 1,
        "reason": "unreadable",
        "message": "the file could not be read: larger than 50 MB",
        "symbol": "",
        "test": False,
        "fingerprint": "",
    }


def test_the_order_of_discovery_changes_nothing(report: Report) -> None:
    turned = replace(report, references=report.references[::-1], gaps=report.gaps[::-1], mentions=report.mentions[::-1])
    assert load(turned, accounting=True) == load(report, accounting=True)


def names(report: Report) -> list[str]:
    return [item["fingerprint"] for item in load(report)["references"]]


def moved(report: Report, prefix: bytes) -> Report:
    """The report after lines were added at the top of the store's file."""
    source = SourceFile(STORE.path, prefix + STORE.data, "go")
    shift = len(prefix)
    references = tuple(
        replace(item, span=Span(item.span.path, item.span.start + shift, item.span.end + shift))
        for item in report.references
    )
    return replace(report, references=references, files={STORE.path: source})


def test_fingerprints_survive_moved_and_reindented_lines(report: Report) -> None:
    given = replace(report, references=(INSERT, EXCLUDED))
    assert names(moved(given, b"// one\n\n// two\n")) == names(given)


def test_equal_findings_have_fingerprints_of_their_own() -> None:
    source = SourceFile("a.sql", b"SELECT x\nSELECT x\n", "sql")
    found = tuple(reference(Span("a.sql", at, at + 1), Access.READ, "why") for at in (7, 16))
    report = Report((found[0].target,), Verdict.REFERENCED, found, (), (), (), (), {"a.sql": source})
    one, other = names(report)
    assert one != other
    assert names(replace(report, references=found[:1])) == [one]


def test_a_changed_line_is_another_finding(report: Report) -> None:
    given = replace(report, references=(INSERT,))
    source = SourceFile(STORE.path, STORE.data.replace(b"(id, error", b"(no, error"), "go")
    assert names(replace(given, files={STORE.path: source})) != names(given)


def test_bytes_that_are_not_utf8_do_not_crash_it() -> None:
    source = SourceFile("caf\udce9.sql", b"\xff error_message", "sql")
    found = reference(Span(source.path, 2, 15), Access.READ, "why \ud800")
    report = Report((found.target,), Verdict.REFERENCED, (found,), (), (), (), (), {source.path: source})
    shape = json.loads(FORMATS["json"].render(report, Options()).encode())
    assert shape["references"][0]["path"] == "caf\ufffd.sql"
    assert shape["references"][0]["sql"] == "\ufffd error_message"
    assert shape["references"][0]["message"] == "why \ufffd"


def test_a_very_long_line_is_clipped() -> None:
    source = SourceFile("a.js", b"x" * 100_000 + b" error_message " + b"y" * 100_000, "other")
    found = reference(Span("a.js", 100_001, 100_014), Access.READ, "why")
    report = Report((found.target,), Verdict.REFERENCED, (found,), (), (), (), (), {"a.js": source})
    sql = load(report)["references"][0]["sql"]
    assert len(sql) < 200
    assert "error_message" in sql
