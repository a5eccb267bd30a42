"""Where output goes: standard output, a file that is replaced whole, progress on a terminal."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from legacy_ref_scan.model import ScanError
from legacy_ref_scan.reports.style import clean

_INTERVAL = 0.1  # seconds between two lines of progress
_CLEAR = "\r\x1b[K"


def colour_wanted(output: str | None) -> bool:
    """Whether standard output is a terminal that shows colour, and nobody set NO_COLOR (https://no-color.org)."""
    if output is not None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout is not None and sys.stdout.isatty()


def emit(text: str, output: str | None = None, encoding: str | None = None) -> None:
    """Write to a file, or to standard output in its encoding or the one given. Raises `ScanError`.

    A reader that goes away (`| head`) is no error: the exit code still tells the verdict.
    """
    try:
        if output is not None:
            _write_file(Path(output), text.encode())
        elif sys.stdout is not None:
            _write_stdout(text, encoding or sys.stdout.encoding or "utf-8")
    except BrokenPipeError:
        _forget_stdout()
    except OSError as error:
        _forget_stdout()
        raise ScanError(f"{output or 'standard output'}: cannot write: {error.strerror or error}") from error


def _write_stdout(text: str, encoding: str) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode(encoding, "backslashreplace"))
    sys.stdout.buffer.flush()


def _forget_stdout() -> None:
    """Let the interpreter's own flush at exit go nowhere, for it would change the exit code."""
    with suppress(OSError, ValueError, AttributeError):
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, sys.stdout.fileno())
        os.close(descriptor)


def _write_file(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():  # /dev/stderr, a named pipe
        path.write_bytes(data)
        return
    target = path.resolve()  # a symbolic link stays one
    with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.chmod(file.name, _mode(target))
            os.replace(file.name, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(file.name)
            raise


def _mode(path: Path) -> int:
    """The mode of the file that is there, else what the umask leaves."""
    with suppress(OSError):
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


@contextmanager
def progress() -> Iterator[Callable[[str], None] | None]:
    """A function that shows what is being done, None where standard error is no terminal. It leaves no trace."""
    stream = sys.stderr
    if stream is None or not stream.isatty():
        yield None
        return
    try:
        yield _Line(stream).show
    finally:
        stream.write(_CLEAR)
        stream.flush()


class _Line:
    """One line of a terminal, written over and over."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._next = 0.0

    def show(self, text: str) -> None:
        """Show a text, unless another was shown just now."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _INTERVAL
        columns = os.get_terminal_size(self._stream.fileno()).columns or 80  # 0: nobody set it
        self._stream.write(_CLEAR + clean(text)[: columns - 1])
        self._stream.flush()
