"""The SQL that a Python program puts together, and who receives it."""

from __future__ import annotations

import textwrap

import pytest

from legacy_ref_scan.model import Consumer, Extracted, Fragment
from tests.languages.memory import scan

HOLE = "\x1a"


def fragments(items: list[Extracted], consumer: Consumer | None = None) -> list[str]:
    found = [item for item in items if isinstance(item, Fragment)]
    return [item.text.decode() for item in found if consumer in (None, item.consumer)]


def sql(program: str | bytes, **others: str) -> list[str]:
    """The texts that reach a database in `program`; `others` are further modules by name."""
    files: dict[str, str | bytes] = {f"app/{name}.py": textwrap.dedent(text) for name, text in others.items()}
    files["app/main.py"] = textwrap.dedent(program) if isinstance(program, str) else program
    return fragments(scan(files, "python"), Consumer.SQL)


SELECT = "SELECT error_message FROM campaign_phases"


@pytest.mark.parametrize(
    "expression",
    [
        '"SELECT error_message FROM campaign_phases"',
        "'SELECT error_message ' 'FROM campaign_phases'",
        '"SELECT error_message " + "FROM campaign_phases"',
        'r"SELECT error_message FROM campaign_phases"',
        'b"SELECT error_message FROM campaign_phases".decode()',
        'u"""SELECT error_message FROM campaign_phases"""',
        '"SELECT error_message \\\nFROM campaign_phases"',
        '("SELECT error_message "  # why\n "FROM campaign_phases")',
        '"SELECT \\x65rror_message FROM \\u0063ampaign_phases"',
        '"SELECT %s FROM %s" % ("error_message", "campaign_phases")',
        '"SELECT %(c)s FROM campaign_phases" % {"c": "error_message"}',
        '"SELECT {} FROM {}".format("error_message", "campaign_phases")',
        '"SELECT {1} FROM {0}".format("campaign_phases", "error_message")',
        '"SELECT {c} FROM {t}".format(t="campaign_phases", c="error_message")',
        '"SELECT {c} FROM campaign_phases".format_map({"c": "error_message"})',
        "f\"SELECT {'error_message'} FROM {'campaign' + '_phases'}\"",
        '" ".join(["SELECT error_message", "FROM campaign_phases"])',
        '" ".join(part for part in ("SELECT error_message", "FROM campaign_phases"))',
        '" ".join("SELECT error_message;FROM campaign_phases".split(";"))',
        '"SELECT COLUMN FROM campaign_phases".replace("COLUMN", "error_message")',
        'textwrap.dedent("""  SELECT error_message FROM campaign_phases""")',
        '"  SELECT error_message FROM campaign_phases  ".strip()',
        'sqlalchemy.text("SELECT error_message FROM campaign_phases")',
        '{"list": "SELECT error_message FROM campaign_phases"}["list"]',
        '["SELECT 1", "SELECT error_message FROM campaign_phases"][-1]',
        'None or "SELECT error_message FROM campaign_phases"',
        '(q := "SELECT error_message FROM campaign_phases")',
        '"".join(["SELECT ", ", ".join(["error_message"] * 1), " FROM campaign_phases"])',
    ],
)
def test_an_expression_is_put_together(expression: str) -> None:
    assert SELECT in sql(f"cur.execute({expression})\n".encode())


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("q = 'SELECT error_message FROM campaign_phases'\ncur.execute(q)", [SELECT]),
        ("q = 'SELECT error_message '\nq += 'FROM campaign_phases'\ncur.execute(q)", [SELECT]),
        (
            "q = 'SELECT error_message FROM campaign_phases'\nif x:\n    q += ' LIMIT 1'\ncur.execute(q)",
            [SELECT, SELECT + " LIMIT 1"],
        ),
        (
            "if x:\n    c = 'error_message'\nelif y:\n    c = 'id'\nelse:\n    c = '*'\n"
            "cur.execute(f'SELECT {c} FROM campaign_phases')",
            ["SELECT * FROM campaign_phases", SELECT, "SELECT id FROM campaign_phases"],
        ),
        ("c = 'error_message' if x else 'id'\ncur.execute('SELECT ' + c + ' FROM campaign_phases')",
         [SELECT, "SELECT id FROM campaign_phases"]),
        ("cols = ['id']\ncols.append('error_message')\n"
         "cur.execute('SELECT ' + ', '.join(cols) + ' FROM campaign_phases')",
         ["SELECT id, error_message FROM campaign_phases"]),
        ("for c in ('id', 'error_message'):\n    cur.execute('SELECT ' + c + ' FROM campaign_phases')",
         [SELECT, "SELECT id FROM campaign_phases"]),
        ("try:\n    q = 'SELECT error_message FROM campaign_phases'\nexcept E:\n    q = 'SELECT 1'\ncur.execute(q)",
         [SELECT]),
        ("match x:\n    case 1:\n        q = 'SELECT error_message FROM campaign_phases'\ncur.execute(q)", [SELECT]),
        ("queries = {}\nqueries['a'] = 'SELECT error_message FROM campaign_phases'\ncur.execute(queries['a'])",
         [SELECT]),
        ("a, b = 'error_message', 'campaign_phases'\ncur.execute('SELECT ' + a + ' FROM ' + b)", [SELECT]),
    ],
)  # fmt: skip
def test_variables_are_followed(program: str, expected: list[str]) -> None:
    assert sorted(sql(program)) == sorted(expected)


def test_a_return_ends_its_branch() -> None:
    program = """
    def load(cur, x):
        q = "SELECT error_message FROM campaign_phases"
        if x:
            q = "SELECT status FROM campaign_phases"
            return cur.execute(q)
        cur.execute(q)
    """
    assert sorted(sql(program)) == [SELECT, "SELECT status FROM campaign_phases"]


def test_functions_are_followed_with_their_arguments_together() -> None:
    program = """
    def fetch(cur, columns, table, where=None):
        q = "SELECT %s FROM %s" % (", ".join(columns), table)
        if where:
            q = f"{q} WHERE {where}"
        cur.execute(q)

    fetch(c, ["error_message"], "campaign_phases")
    fetch(c, columns=("id",), table="campaign_phases", where="id = 1")
    """
    assert sorted(sql(program)) == [SELECT, "SELECT id FROM campaign_phases WHERE id = 1"]


def test_a_private_function_runs_with_its_callers_arguments_alone() -> None:
    program = """
    def _load(cur, column):
        cur.execute(f"SELECT {column} FROM campaign_phases")

    def load(cur):
        _load(cur, "id")
    """
    assert sql(program) == ["SELECT id FROM campaign_phases"]
    assert len(sql(program + "\n    register(_load)\n")) == 2
    assert len(sql(program, other="from .main import _load\n")) == 2


def test_defaults_are_one_of_the_values_of_a_parameter() -> None:
    program = """
    def load(column="error_message"):
        cur.execute(f"SELECT {column} FROM campaign_phases")

    load()
    """
    assert sorted(sql(program)) == [f"SELECT {HOLE} FROM campaign_phases", SELECT]


def test_a_function_within_a_function_sees_its_variables() -> None:
    program = """
    def load(cur):
        table = "campaign_phases"
        def run():
            cur.execute("SELECT error_message FROM " + table)
        run()
    """
    assert sql(program) == [SELECT]


def test_results_of_functions_are_followed() -> None:
    program = """
    def columns(full):
        if full:
            return "id, error_message"
        return "id"

    cur.execute("SELECT " + columns(flag) + " FROM campaign_phases")
    """
    assert sorted(sql(program)) == ["SELECT id FROM campaign_phases", "SELECT id, error_message FROM campaign_phases"]


def test_a_method_of_a_base_class_in_another_file_is_followed() -> None:
    store = """
    class Store:
        def _map(self, cols, table):
            sql = "select %s from %s" % (", ".join(cols), table)
            self.cur.execute(sql)
    """
    program = """
    from app.store import Store

    class Phases(Store):
        def __init__(self):
            self.map = self._map(cols=("id", "error_message"), table="campaign_phases")
    """
    assert sql(program, store=store) == ["select id, error_message from campaign_phases"]


def test_a_base_class_uses_the_attributes_of_its_subclass() -> None:
    program = """
    class Repository:
        def all(self):
            return self.db.fetch(f"SELECT {', '.join(self.columns)} FROM {self.table}")

    class Phases(Repository):
        table = "campaign_phases"
        columns = ["id", "error_message"]
    """
    assert sql(program) == ["SELECT id, error_message FROM campaign_phases"]


def test_attributes_of_self_are_followed() -> None:
    program = """
    class Phases:
        def __init__(self):
            self.table = "campaign_phases"

        def all(self, cur):
            cur.execute("SELECT error_message FROM " + self.table)
    """
    assert sql(program) == [SELECT]


@pytest.mark.parametrize(
    "use",
    [
        "from app.names import COLUMN\nc = COLUMN",
        "from app import names\nc = names.COLUMN",
        "from . import names\nc = names.COLUMN",
        "from .names import COLUMN as c",
        "from .names import *\nc = COLUMN",
        "import app.names\nc = app.names.COLUMN",
        "from app.names import Columns\nc = Columns.ERROR",
        "from app.names import column\nc = column()",
    ],
)
def test_constants_of_other_modules_are_followed(use: str) -> None:
    names = """
    COLUMN = "error_message"
    class Columns:
        ERROR = COLUMN
    def column():
        return COLUMN
    """
    program = use + "\ncur.execute(f'SELECT {c} FROM campaign_phases')\n"
    assert SELECT in sql(program, names=names)


def test_a_file_that_only_uses_constants_is_looked_at() -> None:
    names = 'COLUMN = "error_message"\nTABLE = "campaign_phases"\n'
    program = "from .names import COLUMN, TABLE\ncur.execute(f'SELECT {COLUMN} FROM {TABLE}')\n"
    assert sql(program, names=names) == [SELECT]


def test_what_is_not_known_is_a_hole_with_its_reason() -> None:
    program = "def load(cur, column):\n    cur.execute(f'SELECT {column} FROM campaign_phases WHERE id = %s', (1,))\n"
    (found,) = [item for item in scan({"a.py": program}, "python") if isinstance(item, Fragment)]
    assert found.text.decode() == f"SELECT {HOLE} FROM campaign_phases WHERE id = %s"
    assert [hole.reason for hole in found.holes] == ["parameter column of load"]
    assert (found.symbol, found.kind, found.consumer) == ("load", "python-sql", Consumer.SQL)


def test_psycopg_compositions_are_put_together() -> None:
    program = """
    from psycopg import sql
    table = sql.Identifier("campaign_phases")
    q = sql.SQL("SELECT {}, {} FROM {} WHERE id = {}").format(
        sql.Identifier("error_message"), sql.Identifier("p", "id"), table, sql.Placeholder())
    cur.execute(q)
    cols = sql.SQL(", ").join(map(sql.Identifier, ["id", "error_message"]))
    cur.execute(sql.SQL("SELECT ") + cols + sql.SQL(" FROM campaign_phases"))
    """
    assert sorted(sql(program)) == [
        'SELECT "error_message", "p"."id" FROM "campaign_phases" WHERE id = %s',
        'SELECT "id", "error_message" FROM campaign_phases',
    ]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('cur.copy_from(f, "campaign_phases", columns=("id", "error_message"))',
         "COPY campaign_phases (id, error_message) FROM STDIN"),
        ('conn.copy_records_to_table("campaign_phases", records=r)', "COPY campaign_phases FROM STDIN"),
        ('pd.read_sql_table("campaign_phases", engine)', "SELECT * FROM campaign_phases"),
        ('cur.copy("COPY campaign_phases (error_message) FROM STDIN")',
         "COPY campaign_phases (error_message) FROM STDIN"),
        ('execute_values(cur, "INSERT INTO campaign_phases (error_message) VALUES %s", rows)',
         "INSERT INTO campaign_phases (error_message) VALUES %s"),
        ('await conn.fetchval("SELECT error_message FROM campaign_phases")', SELECT),
        ('pd.read_sql(sql="SELECT error_message FROM campaign_phases", con=c)', SELECT),
        ('session.execute(text("SELECT error_message FROM campaign_phases"))', SELECT),
    ],
)  # fmt: skip
def test_sinks(call: str, expected: str) -> None:
    assert expected in sql(call + "\n")


@pytest.mark.parametrize(
    "call",
    [
        'logger.error("no error_message in campaign_phases")',
        'self.log.info("error_message %s", x)',
        'print(f"error_message {x}")',
        'raise ValueError("campaign_phases has no error_message")',
    ],
)
def test_what_is_only_shown_is_text(call: str) -> None:
    assert [item.consumer for item in scan({"a.py": call + "\n"}, "python") if isinstance(item, Fragment)] == ["text"]


def test_a_constant_that_is_logged_may_still_be_used_elsewhere() -> None:
    program = 'c = "error_message"\nlog.info("column %s", c)\nframe.drop(c)\n'
    consumers = {item.consumer for item in scan({"a.py": program}, "python") if isinstance(item, Fragment)}
    assert consumers == {Consumer.UNKNOWN}


@pytest.mark.parametrize(
    ("program", "note"),
    [
        ('x = {"error_message": 1}\n', "dict key"),
        ('x = row["error_message"]\n', "subscript"),
        ('f(column="error_message")\n', "argument column"),
        ('f("error_message")\n', "argument of f"),
    ],
)
def test_the_note_says_where_a_text_stands(program: str, note: str) -> None:
    (found,) = [item for item in scan({"a.py": program}, "python") if isinstance(item, Fragment)]
    assert (found.note, found.text, found.consumer) == (note, b"error_message", Consumer.UNKNOWN)


@pytest.mark.parametrize(
    ("program", "note"),
    [
        ('x = c == "error_message"\n', "comparison"),
        ('x = c in ("id", "error_message")\n', "comparison"),
        ('assert row == {"error_message": 1}\n', "dict key, comparison"),
        ('x = row.get("error_message")\n', "argument of get"),
        ('jsonify({"rows": [{"error_message": 1}]})\n', "dict key, argument of jsonify"),
        ('requests.put(url, json={"error_message": 1})\n', "dict key, argument json"),
    ],
)
def test_what_is_only_looked_up_or_sent_away_is_text(program: str, note: str) -> None:
    (found,) = [item for item in scan({"a.py": program}, "python") if isinstance(item, Fragment)]
    assert (found.note, found.text, found.consumer) == (note, b"error_message", Consumer.TEXT)


def test_origins_through_escapes_and_multi_byte_text() -> None:
    program = 'cur.execute("/* é\\n\\u00e9 */ SELECT error_message" f" FROM {T} /*{{*/")\nT = "campaign_phases"\n'
    (found,) = [
        item for item in scan({"a.py": program}, "python") if isinstance(item, Fragment) and item.consumer == "sql"
    ]
    assert found.text.decode() == f"/* é\né */ SELECT error_message FROM {HOLE} /*{{*/"
    start = found.text.index(b"error_message")
    origin = found.origin(start, start + len(b"error_message"))
    assert program.encode()[origin.start : origin.end] == b"error_message"


def test_too_many_alternatives_of_names_are_a_gap() -> None:
    lines = [f"if x{i}:\n    q += ' {name}{i}'\n" for i in range(9) for name in ("/* error_message */ a", "b")]
    items = scan({"a.py": "q = 'SELECT '\n" + "".join(lines) + "cur.execute(q + ' FROM campaign_phases')\n"}, "python")
    assert "too-many-alternatives" in {getattr(item, "reason", "") for item in items}


def test_recursion_and_import_cycles_end() -> None:
    a = "from .b import g\ndef f(x):\n    return g(x + ' error_message')\nT = f('campaign_phases')\n"
    b = "from .a import f, T\ndef g(x):\n    return f(x)\nU = T\n"
    scan({"p/a.py": a, "p/b.py": b, "p/__init__.py": ""}, "python")
