"""`//go:embed`: variables whose text is a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import join, normpath

from legacy_ref_scan.languages.golang.packages import Declaration, Index
from legacy_ref_scan.languages.golang.values import Known, Text, Value

DIRECTIVE = "//go:embed"
_TYPES = frozenset(("string", "[]byte"))
_PATTERN = re.compile(r"\"([^\"]*)\"|`([^`]*)`|(\S+)")


def embedded_text(index: Index, declaration: Declaration) -> Value | None:
    """The text of the file that a `string` or `[]byte` variable takes; None where there is no such directive.

    Such a variable has one pattern, which matches one file (the documentation of package embed, "Strings and Bytes").
    """
    kind = declaration.node.child_by_field_name("type")
    if declaration.kind != "var" or kind is None or declaration.file.text(kind) not in _TYPES:
        return None
    for path in _patterns(declaration):
        source = index.project.read(normpath(join(declaration.file.folder, path)))
        if source is not None:
            return (Text((Known(source.data, (source.path, 0, len(source.data))),)),)
    return None


def _patterns(declaration: Declaration) -> Iterator[str]:
    """What the comments right above a declaration ask for."""
    above = declaration.node
    while above.parent is not None and above.parent.type in ("var_declaration", "var_spec_list"):
        if above.prev_named_sibling is not None:
            break
        above = above.parent
    comment = above.prev_named_sibling
    while comment is not None and comment.type == "comment":
        written = declaration.file.text(comment)
        if written.startswith(DIRECTIVE):
            for match in _PATTERN.finditer(written, len(DIRECTIVE)):
                yield next(part for part in match.groups() if part is not None)
        comment = comment.prev_named_sibling


def embedding(index: Index) -> Iterator[tuple[Declaration, Text]]:
    """The project's variables of this kind with their text."""
    for source in index.project.containing("go", [DIRECTIVE]):
        for declaration in index.parse(source).in_order:
            for text in embedded_text(index, declaration) or ():
                if isinstance(text, Text):
                    yield declaration, text


def is_whole_file(text: Text) -> bool:
    """The text is a part of one SQL file, which is scanned as such."""
    first = text.atoms[0] if len(text.atoms) == 1 else None
    return isinstance(first, Known) and first.origin is not None and first.origin[0].endswith(".sql")
