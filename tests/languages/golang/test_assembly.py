"""How texts are assembled inside one function: operators, branches, loops, buffers, lists, formats."""

# ruff: noqa: E501 -- a Go source reads best as one string

from __future__ import annotations

import pytest

from legacy_ref_scan.model import Consumer
from tests.languages.golang.harness import HOLE, assembled, body, fragments, scan, texts

Q = "SELECT error_message FROM campaign_phases"


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (f's.db.Query("{Q}")', {Q}),
        (f"s.db.Query(`{Q}`)", {Q}),
        ('s.db.Query("SELECT error_message " + ("FROM " + `campaign_phases`))', {Q}),
        ('q := "SELECT error_message"; q += " FROM "; q += "campaign_phases"; s.db.Query(q)', {Q}),
        ('const t = "campaign_phases"; s.db.Query("SELECT error_message FROM " + t)', {Q}),
        ('var q string = "SELECT error_message"; q = q + " FROM campaign_phases"; s.db.Query(q)', {Q}),
        (
            's.db.Query("SELECT\\terror_message\\u0020FROM campaign_phases")',
            {"SELECT\terror_message FROM campaign_phases"},
        ),
        ('s.db.Query(string([]byte("SELECT error_message ")) + "FROM campaign_phases")', {Q}),
        ('type sql string; s.db.Query(string(sql("' + Q + '")))', {Q}),
        ('{ q := "x"; _ = q }; q := "' + Q + '"; { q := "shadow"; _ = q }; s.db.Query(q)', {Q}),
    ],
)
def test_operators(statements: str, expected: set[str]) -> None:
    assert assembled(statements) == expected


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (
            'q := "SELECT error_message FROM campaign_phases"; if flag { q = "DELETE FROM campaign_phases" }; s.db.Query(q)',
            {Q, "DELETE FROM campaign_phases"},
        ),
        (f'q := "{Q}"; if flag {{ q += " WHERE id=1" }}; s.db.Query(q)', {Q, Q + " WHERE id=1"}),
        (f'q := "{Q}"; if flag {{ q += " A" }} else if s.x {{ q += " B" }} else {{ q += " C" }}; s.db.Query(q)',
         {Q + " A", Q + " B", Q + " C"}),
        (f'q := "{Q}"; if flag {{ q = "none"; return nil }}; s.db.Query(q)', {Q}),
        (f'q := "{Q}"; switch s.k {{ case 1: q += " A"; case 2: q += " B" }}; s.db.Query(q)', {Q, Q + " A", Q + " B"}),
        (f'q := "{Q}"; switch s.k {{ case 1: q += " A"; default: q += " B" }}; s.db.Query(q)', {Q + " A", Q + " B"}),
        (f'q := "{Q}"; for s.next() {{ q += "," }}; s.db.Query(q)', {Q, Q + ",", Q + ",,", Q + ",," + HOLE}),
        (f'q := "{Q}"; for i := 0; i < 3; i++ {{ if flag {{ break }}; q += "," }}; s.db.Query(q)',
         {Q, Q + ",", Q + ",,", Q + ",," + HOLE}),
        (f'q := "{Q} ORDER BY"; for _, c := range []string{{" a", " b"}} {{ q += c }}; s.db.Query(q)',
         {Q + " ORDER BY a b"}),
        (f'var q string; defer func() {{ s.db.Query(q) }}(); q = "{Q}"', {Q}),
    ],
)  # fmt: skip
def test_ways_through_a_function(statements: str, expected: set[str]) -> None:
    assert expected <= assembled(statements)
    assert not any("none" in text for text in assembled(statements))


@pytest.mark.parametrize(
    ("expression", "imports", "expected"),
    [
        ('fmt.Sprintf("SELECT %s FROM %v", "error_message", `campaign_phases`)', '"fmt"', Q),
        ('fmt.Sprintf("SELECT %[2]s FROM %[1]s", "campaign_phases", "error_message")', '"fmt"', Q),
        ('fmt.Sprintf("SELECT %-3s FROM %q", "error_message", "campaign_phases")', '"fmt"',
         'SELECT error_message FROM "campaign_phases"'),
        (f'fmt.Sprintf("{Q} WHERE a LIKE \'%%x\' LIMIT %d OFFSET %5d", 7, n)', '"fmt"',
         f"{Q} WHERE a LIKE '%x' LIMIT 7 OFFSET 1"),
        (f'fmt.Sprintf("{Q}_%d WHERE n%d = $%d", n, n, n)', '"fmt"', f"{Q}_{HOLE} WHERE n{HOLE} = $1"),
        (f'fmt.Sprintf("{Q} WHERE %s", args...)', '"fmt"', f"{Q} WHERE {HOLE}"),
        (f'fmt.Sprint("{Q}", " x")', '"fmt"', Q + " x"),
        ('strings.Join([]string{"SELECT error_message", "FROM campaign_phases"}, " ")', '"strings"', Q),
        ('strings.Join(append([]string{"SELECT error_message"}, "FROM campaign_phases"), " ")', '"strings"', Q),
        (f'strings.TrimSpace("  {Q}\\n ")', '"strings"', Q),
        (f'strings.TrimSuffix("{Q},", ",")', '"strings"', Q),
        ('strings.ReplaceAll("SELECT error_message FROM {t}", "{t}", "campaign_phases")', '"strings"', Q),
        (f'"{Q} WHERE a IN (" + strings.Repeat("?,", 2) + "?)"', '"strings"', Q + " WHERE a IN (?,?,?)"),
        ('strings.ToLower("SELECT error_message FROM CAMPAIGN_PHASES")', '"strings"', Q.lower()),
        (f'regexp.QuoteMeta("{Q}")', '"regexp"', Q),
        ('"SELECT error_message FROM " + pq.QuoteIdentifier("campaign_phases")', '"github.com/lib/pq"',
         'SELECT error_message FROM "campaign_phases"'),
        ('"SELECT error_message FROM " + pgx.Identifier{"public", "campaign_phases"}.Sanitize()',
         '"github.com/jackc/pgx/v5"', 'SELECT error_message FROM "public"."campaign_phases"'),
        (f's.db.Rebind("{Q}")', "", Q),
        ('map[string]string{"a": "x", "list": "' + Q + '"}["list"]', "", Q),
        ('[]string{"x", "' + Q + '"}[1]', "", Q),
        ('queries{list: "' + Q + '"}.list', "", Q),
        ('func() string { return "' + Q + '" }()', "", Q),
        ('fmt.Sprintf("%s ORDER BY %s", "' + Q + '", unknown())', '"fmt"', f"{Q} ORDER BY {HOLE}"),
    ],
)  # fmt: skip
def test_library_functions(expression: str, imports: str, expected: str) -> None:
    assert expected in assembled(f"s.db.QueryContext(ctx, {expression})", imports)


@pytest.mark.parametrize(
    "statements",
    [
        'var b strings.Builder; b.WriteString("SELECT error_message "); b.WriteString("FROM campaign_phases"); s.db.Query(b.String())',
        'b := &bytes.Buffer{}; fmt.Fprintf(b, "SELECT %s", "error_message"); b.WriteByte(\' \'); b.Write([]byte("FROM campaign_phases")); s.db.Query(b.String())',
        'var b strings.Builder; fmt.Fprint(&b, "SELECT error_message FROM "); table(&b); s.db.Query(b.String())',
        'b := new(strings.Builder); add := func(x string) { b.WriteString(x) }; add("SELECT error_message "); add("FROM campaign_phases"); s.db.Query(b.String())',
        'b := bytes.NewBufferString("SELECT error_message"); b.WriteString(" FROM campaign_phases"); s.db.Query(b.String())',
    ],
)
def test_buffers(statements: str) -> None:
    top = 'func table(b *strings.Builder) { b.WriteString("campaign_phases") }\n'
    assert Q in assembled(statements, '"fmt" "strings" "bytes"', top)


def test_only_the_whole_text_is_a_fragment() -> None:
    found = fragments(scan(body('q := "SELECT error_message"\nq += " FROM " + "campaign_phases"\ns.db.QueryRow(q)')))
    assert [fragment.text.decode() for fragment in found] == [Q]
    assert found[0].consumer is Consumer.SQL
    assert found[0].symbol == "(*Store).Run"
    assert len(found[0].pieces) == 3


def test_a_hole_says_what_it_is() -> None:
    (fragment,) = fragments(scan(body('s.db.Query("SELECT error_message FROM " + s.table())')))
    assert fragment.text == b"SELECT error_message FROM \x1a"
    assert [hole.reason for hole in fragment.holes] == ["result of s.table"]


def test_unused_literal_stands_alone() -> None:
    (fragment,) = fragments(scan('package a\nconst unused = "UPDATE campaign_phases SET error_message = NULL"\n'))
    assert fragment.symbol == "unused"
    assert "never used" in fragment.note


def test_many_optional_parts_stay_bounded_and_keep_the_names() -> None:
    optional = "".join(f'if s.f{n} {{ q += " AND c{n} = 1" }}\n' for n in range(12))
    found = scan(body(f'q := "{Q} WHERE true"\n{optional}s.db.Query(q)'))
    assert len(fragments(found)) <= 128
    assert all("error_message" in text for text in texts(found))
    every = "".join(texts(found))
    assert all(f"c{n} = 1" in every for n in range(12))


def test_too_many_texts_are_said_to_be_partial() -> None:
    cases = "".join(f'case {n}: q = "SELECT error_message, c{n}"\n' for n in range(90))
    found = scan(body(f'q := ""\nswitch s.k {{\n{cases}}}\ns.db.Query(q + " FROM campaign_phases")'))
    assert any(fragment.partial for fragment in fragments(found))


def test_too_many_texts_of_another_table_are_not() -> None:
    parts = "".join(
        f'p{n} := " AND error_message <> 1"\nif s.k{n} {{ p{n} = " OR error_message = " + s.text({n}) }}\n'
        for n in range(9)
    )
    whole = " + ".join(f"p{n}" for n in range(9))
    others = scan(body(f'{parts}s.db.Query("SELECT id FROM jobs WHERE true" + {whole})'))
    assert fragments(others)
    assert not any(fragment.partial for fragment in fragments(others))
    phases = scan(body(f'{parts}s.db.Query("SELECT id FROM campaign_phases WHERE true" + {whole})'))
    assert any(fragment.partial for fragment in fragments(phases))


def test_what_is_logged_is_never_too_much() -> None:
    cases = "".join(f'case {n}: q = "SELECT error_message, c{n}"\n' for n in range(90))
    logged = f'q := ""\nswitch s.k {{\n{cases}}}\nlog.Printf("about to run %s FROM campaign_phases", q)'
    assert not any(fragment.partial for fragment in fragments(scan(body(logged, '"log"'))))


def test_a_format_that_is_not_filled_in_one_branch() -> None:
    found = texts(
        scan(
            body(
                'q := "SELECT id FROM campaign_phases WHERE %s = ?"\n'
                'if s.a { q = fmt.Sprintf(q, "error_message") } else if s.b { q = fmt.Sprintf(q, "status") }\n'
                "s.db.Query(q)",
                '"fmt"',
            )
        )
    )
    assert found == {
        "SELECT id FROM campaign_phases WHERE error_message = ?",
        "SELECT id FROM campaign_phases WHERE status = ?",
    }


def test_many_texts_without_a_name_leave_no_hole() -> None:
    cases = "".join(f'case {n}: q += " ORDER BY c{n}"\n' for n in range(40))
    found = texts(
        scan(body(f'q := "SELECT error_message FROM campaign_phases"\nswitch s.k {{\n{cases}}}\ns.db.Query(q)'))
    )
    assert found
    order = "".join(f'case {n}: order = "c{n} ASC"\n' for n in range(40))
    switched = f'order := "id"\nswitch s.k {{\n{order}}}\ns.db.Query("{Q} ORDER BY " + order)'
    found = texts(scan(body(switched)))
    assert found
    assert not any(HOLE in text for text in found)
