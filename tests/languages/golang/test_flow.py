"""How texts travel: constants, functions, wrappers, fields, files, packages and modules."""

# ruff: noqa: E501 -- a Go source reads best as one string

from __future__ import annotations

import pytest

from legacy_ref_scan.model import Consumer
from tests.languages.golang.harness import HOLE, assembled, fragments, scan, texts

Q = "SELECT error_message FROM campaign_phases"
MOD = "module example.com/app\n"
USER = 'package store\nfunc List(db *sql.DB) { db.Query("SELECT error_message FROM " + table) }\n'


@pytest.mark.parametrize(
    ("path", "declared"),
    [
        ("store/names.go", 'package store\nconst table = "campaign_phases"\n'),
        ("store/names.go", 'package store\nconst (\n\ta = 1\n\ttable, other string = "campaign_phases", "x"\n)\n'),
        ("store/names.go", 'package store\nvar table = "campaign_" + suffix\nconst suffix = "phases"\n'),
        ("store/names_windows.go", '//go:build windows\n\npackage store\nvar table = "campaign_phases"\n'),
        ("store/names_test.go", 'package store\nvar table = "campaign_phases"\n'),
        ("store/names.go", 'package store\nvar table string\nfunc init() { table = "campaign_phases" }\n'),
    ],
)
def test_names_of_the_package(path: str, declared: str) -> None:
    assert Q in texts(scan({"store/list.go": USER, path: declared}))


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ("i", {"SELECT p.id, p.error_message FROM campaign_phases p"}),
        # Which element it is then is not known: each may be replaced.
        ("i+1", {f"SELECT {a}, {b} FROM campaign_phases p" for a in ("id", "p.id", "p.error_message")
                 for b in ("error_message", "p.id", "p.error_message")}),
    ],
)  # fmt: skip
def test_a_loop_over_a_known_list_replaces_each_element(index: str, expected: set[str]) -> None:
    body = f"""package store
import "strings"
func List(db *sql.DB, as string) {{
	columns := []string{{"id", "error_message"}}
	for i, c := range columns {{
		columns[{index}] = "p." + c
	}}
	db.Query("SELECT " + strings.Join(columns, ", ") + " FROM campaign_phases p")
}}
"""
    assert texts(scan({"store/list.go": body})) & expected == expected


def test_a_prefix_that_may_be_missing() -> None:
    body = """package store
import "strings"
func columns(as ...string) []string {
	names := append([]string{"id"}, "error_message")
	if len(as) > 0 {
		for i, c := range names {
			names[i] = as[0] + "." + c
		}
	}
	return names
}
func List(db *sql.DB) {
	db.Query("SELECT " + strings.Join(columns(), ",") + " FROM campaign_phases")
	db.Query("SELECT " + strings.Join(columns("p"), ",") + " FROM campaign_phases p")
}
"""
    assert texts(scan({"store/list.go": body})) >= {
        "SELECT id,error_message FROM campaign_phases",
        "SELECT p.id,p.error_message FROM campaign_phases p",
    }


def test_every_build_tag_is_an_alternative() -> None:
    found = scan(
        {
            "store/list.go": USER,
            "store/a.go": '//go:build a\n\npackage store\nconst table = "campaign_phases"\n',
            "store/b.go": '//go:build !a\n\npackage store\nconst table = "jobs"\n',
        }
    )
    assert texts(found) >= {Q, "SELECT error_message FROM jobs"}


def test_a_local_name_hides_that_of_the_package() -> None:
    found = scan(
        {
            "store/a.go": 'package store\nconst table = "jobs"\n'
            'func List(db *sql.DB) { table := "campaign_phases"; db.Query("SELECT error_message FROM " + table) }\n'
        }
    )
    assert texts(found) == {Q}


@pytest.mark.parametrize(
    ("statement", "use", "modules"),
    [
        ('import "example.com/app/names"', "names.Table", {"go.mod": MOD}),
        ('import n "example.com/app/names"', "n.Table", {"go.mod": MOD}),
        ('import . "example.com/app/names"', "Table", {"go.mod": MOD}),
        ('import "example.com/names"', "names.Table", {"go.mod": MOD, "names/go.mod": "module example.com/names\n"}),
        ('import "other.org/names"', "names.Table", {"go.mod": MOD + "replace other.org/names v1.0.0 => ./names\n"}),
    ],
)
def test_names_of_another_package(statement: str, use: str, modules: dict[str, str]) -> None:
    found = scan(
        {
            **modules,
            "names/names.go": 'package names\nconst Table = "campaign_phases"\n',
            "store/list.go": f'package store\n{statement}\nfunc List(db *sql.DB) {{ db.Query("SELECT 1 FROM " + {use}) }}\n',
        }
    )
    assert "SELECT 1 FROM campaign_phases" in texts(found)


def test_vendored_package() -> None:
    found = scan(
        {
            "go.mod": MOD,
            "vendor/other.org/names/names.go": 'package names\nconst Table = "campaign_phases"\n',
            "a.go": 'package a\nimport "other.org/names"\nfunc F(db *sql.DB) { db.Query("SELECT 1 FROM " + names.Table) }\n',
        }
    )
    assert "SELECT 1 FROM campaign_phases" in texts(found)


def test_wrapper_parameter_is_the_query_at_the_call_site() -> None:
    source = (
        "package a\n"
        "func (r *repo) exec(ctx context.Context, q string) { r.run(ctx, q) }\n"
        "func (r *repo) run(ctx context.Context, q string) { r.db.ExecContext(ctx, q) }\n"
        'func (r *repo) Clear(ctx context.Context) { r.exec(ctx, "UPDATE campaign_phases SET error_message = NULL") }\n'
    )
    (fragment,) = fragments(scan(source))
    assert fragment.consumer is Consumer.SQL
    assert fragment.symbol == "(*repo).Clear"
    assert source[fragment.site.start : fragment.site.end] == '"UPDATE campaign_phases SET error_message = NULL"'


def test_helper_that_returns_columns() -> None:
    source = (
        'package a\nimport "strings"\n'
        'func columns() []string { return []string{"id", "error_message"} }\n'
        'func list(cs []string, t string) string { return "SELECT " + strings.Join(cs, ", ") + " FROM " + t }\n'
        'func F(db *sql.DB) { db.Query(list(columns(), "campaign_phases")) }\n'
    )
    assert texts(scan(source)) == {"SELECT id, error_message FROM campaign_phases"}


def test_parameters_are_followed_to_the_callers() -> None:
    source = (
        "package a\n"
        'func find(db *sql.DB, where string) { db.Query("SELECT error_message FROM campaign_phases WHERE " + where) }\n'
        'func A(db *sql.DB) { find(db, "id = 1") }\n'
        'func B(db *sql.DB) { find(db, "id = 2") }\n'
    )
    assert texts(scan(source)) == {Q + " WHERE id = 1", Q + " WHERE id = 2"}


def test_exported_method_keeps_the_hole_for_callers_behind_interfaces() -> None:
    source = (
        "package a\n"
        'func (s *S) Find(where string) { s.db.Query("SELECT error_message FROM campaign_phases WHERE " + where) }\n'
        'func A(s *S) { s.Find("id = 1") }\n'
    )
    assert texts(scan(source)) == {Q + " WHERE id = 1", Q + " WHERE " + HOLE}


def test_nobody_calls() -> None:
    source = 'package a\nfunc find(db *sql.DB, t string) { db.Query("SELECT error_message FROM " + t) }\n'
    (fragment,) = fragments(scan(source))
    assert [hole.reason for hole in fragment.holes] == ["parameter t of find"]


@pytest.mark.parametrize(
    "made",
    [
        'func New() *repo { return &repo{table: "campaign_phases"} }',
        'func New() *repo { r := &repo{}; r.table = "campaign_phases"; return r }',
        'func New(t string) *repo { return &repo{table: t} }\nvar it = New("campaign_phases")',
    ],
)
def test_struct_fields(made: str) -> None:
    source = (
        f"package a\ntype repo struct {{ table string }}\n{made}\n"
        'func (r *repo) List() { r.db.Query("SELECT error_message FROM " + r.table) }\n'
    )
    assert Q in texts(scan(source))


def test_package_map_of_queries() -> None:
    source = (
        f'package a\nvar queries = map[string]string{{"list": "{Q}", "count": "SELECT 1"}}\n'
        'func F(db *sql.DB) { db.Query(queries["list"]) }\n'
    )
    found = [fragment for fragment in fragments(scan(source)) if fragment.consumer is Consumer.SQL]
    assert [fragment.text.decode() for fragment in found] == [Q]


def test_closures_see_the_variables_around_them() -> None:
    source = (
        "package a\nfunc F(db *DB) {\n"
        '\tq := "SELECT error_message FROM "\n'
        '\tdb.Tx(func(tx *Tx) error { q += "campaign_phases"; _, err := tx.Exec(q); return err })\n}\n'
    )
    assert texts(scan(source)) == {Q}


def test_a_constant_with_many_users_gives_every_text() -> None:
    source = (
        'package a\nconst cols = "id, error_message"\n'
        'func A(db *sql.DB) { db.Query("SELECT " + cols + " FROM campaign_phases") }\n'
        'func B(db *sql.DB) { db.Query("SELECT " + cols + " FROM jobs") }\n'
    )
    assert texts(scan(source)) == {
        "SELECT id, error_message FROM campaign_phases",
        "SELECT id, error_message FROM jobs",
    }


@pytest.mark.parametrize("part", ["campaign_phases", "campaign_phases cp", "ROM campaign_phases one two"])
def test_a_constant_is_followed_whatever_part_of_a_query_it_is(part: str) -> None:
    source = f'package a\nconst part = "{part}"\nfunc A(db *sql.DB) {{ db.Query("SELECT 1 FROM x, " + part) }}\n'
    assert texts(scan(source)) == {f"SELECT 1 FROM x, {part}"}


def test_recursion_ends() -> None:
    source = (
        'package a\nfunc f(q string, n int) string { if n == 0 { return q }; return f(q + ",", n - 1) }\n'
        'func A(db *sql.DB) { db.Query(f("SELECT error_message FROM campaign_phases", 3)) }\n'
    )
    assert any(text.startswith(Q) for text in texts(scan(source)))


def test_order_of_files_changes_nothing() -> None:
    files: dict[str, str | bytes] = {
        "store/list.go": USER,
        "store/a.go": 'package store\nconst table = "campaign_phases"\n',
        "store/z.go": 'package store\nfunc Z(db *sql.DB) { db.Exec("DELETE FROM " + table) }\n',
    }
    backwards = dict(reversed(files.items()))
    assert sorted(map(repr, scan(files))) == sorted(map(repr, scan(backwards)))


@pytest.mark.parametrize(
    "declaration",
    [
        'const q = "{}"',
        'var a, q = 1, "{}"',
        'var a,\n\tq = 1, "{}"',
        'const (\n\ta = 1\n\tq = "{}"\n)',
        'const (a = 1; q = "{}"\n)',
        'const a = 1; const q = "{}"',
        '/* the query */ const q = "{}"',
        'var (\n\ta int\n\n\tb, q string = "", "{}"\n)',
    ],
)
def test_a_name_is_found_however_it_is_declared(declaration: str) -> None:
    files: dict[str, str | bytes] = {
        "q.go": "package a\n" + declaration.format("error_message"),
        "a.go": 'package a\nfunc F(db *sql.DB) { db.Query("SELECT " + q + " FROM campaign_phases") }\n',
    }
    assert texts(scan(files)) == {Q}


@pytest.mark.parametrize(
    "head",
    [
        "func (s *S) Run(q string)",
        "func (S) Run(q string)",
        "func (s *S[K, V]) Run(q string)",
        "func (\n\ts *S,\n) Run(\n\tq string,\n)",
        "type S struct{}; func (s (*S)) Run(q string)",
    ],
)
def test_a_method_is_found_however_it_is_declared(head: str) -> None:
    files: dict[str, str | bytes] = {
        "s.go": f'package a\n{head} {{\n\tdb.Query("SELECT " + q + " FROM campaign_phases")\n}}\n',
        "a.go": 'package a\nfunc F(s *S) { s.Run("error_message") }\n',
    }
    assert Q in texts(scan(files))


PAGES = """package page

type Field interface{ Column() string }

type OrderBy[T Field] struct {
	Field T
}

type Cursor[T Field] struct {
	OrderBy OrderBy[T]
}

func (c *Cursor[F]) SQL() string {
	name := c.OrderBy.Field.Column()
	return name + " > @after ORDER BY " + name
}
"""
FIELDS = """package store

import "example.org/app/page"

type PhaseField string

const PhaseError PhaseField = "ERROR"

func (f PhaseField) Column() string {
	if f == PhaseError {
		return "error_message"
	}
	return "id"
}

type JobField string

func (f JobField) Column() string { return string(f) }

func (s *Store) Phases(c *page.Cursor[PhaseField]) {
	s.db.Query("SELECT id FROM campaign_phases WHERE " + c.SQL())
}

func (s *Store) Jobs(c *page.Cursor[JobField]) {
	s.db.Query("SELECT id FROM jobs WHERE " + c.SQL())
}

func defaults() {
	_ = page.OrderBy[PhaseField]{Field: PhaseError}
	_ = page.OrderBy[JobField]{Field: "state"}
}
"""


def test_a_type_parameter_stands_for_what_its_instance_says() -> None:
    found = texts(scan({"go.mod": "module example.org/app\n", "page/page.go": PAGES, "store/store.go": FIELDS}))
    assert {text for text in found if "jobs" in text} == set()  # no field of a job is a name of the target
    asked = {text for text in found if "campaign_phases" in text}
    head = "SELECT id FROM campaign_phases WHERE "
    assert asked == {f"{head}{name} > @after ORDER BY {name}" for name in ("error_message", "id")}


def test_a_generic_function_knows_its_types_by_its_arguments() -> None:
    top = "\nfunc order[T Field](c *Cursor[T]) string { return c.Field.Column() }\n"
    source = (
        "package store\ntype Field interface{ Column() string }\ntype Cursor[T Field] struct{ Field T }\n"
        'type A string\nfunc (a A) Column() string { return "error_message" }\n'
        'type B string\nfunc (b B) Column() string { return "id" }\n'
        f'{top}func list(db *sql.DB, c *Cursor[A]) {{ db.Query("SELECT " + order(c) + " FROM campaign_phases") }}\n'
        'func jobs(db *sql.DB, c *Cursor[B]) { db.Query("SELECT " + order(c) + " FROM campaign_phases") }\n'
    )
    assert texts(scan(source)) == {f"SELECT {name} FROM campaign_phases" for name in ("error_message", "id")}


def test_an_interface_gives_the_text_of_the_types_that_have_all_its_methods() -> None:
    top = (
        "type Scoper interface {\n\tArguments() map[string]any\n\tSQL() string\n}\n"
        'type Tenant struct{}\nfunc (t *Tenant) SQL() string { return "tenant_id = @t" }\n'
        "func (t *Tenant) Arguments() map[string]any { return nil }\n"
        'type None struct{}\nfunc (None) SQL() string { return "TRUE" }\n'
        "func (None) Arguments() map[string]any { return nil }\n"
        'type Filter struct{}\nfunc (f *Filter) SQL() string { return "state = @s" }\n'
        'func list(db *sql.DB, s Scoper) { db.Query("SELECT id FROM campaign_phases WHERE " + s.SQL()) }\n'
    )
    head = "SELECT id FROM campaign_phases WHERE "
    assert texts(scan("package store\n" + top)) == {f"{head}tenant_id = @t", f"{head}TRUE"}


def test_one_variable_has_one_value_at_all_its_places() -> None:
    statements = """
	name := "error_message"
	if flag {
		name = "id"
	}
	s.db.Query("SELECT " + name + " FROM campaign_phases ORDER BY " + name)"""
    assert assembled(statements) == {
        f"SELECT {name} FROM campaign_phases ORDER BY {name}" for name in ("error_message", "id")
    }
