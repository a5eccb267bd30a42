"""From a fragment to references, gaps and claims: cuts it, resolves every statement that holds a mention, and then
asks of every token that is spelled like a name of a target what it is. A token nobody understood is a gap.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from legacy_ref_scan.model import (
    HOLE,
    Access,
    Claim,
    Consumer,
    Explanation,
    Found,
    Fragment,
    Gap,
    Reference,
)
from legacy_ref_scan.schema import Function
from legacy_ref_scan.sql import bodies, loose
from legacy_ref_scan.sql.findings import AS_VALUES, IN_LITERAL, UNREADABLE, Findings, Schema
from legacy_ref_scan.sql.lexer import Kind, Token, kept_tokens, name_of, tokens, unterminated
from legacy_ref_scan.sql.literals import NOTHING_ASSIGNED, Assigned, column_names, literals, made_texts, sequence_names
from legacy_ref_scan.sql.paths import ends_transaction, is_local, path_after, path_of_function
from legacy_ref_scan.sql.resolve import NO_ENVIRONMENT, label_keywords, resolve
from legacy_ref_scan.sql.results import Resolved
from legacy_ref_scan.sql.scope import Environment
from legacy_ref_scan.sql.statements import cut
from legacy_ref_scan.sql.templates import of_actions, without_templates
from legacy_ref_scan.sql.trace import Reading
from legacy_ref_scan.sql.tree import TooComplexError, Tree, parse

_MAX_DYNAMIC = 4
_MADE_OF_VALUES = "the names of the table and of the column are values here: a statement may be made of them"


def analyze(fragment: Fragment, schema: Schema) -> Iterator[Found]:
    """Everything that a fragment says about the targets."""
    plain = without_templates(fragment)
    if plain is not fragment:
        yield from of_actions(fragment, schema.names)
    yield from loose.grown_names(fragment, schema.names)
    yield from Analyzer(plain, schema).run()


def analyze_function(function: Function, schema: Schema) -> Iterator[Found]:
    """Everything that the string body of a living function says about the targets."""
    if function.body is None or function.atomic:
        return
    routine = bodies.of_function(function, schema.catalog, schema.watch.relations)
    if not (
        schema.names.in_text(function.body.text) or bodies.may_touch(routine, function, schema.watch, schema.catalog)
    ):
        return
    said = (function.altered.encode(), function.definition.encode().replace(function.body.text, b""))
    path = next((path for text in said if (path := path_of_function(text))), ())
    inside = path_of_function(function.body.text)
    for under in (path, *([inside] if inside else [])):  # what the body sets, it may set later, or not at all
        analyzer = Analyzer(function.body, schema.under(under))
        yield from analyzer.body(0, len(function.body.text), function.language.lower(), routine)


# psql's \copy takes the name of a file without quotes too.
_FILE_NAME = re.compile(
    rb"(copy\s+(?:\(.*\)|[\w.\"]+\s*(?:\([^)]*\))?)\s*\b(?:from|to)\s+)(?!stdin\b|stdout\b|program\b)([^\s';]{2,})",
    re.IGNORECASE | re.DOTALL,
)
_ESCAPED = re.compile(rb"\s*uescape\b", re.IGNORECASE)
_SETS_NAME = re.compile(rb"\s*\\set\s", re.IGNORECASE)
_LITERAL = re.compile(rb"'|\$\w*\$")
_CHANGES = re.compile(rb"\s*(?:insert|update|merge|with)\b", re.IGNORECASE)
# Functions of PostgreSQL and its extensions that run a text as a statement.
_RUNS = re.compile(
    rb"dblink\w*|query_to_\w+|crosstab\w*|ts_stat|ts_rewrite|pg_background_launch|run_command_on_\w+|xpath_table"
    rb"|create_distributed_function|execute_on_\w+"
)
_ROUTINES = re.compile(rb"\b(?:function|procedure|do)\b", re.IGNORECASE)
_DEFINES = re.compile(rb"\s*(?:create|do)\b", re.IGNORECASE)  # their literals are bodies, which are read on their own
_TORN = re.compile(rb"[\w\x1a]*\x1a[\w\x1a]*")
_TELLING = 3  # bytes of a name beside a hole: fewer are an alias before an unknown clause more often than a column


class Analyzer(Findings):
    """Reads one fragment, and the texts within it."""

    def run(self) -> Iterator[Found]:
        if not self.mentions(self.text):
            return
        if self.schema.trace is not None:
            self.schema.trace.text(self.fragment)
        if self.fragment.consumer is Consumer.TEXT and not loose.is_statement(self.text, strict=True):
            yield from self.claims(Explanation.TEXT, self.fragment.note or "a message")
            return
        if self.fragment.kind == "sql-file" or loose.is_statement(self.text):
            yield from self.statements(0, len(self.text))
        else:
            yield from self.no_statement()
            if self.fragment.consumer is not Consumer.SQL:
                return
        # a part with the column that was left out is not lost: its literal stays without an explanation
        if self.fragment.partial and self.mentions(self.text, "column"):
            message = "this text can be put together in too many ways: not every one was looked at"
            yield Gap(self.fragment.site, "too-many-texts", message, self.fragment.symbol, self.fragment.test)

    # Statements

    def statements(self, start: int, end: int, environment: Environment = NO_ENVIRONMENT) -> Iterator[Found]:
        cuts = cut(self.text, start, end)
        at = start
        default = session = self.schema
        for first, last in cuts.statements:
            path = path_after(self.text, first, last)
            if path is not None:
                self.schema = default.under(path)
                session = session if is_local(self.text, first, last) else self.schema
            elif ends_transaction(self.text, first, last):
                self.schema = session
            yield from self.between(at, first)
            if self.mentions(self.text[first:last]):
                yield from self.statement(first, last, environment)
            at = last
        yield from self.between(at, end)
        for first, last in cuts.skipped:
            if self.mentions(self.text[first:last]):
                yield from self.skipped(first, last)

    def between(self, start: int, end: int) -> Iterator[Found]:
        """Comments between statements."""
        if start < end and self.mentions(self.text[start:end]):
            for token in tokens(self.text, start, end):
                if token.kind is Kind.COMMENT:
                    yield self.claim(token.start, token.end, Explanation.COMMENT)

    def skipped(self, start: int, end: int) -> Iterator[Found]:
        """psql's meta-commands and COPY data; `\\copy` is a statement all the same."""
        raw = self.text[start:end]
        if raw.lstrip().lower().startswith(b"\\copy"):
            at = start + raw.lower().index(b"\\copy") + 1
            text = _FILE_NAME.sub(lambda name: b"%s'%s'" % (name[1], name[2][1:-1]), self.text[at:end])
            quoted = replace(self.fragment, text=self.text[:at] + text + self.text[end:])
            yield from Analyzer(quoted, self.schema, self.depth).statement(at, end, NO_ENVIRONMENT)
        elif raw.lstrip().startswith(b"\\"):
            if _SETS_NAME.match(raw) and self.mentions(raw, "column"):
                yield self.gap(start, end, "psql-variable", "a psql variable that may become the column's name")
            else:
                yield self.claim(start, end, Explanation.TEXT, "a psql command")
        else:
            yield self.claim(start, end, Explanation.VALUE, "data of COPY")

    def statement(self, start: int, end: int, environment: Environment) -> Iterator[Found]:
        try:
            tree = parse(self.text, start, end)
            result = resolve(tree, self.schema.catalog, environment=environment)
            label_keywords(tree, result, self.schema.names.columns)
        except (TooComplexError, RecursionError) as error:
            yield self.gap(start, end, "too-complex", f"this statement is nested too deep or too large: {error}")
            return
        if self.schema.trace is not None:
            self.schema.trace.read(self.fragment, Reading(start, end, result, tree))
        found = list(self.collect(result, start, end, whole=environment is NO_ENVIRONMENT))
        yield from found
        if not environment.variables and not any(isinstance(item, Reference | Gap) for item in found):
            yield from self.second_opinion(result, start, end)
        if _DEFINES.match(self.text, start, end) is None:
            yield from self.handed_on([(start, end)])
        yield from self.routines(tree)

    def second_opinion(self, result: Resolved, start: int, end: int) -> Iterator[Gap]:
        """A statement over the table that names the column and uses it nowhere is read by another parser too."""
        raw = self.text[start:end]
        if self.about_table(raw) and self.mentions(raw, "column"):
            from legacy_ref_scan.sql.witness import disagreements

            for problem in disagreements(self.text, start, end, result, self.schema.watch.names):
                yield self.gap(problem.start, problem.end, problem.reason, problem.message)

    def routines(self, tree: Tree) -> Iterator[Found]:
        """The string bodies of CREATE FUNCTION and DO."""
        if not _ROUTINES.search(tree.text, *tree.extent):
            return
        for node in tree.root.find("CreateFunctionStmt", "DoStmt"):
            found = bodies.string_body(tree, node)
            if found is None:
                continue
            literal, language = found
            routine = bodies.of_statement(tree, node, self.schema.catalog, self.schema.watch.relations)
            inner = self.literal_body(literal)
            if self.mentions(inner.text):
                path = path_of_function(self.text[node.start : node.end])
                analyzer = Analyzer(inner, self.schema.under(path), self.depth)
                yield from analyzer.body(0, len(inner.text), language, routine)

    def body(self, start: int, end: int, language: str, routine: bodies.Routine) -> Iterator[Found]:
        """A function's body in its language."""
        if language == "plpgsql":
            try:
                found = bodies.resolve_body(self.text, start, end, self.schema.catalog, routine)
            except (TooComplexError, RecursionError) as error:
                yield self.gap(start, end, "too-complex", f"this body is nested too deep or too large: {error}")
                return
            if self.schema.trace is not None:
                self.schema.trace.read(self.fragment, Reading(start, end, found.result, None))
            yield from self.collect(found.result, start, end)
            run = [place for dynamic, _ in found.dynamic for place in bodies.places(dynamic)]
            executed = [dynamic.place for dynamic, _ in found.dynamic]
            yield from self.handed_on(found.expressions, found.assigned, run, executed)
            for dynamic, environment in found.dynamic:
                yield from self.dynamic(dynamic, environment)
        elif language == "sql":
            yield from self.statements(start, end, bodies.environment(routine, self.schema.catalog))
            given = bodies.given_by_position(self.text, start, end, self.schema.catalog, routine)
            for use in given.uses if given is not None else ():
                watched = self.schema.watch.columns.get(use.column)
                if watched is not None and not watched.gone:
                    yield self.reference(watched, use.access, use.start, use.end)
        else:
            yield self.gap(
                start, end, "foreign-language", f"a function body in {language} names the table or the column"
            )

    def dynamic(self, dynamic: bodies.DynamicText, environment: Environment) -> Iterator[Found]:
        """A text that EXECUTE runs."""
        if not dynamic.known:
            yield self.gap(*dynamic.place, "dynamic-sql", "EXECUTE runs a text of which nothing is known here")
        elif self.mentions(dynamic.text) and self.depth < _MAX_DYNAMIC:
            pieces = [(dynamic.text[a:b], s, e) for a, b, s, e in bodies.tile(dynamic)]
            inner = self.derived(pieces, dynamic.place)
            analyzer = Analyzer(inner, self.schema, self.depth + 1)
            yield from analyzer.statements(0, len(inner.text), environment)

    def handed_on(
        self,
        expressions: Iterable[tuple[int, int]],
        assigned: Assigned = NOTHING_ASSIGNED,
        run: Iterable[tuple[int, int]] = (),
        executed: Sequence[tuple[int, int]] = (),
    ) -> Iterator[Found]:
        """Literals that something else may make a statement of; those in the places `run` are looked at already.

        So are the variables in the expressions that are `executed`.
        """
        covered = [(first, last) for first, last in run if self.mentions(self.text[first:last])]

        def is_wanted(token: Token) -> bool:
            inside = any(first < token.end and token.start < last for first, last in covered)
            return not inside and self.mentions(self.text[token.start : token.end])

        sequences = {self.schema.catalog.relations[oid].name: item for oid, item in self.schema.watch.sequences.items()}
        for start, end in expressions:
            raw = self.text[start:end]
            if not assigned and not (_LITERAL.search(raw) and self.mentions(raw)):
                continue
            for made, call in made_texts(self.text, start, end, assigned, is_wanted):
                yield from self.kept_statement(made, call)
            stores = _CHANGES.match(self.text, start, end) is not None
            found = literals(self.text, start, end, assigned)
            for token, name in sequence_names(found, frozenset(sequences)):
                yield self.reference(sequences[name], Access.READ, token.start, token.end)
            for token in column_names(found, self.schema.names, stores):
                known = covered if token.kind in (Kind.STRING, Kind.DOLLAR) else executed
                if not any(first < token.end and token.start < last for first, last in known):
                    yield self.gap(token.start, token.end, AS_VALUES, _MADE_OF_VALUES)

    def kept_statement(self, made: bodies.DynamicText, call: bytes) -> Iterator[Found]:
        """A text that reads like a statement: a use where the function that gets it is known to run it."""
        if not loose.is_statement(made.text, strict=True):
            return
        uses = [item for item in self.dynamic(made, NO_ENVIRONMENT) if isinstance(item, Reference | Gap)]
        if uses and _RUNS.fullmatch(call):
            yield from uses
        elif uses:
            yield self.gap(*made.place, IN_LITERAL, "a literal that reads like a statement: something may run it")

    # What a resolved text says

    def collect(self, result: Resolved, start: int, end: int, whole: bool = False) -> Iterator[Found]:
        """Findings of a resolved range; `whole` says that it is one statement with all that it sees."""
        used: set[int] = set()
        for use in sorted(set(result.uses), key=lambda u: (u.start, u.access is Access.STAR)):
            watched = self.schema.watch.columns.get(use.column)
            if watched is not None and not (watched.gone and use.access is Access.STAR):
                used.add(use.start)
                if watched.maybe:
                    message = f"a migration adds or drops {watched.target} under a condition: it may not be there"
                    yield self.gap(use.start, use.end, "maybe-present", message)
                    continue
                yield self.reference(watched, use.access, use.start, use.end)
        for oid, place in result.relations if self.schema.watch.sequences else ():
            owner = self.schema.watch.sequences.get(oid)
            if owner is not None:
                used.add(place[0])
                yield self.reference(owner, Access.READ, *place)
        for problem in result.problems:
            if problem.start not in used and self.mentions(self.text[problem.start : problem.end], "column"):
                used.add(problem.start)
                yield self.gap(problem.start, problem.end, problem.reason, problem.message)
        for offset, reach in result.holes.items():
            if reach & self.schema.watch.relations:
                yield self.hole(offset)
        yield from self.torn_by_holes(start, end)
        elsewhere = whole and bool(result.relations) and not self.about_table(self.text[start:end])
        in_token = self.schema.names.in_token
        for token in kept_tokens(self.text, start, end):
            if token.kind is not Kind.SPACE and token.start not in used:
                raw = self.text[token.start : token.end]
                if in_token(raw):
                    yield self.classify(token, raw, result, elsewhere)
        if b'&"' in self.text[start:end]:
            yield from self.torn(start, end)

    def torn(self, start: int, end: int) -> Iterator[Gap]:
        """A name written `U&"…"` that an open quote before it tears into several tokens."""
        ends = {token.start: token.end for token in kept_tokens(self.text, start, end)}
        starts = sorted(ends)
        for first, last, name, _ in self.schema.names.places(self.text[start:end]):
            holder = starts[bisect_right(starts, start + first) - 1]
            if ends[holder] < start + last or not self.mentions(self.text[holder : ends[holder]]):
                yield self.gap(start + first, start + last, UNREADABLE, f"{name}: a quote tears this name apart")

    def torn_by_holes(self, start: int, end: int) -> Iterator[Gap]:
        """Holes within a name that could make it the column's: `error_%s`. One that begins with a hole counts too."""
        text = self.text[start:end]
        if HOLE not in text or not (self.mentions(text, "table") or self.mentions(text, "dependent")):
            return
        names = (Kind.HOLE, Kind.QUOTED)
        inside = {at for t in kept_tokens(self.text, start, end) if t.kind in names for at in range(t.start, t.end)}
        for match in _TORN.finditer(self.text, start, end):
            solid = match[0].replace(HOLE, b"")
            offset = match.start() + match[0].index(HOLE)
            if offset in inside and len(solid) >= _TELLING:
                pattern = r"\w+".join(map(re.escape, match[0].decode("utf-8", "replace").split(HOLE.decode())))
                if any(re.fullmatch(pattern, column, re.IGNORECASE) for column in self.schema.names.columns):
                    yield self.hole(offset)

    def classify(self, token: Token, raw: bytes, result: Resolved, elsewhere: bool) -> Found:
        """What a token that holds a mention is, when it is no use of a target.

        Where only parts of a text could be read, what they say of the column counts for nothing; unless the column is
        `elsewhere`, in a whole statement that names other tables and neither this one nor anything unknown.
        """
        kind = token.kind
        if unterminated(kind, raw):
            return self.gap(token.start, token.end, UNREADABLE, "a quote or a comment that does not end")
        if kind is Kind.COMMENT:
            return self.claim(token.start, token.end, Explanation.COMMENT)
        if kind in (Kind.STRING, Kind.DOLLAR):
            return self.claim(token.start, token.end, Explanation.VALUE, "a literal")
        if kind not in (Kind.WORD, Kind.QUOTED):
            return self.claim(token.start, token.end, Explanation.VARIABLE, "a parameter")
        if raw[:2] in (b"U&", b"u&") and _ESCAPED.match(self.text, token.end):
            message = "a name written with an escape character of its own (UESCAPE), which is not decoded here"
            return self.gap(token.start, token.end, "escaped-name", message)
        label = result.labels.get(token.start)
        unread = any(first <= token.start < last for first, last in result.unread)
        if label is None and self.text[token.start - 1 : token.start] == b"@" and token.start:
            return self.claim(token.start, token.end, Explanation.VARIABLE, "a parameter")
        name = name_of(raw)
        if unread and name in self.schema.names.columns:
            if elsewhere:
                return self.claim(token.start, token.end, Explanation.OTHER_TABLE, "a statement without the table")
            return self.not_understood(token, name, unread)
        if label is not None:
            return self.claim(token.start, token.end, label.why, label.detail)
        if name in self.schema.names.columns:
            if elsewhere:  # it fails already, and not because of this column
                return self.claim(token.start, token.end, Explanation.OTHER_TABLE, "a statement without the table")
            return self.not_understood(token, name, unread)
        if name in self.schema.names.tables or name in self.schema.names.dependents:
            if unread:
                return self.not_understood(token, name, unread)
            return self.claim(token.start, token.end, Explanation.TABLE, name)
        return self.claim(token.start, token.end, Explanation.IDENTIFIER, "another name")

    def not_understood(self, token: Token, name: str, unread: bool) -> Gap:
        if unread:
            line = "the parser could not read this statement as PostgreSQL's SQL, so this use could not be resolved"
            return self.gap(token.start, token.end, UNREADABLE, f"{name}: {line}")
        message = f"no relation in scope here has a column {name}, so whose column it is could not be decided"
        return self.gap(token.start, token.end, "unresolved-name", message)

    # Text that is no statement

    def no_statement(self) -> Iterator[Found]:
        if loose.is_harmless(self.fragment.note):
            yield from self.claims(Explanation.TEXT, self.fragment.note)
            return
        row = loose.may_be_row(self.fragment, self.schema.catalog, self.schema.watch)
        homes = {self.fragment.site.path, *(piece.origin.path for piece in self.fragment.pieces)}
        finding = loose.judge(self.fragment, self.schema.names, row and any(map(self.schema.near, homes)))
        if isinstance(finding, loose.Part):
            yield from self.part(finding)
            return
        why, reason, message = finding
        if why is not Explanation.GAP:
            yield from self.claims(why, message)
            return
        written = loose.column_of_row(self.fragment, self.schema.catalog, self.schema.watch)
        for start, end, _, role in self.schema.names.places(self.text):
            if role == "column" and written is not None and reason == loose.LOOSE:
                yield self.reference(written, Access.WRITE, start, end)
            elif role == "column":
                yield self.gap(start, end, reason, message)
            else:
                yield self.claim(start, end, Explanation.TABLE, "the table's name")

    def claims(self, why: Explanation, detail: str) -> Iterator[Claim]:
        """One explanation for every mention of the text."""
        for start, end, _, _ in self.schema.names.places(self.text):
            yield self.claim(start, end, why, detail)

    def part(self, part: loose.Part) -> Iterator[Found]:
        """A part of a statement: resolved as one, names that need the rest become gaps."""
        try:
            result = resolve(part.tree, self.schema.catalog, consume=part.consume)
        except RecursionError:
            yield self.gap(0, len(self.text), "too-complex", "this text is nested too deep")
            return
        if self.schema.trace is not None:
            self.schema.trace.read(self.fragment, Reading(0, len(self.text), result, part.tree, part=True))
        for found in self.collect(result, 0, len(self.text)):
            if isinstance(found, Gap) and found.reason in ("unresolved-name", "dynamic-table"):
                if not part.surely and not self.schema.near(self.fragment.site.path):
                    yield Claim(found.span, Explanation.TEXT, "no table in reach")
                    continue
                message = "a part of a statement whose table is not known here"
                yield Gap(found.span, "fragment-without-table", message, found.symbol, found.test)
            else:
                yield found
        yield from self.handed_on([(0, len(self.text))])
