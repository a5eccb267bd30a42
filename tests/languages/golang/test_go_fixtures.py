"""Small Go repositories, each for one way in which a query comes together far from where its names stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from legacy_ref_scan.model import Explanation
from tests.expectations import fixtures
from tests.test_fixtures import check, scan_fixture


@pytest.mark.parametrize("fixture", fixtures("golang"), ids=lambda path: path.name)
def test_go(fixture: Path) -> None:
    check(fixture)


def test_the_query_of_a_struct_tells_whose_column_its_tag_names() -> None:
    report = scan_fixture(next(path for path in fixtures("golang") if path.name == "15_rows_of_other_tables"))
    said = {residue.symbol: residue.message for residue in report.residue}
    assert set(said) == {"Failed", "Either", "Open", "Unused", "PhaseView", "Change"}
    assert "gives the value of :error_message in a statement over campaign_phases" in said["Change"]
    assert "results of campaign_phases, jobs" in said["Either"]
    assert "a column of campaign_phases, jobs" in said["Open"]
    elsewhere = [claim.detail for _, claim in report.mentions if claim.why is Explanation.OTHER_TABLE]
    assert {"JobRow takes error_message from results of jobs"} <= set(elsewhere)
