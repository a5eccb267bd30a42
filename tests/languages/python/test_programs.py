"""Random programs that put a query together are run, and what they execute is held against what was read of them.

`LEGACY_REF_SCAN_PROGRAMS=2000` runs so many, from other seeds each time.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from legacy_ref_scan.model import HOLE, Consumer, Fragment, Gap
from tests.languages.memory import scan

COLUMNS = ("error_message", "id", "status")
RUNS = 12
LONG = "LEGACY_REF_SCAN_PROGRAMS"
T = TypeVar("T")


class Writer:
    """Writes a program; `draw` picks. Names in `texts` hold a text, those in `lists` a list of texts."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self.lines: list[str] = []
        self.texts: list[str] = []
        self.lists: list[str] = []
        self.made = 0

    def pick(self, options: Sequence[T]) -> T:
        return self._draw(st.sampled_from(options))

    def name(self) -> str:
        self.made += 1
        return f"v{self.made}"

    def say(self, line: str, depth: int) -> None:
        self.lines.append("    " * depth + line)

    def text(self, depth: int = 0) -> str:
        """An expression that is a column's name or a few of them."""
        column = repr(self.pick(COLUMNS))
        ways = [column, column]
        if self.texts:
            known = self.pick(self.texts)
            ways += [known, f"f'{{{known}}}'", f"'{{}}'.format({known})", f"'%s' % {known}", f"str({known})"]
            ways += [f"'{{0}}, id'.format({known})", f"{known}.strip()", f"dict(a={known})['a']", f"({known}, 1)[0]"]
            ways += [f"f'{{{known}!s}}'", f"'{{c}}'.format(c={known})", f"'%(c)s' % {{'c': {known}}}", f"[{known}][-1]"]
        if self.lists:
            known = self.pick(self.lists)
            ways += [f"', '.join({known})", f"{known}[0]", f"', '.join(x for x in {known})"]
            ways += [f"', '.join(dict.fromkeys({known}))", f"', '.join(sorted({known}))"]
        if depth < 2 and self.texts:
            ways += [f"({self.text(depth + 1)} if choose() else {self.text(depth + 1)})"]
            ways += [f"{self.text(depth + 1)} + ', ' + {self.text(depth + 1)}", f"same({self.text(depth + 1)})"]
            ways += [
                f"pair({self.text(depth + 1)}, b={self.text(depth + 1)})",
                f"Holder({self.text(depth + 1)}).text()",
            ]
        return self.pick(ways)

    def statement(self, depth: int) -> None:
        kind = self.pick(("text", "text", "list", "append", "if", "for", "grow", "try", "match", "while"))
        if kind == "text" or (kind in ("append", "grow") and not (self.lists if kind == "append" else self.texts)):
            value, name = self.text(), self.name()
            self.say(f"{name} = {value}", depth)
            self.texts.append(name)
        elif kind == "list":
            values, name = [self.text(), self.text()], self.name()
            self.say(f"{name} = [{', '.join(values)}]", depth)
            self.lists.append(name)
        elif kind == "append":
            known = self.pick(self.lists)
            more = self.text()
            self.say(self.pick((f"{known}.append({more})", f"{known} += [{more}]", f"{known}.extend([{more}])")), depth)
        elif kind == "grow":
            self.say(f"{self.pick(self.texts)} += ', ' + {self.text()}", depth)
        else:
            self.block(kind, depth)

    def block(self, kind: str, depth: int) -> None:
        if depth > 2:
            self.say("pass", depth)
            return
        heads = {
            "if": "if choose():", "for": "for item in [1, 2]:", "while": "while choose():", "try": "try:",
            "match": "match choose():",
        }  # fmt: skip
        known = (list(self.texts), list(self.lists))
        self.say(heads[kind], depth)
        if kind == "match":
            self.say("case True:", depth + 1)
        inner = depth + (2 if kind == "match" else 1)
        for _ in range(self.pick((1, 2))):
            self.statement(inner)
        # What only one branch assigns may not be there after it.
        self.texts, self.lists = list(known[0]), list(known[1])
        if kind == "try":
            self.say("except ValueError:", depth)
            self.say("pass", depth + 1)
        elif kind == "if" and self.pick((True, False)):
            self.say("else:", depth)
            self.statement(depth + 1)
            self.texts, self.lists = known

    def program(self) -> str:
        self.say("def same(x, unused=None):", 0)
        self.say("return x", 1)
        self.say("def pair(a, b='id'):", 0)
        self.say("return f'{a}, {b}'", 1)
        self.say("class Holder:", 0)
        self.say("def __init__(self, held):", 1)
        self.say("self.held = held", 2)
        self.say("def text(self):", 1)
        self.say("return self.held", 2)
        self.say("def run(cursor):", 0)
        self.statement(1)
        for _ in range(self.pick((1, 2, 3, 4, 5))):
            self.statement(1)
        self.say(f"cursor.execute('SELECT ' + {self.text()} + ' FROM campaign_phases')", 1)
        return "\n".join(["# campaign_phases", *self.lines, ""])


@st.composite
def programs(draw: st.DrawFn) -> str:
    return Writer(draw).program()


def executed(program: str) -> set[bytes]:
    """What the program executes, with some random choices."""
    seen: set[bytes] = set()

    class Cursor:
        def execute(self, text: str) -> None:
            seen.add(text.encode())

    for seed in range(RUNS):
        choices = random.Random(seed)
        scope: dict[str, object] = {"choose": lambda choices=choices: choices.random() < 0.5}
        exec(compile(program, "program", "exec"), scope)
        scope["run"](Cursor())  # type: ignore[operator]
    return seen


def matches(text: bytes, read: Fragment) -> bool:
    """Whether a text is what was read, but for how often a loop ran and for what is a hole."""
    if HOLE not in read.text:
        return set(re.findall(rb"\w+", text)) == set(re.findall(rb"\w+", read.text))
    return re.fullmatch(b".*".join(map(re.escape, read.text.split(HOLE))), text, re.DOTALL) is not None


@settings(max_examples=int(os.environ.get(LONG, "60")), derandomize=LONG not in os.environ, deadline=None)
@given(programs())
def test_what_a_program_executes_was_read(program: str) -> None:
    items = scan({"a.py": program}, "python")
    read = [item for item in items if isinstance(item, Fragment) and item.consumer is Consumer.SQL]
    if any(isinstance(item, Gap) for item in items):
        return
    for text in executed(program):
        assert any(matches(text, fragment) for fragment in read), (text, [fragment.text for fragment in read])
