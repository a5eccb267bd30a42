"""What `EXECUTE` runs, as far as literals, `||`, `format()` and `quote_ident()` tell; the rest are holes.

Each text keeps a map back to the literals it was made of, as a fragment does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from legacy_ref_scan.model import HOLE
from legacy_ref_scan.sql.lexer import Kind, Token, name_of, string_value, words

# (bytes, start, end): a value and the place in the body that it comes from; (HOLE, start, end) where it is not known
_Bit = tuple[bytes, int, int]
_MAX_DEPTH = 6
_MAX_ALTERNATIVES = 16
_FORMAT = re.compile(rb"%(?:(\d+)\$)?-?\d*([sIL%])")
_IDENTITY = frozenset({b"trim", b"btrim", b"lower", b"text"})
_QUOTES = {b"quote_ident": b'"', b"quote_literal": b"'", b"quote_nullable": b"'"}
_VERB_QUOTES = {b"I": b'"', b"L": b"'", b"s": b""}


@dataclass(frozen=True, slots=True)
class DynamicText:
    """A text that EXECUTE may run. `pieces` are (start in text, end in text, start in body, end in body).

    A piece whose two sides have one length matches byte for byte.
    """

    text: bytes
    pieces: tuple[tuple[int, int, int, int], ...]
    place: tuple[int, int]

    @property
    def known(self) -> bool:
        """Whether any of it is known."""
        return bool(self.text.strip(HOLE + b" "))


def assemble(
    text: bytes, start: int, end: int, assigned: Mapping[str, Sequence[tuple[int, int]]]
) -> tuple[DynamicText, ...]:
    """The texts that the expression `text[start:end]` can be; `assigned` are the assignments to variables."""
    values = _Assembler(text, assigned).value(words(text, start, end), 0)
    return tuple(_finish(bits, (start, end)) for bits in values)


def elements(text: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The places of the elements of `ARRAY[…]`; nothing for any other expression."""
    made = _Assembler(text, {})
    tokens = made.array(words(text, start, end))
    for element in made.split(tokens, b",") if tokens else ():
        if element:
            yield element[0].start, element[-1].end


def _bounded(choices: list[list[_Bit]], place: tuple[int, int]) -> list[list[_Bit]]:
    """Not more than can be looked at; what is left out is not known."""
    return choices if len(choices) <= _MAX_ALTERNATIVES else [*choices[: _MAX_ALTERNATIVES - 1], [(HOLE, *place)]]


def _finish(bits: Sequence[_Bit], place: tuple[int, int]) -> DynamicText:
    parts: list[bytes] = []
    pieces: list[tuple[int, int, int, int]] = []
    size = 0
    for value, start, end in bits:
        parts.append(value)
        if value != HOLE:
            pieces.append((size, size + len(value), start, end))
        size += len(value)
    return DynamicText(b"".join(parts), tuple(pieces), place)


class _Assembler:
    def __init__(self, text: bytes, assigned: Mapping[str, Sequence[tuple[int, int]]]) -> None:
        self.text, self.assigned = text, assigned
        self.bound: dict[str, list[list[_Bit]]] = {}

    def raw(self, token: Token) -> bytes:
        return self.text[token.start : token.end]

    def value(self, tokens: tuple[Token, ...], depth: int) -> list[list[_Bit]]:
        """Alternatives of a concatenation."""
        values: list[list[_Bit]] = [[]]
        for operand in self.split(tokens, b"||"):
            choices = self.operand(operand, depth)
            place = (tokens[0].start, tokens[-1].end) if tokens else (0, 0)
            values = _bounded([before + choice for before in values for choice in choices], place)
        return values

    def split(self, tokens: tuple[Token, ...], separator: bytes) -> list[tuple[Token, ...]]:
        groups: list[list[Token]] = [[]]
        depth = 0
        for token in tokens:
            raw = self.raw(token)
            depth += (raw in (b"(", b"[")) - (raw in (b")", b"]"))
            if raw == separator and depth == 0:
                groups.append([])
            else:
                groups[-1].append(token)
        return [tuple(group) for group in groups]

    def operand(self, tokens: tuple[Token, ...], depth: int) -> list[list[_Bit]]:
        if not tokens:
            return [[]]
        place = (tokens[0].start, tokens[-1].end)
        hole: list[list[_Bit]] = [[(HOLE, *place)]]
        if depth > _MAX_DEPTH:
            return hole
        tokens = self.without_cast(tokens)
        first = tokens[0]
        if len(tokens) == 1 and first.kind in (Kind.STRING, Kind.DOLLAR):
            return [self.literal(first)]
        if all(token.kind is Kind.STRING for token in tokens):  # a literal that goes on in the next line
            return [[bit for token in tokens for bit in self.literal(token)]]
        if len(tokens) == 1 and first.kind in (Kind.WORD, Kind.QUOTED):
            return self.variable(first, depth) or hole
        if self.raw(first) == b"(" and self.closes(tokens, 0) == len(tokens) - 1:
            return self.value(tokens[1:-1], depth + 1)
        name = self.raw(first).lower()
        if len(tokens) > 2 and self.raw(tokens[1]) == b"(" and self.closes(tokens, 1) == len(tokens) - 1:
            arguments = self.split(tokens[2:-1], b",")
            if name == b"format":
                return self.format(arguments, depth) or hole
            if name in _IDENTITY and len(arguments) == 1:
                return self.value(arguments[0], depth + 1)
            if name in _QUOTES and len(arguments) == 1:
                return [_within(_QUOTES[name], choice, place) for choice in self.value(arguments[0], depth + 1)]
            if name in (b"concat", b"concat_ws"):
                return self.concat(arguments, name == b"concat_ws", depth)
        return hole

    def without_cast(self, tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        for index, token in enumerate(tokens):
            if self.raw(token) == b"::" and index:
                return tokens[:index] if self.balanced(tokens[:index]) else tokens
        return tokens

    def balanced(self, tokens: tuple[Token, ...]) -> bool:
        raws = [self.raw(token) for token in tokens]
        return raws.count(b"(") == raws.count(b")")

    def closes(self, tokens: tuple[Token, ...], start: int) -> int:
        depth = 0
        for index in range(start, len(tokens)):
            raw = self.raw(tokens[index])
            depth += (raw == b"(") - (raw == b")")
            if depth == 0:
                return index
        return -1

    def array(self, tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        """What stands between the brackets of `ARRAY[…]`, with a cast or without; nothing for anything else."""
        plain = self.without_cast(tokens)
        raws = [self.raw(token).lower() for token in plain[:2]]
        return plain[2:-1] if raws == [b"array", b"["] and self.raw(plain[-1]) == b"]" else ()

    def literal(self, token: Token) -> list[_Bit]:
        """A literal; escapes split it, so that what stands between them matches byte for byte."""
        raw = self.raw(token)
        if token.kind is Kind.DOLLAR:
            tag = raw.index(b"$", 1) + 1
            value = string_value(raw)
            return [(value, token.start + tag, token.start + tag + len(value))]
        if raw[:1] != b"'":
            return [(string_value(raw), token.start, token.end)]
        bits: list[_Bit] = []
        at = 1
        inner_end = len(raw) - (1 if raw.endswith(b"'") and len(raw) > 1 else 0)
        while at < inner_end:
            quote = raw.find(b"''", at, inner_end)
            stop = inner_end if quote < 0 else quote
            if stop > at:
                bits.append((raw[at:stop], token.start + at, token.start + stop))
            if quote >= 0:
                bits.append((b"'", token.start + quote, token.start + quote + 2))
            at = stop + 2
        return bits

    def variable(self, token: Token, depth: int) -> list[list[_Bit]]:
        name = name_of(self.raw(token))
        if name in self.bound:
            return self.bound[name]
        choices: list[list[_Bit]] = []
        grown: list[tuple[Token, ...]] = []
        for start, end in self.assigned.get(name, ()):
            inner = words(self.text, start, end)
            if any(name_of(self.raw(t)) == name for t in inner if t.kind in (Kind.WORD, Kind.QUOTED)):
                grown.append(inner)
            else:
                choices.extend(self.value(inner, depth + 1))
        for inner in grown:  # q := q || …, each with what q could be before
            self.bound[name] = _bounded(choices, (token.start, token.end)) or [[(HOLE, token.start, token.end)]]
            choices = [*choices, *self.value(inner, depth + 1)]
        self.bound.pop(name, None)
        return _bounded(choices, (token.start, token.end))

    def format(self, arguments: list[tuple[Token, ...]], depth: int) -> list[list[_Bit]]:
        """format('… %I …', argument, …)"""
        last = arguments[-1]
        if last and self.raw(last[0]).lower() == b"variadic":
            arguments = [*arguments[:-1], *self.split(self.array(last[1:]), b",")]
        patterns = self.value(arguments[0], depth + 1) if arguments else []
        results: list[list[_Bit]] = []
        for pattern in patterns:
            alternatives: list[list[_Bit]] = [[]]
            position = 0
            for bit in pattern:
                value, start, end = bit
                exact = len(value) == end - start and value != HOLE
                at = 0
                for match in _FORMAT.finditer(value) if value != HOLE else ():
                    alternatives = [a + _part(bit, at, match.start(), exact) for a in alternatives]
                    at = match.end()
                    if match.group(2) == b"%":
                        alternatives = [[*a, (b"%", start, end)] for a in alternatives]
                        continue
                    position = int(match.group(1)) if match.group(1) else position + 1
                    choices = self.argument(arguments, position, match.group(2), depth, (start, end))
                    alternatives = _bounded([a + c for a in alternatives for c in choices], (start, end))
                alternatives = [a + _part(bit, at, len(value), exact) for a in alternatives]
            results.extend(alternatives)
        return _bounded(results, (arguments[0][0].start, arguments[-1][-1].end) if results else (0, 0))

    def argument(
        self, arguments: list[tuple[Token, ...]], position: int, kind: bytes, depth: int, place: tuple[int, int]
    ) -> list[list[_Bit]]:
        if position >= len(arguments):
            return [[(HOLE, *place)]]
        choices = self.value(arguments[position], depth + 1)
        return [_within(_VERB_QUOTES[kind], choice, place) for choice in choices]

    def concat(self, arguments: list[tuple[Token, ...]], separated: bool, depth: int) -> list[list[_Bit]]:
        values: list[list[_Bit]] = [[]]
        separators = self.value(arguments[0], depth + 1) if separated and arguments else [[]]
        for index, argument in enumerate(arguments[separated:]):
            for choice in (self.value(argument, depth + 1),):
                joint = separators[0] if index else []
                place = (argument[0].start, argument[-1].end) if argument else (0, 0)
                values = _bounded([a + joint + c for a in values for c in choice], place)
        return values


def _within(quote: bytes, bits: list[_Bit], place: tuple[int, int]) -> list[_Bit]:
    """A value in quotes, its own quotes doubled. A name that is not known stays bare: it may be any."""
    if not quote or (quote == b'"' and any(value == HOLE for value, _, _ in bits)):
        return bits
    edge = (quote, bits[0][1], bits[0][1]) if bits else (quote, *place)
    return [edge, *((value.replace(quote, quote * 2), start, end) for value, start, end in bits), edge]


def _part(bit: _Bit, at: int, stop: int, exact: bool) -> list[_Bit]:
    value, start, end = bit
    if at >= stop:
        return []
    return [(value[at:stop], start + at, start + stop)] if exact else [(value[at:stop], start, end)]
