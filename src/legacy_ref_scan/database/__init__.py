"""Everything that talks to a PostgreSQL: the rehearsal on a server of one's own, and the checks of a live one."""
