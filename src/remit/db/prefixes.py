"""Identifiers found by how they begin, as people type them."""

from uuid import UUID

import sqlalchemy as sa


def ids_beginning(
    connection: sa.Connection, column: sa.ColumnElement[UUID], prefix: str
) -> list[UUID]:
    """Return up to two identifiers that begin with `prefix`: two show that it is ambiguous.

    Args:
        connection: an open transaction.
        column: where they stand.
        prefix: lower-case hexadecimal digits and dashes.
    """
    written = sa.cast(column, sa.Text)
    statement = sa.select(column).where(written.startswith(prefix, autoescape=True)).limit(2)
    return list(connection.execute(statement).scalars())
