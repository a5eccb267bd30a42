"""What attributes and calls of models, queries and tables give, and which columns they use on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from legacy_ref_scan.languages.python.mapped import Model
from legacy_ref_scan.languages.python.registry import Registry
from legacy_ref_scan.languages.python.text import Entity, Items, Pairs, Pending, Run, Text, Unknown, Value, Values
from legacy_ref_scan.languages.python.uses import Uses, merged, plain
from legacy_ref_scan.model import Access, Span


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call; `span` is where its keyword stands, or its value where it has none."""

    keyword: str
    span: Span
    values: Values
    star: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call: the last name of what is called, its arguments, where it stands and in which function."""

    name: str
    arguments: tuple[Argument, ...]
    site: Span
    symbol: str

    @property
    def values(self) -> list[Value]:
        return [value for argument in self.arguments for value in argument.values]

    def positional(self) -> list[Values]:
        return [argument.values for argument in self.arguments if not argument.keyword and not argument.star]

    def entity(self) -> Entity | None:
        """The first model, table or query among the arguments."""
        return next((value for value in self.values if isinstance(value, Entity)), None)


_MANAGERS = frozenset({"objects", "query", "_default_manager", "_base_manager", "all_objects"})
_ONE = frozenset(
    "first one one_or_none get get_or_404 first_or_404 one_or_404 scalar scalar_one scalar_one_or_none last latest "
    "earliest create get_or_none aget afirst alast acreate alatest aearliest get_by_id get_by_natural_key fetch_one "
    "get_or_insert".split()
)
_PAIR = frozenset({"get_or_create", "update_or_create", "aget_or_create", "aupdate_or_create"})
_NOTHING = frozenset(
    "count exists delete update_all acount aexists adelete aupdate explain aggregate aaggregate compile".split()
)
# Keywords that are fields, and lookups over them.
_LOOKUPS = frozenset(
    "filter exclude get filter_by get_or_create update_or_create aget aget_or_create aupdate_or_create get_or_none "
    "get_object_or_404 get_list_or_404 aget_object_or_404 get_or_404 find find_one find_by one_or_404".split()
)
_WRITES = frozenset(
    "update create acreate insert values aupdate create_or_update replace insert_many set upsert insert_ignore".split()
)
# Texts that name fields.
_NAMES = frozenset(
    "order_by values_list only defer distinct dates datetimes latest earliest group_by load_only select_related "
    "prefetch_related alatest aearliest undefer with_entities returning fetch_related refresh_from_db "
    "arefresh_from_db filter exclude get annotate aggregate alias having where in_bulk group_by options "
    "aaggregate order_values add_columns extra get_or_create update_or_create".split()
)
_CLAUSES = {
    "filter": "WHERE", "where": "WHERE", "having": "WHERE", "filter_by": "WHERE", "order_by": "ORDER BY",
    "group_by": "ORDER BY",
}  # fmt: skip
_FIELD_LISTS = {
    "update_fields": Access.WRITE, "unique_fields": Access.READ, "index_elements": Access.READ, "set_": Access.WRITE,
    "fields": Access.READ, "field_name": Access.READ, "defaults": Access.WRITE, "create_defaults": Access.WRITE,
    "constraint": Access.READ, "field_names": Access.READ,
}  # fmt: skip
_ROWS = frozenset({"values_list", "with_entities", "with_only_columns", "dates", "datetimes", "tuples", "dicts"})
_FOCUSES = frozenset({"join", "outerjoin", "select_from", "join_from", "fulljoin"})
_VERBS = frozenset({"insert", "update", "delete"})
_EXECUTES = frozenset(
    "execute exec scalars stream stream_scalars paginate all fetch_all list sorted reversed iter tuple set enumerate "
    "subquery exists aiterator iterator union select_from".split()
)
_EXECUTES_ONE = frozenset(
    {"scalar", "next", "get_object_or_404", "aget_object_or_404", "fetch_one", "scalar_one", "merge"}
)
_BY_KEY = frozenset({"get", "get_one", "get_or_404", "get_or_404_by"})
# Django's expressions, and SQLAlchemy's loader options that name fields of the query they are put into.
_EXPRESSIONS = frozenset(
    "Q F When Case Count Sum Max Min Avg StdDev Variance Coalesce Lower Upper Length Concat Cast Func Greatest Least "
    "ExpressionWrapper NullIf ArrayAgg StringAgg JSONBAgg BoolOr BoolAnd JSONObject Prefetch Window Trunc TruncDate "
    "TruncDay TruncHour TruncMonth TruncWeek TruncYear Extract ExtractDay ExtractHour ExtractMonth ExtractYear Trim "
    "Substr Replace Round Abs Ceil Floor KeyTextTransform KeyTransform SearchVector SearchRank TrigramSimilarity "
    "FilteredRelation Index UniqueConstraint CheckConstraint OrderBy Subquery Exists "
    "load_only defer undefer desc asc nulls_last nulls_first".split()
)
_BULK = {"bulk_insert_mappings": Access.WRITE, "bulk_update_mappings": Access.WRITE}


class Entities:
    """Follows models through a program. `enter` runs a method of the project's own on a class's behalf."""

    def __init__(self, registry: Registry, uses: Uses) -> None:
        self.registry, self.uses = registry, uses

    # Attributes

    def attribute(self, value: Entity, name: str, span: Span, access: Access, symbol: str) -> Values | None:
        """What an attribute of an entity is; None where the entity says nothing about it."""
        model = value.model
        if value.kind == "table" and name in ("c", "columns"):
            return (Entity("columns", model),)
        if value.kind in ("query", "rows") and name in ("c", "columns"):
            return (Entity("columns", model),)
        if value.kind == "columns" or (value.kind == "table" and model.library == "pypika"):
            self.uses.field(model, name, span, access, symbol)
            return (Entity("column", model),)
        if value.kind == "model" and name in ("__table__", "c"):
            return (Entity("table" if name != "c" else "columns", model),)
        if value.kind == "model" and name in _MANAGERS and name not in model.fields:
            return (Entity("query", model),)
        if value.kind not in ("model", "instance") or (model.unseen and value.kind == "instance"):
            return None
        found = self.uses.field(model, name, span, access, symbol)
        related = self.uses.related(model, name)
        if related is not None and value.kind == "instance":
            other, many = related
            return (Entity("query" if many else "instance", other),)
        return (Entity("column", model),) if found else None

    def item(self, value: Entity, key: Value, symbol: str) -> Value | None:
        """`t.c["error_message"]`, `query[0]`."""
        if value.kind == "columns" and isinstance(key, Text):
            self.uses.names(value.model, (key,), Access.READ, symbol)
            return Entity("column", value.model)
        return Entity("instance", value.model) if value.kind == "query" else None

    # Calls

    def method(self, receiver: Entity, call: Call) -> Values | None:
        """What a method of an entity gives; None where the entity says nothing about it."""
        model = receiver.model
        if receiver.kind in ("query", "rows") or (receiver.kind == "model" and call.name not in model.fields):
            return self._query(receiver, call)
        if receiver.kind == "table":
            return self._table(receiver, call)
        if receiver.kind == "instance":
            return self._instance(receiver, call)
        return (receiver,) if receiver.kind == "column" else None

    def _instance(self, receiver: Entity, call: Call) -> Values | None:
        for argument in call.arguments:
            if argument.keyword in ("update_fields", "fields"):
                access = Access.WRITE if argument.keyword == "update_fields" else Access.READ
                self.uses.names(receiver.model, argument.values, access, call.symbol)
        if call.name in ("update", "set", "from_dict") or call.name == "update_from_dict":
            self._written(receiver.model, call)
        elif call.name in ("refresh_from_db", "arefresh_from_db", "refresh"):
            self._named(receiver.model, call, Access.READ)
        return None

    def _table(self, receiver: Entity, call: Call) -> Values | None:
        if call.name == "select":
            self._everything(receiver, call)
            return (Entity("query", receiver.model),)
        if call.name in _VERBS:
            self._written(receiver.model, call)
            return (Entity("query", receiver.model, verb=call.name),)
        return (receiver,) if call.name in ("alias", "join", "outerjoin", "lateral", "tablesample") else None

    def _query(self, receiver: Entity, call: Call) -> Values | None:
        model = receiver.focus or receiver.model
        name = call.name
        if name in ("filter_by",):
            self._looked_up(model, call)
        elif name in _LOOKUPS:
            self._looked_up(receiver.model, call)
        elif name in _WRITES and (receiver.verb or name != "values" or self._is_core(receiver)):
            self._written(receiver.model, call)
        if name in _NAMES or name == "values":
            self._named(receiver.model, call, Access.READ)
        self._conditions(receiver.model, call)
        if name in _CLAUSES:
            self._clauses(receiver.model, call, _CLAUSES[name])
        elif name == "extra":
            self._extra(receiver.model, call)
        self._listed(receiver.model, call)
        if name in ("from_select",):
            self._first(receiver.model, call, Access.WRITE)
        if name == "bulk_update" and len(call.positional()) > 1:
            self.uses.names(receiver.model, call.positional()[1], Access.WRITE, call.symbol)
        return self._given(receiver, call)

    def _given(self, receiver: Entity, call: Call) -> Values:
        name, model = call.name, receiver.model
        if name in _PAIR:
            unknown = (Unknown(f"result of {name}()", call.site),)
            return (Items(((Entity("instance", model),), unknown)),)
        if (receiver.kind == "query" and name in _ONE) or (receiver.kind == "model" and name in _ONE):
            return (Entity("instance", model),)
        if name in _NOTHING:
            return (Unknown(f"result of {name}()", call.site),)
        if name in _ROWS or (name == "values" and not receiver.verb and not self._is_core(receiver)):
            return (replace(receiver, kind="rows"),)
        focus = call.entity() if name in _FOCUSES else None
        if focus is not None and focus.kind in ("model", "table"):
            return (replace(receiver, focus=focus.model),)
        verb = name if receiver.kind == "model" and name in _VERBS else receiver.verb
        kind = "query" if receiver.kind == "model" else receiver.kind
        return (replace(receiver, kind=kind, verb=verb),)

    def _is_core(self, receiver: Entity) -> bool:
        return receiver.model.owner is None

    def function(self, call: Call) -> Values | None:
        """What a function or a method of something unknown gives, by its name and the entities it is handed."""
        name = call.name
        if name in _EXPRESSIONS:
            return self._expression(call)
        if name == "dict" and call.arguments:
            return _made_dict(call)
        entity = call.entity()
        if entity is None:
            return None
        if name in _BULK:
            for values in call.positional()[1:]:
                self.uses.names(entity.model, values, _BULK[name], call.symbol)
            return None
        if name in ("getattr", "setattr", "hasattr", "delattr") and len(call.positional()) > 1:
            access = Access.WRITE if name == "setattr" else Access.READ
            self.uses.names(entity.model, call.positional()[1], access, call.symbol)
            return None
        return self._made(entity, call)

    def _made(self, entity: Entity, call: Call) -> Values | None:
        name = call.name
        if entity.kind in ("model", "table") and name in ("query", "select", *_VERBS):
            self._everything(entity, call) if name in ("query", "select") else None
            return (Entity("query", entity.model, verb=name if name in _VERBS else ""),)
        if entity.kind in ("column", "columns") and name in ("query", "select"):
            return (Entity("rows", entity.model),)
        if entity.kind in ("model", "query") and name in ("get_object_or_404", "aget_object_or_404", "get_list_or_404"):
            self._looked_up(entity.model, call)
            return (Entity("query" if "list" in name else "instance", entity.model),)
        if name in _EXECUTES_ONE and entity.kind in ("query", "instance"):
            return (Entity("instance", entity.model),)
        if name in _BY_KEY and entity.kind == "model":
            return (Entity("instance", entity.model),)
        if name in ("execute", "execute_many") and entity.kind == "query":
            self._rows_of(entity, call)
        if name in _EXECUTES and entity.kind == "query":
            return (replace(entity, verb=""),)
        if name in ("aliased", "with_polymorphic") and entity.kind == "model":
            return (entity,)
        return None

    def _rows_of(self, entity: Entity, call: Call) -> None:
        """`execute(insert(Phase), [{"error_message": …}])`."""
        for values in call.positional()[1:]:
            if entity.verb:
                self.uses.names(entity.model, _dicts(values), Access.WRITE, call.symbol)

    def made(self, model: Model, call: Call) -> Values:
        """A new row: `Phase(error_message=…)`. A class that is not seen may be anything that has such a field."""
        if not model.unseen:
            self._written(model, call)
        return (Entity("instance", model),)

    def _expression(self, call: Call) -> Values | None:
        """`Q(error_message="x")`, `Count("phase__error_message")`: its model is known when the query is."""
        names: list[tuple[str, Span]] = []
        for argument in call.arguments:
            if (
                argument.keyword
                and call.name in ("Q", "When", "FilteredRelation")
                and argument.keyword not in ("then",)
            ):
                names.append((argument.keyword, argument.span))
            for value in argument.values:
                found = plain(value) if isinstance(value, Text) else None
                if found is not None and not argument.keyword:
                    names.append(found)
        names += merged(call.values).names
        entity = call.entity()
        if entity is not None and entity.kind in ("column", "query") and not names:
            return None
        return (Pending(tuple(names)),)

    # Arguments

    def _everything(self, entity: Entity, call: Call) -> None:
        """A query over the whole of a table whose columns nobody declares."""
        if entity.model.open and entity.kind == "table":
            self.uses.every(entity.model, call.site, call.symbol)

    def _looked_up(self, model: Model, call: Call) -> None:
        for argument in call.arguments:
            if argument.keyword and argument.keyword not in _FIELD_LISTS:
                self.uses.lookup(model, argument.keyword, argument.span, Access.READ, call.symbol)
            elif argument.star == "**":
                self.uses.names(model, argument.values, Access.READ, call.symbol)

    def _written(self, model: Model, call: Call) -> None:
        for argument in call.arguments:
            if argument.keyword:
                self.uses.lookup(model, argument.keyword, argument.span, Access.WRITE, call.symbol)
            else:
                self.uses.names(model, _dicts(argument.values), Access.WRITE, call.symbol)

    def _named(self, model: Model, call: Call, access: Access) -> None:
        for argument in call.arguments:
            self.uses.names(model, _no_dicts(argument.values), access, call.symbol)

    def _conditions(self, model: Model, call: Call) -> None:
        for argument in call.arguments:
            pending = tuple(value for value in argument.values if isinstance(value, Pending))
            self.uses.names(model, pending, Access.READ, call.symbol)

    def _listed(self, model: Model, call: Call) -> None:
        for argument in call.arguments:
            if argument.keyword in _FIELD_LISTS:
                access = Access.WRITE if call.name.endswith("bulk_update") else _FIELD_LISTS[argument.keyword]
                self.uses.names(model, argument.values, access, call.symbol)

    def _clauses(self, model: Model, call: Call, clause: str) -> None:
        for value in call.values:
            if isinstance(value, Text) and plain(value) is None:
                self.uses.clause(model, clause, value, call.symbol)

    def _extra(self, model: Model, call: Call) -> None:
        """`extra(where=["…"], select={"x": "…"})`."""
        for argument in call.arguments:
            for text in _texts(argument.values):
                clause = "WHERE" if argument.keyword == "where" else "ORDER BY"
                self.uses.clause(model, clause, text, call.symbol)

    def _first(self, model: Model, call: Call, access: Access) -> None:
        for values in call.positional()[:1]:
            self.uses.names(model, values, access, call.symbol)


def _made_dict(call: Call) -> Values:
    """`dict(known, error_message="x")`."""
    pairs: list[tuple[str, Values]] = []
    keys: list[Text] = []
    complete = True
    for argument in call.arguments:
        if argument.keyword:
            pairs.append((argument.keyword, argument.values))
            keys.append(Text((Run(argument.keyword.encode(), argument.span),)))
            continue
        known = argument.values[0] if len(argument.values) == 1 else None
        if isinstance(known, Pairs):
            pairs += known.pairs
            keys += known.keys
        complete = complete and isinstance(known, Pairs) and known.complete
    return (Pairs(tuple(pairs), tuple(keys), complete),)


def _dicts(values: Values) -> Values:
    """The dicts among some values, those in lists too: their keys are fields, their items no names."""
    found: list[Value] = []
    for value in values:
        if isinstance(value, Pairs):
            found.append(value)
        elif isinstance(value, Items):
            found += [inner for item in value.items for inner in _dicts(item)]
    return tuple(found)


def _texts(values: Values) -> Iterator[Text]:
    """The texts among some values, those of lists and dicts too."""
    for value in values:
        if isinstance(value, Text):
            yield value
        elif isinstance(value, Items):
            yield from (text for item in value.items for text in _texts(item))
        elif isinstance(value, Pairs):
            yield from (text for _, item in value.pairs for text in _texts(item))


def _no_dicts(values: Values) -> Values:
    return tuple(value for value in values if not isinstance(value, Pairs))
