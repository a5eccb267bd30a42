"""`//go:embed`: variables whose text is a file, or that hold whole folders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from posixpath import join, normpath, relpath

from legacy_ref_scan.languages import LANGUAGES
from legacy_ref_scan.languages.golang.frame import Frame
from legacy_ref_scan.languages.golang.packages import Declaration, Index, Node
from legacy_ref_scan.languages.golang.prefilter import DIRECTIVE
from legacy_ref_scan.languages.golang.values import Files, Known, Text, Unknown, Value, as_texts, union
from legacy_ref_scan.model import HOLE, Consumer, Fragment, Piece, SourceFile, Span

_TYPES = frozenset(("string", "[]byte"))
_FILE_SYSTEM = "embed.FS"
_PATTERN = re.compile(r"\"([^\"]*)\"|`([^`]*)`|(\S+)")
_WILDCARD = re.compile(r"\*|\?|\[\^?[^\]]+\]")
# SQL under another name: a statement, after comments.
_BEGINS_AS_SQL = re.compile(
    rb"(?:\s+|--[^\n]*\n|/\*.*?\*/)*(?:select|insert\s+into|update|delete\s+from|with|merge\s+into|copy|create|alter|drop|"
    rb"truncate)\s",
    re.IGNORECASE | re.DOTALL,
)


def embedded_value(index: Index, declaration: Declaration) -> Value | None:
    """What a variable with a directive is worth: the text of a file, or files. None for every other variable.

    A `string` or `[]byte` has one pattern, which matches one file (the documentation of package embed, "Strings and
    Bytes").
    """
    kind = declaration.node.child_by_field_name("type")
    written = declaration.file.text(kind) if declaration.kind == "var" and kind is not None else ""
    if written == _FILE_SYSTEM:
        return (_files(index, declaration),)
    for path in _patterns(declaration) if written in _TYPES else ():
        source = index.project.read(normpath(join(declaration.file.folder, path)))
        if source is not None:
            return (_text_of(source),)
    return None


def _text_of(source: SourceFile) -> Text:
    return Text((Known(source.data, (source.path, 0, len(source.data))),))


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


def _files(index: Index, declaration: Declaration) -> Files:
    """The files of an `embed.FS`: a pattern names files, or folders with all that is in them."""
    folder = declaration.file.folder
    found: dict[str, str] = {}
    for pattern in _patterns(declaration):
        wanted = re.compile(_expression(normpath(join(folder, pattern.removeprefix("all:")))) + "(?:/.*)?")
        paths = filter(wanted.fullmatch, every_path(index))
        found.update((relpath(path, folder or "."), path) for path in paths)
    return Files(tuple(sorted(found.items())))


def _expression(pattern: str) -> str:
    """A pattern of path.Match: its wildcards stop at a slash."""
    made, at = "", 0
    for match in _WILDCARD.finditer(pattern):
        sign = match[0]
        made += re.escape(pattern[at : match.start()]) + ("[^/]" + sign.replace("?", "") if len(sign) == 1 else sign)
        at = match.end()
    return made + re.escape(pattern[at:])


@lru_cache(maxsize=1)
def every_path(index: Index) -> tuple[str, ...]:
    """Every listed file of a project, whatever its language."""
    return tuple(path for language in LANGUAGES for path in index.project.paths(language))


def embedding(index: Index) -> Iterator[tuple[Declaration, Files | Text]]:
    """The project's variables of this kind with what they hold."""
    for source in index.project.containing("go", [DIRECTIVE]):
        for declaration in index.parse(source).in_order:
            for held in embedded_value(index, declaration) or ():
                if isinstance(held, Files | Text):
                    yield declaration, held


def read_file(frame: Frame, files: Files, name: Value, node: Node) -> Value:
    """What `files.ReadFile(name)` gives: of a name with holes, every file that it could mean and that matters."""
    found: list[Value] = []
    for text in as_texts(name, frame.origin(node)):
        pattern = re.compile(re.escape(text.data()).replace(re.escape(HOLE), b".*"), re.DOTALL)
        paths = [path for inner, path in files.names if pattern.fullmatch(inner.encode())]
        sources = [source for path in paths if (source := frame.run.index.project.read(path)) is not None]
        wanted = [source for source in sources if text.known or frame.run.matters(source.data)]
        found += [(_text_of(source),) for source in wanted]
        if len(wanted) < max(1, len(sources)):
            found.append((Text((Unknown("an embedded file", frame.origin(node)),)),))
    return union(found)


def below(files: Files, folder: Value) -> Files:
    """`fs.Sub(files, "folder")`."""
    starts = [f"{text.data().decode('utf-8', 'replace')}/" for text in folder if isinstance(text, Text) and text.known]
    return Files(tuple((name[len(s) :], path) for name, path in files.names for s in starts if name.startswith(s)))


def sql_by_another_name(source: SourceFile, holder: Declaration) -> Fragment | None:
    """An embedded file that is no SQL file by its name and begins like one, as a whole."""
    if source.language != "other" or not _BEGINS_AS_SQL.match(source.data):
        return None
    span = Span(source.path, 0, len(source.data))
    note = f"embedded by {holder.name}"
    test = holder.file.source.test
    return Fragment(
        source.data, (Piece(0, span.end, span),), span, holder.name, Consumer.UNKNOWN, (), test, "go-sql", note
    )


def is_whole_file(text: Text) -> bool:
    """The text is a part of one SQL file, which is scanned as such."""
    only = text.only
    return isinstance(only, Known) and only.origin is not None and only.origin[0].endswith(".sql")
