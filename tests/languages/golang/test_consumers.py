"""Who receives a text, and what a bare name is used for."""

# ruff: noqa: E501 -- a Go source reads best as one string

from __future__ import annotations

import pytest

from legacy_ref_scan.model import Claim, Consumer, Explanation
from tests.languages.golang.harness import body, claims, fragments, mappings, scan, texts

Q = "SELECT error_message FROM campaign_phases"


@pytest.mark.parametrize(
    "call",
    [
        's.db.Query("{q}")', 's.db.QueryContext(ctx, "{q}", 1)', 's.db.QueryRow(ctx, "{q}")', 's.tx.Exec("{q}")',
        's.db.Get(&x, "{q}")', 's.db.SelectContext(ctx, &x, "{q}", id)', 's.db.NamedExec("{q}", arg)',
        's.db.PrepareContext(ctx, "{q}")', 'batch.Queue("{q}", 1)', 'sqlx.SelectContext(ctx, s.db, &x, "{q}")',
        'pgxscan.Select(ctx, s.db, &x, "{q}")', 'mock.ExpectQuery(regexp.QuoteMeta("{q}"))', 's.db.Raw("{q}").Scan(&x)',
    ],
)  # fmt: skip
def test_sql_sinks(call: str) -> None:
    imports = '"github.com/jmoiron/sqlx" "github.com/georgysavva/scany/v2/pgxscan" "regexp"'
    (fragment,) = fragments(scan(body(call.replace("{q}", Q), imports)))
    assert fragment.text.decode() == Q
    assert fragment.consumer is Consumer.SQL


@pytest.mark.parametrize(
    "call",
    [
        'log.Printf("error_message of %s missing", "campaign_phases")', 'slog.Info("x", "error_message", 1)',
        'return fmt.Errorf("error_message: %w", err)', 'errors.New("error_message")', 't.Errorf("%s", "error_message")',
        's.logger.Warn("error_message")', 'panic("error_message")', 'zap.String("error_message", "x")',
    ],
)  # fmt: skip
def test_text_for_people(call: str) -> None:
    found = fragments(scan(body(call, '"log" "log/slog" "fmt" "errors" "go.uber.org/zap"')))
    assert found
    assert {fragment.consumer for fragment in found} == {Consumer.TEXT}


ERRORS = """package oops

import "fmt"

type traced struct{ text string }

func (t *traced) Error() string { return t.text }

func Wrap(err error, format string, args ...any) error {
	text := fmt.Sprintf("%s (at %s)", fmt.Sprintf(format, args...), caller())
	if inner, ok := err.(*traced); ok {
		text = fmt.Sprintf("%s: %s", text, inner.text)
	}
	return &traced{text: text}
}
"""


def test_errors_that_wrap_errors_give_one_text_each() -> None:
    """Not one for each way up: of three functions that fail in two ways each there are eight."""
    steps = [
        f"""
func step{number}(flag bool) error {{
	err := step{number + 1}(flag)
	if flag {{
		return oops.Wrap(err, "cannot set error_message {number}")
	}}
	return oops.Wrap(err, "no error_message {number}")
}}"""
        for number in range(3)
    ]
    main = 'package store\n\nimport "example.org/app/oops"\n' + "".join(steps)
    found = scan({"go.mod": "module example.org/app\n", "oops/oops.go": ERRORS, "store/store.go": main})
    assert {text.count("error_message") for text in texts(found)} == {1}


@pytest.mark.parametrize(
    ("package", "consumer"),
    [
        ("github.com/DATA-DOG/go-sqlmock", Consumer.TEXT),
        ("github.com/pashagolub/pgxmock/v4", Consumer.TEXT),
        ("example.com/queries", Consumer.UNKNOWN),
    ],
)
@pytest.mark.parametrize("call", ["mock.ExpectQuery(query).WithArgs", "rows.AddRow"])
def test_values_of_a_mocked_database(call: str, package: str, consumer: Consumer) -> None:
    (fragment,) = fragments(scan(body(f'{call}(id, "error_message")', f'"{package}"')))
    assert fragment.consumer is consumer


@pytest.mark.parametrize(
    ("call", "consumer"),
    [
        ('s.db.Exec("UPDATE jobs SET a = $1", "error_message")', Consumer.TEXT),
        ('s.db.ExecContext(ctx, "UPDATE jobs SET a = $1", "error_message")', Consumer.TEXT),
        ('s.db.ExecContext(ctx, "UPDATE jobs SET %s = 1", "error_message")', Consumer.UNKNOWN),
    ],
)
def test_what_follows_a_statement_is_bound_to_its_parameters(call: str, consumer: Consumer) -> None:
    found = [fragment for fragment in fragments(scan(body(call))) if fragment.text == b"error_message"]
    assert {fragment.consumer for fragment in found} == {consumer}


@pytest.mark.parametrize(
    ("statement", "note"),
    [
        ('m := map[string]any{"error_message": 1}; _ = m', "map key"),
        ('_ = row["error_message"]', "map index"),
        ('if s.name == "error_message" { return nil }', "comparison"),
        ('switch s.name { case "error_message": return nil }', "switch case"),
        ('csv.Write("error_message")', "argument of csv.Write"),
        ('_ = column{Name: "error_message"}', "struct field Name"),
        ('_ = []string{"error_message"}', "composite element"),
    ],
)
def test_a_bare_name_says_what_it_is_used_for(statement: str, note: str) -> None:
    (fragment,) = fragments(scan(body(statement)))
    assert fragment.text == b"error_message"
    assert fragment.consumer is Consumer.UNKNOWN
    assert fragment.note == note


def test_the_text_in_a_log_does_not_hide_the_query() -> None:
    found = fragments(scan(body(f'q := "{Q}"\nlog.Println(q)\ns.db.Query(q)', '"log"')))
    assert {fragment.consumer for fragment in found} == {Consumer.SQL, Consumer.TEXT}


def test_pgx_copy_from() -> None:
    call = 's.db.CopyFrom(ctx, pgx.Identifier{"campaign_phases"}, []string{"id", "error_message"}, rows)'
    found = fragments(scan(body(call, '"github.com/jackc/pgx/v5"')))
    assert [fragment.text for fragment in found] == [b"COPY campaign_phases (id, error_message) FROM STDIN"]
    assert found[0].consumer is Consumer.SQL


def test_comments_identifiers_and_imports_are_claims() -> None:
    source = (
        'package error_message\nimport "example.com/error_message"\n// error_message\n/* campaign_phases */\n'
        "type CampaignPhase struct{ ErrorMessage string }\nfunc f(p CampaignPhase) { error_message := p.ErrorMessage }\n"
    )
    found = scan(source)
    assert not fragments(found)
    explained = [claim.why for claim in claims(found)]
    assert explained.count(Explanation.COMMENT) == 2
    assert explained.count(Explanation.IDENTIFIER) >= 6


@pytest.mark.parametrize(
    ("tag", "library"),
    [
        ('db:"error_message"', "db"), ('db:"error_message,omitempty"', "db"), ('gorm:"type:text;column:error_message"', "gorm"),
        ('bun:"error_message,nullzero"', "bun"), ("xorm:\"'error_message' text\"", "xorm"), ('boil:"error_message"', "db"),
    ],
)  # fmt: skip
def test_tags_that_name_a_column(tag: str, library: str) -> None:
    source = f'package a\ntype Phase struct {{\n\tMessage string `json:"error_message" {tag}`\n}}\n'
    found = scan(source)
    (mapping,) = mappings(found)
    assert (mapping.column, mapping.owner, mapping.library) == ("error_message", "Phase", library)
    assert source[mapping.span.start : mapping.span.end] == "error_message"
    assert [c for c in found if isinstance(c, Claim) and c.why is Explanation.TEXT and "json" in c.detail]


def test_gorm_model_without_tags() -> None:
    source = (
        'package a\nimport "gorm.io/gorm"\ntype CampaignPhase struct {\n\tgorm.Model\n\tErrorMessage string\n}\n'
        "type Other struct{ gorm.Model; ErrorMessage string }\n"
        'func (Other) TableName() string { return "others" }\n'
    )
    found = {(m.owner, m.column, m.library, m.table) for m in mappings(scan(source))}
    assert found == {
        ("CampaignPhase", "error_message", "gorm", "campaign_phases"),
        ("Other", "error_message", "gorm", "others"),
    }


MODEL = "package m\ntype CampaignPhase struct {{ ID int; ErrorMessage string{} }}\n"
USER = 'package q\nimport "gorm.io/gorm"\nfunc F(db *gorm.DB) { db.Create(&m.CampaignPhase{}) }\n'


@pytest.mark.parametrize(
    ("files", "libraries"),
    [
        ({"m/m.go": MODEL.format(""), "q/q.go": USER}, ["gorm"]),
        ({"m/m.go": MODEL.format('`db:"error_message"`'), "q/q.go": USER}, ["db"]),
        ({"m/m.go": MODEL.format("")}, []),
    ],
)
def test_gorm_model_in_a_package_without_gorm(files: dict[str, str | bytes], libraries: list[str]) -> None:
    assert [m.library for m in mappings(scan(files))] == libraries


def test_test_files_are_marked() -> None:
    found = fragments(scan({"a_test.go": f'package a\nfunc TestX(t *testing.T) {{ db.Query("{Q}") }}\n'}))
    assert [fragment.test for fragment in found] == [True]


def test_sqlmock_expectation() -> None:
    assert texts(scan(body(f'mock.ExpectQuery("^{Q}$").WillReturnRows(rows)'))) == {f"^{Q}$"}


def test_the_keys_of_named_arguments_go_into_no_query() -> None:
    source = body('\tconn.Query(ctx, "SELECT 1", pgx.NamedArgs{"error_message": "x"})', '"github.com/jackc/pgx/v5"')
    assert [fragment.note for fragment in fragments(scan(source))] == ["named argument"]


def test_several_names_in_one_specification() -> None:
    source = body(
        '\tdb.Query("SELECT " + a + ", " + b + " FROM campaign_phases")', top='const a, b = "id", "error_message"'
    )
    assert texts(scan(source)) == {"SELECT id, error_message FROM campaign_phases"}


@pytest.mark.parametrize("path", ["refs/campaign_phases/*:refs/campaign_phases/*", "/v1/campaign_phases/{id}"])
def test_a_path_is_no_fragment(path: str) -> None:
    found = scan(body(f'\tgit.Sync([]string{{"{path}"}})'))
    assert not fragments(found)
    assert {claim.why for claim in claims(found)} == {Explanation.TEXT}


@pytest.mark.parametrize(
    "text",
    [
        "SELECT/**/*/**/FROM/**/campaign_phases",
        "error_message/100",
        "campaign_phases",
        "campaign_phases p, ",
        "campaign_phases a",
        "campaign_phases.",
        "campaign_phases FOR SHARE OF",
        "error_message = ?",
        "error_message IS NOT NULL OR failed AND found",
        "p.error_message/p.total/2",
        "error_message timestamp with time zone",
        "error_message, -- the last one",
        "ROM campaign_phases one",
    ],
)
def test_a_part_of_a_query_is_followed(text: str) -> None:
    source = body(f'\tpart := "{text}"\n\tdb.Query("SELECT " + part + " x")')
    assert texts(scan(source)) == {f"SELECT {text} x"}


@pytest.mark.parametrize(
    "text",
    [
        "failed to read error_message: %w",
        "the error_message is not valid",
        "error_message never fetched but expected",
        '{\\"error_message\\": 1}',
        "https://example.com/error_message",
        "example.com/a/error_message",
        "/list?error_message=x",
    ],
)
def test_what_is_no_part_of_a_query_is_not_followed(text: str) -> None:
    source = body(f'\tpart := "{text}"\n\tunknown("x" + part)')
    assert [fragment.note for fragment in fragments(scan(source))] == ["short var declaration"]


@pytest.mark.parametrize(
    ("imports", "call"),
    [
        ("encoding/json", 'json.Marshal("error_message")'),
        ("regexp", 'regexp.MustCompile("error_message")'),
        ("github.com/stretchr/testify/require", 'require.NotContains(t, q, "error_message")'),
        ("google.golang.org/protobuf/testing/protocmp", 'protocmp.IgnoreFields(&x, "error_message")'),
        ("testing", 'var t *testing.T; t.Run("error_message", nil)'),
        ("os", 'println(len("error_message"))'),
    ],
)
def test_packages_that_make_no_sql(imports: str, call: str) -> None:
    (fragment,) = fragments(scan(body(f"\t{call}", f'"{imports}"')))
    assert fragment.consumer is Consumer.TEXT


@pytest.mark.parametrize(
    ("path", "function"),
    [
        ("github.com/acme/dbx", "Do"),
        ("strings", "Title"),
        ("text/template", "Do"),
        ("example.com/a/json", "Marshal"),
        ("google.golang.org/protobuf/proto", "String"),
        ("flag", "String"),
        ("github.com/spf13/viper", "SetDefault"),
        ("os/exec", "Command"),
        ("regexp", "ReplaceAllString"),
    ],
)
def test_packages_that_may_make_sql(path: str, function: str) -> None:
    (fragment,) = fragments(scan(f'package a\nimport x "{path}"\nfunc F() {{ x.{function}("error_message") }}\n'))
    assert fragment.consumer is Consumer.UNKNOWN


def test_a_package_of_the_project_is_not_told_by_its_name() -> None:
    found = scan(
        {
            "go.mod": "module acme\n",
            "store/store.go": "package store\nvar Do func(string)\n",
            "a.go": 'package a\nimport "acme/store"\nfunc F() { store.Do("error_message") }\n',
        }
    )
    assert [fragment.consumer for fragment in fragments(found)] == [Consumer.UNKNOWN]


def test_code_that_is_generated_for_no_database() -> None:
    header = "// Code generated by github.com/99designs/gqlgen, DO NOT EDIT.\n\npackage a\n\n"
    loop = (
        'func fields(m map[string]any) {\n\tfor _, k := range []string{"error_message", Key} {\n\t\tm[k] = 1\n\t}\n}\n'
    )
    found = scan({"key.go": 'package a\n\nconst Key = "error_message"\n', "generated.go": header + loop})
    assert {fragment.site.path for fragment in fragments(found)} == {"key.go"}
    assert {claim.why for claim in claims(found) if claim.span.path == "generated.go"} == {Explanation.TEXT}
