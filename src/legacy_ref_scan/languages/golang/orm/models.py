"""Models: the structs that an ORM maps to a table, their tables and columns, embedded structs included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from legacy_ref_scan.languages.golang import sinks
from legacy_ref_scan.languages.golang.frame import Frame, Run, TypeName
from legacy_ref_scan.languages.golang.inline import bind_receiver, declare_parameter, parameters, run_body
from legacy_ref_scan.languages.golang.orm.boiled import boiled_table
from legacy_ref_scan.languages.golang.orm.naming import column_names, gorm_name, table_name, underscored
from legacy_ref_scan.languages.golang.orm.settings import Settings
from legacy_ref_scan.languages.golang.orm.tagvalues import LIBRARY_OF_KEY, PAIR, UNTAGGED, Tag, parse
from legacy_ref_scan.languages.golang.orm.usage import asks_for
from legacy_ref_scan.languages.golang.packages import Declaration, GoFile, Index, Node
from legacy_ref_scan.languages.golang.types import methods, named_type, struct_fields
from legacy_ref_scan.languages.golang.values import Text
from legacy_ref_scan.model import Access, Gap, Mapping, Span

# These put every mapped field into the statements that they make.
LIBRARIES = frozenset(("gorm", "bun", "xorm", "go-pg", "reform", "beego"))
_BY_IMPORT = frozenset(("gorm", "xorm"))  # they need no tag
_MARKERS = {
    ("gorm.io/gorm", "Model"): "gorm",
    ("github.com/jinzhu/gorm", "Model"): "gorm",
    ("github.com/uptrace/bun", "BaseModel"): "bun",
}
_GORM_MODEL = ("id", "created_at", "updated_at", "deleted_at")
_EMBEDDED_DEPTH = 5
_POP = ("github.com/gobuffalo/pop", "github.com/ory/pop")
_REL = ("github.com/go-rel/rel",)
_TABLE_IN_TAG = re.compile(rb'(?:table:|pg:"|sql:")([\w.]+)')
_REFORM = re.compile(rb"//\s*reform:([\w.]+)")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a model, at the field that maps it; `names` holds several where a setting of the library decides."""

    names: frozenset[str]
    span: Span
    owner: str
    accesses: tuple[Access, ...]
    test: bool


class Models:
    """Models as one scan sees them; what was found out is kept in the run's knowledge."""

    def __init__(self, run: Run) -> None:
        self._run, self._index = run, run.index
        self._settings = Settings(run.index)

    def mappings(self, file: GoFile) -> Iterator[Mapping]:
        """Fields of the models in a file whose column is a target's."""
        for declaration in file.in_order:
            library = self.library(declaration) if struct_fields(declaration) else ""
            if library:
                yield from self.mapped(declaration, library, self.tables(declaration, library))

    def mapped(
        self,
        declaration: Declaration,
        library: str,
        tables: tuple[str, ...],
        accesses: tuple[Access, ...] | None = None,
    ) -> Iterator[Mapping]:
        """The fields of a struct that map a target's column, for the tables that the struct may be of."""
        table = self._telling(tables)
        for column in self.columns(declaration, library):
            name = next(iter(sorted(column.names & self._run.names.columns)), "")
            if name:
                found = accesses if accesses is not None else column.accesses
                yield Mapping(column.span, name, column.owner, library, table, column.test, found)
        yield from self._joins(declaration, library)

    def _telling(self, tables: tuple[str, ...]) -> str:
        """The one table to report: a target's before an unknown one before another."""
        wanted = [table for table in tables if table.rpartition(".")[2] in self._run.names.tables]
        return wanted[0] if wanted else ("" if "" in tables else next(iter(tables), ""))

    # -- which library -------------------------------------------------------------------------------------------

    def library(self, declaration: Declaration) -> str:
        """The library that a struct is a model of; "" for a struct that no library is known to map."""
        if declaration.kind != "type":
            return ""
        file = declaration.file
        found = _by_fields(self._index, declaration)
        if found == "beego" and not self._settings.uses_beego:
            return ""
        if found == "db":
            return self._by_table_name(declaration)
        if found == "sqlboiler":
            return found if boiled_table(file, declaration.name) else ""
        if found:
            return found
        imported = {sinks.builder_of(path) for path in file.imports.values()} & LIBRARIES
        if len(imported) == 1 and imported <= _BY_IMPORT:
            return imported.pop()
        if self._settings.registers(declaration.file.folder, declaration.name):
            return "beego"
        return self._plain(declaration)

    def _by_table_name(self, declaration: Declaration) -> str:
        """A struct with `db` tags: pop maps all of them, and so may code that reads tags and calls `TableName`."""
        if self._settings.uses(_POP):
            return "pop"
        if self._is_of_rel(declaration):
            return "rel"
        named = methods(self._index, (declaration.file.folder, declaration.name), "TableName")
        return "reflection" if named and self._settings.reads_tags else ""

    def _plain(self, declaration: Declaration) -> str:
        """gorm needs neither a tag nor an import: a struct that its naming maps to the target's table may be one.

        Where another struct surely is the table's model, one of that name elsewhere (what an API takes or gives) is one
        only if some function that asks a database makes, declares or lists such structs.
        """
        if self._is_of_rel(declaration):
            return "rel"
        if not self._settings.uses_gorm or not self._maps_target(declaration):
            return ""
        named = methods(self._index, (declaration.file.folder, declaration.name), "TableName")
        return "gorm" if named or not self._has_sure_model or asks_for(self._index, declaration) else ""

    def _is_of_rel(self, declaration: Declaration) -> bool:
        """REL maps any struct: by its `Table` method, else by its name (go-rel.github.io, "Conventions")."""
        return self._settings.uses(_REL) and self._maps_target(declaration, "rel")

    def _maps_target(self, declaration: Declaration, library: str = "gorm") -> bool:
        tables = self.tables(declaration, library)
        return any(table.rpartition(".")[2] in self._run.names.tables for table in tables)

    @cached_property
    def _has_sure_model(self) -> bool:
        """Whether a struct with gorm's tags, or in a file that imports gorm, is mapped to a target's table."""
        files = (self._index.parse(source) for source in self._index.project.candidates("go") if not source.test)
        return any(
            self._is_surely_gorm(declaration) and self._maps_target(declaration)
            for file in files
            for declaration in file.in_order
            if struct_fields(declaration)
        )

    def _is_surely_gorm(self, declaration: Declaration) -> bool:
        file = declaration.file
        imported = any(sinks.builder_of(path) == "gorm" for path in file.imports.values())
        return imported or _by_fields(self._index, declaration) == "gorm"

    # -- which table ---------------------------------------------------------------------------------------------

    def tables(self, declaration: Declaration, library: str) -> tuple[str, ...]:
        """The tables of a model: its `TableName` method, a tag, else the naming strategy; "" stands for unknown."""
        known = self._run.knowledge.tables
        key = (declaration.key, library)
        if key not in known:
            known[key] = ()  # a method that asks for its own table
            known[key] = tuple(dict.fromkeys(self._tables(declaration, library)))
        return known[key]

    def _tables(self, declaration: Declaration, library: str) -> Iterator[str]:
        if library == "sqlboiler":
            yield boiled_table(declaration.file, declaration.name)
            return
        written = self._by_method(declaration, "Table" if library == "rel" else "TableName")
        tagged = _tagged_table(declaration)
        if written:
            yield from written
        elif tagged:
            yield tagged
        else:
            plain = table_name(library, declaration.name)
            yield from self._settings.tables(library, declaration.name, plain, gorm_name(declaration.name))

    def _by_method(self, declaration: Declaration, name: str) -> list[str]:
        found: list[str] = []
        for method in methods(self._index, (declaration.file.folder, declaration.name), name):
            found += self._returned(method)
        return found

    def _returned(self, method: Declaration) -> Iterator[str]:
        """What a method without arguments can return, as the interpreter sees it."""
        body = method.node.child_by_field_name("body")
        if body is None:
            return
        run = self._run
        quiet = Run(run.index, run.names, run.matters, run.knowledge, run.machine, muted=1)
        frame = Frame(quiet, method.file, method.symbol, declaration=method)
        for parameter in parameters(method.node):
            declare_parameter(frame, parameter, frame.unknown(f"parameter {parameter.name}", parameter.node))
        bind_receiver(frame, method, None)
        for alt in next(iter(run_body(frame, method.node, body)), ()):
            yield alt.data().decode("utf-8", "replace") if isinstance(alt, Text) and alt.known else ""

    # -- which columns -------------------------------------------------------------------------------------------

    def columns(self, declaration: Declaration, library: str) -> Iterator[Column]:
        """Every column of a struct, those of embedded structs with their prefix."""
        return self._columns(declaration, library, "", None, 0)

    def _columns(
        self, declaration: Declaration, library: str, prefix: str, at: Span | None, depth: int
    ) -> Iterator[Column]:
        for field in struct_fields(declaration):
            tag, where = tag_of(declaration.file, field, library)
            if tag.skipped:
                continue
            names = field.children_by_field_name("name")
            if tag.embedded or not names:
                yield from self._embedded(declaration, field, library, prefix + tag.prefix, at, depth)
            if not tag.relation and (not tag.embedded or library == "go-pg"):
                yield from self._own(declaration, names, library, prefix, tag, where, at)

    def _own(
        self,
        declaration: Declaration,
        names: list[Node],
        library: str,
        prefix: str,
        tag: Tag,
        where: Span | None,
        at: Span | None,
    ) -> Iterator[Column]:
        file = declaration.file
        for name in names:
            if not file.text(name)[:1].isupper():
                continue  # reflection cannot set it
            span = where or Span(file.path, name.start_byte, name.end_byte)
            columns = frozenset(column + tag.suffix for column in column_names(library, file.text(name)))
            if tag.column is not None:
                columns = frozenset((tag.column[1].decode("utf-8", "replace"),))
            prefixed = frozenset(prefix + column for column in columns)
            yield Column(prefixed, at if at and prefix else span, declaration.name, tag.accesses, file.source.test)

    def _embedded(
        self, declaration: Declaration, field: Node, library: str, prefix: str, at: Span | None, depth: int
    ) -> Iterator[Column]:
        """The columns of an embedded struct; with a prefix they belong to the place that embeds it."""
        file, kind = declaration.file, field.child_by_field_name("type")
        named = named_type(self._index, file, kind) if kind is not None else None
        if named is None or depth >= _EMBEDDED_DEPTH:
            return
        place = at or Span(file.path, field.start_byte, field.end_byte)
        if _MARKERS.get(named) == "gorm":
            for name in _GORM_MODEL:
                both = (Access.READ, Access.WRITE)
                yield Column(frozenset((prefix + name,)), place, declaration.name, both, file.source.test)
        for inner in self._structs(named):
            yield from self._columns(inner, library, prefix, place, depth + 1)

    def unseen(self, file: GoFile) -> Iterator[Gap]:
        """Structs that models of a target's table embed from modules that are not here: they may have the column."""
        for declaration in file.in_order:
            library = self.library(declaration) if struct_fields(declaration) else ""
            table = self._telling(self.tables(declaration, library)) if library else ""
            if table.rpartition(".")[2] not in self._run.names.tables:
                continue
            for owner, field, named in self._embedded_elsewhere(declaration, library, 0):
                what = f"{named[0].rpartition('/')[2]}.{named[1]}"
                message = f"{library} maps {declaration.name}, and the columns of {what}, which it embeds, are not here"
                span = Span(owner.file.path, field.start_byte, field.end_byte)
                yield Gap(span, "unknown-mapping", message, declaration.name, owner.file.source.test)

    def _embedded_elsewhere(
        self, declaration: Declaration, library: str, depth: int
    ) -> Iterator[tuple[Declaration, Node, TypeName]]:
        for field in struct_fields(declaration):
            tag, _ = tag_of(declaration.file, field, library)
            kind = field.child_by_field_name("type")
            named = named_type(self._index, declaration.file, kind) if kind is not None else None
            embeds = tag.embedded or not field.children_by_field_name("name")
            if named is None or tag.skipped or not embeds or depth >= _EMBEDDED_DEPTH:
                continue
            if named[0] in self._index.folders:
                for inner in self._structs(named):
                    yield from self._embedded_elsewhere(inner, library, depth + 1)
            elif named not in _MARKERS and "." in named[0].partition("/")[0] and not sinks.builder_of(named[0]):
                yield declaration, field, named

    def _structs(self, named: TypeName) -> Iterator[Declaration]:
        yield from (d for d in self._index.lookup(*named) if struct_fields(d))

    def _joins(self, declaration: Declaration, library: str) -> Iterator[Mapping]:
        """The table of a many-to-many association, which no struct declares: its columns are named for the structs."""
        for field in struct_fields(declaration) if library == "gorm" else ():
            tag, _ = tag_of(declaration.file, field, library)
            kind = field.child_by_field_name("type")
            other = named_type(self._index, declaration.file, kind) if kind is not None else None
            if tag.join and other is not None and tag.join in self._run.names.tables:
                span = Span(declaration.file.path, field.start_byte, field.end_byte)
                test = declaration.file.source.test
                for name in {f"{gorm_name(declaration.name)}_id", f"{gorm_name(other[1])}_id", *_join_keys(field)}:
                    if name in self._run.names.columns:
                        yield Mapping(span, name, declaration.name, library, tag.join, test)


def _join_keys(field: Node) -> list[str]:
    tag = (field.child_by_field_name("tag") or field).text or b""
    return [
        gorm_name(key.decode("utf-8", "replace"))
        for key in re.findall(rb"(?i)join(?:ForeignKey|References):(\w+)", tag)
    ]


def tag_of(file: GoFile, field: Node, library: str) -> tuple[Tag, Span | None]:
    """A field's tag for a library, and where it names the column."""
    node = field.child_by_field_name("tag")
    key = {"pop": "db", "reflection": "db", "upper": "db", "rel": "db"}.get(library, library)
    for match in PAIR.finditer(file.source.data, node.start_byte + 1, node.end_byte - 1) if node is not None else ():
        if LIBRARY_OF_KEY.get(match[1]) == key:
            tag = parse(key, match[2])
            if library == "pop" and node is not None and b'rw:"r"' in file.bytes(node):
                tag = replace(tag, accesses=(Access.READ,))
            if tag.column is None:
                return tag, None
            start = match.start(2) + tag.column[0]
            return tag, Span(file.path, start, start + len(tag.column[1]))
    untagged = library in ("reform", "reflection", "sqlboiler", "pop")  # they map only what has a tag
    return (Tag(skipped=bool(field.children_by_field_name("name"))) if untagged else UNTAGGED), None


def alias_of(declaration: Declaration) -> str:
    """The alias of a model of bun or go-pg: in the tag of its base, else its name."""
    for field in struct_fields(declaration):
        tag = field.child_by_field_name("tag")
        found = re.search(rb"\balias:(\w+)", declaration.file.bytes(tag)) if tag is not None else None
        if found:
            return found[1].decode()
    return underscored(declaration.name)


def _tagged_table(declaration: Declaration) -> str:
    """The table in the tag of a nameless field (`bun.BaseModel`), of go-pg's `tableName`, or before the struct."""
    file = declaration.file
    for field in struct_fields(declaration):
        tag = field.child_by_field_name("tag")
        names = [file.bytes(name) for name in field.children_by_field_name("name")]
        found = _TABLE_IN_TAG.search(file.bytes(tag)) if tag is not None else None
        if found and names in ([], [b"tableName"], [b"_"]):
            return found[1].decode("utf-8", "replace")
    before = file.source.data[max(0, declaration.node.start_byte - 300) : declaration.node.start_byte]
    magic = list(_REFORM.finditer(before))
    return magic[-1][1].decode("utf-8", "replace") if magic and b"}" not in before[magic[-1].end() :] else ""


@lru_cache(maxsize=4096)
def _by_fields(index: Index, declaration: Declaration) -> str:
    """The library of which the tags and the embedded structs are; "db" for tags that several libraries read."""
    file, plain = declaration.file, ""
    for field in struct_fields(declaration):
        tag = field.child_by_field_name("tag")
        for match in PAIR.finditer(file.bytes(tag) if tag is not None else b""):
            library = LIBRARY_OF_KEY.get(match[1], "")
            if library in LIBRARIES or library == "sqlboiler":
                return library
            plain = "db" if library == "db" or match[1] == b"protobuf" else plain
        kind = field.child_by_field_name("type")
        named = named_type(index, file, kind) if kind is not None else None
        if named in _MARKERS:
            return _MARKERS[named]
    return plain
