"""Revisions of Alembic: their order, the schema that they leave, and what can't be followed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from legacy_ref_scan.catalog import replay
from legacy_ref_scan.check import Scope, check
from legacy_ref_scan.migrations import History, Migration, detect
from legacy_ref_scan.model import Report, ScanError, SourceFile, Verdict
from legacy_ref_scan.rules import adhoc_rule
from legacy_ref_scan.scan import Request, scan
from legacy_ref_scan.versions import Version
from legacy_ref_scan.workspace import Workspace
from tests.expectations import FIXTURES
from tests.migrations.shapes import facts
from tests.migrations.test_detect import UP, pairs, write

FIXTURE = FIXTURES / "migrations" / "alembic"
HEAD = "import sqlalchemy as sa\nfrom alembic import op\n\nrevision = {!r}\ndown_revision = {!r}\n\n\n"
CREATE = '    op.create_table("phases", sa.Column("id", sa.BigInteger()), sa.Column("note", sa.Text()))\n'


@pytest.fixture(autouse=True)
def _outside_of_any_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))


def revision(name: str, after: object, body: str) -> str:
    return HEAD.format(name, after) + f"def upgrade():\n{body}\n\ndef downgrade():\n    op.drop_table('phases')\n"


def report_of(root: Path, body: str, column: str = "phases.note", more: str = "") -> Report:
    """A scan of a project whose second revision has that body."""
    files = {"m/versions/1.py": revision("a", None, CREATE), "m/versions/2.py": revision("b", "a", body) + more}
    write(root, {**files, "app.py": "x = 1\n"})
    return scan(Request(root=root, rules=(replace(adhoc_rule([column]), shared="gate"),))).report


def test_the_schema_is_the_one_that_alembic_makes() -> None:
    """`schema.sql` is what `alembic upgrade head --sql` prints for the fixture."""
    history = detect(Workspace(FIXTURE), "migrations", "alembic")
    assert [str(item.version) for item in history.migrations] == ["a1", "b2"]
    assert (history.convention, history.problems, history.notes) == ("alembic", (), ())
    data = (FIXTURE / "schema.sql").read_bytes()
    source = SourceFile("schema.sql", data, "sql")
    printed = replay([Migration(Version.of(1), "all", "schema.sql", ((0, len(data)),), source)])
    ours = replay(history.migrations)
    assert (ours.gaps, printed.gaps) == ((), ())
    assert facts(ours) == facts(printed)


def test_every_place_is_one_of_the_python_file(tmp_path: Path) -> None:
    history = detect(Workspace(FIXTURE), "migrations", "alembic")
    catalog = replay(history.migrations)
    users = catalog.relation("users")
    assert users is not None
    files = {item.path: item.source.data for item in history.migrations}
    column = users.column("full_name")
    assert column is not None
    assert files[column.span.path][column.span.start : column.span.end] == b"'name'"
    view = catalog.relation("v")
    assert view is not None
    (use,) = [use for use in view.uses if use.column == (users.oid, column.attnum)]
    assert files[use.span.path][use.span.start : use.span.end] == b"full_name"


@pytest.mark.parametrize(
    ("body", "column"),
    [
        ('    op.execute("CREATE VIEW v AS SELECT note FROM phases")\n', "note"),
        ('    op.create_index("i", "phases", ["note", "id"])\n', "'note'"),
        ("    op.execute('''\n      CREATE VIEW v AS\n        SELECT p.note FROM phases p;\n    ''')\n", "note"),
        ('    op.execute(sa.text("CREATE VIEW v AS "\n        "SELECT note FROM phases"))\n', "note"),
        ('    op.execute("CREATE VIEW \\"v\\" AS SELECT note FROM phases")\n', "whole literal"),
    ],
)
def test_what_is_left_alive_gates_at_its_place(tmp_path: Path, body: str, column: str) -> None:
    report = report_of(tmp_path, body)
    assert report.verdict is Verdict.REFERENCED
    (found,) = [item for item in report.references if item.gating]
    data = report.files[found.span.path].data[found.span.start : found.span.end].decode()
    assert found.span.path == "m/versions/2.py"
    assert data.replace('"', "'") == column if column != "whole literal" else data.startswith('"CREATE VIEW')


def test_a_column_that_is_gone_and_old_statements_are_history(tmp_path: Path) -> None:
    body = '    op.execute("UPDATE phases SET note = NULL")\n    op.add_column("phases", sa.Column("x", sa.Text()))\n'
    report = report_of(tmp_path, body)
    assert (report.verdict, report.gaps) == (Verdict.CLEAN, ())
    dropped = report_of(tmp_path, '    op.drop_column("phases", "note")\n')
    assert any("leave no column public.phases.note" in note for note in dropped.notes)


COMPUTED = [
    '    op.add_column(TABLE, sa.Column("x", sa.Text()))\n',
    '    op.add_column("phases", build())\n',
    '    op.drop_column("phases", columns[0])\n',
    "    op.execute(read())\n",
    '    op.execute(f"ALTER TABLE {table()} DROP COLUMN note")\n',
    '    op.execute("DROP TABLE " + table())\n',
    '    op.execute("DROP TABLE %s" % table())\n',
    '    op.execute("DROP TABLE {}".format(table()))\n',
    '    for t in tables():\n        op.drop_column(t, "note")\n',
    '    if has_column():\n        op.drop_column("phases", "note")\n',
    '    while todo():\n        op.drop_column("phases", "note")\n',
    '    try:\n        pass\n    except Exception:\n        op.drop_column("phases", "note")\n',
    "    with op.batch_alter_table(name()) as batch:\n        batch.drop_column('note')\n",
    "    with op.batch_alter_table('phases') as batch:\n        batch.drop_column(name())\n",
    "    op.create_entity(phases_view)\n",
    "    Base.metadata.create_all(op.get_bind())\n",
]


@pytest.mark.parametrize("body", COMPUTED)
def test_what_can_t_be_followed_leaves_the_table_open(tmp_path: Path, body: str) -> None:
    report = report_of(tmp_path, body, more="\nfrom app import TABLE, Base, build, columns, phases_view, read, table\n")
    assert {gap.span.path for gap in report.gaps} == {"m/versions/2.py"}
    assert report.verdict is Verdict.UNKNOWN


HARMLESS = [
    '    op.execute(f"UPDATE phases SET id = {value()}")\n',
    "    print('phases')\n",
    '    for row in op.get_bind().execute(sa.text("SELECT id FROM phases")):\n        print(row)\n',
    '    op.bulk_insert(sa.table("phases", sa.column("id")), [{"id": 1}])\n',
    '    phases = sa.table("phases", sa.column("id"))\n    op.execute(phases.update().values(id=1))\n',
    '    if has_column():\n        op.add_column("jobs", sa.Column("x", sa.Text()))\n',
    '    op.add_column("jobs", build())\n',
    '    for name in ("a", "b"):\n        op.add_column("phases", sa.Column(name, sa.Text()))\n',
    '    if op.get_bind().dialect.name == "sqlite":\n        op.drop_column("phases", "note")\n',
    '    bind = op.get_bind()\n    if bind.dialect.name != "postgresql":\n        op.drop_column("phases", "note")\n',
    '    sa.Enum("a", "b", name="kind").create(op.get_bind(), checkfirst=True)\n',
]


@pytest.mark.parametrize("body", HARMLESS)
def test_what_is_data_or_another_table_s_does_not(tmp_path: Path, body: str) -> None:
    more = '\nop_ = "jobs"\n'
    files = {"m/versions/0.py": revision("z", None, '    op.create_table("jobs", sa.Column("id", sa.Integer()))\n')}
    write(tmp_path, files)
    report = report_of(tmp_path, body, more=more)
    assert (report.gaps, report.verdict) == ((), Verdict.CLEAN)


HELPERS = """\
from alembic import op
import os
SCHEMA = os.getenv("APP_SCHEMA", "public")
TABLE = "phases"

def add_index(table, *columns, schema=SCHEMA):
    op.create_index(f"ix_{table}_{columns[0]}", table, list(columns), schema=schema)
"""


@pytest.mark.parametrize(
    "where", ["from app.helpers import TABLE, add_index", "from ..helpers import TABLE, add_index"]
)
def test_helpers_and_constants_of_other_files_are_followed(tmp_path: Path, where: str) -> None:
    home = "app/helpers.py" if "app" in where else "m/helpers.py"
    write(tmp_path, {home: HELPERS})
    report = report_of(tmp_path, "    add_index(TABLE, 'note', 'id')\n", more=f"\n{where}\n")
    (found,) = [item for item in report.references if item.gating]
    data = report.files[found.span.path].data[found.span.start : found.span.end]
    assert (found.span.path, found.kind, data) == ("m/versions/2.py", "index", b"'note'")
    assert report.gaps == ()


def test_new_revisions_are_checked_like_sql(tmp_path: Path) -> None:
    files = {"m/versions/1.py": revision("a", None, CREATE), "app.py": 'x.execute("SELECT note FROM phases")\n'}
    drop = revision("b", "a", '    op.drop_column("phases", "note")\n    op.drop_column("phases", "id")\n')
    write(tmp_path, {**files, "m/versions/2.py": drop})
    found = check(Request(root=tmp_path, rules=()), Scope(last=1))
    assert {f"{item.loss.what} {item.loss.name}": item.verdict.value for item in found.drops} == {
        "drop column public.phases.note": "referenced",
        "drop column public.phases.id": "clean",
    }


def history_of(root: Path, **revisions: tuple[str, object]) -> History:
    files = {f"m/versions/{name}.py": revision(own, after, "    pass\n") for name, (own, after) in revisions.items()}
    return detect(write(root, files))


def test_order_is_that_of_the_revisions(tmp_path: Path) -> None:
    chain = {"a": ("3", ("2a", "2b")), "b": ("2a", "1"), "c": ("2b", "1"), "d": ("1", None)}
    history = history_of(tmp_path, **chain)
    assert [str(item.version) for item in history.migrations] == ["1", "2a", "2b", "3"]
    assert history.problems == ()
    versions = [item.version for item in history.migrations]
    assert versions == sorted(versions)


def test_what_is_wrong_with_a_history(tmp_path: Path) -> None:
    history = history_of(tmp_path, a=("1", "0"), b=("1", None), c=("2", None))
    assert [(item.reason, item.anything) for item in history.problems] == [
        ("migration-version-twice", False),
        ("migration-missing", True),
    ]
    assert history.notes == ("several heads, all of which are applied: 1, 2",)
    write(tmp_path, {"m/versions/d.py": "revision = 'x'\ndown_revision = '1'\ndef upgrade(:\n"})
    assert "m/versions/d.py is no Python" in str(detect(Workspace(tmp_path)).problems[1])


def test_plain_sql_stands_before_a_stray_directory_of_python(tmp_path: Path) -> None:
    workspace = write(tmp_path, pairs("db/m", 1) | {"tool/versions/1.py": revision("a", None, CREATE)})
    assert detect(workspace).directory == "db/m"
    assert detect(workspace, concerns=lambda data: b"phases" in data).directory == "tool/versions"
    assert detect(workspace, concerns=lambda data: b"neither" in data).directory == "db/m"
    assert detect(workspace, "tool").convention == "alembic"
    assert detect(workspace, convention="alembic").directory == "tool/versions"


def test_two_directories_of_revisions_are_asked_for(tmp_path: Path) -> None:
    files = {f"{name}/versions/1.py": revision("a", None, CREATE) for name in ("one", "two")}
    with pytest.raises(ScanError, match="several directories"):
        detect(write(tmp_path, files))


def test_a_directory_beside_the_template_needs_no_certain_name(tmp_path: Path) -> None:
    files = {"alembic/script.py.mako": "", "alembic/steps/1.py": revision("a", None, CREATE), "schema.sql": UP}
    history = detect(write(tmp_path, files))
    assert (history.directory, history.convention) == ("alembic/steps", "alembic")


ADDED = '    op.add_column("phases", sa.Column("more", sa.Text(), server_default=json.dumps({"a": [1]})))\n'
INDEX = '    op.create_index("i", "phases", ["more"])\n'
TYPE = '    op.alter_column("phases", "note", type_=sa.Text(), existing_nullable=True)\n'
VIEW = '    op.execute("CREATE VIEW v AS SELECT id, note FROM phases")\n'
RENAME = '    op.alter_column("phases", "title", new_column_name="note")\n'


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (ADDED + INDEX, Verdict.CLEAN),
        (ADDED + TYPE, Verdict.CLEAN),
        ('    op.add_column("phases", sa.Column("note", sa.Text()))\n', Verdict.CLEAN),
        (
            '    op.create_index("i", "phases", ["note"], unique=True, postgresql_where=sa.text("id > 1"))\n',
            Verdict.CLEAN,
        ),
        (ADDED + VIEW, Verdict.REFERENCED),
        (VIEW, Verdict.REFERENCED),
        (RENAME, Verdict.UNKNOWN),
    ],
)
def test_a_table_that_was_there_before_the_first_revision(tmp_path: Path, body: str, verdict: Verdict) -> None:
    """`create_all` made it, say: what the revisions change of it is known all the same."""
    text = "import json\n" + revision("a", None, body)
    write(tmp_path, {"m/versions/1.py": text, "app.py": "x = 1\n"})
    report = scan(Request(root=tmp_path, rules=(adhoc_rule(["phases.note"]),))).report
    assert report.verdict is verdict, report.gaps
    assert "no migration creates public.phases: taken to be there before the first" in report.notes


def test_a_trigger_for_search_vectors_reads_its_columns(tmp_path: Path) -> None:
    body = '    search.sync_trigger(op.get_bind(), "phases", "vector", ["id", "note"])\n'
    more = "import sqlalchemy_searchable as search\n"
    report = report_of(tmp_path, '    op.add_column("phases", sa.Column("vector", sa.Text()))\n' + body, more=more)
    text = report.files["m/versions/2.py"].data.decode()
    assert [item.span.start for item in report.references if item.gating] == [text.index('"note"')]
    assert report.gaps == ()


def test_a_file_of_sql_that_a_revision_reads_is_run(tmp_path: Path) -> None:
    write(tmp_path, {"m/sql/view.sql": "CREATE VIEW v AS SELECT note FROM phases;\n"})
    body = '    op.execute((HERE / "sql" / "view.sql").read_text())\n'
    report = report_of(tmp_path, body)
    assert [item.span.path for item in report.references if item.gating] == ["m/sql/view.sql"]
    assert report.gaps == ()
