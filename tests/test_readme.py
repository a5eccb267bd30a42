"""The README says what the program does: its output is real, its options exist, its files are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click import Command
from click.testing import CliRunner

from legacy_ref_scan.reports import FORMATS, Options
from legacy_ref_scan.rules import load_rule
from legacy_ref_scan.scan import Request, scan

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def commands() -> dict[str, Command]:
    from legacy_ref_scan import cli

    group = next(value for value in vars(cli).values() if isinstance(value, Command) and hasattr(value, "commands"))
    found: dict[str, Command] = group.commands
    return found


def test_the_printed_report_is_real() -> None:
    root = ROOT / "fixtures/domainflow/between"
    rule = load_rule(root / "rules/000068_drop_campaign_phases_error_columns.toml")
    text = FORMATS["text"].render(scan(Request(root=root, rules=(rule,))).report, Options())
    for line in text.strip().splitlines()[-3:]:
        assert line in README
    for line in re.findall(r"^(?:error\[.*| *--> .*| *= help: .*)$", README, re.MULTILINE):
        assert line in text


def test_every_command_it_names_exists() -> None:
    named = set(re.findall(r"legacy-ref-scan ([a-z][a-z-]+)", README))
    assert named == set(commands())


def options_named() -> set[tuple[str, str]]:
    """(command, option): behind a command's name, or in the table of the options of `scan`."""
    table = "\n".join(line for line in README.splitlines() if line.startswith(("| `--", "| `PATHS")))
    found = {("scan", option) for option in re.findall(r"--[a-z][a-z-]+", table)}
    for command, rest in re.findall(r"legacy-ref-scan ([a-z][a-z-]+)([^`\n]*)", README):
        found |= {(command, option) for option in re.findall(r"--[a-z][a-z-]+", rest)}
    return found


@pytest.mark.parametrize(("command", "option"), sorted(options_named()))
def test_every_option_it_names_exists(command: str, option: str) -> None:
    assert option in CliRunner().invoke(commands()[command], ["--help"]).output


def test_every_file_it_names_is_there() -> None:
    for name in re.findall(r"`(src/[\w/.]+|rules/[\w.]+)`", README):
        assert (ROOT / name).exists(), name
