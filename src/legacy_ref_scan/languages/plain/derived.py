"""Names that a library makes of a column's: `plan_id_was`, `find_by_plan_id`, `findByPlanId`, and the property that
stands for it by convention, which for a column of one word is no mention (`Title`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from legacy_ref_scan.languages.plain.kinds import Kind
from legacy_ref_scan.languages.plain.spelling import Spelling
from legacy_ref_scan.model import Mention, SourceFile, Span

# ActiveModel::Dirty and ActiveModel::AttributeMethods; find_by_a_and_b is ActiveRecord's DynamicMatchers.
_RAILS = (
    rb"(?<![A-Za-z0-9_])(?:(?:saved_changes?_to_|will_save_change_to_|attribute_change_to_|restore_|clear_)?"
    rb"(?P<a>%(snake)s)_(?:was|changes?|changed|previously_changed|previously_was|previous_change|before_last_save|"
    rb"in_database|will_change|before_type_cast|change_to_be_saved|came_from_user|for_database)"
    rb"|(?:saved_change_to_|will_save_change_to_|restore_|clear_)(?P<b>%(snake)s)"
    rb"|(?:find|find_or_create|find_or_initialize)_by_(?:\w{1,120}_and_)?(?P<c>%(snake)s)(?:_and_\w+)?)(?![A-Za-z0-9_])"
)
# Spring Data, "Query Methods"; Micronaut Data has the same names.
_SPRING = (
    rb"(?<![A-Za-z0-9_])(?:find|read|get|query|search|stream|count|exists|delete|remove)\w{0,80}?By"
    rb"(?:\w{1,120}?(?:And|Or|OrderBy))?(?P<a>%(camel)s)(?=[A-Z(]|\b)"
)
# Eloquent's dynamic wheres, Doctrine's magic finders.
_PHP = rb"(?:\bor|\b)(?:[wW]here|findBy|findOneBy|countBy)(?P<a>%(camel)s)(?=\()"
_PROPERTY = rb"(?<![A-Za-z0-9_.])(?P<a>%(camel)s)(?=\s*(?:\{|=>|;|,|\)|=))"
_FORMS = {
    **dict.fromkeys(("Ruby", "ERB"), _RAILS),
    **dict.fromkeys(("Java", "Kotlin", "Groovy"), _SPRING),
    "PHP": _PHP,
    "C#": _PROPERTY,
}


@cache
def _pattern(form: bytes, column: str) -> re.Pattern[bytes]:
    snake = column.encode("utf-8", "surrogateescape")
    camel = b"".join(word[:1].upper() + word[1:] for word in snake.split(b"_"))
    return re.compile(form % {b"snake": re.escape(snake), b"camel": re.escape(camel)})


def derived(source: SourceFile, kind: Kind, spelling: Spelling) -> Iterator[Mention]:
    """The columns' names inside such names, as mentions of the columns."""
    form = _FORMS.get(kind.name)
    if form is None:
        return
    for column in sorted(spelling.names.columns):
        for match in _pattern(form, column).finditer(source.data):
            start, end = next(match.span(group) for group in match.groupdict() if match[group] is not None)
            yield Mention(Span(source.path, start, end), column, "column")
