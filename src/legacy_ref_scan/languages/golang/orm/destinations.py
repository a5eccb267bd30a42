"""What a chain's structs say: the table of its model, the rows it is read into, the tables of its associations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from legacy_ref_scan.languages.golang.frame import Frame, TypeName
from legacy_ref_scan.languages.golang.orm.links import JOINED, MODEL_TABLE, WHOLE_ROWS
from legacy_ref_scan.languages.golang.orm.models import Models, alias_of
from legacy_ref_scan.languages.golang.orm.naming import underscored
from legacy_ref_scan.languages.golang.orm.statement import known_texts
from legacy_ref_scan.languages.golang.packages import Node
from legacy_ref_scan.languages.golang.stdlib import Called
from legacy_ref_scan.languages.golang.types import MAP, field_type, named_type, struct_fields, type_of
from legacy_ref_scan.languages.golang.values import Call, Chain, External, Value, made_up, union

MODEL_LIBRARIES = frozenset(("gorm", "bun", "xorm", "go-pg", "pop", "beego"))
DESTINATIONS = frozenset(
    "Find First Last Take Create Save Delete FirstOrCreate FirstOrInit FindInBatches Scan Get CreateInBatches Insert "
    "InsertOne Update Iterate FindAndCount Exist Exists Count Sum All UpdateQuery UpdateColumns Destroy".split()
)
"""Methods whose first argument is a model, in gorm with a condition behind it."""
_INTO = frozenset("Find First Last Take Scan Get FindInBatches FindAndCount".split())
BEEGO_STARTS = frozenset(
    "QueryTable Raw Read ReadForUpdate ReadOrCreate Insert InsertMulti InsertOrUpdate LoadRelated".split()
)
"""Methods of beego's ORM that begin a statement; `Update` and `Delete` are also those of a query."""
_OF_BEEGO = BEEGO_STARTS | frozenset(("Update", "Delete", "One", "All"))
_JOINS = frozenset(("Joins", "InnerJoins", "Relation"))
_LOADS = frozenset(("Preload", "Relation"))


def model_link(frame: Frame, library: str, name: str, call: Called) -> tuple[Call, ...]:
    """The table of the model that is a call's first argument, and the model."""
    if library not in MODEL_LIBRARIES or not call.nodes or not _names_model(library, name):
        return ()
    node = call.nodes[-1 if name in ("Scan", "InsertMulti") else 0]
    if library == "gorm" and name in _INTO and type_of(frame, node) == MAP:
        return (Call(WHOLE_ROWS, (), frame.origin(call.node)),)
    owner = _struct_of(frame, node)
    return _link_to(frame, library, owner, call.node) if owner is not None else ()


def _names_model(library: str, name: str) -> bool:
    if library in ("bun", "go-pg"):
        return name == "Model"
    if library == "beego":
        return name in _OF_BEEGO
    return name == "Model" or name in DESTINATIONS or (library == "xorm" and name == "Table")


def _alias(frame: Frame, library: str, owner: TypeName) -> tuple[Value, ...]:
    """The alias that bun and go-pg give the table of a model."""
    declarations = frame.run.index.lookup(*owner) if library in ("bun", "go-pg") else ()
    return tuple(made_up(alias_of(d).encode()) for d in declarations if struct_fields(d))[:1]


def generic_link(frame: Frame, library: str, call: Called) -> tuple[Call, ...]:
    """The model that `gorm.G[Phase](db)` names; the grammar reads it as a conversion to a generic type."""
    function = call.node.child_by_field_name("function")
    operand = function.child_by_field_name("operand") if function is not None else None
    kind = operand.child_by_field_name("type") if operand is not None else None
    if library != "gorm" or kind is None or kind.type != "generic_type":
        return ()
    arguments = kind.child_by_field_name("type_arguments")
    element = arguments.named_children[0] if arguments is not None and arguments.named_child_count else None
    inner = element.named_children[0] if element is not None and element.named_child_count else element
    owner = named_type(frame.run.index, frame.file, inner) if inner is not None else None
    owner = _element_of(frame, owner) if owner is not None else None
    return _link_to(frame, library, owner, call.node) if owner is not None else ()


def _struct_of(frame: Frame, node: Node) -> TypeName | None:
    """The struct of the project that an expression is of, a pointer to it or a list of it."""
    owner = type_of(frame, node)
    return _element_of(frame, owner) if owner is not None else None


def _element_of(frame: Frame, owner: TypeName, depth: int = 3) -> TypeName | None:
    """The struct itself, or the one that a named list (`type Phases []Phase`) is of."""
    for declaration in frame.run.index.lookup(*owner):
        if struct_fields(declaration):
            return owner
        kind = declaration.node.child_by_field_name("type") if declaration.kind == "type" else None
        if (
            kind is not None
            and kind.type in ("slice_type", "pointer_type", "type_identifier", "qualified_type")
            and depth
        ):
            inner = named_type(frame.run.index, declaration.file, kind)
            if inner is not None and inner != owner:
                return _element_of(frame, inner, depth - 1)
    return None


def _link_to(frame: Frame, library: str, owner: TypeName, node: Node) -> tuple[Call, ...]:
    value = _tables(frame, library, owner, node)
    alias = _alias(frame, library, owner)
    return (Call(MODEL_TABLE, (value, (External(*owner),), *alias), frame.origin(node)),) if value else ()


def _tables(frame: Frame, library: str, owner: TypeName, node: Node) -> Value:
    models = Models(frame.run)
    found = [t for d in frame.run.index.lookup(*owner) if struct_fields(d) for t in models.tables(d, library)]
    return union(made_up(t.encode()) if t else frame.unknown("table of a model", node) for t in found)


def note_rows(frame: Frame, chain: Chain, name: str) -> None:
    """Remembers that rows of a table are read into a struct that is not the table's own model."""
    models = [call for call in chain.calls if call.method == MODEL_TABLE]
    if name not in _INTO or not models or any(call.method in ("Select", "Pluck", "Joins") for call in chain.calls):
        return
    into, named = models[-1], [call for call in chain.calls if call.method == "Table" and call.arguments]
    sources = [
        call.arguments[0] for call in named or (models[:1] if models[0].arguments[1] != into.arguments[1] else [])
    ]
    structs = [alt for alt in into.arguments[1] if isinstance(alt, External)]
    for text in (text for value in sources for text in known_texts(value) if text):
        for struct in structs:
            key = (chain.library, struct.path, struct.name)
            frame.run.knowledge.rows.setdefault(key, set()).add(text.split()[0])


def with_associations(frame: Frame, chain: Chain, node: Node) -> Chain:
    """`Joins("Phase")` as a join with the association's table."""
    owner = _model_of(chain)
    if owner is None or not any(call.method in _JOINS for call in chain.calls):
        return chain
    calls = [
        _joined(frame, chain.library, owner, call, node) if call.method in _JOINS else call for call in chain.calls
    ]
    return replace(chain, calls=tuple(calls))


def loaded(frame: Frame, chain: Chain, node: Node) -> Iterator[tuple[Chain, Call]]:
    """For each `Preload("Phases", conditions)` the chain of the statement that it makes, and the call."""
    owner = _model_of(chain)
    if owner is None:
        return
    for call in chain.calls:
        if call.method in _LOADS and len(call.arguments) > 1:
            for path in known_texts(call.arguments[0]):
                value = _association(frame, chain.library, owner, path, node)
                if value:
                    link = Call(MODEL_TABLE, (value, ()), call.origin)
                    yield Chain(chain.library, (link,)), call


def _model_of(chain: Chain) -> TypeName | None:
    found = (call for call in chain.calls if call.method == MODEL_TABLE)
    first = next(found, None)
    structs = [alt for alt in first.arguments[1] if isinstance(alt, External)] if first is not None else []
    return (structs[0].path, structs[0].name) if structs else None


def _joined(frame: Frame, library: str, owner: TypeName, call: Call, node: Node) -> Call:
    names = (
        [text for text in known_texts(call.arguments[0]) if text.replace(".", "").isalnum()] if call.arguments else []
    )
    value = _association(frame, library, owner, names[0], node) if names else ()
    if not value:
        return call
    alias = names[0].replace(".", "__")
    if library in ("bun", "go-pg"):
        alias = "__".join(map(underscored, names[0].split(".")))
    return Call(JOINED, (value, made_up(alias.encode()), *call.arguments[1:]), call.origin)


def _association(frame: Frame, library: str, owner: TypeName, path: str, node: Node) -> Value:
    """The table at the end of a path of fields such as `Executions.Phase`."""
    current: TypeName | None = owner
    for field in path.split("."):
        current = field_type(frame.run.index, current, field) if current is not None else None
    return (
        _tables(frame, library, current, node) if current is not None and current[0] in frame.run.index.folders else ()
    )
