"""Uses of models and tables: which column each attribute, keyword and name of a field stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from legacy_ref_scan.languages.python import text as texts
from legacy_ref_scan.languages.python.findings import Findings, Found
from legacy_ref_scan.languages.python.mapped import DYNAMIC, Model
from legacy_ref_scan.languages.python.registry import Registry
from legacy_ref_scan.languages.python.text import Blank, Items, Pairs, Part, Pending, Run, Text, Value, Values
from legacy_ref_scan.model import Access, Consumer, Explanation, Gap, Span

_KIND = "python-orm"


class Uses:
    """Turns a use of a field into the statement that the library makes of it, and keeps it."""

    def __init__(self, registry: Registry, findings: Findings) -> None:
        self._registry = registry
        self._findings = findings
        self._columns = registry.library.project.names.columns

    def field(self, model: Model, name: str, span: Span, access: Access, symbol: str) -> bool:
        """Keeps a use of a field; whether the model has it."""
        if model.unseen:
            return self._of_unseen(model, name, span, symbol)
        known = model.fields.get(name) or model.by_column(name)
        column = name if known is None else known.column
        if known is None and not model.open:
            return self._key(model, name, span, access, symbol)
        table = model.table_of(known.name if known is not None else name)
        if column in self._columns and not table:
            for home in self._registry.homes_of(model, name):
                self._keep((Run(column.encode(), span),), home, span, access, symbol)
        elif column in self._columns and table != DYNAMIC:
            self._keep((Run(column.encode(), span),), table, span, access, symbol)
        elif column in self._columns and model.reflects and model.owner is not None:
            self._of_unknown_table(model, name, span, symbol)
        elif name in self._columns and column != name:
            what = f"an attribute over {table}.{column}" if column else f"a field of {model.name}"
            self._findings.claim(span, Explanation.IDENTIFIER, what)
        return True

    def _of_unseen(self, model: Model, name: str, span: Span, symbol: str) -> bool:
        if name in self._columns and not self._registry.maps_targets:
            message = f"{model.name} comes from another package and may be a model of {model.table}"
            self._findings.gap(Gap(span, "unseen-model", message, symbol, self._in_test(span)))
            self._cover(span)
        return True

    def _of_unknown_table(self, model: Model, name: str, span: Span, symbol: str) -> None:
        message = f"{model.name} has its columns from a table whose name is put together at run time"
        self._findings.gap(Gap(span, "reflected-table", message, symbol, self._in_test(span)))
        self._cover(span)

    def _in_test(self, span: Span) -> bool:
        source = self._registry.library.project.read(span.path)
        return source is not None and source.test

    def _cover(self, span: Span) -> None:
        for mention in self._findings.mentions(span.path):
            if mention.span == span:
                self._findings.cover(span)

    def _key(self, model: Model, name: str, span: Span, access: Access, symbol: str) -> bool:
        """Django calls the column of a foreign key `phase_id`, and that is an attribute too."""
        if name.endswith("_id") and name[:-3] in model.fields:
            return self.field(model, name[:-3], span, access, symbol)
        return False

    def _keep(self, column: tuple[Part, ...], table: str, site: Span, access: Access, symbol: str) -> None:
        quote = (Run(b'"', None),)
        named = texts.made_up(".".join(f'"{part}"' for part in table.split("."))).parts
        if access is Access.WRITE:
            parts = [texts.made_up("UPDATE ").parts, named, texts.made_up(' SET "').parts, column]
            text = texts.concat([*parts, texts.made_up('" = NULL').parts])
        else:
            text = texts.concat(
                [texts.made_up("SELECT ").parts, quote, column, quote, texts.made_up(" FROM ").parts, named]
            )
        self._findings.emit(Found(text, site, symbol, Consumer.BUILDER, f"{access.value} by a model", _KIND))

    def names(self, model: Model, values: Values, access: Access, symbol: str) -> None:
        """Keeps the fields that texts name: `order_by("-phase__error_message")`, lists and dicts of them."""
        for value in values:
            match value:
                case Text():
                    found = plain(value)
                    if found is not None:
                        self.lookup(model, *found, access, symbol)
                case Items(items):
                    for inner in items:
                        self.names(model, inner, access, symbol)
                case Pairs(keys=keys):
                    self.names(model, keys, access, symbol)
                case Pending(names=pending):
                    for name, span in pending:
                        self.lookup(model, name, span, Access.READ, symbol)

    def lookup(self, model: Model, name: str, span: Span, access: Access, symbol: str) -> bool:
        """Keeps the fields on the way of `phase__error_message__icontains`, `-created_at`, `Phase.error_message`."""
        at: Model | None = model
        steps = list(_steps(name))
        for index, (part, start, end) in enumerate(steps):
            if at is None:
                return True
            where = Span(span.path, span.start + start, span.start + end) if _fits(name, span) else span
            known = at.fields.get(part)
            more = index + 1 < len(steps)
            if known is None and not at.open and (part != "pk" and not self._key(at, part, where, access, symbol)):
                at = self.behind(at, part)
                if at is None:
                    return index > 0
                continue
            if known is not None or at.open:
                self.field(at, part, where, access if not more else Access.READ, symbol)
            at = self._related(at, part) if more else None
        return True

    def behind(self, model: Model, name: str) -> Model | None:
        """The model that has a foreign key to this one, by the name of the way back."""
        for other in self._registry.known():
            for known in other.fields.values():
                if known.related == model.name and name in _ways_back(other.name, known.reverse):
                    return other
        return None

    def _related(self, model: Model, name: str) -> Model | None:
        known = model.fields.get(name)
        if known is None or not known.related:
            return None
        if known.related in ("self", model.name):
            return model
        return self._registry.named(model.owner.module, known.related) if model.owner is not None else None

    def related(self, model: Model, name: str) -> tuple[Model, bool] | None:
        """The model behind an attribute that is a relation, and whether it is several of it."""
        known = model.fields.get(name)
        if known is not None:
            other = self._related(model, name)
            return (other, known.many) if other is not None else None
        if name in self._columns:
            return None
        other = self.behind(model, name)
        return (other, True) if other is not None else None

    def clause(self, model: Model, clause: str, text: Text, symbol: str) -> None:
        """A piece of SQL in a query over one table: `filter(text("error_message IS NULL"))`."""
        if model.table in ("", DYNAMIC) or not self._findings.holds(text) or not any(map(_is_code, text.parts)):
            return
        table = texts.made_up(".".join(f'"{part}"' for part in model.table.split("."))).parts
        before = texts.concat([texts.made_up("SELECT 1 FROM ").parts, table, texts.made_up(f" {clause} ").parts])
        whole = texts.concat([before.parts, text.parts])
        site = next(iter(sorted(text.origins)), None)
        if site is not None:
            self._findings.emit(Found(whole, site, symbol, Consumer.SQL, "a part of a query", _KIND))

    def every(self, model: Model, site: Span, symbol: str) -> None:
        """A query over a table whose columns come from the database: all of them."""
        table = texts.made_up(".".join(f'"{part}"' for part in model.table.split("."))).parts
        text = texts.concat([texts.made_up("SELECT * FROM ").parts, table])
        self._findings.emit(Found(text, site, symbol, Consumer.SQL, "every column of a reflected table", _KIND))


def plain(text: Text) -> tuple[str, Span] | None:
    """A text that is one literal without spaces, and where it stands."""
    if len(text.parts) != 1:
        return None
    part = text.parts[0]
    if isinstance(part, Blank) or part.origin is None or not part.exact or re.search(rb"[^\w.+\-?]", part.text):
        return None
    return part.text.decode("utf-8", "replace"), part.origin


def _is_code(part: Part) -> bool:
    return isinstance(part, Run) and re.search(rb"[\s=<>(]", part.text) is not None


def _fits(name: str, span: Span) -> bool:
    return span.end - span.start == len(name.encode())


def _steps(name: str) -> Iterator[tuple[str, int, int]]:
    """The parts of `a__b_c__icontains` or `a.b` with their places; `-`, `+` and `?` say only the order."""
    at = len(name) - len(name.lstrip("-+?"))
    for part in re.split(r"(__|\.)", name[at:]):
        if part and part not in ("__", "."):
            yield part, at, at + len(part)
        at += len(part)


def _ways_back(name: str, reverse: str) -> tuple[str, ...]:
    return (reverse,) if reverse else (name.lower(), f"{name.lower()}_set")


def merged(values: list[Value]) -> Pending:
    """The names of several values together."""
    return Pending(tuple(name for value in values if isinstance(value, Pending) for name in value.names))
