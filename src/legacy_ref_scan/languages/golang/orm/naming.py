"""Naming strategies: the columns and tables that ORMs derive from the names of Go's fields and structs."""

from __future__ import annotations

import re
from functools import lru_cache

# gorm, schema/naming.go, `commonInitialisms`, in its order: the first that matches is replaced (`HTTPS` is Http + S).
_INITIALISMS = re.compile(
    "API|ASCII|CPU|CSS|DNS|EOF|GUID|HTML|HTTP|HTTPS|ID|IP|JSON|LHS|QPS|RAM|RHS|RPC|SLA|SMTP|SSH|TLS|TTL|UID|UI|UUID|"
    "URI|URL|UTF8|VM|XML|XSRF|XSS"
)
# jinzhu/inflection, inflections.go; the last rule that matches wins there, so the list is read from its end.
_PLURALS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in reversed((
        (r"([a-z])$", r"\1s"), (r"s$", "s"), (r"^(ax|test)is$", r"\1es"), (r"(octop|vir)us$", r"\1i"),
        (r"(octop|vir)i$", r"\1i"), (r"(alias|status|campus)$", r"\1es"), (r"(bu)s$", r"\1ses"),
        (r"(buffal|tomat)o$", r"\1oes"), (r"([ti])um$", r"\1a"), (r"([ti])a$", r"\1a"), (r"sis$", "ses"),
        (r"(?:([^f])fe|([lr])f)$", r"\1\2ves"), (r"(hive)$", r"\1s"), (r"([^aeiouy]|qu)y$", r"\1ies"),
        (r"(x|ch|ss|sh)$", r"\1es"), (r"(matr|vert|ind)(?:ix|ex)$", r"\1ices"), (r"^(m|l)ouse$", r"\1ice"),
        (r"^(m|l)ice$", r"\1ice"), (r"^(ox)$", r"\1en"), (r"^(oxen)$", r"\1"), (r"(quiz)$", r"\1zes"),
    ))
)  # fmt: skip
_IRREGULAR = (
    ("person", "people"), ("man", "men"), ("child", "children"), ("sex", "sexes"), ("move", "moves"),
    ("ombie", "ombies"), ("goose", "geese"),
)  # fmt: skip
_UNCOUNTABLE = frozenset("equipment information rice money species series fish sheep jeans police".split())


@lru_cache(maxsize=10_000)
def gorm_name(name: str) -> str:
    """`UserID` -> `user_id`, `APIKey` -> `api_key`: gorm, schema/naming.go, `toDBName`."""
    value = _INITIALISMS.sub(lambda match: match[0].capitalize(), name)
    parts: list[str] = []
    for at, char in enumerate(value):
        upper, last = char.isupper(), value[at - 1].isupper() if at else False
        following = value[at + 1 : at + 2]
        glued = last and (following.isupper() or following.isdigit() or not following)
        if upper and at and not glued and value[at - 1] != "_" and following != "_":
            parts.append("_")
        parts.append(char.lower())
    return "".join(parts)


@lru_cache(maxsize=10_000)
def underscored(name: str) -> str:
    """`UserID` -> `user_id`: bun and go-pg, internal/underscore.go, `Underscore`."""
    parts: list[str] = []
    for at, char in enumerate(name):
        if char.isupper() and 0 < at < len(name) - 1 and (name[at - 1].islower() or name[at + 1].islower()):
            parts.append("_")
        parts.append(char.lower())
    return "".join(parts)


@lru_cache(maxsize=10_000)
def snake_name(name: str) -> str:
    """`UserID` -> `user_i_d`: xorm, names/mapper.go, `SnakeMapper`; beego, client/orm, `snakeString`."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def plural(word: str) -> str:
    """The English plural of a snake_case name, as jinzhu/inflection makes it: `category` -> `categories`."""
    if word in _UNCOUNTABLE:
        return word
    for singular, many in _IRREGULAR:
        if word.endswith(singular):
            return word[: -len(singular)] + many
        if word.endswith(many):
            return word
    return next((pattern.sub(new, word) for pattern, new in _PLURALS if pattern.search(word)), word)


def column_names(library: str, field: str) -> frozenset[str]:
    """The columns that a field without a tag can be; several where a setting of the library decides."""
    if library == "xorm":
        return frozenset((snake_name(field), gorm_name(field)))
    if library == "beego":  # client/orm, `SetNameStrategy`
        return frozenset((snake_name(field), underscored(field)))
    if library in ("bun", "go-pg"):
        return frozenset((underscored(field),))
    if library in ("db", "sqlx"):
        return frozenset((field.lower(),))
    return frozenset((gorm_name(field),))


def table_name(library: str, struct: str) -> str:
    """The table that a struct without any other sign is mapped to."""
    if library == "xorm":
        return gorm_name(struct)
    if library == "beego":
        return snake_name(struct)
    return plural(underscored(struct) if library in ("bun", "go-pg") else gorm_name(struct))


# PostgreSQL, appendix C, key words: those that are no name without quotes, and types that a name is taken for.
_KEYWORDS = frozenset(
    b"all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation "
    b"column concurrently constraint create cross current_date current_role current_time current_user default "
    b"deferrable desc distinct do else end except false fetch for foreign freeze from full grant group having ilike in "
    b"initially inner intersect into is isnull join lateral leading left like limit localtime natural not notnull null "
    b"offset on only or order outer overlaps placing primary references returning right select session_user similar "
    b"some symmetric table tablesample then to trailing true union unique user using variadic verbose when where "
    b"window with timestamp time interval bit char character values position row".split()
)


def is_keyword(text: bytes) -> bool:
    """Whether a name has to stand in quotes, as ORMs write all names."""
    return text.lower() in _KEYWORDS
