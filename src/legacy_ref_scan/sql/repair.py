"""Repairs on tokens before parsing: what tree-sitter-postgres can't read, and what is not SQL yet (parameters, holes).

Each repair replaces a range of the text; the parser's caller keeps the map, so no offset is lost.
"""

from __future__ import annotations

from collections.abc import Iterator

from legacy_ref_scan.sql.lexer import Kind, Token, kept_tokens, name_of

Edit = tuple[int, int, bytes]
"""(start, end, replacement) in the text as written."""

HOLE_NAME = b"__hole__"
"""The name that stands for an unknown value where the grammar wants a name or an expression."""

# After one of these an operand is expected, so `?` is a parameter and a hole is an expression or a name.
_WANTS_OPERAND = frozenset(
    b"""select distinct all where and or not having on when then else case in like ilike between is from join into
    update set by values limit offset returning any some using table only interval as with exists similar to over
    filter end""".split()
) - {b"end", b"filter", b"all"}
_OPENS = frozenset(b"( [ ,".split())
_ENDS = frozenset((b"", b",", b")", b"]", b";", b"::"))
_AFTER_OPERAND = frozenset(
    b"from where and or as then else end order group limit union is in like between asc desc".split()
)
_OPERATOR_BYTES = frozenset(b"+-*/<>=~!@#%^&|`?")
_REAL_QUESTION_MARKS = frozenset({b"?", b"@?", b"?|", b"?&", b"?-", b"?-|", b"?||", b"?#", b"@@?"})
_CONTAINS_AT = frozenset({b"<@", b"@", b"@@", b"|@", b"@@@"})
_QUANTIFIERS = frozenset({b"any", b"all", b"some"})
_BEFORE_SUBQUERY = frozenset({b"as", b"from", b"exists", b"in", b"join", b"lateral", b"materialized"})
_CLAUSES = frozenset(b"where group order having limit offset join left right inner cross union fetch window".split())
_BEGIN_LISTS = frozenset(b"select from set values into returning by distinct using".split())
_SUBQUERY = frozenset({b"select", b"values", b"with", b"table"})


def repairs(text: bytes, start: int, end: int, expression: bool = False) -> list[Edit]:
    """The edits that make `text[start:end]` readable, in order, not overlapping.

    `expression` says that the text is an operand (of PL/pgSQL), not a statement.
    """
    edits: list[Edit] = []
    solid: list[Token] = []
    for token in kept_tokens(text, start, end):
        if token.kind > Kind.COMMENT:
            solid.append(token)
        elif token.kind is Kind.COMMENT and text.find(b"/*", token.start + 2, token.end) >= 0:
            edits.append((token.start, token.end, b" "))  # a nested comment
    edits.extend(_Repairer(text, solid, expression).run())
    edits.sort()
    return edits


class _Repairer:
    def __init__(self, text: bytes, solid: list[Token], expression: bool) -> None:
        self.text, self.solid, self.expression = text, solid, expression
        self.merge = bool(solid) and any(self.word(i) == b"merge" for i in range(min(len(solid), 400)))
        self.brackets = 0

    def raw(self, index: int) -> bytes:
        if not 0 <= index < len(self.solid):
            return b""
        token = self.solid[index]
        return self.text[token.start : token.end]

    def word(self, index: int) -> bytes:
        if not 0 <= index < len(self.solid) or self.solid[index].kind is not Kind.WORD:
            return b""
        return self.raw(index).lower()

    def run(self) -> Iterator[Edit]:
        for index, token in enumerate(self.solid):
            kind = token.kind
            if kind is Kind.WORD:
                yield from self.of_word(index, token)
            elif kind is Kind.OTHER:
                yield from self.of_operator(index, token)
            elif kind is Kind.PARAMETER:
                yield from self.of_parameter(index, token)
            elif kind is Kind.HOLE:
                yield self.of_hole(index, token)
            elif kind is Kind.QUOTED and self.raw(index)[:1] in b"uU":
                name = name_of(self.raw(index)).replace('"', '""')
                yield (token.start, token.end, b'"%s"' % name.encode())
            elif kind is Kind.STRING:
                yield from self.of_string(index, token)

    def of_word(self, index: int, token: Token) -> Iterator[Edit]:
        word = self.word(index)
        if word in _QUANTIFIERS and self._opens_subquery(index + 1):
            if index and self.solid[index - 1].kind is Kind.OTHER and self.raw(index - 1) not in (b"(", b","):
                yield (self.solid[index - 1].start, token.end, b" IN ")
        elif word == b"escape" and self.word(index - 2) in (b"like", b"ilike", b"to") and index + 1 < len(self.solid):
            yield (token.start, self.solid[index + 1].end, b" ")
        elif word == b"then" and self.merge and self._after_matched(index):
            yield (token.start, token.start, b" AND true ")
        elif word == b"values" and self._without_rows(index):
            yield (token.end, token.end, b" ($1) ")
        elif word == b"returning" and self.word(index + 1) == b"with" and self.raw(index + 2) == b"(":
            close = next((i for i in range(index, len(self.solid)) if self.raw(i) == b")"), index + 2)
            yield (self.solid[index + 1].start, self.solid[close].end, b" ")  # new in PostgreSQL 18; see changes.py
        elif word in (b"and", b"or") and self._lacks_operand(index):
            yield (token.start, token.end, b" ")
        elif word == b"returning" and index and self._ends(index + 1):
            yield (token.start, token.end, b" ")  # its columns are put together elsewhere

    def _lacks_operand(self, index: int) -> bool:
        """AND or OR that a branch left without one of its sides; BETWEEN … AND has both."""
        before = self.word(index - 1) in (b"where", b"and", b"or", b"on", b"having") or self.raw(index - 1) == b"("
        after = self._ends(index + 1) or self.word(index + 1) in (b"order", b"group", b"limit", b"offset")
        return index > 0 and (before or after)

    def _without_rows(self, index: int) -> bool:
        """`INSERT … VALUES` of which the rows are put together elsewhere."""
        if self.word(index - 1) == b"default":
            return False
        inserts = any(self.word(before) == b"insert" for before in range(index))
        return inserts and (self._ends(index + 1) or self.word(index + 1) in (b"returning", b"on"))

    def _dangles(self, index: int) -> bool:
        """A comma that a loop left behind its last row."""
        while index < len(self.solid) and self.solid[index].kind is Kind.HOLE:
            index += 1
        if index >= len(self.solid):
            return not self.expression and not self._lists_tables(index)
        return self.word(index) in (b"on", b"returning")

    def _lists_tables(self, index: int) -> bool:
        """Whether the clause that a text ends in is FROM: what is not known behind its comma is a table."""
        words = (self.word(at) for at in range(index - 1, -1, -1))
        return next((word for word in words if word in _CLAUSES or word in _BEGIN_LISTS), b"") == b"from"

    def _ends(self, index: int) -> bool:
        return index >= len(self.solid) or self.raw(index) in (b";", b")")

    def _opens_subquery(self, index: int) -> bool:
        """Parentheses, as many as there are, and then a query."""
        at = index
        while self.raw(at) == b"(":
            at += 1
        return at > index and self.word(at) in _SUBQUERY

    def _after_matched(self, index: int) -> bool:
        """`WHEN [NOT] MATCHED [BY SOURCE|TARGET] THEN` without a condition is not in the grammar."""
        return self.word(index - 1) == b"matched" or (
            self.word(index - 1) in (b"source", b"target") and self.word(index - 3) == b"matched"
        )

    def of_operator(self, index: int, token: Token) -> Iterator[Edit]:
        raw = self.raw(index)
        if raw == b":" and self.raw(index + 1)[:1] == b"=" and self._glued(index):
            yield (token.start, token.end, b" ")  # `cursor(argument := value)`
        elif raw == b"(" and self.word(index - 1) == b"in" and self.raw(index + 1) == b")":
            yield (token.end, token.end, b"$1")  # a list that is empty in this branch
        elif raw == b"," and self._dangles(index + 1):
            yield (token.start, token.end, b" ")
        elif raw == b"::" and self.word(index - 1) in (b"notnull", b"isnull"):
            yield (token.start, self.solid[min(index + 1, len(self.solid) - 1)].end, b" ")  # the grammar takes no cast
        elif raw == b"[":
            self.brackets += 1
        elif raw == b"]":
            self.brackets -= 1
        elif raw.endswith(b"?") and self._question_is_parameter(index, raw):
            yield (token.end - 1, token.end, self._value(index) if len(raw) == 1 else b" $1 ")
        elif raw.endswith(b"@") and self._glued(index) and (raw not in _CONTAINS_AT or self._wants_operand(index)):
            yield (token.end - 1, self.solid[index + 1].end, b" $1 ")
        elif raw == b":" and self._glued(index) and self.solid[index + 1].kind in (Kind.STRING, Kind.QUOTED):
            yield (token.start, self.solid[index + 1].end, b" $1 ")  # psql's :'variable'

    def _question_is_parameter(self, index: int, raw: bytes) -> bool:
        """A JSON operator has an operand on both sides; `DISTINCT ON (a) ?, b` has none behind."""
        if raw not in _REAL_QUESTION_MARKS or self._wants_operand(index):
            return True
        following = self.raw(index + 1).lower()
        return raw == b"?" and (following in _ENDS or following in _AFTER_OPERAND)

    def of_parameter(self, index: int, token: Token) -> Iterator[Edit]:
        raw = self.text[token.start : token.end]
        if raw[:1] == b"$" or (raw[:1] == b":" and self.brackets > 0 and not self._array_element(index)):
            return
        yield (token.start, token.end, self._value(index))

    def _array_element(self, index: int) -> bool:
        """`ARRAY[:a, :b]` holds parameters, `tags[:n]` and `tags[1:n]` are slices."""
        opens = self.raw(index - 1) == b"[" and self.word(index - 2) != b"array"
        return self._wants_operand(index) and not opens

    def of_string(self, index: int, token: Token) -> Iterator[Edit]:
        raw = self.raw(index)
        if raw[:2].lower() == b"u&":
            yield (token.start, token.start + 2, b"")
        elif raw[:1] == b"'" and index and self.solid[index - 1].kind is Kind.STRING:
            before = self.solid[index - 1]
            if b"\n" in self.text[before.end : token.start]:  # a string continued over a line
                yield (before.end - 1, token.start + 1, b"")

    def of_hole(self, index: int, token: Token) -> Edit:
        """An unknown value becomes a name where an operand is wanted; elsewhere (an unknown clause) nothing."""
        query = self.of_query_hole(index)
        if query:
            return (token.start, token.end, query)
        if self.word(index - 1) == b"values":
            return (token.start, token.end, b" ($1) ")
        if self.raw(index - 1) == b"$":  # `$%d`: the number of a parameter
            return (self.solid[index - 1].start, token.end, b" $1 ")
        if self.raw(index - 1) == b"," and self._dangles(index):
            return (token.start, token.end, b" ")
        glued_before = index > 0 and self.solid[index - 1].end == token.start
        glued_after = self._glued(index)
        name = (Kind.WORD, Kind.QUOTED)
        if (glued_before and self.solid[index - 1].kind in name) or (
            glued_after and self.solid[index + 1].kind in name
        ):
            return (token.start, token.end, b" ")  # part of a name that must stay visible
        if (glued_after and self.raw(index + 1) == b".") or (index == 0 and self.expression):
            return (token.start, token.end, HOLE_NAME)
        if glued_before and self.raw(index - 1) == b".":
            return (token.start, token.end, HOLE_NAME)
        return (token.start, token.end, HOLE_NAME if self._wants_operand(index) else b" ")

    def of_query_hole(self, index: int) -> bytes:
        """A hole that holds the head of a query, told by the clause that follows; empty for every other hole."""
        starts = (index == 0 and not self.expression) or (
            self.raw(index - 1) == b"(" and self.word(index - 2) in _BEFORE_SUBQUERY
        )
        if not starts:
            return b""
        following = index + 1
        while following < len(self.solid) and self.solid[following].kind is Kind.HOLE:
            following += 1
        word = self.word(following)
        if word in (b"and", b"or"):
            return b" SELECT * FROM " + HOLE_NAME + b" WHERE true "
        return b" SELECT * FROM " + HOLE_NAME + b" " if word in _CLAUSES else b""

    def _value(self, index: int) -> bytes:
        """A parameter as SQL: drivers expand it to a list after IN and to rows after VALUES."""
        return b" ($1) " if self.word(index - 1) in (b"in", b"values") else b" $1 "

    def _glued(self, index: int) -> bool:
        return index + 1 < len(self.solid) and self.solid[index + 1].start == self.solid[index].end

    def _wants_operand(self, index: int) -> bool:
        if index == 0:
            return self.expression
        before = self.solid[index - 1]
        raw = self.raw(index - 1)
        if raw == b"?" and self._wants_operand(index - 1):
            return False  # a parameter: `= ?` and then a clause that is not known
        if before.kind is Kind.OTHER:
            return raw in _OPENS or raw == b"::" or (raw[-1] in _OPERATOR_BYTES and not self._star(index - 1))
        return before.kind is Kind.WORD and raw.lower() in _WANTS_OPERAND

    def _star(self, index: int) -> bool:
        """Whether this `*` is a target, not a product: `SELECT *`, `t.*`."""
        return self.raw(index) == b"*" and (self.word(index - 1) == b"select" or self.raw(index - 1) in (b".", b","))
