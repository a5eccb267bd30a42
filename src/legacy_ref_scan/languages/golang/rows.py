"""Which struct takes the rows of which query, `Get(&x, q)`, and which gives its fields to one, `NamedExec(q, x)`."""

from __future__ import annotations

from legacy_ref_scan.languages.golang.frame import Frame, TypeName
from legacy_ref_scan.languages.golang.packages import Node
from legacy_ref_scan.languages.golang.stdlib import Called
from legacy_ref_scan.languages.golang.types import type_of, type_of_node
from legacy_ref_scan.languages.golang.values import Unknown, Value, texts

_BY_NAME = frozenset(
    "RowToStructByName RowToStructByNameLax RowToAddrOfStructByName RowToAddrOfStructByNameLax".split()
)
# Functions and methods that fill a struct from rows that another call has asked for.
_FILLS = frozenset(
    "CollectRows CollectOneRow CollectExactlyOneRow AppendRows StructScan ScanAll ScanOne ScanRow".split()
)


def of_query(frame: Frame, arguments: Called, query: int, name: str) -> None:
    """A call runs a query: what stands before it is filled with the rows, or its result gives them to another call.

    A struct behind it gives its fields to the named parameters of the query, where the call has these.
    """
    if frame.run.muted:
        return
    asked = frozenset(text.data() for text in texts(arguments.values[query]))
    frame.run.knowledge.asked.setdefault(frame.origin(arguments.node), set()).update(asked)
    for node in arguments.nodes[:query]:
        _note(frame, frame.run.knowledge.filled, _struct_behind(frame, node), asked)
    for node in arguments.nodes[query + 1 :] if "Named" in name else ():
        _note(frame, frame.run.knowledge.given, type_of(frame, node), asked)


def of_rows(frame: Frame, name: str, arguments: Called, receiver: Value = ()) -> None:
    """A call that fills a struct takes rows that a query gave: as its receiver, or as an argument."""
    if name not in _FILLS or frame.run.muted:
        return
    values = (receiver, *arguments.values)
    holes = [text.only for value in values for text in texts(value) if isinstance(text.only, Unknown)]
    known = [frame.run.knowledge.asked[hole.origin] for hole in holes if hole.origin in frame.run.knowledge.asked]
    asked = frozenset(text for group in known for text in group) or frozenset((b"",))
    for node in arguments.nodes:
        struct = _struct_behind(frame, node) or _type_argument(frame, node)
        _note(frame, frame.run.knowledge.filled, struct, asked)


def _struct_behind(frame: Frame, node: Node) -> TypeName | None:
    """The type of `&x`: only what is handed over as a pointer can be filled."""
    pointer = node.type == "unary_expression" and frame.file.bytes(node)[:1] == b"&"
    return type_of(frame, node) if pointer or node.type == "identifier" else None


def _type_argument(frame: Frame, node: Node) -> TypeName | None:
    """T of `pgx.RowToStructByName[T]`."""
    operand, index = node.child_by_field_name("operand"), node.child_by_field_name("index")
    if node.type != "index_expression" or operand is None or index is None:
        return None
    if frame.file.text(operand).rpartition(".")[2] not in _BY_NAME:
        return None
    if index.type != "identifier":
        return type_of_node(frame, index)
    written = (frame.file.folder, frame.file.text(index))
    return frame.generics.get(written, written)


def _note(frame: Frame, known: dict[TypeName, set[bytes]], struct: TypeName | None, asked: frozenset[bytes]) -> None:
    if struct is not None and struct[0] in frame.run.index.folders:
        known.setdefault((struct[0], struct[1]), set()).update(asked)
