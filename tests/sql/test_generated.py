"""Generated statements over generated schemas: what we report is what PostgreSQL says a drop would do.

`LEGACY_REF_SCAN_STATEMENTS=20000` runs that many more, from other seeds, and prints the counts.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sql.generated import STYLES, in_style, make_statement
from tests.sql.generated_schema import make_schema
from tests.sql.law import GAP, REFUSED, RIGHT, Law

LONG = "LEGACY_REF_SCAN_STATEMENTS"
SCHEMAS = 4
SEEDS = st.integers(0, 2**32 - 1)  # a statement takes thousands of choices: too many to draw each
PER_SCHEMA = 300


@pytest.fixture(scope="module")
def laws() -> Iterator[list[Law]]:
    made = [Law(make_schema(Random(seed))) for seed in range(SCHEMAS)]
    yield made
    for law in made:
        law.judge.close()


def one_verdict(random: Random, law: Law) -> tuple[str, str]:
    """A statement in some style, and what the law says of it."""
    statement = make_statement(random, law.generated)
    style = random.choice(STYLES)
    written = in_style(statement, style)
    # without FROM a text of a host language is no statement by its shape alone; `%s` is Go's format verb
    host = "python-sql" if style == "%s" else "go-sql"
    kind = random.choice(("sql-file", host)) if " FROM " in written else "sql-file"
    return written, law.verdict(in_style(statement, "$1"), written, kind)


def test_the_law(laws: list[Law]) -> None:
    counts: Counter[str] = Counter()

    @settings(max_examples=500, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(number=st.integers(0, SCHEMAS - 1), seed=SEEDS)
    def examine(number: int, seed: int) -> None:
        written, verdict = one_verdict(Random(seed), laws[number])
        counts[verdict] += 1
        assert verdict in (RIGHT, REFUSED, GAP), written

    examine()
    assert counts[RIGHT] > 200
    assert counts[GAP] <= counts[RIGHT] / 100


@pytest.mark.skipif(LONG not in os.environ, reason=f"{LONG} says how many statements")
def test_the_law_at_length() -> None:
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    seed = 1_000_000
    while counts.total() < int(os.environ[LONG]):
        random = Random(seed)
        law = Law(make_schema(random))
        for _ in range(PER_SCHEMA):
            written, verdict = one_verdict(random, law)
            counts[verdict] += 1
            if verdict not in (RIGHT, REFUSED):
                wrong.append(f"{verdict} (seed {seed}): {written}")
        law.judge.close()
        seed += 1
    accepted = counts.total() - counts[REFUSED]
    print("\n".join([*wrong, str(dict(counts)), f"{counts[GAP] / accepted:.2%} gaps of {accepted} accepted"]))
    assert [line for line in wrong if not line.startswith(GAP)] == []
    assert counts[GAP] < accepted / 100
