"""Which table a model's field belongs to, as the library would have it."""

from __future__ import annotations

import pytest

from legacy_ref_scan.mentions import names_of
from legacy_ref_scan.model import Fragment, Gap, Mapping, Target
from tests.languages.memory import scan

JOBS = names_of([Target("public", "work_job", "error_message")], [])


def mapped(files: dict[str, str]) -> set[tuple[str, str]]:
    """(owner, table) of every mapping."""
    return {(i.owner, i.table) for i in scan(dict(files), "python", JOBS) if isinstance(i, Mapping)}


NAMED = "class Job(Base):\n    __tablename__ = 'work_job'\n"
FIELD = "    error_message = models.TextField()\n"
COLUMN = "    error_message = Column(Text)\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"work/models.py": f"class Job(models.Model):\n{FIELD}"}, {("Job", "work_job")}),
        ({"src/work/models/jobs.py": f"class Job(models.Model):\n{FIELD}"}, {("Job", "work_job")}),
        ({"other/models.py": f"class Job(models.Model):\n{FIELD}"}, {("Job", "other_job")}),
        (
            {"a/models.py": f"class Job(models.Model):\n{FIELD}", "a/apps.py": "class A:\n    label = 'work'\n"},
            {("Job", "work_job")},
        ),
        (
            {"x/models.py": f"class Job(models.Model):\n{FIELD}    class Meta:\n        app_label = 'work'\n"},
            {("Job", "work_job")},
        ),
        (
            {"work/models.py": f"class Base(models.Model):\n{FIELD}    class Meta:\n        abstract = True\n"
             "class Job(Base):\n    pass\nclass Other(Base):\n    pass\n"},
            {("Job", "work_job"), ("Other", "work_other")},
        ),
        (
            {"work/models.py": f"class Job(models.Model):\n{FIELD}class Small(Job):\n    x = models.TextField()\n"},
            {("Job", "work_job")},
        ),
        (
            {"m.py": f"{NAMED}{COLUMN}class Single(Job):\n    x = Column(Text)\n"},
            {("Job", "work_job")},
        ),
        (
            {"m.py": f"class Parent(Base):\n    __tablename__ = 'parents'\n    id = Column(Text)\n"
             f"class Job(Parent):\n    __tablename__ = 'work_job'\n{COLUMN}"},
            {("Job", "work_job")},
        ),
        (
            {"m.py": f"{NAMED}    __table_args__ = {{'schema': 's'}}\n{COLUMN}"},
            {("Job", "s.work_job")},
        ),
        (
            {"m.py": f"class Job(B):\n    @declared_attr\n    def __tablename__(c):\n"
             f"        return 'work_job'\n{COLUMN}"},
            {("Job", "work_job")},
        ),
        ({"m.py": f"class WorkJob(db.Model):\n{COLUMN}"}, {("WorkJob", "work_job")}),
        (
            {"m.py": NAMED + "    @declared_attr\n"
             "    def error_message(cls):\n        return Column(Text)\n"},
            {("Job", "work_job")},
        ),
        (
            {"m.py": NAMED + "    e = deferred(Column('error_message', Text))\n"},
            {("Job", "work_job")},
        ),
        ({"m.py": "class Form(Schema):\n    error_message = fields.Str()\n    o = serializers.CharField()\n"}, set()),
    ],
)  # fmt: skip
def test_the_table_of_a_field(files: dict[str, str], expected: set[tuple[str, str]]) -> None:
    assert mapped(files) == expected


def test_a_table_named_at_run_time_is_a_gap() -> None:
    program = f"class Job(Base):\n    __tablename__ = prefix() + 'job'\n{COLUMN}"
    assert [item.reason for item in scan({"m.py": program}, "python", JOBS) if isinstance(item, Gap)] == [
        "unknown-mapping"
    ]


@pytest.mark.parametrize(
    "program",
    [
        f"class A(B):\n{COLUMN}class B(A):\n{COLUMN}",
        f"class A(A):\n{COLUMN}",
        f"class A(models.Model):\n{FIELD}    b = models.ForeignKey('A')\nA.objects.filter(b__b__b__error_message=1)\n",
        f"class A(Base):\n    __tablename__ = A.__tablename__\n{COLUMN}    x = A.error_message\n",
        "from a import *\nclass A(B):\n    error_message = Column(B)\nA(error_message=A).error_message.error_message\n",
    ],
)
def test_models_that_refer_to_themselves_end(program: str) -> None:
    scan({"a.py": program, "b.py": "from a import *\nA.error_message\n"}, "python", JOBS)


ROW = "def f(a, b):\n    send({'error_message': a, 'note': b})\n"
TAKEN = "def f(a, b):\n    row = {'error_message': a, 'note': b}\n    row.pop('note')\n    send(row)\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"{NAMED}{COLUMN}{ROW}", ("note",)),
        (f"{NAMED}{COLUMN}    note = Column(Text)\n{ROW}", ()),
        (f"{NAMED}{COLUMN}    text = Column('note', Text)\n{ROW}", ()),
        (f"{NAMED}{COLUMN}{TAKEN}", ()),
        (f"class Job(Base):\n    __table__ = Table('work_job', metadata, autoload=True)\n{ROW}", ()),
        (ROW, ()),
    ],
    ids=["other", "field", "column", "taken-out", "reflected", "no-model"],
)
def test_keys_that_no_model_has_tell_a_dict_from_a_row(body: str, expected: tuple[str, ...]) -> None:
    items = scan({"m.py": body}, "python", JOBS)
    found = [item for item in items if isinstance(item, Fragment) and item.text == b"error_message"]
    assert [item.beside for item in found] == [expected]
