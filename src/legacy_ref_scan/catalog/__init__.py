"""The replay of migrations into a catalog: PostgreSQL's schema without a PostgreSQL."""

from legacy_ref_scan.catalog.replay import apply_file, replay

__all__ = ["apply_file", "replay"]
