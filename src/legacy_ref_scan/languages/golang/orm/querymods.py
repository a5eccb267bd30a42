"""SQLBoiler: calls whose arguments are query mods, such as `models.Phases(qm.Where(…), qm.OrderBy(…))`."""

from __future__ import annotations

import re

from legacy_ref_scan.languages.golang.frame import Frame
from legacy_ref_scan.languages.golang.orm.links import MODEL_TABLE
from legacy_ref_scan.languages.golang.orm.naming import gorm_name
from legacy_ref_scan.languages.golang.orm.sqlboiler import LIBRARY, mods_in
from legacy_ref_scan.languages.golang.packages import Node
from legacy_ref_scan.languages.golang.stdlib import Called
from legacy_ref_scan.languages.golang.values import EMPTY, Call, Chain, Value, made_up
from legacy_ref_scan.model import Consumer

_FROM = re.compile(rb'\.From\("\\?"?([\w.]+(?:\\"\.\\"[\w]+)?)')


def gathered(frame: Frame, call: Called) -> Called:
    """A call whose arguments are query mods uses them as one statement; they are no arguments of their own then."""
    mods = [mod for value in call.values for mod in mods_in(value)]
    function = call.node.child_by_field_name("function")
    name = function.child_by_field_name("field") if function is not None else None
    if not mods or _is_mod(frame, function):
        return call
    table = _table(frame, function, frame.file.text(name) if name is not None else "")
    start = (Call(MODEL_TABLE, (made_up(table.encode()),), frame.origin(call.node)),) if table else ()
    whole: Value = (Chain(LIBRARY, (*start, *(link for mod in mods for link in mod.calls))),)
    frame.use(whole, call.node, "query mods", Consumer.BUILDER)
    kept = [EMPTY if any(True for _ in mods_in(value)) else value for value in call.values]
    return Called(call.node, call.nodes, kept)


def _is_mod(frame: Frame, function: Node | None) -> bool:
    """`qm.Or2(qm.Where(…))` is a mod itself, and so is a list of mods that grows."""
    if function is None:
        return False
    if function.type == "identifier":
        return frame.file.bytes(function) == b"append"
    operand = function.child_by_field_name("operand")
    path = frame.file.imports.get(frame.file.text(operand), "") if operand is not None else ""
    return path.endswith("/queries/qm")


def _table(frame: Frame, function: Node | None, name: str) -> str:
    """The table that a generated function asks: written in it, else by its name."""
    operand = function.child_by_field_name("operand") if function is not None else None
    path = frame.file.imports.get(frame.file.text(operand)) if operand is not None else None
    for declaration in frame.run.index.exported(path, name) if path else ():
        found = _FROM.search(declaration.file.bytes(declaration.node))
        if found:
            return found[1].replace(b'\\"', b"").decode("utf-8", "replace")
    return "" if name in ("NewQuery", "") else gorm_name(name)
