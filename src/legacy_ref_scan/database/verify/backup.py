"""The last archived WAL and the last backup, as far as the server knows of them."""

from __future__ import annotations

from legacy_ref_scan.database.verify.context import Answer, Context, LiveCheck, failed, impossible, number, once, passed

_ARCHIVER = """
SELECT current_setting('archive_mode'), last_archived_time::timestamptz(0)::text, archived_count, failed_count,
       last_failed_time > coalesce(last_archived_time, '-infinity'),
       extract(epoch FROM clock_timestamp() - last_archived_time)::bigint
FROM pg_stat_archiver
"""
_RUNNING = "SELECT count(*) FROM pg_stat_progress_basebackup"
_BASEBACKUP_PROGRESS = 130000


def _backup(context: Context, _: str) -> Answer:
    ((mode, last, count, failures, failing, age),) = context.rows(_ARCHIVER)
    progress = context.connection.info.server_version >= _BASEBACKUP_PROGRESS
    running = number(context.rows(_RUNNING)[0][0]) if progress else 0
    figures = (
        ("archived", number(count)),
        ("failures", number(failures)),
        ("seconds since the last", number(age)),
        ("base backups running", running),
    )
    if failing:
        return failed("the server's last try to archive failed", figures)
    if last is None:
        reason = f"the server has archived nothing (archive_mode {mode}); what a backup tool does it cannot tell"
        return impossible(reason, figures)
    return passed(f"the last WAL was archived at {last}", figures)


BACKUP = LiveCheck("backup", "archive and backup", once, _backup, required=False)
