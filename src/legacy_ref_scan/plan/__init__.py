"""The retirement plan: a Markdown document whose boxes are ticked by evidence, kept up to date run after run."""

from __future__ import annotations

from legacy_ref_scan.plan.boxes import Box, boxes
from legacy_ref_scan.plan.document import fresh, updated
from legacy_ref_scan.plan.facts import Evidence, Facts, load_evidence

__all__ = ["Box", "Evidence", "Facts", "boxes", "fresh", "load_evidence", "updated"]
