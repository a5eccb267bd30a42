"""Checks: the exit code, the text, and the JSON beside its schema."""

from __future__ import annotations

import json
from importlib.resources import files

import jsonschema
import pytest

from legacy_ref_scan.database.checks import Check, Protocol, Result, document, parse, render, text, timed
from legacy_ref_scan.model import ScanError

SCHEMA = json.loads(files("legacy_ref_scan").joinpath("data/checks.schema.json").read_text("utf-8"))
PASS = Check(id="values:public.t.c", title="values", result=Result.PASS, target="public.t.c", figures=(("rows", 1204),))
FAIL = Check(id="bodies", title="bodies", result=Result.FAIL, reason="1 use", findings=("f() reads it", "x\x1b[2J"))
OPEN = Check(id="drift", title="drift", result=Result.NOT_POSSIBLE, reason="no rights")
ASIDE = Check(id="backup", title="backup", result=Result.NOT_POSSIBLE, reason="unknown", required=False)


def protocol(*checks: Check, command: str = "verify") -> Protocol:
    return Protocol(command, "host:5432/db (PostgreSQL 15.1)", ("public.t.c",), "2026-11-22T00:00:00+00:00", checks)


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ((PASS,), 0),
        ((PASS, ASIDE), 0),
        ((PASS, OPEN), 3),
        ((PASS, OPEN, FAIL), 4),
        ((), 3),
    ],
)
def test_the_exit_code(checks: tuple[Check, ...], code: int) -> None:
    assert protocol(*checks).exit_code == code


@pytest.mark.parametrize("command", ["verify", "rehearse"])
def test_the_json_has_the_shape_of_its_schema(command: str) -> None:
    shape = json.loads(render(protocol(PASS, FAIL, OPEN, ASIDE, command=command), "json"))
    jsonschema.Draft202012Validator(SCHEMA).validate(shape)
    assert shape == document(protocol(PASS, FAIL, OPEN, ASIDE, command=command))
    assert shape["checks"][0]["figures"] == {"rows": 1204}


def test_a_protocol_is_read_back() -> None:
    written = protocol(PASS, FAIL, OPEN, ASIDE)
    assert parse(render(written, "json")) == written


@pytest.mark.parametrize("data", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "checks": [{"id": 1}]}', "\xff"])
def test_what_is_no_protocol_is_refused(data: str) -> None:
    with pytest.raises(ScanError, match="protocol"):
        parse(data)


def test_the_text_is_a_line_a_check_and_safe_to_print() -> None:
    assert text(protocol(PASS, FAIL, ASIDE)).splitlines() == [
        "verify: public.t.c on host:5432/db (PostgreSQL 15.1)",
        "",
        "  ok  values: pass",
        "      rows 1,204",
        "FAIL  bodies: 1 use",
        "      - f() reads it",
        "      - x\\x1b[2J",
        "   ?  backup: unknown",
        "",
        "verify: 1 pass, 1 fail, 1 not possible",
    ]


def test_work_is_timed() -> None:
    (found,) = timed(lambda: [PASS])
    assert found.seconds >= 0
    assert found.result is Result.PASS
