"""Associations of an ORM, whose key nobody writes: `belongs_to :plan` in User is users.plan_id, and so is `has_many
:users` in Plan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from legacy_ref_scan.languages.plain.kinds import Kind
from legacy_ref_scan.languages.plain.models import Model, model_at
from legacy_ref_scan.languages.plain.spelling import Spelling
from legacy_ref_scan.mentions import model_names
from legacy_ref_scan.model import Gap, SourceFile, Span

_KEY = "_id"
REST = rb"(?:[^\n]*,[ \t]*\n)*[^\n]*"
"""The rest of a line, and the lines that it goes on to behind a comma."""

_JPA = (
    rb"@(?:[\w.]+\.)?(?:ManyToOne|OneToOne)\b(?:\((?P<said>[^()]*(?:\([^()]*\)[^()]*)*)\))?"
    rb"(?P<more>(?:\s*@[\w.]+(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?){0,8})\s+(?:(?:private|protected|public|lateinit|readonly)\s+)*"
)
# By kind: in a model of the table, the association that is called like the key.
_OWN: dict[str, bytes] = {
    "Ruby": rb"\bbelongs_to[ \t(]+:(?P<name>%(base)s)\b(?P<said>" + REST + rb")",
    "Elixir": rb"\bbelongs_to[ \t(]+:(?P<name>%(base)s)\b(?P<said>" + REST + rb")",
    "PHP": (
        rb"\bfunction\s+(?P<name>%(camel)s)\s*\(\)[^{]{0,200}\{[^{}]{0,400}->belongsTo\(\s*[\w\\]+::class(?P<said>[^)]*)\)"
        rb"|#\[[^\n]{0,200}?\b(?:ManyToOne|OneToOne)\b(?P<more>[^;{}]{0,400}?)\s(?:private|protected|public)\s[^$;]{0,80}"
        rb"\$(?P<field>%(camel)s)\b"
    ),
    "Java": _JPA + rb"\w+\s+(?P<name>%(camel)s)\s*[;=]",
    "Kotlin": _JPA + rb"(?:var|val)\s+(?P<name>%(camel)s)\s*:",
    "JavaScript": _JPA + rb"(?P<name>%(camel)s)\s*[!?]?\s*:",
}
_OTHER: dict[str, bytes] = {
    "Ruby": rb"\bhas_(?:many|one)[ \t(]+:(?P<name>%(rows)s)\b(?P<said>" + REST + rb")",
    "Elixir": rb"\bhas_(?:many|one)[ \t(]+:(?P<name>%(rows)s)\b(?P<said>" + REST + rb")",
    "PHP": rb"->has(?:Many|One)\(\s*(?P<name>(?:[\w\\]+\\)?%(model)s)::class(?P<said>[^)]*)\)",
}
# What names another key, or none of this table's.
_ELSEWHERE = re.compile(
    rb"\bforeign_key\b|\bthrough\b|\bas:|\bpolymorphic\b|\bmappedBy\b|\bmapped_by\b|\bJoinColumns?\b|\bjoinColumn\b"
    rb"|\bclass_name\b|\bquery_constraints\b|\bfieldName\b|^\s*,\s*[\"'$]"
)


@cache
def _pattern(form: bytes, base: str, spelling: Spelling) -> re.Pattern[bytes]:
    camel = re.sub(r"_(\w)", lambda match: match[1].upper(), base)
    names = {b"base": base.encode(), b"camel": camel.encode(), b"rows": spelling.instance, b"model": spelling.model}
    return re.compile(form % names)


@cache
def _class(base: str) -> re.Pattern[bytes]:
    """The class that the key points to, as a program calls it."""
    return re.compile(b"(?:.*::)?(?:" + b"|".join(sorted(name.encode() for name in model_names(base)[0])) + b")")


def associations(
    source: SourceFile, kind: Kind, spelling: Spelling, parts: Callable[[], Sequence[Model]]
) -> Iterator[Gap]:
    """A gap for each association that stands for one of the columns; `parts` are the models of the file."""
    for column in sorted(spelling.names.columns):
        base = column.removesuffix(_KEY)
        if base in (column, "") or not column.isascii():
            continue
        for forms, is_held in ((_OWN, _is_ours), (_OTHER, _is_named_by)):
            form = forms.get(kind.name)
            for match in _pattern(form, base, spelling).finditer(source.data) if form else ():
                model = model_at(parts(), match.end() - 1)
                if model is not None and is_held(model, base) and not _names_another(match):
                    yield _gap(source, match, f"an association of {model.name}: its key is {column} by convention")


def _is_ours(model: Model, base: str) -> bool:
    return model.ours


def _is_named_by(model: Model, base: str) -> bool:
    """Whether a model is the one that the key is called after."""
    return _class(base).fullmatch(_camel(model.name.encode())) is not None


def _camel(name: bytes) -> bytes:
    """A table's name, as in Ecto's `schema "plans"`, as a class is written."""
    return name if name[:1].isupper() else re.sub(rb"(?:^|_)(\w)", lambda match: match[1].upper(), name)


def _names_another(match: re.Match[bytes]) -> bool:
    groups = match.groupdict()
    return any(_ELSEWHERE.search(groups.get(group) or b"") for group in ("said", "more"))


def _gap(source: SourceFile, match: re.Match[bytes], message: str) -> Gap:
    group = "name" if match["name"] is not None else "field"
    return Gap(Span(source.path, *match.span(group)), "association", message, test=source.test)
