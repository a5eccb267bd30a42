"""Who gets the column without asking this server: publications, logical slots, subscriptions, replicas."""

from __future__ import annotations

from legacy_ref_scan.database.verify.context import (
    Answer,
    Context,
    LiveCheck,
    each_target,
    failed,
    impossible,
    number,
    passed,
    target_of,
)

_COLUMN_LISTS = 150000  # PostgreSQL 15
_PUBLICATIONS = "SELECT pubname, {names} FROM pg_publication_tables WHERE schemaname = %s AND tablename = %s ORDER BY 1"
_EXPLICIT = (
    "SELECT count(*) FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid"
    " WHERE r.prrelid = %s AND p.pubname = %s AND r.prattrs IS NOT NULL"
)
_SLOTS = (
    "SELECT slot_name, plugin, active FROM pg_replication_slots"
    " WHERE slot_type = 'logical' AND database = current_database() ORDER BY 1"
)
_SUBSCRIBED = "SELECT count(*) FROM pg_subscription_rel WHERE srrelid = %s"
_REPLICAS = (
    "SELECT count(*), coalesce(extract(epoch FROM max(replay_lag)), 0)::float8 FROM pg_stat_replication"
    " WHERE state = 'streaming'"
)


def _readers(context: Context, part: str) -> Answer:
    target = target_of(context, part)
    place = context.oid(target)
    if place is None:
        return impossible("the database does not have the column")
    lists = context.connection.info.server_version >= _COLUMN_LISTS
    published = context.rows(
        _PUBLICATIONS.format(names="attnames" if lists else "NULL::name[]"), target.schema, target.table
    )
    carrying = [
        str(name)
        for name, columns in published
        if columns is None or target.column in (columns if isinstance(columns, list) else str(columns))
    ]
    explicit = [name for name in carrying if lists and number(context.rows(_EXPLICIT, place[0], name)[0][0])]
    slots = context.rows(_SLOTS)
    subscribed = number(context.rows(_SUBSCRIBED, place[0])[0][0])
    ((replicas, lag),) = context.rows(_REPLICAS)
    figures = (
        ("publications", len(carrying)),
        ("logical slots", len(slots)),
        ("subscriptions", subscribed),
        ("replicas", number(replicas)),
        ("replay lag in seconds", round(float(str(lag)), 1)),
    )
    findings = (
        *(f"publication {name} names the column in its list: PostgreSQL refuses the drop" for name in explicit),
        *(f"publication {name} carries the column to its subscribers" for name in carrying if name not in explicit),
        *(f"logical slot {name} ({plugin}, {'in use' if active else 'idle'})" for name, plugin, active in slots),
        *(["a subscription writes the table: its publisher must stop sending the column first"] if subscribed else []),
    )
    if explicit:
        return failed("a publication names the column", figures, findings)
    if carrying or slots or subscribed:
        return impossible("who reads or writes the column over replication cannot be seen from here", figures, findings)
    return passed("nobody gets the column over logical replication", figures)


READERS = LiveCheck("readers", "publications, slots and replicas", each_target, _readers, required=False)
