"""`explain`: the pieces, the reading, the names and the conclusion of one place."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from legacy_ref_scan.cli import main
from tests.cli.support import UNKNOWN, Repository, complaint

STORE = """package store

import (
	"database/sql"
	"fmt"
	"log"
)

const columns = "id, error_message"

type Phase struct {
	Error string `db:"error_message"`
}

func list(db *sql.DB, where string) {
	log.Printf("error_message is going away")
	q := "SELECT " + columns + " FROM campaign_phases AS cp WHERE " + where
	db.Query(q)
}

func other(db *sql.DB) {
	db.Query(fmt.Sprintf("SELECT error_message FROM %s", "tasks"))
}
"""


def explained(capfd: pytest.CaptureFixture[str], root: Path, place: str, *options: str) -> dict[str, Any]:
    assert main(["explain", place, "--root", str(root), "--format", "json", *options]) == 0
    shape = json.loads(capfd.readouterr().out)
    assert isinstance(shape, dict)
    return shape


def line_of(text: str) -> int:
    return STORE[: STORE.index(text)].count("\n") + 1


class TestDocument:
    def test_the_pieces_of_a_text_with_their_places(
        self, repository: Repository, capfd: pytest.CaptureFixture[str]
    ) -> None:
        shape = explained(capfd, repository(STORE), f"store.go:{line_of('db.Query(q)')}")
        (text,) = shape["texts"]
        assert text["text"] == "SELECT id, error_message FROM campaign_phases AS cp WHERE ⟦1⟧"
        pieces = [(piece.get("text") or piece["reason"], piece["line"], piece["column"]) for piece in text["pieces"]]
        assert pieces == [
            ("SELECT ", 17, 8),
            ("id, error_message", 9, 18),
            (" FROM campaign_phases AS cp WHERE ", 17, 30),
            ("parameter where of list", 15, 23),
        ]

    def test_what_each_name_was_resolved_to(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        shape = explained(capfd, repository(STORE), f"store.go:{line_of('const columns')}")
        (reading,) = shape["texts"][0]["readings"]
        assert (reading["as"], reading["errors"], reading["repairs"]) == ("SELECT", [], [])
        answers = {(item["name"], item["is"], item["detail"]) for item in reading["names"]}
        assert ("error_message", "column", "public.campaign_phases.error_message") in answers
        assert ("campaign_phases", "table, without the column", "public.campaign_phases") in answers
        assert ("⟦1⟧", "hole", "could be any column of public.campaign_phases") in answers

    def test_the_conclusion_of_a_mention(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        root = repository(STORE)
        shape = explained(capfd, root, f"store.go:{line_of('const columns')}")
        assert [mention["explanation"] for mention in shape["mentions"]] == ["reference"]
        assert {(item["what"], item.get("access") or item["reason"]) for item in shape["findings"]} == {
            ("reference", "read"),
            ("gap", "dynamic-column"),
        }
        assert all(item["help"] for item in shape["findings"])
        tag = explained(capfd, root, f"store.go:{line_of('Error string')}")
        assert [item["what"] for item in tag["findings"]] == ["residue"]
        log = explained(capfd, root, f"store.go:{line_of('log.Printf')}")
        assert [mention["explanation"] for mention in log["mentions"]] == ["text"]
        assert log["findings"] == []
        tasks = explained(capfd, root, f"store.go:{line_of('fmt.Sprintf')}")
        assert [mention["explanation"] for mention in tasks["mentions"]] == ["other_table"]

    def test_a_column_chooses_one_mention(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        root = repository('package a\n\nconst é, b = "é error_message", "campaign_phases"\n')
        everything = explained(capfd, root, "store.go:3")
        assert [mention["name"] for mention in everything["mentions"]] == ["error_message", "campaign_phases"]
        one = explained(capfd, root, "store.go:3:20")
        assert [mention["column"] for mention in one["mentions"]] == [17]

    def test_a_statement_of_a_sql_file_and_not_its_neighbours(
        self, repository: Repository, capfd: pytest.CaptureFixture[str]
    ) -> None:
        sql = "SELECT error_message\nFROM campaign_phases;\nUPDATE campaign_phases SET error_message = NULL;\n"
        root = repository(**{"report.sql": sql})
        shape = explained(capfd, root, "report.sql:2")
        assert shape["texts"][0]["text"] == "SELECT error_message\nFROM campaign_phases"
        assert [item["access"] for item in shape["findings"]] == ["read"]
        assert explained(capfd, root, "report.sql:3")["texts"][0]["readings"][0]["as"] == "UPDATE"

    def test_the_body_of_a_function_and_text_that_it_runs(
        self, repository: Repository, capfd: pytest.CaptureFixture[str]
    ) -> None:
        function = (
            "CREATE FUNCTION wipe() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n"
            "EXECUTE 'UPDATE campaign_phases SET error_message = ' || 'NULL';\nEND $$;\n"
        )
        root = repository(**{"migrations/000002_wipe.up.sql": function, "migrations/000002_wipe.down.sql": ""})
        shape = explained(capfd, root, "migrations/000002_wipe.up.sql:3")
        assert "UPDATE campaign_phases SET error_message = NULL" in [text["text"] for text in shape["texts"]]
        assert [item["access"] for item in shape["findings"]] == ["write"]

    def test_python(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        python = 'def f(cursor):\n    cursor.execute("SELECT error_message " "FROM campaign_phases")\n'
        shape = explained(capfd, repository(**{"job.py": python}), "job.py:2")
        assert [item["access"] for item in shape["findings"]] == ["read"]
        assert shape["texts"][0]["readings"][0]["as"] == "SELECT"

    def test_an_acknowledged_use(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        root = repository(STORE)
        (rule,) = (root / "rules").glob("*.toml")
        rule.write_text(rule.read_text() + '\n[[acknowledge]]\npath = "store.go"\nreason = "archived"\n')
        shape = explained(capfd, root, f"store.go:{line_of('const columns')}")
        assert {item["acknowledged"] for item in shape["findings"]} == {"archived"}

    def test_the_version_of_its_shape(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        shape = explained(capfd, repository(STORE), "store.go:9", "--column", "campaign_phases.error_message")
        assert shape["version"] == 1
        assert list(shape) == [
            "version", "targets", "path", "line", "column", "source", "mentions", "findings", "texts",
        ]  # fmt: skip


class TestText:
    def test_all_of_it_is_printed(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        assert main(["explain", f"store.go:{line_of('db.Query(q)')}", "--root", str(repository(STORE))]) == 0
        out = capfd.readouterr().out
        for line in (
            "reference[read]: reads public.campaign_phases.error_message",
            "    store.go:9:18   [id, error_message]",
            "    store.go:15:23  ⟦1⟧ not known: parameter where of list",
            "    SELECT id, error_message FROM campaign_phases AS cp WHERE ⟦1⟧",
            "  parsed: SELECT, without an error",
            "    error_message    column public.campaign_phases.error_message (read)",
            "    campaign_phases  relation public.campaign_phases",
        ):
            assert line in out.splitlines()

    def test_control_characters_do_not_reach_the_terminal(
        self, repository: Repository, capfd: pytest.CaptureFixture[str]
    ) -> None:
        root = repository('package a\n\nconst q = "SELECT error_message\x1b[2J FROM campaign_phases"\n')
        assert main(["explain", "store.go:3", "--root", str(root)]) == 0
        assert "\x1b" not in capfd.readouterr().out

    def test_what_the_grammar_cannot_read(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        root = repository(**{"bad.sql": "SELECT error_message FROM FROM campaign_phases WHERE ((;\n"})
        assert main(["explain", "bad.sql:1", "--root", str(root)]) == 0
        out = capfd.readouterr().out
        assert "which the grammar could not read at" in out
        assert "gap[unreadable-sql]" in out


class TestPlaces:
    def test_a_revision(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        root = repository(STORE)
        git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.org"]
        for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
            subprocess.run([*git, *arguments], check=True)
        (root / "store.go").write_text("package store\n")
        assert explained(capfd, root, "store.go:9", "--rev", "HEAD")["mentions"]
        assert "the file has 2 lines" in complaint(capfd, "explain", "store.go:9", "--root", root)

    def test_a_path_from_where_the_user_stands(
        self, repository: Repository, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root = repository(STORE)
        (root / "deep").mkdir()
        (root / "deep" / "b.go").write_text(STORE)
        monkeypatch.chdir(root / "deep")
        assert explained(capfd, root, "b.go:9")["path"] == "deep/b.go"
        assert explained(capfd, root, str(root / "store.go") + ":9")["path"] == "store.go"

    @pytest.mark.parametrize(
        ("place", "message"),
        [
            ("store.go", "give FILE:LINE or FILE:LINE:COLUMN"),
            ("store.go:0", "the file has"),
            ("store.go:99", "the file has 24 lines"),
            ("store.go:9:99", "the line has 35 characters"),
            ("gone.go:1", "no such file"),
            ("store.go:1", "the nearest mention is at 9:22"),
            ("store.go:9:1", "the nearest mention is at 9:22"),
        ],
    )
    def test_bad_places(
        self, repository: Repository, capfd: pytest.CaptureFixture[str], place: str, message: str
    ) -> None:
        assert message in complaint(capfd, "explain", place, "--root", repository(STORE))

    def test_a_file_that_is_left_out(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        said = complaint(capfd, "explain", "store.go:9", "--root", repository(STORE), "--exclude", "*.go")
        assert "leave this file out" in said

    def test_a_file_without_any_mention(self, repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
        root = repository(UNKNOWN, **{"plain.go": "package store\n"})
        assert "the file has none" in complaint(capfd, "explain", "plain.go:1", "--root", root)
