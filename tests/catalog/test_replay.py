"""What the replay says of places, bodies, conditions, and of statements that it can't apply."""

from __future__ import annotations

import pytest

from legacy_ref_scan.catalog import apply_file, replay
from legacy_ref_scan.catalog.guards import guard
from legacy_ref_scan.catalog.state import State
from legacy_ref_scan.catalog.steps import losses
from legacy_ref_scan.migrations import Migration
from legacy_ref_scan.model import Access, SourceFile
from legacy_ref_scan.schema import Catalog, Function, Relation, Use
from legacy_ref_scan.versions import Version


def replayed(text: str, before: Catalog | None = None, path: str = "1.up.sql") -> Catalog:
    data = text.encode()
    return apply_file(before or Catalog(), SourceFile(path, data, "sql"), ((0, len(data)),))


def relation(catalog: Catalog, name: str) -> Relation:
    found = catalog.relation(name)
    assert found is not None
    return found


def only_function(catalog: Catalog) -> Function:
    (found,) = catalog.functions.values()
    return found


def used(text: str, uses: tuple[Use, ...]) -> list[tuple[str, str]]:
    data = text.encode()
    return [(data[use.span.start : use.span.end].decode(), use.access.value) for use in uses]


def reasons(catalog: Catalog) -> list[str]:
    return [gap.reason for gap in catalog.gaps]


class TestPlaces:
    """Every use is a token of the migration, also behind multi-byte text and inside string literals."""

    def test_of_a_column(self) -> None:
        text = "-- é\nCREATE TABLE t (ü int, error_message text)"
        column = relation(replayed(text), "t").column("error_message")
        assert column is not None
        assert text.encode()[column.span.start : column.span.end] == b"error_message"

    @pytest.mark.parametrize(
        ("text", "tokens"),
        [
            ("CREATE INDEX i ON t (a, lower(b)) INCLUDE (c) WHERE c > 1", "abcc"),
            ("ALTER TABLE t ADD UNIQUE (b, a)", "ab"),
            ("ALTER TABLE t ADD CHECK (a > c)", "ac"),
            ("CREATE POLICY p ON t USING (t.a > 1)", "a"),
            ("CREATE TRIGGER x BEFORE UPDATE OF b ON t FOR EACH ROW WHEN (NEW.c > 1) EXECUTE FUNCTION f()", "bc"),
            ("CREATE STATISTICS s ON a, b FROM t", "ab"),
            ("CREATE PUBLICATION p FOR TABLE t (a)", "a"),
            ("GRANT SELECT (b) ON t TO PUBLIC", "b"),
        ],
    )
    def test_of_uses(self, text: str, tokens: str) -> None:
        before = replayed("CREATE TABLE t (a int, b text, c int)")
        after = replayed(text, before, "2.up.sql")
        new = [item for key, item in after.objects.items() if key not in before.objects and item.uses]
        assert [sorted(used(text, item.uses)) for item in new] == [[(token, "read") for token in tokens]]

    def test_of_a_view(self) -> None:
        before = replayed("CREATE TABLE t (a int, b text)")
        text = "CREATE VIEW v AS SELECT a AS x, b FROM t"
        after = replayed(text, before, "2.up.sql")
        view = relation(after, "v")
        assert used(text, view.uses) == [("a", "read"), ("b", "read")]
        table = relation(after, "t")
        assert {c.name: set(c.sources) for c in view.columns} == {"x": {(table.oid, 1)}, "b": {(table.oid, 2)}}
        assert view.query is not None
        assert view.query.text == b"SELECT a AS x, b FROM t"

    def test_of_a_star_in_a_view_is_frozen(self) -> None:
        catalog = replayed("CREATE TABLE t (a int); CREATE VIEW v AS SELECT * FROM t; ALTER TABLE t ADD b int")
        view = relation(catalog, "v")
        assert [column.name for column in view.columns] == ["a"]
        assert [(use.column[1], use.access) for use in view.uses] == [(1, Access.STAR)]

    def test_of_a_whole_row(self) -> None:
        catalog = replayed("CREATE TABLE t (a int, b int); CREATE VIEW v AS SELECT row_to_json(t) AS j FROM t")
        assert [use.column[1] for use in relation(catalog, "v").uses] == [0]

    def test_inside_a_quoted_do_block(self) -> None:
        text = "CREATE TABLE t (a int); DO 'BEGIN EXECUTE ''CREATE INDEX i ON t (a)''; END'"
        (index,) = replayed(text).objects.values()
        assert used(text, index.uses) == [("a", "read")]


class TestBodies:
    @pytest.mark.parametrize("quote", ["$$", "$body$", "'"])
    def test_maps_back(self, quote: str) -> None:
        text = f"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS {quote} SELECT é FROM t {quote}"
        body = only_function(replayed(text)).body
        assert body is not None
        origin = body.origin(body.text.index(b"FROM"), body.text.index(b"FROM") + 4)
        assert text.encode()[origin.start : origin.end] == b"FROM"

    @pytest.mark.parametrize("literal", ["'SELECT ''a'' || b'", r"E'SELECT \'a\' || b'"])
    def test_maps_back_behind_escapes(self, literal: str) -> None:
        text = f"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS {literal}"
        body = only_function(replayed(text)).body
        assert body is not None
        assert body.text == b"SELECT 'a' || b"
        origin = body.origin(len(body.text) - 1, len(body.text))
        assert text[origin.start : origin.end] == "b"

    def test_of_c_is_no_sql(self) -> None:
        assert only_function(replayed("CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'lib', 'f'")).body is None

    def test_atomic(self) -> None:
        text = "CREATE TABLE t (a int, b int); CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT b FROM t; END"
        function = only_function(replayed(text))
        assert function.atomic
        assert used(text, function.uses) == [("b", "read")]


class TestConditions:
    """What a DO block does under a condition that is not about the same thing may or may not be there."""

    def test_added(self) -> None:
        text = "CREATE TABLE t (a int); DO $$ BEGIN IF random() > 0.5 THEN ALTER TABLE t ADD b int; END IF; END $$"
        assert [(c.name, c.maybe) for c in relation(replayed(text), "t").columns] == [("a", False), ("b", True)]

    def test_added_for_certain_later(self) -> None:
        text = """CREATE TABLE t (a int); DO $$ BEGIN IF x() THEN ALTER TABLE t ADD b int; END IF; END $$;
                  ALTER TABLE t ADD COLUMN IF NOT EXISTS b int"""
        assert not any(column.maybe for column in relation(replayed(text), "t").columns)

    @pytest.mark.parametrize(
        "block",
        [
            "IF x() THEN ALTER TABLE t DROP a; END IF;",
            "FOR i IN 1..2 LOOP ALTER TABLE t DROP a; END LOOP;",
            "BEGIN ALTER TABLE t DROP a; EXCEPTION WHEN OTHERS THEN NULL; END;",
            "IF EXISTS (SELECT 1 FROM pg_class WHERE relname = 'other') THEN ALTER TABLE t DROP a; END IF;",
            "CASE x WHEN 1 THEN ALTER TABLE t DROP a; ELSE NULL; END CASE;",
            "IF x() THEN RETURN; END IF; ALTER TABLE t DROP a;",
        ],
    )
    def test_dropped(self, block: str) -> None:
        catalog = replayed(f"CREATE TABLE t (a int); DO $$ BEGIN {block} END $$")
        assert [(c.name, c.maybe) for c in relation(catalog, "t").columns] == [("a", True)]

    def test_table_created_and_dropped(self) -> None:
        catalog = replayed("""CREATE TABLE old (a int);
            DO $$ BEGIN IF x() THEN DROP TABLE old; CREATE TABLE new (a int); END IF; END $$""")
        assert relation(catalog, "old").maybe
        assert relation(catalog, "new").maybe

    def test_renamed(self) -> None:
        catalog = replayed(
            "CREATE TABLE t (a int); DO $$ BEGIN IF x() THEN ALTER TABLE t RENAME a TO b; END IF; END $$"
        )
        assert {(c.name, c.maybe) for c in relation(catalog, "t").columns} == {("a", True), ("b", True)}

    @pytest.mark.parametrize(
        ("condition", "columns"),
        [
            ("NOT EXISTS (SELECT FROM information_schema.columns WHERE table_name='t' AND column_name='b')", [*"ab"]),
            ("NOT (EXISTS (SELECT FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'b'))", ["a", "b"]),
            ("EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'b')", ["a"]),
            ("EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = 't')", ["a", "b"]),
            ("to_regclass('public.t') IS NULL", ["a"]),
        ],
    )  # fmt: skip
    def test_guards_are_answered(self, condition: str, columns: list[str]) -> None:
        block = f"DO $$ BEGIN IF {condition} THEN ALTER TABLE t ADD b int; END IF; END $$"
        found = relation(replayed(f"CREATE TABLE t (a int); {block}"), "t").columns
        assert [column.name for column in found] == columns
        assert not any(column.maybe for column in found)

    def test_unknown_dynamic_sql(self) -> None:
        assert reasons(replayed("DO $$ BEGIN EXECUTE q; END $$")) == ["catalog-dynamic"]

    def test_the_whole_of_a_text_that_grows_is_what_runs(self) -> None:
        grown = "q := 'CREATE VIEW v AS SELECT '; q := q || 'a'; q := q || ', b FROM t'; EXECUTE q;"
        view = relation(replayed(f"CREATE TABLE t (a int, b int); DO $$ DECLARE q text; BEGIN {grown} END $$"), "v")
        assert [column.name for column in view.columns] == ["a", "b"]

    def test_dynamic_query_changes_nothing(self) -> None:
        assert reasons(replayed("DO $$ BEGIN EXECUTE 'SELECT 1 FROM ' || x; END $$")) == []


def done(text: str) -> str:
    return f"DO $$ DECLARE r record; x text; n int; BEGIN {text} END $$"


class TestBlocks:
    """Blocks that PostgreSQL undoes as a whole, and loops over rows that are known."""

    @pytest.mark.parametrize(
        ("block", "columns"),
        [
            (
                "BEGIN ALTER TABLE t DROP a; ALTER TABLE t ADD b int; EXCEPTION WHEN duplicate_column THEN NULL; END;",
                "ab",
            ),
            (
                "BEGIN ALTER TABLE t DROP a; ALTER TABLE t ADD c int; EXCEPTION WHEN duplicate_column THEN NULL; END;",
                "bc",
            ),
            (
                "BEGIN ALTER TABLE t DROP z; EXCEPTION WHEN undefined_column THEN ALTER TABLE t DROP a; END;",
                "b",
            ),
            ("FOREACH x IN ARRAY ARRAY['a', 'b'] LOOP EXECUTE 'ALTER TABLE t DROP ' || quote_ident(x); END LOOP;", ""),
            (
                "FOR r IN SELECT * FROM (VALUES ('a', 'c'), ('b', 'd')) AS v (old, new) LOOP"
                " EXECUTE format('ALTER TABLE t RENAME %I TO %I', r.old, r.new); END LOOP;",
                "cd",
            ),
            (
                "FOR r IN SELECT c.column_name AS n FROM information_schema.columns c WHERE c.table_name = 't'"
                " AND c.column_name IN ('b', 'z') LOOP EXECUTE format('ALTER TABLE t DROP COLUMN %I', r.n); END LOOP;",
                "a",
            ),
            ("SELECT count(*) INTO n FROM t; ALTER TABLE t DROP a;", "b"),
        ],
    )
    def test_is_followed(self, block: str, columns: str) -> None:
        catalog = replayed(f"CREATE TABLE t (a int, b int); {done(block)}")
        assert catalog.gaps == ()
        assert [(c.name, c.maybe) for c in relation(catalog, "t").columns] == [(name, False) for name in columns]
        assert {r.name for r in catalog.relations.values()} == {"t"}

    @pytest.mark.parametrize(
        ("block", "reason"),
        [
            ("FOREACH x IN ARRAY y LOOP EXECUTE 'ALTER TABLE t DROP ' || x; END LOOP;", "catalog-dynamic"),
            (
                "FOR r IN SELECT relname FROM pg_class WHERE relname ~ 'x' LOOP EXECUTE 'DROP TABLE ' || r.relname;"
                " END LOOP;",
                "catalog-dynamic",
            ),
            ("IF n > 0 THEN ALTER TABLE t ALTER a TYPE text; END IF;", "catalog-conditional"),
        ],
    )
    def test_is_left_open(self, block: str, reason: str) -> None:
        catalog = replayed(f"CREATE TABLE t (a int, b int); {done(block)}")
        assert reasons(catalog) == [reason]
        assert [c.name for c in relation(catalog, "t").columns] == ["a", "b"]

    @pytest.mark.parametrize(
        ("more", "holds"),
        [
            ("", True),
            ("AND attnum > 0 AND NOT attisdropped", True),
            ("AND attnotnull", False),
            ("AND NOT attnotnull AND NOT attisdropped", True),
            ("AND attnotnull = wanted", None),
            ("AND attrelid = wanted", None),
            ("AND atttypid = 23", None),
        ],
    )
    def test_a_question_about_more_than_names_has_no_answer(self, more: str, holds: bool | None) -> None:
        state = State(replayed("CREATE TABLE t (a int)"))
        text = f"EXISTS (SELECT FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'a' {more})".encode()
        found = guard(state, text, 0, len(text))
        assert found is not None
        assert found.holds is holds

    @pytest.mark.parametrize(
        ("condition", "holds"),
        [
            ("EXISTS (SELECT 1 FROM information_schema.columns WHERE {} AND is_nullable = 'NO')", False),
            ("EXISTS (SELECT 1 FROM information_schema.columns WHERE {} AND is_nullable = 'YES')", True),
            ("EXISTS (SELECT 1 FROM information_schema.columns WHERE {} AND data_type = 'integer')", True),
            ("EXISTS (SELECT 1 FROM information_schema.columns WHERE {} AND data_type = 'text')", False),
            ("EXISTS (SELECT 1 FROM information_schema.columns WHERE {} AND column_default LIKE 'x%')", None),
            ("EXISTS (SELECT 1 FROM information_schema.columns WHERE {}z' AND column_default LIKE 'x%')", False),
            ("EXISTS (SELECT 1 FROM information_schema.columns WHERE {}z' OR column_default LIKE 'x%')", None),
            ("EXISTS (SELECT 1 FROM information_schema.columns WHERE NOT {}z' AND is_updatable = wanted)", None),
            ("(SELECT count(*) FROM information_schema.columns WHERE {}) = 0", False),
            ("(SELECT count(*) FROM information_schema.columns WHERE {}) > 0", True),
            ("(SELECT count(*) FROM information_schema.columns WHERE {}) > 1", None),
        ],
    )
    def test_a_question_about_a_column(self, condition: str, holds: bool | None) -> None:
        state = State(replayed("CREATE TABLE t (a int)"))
        asked = condition.replace("{}z'", "table_name = 't' AND column_name = 'z'")
        text = asked.replace("{}", "table_name = 't' AND column_name = 'a'").encode()
        found = guard(state, text, 0, len(text))
        assert found is not None
        assert found.holds is holds

    @pytest.mark.parametrize(
        ("branch", "columns"),
        [
            ("ALTER TABLE t DROP b;", [("a", False), ("b", True)]),
            ("ALTER TABLE t DROP a; ALTER TABLE t ADD c int;", [("a", True), ("b", False), ("c", True)]),
            ("ALTER TABLE t RENAME b TO d;", [("a", False), ("b", True), ("d", True)]),
        ],
    )
    def test_without_an_answer_only_what_the_branch_touches_is_in_doubt(
        self, branch: str, columns: list[tuple[str, bool]]
    ) -> None:
        condition = (
            "EXISTS (SELECT FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'b' AND atttypid = x)"
        )
        catalog = replayed(f"CREATE TABLE t (a int, b int); {done(f'IF {condition} THEN {branch} END IF;')}")
        assert sorted((c.name, c.maybe) for c in relation(catalog, "t").columns) == columns

    def test_cascade_over_functions_of_one_name_is_left_open(self) -> None:
        catalog = replayed("""CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
            CREATE FUNCTION f(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
            CREATE TABLE t (a int DEFAULT f(1)); DROP FUNCTION f(text) CASCADE""")
        assert reasons(catalog) == ["catalog-overloads"]


class TestTransactions:
    """What ROLLBACK undoes is as if it had never been there."""

    @pytest.mark.parametrize(
        ("text", "columns"),
        [
            ("BEGIN; ALTER TABLE t DROP a; ROLLBACK; ALTER TABLE t ADD c int", "abc"),
            ("BEGIN; ALTER TABLE t DROP a; COMMIT; BEGIN; ALTER TABLE t DROP b; ABORT", "b"),
            ("START TRANSACTION; ALTER TABLE t DROP a; ROLLBACK WORK AND CHAIN; ALTER TABLE t DROP b; ROLLBACK", "ab"),
            ("BEGIN; SAVEPOINT x; ALTER TABLE t DROP a; ROLLBACK TO x; ALTER TABLE t DROP b; COMMIT", "a"),
            ("SAVEPOINT x; DROP TABLE t; ROLLBACK TO SAVEPOINT x; DROP TABLE t; ROLLBACK TO x", "ab"),
            ("BEGIN; SAVEPOINT x; DROP TABLE t; SAVEPOINT x; ROLLBACK TO x; RELEASE x; ROLLBACK TO x; COMMIT", "ab"),
            ("BEGIN; SET search_path = app; ROLLBACK; ALTER TABLE t ADD c int", "abc"),
            ("BEGIN; ALTER TABLE t DROP a; END; -- no rollback", "b"),
        ],
    )
    def test_is_followed(self, text: str, columns: str) -> None:
        catalog = replayed(text, replayed("CREATE TABLE t (a int, b int)"), "2.up.sql")
        assert [column.name for column in relation(catalog, "t").columns] == [*columns]
        assert catalog.gaps == ()

    @pytest.mark.parametrize("undo", ["ROLLBACK", "ROLLBACK TO x", "ROLLBACK PREPARED 'x'"])
    def test_of_the_runner_is_left_open(self, undo: str) -> None:
        text = f"ALTER TABLE t DROP a; {undo}; DROP TABLE u"
        (gap,) = replayed(text, replayed("CREATE TABLE t (a int, b int); CREATE TABLE u (a int)")).gaps
        assert gap.reason == "catalog-conditional"
        assert text[gap.span.start : gap.span.end].startswith("ALTER TABLE t")

    def test_in_a_block_is_left_open(self) -> None:
        assert reasons(replayed("DO $$ BEGIN CREATE TABLE t (a int); ROLLBACK; END $$")) == ["catalog-conditional"]

    def test_takes_nothing_away(self) -> None:
        before = replayed("CREATE TABLE t (a int, b int)")
        data = b"BEGIN; ALTER TABLE t DROP a; ROLLBACK; ALTER TABLE t DROP b"
        catalog, found = losses(before, SourceFile("2.up.sql", data, "sql"), ((0, len(data)),))
        assert [loss.name for loss in found] == ["public.t.b"]
        assert [column.name for column in relation(catalog, "t").columns] == ["a"]


class TestCalls:
    """A function that changes the schema is not run; its body says which tables that is about."""

    DEFINED = """CREATE TABLE t (a int);
        CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE t DROP a; END $$;
        CREATE FUNCTION g() RETURNS void LANGUAGE sql AS $$ SELECT f() $$;
        CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN PERFORM g(); END $$;
        CREATE FUNCTION h() RETURNS int LANGUAGE sql AS $$ CREATE TEMP TABLE x (a int); DROP TABLE x; SELECT 1 $$;
        CREATE FUNCTION i() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DROP INDEX ' || 'x'; END $$;
        CREATE FUNCTION run(x text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE x; END $$;"""

    @pytest.mark.parametrize(
        ("text", "places"),
        [
            ("SELECT f()", ["BEGIN ALTER TABLE t DROP a; END"]),
            ("SELECT f(); SELECT public.f()", ["BEGIN ALTER TABLE t DROP a; END"]),
            ("CALL p()", ["BEGIN ALTER TABLE t DROP a; END"]),
            ('DO $$ BEGIN PERFORM "f" (); END $$', ["BEGIN ALTER TABLE t DROP a; END"]),
            ("SELECT run('ALTER TABLE t DROP a')", ["SELECT run('ALTER TABLE t DROP a')"]),
            ("SELECT run('UPDATE t SET a = 1'), h(), i(), now()", []),
        ],
    )
    def test_is_left_open(self, text: str, places: list[str]) -> None:
        whole = f"{self.DEFINED} {text}"
        assert [whole[gap.span.start : gap.span.end].strip() for gap in replayed(whole).gaps] == places

    def test_what_goes_with_an_extension_is_in_doubt(self) -> None:
        catalog = replayed("""CREATE DOMAIN dom AS text;
            CREATE TABLE t (a int, b citext, c text[], d dom, e numeric(3,2), f timestamp(3) with time zone);
            DROP EXTENSION citext CASCADE""")
        assert [column.name for column in relation(catalog, "t").columns if column.maybe] == ["b"]
        assert reasons(catalog) == ["catalog-conditional"]

    def test_what_goes_with_a_server_is_in_doubt(self) -> None:
        catalog = replayed("CREATE FOREIGN TABLE t (a int) SERVER s; CREATE TABLE u (a int); DROP SERVER s CASCADE")
        assert [r.name for r in catalog.relations.values() if r.maybe] == ["t"]


class TestGaps:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("CREATE TABLE t (a int,, b)", "catalog-unparsed"),
            ("THIS IS NO SQL", "catalog-unparsed"),
            ("ALTER TABLE nope ADD a int", "catalog-unknown-relation"),
            ("DROP TABLE nope", "catalog-unknown-object"),
            ("DROP INDEX nope", "catalog-unknown-object"),
            ("DROP FUNCTION nope(int)", "catalog-unknown-object"),
            ("CREATE INDEX ON nope (a)", "catalog-unknown-relation"),
            ("CREATE TABLE t (a int); ALTER TABLE t DROP b", "catalog-unknown-column"),
            ("CREATE TABLE t (a int); ALTER TABLE t RENAME b TO c", "catalog-unknown-column"),
            ("CREATE TABLE t (a int); CREATE INDEX ON t (b)", "catalog-unknown-column"),
            ("CREATE TABLE t (a int); CREATE TABLE t (a int)", "catalog-duplicate"),
            ("CREATE TABLE t (a int); ALTER TABLE t ADD a int", "catalog-duplicate"),
            ("CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t; ALTER TABLE t DROP a", "catalog-dependents"),
            ("CREATE TABLE x AS EXECUTE prepared", "catalog-unparsed"),
            ("ALTER TYPE nope ADD VALUE 'a'", "catalog-unknown-type"),
        ],
    )
    def test_what_could_not_be_applied(self, text: str, reason: str) -> None:
        assert reason in reasons(replayed(text))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "-- only a comment",
            "DROP TABLE IF EXISTS nope; DROP FUNCTION IF EXISTS nope(int); DROP TYPE IF EXISTS nope",
            "INSERT INTO nope VALUES (1); UPDATE nope SET a = 1; SELECT * FROM nope; VACUUM nope",
            "CREATE EXTENSION x; CREATE ROLE r; GRANT SELECT ON ALL TABLES IN SCHEMA public TO r",
            "BEGIN; COMMIT; SET lock_timeout = '1s'; EXPLAIN SELECT 1; WITH x AS (SELECT 1) SELECT * FROM x",
        ],
    )
    def test_what_leaves_no_trace(self, text: str) -> None:
        catalog = replayed(text)
        assert catalog.gaps == ()
        assert not catalog.relations

    def test_other_statements_are_applied(self) -> None:
        catalog = replayed("CREATE TABLE a (a int); NO SQL HERE; CREATE TABLE b (a int)")
        assert {r.name for r in catalog.relations.values()} == {"a", "b"}


class TestRewriting:
    """Definitions say what would be written today: names follow renames."""

    def test_after_renames(self) -> None:
        catalog = replayed("""CREATE TABLE t (a int, "b c" text, g int GENERATED ALWAYS AS (a + 1) STORED);
            CREATE INDEX i ON t (a) WHERE a > 1;
            ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0);
            ALTER TABLE t RENAME a TO "A";
            ALTER TABLE t RENAME TO u;
            ALTER INDEX i RENAME TO j;
            ALTER TABLE u RENAME CONSTRAINT k TO l""")
        definitions = {item.name: item.definition for item in catalog.objects.values()}
        assert definitions["j"] == 'CREATE INDEX j ON u ("A") WHERE "A" > 1'
        assert definitions["l"] == 'ALTER TABLE u ADD CONSTRAINT l CHECK ("A" > 0)'
        assert definitions["g"] == 'ALTER TABLE u ADD COLUMN g integer GENERATED ALWAYS AS ("A" + 1) STORED'

    def test_default_names_are_filled_in(self) -> None:
        catalog = replayed("CREATE TABLE t (a int UNIQUE); CREATE INDEX ON t (a)")
        assert {item.definition for item in catalog.objects.values()} == {
            "ALTER TABLE t ADD CONSTRAINT t_a_key UNIQUE (a)",
            "CREATE INDEX t_a_idx ON t (a)",
        }


class TestReplay:
    def test_in_the_order_given(self) -> None:
        texts = ["CREATE TABLE t (a int)", "ALTER TABLE t RENAME a TO b", "ALTER TABLE t ADD a text"]
        migrations = []
        for number, text in enumerate(texts):
            source = SourceFile(f"{number}.sql", text.encode(), "sql")
            migrations.append(Migration(Version.of(number), "m", source.path, ((0, len(text)),), source))
        catalog = replay(migrations)
        assert [(c.name, c.attnum) for c in relation(catalog, "t").columns] == [("b", 1), ("a", 2)]

    def test_leaves_the_catalog_before_alone(self) -> None:
        before = replayed("CREATE TABLE t (a int); CREATE INDEX i ON t (a)")
        after = replayed("DROP TABLE t", before)
        assert relation(before, "t").columns
        assert before.objects
        assert not after.relations
        assert not after.objects

    def test_the_search_path_ends_with_the_file(self) -> None:
        before = replayed("CREATE SCHEMA app; SET search_path = app; CREATE TABLE t (a int)")
        after = replayed("CREATE TABLE t (a int)", before)
        assert set(after.names) == {("app", "t"), ("public", "t")}

    def test_only_the_ranges_given(self) -> None:
        data = b"CREATE TABLE a (x int); -- down\nDROP TABLE a;"
        catalog = apply_file(Catalog(), SourceFile("1.sql", data, "sql"), ((0, data.index(b"--")),))
        assert relation(catalog, "a").columns

    def test_a_dropped_column_is_another_one_when_added_again(self) -> None:
        catalog = replayed("CREATE TABLE t (a int, b int); ALTER TABLE t DROP b; ALTER TABLE t ADD b text")
        column = relation(catalog, "t").column("b")
        assert column is not None
        assert (column.attnum, column.type) == (3, "text")
