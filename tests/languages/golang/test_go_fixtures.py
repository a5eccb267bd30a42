"""Small Go repositories, each for one way in which a query comes together far from where its names stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.expectations import fixtures
from tests.test_fixtures import check


@pytest.mark.parametrize("fixture", fixtures("golang"), ids=lambda path: path.name)
def test_go(fixture: Path) -> None:
    check(fixture)
