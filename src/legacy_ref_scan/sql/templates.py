"""Templated SQL: the actions of Go templates and Jinja, `{{ … }}` and `{% … %}`, are unknown values.

So are the verbs of a Go format that nobody is seen to fill in, `%s` and `%[1]v`, and other languages' placeholders,
`${columns}` and `{columns}`. What dbt writes for a relation, `{{ ref('orders') }}` and `{{ source('app', 'orders') }}`,
is the relation's name; a tag that has its line to itself, a comment and `{{ config(…) }}` put nothing into the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from posixpath import basename, splitext

from legacy_ref_scan.mentions import Names
from legacy_ref_scan.model import HOLE, Claim, Explanation, Fragment, Gap, Hole, Piece, Span
from legacy_ref_scan.sql import loose

_ACTION = re.compile(rb"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_ACTION_OR_VERB = re.compile(_ACTION.pattern + rb"|%(?:\[\d+\])?[svdqT](?![A-Za-z0-9_])", re.DOTALL)
# What envsubst, Flyway, sqlcmd, ERB, psql and formats of other languages put a text in the place of. PostgreSQL reads
# none of it; in a literal it is a part of a value, so literals and comments are matched first and stay.
_HOLES = (
    rb"\$\{[^{}\n]*\}|\$\([A-Za-z_]\w*\)|(?<![\w$])\$[A-Za-z_]\w*(?!\w*\$)|[#@%]\{[^{}\n]*\}|<%=?.*?%>"
    rb"|(?<![\w$#@%{])\{\w+\}(?!\})|(?<![\w@])@[A-Za-z_]\w*@(?![\w@])|(?<!:):\"\w+\""
    rb"|(?<=\bselect )(?:%s|%\(\w+\)s|:[A-Za-z_]\w*)(?=\s+from\b)"
)
_HINT = re.compile(_HOLES, re.DOTALL | re.IGNORECASE)
_PLACEHOLDER = re.compile(
    rb"'(?:[^']+|'')*+'|--[^\r\n]*|/\*.*?\*/|(?P<hole>" + _HOLES + rb")",
    re.DOTALL | re.IGNORECASE,
)
# https://docs.getdbt.com/reference/dbt-jinja-functions/ref and …/source: the relation is the last argument of text.
_RELATION = re.compile(
    rb"\{\{-?\s*(?:ref|source)\(\s*(?:['\"][\w.-]+['\"]\s*,\s*)?['\"](\w+)['\"](?:\s*,\s*v\w*\s*=\s*\w+)?\s*\)\s*-?\}\}"
)
_THIS = re.compile(rb"\{\{-?\s*this\s*-?\}\}")
_SILENT = re.compile(rb"\{#|\{\{-?\s*(?:config\s*\(|/\*)|\{%-?\s*(?:do|docs|enddocs)\b")
_BLOCK = re.compile(rb"\{%-?\s*(?!el)\w|\{\{-?\s*(?:if|range|with|end|define|block)\b")
_SEPARATOR = re.compile(rb"\{%-?\s*if\s+not\s+loop\.last\s*-?%\}[\s,]*\{%-?\s*endif\s*-?%\}")
# JSON, GraphQL, markup, a URL, a message: no part of a statement holds these.
_OTHER_TEXT = re.compile(rb"[{}]|</|://|\w: |\w[!?]\s|\w\.\s+[A-Z]")
_ONLY_PLACEHOLDERS = re.compile(rb"\s*(?:\{\{-?\s*[\w.-]+\s*-?\}\}\s*)+")
_ONE_NAME = re.compile(rb"\s*[\w.\"]+\s*(?=\{[{%]|\Z)")


def without_templates(fragment: Fragment) -> Fragment:
    """The fragment with a hole in the place of each action; names inside an action are left for the accounting."""
    if b"{" not in fragment.text and b"%" not in fragment.text and not _HINT.search(fragment.text):
        return fragment
    actions = _with_placeholders(fragment)
    if not actions:
        return fragment
    made = _Made(fragment)
    at = 0
    for start, end in actions:
        made.copy(at, start)
        made.action(start, end)
        at = end
    made.copy(at, len(fragment.text))
    return made.fragment()


def _actions(fragment: Fragment) -> Iterator[tuple[int, int]]:
    pattern = _ACTION_OR_VERB if fragment.kind.startswith("go-") else _ACTION
    at = 0
    while (match := pattern.search(fragment.text, at)) is not None:
        whole = _SEPARATOR.match(fragment.text, match.start()) or match
        yield whole.span()
        at = whole.end()


def _with_placeholders(fragment: Fragment) -> list[tuple[int, int]]:
    """The actions, and the placeholders of statements, in order."""
    actions = list(_actions(fragment))
    if not _HINT.search(fragment.text) or not (fragment.kind == "sql-file" or loose.is_statement(fragment.text)):
        return actions
    found = [match for match in _PLACEHOLDER.finditer(fragment.text) if match["hole"] is not None]
    taken = [match.span() for match in found if not any(a < match.end() and match.start() < b for a, b in actions)]
    return sorted([*actions, *taken])


def inside_actions(fragment: Fragment) -> Iterator[tuple[int, int]]:
    """The actions of a fragment that are neither a relation's name nor a comment, as (start, end)."""
    for start, end in _actions(fragment):
        raw = fragment.text[start:end]
        if not (raw.startswith(b"{#") or _RELATION.fullmatch(raw)):
            yield start, end


@dataclass
class _Made:
    """A text that is put together from the parts of a fragment."""

    source: Fragment
    text: bytearray = field(default_factory=bytearray)
    pieces: list[Piece] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)

    def copy(self, start: int, end: int) -> None:
        """A range as it is, with its pieces and holes; an indivisible piece counts where all of it is in the range."""
        shift = len(self.text) - start
        self.text += self.source.text[start:end]
        for piece in self.source.pieces:
            first, last = max(piece.start, start), min(piece.end, end)
            exact = piece.end - piece.start == piece.origin.end - piece.origin.start
            if first < last and (exact or (first, last) == (piece.start, piece.end)):
                moved = piece.origin.start + first - piece.start
                origin = Span(piece.origin.path, moved, moved + last - first) if exact else piece.origin
                self.pieces.append(Piece(first + shift, last + shift, origin))
        for hole in self.source.holes:
            if start <= hole.offset < end:
                self.holes.append(Hole(hole.offset + shift, hole.reason, hole.origin))

    def action(self, start: int, end: int) -> None:
        """What stands for an action: a relation's name, a space, or a hole."""
        raw = self.source.text[start:end]
        relation = _RELATION.fullmatch(raw)
        if relation is not None:
            self.copy(start + relation.start(1), start + relation.end(1))
        elif _THIS.fullmatch(raw):
            self.text += splitext(basename(self.source.site.path))[0].encode()
        elif _SILENT.match(raw) or _SEPARATOR.match(raw) or self._is_block(start, end):
            self.text += b" "
        else:
            self.holes.append(Hole(len(self.text), "a template's action", self.source.origin(start, end)))
            self.text += HOLE

    def _is_block(self, start: int, end: int) -> bool:
        """Whether a tag is alone on its line, and what follows is more than a name: of two names that depend on a
        condition the second would be taken for the alias of the first."""
        text = self.source.text
        stop = text.find(b"\n", end)
        alone = not text[text.rfind(b"\n", 0, start) + 1 : start].strip() and not text[end : max(stop, end)].strip()
        ends = stop >= 0 or not text[end:].strip()
        return alone and ends and _BLOCK.match(text, start) is not None and not _ONE_NAME.match(text, end)

    def fragment(self) -> Fragment:
        """The fragment with the new text."""
        return replace(self.source, text=bytes(self.text), pieces=tuple(self.pieces), holes=tuple(self.holes))


def of_actions(fragment: Fragment, names: Names) -> Iterator[Claim | Gap]:
    """What `{{.ErrorMessage}}` in a template is: a field of the host language. The column's own name stays open."""
    is_sql = fragment.kind == "sql-file" or loose.is_statement(fragment.text)
    is_other = not is_sql and _OTHER_TEXT.search(_ACTION.sub(b"", fragment.text)) is not None
    for first, last in inside_actions(fragment):
        for start, end, name, role in names.places(fragment.text[first:last]):
            span = fragment.origin(first + start, first + end)
            if fragment.text[first + start : first + end] != name.encode():
                yield Claim(span, Explanation.IDENTIFIER, "a field in a template")
            elif role == "column" and is_sql:
                message = f"{name} stands in a template's action: what it puts into the statement is not known"
                yield Gap(span, "template-action", message, fragment.symbol, fragment.test)
            elif not is_sql and _ONLY_PLACEHOLDERS.fullmatch(fragment.text):
                yield Claim(span, Explanation.VARIABLE, "the name of a placeholder")
            elif is_other:
                yield Claim(span, Explanation.TEXT, "in the template of a text that is no SQL")
            elif role != "column":
                yield Claim(span, Explanation.TABLE, "the table's name in a template's action")
    for first, last in _with_placeholders(fragment):
        if not fragment.text.startswith((b"{{", b"{%"), first):
            for start, end, _, _ in names.places(fragment.text[first:last]):
                span = fragment.origin(first + start, first + end)
                yield Claim(span, Explanation.VARIABLE, "the name of a placeholder")
    for start, end, _, _ in names.places(fragment.text):
        if fragment.text.rfind(b"{#", 0, start) > fragment.text.rfind(b"#}", 0, start):
            yield Claim(fragment.origin(start, end), Explanation.COMMENT, "in a template")
