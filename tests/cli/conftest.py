"""A repository for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import INIT, RULE, UPDATED, Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Makes a repository with a Go file, two migrations and a rule, and what else is given (None: leave out)."""

    def make(go: str = UPDATED, **files: str | bytes | None) -> Path:
        root = tmp_path / "repository"
        wanted: dict[str, str | bytes | None] = {
            "store.go": go,
            "migrations/000001_init.up.sql": INIT,
            "migrations/000001_init.down.sql": "DROP TABLE campaign_phases;\n",
            "migrations/000002_more.up.sql": "CREATE TABLE jobs (id bigint);\n",
            "migrations/000002_more.down.sql": "DROP TABLE jobs;\n",
            "rules/drop.toml": RULE,
            **{name.replace("__", "/"): content for name, content in files.items()},
        }
        for name, content in wanted.items():
            if content is not None:
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return make
