#!/usr/bin/env python3
"""Two commands for a fresh clone with nothing but Python and git: `python3 dev.py demo` and `python3 dev.py test`.

Each makes a virtual environment in `.venv` when there is none, installs the package into it, and runs.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import venv

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
BIN = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin")
STAGES = (("before", 1), ("between", 1), ("after", 0))


def main() -> int:
    """Returns the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036  the person who runs this may have an older one
        print(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}", file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="scan the shipped example: before, between and after the clean-up")
    commands.add_parser("test", help="run the tests; further arguments go to pytest")
    options, rest = parser.parse_known_args()
    if options.command == "demo":
        if rest:
            parser.error("demo takes no arguments")
        return demo()
    return test(rest)


def demo() -> int:
    """Scans the three stages of the example; 0 if each exits as it should."""
    prepare("")
    wrong = 0
    for stage, expected in STAGES:
        command = [
            os.path.join(BIN, "legacy-ref-scan"),
            "scan",
            "--root",
            os.path.join("fixtures", "domainflow", stage),
        ]
        print("\n$ " + " ".join(["legacy-ref-scan", *command[1:]]), flush=True)
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        verdict = "as expected" if code == expected else f"but {expected} was expected"
        print(f"exit code {code}, {verdict}", flush=True)
        wrong += code != expected
    return 1 if wrong else 0


def test(arguments: "list[str]") -> int:
    """Runs pytest with these arguments and returns its exit code."""
    prepare("[dev]")
    return subprocess.run([os.path.join(BIN, "python"), "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode


def prepare(extra: str) -> None:
    """Installs the package into `.venv`, unless that was done since pyproject.toml last changed."""
    python = os.path.join(BIN, "python")
    if not works(python):
        print(f"making a virtual environment in {VENV}", flush=True)
        try:
            venv.EnvBuilder(with_pip=True, clear=not os.path.exists(python)).create(VENV)
        except subprocess.CalledProcessError:
            sys.exit("cannot make a virtual environment: Debian and Ubuntu need the package python3-venv for it")
    stamp = os.path.join(VENV, "installed" + extra)
    state = digest(os.path.join(ROOT, "pyproject.toml"))
    if read(stamp) == state:
        return
    print(f"installing legacy-ref-scan{extra}", flush=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", "." + extra]
    if subprocess.run(install, cwd=ROOT, check=False).returncode:
        sys.exit("the installation failed: see above")
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(state)


def works(python: str) -> bool:
    """Whether the environment's Python starts (its base may have been removed) and has pip."""
    try:
        return subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
