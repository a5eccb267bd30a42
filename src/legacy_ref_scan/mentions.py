"""The byte-level prefilter: which files can matter at all, and where exactly the names of a target stand.

It knows no language. A name counts as a whole word in any case, and in the spellings that an ORM derives from it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product

from legacy_ref_scan.model import Mention, SourceFile, Span, Target

# What golint and gorm's naming strategy write in capitals: user_id is UserID.
_INITIALISMS = re.compile(
    "acl|api|ascii|cpu|css|dns|eof|guid|html|https?|id|ip|json|lhs|qps|ram|rhs|rpc|sla|smtp|sql|ssh|tcp|tls|ttl|"
    "udp|ui|uid|uri|url|utf8|uuid|vm|xml|xmpp|xsrf|xss"
)
_IRREGULAR = (("person", "people"), ("child", "children"), ("man", "men"), ("datum", "data"), ("mouse", "mice"))
_ENDINGS = (("y", "ies"), ("f", "ves"), ("fe", "ves"), ("ex", "ices"), ("ix", "ices"), ("is", "es"), ("um", "a"))

# Left of a name stands no identifier byte, or the end of an escape or a format verb that is glued to it: the source
# text `"id,\nerror_message"` holds the name, and so does `"%serror_message"`.
_LEFT = rb"""(?:(?<![A-Za-z0-9_\x80-\xff])
    |(?<=\\[abfnrtv0])|(?<=\\[0-7]{3})|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<=\\U[0-9A-Fa-f]{8})
    |(?<=%[a-zA-Z])|(?<=[\])][a-z])|(?<=%[0-9A-Fa-f]{2}))"""
_RIGHT = rb"(?![A-Za-z0-9_\x80-\xff])"
_BEFORE, _AFTER = re.compile(_LEFT, re.VERBOSE), re.compile(_RIGHT)
# Letters may be written as their codes: "error\x5fmessage" in Go, Python and JSON, U&"error\005Fmessage" in SQL, where
# UESCAPE can put any other character in the backslash's place.
_UNICODE_IDENTIFIER = b'u&"'
_CODE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-3][0-7]{2}))")
_LONGEST_CODE = 10
_HOST_FORMS = (rb"\\x%02x", rb"\\u%04x", rb"\\U%08x", rb"\\%03o")
_SQL_FORMS = (rb"[^\w\s'\x22+]%04x", rb"[^\w\s'\x22+]\+%06x")


@dataclass(frozen=True)
class Names:
    """The names of some targets in all their spellings.

    `columns`, `tables` and `dependents` are names as PostgreSQL stores them. A table and a dependent (a view over it,
    say) are also known by the CamelCase of their singular and plural, a column by its CamelCase.
    """

    columns: frozenset[str]
    tables: frozenset[str]
    dependents: frozenset[str]

    def matter(self, data: bytes) -> bool:
        """Whether `data` could hold a mention: fast, never false where `find` finds one or `in_text` is true.

        It looks for parts of words, so `SetErrorMessage` counts too.
        """
        lower = data.lower()
        if any(needle in lower for needle in self.needles) or _UNICODE_IDENTIFIER in lower:
            return True
        return self._matter_decoded(data)

    def _matter_decoded(self, data: bytes) -> bool:
        """Whether a name stands around a letter that is written as its code."""
        if b"\\" not in data:
            return False
        for start, end in _around(_CODE.finditer(data), self._reach):
            decoded = _CODE.sub(_decode, data[start:end]).lower()
            if any(needle in decoded for needle in self.needles):
                return True
        return False

    @cached_property
    def _reach(self) -> int:
        """The most bytes that a name can take."""
        return _LONGEST_CODE * max(map(len, (*self._plain, *self._derived)), default=0)

    def find(self, source: SourceFile) -> tuple[Mention, ...]:
        """Every mention in a file, in order, no two overlapping.

        Outside SQL files a single word that starts with a capital (`Path` for a column `path`) is no mention: it is
        the host language's own word far more often. `in_text` is true for it all the same.
        """
        title = self._titles if source.language != "sql" else frozenset()
        return tuple(
            Mention(Span(source.path, start, end), name, role)
            for start, end, name, role in self.places(source.data)
            if source.data[start:end] not in title
        )

    def in_text(self, data: bytes, role: str | None = None) -> bool:
        """Whether a piece of text holds a mention (of that role), in any case and any derived spelling."""
        return any(role in (None, found) for _, _, _, found in self.places(data))

    @cached_property
    def in_token(self) -> Callable[[bytes], bool]:
        """`in_text` for a token of a language: the same ones come again and again."""
        return lru_cache(maxsize=1 << 12)(self._in_token)

    def _in_token(self, data: bytes) -> bool:
        return self.matter(data) and self.in_text(data)  # the first is quick

    @cached_property
    def needles(self) -> tuple[bytes, ...]:
        """Lower-case bytes of which each mention holds one (unless it is written with escapes)."""
        words = sorted({spelling.lower() for spelling in (*self._plain, *self._derived)}, key=len)
        kept: list[bytes] = []
        for word in words:
            if not any(shorter in word for shorter in kept):
                kept.append(word)
        return tuple(kept)

    def places(self, data: bytes) -> Iterator[tuple[int, int, str, str]]:
        """Every mention in a piece of text as (start, end, name, role), in any case and any derived spelling."""
        lower = data.lower()
        if _UNICODE_IDENTIFIER in lower:
            return self._search(self._unicode_spellings, data)
        if self._matter_decoded(data):
            return self._search(self._coded_spellings, data)
        return self._words(data, lower)

    def _search(self, pattern: re.Pattern[bytes], data: bytes) -> Iterator[tuple[int, int, str, str]]:
        for match in pattern.finditer(data):
            group = match.lastgroup
            found = self._roles[int(group[1:])] if group else self._meaning(match.group())
            if found:
                yield match.start(), match.end(), *found

    def _words(self, data: bytes, lower: bytes) -> Iterator[tuple[int, int, str, str]]:
        """Plain search for each spelling, much faster than one pattern for all of them."""
        spellings = (word for needle, words in self._by_needle if needle in lower for word in words)
        hits = sorted((start, -len(word)) for word in spellings for start in _occurrences(lower, word))
        last = 0
        for start, length in hits:
            end = start - length
            if start >= last and _BEFORE.match(data, start) and _AFTER.match(data, end):
                found = self._meaning(data[start:end])
                if found:
                    yield start, end, *found
                    last = end

    def _meaning(self, text: bytes) -> tuple[str, str] | None:
        return self._derived.get(text) or self._plain.get(text.lower())

    @cached_property
    def _by_needle(self) -> tuple[tuple[bytes, tuple[bytes, ...]], ...]:
        """The spellings in lower case, under a needle that each holds."""
        spellings = {*self._plain, *(word.lower() for word in self._derived)}
        groups: dict[bytes, list[bytes]] = {needle: [] for needle in self.needles}
        for word in sorted(spellings):
            groups[next(needle for needle in self.needles if needle in word)].append(word)
        return tuple((needle, tuple(words)) for needle, words in groups.items())

    @cached_property
    def _roles(self) -> tuple[tuple[str, str], ...]:
        """(name, role), the first of a name wins."""
        groups = (("column", self.columns), ("table", self.tables), ("dependent", self.dependents))
        roles: dict[str, str] = {}
        for role, names in groups:
            for name in sorted(names):
                roles.setdefault(name, role)
        return tuple(roles.items())

    @cached_property
    def _plain(self) -> dict[bytes, tuple[str, str]]:
        """Spellings in any case, in lower case here: the name itself, and as it stands between double quotes."""
        plain: dict[bytes, tuple[str, str]] = {}
        for name, role in self._roles:
            for spelling in (name, name.replace('"', '""')):
                plain.setdefault(_encode(spelling).lower(), (name, role))
        return plain

    @cached_property
    def _derived(self) -> dict[bytes, tuple[str, str]]:
        """Spellings in this very case."""
        derived: dict[bytes, tuple[str, str]] = {}
        for name, role in self._roles:
            for form in (name,) if role == "column" else (name, *sorted(_inflections(name))):
                for spelling in _camel_cases(form):
                    if spelling.lower() != name.lower():
                        derived.setdefault(_encode(spelling), (name, role))
        return derived

    @cached_property
    def _titles(self) -> frozenset[bytes]:
        """Single words as a host language writes them for reasons of its own: Path, Id, ID."""
        words = [name for name, _ in self._roles if "_" not in name and name.islower()]
        capitals = (word.upper() for word in words if _INITIALISMS.fullmatch(word))
        return frozenset(map(_encode, (*(word.capitalize() for word in words), *capitals)))

    @cached_property
    def _coded_spellings(self) -> re.Pattern[bytes]:
        return _compile([*self._word_alternatives(), *self._code_alternatives(_HOST_FORMS)])

    @cached_property
    def _unicode_spellings(self) -> re.Pattern[bytes]:
        return _compile([*self._word_alternatives(), *self._code_alternatives(_HOST_FORMS + _SQL_FORMS)])

    def _word_alternatives(self) -> list[bytes]:
        plain = (b"(?i:" + re.escape(word) + b")" for word in sorted(self._plain, key=len, reverse=True))
        derived = (re.escape(word) for word in sorted(self._derived, key=len, reverse=True))
        return [*plain, *derived]

    def _code_alternatives(self, forms: tuple[bytes, ...]) -> list[bytes]:
        """One numbered group for each name, each letter of which may be written as its code."""
        return [
            b"(?P<n%d>" % number + b"".join(_letter(char, forms) for char in name) + b")"
            for number, (name, _) in enumerate(self._roles)
        ]


def names_of(targets: Iterable[Target], dependents: Iterable[str]) -> Names:
    """The names to look for; `dependents` are names of views and other objects over the targets' tables."""
    listed = tuple(targets)
    return Names(
        columns=frozenset(target.column for target in listed),
        tables=frozenset(target.table for target in listed),
        dependents=frozenset(dependents),
    )


def model_names(table: str) -> tuple[frozenset[str], frozenset[str]]:
    """What a program calls the class of a table's rows, and a variable that holds one: (CampaignPhase …,
    campaign_phase, campaignPhase …), in singular and plural. A table may be called "CampaignPhase" itself."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", table).lower()
    forms = {words, *_inflections(words)}
    spellings = {spelling for form in forms for spelling in _camel_cases(form)}
    classes = frozenset(spelling for spelling in spellings if spelling[:1].isupper())
    return classes, frozenset(forms | (spellings - classes))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _around(matches: Iterable[re.Match[bytes]], reach: int) -> Iterator[tuple[int, int]]:
    """The ranges of so many bytes around matches, those that overlap as one."""
    first = last = -1
    for match in matches:
        start = max(0, match.start() - reach)
        if start > last and last >= 0:
            yield first, last
        if start > last:
            first = start
        last = match.end() + reach
    if last >= 0:
        yield first, last


def _occurrences(data: bytes, word: bytes) -> Iterator[int]:
    at = data.find(word)
    while at >= 0:
        yield at
        at = data.find(word, at + 1)


def _compile(alternatives: list[bytes]) -> re.Pattern[bytes]:
    return re.compile(_LEFT + b"(?:" + (b"|".join(alternatives) or b"(?!)") + b")" + _RIGHT, re.VERBOSE)


def _letter(char: str, forms: tuple[bytes, ...]) -> bytes:
    return b"(?i:" + b"|".join((re.escape(_encode(char)), *(form % ord(char) for form in forms))) + b")"


def _decode(match: re.Match[bytes]) -> bytes:
    two, four, eight, octal = match.groups()
    code = int(octal, 8) if octal else int(two or four or eight, 16)
    return chr(code).encode("utf-8", "replace") if code <= sys.maxunicode else b"?"


def _camel_cases(name: str) -> Iterator[str]:
    """UserId, UserID, userId, userID of user_id."""
    words = [word for word in name.lower().split("_") if word]
    if not words:
        return
    choices = [
        (word.capitalize(), word.upper()) if _INITIALISMS.fullmatch(word) else (word.capitalize(),) for word in words
    ]
    for parts in product(*choices):
        yield "".join(parts)
        yield words[0] + "".join(parts[1:])


def _inflections(name: str) -> set[str]:
    """What may be the singular or the plural of a table's name: generous, for a wrong form is a word nobody writes."""
    head, _, word = name.lower().rpartition("_")
    stem = f"{head}_" if head else ""
    forms = {word + "s", word + "es"} if not word.endswith("s") else {word[:-1], word + "es"}
    if word.endswith("es"):
        forms.add(word[:-2])
    for singular, plural in (*_IRREGULAR, *_ENDINGS):
        if word.endswith(plural):
            forms.add(word[: -len(plural)] + singular)
        if word.endswith(singular):
            forms.add(word[: -len(singular)] + plural)
    return {stem + form for form in forms if len(form) > 1}
