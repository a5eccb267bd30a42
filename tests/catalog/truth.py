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
       a.attidentity, coalesce(col_description(c.oid, a.attnum), ''), a.attislocal,
       coalesce((SELECT l.collname FROM pg_collation l JOIN pg_type t ON t.oid = a.atttypid
                 WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation), '')
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
             WHERE k.pos > i.indnkeyatts ORDER BY k.pos)::text[],
       coalesce(obj_description(c.oid, 'pg_class'), ''),
       coalesce((SELECT p.relname FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent
                 WHERE h.inhrelid = c.oid), '')
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am am ON am.oid = c.relam
WHERE {_OWN} AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))
"""
CONSTRAINTS = f"""
SELECT n.nspname, t.relname, k.conname, k.contype,
       array(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY c(num, pos)
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.num ORDER BY c.pos)::text[],
       coalesce(r.relname, ''),
       array(SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY c(num, pos)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = c.num ORDER BY c.pos)::text[],
       coalesce(obj_description(k.oid, 'pg_constraint'), ''), coalesce(q.conname, '')
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = k.connamespace
LEFT JOIN pg_class r ON r.oid = k.confrelid LEFT JOIN pg_constraint q ON q.oid = k.conparentid
WHERE {_OWN} AND k.contype IN ('p', 'u', 'x', 'c', 'f')
      -- one for each partition of the table that a foreign key refers to: how PostgreSQL works, not what it is told
      AND NOT (k.contype = 'f' AND k.conparentid <> 0 AND k.conrelid = q.conrelid)
"""
NOT_NULL = f"""
SELECT n.nspname, t.relname, a.attname, k.conname, k.conislocal, NOT k.connoinherit
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = k.connamespace
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.conkey[1] WHERE {_OWN} AND k.contype = 'n'
"""
TRIGGERS = f"""
SELECT n.nspname, t.relname, g.tgname, f.proname, g.tgtype,
       coalesce(g.tgoldtable::text, ''), coalesce(g.tgnewtable::text, ''),
       array(SELECT a.attname FROM unnest(g.tgattr::int2[]) WITH ORDINALITY c(num, pos)
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.num ORDER BY c.pos)::text[],
       coalesce(obj_description(g.oid, 'pg_trigger'), ''), g.tgparentid <> 0
FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_proc f ON f.oid = g.tgfoid WHERE {_OWN} AND NOT g.tgisinternal
"""
NAMED = f"""
SELECT 'policy', t.relname::text, p.polname::text, coalesce(obj_description(p.oid, 'pg_policy'), '')
FROM pg_policy p JOIN pg_class t ON t.oid = p.polrelid
UNION ALL
SELECT 'rule', t.relname, r.rulename, coalesce(obj_description(r.oid, 'pg_rewrite'), '')
FROM pg_rewrite r JOIN pg_class t ON t.oid = r.ev_class
JOIN pg_namespace n ON n.oid = t.relnamespace WHERE {_OWN} AND r.rulename <> '_RETURN'
UNION ALL
SELECT 'statistics', m.nspname || '.' || t.relname, s.stxname, ''
FROM pg_statistic_ext s JOIN pg_class t ON t.oid = s.stxrelid JOIN pg_namespace m ON m.oid = s.stxnamespace
UNION ALL
SELECT 'publication', '', p.pubname, '' FROM pg_publication p
UNION ALL
SELECT 'publication', t.relname, p.pubname, ''
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class t ON t.oid = r.prrelid
UNION ALL
SELECT 'schema', '', n.nspname, '' FROM pg_namespace n WHERE {_OWN}
UNION ALL
SELECT 'grant', n.nspname || '.' || t.relname || '.' || a.attname, lower(x.privilege_type), ''
FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid JOIN pg_namespace n ON n.oid = t.relnamespace,
     aclexplode(a.attacl) x WHERE {_OWN} AND NOT a.attisdropped
UNION ALL
SELECT 'owned sequence', n.nspname || '.' || s.relname, t.relname || '.' || a.attname, ''
FROM pg_depend d JOIN pg_class s ON s.oid = d.objid JOIN pg_namespace n ON n.oid = s.relnamespace
JOIN pg_class t ON t.oid = d.refobjid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE {_OWN} AND s.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
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
        AND r.tgparentid = 0  -- what a clone's WHEN needs is noted of the partitioned table's trigger only
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
        schema, table, name, rank, kind, not_null, default, generated, identity, comment, local, collation = row
        facts["column", schema, table, name] = {
            "rank": rank, "type": kind, "not_null": not_null, "default": default,
            "generated": {"s": "stored", "v": "virtual"}.get(_char(generated), ""),
            "identity": {"a": "always", "d": "by default"}.get(_char(identity), ""), "comment": comment,
            "local": local, "collation": collation,
        }  # fmt: skip
    for schema, table, name, unique, method, predicate, columns, include, comment, parent in _rows(connection, INDEXES):
        facts["index", schema, table, name] = {
            "unique": unique, "method": method, "predicate": predicate, "columns": columns, "include": include,
            "comment": comment, "parent": parent,
        }  # fmt: skip
    for schema, table, name, kind, columns, references, referenced, comment, parent in _rows(connection, CONSTRAINTS):
        word = _CONSTRAINT_TYPES[_char(kind)]
        facts["constraint", schema, table, name] = {
            "type": word, "columns": sorted(columns) if word == "check" else columns, "references": references,
            "referenced": referenced, "comment": comment, "parent": parent,
        }  # fmt: skip
    for schema, table, column, *fields in _rows(connection, NOT_NULL):
        facts["not null", schema, table, column] = dict(zip(("name", "local", "heritable"), fields, strict=True))
    for schema, table, name, function, bits, old, new, columns, comment, cloned in _rows(connection, TRIGGERS):
        facts["trigger", schema, table, name] = {
            "function": function, "row": bool(bits & 1), "update_of": columns, "old": old, "new": new,
            "timing": "before" if bits & 2 else "instead of" if bits & 64 else "after",
            "events": {word for bit, word in _EVENTS.items() if bits & bit}, "comment": comment, "cloned": cloned,
        }  # fmt: skip
    for kind, table, name, comment in _rows(connection, NAMED):
        facts[kind, table, name] = {"comment": comment}
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
    for function in (f for f in catalog.functions.values() if f.schema != "pg_temp"):
        facts.update(_function(catalog, function))
    for schema in catalog.schemas - {"pg_temp"}:
        facts["schema", "", schema] = {}
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
        for use in relation.uses:
            owner = catalog.relations[use.column[0]]
            (name,) = _names(catalog, owner.oid, (use.column[1],))
            yield ("owned sequence", f"{relation.schema}.{relation.name}", f"{owner.name}.{name}"), {}
        return
    for rank, column in enumerate(relation.columns, 1):
        yield ("column", relation.schema, relation.name, column.name), {
            "rank": rank, "type": column.type or None, "not_null": column.not_null,
            "default": column.default is not None and not column.generated, "generated": column.generated,
            "identity": column.identity, "comment": column.comment,
            "local": None if relation.kind in ("view", "matview") else column.local,
            "collation": column.collation if column.type else None,
        }  # fmt: skip
    for column in relation.columns:
        if (required := column.required) is not None:
            yield ("not null", relation.schema, relation.name, column.name), {
                "name": required.name, "local": required.local, "heritable": required.heritable,
            }  # fmt: skip
    if relation.kind in ("view", "matview"):
        yield from _dependencies(catalog, ("view", relation.name, ""), relation)


def _dependencies(
    catalog: Catalog, owner: tuple[str, str, str], item: Relation | SchemaObject | Function
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    for use in item.uses:
        relation = catalog.relations[use.column[0]]
        column = relation.by_attnum(use.column[1])
        if relation is item:
            continue  # a view replaced by a query of itself
        if column is not None and relation.schema != "pg_temp":
            yield ("dependency", *owner, relation.name, column.name), {}


def _names(catalog: Catalog, oid: int, attnums: tuple[int, ...]) -> list[str]:
    columns = {column.attnum: column.name for column in catalog.relations[oid].columns}
    return [columns[attnum] if attnum else "" for attnum in attnums]


def _parent(item: SchemaObject) -> str:
    # an index that a key stands for may belong to a plain index of the parent: pg_constraint does not say so
    return item.cloned_from[3] if item.cloned_from and item.cloned_from[0] == item.kind else ""


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
                "comment": item.comment, "parent": _parent(item),
            }  # fmt: skip
        case Constraint():
            columns = _names(catalog, item.relation, item.columns)
            target = catalog.relations[item.references] if item.references else None
            yield ("constraint", item.schema, name, item.name), {
                "type": item.type, "columns": sorted(columns) if item.type == "check" else columns,
                "references": target.name if target else "",
                "referenced": _names(catalog, target.oid, item.referenced) if target else [],
                "comment": item.comment, "parent": _parent(item),
            }  # fmt: skip
        case Trigger():
            yield ("trigger", item.schema, name, item.name), {
                "function": item.function[1], "row": item.row_level, "timing": item.timing,
                "events": set(item.events), "update_of": _names(catalog, item.relation, item.update_of),
                "old": item.old_table, "new": item.new_table, "comment": item.comment, "cloned": bool(item.cloned_from),
            }  # fmt: skip
        case SchemaObject(kind="grant") if table is not None:
            for number in {use.column[1] for use in item.uses}:
                (own,) = _names(catalog, item.relation, (number,))
                yield ("grant", f"{table.schema}.{name}.{own}", item.name.partition(" ")[0]), {}
        case SchemaObject(kind="statistics"):
            yield (item.kind, f"{item.schema}.{name}", item.name), {}
        case _ if item.kind not in ("generated", "partition key"):
            yield (item.kind, name, item.name), {"comment": item.comment}
    if item.kind in ("policy", "rule", "trigger", "statistics", "publication", "generated") and not (
        item.kind == "trigger" and item.cloned_from
    ):
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


def _signed(key: tuple[str, ...], truth: Facts) -> tuple[str, ...]:
    """A function with an argument whose type is not claimed to be known goes by its name."""
    if key[0] != "function" or "" not in key[3].split(",") or not key[3]:
        return key
    return next((other for other in truth if other[:3] == key[:3]), key)


def differences(truth: Facts, ours: Facts) -> list[str]:
    """Every fact that the two do not share, one line each."""
    lines = []
    ours = {_signed(key, truth): fields for key, fields in ours.items()}
    for key in sorted(truth.keys() | ours.keys()):
        if key not in ours:
            lines.append(f"missing {' '.join(key)}: {truth[key]}")
        elif key not in truth:
            lines.append(f"too much {' '.join(key)}: {ours[key]}")
        else:
            for field, value in truth[key].items():
                if ours[key].get(field) is not None and value is not None and ours[key][field] != value:
                    lines.append(f"{' '.join(key)}: {field} is {value!r}, not {ours[key][field]!r}")
    return lines
