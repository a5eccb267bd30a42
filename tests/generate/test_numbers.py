"""Whether a version may be used in a directory."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from legacy_ref_scan.generate import planned_version, write_pair
from legacy_ref_scan.generate.numbers import numbered, pair_names, problems
from legacy_ref_scan.versions import Version
from tests.generate.support import (
    ERROR_MESSAGE,
    PLAN,
    UP,
    catalog,
    names,
    pair_of,
    refusal,
    rule,
    seed,
)


class TestNumbers:
    def wrong(self, version: int, *files: str) -> str:
        return "\n".join(problems(version, "drop_x", numbered(files)))

    def test_the_next_number_is_fine(self) -> None:
        assert self.wrong(68, "000067_a.up.sql", "000067_a.down.sql", "README.md") == ""

    def test_numeric_not_lexical_order(self) -> None:
        assert self.wrong(11, "9_a.up.sql", "10_b.up.sql") == ""

    def test_taken(self) -> None:
        assert self.wrong(68, "000067_a.up.sql", "000068_b.up.sql", "000068_b.down.sql") == (
            "version 68 is taken by 000068_b.down.sql, 000068_b.up.sql"
        )

    def test_taken_by_the_same_name_with_other_digits(self) -> None:
        assert "is taken by 68_drop_x.up.sql" in self.wrong(68, "000067_a.up.sql", "68_drop_x.up.sql")

    def test_a_gap(self) -> None:
        assert "so 67 would be next" in self.wrong(68, "000066_a.up.sql")
        assert "no version comes before it" in self.wrong(68)

    def test_later_migrations_are_there(self) -> None:
        assert "golang-migrate skips 68" in self.wrong(68, "000067_a.up.sql", "000069_b.up.sql")

    def test_a_name_twice(self) -> None:
        assert "the name drop_x is taken by 000067_drop_x.up.sql" in self.wrong(68, "000067_drop_x.up.sql")

    def test_a_directory_that_does_not_run(self) -> None:
        assert "version 3 has 2 up files" in self.wrong(4, "3_a.up.sql", "3_b.up.sql")

    def test_a_width_that_overflows(self) -> None:
        assert "more than the 2 digits" in self.wrong(100, "01_a.up.sql", "99_a.up.sql")
        assert self.wrong(100, "9_a.up.sql", "99_a.up.sql") == ""

    def test_dates_leave_gaps(self) -> None:
        assert self.wrong(20240601120000, "20240101120000_a.up.sql") == ""

    def test_a_written_pair_may_have_successors(self) -> None:
        files = ("000067_a.up.sql", "000068_drop_x.up.sql", "000068_drop_x.down.sql", "000069_b.up.sql")
        assert self.wrong(68, *files) == ""

    def test_padding_follows_the_directory(self) -> None:
        assert pair_names(68, "x", numbered(["0067_a.up.sql"])) == ("0068_x.up.sql", "0068_x.down.sql")
        assert pair_names(68, "x", []) == ("000068_x.up.sql", "000068_x.down.sql")

    def test_a_rule_without_a_number_takes_the_next_and_keeps_it(self, migrations: Path) -> None:
        free = replace(PLAN, version=None)
        assert planned_version(free, os.listdir(migrations)) is None
        pair = pair_of(migrations, catalog(ERROR_MESSAGE), rule("error_message", plan=free))
        assert pair.up.name == UP
        write_pair(pair)
        assert planned_version(free, os.listdir(migrations)) == Version.of(68)
        assert write_pair(pair_of(migrations, catalog(ERROR_MESSAGE), rule("error_message", plan=free))) == []

    def test_a_refused_number_writes_nothing(self, tmp_path: Path) -> None:
        directory = seed(tmp_path / "migrations", 66)
        assert refusal(directory, catalog(ERROR_MESSAGE)).code == 2
        assert names(directory) == []
