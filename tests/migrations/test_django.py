"""Migrations of Django: their order, the schema that they leave, and what can't be followed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from legacy_ref_scan.catalog import replay
from legacy_ref_scan.migrations import History, Migration, detect
from legacy_ref_scan.model import Report, SourceFile, Verdict
from legacy_ref_scan.rules import adhoc_rule
from legacy_ref_scan.scan import Request, scan
from legacy_ref_scan.schema import Catalog
from legacy_ref_scan.versions import Version
from legacy_ref_scan.workspace import Workspace
from tests.expectations import FIXTURES
from tests.migrations.shapes import structure
from tests.migrations.test_detect import UP, pairs, write

FIXTURE = FIXTURES / "migrations" / "django"
HEAD = "import django.db.models.deletion\nfrom django.db import migrations, models\nfrom app import things\n\n\n"
CLASS = "class Migration(migrations.Migration):\n    dependencies = {}\n    operations = [\n{}    ]\n"
CREATE = """\
        migrations.CreateModel(
            name="Phase",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("note", models.TextField()),
                ("kind", models.CharField(max_length=9)),
            ],
        ),
"""


@pytest.fixture(autouse=True)
def _outside_of_any_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))


def migration(operations: str, *after: tuple[str, str], more: str = "") -> str:
    return HEAD + more + CLASS.format(list(after), operations)


def project(second: str = "", more: str = "") -> dict[str, str]:
    files = {"manage.py": "", "jobs/migrations/__init__.py": "", "jobs/migrations/0001_initial.py": migration(CREATE)}
    if second:
        files["jobs/migrations/0002_b.py"] = migration(second, ("jobs", "0001_initial"), more=more)
    return files


def report_of(root: Path, second: str, more: str = "") -> Report:
    write(root, project(second, more))
    rule = replace(adhoc_rule(["jobs_phase.note"]), shared="gate")
    return scan(Request(root=root, rules=(rule,))).report


def catalog_of(root: Path, second: str) -> Catalog:
    history = detect(write(root, project(second)))
    catalog = replay(history.migrations)
    assert (history.problems, catalog.gaps) == ((), ())
    return catalog


def columns(catalog: Catalog, table: str) -> list[str]:
    relation = catalog.relation(table)
    assert relation is not None, sorted(item.name for item in catalog.relations.values())
    return [column.name for column in relation.columns]


def test_the_schema_is_the_one_that_django_makes() -> None:
    """`schema.sql` is what pg_dump prints after `migrate` of Django 5.2 for the fixture, on PostgreSQL 18."""
    history = detect(Workspace(FIXTURE), ".", "django")
    assert [str(item.version) for item in history.migrations] == [
        "shop.0001_initial",
        "weblog.0001_initial",
        "shop.0002_changes",
        "weblog.0002_more",
    ]
    assert (history.convention, history.problems, history.notes) == ("django", (), ())
    data = (FIXTURE / "schema.sql").read_bytes()
    source = SourceFile("schema.sql", data, "sql")
    dumped = replay([Migration(Version.of(1), "all", "schema.sql", ((0, len(data)),), source)])
    ours = replay(history.migrations)
    assert (ours.gaps, dumped.gaps) == ((), ())
    assert structure(ours) == structure(dumped)


def test_every_place_is_one_of_the_python_file() -> None:
    history = detect(Workspace(FIXTURE), ".", "django")
    catalog = replay(history.migrations)
    files = {item.path: item.source.data for item in history.migrations}
    product = catalog.relation("shop_product")
    assert product is not None
    texts = {c.name: files[c.span.path][c.span.start : c.span.end] for c in product.columns}
    assert (texts["price"], texts["owner_id"], texts["mass"]) == (b'"price"', b'"owner"', b'"weight"')
    view = catalog.relation("order_view")
    assert view is not None
    (use,) = view.uses
    assert files[use.span.path][use.span.start : use.span.end] == b"legacy"


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        ('migrations.RunSQL("CREATE VIEW v AS SELECT note FROM jobs_phase")', b"note"),
        ('migrations.AddIndex("phase", models.Index(fields=["note", "kind"], name="i"))', b'"note"'),
        ('migrations.AlterUniqueTogether("phase", {("kind", "note")})', b'"note"'),
    ],
)
def test_what_is_left_alive_gates_at_its_place(tmp_path: Path, operation: str, text: bytes) -> None:
    report = report_of(tmp_path, f"        {operation},\n")
    found = [item for item in report.references if item.gating]
    data = report.files["jobs/migrations/0002_b.py"].data
    assert [data[item.span.start : item.span.end] for item in found] == [text]
    assert (report.verdict, report.gaps) == (Verdict.REFERENCED, ())


HARMLESS = [
    'migrations.RenameField("phase", "kind", "sort")',
    'migrations.AddField("phase", "x", models.ForeignKey(to="auth.User", on_delete=models.CASCADE))',
    'migrations.RunSQL("UPDATE jobs_phase SET note = NULL")',
    'migrations.RunSQL([("UPDATE jobs_phase SET note = %s", ["x"])])',
    "migrations.RunPython(fill, migrations.RunPython.noop)",
    'migrations.AlterModelOptions("phase", {"ordering": ["note"]})',
    'migrations.CreateModel("Job", [("x", models.TextField())])',
    "CITextExtension()",
]


@pytest.mark.parametrize("operation", HARMLESS)
def test_history_and_what_does_not_touch_the_column(tmp_path: Path, operation: str) -> None:
    more = "def fill(apps, schema_editor):\n    apps.get_model('jobs', 'Phase').objects.update(note='jobs_phase')\n\n\n"
    report = report_of(tmp_path, f"        {operation},\n", more)
    assert (report.gaps, report.verdict) == ((), Verdict.CLEAN)


COMPUTED = [
    "migrations.RunSQL(things.SQL)",
    'migrations.RunSQL(f"ALTER TABLE {things} ADD x int")',
    'migrations.AddField("phase", "x", things())',
    'migrations.AddField(things, "x", models.TextField())',
    'migrations.RemoveField("phase", things)',
    'migrations.AddIndex("phase", things.index)',
    'migrations.AddConstraint("phase", models.CheckConstraint(condition=models.Q(("note__regex", "x")), name="c"))',
    'things.AddTrigger(model_name="phase")',
    "things.DoSomething()",
    "things",
    "*things()",
    "migrations.RunPython(change)",
]


@pytest.mark.parametrize("operation", COMPUTED)
def test_what_can_t_be_followed_leaves_the_table_open(tmp_path: Path, operation: str) -> None:
    more = "def change(apps, schema_editor):\n    schema_editor.execute('DROP TABLE jobs_phase')\n\n\n"
    report = report_of(tmp_path, f"        {operation},\n", more)
    assert report.verdict is Verdict.UNKNOWN
    assert {gap.span.path for gap in report.gaps} == {"jobs/migrations/0002_b.py"}


def test_another_model_s_computed_field_is_a_note(tmp_path: Path) -> None:
    operations = '        migrations.CreateModel("Job", [("x", models.TextField())]),\n'
    report = report_of(tmp_path, f'{operations}        migrations.AddField("job", "y", things()),\n')
    assert (report.gaps, report.verdict) == ((), Verdict.CLEAN)
    assert any("the field y is computed" in note for note in report.notes)


def test_a_statement_that_is_not_replayed_is_about_its_table(tmp_path: Path) -> None:
    index = 'models.Index(fields=["note"], name="i", opclasses=["(("])'
    report = report_of(tmp_path, f'        migrations.AddIndex("phase", {index}),\n')
    assert "catalog-unparsed" in [gap.reason for gap in report.gaps]


def test_renames_and_removals(tmp_path: Path) -> None:
    operations = [
        'migrations.RenameModel("Phase", "Step")',
        'migrations.RenameField("step", "note", "remark")',
        'migrations.AlterField("step", "remark", models.TextField(db_column="hint"))',
        'migrations.RemoveField("step", "kind")',
        'migrations.AlterModelTable("step", "steps")',
    ]
    catalog = catalog_of(tmp_path, "".join(f"        {item},\n" for item in operations))
    assert columns(catalog, "steps") == ["id", "hint"]
    assert catalog.relation("jobs_phase") is None


def test_the_state_and_the_database_apart(tmp_path: Path) -> None:
    operation = (
        "migrations.SeparateDatabaseAndState(\n"
        '            database_operations=[migrations.RunSQL("ALTER TABLE jobs_phase RENAME note TO old")],\n'
        '            state_operations=[migrations.RemoveField("phase", "note")])'
    )
    again = 'migrations.AddField("phase", "note", models.IntegerField())'
    catalog = catalog_of(tmp_path, f"        {operation},\n        {again},\n")
    assert columns(catalog, "jobs_phase") == ["id", "old", "kind", "note"]


def test_a_table_with_a_schema_in_its_name(tmp_path: Path) -> None:
    model = 'migrations.CreateModel("Job", [("x", models.TextField())], options={"db_table": \'app"."jobs\'})'
    catalog = catalog_of(tmp_path, f'        migrations.RunSQL("CREATE SCHEMA app"),\n        {model},\n')
    assert catalog.relation("jobs", "app") is not None


def order_of(root: Path, **migrations: tuple[str, str]) -> History:
    """`app__name=(dependencies, further attributes)`."""
    files = {"manage.py": ""}
    for key, (after, more) in migrations.items():
        app, _, name = key.partition("__")
        text = HEAD + f"class Migration(migrations.Migration):\n    dependencies = {after}\n    operations = []\n{more}"
        files[f"{app}/migrations/{name}.py"] = text
    return detect(write(root, files))


def names(history: History) -> list[str]:
    return [str(item.version) for item in history.migrations]


def test_order_is_that_of_the_dependencies(tmp_path: Path) -> None:
    history = order_of(
        tmp_path,
        a__m0001=('[("b", "m0002")]', ""),
        b__m0001=("[]", ""),
        b__m0002=('[("b", "m0001"), ("c", "__first__"), ("auth", "0001_initial")]', ""),
        c__m0001=("[]", ""),
        c__m0002=('[("c", "m0001")]', '    run_before = [("b", "m0001")]\n'),
    )
    assert names(history) == ["c.m0001", "c.m0002", "b.m0001", "b.m0002", "a.m0001"]
    assert (history.problems, history.notes) == ((), ())


def test_squashed_migrations_run_once(tmp_path: Path) -> None:
    replaces = '    replaces = [("a", "m0001"), ("a", "m0002")]\n'
    both = {"a__m0001": ("[]", ""), "a__m0002": ('[("a", "m0001")]', ""), "a__m0001_squashed": ("[]", replaces)}
    later = {"a__m0003": ('[("a", "m0001_squashed")]', ""), "b__m0001": ('[("a", "m0002")]', "")}
    history = order_of(tmp_path / "both", **both, **later)
    assert names(history) == ["a.m0001", "a.m0002", "a.m0003", "b.m0001"]
    assert history.problems == ()
    alone = order_of(tmp_path / "alone", a__m0001_squashed=("[]", replaces), **later)
    assert names(alone) == ["a.m0001_squashed", "a.m0003", "b.m0001"]
    assert alone.problems == ()


def test_what_is_missing_could_be_about_any_table(tmp_path: Path) -> None:
    history = order_of(tmp_path, a__m0002=('[("a", "m0001")]', ""), b__m0001=('[("a", "m0009")]', ""))
    assert [(item.reason, item.anything) for item in history.problems] == [("migration-missing", True)] * 2


def test_the_label_of_an_app_and_its_own_model_of_users(tmp_path: Path) -> None:
    model = 'migrations.CreateModel("P", [("who", models.ForeignKey(to=things.AUTH_USER_MODEL, on_delete=1))])'
    users = 'migrations.CreateModel("Member", [("key", models.UUIDField(primary_key=True))])'
    files = {
        "manage.py": "",
        "proj/settings.py": 'AUTH_USER_MODEL = "people.Member"\nDEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"\n',
        "a/apps.py": 'class A:\n    label = "zoo"\n',
        "a/migrations/m1.py": migration(f"        {model},\n", ("people", "m1")),
        "people/migrations/m1.py": migration(f"        {users},\n"),
    }
    catalog = replay(detect(write(tmp_path, files)).migrations)
    table = catalog.relation("zoo_p")
    assert table is not None
    assert [(column.name, column.type) for column in table.columns] == [("id", "bigint"), ("who_id", "uuid")]


def test_plain_sql_stands_before_a_django_project_that_is_not_about_the_table(tmp_path: Path) -> None:
    workspace = write(tmp_path, pairs("db/m", 1) | {f"web/{name}": text for name, text in project().items()})
    assert detect(workspace).directory == "db/m"
    assert detect(workspace, concerns=lambda data: b"jobs_phase" in data).directory == "web"
    assert detect(workspace, "web").convention == "django"
    assert detect(workspace, convention="django").directory == "web"
    without = write(tmp_path / "b", project() | {"schema.sql": UP})
    assert (detect(without).directory, detect(without).convention) == ("", "django")


RUNS_FILES = """\
from importlib import resources

from django.db import migrations


class RunFile(migrations.RunSQL):
    def __init__(self, name):
        super().__init__(sql=resources.files("jobs.sql").joinpath(name).read_text())


class RunView(RunFile):
    pass
"""


@pytest.mark.parametrize(
    "operation",
    [
        'things.RunView("0002_view.sql")',
        'things.RunFile(name="0002_view.sql")',
        'migrations.RunSQL(open(HERE / "sql" / "0002_view.sql").read())',
        'migrations.RunSQL(read("sql/0002_view.sql"), reverse_sql=read("sql/0002_back.sql"))',
    ],
)
def test_files_of_sql_that_an_operation_names_are_run(tmp_path: Path, operation: str) -> None:
    view = "CREATE TABLE t (x int);\nCREATE VIEW v AS SELECT kind, note FROM jobs_phase;\n"
    write(
        tmp_path,
        {"app/things.py": RUNS_FILES, "jobs/sql/0002_view.sql": view, "jobs/sql/0002_back.sql": "DROP VIEW v;\n"},
    )
    report = report_of(tmp_path, f"        {operation},\n")
    found = [item for item in report.references if item.gating]
    assert [(item.span.path, item.span.start) for item in found] == [("jobs/sql/0002_view.sql", view.index("note"))]
    assert report.gaps == ()


@pytest.mark.parametrize("operation", ['things.RunFile("a.sql")', 'things.RunFile("b.sql")', "things.RunFile(name)"])
def test_a_file_that_is_not_there_or_there_twice_is_not_known(tmp_path: Path, operation: str) -> None:
    twice = {"jobs/sql/a.sql": "SELECT 1;\n", "other/sql/a.sql": "SELECT 2;\n"}
    write(tmp_path, {"app/things.py": RUNS_FILES, **twice})
    report = report_of(tmp_path, f"        {operation},\n")
    assert report.verdict is Verdict.UNKNOWN
    assert {gap.span.path for gap in report.gaps} == {"jobs/migrations/0002_b.py"}


def test_apps_beside_a_small_project_for_show_are_found(tmp_path: Path) -> None:
    files = {f"package/{path}": text for path, text in project(CREATE.replace("Phase", "Job")).items() if text}
    show = {"demo/manage.py": "", "demo/books/migrations/0001_a.py": migration(CREATE)}
    workspace = write(tmp_path, {**files, **show})
    history = detect(workspace, concerns=lambda data: b"jobs_phase" in data)
    assert (history.directory, len(history.migrations)) == ("package/jobs", 2)
