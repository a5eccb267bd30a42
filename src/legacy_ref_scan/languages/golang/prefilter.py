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
BEEGO = (
    "beego/beego/v2/client/orm", "beego/beego/v2/adapter/orm", "beego/beego/orm", "astaxie/beego/orm",
)  # fmt: skip
"""Parts of the import paths of beego's ORM."""


def halves(names: Names) -> tuple[str, ...]:
    """How source writes a half of a name that it puts together at an underscore: `"campaign_" + x`, `"%s_phases"`.

    The second half of a column is left out: `"%s_id"` stands everywhere.
    """
    relations = (*names.tables, *names.dependents)
    first = (half for name in (*relations, *names.columns) for half in _before(name))
    second = (half for name in relations for half in _after(name))
    return tuple(sorted({*first, *second}))


def beego_spellings(names: Names) -> tuple[str, ...]:
    """How beego's queries write a column with an operator or a relation: `"status__in"`, `"phase__status"`, `"Status"`.

    No mention is in these: the name is a part of a longer one there, or one word with a capital.
    """
    spellings = sorted({spelling for name in names.columns for spelling in (name, *_camel_cases(name))})
    inside = (form for s in spellings for form in (f'"{s}__', f'"-{s}__', f'__{s}"', f"__{s}__"))
    titles = (f'{lead}{s}"' for s in spellings if s[:1].isupper() for lead in ('"', '"-'))
    return (*inside, *titles)


def _camel_cases(name: str) -> tuple[str, ...]:
    """UserId and UserID of user_id, Status of status."""
    words = [word for word in name.split("_") if word]
    last = {words[-1].capitalize(), words[-1].upper()} if words else set()
    return tuple(sorted("".join(word.capitalize() for word in words[:-1]) + word for word in last))


def unmentioned(project: Project) -> tuple[str, ...]:
    """What a file can use a target by though no mention is in it."""
    return (*halves(project.names), *(beego_spellings(project.names) if _uses_beego(project) else ()))


def _uses_beego(project: Project) -> bool:
    parts = [part.encode() for part in BEEGO]
    return any(part in source.data for source in project.containing("go", ["beego/"]) for part in parts)


def _before(name: str) -> Iterator[str]:
    for at in _underscores(name):
        yield from (f'{name[: at + 1]}"', f"{name[: at + 1]}`", f"{name[: at + 1]}%")


def _after(name: str) -> Iterator[str]:
    for at in _underscores(name):
        yield from (f'"{name[at:]}', f"`{name[at:]}", f"%s{name[at:]}")


def _underscores(name: str) -> list[int]:
    return [at for at, char in enumerate(name) if char == "_" and 0 < at < len(name) - 1]


def torn(project: Project) -> list[SourceFile]:
    """The files with a half of a name, or with a name inside of a longer one."""
    wanted = unmentioned(project)
    near = project.containing("go", _shortest(wanted, project.names)) if wanted else []
    needles = [word.encode() for word in wanted]
    return [source for source in near if any(needle in source.data for needle in needles)]


def _shortest(wanted: tuple[str, ...], names: Names) -> list[str]:
    """A few words of which each of the `wanted` ones holds one: they are looked for in every file."""
    every = (*names.tables, *names.dependents, *names.columns)
    ends = {part for name in every for at in _underscores(name) for part in (name[: at + 1], name[at:])}
    found: list[str] = []
    for word in (*sorted(ends, key=len), *wanted):
        if not any(known in word for known in found) and any(word in other for other in wanted):
            found.append(word)
    return found


def concerned(project: Project) -> bool:
    """Whether there is anything to look at."""
    return bool(
        project.candidates("go")
        or torn(project)
        or (any(map(project.candidates, LANGUAGES)) and project.containing("go", [DIRECTIVE]))
    )
