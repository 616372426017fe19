"""Whose the embedded database is: the first superuser makes it, `remit_owner` owns it from then on.

Called by :mod:`remit.stack.postgres` at each start. A database that is settled costs one question;
one that was made by an earlier release, or left half made by a crash, is settled then.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from remit.errors import MisconfiguredError

if TYPE_CHECKING:
    import psycopg

OWNER, APP, MODULE, READER = "remit_owner", "remit_app", "remit_module", "remit_reader"
"""Who migrates, what the services connect as, and what the engine of a module connects as."""

START_MARK = "remit.start"
"""A setting of the server that a stack started: no other has its value."""

_SETTLED = """
SELECT pg_get_userbyid(datdba) = 'remit_owner' FROM pg_database WHERE datname = 'remit'
"""

# Each connects for itself, so none of them can take on more than it was given. The owner may act
# as the others: it grants what modules make, and tests take its part.
_LOGINS = """
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['remit_owner', 'remit_app', 'remit_reader', 'remit_module'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I', wanted);
        END IF;
        EXECUTE format('ALTER ROLE %I LOGIN', wanted);
    END LOOP;
    ALTER ROLE remit_owner CREATEROLE;
    GRANT remit_app, remit_reader, remit_module TO remit_owner;
END
$$
"""

# The extension is not a trusted one, so its maker must be superuser. What an extension made stays
# with it, and what belongs to a table (the sequence of a column) follows the table.
_BELONGINGS = """
CREATE EXTENSION IF NOT EXISTS vector;
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT c.oid::regclass AS place FROM pg_class AS c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
            AND NOT EXISTS (
                SELECT FROM pg_depend AS d
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND d.deptype IN ('a', 'e', 'i')
            )
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO remit_owner', found.place);
    END LOOP;
    FOR found IN
        SELECT p.oid::regprocedure AS place FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_depend AS d
            WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        )
    LOOP
        EXECUTE format('ALTER ROUTINE %s OWNER TO remit_owner', found.place);
    END LOOP;
END
$$
"""


def connect_own(
    folder: Path, port: int, login: str, database: str, *, mark: str
) -> "psycopg.Connection":
    """Connect, in autocommit, to the server that a stack started, and to no other.

    Args:
        folder: where its socket is.
        port: part of the socket's name.
        login: who connects.
        database: which database.
        mark: what its setting `START_MARK` says.

    Raises:
        MisconfiguredError: another server answers there.
    """
    from remit.db.libpq import fixed_parameters

    given = {"host": str(folder), "port": str(port), "user": login, "dbname": database}
    fixed = fixed_parameters(given)
    import psycopg
    from psycopg.conninfo import make_conninfo

    address = make_conninfo("", **{**given, **fixed, "connect_timeout": "10"})
    connection = psycopg.connect(address, autocommit=True)
    question = f"SELECT current_setting('{START_MARK}', true)".encode()
    if connection.execute(question).fetchone() == (mark,):
        return connection
    connection.close()
    raise MisconfiguredError(
        f"another server than the one that was started answers in {folder}: stop it, or name "
        "another directory with --data-dir"
    )


def settle_database(connect: Callable[[str], "psycopg.Connection"]) -> None:
    """See to it that the database exists, and is `remit_owner`'s with all that it holds.

    Args:
        connect: opens a connection of the superuser, in autocommit, to the database so named.
    """
    with connect("postgres") as server:
        known = server.execute(_SETTLED).fetchone()
        if known == (True,):
            return
        server.execute(_LOGINS)
        if known is None:
            server.execute("CREATE DATABASE remit")
        with connect("remit") as inside:
            inside.execute(_BELONGINGS)
        # Last, since it says that all of the above is done.
        server.execute("ALTER DATABASE remit OWNER TO remit_owner")
