"""Sinks that a rule names: functions and methods of the project, of other modules, and of receivers nobody knows."""

from __future__ import annotations

import pytest

from legacy_ref_scan.languages.golang import extract
from legacy_ref_scan.model import Consumer, Fragment, Sink
from tests.languages.golang.harness import GoProject

TEXT = '"error_message, status"'


def consumers(statement: str, *sinks: Sink, imports: str = "", **files: str) -> dict[str, Consumer]:
    """Who receives which text; a database where anybody hands it to one."""
    go = f"package store\n\n{imports}\n\nfunc f(s *Store, db Handle) {{\n\t{statement}\n}}\n"
    named = {path.replace("__", "/") + ".go": text for path, text in files.items()}
    project = GoProject({"store/a.go": go, "go.mod": "module example.com/app\n", **named})
    project.sinks = sinks
    found = [item for item in extract(project) if isinstance(item, Fragment)]
    found.sort(key=lambda item: item.consumer is Consumer.SQL)
    return {item.text.decode(): item.consumer for item in found}


def test_a_function_of_another_module() -> None:
    imports = 'import "example.org/rpc"'
    sink = Sink("example.org/rpc", "Ask", False, 2)
    assert consumers(f"rpc.Ask(1, {TEXT})", sink, imports=imports) == {"error_message, status": Consumer.SQL}
    assert consumers(f"rpc.Ask({TEXT}, 1)", sink, imports=imports) == {"error_message, status": Consumer.UNKNOWN}
    assert consumers(f"rpc.Tell(1, {TEXT})", sink, imports=imports) == {"error_message, status": Consumer.UNKNOWN}
    assert consumers(f"rpc.Ask(1, {TEXT})", imports=imports) == {"error_message, status": Consumer.UNKNOWN}


def test_a_function_that_logs_is_a_sink_all_the_same() -> None:
    imports = 'import "log"'
    assert consumers(f"log.Print({TEXT})", imports=imports) == {"error_message, status": Consumer.TEXT}
    assert consumers(f"log.Print({TEXT})", Sink("log", "Print", False, 1), imports=imports) == {
        "error_message, status": Consumer.SQL
    }


@pytest.mark.parametrize("argument", [2, "query"])
def test_a_function_of_the_project(argument: int | str) -> None:
    sink = Sink("example.com/app/wire", "Ask", False, argument)
    wire = "package wire\n\nfunc Ask(n int, query string) { send(n, query) }\n"
    found = consumers(f"wire.Ask(1, {TEXT})", sink, imports='import "example.com/app/wire"', wire__w=wire)
    assert found == {"error_message, status": Consumer.SQL}


def test_a_method_of_any_receiver_and_of_one_package() -> None:
    assert consumers(f"db.Fetch({TEXT})", Sink("", "Fetch", True, 1))["error_message, status"] is Consumer.SQL
    store = "package store\n\ntype Store struct{}\n\nfunc (s *Store) Fetch(columns string) {}\n"
    own, other = Sink("example.com/app/store", "Fetch", True, 1), Sink("example.com/app/wire", "Fetch", True, 1)
    assert consumers(f"s.Fetch({TEXT})", own, store__s=store)["error_message, status"] is Consumer.SQL
    assert consumers(f"s.Fetch({TEXT})", other, store__s=store)["error_message, status"] is Consumer.UNKNOWN


def test_a_name_that_no_declaration_has_takes_every_argument() -> None:
    sink = Sink("example.org/rpc", "Ask", False, "query")
    found = consumers(f"rpc.Ask({TEXT}, 1)", sink, imports='import "example.org/rpc"')
    assert found == {"error_message, status": Consumer.SQL}
