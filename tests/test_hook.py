"""The hook with the real pre-commit: it installs the package as users do, and the index decides."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CLEAN = 'package store\n\nconst q = "UPDATE campaign_phases SET status = $1"\n'
READ = 'package store\n\nconst q = "SELECT error_message FROM campaign_phases"\n'
FILES = {
    "store.go": CLEAN,
    "migrations/000001_init.up.sql": "CREATE TABLE campaign_phases (id bigint, error_message text, status text);\n",
    "migrations/000001_init.down.sql": "DROP TABLE campaign_phases;\n",
    "rules/drop.toml": '[retire]\ntable = "campaign_phases"\ncolumns = ["error_message"]\n',
}
CONFIG = "repos:\n- repo: {repo}\n  rev: {rev}\n  hooks:\n  - id: legacy-ref-scan\n"
AUTHOR = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (("NAME", "somebody"), ("EMAIL", "somebody@example.org"))
}

Run = Callable[..., subprocess.CompletedProcess[str]]


def git(directory: Path, *arguments: str) -> str:
    command = ["git", "-C", str(directory), *arguments]
    environment = {**os.environ, **AUTHOR}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A git repository with this package as it stands here, and its revision."""
    copy = tmp_path_factory.mktemp("published")
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, copy / name)
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    git(copy, "init", "-q")
    git(copy, "add", "-A")
    git(copy, "commit", "-qm", "as it stands")
    return copy, git(copy, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables under which pre-commit keeps its environments away from the user's."""
    home = str(tmp_path_factory.mktemp("pre-commit"))
    own = ("GIT_INDEX_FILE", "GIT_DIR", "GIT_WORK_TREE", "PYTHONPATH")  # this test may itself run in a hook
    kept = {name: value for name, value in os.environ.items() if name not in own}
    return {**kept, **AUTHOR, "PRE_COMMIT_HOME": home, "PRE_COMMIT_COLOR": "never"}


@pytest.fixture
def user(tmp_path: Path, published: tuple[Path, str]) -> Path:
    """Somebody's repository with the hook in its configuration; everything is committed."""
    repo, rev = published
    for name, content in {**FILES, ".pre-commit-config.yaml": CONFIG.format(repo=repo, rev=rev)}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "start")
    return tmp_path


@pytest.fixture
def run(user: Path, environment: dict[str, str]) -> Run:
    """Runs a program in the user's repository."""

    def execute(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, check=False, cwd=user, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    return execute


PRE_COMMIT = (sys.executable, "-m", "pre_commit")


def test_the_whole_repository_is_judged(user: Path, run: Run) -> None:
    done = run(*PRE_COMMIT, "run", "--all-files")
    assert done.returncode == 0, done.stdout
    (user / "store.go").write_text(READ)
    git(user, "add", "store.go")
    git(user, "commit", "-qm", "reads it again", "--no-verify")
    (user / "other.go").write_text(CLEAN)
    git(user, "add", "other.go")
    done = run(*PRE_COMMIT, "run")
    assert done.returncode == 1, done.stdout
    assert "store.go:3:19" in done.stdout


def test_a_commit_without_code_is_not_held_up(user: Path, run: Run) -> None:
    (user / "notes.md").write_text("x\n")
    git(user, "add", "notes.md")
    assert "(no files to check)Skipped" in run(*PRE_COMMIT, "run").stdout


def test_the_index_decides_not_the_working_tree(user: Path, run: Run) -> None:
    assert run(*PRE_COMMIT, "install").returncode == 0
    (user / "other.go").write_text(CLEAN)
    git(user, "add", "other.go")
    (user / "untracked.go").write_text(READ)  # never in the index, so of no concern to this commit
    (user / "store.go").write_text(READ)  # changed, but not added
    done = run("git", "commit", "-m", "only what is staged")
    assert done.returncode == 0, done.stdout

    git(user, "add", "store.go")
    (user / "store.go").write_text(CLEAN + "// mended\n")  # in the working tree only
    done = run("git", "commit", "-m", "the staged content reads it")
    assert done.returncode == 1
    assert "error[read]" in done.stdout
    assert "verdict: referenced: 1 reference" in done.stdout

    done = run("git", "commit", "-m", "with -a git makes an index of its own for the commit", "-a")
    assert done.returncode == 0, done.stdout
