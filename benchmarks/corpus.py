"""Generates the repository that is scanned: a Go service with many stores, and its golang-migrate directory.

The same seed gives the same bytes.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

SEED = 68
TABLE, COLUMN = "campaign_phases", "error_message"
_AREAS = ("billing", "campaigns", "catalog", "dns", "identity", "jobs", "leads", "mail", "reports", "search")
_NOUNS = ("account", "batch", "contact", "domain", "event", "invoice", "keyword", "message", "order", "task")
_SUFFIXES = ("history", "items", "jobs", "links", "notes", "runs", "states", "totals")
_COLUMNS = (
    "name",
    "status",
    "kind",
    "owner_id",
    "attempts",
    "payload",
    "score",
    "last_error",
    "started_at",
    "closed_at",
)
_TYPES = {"owner_id": "uuid", "attempts": "integer", "payload": "jsonb", "score": "numeric(5,2)"}
TABLES = tuple(f"{noun}_{suffix}" for noun in _NOUNS for suffix in _SUFFIXES)
_SAME_COLUMN = frozenset(TABLES[::27])  # other tables with a column of that name


def generate(root: Path, go_files: int = 5000, migrations: int = 300) -> None:
    """Writes the repository into an empty directory: Go files of 150 to 400 lines, and pairs of migrations."""
    random = Random(SEED)
    _write(root / "go.mod", "module example.org/service\n\ngo 1.24\n")
    for number in range(go_files):
        area = _AREAS[number % len(_AREAS)]
        package = f"{area}{number // 40:03}"
        _write(root / f"internal/{area}/{package}/store_{number:04}.go", _go_file(random, package, number))
    for version in range(1, migrations + 1):
        name, up, down = _migration(random, version)
        _write(root / f"database/migrations/{version:06}_{name}.up.sql", up)
        _write(root / f"database/migrations/{version:06}_{name}.down.sql", down)


def _write(path: Path, text: str) -> None:
    os.makedirs(path.parent, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _columns(table: str) -> list[str]:
    start = sum(map(ord, table)) % 4
    own = list(_COLUMNS[start : start + 6])
    return ["id", *own, *([COLUMN] if table in _SAME_COLUMN else []), "created_at"]


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _go_file(random: Random, package: str, number: int) -> str:
    lines = [
        f"package {package}",
        "",
        "import (",
        *(f'\t"{name}"' for name in ("context", "database/sql", "errors", "fmt", "time")),
        ")",
        "",
    ]
    wanted = random.randint(150, 355)
    table = TABLE if number % 125 == 3 else random.choice(TABLES)  # a store is about one table
    while len(lines) < wanted:
        part = random.choice((_getter, _writer, _helper, _lister))
        lines += part(table, f"{number}x{len(lines)}", random)
    return "\n".join(lines) + "\n"


def _fields(table: str) -> list[str]:
    return [COLUMN, "id", "status"] if table == TABLE else _columns(table)


def _getter(table: str, tag: str, random: Random) -> list[str]:
    columns = _fields(table)
    kind = f"{_camel(table)}{tag}"
    return [
        f"// {kind} is a row of the {table.replace('_', ' ')}.",
        f"type {kind} struct {{",
        *(f'\t{_camel(column)} sql.NullString `db:"{column}" json:"{column},omitempty"`' for column in columns),
        "}",
        "",
        f"// Get{kind} loads one row by its key.",
        f"func Get{kind}(ctx context.Context, db *sql.DB, id string) (*{kind}, error) {{",
        f"\tvar row {kind}",
        "\tconst query = `",
        f"\t\tSELECT {', '.join('t.' + column for column in columns)}",
        f"\t\tFROM {table} t",
        "\t\tWHERE t.id = $1`",
        f"\terr := db.QueryRowContext(ctx, query, id).Scan({', '.join('&row.' + _camel(c) for c in columns)})",
        "\tif errors.Is(err, sql.ErrNoRows) {",
        f'\t\treturn nil, fmt.Errorf("{table.replace("_", " ")} %s: not found", id)',
        "\t}",
        "\tif err != nil {",
        f'\t\treturn nil, fmt.Errorf("load {table.replace("_", " ")} %s: %w", id, err)',
        "\t}",
        "\treturn &row, nil",
        "}",
        "",
    ]


def _writer(table: str, tag: str, random: Random) -> list[str]:
    column = random.choice(_fields(table)[1:])
    return [
        f"// Update{_camel(table)}{tag} sets one value and the time of the change.",
        f"func Update{_camel(table)}{tag}(ctx context.Context, tx *sql.Tx, id string, value any) error {{",
        f'\tresult, err := tx.ExecContext(ctx, "UPDATE {table} SET {column} = $1 WHERE id = $2", value, id)',
        "\tif err != nil {",
        f'\t\treturn fmt.Errorf("update {column}: %w", err)',
        "\t}",
        "\tif count, err := result.RowsAffected(); err == nil && count == 0 {",
        "\t\treturn sql.ErrNoRows",
        "\t}",
        "\treturn nil",
        "}",
        "",
    ]


def _helper(table: str, tag: str, random: Random) -> list[str]:
    steps = [
        line
        for step in range(random.randint(4, 14))
        for line in (
            f"\tif elapsed > {step * 7 + 3}*time.Second {{",
            f'\t\treturn time.Duration({step + 2}) * base, errors.New("step {step} took too long")',
            "\t}",
        )
    ]
    return [
        f"// backoff{tag} says how long to wait before {table.replace('_', ' ')} are tried again.",
        f"func backoff{tag}(base, elapsed time.Duration) (time.Duration, error) {{",
        *steps,
        "\treturn base, nil",
        "}",
        "",
    ]


def _lister(table: str, tag: str, random: Random) -> list[str]:
    columns = _fields(table)[:3]
    return [
        f"func list{_camel(table)}{tag}(ctx context.Context, db *sql.DB, status string, limit int) (*sql.Rows, error) "
        "{",
        f'\tquery := "SELECT {", ".join(columns)} " +',
        f'\t\t"FROM {table} WHERE 1 = 1"',
        "\targs := []any{}",
        '\tif status != "" {',
        "\t\targs = append(args, status)",
        '\t\tquery += fmt.Sprintf(" AND status = $%d", len(args))',
        "\t}",
        "\tif limit > 0 {",
        '\t\tquery += fmt.Sprintf(" LIMIT %d", limit)',
        "\t}",
        "\treturn db.QueryContext(ctx, query, args...)",
        "}",
        "",
    ]


def _migration(random: Random, version: int) -> tuple[str, str, str]:
    """The first migrations create the tables, the later ones add columns, indexes, views and functions."""
    if version == 1:
        body = f"id uuid PRIMARY KEY,\n    status text NOT NULL DEFAULT 'new',\n    {COLUMN} text"
        return f"create_{TABLE}", f"CREATE TABLE {TABLE} (\n    {body}\n);\n", f"DROP TABLE {TABLE};\n"
    if version - 2 < len(TABLES):
        table = TABLES[version - 2]
        return f"create_{table}", _create(table), f"DROP TABLE {table};\n"
    table = random.choice(TABLES[: version - 2])
    make = (_add_column, _add_index, _add_view, _add_function)[version % 4]
    return make(table, version)


def _create(table: str) -> str:
    types = {
        column: _TYPES.get(column, "timestamptz" if column.endswith("_at") else "text") for column in _columns(table)
    }
    types["id"] = "uuid PRIMARY KEY"
    body = ",\n".join(f"    {column} {kind}" for column, kind in types.items())
    return f"BEGIN;\nCREATE TABLE IF NOT EXISTS {table} (\n{body}\n);\nCOMMIT;\n"


def _add_column(table: str, version: int) -> tuple[str, str, str]:
    column = f"extra_{version}"
    up = f"ALTER TABLE {table} ADD COLUMN {column} text NOT NULL DEFAULT '';\n"
    return f"add_{column}", up, f"ALTER TABLE {table} DROP COLUMN {column};\n"


def _add_index(table: str, version: int) -> tuple[str, str, str]:
    name = f"idx_{table}_{version}"
    up = f"CREATE INDEX {name} ON {table} (created_at, {_columns(table)[2]}) WHERE {_columns(table)[1]} IS NOT NULL;\n"
    return f"index_{table}", up, f"DROP INDEX {name};\n"


def _add_view(table: str, version: int) -> tuple[str, str, str]:
    name = f"{table}_view_{version}"
    query = f"SELECT {', '.join(_columns(table))}\nFROM {table}\nWHERE created_at > now()"
    return f"view_{name}", f"CREATE OR REPLACE VIEW {name} AS\n{query};\n", f"DROP VIEW {name};\n"


def _add_function(table: str, version: int) -> tuple[str, str, str]:
    name = f"touch_{table}_{version}"
    lines = [
        f"CREATE OR REPLACE FUNCTION {name}(wanted uuid) RETURNS void AS $$",
        "DECLARE",
        "    found_at timestamptz;",
        "BEGIN",
        f"    SELECT created_at INTO found_at FROM {table} WHERE id = wanted;",
        "    IF found_at IS NULL THEN",
        "        RAISE NOTICE 'no row %', wanted;",
        "    END IF;",
        f"    UPDATE {table} SET created_at = now() WHERE id = wanted;",
        "END;",
        "$$ LANGUAGE plpgsql;",
    ]
    return f"function_{name}", "\n".join(lines) + "\n", f"DROP FUNCTION {name}(uuid);\n"
