"""ent: schemas written in Go, their tables, their fields and those of their mixins (entgo.io/docs/schema-fields)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from legacy_ref_scan.languages.golang.engine import enclosing
from legacy_ref_scan.languages.golang.orm.naming import gorm_name, plural
from legacy_ref_scan.languages.golang.packages import Declaration, GoFile, Index, Node
from legacy_ref_scan.languages.golang.places import Literal
from legacy_ref_scan.languages.golang.types import methods
from legacy_ref_scan.mentions import Names
from legacy_ref_scan.model import Claim, Explanation, Mapping, Mention, Span

_FIELD_PATHS = ("entgo.io/ent/schema/field", "github.com/facebook/ent/schema/field")
_TABLE = re.compile(rb'\bTable(?::\s*|\(\s*)"([^"]+)"')
_FIELDS_CALL = re.compile(rb'\bfield\.\w+\(\s*"([^"]+)"')
_STORAGE = re.compile(rb'\.\s*StorageKey\(\s*"([^"]+)"')
GENERATED_TABLE = re.compile(rb'(?m)^\s*Table\s*=\s*"([^"]+)"')
"""The constant of a generated package that names its table."""


class Schemas:
    """The schemas of a project."""

    def __init__(self, index: Index, names: Names) -> None:
        self._index, self._names = index, names

    def item(self, file: GoFile, literal: Literal, mention: Mention) -> Claim | Mapping | None:
        """A mention that is the name of a field in a schema's `Fields`; None for any other literal."""
        if mention.role != "column" or not any(path.startswith(_FIELD_PATHS) for path in file.imports.values()):
            return None
        owner = next((d for d in enclosing(file, literal.start) if d.kind == "method" and d.name == "Fields"), None)
        chain = _field_chain(file, literal.node) if owner is not None else None
        if owner is None or chain is None:
            return None
        column = _column(file, chain)
        span = Span(file.path, literal.start, literal.end)
        if column is None or not column.start_byte <= literal.start < column.end_byte:
            return Claim(span, Explanation.IDENTIFIER, "an ent field that is stored under another name")
        tables = list(self.tables(file, owner.receiver_type))
        known = [table for table in tables if table in self._names.tables]
        table = next(iter(known or tables), "")
        return Mapping(mention.span, mention.name, owner.receiver_type, "ent", table, file.source.test)

    def has(self, table: str, column: str) -> bool:
        """Whether a schema in the repository gives a table this column."""
        return (table, column) in self._columns

    def tables(self, file: GoFile, owner: str) -> Iterator[str]:
        """The table of a schema; of a mixin those of the schemas that mix it in."""
        schemas = list(self._mixing(file, owner))
        if not schemas:
            yield _table_of(self._index, file, owner)
        for other, name in schemas:
            yield _table_of(self._index, other, name)

    def _mixing(self, file: GoFile, mixin: str) -> Iterator[tuple[GoFile, str]]:
        """The schemas whose `Mixin` method names a mixin."""
        word = re.compile(rb"(?<!\w)" + mixin.encode() + rb"\s*\{")
        for source in self._index.holding((") Mixin() []",)):
            for method in self._index.parse(source).declarations.get("Mixin", ()) if word.search(source.data) else ():
                if word.search(method.file.bytes(method.node)):
                    yield method.file, method.receiver_type

    @cached_property
    def _columns(self) -> frozenset[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for source in self._index.holding((") Fields() []ent.Field",)):
            file = self._index.parse(source)
            for method in file.declarations.get("Fields", ()):
                names = {*_FIELDS_CALL.findall(file.bytes(method.node)), *_STORAGE.findall(file.bytes(method.node))}
                for table in self.tables(file, method.receiver_type):
                    found |= {(table, name.decode("utf-8", "replace")) for name in names}
        return frozenset(found)


def _table_of(index: Index, file: GoFile, owner: str) -> str:
    """The table in the annotations or the configuration of a schema, else the plural of its name."""
    for name in ("Annotations", "Config"):
        for method in methods(index, (file.folder, owner), name):
            found = _table_in(index, method)
            if found:
                return found
    return _generated_table(index, owner) or plural(gorm_name(owner))


def _generated_table(index: Index, owner: str) -> str:
    """The table in the package that ent generated for a schema, which is called like it."""
    name = owner.lower()
    for folder in (folder for folder in index.folders if folder.rpartition("/")[2] == name):
        source = index.project.read(f"{folder}/{name}.go")
        found = GENERATED_TABLE.search(source.data) if source is not None else None
        if found:
            return found[1].decode("utf-8", "replace")
    return ""


def _table_in(index: Index, method: Declaration) -> str:
    text = method.file.bytes(method.node)
    written = _TABLE.search(text)
    if written:
        return written[1].decode("utf-8", "replace")
    named = re.search(rb"\bTable(?::\s*|\(\s*)(\w+)", text)
    for constant in index.in_package(method.file, named[1].decode()) if named else ():
        value = re.search(rb'"([^"]+)"', constant.file.bytes(constant.node))
        if value:
            return value[1].decode("utf-8", "replace")
    return ""


def _field_chain(file: GoFile, node: Node | None) -> Node | None:
    """The whole `field.String("x").Optional()…` around a literal that is an argument of one of its calls."""
    found: Node | None = None
    current = node
    while current is not None and current.type not in ("literal_element", "block", "literal_value"):
        if current.type == "call_expression" and file.bytes(current).startswith(b"field."):
            found = current
        current = current.parent
    return found


def _column(file: GoFile, chain: Node) -> Node | None:
    """The node of the literal that names the column: of the storage key, else of the field."""
    last: Node | None = None
    current: Node | None = chain
    while current is not None and current.type == "call_expression":
        function, arguments = current.child_by_field_name("function"), current.child_by_field_name("arguments")
        name = function.child_by_field_name("field") if function is not None else None
        inner = function.child_by_field_name("operand") if function is not None else None
        literal = arguments.named_children[0] if arguments is not None and arguments.named_child_count else None
        if name is not None and file.bytes(name) == b"StorageKey" and literal is not None:
            return literal
        last, current = literal, inner
    return last
