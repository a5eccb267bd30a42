"""Versions: their order, and how they are printed."""

from __future__ import annotations

import pytest

from legacy_ref_scan.versions import UNVERSIONED, Version


def test_order_is_part_by_part() -> None:
    texts = ["2", "1.10", "1.9", "1_9_1", "1", "10", "20240102030405"]
    assert [str(version) for version in sorted(map(Version.of, texts))] == [
        "1",
        "1.9",
        "1.9.1",
        "1.10",
        "2",
        "10",
        "20240102030405",
    ]


def test_zeros_do_not_tell_versions_apart_and_stay_in_print() -> None:
    assert Version.of("1.0") == Version.of(1) == Version.of("01")
    assert [str(Version.of(text)) for text in ("1.0", "01", "0")] == ["1.0", "01", "0"]
    assert Version.of("1.0.1") != Version.of("1.1")


def test_no_version_is_false_and_comes_first() -> None:
    assert not UNVERSIONED
    assert Version.of(0)
    assert Version.of(0) > UNVERSIONED
    assert str(UNVERSIONED) == ""


def test_numbers() -> None:
    assert (int(Version.of(68)), int(UNVERSIONED)) == (68, 0)
    with pytest.raises(ValueError, match=r"1\.2 is not one number"):
        int(Version.of("1.2"))


@pytest.mark.parametrize("text", ["", "a", "1.", "1..2", "-1", "1 2"])
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="is no version"):
        Version.of(text)
