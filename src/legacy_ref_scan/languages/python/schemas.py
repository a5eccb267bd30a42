"""JSON schemas written as dicts: their keys say what a document looks like, and are no columns."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from legacy_ref_scan.languages.python.models import literal_text
from legacy_ref_scan.languages.python.module import Module, children

_PROPERTIES = re.compile(rb"""['"]properties['"]""")


def schema_keys(module: Module) -> Iterator[cst.SimpleString]:
    """The literal keys of the dicts of a file that are the schema of an object, and of all dicts inside them."""
    stack: list[cst.CSTNode] = [module.tree] if _PROPERTIES.search(module.source.data) else []
    while stack:
        node = stack.pop()
        if isinstance(node, cst.Dict) and _is_schema(module, node):
            yield from _keys(node)
        else:
            stack += children(node)


def _is_schema(module: Module, node: cst.Dict) -> bool:
    """JSON Schema, "Validation of objects": `{"type": "object", "properties": {…}}`."""
    known = {
        literal_text(module, element.key): element.value
        for element in node.elements
        if isinstance(element, cst.DictElement) and isinstance(element.key, cst.SimpleString)
    }
    kind = known.get("type")
    is_object = isinstance(kind, cst.SimpleString) and literal_text(module, kind) == "object"
    return is_object and isinstance(known.get("properties"), cst.Dict)


def _keys(node: cst.CSTNode) -> Iterator[cst.SimpleString]:
    stack = [node]
    while stack:
        at = stack.pop()
        if isinstance(at, cst.DictElement) and isinstance(at.key, cst.SimpleString):
            yield at.key
        stack += children(at)
