"""All SQL of the policies that were confirmed. A row never changes; the database sets its time."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from remit.approval.confirmation import ConfirmedPolicy
from remit.base.json_types import JsonObject
from remit.db.identity_tables import policies
from remit.telemetry.rows import read_row


def find_policy(connection: sa.Connection, digest: str) -> ConfirmedPolicy | None:
    """Return the policy of this digest as it was confirmed; None when nobody has.

    Raises:
        UnreadableError: the row holds what no reader can hold.
    """
    row = connection.execute(sa.select(policies).where(policies.c.digest == digest)).first()
    return read_row(row._mapping, _policy, "policies") if row else None


def keep_policy(
    connection: sa.Connection, digest: str, version: str, confirmed_by: str, envelope: JsonObject
) -> tuple[ConfirmedPolicy, bool]:
    """Keep that a policy is confirmed; return what is kept, and whether it was not before.

    Raises:
        UnreadableError: what was kept before is what no reader can hold.
    """
    statement = insert(policies).on_conflict_do_nothing().returning(policies.c.digest)
    row = {
        "digest": digest,
        "version": version,
        "confirmed_by": confirmed_by,
        "envelope": envelope,
    }
    created = connection.execute(statement.values(row)).first() is not None
    kept = connection.execute(sa.select(policies).where(policies.c.digest == digest)).one()
    return read_row(kept._mapping, _policy, "policies"), created


def is_any_confirmed(connection: sa.Connection) -> bool:
    """Return whether any policy was ever confirmed."""
    return bool(connection.execute(sa.select(sa.exists().select_from(policies))).scalar_one())


def _policy(row: Mapping[Any, Any]) -> ConfirmedPolicy:
    return ConfirmedPolicy(**row)
