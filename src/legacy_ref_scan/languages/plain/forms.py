"""Fields of forms in Rails' views: `f.text_field :title` reads the attribute of whatever the form is for."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from posixpath import basename, dirname

from legacy_ref_scan.languages.plain.kinds import Kind
from legacy_ref_scan.languages.plain.spelling import Spelling
from legacy_ref_scan.mentions import model_names
from legacy_ref_scan.model import Mention, SourceFile

# ActionView::Helpers::FormBuilder, simple_form, formtastic. A label reads nothing.
_HELPERS = (
    rb"(?:\w+_(?:field|area|textarea|select|check_boxes|radio_buttons)|check_?box|radio_button|select|textarea|input|"
    rb"input_field|attribute|field)"
)
_FIELD = re.compile(rb"(?<![\w.@:])\w+\." + _HELPERS + rb"[ \t(]+:\Z")
_OF_OBJECT = re.compile(rb"\b" + _HELPERS + rb"[ \t(]+[:\"'](\w+)[\"']?[ \t]*,[ \t]*[:\"']\Z")
_HEAD = re.compile(
    rb"\b(?:(?:simple_|semantic_|bootstrap_|nested_|\w+_)?form_(?:for|with)|(?:simple_|semantic_)?fields_for|\w+\.fields)\b"
    rb"(?P<about>[^\n]*(?:,[ \t]*\n[^\n]*)*)"
)
_OBJECT = re.compile(
    rb"(?:\bmodel:|\bscope:|\A)[ \t(]*(?:\[[^\]\n]*?[@:]?(?P<last>[\w.]+)[ \t]*\]"
    rb"|[@:\"']?(?P<name>[\w.]+)(?!\w*:(?!:)))"
)
_LONGEST = 64


@dataclass(frozen=True)
class Forms:
    """`paths` are all the files, which tell what models there are."""

    paths: Sequence[str]

    @cached_property
    def _models(self) -> frozenset[str]:
        return frozenset(
            basename(path).removesuffix(".rb") for path in self.paths if re.search(r"(?:^|/)models/.+\.rb$", path)
        )

    def is_field(self, source: SourceFile, kind: Kind, mention: Mention, spelling: Spelling) -> bool:
        """Whether a name is that of a field of a form that is, or may be, for a row of the table."""
        if kind.name != "ERB":
            return False
        start = mention.span.start
        before = source.data[max(0, start - 2 * _LONGEST) : start]
        if (match := _OF_OBJECT.search(before)) is not None:
            return _row(spelling).fullmatch(match[1]) is not None
        return _FIELD.search(before) is not None and self._may_be_of(source, start, spelling)

    def _may_be_of(self, source: SourceFile, at: int, spelling: Spelling) -> bool:
        where, heads = _heads(source)
        index = bisect_right(where, at) - 1
        if index >= 0:
            named = (match["name"] or match["last"] for match in _OBJECT.finditer(heads[index]))
            return any(_row(spelling).fullmatch(name.rpartition(b".")[2]) for name in named)
        folder = basename(dirname(source.path))
        if _row(spelling).fullmatch(folder.encode()):
            return True
        # A part of a form that another view opens: of the model that its directory is called after, or of any.
        return self._models.isdisjoint(model_names(folder)[1])


@lru_cache(maxsize=4)
def _heads(source: SourceFile) -> tuple[list[int], list[bytes]]:
    """Where forms are opened, and what is said of each."""
    found = list(_HEAD.finditer(source.data))
    return [match.end() for match in found], [match["about"] for match in found]


@cache
def _row(spelling: Spelling) -> re.Pattern[bytes]:
    """A variable that holds a row: user, current_user."""
    return re.compile(rb"(?:\w+_)?" + spelling.instance)
