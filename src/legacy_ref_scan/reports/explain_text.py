"""The explanation of one place as people read it."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent, wrap
from typing import Any

from legacy_ref_scan.reports.accounting import count
from legacy_ref_scan.reports.snippet import clip
from legacy_ref_scan.reports.style import clean, encodable, paint, width

_TEXTS = 6
"""Texts beyond are counted; `--format json` has them all."""
_LITERAL = 72
_WIDTH = 110
_CONSUMERS = {
    "sql": "for a database call",
    "builder": "from a query builder",
    "text": "in a text for people",
    "unknown": "for a consumer that is not known",
}
_KINDS = {
    "column": "column",
    "every column": "every column of",
    "hole": "not known:",
    "range variable": "range variable over",
    "table, without the column": "relation",
    "variable": "",
}
_TINTS = {"reference": "red bold", "gap": "yellow bold", "residue": "cyan bold"}
Shape = dict[str, Any]


def render(shape: Shape, colour: bool) -> str:
    """A document of `explain` as text, ending in a newline."""
    blocks = [list(_head(shape, colour)), *(list(_finding(item, colour)) for item in shape["findings"])]
    for number, text in enumerate(shape["texts"][:_TEXTS], 1):
        blocks.append(list(_text(text, number, len(shape["texts"]), colour)))
    if len(shape["texts"]) > _TEXTS:
        blocks.append([f"… and {len(shape['texts']) - _TEXTS:,} more texts (--format json lists all)"])
    return encodable("\n\n".join("\n".join(lines) for lines in blocks)) + "\n"


def _head(shape: Shape, colour: bool) -> Iterator[str]:
    column = f":{shape['column']}" if shape["column"] else ""
    yield paint(f"{clean(shape['path'])}:{shape['line']}{column}", "bold", colour)
    yield f"  {clip(clean(shape['source'].strip()), 0, 0)}"
    for mention in shape["mentions"]:
        why = mention["explanation"].replace("_", " ")
        detail = f" ({clean(mention['detail'])})" if mention["detail"] else ""
        what = f"{mention['text']}, the {mention['role']}'s name" if mention["text"] == mention["name"] else (
            f"{mention['text']}, a spelling of the {mention['role']} {mention['name']}"
        )  # fmt: skip
        yield f"  {mention['column']}: {clean(what)}: {paint(why, 'bold', colour)}{detail}: {mention['meaning']}"
    if not shape["mentions"]:
        yield "  no mention of the names stands here; what passes through is below"


def _finding(item: Shape, colour: bool) -> Iterator[str]:
    what = item.get("access") or item.get("reason") or item.get("kind")
    label = paint(f"{item['what']}[{clean(str(what))}]", _TINTS[item["what"]], colour)
    about = f" in {clean(item['symbol'])}" if item["symbol"] else ""
    yield f"{label}: {clean(item['message'])}"
    yield f"  at      {_at(item)}{about}"
    if item.get("acknowledged"):
        yield f"  rule    acknowledged: {clean(item['acknowledged'])}"
    elif not item["gating"] and item["what"] == "reference":
        yield "  gates   no"
    if item["help"]:
        yield f"  to do   {clean(item['help'])}"


def _text(text: Shape, number: int, total: int, colour: bool) -> Iterator[str]:
    title = f"text {number} of {total}" if total > 1 else "text"
    yield f"{paint(title, 'bold', colour)}: {', '.join(_about(text))}"
    yield from _pieces(text["pieces"])
    yield "  reads:"
    yield from _source(text["text"])
    if not text["readings"]:
        yield "  parsed: not at all, for it is neither a statement nor a part of one"
    for reading in text["readings"]:
        yield from _reading(reading, len(text["readings"]) > 1)


def _about(text: Shape) -> Iterator[str]:
    note = f"{clean(text['note'])}, " if text["note"] else ""
    yield f"{note}{_at(text['site'])}" + (f" in {clean(text['symbol'])}" if text["symbol"] else "")
    yield "a SQL file" if text["kind"] == "sql-file" else f"{text['kind']} {_CONSUMERS[text['consumer']]}"
    if text["test"]:
        yield "a test"
    if text["partial"]:
        yield "one of too many that can be put together here"


def _pieces(pieces: list[Shape]) -> Iterator[str]:
    yield f"  put together from {count(len(pieces), 'piece', 'pieces')}:"
    places = ["made up" if piece.get("made_up") else _at(piece) for piece in pieces]
    gutter = max(map(len, places), default=0)
    for piece, place in zip(pieces, places, strict=True):
        if "hole" in piece:
            yield f"    {place:<{gutter}}  ⟦{piece['hole']}⟧ not known: {clean(piece['reason'])}"
        else:
            yield f"    {place:<{gutter}}  {_quoted(piece['text'])}"


def _quoted(text: str) -> str:
    one = " ".join(text.split()) if "\n" in text else text
    return f"[{clean(one if len(one) <= _LITERAL else one[: _LITERAL - 1] + '…')}]"


def _source(text: str) -> Iterator[str]:
    first, _, rest = text.strip("\n").partition("\n")
    lines = [first.strip(), *dedent(rest).splitlines()] if first[:1].strip() else dedent(text).strip("\n").splitlines()
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()))
        shown = wrap(clean(line.strip()), _WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")
        yield from (f"    {part}" for part in shown or [""])


def _reading(reading: Shape, several: bool) -> Iterator[str]:
    errors = ", ".join(_quoted(text) for text in reading["errors"])
    state = f"which the grammar could not read at {errors}" if errors else "without an error"
    yield f"  parsed: {reading['as']}, {state}"
    if several:
        yield from _source(reading["text"])
    for repair in reading["repairs"]:
        yield f"    repaired before: {_quoted(repair['text'])} read as {_quoted(repair['read_as'])}"
    names = reading["names"]
    if names:
        yield "  names:"
    gutter = max((width(clean(item["name"])) for item in names), default=0)
    for item in names:
        name = clean(item["name"])
        access = f" ({item['access']})" if item.get("access") else ""
        what = f"{_kind(item['is'])} {clean(item['detail'])}".strip()
        yield f"    {name}{' ' * (gutter - width(name))}  {what}{access}"


def _kind(kind: str) -> str:
    return _KINDS.get(kind, f"{kind}:")


def _at(item: Shape) -> str:
    return f"{clean(item['path'])}:{item['line']}:{item['column']}" if item["path"] else "(no file)"
