"""The positions of Python's nodes, held against those of libcst's own provider."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

from legacy_ref_scan.languages.python.positions import positions

_TEXTS = (
    "",
    "x = 1",
    "# größer\nname = f'{größe!r:>{width}} ä {other[\"x\"]}' 'y'  # Ende\n",
    "class A(B, key=1):\n    # inner\n    @decorated(1)\n    def f(self, *, a: int = 2) -> None:\n\n        pass\n",
    "if a:\n\tb = (\n\t\t1, # one\n\t\t[2],\n\t)\nelif c: d; e\nelse:\n\tpass\n\n# end\n",
    "match x:\n    case {'a': [1, *rest], **more} | A(b=2) if y:\n        type T[X] = list[X]\n",
    "async def f():\n    async with a as b, c:\n        return [x async for x in y if (await z) for q in r]\r\n",
)


@pytest.mark.parametrize("text", [*_TEXTS, Path(__file__).read_text("utf-8")])
def test_positions_are_those_of_libcst(text: str) -> None:
    tree = cst.parse_module(text)
    known = MetadataWrapper(tree, unsafe_skip_copy=True).resolve(ByteSpanPositionProvider)
    found = positions(tree, text.encode())
    wanted = {id(node): (span.start, span.start + span.length) for node, span in known.items() if node is not tree}
    assert {node: span for node, span in found.nodes.items() if node != id(tree)} == wanted
    assert all(text.encode()[start:end].startswith(b"#") for start, end in found.comments)
    assert len(found.comments) == sum(isinstance(node, cst.Comment) for node in known)


def test_a_tree_of_another_text_is_refused() -> None:
    tree = cst.parse_module("a = b\n")
    for text in (b"a = c\n", b"a = b\n\n"):
        with pytest.raises(cst.CSTValidationError):
            positions(tree, text)
