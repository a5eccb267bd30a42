"""Signs that a column's name in unparsed code is the table's: `campaign_phases.error_message`, a query on the model,
an attribute of a row.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cache, lru_cache

from legacy_ref_scan.languages.plain.kinds import Kind
from legacy_ref_scan.languages.plain.spelling import Spelling, is_telling
from legacy_ref_scan.model import Mention, SourceFile

REACH = 400  # bytes from a query's model to a column
_DYNAMIC = frozenset({"Ruby", "ERB", "Elixir", "PHP", "JavaScript", "Groovy", "Perl", "Lua", "template"})
_BY_VERBS = frozenset({"Ruby", "ERB", "PHP"})
_LONG_LINE = 4000
_COMPILED = frozenset({"Java", "Kotlin", "Scala", "C#", "Rust", "Swift", "Haskell", "Dart", "C", "JavaScript"})
_STRING = re.compile(rb"""\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\\n]|\\.)*`""")
_IN_EXPRESSION = re.compile(rb"\$\{[^}`]*\Z")
_QUOTE = rb"[\"'`\]\[]*"
# A text for people, looked up by its name.
_LOOKED_UP = re.compile(rb"(?:\b(?:t|I18n\.t|translate|__|trans|i18n|gettext)|\$t)[ \t(]*[\"'][\w.]*\Z")
# What ends the statement that a query's model stands in.
_BREAK = re.compile(
    rb"\n[ \t]*\r?\n|\n[ \t]*(?:end|def|fn|func|function|public|private|class|module|do|else)\b|;[ \t]*\r?\n|\n[ \t]*\}"
)


# Spring Data, Micronaut Data.
_SPRING = frozenset({"Java", "Kotlin", "Groovy"})
_REPOSITORY = re.compile(rb"\binterface\s+\w+\s*(?:extends|:)\s*[^{]*?Repository\s*<\s*(?:[\w.]+\.)?(\w+)")
_ASSOCIATION = re.compile(
    rb"\bhas_(?:many|one)[ \t(]+:\w+\b(?:[^\n]*,[ \t]*\n)*[^\n]*\Z|->has(?:Many|One)\([^()]*\Z"
    rb"|\bbelongs_to[ \t(]+:\w+\b(?:[^\n]*,[ \t]*\n)*[^\n]*\b(?:counter_cache|primary_key|touch):[ \t]*[:\"']?\Z"
)


@cache
def _associated(spelling: Spelling) -> re.Pattern[bytes]:
    """An association with the table, by its name or its class."""
    return re.compile(
        rb"\b(?:has_(?:many|one)|belongs_to)[ \t(]+:" + spelling.instance
        + rb"\b|\bclass_name:[ \t]*[\"'](?:\w+::)*" + spelling.model + rb"[\"']|\b" + spelling.model + rb"::class"
    )  # fmt: skip


@cache
def _qualified(spelling: Spelling) -> re.Pattern[bytes]:
    """The table, then whatever joins it to its column: `.`, `::`, `"a"."b"`, `:a, :b`."""
    joints = [_QUOTE + rb"(?:\.|::)" + _QUOTE, _QUOTE + rb",[ \t]*[:\"'`]"]
    if spelling.telling:  # `users/name` is a path, `users, name` two variables
        joints.append(_QUOTE + rb"[/:,][ \t]*" + _QUOTE)
    return re.compile(rb"(?<![\w-])" + spelling.folded_table + rb"(?:" + b"|".join(joints) + rb")\Z")


@cache
def _query(spelling: Spelling) -> re.Pattern[bytes]:
    """A model that something is asked of, or that is handed to what asks."""
    verbs = rb"(?:from|in|join|on|Repository|repository|model|query|select|Query|get|find|insert|update|of|new|count)"
    calls = rb"(?:find|create|update|delete|upsert|count|aggregate|groupBy|query|insert|select|where)\w*"
    model = spelling.model + rb"(?:Entity|Model|s|Record)?"
    return re.compile(
        rb"\b" + model + rb"(?:\.|::|->)(?!class\b)\w+"
        rb"|\b" + verbs + rb"[ \t]*[(<\[]?[ \t]*\w{0,2}[ \t]*" + model + rb"\b(?![\w.:]*\()"
        rb"|\." + spelling.instance + rb"\s*\.\s*" + calls + rb"\s*\("
        rb"|[:\"']" + spelling.instance + rb"[\"']?\)?\s*\.permit\("
        # Ruby: `expect(user: [:title])`, `create(:user, title: 1)`, `json.extract! user, :title`, `users: { title: 1 }`
        rb"|\.expect\(\s*" + spelling.instance + rb":"
        rb"|\b(?:create|build|insert|attributes_for|params_for)\w*[ \t(]+:" + spelling.instance + rb"\b"
        # Ecto: `%User{title: 1}`, `change(post.user, title: 1)`
        rb"|%(?:\w+\.)*" + spelling.model + rb"\{|\bchange\(\s*(?:\w+\.)*" + spelling.instance + rb"\s*,"
        rb"|\bjson\.(?:extract!|\()[ \t(]*@?" + spelling.instance + rb"\b"
        rb"|\b(?:where|rewhere|not|find_by!?|order|create\w*!?)\([^()\n]*\b" + spelling.instance + rb":\s*\{"
    )


_VERBS = (
    rb"(?:update\w*|assign_attributes|attributes|where\w*|rewhere|orWhere\w*|find_\w+|create\w*|insert\w*|upsert\w*|"
    rb"pluck|pick|order\w*|reorder|group\w*|select\w*|sum|average|minimum|maximum|increment\w*|decrement\w*|toggle\w*|"
    rb"slice|fill|forceFill|touch|read_attribute|write_attribute|findBy|findOneBy|firstWhere|sortBy\w*|value|latest|"
    rb"oldest|has_attribute\?|attribute_present\?|not|in_order_of)"
)


@cache
def _asked(rows: bytes) -> re.Pattern[bytes]:
    """A verb of an ORM that is asked of a row, or of several; `users(:ann)` is a row of Rails' fixtures."""
    return re.compile(
        rb"(?<![\w.\"'>])(?:[@$]|[a-z]+_)?(?:this->)?" + rows + rb"(?:Repository|Query|\(:\w+\))?(?:&?\.|->|\?->)"
        + _VERBS + rb"!?[ \t(]"
    )  # fmt: skip


# What a program hands a table's name to, when a query begins: knex("users"), ->table('users'), from(u in "users".
_NO_QUERY = (
    rb"(?:t|I18n|translate|__|trans|describe|context|it|test|require\w*|import|render\w*|path|route|url|log\w*|get|post|"
    rb"put|push|patch|Link|to|match|assigns|dig|safe_dig|fetch|key\?|delete|has_key\?)"
)


@cache
def _begun(spelling: Spelling) -> re.Pattern[bytes]:
    """A call that is given the table's name as a text."""
    return re.compile(
        rb"(?<!\w)(?!"
        + _NO_QUERY
        + rb"\s*\()\w+[!?]?\s*(?:<[^<>()]*>|\[[^\[\]()]*\])?[(\[]\s*(?:\w+\s*(?:,|\bin\b)\s*)?[\"'`:](?:\w+\.)?"
        + spelling.table
        + rb"(?:\s+(?:as\s+)?\w+)?[\"'`\])]"
        rb"|\b(?:from|in|into|table|insert_all|update_all|join)[ \t(]+[\"']" + spelling.table + rb"[\"']"
    )


_BOUND = (
    rb"(?:(?:^|[\s({;])(?P<set>[@$]?[a-z_]\w*)[ \t]*=[ \t]*%(rows)s(?:%(chain)s)*(?=\s|;|$)"
    rb"|%(rows)s(?:%(chain)s)*[ \t]*(?:do|\{)[ \t]*\|[ \t(]*(?P<block>[a-z_]\w*)"
    rb"|\bforeach\s*\(\s*%(rows)s[ \t]+as[ \t]+(?:\$\w+[ \t]*=>[ \t]*)?(?P<each>\$\w+)\s*\)"
    # PHP: a parameter or a property of the class, `@var User $u`
    rb"|(?<![\w\\])\\?(?:[\w\\]+\\)?%(class)s(?:\|null)?[ \t]+(?P<typed>\$\w+))"
)
# What hands on rows of the table it is asked of.
_CHAIN = (
    rb"\s*(?:&?\.|->|::)(?:all|where|not|order\w*|limit|offset|find\w*|each\w*|map|flat_map|select|filter|reject|first\w*|"
    rb"last|take|new|create|build|sort_by|includes|joins|left_joins|preload|eager_load|in_batches|to_a|reverse|compact|"
    rb"uniq|lock|query|get|with|orWhere\w*|latest|oldest|unscoped|distinct|group_by|index_by|partition|any\?|all\?|sum)[!?]?"
    rb"(?:\((?:[^()\n]|\([^()\n]*\))*\))?"
)


@cache
def _binding(spelling: Spelling) -> re.Pattern[bytes]:
    """A variable that is given a row, or rows, of the table."""
    rows = (
        rb"(?<![\w.])(?:(?:(?:\w+::)*" + spelling.model + rb"|[@$]?(?:\w+_)?" + spelling.instance + rb")\b"
        rb"|DB(?:::table\([\"']" + spelling.table + rb"[\"']\)|\[:" + spelling.table + rb"\]))"
    )  # fmt: skip
    return re.compile(_BOUND % {b"rows": rows, b"chain": _CHAIN, b"class": spelling.model}, re.MULTILINE)


@lru_cache(maxsize=4)
def _bound(source: SourceFile, spelling: Spelling) -> tuple[list[int], list[bytes]]:
    """Where variables are given rows of the table, and which."""
    found = [
        (match.end(), next(group for group in match.groups() if group))
        for match in _binding(spelling).finditer(source.data)
    ]
    return [at for at, _ in found], [name for _, name in found]


_FAR = 1500  # bytes from where a variable is given a row to where it is used


@cache
def _attribute(rows: bytes, reached: bool) -> re.Pattern[bytes]:
    """A row, then what takes an attribute of it. `reached`: the row may be one that another has."""
    joint = rb"(?:&?\.|->|\?\.|\?->|!\.|\[[ \t]*[:\"']{0,2})"
    made = rb"(?:saved_changes?_to_|will_save_change_to_|attribute_change_to_|restore_|clear_)?"  # see derived.py
    owner = rb"(?<![\w.\"'])" + (rb"(?:[@$]?\w[\w.&>-]{0,60}(?:&?\.|\??->))?" if reached else b"")
    return re.compile(
        owner
        + rb"(?:[@$]|[a-z]+_)?"
        + rows
        + rb"\)?(?:\.(?:reload|first!?|last!?|take|decorate))?"
        + joint
        + made
        + rb"\Z"
    )


def is_bare(source: SourceFile, kind: Kind, mention: Mention) -> bool:
    """Whether an everyday word is an identifier of a language whose compiler ties it to what it belongs to.

    There a model declares the column, and the rest breaks when that declaration goes; only texts escape the compiler.
    """
    if kind.name not in _COMPILED or is_telling(mention.name):
        return False
    start, end = mention.span.start, mention.span.end
    if source.data[start - 1 : start].isalpha():
        return False  # in the name of a query, which a library reads
    path = source.data[start - 2 : start] == b"::" or source.data[start:end].isupper()  # Diesel, jOOQ
    return not path and not _is_quoted(source, kind, start, end)


def _is_quoted(source: SourceFile, kind: Kind, start: int, end: int) -> bool:
    data = source.data
    if kind.name == "JavaScript" and _IN_EXPRESSION.search(data, max(0, start - REACH), start):
        return False
    line, stop = data.rfind(b"\n", 0, start) + 1, data.find(b"\n", end)
    if (stop if stop >= 0 else len(data)) - line > _LONG_LINE:
        return True  # nobody writes such a line by hand, and to look through it again and again would take long
    for match in _STRING.finditer(data, line, stop if stop >= 0 else len(data)):
        if match.start() < start and end < match.end():
            return True
    quotes = _long_quotes(source, b"`" if kind.name == "JavaScript" else b'"""')
    return bisect_right(quotes, start) % 2 == 1


@lru_cache(maxsize=4)
def _long_quotes(source: SourceFile, quote: bytes) -> list[int]:
    """Where the quotes stand that may hold several lines."""
    return [match.start() for match in re.finditer(re.escape(quote), source.data)]


def sign(source: SourceFile, kind: Kind, mention: Mention, spelling: Spelling) -> tuple[str, str] | None:
    """(reason, message) of a gap where a column's name is tied to the table; None where nothing says so."""
    data, start, end = source.data, mention.span.start, mention.span.end
    before = data[max(0, start - REACH) : start]
    if is_qualified(data, start, end, spelling):
        return "qualified-name", f"{mention.name} stands behind the name of its table"
    if kind.name in _DYNAMIC:
        called = data[end : end + 1] == b"("  # a function of the program's own
        for rows in (spelling.instance, *_variables(source, kind, start, spelling)):
            if _attribute(rows, kind.name in _BY_VERBS).search(before[-160:]):
                return "row-attribute", f"an attribute of what is called like a row of the table: {mention.name}"
            if kind.name in _BY_VERBS and not called and _is_reached(_asked(rows), before):
                return "model-query", f"{mention.name} stands in what is asked of rows of its table"
    elif kind.name in _SPRING and _is_asked_by_name(source, start, spelling):
        return "model-query", f"{mention.name} is a part of the name of a query on its table"
    if kind.name == "Ruby" and _is_delegated(data, start, end, spelling):
        return "row-attribute", f"{mention.name} is handed on from a row of the table"
    if kind.name in _BY_VERBS and _is_handed_over(source, start, spelling):
        return "listed-for-table", f"{mention.name} stands in a list that is handed to what is asked of its table"
    if (match := _ASSOCIATION.search(before)) is not None and _associated(spelling).search(match[0]):
        return "association", f"{mention.name} is the key of an association with its table"
    if _is_reached(_query(spelling), before):
        return "model-query", f"{mention.name} stands in what is asked of the model of its table"
    if is_begun(source, mention, spelling):
        return "model-query", f"{mention.name} stands in a query that begins with its table"
    return None


_LIST = re.compile(rb"(?<![\w.])([$@]?\w+)[ \t]*=[ \t]*(?:%[wi]?[\[({]|\[|array\()[^\])}=]*\Z")


def _is_handed_over(source: SourceFile, start: int, spelling: Spelling) -> bool:
    """`attrs = %w[id title]`, and `User.select(*attrs)` somewhere in the file."""
    match = _LIST.search(source.data, max(0, start - REACH), start)
    return match is not None and _is_taken(source, match[1], spelling)


@lru_cache(maxsize=16)
def _is_taken(source: SourceFile, variable: bytes, spelling: Spelling) -> bool:
    return _handing(variable, spelling).search(source.data) is not None


@cache
def _handing(variable: bytes, spelling: Spelling) -> re.Pattern[bytes]:
    return re.compile(
        rb"\b(?:" + spelling.model + rb"|[@$]?" + spelling.instance + rb")(?:\.|->|::)[^\n]{0,200}?[(\[ ]\*{0,2}"
        + re.escape(variable) + rb"\b|\(:" + spelling.instance + rb"\)\.permit\(\*?" + re.escape(variable) + rb"\b"
    )  # fmt: skip


_DELEGATE = re.compile(rb"\bdelegate\b(?:[^\n]*,[ \t]*\n)*[^\n]*\Z")


def _is_delegated(data: bytes, start: int, end: int, spelling: Spelling) -> bool:
    """`delegate :title, to: :user`."""
    if _DELEGATE.search(data, max(0, start - REACH), start) is None:
        return False
    to = re.match(rb"(?:[^\n]*,[ \t]*\n)*?[^\n]*?\bto:[ \t]*:(\w+)", data[end : end + REACH])
    return to is not None and re.fullmatch(spelling.instance, to[1]) is not None


def _is_asked_by_name(source: SourceFile, start: int, spelling: Spelling) -> bool:
    """Whether a part of a word, as in `findByPlanId`, stands in the repository of the table's rows."""
    if not source.data[start - 1 : start].isalpha():
        return False
    where, classes = _repositories(source)
    index = bisect_right(where, start) - 1
    return index >= 0 and spelling.is_model(classes[index])


@lru_cache(maxsize=4)
def _repositories(source: SourceFile) -> tuple[list[int], list[bytes]]:
    """Where the interfaces of repositories begin, and the classes of their rows."""
    found = list(_REPOSITORY.finditer(source.data))
    return [match.start() for match in found], [match[1] for match in found]


def is_begun(source: SourceFile, mention: Mention, spelling: Spelling) -> bool:
    """Whether a column stands, as a text or a key, in what goes on from a call that is given the table's name."""
    data, start, end = source.data, mention.span.start, mention.span.end
    if data[start:end] != mention.name.encode("utf-8", "surrogateescape") or not _is_text_or_key(data, start, end):
        return False
    return _is_reached(_begun(spelling), data[max(0, start - REACH) : start])


def _is_text_or_key(data: bytes, start: int, end: int) -> bool:
    after = data[end : end + 4].lstrip(b" ")
    if after.startswith((b":", b"=>")) and not after.startswith(b"::"):
        return True
    return data[start - 1 : start] in (b'"', b"'", b"`", b":", b",", b" ", b".") and not after.startswith((b"(", b"."))


def _is_reached(pattern: re.Pattern[bytes], before: bytes) -> bool:
    asked = [match.end() for match in pattern.finditer(before)]
    return bool(asked) and not _BREAK.search(before, asked[-1])


def _variables(source: SourceFile, kind: Kind, at: int, spelling: Spelling) -> list[bytes]:
    """Patterns for the variables that were given rows of the table not far above."""
    if kind.name not in _BY_VERBS:
        return []
    where, names = _bound(source, spelling)
    first, last = bisect_left(where, at - _FAR), bisect_right(where, at)
    return [re.escape(name) for name in sorted(set(names[first:last]))]


def is_qualified(data: bytes, start: int, end: int, spelling: Spelling) -> bool:
    """Whether the table's name stands right in front of the column's."""
    before = data[max(0, start - 90) : start]
    match = _qualified(spelling).search(before)
    if match is None:
        return False
    if re.match(rb"[\"'`]?\.\w|-\w", data[end : end + 3]) and not before.endswith(b"::"):
        return False  # a longer path: of a file, of a text in a translation
    return _LOOKED_UP.search(before[: match.start()]) is None
