"""Stand-ins for extensions that a server does not have: the signatures that a rehearsal needs, without the work.

PREPARE looks at names and types alone. What an extension brings beyond this is missing, and the rehearsal says so.
An operator class for indexes is not among it: a made-up one could bring the server down with the first row.
"""

from __future__ import annotations

import re

from legacy_ref_scan.sql.lexer import words

_RANDOM = ("uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4")
_FIXED = ("uuid_nil", "uuid_ns_dns", "uuid_ns_url", "uuid_ns_oid", "uuid_ns_x500")
_NAMED = ("uuid_generate_v3", "uuid_generate_v5")
_NIL = "''00000000-0000-0000-0000-000000000000''"

# As volatile as the real ones: an index wants immutable functions.
STANDINS: dict[str, str] = {
    "uuid-ossp": "".join(
        (
            *(f"CREATE FUNCTION {name}() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()';" for name in _RANDOM),
            *(
                f"CREATE FUNCTION {name}() RETURNS uuid LANGUAGE sql IMMUTABLE AS 'SELECT {_NIL}::uuid';"
                for name in _FIXED
            ),
            *(
                f"CREATE FUNCTION {name}(uuid, text) RETURNS uuid LANGUAGE sql IMMUTABLE"
                " AS 'SELECT md5($1::text || $2)::uuid';"
                for name in _NAMED
            ),
        )
    ),
    "pgcrypto": """
        CREATE FUNCTION digest(text, text) RETURNS bytea LANGUAGE sql IMMUTABLE AS 'SELECT sha256($1::bytea)';
        CREATE FUNCTION digest(bytea, text) RETURNS bytea LANGUAGE sql IMMUTABLE AS 'SELECT sha256($1)';
        CREATE FUNCTION hmac(text, text, text) RETURNS bytea LANGUAGE sql IMMUTABLE AS 'SELECT sha256($1::bytea)';
        CREATE FUNCTION hmac(bytea, bytea, text) RETURNS bytea LANGUAGE sql IMMUTABLE AS 'SELECT sha256($1)';
        CREATE FUNCTION crypt(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
        CREATE FUNCTION gen_salt(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
        CREATE FUNCTION gen_salt(text, integer) RETURNS text LANGUAGE sql AS 'SELECT $1';
        CREATE FUNCTION gen_random_bytes(integer) RETURNS bytea LANGUAGE sql AS 'SELECT uuid_send(gen_random_uuid())';
        CREATE FUNCTION pgp_sym_encrypt(text, text) RETURNS bytea LANGUAGE sql AS 'SELECT $1::bytea';
        CREATE FUNCTION pgp_sym_decrypt(bytea, text) RETURNS text LANGUAGE sql AS 'SELECT encode($1, ''hex'')';
    """,
    "citext": "CREATE DOMAIN citext AS text;",
    "pg_trgm": """
        CREATE FUNCTION similarity(text, text) RETURNS real LANGUAGE sql IMMUTABLE AS 'SELECT 0::real';
        CREATE FUNCTION word_similarity(text, text) RETURNS real LANGUAGE sql IMMUTABLE AS 'SELECT 0::real';
        CREATE FUNCTION similar(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT false';
        CREATE OPERATOR % (LEFTARG = text, RIGHTARG = text, FUNCTION = similar);
    """,
}
"""DDL for the schema of the search path, by the extension's name."""

_CREATE = re.compile(rb"""\s*create\s+extension\s+(?:if\s+not\s+exists\s+)?(?:"([^"]+)"|([\w]+))""", re.IGNORECASE)


def extension_of(statement: bytes) -> str | None:
    """The extension that a statement creates; None for other statements."""
    found = _CREATE.match(without_comments(statement))
    return (found.group(1) or found.group(2).lower()).decode("utf-8", "replace") if found else None


def without_comments(statement: bytes) -> bytes:
    """The words of a statement with one blank between them."""
    return b" ".join(statement[token.start : token.end] for token in words(statement))
