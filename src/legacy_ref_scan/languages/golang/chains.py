"""Query builders as values: each call of a chain is kept, and rendered to SQL where the chain is used."""

from __future__ import annotations

from legacy_ref_scan.languages.golang import sinks
from legacy_ref_scan.languages.golang.builders import DESTINATIONS, MODEL_LIBRARIES, MODEL_TABLE, UNKNOWN_START, spread
from legacy_ref_scan.languages.golang.frame import STORED, Frame
from legacy_ref_scan.languages.golang.orm.models import Models
from legacy_ref_scan.languages.golang.packages import Node
from legacy_ref_scan.languages.golang.stdlib import Called
from legacy_ref_scan.languages.golang.types import struct_fields, type_of
from legacy_ref_scan.languages.golang.values import (
    MAX_ALTERNATIVES,
    Call,
    Chain,
    External,
    Text,
    Unknown,
    Value,
    made_up,
    union,
)
from legacy_ref_scan.model import Consumer

TERMINALS = frozenset(
    "ToSql ToSQL MustSql MustSQL Sql String Exec ExecContext Query QueryContext QueryRow QueryRowContext Scan "
    "ScanContext ScanStruct ScanStructs ScanStructContext ScanStructsContext ScanVal ScanVals ScanValContext "
    "ScanValsContext Executor Rows All One Find First Last Take Count Pluck Create Save Updates Update UpdateColumn "
    "UpdateColumns Delete FirstOrCreate FirstOrInit FindInBatches Exists ScanAndCount Load LoadOne LoadContext "
    "LoadOneContext Row Get Iterate Cols Sum CountContext".split()
)
_SETUP = frozenset("Open New NewDB Register Connect NewQueryBuilder WithTimeout Dollar Question".split())
# These begin another statement when they come first and end the chain when they come last (gorm).
_LAST_WORDS = frozenset("Update Delete Count Pluck Cols Sum Get".split())


def is_chain(value: Value, name: str) -> bool:
    """The receiver of the method is a builder."""
    return any(
        isinstance(alt, Chain)
        or (isinstance(alt, External) and bool(sinks.builder_of(alt.path)) and name in sinks.BUILDER_METHODS)
        for alt in value
    )


def guess_library(frame: Frame, operand: Node, value: Value, name: str, call: Called) -> str:
    """The builder that a receiver belongs to: by its type, else by the method's name and the file's imports."""
    owner = type_of(frame, operand)
    if owner is not None and owner[0] not in frame.run.index.folders:
        return sinks.builder_of(owner[0])
    if call.nodes and frame.file.bytes(call.nodes[0]).startswith(b"&"):
        return ""  # sqlx: db.Select(&rows, query)
    unknown = all(isinstance(alt, Text) and any(isinstance(a, Unknown) for a in alt.atoms) for alt in value)
    if not unknown or name not in sinks.BUILDER_METHODS:
        return ""
    libraries = [library for path in frame.file.imports.values() if (library := sinks.builder_of(path))]
    return libraries[0] if libraries else ""


def root_link(frame: Frame, library: str, name: str, call: Called) -> Value | None:
    """The chain that a function of a builder's package starts; None where it builds no SQL."""
    if name in _SETUP:
        return None
    return _extended(frame, (Chain(library, ()),), name, call)


def start_link(frame: Frame, library: str, value: Value, name: str, call: Called) -> Value:
    """The chain that begins at a receiver of which nothing else is known: earlier calls are a hole."""
    fresh = name in sinks.BUILDER_ROOTS or (library == "gorm" and (name in DESTINATIONS or name == "Joins"))
    before = () if fresh else (Call(UNKNOWN_START, (value,), frame.origin(call.node)),)
    return link(frame, (Chain(library, before),), name, call)


def link(frame: Frame, value: Value, name: str, call: Called) -> Value:
    """The chain after one more call. At its end the SQL is the result and counts as used."""
    chains = tuple(alt if isinstance(alt, Chain) else _begin(alt) for alt in value)
    extended = _extended(frame, chains, name, call)
    last = name not in _LAST_WORDS or any(chain.calls for chain in chains) or chains[0].library == "gorm"
    if name in TERMINALS and last:
        frame.use(extended, call.node, f"query builder, {name}", Consumer.BUILDER)
        if name in ("ToSql", "ToSQL", "MustSql", "MustSQL", "Sql", "String"):
            return frame.rendered(extended, call.node)
    return extended


def _begin(alt: object) -> Chain:
    return Chain(sinks.builder_of(alt.path) if isinstance(alt, External) else "squirrel", ())


def _extended(frame: Frame, chains: tuple[Chain, ...], name: str, call: Called) -> Value:
    origin = frame.origin(call.node)
    for argument, node in zip(call.values, call.nodes, strict=False):
        library = chains[0].library if chains else "builder"
        frame.use(argument, node, f"argument of {library} {name}", Consumer.BUILDER, STORED)
    step = Call(name, tuple(spread(call.values) if call.spread else call.values), origin)
    model = _model(frame, chains[0].library if chains else "", name, call)
    return tuple(Chain(chain.library, (*chain.calls, *model, step)) for chain in chains[:MAX_ALTERNATIVES])


def _model(frame: Frame, library: str, name: str, call: Called) -> tuple[Call, ...]:
    """The table of the model that is a call's first argument."""
    if library not in MODEL_LIBRARIES or not call.nodes or not (name == "Model" or name in DESTINATIONS):
        return ()
    owner = type_of(frame, call.nodes[0])
    models = Models(frame.run)
    for declaration in frame.run.index.lookup(*owner) if owner is not None else ():
        tables = models.tables(declaration, library) if struct_fields(declaration) else ()
        if tables:
            value = union(made_up(t.encode()) if t else frame.unknown("table of a model", call.node) for t in tables)
            return (Call(MODEL_TABLE, (value,), frame.origin(call.node)),)
    return ()
