"""Query builders as values: each call of a chain is kept, and rendered to SQL where the chain is used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from legacy_ref_scan.languages.golang import sinks
from legacy_ref_scan.languages.golang.builders import COMPARISONS, spread
from legacy_ref_scan.languages.golang.frame import ASSEMBLED, STORED, Frame
from legacy_ref_scan.languages.golang.inline import apply, invoke
from legacy_ref_scan.languages.golang.orm import beego_names
from legacy_ref_scan.languages.golang.orm.destinations import (
    BEEGO_STARTS,
    DESTINATIONS,
    generic_link,
    loaded,
    model_link,
    note_rows,
    with_associations,
)
from legacy_ref_scan.languages.golang.orm.links import UNKNOWN_START
from legacy_ref_scan.languages.golang.packages import Node
from legacy_ref_scan.languages.golang.stdlib import Called
from legacy_ref_scan.languages.golang.types import aliased, type_of
from legacy_ref_scan.languages.golang.values import (
    MAX_ALTERNATIVES,
    Alternative,
    Call,
    Chain,
    Entries,
    External,
    Function,
    Text,
    Unknown,
    Value,
)
from legacy_ref_scan.model import Consumer

TERMINALS = frozenset(
    "ToSql ToSQL MustSql MustSQL Sql String Exec ExecContext Query QueryContext QueryRow QueryRowContext Scan "
    "ScanContext ScanStruct ScanStructs ScanStructContext ScanStructsContext ScanVal ScanVals ScanValContext "
    "ScanValsContext Executor Rows All One Find First Last Take Count Pluck Create Save Updates Update UpdateColumn "
    "UpdateColumns Delete FirstOrCreate FirstOrInit FindInBatches Exists ScanAndCount Load LoadOne LoadContext "
    "LoadOneContext Row Get Iterate Sum CountContext".split()
)
_TERMINALS_OF = {
    "go-pg": frozenset("Select Insert UpdateNotZero ForceDelete SelectOrInsert SelectAndCount ForEach".split()),
    "pop": frozenset("All UpdateQuery Destroy Reload Load".split()),
    "upper": frozenset("Insert InsertReturning UpdateReturning Next".split()),
    "sqlf": frozenset(("Query",)),
    "beego": frozenset(
        "Values ValuesList ValuesFlat RowsToMap RowsToStruct QueryRow QueryRows Exist Read ReadForUpdate ReadOrCreate "
        "Insert InsertMulti InsertOrUpdate".split()
    ),
    "xorm": frozenset("Insert InsertOne InsertMulti FindAndCount Exist SumInt Sums SumsInt QueryString".split()),
}
# What ends the chains of most, and goes on in those of some.
_LINKS_OF = {"upper": frozenset(("Find",)), "dbr": frozenset(("Update",))}
# Their methods change the builder that they are called on.
_MUTABLE = frozenset(("pop", "xorm", "bun", "go-pg", "dbr", "beego-builder"))
_TEXTS = frozenset(("ToSql", "ToSQL", "MustSql", "MustSQL", "Sql", "String"))
_ROOTS_OF_BEEGO = frozenset("NewOrm NewOrmUsingDB NewOrmWithDB NewCondition NewQueryBuilder".split())
_SETUP = frozenset("Open New NewDB Register Connect NewQueryBuilder WithTimeout Dollar Question".split())
# These name columns that the statement does without, or ask for.
_LEFT_OUT = frozenset(("Omit", "ExcludeColumn", "HasColumn"))
# These are given functions that get the chain and give it back.
_THROUGH = frozenset(("Scopes", "Apply", "ApplyQueryBuilder", "WhereGroup", "WhereOrGroup", "Scope"))
# What follows a text with a placeholder is bound to it; in bun's, names can be (`bun.Ident`). A cast is none, and what
# follows an item of a list is another item.
_PLACEHOLDER = re.compile(rb"\?|@\w|\$\d|(?<!:):\w")
_LISTS = frozenset(
    "Select SelectDistinct SelectAppend Distinct Columns Cols Order OrderBy Group GroupBy Returning Pluck From Table "
    "Attrs Rows".split()
)
_NAMES_IN_ARGUMENTS = frozenset(("bun", "go-pg"))
# Methods of builders that readers of rows have too, with a context as their first argument.
_SHARED = frozenset(("Select", "Insert", "Update", "Delete", "Get"))
# These begin another statement when they come first and end the chain when they come last.
_LAST_WORDS = frozenset("Update Delete Count Pluck Sum Get".split())


def is_chain(value: Value, name: str) -> bool:
    """The receiver of the method is a builder."""
    return any(
        isinstance(alt, Chain)
        or (_is_condition(alt) and name in ("And", "Or"))
        or (isinstance(alt, External) and bool(sinks.builder_of(alt.path)) and name in sinks.BUILDER_METHODS)
        for alt in value
    )


def guess_library(frame: Frame, operand: Node, value: Value, name: str, call: Called) -> str:
    """The builder that a receiver belongs to: by its type, else by the method's name and the file's imports."""
    owner = aliased(frame.run.index, type_of(frame, operand))
    if owner is not None and owner[0] not in frame.run.index.folders:
        return sinks.builder_of(owner[0])
    if _is_reader(frame, name, call):
        return ""
    unknown = all(isinstance(alt, Text) and any(isinstance(a, Unknown) for a in alt.atoms) for alt in value)
    if not unknown or name not in sinks.BUILDER_METHODS:
        return ""
    libraries = [library for path in frame.file.imports.values() if (library := sinks.builder_of(path))]
    return libraries[0] if libraries else ""


def _is_reader(frame: Frame, name: str, call: Called) -> bool:
    """sqlx and its like: `db.Select(&rows, query)`, `db.Select(ctx, &rows, query)`, `db.Insert(ctx, …)`."""
    written = [frame.file.bytes(node) for node in call.nodes[:2]]
    if not written or written[0].startswith(b"&"):
        return bool(written)
    return name in _SHARED and sinks.is_context(written[0])


def root_link(frame: Frame, library: str, name: str, call: Called) -> Value | None:
    """The chain that a function of a builder's package starts; None where it builds no SQL."""
    if name not in _ROOTS_OF_BEEGO if library == "beego" else name in _SETUP:
        return None
    if name == "NewQueryBuilder":
        return (Chain("beego-builder", ()),)
    return _extended(frame, (Chain(library, ()),), name, call)


def start_link(frame: Frame, library: str, value: Value, name: str, call: Called) -> Value:
    """The chain that begins at a receiver of which nothing else is known: earlier calls are a hole."""
    fresh = name in sinks.BUILDER_ROOTS or (library == "gorm" and (name in DESTINATIONS or name == "Joins"))
    fresh = fresh or (library == "beego" and name.removesuffix("WithCtx") in BEEGO_STARTS)
    before = () if fresh else (Call(UNKNOWN_START, (value,), frame.origin(call.node)),)
    return link(frame, (Chain(library, (*before, *generic_link(frame, library, call))),), name, call)


def link(frame: Frame, value: Value, name: str, call: Called) -> Value:
    """The chain after one more call. At its end the SQL is the result and counts as used."""
    chains = tuple(alt if isinstance(alt, Chain) else _begin(alt) for alt in value)
    library = chains[0].library
    if library == "beego" and name.endswith("WithCtx"):
        name, call = name.removesuffix("WithCtx"), call._replace(nodes=call.nodes[1:], values=call.values[1:])
    extended = _extended(frame, chains, name, call)
    if library in _MUTABLE:
        _keep(frame, call, extended)
    ends = name in _TERMINALS_OF.get(library, ()) or (name in TERMINALS and name not in _LINKS_OF.get(library, ()))
    last = name not in _LAST_WORDS or any(chain.calls for chain in chains) or library in ("gorm", "pop", "beego")
    if ends and last:
        found = [alt for alt in extended if isinstance(alt, Chain)]
        for chain in found:
            note_rows(frame, chain, name)
            _use_loaded(frame, chain, call)
        extended = tuple(with_associations(frame, chain, call.node) for chain in found)
        frame.use(extended, call.node, f"query builder, {name}", Consumer.BUILDER)
        if name in _TEXTS or library == "sqlf":
            return frame.rendered(extended, call.node)
        if library == "beego":
            return frame.unknown("result of a query", call.node)
    return extended


def _keep(frame: Frame, call: Called, chain: Value) -> None:
    """`q.Where("a")` alone changes `q`."""
    node: Node | None = call.node
    operand = None
    while node is not None and node.type == "call_expression":
        function = node.child_by_field_name("function")
        operand = node = function.child_by_field_name("operand") if function is not None else None
        if not any(isinstance(alt, Chain) and alt.library == "beego-builder" for alt in chain):
            break  # what a session was asked is over when the next statement begins
    name = frame.file.text(operand) if operand is not None and operand.type == "identifier" else ""
    if any(isinstance(alt, Chain) for alt in (frame.get(name) or ()) if name):
        frame.assign(name, chain)


def _is_condition(alt: Alternative) -> bool:
    """`builder.Eq{…}`, which goes on with `.And(…)`."""
    return isinstance(alt, Entries) and alt.type.startswith("builder.")


def _begin(alt: Alternative) -> Chain:
    if isinstance(alt, Entries):
        return Chain("xorm", (Call("And", ((alt,),), ("", 0, 0)),))
    return Chain(sinks.builder_of(alt.path) if isinstance(alt, External) else "squirrel", ())


def _extended(frame: Frame, chains: tuple[Chain, ...], name: str, call: Called) -> Value:
    origin = frame.origin(call.node)
    library = chains[0].library if chains else ""
    if library == "beego":
        return beego_names.extended(frame, chains, name, call)
    left_out = name in _LEFT_OUT
    # a format is no statement before its verbs are filled
    for argument, node in zip(call.values, call.nodes, strict=False) if library != "sqlf" else ():
        value = left_out or _is_bound(library, name, call.values, argument)
        consumer, strength = (Consumer.TEXT, ASSEMBLED) if value else (Consumer.BUILDER, STORED)
        frame.use(argument, node, f"argument of {library or 'builder'} {name}", consumer, strength)
        for compared in _compared_with(argument):
            frame.use(compared, node, f"value in {library or 'builder'} {name}", Consumer.TEXT)
    if name in _THROUGH:
        return _through(frame, chains, call)
    step = Call(name, tuple(spread(call.values) if call.spread else call.values), origin)
    model = model_link(frame, library, name, call)
    return tuple(Chain(chain.library, (*chain.calls, *model, step)) for chain in chains[:MAX_ALTERNATIVES])


def _is_bound(library: str, name: str, arguments: Sequence[Value], argument: Value) -> bool:
    """Whether an argument of a link is a value, not a name or SQL."""
    first = arguments[0]
    if library == "squirrel" and name == "Values":
        return True
    if argument is first or library in _NAMES_IN_ARGUMENTS or name in _LISTS or not first:
        return False
    if library == "squirrel" and name == "Set":
        return True
    return all(isinstance(alt, Text) and _PLACEHOLDER.search(alt.data()) for alt in first)


def _compared_with(argument: Value) -> Iterator[Value]:
    """The texts that the columns of `sq.Eq{…}` and its like are compared with."""
    for alt in argument:
        if isinstance(alt, Entries) and alt.type.rpartition(".")[2] in COMPARISONS:
            for _, item in alt.pairs:
                yield tuple(part for part in item if isinstance(part, Text))


def _through(frame: Frame, chains: tuple[Chain, ...], call: Called) -> Value:
    """`db.Scopes(failed)`: functions that are given the chain and give it back."""
    value: Value = chains
    for argument in call.values:
        for alt in argument:
            found = tuple(link for link in _result(frame, alt, value, call.node) if isinstance(link, Chain))
            value = found or value
    return value


def _result(frame: Frame, function: Alternative, chain: Value, node: Node) -> Value:
    """What a function of the project makes of a chain."""
    if not isinstance(function, Function):
        return ()
    if function.declaration is None:
        results = apply(frame, function, [chain], [node], node)
    else:
        results = invoke(frame, function.declaration, Called(node, [node], [chain]), None, None) or []
    return results[0] if results else ()


def _use_loaded(frame: Frame, chain: Chain, call: Called) -> None:
    """`Preload("Phases", conditions)` makes a statement of its own, over the association's table."""
    for start, preload in loaded(frame, chain, call.node):
        functions = [alt for alt in preload.arguments[1] if isinstance(alt, Function)]
        found = [_result(frame, function, (start,), call.node) for function in functions]
        conditions = Call("Where", preload.arguments[1:], preload.origin)
        made: list[Value] = found or [(Chain(start.library, (*start.calls, conditions)),)]
        for value in made:
            frame.use(value, call.node, f"query builder, {preload.method}", Consumer.BUILDER)
