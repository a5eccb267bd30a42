"""The workspace: what is listed, read, skipped and lost, in the working tree, the index and a revision."""

from __future__ import annotations

import gc
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from legacy_ref_scan.model import ScanError
from legacy_ref_scan.workspace import Workspace


@pytest.fixture(autouse=True)
def _quiet_git(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No configuration of the person who runs the tests, no repository of a hook that runs them."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path_factory.getbasetemp()))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    return tmp_path


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always")
    done = subprocess.run(["git", *identity, *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout


def write(root: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def text(workspace: Workspace, path: str) -> str:
    source = workspace.read(path)
    assert source is not None
    return source.data.decode()


def test_lists_tracked_and_untracked_but_not_ignored_or_deleted(repo: Path) -> None:
    write(repo, {".gitignore": "out/\n", "a.go": "x", "gone.go": "x", "out/b.go": "x", "n/node_modules/c.go": "x"})
    git(repo, "add", "-f", "a.go", "gone.go", "n/node_modules/c.go")
    write(repo, {"new.sql": "x"})
    (repo / "gone.go").unlink()
    assert Workspace(repo).paths == (".gitignore", "a.go", "new.sql")


def test_a_root_below_the_top_of_the_repository(repo: Path) -> None:
    write(repo, {"a.go": "1", "svc/b.go": "2", "svc/in/c.go": "3"})
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "x")
    for workspace in (
        Workspace(repo / "svc"),
        Workspace(repo / "svc", staged=True),
        Workspace(repo / "svc", rev="HEAD"),
    ):
        assert workspace.paths == ("b.go", "in/c.go")
        assert text(workspace, "in/c.go") == "3"


def test_index_and_revision_are_not_the_working_tree(repo: Path) -> None:
    write(repo, {"a.go": "committed", "old.go": "old"})
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "x")
    write(repo, {"a.go": "staged", "b.go": "new"})
    git(repo, "rm", "-q", "--cached", "old.go")
    git(repo, "add", "a.go", "b.go")
    write(repo, {"a.go": "working", "c.go": "untracked"})

    tree, index, head = Workspace(repo), Workspace(repo, staged=True), Workspace(repo, rev="HEAD")
    assert tree.paths == ("a.go", "b.go", "c.go", "old.go")
    assert index.paths == ("a.go", "b.go")
    assert head.paths == ("a.go", "old.go")
    assert [text(workspace, "a.go") for workspace in (tree, index, head)] == ["working", "staged", "committed"]
    assert [workspace.tree.label for workspace in (tree, index, head)] == ["working tree", "index", "revision HEAD"]
    assert index.read("c.go") is None
    assert index.unreadable == {"c.go": "not a file of the index"}


def test_a_revision_needs_no_checkout_and_must_exist(repo: Path) -> None:
    write(repo, {"a.go": "one"})
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "one")
    git(repo, "tag", "v1")
    git(repo, "rm", "-q", "a.go")
    git(repo, "commit", "-qm", "two")
    assert text(Workspace(repo, rev="v1"), "a.go") == "one"
    assert Workspace(repo, rev="HEAD").paths == ()
    with pytest.raises(ScanError, match="no revision 'v2'"):
        Workspace(repo, rev="v2")
    with pytest.raises(ScanError, match="no revision '--all'"):
        Workspace(repo, rev="--all")
    with pytest.raises(ScanError, match="exclude each other"):
        Workspace(repo, staged=True, rev="v1")


def test_objects_are_read_one_after_the_other_whatever_their_size(repo: Path) -> None:
    sizes = {f"f{number}.go": "x" * number * 4001 for number in range(40)}
    write(repo, sizes)
    git(repo, "add", ".")
    workspace = Workspace(repo, staged=True, limit=100_000)
    lost = {path for path, content in sizes.items() if len(content) > 100_000}
    assert [path for path in workspace.paths if workspace.read(path) is None] == sorted(lost)
    assert set(workspace.unreadable) == lost
    assert all(text(workspace, path) == content for path, content in sizes.items() if path not in lost)


def test_an_unmerged_file_is_unreadable_in_the_index(repo: Path) -> None:
    write(repo, {"a.go": "1\n"})
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "base")
    git(repo, "checkout", "-qb", "side")
    write(repo, {"a.go": "2\n"})
    git(repo, "commit", "-qam", "side")
    git(repo, "checkout", "-q", "-")
    write(repo, {"a.go": "3\n"})
    git(repo, "commit", "-qam", "main")
    with pytest.raises(subprocess.CalledProcessError):
        git(repo, "merge", "side")
    workspace = Workspace(repo, staged=True)
    assert "unmerged" in workspace.unreadable["a.go"]
    assert Workspace(repo).paths == ("a.go",)


def test_a_submodule_and_a_nested_repository_are_noted(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "-q")
    write(other, {"lib.go": "x"})
    git(other, "add", ".")
    git(other, "commit", "-qm", "x")
    git(repo, "submodule", "--quiet", "add", str(other), "sub")
    git(repo, "clone", "-q", str(other), "nested")
    write(repo, {"a.go": "x"})
    git(repo, "add", "a.go")
    workspace = Workspace(repo)
    assert workspace.paths == (".gitmodules", "a.go")
    assert [note.split()[0] for note in workspace.notes] == ["nested", "sub"]
    assert [note.split()[0] for note in Workspace(repo, staged=True).notes] == ["sub"]


def test_a_sparse_checkout_does_not_lose_files(repo: Path) -> None:
    write(repo, {"a/a.go": "x", "b/b.go": "x"})
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "x")
    git(repo, "sparse-checkout", "set", "a")
    workspace = Workspace(repo)
    assert workspace.paths == ("a/a.go",)
    assert "sparse checkout" in workspace.unreadable["b/b.go"]
    assert Workspace(repo, exclude=["b/**"]).unreadable == {}


def test_a_directory_that_git_ignores_is_walked(repo: Path) -> None:
    write(repo, {".gitignore": "tmp/", "tmp/a.go": "x"})
    assert Workspace(repo / "tmp").paths == ("a.go",)


@pytest.fixture(params=["no repository", "no git"])
def plain(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param == "no git":
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    return tmp_path


def test_the_plain_walk_honours_gitignore(plain: Path) -> None:
    write(
        plain,
        {
            ".gitignore": "*.gen.go\n/top\nbuild/\n",
            "a.go": "x",
            "a.gen.go": "x",
            "top/a.go": "x",
            "sub/top/a.go": "x",
            "sub/build/a.go": "x",
            "sub/.gitignore": "!keep.gen.go\nlocal.go\n",
            "sub/keep.gen.go": "x",
            "sub/local.go": "x",
            ".git/config": "x",
            "sub/node_modules/a.go": "x",
        },
    )
    expected = (".gitignore", "a.go", "sub/.gitignore", "sub/keep.gen.go", "sub/top/a.go")
    assert Workspace(plain).paths == expected


def test_git_is_needed_for_the_index(plain: Path) -> None:
    with pytest.raises(ScanError, match="git"):
        Workspace(plain, staged=True)


def test_a_symbolic_link_is_not_followed(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    write(outside, {"o.go": "x"})
    write(plain, {"a/a.go": "x"})
    links = {
        "a/loop": "..",
        "self": "self",
        "b": "a",
        "in.go": "a/a.go",
        "chain.go": "in.go",
        "out.go": str(outside / "o.go"),
        "out": str(outside),
        ".#lock.go": "someone@somewhere.1",
    }
    for name, target in links.items():
        (plain / name).symlink_to(target)
    workspace = Workspace(plain)
    assert workspace.paths == ("a/a.go",)
    assert workspace.unreadable == {"out.go": "symbolic link out of the scanned tree"}
    assert set(workspace.skipped) == set(links) - {"out.go"}
    assert workspace.skipped["self"] == "symbolic link to nowhere"


def test_symbolic_links_in_the_index(repo: Path) -> None:
    write(repo, {"a/a.go": "x"})
    links = {"in.go": "a/a.go", "a/up.go": "../in.go", "dir": "a", "out.go": "../o.go", "none.go": "a/b.go"}
    for name, target in links.items():
        (repo / name).symlink_to(target)
    git(repo, "add", ".")
    workspace = Workspace(repo, staged=True)
    assert workspace.paths == ("a/a.go",)
    assert workspace.unreadable == {"out.go": "symbolic link out of the scanned tree"}
    assert set(workspace.skipped) == {"in.go", "a/up.go", "dir", "none.go"}


def test_a_link_to_an_ignored_file_is_not_lost(repo: Path) -> None:
    write(repo, {".gitignore": "gen/", "gen/q.sql": "x"})
    (repo / "q.sql").symlink_to("gen/q.sql")
    assert Workspace(repo).unreadable == {"q.sql": "symbolic link out of the scanned tree"}


def test_a_fifo_is_skipped_even_if_it_comes_after_the_listing(plain: Path) -> None:
    write(plain, {"a.go": "x", "b.go": "x"})
    os.mkfifo(plain / "pipe.go")
    workspace = Workspace(plain)
    assert workspace.paths == ("a.go", "b.go")
    assert workspace.skipped == {"pipe.go": "not a regular file"}
    (plain / "b.go").unlink()
    os.mkfifo(plain / "b.go")
    assert workspace.read("b.go") is None
    assert workspace.unreadable == {"b.go": "not a regular file"}


def test_a_file_that_cannot_be_opened_is_recorded(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(plain, {"a.go": "x", "README": "x"})
    workspace = Workspace(plain)
    assert len(workspace.paths) == 2

    def refuse(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("legacy_ref_scan.trees.os.open", refuse)
    assert [workspace.read(path) for path in workspace.paths] == [None, None]
    assert workspace.unreadable == {"README": "Permission denied", "a.go": "Permission denied"}


def test_a_directory_that_cannot_be_listed_is_recorded(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(plain, {"a.go": "x", "closed/b.go": "x"})
    scandir = os.scandir

    def refuse(path: str) -> Iterator[os.DirEntry[str]]:
        if path.endswith("closed/"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr("legacy_ref_scan.trees.os.scandir", refuse)
    workspace = Workspace(plain)
    assert workspace.paths == ("a.go",)
    assert workspace.unreadable == {"closed": "Permission denied"}


def test_a_large_or_binary_file_is_a_loss_only_where_it_could_be_code(plain: Path) -> None:
    write(plain, {"big.go": "x" * 2000, "big.json": "x" * 2000, "ok.py": "x" * 1999})
    write(plain, {"b.sql": b"\x7fELF\0", "b.png": b"PNG\0"})
    workspace = Workspace(plain, limit=1999)
    assert [path for path in workspace.paths if workspace.read(path)] == ["ok.py"]
    assert set(workspace.unreadable) == {"big.go", "b.sql"}
    assert set(workspace.skipped) == {"big.json", "b.png"}
    assert workspace.unreadable["b.sql"] == "binary"
    assert Workspace(plain).read("big.go") is not None
    assert "larger than" in workspace.unreadable["big.go"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xef\xbb\xbfSELECT 1\r\n", b"SELECT 1\r\n"),
        ("\ufeffSELECT 'é'".encode("utf-16-le"), "SELECT 'é'".encode()),
        ("\ufeffSELECT 'é'".encode("utf-16-be"), "SELECT 'é'".encode()),
        ("\ufeffSELECT 1".encode("utf-32-le"), b"SELECT 1"),
        ("\ufeffSELECT 1".encode("utf-32-be"), b"SELECT 1"),
        (b"SELECT '\xe9'", b"SELECT '\xe9'"),
        (b"", b""),
        (b"x" * 8192 + b"\0", b"x" * 8192 + b"\0"),
        (b"\xff\xfe\x00\xd8x", None),
        (b"\xef\xbb\xbfx\0", None),
        ("SELECT 1".encode("utf-16-le"), None),
        (b"version https://git-lfs.example/spec/v1\noid sha256:0\n", None),
    ],
)
def test_text_is_utf8_wherever_it_says_what_it_is(plain: Path, data: bytes, expected: bytes | None) -> None:
    write(plain, {"a.sql": data})
    workspace = Workspace(plain)
    source = workspace.read("a.sql")
    assert (source and source.data) == expected
    assert ("a.sql" in workspace.unreadable) == (expected is None)


def test_globs_and_paths_choose_what_is_scanned(plain: Path) -> None:
    write(plain, dict.fromkeys(["a.go", "x/a.go", "x/testdata/b.go", "docs/c.md", "docs/d/e.go", "x2/f.sql"], "x"))
    assert Workspace(plain, exclude=["**/testdata/**", "docs/**"]).paths == ("a.go", "x/a.go", "x2/f.sql")
    assert Workspace(plain, include=["*.go"], exclude=["docs/"]).paths == ("a.go", "x/a.go", "x/testdata/b.go")
    assert Workspace(plain, paths=["x"]).paths == ("x/a.go", "x/testdata/b.go")
    assert Workspace(plain, paths=["x/", str(plain / "a.go"), "./docs/d"]).paths == (
        "a.go",
        "docs/d/e.go",
        "x/a.go",
        "x/testdata/b.go",
    )
    assert len(Workspace(plain, paths=["."]).paths) == 6
    limited = Workspace(plain, paths=["docs"])
    assert len(limited.all_paths) == 6
    assert limited.read("x2/f.sql") is not None


@pytest.mark.parametrize(("path", "message"), [("nope", "no such file"), ("../x", "not inside"), ("/", "not inside")])
def test_a_wrong_path_is_an_error(plain: Path, path: str, message: str) -> None:
    write(plain, {"a.go": "x"})
    with pytest.raises(ScanError, match=message):
        Workspace(plain, paths=[path])


def test_a_wrong_root_is_an_error(plain: Path) -> None:
    with pytest.raises(ScanError, match="not a directory"):
        Workspace(plain / "missing")


def test_an_empty_root_holds_nothing(plain: Path) -> None:
    assert Workspace(plain).paths == ()


NAMES = [
    "new\nline.go",
    "tab\t.go",
    "sp ace.go",
    "ü.go",
    "q'uo\"te.go",
    "-dash.go",
    os.fsdecode(b"latin\xe9.go"),
    "a\\b.go",
]


@pytest.mark.parametrize("where", ["walk", "working tree", "index", "revision"])
def test_names_of_every_kind(tmp_path: Path, where: str) -> None:
    write(tmp_path, dict.fromkeys(NAMES, "x"))
    if where != "walk":
        git(tmp_path, "init", "-q")
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-qm", "x")
    rev = "HEAD" if where == "revision" else None
    workspace = Workspace(tmp_path, staged=where == "index", rev=rev, exclude=["nothing/**"])
    assert workspace.paths == tuple(sorted(NAMES))
    assert all(text(workspace, path) == "x" for path in NAMES)


def test_language_and_test_flag(plain: Path) -> None:
    write(plain, {"a.go": "x"})
    workspace = Workspace(plain)
    languages = {"a.go": "go", "A.SQL": "sql", "x/b.psql": "sql", "c.pgsql": "sql", "d.ddl": "sql", "e.gosql": "sql"}
    languages |= {
        "f.py": "python",
        "g.pyi": "python",
        "h.rb": "other",
        "Makefile": "other",
        ".go": "other",
        "x.go/y": "other",
    }
    assert {path: workspace.language(path) for path in languages} == languages
    tests = ["a_test.go", "x/test_a.py", "a_test.py", "conftest.py", "test/a.sql", "x/testdata/q.sql", "__tests__/a.js"]
    assert all(workspace.is_test(path) for path in tests)
    elsewhere = ["spec/a.rb", "a_spec.rb", "x/a.test.ts", "a.spec.tsx", "AppTest.java", "UserIT.kt", "a_test.exs"]
    assert all(workspace.is_test(path) for path in elsewhere)
    assert [workspace.language(path) for path in ("a.sql.j2", "a.SQL.tmpl", "a.j2")] == ["sql", "sql", "other"]
    assert not any(workspace.is_test(path) for path in ["spec/a.go", "Latest.java", "inspec/a.rb", "contest.ts"])
    assert not any(
        workspace.is_test(path) for path in ["test.go", "testing/a.go", "test_a.go", "contest.py", "a_tests.go"]
    )


def test_a_file_is_read_once_while_somebody_holds_it(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(plain, {"a.go": "needle", "bin.go": b"needle\0"})
    opened: list[str] = []
    open_file = os.open

    def count(path: str, flags: int) -> int:
        opened.append(path)
        return open_file(path, flags)

    monkeypatch.setattr("legacy_ref_scan.trees.os.open", count)
    workspace = Workspace(plain)
    kept = workspace.read("a.go")
    assert workspace.read("a.go") is kept
    assert (workspace.read("bin.go"), workspace.read("bin.go")) == (None, None)
    assert len(opened) == 2
    assert list(workspace._cache) == ["a.go"]
    del kept
    gc.collect()
    assert list(workspace._cache) == []
