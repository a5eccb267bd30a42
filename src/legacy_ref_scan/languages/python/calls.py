"""What calls give: methods of strings, helpers of the standard library and of psycopg's `sql` module."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from legacy_ref_scan.languages.python import text as texts
from legacy_ref_scan.languages.python.text import Blank, Items, Pairs, Run, Text, Unknown, Value, Values
from legacy_ref_scan.model import Span

Choose = Callable[[Sequence[Values]], list[Values]]

_UNCHANGED = frozenset({"lower", "upper", "encode", "decode", "casefold", "expandtabs", "as_string", "as_bytes"})
_STRIPS = {"strip": (True, True), "lstrip": (True, False), "rstrip": (False, True)}
_SEQUENCES = frozenset({"list", "tuple", "set", "frozenset", "sorted", "reversed", "iter"})
_SAME = frozenset({"str", "text", "SQL", "DDL", "literal_column", "mark_safe", "intern", "bytes", "RawSQL", "cast_str"})
_MOST_WORDS = 300


def of_method(
    receiver: Text, name: str, arguments: Sequence[Value], keywords: dict[str, Value], site: Span, choose: Choose
) -> Values | None:
    """The result of a method of a string; None where the method is not known."""
    if name == "format":
        return (texts.format_braces(receiver, arguments, keywords, site),)
    if name == "format_map":
        named = arguments[0] if arguments and isinstance(arguments[0], Pairs) else Pairs(())
        known = {key: values[0] for key, values in named.pairs if len(values) == 1}
        return (texts.format_braces(receiver, (), known, site),)
    if name == "join" and arguments:
        return texts.join(receiver, arguments[0], site, choose)
    if name in _STRIPS and not arguments:
        left, right = _STRIPS[name]
        return (texts.strip(receiver, left=left, right=right),)
    if name in _UNCHANGED or name in _STRIPS:
        return (receiver,)
    if name == "replace" and len(arguments) >= 2:
        return (texts.replace(receiver, arguments[0], arguments[1], site),)
    if name in ("split", "splitlines"):
        return _split(receiver, name, arguments)
    return None


def of_dict(known: Pairs, name: str, site: Span) -> Values | None:
    """The result of a method of a dict; None where the method is not known."""
    if len(known.keys) != len(known.pairs):
        return None
    items = zip(known.keys, (values for _, values in known.pairs), strict=True)
    if name == "keys":
        return (Items(tuple((key,) for key in known.keys), known.complete),)
    if name == "values":
        return (Items(tuple(values for _, values in items), known.complete),)
    if name == "items":
        return (Items(tuple((Items(((key,), values)),) for key, values in items), known.complete),)
    return (known,) if name == "copy" else None


def of_helper(name: str, arguments: Sequence[Value], site: Span, choose: Choose) -> Values | None:
    """The result of a function that makes texts of texts; None where it is not known."""
    if not arguments:
        return (texts.made_up("%s"),) if name == "Placeholder" else None
    first = arguments[0]
    if name in ("dedent", "cleandoc") and isinstance(first, Text):
        return (texts.dedent(first),)
    if name in _SAME and isinstance(first, Text):
        return (first,)
    if name == "getenv" and len(arguments) == 2:
        return (arguments[1], Unknown("a variable of the environment", site))
    if name in _SEQUENCES and isinstance(first, Pairs):
        return of_dict(first, "keys", site)
    if name == "enumerate" and isinstance(first, Items):
        number = (Unknown("a number", site),)
        return (Items(tuple((Items((number, values)),) for values in first.items), first.complete),)
    if name == "zip" and all(isinstance(value, Items) for value in arguments):
        rows = zip(*(value.items for value in arguments if isinstance(value, Items)), strict=False)
        return (Items(tuple((Items(row),) for row in rows), first.complete if isinstance(first, Items) else False),)
    if name == "DataFrame":
        return (first,)
    if name in _SEQUENCES and isinstance(first, Items):
        return (first,)
    if name in ("Identifier", "quote_ident"):
        return (_identifier(arguments, site),)
    if name == "Literal" and isinstance(first, Text):
        return (texts.concat([(Run(b"'", None),), first.parts, (Run(b"'", None),)]),)
    if name == "Placeholder":
        named = texts.parts_of(first, site) if isinstance(first, Text) else (Blank("a name", site),)
        return (texts.concat([(Run(b"%(", None),), named, (Run(b")s", None),)]),)
    if name == "Composed" and isinstance(first, Items):
        return texts.join(Text(()), first, site, choose)
    return None


def _identifier(arguments: Sequence[Value], site: Span) -> Text:
    quote, dot = (Run(b'"', None),), (Run(b".", None),)
    pieces: list[tuple[texts.Part, ...]] = []
    for argument in arguments:
        pieces += [dot] if pieces else []
        pieces += [quote, texts.parts_of(argument, site), quote]
    return texts.concat(pieces)


def _split(receiver: Text, name: str, arguments: Sequence[Value]) -> Values | None:
    separator = arguments[0] if arguments else None
    if separator is not None and not isinstance(separator, Text):
        return None
    flat = receiver.flat
    if any(isinstance(part, Blank) for part in receiver.parts):
        return (Unknown("parts of a text", next(iter(receiver.origins), Span("", 0, 0))),)
    words = flat.splitlines() if name == "splitlines" else flat.split(separator.flat or None if separator else None)
    if len(words) > _MOST_WORDS:
        return None
    items: list[Values] = []
    at = 0
    for word in words:
        at = flat.index(word, at)
        items.append((Text(receiver.cut(at, at + len(word))),))
        at += len(word)
    return (Items(tuple(items)),)
