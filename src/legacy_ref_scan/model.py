"""The shared frozen types: what travels between the stages of a scan.

Offsets are bytes into `SourceFile.data`; lines and columns are derived in one place, `SourceFile.locate`.
This module imports nothing of ours.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

HOLE = b"\x1a"
"""The one byte that stands in `Fragment.text` where a value is not known (ASCII SUBSTITUTE)."""

OUTSIDE = "outside of any database"
"""How the note of a fragment ends that a module of others gets which has nothing to do with a database."""

_LONG_LINE = 1 << 16


class Access(StrEnum):
    """What a reference does with the column."""

    READ = "read"
    WRITE = "write"
    STAR = "star"  # comes along in `*`, a whole row or a missing column list
    DEPEND = "depend"  # a schema object needs it
    DEFINE = "define"  # CREATE TABLE of an old migration, a dump


class Verdict(StrEnum):
    """The answer of a scan."""

    CLEAN = "clean"
    REFERENCED = "referenced"
    UNKNOWN = "unknown"


class Explanation(StrEnum):
    """Why a mention is where it is; the ledger counts by these. The order is the order of precedence."""

    REFERENCE = "reference"
    GAP = "gap"
    RESIDUE = "residue"
    ACKNOWLEDGED = "acknowledged"
    TABLE = "table, without the column"
    OTHER_TABLE = "other table"
    OUTPUT_NAME = "output name"
    VARIABLE = "variable"
    DEFINITION = "definition"
    HISTORY = "history"
    VALUE = "value"  # a SQL literal, a JSON key
    TEXT = "text"  # a log line, an error, prose
    IDENTIFIER = "identifier"  # a name of the host language
    COMMENT = "comment"
    OTHER_FILE = "other file"  # a file kind that does not gate


class Consumer(StrEnum):
    """Who receives a piece of text in the host language."""

    SQL = "sql"  # a known SQL sink
    BUILDER = "builder"  # a query builder or ORM
    TEXT = "text"  # a log, an error, JSON
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sink:
    """A function or method that hands one of its arguments to a database as SQL, as a rule names it.

    `package` is the import path that declares it; "" for a method means any receiver. `argument` is a position from 1,
    or the parameter's name.
    """

    package: str
    name: str
    method: bool
    argument: int | str


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One column under retirement; names as PostgreSQL stores them (folded unless quoted)."""

    schema: str
    table: str
    column: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}.{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Bytes `start` (included) to `end` (excluded) of the file at `path` (relative to the root, `/`)."""

    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A span as people read it: lines and columns from 1, columns in code points, the end excluded."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True)
class SourceFile:
    """A file of the workspace, read once.

    `data` is UTF-8 wherever the file could be decoded (UTF-16 is converted, a byte order mark removed), else the
    raw bytes. `language` is a key of `languages.LANGUAGES`.
    """

    path: str
    data: bytes
    language: str
    test: bool = False

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        find = self.data.find
        at = find(b"\n")
        while at >= 0:
            starts.append(at + 1)
            at = find(b"\n", at + 1)
        return starts

    def line_of(self, offset: int) -> int:
        """The line, from 1, that holds the byte at `offset`."""
        return bisect_right(self._line_starts, offset)

    @property
    def lines(self) -> int:
        """How many lines the file has; what follows the last line end counts as one."""
        return len(self._line_starts)

    def line_range(self, line: int) -> tuple[int, int]:
        """The bytes of a line (from 1), its line end included."""
        start = self._line_starts[line - 1]
        return start, self._line_starts[line] if line < len(self._line_starts) else len(self.data)

    def line_text(self, line: int) -> str:
        """The text of a line (from 1), without its line end."""
        start, end = self.line_range(line)
        return self.data[start:end].decode("utf-8", "replace").rstrip("\r\n")

    def locate(self, start: int, end: int) -> Location:
        """Lines and columns of a span of this file."""
        line, end_line = self.line_of(start), self.line_of(end)
        return Location(self.path, line, self._column(line, start), end_line, self._column(end_line, end))

    @cached_property
    def _ascii(self) -> bool:
        return self.data.isascii()

    @cached_property
    def _reached(self) -> dict[int, tuple[int, int]]:
        return {}

    def _column(self, line: int, offset: int) -> int:
        start = self._line_starts[line - 1]
        if self._ascii:
            return offset - start + 1
        if offset - start < _LONG_LINE:
            return len(self.data[start:offset].decode("utf-8", "replace")) + 1
        # A data file may be one line of megabytes with thousands of mentions: count on from the last one.
        at, column = self._reached.get(line, (start, 1))
        if offset < at:
            at, column = start, 1
        column += len(self.data[at:offset].decode("utf-8", "replace"))
        self._reached[line] = (offset, column)
        return column


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes `start`..`end` of a fragment come from `origin`. Where both have one length, they match byte for byte;
    else (an escape such as `\\n`) the piece is indivisible."""

    start: int
    end: int
    origin: Span


@dataclass(frozen=True, slots=True)
class Hole:
    """An unknown value at byte `offset` of a fragment, where `HOLE` stands."""

    offset: int
    reason: str  # "parameter q of exec", "result of buildWhere()", …
    origin: Span


@dataclass(frozen=True)
class Fragment:
    """SQL text (or what may be SQL text) found in a host file, with a map from its offsets back to the host.

    `text` holds `HOLE` where a value is not known. `pieces` are in order and do not overlap; bytes that no piece
    covers belong to holes or were made up (a separator of `strings.Join` without an origin). `symbol` is the
    enclosing function or SQL object. `site` is the expression that holds the whole text.
    """

    text: bytes
    pieces: tuple[Piece, ...]
    site: Span
    symbol: str = ""
    consumer: Consumer = Consumer.UNKNOWN
    holes: tuple[Hole, ...] = ()
    test: bool = False
    kind: str = "sql"  # "go-sql", "sql-file", "python-sql", …
    note: str = ""  # how it was assembled, for people
    partial: bool = False  # too many alternatives: not every text that may stand here was handed out
    beside: tuple[str, ...] = ()  # of a key of a dict: the other keys that no model of the table has as a field

    @cached_property
    def _starts(self) -> list[int]:
        return [piece.start for piece in self.pieces]

    def origin(self, start: int, end: int) -> Span:
        """Where bytes `start`..`end` of the text come from; the whole site where that is not known.

        A span over several pieces of one file reaches from the first to the last; over several files, it stays in that
        of the longest piece: a name may stand in one, and the quotes around it in another.
        """
        pieces = list(self._overlapping(start, end))
        if not pieces:
            return self.site
        longest = max(pieces, key=lambda piece: min(piece.end, end) - max(piece.start, start))
        spans = [_part(piece, start, end) for piece in pieces if piece.origin.path == longest.origin.path]
        begin = spans[0].start
        return Span(spans[0].path, begin, max(span.end for span in spans if span.start >= begin))

    def _overlapping(self, start: int, end: int) -> Iterator[Piece]:
        index = max(0, bisect_right(self._starts, start) - 1)
        while index < len(self.pieces) and self.pieces[index].start < max(end, start + 1):
            if self.pieces[index].end > start:
                yield self.pieces[index]
            index += 1


def _part(piece: Piece, start: int, end: int) -> Span:
    """The part of a piece's origin that a range of the text covers; all of it where the piece is indivisible."""
    origin = piece.origin
    if piece.end - piece.start != origin.end - origin.start:
        return origin
    shift = origin.start - piece.start
    return Span(origin.path, max(start, piece.start) + shift, min(end, piece.end) + shift)


def whole_file(source: SourceFile, start: int = 0, end: int | None = None, **about: object) -> Fragment:
    """A fragment that is a part of a file, byte for byte."""
    stop = len(source.data) if end is None else end
    span = Span(source.path, start, stop)
    text = source.data[start:stop]
    return Fragment(text, (Piece(0, len(text), span),), span, test=source.test, **about)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where a name of a target stands in a file, in any spelling. `name` is the name it stands for."""

    span: Span
    name: str
    role: str  # "column" | "table" | "dependent"


@dataclass(frozen=True, slots=True)
class Claim:
    """An explanation for every mention inside `span`."""

    span: Span
    why: Explanation
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A resolved use of a target."""

    target: Target
    access: Access
    gating: bool
    span: Span
    kind: str  # "go-sql", "sql-file", "plpgsql", "view", "index", "trigger", "go-orm", …
    symbol: str  # enclosing function or SQL object
    message: str  # why it is a reference
    help: str = ""  # what to do
    test: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could be a use and could not be decided. `reason` is a short stable code in kebab-case."""

    span: Span
    reason: str
    message: str
    symbol: str = ""
    test: bool = False


@dataclass(frozen=True, slots=True)
class Residue:
    """A name that lingers but breaks nothing when the column goes."""

    span: Span
    kind: str  # "tag", "comment", …
    message: str
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """A field of the host language that names a column: a struct tag, an ORM attribute.

    `column` is the column's name as the database has it; `owner` the struct or class; `library` "db" (sqlx, scany,
    pgx), "gorm", …; `table` the table if the declaration says so. `accesses` is what statements do with the field that
    the library makes of the struct; none: the field only takes results. `queries` are the statements whose rows fill
    the struct, as far as they were seen, with `HOLE` for what is not known; an empty one stands for rows of which the
    statement was not found. `given` are the statements whose named parameters the struct gives values.
    """

    span: Span
    column: str
    owner: str
    library: str
    table: str = ""
    test: bool = False
    accesses: tuple[Access, ...] = (Access.READ, Access.WRITE)
    queries: tuple[bytes, ...] = ()
    given: tuple[bytes, ...] = ()


Found = Reference | Gap | Residue | Claim
Extracted = Fragment | Mapping | Gap | Residue | Claim


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A reference or gap that a rule acknowledges, with the rule's reason."""

    item: Reference | Gap
    reason: str
    expires: str = ""


@dataclass(frozen=True)
class Report:
    """The answer of a scan. `mentions` pairs each mention with its explanation; the ledger sums them.

    `files` holds the files that any span of the report points into. `scanned`, `skipped` and `unreadable` say what
    was looked at: counts by language, paths with the reason.
    """

    targets: tuple[Target, ...]
    verdict: Verdict
    references: tuple[Reference, ...]
    gaps: tuple[Gap, ...]
    residue: tuple[Residue, ...]
    acknowledged: tuple[Acknowledged, ...]
    mentions: tuple[tuple[Mention, Claim], ...]
    files: MappingOf[str, SourceFile]
    scanned: MappingOf[str, int] = field(default_factory=dict)
    skipped: MappingOf[str, int] = field(default_factory=dict)
    unreadable: MappingOf[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # which migration directory was taken, unused acknowledgements, …
    statements: int = 0
    released: tuple[tuple[str, Report], ...] = ()  # (revision, the report on its code against the same schema)

    @property
    def worst(self) -> Verdict:
        """The worst verdict of this code and of the released revisions."""
        found = {self.verdict, *(report.worst for _, report in self.released)}
        order = (Verdict.REFERENCED, Verdict.UNKNOWN, Verdict.CLEAN)
        return next(verdict for verdict in order if verdict in found)

    @property
    def ledger(self) -> dict[Explanation, int]:
        """How many mentions have each explanation, in order of precedence, none left out."""
        counts = dict.fromkeys(Explanation, 0)
        for _, claim in self.mentions:
            counts[claim.why] += 1
        if sum(counts.values()) != len(self.mentions):
            raise AssertionError("the ledger does not add up")
        return {why: count for why, count in counts.items() if count}


class ScanError(Exception):
    """Bad input or configuration; the message says what to do. Exit code 2."""
