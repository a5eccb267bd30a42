"""Both files or neither, whatever happens in between."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from legacy_ref_scan.generate import Pair, write_pair
from legacy_ref_scan.generate.write import File, _locked
from legacy_ref_scan.model import ScanError
from tests.generate.support import (
    DOWN,
    ERROR_MESSAGE,
    UP,
    catalog,
    names,
    pair_of,
)

WRITE = "from pathlib import Path\nfrom legacy_ref_scan.generate.write import *\n"


def kill_at(directory: Path, step: str, nth: int) -> int:
    """Write the pair in a process that kills itself at the nth call of an `os` function; its return code."""
    program = WRITE + textwrap.dedent(
        f"""
        import os, signal
        calls = 0
        real = os.{step}
        def dying(*args, **kwargs):
            global calls
            calls += 1
            if calls == {nth}:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)
        os.{step} = dying
        write_pair(Pair(Path({str(directory)!r}), File({UP!r}, b"up"), File({DOWN!r}, b"down")))
        """
    )
    return subprocess.run([sys.executable, "-c", program], check=False, capture_output=True).returncode


SIZE = 50_000
STEPS = {"open": 4, "write": 2, "fsync": 3, "link": 2}
"""How often writing a pair calls each function of `os`."""


def large_pair(directory: Path) -> Pair:
    return Pair(directory, File(UP, b"up" * SIZE), File(DOWN, b"down" * SIZE))


def killed_after(directory: Path, seconds: float) -> tuple[str, ...]:
    """Write a pair in a process that is killed after some seconds; what is there then.

    The next run, which is not killed, has to complete what is left; afterwards the directory is as before.
    """
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            write_pair(large_pair(directory))
        os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with _locked(directory):  # what names the files holds it to its end
        pass
    left = tuple(name for name in (UP, DOWN) if (directory / name).exists())
    for name in left:
        assert (directory / name).read_bytes() == (b"up" if name == UP else b"down") * SIZE
    write_pair(large_pair(directory))
    assert names(directory) == [DOWN, UP]
    for name in (UP, DOWN):
        (directory / name).unlink()
    return left


def failure(pair: Pair) -> str:
    """What `write_pair` complains about; nothing where it succeeds."""
    try:
        write_pair(pair)
    except ScanError as error:
        return str(error)
    return ""


@contextmanager
def unprivileged() -> Iterator[None]:
    """As a user who may not write where root may."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


class TestBothOrNeither:
    @pytest.fixture
    def pair(self, migrations: Path) -> Pair:
        return replace(
            pair_of(migrations, catalog(ERROR_MESSAGE)),
            up=replace(pair_of(migrations, catalog(ERROR_MESSAGE)).up, data=b"up"),
            down=replace(pair_of(migrations, catalog(ERROR_MESSAGE)).down, data=b"down"),
        )

    def test_written_once_unchanged_the_second_time(self, pair: Pair) -> None:
        assert [path.name for path in write_pair(pair)] == [UP, DOWN]
        assert names(pair.directory) == [DOWN, UP]
        assert (pair.directory / UP).read_bytes() == b"up"
        assert write_pair(pair) == []
        assert names(pair.directory) == [DOWN, UP]

    def test_the_umask_decides_the_mode(self, pair: Pair) -> None:
        write_pair(pair)
        mask = os.umask(0)
        os.umask(mask)
        assert {path.stat().st_mode & 0o777 for path in pair.paths} == {0o666 & ~mask}

    @pytest.mark.parametrize(
        ("step", "nth"),
        [(step, nth) for step, count in STEPS.items() for nth in range(1, count + 1)],
    )
    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
    def test_an_error_at_any_step_leaves_nothing(
        self, pair: Pair, monkeypatch: pytest.MonkeyPatch, step: str, nth: int, code: int
    ) -> None:
        real: Callable[..., Any] = getattr(os, step)
        calls = 0

        def failing(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == nth:
                raise OSError(code, os.strerror(code))
            return real(*args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(os, step, failing)
            assert os.strerror(code) in failure(pair)
        assert names(pair.directory) == []
        write_pair(pair)
        assert names(pair.directory) == [DOWN, UP]

    @pytest.mark.parametrize("step", ["write", "fsync"])
    @pytest.mark.parametrize("nth", [1, 2])
    def test_an_interruption_leaves_nothing(
        self, pair: Pair, monkeypatch: pytest.MonkeyPatch, step: str, nth: int
    ) -> None:
        real: Callable[..., Any] = getattr(os, step)
        calls = 0

        def interrupted(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            result = real(*args, **kwargs)  # after it: the worst moment, nobody has taken note of the file
            if calls == nth:
                raise KeyboardInterrupt
            return result

        monkeypatch.setattr(os, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_pair(pair)
        assert names(pair.directory) == []

    @pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_to_the_group_between_the_links_finds_both(self, pair: Pair, number: int) -> None:
        program = WRITE + textwrap.dedent(
            f"""
            import os, signal
            # a shell starts what runs in the background with some signals ignored
            signal.signal({int(number)}, signal.default_int_handler if {number == signal.SIGINT} else signal.SIG_DFL)
            real, group = os.link, os.getpgrp()
            def link(source, target):
                real(source, target)
                os.killpg(group, {int(number)})
            os.link = link
            write_pair(Pair(Path({str(pair.directory)!r}), File({UP!r}, b"up"), File({DOWN!r}, b"down")))
            """
        )
        run = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, start_new_session=True)
        assert run.returncode != 0
        # Python turns Ctrl-C into an exception, and what was written is taken back
        assert names(pair.directory) == ([] if number == signal.SIGINT else [DOWN, UP])

    @pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
    @pytest.mark.parametrize(("step", "nth"), [("write", 1), ("write", 2), ("fsync", 1), ("fsync", 2)])
    def test_the_next_run_clears_what_a_killed_one_left(self, pair: Pair, step: str, nth: int) -> None:
        assert kill_at(pair.directory, step, nth) == -9
        assert not [name for name in names(pair.directory) if name[0].isdigit()]
        write_pair(pair)
        assert names(pair.directory) == [DOWN, UP]
        assert (pair.directory / UP).read_bytes() == b"up"

    @pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
    @pytest.mark.parametrize("nth", [1, 2])
    def test_when_the_process_that_names_the_files_is_killed_nothing_is_left(self, pair: Pair, nth: int) -> None:
        assert kill_at(pair.directory, "link", nth) == 1
        assert names(pair.directory) == []

    @pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
    def test_killed_at_random_moments(self, migrations: Path) -> None:
        """Never one file alone, never half a file; the next run completes the pair."""
        random, seen = Random(1), Counter[tuple[str, ...]]()
        begin = time.monotonic()
        write_pair(large_pair(migrations))
        longest = 1.5 * (time.monotonic() - begin)
        for name in (UP, DOWN):
            (migrations / name).unlink()
        for _ in range(int(os.environ.get("LEGACY_REF_SCAN_KILLS", "60"))):
            left = killed_after(migrations, random.random() * longest)
            seen[left] += 1
            assert left in ((), (UP, DOWN))
        print(dict(seen))
        assert seen[()]

    def test_a_file_that_appears_meanwhile_is_kept(self, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
        real = os.link

        def link(source: Path, target: Path) -> None:
            if target.name == DOWN:
                target.write_text("somebody else's")
            real(source, target)

        monkeypatch.setattr(os, "link", link)
        with pytest.raises(ScanError, match="File exists"):
            write_pair(pair)
        assert names(pair.directory) == [DOWN]
        assert (pair.directory / DOWN).read_text() == "somebody else's"

    def test_without_hard_links(self, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
        def link(source: Path, target: Path) -> None:
            raise OSError(errno.EPERM, "no links here")

        monkeypatch.setattr(os, "link", link)
        write_pair(pair)
        assert names(pair.directory) == [DOWN, UP]

    def test_a_read_only_directory(self, pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> None:
        base = tmp_path_factory.getbasetemp()
        for parent in (base.parent, base, pair.directory.parent):
            parent.chmod(0o755)  # closed to others otherwise, and others is who `unprivileged` is
        pair.directory.chmod(0o555)
        with unprivileged(), pytest.raises(ScanError, match="cannot write the migration: Permission denied"):
            write_pair(pair)
        assert names(pair.directory) == []

    def test_two_runs_at_once(self, pair: Pair) -> None:
        program = WRITE + (
            f"print(len(write_pair(Pair(Path({str(pair.directory)!r}), File({UP!r}, b'up'), File({DOWN!r}, b'down')))))"
        )
        runs = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(4)]
        written = sorted(run.communicate()[0].strip() for run in runs)
        assert written == ["0", "0", "0", "2"]
        assert names(pair.directory) == [DOWN, UP]
