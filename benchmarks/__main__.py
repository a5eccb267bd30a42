"""Runs the benchmark and prints one table: the best of three runs of each command, in turns, on the same files."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corpus import COLUMN, TABLE, generate

RUNS = 3
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Run:
    """What one command took: seconds, bytes at its peak, and how it ended."""

    seconds: float
    peak: int
    code: int


def main() -> int:
    """Generates the repository, measures, prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--go-files", type=int, default=5000)
    parser.add_argument("--migrations", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="legacy-ref-scan-bench-") as directory:
        root = Path(directory)
        generate(root, options.go_files, options.migrations)
        _commit(root)
        size = sum(path.stat().st_size for path in root.rglob("*") if path.suffix in (".go", ".sql"))
        print(f"{options.go_files} Go files, {options.migrations} migrations, {size / 1e6:.1f} MB\n")
        _compare(_scans(root))
    print()
    _compare(_starts())
    return 0


def _commit(root: Path) -> None:
    """A repository, as in real use: listing its files is part of a scan."""
    if shutil.which("git"):
        subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
        subprocess.run(["git", "add", "--all"], cwd=root, check=True)


def _scans(root: Path) -> dict[str, list[str]]:
    ours = [_tool(), "scan", "--root", str(root), "--column", f"{TABLE}.{COLUMN}", "--output", os.devnull]
    commands = {"legacy-ref-scan scan": ours}
    rg = shutil.which("rg")
    if rg:
        commands[f"rg -w -e {COLUMN} -e {TABLE}"] = [rg, "-n", "-w", "-e", COLUMN, "-e", TABLE, str(root)]
    else:
        print("rg is not on the PATH: nothing to compare with")
    return commands


def _starts() -> dict[str, list[str]]:
    return {
        "legacy-ref-scan --version": [_tool(), "--version"],
        "python -c 'import click'": [sys.executable, "-c", "import click"],
    }


def _tool() -> str:
    beside = Path(sys.executable).with_name("legacy-ref-scan")
    found = str(beside) if beside.exists() else shutil.which("legacy-ref-scan")
    if found is None:
        sys.exit("legacy-ref-scan is not installed: run `python3 dev.py test` first")
    return found


def _compare(commands: dict[str, list[str]]) -> None:
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, command in commands.items():
            runs[name].append(measure(command))
    width = max(map(len, commands))
    floor = measure([sys.executable, "-S", "-c", ""]).peak
    best = {name: min(run.seconds for run in taken) for name, taken in runs.items()}
    print(f"{'':{width}}  best of {RUNS}  peak memory  exit")
    for name, taken in runs.items():
        peak = max(run.peak for run in taken)
        # A process inherits its parent's peak on Linux: below this program's own size nothing can be told.
        shown = f"{peak / 1e6:.0f} MB" if peak > 1.05 * floor else f"<= {floor / 1e6:.0f} MB"
        print(f"{name:{width}}  {best[name] * 1000:7.0f} ms  {shown:>11}  {taken[0].code:4}")
    first, *others = best.values()
    for other in others:
        print(f"{'ratio':{width}}  {first / other:7.1f}")


def measure(command: list[str]) -> Run:
    """Runs a command to its end, its output thrown away."""
    # an installed program has its bytecode cached, whatever the shell of the person who measures says
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    assert process.stderr is not None
    trouble = process.stderr.read()
    process.stderr.close()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = code = os.waitstatus_to_exitcode(status)
    if code not in (0, 1, 3):
        sys.exit(f"{' '.join(command)} failed with {code}:\n{trouble.decode(errors='replace')}")
    return Run(seconds, usage.ru_maxrss * _MAXRSS_UNIT, code)


if __name__ == "__main__":
    sys.exit(main())
