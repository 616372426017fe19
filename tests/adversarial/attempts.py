"""Tries an attack and tells what stopped it; nothing that it does stays."""

from collections.abc import Callable, Mapping

import psycopg

from remit.db.session import REFUSED
from tests.adversarial.world import Connection

RIGHTS = "no right"
"""What `stopped_by` says when the role lacks the right."""

Attack = Callable[[Connection], object]
"""Does it all by itself, from a directive of its own to the forged row."""


def sql(text: str, values: Mapping[str, object] | None = None) -> Attack:
    """Return an attack that is one statement."""
    return lambda connection: connection.execute(text.encode(), values)


def stopped_by(connection: Connection, attack: Attack) -> str | None:
    """Return what stops an attack by the time it would commit; None when nothing does.

    Returns:
        The name of the trigger, or :data:`RIGHTS`; or the error's text, when it is another one.
    """
    with connection.transaction(force_rollback=True):
        try:
            with connection.transaction():
                attack(connection)
                connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.errors.InsufficientPrivilege:
            return RIGHTS
        except psycopg.Error as error:
            if error.sqlstate == REFUSED:
                return str(error.diag.constraint_name)
            return f"{error.sqlstate}: {str(error).splitlines()[0]}"
        return None
