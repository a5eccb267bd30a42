"""What a text file is by its name and its first bytes, and what follows from it for a mention in the file."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from enum import Enum, auto

from legacy_ref_scan.languages.plain.comments import CHARACTERS

_HEAD = 4096


class Weight(Enum):
    """What a mention in a file of a kind is worth."""

    CODE = auto()  # runs or configures what runs: SQL is looked for, two names close together are a gap
    WEB = auto()  # a front end as often as a server: as CODE, if the file has to do with a database
    DATA = auto()  # SQL is looked for in its strings; names mean something only where one is said to be a table's
    GENERATED = auto()  # code that a tool wrote: SQL in its strings and declared models count
    INERT = auto()  # prose, schemas of an interface, locks, pictures: never a use


@dataclass(frozen=True, slots=True)
class Kind:
    """A file kind. `comments` are the names of comment syntaxes (see `comments.SYNTAXES`)."""

    name: str
    weight: Weight
    comments: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """How a rule calls the kind: `shell`, `api-schema`."""
        return self.name.removeprefix(_GENERATED).lower().replace(" ", "-")


_C = ("//", "/*")
_CHARS = (*_C, CHARACTERS)
_GENERATED = "generated "
_DOCUMENTATION = Kind("documentation", Weight.INERT, ("<!--",))
_SCHEMA = Kind("API schema", Weight.INERT)
_LOCALIZATION = Kind("localization", Weight.INERT)
_FIXTURE = Kind("fixture", Weight.INERT)

_CODE: dict[str, tuple[str, tuple[str, ...]]] = {
    "sh bash zsh ksh fish bats envrc": ("shell", ("#",)),
    "yml yaml": ("YAML", ("#",)),
    "toml": ("TOML", ("#",)),
    "ini cfg conf properties env hocon hjson": ("configuration", ("#", ";")),
    "tf hcl tfvars": ("HCL", ("#", *_C)),
    "rb rake gemspec ru jbuilder": ("Ruby", ("#",)),
    "erb haml slim": ("ERB", ("<!--",)),
    "java": ("Java", _CHARS),
    "kt kts": ("Kotlin", _CHARS),
    "scala sbt": ("Scala", _CHARS),
    "groovy gradle": ("Groovy", _C),
    "clj cljs edn": ("Clojure", (";",)),
    "php": ("PHP", ("#!", *_C)),
    "rs": ("Rust", _CHARS),
    "cs fs": ("C#", _CHARS),
    "vb": ("Visual Basic", ()),
    "ex exs eex heex leex": ("Elixir", ("#",)),
    "erl hrl": ("Erlang", ("%",)),
    "swift": ("Swift", _CHARS),
    "dart": ("Dart", _C),
    "c h cc cpp hpp cxx": ("C", _CHARS),
    "pl pm": ("Perl", ("#",)),
    "lua": ("Lua", ("--",)),
    "r jl nim cr robot": ("script", ("#",)),
    "hs elm": ("Haskell", ("--", CHARACTERS)),
    "ps1 psm1": ("PowerShell", ("#",)),
    "bat cmd": ("batch", ()),
    "tmpl tpl gotmpl j2 jinja jinja2 mustache hbs ejs liquid twig jsp ftl": ("template", ("{{/*", "{#", "--", "<!--")),
    "mk": ("make", ("#",)),
    "ipynb": ("notebook", ()),
    "prisma": ("Prisma", _C),
    "lookml lkml": ("LookML", ("#",)),
    "cue jsonnet libsonnet": ("configuration", _C),
}
_WEB: dict[str, tuple[str, tuple[str, ...]]] = {
    "ts mts cts tsx js mjs cjs jsx": ("JavaScript", _C),
    "vue svelte astro gjs gts": ("JavaScript", (*_C, "<!--")),
}
_DATA: dict[str, tuple[str, tuple[str, ...]]] = {
    "json json5 jsonc ndjson jsonl": ("JSON", ()),
    "xml": ("XML", ("<!--",)),
}
_INERT: dict[str, str] = {
    "md mdx markdown rst txt adoc asciidoc org tex html htm xhtml pod mermaid puml": "documentation",
    "proto graphql gql graphqls avsc thrift raml wsdl xsd": "API schema",
    "csv tsv svg css scss sass less map lock sum po pot snap log diff patch geojson har pem crt drawio": "data",
}
_NAMES: dict[str, tuple[str, tuple[str, ...]]] = {
    "makefile gnumakefile justfile": ("make", ("#",)),
    "dockerfile containerfile": ("Dockerfile", ("#",)),
    "jenkinsfile": ("Groovy", _C),
    "vagrantfile gemfile rakefile": ("Ruby", ("#",)),
    ".env": ("configuration", ("#",)),
    "procfile": ("configuration", ("#",)),
}
_DOCUMENTS = re.compile(
    r"(?:license|licence|changelog|changes|readme|notice|authors|contributing|copying|todo)\b", re.I
)
_LOCKS = frozenset({"package-lock.json", "pnpm-lock.yaml", "npm-shrinkwrap.json", "composer.lock", "yarn.lock"})
_TEXTS_OF_A_PROGRAM = re.compile(r"(?:^|/)(?:locales?|i18n|l10n|lang|langs|languages|translations?)/", re.I)
_PREPARED = re.compile(r"(?:^|/)(?:__)?(?:fixtures?|testdata|test-data|mocks|cassettes|seed-data)(?:__)?/", re.I)
_DATA_FORMATS = frozenset({"JSON", "YAML", "XML"})
_INTERFACE_NAME = re.compile(r"(?:open-?api|swagger|asyncapi)", re.I)
_INTERFACE_HEAD = re.compile(rb'^[ \t{]*"?(?:openapi|swagger|asyncapi)"?[ \t]*:[ \t]*["\']?\d', re.M)
_GENERATED_HEAD = re.compile(
    rb"code generated|@generated|do not (?:edit|modify)|auto-?generated|automatically generated", re.I
)
# A query in a text file, which a program reads and hands over.
_STATEMENT_HEAD = re.compile(
    rb"(?:\s+|--[^\n]*\n|\\\w+[^\n]*\n|/\*(?:[^*]|\*(?!/))*+\*/)*+"
    rb"(?:select\s+(?:distinct\s+)?[\w.*\"()]+(?:,|\s+(?:,|as\s|from\s))|insert\s+into\s|update\s+\S+\s+set\s"
    rb"|delete\s+from\s|with\s+\w+\s+as\s*\()",
    re.I,
)
_GENERATED_NAMES = (".min.js", ".d.ts", ".bundle.js")


def kind_of(path: str, data: bytes) -> Kind:
    """The kind of the file at `path` that holds `data`."""
    head = data[:_HEAD]
    kind = kind_by_path(path, head)
    if kind.weight is Weight.INERT:
        holds_sql = path.endswith(".txt") and _STATEMENT_HEAD.match(head)
        return Kind("text", Weight.CODE, ("#",)) if holds_sql else kind
    if kind.name in ("YAML", "JSON") and _INTERFACE_HEAD.search(head):
        return _SCHEMA
    minified = kind.weight is Weight.WEB and len(head) == _HEAD and b"\n" not in head
    if minified or _GENERATED_HEAD.search(head) or posixpath.basename(path).lower().endswith(_GENERATED_NAMES):
        return Kind(f"{_GENERATED}{kind.name}", Weight.GENERATED, kind.comments)
    return kind


def kind_by_path(path: str, head: bytes = b"") -> Kind:
    """The kind as far as the path tells it, and a script's first line in `head`."""
    kind = _by_name(posixpath.basename(path).lower(), head)
    if kind.weight is Weight.INERT:
        return kind
    if _INTERFACE_NAME.search(path):
        return _SCHEMA
    if kind.name in _DATA_FORMATS and _TEXTS_OF_A_PROGRAM.search(path):
        return _LOCALIZATION
    if kind.name in _DATA_FORMATS and _PREPARED.search(path):
        return _FIXTURE
    return kind


def treated(kind: Kind, gate: frozenset[str], listed: frozenset[str]) -> Kind:
    """The kind as a rule wants it: those in `gate` count as code, those in `listed` never gate."""
    if kind.slug in listed:
        return replace(kind, weight=Weight.INERT)
    if kind.slug in gate and kind.weight is not Weight.GENERATED:
        return replace(kind, weight=Weight.CODE)
    return kind


def _by_name(name: str, head: bytes) -> Kind:
    if name in _LOCKS:
        return Kind("data", Weight.INERT)
    if name in ("sqlc.yaml", "sqlc.yml", "sqlc.json"):
        return Kind("sqlc configuration", Weight.INERT)  # it gives columns Go types; one that is gone is passed over
    if name in _BY_NAME:
        return _BY_NAME[name]
    stem, _, extension = name.rpartition(".")
    while extension in ("example", "sample", "dist", "template", "in", "default") and "." in stem:
        stem, _, extension = stem.rpartition(".")
    found = _BY_EXTENSION.get(extension) if stem or name.startswith(".") else None
    if found is not None:
        return found
    if name.split(".")[0] in _BY_NAME:
        return _BY_NAME[name.split(".")[0]]
    if _DOCUMENTS.match(name):
        return _DOCUMENTATION
    if head.startswith(b"#!"):
        return Kind("script", Weight.CODE, ("#",))
    return Kind("text", Weight.CODE, ("#",))


def _table() -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for weight, group in ((Weight.CODE, _CODE), (Weight.WEB, _WEB), (Weight.DATA, _DATA)):
        for extensions, (name, comments) in group.items():
            kinds.update((extension, Kind(name, weight, comments)) for extension in extensions.split())
    for extensions, name in _INERT.items():
        kinds.update((extension, Kind(name, Weight.INERT)) for extension in extensions.split())
    return kinds


_BY_EXTENSION = _table()
_BY_NAME = {
    word: Kind(name, Weight.CODE, comments) for words, (name, comments) in _NAMES.items() for word in words.split()
}
PROGRAMS = frozenset(
    "shell script ruby java kotlin scala groovy clojure php rust c# visual-basic elixir erlang swift dart c perl "
    "haskell javascript prisma notebook powershell".split()
)
"""The kinds that are programs: a tree with one of them was worth scanning."""
SLUGS = frozenset(
    kind.slug
    for kind in (
        *_BY_EXTENSION.values(),
        *_BY_NAME.values(),
        _LOCALIZATION,
        _FIXTURE,
        Kind("text", Weight.CODE),
        Kind("sqlc configuration", Weight.INERT),
    )
)
"""Every name by which a rule may speak of a kind."""
