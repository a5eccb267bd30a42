"""Accounts for every mention: each gets the explanation that weighs most, and what has none becomes a gap."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from legacy_ref_scan.mentions import Names
from legacy_ref_scan.model import Claim, Explanation, Found, Gap, Mention, Reference, Residue, SourceFile

_WEIGHT = {why: weight for weight, why in enumerate(Explanation)}
Accounted = tuple[Mention, Claim]


def as_claim(found: Found) -> Claim:
    """What a finding says about the mentions in its span."""
    match found:
        case Claim():
            return found
        case Reference():
            return Claim(found.span, Explanation.REFERENCE, str(found.access))
        case Gap():
            return Claim(found.span, Explanation.GAP, found.reason)
        case Residue():
            return Claim(found.span, Explanation.RESIDUE, found.kind)


def account(
    sources: Iterable[SourceFile], names: Names, found: Iterable[Found]
) -> tuple[tuple[Accounted, ...], tuple[Gap, ...]]:
    """Pair every mention in `sources` with its explanation; the second part are the gaps for those without one."""
    by_path: dict[str, list[Claim]] = {}
    for item in found:
        claim = as_claim(item)
        by_path.setdefault(claim.span.path, []).append(claim)
    accounted: list[Accounted] = []
    gaps: list[Gap] = []
    for source in sources:
        mentions = names.find(source)
        best = _best_claims(mentions, by_path.get(source.path, ()))
        for index, mention in enumerate(mentions):
            found_claim = best.get(index)
            if found_claim is None:
                gaps.append(_unexplained(mention, source))
                found_claim = as_claim(gaps[-1])
            accounted.append((mention, found_claim))
        if len(accounted) < len(mentions):
            raise AssertionError(f"{source.path}: mentions were lost")
    return tuple(accounted), tuple(gaps)


def _best_claims(mentions: Sequence[Mention], claims: Iterable[Claim]) -> Mapping[int, Claim]:
    """The weightiest claim on each mention, by the mention's index."""
    ends = [mention.span.end for mention in mentions]
    best: dict[int, Claim] = {}
    for claim in claims:
        index = bisect_left(ends, claim.span.start + 1)
        while index < len(mentions) and mentions[index].span.start < claim.span.end:
            known = best.get(index)
            if known is None or _WEIGHT[claim.why] < _WEIGHT[known.why]:
                best[index] = claim
            index += 1
    return best


def _unexplained(mention: Mention, source: SourceFile) -> Gap:
    text = source.data[mention.span.start : mention.span.end].decode("utf-8", "replace")
    message = f"{text} stands here, and what it is could not be decided"
    return Gap(mention.span, "unexplained", message, test=source.test)
