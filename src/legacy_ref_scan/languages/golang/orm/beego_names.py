"""beego's names of columns: fields or columns of the model, paths through its relations, operators behind `__`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from legacy_ref_scan.languages.golang.builders import spread
from legacy_ref_scan.languages.golang.frame import ASSEMBLED, STORED, Frame, TypeName
from legacy_ref_scan.languages.golang.orm.beego import GROUPS, LINKS
from legacy_ref_scan.languages.golang.orm.destinations import model_link
from legacy_ref_scan.languages.golang.orm.links import MODEL_TABLE
from legacy_ref_scan.languages.golang.orm.models import Models, tag_of
from legacy_ref_scan.languages.golang.orm.naming import column_names, underscored
from legacy_ref_scan.languages.golang.orm.tagvalues import Tag
from legacy_ref_scan.languages.golang.packages import Declaration
from legacy_ref_scan.languages.golang.stdlib import Called
from legacy_ref_scan.languages.golang.types import named_type, struct_fields
from legacy_ref_scan.languages.golang.values import (
    MAX_ALTERNATIVES,
    Alternative,
    Atom,
    Call,
    Chain,
    Entries,
    External,
    Items,
    Known,
    Text,
    Unknown,
    Value,
)
from legacy_ref_scan.model import Consumer

# client/orm, orm_conds.go and db.go, `operators`
_OPERATORS = frozenset(
    "exact iexact strictexact contains icontains startswith endswith istartswith iendswith gt gte lt lte eq nq ne in "
    "between isnull".split()
)
_VALUES_BEHIND = frozenset(("Filter", "Exclude", "Raw", "RowsToMap", "RowsToStruct", *LINKS))
# Links that add a clause to a query. Each says all by itself, for every name in it is the model's.
_CLAUSES = frozenset(("Filter", "Exclude", "FilterRaw", "SetCond", "OrderBy", "GroupBy"))
_FIRST = frozenset(("Filter", "Exclude", "FilterRaw", *LINKS))
_ALL = frozenset(("OrderBy", "GroupBy"))
_BEHIND = frozenset(
    "Values ValuesList ValuesFlat One All Read ReadForUpdate ReadOrCreate Update Delete InsertOrUpdate".split()
)
_NAME = re.compile(rb"-?\w+$")
_SEPARATOR = b"__"
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a model: its column ("" where another table has it) and the struct that it leads to."""

    column: str
    struct: TypeName | None


def extended(frame: Frame, chains: tuple[Chain, ...], name: str, call: Called) -> Value:
    """The chains after one more call of beego, with columns for the names that it is given."""
    step = Call(name, tuple(spread(call.values) if call.spread else call.values), frame.origin(call.node))
    found = []
    for chain in chains[:MAX_ALTERNATIVES]:
        before = replace(chain, calls=(*chain.calls, *model_link(frame, "beego", name, call)))
        link = _resolved(frame, before, step)
        for position, (argument, node) in enumerate(zip(link.arguments, call.nodes, strict=False)):
            if _is_name(name, position):
                continue  # the names are findings of the statement, even of one that is never run
            consumer, strength = (Consumer.TEXT, ASSEMBLED) if _is_value(name, position) else (Consumer.BUILDER, STORED)
            frame.use(argument, node, f"argument of beego {name}", consumer, strength)
        whole = replace(before, calls=(*before.calls, link))
        if name in _CLAUSES:  # of itself: what a loop adds would be too many queries
            frame.use((whole,), call.node, f"query builder, {name}", Consumer.BUILDER)
            whole = before
        found.append(whole)
    return tuple(dict.fromkeys(found))


def asked_elsewhere(frame: Frame, call: Called) -> Value:
    """What a function that is not known makes of a query of beego's and a name: the query, with a clause about it.

    Empty where it is given no query whose model is known.
    """
    queries = tuple(alt for value in call.values for alt in value if isinstance(alt, Chain) and _has_model(alt))
    for value, node in zip(call.values, call.nodes, strict=False) if queries else ():
        if value and all(isinstance(alt, Text) for alt in value):
            extended(frame, queries, "Filter", Called(call.node, [node], [value]))
    return queries


def _has_model(chain: Chain) -> bool:
    return chain.library == "beego" and any(call.method == MODEL_TABLE for call in chain.calls)


def _is_name(method: str, position: int) -> bool:
    """Whether an argument of a link is the name of a column, or a list of names."""
    return method in _ALL or (method in (_BEHIND if position else _FIRST))


def _is_value(method: str, position: int) -> bool:
    """Whether an argument is bound to a statement, compared with a column, or the name of a result."""
    return position > 0 and method in _VALUES_BEHIND


def _resolved(frame: Frame, chain: Chain, call: Call) -> Call:
    """The call with columns for names, in SQL where a name leads to another table. Raw SQL stays as it is.

    A name that is not known can only be one that the model has: where the model is known it is left out.
    """
    names = _Names(frame, _model_of(chain), all_names=call.method == "InsertOrUpdate")
    arguments = list(call.arguments)
    if call.method in GROUPS or call.method == "SetCond":
        arguments = [tuple(names.condition(alt) for alt in value) for value in arguments]
    elif call.method in _FIRST and arguments:
        arguments[0] = names.value(arguments[0])
    elif call.method in _ALL:
        arguments = [names.value(value) for value in arguments]
    elif call.method in _BEHIND and arguments:
        first = tuple(names.keys(alt) if call.method == "Update" else alt for alt in arguments[0])
        arguments = [first, *(names.value(value) for value in arguments[1:])]
    return replace(call, arguments=tuple(arguments))


def _model_of(chain: Chain) -> TypeName | None:
    found = [link for link in chain.calls if link.method == MODEL_TABLE]
    structs = [alt for alt in found[-1].arguments[1] if isinstance(alt, External)] if found else []
    return (structs[0].path, structs[0].name) if structs else None


class _Names:
    """Names as the model of a query has them."""

    def __init__(self, frame: Frame, model: TypeName | None, all_names: bool) -> None:
        self._frame, self._model, self._all_names = frame, model, all_names
        self._models = Models(frame.run)

    def value(self, value: Value) -> Value:
        """A name, or a list of names."""
        return tuple(kept for alt in value for kept in self._alternative(alt))

    def keys(self, alt: Alternative) -> Alternative:
        """`orm.Params{"name": x}`."""
        return replace(alt, pairs=tuple((self.value(k), v) for k, v in alt.pairs)) if isinstance(alt, Entries) else alt

    def condition(self, alt: Alternative) -> Alternative:
        """A condition that was made before the query that it is for."""
        if not isinstance(alt, Chain):
            return alt
        calls = (self._of_condition(call) for call in alt.calls)
        return replace(alt, calls=tuple(calls))

    def _of_condition(self, call: Call) -> Call:
        if call.method in GROUPS:
            return replace(call, arguments=tuple(tuple(self.condition(a) for a in v) for v in call.arguments))
        if call.method not in LINKS or not call.arguments:
            return call
        return replace(call, arguments=(self.value(call.arguments[0]), *call.arguments[1:]))

    def _alternative(self, alt: Alternative) -> Iterator[Alternative]:
        """A list as its elements, for each name stands for itself. Names that are none of the target's are left out."""
        if isinstance(alt, Items):
            yield from (found for element in alt.elements for found in self.value(element))
            yield from [Text((alt.rest,))] if alt.rest is not None and self._model is None else []
        elif not isinstance(alt, Text):
            yield alt
        elif alt.known:
            column = self._text(alt)
            yield from [column] if self._all_names or self._frame.run.matters(column.data()) else []
        elif self._model is None:
            yield alt

    def _text(self, text: Text) -> Text:
        atom = text.only
        if not isinstance(atom, Known) or not _NAME.match(atom.text):
            return text
        parts = list(_segments(atom))
        if len(parts) > 1 and parts[-1].text.decode().lower() in _OPERATORS:
            parts.pop()
        return Text(tuple(self._path(parts, self._model, 0)), text.partial)

    def _path(self, parts: list[Known], model: TypeName | None, depth: int) -> Iterator[Atom]:
        """A column, or a query of the table that a relation leads to."""
        first, rest = parts[0], parts[1:]
        field = self._field(model, first.text.decode("utf-8", "replace")) if model is not None else None
        column = field.column if field is not None else underscored(first.text.decode("utf-8", "replace"))
        if not rest or depth >= _DEPTH:
            yield Known(column.encode(), first.origin)
            return
        struct = field.struct if field is not None else None
        yield Known(b"(CASE WHEN ")
        yield from [Known(column.encode(), first.origin)] if column else [Known(b"1")]
        yield Known(b" IS NULL THEN NULL ELSE (SELECT ")
        yield from self._path(rest, struct, depth + 1)
        yield Known(b" FROM ")
        yield self._table(struct, first)
        yield Known(b") END)")

    def _table(self, struct: TypeName | None, at: Known) -> Atom:
        for declaration in self._declared(struct):
            for table in self._models.tables(declaration, "beego"):
                if table:
                    return Known(table.encode())
        return Unknown("table of a relation", at.origin or ("", 0, 0))

    def _declared(self, struct: TypeName | None) -> list[Declaration]:
        index = self._frame.run.index
        found = index.lookup(*struct) if struct is not None else ()
        return [declaration for declaration in found if struct_fields(declaration)]

    def _field(self, struct: TypeName | None, name: str, depth: int = 0) -> _Field | None:
        """The field that a name means: its own name in any case, or that of its column (`fields.GetByAny`)."""
        for declaration in self._declared(struct):
            for node in struct_fields(declaration):
                tag, _ = tag_of(declaration.file, node, "beego")
                kind = node.child_by_field_name("type")
                named = named_type(self._frame.run.index, declaration.file, kind) if kind is not None else None
                written = [declaration.file.text(field) for field in node.children_by_field_name("name")]
                if not written and depth < _DEPTH and (found := self._field(named, name, depth + 1)):
                    return found
                for field in written:
                    column = _column(field, tag)
                    if (name == column or name.lower() == field.lower()) and not tag.skipped:
                        return _Field("" if tag.relation else column, named)
        return None


def _column(field: str, tag: Tag) -> str:
    if tag.column is not None:
        return tag.column[1].decode("utf-8", "replace")
    return min(column_names("beego", field), key=len) + tag.suffix


def _segments(atom: Known) -> Iterator[Known]:
    """The parts of `-phase__error_message`, each at its place; the sign of a descending order is none."""
    at = 1 if atom.text.startswith(b"-") else 0
    for part in atom.text[at:].split(_SEPARATOR):
        exact = atom.origin is not None and atom.origin[2] - atom.origin[1] == len(atom.text)
        if atom.origin is not None and exact:
            path, start, _ = atom.origin
            yield Known(part, (path, start + at, start + at + len(part)))
        else:
            yield Known(part, atom.origin)
        at += len(part) + len(_SEPARATOR)
