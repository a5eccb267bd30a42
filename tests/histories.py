"""Small repositories with a history: each step is a commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

_IDENTITY = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")


def git(root: Path, *arguments: str) -> str:
    """What git prints in a repository."""
    done = subprocess.run(["git", *_IDENTITY, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def start(root: Path) -> Path:
    """An empty repository on a branch called main."""
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "-q", "-b", "main")
    return root


def write(root: Path, files: dict[str, str | None]) -> None:
    """Write files; None removes one."""
    for name, content in files.items():
        path = root / name
        if content is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)


def commit(root: Path, files: dict[str, str | None], tag: str = "") -> str:
    """Write files and commit; the commit's name."""
    write(root, files)
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "step")
    if tag:
        git(root, "tag", tag)
    return git(root, "rev-parse", "HEAD")
