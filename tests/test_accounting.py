"""Every mention gets the explanation that weighs most; none is lost."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from legacy_ref_scan.accounting import account
from legacy_ref_scan.mentions import names_of
from legacy_ref_scan.model import Claim, Explanation, SourceFile, Span, Target

NAMES = names_of([Target("public", "phases", "error_message")], ())
TEXT = b"error_message of phases, error_message; phases.error_message = other_error_message"
SOURCE = SourceFile("a.sql", TEXT, "sql")
COUNT = len(NAMES.find(SOURCE))


def test_mentions_without_a_claim_become_gaps() -> None:
    accounted, gaps = account([SOURCE], NAMES, [])
    assert len(accounted) == len(gaps) == COUNT == 5
    assert {gap.reason for gap in gaps} == {"unexplained"}


def test_the_weightier_claim_wins_in_any_order() -> None:
    light = Claim(Span("a.sql", 0, len(TEXT)), Explanation.COMMENT)
    heavy = Claim(Span("a.sql", 0, 5), Explanation.REFERENCE)
    for claims in ([light, heavy], [heavy, light]):
        accounted, gaps = account([SOURCE], NAMES, claims)
        assert gaps == ()
        assert [claim.why for _, claim in accounted] == [Explanation.REFERENCE] + [Explanation.COMMENT] * (COUNT - 1)


CLAIMS = st.builds(
    lambda at, size, why: Claim(Span("a.sql", at, at + size), why),
    st.integers(0, len(TEXT)),
    st.integers(0, 30),
    st.sampled_from([why for why in Explanation if why is not Explanation.GAP]),
)


@settings(deadline=None, derandomize=True)
@given(st.lists(CLAIMS, max_size=12))
def test_mentions_in_are_mentions_explained_and_gaps(claims: list[Claim]) -> None:
    accounted, gaps = account([SOURCE], NAMES, claims)
    assert [mention for mention, _ in accounted] == list(NAMES.find(SOURCE))
    for mention, claim in accounted:
        over = [c for c in claims if c.span.start < mention.span.end and c.span.end > mention.span.start]
        best = min(over, key=lambda c: list(Explanation).index(c.why), default=None)
        assert claim.why is (best.why if best else Explanation.GAP)
    assert len(gaps) == sum(claim.why is Explanation.GAP for _, claim in accounted)
