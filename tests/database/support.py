"""Small repositories and databases for the tests of rehearsal and live checks."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from legacy_ref_scan.cli import main
from legacy_ref_scan.database.checks import Check, Protocol

SCHEMA = json.loads(files("legacy_ref_scan").joinpath("data/checks.schema.json").read_text("utf-8"))
INIT = "CREATE TABLE campaign_phases (id bigint PRIMARY KEY, error_message text, status text NOT NULL);\n"
RULE = """\
[retire]
table = "campaign_phases"
columns = ["error_message"]

[migration]
version = 2
name = "drop_errors"
directory = "migrations"
"""
CLEAN = 'package store\n\nconst q = "UPDATE campaign_phases SET status = $1"\n'
READ = """package store

import "database/sql"

func read(db *sql.DB) { db.Query("SELECT error_message FROM campaign_phases WHERE id = $1", 1) }
"""


def repository(root: Path, **files: str | None) -> Path:
    """A repository of one table; `__` in a name stands for a slash, None leaves a file out."""
    wanted: dict[str, str | None] = {
        "store.go": CLEAN,
        "migrations/000001_init.up.sql": INIT,
        "migrations/000001_init.down.sql": "DROP TABLE campaign_phases;\n",
        "rules/drop.toml": RULE,
        **{name.replace("__", "/"): content for name, content in files.items()},
    }
    for name, content in wanted.items():
        if content is not None:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    return root


def check(protocol: Protocol, id_: str) -> Check:
    """The check of that id, the part behind its colon aside."""
    (found,) = (item for item in protocol.checks if item.id.partition(":")[0] == id_)
    return found


def figure(check: Check, name: str) -> int | float | str:
    """A figure of the check."""
    return dict(check.figures)[name]


def shape(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON protocol of a run."""
    code = main([*map(str, arguments), "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return code, document
