"""What expressions of a migration come to, and where the parts of their texts stand."""

from __future__ import annotations

import pytest

from legacy_ref_scan.migrations.python.text import Text, fragment, name, sql
from legacy_ref_scan.migrations.python.values import HOLE, UNKNOWN, Call, Module, parse_module
from legacy_ref_scan.model import SourceFile, Span


def module_of(text: str) -> Module:
    module = parse_module(SourceFile("m.py", text.encode(), "python"))
    assert module is not None
    return module


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('"a" "b"', "ab"),
        ('"a" + B + "c"', "aBc"),
        ('f"{B}{1}"', "B1"),
        ('f"{B}{f()}"', f"B{HOLE}"),
        ('"x" + f()', f"x{HOLE}"),
        ('"%s-%d" % (B, 2)', "B-2"),
        ('"%(a)s" % {"a": B}', "B"),
        ('"%s" % f()', HOLE),
        ('"{}-{x}".format(B, x=1)', "B-1"),
        ('"{}".format(f())', HOLE),
        ('"%d" % "x"', UNKNOWN),
        ('", ".join(["a", B])', "a, B"),
        ('dedent("""\n  a\n   b""")', "\na\n b"),
        ('os.getenv("X", "d")', "d"),
        ("[*L, 3]", [1, 2, 3]),
        ("(1, B)", (1, "B")),
        ('{"a": B}["a"]', "B"),
        ("L[-1]", 2),
        ("L[7]", UNKNOWN),
        ("-1", -1),
        ("not True", False),
        ("lambda: 1", UNKNOWN),
        ("L if f() else 2", UNKNOWN),
        ('"a\\x62\\\n c"', "ab c"),
        ('"\\d"', "\\d"),
    ],
)
def test_values(expression: str, value: object) -> None:
    module = module_of(f'B = "B"\nL = [1, 2]\nX = {expression}\n')
    assert module.names["X"] == value


def test_a_chain_without_end_is_not_known() -> None:
    module = module_of("X = " + " + ".join(['"a"'] * 900) + "\n")
    assert module.names["X"] in ("a" * 900, UNKNOWN)


def test_calls_keep_what_they_are_called_with() -> None:
    call = module_of("import sqlalchemy as sa\nX = sa.Column('a', *f(), sa.Text(), null=True, **g())\n").names["X"]
    assert isinstance(call, Call)
    assert (call.last, call.text(0, "name"), call.kwargs, call.loose) == ("Column", "a", {"null": True}, True)
    assert call.function.path == "sqlalchemy.Column"  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["def f(:\n", "print 1\n", "x = '\0'\n"])
def test_what_is_no_python_of_this_version(text: str) -> None:
    assert parse_module(SourceFile("m.py", text.encode(), "python")) is None


@pytest.mark.parametrize(
    ("literal", "part", "origin"),
    [
        ('"SELECT note FROM t"', "note", "note"),
        ("'''é\n  SELECT note'''", "note", "note"),
        ('("SELECT "\n  # why\n  "note, x")', "note", "note"),
        ('r"\\d note"', "note", "note"),
        ('"a\\tnote b"', "note", '"a\\tnote b"'),
        ('"a\\tb " "note, x"', "note", "note"),
        ('f"x {1} note"', "note", 'f"x {1} note"'),
    ],
)
def test_parts_of_a_text_know_their_place(literal: str, part: str, origin: str) -> None:
    source = f"# é\r\nX = {literal}\n"
    module = module_of(source)
    value = module.names["X"]
    assert isinstance(value, Text)
    made = fragment([sql("/* é */ ", value)], Span("m.py", 0, 1))
    at = made.text.index(part.encode())
    span = made.origin(at, at + len(part))
    assert source.encode()[span.start : span.end].decode() == origin


def test_a_quoted_name_matches_its_literal() -> None:
    source = "X = 'note'\n"
    value = module_of(source).names["X"]
    assert isinstance(value, str)
    made = fragment([sql("DROP ", name(value))], Span("m.py", 0, 1))
    assert made.text == b'DROP "note";\n'
    span = made.origin(made.text.index(b"note"), made.text.index(b"note") + 4)
    assert source[span.start : span.end] == "note"
    assert name('a"b', "s") == (('"s"', None), (".", None), ('"a""b"', None))
