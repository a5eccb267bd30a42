"""Fixtures for the tests of the migration pair."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.generate.support import (
    seed,
)


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    return seed(tmp_path / "migrations", 66, 67)
