"""Fixtures that tests share: a PostgreSQL, databases of one's own, the judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from tests.judge import Judge
from tests.postgres import Server, shared_server


@pytest.fixture(scope="session")
def postgres() -> Server:
    """The server: embedded, or the one that LEGACY_REF_SCAN_TEST_DSN names."""
    return shared_server()


@pytest.fixture
def database(postgres: Server) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """An autocommit connection to an empty database that this test alone sees."""
    name = postgres.create()
    with postgres.connect(name) as connection:
        yield connection
    postgres.drop(name)


@pytest.fixture
def make_judge(postgres: Server) -> Iterator[Callable[[str], Judge]]:
    """Makes judges for schemas; all are closed at the end of the test."""
    with ExitStack() as judges:
        yield lambda schema_sql: judges.enter_context(Judge(schema_sql, postgres))
