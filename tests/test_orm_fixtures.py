"""Every fixture repository of an ORM or query builder is scanned and compared with what its files expect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.expectations import fixtures
from tests.test_fixtures import check


@pytest.mark.parametrize("fixture", fixtures("orm"), ids=lambda path: path.name)
def test_orm(fixture: Path) -> None:
    check(fixture)
