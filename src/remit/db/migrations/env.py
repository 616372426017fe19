"""Alembic's entry: runs the migrations on the connection it is handed.

`remit.db.migrate` hands one over. `alembic` in a checkout has none and needs `DATABASE_OWNER_URL` or
`DATABASE_URL`.
"""

import sqlalchemy as sa
from alembic import context
from alembic.util.exc import CommandError

from remit.db.engine import create_database_engine
from remit.db.migrate import check_ours
from remit.db.schema import metadata
from remit.db.session import transaction, where
from remit.errors import RemitError
from remit.settings import load_settings


def _run(connection: sa.Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


def _run_from_checkout() -> None:
    settings = load_settings()
    database_url = settings.database_owner_url or settings.database_url
    if database_url is None:
        message = "set DATABASE_OWNER_URL or DATABASE_URL; `remit db upgrade` finds the embedded stack by itself"
        raise CommandError(message)
    try:
        engine = create_database_engine(database_url, application_name="alembic")
        try:
            with transaction(engine) as connection:
                check_ours(connection, where(engine))
                _run(connection)
        finally:
            engine.dispose()
    except RemitError as error:
        raise CommandError(str(error)) from error


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    _run(handed_over)
else:
    _run_from_checkout()
