"""Where files come from: the working tree, the git index, or a revision.

Each is a `Tree`: it lists what is there and loads one file at a time. What a file means is not decided here.
"""

from __future__ import annotations

import os
import stat
import subprocess
import weakref
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, Protocol

from legacy_ref_scan.model import ScanError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

SKIPPED_DIRECTORIES = frozenset({".git", "node_modules"})
SUBMODULE = "git submodule"
_LINK, _GITLINK = "120000", "160000"
_CHUNK = 1 << 20
# O_NONBLOCK: opening a FIFO that took a file's place must not hang. Windows has neither flag.
_OPEN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


class UnreadableError(Exception):
    """A file cannot be read; the message says why."""


class TooLargeError(UnreadableError):
    """A file is over the size limit."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a tree holds: paths relative to its root, `/` between the parts, undecodable bytes as surrogates.

    `links` maps each symbolic link to the path of its target, "" where that lies outside the root.
    """

    files: frozenset[str]
    links: Mapping[str, str] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Tree(Protocol):
    """A source of files."""

    @property
    def label(self) -> str:
        """What this is, for people: "working tree", "index", "revision abc"."""

    def list(self) -> Listing:
        """Everything in the tree but `.git`, `node_modules` and what git ignores."""

    def load(self, path: str, limit: int) -> bytes:
        """The bytes of a file; raises `UnreadableError`, or `TooLargeError` over `limit` bytes."""


@dataclass(frozen=True)
class WorkingTree:
    """The directory as it is: what git tracks or would add, or every file where there is no git."""

    root: str
    label: str = "working tree"

    def list(self) -> Listing:
        """See `Tree.list`; without git (or where git ignores the whole root) the directories are walked."""
        listed = _git(self.root, "ls-files", "-z", "-t", "--stage", "--cached", "--others", "--exclude-standard")
        if listed is None or listed.returncode != 0 or not listed.stdout:
            return _Walk(self.root).listing(_git_trouble(listed))
        found = _Sorting(self.root)
        for record in os.fsdecode(listed.stdout).split("\0"):
            if record:
                found.add_git(record)
        return found.listing(tuple(f"git: {line}" for line in os.fsdecode(listed.stderr).splitlines()))

    def load(self, path: str, limit: int) -> bytes:
        """See `Tree.load`. Symbolic links are not followed."""
        try:
            handle = os.open(f"{self.root}/{path}", _OPEN)
        except OSError as error:
            raise UnreadableError(error.strerror or str(error)) from None
        try:
            return _read(handle, limit)
        except OSError as error:
            raise UnreadableError(error.strerror or str(error)) from None
        finally:
            os.close(handle)


def _read(handle: int, limit: int) -> bytes:
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode):
        raise UnreadableError("not a regular file")
    if about.st_size > limit:
        raise TooLargeError(_too_large(limit))
    data = os.read(handle, about.st_size + 1)
    while chunk := os.read(handle, _CHUNK):
        data += chunk
        if len(data) > limit:  # it grows while it is read
            raise TooLargeError(_too_large(limit))
    return data


def _too_large(limit: int) -> str:
    return f"larger than {limit / (1 << 20):g} MiB"


def _git_trouble(listed: subprocess.CompletedProcess[bytes] | None) -> tuple[str, ...]:
    """Why git was no help, unless it is plain: no git, no repository, an ignored root."""
    if listed is None or listed.returncode == 0 or b"not a git repository" in listed.stderr:
        return ()
    first = os.fsdecode(listed.stderr).splitlines()[:1]
    return (f"git could not list the files, so .gitignore alone decides: {' '.join(first)}",)


@dataclass
class _Sorting:
    """Sorts the entries of a working tree into a `Listing`."""

    root: str
    files: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    def add_git(self, record: str) -> None:
        """A record of `git ls-files -t --stage`: `? path` or `H mode object stage<TAB>path`."""
        tag, rest = record[0], record[2:]
        about, _, path = ("", "", rest) if tag == "?" else rest.partition("\t")
        if not _wanted(path):
            return
        if about.startswith(_GITLINK) or path.endswith("/"):
            self.skipped[path.rstrip("/")] = SUBMODULE
            return
        try:
            mode = os.lstat(f"{self.root}/{path}").st_mode
        except (FileNotFoundError, NotADirectoryError):
            if tag == "S":
                self.unreadable[path] = "left out by a sparse checkout (scan a revision instead: --rev HEAD)"
        except OSError as error:
            self.unreadable[path] = error.strerror or str(error)
        else:
            if not stat.S_ISDIR(mode):  # a directory took a tracked file's place: its files are listed themselves
                self.add(path, mode)

    def add_entry(self, path: str, entry: os.DirEntry[str]) -> None:
        try:
            self.add(path, entry.stat(follow_symlinks=False).st_mode)
        except FileNotFoundError:
            return  # deleted in this moment
        except OSError as error:
            self.unreadable[path] = error.strerror or str(error)

    def add(self, path: str, mode: int) -> None:
        if stat.S_ISREG(mode):
            self.files.add(path)
        elif stat.S_ISLNK(mode):
            self._add_link(path)
        else:
            self.skipped[path] = "not a regular file"

    def _add_link(self, path: str) -> None:
        target = os.path.realpath(f"{self.root}/{path}")
        if not os.path.lexists(target) or os.path.islink(target):
            self.skipped[path] = "symbolic link to nowhere"
            return
        root = os.path.realpath(self.root)
        inside = target == root or target.startswith(root.rstrip("/") + "/")
        self.links[path] = os.path.relpath(target, root).replace(os.sep, "/") if inside else ""

    def listing(self, notes: tuple[str, ...]) -> Listing:
        return Listing(frozenset(self.files), self.links, self.skipped, self.unreadable, notes)


@dataclass
class _Walk:
    """A plain walk over directories that honours the .gitignore files in them."""

    root: str

    def listing(self, notes: tuple[str, ...]) -> Listing:
        found = _Sorting(self.root)
        waiting: list[tuple[str, tuple[tuple[str, GitIgnoreSpec], ...]]] = [("", ())]
        while waiting:
            directory, specs = waiting.pop()
            try:
                with os.scandir(f"{self.root}/{directory}") as scan:
                    entries = list(scan)
            except OSError as error:
                found.unreadable[directory.rstrip("/")] = error.strerror or str(error)
                continue
            specs = (*specs, *self._specs(directory, entries))
            for entry in entries:
                path = directory + entry.name
                is_directory = entry.is_dir(follow_symlinks=False)
                if entry.name in SKIPPED_DIRECTORIES or _ignored(path + "/" * is_directory, specs):
                    continue
                if is_directory:
                    waiting.append((path + "/", specs))
                else:
                    found.add_entry(path, entry)
        return found.listing(notes)

    def _specs(self, directory: str, entries: list[os.DirEntry[str]]) -> Iterator[tuple[str, GitIgnoreSpec]]:
        """The .gitignore of a directory; one that cannot be read ignores nothing, so more is scanned."""
        if not any(entry.name == ".gitignore" and entry.is_file() for entry in entries):
            return
        from pathspec import GitIgnoreSpec

        with (
            suppress(OSError, ValueError),
            open(f"{self.root}/{directory}.gitignore", encoding="utf-8", errors="surrogateescape") as lines,
        ):
            yield directory, GitIgnoreSpec.from_lines(lines)


def _ignored(path: str, specs: tuple[tuple[str, GitIgnoreSpec], ...]) -> bool:
    """The .gitignore that is nearest to the path and knows it decides."""
    for directory, spec in reversed(specs):
        verdict = spec.check_file(path[len(directory) :]).include
        if verdict is not None:
            return verdict
    return False


@dataclass(frozen=True)
class GitTree:
    """The index (`revision` None) or a revision, read from git's objects without touching the working tree."""

    root: str
    revision: str | None = None

    @property
    def label(self) -> str:
        return "index" if self.revision is None else f"revision {self.revision}"

    def list(self) -> Listing:
        """See `Tree.list`. A link counts as one to nowhere where its target is not in the tree."""
        files: set[str] = set()
        links: dict[str, str] = {}
        skipped: dict[str, str] = {}
        for path, (mode, _) in self._entries.items():
            if mode == _GITLINK:
                skipped[path] = SUBMODULE
            elif mode == _LINK:
                links[path] = self._target(path)
            else:
                files.add(path)
        for path in [path for path, target in links.items() if target and target not in self._entries]:
            if not any(file.startswith(links[path] + "/") for file in files):
                skipped[path] = "symbolic link to nowhere"
                del links[path]
        return Listing(frozenset(files), links, skipped, self._unmerged)

    def load(self, path: str, limit: int) -> bytes:
        """See `Tree.load`."""
        mode, name = self._entries.get(path, ("", ""))
        if not mode or mode in (_LINK, _GITLINK):
            raise UnreadableError(f"not a file of the {self.label}")
        return self._objects.load(name, limit)

    def _target(self, path: str) -> str:
        try:
            text = os.fsdecode(self._objects.load(self._entries[path][1], 1 << 16))
        except UnreadableError:
            return ""
        target = normpath(join(dirname(path), text))
        return "" if target.startswith(("/", "../")) or target == ".." else target

    @cached_property
    def _entries(self) -> dict[str, tuple[str, str]]:
        """Mode and object name of each path."""
        return {path: (mode, name) for mode, name, stage, path in self._records if stage in ("", "0") and _wanted(path)}

    @cached_property
    def _unmerged(self) -> dict[str, str]:
        return {path: "unmerged: resolve the conflict first" for *_, stage, path in self._records if stage > "0"}

    @cached_property
    def _records(self) -> tuple[tuple[str, str, str, str], ...]:
        if self.revision is None:
            return tuple(_index_records(_git_or_error(self.root, "ls-files", "-z", "--stage")))
        wanted = ("--verify", "--quiet", "--end-of-options", self.revision + "^{tree}")
        tree = _git_or_error(self.root, "rev-parse", *wanted).strip()
        return tuple(_tree_records(_git_or_error(self.root, "ls-tree", "-r", "-z", tree)))

    @cached_property
    def _objects(self) -> _Objects:
        return _Objects(self.root)


def _index_records(listing: str) -> Iterator[tuple[str, str, str, str]]:
    """`mode object stage<TAB>path` as (mode, object, stage, path)."""
    for record in filter(None, listing.split("\0")):
        about, _, path = record.partition("\t")
        mode, name, stage = about.split(" ")
        yield mode, name, stage, path


def _tree_records(listing: str) -> Iterator[tuple[str, str, str, str]]:
    """`mode type object<TAB>path` as (mode, object, "", path)."""
    for record in filter(None, listing.split("\0")):
        about, _, path = record.partition("\t")
        mode, _, name = about.split(" ")
        yield mode, name, "", path


class _Objects:
    """One `git cat-file --batch` process, ended with this object."""

    def __init__(self, root: str) -> None:
        command = ["git", "cat-file", "--batch"]
        process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment())
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        weakref.finalize(self, _end, process)

    def load(self, name: str, limit: int) -> bytes:
        self._in.write(name.encode() + b"\n")
        self._in.flush()
        header = self._out.readline().split()
        if len(header) != 3:
            raise UnreadableError("git does not have the object")
        left = int(header[2]) + 1  # a line end follows the object
        if left > limit + 1:
            while left:
                left -= len(self._out.read(min(left, _CHUNK)))
            raise TooLargeError(_too_large(limit))
        return self._out.read(left)[:-1]


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait()


def _wanted(path: str) -> bool:
    return not SKIPPED_DIRECTORIES.intersection(path.split("/"))


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}


def _git(root: str, *arguments: str) -> subprocess.CompletedProcess[bytes] | None:
    """Runs git in `root`; None where there is no git."""
    try:
        return subprocess.run(["git", *arguments], cwd=root, capture_output=True, env=_environment(), check=False)
    except FileNotFoundError:
        return None


def merge_base(root: str, revision: str, head: str) -> str | None:
    """The commit where two revisions parted; None where one of them is unknown or they have no commit in common."""
    if revision.startswith("-") or head.startswith("-"):
        return None
    done = _git(root, "merge-base", revision, head)
    return os.fsdecode(done.stdout).strip() or None if done is not None and done.returncode == 0 else None


def _git_or_error(root: str, *arguments: str) -> str:
    done = _git(root, *arguments)
    if done is None:
        raise ScanError("git is needed for --staged and --rev, and is not installed")
    if done.returncode == 0:
        return os.fsdecode(done.stdout)
    if arguments[0] == "rev-parse" and not done.stderr:
        raise ScanError(f"no revision {arguments[-1].removesuffix('^{tree}')!r} in the git repository of {root}")
    raise ScanError(f"git {arguments[0]} failed in {root}: {os.fsdecode(done.stderr).strip()}")
