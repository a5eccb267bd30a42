"""What a rule is, once it is read: frozen values, and the words that a rule may choose from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from legacy_ref_scan.model import Sink, Target
from legacy_ref_scan.versions import Version

CONVENTIONS = (
    "golang-migrate",
    "goose",
    "sql-migrate",
    "dbmate",
    "tern",
    "flyway",
    "directories",
    "alembic",
    "django",
    "sqlc",
    "schema-file",
)
"""The names of `migrations.CONVENTIONS`, which a rule may choose from."""

KINDS = tuple(
    """api-schema batch c c# clojure configuration dart data dockerfile documentation elixir erb erlang fixture groovy
    haskell hcl java javascript json kotlin localization lookml lua make notebook perl php powershell prisma ruby rust
    scala script shell sqlc-configuration swift template text toml visual-basic xml yaml""".split()
)
"""The kinds of files besides Go, SQL and Python, of which `[scan.others]` speaks."""


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """The migration that a rule asks for. `directory` and `convention` are empty where they are to be detected."""

    version: Version | None = None
    name: str = ""
    directory: str = ""
    convention: str = ""
    lock_timeout: str = ""  # as PostgreSQL writes it, "5s"
    statement_timeout: str = ""
    guard: bool = False  # fail while a value remains


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What somebody has looked at and answers for.

    `path` is a glob as in .gitignore, `symbol` the enclosing function or SQL object ("" for any), `access` restricts
    it to one kind of reference (None: any, gaps too). It counts up to and including the day `expires`.
    """

    path: str
    symbol: str
    reason: str
    expires: date | None = None
    access: str | None = None
    line: int = field(default=0, compare=False)  # where the rule says so


@dataclass(frozen=True, slots=True)
class Others:
    """What the kinds of files besides Go, SQL and Python are worth; a kind in none of the three has its default.

    Those in `gate` count as code whatever they are, those in `listed` are in the accounting and never gate, those in
    `ignored` are not read.
    """

    gate: frozenset[str] = frozenset()
    listed: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()

    def strictest(self, other: Others) -> Others:
        """Of two rules, what asks for more: a kind gates if either says so, and is listed only if both do."""
        gate = self.gate | other.gate
        quiet, unread = self.listed | self.ignored, other.listed | other.ignored
        return Others(gate, ((quiet & unread) - gate) - (self.ignored & other.ignored), self.ignored & other.ignored)


@dataclass(frozen=True, slots=True)
class Parity:
    """A query for `verify`: the keys of the rows that lack what replaces the columns; none means that all is well.

    `of` counts the rows that the query is about ("": not counted). `name` is its identity, `description` says what
    holds of every row.
    """

    name: str
    query: str
    of: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule file, or the columns named on the command line. `source` says which, for people.

    `unqualified` are the targets whose schema nobody named: it is taken to be `public`.
    """

    source: str
    targets: tuple[Target, ...]
    replacement: str = ""
    migration: MigrationPlan | None = None
    search_path: tuple[str, ...] = ("public",)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tests: str = "gate"  # "gate" | "warn" | "ignore"
    star: str = "gate"  # "gate" | "show": SELECT * that is scanned by name
    shared: str = "show"  # "gate" | "show": what goes with the column and is about other columns too
    others: Others = Others()
    sinks: tuple[Sink, ...] = ()
    acknowledge: tuple[Acknowledgement, ...] = ()
    verify: tuple[Parity, ...] = ()
    unqualified: frozenset[Target] = frozenset()
