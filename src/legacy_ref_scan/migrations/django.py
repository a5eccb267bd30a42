"""Django: `migrations/0001_name.py` in each app, with `dependencies` between them and lists of operations.

The rules are those of `django/db/migrations/loader.py` and `graph.py`; the history is that of the whole project.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from posixpath import commonpath, dirname
from typing import TYPE_CHECKING

from legacy_ref_scan.migrations.history import History, Migration, Problem, Read, problem, unreadable
from legacy_ref_scan.versions import Version

if TYPE_CHECKING:
    from legacy_ref_scan.migrations.python.django_migration import Loaded
    from legacy_ref_scan.migrations.python.sql_files import SqlFiles

_NAME = re.compile(r"(?:.*/)?migrations/([^/_~][^/]*)\.py")
_CLASS = re.compile(rb"^class Migration\s*\(", re.MULTILINE)
_LABEL = re.compile(rb"^\s+label\s*=\s*[\"'](\w+)[\"']", re.MULTILINE)
_AUTOMATIC = re.compile(rb"^DEFAULT_AUTO_FIELD\s*=\s*[\"'](?:[\w.]*\.)?(\w+)[\"']", re.MULTILINE)
_USER = re.compile(rb"^AUTH_USER_MODEL\s*=\s*[\"'](\w+\.\w+)[\"']", re.MULTILINE)
_SETTINGS = re.compile(r"(?:.*/)?(?:settings[^/]*|settings/.*|config/.*|conf/[^/]*)\.py")

Key = tuple[str, str]
"""(label of the app, name of the migration)."""


def places(paths: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The projects: where a `manage.py` lies, or else what is above all migrations. A package of apps that others
    install may have a small project for show: where most migrations lie outside of it, they are offered too."""
    found = [path for path in paths if _NAME.fullmatch(path)]
    if not found:
        return
    projects = sorted(
        {dirname(path) for path in paths if path.rpartition("/")[2] == "manage.py"}, key=len, reverse=True
    )
    groups: dict[str, list[str]] = {}
    rest: list[str] = []
    for path in found:
        project = next((item for item in projects if not item or path.startswith(f"{item}/")), None)
        (rest if project is None else groups.setdefault(project, [])).append(path)
    if len(rest) > sum(map(len, groups.values())):
        groups[commonpath([dirname(dirname(path)) for path in rest])] = rest
    yield from groups.items()


def recognise(paths: Sequence[str], read: Read) -> int:
    """Counts the files in directories called `migrations` that define a migration."""
    sources = (read(path) for path in paths if _NAME.fullmatch(path))
    return sum(1 for source in sources if source is not None and _CLASS.search(source.data))


def load(directory: str, paths: Sequence[str], read: Read) -> History:
    """See `Convention.load`. `paths` are those of the whole tree: other files name apps, users and keys."""
    from legacy_ref_scan.migrations.python.django_migration import read_migration
    from legacy_ref_scan.migrations.python.sql_files import SqlFiles

    prefix = f"{directory}/" if directory else ""
    problems: list[Problem] = []
    found: dict[Key, Loaded] = {}
    wanted = [
        path for path in sorted(paths) if (path.startswith(prefix) or path == directory) and _NAME.fullmatch(path)
    ]
    labels = {home: _label(home, paths, read) for home in {dirname(dirname(path)) for path in wanted}}
    for path in wanted:
        source = read(path)
        if source is None:
            problems.append(unreadable(path))
        elif _CLASS.search(source.data):
            key = labels[dirname(dirname(path))], path.rpartition("/")[2].removesuffix(".py")
            loaded = read_migration(key, source)
            if loaded is None:
                message = f"{path} is no Python that can be parsed here"
                problems.append(problem("migration-unparsed", message, path, anything=True))
            else:
                found[key] = loaded
    problems += _missing(found)
    ordered = list(_ordered(_chosen(found)))
    files = SqlFiles(paths, read)
    migrations, more = _applied(ordered, _settings(paths, read), files)
    problems += more
    notes = tuple(_notes(found, ordered))
    return History(directory, "django", tuple(migrations), tuple(problems), notes, programs=tuple(files.used))


def _applied(
    ordered: Sequence[Loaded], settings: tuple[str, str], files: SqlFiles
) -> tuple[list[Migration], list[Problem]]:
    """Every migration as SQL, one after the other over the models so far."""
    from legacy_ref_scan.migrations.python.django_migration import Applied
    from legacy_ref_scan.migrations.python.django_state import Project

    project = Project(*settings, frozenset(loaded.key[0] for loaded in ordered), files=files)
    migrations: list[Migration] = []
    problems: list[Problem] = []
    for number, loaded in enumerate(ordered, 1):
        applied = Applied.of(loaded, project)
        path = loaded.source.path
        version = Version((number,), ".".join(loaded.key))
        name = path.rpartition("/")[2].removesuffix(".py")
        migrations.append(Migration(version, name, path, (), loaded.source, scripts=applied.scripts))
        problems += applied.problems
    return migrations, problems


def _label(home: str, paths: Sequence[str], read: Read) -> str:
    """The label of an app: that of its configuration, else the name of its directory."""
    configuration = f"{home}/apps.py" if home else "apps.py"
    source = read(configuration) if configuration in paths else None
    match = _LABEL.search(source.data) if source is not None else None
    return match.group(1).decode() if match else home.rpartition("/")[2]


def _settings(paths: Sequence[str], read: Read) -> tuple[str, str]:
    """The model of users, and the class of automatic keys: in migrations the configuration of an app says nothing."""
    user, automatic = "auth.User", "AutoField"
    for path in paths:
        source = read(path) if _SETTINGS.fullmatch(path) else None
        match = _USER.search(source.data) if source is not None else None
        user = match.group(1).decode() if match else user
        match = _AUTOMATIC.search(source.data) if source is not None else None
        if match:
            automatic = match.group(1).decode()
    return user, automatic


def _chosen(found: Mapping[Key, Loaded]) -> dict[Key, Loaded]:
    """Without the migrations that stand for others which are all there, and those that such a one stands for."""
    chosen = dict(found)
    for key, loaded in found.items():
        if loaded.replaces and all(other in found for other in loaded.replaces):
            del chosen[key]
    for loaded in list(chosen.values()):
        for other in loaded.replaces:
            chosen.pop(other, None)
    return chosen


def _ordered(chosen: Mapping[Key, Loaded]) -> Iterator[Loaded]:
    """Each after those that it needs; independent ones by app and name."""
    needs = {key: list(_needed(loaded, chosen)) for key, loaded in chosen.items()}
    for key, loaded in chosen.items():
        for later in loaded.run_before:
            if later in needs:
                needs[later].append(key)
    done: set[Key] = set()
    for start in sorted(chosen):
        waiting = [start]
        while waiting:
            key = waiting[-1]
            missing = [other for other in needs[key] if other not in done and other not in waiting]
            if key in done:
                waiting.pop()
            elif missing:
                waiting.append(missing[0])
            else:
                done.add(key)
                yield chosen[waiting.pop()]


def _needed(loaded: Loaded, chosen: Mapping[Key, Loaded]) -> Iterator[Key]:
    stands_for = {other: key for key, item in chosen.items() for other in item.replaces}
    for app, name in loaded.dependencies:
        own = sorted(key for key in chosen if key[0] == app)
        if (app, name) in chosen:
            yield app, name
        elif (app, name) in stands_for:
            yield stands_for[app, name]
        elif name == "__first__" and own and app != loaded.key[0]:
            yield own[0]
        elif own and app != loaded.key[0]:
            yield own[-1]


def _missing(found: Mapping[Key, Loaded]) -> Iterator[Problem]:
    """A migration of an app of the repository that another needs and that is not there."""
    apps = {app for app, _ in found}
    replaced = {other for loaded in found.values() for other in loaded.replaces}
    for loaded in found.values():
        for app, name in loaded.dependencies:
            there = (app, name) in found or (app, name) in replaced or name.startswith("__")
            if app in apps and not there:
                message = f"{loaded.source.path} comes after {app}.{name}, which is not there"
                yield problem("migration-missing", message, loaded.source.path, anything=True)


def _notes(found: Mapping[Key, Loaded], ordered: Sequence[Loaded]) -> Iterator[str]:
    left = sorted(".".join(key) for key in found.keys() - {item.key for item in ordered})
    if left:
        yield f"squashed migrations and those that they stand for, not applied twice: {', '.join(left)}"
