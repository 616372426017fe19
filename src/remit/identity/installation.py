"""All SQL of the installation's identity: one row, which services lock, and none can write."""

import sqlalchemy as sa

from remit.db.identity_tables import installation
from remit.errors import MisconfiguredError
from remit.signing.keys import Installation


def read_installation(connection: sa.Connection) -> Installation:
    """Return whose database this is.

    Raises:
        MisconfiguredError: it was not made by a migration of Remit's.
    """
    row = connection.execute(sa.select(installation.c.id, installation.c.since)).first()
    if row is None:
        raise MisconfiguredError(
            "the database does not say which installation it is: `remit db upgrade` makes one that "
            "does"
        )
    return Installation(row.id, row.since)


def lock_installation(connection: sa.Connection) -> None:
    """Let one transaction at a time change who is known, until it ends.

    Only services may take this lock, which is one on the row; an event of the installation takes
    it, too. Whoever waits for longer than some seconds gets an error, and nothing is changed.
    """
    connection.execute(sa.select(sa.func.remit_lock_installation()))
