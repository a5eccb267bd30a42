"""keegancsmith/sqlf: `sqlf.Sprintf("… WHERE %s", cond)`, where queries are put in and all else is a parameter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from legacy_ref_scan.languages.golang.orm.statement import Sql, elements
from legacy_ref_scan.languages.golang.values import EMPTY, Call, Chain, Known, Text, Value, union

_VERB = re.compile(rb"%%|%[svd]")


def statement(chain: Chain, sql: Sql) -> Value:
    """The text of a query; of `sqlf.Join(queries, "AND")` the queries with the text between them."""
    call = chain.calls[0] if chain.calls else None
    if call is None or not call.arguments:
        return EMPTY
    if call.method == "Join":
        return _joined(call, sql)
    return union(_filled(alt, call.arguments[1:], sql) for alt in call.arguments[0] if isinstance(alt, Text)) or EMPTY


def _joined(call: Call, sql: Sql) -> Value:
    separator = call.arguments[1] if len(call.arguments) > 1 else (Text((Known(b","),)),)
    return union(_list(elements([(alt,)]), separator, sql) for alt in call.arguments[0]) or EMPTY


def _list(queries: list[Value], separator: Value, sql: Sql) -> Value:
    parts: list[Value | str] = []
    for query in queries:
        parts.extend((" ", separator, " ") if parts else ())
        parts.append(_argument(query, sql))
    return sql.cat(*parts) if parts else EMPTY


def _argument(value: Value, sql: Sql) -> Value:
    """A query is text, whatever else is given is bound."""
    chains = [alt for alt in value if isinstance(alt, Chain)]
    return union(sql.render(chain) for chain in chains) if chains else sql.cat("(?)")  # longer than the verb


def _filled(text: Text, arguments: tuple[Value, ...], sql: Sql) -> Value:
    return sql.cat(*_pieces(text, iter(arguments), sql)) if text.atoms else EMPTY


def _pieces(text: Text, arguments: Iterator[Value], sql: Sql) -> Iterator[Value | str]:
    for atom in text.atoms:
        if not isinstance(atom, Known):
            yield (Text((atom,)),)
            continue
        at = 0
        for match in _VERB.finditer(atom.text):
            yield _part(atom, at, match.start())
            yield "%" if match[0] == b"%%" else _argument(next(arguments, ()), sql)
            at = match.end()
        yield _part(atom, at, len(atom.text))


def _part(atom: Known, start: int, end: int) -> Value:
    if atom.origin is None:
        return (Text((Known(atom.text[start:end]),)),)
    path, begin, stop = atom.origin
    exact = stop - begin == len(atom.text)
    return (Text((Known(atom.text[start:end], (path, begin + start, begin + end) if exact else atom.origin),)),)
