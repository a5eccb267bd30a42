"""Collects the texts that an interpretation hands out, and knows which mentions they cover."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from legacy_ref_scan.languages import Project
from legacy_ref_scan.languages.python.text import Blank, Part, Run, Text, to_fragment
from legacy_ref_scan.model import Claim, Consumer, Explanation, Fragment, Gap, Mention, Span

_TAKEN_OUT = re.compile(rb"""(?:\bpop\(\s*|\bdel\s[^\n]*\[\s*)["'](\w+)["']""")
_RANK = (Consumer.SQL, Consumer.BUILDER, Consumer.UNKNOWN, Consumer.TEXT)


@dataclass(frozen=True, slots=True)
class Found:
    """A text with the expression that holds it, and who receives it."""

    text: Text
    site: Span
    symbol: str
    consumer: Consumer
    note: str
    kind: str = "python-sql"


class Findings:
    """Texts with a mention, each kept once; `loose` ones are handed out only where nothing else covers them."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._kept: dict[tuple[Part, ...], Found] = {}
        self._loose: dict[tuple[Part, ...], Found] = {}
        self._gaps: dict[Span, Gap] = {}
        self._claims: dict[Span, Claim] = {}
        self._mentions: dict[str, tuple[Mention, ...]] = {}
        self._covered: dict[str, set[Span]] = {}
        self._holding: dict[bytes, bool] = {}
        self._beside: dict[Span, frozenset[str]] = {}

    def mentions(self, path: str) -> tuple[Mention, ...]:
        """The mentions of a file, in order."""
        if path not in self._mentions:
            source = self._project.read(path)
            self._mentions[path] = self._project.names.find(source) if source is not None else ()
        return self._mentions[path]

    def holds(self, text: Text) -> bool:
        """Whether a text holds a mention."""
        known = self._holding.get(text.flat)
        if known is None:
            known = self._holding[text.flat] = self._project.names.in_text(text.flat)
        return known

    def told(self, text: Text) -> frozenset[Span]:
        """The places of the mentions that a text holds."""
        return frozenset(mention.span for mention in self._within(text)) if self.holds(text) else frozenset()

    def emit(self, found: Found) -> None:
        """Keeps a text if it holds a mention; the surest consumer of the same text wins."""
        if not self.holds(found.text):
            return
        # What stands nowhere in a file, such as `SELECT *` over a reflected table, is another use at each place.
        key = found.text.parts if found.text.origins else (*found.text.parts, Run(b"", found.site))
        old = self._kept.get(key)
        if old is None or _RANK.index(found.consumer) < _RANK.index(old.consumer):
            self._kept[key] = found
        for mention in self._within(found.text):
            self.cover(mention.span)

    def shown(self, found: Found, call: Span) -> None:
        """Keeps what stands literally in a call that only shows it; values that come from elsewhere are left out."""
        parts = tuple(_literal_in(part, call) for part in found.text.parts)
        self.emit(Found(Text(parts), found.site, found.symbol, Consumer.TEXT, found.note))

    def loose(self, found: Found) -> None:
        """Remembers a text that nobody is known to receive."""
        if found.text.parts not in self._loose and self.holds(found.text):
            self._loose[found.text.parts] = found

    def settle(self) -> None:
        """Hands out the loose texts, the longest first, that hold a mention which nothing else covers."""
        for found in sorted(self._loose.values(), key=lambda one: -len(one.text.flat)):
            if any(not self.is_covered(mention.span) for mention in self._within(found.text)):
                self.emit(found)
        self._loose.clear()

    def gap(self, gap: Gap) -> None:
        """Keeps a gap, one a place."""
        self._gaps.setdefault(gap.span, gap)

    def claim(self, span: Span, why: Explanation, detail: str) -> None:
        """Keeps an explanation for the mentions at a place, which nothing else has to cover then."""
        self._claims.setdefault(span, Claim(span, why, detail))
        for mention in self.mentions(span.path):
            if span.start <= mention.span.start and mention.span.end <= span.end:
                self.cover(mention.span)

    def elsewhere(self, text: Text, database: str) -> None:
        """Explains the mentions of a statement that another database runs."""
        for mention in self._within(text) if self.holds(text) else ():
            self.claim(mention.span, Explanation.OTHER_TABLE, f"a statement for {database}")

    def dict_keys(self, where: Span, keys: Sequence[Text]) -> None:
        """Remembers for each literal key of the dict that stands at a place which others it has."""
        names = frozenset(key.flat.decode("utf-8", "replace") for key in keys)
        for key in keys:
            origin = next(iter(key.origins), None) if len(key.origins) == 1 and self.holds(key) else None
            if origin is not None and where.path == origin.path and where.start <= origin.start < where.end:
                self._beside[origin] = names

    def forget_keys(self, known: frozenset[str] | None) -> None:
        """Leaves out of the other keys those that are known to be fields, and those that the file takes out again;
        all of them where it is not known what the fields are."""
        if known is None:
            self._beside.clear()
            return
        for origin, names in self._beside.items():
            source = self._project.read(origin.path)
            taken = {name.decode("utf-8", "replace") for name in _TAKEN_OUT.findall(source.data)} if source else names
            self._beside[origin] = names - known - taken

    def cover(self, span: Span) -> None:
        """Counts the mention at exactly that place as covered."""
        self._covered.setdefault(span.path, set()).add(span)

    def is_covered(self, span: Span) -> bool:
        """Whether a mention is covered by what was handed out."""
        return span in self._covered.get(span.path, ())

    def fragments(self) -> list[Fragment]:
        """What was kept, in the order of the files."""
        return sorted(map(self._fragment, self._kept.values()), key=lambda fragment: (fragment.site, fragment.text))

    def gaps(self) -> list[Gap]:
        """The gaps, in the order of the files."""
        return [gap for _, gap in sorted(self._gaps.items())]

    def claims(self) -> list[Claim]:
        """The explanations, in the order of the files."""
        return [claim for _, claim in sorted(self._claims.items())]

    def _fragment(self, found: Found) -> Fragment:
        source = self._project.read(found.site.path)
        test = source is not None and source.test
        fragment = to_fragment(found.text, found.site, found.symbol, found.consumer, test, found.note, found.kind)
        origin = next(iter(found.text.origins)) if len(found.text.parts) == len(found.text.origins) == 1 else None
        beside = self._beside.get(origin) if origin is not None and found.note.startswith("dict key") else None
        return replace(fragment, beside=tuple(sorted(beside))) if beside else fragment

    def _within(self, text: Text) -> list[Mention]:
        """The mentions in files that a text's bytes come from."""
        inside: list[Mention] = []
        for origin in text.origins:
            mentions = self.mentions(origin.path)
            first = bisect_left(mentions, origin.start, key=lambda mention: mention.span.end - 1)
            for mention in mentions[first:]:
                if mention.span.start >= origin.end:
                    break
                inside.append(mention)
        return inside


def _literal_in(part: Part, call: Span) -> Part:
    if isinstance(part, Blank) or part.origin is None:
        return part
    origin = part.origin
    inside = origin.path == call.path and call.start <= origin.start and origin.end <= call.end
    return Run(part.text, origin) if inside else Blank("a value shown", origin)
