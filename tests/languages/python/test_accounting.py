"""Whatever a Python file holds, every mention is covered, and says truly what it is."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from legacy_ref_scan.languages.python import program as program_module
from legacy_ref_scan.languages.python.library import Library
from legacy_ref_scan.mentions import names_of
from legacy_ref_scan.model import Claim, Explanation, Fragment, Gap, Mapping, Target
from tests.languages.memory import scan


def claims(program: str) -> list[tuple[Explanation, str]]:
    return [(item.why, item.detail) for item in scan({"a.py": program}, "python") if isinstance(item, Claim)]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("x = 1  # error_message\n", (Explanation.COMMENT, "")),
        ('"""error_message of campaign_phases"""\n', (Explanation.COMMENT, "docstring")),
        ('def f():\n    "error_message"\n', (Explanation.COMMENT, "docstring")),
        ("error_message = 1\n", (Explanation.IDENTIFIER, "name")),
        ("x.error_message\n", (Explanation.IDENTIFIER, "attribute")),
        ("f(error_message=1)\n", (Explanation.IDENTIFIER, "keyword argument")),
        ("def f(error_message): pass\n", (Explanation.IDENTIFIER, "parameter")),
        ("from m import error_message\n", (Explanation.IDENTIFIER, "import")),
        ("class CampaignPhase: pass\n", (Explanation.IDENTIFIER, "definition")),
    ],
)
def test_claims(program: str, expected: tuple[Explanation, str]) -> None:
    assert claims(program) == [expected]


def mapped(program: str) -> list[tuple[str, str, str, str]]:
    items = [item for item in scan({"a.py": program}, "python") if isinstance(item, Mapping)]
    return [(item.column, item.owner, item.library, item.table) for item in items]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("class P(Base):\n    __tablename__ = 'campaign_phases'\n    error_message = Column(Text)\n",
         ("error_message", "P", "sqlalchemy", "campaign_phases")),
        ("class P(Base):\n    __tablename__ = 'campaign_phases'\n    error_message: Mapped[str] = mapped_column()\n",
         ("error_message", "P", "sqlalchemy", "campaign_phases")),
        ("class P(Base):\n    message = db.Column('error_message', db.Text)\n",
         ("error_message", "P", "sqlalchemy", "")),
        ("class P(M):\n    error_message = models.TextField()\n    class Meta:\n        db_table = 'campaign_phases'\n",
         ("error_message", "P", "django", "campaign_phases")),
        ("class P(models.Model):\n    e = models.TextField(db_column='error_message')\n",
         ("error_message", "P", "django", "")),
        ("class P(SQLModel, table=True):\n    error_message: str | None = None\n",
         ("error_message", "P", "sqlmodel", "p")),
        ("import peewee\nclass P(peewee.Model):\n    error_message = TextField()\n",
         ("error_message", "P", "peewee", "p")),
        ("import peewee\nclass P(peewee.Model):\n    error_message = peewee.TextField()\n",
         ("error_message", "P", "peewee", "p")),
        ("class P(M):\n    error_message = fields.TextField()\n    class Meta:\n        table = 'campaign_phases'\n",
         ("error_message", "P", "tortoise", "campaign_phases")),
        ("t = Table('campaign_phases', metadata, Column('id', Integer), Column('error_message', Text))\n",
         ("error_message", "campaign_phases", "sqlalchemy", "campaign_phases")),
    ],
)  # fmt: skip
def test_mappings(program: str, expected: tuple[str, str, str, str]) -> None:
    assert expected in mapped(program)


def test_the_table_that_a_library_would_choose_by_itself() -> None:
    names = names_of([Target("public", "jobs_campaignphase", "error_message")], [])
    program = "class CampaignPhase(models.Model):\n    error_message = models.TextField()\n"
    (found,) = [item for item in scan({"a.py": program}, "python", names) if isinstance(item, Mapping)]
    assert (found.table, found.owner) == ("jobs_campaignphase", "CampaignPhase")


def test_a_field_of_a_mixin_belongs_to_the_table_of_the_class_that_uses_it() -> None:
    mixin = "class Errors:\n    error_message = Column(Text)\n"
    program = "from m.mixin import Errors\nclass P(Errors, Base):\n    __tablename__ = 'campaign_phases'\n"
    items = scan({"m/mixin.py": mixin, "m/a.py": program}, "python")
    found = [(item.span.path, item.owner, item.table) for item in items if isinstance(item, Mapping)]
    assert found == [("m/mixin.py", "P", "campaign_phases")]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("t = Table('campaign_phases', m, autoload_with=e)\nselect(t.c.error_message)\n", "campaign_phases"),
        ("t = Table('other', m, schema='s')\nselect(t.c['error_message'])\n", "s.other"),
    ],
)
def test_columns_of_table_objects_are_uses_of_the_table(program: str, expected: str) -> None:
    named = ".".join(f'"{part}"' for part in expected.split("."))
    wanted = f'SELECT "error_message" FROM {named}'.encode()
    assert wanted in [item.text for item in scan({"a.py": program}, "python") if isinstance(item, Fragment)]


def test_columns_of_unknown_tables_are_mappings() -> None:
    assert [table for _, _, _, table in mapped("select(x.columns.error_message)\n")] == [""]


def test_names_of_reflected_classes_that_nobody_names_are_gaps() -> None:
    program = "Base = automap_base()\nPhase = Base.classes[name]\nq = s.query(Phase.error_message)\n"
    other = "def of(phase):\n    return phase.error_message\n"
    gaps = [item.reason for item in scan({"a.py": program, "b.py": other}, "python") if isinstance(item, Gap)]
    assert gaps == ["reflected-table"] * 2


def test_a_plain_class_attribute_is_no_mapping() -> None:
    assert mapped("class P:\n    error_message = None\n    x: str = 'error_message'\n") == []


def test_an_alembic_migration_is_history_but_what_it_leaves_behind_is_a_gap() -> None:
    program = (
        "revision = 'a'\ndown_revision = 'b'\n"
        "def upgrade():\n"
        "    op.add_column('campaign_phases', sa.Column('error_message', sa.Text()))\n"
        "    op.execute('UPDATE campaign_phases SET error_message = NULL')\n"
        "    op.execute('CREATE VIEW v AS SELECT error_message FROM campaign_phases')\n"
    )
    items = scan({"versions/a.py": program}, "python")
    assert {item.why for item in items if isinstance(item, Claim)} == {Explanation.HISTORY}
    assert [(item.reason, program[: item.span.start].count("\n") + 1) for item in items if isinstance(item, Gap)] == [
        ("unread-migration", 6)
    ]


@pytest.mark.parametrize(
    "program",
    [
        'print "error_message"\ncur.execute("SELECT error_message FROM campaign_phases")\nerror_message = 1 # it\n',
        "<<<<<<< HEAD\nerror_message = 'error_message'\n=======\ncampaign_phases = 1\n>>>>>>> x\n",
        "x = {{ error_message }}\ny = 'SELECT error_message FROM campaign_phases'\n  bad indent\n",
        b"x = 'error_message \xff'\nerror_message = 1\n",
        "x = " + "(" * 5000 + "error_message" + ")" * 5000 + "\n",
        "x = " + " + ".join(["error_message"] * 4000) + "\n",
        "x = '''unclosed error_message\n",
        "x = f'{error_message!!} {campaign_phases'\n",
    ],
)
def test_what_does_not_parse_is_swept(program: str | bytes) -> None:
    items = scan({"a.py": program}, "python")
    assert {item.reason for item in items if isinstance(item, Gap)} == {"unparsed-python"}


def test_the_sweep_finds_sql() -> None:
    program = 'print "x"\nq = ("SELECT error_message " + \n  "FROM " + table + " p")\n'
    (found,) = [item for item in scan({"a.py": program}, "python") if isinstance(item, Fragment)]
    assert found.text == b"SELECT error_message FROM \x1a p"


def test_long_chains_that_parse_are_followed() -> None:
    program = "cur.execute(" + " + ".join(["'SELECT error_message'", *["' '"] * 800, "' FROM campaign_phases'"]) + ")\n"
    (found,) = [item for item in scan({"a.py": program}, "python") if isinstance(item, Fragment)]
    assert found.text.endswith(b" FROM campaign_phases")


def test_calls_that_are_too_many_to_follow_are_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_module, "STEPS", 0)
    calls = "".join(f"f('{number}')\n" for number in range(50))
    body = "a = x + x\n    " * 50
    items = scan({"a.py": f"T = 'campaign_phases'\ndef f(x):\n    {body}\n{calls}"}, "python")
    assert [item.reason for item in items if isinstance(item, Gap)] == ["too-much-python"]


@pytest.mark.parametrize("doubled", ["[x, x]", "x + x", "{'a': x, 'b': x}", "f'{x}{x}'", "','.join([x, x])", "f(x, x)"])
def test_values_that_double_do_not_grow_forever(doubled: str) -> None:
    started = time.process_time()
    lines = f"    x = {doubled}\n" * 40
    scan({"a.py": f"def f(a, b): return [a, b]\nx = 'error_message'\nfor y in z:\n{lines}cur.execute(x)\n"}, "python")
    assert time.process_time() - started < 5


def test_libcst_is_imported_only_for_a_candidate() -> None:
    program = (
        "import sys\nfrom tests.languages.memory import MemoryProject\nfrom legacy_ref_scan.languages import extract\n"
        "list(extract('python', MemoryProject({'a.py': 'x = 1'}, 'python')))\n"
        "list(extract('other', MemoryProject({'a.sh': 'error_message'}, 'other')))\n"
        "assert 'libcst' not in sys.modules\n"
        "list(extract('python', MemoryProject({'a.py': 'error_message'}, 'python')))\n"
        "assert 'libcst' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("unit", ["\\'", "'''\\", '"', "(", "{", "x+", "f'{", "elif x:\n "])
def test_time_grows_with_size_only(unit: str) -> None:
    started = time.process_time()
    scan({"a.py": "x = '" + unit * (200_000 // len(unit)) + " error_message"}, "python")
    assert time.process_time() - started < 5


WORDS = st.sampled_from(["error_message", "campaign_phases", "ErrorMessage", "CampaignPhase", "id", "é"])
QUOTES = st.sampled_from(["'", '"', "'''", '"""'])
PREFIXES = st.sampled_from(["", "r", "u", "f", "rf", "b"])


@st.composite
def strings(draw: st.DrawFn) -> str:
    prefix, quote = draw(PREFIXES), draw(QUOTES)
    words = draw(st.lists(st.one_of(WORDS, st.sampled_from(["\\n", "\\x41", "%s", "{{", "}}", " "])), max_size=5))
    text = " ".join(words)
    if "f" not in prefix:
        text = text.replace("{{", "{").replace("}}", "}")
    elif draw(st.booleans()):
        text += "{" + draw(WORDS) + "}"
    if prefix == "b":
        text = text.replace("é", "e")
    return f"{prefix}{quote}{text} {quote}"


EXPRESSIONS = st.recursive(
    st.one_of(strings(), WORDS),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda p: f"({p[0]} + {p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]} % ({p[1]},))"),
        st.tuples(inner, inner).map(lambda p: f"{p[0]}.format({p[1]})"),
        st.lists(inner, max_size=3).map(lambda p: f"', '.join([{', '.join(p)}])"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]} if x else {p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"{{{p[0]}: {p[1]}}}"),
        st.tuples(WORDS, inner).map(lambda p: f"{p[0]}({p[0]}={p[1]})"),
        inner.map(lambda e: f"cur.execute({e})"),
        inner.map(lambda e: f"log.info({e})"),
        inner.map(lambda e: f"(lambda {'error_message'}: {e})"),
        inner.map(lambda e: f"x[{e}]"),
        inner.map(lambda e: f"[{e} for error_message in {e}]"),
    ),
    max_leaves=8,
)


def _indented(block: list[str]) -> list[str]:
    return ["    " + line for line in block] or ["    pass"]


STATEMENTS = st.recursive(
    st.one_of(
        EXPRESSIONS.map(lambda e: [e]),
        st.tuples(WORDS, EXPRESSIONS).map(lambda p: [f"{p[0]} = {p[1]}"]),
        st.tuples(WORDS, EXPRESSIONS).map(lambda p: [f"{p[0]} += {p[1]}"]),
        EXPRESSIONS.map(lambda e: [f"raise X({e})"]),
        WORDS.map(lambda w: [f"pass  # {w}"]),
        WORDS.map(lambda w: [f"from m import {w}"]),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda p: [*p[0], *p[1]]),
        st.tuples(EXPRESSIONS, inner, inner).map(
            lambda p: [f"if {p[0]}:", *_indented(p[1]), "else:", *_indented(p[2])]
        ),
        st.tuples(WORDS, EXPRESSIONS, inner).map(lambda p: [f"for {p[0]} in {p[1]}:", *_indented(p[2])]),
        st.tuples(WORDS, WORDS, EXPRESSIONS, inner).map(
            lambda p: [f"def {p[0]}({p[1]}={p[2]}):", *_indented([*p[3], f"return {p[2]}"])]
        ),
        st.tuples(WORDS, inner).map(lambda p: [f"class {p[0]}(Base):", *_indented(p[1])]),
        st.tuples(EXPRESSIONS, inner).map(lambda p: [f"with {p[0]} as error_message:", *_indented(p[1])]),
        inner.map(lambda b: ["try:", *_indented(b), "except X:", *_indented(b)]),
    ),
    max_leaves=6,
)


MARKS = st.sampled_from(["(", ")", "#", "'", '"', "\\", "=", "\n", "{", "print "])


@settings(max_examples=150, deadline=None)
@given(STATEMENTS)
def test_no_mention_is_lost(lines: list[str]) -> None:
    scan({"a.py": "\n".join(lines) + "\n"}, "python")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(strings(), WORDS, st.sampled_from(["(", ")", "#", "'", '"', "\\", "=", "\n", "{", "print "])),
        max_size=25,
    )
)
def test_no_mention_is_lost_in_anything(tokens: list[str]) -> None:
    scan({"a.py": " ".join(tokens)}, "python")


@st.composite
def assembled(draw: st.DrawFn) -> str:
    """A program that executes one known query, cut into pieces and put together again in random ways."""
    text = "SELECT id, error_message FROM campaign_phases WHERE id = %s"
    cuts = sorted(draw(st.sets(st.integers(1, len(text) - 1), max_size=5)))
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    lines, names = [], []
    for number, part in enumerate(parts):
        literal = draw(
            st.sampled_from(
                [repr(part), f'"""{part}"""', f"r{part!r}", "'" + "".join(f"\\x{ord(c):02x}" for c in part) + "'"]
            )
        )
        lines.append(f"v{number} = {literal}")
        names.append(f"v{number}")
    way = draw(st.integers(0, 4))
    whole = {
        0: " + ".join(names),
        1: "''.join([" + ", ".join(names) + "])",
        2: "f'" + "".join(f"{{{name}}}" for name in names) + "'",
        3: "'" + "{}" * len(names) + "'.format(" + ", ".join(names) + ")",
        4: "'" + "%s" * len(names) + "' % (" + ", ".join(names) + ",)",
    }[way]
    return "\n".join([*lines, f"cur.execute({whole}, (1,))", ""])


@settings(max_examples=150, deadline=None)
@given(assembled())
def test_a_query_put_together_in_any_way_is_found(program: str) -> None:
    # A comment keeps the file a candidate where every name is cut or written in escapes.
    items = scan({"a.py": "# campaign_phases\n" + program}, "python")
    texts = {item.text for item in items if isinstance(item, Fragment) and item.consumer == "sql"}
    assert texts == {b"SELECT id, error_message FROM campaign_phases WHERE id = %s"}


def test_a_part_of_another_word_needs_no_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    monkeypatch.setattr(Library, "load", lambda self, source: parsed.append(source.path))
    files = {"a.py": "set_error_message(1)\n", "b.py": "f(phase__error_message=1)\n", "c.py": "error_message\n"}
    scan(dict(files), "python")
    assert parsed == ["b.py", "c.py"]


MODELS = (
    "class CampaignPhase(models.Model):\n"
    "    error_message = models.TextField()\n"
    "    class Meta:\n        db_table = 'campaign_phases'\n"
    "    @property\n    def siblings(self):\n        return CampaignPhase.objects.exclude(id=self.id)\n"
)
BASE = "class Sender:\n    def __init__(self, phase: CampaignPhase):\n        self.phase = phase\n"


@pytest.mark.parametrize(
    "program",
    [
        "class Mail(Sender):\n    def send(self):\n        return self.phase.error_message\n",
        "def send(phase: CampaignPhase):\n    return _text(phase, 1)\n"
        "def _text(phase: CampaignPhase, x):\n    return phase.error_message\n",
        "def send(known):\n    return _text(known())\n"
        "def _text(phase: CampaignPhase):\n    return phase.error_message\n",
        "def send(phase: CampaignPhase):\n    return phase.siblings.filter(error_message='')\n",
        "def send(request):\n    return request.user.campaignphase_set.order_by(Lower('error_message'))\n",
    ],
    ids=["kept-by-a-base", "handed-on", "annotated", "property", "way-back"],
)
def test_what_an_object_holds_is_followed(program: str) -> None:
    files: dict[str, str | bytes] = {
        "m/models.py": MODELS,
        "m/base.py": f"from m.models import CampaignPhase\n{BASE}",
        "m/use.py": f"from m.base import Sender\nfrom m.models import CampaignPhase\n{program}",
    }
    found = {
        item.site.path for item in scan(files, "python") if isinstance(item, Fragment) and item.kind == "python-orm"
    }
    assert "m/use.py" in found


def test_a_letter_of_an_escape_is_no_name() -> None:
    names = names_of([Target("public", "campaign_phases", "n")], [])
    program = "a = 'x\\n'\nb = f'{a}\\n'\nc = r'\\n'\nd = '\\\\n'\ne = 'SELECT n\\n FROM campaign_phases'\n"
    items = scan({"a.py": program}, "python", names)
    escapes = [item.span.start for item in items if isinstance(item, Claim) and item.detail == "an escape"]
    assert escapes == [program.index("x\\n") + 2, program.index("}\\n") + 2, program.index("n\\n F") + 2]


def test_a_search_vector_reads_the_columns_that_it_names() -> None:
    program = (
        "class CampaignPhase(Base):\n    __tablename__ = 'campaign_phases'\n    error_message = Column(Text)\n"
        "    vector = Column(TSVectorType('error_message', weights={'error_message': 'A'}))\n"
    )
    items = scan({"a.py": program}, "python")
    found = [item for item in items if isinstance(item, Fragment) and item.kind == "python-orm"]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("program", "loose"),
    [
        ("S = {'type': 'object', 'properties': {'error_message': {'type': 'string', 'error_message': 1}}}\n", 0),
        ("S = {'type': 'object', 'properties': {'x': {'default': ['error_message']}}}\n", 1),
        ("S = {'type': 'array', 'properties': {'error_message': {'type': 'string'}}}\n", 1),
        ("S = {'properties': {'error_message': {'type': 'string'}}}\n", 1),
    ],
)
def test_keys_of_a_json_schema_are_no_columns(program: str, loose: int) -> None:
    items = scan({"a.py": f"T = 'campaign_phases'\n{program}"}, "python")
    assert len([i for i in items if isinstance(i, Fragment) and b"error_message" in i.text]) == loose
