"""However a query is put together, it comes back whole, and every byte knows where it came from."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from legacy_ref_scan import scan as pipeline
from legacy_ref_scan.model import HOLE, Consumer, Verdict
from legacy_ref_scan.rules import adhoc_rule
from tests.languages.golang.harness import fragments, scan, texts
from tests.languages.golang.programs import Files, branching, programs, scattered

QUERY = "SELECT p.id, p.error_message FROM campaign_phases p WHERE p.note = 'é%' AND p.error_message IS NOT NULL"
OTHER = "UPDATE campaign_phases SET error_message = 'none' WHERE id = $1"
SCHEMA = """
CREATE TABLE campaign_phases (id bigint PRIMARY KEY, note text, error_message text);
CREATE TABLE campaign_jobs (id bigint PRIMARY KEY, note text, error_message text);
"""


def mentioned(files: Files) -> bool:
    """Whether a name stands whole in some file: else no file is a candidate."""
    every = [text if isinstance(text, str) else text.decode() for text in files.values()]
    return any(name in text for text in every for name in ("error_message", "campaign_phases"))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(programs(QUERY))
def test_a_query_comes_back_whole(files: Files) -> None:
    comes_back_whole(files)


def comes_back_whole(files: Files) -> None:
    found = scan(files)
    if not mentioned(files):
        return
    assert QUERY in texts(found)
    whole = next(fragment for fragment in fragments(found) if fragment.text.decode() == QUERY)
    assert not whole.holes
    assert sum(piece.end - piece.start for piece in whole.pieces) == len(whole.text)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(branching((QUERY, OTHER)))
def test_the_queries_of_branches_come_back_and_no_other(files: Files) -> None:
    branches_come_back(files)


def branches_come_back(files: Files) -> None:
    found = [f for f in fragments(scan(files)) if f.consumer is Consumer.SQL]
    if mentioned(files):
        assert {f.text.decode() for f in found if HOLE not in f.text} == {QUERY, OTHER}
        assert not any(f.holes or f.partial for f in found)


def verdict(files: Files) -> Verdict:
    """What a scan says of a program."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in {**files, "migrations/000001_init.up.sql": SCHEMA}.items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text if isinstance(text, bytes) else text.encode())
        rule = adhoc_rule(["campaign_phases.error_message"])
        return pipeline.scan(pipeline.Request(root=Path(folder), rules=(rule,))).report.verdict


@settings(max_examples=60, deadline=None, derandomize=True)
@given(scattered(QUERY))
def test_a_use_is_never_clean(files: Files) -> None:
    assert verdict(files) is not Verdict.CLEAN


@settings(max_examples=60, deadline=None, derandomize=True)
@given(scattered(QUERY.replace("campaign_phases", "campaign_jobs")))
def test_a_use_of_another_table_is_no_use(files: Files) -> None:
    assert verdict(files) is not Verdict.REFERENCED


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_no_mention_is_lost_in_cut_or_shuffled_source(data: st.DataObject) -> None:
    files = data.draw(programs(QUERY))
    source = files["store/a.go"]
    assert isinstance(source, str)
    start = data.draw(st.integers(0, len(source)))
    end = data.draw(st.integers(start, len(source)))
    scan({**files, "store/a.go": source[:start] + source[end:]})
