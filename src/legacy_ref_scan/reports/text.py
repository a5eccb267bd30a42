"""The text report, for the person whose release is blocked: what, where, why, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from legacy_ref_scan.model import Access, Gap, Reference, Report, Span, Verdict
from legacy_ref_scan.reports.accounting import count, ledger_line, listing
from legacy_ref_scan.reports.options import Options
from legacy_ref_scan.reports.places import acknowledged_in_order, in_order, line_text, locate
from legacy_ref_scan.reports.snippet import mark
from legacy_ref_scan.reports.style import clean, encodable, paint

NEAR = 8
"""References of one function that start at most so many lines apart are shown as one finding; in SQL files, those of
one statement."""
_TESTS_SHOWN = 3
_UNREADABLE_SHOWN = 20
_NAMED_TARGETS = 3
# A definition in history or a dependent that vanishes with the column needs no action: one line each.
_QUIET = frozenset({Access.DEFINE, Access.DEPEND})
_VERDICT_COLOURS = {Verdict.CLEAN: "green bold", Verdict.REFERENCED: "red bold", Verdict.UNKNOWN: "yellow bold"}


@dataclass(frozen=True, slots=True)
class Label:
    """A span to underline, with the words to its right."""

    span: Span
    text: str = ""


def render(report: Report, options: Options) -> str:
    """The whole report; the ledger and the verdict come last, where a terminal shows them."""
    colour = options.colour
    sections = (
        _references(report, colour),
        _gaps(report, colour),
        _quiet(report, colour),
        _residue(report, colour),
        _acknowledged(report, colour),
        _unreadable(report, colour),
        listing(report, colour) if options.accounting else iter(()),
        _notes(report, colour),
        _summary(report, colour),
    )
    blocks = ["\n".join(lines) for section in sections if (lines := tuple(section))]
    for revision, other in report.released:
        blocks += [paint(f"the code of {clean(revision)}, which runs while the migration does:", "bold", colour)]
        blocks += [render(other, options).rstrip("\n")]
    return encodable("\n\n".join(blocks)) + "\n"


def _references(report: Report, colour: bool) -> Iterator[str]:
    loud = [item for item in in_order(report.references) if item.gating or item.access not in _QUIET]
    loud.sort(key=lambda item: (not item.gating, item.test))  # stable: by place within each
    yield from _spaced(_finding(report, group, colour) for group in grouped(report, loud))


def grouped(report: Report, items: Sequence[Reference]) -> Iterator[list[Reference]]:
    """Cut references, in the given order, into findings: neighbours of one function, kind and weight."""
    group: list[Reference] = []
    for item in items:
        if group and not _together(report, group[-1], item):
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def _together(report: Report, one: Reference, other: Reference) -> bool:
    same = [(item.span.path, item.symbol, item.kind, item.gating, item.test) for item in (one, other)]
    source = report.files.get(one.span.path)
    if same[0] != same[1] or source is None:
        return False
    if source.language == "sql":
        return b";" not in source.data[one.span.end : other.span.start]
    return source.line_of(other.span.start) - source.line_of(one.span.start) <= NEAR


def _finding(report: Report, group: Sequence[Reference], colour: bool) -> Iterator[str]:
    first = group[0]
    accesses = ", ".join(dict.fromkeys(item.access.value for item in group))
    level, tint = ("error", "red bold") if first.gating else ("warning", "yellow bold")
    yield _header(f"{level}[{accesses}]", tint, _headline(group), colour)
    yield from _snippet(report, _labels(group), first.symbol, first.test, colour)
    whys = () if len({item.message for item in group}) > 1 or len(group) == 1 else (first.message,)
    yield from (_remark("why", why, colour) for why in whys)
    yield from (_remark("help", text, colour) for text in dict.fromkeys(item.help for item in group if item.help))


def _header(label: str, tint: str, message: str, colour: bool) -> str:
    return paint(clean(label), tint, colour) + paint(f": {clean(message)}", "bold", colour)


def _headline(group: Sequence[Reference]) -> str:
    if len(group) == 1:
        return group[0].message
    targets = list(dict.fromkeys(item.target for item in group))
    if len(targets) == 1:
        return f"{count(len(group), 'use', 'uses')} of {targets[0]}"
    tables = dict.fromkeys(f"{target.schema}.{target.table}" for target in targets)
    columns = ", ".join(target.column for target in targets)
    return f"{count(len(targets), 'column', 'columns')} of {', '.join(tables)}: {columns}"


def _labels(group: Sequence[Reference]) -> list[Label]:
    """One underline for each place, however many columns come along there."""
    messages = {item.message for item in group}
    labels = []
    for span, items in groupby(group, key=lambda item: item.span):
        here = list(items)
        accesses = ", ".join(dict.fromkeys(item.access.value for item in here))
        whys = "; ".join(dict.fromkeys(item.message for item in here))
        labels.append(Label(span, whys if len(messages) > 1 else accesses))
    return [Label(labels[0].span)] if len(labels) == 1 else labels


def _gaps(report: Report, colour: bool) -> Iterator[str]:
    groups: dict[tuple[str, ...], list[Gap]] = {}
    for item in sorted(in_order(report.gaps), key=lambda item: item.test):
        groups.setdefault((item.span.path, item.reason, item.message, item.symbol), []).append(item)
    yield from _spaced(_gap(report, group, colour) for group in groups.values())


def _gap(report: Report, group: Sequence[Gap], colour: bool) -> Iterator[str]:
    first = group[0]
    places = f" ({len(group)} places)" if len(group) > 1 else ""
    yield _header(f"unknown[{first.reason}]", "yellow bold", first.message + places, colour)
    yield from _snippet(report, [Label(item.span) for item in group], first.symbol, first.test, colour)


def _snippet(report: Report, labels: Sequence[Label], symbol: str, test: bool, colour: bool) -> Iterator[str]:
    """The place, and the source lines with every label's underline below its line."""
    if not labels[0].span.path:
        return
    places = [locate(report, label.span) for label in labels]
    gutter = len(str(max(place.end_line for place in places)))
    about = f" in {clean(symbol)}" if symbol else ""
    about += " (test)" if test else ""
    yield f"{' ' * gutter}{paint('-->', 'blue', colour)} {_at(report, labels[0].span)}{about}"
    if labels[0].span.path not in report.files:
        return
    bar = paint("|", "blue", colour)
    yield f"{' ' * gutter} {bar}"
    shown = 0
    for label in labels:
        for line, start, end, last in _lines(report, label.span):
            text = line_text(report, label.span.path, line) or ""
            drawn = mark(text, start, end)
            if line != shown:
                if shown and line > shown + 1:
                    yield paint("...", "blue", colour)
                yield f"{paint(str(line).rjust(gutter), 'blue', colour)} {bar} {drawn.line}".rstrip()
                shown = line
            words = f" {clean(label.text)}" if last and label.text else ""
            yield f"{' ' * gutter} {bar} {' ' * drawn.indent}{paint('^' * drawn.length + words, 'red', colour)}"


def _lines(report: Report, span: Span) -> Iterator[tuple[int, int, int, bool]]:
    """The lines to underline: line, first and last character (from 0), whether it is the last one.

    Of a span over several lines, the first and the last that hold something.
    """
    at = locate(report, span)
    if at.end_line == at.line:
        yield at.line, at.column - 1, at.end_column - 1, True
        return
    first = line_text(report, at.path, at.line) or ""
    ends = [(line, text[: at.end_column - 1] if line == at.end_line else text) for line, text in _after(report, span)]
    tail = next(((line, text) for line, text in reversed(ends) if text.strip()), None)
    yield at.line, at.column - 1, len(first), tail is None
    if tail is not None:
        line, text = tail
        yield line, len(text) - len(text.lstrip()), len(text.rstrip()), True


def _after(report: Report, span: Span) -> Iterator[tuple[int, str]]:
    at = locate(report, span)
    for line in range(at.line + 1, at.end_line + 1):
        yield line, line_text(report, at.path, line) or ""


def _quiet(report: Report, colour: bool) -> Iterator[str]:
    quiet = [item for item in in_order(report.references) if not item.gating and item.access in _QUIET]
    if quiet:
        yield paint("goes along with the column, does not gate:", "bold", colour)
    for item in quiet:
        yield f"  {_at(report, item.span)}: {item.access.value}: {clean(item.message)}"


def _residue(report: Report, colour: bool) -> Iterator[str]:
    if report.residue:
        yield paint("left over, breaks nothing when the column goes:", "bold", colour)
    of_tests = [item for item in in_order(report.residue) if item.kind == "test"]
    unseen = frozenset(of_tests[_TESTS_SHOWN:])
    for item in in_order(report.residue):
        if item not in unseen:
            yield f"  {_at(report, item.span)}: {item.kind}: {clean(item.message)}"
    if unseen:
        yield f"  … and {len(unseen):,} more in tests (--format json lists all)"


def _acknowledged(report: Report, colour: bool) -> Iterator[str]:
    if report.acknowledged:
        yield paint("acknowledged by the rule:", "bold", colour)
    for kept in acknowledged_in_order(report.acknowledged):
        what = kept.item.access.value if isinstance(kept.item, Reference) else kept.item.reason
        until = f", expires {kept.expires}" if kept.expires else ""
        yield f"  {_at(report, kept.item.span)}: {what}: {clean(kept.item.message)}"
        yield f"    because: {clean(kept.reason)}{until}"


def _unreadable(report: Report, colour: bool) -> Iterator[str]:
    paths = sorted(report.unreadable.items())
    if paths:
        yield paint(f"{count(len(paths), 'file', 'files')} could not be read:", "bold", colour)
    for path, why in paths[:_UNREADABLE_SHOWN]:
        yield f"  {clean(path)}: {clean(why)}"
    if len(paths) > _UNREADABLE_SHOWN:
        yield f"  … and {len(paths) - _UNREADABLE_SHOWN:,} more (--format json lists all)"


def _notes(report: Report, colour: bool) -> Iterator[str]:
    for note in report.notes:
        yield f"{paint('note', 'cyan bold', colour)}: {clean(note)}"


def _summary(report: Report, colour: bool) -> Iterator[str]:
    yield ledger_line(report)
    yield _looked_at(report)
    yield f"verdict: {paint(report.verdict.value, _VERDICT_COLOURS[report.verdict], colour)}: {_advice(report)}"


def _looked_at(report: Report) -> str:
    total = sum(report.scanned.values())
    languages = ", ".join(f"{number:,} {language}" for language, number in sorted(report.scanned.items()))
    parts = [f"{count(total, 'file', 'files')} scanned" + (f" ({languages})" if languages else "")]
    parts += [f"{number:,} skipped ({clean(why)})" for why, number in sorted(report.skipped.items())]
    if report.unreadable:
        parts.append(f"{len(report.unreadable):,} unreadable")
    parts.append(count(report.statements, "statement", "statements"))
    return ", ".join(parts)


def _advice(report: Report) -> str:
    columns = _columns(report)
    gates = sum(item.gating for item in report.references)
    gaps = count(len(report.gaps), "gap", "gaps")
    match report.verdict:
        case Verdict.CLEAN:
            if report.worst is not Verdict.CLEAN:
                return f"nothing here uses {columns} any more, and the code of a released revision may: see below"
            return f"nothing uses {columns} any more; `legacy-ref-scan generate-migration` may write the migration"
        case Verdict.REFERENCED:
            also = f" and {gaps}" if report.gaps else ""
            return f"{count(gates, 'reference', 'references')}{also} to remove before {columns} can be dropped"
        case Verdict.UNKNOWN:
            return (
                f"{gaps} to decide before {columns} can be dropped: rewrite the code, or acknowledge each in the rule"
            )


def _columns(report: Report) -> str:
    if len(report.targets) > _NAMED_TARGETS:
        return f"the {len(report.targets)} columns"
    return clean(", ".join(map(str, report.targets)))


def _at(report: Report, span: Span) -> str:
    at = locate(report, span)
    return f"{clean(at.path)}:{at.line}:{at.column}" if at.path else "(no file)"


def _remark(title: str, text: str, colour: bool) -> str:
    return f"  {paint('=', 'blue', colour)} {paint(title, 'bold', colour)}: {clean(text)}"


def _spaced(blocks: Iterator[Iterator[str]]) -> Iterator[str]:
    for index, block in enumerate(blocks):
        if index:
            yield ""
        yield from block
