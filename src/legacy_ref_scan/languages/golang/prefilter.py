"""Which Go files can matter though no name of a target stands in them: cheap searches of bytes, no grammar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from legacy_ref_scan.languages import LANGUAGES

if TYPE_CHECKING:
    from legacy_ref_scan.languages import Project
    from legacy_ref_scan.mentions import Names
    from legacy_ref_scan.model import SourceFile

DIRECTIVE = "//go:embed"


def halves(names: Names) -> tuple[str, ...]:
    """How source writes a half of a name that it puts together at an underscore: `"campaign_" + x`, `"%s_phases"`.

    The second half of a column is left out: `"%s_id"` stands everywhere.
    """
    relations = (*names.tables, *names.dependents)
    first = (half for name in (*relations, *names.columns) for half in _before(name))
    second = (half for name in relations for half in _after(name))
    return tuple(sorted({*first, *second}))


def _before(name: str) -> Iterator[str]:
    for at in _underscores(name):
        yield from (f'{name[: at + 1]}"', f"{name[: at + 1]}`", f"{name[: at + 1]}%")


def _after(name: str) -> Iterator[str]:
    for at in _underscores(name):
        yield from (f'"{name[at:]}', f"`{name[at:]}", f"%s{name[at:]}")


def _underscores(name: str) -> list[int]:
    return [at for at, char in enumerate(name) if char == "_" and 0 < at < len(name) - 1]


def torn(project: Project) -> list[SourceFile]:
    """The files with a half of a name."""
    wanted = halves(project.names)
    return list(project.containing("go", wanted)) if wanted else []


def concerned(project: Project) -> bool:
    """Whether there is anything to look at."""
    return bool(
        project.candidates("go")
        or torn(project)
        or (any(map(project.candidates, LANGUAGES)) and project.containing("go", [DIRECTIVE]))
    )
