"""Generated functions over generated schemas: what we report of a body is what PostgreSQL says a drop would do to it.

With plpgsql_check on the server every statement of a body is judged; without it functions are called, all of whose
statements run. `LEGACY_REF_SCAN_FUNCTIONS=5000` runs that many more, from other seeds, and prints the counts.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random

import pytest

from tests.sql.generated_bodies import make_function
from tests.sql.generated_schema import make_schema
from tests.sql.law import GAP, REFUSED, RIGHT, Law

LONG = "LEGACY_REF_SCAN_FUNCTIONS"
PER_SCHEMA = 100


def verdicts(seed: int, number: int) -> tuple[Counter[str], list[str]]:
    """How functions over one schema are judged, and those that are judged wrong."""
    random = Random(seed)
    law = Law(make_schema(random))
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for _ in range(number):
        made = make_function(random, law.generated, straight=not law.can_check)
        verdict = law.verdict_of_function(made)
        counts[verdict] += 1
        if verdict not in (RIGHT, REFUSED):
            wrong.append(f"{verdict} (schema {seed}): {made.sql}")
    law.judge.close()
    return counts, wrong


def test_the_law_of_bodies() -> None:
    counts, wrong = verdicts(7, 150)
    assert [line for line in wrong if not line.startswith(GAP)] == []
    assert counts[RIGHT] > 20
    assert counts[GAP] <= 1 + counts[RIGHT] / 50


@pytest.mark.skipif(LONG not in os.environ, reason=f"{LONG} says how many functions")
def test_the_law_of_bodies_at_length() -> None:
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    seed = 2_000_000
    while counts.total() < int(os.environ[LONG]):
        found, lines = verdicts(seed, PER_SCHEMA)
        counts.update(found)
        wrong += lines
        seed += 1
    accepted = counts.total() - counts[REFUSED]
    print("\n".join([*wrong, str(dict(counts)), f"{counts[GAP] / accepted:.2%} gaps of {accepted} accepted"]))
    assert [line for line in wrong if not line.startswith(GAP)] == []
    assert counts[GAP] < accepted / 100
