"""The generated repository of the benchmark is the same every time and of a realistic size; measuring measures."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import measure
from benchmarks.corpus import COLUMN, TABLE, generate
from legacy_ref_scan.mentions import names_of
from legacy_ref_scan.migrations import detect
from legacy_ref_scan.model import Target
from legacy_ref_scan.workspace import Workspace


def content(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_the_repository_is_deterministic_and_realistic(tmp_path: Path) -> None:
    generate(tmp_path / "a", 200, 120)
    generate(tmp_path / "b", 200, 120)
    files = content(tmp_path / "a")
    assert files == content(tmp_path / "b")
    lengths = [text.count(b"\n") for name, text in files.items() if name.endswith(".go")]
    assert len(lengths) == 200
    assert min(lengths) >= 150
    assert max(lengths) <= 400
    workspace = Workspace(tmp_path / "a")
    history = detect(workspace)
    assert (history.directory, len(history.migrations), history.problems) == ("database/migrations", 120, ())
    names = names_of([Target("public", TABLE, COLUMN)], [])
    sources = map(workspace.read, workspace.paths)
    assert {"go", "sql"} == {source.language for source in sources if source and names.matter(source.data)}


def test_measuring() -> None:
    run = measure([sys.executable, "-c", "import time; time.sleep(0.2); raise SystemExit(3)"])
    assert run.code == 3
    assert 0.2 <= run.seconds < 30
    assert run.peak > 1_000_000
    with pytest.raises(SystemExit, match="failed with 2"):
        measure([sys.executable, "-c", "raise SystemExit(2)"])
