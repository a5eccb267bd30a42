"""Notebooks: every cell in its language, places true to the byte in the JSON, outputs and prose listed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy_ref_scan.languages.plain.jsontext import Text, decoded, parse
from legacy_ref_scan.model import Claim, Explanation, Extracted, Fragment, Gap
from tests.languages.memory import scan

SELECT = "SELECT error_message FROM campaign_phases"


def code(*lines: str) -> dict[str, object]:
    return {"cell_type": "code", "metadata": {}, "source": list(lines), "outputs": []}


def notebook(*cells: dict[str, object], language: str = "python") -> str:
    document = {"cells": cells, "metadata": {"kernelspec": {"language": language}}, "nbformat": 4}
    return json.dumps(document, indent=1)


def texts(items: list[Extracted]) -> set[str]:
    return {item.text.decode() for item in items if isinstance(item, Fragment)}


@pytest.mark.parametrize(
    "cells",
    [
        [code(f"cursor.execute({SELECT!r})")],
        [code("T = 'campaign_phases'\n", 'cursor.execute(f"SELECT error_message FROM {T}")')],
        [code("T = 'campaign_phases'"), code('x = "é"\n', "cursor.execute('SELECT error_message FROM ' + T)")],
        [code("%matplotlib inline\n", "files = !ls\n", f'%time cursor.execute("{SELECT}")')],
        [code("%%time\n", f'cursor.execute("{SELECT}")')],
        [code('cursor.execute("SELECT error_message " \\\n  "FROM campaign_phases")')],
    ],
)  # fmt: skip
def test_python_is_followed_through_the_cells(cells: list[dict[str, object]]) -> None:
    assert SELECT in texts(scan({"a.ipynb": notebook(*cells)}, "other"))


@pytest.mark.parametrize(
    "cell",
    [code("%%sql postgres://db\n", SELECT), code(f"%sql {SELECT}"), code(f"rows = %sql {SELECT}\n", "rows")],
)
def test_sql_magics_are_sql(cell: dict[str, object]) -> None:
    assert SELECT in {text.strip() for text in texts(scan({"a.ipynb": notebook(cell)}, "other"))}


def test_a_kernel_of_sql() -> None:
    assert SELECT in {
        text.strip() for text in texts(scan({"a.ipynb": notebook(code(SELECT), language="sql")}, "other"))
    }


@pytest.mark.parametrize("cell", [code("%%bash\n", f"psql -c '{SELECT}'"), code(f"!psql -c '{SELECT}'")])
def test_what_is_no_python_is_a_gap(cell: dict[str, object]) -> None:
    items = scan({"a.ipynb": notebook(cell)}, "other")
    assert [item.reason for item in items if isinstance(item, Gap)] == ["both-names-nearby"]


def test_outputs_and_prose_are_listed() -> None:
    output = {"data": {"text/plain": [SELECT]}}
    cells: list[dict[str, object]] = [
        {"cell_type": "markdown", "source": [SELECT]},
        {**code("x = 1"), "outputs": [output]},
    ]
    items = scan({"a.ipynb": notebook(*cells)}, "other")
    assert {(item.why, item.detail) for item in items if isinstance(item, Claim)} == {
        (Explanation.OTHER_FILE, "output or prose of a notebook")
    }
    assert len(items) == 4


@pytest.mark.parametrize("text", ["[1, 2]", '{"cells": 3}', "{", SELECT, '{"cells": [{"source": "' + SELECT + '"]}'])
def test_what_is_no_notebook_is_swept(text: str) -> None:
    scan({"a.ipynb": f"{text}\nerror_message"}, "other")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def texts_of(value: object, data: bytes = b"") -> list[str]:
    """The texts of a document in order, keys left out."""
    if isinstance(value, Text):
        return [b"".join(part for part, _ in decoded(data, "a", value)).decode()]
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for child in children for text in texts_of(child, data)]


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_texts_are_those_of_the_standard_library(value: object, ascii_only: bool, indent: int | None) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert texts_of(parse(data), data) == texts_of(value)


@pytest.mark.parametrize("text", [b"", b"{", b"]", b"{]", b"[1] [2]", b'"a', b"[}"])
def test_what_is_no_json(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|brackets"):
        parse(text)
