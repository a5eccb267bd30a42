"""The Python files of a project together: runs those that matter and accounts for every mention in the candidates."""

from __future__ import annotations

import gc
import keyword
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath

from legacy_ref_scan.languages import Project
from legacy_ref_scan.languages.python import core, literals, models, sinks
from legacy_ref_scan.languages.python.findings import Findings
from legacy_ref_scan.languages.python.flow import Interpreter
from legacy_ref_scan.languages.python.library import Library
from legacy_ref_scan.languages.python.module import Class, Leaf, Module, deep_recursion
from legacy_ref_scan.languages.python.reflected import mapping_files, names_no_table
from legacy_ref_scan.languages.python.schemas import schema_keys
from legacy_ref_scan.languages.python.strangers import possible_mappings
from legacy_ref_scan.languages.python.sweep import sweep
from legacy_ref_scan.languages.python.text import Text, to_fragment
from legacy_ref_scan.model import Claim, Explanation, Extracted, Gap, Mapping, Mention, SourceFile, Span

STEPS = 150_000
"""How many expressions are evaluated for one file, calls included, beyond one for each of its bytes."""

_MANY = 500_000  # objects

_LASTING = re.compile(
    rb"\bcreate\s+(?:or\s+replace\s+)?(?:materialized\s+|constraint\s+|unique\s+|recursive\s+|temp\w*\s+)?"
    rb"(?:function|procedure|view|trigger|policy|rule|index|publication)\b",
    re.IGNORECASE,
)


def extract_from(project: Project, candidates: Sequence[SourceFile]) -> Iterator[Extracted]:
    """What the candidates hold, and the texts of other files that use their constants."""
    with _without_collection():
        found = list(_extract(project, candidates))
    yield from found


@contextmanager
def _without_collection() -> Iterator[None]:
    """Does not look for cyclic garbage: the trees of all files are kept to the end, and looking takes as long as
    parsing them. Many are set aside afterwards too, until the next time."""
    enabled = gc.isenabled()
    if gc.get_freeze_count() > _MANY:
        gc.unfreeze()
        gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if gc.get_count()[0] > _MANY:
                gc.freeze()
            gc.enable()


def _extract(project: Project, candidates: Sequence[SourceFile]) -> Iterator[Extracted]:
    library, findings = Library(project), Findings(project)
    parsed: list[Module] = []
    lookup = _lookup(project.names.columns)
    for source in candidates:
        if not findings.mentions(source.path) and not lookup.search(source.data):
            continue  # a part of another word: nothing to account for
        module = library.load(source)
        if module is None:
            yield from sweep(source, findings.mentions(source.path))
        else:
            parsed.append(module)
    live = [module for module in parsed if not module.history]
    interpreter = Interpreter(library, findings, STEPS)
    with deep_recursion():
        for source in mapping_files(library, frozenset(source.path for source in candidates)):
            other = library.load(source)
            if other is not None and not other.history:
                _run_one(interpreter, other, findings)
                _of_reflected(other, interpreter)
        mapped = _mapped(live, interpreter, findings)
        _run(project, interpreter, live)
    findings.settle()
    findings.forget_keys(interpreter.registry.attributes)
    automap = names_no_table(library)
    rest = [item for module in parsed for item in _rest(module, findings, automap)]
    yield from mapped
    yield from findings.fragments()
    yield from findings.gaps()
    yield from findings.claims()
    yield from rest


def _lookup(columns: Collection[str]) -> re.Pattern[bytes]:
    """A column's name as a part of Django's `phase__error_message__icontains`; `__name__` is none."""
    names = b"|".join(re.escape(column.encode()) for column in sorted(columns)) or b"(?!)"
    return re.compile(rb"(?<=[^\W_])__(?:%b)(?![^\W_])|(?<!\w)(?:%b)__(?=[^\W_])" % (names, names), re.IGNORECASE)


def _run(project: Project, interpreter: Interpreter, modules: list[Module]) -> None:
    for module in modules:
        _run_one(interpreter, module, interpreter.findings)
    for source in _users(project, interpreter, modules):
        other = interpreter.library.load(source)
        if other is not None and not other.history:
            _run_one(interpreter, other, interpreter.findings)


def _users(project: Project, interpreter: Interpreter, modules: list[Module]) -> Iterator[SourceFile]:
    """Further files that may import a name whose value holds a mention."""
    done = {module.source.path for module in modules}
    for module in modules:
        words = sorted(word for word in interpreter.telling(module) if len(word) > 2)
        stem = PurePosixPath(module.source.path.removesuffix("/__init__.py")).stem.encode()
        for source in project.containing("python", words) if words else ():
            if source.path not in done and stem in source.data:
                done.add(source.path)
                yield source


def _run_one(interpreter: Interpreter, module: Module, findings: Findings) -> None:
    interpreter.budget = STEPS + len(module.source.data)
    message = "the calls of this file are too many to be followed"
    try:
        interpreter.run(module)
    except RecursionError:
        interpreter.budget = -1
        message = "this file nests too deeply to be followed"
    if interpreter.budget < 0:
        span = Span(module.source.path, 0, 0)
        findings.gap(Gap(span, "too-much-python", message, test=module.source.test))


def _mapped(modules: list[Module], interpreter: Interpreter, findings: Findings) -> list[Mapping]:
    """The mappings whose place holds a mention, which they cover; where one knows its table, the others are dropped."""
    tables = interpreter.registry.tables
    kept: dict[tuple[Span, str], Mapping] = {}
    for module in modules:
        interpreter.budget = STEPS + len(module.source.data)
        interpreter.registry.note_registered(module)
        interpreter.declarations.read(module)
        _of_reflected(module, interpreter)
        for key in schema_keys(module):
            findings.claim(module.span(key), Explanation.TEXT, "a key of a JSON schema")
        for mapping in (*interpreter.registry.mappings(module), *core.mappings(module)):
            held = [mention for mention in findings.mentions(mapping.span.path) if _holds(mapping.span, mention.span)]
            for mention in held:
                findings.cover(mention.span)
            if held and isinstance(mapping, Gap):
                findings.gap(mapping)
            elif held and isinstance(mapping, Mapping):
                kept.setdefault((mapping.span, mapping.table), mapping)  # the declaring class comes first
    known = {span for span, table in kept if table.rpartition(".")[2] in tables}
    return [mapping for (span, table), mapping in kept.items() if table or span not in known]


def _of_reflected(module: Module, interpreter: Interpreter) -> None:
    """Classes over a target whose columns nobody declares: those that are read from the database are all selected."""
    registry = interpreter.registry
    owners = [known for known in module.definitions.values() if isinstance(known, Class)]
    for owner in [known for known in owners if known not in registry.mapped_by_calls]:
        model = registry.model(owner)
        if model is None:
            for gap in possible_mappings(registry, owner):
                interpreter.findings.gap(gap)
        if model is None or not model.open or model.table.rpartition(".")[2] not in registry.tables:
            continue
        span = module.span(owner.node.name)
        if model.reflects:
            interpreter.entities.uses.every(model, span, owner.symbol)
        else:
            message = f"{owner.name} is over {model.table}, and which columns it has is declared nowhere in the project"
            interpreter.findings.gap(Gap(span, "unknown-mapping", message, owner.symbol, module.source.test))


def _rest(module: Module, findings: Findings, automap: bool) -> Iterator[Extracted]:
    """What covers the mentions of a file that neither a mapping nor a text covers.

    `automap`: there are classes over tables that no program names.
    """
    for mapping in core.loose_columns(module) if module.history == "" else ():
        for mention in findings.mentions(module.source.path):
            if _holds(mapping.span, mention.span) and not findings.is_covered(mention.span):
                findings.cover(mention.span)
                yield mapping
    told: set[Leaf] = set()
    for mention in findings.mentions(module.source.path):
        if len(mention.name) == 1 and _is_escape(module, mention):
            yield Claim(mention.span, Explanation.TEXT, "an escape")
            continue
        if findings.is_covered(mention.span):
            continue
        leaf = module.leaf_at(mention.span.start)
        if leaf is None or leaf.end < mention.span.end:
            yield _unexplained(module, mention)
        elif leaf not in told:
            told.add(leaf)
            yield _explained(module, leaf, automap)


def _is_escape(module: Module, mention: Mention) -> bool:
    """Whether a name of one letter is that of an escape in a string: of `\\n`."""
    data, at = module.source.data, mention.span.start
    leaf = module.leaf_at(at)
    if leaf is None or leaf.kind not in ("string", "text", "docstring") or mention.name not in literals.ESCAPES:
        return False
    before = data[leaf.start : at]
    raw = leaf.kind != "text" and b"r" in literals.opening(data, leaf.start)[0]
    return not raw and (len(before) - len(before.rstrip(b"\\"))) % 2 == 1


def _unexplained(module: Module, mention: Mention) -> Extracted:
    word = module.source.data[mention.span.start : mention.span.end].decode("utf-8", "replace")
    if keyword.iskeyword(word):
        return Claim(mention.span, Explanation.IDENTIFIER, "keyword")
    message = f"{mention.name} stands at a place that could not be read"
    return Gap(mention.span, "unexplained-python", message, test=module.source.test)


def _explained(module: Module, leaf: Leaf, automap: bool) -> Extracted:
    span = Span(module.source.path, leaf.start, leaf.end)
    if leaf.kind == "comment":
        return Claim(span, Explanation.COMMENT)
    if leaf.kind == "docstring":
        return Claim(span, Explanation.COMMENT, "docstring")
    if module.history:
        return _historic(module, leaf, span)
    used = leaf.kind == "name" and leaf.detail in ("attribute", "keyword argument")
    if used and (automap or models.reflects(module)):
        message = "a name in a program that reads the columns of its tables from the database"
        return Gap(span, "reflected-table", message, test=module.source.test)
    if leaf.kind == "name":
        return Claim(span, Explanation.IDENTIFIER, leaf.detail)
    return _fragment(module, leaf, span)


def _historic(module: Module, leaf: Leaf, span: Span) -> Extracted:
    """A migration ran once and is history, unless it makes something that lives on and that nobody replays."""
    kind = module.history
    if leaf.kind == "string" and _LASTING.search(module.source.data, leaf.start, leaf.end):
        message = f"a function, view, trigger or index that a {kind} migration creates is not followed"
        return Gap(span, "unread-migration", message, test=module.source.test)
    return Claim(span, Explanation.HISTORY, f"{kind} migration")


def _fragment(module: Module, leaf: Leaf, span: Span) -> Extracted:
    data = module.source.data
    parts = literals.literal(data, span) if leaf.kind == "string" else literals.body(data, span, b"f")
    return to_fragment(Text(parts), span, "", sinks.consumer_of(leaf.detail), module.source.test, leaf.detail)


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end
