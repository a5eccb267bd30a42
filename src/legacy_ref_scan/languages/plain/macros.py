"""Columns that a line of a Rails model stands for: `has_secure_password` is password_digest, Devise's modules have
theirs, a polymorphic association has a type beside its key, a counter cache a count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from legacy_ref_scan.languages.plain.associations import REST
from legacy_ref_scan.languages.plain.models import Model, model_at
from legacy_ref_scan.languages.plain.spelling import Spelling
from legacy_ref_scan.mentions import model_names
from legacy_ref_scan.model import Gap, SourceFile, Span

# lib/devise/models/*.rb, `required_fields` of each module.
_DEVISE: dict[str, str] = {
    **dict.fromkeys(("encrypted_password",), "database_authenticatable"),
    **dict.fromkeys(("reset_password_token", "reset_password_sent_at"), "recoverable"),
    **dict.fromkeys(("remember_created_at", "remember_token"), "rememberable"),
    **dict.fromkeys(
        ("sign_in_count", "current_sign_in_at", "last_sign_in_at", "current_sign_in_ip", "last_sign_in_ip"), "trackable"
    ),
    **dict.fromkeys(("confirmation_token", "confirmed_at", "confirmation_sent_at", "unconfirmed_email"), "confirmable"),
    **dict.fromkeys(("failed_attempts", "unlock_token", "locked_at"), "lockable"),
}


def macros(source: SourceFile, spelling: Spelling, parts: Callable[[], Sequence[Model]]) -> Iterator[Gap]:
    """A gap for each line of a Ruby file that stands for one of the columns; `parts` are its models."""
    for column in sorted(spelling.names.columns):
        for pattern in _own(column):
            for match in pattern.finditer(source.data):
                model = model_at(parts(), match.start())
                if model is not None and model.ours:
                    yield _gap(source, match, column)
        for pattern in _others(column, spelling):
            yield from (_gap(source, match, column) for match in pattern.finditer(source.data))


@cache
def _own(column: str) -> tuple[re.Pattern[bytes], ...]:
    """Lines of the table's own model."""
    found: list[bytes] = []
    if column in _DEVISE:
        found.append(rb"\bdevise\b" + REST + rb":" + _DEVISE[column].encode() + rb"\b")
    base, _, ending = column.rpartition("_")
    name = re.escape(base.encode("utf-8", "surrogateescape"))
    if ending == "digest" and base:
        default = rb"\b(?![ \t(]+:)" if base == "password" else rb"[ \t(]+:" + name + rb"\b"
        found.append(rb"^[ \t]*has_secure_password" + default)
    if ending in ("id", "type") and base:
        found.append(rb"\bbelongs_to[ \t(]+:" + name + rb"\b" + REST + rb"\bpolymorphic:[ \t]*true\b")
    return tuple(re.compile(pattern, re.MULTILINE) for pattern in found)


@cache
def _others(column: str, spelling: Spelling) -> tuple[re.Pattern[bytes], ...]:
    """Lines of models of other tables."""
    base, _, ending = column.rpartition("_")
    if ending in ("id", "type") and base:
        name = re.escape(base.encode("utf-8", "surrogateescape"))
        has = rb"\bhas_(?:many|one)[ \t(]+:" + spelling.instance + rb"\b" + REST + rb"\bas:[ \t]*:" + name + rb"\b"
        return (re.compile(has),)
    if ending == "count" and base:
        classes = b"|".join(sorted(re.escape(name.encode("utf-8", "surrogateescape")) for name in model_names(base)[0]))
        counted = (
            rb"^[ \t]*class[ \t]+(?:\w+::)*(?:" + classes + rb")\b(?:(?!\n[ \t]*class\b)[\s\S]){0,4000}?"
            rb"\bbelongs_to[ \t(]+:" + spelling.instance + rb"\b" + REST + rb"\bcounter_cache:[ \t]*true\b"
        )
        return (re.compile(counted, re.MULTILINE),)
    return ()


def _gap(source: SourceFile, match: re.Match[bytes], column: str) -> Gap:
    message = f"{column} is a column that this line stands for"
    return Gap(Span(source.path, match.end() - 1, match.end()), "association", message, test=source.test)
