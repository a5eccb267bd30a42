"""Scans Go sources that live in memory, and checks the two laws on every scan: exact origins, nothing lost."""

# ruff: noqa: E501 -- a Go source reads best as one string

from __future__ import annotations

from collections.abc import Iterable

from legacy_ref_scan.languages.golang import extract
from legacy_ref_scan.mentions import Names
from legacy_ref_scan.model import Claim, Extracted, Fragment, Gap, Mapping, SourceFile
from tests.languages.memory import PHASES, MemoryProject, check_nothing_lost, check_origins

HOLE = "\x1a"


class GoProject(MemoryProject):
    """Files by path; what does not end in `.go` is of another language."""

    def __init__(self, files: dict[str, str | bytes], names: Names = PHASES) -> None:
        super().__init__(files, "go", names)
        for path, source in self.files.items():
            language = {"go": "go", "sql": "sql"}.get(path.rpartition(".")[2], "other")
            self.files[path] = SourceFile(path, source.data, language, path.endswith("_test.go"))


def scan(files: dict[str, str | bytes] | str, names: Names = PHASES) -> list[Extracted]:
    """What the Go side finds in some files, or in one file's text."""
    project = GoProject({"a.go": files} if isinstance(files, str) else files, names)
    items = list(extract(project))
    for fragment in fragments(items):
        check_origins(project, fragment)
    check_nothing_lost(project, "go", items)
    return items


def fragments(items: Iterable[Extracted]) -> list[Fragment]:
    return [item for item in items if isinstance(item, Fragment)]


def mappings(items: Iterable[Extracted]) -> list[Mapping]:
    return [item for item in items if isinstance(item, Mapping)]


def claims(items: Iterable[Extracted]) -> list[Claim]:
    return [item for item in items if isinstance(item, Claim)]


def gaps(items: Iterable[Extracted]) -> list[Gap]:
    return [item for item in items if isinstance(item, Gap)]


def texts(items: Iterable[Extracted]) -> set[str]:
    """The texts of all fragments."""
    return {fragment.text.decode() for fragment in fragments(items)}


def body(statements: str, imports: str = "", top: str = "") -> str:
    """A file with one method, `(*Store).Run`, that has some statements."""
    listed = "".join(f"import {line}\n" for line in imports.split())
    return f"package store\n{listed}{top}\nfunc (s *Store) Run(ctx context.Context, flag bool) error {{\n{statements}\n}}\n"


def assembled(statements: str, imports: str = "", top: str = "") -> set[str]:
    """The texts that one method's statements give."""
    return texts(scan(body(statements, imports, top)))
