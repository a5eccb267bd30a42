"""The schema of a live database as named definitions, from the server's own functions that print them.

Two dumps are compared name by name, so the order of columns does not matter; and a dump renders as SQL that the
replay reads, so that the live schema becomes a catalog like that of the migrations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from legacy_ref_scan.catalog.names import quoted

if TYPE_CHECKING:
    from legacy_ref_scan.database.connection import Connection

_OWN = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
_MADE_HERE = (
    "NOT EXISTS (SELECT FROM pg_depend e"
    " WHERE e.objid = {oid} AND e.classid = '{catalog}'::regclass AND e.deptype = 'e')"
)
_RELATION = _MADE_HERE.format(oid="c.oid", catalog="pg_class")

# Each query gives (kind, schema, relation or "", name, definition).
_QUERIES: tuple[str, ...] = (
    "SELECT 'schema', n.nspname, '', '', 'CREATE SCHEMA ' || quote_ident(n.nspname) FROM pg_namespace n WHERE {own}",
    "SELECT 'extension', n.nspname, '', x.extname, 'CREATE EXTENSION ' || quote_ident(x.extname)"
    " FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE x.extname <> 'plpgsql'",
    # enums, domains
    "SELECT 'type', n.nspname, '', t.typname, 'CREATE TYPE ' || format('%I.%I', n.nspname, t.typname) || ' AS ENUM ('"
    " || (SELECT string_agg(quote_literal(l.enumlabel), ', ' ORDER BY l.enumsortorder) FROM pg_enum l"
    " WHERE l.enumtypid = t.oid) || ')' FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
    " WHERE {own} AND t.typtype = 'e' AND {type_here}",
    "SELECT 'type', n.nspname, '', t.typname, 'CREATE DOMAIN ' || format('%I.%I', n.nspname, t.typname) || ' AS '"
    " || format_type(t.typbasetype, t.typtypmod) || coalesce(' DEFAULT ' || t.typdefault, '')"
    " || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END"
    " || coalesce((SELECT string_agg(format(' CONSTRAINT %I ', k.conname) || pg_get_constraintdef(k.oid), ''"
    "   ORDER BY k.conname) FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), '')"
    " FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
    " WHERE {own} AND t.typtype = 'd' AND {type_here}",
    "SELECT 'sequence', n.nspname, '', c.relname, 'CREATE SEQUENCE ' || format('%I.%I', n.nspname, c.relname)"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {own} AND c.relkind = 'S' AND {here}"
    " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i')",
    # functions before views, which may call them; a body is a string to us unless it is of SQL-standard form
    "SELECT 'function', n.nspname, '', format('%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),"
    " pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
    " WHERE {own} AND p.prokind IN ('f', 'p', 'w') AND {function_here}"
    " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'i') ORDER BY p.oid",
    "SELECT 'index', n.nspname, t.relname, c.relname, pg_get_indexdef(i.indexrelid)"
    " || CASE WHEN i.indisvalid THEN '' ELSE ' /* invalid */' END FROM pg_index i"
    " JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid"
    " JOIN pg_namespace n ON n.oid = t.relnamespace WHERE {own} AND NOT c.relispartition"
    " AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))"
    " AND {here}",
    "SELECT 'constraint', n.nspname, c.relname, k.conname, format('ALTER TABLE %I.%I ADD CONSTRAINT %I ',"
    " n.nspname, c.relname, k.conname) || pg_get_constraintdef(k.oid) FROM pg_constraint k"
    " JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE {own} AND k.contype IN ('p', 'u', 'x', 'c', 'f') AND k.conparentid = 0 AND k.conislocal AND {here}"
    " ORDER BY k.contype = 'f'",
    "SELECT 'trigger', n.nspname, c.relname, g.tgname, pg_get_triggerdef(g.oid)"
    " || CASE g.tgenabled WHEN 'O' THEN '' ELSE ' /* enabled: ' || g.tgenabled::text || ' */' END FROM pg_trigger g"
    " JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE {own} AND NOT g.tgisinternal AND g.tgparentid = 0 AND {here}",
    "SELECT 'rule', n.nspname, c.relname, r.rulename, pg_get_ruledef(r.oid) FROM pg_rewrite r"
    " JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE {own} AND r.rulename <> '_RETURN' AND {here}",
    "SELECT 'policy', n.nspname, c.relname, p.polname, format('CREATE POLICY %I ON %I.%I AS %s FOR %s', p.polname,"
    " n.nspname, c.relname, CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,"
    " CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'"
    " ELSE 'ALL' END) || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')"
    " || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '') FROM pg_policy p"
    " JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {own}",
    "SELECT 'statistics', n.nspname, c.relname, s.stxname, pg_get_statisticsobjdef(s.oid) FROM pg_statistic_ext s"
    " JOIN pg_class c ON c.oid = s.stxrelid JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE {own}",
    "SELECT 'publication', '', '', p.pubname, 'CREATE PUBLICATION ' || quote_ident(p.pubname)"
    " || CASE WHEN p.puballtables THEN ' FOR ALL TABLES' ELSE '' END FROM pg_publication p",
    "SELECT 'publication', n.nspname, c.relname, p.pubname, format('ALTER PUBLICATION %I ADD TABLE %I.%I', p.pubname,"
    " n.nspname, c.relname) || coalesce((SELECT ' (' || string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname) ||"
    " ')' FROM jsonb_array_elements_text(CASE jsonb_typeof(to_jsonb(r) -> 'prattrs') WHEN 'array'"
    " THEN to_jsonb(r) -> 'prattrs' END) u(num) JOIN pg_attribute a"
    " ON a.attrelid = c.oid AND a.attnum = u.num::int2), '')"
    " FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class c ON c.oid = r.prrelid"
    " JOIN pg_namespace n ON n.oid = c.relnamespace",
    # what is compared and never replayed
    "SELECT 'comment', n.nspname, c.relname, coalesce(a.attname, ''), d.description FROM pg_description d"
    " JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass"
    " JOIN pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0 WHERE {own}",
    "SELECT 'comment', n.nspname, c.relname, k.conname, d.description FROM pg_description d"
    " JOIN pg_constraint k ON k.oid = d.objoid AND d.classoid = 'pg_constraint'::regclass"
    " JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {own}",
    "SELECT 'grants', n.nspname, c.relname, coalesce(a.attname, ''), (SELECT string_agg(x::text, ', ' ORDER BY x::text)"
    " FROM unnest(CASE WHEN a.attname IS NULL THEN c.relacl ELSE a.attacl END) x) FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
    " AND NOT a.attisdropped AND a.attacl IS NOT NULL WHERE {own} AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    " AND (c.relacl IS NOT NULL OR a.attacl IS NOT NULL) AND {here}",
    "SELECT 'options', n.nspname, c.relname, '', concat_ws(' ', 'persistence ' || c.relpersistence::text,"
    " CASE WHEN c.relrowsecurity THEN 'row security' END, CASE WHEN c.relforcerowsecurity THEN 'forced' END,"
    " 'identity ' || c.relreplident::text, array_to_string(c.reloptions, ',')) FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {own} AND c.relkind IN ('r', 'p', 'f') AND {here}",
)

_COLUMNS = """
SELECT n.nspname, c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod),
       CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation
            THEN (SELECT format('%I', o.collname) FROM pg_collation o WHERE o.oid = a.attcollation) END,
       pg_get_expr(d.adbin, d.adrelid), a.attgenerated, a.attidentity, a.attnotnull,
       concat_ws(' ', CASE WHEN a.attstorage <> t.typstorage THEN 'STORAGE ' || a.attstorage::text END,
                 CASE WHEN coalesce(a.attstattarget, -1) <> -1 THEN 'STATISTICS ' || a.attstattarget END)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE {own} AND c.relkind IN ('r', 'p', 'f', 'c') AND {here} ORDER BY c.oid, a.attnum
"""
_PARENTS = """
SELECT n.nspname, c.relname, pn.nspname, p.relname, pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(p.oid)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE {own} AND c.relkind IN ('r', 'p', 'f') ORDER BY c.oid, i.inhseqno
"""
_PARTITION_KEYS = """
SELECT n.nspname, c.relname, pg_get_partkeydef(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {own} AND c.relkind = 'p'
"""
# Views in the order in which they can be made: after the views that they need.
_VIEWS = """
WITH RECURSIVE views AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {own} AND c.relkind IN ('v', 'm') AND {here}
), needs AS (
    SELECT DISTINCT r.ev_class AS view, d.refobjid AS needed FROM pg_depend d
    JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    JOIN views v ON v.oid = d.refobjid WHERE r.ev_class <> d.refobjid
), depth AS (
    SELECT oid AS view, 0 AS level FROM views
    UNION
    SELECT n.view, d.level + 1 FROM depth d JOIN needs n ON n.needed = d.view WHERE d.level < 100
)
SELECT v.nspname, v.relname, v.relkind, pg_get_viewdef(v.oid),
       (SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = v.oid AND a.attnum > 0 AND NOT a.attisdropped)
FROM views v JOIN (SELECT view, max(level) AS level FROM depth GROUP BY view) l ON l.view = v.oid
ORDER BY l.level, v.oid
"""
_REPLAYED = ("schema", "extension", "type", "sequence", "function", "view", "index", "constraint", "trigger", "rule",
             "policy", "statistics", "publication")  # fmt: skip

Identity = tuple[str, str, str, str]
"""(kind, schema, relation, name): ("column", "public", "campaign_phases", "error_message")."""


@dataclass(frozen=True, slots=True)
class Dump:
    """Every object of a database by its identity. `tables` renders the tables; `parents` what they inherit."""

    definitions: dict[Identity, str]
    order: tuple[Identity, ...]

    def sql(self) -> bytes:
        """The schema as statements that the replay reads, each after what it needs."""
        made = [*self._of("schema"), *self._of("extension"), *self._of("type"), *self._of("sequence")]
        rest = [statement for kind in _REPLAYED[4:] for statement in self._of(kind)]
        return ";\n".join((*made, *self._tables(), *rest, "")).encode("utf-8", "surrogateescape")

    def _of(self, kind: str) -> Iterator[str]:
        return (self.definitions[item] for item in self.order if item[0] == kind)

    def _tables(self) -> Iterator[str]:
        columns: dict[tuple[str, str], list[str]] = {}
        for item in self.order:
            if item[0] == "column":
                columns.setdefault(item[1:3], []).append(f"    {quoted(item[3])} {self.definitions[item]}")
        for item in self.order:
            if item[0] == "table":
                head, _, tail = self.definitions[item].partition("\0")
                yield f"{head} (\n" + ",\n".join(columns.get((item[1], item[3]), ())) + f"\n){tail}"


def dump(connection: Connection) -> Dump:
    """Everything that people made in the database of a connection; nothing of the system's or an extension's."""
    definitions: dict[Identity, str] = {}
    for query in _QUERIES:
        for kind, schema, relation, name, definition in _rows(connection, query):
            definitions[(kind, schema, relation, name)] = str(definition or "").rstrip(";\n ")
    definitions.update(_tables(connection))
    definitions.update(_columns(connection))
    for schema, name, kind, definition, names in _rows(connection, _VIEWS):
        what = "MATERIALIZED VIEW" if kind == "m" else "VIEW"
        head = f"CREATE {what} {quoted(schema)}.{quoted(name)} ({names}) AS\n"
        definitions[("view", schema, "", name)] = head + str(definition).rstrip("; \n")
    return Dump(definitions, tuple(definitions))


def differences(before: Dump, after: Dump) -> Iterator[str]:
    """What differs, a line each; nothing where both are the same, the order of columns aside."""
    for item in sorted({*before.definitions, *after.definitions}):
        old, new = before.definitions.get(item), after.definitions.get(item)
        if old != new:
            what = "is gone" if new is None else "is new" if old is None else f"was {_short(old)}, is {_short(new)}"
            yield f"{called(item)} {what}"


def called(item: Identity) -> str:
    """An object's name for people: `index idx_phases on public.campaign_phases`."""
    kind, schema, relation, name = item
    if kind == "column":
        return f"column {schema}.{relation}.{name}"
    where = f" on {schema}.{relation}" if relation and name else ""
    own = name or relation or schema
    return f"{kind} {own}{where}" if where or not schema or not name else f"{kind} {schema}.{own}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:79] + "…"


def _rows(connection: Connection, query: str) -> Iterable[tuple[str, ...]]:
    text = (
        query.replace("{own}", _OWN)
        .replace("{here}", _RELATION)
        .replace("{type_here}", _MADE_HERE.format(oid="t.oid", catalog="pg_type"))
        .replace("{function_here}", _MADE_HERE.format(oid="p.oid", catalog="pg_proc"))
    )
    return connection.execute(text.encode()).fetchall()


def _tables(connection: Connection) -> dict[Identity, str]:
    """`CREATE TABLE name`, a NUL where the columns go, and what follows them."""
    found: dict[Identity, str] = {}
    keys = {(schema, name): key for schema, name, key in _rows(connection, _PARTITION_KEYS)}
    parents: dict[tuple[str, str], list[str]] = {}
    bounds: dict[tuple[str, str], str] = {}
    for schema, name, parent_schema, parent, bound, _ in _rows(connection, _PARENTS):
        parents.setdefault((schema, name), []).append(f"{quoted(parent_schema)}.{quoted(parent)}")
        if bound:
            bounds[(schema, name)] = bound
    seen = dict.fromkeys((row[0], row[1], row[2]) for row in _rows(connection, _COLUMNS))
    for schema, name, kind in seen:
        written = f"{quoted(schema)}.{quoted(name)}"
        if kind == "c":
            found[("table", schema, "", name)] = f"CREATE TYPE {written} AS\0"
            continue
        tail = f" INHERITS ({', '.join(parents[(schema, name)])})" if (schema, name) in parents else ""
        if (schema, name) in keys:
            tail += f" PARTITION BY {keys[(schema, name)]}"
        bound = f" /* {bounds[(schema, name)]} */" if (schema, name) in bounds else ""
        found[("table", schema, "", name)] = f"CREATE TABLE {written}\0{tail}{bound}"
    return found


def _columns(connection: Connection) -> dict[Identity, str]:
    found: dict[Identity, str] = {}
    for row in _rows(connection, _COLUMNS):
        schema, relation, _, name, kind, collation, default, generated, identity, not_null, storage = row
        if name is None:
            continue
        parts = [kind]
        if collation:
            parts.append(f"COLLATE {collation}")
        if generated:
            parts.append(f"GENERATED ALWAYS AS ({default}) {'STORED' if generated == 's' else 'VIRTUAL'}")
        elif identity:
            parts.append(f"GENERATED {'ALWAYS' if identity == 'a' else 'BY DEFAULT'} AS IDENTITY")
        elif default is not None:
            parts.append(f"DEFAULT {default}")
        if not_null:
            parts.append("NOT NULL")
        if storage:
            parts.append(f"/* {storage} */")
        found[("column", schema, relation, name)] = " ".join(parts)
    return found
