"""Rules: which columns are retired, by which migration, and what is acknowledged. Read, checked and written here."""

from legacy_ref_scan.rules.load import adhoc_rule, find_rules, load_rule
from legacy_ref_scan.rules.names import default_name, parse_name, quote_name
from legacy_ref_scan.rules.render import render_rule
from legacy_ref_scan.rules.types import CONVENTIONS, KINDS, Acknowledgement, MigrationPlan, Others, Parity, Rule

__all__ = [
    "CONVENTIONS",
    "KINDS",
    "Acknowledgement",
    "MigrationPlan",
    "Others",
    "Parity",
    "Rule",
    "adhoc_rule",
    "default_name",
    "find_rules",
    "load_rule",
    "parse_name",
    "quote_name",
    "render_rule",
]
