"""Brings a database to this release's schema with the migrations that ship in the package.

`alembic upgrade head` in a checkout runs the same steps.
"""

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.exc import ProgrammingError

from remit.db.engine import create_database_engine
from remit.db.session import transaction, where
from remit.errors import MisconfiguredError

Step = Callable[[Config, str], None]
INSUFFICIENT_PRIVILEGE = "42501"
MIGRATIONS = Path(__file__).parent / "migrations"

_OURS = """
SELECT count(*) = 3 FROM pg_catalog.pg_class
WHERE relnamespace = to_regnamespace('public')
    AND relname IN ('directives', 'approval_requests', 'execution_runs')
"""
"""Whether tables are there that the first migration makes and no later one removes."""

_TABLES = """
SELECT c.oid::regclass::text FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_'
    AND n.nspname NOT IN ('information_schema', 'module_data')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
ORDER BY 1
"""
"""Tables and views, but for those of extensions, and of modules, which a downgrade leaves."""


def head_revision() -> str:
    """Return the revision of the schema that this release works with."""
    return str(ScriptDirectory(str(MIGRATIONS)).get_current_head())


def current_revision(engine: sa.Engine) -> str | None:
    """Return the database's revision; None when no migration of Remit's has run on it."""
    with transaction(engine) as connection:
        return _revision(connection)


def _revision(connection: sa.Connection) -> str | None:
    found = MigrationContext.configure(connection).get_current_heads()
    # Other programs keep such a table too, and number their revisions likewise.
    ours = connection.execute(sa.text(_OURS)).scalar_one()
    return found[0] if found and ours else None


def check_ours(connection: sa.Connection, place: str) -> None:
    """Refuse a database that is neither empty nor Remit's; what extensions made does not count."""
    if _revision(connection) is not None:
        return
    others = set(connection.execute(sa.text(_TABLES)).scalars())
    if not MigrationContext.configure(connection).get_current_heads():
        others.discard("alembic_version")  # empty: a downgrade leaves it
    if others:
        raise MisconfiguredError(
            f"the database at {place} holds tables that are not Remit's, such as {min(others)}: "
            "make a database for Remit alone, and name it in DATABASE_URL"
        )


def upgrade(database_url: str, revision: str = "head") -> str:
    """Migrate the database up, in one transaction, and return the revision it is now at.

    Raises:
        MisconfiguredError: the database is another program's, was made by a newer Remit, or the
            login may not do what a migration does; the message names what an administrator must
            run.
        UnavailableError: Postgres cannot be reached.
    """
    return _migrate(database_url, command.upgrade, revision)


def downgrade(database_url: str, revision: str) -> str:
    """Migrate the database down to `revision` (`base` removes the schema and all its data)."""
    return _migrate(database_url, command.downgrade, revision)


def _migrate(database_url: str, step: Step, revision: str) -> str:
    engine = create_database_engine(database_url, application_name="remit-migrate")
    try:
        with transaction(engine) as connection:
            check_ours(connection, where(engine))
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            _run(step, config, revision, engine)
        return current_revision(engine) or "base"
    finally:
        engine.dispose()


def _run(step: Step, config: Config, revision: str, engine: sa.Engine) -> None:
    try:
        step(config, revision)
    except CommandError as error:
        raise MisconfiguredError(
            f"the database at {where(engine)} cannot be brought to revision {revision}: {error}; "
            "if a newer Remit made it, upgrade this one"
        ) from error
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != INSUFFICIENT_PRIVILEGE:
            raise
        problem = str(error.orig).strip().splitlines()[0]
        raise MisconfiguredError(
            f"the database at {where(engine)} cannot be migrated: {problem}"
        ) from error
