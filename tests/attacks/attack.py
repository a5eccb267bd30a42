"""Small repositories that try to get a wrong clean: what a scan says of them, and PostgreSQL after the drop."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from legacy_ref_scan.model import Report
from legacy_ref_scan.rules import adhoc_rule
from legacy_ref_scan.scan import Request, scan
from tests.postgres import rolled_back, shared_server

BASE = """
CREATE TABLE campaign_phases (id int PRIMARY KEY, name text, error_message text);
CREATE TABLE phase_executions (id int PRIMARY KEY, phase_id int, error_message text);
"""
ROWS = """
INSERT INTO campaign_phases VALUES (1, 'a', 'boom'), (2, 'b', NULL);
INSERT INTO phase_executions VALUES (1, 1, 'x');
"""
COLUMN = "campaign_phases.error_message"


@dataclass(frozen=True)
class Attack:
    """`migrations` follow BASE, `files` are the code. `calls` are run before and after the drop by PostgreSQL."""

    name: str
    migrations: tuple[str, ...] = ()
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    calls: tuple[str, ...] = ()
    verdict: str = "referenced"

    def __str__(self) -> str:
        return self.name


def report_on(attack: Attack, *, base: str = BASE, column: str = COLUMN) -> Report:
    """What a scan of the repository says."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        files: dict[str, str | bytes] = {"main.go": "package main\n\nfunc main() {}\n", **attack.files}
        for number, text in enumerate((base, *attack.migrations), 1):
            files[f"migrations/{number:06d}_step.up.sql"] = text
            files[f"migrations/{number:06d}_step.down.sql"] = "SELECT 1;\n"
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content.encode() if isinstance(content, str) else content)
        return scan(Request(root=root, rules=(adhoc_rule([column]),))).report


@functools.cache
def _connection() -> psycopg.Connection[tuple[Any, ...]]:
    server = shared_server()
    return server.connect(server.create())


def breaks(attack: Attack, *, base: str = BASE, column: str = COLUMN) -> bool:
    """Whether PostgreSQL refuses the drop, or a call fails or answers otherwise after it. Each must work before it."""
    connection = _connection()
    with rolled_back(connection):
        for text in (base, ROWS, *attack.migrations):
            connection.execute(text.encode())
        before = [_answer(call) for call in attack.calls]
        assert not [answer for answer in before if isinstance(answer, psycopg.Error)], before
        table, _, name = column.rpartition(".")
        connection.execute("SAVEPOINT drop_it")
        try:
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {name}".encode())
        except psycopg.Error:
            return True
        return before != [_answer(call) for call in attack.calls]


def _answer(call: str) -> list[str] | psycopg.Error:
    connection = _connection()
    connection.execute("SAVEPOINT one_call")
    try:
        cursor = connection.execute(call.encode())
        return sorted(map(str, cursor.fetchall())) if cursor.description else []
    except psycopg.Error as error:
        return error
    finally:
        connection.execute("ROLLBACK TO one_call")
