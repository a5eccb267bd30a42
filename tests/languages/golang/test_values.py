"""Values: what is put together of many alternatives."""

from __future__ import annotations

from legacy_ref_scan.languages.golang.values import Entries, Known, Text, Value, union


def key(at: int) -> Value:
    return (Text((Known(b"status", ("store.go", at, at + 6)),)),)


def text(data: bytes) -> Value:
    return (Text((Known(data),)),)


def test_structs_of_one_type_become_one() -> None:
    structs: list[Value] = [(Entries(((key(0), text(b"%d" % n)),), "Filter"),) for n in range(10)]
    [merged] = union(structs)
    assert isinstance(merged, Entries)
    assert len(merged.pairs[0][1]) == 10


def test_keys_of_other_places_are_other_keys() -> None:
    structs: list[Value] = [(Entries(((key(n), text(b"%d" % n)),), "Filter"),) for n in range(10)]
    assert len(union(structs)) == 10
