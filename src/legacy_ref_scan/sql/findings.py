"""What a text is resolved against, and how findings in it are made: claims, gaps, references, texts within it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from legacy_ref_scan.mentions import Names
from legacy_ref_scan.model import HOLE, Access, Claim, Consumer, Explanation, Fragment, Gap, Piece, Reference, Span
from legacy_ref_scan.schema import Catalog
from legacy_ref_scan.sql import bodies
from legacy_ref_scan.sql.paths import under_path
from legacy_ref_scan.sql.trace import Trace
from legacy_ref_scan.sql.tree import Node
from legacy_ref_scan.sql.watch import Watch, Watched
from legacy_ref_scan.sql.wording import help_of, message_of

# Reasons of gaps that are asked for elsewhere.
UNREADABLE = "unreadable-sql"
IN_LITERAL = "statement-in-literal"
AS_VALUES = "names-as-values"

_PLAIN = re.compile(rb"[\w\x80-\xff]+")  # a name without the codes of its letters
_LIMIT = re.compile(rb"\b(?:limit|offset)\s+" + re.escape(HOLE) + rb"(?=\s|\)|;|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Schema:
    """What a fragment is resolved against.

    `near` says whether a file's folder speaks of the table, `concerns` whether a statement at a place in the
    migrations does. `star_gates` and `shared_gates` are the rule's `star` and `shared`. `trace` keeps what is found on
    the way, where somebody asked for it.
    """

    catalog: Catalog
    watch: Watch
    names: Names
    near: Callable[[str], bool] = lambda _: True
    concerns: Callable[[Span], bool] = lambda _: True
    star_gates: bool = True
    shared_gates: bool = False
    replacement: str = ""
    trace: Trace | None = None

    def under(self, path: tuple[str, ...]) -> Schema:
        """The same with a search path in front of what it has."""
        return replace(self, catalog=under_path(self.catalog, path)) if path else self


class Findings:
    """Makes what is found in a fragment; the base of the analyzer."""

    def __init__(self, fragment: Fragment, schema: Schema, depth: int = 0) -> None:
        self.fragment, self.schema, self.depth = fragment, schema, depth
        self.text = fragment.text

    def mentions(self, raw: bytes, role: str | None = None) -> bool:
        return self.schema.names.in_text(raw, role)

    def about_table(self, raw: bytes) -> bool:
        """Whether a statement may name the table or a dependent: by a hole, or as the database spells it.

        A model's spelling (a plural, CamelCase) is another relation there. How many rows are wanted is no relation.
        """
        if HOLE in _LIMIT.sub(b"", raw):
            return True
        places = (place for place in self.schema.names.places(raw) if place[3] != "column")
        return any(
            (written := raw[start:end]).lower() == name.lower().encode() or not _PLAIN.fullmatch(written)
            for start, end, name, _ in places
        )

    def claim(self, start: int, end: int, why: Explanation, detail: str = "") -> Claim:
        return Claim(self.fragment.origin(start, end), why, detail)

    def gap(self, start: int, end: int, reason: str, message: str) -> Gap:
        span = self.fragment.origin(start, end)
        return Gap(span, reason, message, self.fragment.symbol, self.fragment.test)

    def reference(self, watched: Watched, access: Access, start: int, end: int) -> Reference:
        gating = access is not Access.DEFINE and (access is not Access.STAR or self.schema.star_gates)
        return Reference(
            target=watched.target,
            access=access,
            gating=gating,
            span=self.fragment.origin(start, end),
            kind=self.fragment.kind,
            symbol=self.fragment.symbol,
            message=message_of(watched, access),
            help=help_of(access, watched.target, self.schema.replacement),
            test=self.fragment.test,
        )

    def hole(self, offset: int) -> Gap:
        reason = next((h for h in self.fragment.holes if h.offset == offset), None)
        what = reason.reason if reason else "a value"
        message = f"a part of this statement over the table is not known: {what}"
        if reason is not None:
            return Gap(reason.origin, "dynamic-column", message, self.fragment.symbol, self.fragment.test)
        return self.gap(offset, offset + 1, "dynamic-column", message)

    # Texts within the text

    def literal_body(self, literal: Node) -> Fragment:
        """A fragment of what stands between the quotes of a literal."""
        place = (literal.start, literal.end)
        pieces = bodies.literal_pieces(self.text, *place)
        return self.derived(pieces, place)

    def derived(self, pieces: list[tuple[bytes, int, int]], place: tuple[int, int]) -> Fragment:
        """A fragment made of parts of this one."""
        made: list[Piece] = []
        size = 0
        for value, start, end in pieces:
            exact = len(value) == end - start
            for piece_start, piece_end, origin in self.origins(start, end) if exact else [(start, end, None)]:
                span = origin or self.fragment.origin(piece_start, piece_end)
                length = piece_end - piece_start if exact else len(value)
                made.append(Piece(size, size + length, span))
                size += length
        return Fragment(
            b"".join(value for value, _, _ in pieces),
            tuple(made),
            self.fragment.origin(*place),
            symbol=self.fragment.symbol,
            consumer=Consumer.SQL,
            test=self.fragment.test,
            kind=self.fragment.kind,
        )

    def origins(self, start: int, end: int) -> Iterator[tuple[int, int, Span | None]]:
        """The pieces of this fragment that make up a range of it."""
        at = start
        for piece in self.fragment.pieces:
            if piece.end <= at or piece.start >= end:
                continue
            if piece.start > at:
                yield at, piece.start, self.fragment.site
            first, last = max(at, piece.start), min(end, piece.end)
            yield first, last, self.fragment.origin(first, last)
            at = last
        if at < end:
            yield at, end, self.fragment.site
