"""What PostgreSQL itself knows to depend on the column (`pg_depend`), and what it would do on DROP COLUMN."""

from __future__ import annotations

from legacy_ref_scan.database.checks import counted
from legacy_ref_scan.database.verify.context import (
    Answer,
    Context,
    LiveCheck,
    each_target,
    failed,
    impossible,
    passed,
    target_of,
)

# One row for each object that depends on the column, and on how many other columns of the table it does. What hangs on
# an internal object (a view's rule) is named by its owner. deptype 'n' makes PostgreSQL refuse, unless the object goes
# along for another row ('a', 'P'): a check constraint has both.
_DEPENDENTS = """
SELECT pg_describe_object(coalesce(i.refclassid, d.classid), coalesce(i.refobjid, d.objid),
                          coalesce(i.refobjsubid, d.objsubid)),
       bool_and(d.deptype NOT IN ('a', 'P', 'S', 'i')), min(o.others)
FROM pg_depend d
LEFT JOIN pg_depend i ON i.classid = d.classid AND i.objid = d.objid AND i.deptype = 'i'
    AND d.classid = 'pg_rewrite'::regclass
CROSS JOIN LATERAL (
    SELECT count(DISTINCT s.refobjsubid) AS others FROM pg_depend s
    WHERE s.classid = d.classid AND s.objid = d.objid AND s.objsubid = d.objsubid
      AND s.refclassid = 'pg_class'::regclass AND s.refobjid = d.refobjid AND s.refobjsubid NOT IN (0, d.refobjsubid)
) o
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = %s AND d.refobjsubid = %s
  AND NOT (d.classid = 'pg_class'::regclass AND d.objid = d.refobjid)
GROUP BY 1 ORDER BY 1
"""
# What PostgreSQL refuses without a row in pg_depend (src/backend/commands/tablecmds.c, ATExecDropColumn).
_OF_THE_TABLE = """
SELECT a.attinhcount > 0, EXISTS (SELECT FROM pg_partitioned_table p WHERE p.partrelid = a.attrelid
                                  AND a.attnum = ANY (p.partattrs::int2[]))
FROM pg_attribute a WHERE a.attrelid = %s AND a.attnum = %s
"""


def _dependents(context: Context, part: str) -> Answer:
    place = context.oid(target_of(context, part))
    if place is None:
        return impossible("the database does not have the column")
    refusing, silent, alone = [], [], []
    ((inherited, in_key),) = context.rows(_OF_THE_TABLE, *place)
    if inherited:
        refusing.append("a parent table has the column too: PostgreSQL refuses to drop it from the child")
    if in_key:
        refusing.append("the partition key has the column: PostgreSQL refuses the drop")
    for name, refuses, others in context.rows(_DEPENDENTS, *place):
        if refuses:
            refusing.append(f"{name}: PostgreSQL refuses the drop while it exists")
        elif others:
            silent.append(f"{name}: goes along without a word, and is about other columns too")
        else:
            alone.append(f"{name}: goes along, it is about this column alone")
    figures = (("refuse", len(refusing)), ("go along silently", len(silent)), ("of this column alone", len(alone)))
    findings = (*refusing, *silent, *alone)
    if refusing:
        return failed(f"{counted(len(refusing), 'object')} would not let the column go", figures, findings)
    return passed("nothing that PostgreSQL keeps needs the column", figures, findings)


DEPENDENTS = LiveCheck("dependents", "dependents in pg_depend", each_target, _dependents)
