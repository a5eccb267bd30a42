"""Go files, their declarations and imports, and how an import path leads to a folder of the project."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from posixpath import dirname, join, normpath

import tree_sitter
import tree_sitter_go

from legacy_ref_scan.languages import Project
from legacy_ref_scan.languages.golang.lexer import Token, tokens
from legacy_ref_scan.model import SourceFile

Node = tree_sitter.Node

_MODULE = re.compile(r"(?m)^\s*module\s+\"?([^\s\"]+)")
_REPLACE = re.compile(r"(?m)^\s*(?:replace\s+)?(\S+)(?:\s+v\S+)?\s*=>\s*(\.{1,2}/\S*)")
_WORD = re.compile(rb"[\w\x80-\xff]+")
_VERSION = re.compile(r"v\d+$")
_LONG_PREFIX = 1000
# What stands before a top-level name on its line where it is declared, and in many places more: nothing, a keyword, a
# receiver (its end, where that spans lines), other names of a list.
_BEFORE_NAME = re.compile(
    rb"(?:.*(?:;|\*/|\b(?:const|var|type)[ \t]*\())?[ \t]*"
    rb"(?:(?:func\b[ \t]*)?(?:\(.*)?\)[ \t]*|(?:func|const|var|type)[ \t]+)?(?:[\w\x80-\xff]+[ \t]*,[ \t]*)*"
)


@lru_cache(maxsize=1)
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_go.language()))


_NEW = re.compile(rb"(?<![\w.])new\(")
_NEW_VALUE = re.compile(rb"(?<![\w.])new\((?=\s*(?:[\d\"`'&!-]|[\w.\[\]]+\())")
_NEAR = 400


def parsed(data: bytes) -> tree_sitter.Tree:
    """The tree of a file.

    The grammar takes `new(x)` for a type in parentheses, as it was until Go 1.26, and stumbles over an expression
    there. Written as any other call, of the same length, it can be read.
    """
    tree = _parser().parse(data)
    if not (tree.root_node.has_error and _NEW.search(data)):
        return tree
    errors = list(_errors(tree))
    calls = [match.start() for match in _NEW.finditer(data)]
    before = {calls[at - 1] for error in errors if (at := bisect_right(calls, error)) and error - calls[at - 1] < _NEAR}
    before.update(match.start() for match in _NEW_VALUE.finditer(data))
    changed = bytearray(data)
    for start in before:
        changed[start : start + 3] = b"neW"
    again = _parser().parse(bytes(changed))
    return again if len(list(_errors(again))) < len(errors) else tree


def _errors(tree: tree_sitter.Tree) -> Iterator[int]:
    """Where the grammar stumbled."""
    stack = [tree.root_node]
    while stack:
        node = stack.pop()
        if node.type == "ERROR" or node.is_missing:
            yield node.start_byte
        elif node.has_error:
            stack.extend(node.children)


@dataclass(frozen=True, eq=False)
class Declaration:
    """A top-level name. `kind`: "const", "var", "func", "method", "type".

    `node` is the const_spec, var_spec, type_spec or function; `position` the index of the name in its spec.
    """

    kind: str
    name: str
    node: Node
    file: GoFile
    receiver: str = ""
    position: int = 0

    @cached_property
    def key(self) -> tuple[str, int, int]:
        """What tells declarations apart across parses."""
        return (self.file.path, self.node.start_byte, self.position)

    @cached_property
    def symbol(self) -> str:
        """The name as `go doc` and stack traces write it: `(*Store).FailPhase`."""
        return (
            f"({self.receiver}).{self.name}"
            if self.receiver.startswith("*")
            else (f"{self.receiver}.{self.name}" if self.receiver else self.name)
        )

    @property
    def receiver_type(self) -> str:
        """The receiver's type without `*`."""
        return self.receiver.lstrip("*")


@dataclass(eq=False)
class GoFile:
    """A parsed file."""

    source: SourceFile
    tree: tree_sitter.Tree = field(repr=False)

    @property
    def path(self) -> str:
        return self.source.path

    @cached_property
    def folder(self) -> str:
        return dirname(self.source.path)

    @cached_property
    def package(self) -> str:
        clause = next((node for node in self.tree.root_node.children if node.type == "package_clause"), None)
        return self.text(clause.named_children[0]) if clause is not None and clause.named_child_count else ""

    @cached_property
    def tokens(self) -> list[Token]:
        """The file without a grammar: comments, strings and words."""
        return list(tokens(self.source.data, 0, len(self.source.data)))

    @cached_property
    def broken(self) -> bool:
        """The grammar could not read all of it."""
        return self.tree.root_node.has_error

    @cached_property
    def swallowed(self) -> int:
        """From where on a raw string or a comment without an end makes text and code indistinguishable."""
        size = len(self.source.data)
        last = self.tokens[-1] if self.tokens else None
        if last is None or last.ends_in(self.source.data) or last.kind not in ("raw", "comment"):
            return size
        return next(token.start for token in self.tokens if token.kind == last.kind)

    @cached_property
    def open_lines(self) -> frozenset[int]:
        """The lines with a quote too many: what is inside of strings there and what outside is anybody's guess."""
        data = self.source.data
        open_strings = (token for token in self.tokens if token.kind == "string" and not token.ends_in(data))
        return frozenset(self.source.line_of(token.start) for token in open_strings)

    def text(self, node: Node) -> str:
        return self.bytes(node).decode("utf-8", "replace")

    def bytes(self, node: Node) -> bytes:
        return self.source.data[node.start_byte : node.end_byte]

    def origin(self, node: Node) -> tuple[str, int, int]:
        """Path, start and end of a node: what a text keeps of where it stands."""
        return (self.source.path, node.start_byte, node.end_byte)

    @cached_property
    def imports(self) -> dict[str, str]:
        """Name in this file -> import path."""
        return {name: path for name, path in self._import_specs if name not in (".", "_")}

    @cached_property
    def dot_imports(self) -> list[str]:
        return [path for name, path in self._import_specs if name == "."]

    @cached_property
    def _import_specs(self) -> list[tuple[str, str]]:
        found = []
        for top in self.tree.root_node.children:
            if top.type != "import_declaration":
                continue
            specs = [spec for child in top.named_children for spec in (child, *child.named_children)]
            for spec in specs:
                path_node = spec.child_by_field_name("path") if spec.type == "import_spec" else None
                if path_node is not None:
                    path = self.text(path_node).strip('"`')
                    name = spec.child_by_field_name("name")
                    found.append((self.text(name) if name is not None else default_name(path), path))
        return found

    @cached_property
    def declarations(self) -> dict[str, list[Declaration]]:
        """Top-level declarations by name, methods too."""
        found: dict[str, list[Declaration]] = {}
        for declaration in self._declare():
            found.setdefault(declaration.name, []).append(declaration)
        return found

    @cached_property
    def in_order(self) -> list[Declaration]:
        """Top-level declarations by place."""
        every = [item for group in self.declarations.values() for item in group]
        return sorted(every, key=lambda item: (item.node.start_byte, item.position))

    @cached_property
    def starts(self) -> list[int]:
        """The first byte of each of these."""
        return [item.node.start_byte for item in self.in_order]

    def _declare(self) -> Iterator[Declaration]:
        for top in self.tree.root_node.named_children:
            if top.type in ("function_declaration", "method_declaration"):
                name = top.child_by_field_name("name")
                if name is not None:
                    kind = "func" if top.type == "function_declaration" else "method"
                    yield Declaration(kind, self.text(name), top, self, self._receiver(top))
            elif top.type in ("const_declaration", "var_declaration", "type_declaration"):
                yield from self._specs(top)

    def _specs(self, top: Node) -> Iterator[Declaration]:
        kind = top.type.partition("_")[0]
        specs = [spec for child in top.named_children for spec in (child, *child.named_children)]
        for spec in specs:
            if spec.type in ("const_spec", "var_spec", "type_spec", "type_alias"):
                names = [name for name in spec.children_by_field_name("name") if name.is_named]  # no commas
                for position, name in enumerate(names):
                    yield Declaration(kind, self.text(name), spec, self, "", position)

    def _receiver(self, function: Node) -> str:
        receiver = function.child_by_field_name("receiver")
        if receiver is None or not receiver.named_child_count:
            return ""
        kind = receiver.named_children[0].child_by_field_name("type")
        return re.sub(r"\[.*|\s", "", self.text(kind), flags=re.DOTALL) if kind is not None else ""


_METHOD = re.compile(rb"^func[ \t]*\([^)]*\)[ \t]*(\w+)", re.MULTILINE)


def _may_declare(data: bytes, name: bytes) -> bool:
    """Whether a file could declare a top-level name: parsing it to know is far slower."""
    at = data.find(name)
    while at >= 0:
        start = data.rfind(b"\n", max(0, at - _LONG_PREFIX), at) + 1
        whole = _WORD.match(data, at + len(name)) is None
        if whole and (at - start > _LONG_PREFIX or _BEFORE_NAME.fullmatch(data, start, at)):
            return True
        at = data.find(name, at + 1)
    return False


def default_name(path: str) -> str:
    """The package name that an import path suggests: the last part that is no version, without `go-` and `.v2`."""
    parts = [part for part in path.split("/") if part and not _VERSION.fullmatch(part)]
    name = re.sub(r"\.v\d+$", "", parts[-1]) if parts else path
    return re.sub(r"^go[-.]|[-.]go$", "", name).replace("-", "_")


class Index:
    """Parses files on demand, once, and finds declarations."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._files: dict[str, GoFile | None] = {}

    def file(self, path: str) -> GoFile | None:
        """The parsed file; None where it can't be read."""
        if path not in self._files:
            source = self.project.read(path)
            self._files[path] = None if source is None else self.parse(source)
        return self._files[path]

    def parse(self, source: SourceFile) -> GoFile:
        """The parsed file of a source that was read already."""
        known = self._files.get(source.path)
        if known is None:
            known = self._files[source.path] = GoFile(source, parsed(source.data))
        return known

    @cache  # noqa: B019 -- an index lives as long as one scan
    def holding(self, words: tuple[str, ...]) -> tuple[SourceFile, ...]:
        """The Go files that hold one of the words."""
        return tuple(self.project.containing("go", words))

    @cached_property
    def folders(self) -> dict[str, list[str]]:
        """Folder -> its Go files."""
        found: dict[str, list[str]] = {}
        for path in self.project.paths("go"):
            found.setdefault(dirname(path), []).append(path)
        return found

    @cached_property
    def _modules(self) -> list[tuple[str, str]]:
        """(import path prefix, folder), longest prefix first: modules and local replacements."""
        found = []
        for path in self.project.paths("other"):
            if path.rpartition("/")[2] == "go.mod":
                source = self.project.read(path)
                text = source.data.decode("utf-8", "replace") if source is not None else ""
                found += [(match[1], dirname(path)) for match in _MODULE.finditer(text)]
                found += [(match[1], _local(dirname(path), match[2])) for match in _REPLACE.finditer(text)]
        return sorted(found, key=lambda pair: (-len(pair[0]), pair))

    @cache  # noqa: B019
    def resolve(self, import_path: str) -> tuple[str, ...]:
        """The folders of the project that hold the package of an import path."""
        for prefix, folder in self._modules:
            if import_path == prefix or import_path.startswith(prefix + "/"):
                inside = join(folder, import_path[len(prefix) + 1 :]).rstrip("/")
                if inside in self.folders:
                    return (inside,)
        tail = tuple(name for name in self.folders if name and f"/{name}".endswith(f"/vendor/{import_path}"))
        if tail or self._modules:
            return tail
        return tuple(name for name in self.folders if name and import_path.endswith("/" + name))

    @cache  # noqa: B019
    def import_paths(self, folder: str) -> tuple[str, ...]:
        """The import paths under which a folder can be imported."""
        found = []
        for prefix, base in self._modules:
            if folder == base or not base or folder.startswith(base + "/"):
                inside = folder[len(base) :].strip("/")
                found.append(f"{prefix}/{inside}" if inside else prefix)
        if "vendor/" in folder:
            found.append(folder.rpartition("vendor/")[2])
        return tuple(found) if found else (folder,)

    @cache  # noqa: B019
    def importers(self, folder: str) -> tuple[SourceFile, ...]:
        """Files that may import the package in `folder`: they hold its import path."""
        words = [path for path in self.import_paths(folder) if path]
        return tuple(self.project.containing("go", words)) if words else ()

    @cache  # noqa: B019
    def lookup(self, folder: str, name: str) -> tuple[Declaration, ...]:
        """Every top-level declaration of a name in a folder, whatever the build tags; none for foreign import paths."""
        if folder not in self.folders:
            return ()
        found: list[Declaration] = []
        word = name.encode()
        for path, data in self._contents(folder):
            file = self.file(path) if word in data and _may_declare(data, word) else None
            found += file.declarations.get(name, ()) if file is not None else ()
        return tuple(found)

    @lru_cache(maxsize=4096)  # noqa: B019
    def method_names(self, folder: str) -> frozenset[bytes]:
        """The names of all methods that the files of a folder declare, without parsing them."""
        return frozenset(name for _, data in self._contents(folder) for name in _METHOD.findall(data))

    @lru_cache(maxsize=64)  # noqa: B019
    def _contents(self, folder: str) -> list[tuple[str, bytes]]:
        sources = (self.project.read(path) for path in self.folders.get(folder, ()))
        return [(source.path, source.data) for source in sources if source is not None]

    @cache  # noqa: B019
    def holds(self, path: str, *patterns: re.Pattern[bytes]) -> bool:
        """Whether a package, by its folder or import path, has a file in which each of the patterns is found."""
        files = (data for folder in {path, *self.resolve(path)} for _, data in self._contents(folder))
        return any(all(pattern.search(data) for pattern in patterns) for data in files)

    def in_package(self, file: GoFile, name: str) -> tuple[Declaration, ...]:
        """Declarations that `name` can mean in `file`: its own package, then dot imports; no methods."""
        own = [d for d in self.lookup(file.folder, name) if d.kind != "method" and d.file.package == file.package]
        if own:
            return tuple(own)
        return tuple(d for path in file.dot_imports for d in self.exported(path, name))

    def exported(self, import_path: str, name: str) -> tuple[Declaration, ...]:
        """Declarations of an imported package's name."""
        folders = self.resolve(import_path)
        return tuple(
            d
            for folder in folders
            for d in self.lookup(folder, name)
            if d.kind != "method" and not d.file.package.endswith("_test")
        )

    def files_with(self, folder: str, word: str) -> Iterator[GoFile]:
        """The files of a folder that hold a word."""
        for path in self._words(folder).get(word.encode(), ()):
            file = self.file(path)
            if file is not None:
                yield file

    @cache  # noqa: B019
    def _words(self, folder: str) -> dict[bytes, list[str]]:
        """Every word of a folder's files -> the files that hold it."""
        found: dict[bytes, list[str]] = {}
        for path in self.folders.get(folder, ()):
            source = self.project.read(path)
            for word in set(_WORD.findall(source.data)) if source is not None else ():
                found.setdefault(word, []).append(path)
        return found


def _local(folder: str, target: str) -> str:
    path = normpath(join(folder, target))
    return "" if path == "." else path
