"""Go programs that put a known query together in random ways: across variables, helpers, types, files and packages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

Files = dict[str, str | bytes]


@dataclass
class Program:
    """A Go program that is being written: the statements of one function, its package, another package, files."""

    body: list[str] = field(default_factory=list)
    package: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    embedded: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def files(self, expression: str) -> Files:
        imports = (
            'import (\n\t"bytes"\n\t"embed"\n\t"fmt"\n\t"slices"\n\t"strings"\n\tn "example.com/app/names"\n'
            '\t. "example.com/app/dotted"\n)\n'
        )
        lines = "\n\t".join([*self.body, f"db.Query({expression})"])
        return {
            "go.mod": "module example.com/app\n",
            "store/a.go": f"package store\n\n{imports}\nfunc F(db *sql.DB, flag bool) {{\n\t{lines}\n}}\n",
            "store/b.go": f"package store\n\n{imports}\n" + "\n\n".join(self.package) + "\n",
            "names/names.go": "package names\n\n" + "\n\n".join(self.other) + "\n",
            "dotted/dotted.go": "package dotted\n\nfunc Both(a, b string) string { return a + b }\n",
            **{f"store/{path}": text for path, text in self.embedded.items()},
        }


def literal(draw: st.DrawFn, text: str) -> str:
    """A Go literal of a text, raw or with escapes."""
    if draw(st.booleans()) and "`" not in text:
        return f"`{text}`"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + (escaped.replace("é", "\\u00e9") if draw(st.booleans()) else escaped) + '"'


# What one text can stand in.

Leaf = Callable[[st.DrawFn, Program, str], str]


def _const(draw: st.DrawFn, program: Program, text: str) -> str:
    name = program.name("c")
    program.package.append(f"const {name} = {literal(draw, text)}")
    return name


def _other(draw: st.DrawFn, program: Program, text: str) -> str:
    name = program.name("C")
    program.other.append(f"var {name} = {literal(draw, text)}")
    return f"n.{name}"


def _local(draw: st.DrawFn, program: Program, text: str) -> str:
    name = program.name("v")
    program.body.append(f"{name} := {literal(draw, text)}")
    return name


def _function(draw: st.DrawFn, program: Program, text: str) -> str:
    name = program.name("f")
    program.package.append(f"func {name}() string {{ return {literal(draw, text)} }}")
    return f"{name}()"


def _method(draw: st.DrawFn, program: Program, text: str) -> str:
    kind = program.name("t")
    program.package.append(f"type {kind} struct{{}}\n\nfunc ({kind}) Text() string {{ return {literal(draw, text)} }}")
    return f"{kind}{{}}.Text()"


def _map(draw: st.DrawFn, program: Program, text: str) -> str:
    name = program.name("m")
    program.package.append(f'var {name} = map[string]string{{"no": "nothing", "yes": {literal(draw, text)}}}')
    return f'{name}["yes"]'


def _list(draw: st.DrawFn, program: Program, text: str) -> str:
    name = program.name("l")
    program.body.append(f'{name} := []string{{"nothing", {literal(draw, text)}}}')
    return f"{name}[1]"


def _keyed(draw: st.DrawFn, program: Program, text: str) -> str:
    kind, name = program.name("s"), program.name("v")
    program.package.append(f"type {kind} struct {{\n\tid   int\n\ttext string\n}}")
    program.body.append(f"{name} := &{kind}{{text: {literal(draw, text)}}}")
    return f"{name}.text"


def _positional(draw: st.DrawFn, program: Program, text: str) -> str:
    kind, name = program.name("s"), program.name("v")
    program.package.append(f"type {kind} struct {{\n\tid   int\n\ttext string\n}}")
    program.body.append(f"{name} := {kind}{{1, {literal(draw, text)}}}")
    return f"{name}.text"


def _embedded(draw: st.DrawFn, program: Program, text: str) -> str:
    name = program.name("e")
    program.embedded[f"{name}.txt"] = text
    program.package.append(f"//go:embed {name}.txt\nvar {name} string")
    return name


def _file(draw: st.DrawFn, program: Program, text: str) -> str:
    name, data = program.name("e"), program.name("v")
    program.embedded[f"{name}/text.txt"] = text
    program.package.append(f"//go:embed {name}\nvar {name} embed.FS")
    program.body.append(f'{data}, _ := {name}.ReadFile("{name}/text.txt")')
    return f"string({data})"


LEAVES: tuple[Leaf, ...] = (
    lambda draw, _, text: literal(draw, text),
    _const, _other, _local, _function, _method, _map, _list, _keyed, _positional, _embedded, _file,
)  # fmt: skip

# What joins two texts.

Join = Callable[[Program, str, str], str]


def _append(program: Program, left: str, right: str) -> str:
    name = program.name("q")
    program.body += [f"{name} := {left}", f"{name} += {right}"]
    return name


def _builder(program: Program, left: str, right: str) -> str:
    name = program.name("b")
    program.body += [f"var {name} strings.Builder", f"{name}.WriteString({left})", f"{name}.WriteString({right})"]
    return f"{name}.String()"


def _buffer(program: Program, left: str, right: str) -> str:
    name = program.name("b")
    program.body += [
        f"{name} := &bytes.Buffer{{}}",
        f'fmt.Fprintf({name}, "%s", {left})',
        f"{name}.WriteString({right})",
    ]
    return f"{name}.String()"


def _writer(program: Program, left: str, right: str) -> str:
    name, helper = program.name("b"), program.name("w")
    program.package.append(f"func {helper}(b *strings.Builder, s string) {{ b.WriteString(s) }}")
    program.body += [f"var {name} strings.Builder", f"{helper}(&{name}, {left})", f"{helper}(&{name}, {right})"]
    return f"{name}.String()"


def _helper(program: Program, left: str, right: str) -> str:
    name = program.name("h")
    program.package.append(f"func {name}(b, a string) string {{ return a + b }}")
    return f"{name}({right}, {left})"


def _variadic(program: Program, left: str, right: str) -> str:
    name = program.name("h")
    program.package.append(f'func {name}(parts ...string) string {{ return strings.Join(parts, "") }}')
    return f"{name}({left}, {right})"


def _generic(program: Program, left: str, right: str) -> str:
    name = program.name("g")
    program.package.append(f"func {name}[T ~string](a, b T) T {{ return a + b }}")
    return f"{name}[string]({left}, {right})"


def _closure(program: Program, left: str, right: str) -> str:
    name = program.name("k")
    program.body.append(f"{name} := func(a string) string {{ return a + {right} }}")
    return f"{name}({left})"


def _method_value(program: Program, left: str, right: str) -> str:
    kind, name = program.name("t"), program.name("k")
    program.package.append(
        f"type {kind} struct{{ left string }}\n\nfunc (t {kind}) with(right string) string {{ return t.left + right }}"
    )
    program.body += [f"{name}v := {kind}{{left: {left}}}", f"{name} := {name}v.with"]
    return f"{name}({right})"


def _option(program: Program, left: str, right: str) -> str:
    kind, name = program.name("o"), program.name("v")
    program.package.append(
        f"type {kind} struct{{ parts []string }}\n\n"
        f"func {kind}With(part string) func(*{kind}) {{\n"
        f"\treturn func(o *{kind}) {{ o.parts = append(o.parts, part) }}\n}}"
    )
    program.body += [
        f"{name} := {kind}{{}}",
        f"for _, set := range []func(*{kind}){{{kind}With({left}), {kind}With({right})}} {{\n\t\tset(&{name})\n\t}}",
    ]
    return f'strings.Join({name}.parts, "")'


def _loop(program: Program, left: str, right: str) -> str:
    name = program.name("q")
    program.body += [f'{name} := ""', f"for _, part := range []string{{{left}, {right}}} {{\n\t\t{name} += part\n\t}}"]
    return name


def _replace(program: Program, left: str, right: str) -> str:
    return f'strings.ReplaceAll("<0>" + {right}, "<0>", {left})'


JOINS: tuple[Join, ...] = (
    lambda _, left, right: f"({left} + {right})",
    lambda _, left, right: f'fmt.Sprintf("%[2]s%[1]v", {right}, {left})',
    lambda _, left, right: f'strings.Join([]string{{{left}, {right}}}, "")',
    lambda _, left, right: f'strings.Join(slices.Concat([]string{{{left}}}, []string{{{right}}}), "")',
    lambda _, left, right: f"Both({left}, {right})",
    _append, _builder, _buffer, _writer, _helper, _variadic, _generic, _closure, _method_value, _loop, _replace,
)  # fmt: skip
LOOSE_JOINS: tuple[Join, ...] = (*JOINS, _option)
"""Those too after which a gap is an honest answer."""


def expression(
    draw: st.DrawFn, program: Program, text: str, depth: int, joins: tuple[Join, ...], cuts: str = ""
) -> str:
    """A Go expression that is worth `text`; `cuts` says before which characters it may be cut (anywhere)."""
    places = [at for at in range(1, len(text)) if not cuts or re.match(cuts, text[at - 1 :])]
    if not depth or not places or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(LEAVES))(draw, program, text)
    at = draw(st.sampled_from(places))
    left, right = (expression(draw, program, part, depth - 1, joins, cuts) for part in (text[:at], text[at:]))
    return draw(st.sampled_from(joins))(program, left, right)


@st.composite
def programs(draw: st.DrawFn, query: str) -> Files:
    """A program that runs one query."""
    program = Program()
    return program.files(expression(draw, program, query, 4, JOINS))


@st.composite
def branching(draw: st.DrawFn, queries: tuple[str, str]) -> Files:
    """A program that runs one of two queries."""
    program = Program()
    name = program.name("q")
    first = expression(draw, program, queries[0], 2, JOINS)
    program.body.append(f"{name} := {first}")
    second = expression(draw, program, queries[1], 2, JOINS)
    ways = (
        f"if flag {{\n\t\t{name} = {second}\n\t}}",
        f"switch {{\n\tcase flag:\n\t\t{name} = {second}\n\tdefault:\n\t}}",
        f"for range 3 {{\n\t\t{name} = {second}\n\t}}",
    )
    program.body.append(draw(st.sampled_from(ways)))
    return program.files(name)


@st.composite
def scattered(draw: st.DrawFn, query: str) -> Files:
    """A program that runs one query, cut between words and at underscores, with the ways that may end in a gap."""
    program = Program()
    return program.files(expression(draw, program, query, 4, LOOSE_JOINS, r"[ _]"))
