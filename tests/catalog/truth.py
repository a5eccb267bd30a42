"""A schema as plain facts, from PostgreSQL's own catalogs and from a replayed one, so that the two can be compared.

A fact is (kind, identity) with named fields. A field that the replay does not claim to know is None and not compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from legacy_ref_scan.schema import (
    Catalog,
    Constraint,
    Function,
    Index,
    Relation,
    SchemaObject,
    Trigger,
)

Facts = dict[tuple[str, ...], dict[str, Any]]
Connection = psycopg.Connection[tuple[Any, ...]]

_OWN = """n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname NOT LIKE 'pg_temp%%'
          AND n.nspname NOT LIKE 'pg_toast_temp%%'"""
_NO_EXTENSION = """NOT EXISTS (
    SELECT FROM pg_depend e WHERE e.objid = {} AND e.classid = '{}'::regclass AND e.deptype = 'e')"""

RELATIONS = f"""
SELECT n.nspname, c.relname,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'matview'
            WHEN 'f' THEN 'foreign' WHEN 'c' THEN 'composite' WHEN 'S' THEN 'sequence' END,
       c.relkind = 'p', coalesce(obj_description(c.oid, 'pg_class'), ''),
       array(SELECT p.relname::text FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent WHERE i.inhrelid = c.oid
             ORDER BY i.inhseqno) || array(SELECT o.typname::text FROM pg_type o WHERE o.oid = c.reloftype)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {_OWN} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c', 'S') AND {_NO_EXTENSION.format("c.oid", "pg_class")}
"""
COLUMNS = f"""
SELECT n.nspname, c.relname, a.attname, rank() OVER (PARTITION BY c.oid ORDER BY a.attnum),
       format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef AND a.attgenerated = '', a.attgenerated,
       a.attidentity, coalesce(col_description(c.oid, a.attnum), ''), c.relkind
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {_OWN} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped
      AND {_NO_EXTENSION.format("c.oid", "pg_class")}
"""
INDEXES = f"""
SELECT n.nspname, t.relname, c.relname, i.indisunique, am.amname, i.indpred IS NOT NULL,
       array(SELECT coalesce(a.attname, '') FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(num, pos)
             LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.num AND k.num > 0
             WHERE k.pos <= i.indnkeyatts ORDER BY k.pos)::text[],
       array(SELECT a.attname FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(num, pos)
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.num
             WHERE k.pos > i.indnkeyatts ORDER BY k.pos)::text[]
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am am ON am.oid = c.relam
WHERE {_OWN} AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))
      AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid)
"""
CONSTRAINTS = f"""
SELECT n.nspname, t.relname, k.conname, k.contype,
       array(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY c(num, pos)
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.num ORDER BY c.pos)::text[],
       coalesce(r.relname, ''),
       array(SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY c(num, pos)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = c.num ORDER BY c.pos)::text[]
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = k.connamespace
LEFT JOIN pg_class r ON r.oid = k.confrelid
WHERE {_OWN} AND k.contype IN ('p', 'u', 'x', 'c', 'f') AND k.conparentid = 0
"""
TRIGGERS = f"""
SELECT n.nspname, t.relname, g.tgname, f.proname, g.tgtype,
       coalesce(g.tgoldtable::text, ''), coalesce(g.tgnewtable::text, ''),
       array(SELECT a.attname FROM unnest(g.tgattr::int2[]) WITH ORDINALITY c(num, pos)
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.num ORDER BY c.pos)::text[]
FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_proc f ON f.oid = g.tgfoid WHERE {_OWN} AND NOT g.tgisinternal AND g.tgparentid = 0
"""
NAMED = f"""
SELECT 'policy', t.relname, p.polname FROM pg_policy p JOIN pg_class t ON t.oid = p.polrelid
UNION ALL
SELECT 'rule', t.relname, r.rulename FROM pg_rewrite r JOIN pg_class t ON t.oid = r.ev_class
JOIN pg_namespace n ON n.oid = t.relnamespace WHERE {_OWN} AND r.rulename <> '_RETURN'
UNION ALL
SELECT 'statistics', t.relname, s.stxname FROM pg_statistic_ext s JOIN pg_class t ON t.oid = s.stxrelid
UNION ALL
SELECT 'publication', '', p.pubname FROM pg_publication p
UNION ALL
SELECT 'publication', t.relname, p.pubname FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
JOIN pg_class t ON t.oid = r.prrelid
"""
FUNCTIONS = f"""
SELECT n.nspname, p.proname, array(SELECT format_type(u, NULL) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY x(u, o)
       ORDER BY o)::text[], coalesce(p.proargnames, '{{}}')::text[], coalesce(p.proargmodes::text[], '{{}}'),
       format_type(p.prorettype, NULL), p.proretset, l.lanname, p.prosrc, p.prokind = 'p', p.prosqlbody IS NOT NULL
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE {_OWN} AND p.prokind IN ('f', 'p') AND {_NO_EXTENSION.format("p.oid", "pg_proc")}
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'i')
"""
TYPES = f"""
SELECT n.nspname, t.typname, t.typtype, array(SELECT enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid
       ORDER BY enumsortorder)::text[], format_type(t.typbasetype, t.typtypmod)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE {_OWN} AND t.typtype IN ('e', 'd', 'r') AND {_NO_EXTENSION.format("t.oid", "pg_type")}
"""
# Columns that other objects need: views and rules, policies, triggers, generated columns, functions, publications.
DEPENDENCIES = f"""
SELECT DISTINCT kind, owner, name, t.relname, a.attname FROM (
  SELECT CASE WHEN r.rulename = '_RETURN' THEN 'view' ELSE 'rule' END AS kind, v.relname AS owner,
         CASE WHEN r.rulename = '_RETURN' THEN '' ELSE r.rulename END AS name, d.refobjid, d.refobjsubid
  FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
  JOIN pg_class v ON v.oid = r.ev_class
  WHERE d.refclassid = 'pg_class'::regclass AND NOT (r.rulename = '_RETURN' AND d.refobjid = v.oid)
  UNION ALL
  SELECT 'policy', v.relname, r.polname, d.refobjid, d.refobjsubid
  FROM pg_depend d JOIN pg_policy r ON d.classid = 'pg_policy'::regclass AND d.objid = r.oid
  JOIN pg_class v ON v.oid = r.polrelid WHERE d.refclassid = 'pg_class'::regclass
  UNION ALL
  SELECT 'trigger', v.relname, r.tgname, d.refobjid, d.refobjsubid
  FROM pg_depend d JOIN pg_trigger r ON d.classid = 'pg_trigger'::regclass AND d.objid = r.oid
  JOIN pg_class v ON v.oid = r.tgrelid WHERE d.refclassid = 'pg_class'::regclass AND NOT r.tgisinternal
        AND r.tgparentid = 0
  UNION ALL
  SELECT 'statistics', v.relname, r.stxname, d.refobjid, d.refobjsubid
  FROM pg_depend d JOIN pg_statistic_ext r ON d.classid = 'pg_statistic_ext'::regclass AND d.objid = r.oid
  JOIN pg_class v ON v.oid = r.stxrelid WHERE d.refclassid = 'pg_class'::regclass
  UNION ALL
  SELECT 'publication', v.relname, p.pubname, d.refobjid, d.refobjsubid
  FROM pg_depend d JOIN pg_publication_rel r ON d.classid = 'pg_publication_rel'::regclass AND d.objid = r.oid
  JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class v ON v.oid = r.prrelid
  WHERE d.refclassid = 'pg_class'::regclass
  UNION ALL
  SELECT 'generated', v.relname, g.attname, d.refobjid, d.refobjsubid
  FROM pg_depend d JOIN pg_attrdef r ON d.classid = 'pg_attrdef'::regclass AND d.objid = r.oid
  JOIN pg_class v ON v.oid = r.adrelid JOIN pg_attribute g ON g.attrelid = v.oid AND g.attnum = r.adnum
  WHERE d.refclassid = 'pg_class'::regclass AND g.attgenerated <> '' AND d.refobjsubid NOT IN (0, r.adnum)
  UNION ALL
  SELECT 'function', '', p.proname, d.refobjid, d.refobjsubid
  FROM pg_depend d JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
  WHERE d.refclassid = 'pg_class'::regclass
) u JOIN pg_class t ON t.oid = u.refobjid JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.refobjsubid AND a.attnum > 0
WHERE {_OWN} AND t.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
"""
_CONSTRAINT_TYPES = {"p": "primary key", "u": "unique", "x": "exclude", "c": "check", "f": "foreign key"}


def facts_of_database(connection: Connection) -> Facts:
    """What PostgreSQL knows."""
    facts: Facts = {}
    # every type with its schema, but for those in public
    connection.execute("SET search_path TO public")
    for schema, name, kind, partitioned, comment, parents in _rows(connection, RELATIONS):
        facts["relation", schema, name] = {
            "kind": kind, "partitioned": partitioned, "comment": comment, "parents": parents,
        }  # fmt: skip
    for row in _rows(connection, COLUMNS):
        schema, table, name, rank, kind, not_null, default, generated, identity, comment, _ = row
        facts["column", schema, table, name] = {
            "rank": rank, "type": kind, "not_null": not_null, "default": default,
            "generated": {"s": "stored", "v": "virtual"}.get(_char(generated), ""),
            "identity": {"a": "always", "d": "by default"}.get(_char(identity), ""), "comment": comment,
        }  # fmt: skip
    for schema, table, name, unique, method, predicate, columns, include in _rows(connection, INDEXES):
        facts["index", schema, table, name] = {
            "unique": unique, "method": method, "predicate": predicate, "columns": columns, "include": include,
        }  # fmt: skip
    for schema, table, name, kind, columns, references, referenced in _rows(connection, CONSTRAINTS):
        word = _CONSTRAINT_TYPES[_char(kind)]
        facts["constraint", schema, table, name] = {
            "type": word, "columns": sorted(columns) if word == "check" else columns, "references": references,
            "referenced": referenced,
        }  # fmt: skip
    for schema, table, name, function, bits, old, new, columns in _rows(connection, TRIGGERS):
        facts["trigger", schema, table, name] = {
            "function": function, "row": bool(bits & 1), "update_of": columns, "old": old, "new": new,
            "timing": "before" if bits & 2 else "instead of" if bits & 64 else "after",
            "events": {word for bit, word in _EVENTS.items() if bits & bit},
        }  # fmt: skip
    for kind, table, name in _rows(connection, NAMED):
        facts[kind, table, name] = {}
    for row in _rows(connection, FUNCTIONS):
        schema, name, types, names, modes, returns, many, language, body, procedure, atomic = row
        facts["function", schema, name, ",".join(types)] = {
            "names": names if any(names) else [], "modes": [_char(mode) for mode in modes], "returns": returns,
            "set": many, "language": language, "body": None if atomic else body, "procedure": procedure,
        }  # fmt: skip
    for schema, name, kind, labels, base in _rows(connection, TYPES):
        word = {"e": "enum", "d": "domain", "r": "range"}[_char(kind)]
        facts["type", schema, name] = {"kind": word, "labels": labels, "base": base if word == "domain" else ""}
    for row in _rows(connection, DEPENDENCIES):
        facts["dependency", *row] = {}
    return facts


_EVENTS = {4: "insert", 8: "delete", 16: "update", 32: "truncate"}


def _rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.replace("%%", "%").encode()).fetchall()


def _char(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def facts_of_catalog(catalog: Catalog) -> Facts:
    """What the replay knows, in the same words."""
    facts: Facts = {}
    for relation in catalog.relations.values():
        if relation.schema != "pg_temp":
            facts.update(_relation(catalog, relation))
    for item in catalog.objects.values():
        facts.update(_object(catalog, item))
    for function in catalog.functions.values():
        facts.update(_function(catalog, function))
    for kind in catalog.types.values():
        if kind.kind in ("enum", "domain", "range"):
            fields = {"kind": kind.kind, "labels": list(kind.labels), "base": kind.base}
            facts["type", kind.schema, kind.name] = fields
    return facts


def _relation(catalog: Catalog, relation: Relation) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    yield ("relation", relation.schema, relation.name), {
        "kind": relation.kind, "partitioned": relation.partitioned, "comment": relation.comment,
        "parents": [catalog.relations[oid].name for oid in relation.parents],
    }  # fmt: skip
    if relation.kind == "sequence":
        return
    for rank, column in enumerate(relation.columns, 1):
        yield ("column", relation.schema, relation.name, column.name), {
            "rank": rank, "type": column.type or None, "not_null": column.not_null,
            "default": column.default is not None and not column.generated, "generated": column.generated,
            "identity": column.identity, "comment": column.comment,
        }  # fmt: skip
    if relation.kind in ("view", "matview"):
        yield from _dependencies(catalog, ("view", relation.name, ""), relation)


def _dependencies(
    catalog: Catalog, owner: tuple[str, str, str], item: Relation | SchemaObject | Function
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    for use in item.uses:
        relation = catalog.relations[use.column[0]]
        column = relation.by_attnum(use.column[1])
        if column is not None and relation.schema != "pg_temp":
            yield ("dependency", *owner, relation.name, column.name), {}


def _names(catalog: Catalog, oid: int, attnums: tuple[int, ...]) -> list[str]:
    columns = {column.attnum: column.name for column in catalog.relations[oid].columns}
    return [columns[attnum] if attnum else "" for attnum in attnums]


def _object(catalog: Catalog, item: SchemaObject) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    table = catalog.relations[item.relation] if item.relation else None
    if table is not None and table.schema == "pg_temp":
        return
    name = table.name if table else ""
    match item:
        case Index():
            yield ("index", item.schema, name, item.name), {
                "unique": item.unique, "method": item.method, "predicate": bool(item.predicate),
                "columns": _names(catalog, item.relation, item.columns),
                "include": _names(catalog, item.relation, item.include),
            }  # fmt: skip
        case Constraint():
            columns = _names(catalog, item.relation, item.columns)
            target = catalog.relations[item.references] if item.references else None
            yield ("constraint", item.schema, name, item.name), {
                "type": item.type, "columns": sorted(columns) if item.type == "check" else columns,
                "references": target.name if target else "",
                "referenced": _names(catalog, target.oid, item.referenced) if target else [],
            }  # fmt: skip
        case Trigger():
            yield ("trigger", item.schema, name, item.name), {
                "function": item.function[1], "row": item.row_level, "timing": item.timing,
                "events": set(item.events), "update_of": _names(catalog, item.relation, item.update_of),
                "old": item.old_table, "new": item.new_table,
            }  # fmt: skip
        case _ if item.kind not in ("grant", "generated", "partition key"):
            yield (item.kind, name, item.name), {}
    if item.kind in ("policy", "rule", "trigger", "statistics", "publication", "generated"):
        yield from _dependencies(catalog, (item.kind, name, item.name), item)


_MODES = {"in": "i", "out": "o", "inout": "b", "variadic": "v", "table": "t"}


def _function(catalog: Catalog, function: Function) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    modes = [_MODES[argument.mode] for argument in function.arguments]
    names = [argument.name for argument in function.arguments]
    body = function.body.text.decode() if function.body is not None and not function.atomic else None
    yield ("function", function.schema, function.name, ",".join(function.signature[2])), {
        "names": names if any(names) else [], "modes": modes if set(modes) - {"i"} else [],
        "returns": function.returns if not (function.procedure and not function.returns) else None,
        "set": function.returns_set, "language": function.language, "body": body, "procedure": function.procedure,
    }  # fmt: skip
    yield from _dependencies(catalog, ("function", "", function.name), function)


def differences(truth: Facts, ours: Facts) -> list[str]:
    """Every fact that the two do not share, one line each."""
    lines = []
    for key in sorted(truth.keys() | ours.keys()):
        if key not in ours:
            lines.append(f"missing {' '.join(key)}: {truth[key]}")
        elif key not in truth:
            lines.append(f"too much {' '.join(key)}: {ours[key]}")
        else:
            for field, value in truth[key].items():
                if ours[key][field] is not None and value is not None and ours[key][field] != value:
                    lines.append(f"{' '.join(key)}: {field} is {value!r}, not {ours[key][field]!r}")
    return lines
