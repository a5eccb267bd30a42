"""However a query is put together, it comes back whole, and every byte knows where it came from."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.languages.golang.harness import fragments, scan, texts

QUERY = "SELECT p.id, p.error_message FROM campaign_phases p WHERE p.note = 'é%' AND p.error_message IS NOT NULL"


@dataclass
class Program:
    """A Go program that is being written."""

    body: list[str] = field(default_factory=list)
    package: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    count: int = 0

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def files(self, expression: str) -> dict[str, str | bytes]:
        imports = 'import (\n\t"fmt"\n\t"strings"\n\tn "example.com/app/names"\n)\n'
        lines = "\n\t".join([*self.body, f"db.Query({expression})"])
        return {
            "go.mod": "module example.com/app\n",
            "store/a.go": f"package store\n{imports}func F(db *sql.DB) {{\n\t{lines}\n}}\n",
            "store/b.go": "package store\n" + "\n".join(self.package) + "\n",
            "names/names.go": "package names\n" + "\n".join(self.other) + "\n",
        }


def literal(draw: st.DrawFn, text: str) -> str:
    if draw(st.booleans()) and "`" not in text:
        return f"`{text}`"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + (escaped.replace("é", "\\u00e9") if draw(st.booleans()) else escaped) + '"'


def expression(draw: st.DrawFn, program: Program, text: str, depth: int) -> str:
    """A Go expression that is worth `text`."""
    ways = ["literal", "const", "other", "local", "function"]
    if depth and len(text) > 1:
        ways += ["sum", "sum", "sprintf", "join", "append", "builder"]
    way = draw(st.sampled_from(ways))
    if way == "literal":
        return literal(draw, text)
    if way == "const":
        name = program.name("c")
        program.package.append(f"const {name} = {literal(draw, text)}")
        return name
    if way == "other":
        name = program.name("C")
        program.other.append(f"var {name} = {literal(draw, text)}")
        return f"n.{name}"
    if way == "local":
        name = program.name("v")
        program.body.append(f"{name} := {literal(draw, text)}")
        return name
    if way == "function":
        name = program.name("f")
        program.package.append(f"func {name}() string {{ return {literal(draw, text)} }}")
        return f"{name}()"
    at = draw(st.integers(1, len(text) - 1))
    left, right = (expression(draw, program, part, depth - 1) for part in (text[:at], text[at:]))
    return combined(program, way, left, right)


def combined(program: Program, way: str, left: str, right: str) -> str:
    """A Go expression that joins two."""
    if way == "sprintf":
        return f'fmt.Sprintf("%[2]s%[1]v", {right}, {left})'
    if way == "join":
        return f'strings.Join([]string{{{left}, {right}}}, "")'
    if way == "append":
        name = program.name("q")
        program.body += [f"{name} := {left}", f"{name} += {right}"]
        return name
    if way == "builder":
        name = program.name("b")
        program.body += [f"var {name} strings.Builder", f"{name}.WriteString({left})", f"{name}.WriteString({right})"]
        return f"{name}.String()"
    return f"({left} + {right})"


@st.composite
def programs(draw: st.DrawFn) -> dict[str, str | bytes]:
    program = Program()
    text = expression(draw, program, QUERY, 4)
    return program.files(text)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(programs())
def test_a_query_comes_back_whole(files: dict[str, str | bytes]) -> None:
    found = scan(files)
    mentioned = any(b"error_message" in (t.encode() if isinstance(t, str) else t) for t in files.values())
    if not mentioned and not any("campaign_phases" in str(text) for text in files.values()):
        return  # every name is torn apart: no file is a candidate
    assert QUERY in texts(found)
    whole = next(fragment for fragment in fragments(found) if fragment.text.decode() == QUERY)
    assert not whole.holes
    assert sum(piece.end - piece.start for piece in whole.pieces) == len(whole.text)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_no_mention_is_lost_in_cut_or_shuffled_source(data: st.DataObject) -> None:
    files = data.draw(programs())
    source = files["store/a.go"]
    assert isinstance(source, str)
    start = data.draw(st.integers(0, len(source)))
    end = data.draw(st.integers(start, len(source)))
    scan({**files, "store/a.go": source[:start] + source[end:]})
