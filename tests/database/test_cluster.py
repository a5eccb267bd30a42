"""The embedded server goes with the process that started it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import time
from psycopg.conninfo import conninfo_to_dict
from legacy_ref_scan.database.cluster import embedded

with embedded() as server:
    print(conninfo_to_dict(server.dsn)["host"], flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM there")
def test_a_terminated_process_takes_its_server_along() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        directory = Path(process.stdout.readline().strip())
        assert directory.is_dir()
        process.terminate()
        assert process.wait(30) == 143
    assert not directory.exists()
