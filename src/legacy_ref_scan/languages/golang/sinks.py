"""Who receives text in Go: tables of functions and methods, no logic beyond look-ups."""

from __future__ import annotations

import re
from functools import lru_cache

AFTER_CONTEXT = -1
"""The query is the first argument, or the second where the first is a context."""

# Method -> index of the argument that is SQL, whatever the receiver: database/sql, sqlx, pgx, gorm, bun, scany.
SQL_METHODS: dict[str, int] = {
    "Query": AFTER_CONTEXT,
    "QueryRow": AFTER_CONTEXT,
    "Exec": AFTER_CONTEXT,
    "Prepare": AFTER_CONTEXT,
    "QueryContext": 1,
    "QueryRowContext": 1,
    "ExecContext": 1,
    "PrepareContext": 1,
    "Queryx": 0,
    "QueryRowx": 0,
    "QueryxContext": 1,
    "QueryRowxContext": 1,
    "Preparex": 0,
    "PreparexContext": 1,
    "PrepareNamed": 0,
    "PrepareNamedContext": 1,
    "NamedExec": 0,
    "NamedExecContext": 1,
    "NamedQuery": 0,
    "NamedQueryContext": 1,
    "MustExec": 0,
    "MustExecContext": 1,
    "Get": 1,
    "Select": 1,
    "GetContext": 2,
    "SelectContext": 2,
    "QueryFunc": 1,
    "Queue": 0,
    "Raw": 0,
    "NewRaw": 0,
    "ExecMultiContext": 1,
    "ExpectQuery": 0,
    "ExpectExec": 0,
    "ExpectPrepare": 0,
}
# A text that is followed from function to function: a statement, a clause, an operator, or names without prose.
_STATEMENT = re.compile(rb"(?i)\b(?:select|insert\s+into|update|delete\s+from|from|where|join|returning|alter|copy)\b")
_CLAUSE = re.compile(
    rb"(?i)\b(?:set|values|into|order|group|by|having|limit|union|and|or|not|is|in|like|ilike|as|on|asc|desc|using|with|"
    rb"table|truncate|create|drop|exists|between|case|when|then|else|coalesce|distinct|over|null|index|trigger|merge)\b"
    rb"|[=<>]|::"
)
_NO_SQL = re.compile(rb"[\w\]\x1a][/@]|/[\w\x1a]|://|\{\{|%2F|^\W*$")
# Each item of the list may have an alias: `campaign_phases AS cp`.
_ITEM = rb"[^\s,]+(?:\s+[^\s,]+){0,2}"
_NAMES_ONLY = re.compile(rb"\s*" + _ITEM + rb"(?:\s*,\s*" + _ITEM + rb")*\s*,?\s*$")


@lru_cache(maxsize=100_000)
def may_be_sql(text: bytes) -> bool:
    """Whether a text that holds a name may be SQL or a part of it; prose, URLs and paths are not."""
    if _STATEMENT.search(text):
        return True
    if _NO_SQL.search(text):
        return False
    return _CLAUSE.search(text) is not None or _NAMES_ONLY.match(text) is not None


# Text for machines: JSON, URLs, routes, git references.
_DATA = re.compile(rb'^\s*[\[{]\s*[{"]|"\s*:\s*["\d{\[tfn]|^\w*://')
_PATH = re.compile(rb"[\w.*:%{}@/-]*/[\w.*:%{}@/-]*$")
_LONG_PATH = re.compile(
    rb"[\w.:%{}@-]*(?:/[A-Za-z%{.][\w.:%{}@-]*){2,}/?$|[\w.-]*\.(?:com|org|net|io|dev|to)/|/[^\s,()]*[?&]\w+="
)
# Text for people: punctuation that SQL does not know outside of quotes, the small words of English, or many words in a
# row of which none is a keyword. Columns are called `failed` and `found`, tables have the aliases `a` and `an`.
_WORD = (
    rb"(?!(?:set|values|into|order|group|by|having|limit|union|and|or|not|is|in|i?like|as|on|asc|desc|using|with|table|"
    rb"exists|between|case|when|then|else|distinct|over|null|default|add|column|type|check|unique|references|collate|"
    rb"only|natural|cross|left|right|full|inner|outer|lateral|for|of|to|at|time|zone|varying|precision)\b)[A-Za-z]+\b"
)
_PROSE = re.compile(
    rb"(?i)\w[:!?]\s|\w\.\s+[A-Z][a-z]|(?:\b[a-z]+\s){3}[a-z]+\.$|(?<!:):$|\w[!?]$|%w|\w'(?:t|s)\s|"
    rb"\b(?:the|has|have|was|were|are|be|been|cannot|does|did|should|must|this|that|but|its|it|you|your)\b|"
    rb"(?:\b" + _WORD + rb"\s+){3}" + _WORD
)
_SIGNS = re.compile(rb"[=<>|*]|::|--")


def is_path(text: bytes) -> bool:
    """A path, a route or a git reference; one division looks the same."""
    return _PATH.match(text) is not None and _STATEMENT.search(text) is None


def _is_prose(text: bytes) -> bool:
    return _PROSE.search(text) is not None and _SIGNS.search(text) is None


def may_hold_column(text: bytes) -> bool:
    """Whether a text that holds the column's name may become SQL, with other texts around it."""
    if _STATEMENT.search(text):
        return True
    return not (_DATA.search(text) or _LONG_PATH.match(text) or _is_prose(text))


def may_name_table(text: bytes) -> bool:
    """The same for a text that holds the table's name and not the column's: that is no operand of a division."""
    return _STATEMENT.search(text) is not None or not (_NO_SQL.search(text) or _DATA.search(text) or _is_prose(text))


# The methods whose first argument has a meaning of its own for unrelated types (url.Values.Get, js.Select): the query
# must look like one.
LOOSE_METHODS = frozenset(("Get", "Select", "Raw", "Queue", "Query", "Exec"))

# Full name -> index of the query, which is also the result: these hand SQL through.
PASS_THROUGH: dict[str, int] = {
    "Rebind": 0,
    "In": 0,
    "Named": 0,
    "BindNamed": 0,
}

# Functions by import path and name -> index of the SQL argument (sqlx, pgx, scany as packages).
SQL_FUNCTIONS: dict[str, int] = {
    "github.com/jmoiron/sqlx.Get": 2,
    "github.com/jmoiron/sqlx.GetContext": 3,
    "github.com/jmoiron/sqlx.Select": 2,
    "github.com/jmoiron/sqlx.SelectContext": 3,
    "github.com/jmoiron/sqlx.NamedExec": 1,
    "github.com/jmoiron/sqlx.NamedExecContext": 2,
    "github.com/jmoiron/sqlx.NamedQuery": 1,
    "github.com/jmoiron/sqlx.NamedQueryContext": 2,
    "github.com/jmoiron/sqlx.MustExec": 1,
    "github.com/jmoiron/sqlx.Preparex": 1,
    "github.com/georgysavva/scany/v2/pgxscan.Get": 3,
    "github.com/georgysavva/scany/v2/pgxscan.Select": 3,
    "github.com/georgysavva/scany/pgxscan.Get": 3,
    "github.com/georgysavva/scany/pgxscan.Select": 3,
    "github.com/georgysavva/scany/v2/sqlscan.Get": 3,
    "github.com/georgysavva/scany/v2/sqlscan.Select": 3,
}

_TEXT_PACKAGES = (
    "log",
    "log/slog",
    "errors",
    "github.com/pkg/errors",
    "golang.org/x/xerrors",
    "go.uber.org/zap",
    "github.com/rs/zerolog",
    "github.com/rs/zerolog/log",
    "github.com/sirupsen/logrus",
    "k8s.io/klog",
    "k8s.io/klog/v2",
    "github.com/golang/glog",
    "google.golang.org/grpc/status",
    "github.com/friendsofgo/errors",
)
_TEXT_FUNCTIONS = frozenset(("fmt.Errorf", "fmt.Print", "fmt.Printf", "fmt.Println", "panic", "print", "println"))
_TEXT_METHODS = frozenset(
    "Errorf Fatalf Fatal Logf Log Skipf Skip Error Errorw Errorln Info Infof Infow Infoln Warn Warnf Warnw Warning "
    "Warningf Debug Debugf Debugw Trace Tracef Print Printf Println Panic Panicf Fatalln Msg Msgf Str InfoContext "
    "ErrorContext WarnContext DebugContext ErrorContextf InfoContextf Helper Notice Noticef Critical Criticalf "
    "WithField WithFields WithError WithValues".split()
)


def is_text_function(full_name: str) -> bool:
    """A function of a package whose text is for people: logs, errors."""
    return full_name in _TEXT_FUNCTIONS or full_name.rpartition(".")[0] in _TEXT_PACKAGES


# The standard library's packages that hand a text on, or run it; no other makes SQL of one.
_ACTIVE = frozenset(
    "bufio bytes container context database errors flag fmt io iter maps reflect slices sort strings sync text "
    "unsafe".split()
)
_LOOKS = frozenset("Contains ContainsAny HasPrefix HasSuffix EqualFold Index LastIndex Count Compare".split())
_INERT = (
    "cloud.google.com/go/logging", "github.com/99designs/gqlgen/", "github.com/DATA-DOG/go-sqlmock",
    "github.com/fatih/color", "github.com/getsentry/", "github.com/gin-gonic/", "github.com/go-chi/",
    "github.com/go-logr/", "github.com/go-playground/", "github.com/go-redis/", "github.com/gofiber/",
    "github.com/golang-jwt/", "github.com/golang/protobuf", "github.com/google/go-cmp", "github.com/gorilla/",
    "github.com/hashicorp/go-hclog", "github.com/labstack/echo", "github.com/onsi/", "github.com/prometheus/",
    "github.com/redis/", "github.com/rs/cors", "github.com/spf13/cobra", "github.com/spf13/pflag",
    "github.com/stretchr/testify", "github.com/tidwall/", "github.com/urfave/cli", "go.opencensus.io",
    "go.opentelemetry.io/", "go.uber.org/mock", "go.uber.org/zap", "golang.org/x/net", "golang.org/x/oauth2",
    "golang.org/x/text", "golang.org/x/tools", "google.golang.org/", "gopkg.in/yaml", "gotest.tools/", "k8s.io/klog",
)  # fmt: skip
# `proto.String("x")` is a pointer to the text, `wrapperspb.String("x")` a box around it; what replaces a part of a text
# is in the result.
_BOXES = frozenset(("String", "StringPtr", "StringValue", "Ptr", "Pointer", "To", "Of", "Bytes"))


def is_inert(path: str, name: str) -> bool:
    """Whether a function or method of a package makes no SQL of a text: it compares, encodes, measures or sends it."""
    first = path.partition("/")[0]
    if path in ("strings", "bytes"):
        return name in _LOOKS
    inert = path.startswith(_INERT) if "." in first else bool(first) and first not in _ACTIVE
    return inert and path != "os/exec" and name not in _BOXES and not name.startswith(("Replace", "Expand"))


# What a module's path or a call's arguments say of it where it may hand a name to a database: drivers, mappers, pagers.
_DATABASE_WORDS = re.compile(
    r"(?i)sql|db|data|postgres|pg|pq|orm|query|builder|crud|dal|dao|repo|stor|migrat|model|record|table|schema|entity|"
    r"squirrel|/ent|jet|bun|scan|dbr|upper|goqu|rel|persist|mapper|filter|pag(?:e|ina)|sort|order|criteria|search|rql|"
    r"aip|graph|grid|report|column|struct|reflect|(?<!html/)template|config"
)
_HANDLE = re.compile(r"(?i)(?:^|[^a-z])(?:\w*db|tx|conn\w*|pool|quer\w+|sql\w*|\w*store|\w*repo\w*)\b")


def is_aside(path: str, call: str) -> bool:
    """Whether a module of others has nothing to do with a database, as far as its path and the call say."""
    foreign = "." in path.partition("/")[0]
    return foreign and _DATABASE_WORDS.search(path) is None and _HANDLE.search(call) is None


COMMAND_METHODS = frozenset(("Do", "Send", "DoContext", "SendContext"))
"""Methods of Redis' connections: a command, then its arguments."""
COMMAND_PACKAGES = ("github.com/gomodule/redigo", "github.com/garyburd/redigo")

MOCKED_DATABASE = re.compile(r"(?:^|/)(?:go-)?(?:sqlx?|pgx)mock(?:[./]v\d+)?$")
"""Import paths of mocked databases."""
VALUES_OF_MOCKS = frozenset(("WithArgs", "AddRow", "WillReturnResult", "WillReturnError"))
"""Methods of a mocked database whose arguments are values of parameters and columns."""

INERT_BUILTINS = frozenset(("len", "cap", "delete", "min", "max"))


_CONTEXT = re.compile(rb"(?i)\w*ctx\w*$|(?:[\w.]*\.)?\w*context(?:\(\)|\.\w+\(\))?$")


def is_context(written: bytes) -> bool:
    """Whether an argument is a context, as far as its spelling says."""
    return _CONTEXT.match(written) is not None


_LOGGERS = frozenset("log logs logger loggers logging zlog xlog glog slog".split())


def is_logger(path: str, name: str) -> bool:
    """Whether a function or method of a package of the project is a logger's, by the names of both."""
    return path.rpartition("/")[2] in _LOGGERS and name in _TEXT_METHODS


def is_text_method(name: str) -> bool:
    """A method of a logger or of `testing.T`."""
    return name in _TEXT_METHODS


_DRIVERS = ("database/sql", "github.com/jackc/pgx", "github.com/jmoiron/sqlx", "github.com/lib/pq")
BUILDER_PACKAGES: dict[str, str] = {
    "github.com/Masterminds/squirrel": "squirrel",
    "gopkg.in/Masterminds/squirrel": "squirrel",
    "github.com/doug-martin/goqu": "goqu",
    "github.com/uptrace/bun": "bun",
    "gorm.io/gorm": "gorm",
    "github.com/jinzhu/gorm": "gorm",
    "xorm.io/xorm": "xorm",
    "xorm.io/builder": "xorm",
    "github.com/go-xorm/xorm": "xorm",
    "github.com/go-pg/pg": "go-pg",
    "github.com/upper/db": "upper",
    "github.com/go-jet/jet": "jet",
    "github.com/gocraft/dbr": "dbr",
    "github.com/keegancsmith/sqlf": "sqlf",
    "github.com/gobuffalo/pop": "pop",
    "github.com/ory/pop": "pop",
    "github.com/huandu/go-sqlbuilder": "sqlbuilder",
    "github.com/volatiletech/sqlboiler": "sqlboiler",
    "entgo.io/ent/dialect/sql": "ent",
    "github.com/stephenafamo/bob": "bob",
    "github.com/beego/beego/v2/client/orm": "beego",
    "github.com/beego/beego/v2/adapter/orm": "beego",
    "github.com/beego/beego/orm": "beego",
    "github.com/astaxie/beego/orm": "beego",
}


@lru_cache(maxsize=4096)
def builder_of(import_path: str) -> str:
    """The query builder or ORM that an import path belongs to; "" for none."""
    for prefix, library in BUILDER_PACKAGES.items():
        if import_path == prefix or import_path.startswith((prefix + "/", prefix + ".")):
            return library
    return ""


DATABASE_IMPORT = re.compile(
    "|".join(f'"{re.escape(path)}' for path in (*_DRIVERS, *BUILDER_PACKAGES)).encode()  # a path may go on: "/v5"
)
"""What a file holds that imports a driver, a query builder or an ORM."""
ASKS_DATABASE = re.compile(
    rb"\.(?:Exec|Query|QueryRow|Queryx|Prepare|NamedExec|CopyFrom|SendBatch|Raw|Create|Save|Insert|Select|Find|First|"
    rb"Updates?|Delete|Table|Where)(?:Context)?\("
)
"""What a file holds that sends statements to a database."""

BUILDER_METHODS = frozenset(
    "From Table Model Column Columns ColumnExpr Where Set Insert Update Delete Select OrderBy Order OrderExpr GroupBy "
    "Group GroupExpr Having Join LeftJoin RightJoin InnerJoin CrossJoin FullJoin Values Suffix SuffixExpr Prefix Into "
    "SetMap Returning PlaceholderFormat RunWith Limit Offset Distinct Options TableExpr WhereOr Or Not Joins Preload "
    "Omit Updates UpdateColumn UpdateColumns Pluck Assign Attrs Rows On Cols InsertInto DeleteFrom OnConflict With "
    "NewSelect NewInsert NewUpdate NewDelete NewCreateIndex NewDropColumn NewAddColumn FromSelect RemoveColumns "
    "JoinClause DoUpdate DoNothing Eq In Like Asc Desc As Clauses Session WithContext Unscoped Find First Last Take "
    "Scan Count SetColumn ExcludeColumn ModelTableExpr Relation Dialect OrderAppend SelectAppend Prepared ForUpdate "
    "C T I L Ex Collection SQL RawQuery Q LeftOuterJoin InTx Eager EagerPreload UpdateColumns UpdateQuery "
    "OrderDesc OrderAsc OrderDir Pair SelectFrom QueryTable".split()
)
BUILDER_ROOTS = frozenset(
    "Select Insert Update Delete Replace NewSelect NewInsert NewUpdate NewDelete NewRaw Table Model From Where".split()
)
