"""All SQL of the policies that were confirmed. A row never changes; the database sets its time."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from remit.approval.confirmation import ConfirmedPolicy
from remit.db.identity_tables import policies
from remit.json_types import JsonObject


def find_policy(connection: sa.Connection, digest: str) -> ConfirmedPolicy | None:
    """Return the policy of this digest as it was confirmed; None when nobody has."""
    row = connection.execute(sa.select(policies).where(policies.c.digest == digest)).first()
    return ConfirmedPolicy(**row._mapping) if row else None


def keep_policy(
    connection: sa.Connection, digest: str, version: str, confirmed_by: str, envelope: JsonObject
) -> tuple[ConfirmedPolicy, bool]:
    """Keep that a policy is confirmed; return what is kept, and whether it was not before."""
    statement = insert(policies).on_conflict_do_nothing().returning(policies.c.digest)
    row = {
        "digest": digest,
        "version": version,
        "confirmed_by": confirmed_by,
        "envelope": envelope,
    }
    created = connection.execute(statement.values(row)).first() is not None
    kept = connection.execute(sa.select(policies).where(policies.c.digest == digest)).one()
    return ConfirmedPolicy(**kept._mapping), created


def is_any_confirmed(connection: sa.Connection) -> bool:
    """Return whether any policy was ever confirmed."""
    return bool(connection.execute(sa.select(sa.exists().select_from(policies))).scalar_one())
