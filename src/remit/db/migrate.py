"""Brings a database to this release's schema with the migrations that ship in the package.

Called by `remit db upgrade` and by the embedded stack when it starts. `alembic upgrade head` in a
checkout runs the same steps.
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
"""One of Alembic's commands that move a database between revisions."""

INSUFFICIENT_PRIVILEGE = "42501"
MIGRATIONS = Path(__file__).parent / "migrations"


def head_revision() -> str:
    """Return the revision of the schema that this release works with."""
    return str(ScriptDirectory(str(MIGRATIONS)).get_current_head())


def current_revision(engine: sa.Engine) -> str | None:
    """Return the database's revision; None when no migration has run on it."""
    with transaction(engine) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database_url: str, revision: str = "head") -> str:
    """Migrate the database up, in one transaction, and return the revision it is now at.

    Raises:
        MisconfiguredError: the database was made by a newer Remit, or the login may not do what
            a migration does; the message names what an administrator must run.
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
