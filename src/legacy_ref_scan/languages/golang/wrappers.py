"""Functions and methods that a rule names as sinks of SQL."""

from __future__ import annotations

from legacy_ref_scan.languages.golang.frame import STORED, Frame, TypeName
from legacy_ref_scan.languages.golang.inline import parameters
from legacy_ref_scan.languages.golang.packages import Declaration
from legacy_ref_scan.languages.golang.stdlib import Called
from legacy_ref_scan.model import Consumer, Sink


def function_sinks(frame: Frame, path: str, name: str) -> list[Sink]:
    """The sinks that a function of an import path (or of a folder of the project) is."""
    sinks = frame.run.index.project.sinks
    return [sink for sink in sinks if not sink.method and sink.name == name and _declares(frame, sink, path)]


def method_sinks(frame: Frame, owner: TypeName | None, name: str) -> list[Sink]:
    """The sinks that a method is; one whose receiver is not known could be any of that name."""
    sinks = (sink for sink in frame.run.index.project.sinks if sink.method and sink.name == name)
    return [sink for sink in sinks if not sink.package or owner is None or _declares(frame, sink, owner[0])]


def declared_sinks(frame: Frame, declared: list[Declaration]) -> list[Sink]:
    """The sinks among functions and methods of the project."""
    if not frame.run.index.project.sinks:
        return []
    found: dict[Sink, None] = {}
    for one in declared:
        folder = one.file.folder
        every = function_sinks(frame, folder, one.name) if one.kind == "func" else method_sinks(
            frame, (folder, one.receiver_type), one.name
        )  # fmt: skip
        found.update(dict.fromkeys(every))
    return list(found)


def _declares(frame: Frame, sink: Sink, where: str) -> bool:
    return where == sink.package or where in frame.run.index.resolve(sink.package)


def hand_over(frame: Frame, sinks: list[Sink], call: Called, declared: list[Declaration], label: str) -> None:
    """Record what sinks get. A parameter's name is looked up in the declaration; without one any argument counts."""
    for sink in sinks:
        for position, (value, node) in enumerate(zip(call.values, call.nodes, strict=False)):
            if _takes(sink, position, declared):
                frame.use(value, node, f"argument of {label}, a sink of the rule", Consumer.SQL)
            else:
                frame.use(value, node, f"argument of {label}", strength=STORED)


def _takes(sink: Sink, position: int, declared: list[Declaration]) -> bool:
    if isinstance(sink.argument, int):
        return position == sink.argument - 1
    names = [parameter.name for declaration in declared[:1] for parameter in parameters(declaration.node)]
    if sink.argument not in names:
        return True
    wanted = names.index(sink.argument)
    return position == wanted or (wanted == len(names) - 1 and position > wanted)
