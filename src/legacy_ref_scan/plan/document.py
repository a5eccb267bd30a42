"""The document: written once whole, then kept up to date between its own marks, people's text left alone.

A block stands between `<!-- begin:NAME -->` and `<!-- end:NAME -->`, a box ends in `<!-- box:NAME -->`. A block or mark
that people took out stays out; a box that is new goes behind the last one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from legacy_ref_scan.generate import Refusal
from legacy_ref_scan.model import ScanError
from legacy_ref_scan.plan.boxes import Box, boxes, remarks
from legacy_ref_scan.plan.facts import Facts

_BLOCK = re.compile(r"<!-- begin:([a-z-]+) -->\n(.*?)<!-- end:\1 -->", re.DOTALL)
_BOX = re.compile(r"^[ \t]*[-*] \[([ xX])\] (.*) <!-- box:([a-z-]+)(?: ([0-9a-z]+))? -->[ \t]*$", re.MULTILINE)
_WHEN = re.compile(r" \((?:\d{4}-\d\d-\d\d \d\d:\d\d UTC)\)$")
_UP = {
    "golang-migrate": 'migrate -path {directory} -database "$DATABASE_URL" up 1',
    "goose": 'goose -dir {directory} postgres "$DATABASE_URL" up-by-one',
    "dbmate": "dbmate --migrations-dir {directory} up",
    "sql-migrate": "sql-migrate up -limit=1",
    "tern": "tern migrate --migrations {directory}",
    "flyway": "flyway -locations=filesystem:{directory} migrate",
}
_DOWN = {
    "golang-migrate": 'migrate -path {directory} -database "$DATABASE_URL" down 1',
    "goose": 'goose -dir {directory} postgres "$DATABASE_URL" down',
    "dbmate": "dbmate --migrations-dir {directory} rollback",
    "sql-migrate": "sql-migrate down -limit=1",
    "tern": "tern migrate --migrations {directory} --destination -1",
    "flyway": "flyway -locations=filesystem:{directory} undo",
}


def fresh(facts: Facts) -> str:
    """A new document."""
    parts = [
        f"# Retirement of {facts.columns}",
        "",
        "Kept up to date by `legacy-ref-scan plan`: it writes between its marks and leaves everything else alone.",
        "",
        *(line for name, title in _SECTIONS for line in (f"## {title}", "", *_section(name, facts), "")),
    ]
    return "\n".join(parts).rstrip() + "\n"


_SECTIONS = (
    ("context", "Context"),
    ("migration", "Migration"),
    ("checklist", "Checklist"),
    ("steps", "Operational steps"),
    ("rollback", "Rollback"),
    ("completion", "Completion notes"),
)


def _section(name: str, facts: Facts) -> Iterator[str]:
    if name == "checklist":
        yield from (_kept(None, box).line for box in boxes(facts))
    elif name == "completion":
        yield from ("- Applied to staging on … by …", "- Applied to production on … by …", "- Seen afterwards: …")
    else:
        yield f"<!-- begin:{name} -->"
        yield from _BLOCKS[name](facts)
        yield f"<!-- end:{name} -->"


def updated(old: str, facts: Facts) -> str:
    """The document with its blocks and boxes as they are now. Raises `ScanError` where it is about other columns."""
    if not old.startswith(f"# Retirement of {facts.columns}\n"):
        raise ScanError(f"the document there is no plan of {facts.columns}: choose another with --output")
    text = _BLOCK.sub(lambda match: _block(match, facts), old)
    known = {match[3] for match in _BOX.finditer(text)}
    wanted: dict[str, list[Box]] = {}
    for box in boxes(facts):
        wanted.setdefault(box.id, []).append(box)
    done: set[str] = set()

    def replaced(match: re.Match[str]) -> str:
        id_ = match[3]
        if id_ not in wanted:
            return match[0]
        if id_ in done:
            return ""  # several lines of one box come back at the first
        done.add(id_)
        return "\n".join(_kept(_old_line(text, id_, index), box).line for index, box in enumerate(wanted[id_]))

    last = max((match.end() for match in _BOX.finditer(text)), default=None)
    new = [box.line for box in boxes(facts) if box.id not in known]
    if new and last is not None:
        text = "\n".join((text[:last], *new)) + text[last:]
    return re.sub(r"\x00\n", "", _BOX.sub(lambda match: replaced(match) or "\x00", text))


def _old_line(text: str, id_: str, index: int) -> re.Match[str] | None:
    lines = [match for match in _BOX.finditer(text) if match[3] == id_]
    return lines[index] if index < len(lines) else None


def _kept(old: re.Match[str] | None, box: Box) -> Box:
    """The box as it is now; where nothing but the time has changed, or nothing is known now, as it was."""
    if old is None:
        return box
    before = f"{box.text}: "
    ticked = old[1] in "xX"
    if not old[2].startswith(before) or (old[4] or "") != box.seal:
        return box
    proof = old[2].removeprefix(before)
    same = ticked is bool(box.ticked) and _WHEN.sub("", proof) == box.proof
    if same or (box.ticked is None and (ticked or not proof.startswith("missing:"))):
        return Box(box.id, box.text, ticked, proof, "", box.seal)
    return box


def _block(match: re.Match[str], facts: Facts) -> str:
    render = _BLOCKS.get(match[1])
    if render is None:
        return match[0]
    return "\n".join((f"<!-- begin:{match[1]} -->", *render(facts), f"<!-- end:{match[1]} -->"))


def _context(facts: Facts) -> Iterator[str]:
    yield f"- Columns: {', '.join(f'`{target}`' for target in facts.rule.targets)}"
    if facts.rule.replacement:
        yield f"- Replaced by: `{facts.rule.replacement}`"
    yield f"- Rule: `{facts.rule.source}`"
    yield f"- Migrations: `{facts.directory or '.'}` ({facts.convention}, {facts.migrations:,} before this one)"


def _migration(facts: Facts) -> Iterator[str]:
    if isinstance(facts.pair, Refusal):
        yield f"There is none yet: {facts.pair.summary}."
        yield from (f"- {reason}" for reason in facts.pair.reasons)
        return
    names = [path.name for path in facts.pair.paths]
    for title, file, name in (("Up", facts.pair.up, names[0]), ("Down", facts.pair.down, names[-1])):
        yield from (f"{title}, `{name}`:", "", "```sql", *file.data.decode().splitlines(), "```", "")


def _steps(facts: Facts) -> Iterator[str]:
    up = _UP.get(facts.convention, "run the migration").format(directory=facts.directory)
    migration = facts.rule.migration
    timeout = (
        f" It gives up after {migration.lock_timeout} without its lock." if migration and migration.lock_timeout else ""
    )
    yield "1. Release the code that is judged above, and wait until no older release runs."
    yield "2. Check staging, then production: `legacy-ref-scan verify --dsn … --format json --output verify.json`."
    yield "3. Make sure that the backup can be restored."
    yield f"4. Migrate staging, then production: `{up}`.{timeout}"
    yield "5. Watch for errors 42703 (undefined column) in the logs of the services and of PostgreSQL."
    yield "6. Fill in the completion notes, and remove the rule."


def _rollback(facts: Facts) -> Iterator[str]:
    down = _DOWN.get(facts.convention, "run the way back").format(directory=facts.directory)
    yield f"- `{down}` adds the columns back, empty but for defaults, at the end of the table."
    yield "- The values that were there come from the backup, or from the snapshot that `verify --snapshot` took."
    yield from (f"- {line}" for line in (remarks(facts.pair) if not isinstance(facts.pair, Refusal) else []))


_BLOCKS = {"context": _context, "migration": _migration, "steps": _steps, "rollback": _rollback}
