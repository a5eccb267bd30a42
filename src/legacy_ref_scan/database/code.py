"""The statements of the code, as a scan extracts them, ready to be prepared.

Wider than a scan on purpose: every statement over any relation of the schema, in the files too that the rule leaves
out. What a rehearsal finds there, the scan was told not to see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from legacy_ref_scan.database.analysis import plannable
from legacy_ref_scan.languages import extract
from legacy_ref_scan.mentions import Names
from legacy_ref_scan.model import HOLE, Fragment, Span, Target
from legacy_ref_scan.project import ScanProject
from legacy_ref_scan.schema import Catalog
from legacy_ref_scan.sql.lexer import Kind, tokens
from legacy_ref_scan.sql.loose import is_statement
from legacy_ref_scan.sql.statements import cut
from legacy_ref_scan.sql.templates import without_templates
from legacy_ref_scan.workspace import Workspace


@dataclass(frozen=True, slots=True)
class CodeStatement:
    """One statement as the code sends it. `spans` are all places that its text comes from, the first one leads."""

    text: bytes
    spans: tuple[Span, ...]
    symbol: str
    line: int

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        where = f"{self.spans[0].path}:{self.line}"
        return f"{where} in {self.symbol}" if self.symbol else where


@dataclass(frozen=True, slots=True)
class Code:
    """The statements that can be prepared, and why the others can't."""

    statements: tuple[CodeStatement, ...]
    skipped: Counter[str]
    files: int


def statements_of(
    workspace: Workspace, catalog: Catalog, targets: Collection[Target], not_code: frozenset[str], rules: frozenset[str]
) -> Code:
    """Every distinct statement of the files; `not_code` are the migrations, `rules` the rule files."""
    relations = [item.name for item in catalog.relations.values() if item.kind != "sequence"]
    names = Names(
        columns=frozenset(target.column for target in targets),
        tables=frozenset((*relations, *(target.table for target in targets))),
        dependents=frozenset(),
    )
    project = ScanProject(workspace, names, not_code, rules)
    skipped: Counter[str] = Counter()
    found: dict[bytes, CodeStatement] = {}
    for language in project.languages():
        for item in extract(language, project):
            if isinstance(item, Fragment):
                for statement in _of_fragment(without_templates(item), project, skipped):
                    known = found.get(statement.text)
                    spans = tuple(dict.fromkeys((*known.spans, *statement.spans))) if known else statement.spans
                    found[statement.text] = replace(known or statement, spans=spans)
    if project.foreign:
        skipped["written for another database"] += len(project.foreign)
    return Code(tuple(found.values()), skipped, sum(project.counts.values()))


def _of_fragment(fragment: Fragment, project: ScanProject, skipped: Counter[str]) -> Iterator[CodeStatement]:
    text = fragment.text
    if not is_statement(text):
        return  # prose, a name, a part of a statement: nothing that a driver sends
    for start, end in cut(text).statements:
        statement = text[start:end]
        if HOLE in statement:
            skipped["a part of it is not known before it runs"] += 1
        elif not plannable(statement):
            skipped["PREPARE does not analyse this kind of statement"] += 1
        else:
            spans = tuple(dict.fromkeys(_spans(fragment, start, end))) or (fragment.site,)
            line = project.line_of(spans[0].path, spans[0].start)
            yield CodeStatement(statement.strip(), spans, fragment.symbol, line)


def _spans(fragment: Fragment, start: int, end: int) -> Iterator[Span]:
    """Where the solid bytes of a statement come from, one span a piece."""
    solid = [token for token in tokens(fragment.text, start, end) if token.kind > Kind.COMMENT]
    if solid:
        start, end = solid[0].start, solid[-1].end
    for piece in fragment.pieces:
        if piece.start < end and piece.end > start:
            yield fragment.origin(max(start, piece.start), min(end, piece.end))
