"""Puts a pair of files into a directory: both or neither, whatever happens in between.

Each file is written to a temporary one beside it and synced, then linked to its name. No system call gives two files
their names at once, so a process of its own does it, which ends its work when the one that the user started is killed.
What kills both between the two links (a power cut, the end of a container) leaves the up file alone, and the next run
completes the pair. Not the other way round: golang-migrate takes a version that has only a down file for an empty
migration, and the drop would never run.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from legacy_ref_scan.model import ScanError

try:
    import fcntl
except ImportError:  # not on Windows: two runs at once may then meet, and one of them fails
    fcntl = None  # type: ignore[assignment]

# golang-migrate takes no file for a migration whose name does not begin with a digit.
_PREFIX, _SUFFIX = ".legacy-ref-scan-", ".tmp"
LEFTOVERS = f"**/{_PREFIX}*{_SUFFIX}"
"""A glob for what a killed run leaves behind; the next run removes it."""
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


@dataclass(frozen=True, slots=True)
class File:
    """A file to write: its name in the directory, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Pair:
    """A migration and its way back, in one directory. Where one file holds both, it is `together`."""

    directory: Path
    up: File
    down: File
    together: File | None = None

    @property
    def files(self) -> tuple[File, ...]:
        """The files to write, the up file first."""
        return (self.up, self.down) if self.together is None else (self.together,)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where they go."""
        return tuple(self.directory / file.name for file in self.files)


@dataclass(frozen=True, slots=True)
class _Staged:
    """A temporary file that is ready, known by its inode."""

    temporary: Path
    final: Path
    inode: tuple[int, int]


def missing(pair: Pair) -> list[File]:
    """The files of the pair that are not there, the up file first. Raises `ScanError` where one differs."""
    return [file for file in pair.files if not _there(pair.directory / file.name, file.data)]


def write_pair(pair: Pair) -> list[Path]:
    """Write what is missing of a pair; the paths written, none where both are there with the same bytes.

    Raises `ScanError` where a file is there with other bytes or cannot be written; then nothing has changed.
    """
    try:
        with _locked(pair.directory):
            _sweep(pair.directory)
            wanted = missing(pair)
            _publish(pair.directory, wanted)
            return [pair.directory / file.name for file in wanted]
    except OSError as error:
        raise ScanError(f"{pair.directory}: cannot write the migration: {error.strerror or error}") from error


def _there(path: Path, data: bytes) -> bool:
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ScanError(f"{path}: cannot be read: {error.strerror or error}") from None
    if found != data:
        raise ScanError(f"{path} is there with other content: remove it, or give the rule another version or name")
    return True


def _publish(directory: Path, files: list[File]) -> None:
    staged: list[_Staged] = []
    temporaries = [directory / f"{_PREFIX}{os.getpid()}-{file.name}{_SUFFIX}" for file in files]
    try:
        for file, temporary in zip(files, temporaries, strict=True):
            staged.append(_stage(temporary, directory / file.name, file.data))
        _out_of_reach(lambda: _link_all(directory, staged))
    except BaseException:  # Ctrl-C too
        _roll_back(directory, staged)
        raise
    finally:
        for temporary in temporaries:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _stage(temporary: Path, final: Path, data: bytes) -> _Staged:
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
        return _Staged(temporary, final, _inode(os.fstat(descriptor)))
    finally:
        os.close(descriptor)


def _out_of_reach(work: Callable[[], None]) -> None:
    """Do it in a process of another session, which neither a signal to this one nor one to its group ends.

    The lock on the directory goes along: a next run waits for that process too. Raises `OSError` as the work does, and
    where that process was killed itself.
    """
    if not hasattr(os, "fork"):  # Windows
        work()
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        child = os.fork()
        if child == 0:
            os._exit(_exit_code(work))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if code < 0:
        raise OSError(errno.EINTR, f"the process that names the files was ended by signal {-code}")
    if code:
        raise OSError(code, os.strerror(code))


def _exit_code(work: Callable[[], None]) -> int:
    """Zero, or the number of the error (all are below 256). Nothing may pass: above is the parent's program."""
    try:
        os.setsid()
        work()
    except OSError as error:
        return error.errno or errno.EIO
    except BaseException:
        return errno.EIO
    return 0


def _link_all(directory: Path, staged: list[_Staged]) -> None:
    for item in staged:
        _link(item)
    for item in staged:
        item.temporary.unlink(missing_ok=True)
    _sync(directory)


def _link(item: _Staged) -> None:
    """Give the file its name, never over one that is there."""
    try:
        os.link(item.temporary, item.final)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(item.final):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        os.rename(item.temporary, item.final)


def _roll_back(directory: Path, staged: list[_Staged]) -> None:
    for item in staged:
        # By inode, for an interruption may come after a link and before anybody took note of it.
        with suppress(OSError):
            if _inode(os.lstat(item.final)) == item.inode:
                os.unlink(item.final)
    with suppress(OSError):
        _sync(directory)


def _inode(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _sweep(directory: Path) -> None:
    for name in os.listdir(directory):
        if name.startswith(_PREFIX) and name.endswith(_SUFFIX):
            (directory / name).unlink(missing_ok=True)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Keep a second run from sweeping away the temporary files of this one. Ends with the process."""
    if fcntl is None:
        yield
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync(directory: Path) -> None:
    if fcntl is None:  # Windows cannot open a directory
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
