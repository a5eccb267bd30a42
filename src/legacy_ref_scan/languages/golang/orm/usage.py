"""Whether a struct may be handed to gorm, by a look at the functions that name it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from legacy_ref_scan.languages.golang.packages import Declaration, GoFile, Index

_METHODS = (
    rb"\.(?:Model|Create|CreateInBatches|Save|Find|First|Last|Take|Scan|Delete|Updates|UpdateColumns|FirstOrCreate|"
    rb"FirstOrInit|FindInBatches|AutoMigrate|Association|Insert|Update|Upsert|Get|List)\("
)
_ASKS = re.compile(_METHODS)


def asks_for(index: Index, model: Declaration) -> bool:
    """Whether a function that calls a method as gorm has them makes or declares structs of a type, or hands one on."""
    return any(_in_file(file, name) for file, name in _naming(index, model))


def _naming(index: Index, model: Declaration) -> Iterator[tuple[GoFile, bytes]]:
    """The files that can name a struct, and how they write it."""
    own = model.name.encode()
    for file in index.files_with(model.file.folder, model.name):
        yield file, rb"(?<![.\w])" + own
    for source in index.importers(model.file.folder):
        if own in source.data:
            file = index.parse(source)
            names = (name for name, path in file.imports.items() if model.file.folder in index.resolve(path))
            yield from ((file, rb"(?<![.\w])" + name.encode() + rb"\s*\.\s*" + own) for name in names)


def _in_file(file: GoFile, name: bytes) -> bool:
    kept = rb"(?:&|\[\]\*?|\bnew\(\s*|\bvar\s+\w+\s+\*?(?:\[\]\*?)?|\[)" + name + rb"\b|" + name + rb"\s*\{"
    made, given = re.compile(kept), re.compile(rb"(\w+)\s+[*\[\]]*" + name + rb"\b")
    for declaration in file.in_order:
        block = declaration.node.child_by_field_name("body") if declaration.kind in ("func", "method") else None
        body = file.bytes(block) if block is not None else b""
        if block is None or not _ASKS.search(body):
            continue
        head = file.source.data[declaration.node.start_byte : block.start_byte]
        handed = (re.compile(_METHODS + rb"[^()]*\b" + match[1] + rb"\b") for match in given.finditer(head))
        if made.search(body) or any(pattern.search(body) for pattern in handed):
            return True
    return False
