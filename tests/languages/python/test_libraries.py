"""Fixture repositories of Python programs, one for each library, compared with what their files expect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.expectations import fixtures
from tests.test_fixtures import check


@pytest.mark.parametrize("fixture", fixtures("python"), ids=lambda path: path.name)
def test_library(fixture: Path) -> None:
    check(fixture)
