"""A PostgreSQL for the tests: an embedded cluster, or the server that LEGACY_REF_SCAN_TEST_DSN names.

One cluster a process, so every xdist worker has its own.
"""

from __future__ import annotations

import atexit
import functools
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg

from legacy_ref_scan.database.cluster import Server, embedded

__all__ = ["DSN_VARIABLE", "Server", "rolled_back", "shared_server"]

DSN_VARIABLE = "LEGACY_REF_SCAN_TEST_DSN"


@functools.cache
def shared_server() -> Server:
    """The server of this process, started at the first call and stopped at exit."""
    stack = ExitStack()
    atexit.register(stack.close)
    dsn = os.environ.get(DSN_VARIABLE)
    if not dsn:
        return stack.enter_context(embedded())  # which takes its databases along
    server = Server(dsn)
    stack.callback(server.close)
    return server


@contextmanager
def rolled_back(connection: psycopg.Connection[tuple[Any, ...]]) -> Iterator[None]:
    """Everything inside happens in a transaction that is rolled back, after an error too."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
