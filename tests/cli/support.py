"""A small repository, and ways to run the program on it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from legacy_ref_scan.cli import main

Repository = Callable[..., Path]
RULE = """\
[retire]
table = "campaign_phases"
columns = ["error_message"]

[migration]
version = 3
name = "drop_errors"
directory = "migrations"
"""
INIT = "CREATE TABLE campaign_phases (id bigint PRIMARY KEY, error_message text, status text NOT NULL);\n"
UPDATED = 'package store\n\nconst q = "UPDATE campaign_phases SET status = $1"\n'
READ = """package store

import "database/sql"

func read(db *sql.DB) { db.Query("SELECT error_message FROM campaign_phases") }
"""
UNKNOWN = """package store

import "database/sql"

func read(db *sql.DB, column string) { db.Query("SELECT " + column + " FROM campaign_phases") }
"""
UP = "BEGIN;\nALTER TABLE campaign_phases DROP COLUMN IF EXISTS error_message;\nCOMMIT;\n"
DOWN = "BEGIN;\nALTER TABLE campaign_phases ADD COLUMN IF NOT EXISTS error_message TEXT;\nCOMMIT;\n"


def run(*arguments: str | Path, **about: Any) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, its output captured."""
    command = [sys.executable, "-m", "legacy_ref_scan", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, **about)


def gating(shape: dict[str, Any]) -> dict[str, Any]:
    """The only gating reference of a JSON report."""
    (found,) = (item for item in shape["references"] if item["gating"])
    assert isinstance(found, dict)
    return found


def complaint(capfd: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """What a run that must end with 2 says on standard error: one line, nothing on standard output."""
    assert main([str(argument) for argument in arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("legacy-ref-scan: ")
    assert err.count("\n") == 1
    return err
