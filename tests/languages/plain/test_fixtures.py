"""The fixtures of other kinds of files, compared strictly both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.expectations import fixtures
from tests.test_fixtures import check


@pytest.mark.parametrize("fixture", fixtures("others"), ids=lambda path: path.name)
def test_other_files(fixture: Path) -> None:
    check(fixture)
