"""`INTO` of PL/pgSQL: its targets are cut out of the statement, which is plain SQL then."""

from __future__ import annotations

from legacy_ref_scan.sql.lexer import Kind, Token, name_of
from legacy_ref_scan.sql.names import Part


def into_ranges(text: bytes, solid: tuple[Token, ...]) -> list[tuple[int, int, list[list[Part]]]]:
    """`INTO [STRICT] a, r.b` of a statement: the range to blank out, and the targets."""
    depth = 0
    for index, token in enumerate(solid):
        raw = text[token.start : token.end].lower()
        depth += (raw in (b"(", b"[")) - (raw in (b")", b"]"))
        if raw == b"into" and depth == 0 and token.kind is Kind.WORD and index:
            before = text[solid[index - 1].start : solid[index - 1].end].lower()
            if before in (b"insert", b"merge"):
                continue
            return [_into_range(text, solid, index)]
    return []


def _into_range(text: bytes, solid: tuple[Token, ...], index: int) -> tuple[int, int, list[list[Part]]]:
    targets: list[list[Part]] = []
    at = index + 1
    if at < len(solid) and text[solid[at].start : solid[at].end].lower() == b"strict":
        at += 1
    end = solid[index].end
    while at < len(solid) and solid[at].kind in (Kind.WORD, Kind.QUOTED):
        names: list[Part] = []
        while at < len(solid) and solid[at].kind in (Kind.WORD, Kind.QUOTED):
            token = solid[at]
            names.append(Part(name_of(text[token.start : token.end]), token.start, token.end))
            end = token.end
            at += 1
            if _is(text, solid, at, b"."):
                at += 1
                continue
            break
        targets.append(names)
        if _is(text, solid, at, b"["):
            while at < len(solid) and not _is(text, solid, at, b"]"):
                at += 1
            end = solid[min(at, len(solid) - 1)].end
            at += 1
        if not _is(text, solid, at, b","):
            break
        at += 1
    return (solid[index].start, end, targets)


def _is(text: bytes, solid: tuple[Token, ...], at: int, raw: bytes) -> bool:
    return at < len(solid) and text[solid[at].start : solid[at].end] == raw
