"""Lists and reads the files of a scan: which files count, their language, and their text as UTF-8."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from posixpath import splitext
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from legacy_ref_scan.model import ScanError, SourceFile
from legacy_ref_scan.trees import SUBMODULE, GitTree, Listing, TooLargeError, Tree, UnreadableError, WorkingTree

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

SIZE_LIMIT = 16 << 20
_LANGUAGES = {
    ".go": "go",
    ".sql": "sql",
    ".psql": "sql",
    ".pgsql": "sql",
    ".ddl": "sql",
    ".gosql": "sql",
    ".py": "python",
    ".pyi": "python",
}
_TEMPLATES = frozenset({".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".gotmpl"})  # of SQL: orders.sql.j2
_TEST_DIRECTORIES = frozenset({"test", "tests", "testdata", "__tests__"})
# How tests are called elsewhere: spec/, user_spec.rb, user.test.ts, UserTest.java, user_test.exs.
_OTHER_TEST = re.compile(
    r"(?:^|/)(?:specs?|e2e)/|_(?:spec|test)\.\w+$|\.(?:spec|test|e2e-spec)\.\w+$"
    r"|[a-z0-9](?:Tests?|IT|Spec)\.(?:java|kt|scala|groovy|cs|php)$"
)
# The longer marks first: UTF-32's begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, ""),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LFS_POINTER = b"version https://git-lfs"
_SNIFFED = 8192


class Workspace:
    """The files looked at.

    `paths` is what the globs and paths leave; `all_paths` everything listed. `read` takes any path of the tree, for a
    migration counts even where the globs leave it out. What cannot be read is recorded when it is met: in
    `unreadable` (path to reason) where the loss must show as a gap, else in `skipped`.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        paths: Iterable[str] = (),
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
        staged: bool = False,
        rev: str | None = None,
        limit: int = SIZE_LIMIT,
    ) -> None:
        """`paths` are absolute or relative to `root`; the globs are those of .gitignore. Raises `ScanError`."""
        self.root = os.path.abspath(os.fspath(root))
        if not os.path.isdir(self.root):
            raise ScanError(f"{os.fspath(root)}: not a directory")
        if staged and rev is not None:
            raise ScanError("--staged and --rev exclude each other: scan the index or a revision")
        self.tree: Tree = GitTree(self.root, rev) if staged or rev is not None else WorkingTree(self.root)
        self.unreadable: dict[str, str] = {}
        self.skipped: dict[str, str] = {}
        self._limit = limit
        self._include, self._exclude = tuple(include), tuple(exclude)
        self._starts = tuple(self.inside(path) for path in paths)
        self._cache: WeakValueDictionary[str, SourceFile] = WeakValueDictionary()
        self._record_listing()

    @cached_property
    def paths(self) -> Sequence[str]:
        """Every file to scan, sorted."""
        return tuple(self._chosen(self.all_paths))

    @cached_property
    def all_paths(self) -> Sequence[str]:
        """Every file of the tree, sorted, whatever the globs and paths say."""
        return tuple(sorted(self._listing.files))

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What people should know about the listing: submodules, trouble with git."""
        modules = sorted(path for path, why in self.skipped.items() if why == SUBMODULE)
        return (
            *self._listing.notes,
            *(f"{path} is a git submodule or repository of its own: not scanned" for path in modules),
        )

    def read(self, path: str) -> SourceFile | None:
        """A file of the tree; None where it cannot be read, which is then recorded.

        The result is shared for as long as somebody holds it.
        """
        source = self._cache.get(path)
        if source is None:
            data = self._load(path)
            if data is None:
                return None
            source = self._cache[path] = self._source(path, data)
        return source

    def language(self, path: str) -> str:
        """By the extension, or that of a symbolic link to it: "go", "sql", "python" or "other"."""
        own = _language(path)
        return self._linked.get(path, own) if own == "other" else own

    @property
    def links(self) -> Mapping[str, str]:
        """The symbolic links of the tree with what each points to, a file or a directory."""
        return self._listing.links

    @cached_property
    def _linked(self) -> dict[str, str]:
        return {target: _language(link) for link, target in self.links.items()}

    def is_test(self, path: str) -> bool:
        """Whether the path says that the file is part of a test."""
        *directories, name = path.split("/")
        if name.endswith(("_test.go", "_test.py")) or name == "conftest.py":
            return True
        if self.language(path) == "other" and _OTHER_TEST.search(path):
            return True
        return (name.startswith("test_") and name.endswith(".py")) or not _TEST_DIRECTORIES.isdisjoint(directories)

    @cached_property
    def _listing(self) -> Listing:
        return self.tree.list()

    def _source(self, path: str, data: bytes) -> SourceFile:
        return SourceFile(path, data, self.language(path), self.is_test(path))

    def _load(self, path: str) -> bytes | None:
        if path in self.unreadable or path in self.skipped:
            return None
        try:
            return _as_utf8(self.tree.load(path, self._limit))
        except TooLargeError as error:
            self._lose(path, str(error))
        except _BinaryError as error:
            self._lose(path, str(error))
        except UnreadableError as error:
            self.unreadable[path] = str(error)
        return None

    def _lose(self, path: str, reason: str) -> None:
        """A gap where it could be code; a JSON dump of a gigabyte or a picture could not."""
        lost = self.skipped if self.language(path) == "other" else self.unreadable
        lost[path] = reason

    def _record_listing(self) -> None:
        for start in self._starts:
            self._check_exists(start)
        listing = self._listing
        self.unreadable.update((path, listing.unreadable[path]) for path in self._chosen(listing.unreadable))
        self.skipped.update((path, listing.skipped[path]) for path in self._chosen(listing.skipped))
        for link in self._chosen(listing.links):
            if self._holds(listing.links[link]):
                self.skipped[link] = "symbolic link into the tree"
            else:
                self._lose(link, "symbolic link out of the scanned tree")

    def _holds(self, target: str) -> bool:
        """Whether a link's target is scanned itself: a listed file, or a directory of listed files."""
        if target in self._listing.files or target in self._listing.links or target == ".":
            return True
        return bool(target) and any(path.startswith(target + "/") for path in self._listing.files)

    def inside(self, path: str) -> str:
        """A path relative to the root, "" for the root itself; raises `ScanError` for one outside."""
        relative = os.path.relpath(os.path.join(self.root, path), self.root).replace(os.sep, "/")
        if relative == ".." or relative.startswith("../"):
            raise ScanError(f"{path}: not inside the root {self.root}")
        return "" if relative == "." else relative

    def _check_exists(self, start: str) -> None:
        listing = self._listing
        for group in (listing.files, listing.links, listing.skipped, listing.unreadable):
            if any(_under(path, start) for path in group):
                return
        if not start or os.path.isdir(f"{self.root}/{start}"):
            return
        raise ScanError(f"{start}: no such file or directory in the {self.tree.label} (or git ignores it)")

    def _chosen(self, paths: Iterable[str]) -> Iterator[str]:
        chosen = iter(paths)
        if self._starts:
            chosen = (path for path in chosen if any(_under(path, start) for start in self._starts))
        if self._include:
            chosen = _spec(self._include).match_files(chosen)
        if self._exclude:
            excluded = _spec(self._exclude)
            chosen = (path for path in chosen if not excluded.match_file(path))
        return chosen


class _BinaryError(Exception):
    """Not text."""


def _language(path: str) -> str:
    stem, extension = splitext(path)
    if extension.lower() in _TEMPLATES and splitext(stem)[1].lower() == ".sql":
        return "sql"
    return _LANGUAGES.get(extension.lower(), "other")


def _under(path: str, start: str) -> bool:
    return not start or path == start or path.startswith(start + "/")


def _spec(globs: tuple[str, ...]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(globs)
    except ValueError as error:
        raise ScanError(f"bad glob in {', '.join(map(repr, globs))}: {error}") from None


def _as_utf8(data: bytes) -> bytes:
    """UTF-8 without a byte order mark where the text says what it is, else the bytes as they are."""
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")):
        return _without_mark(data)
    if data.find(b"\0", 0, _SNIFFED) >= 0:
        raise _BinaryError("binary")
    if data.startswith(_LFS_POINTER):
        raise _BinaryError("a git LFS pointer, not the file itself")
    return data


def _without_mark(data: bytes) -> bytes:
    mark, encoding = next((mark, encoding) for mark, encoding in _MARKS if data.startswith(mark))
    if not encoding:
        return _as_utf8(data[len(mark) :])
    try:
        return data.decode(encoding).encode("utf-8")
    except UnicodeError:
        raise _BinaryError(f"not valid {encoding.upper()}, though its byte order mark says so") from None
