"""Finds SQL statements in the strings, here-documents and scalars of a text file, whatever its language.

It starts where a statement's first word stands and looks for the delimiter around it, so an apostrophe somewhere in
the file can't shift what counts as a string.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from legacy_ref_scan.languages.plain.kinds import Kind, Weight
from legacy_ref_scan.languages.plain.variables import Variables, variables
from legacy_ref_scan.model import HOLE, Consumer, Fragment, Hole, Piece, SourceFile, Span

_LONGEST = 64 << 10
_BACK = 400

_SPACE = rb"(?:\s|\\[nrt])+"
_OBJECT = rb"(?:table|view|index|function|procedure|trigger|policy|rule)"
_START = re.compile(
    rb"(?<![A-Za-z0-9_$.@#</-])(?:select|insert"
    + _SPACE
    + rb"into|update|delete"
    + _SPACE
    + rb"from|merge"
    + _SPACE
    + rb"into|\\?copy|alter"
    + _SPACE
    + rb"table|truncate"
    + _SPACE
    + rb"table|table(?=\s+[\w.]+\s*;?\s*[\"'])|create"
    + _SPACE
    + rb"(?:or\s+replace\s+)?(?:materialized\s+|unique\s+|temp\w*\s+)?"
    + _OBJECT
    + rb"|with"
    + _SPACE
    + rb"(?:recursive"
    + _SPACE
    + rb")?[\w\"]+\s*(?:\([^()]{0,400}\)\s*)?as\b)(?=[\s(*\"\\])",
    re.IGNORECASE,
)
# What must follow a statement's first words: prose begins with "Select", "Update" and "Copy" too.
_SHAPES = tuple(
    (re.compile(rb"\b" + first + rb"\b", re.IGNORECASE), re.compile(second, re.IGNORECASE))
    for first, second in (
        (rb"select", rb"\bfrom\b|\bselect" + _SPACE + rb"[\w.]+\("),
        (rb"insert" + _SPACE + rb"into", rb"\bvalues\b|\bselect\b|\bdefault\b|\("),
        (rb"update", rb"\bupdate" + _SPACE + rb"[^\s\\]+(?:" + _SPACE + rb"[^\s\\]+){0,3}?" + _SPACE + rb"set\b"),
        (rb"delete" + _SPACE + rb"from", rb""),
        (rb"merge" + _SPACE + rb"into", rb"\bwhen\b"),
        (
            rb"copy",
            rb"\bcopy\s+(?:\(|[\w.\"]+\s*(?:\([^()]*\)\s*)?(?:from|to)\s+(?:p?stdin|p?stdout|program|['$:/]))",
        ),
        (rb"(?:alter|truncate)" + _SPACE + rb"table", rb""),
        (rb"\A\s*table", rb"\A\s*table\s+[\w.]+\s*;?\s*\Z"),
        (rb"create", rb"\b" + _OBJECT + rb"\b"),
    )
)
_PROSE = re.compile(
    rb"\b(?:select|from|update|copy|into)\s+(?:the|an|your|this|these|that|our|their|one|any|its)\s", re.IGNORECASE
)
_HEREDOC = re.compile(rb"<<[-~<]?[ \t]*(['\"]?)([A-Za-z_]\w*)\1[^\n]*\n")
_ESCAPE = re.compile(rb"\\(?:\r?\n[ \t]*|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[nrtbfv\"'`\\/$])")
_SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b" ", b"f": b" ", b"v": b" "}

# A name between two literals, or nothing but an operator.
_GAP = rb"(?:\s|//[^\n]*\n|\#[^\n]*\n|/\*(?:[^*]|\*(?!/))*+\*/)*+"
_GLUE = re.compile(_GAP + rb"(?:\+|\.\.?|&|<>|\|\||\\)" + _GAP + rb"(?:[@$rRfFL]{0,2})(?=[\"'`])")
_GLUED_NAME = re.compile(
    _GAP
    + rb"(?:\+|\.\.?|&|\|\|)\s*+[\w.$>\[\]-]++(?:\([^()\n]{0,80}\))?\s*+(?:\+|\.\.?|&|\|\|)"
    + _GAP
    + rb"(?=[\"'`])"
)
_LIST_GLUE = re.compile(rb",\s*+(?=\")")

_HOLES: dict[str, bytes] = {
    "${}": rb"\$\{[^{}]*\}",
    "#{}": rb"\#\{[^{}]*\}",
    "{{}}": rb"\{\{(?:[^{}]++|\}(?!\}))*+\}\}|\{%(?:[^%]++|%(?!\}))*+%\}|<%(?:[^%]++|%(?!>))*+%>",
    "$x": rb"\$[A-Za-z_]\w*",
    "{}": rb"\{[\w.:?]*\}",
    "\\()": rb"\\\([^()]*\)",
    "$()": rb"\$\([^()]*\)",
}
_HOLES_BY_KIND: dict[str, tuple[str, ...]] = {
    "shell": ("${}", "$x", "$()"), "script": ("${}", "$x", "$()", "#{}"), "make": ("${}", "$x", "$()"),
    "Dockerfile": ("${}", "$x", "$()"), "YAML": ("${}", "{{}}", "$x", "$()"), "Ruby": ("#{}",), "ERB": ("#{}", "{{}}"),
    "Elixir": ("#{}",), "JavaScript": ("${}", "{{}}"), "Kotlin": ("${}", "$x"), "Groovy": ("${}", "$x"),
    "Scala": ("${}", "$x"), "PHP": ("${}", "$x", "{}"), "Perl": ("${}", "$x"), "Rust": ("{}",), "C#": ("{}",),
    "Swift": ("\\()",), "template": ("{{}}", "${}"), "HCL": ("${}",), "JSON": ("${}", "{{}}", "$x"),
    "XML": ("#{}", "${}"), "notebook": ("{}", "{{}}"), "PowerShell": ("${}", "$x", "$()"), "text": ("${}", "{{}}"),
    "LookML": ("${}", "{{}}"), "configuration": ("${}", "{{}}"), "Dart": ("${}", "$x"),
}  # fmt: skip
_VERBATIM = frozenset({"shell", "YAML", "Ruby", "PHP", "Perl", "make", "Dockerfile", "script", "PowerShell"})
# Where nothing is put into what stands between apostrophes.
_LITERAL = frozenset({"shell", "script", "Dockerfile", "Ruby", "PHP", "Perl", "PowerShell"})
_UNQUOTED = frozenset({"YAML", "template", "ERB", "XML", "text", "LookML", "configuration"})


# What is handed over apart from the text: MyBatis' `#{x}`, a value in a tagged template, a dashboard's `{{x}}`.
_TAGGED = re.compile(
    rb"(?:\bsql(?:\.\w+)?|[qQ]ueryRaw|[eE]xecuteRaw|\bSQL|\bpsql)(?:<[^<>`]*(?:<[^<>`]*>)?[^<>`]*>)?\s*`\Z"
)
_VALUE = re.compile(
    rb"(?:[=<>]|\b(?:i?like|limit|offset|between)|\bbetween\s+\S+\s+and|\b(?:in|values|any)\s*\([^()]*)\s*\Z", re.I
)
_PARAMETER = b"$1"


@dataclass(frozen=True, slots=True)
class _Extent:
    """Bytes of a file that make up one text: `parts` are literals, with a name between them where one stands."""

    parts: tuple[tuple[int, int], ...]
    verbatim: bool = False  # a backslash is one
    literal: bool = False  # a placeholder is none

    @property
    def end(self) -> int:
        return self.parts[-1][1]


def statements(source: SourceFile, kind: Kind, hidden: Sequence[tuple[int, int]]) -> Iterator[Fragment]:
    """A fragment for each text of a file that looks like SQL; `hidden` are the comments, which are left out."""
    data = source.data
    heredocs = _heredocs(data) if kind.weight is not Weight.DATA else []
    known = variables(data, kind)
    starts = [start for start, _ in hidden]
    done = 0
    for match in _START.finditer(data):
        at = match.start()
        index = bisect_right(starts, at) - 1
        if at < done or (index >= 0 and at < hidden[index][1]):
            continue
        extent = _extent(data, at, kind, heredocs)
        if extent is None:
            continue
        done = extent.end  # what follows within this text was looked at too
        fragment = _fragment(source, extent, kind, known)
        if _looks_like_sql(fragment.text):
            yield fragment


def _looks_like_sql(text: bytes) -> bool:
    if _PROSE.search(text, 0, _BACK):
        return False
    for first, second in _SHAPES:
        match = first.search(text)
        if match is not None and second.search(text, match.start()):
            return True
    return False


def _heredocs(data: bytes) -> list[tuple[int, int, bool]]:
    """(start, end, whether the shell leaves it alone) of the bodies of here-documents."""
    found: list[tuple[int, int, bool]] = []
    open_ended: set[bytes] = set()
    at = 0
    while (match := _HEREDOC.search(data, at)) is not None:
        at = match.end()
        tag = match[2]
        if tag in open_ended:
            continue
        end = re.compile(rb"^[ \t]*" + tag + rb"\b", re.MULTILINE).search(data, at)
        if end is None:
            open_ended.add(tag)
        else:
            found.append((at, end.start(), bool(match[1])))
            at = end.start()
    return found


def _extent(data: bytes, at: int, kind: Kind, heredocs: Sequence[tuple[int, int, bool]]) -> _Extent | None:
    opened = _opened(data, at)
    index = bisect_right(heredocs, (at, len(data), True)) - 1
    inside = index >= 0 and heredocs[index][0] <= at < heredocs[index][1]
    if opened is not None and not (inside and opened[0] <= heredocs[index][0]):
        return _quoted(data, opened, kind)
    if inside:
        start, end, literal = heredocs[index]
        begin = start if not data[start:at].strip() else at
        return _Extent(((begin, min(end, begin + _LONGEST)),), verbatim=True, literal=literal)
    if kind.name == "YAML":
        return _scalar(data, at)
    if kind.name in _UNQUOTED:
        return _paragraph(data, at)
    return None


_OPENING = re.compile(rb"(\"\"\"|'''|r(#+)\"|\\?[\"'`]|%[qQ]?[({\[|]|\[\[|<<<)[\s(]*+\Z")
_CLOSING = {b"(": b")", b"{": b"}", b"[": b"]", b"|": b"|", b"[[": b"]]"}


def _opened(data: bytes, at: int) -> tuple[int, bytes] | None:
    """(start of the text, closing delimiter) of the string that `at` stands in."""
    window = max(0, at - _BACK)
    before = data[window:at]
    tail = before.rstrip(b" \t\r\n(")
    for opening in (b'"""', b"'''", b"[["):
        if tail.endswith(opening):
            return window + len(tail), _CLOSING.get(opening, opening)
    hashes = re.search(rb"r(#{1,5})\"\Z", tail)
    if hashes is not None:
        return window + len(tail), b'"' + hashes[1]
    percent = re.search(rb"%[qQ]?([({\[|])\Z", before.rstrip(b" \t\r\n"))
    if percent is not None:
        return window + len(before.rstrip(b" \t\r\n")), _CLOSING[percent[1]]
    if tail[-1:] in (b'"', b"'", b"`"):
        escaped = tail[-2:-1] == b"\\"
        return window + len(tail), (b"\\" if escaped else b"") + tail[-1:]
    newline = before.rfind(b"\n")
    return _opened_on_line(data, window + newline + 1, at) if newline >= 0 or not window else None


def _opened_on_line(data: bytes, start: int, at: int) -> tuple[int, bytes] | None:
    """A quote that was opened before `at` on its line: `-c "BEGIN; UPDATE …"`."""
    opening: tuple[int, bytes] | None = None
    for match in re.finditer(rb"\\.|[\"'`]", data[start:at], re.DOTALL):
        token = match[0]
        if len(token) == 1 and opening is None:
            opening = (start + match.end(), token)
        elif opening is not None and token == opening[1]:
            opening = None
    return opening


def _quoted(data: bytes, opened: tuple[int, bytes], kind: Kind) -> _Extent | None:
    """The string, and those that are glued to it by operators."""
    start, quote = opened
    verbatim = quote == b"'" and kind.name in _VERBATIM
    literal = quote == b"'" and kind.name in _LITERAL
    parts: list[tuple[int, int]] = []
    while len(parts) < _MOST_PARTS:
        end = _closed(data, start, quote, doubled=quote == b"'" and kind.name == "YAML", verbatim=verbatim)
        if end is None or end - start > _LONGEST:
            return _Extent(tuple(parts), verbatim, literal) if parts else None
        parts.append((start, end))
        after = end + len(quote)
        glue = _glue(kind).match(data, after) or _GLUED_NAME.match(data, after)
        if glue is None:
            break
        quote = data[glue.end() : glue.end() + 1]
        start = glue.end() + 1
    return _Extent(tuple(parts), verbatim, literal)


_MOST_PARTS = 400


def _glue(kind: Kind) -> re.Pattern[bytes]:
    return _LIST_GLUE if kind.name == "notebook" else _GLUE


def _closed(data: bytes, start: int, quote: bytes, *, doubled: bool, verbatim: bool) -> int | None:
    at = start
    limit = min(len(data), start + _LONGEST)
    while True:
        at = data.find(quote, at, limit)
        if at < 0:
            return None
        if doubled and data[at : at + 2] == b"''":
            at += 2
        elif not verbatim and len(quote) == 1 and _is_escaped(data, start, at):
            at += 1
        else:
            return at


def _is_escaped(data: bytes, start: int, at: int) -> bool:
    run = 0
    while at - run > start and data[at - run - 1] == 0x5C:
        run += 1
    return run % 2 == 1


_INDENT = re.compile(rb"[ \t]*")


def _scalar(data: bytes, at: int) -> _Extent | None:
    """A YAML scalar: the rest of the line, and the lines below that are indented as deep (a block), or deeper."""
    window = max(0, at - _BACK)
    newline = data.rfind(b"\n", window, at)
    if newline < 0 and window:
        return None
    before = data[newline + 1 if newline >= 0 else 0 : at]
    block = not before.strip()
    if not block and not re.search(rb"(?::|-|[|>][-+]?)[ \t]+\Z", before):
        return None
    depth = len(before) if block else len(before) - len(before.lstrip(b" "))
    end = _line_end(data, at)
    while end < len(data) and end - at < _LONGEST:
        following = end + 1
        indent = _INDENT.match(data, following)
        width = len(indent[0]) if indent else 0
        stop = _line_end(data, following)
        if data[following:stop].strip() and (width < depth if block else width <= depth):
            break
        end = stop
    return _Extent(((at, end),), verbatim=True)


def _paragraph(data: bytes, at: int) -> _Extent:
    """Unquoted SQL of a template: up to its semicolon, a closing tag or a blank line."""
    stop = re.compile(rb";|</|\]\]>|\n[ \t]*\r?\n").search(data, at, at + _LONGEST)
    return _Extent(((at, stop.start() if stop else min(len(data), at + _LONGEST)),), verbatim=True)


def _line_end(data: bytes, at: int) -> int:
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end


def _fragment(source: SourceFile, extent: _Extent, kind: Kind, known: Variables) -> Fragment:
    made = _Made(source, extent, kind, known)
    made.read()
    return Fragment(
        bytes(made.text),
        tuple(made.pieces),
        Span(source.path, extent.parts[0][0], extent.end),
        "",
        Consumer.UNKNOWN,
        tuple(made.holes),
        source.test,
        "embedded-sql",
        f"{kind.name} file",
    )


@dataclass
class _Made:
    """The text that a place of a file stands for: without escapes, with holes for what is put in when it runs."""

    source: SourceFile
    extent: _Extent
    kind: Kind
    known: Variables
    text: bytearray = field(default_factory=bytearray)
    pieces: list[Piece] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)

    def read(self) -> None:
        """Goes through the parts of the place."""
        data = self.source.data
        pattern = _pattern(self.kind, self.extent, self.known)
        previous: int | None = None
        for start, end in self.extent.parts:
            if previous is not None and re.search(rb"\w", data[previous + 1 : start - 1]):
                self._hole(previous, start)
            at = start
            for match in pattern.finditer(data, start, end):
                self._take(at, match.start())
                if match.lastgroup == "hole":
                    self._placeholder(match.start(), match.end())
                else:
                    self._take(match.start(), match.end(), _unescaped(match[0]))
                at = match.end()
            self._take(at, end)
            previous = end

    def _placeholder(self, start: int, end: int) -> None:
        data = self.source.data
        value = self.known.place_of(data[start:end])
        if value is not None:
            self._take(*value)
        elif _is_parameter(data, self.extent, self.kind, start, bytes(self.text[-_BACK:])):
            self.text.extend(_PARAMETER)
        else:
            self._hole(start, end)

    def _hole(self, start: int, end: int) -> None:
        self.holes.append(Hole(len(self.text), "a value put in when it runs", Span(self.source.path, start, end)))
        self.text.extend(HOLE)

    def _take(self, start: int, end: int, value: bytes | None = None) -> None:
        taken = self.source.data[start:end] if value is None else value
        if taken:
            size = len(self.text)
            self.pieces.append(Piece(size, size + len(taken), Span(self.source.path, start, end)))
            self.text.extend(taken)


def _is_parameter(data: bytes, extent: _Extent, kind: Kind, at: int, before: bytes) -> bool:
    """Whether a placeholder stands for a value that no text of SQL is made of."""
    if kind.name == "XML" and data.startswith(b"#{", at):
        return True
    if not _VALUE.search(before):
        return False
    if data.startswith(b"{{", at):
        return kind.name in ("JavaScript", "JSON", "YAML")
    start = extent.parts[0][0]
    return kind.name == "JavaScript" and _TAGGED.search(data, max(0, start - 200), start) is not None


def _pattern(kind: Kind, extent: _Extent, known: Variables) -> re.Pattern[bytes]:
    names = () if extent.literal else _HOLES_BY_KIND.get(kind.name.removeprefix("generated "), ())
    holes = [*(_HOLES[name] for name in names), *filter(None, [known.pattern])]
    parts = [rb"(?P<hole>" + b"|".join(holes) + rb")"] if holes else []
    return re.compile(b"|".join([*parts, *([] if extent.verbatim else [_ESCAPE.pattern])]) or rb"(?!)")


def _unescaped(escape: bytes) -> bytes:
    rest = escape[1:]
    if rest[:1] in (b"\r", b"\n"):
        return b""
    if rest[:1] in (b"u", b"x") and len(rest) > 1:
        return chr(int(rest[1:], 16)).encode("utf-8", "replace")
    return _SIMPLE.get(rest, rest)
