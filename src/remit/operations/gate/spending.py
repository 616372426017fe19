"""The limits of one transaction: what they have left, one directive after another.

The gate judges by what is committed, so the accounts are locked before it decides, and a directive
of the same batch is judged with what those before it were promised.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa

from remit.approval.types import Grant
from remit.base.json_types import JsonObject
from remit.base.money import parse_budget
from remit.budget.ledger import lock_accounts, releases
from remit.budget.types import (
    Committed,
    Promise,
    Reservation,
    held_after,
    obstacles,
    reservations,
)
from remit.db.batch import execute_batch
from remit.policy.config import PolicyConfig
from remit.policy.engine import applying_limits


class Spending:
    """What stands under the limits of a policy, for as long as a transaction lasts."""

    def __init__(self, policy: PolicyConfig, held: Mapping[str, Committed]) -> None:
        self._policy = policy
        self._held = dict(held)

    def seen(self, intent: JsonObject) -> dict[str, str]:
        """Return what the gate sees of it: by name of each limit that applies, in dollars."""
        # A limit that was not locked is a defect here, and must not pass for one with nothing on.
        limits = applying_limits(intent, self._policy)
        return {limit.name: str(self._held[limit.name].amount) for limit in limits}

    def obstacles(self, intent: JsonObject, agreed: Collection[str]) -> list[str]:
        """Return why a budget cannot be reserved now; nothing when it can.

        Args:
            intent: the directive's content.
            agreed: reasons for which people were asked, and agreed.
        """
        limits = applying_limits(intent, self._policy)
        return obstacles(_amount(intent), limits, self._held, agreed) if limits else []

    def take(
        self,
        intent: JsonObject,
        directive_id: UUID,
        grant_id: UUID,
        agreed: Collection[str] = (),
    ) -> list[Reservation]:
        """Return the reservations of a grant, and count them from now on."""
        limits = applying_limits(intent, self._policy)
        if not limits:
            return []
        promise = Promise(directive_id, grant_id, _amount(intent))
        taken = reservations(promise, limits, self._held, agreed)
        self._held = held_after(self._held, taken)
        return taken


def lock_spending(
    connection: sa.Connection, policy: PolicyConfig, intents: Iterable[JsonObject]
) -> Spending:
    """Lock the accounts of every limit that applies to one of the intents.

    A policy without limits, or intents that none applies to, cost no query.
    """
    limits = {limit.name: limit for one in intents for limit in applying_limits(one, policy)}
    return Spending(policy, lock_accounts(connection, limits.values()))


def release_budget(connection: sa.Connection, grant: Grant) -> None:
    """Give back what was reserved for a grant that will start nothing any more."""
    if grant.budget is not None:
        execute_batch(connection, [releases([grant.id])])


def _amount(intent: JsonObject) -> Decimal:
    return parse_budget(str(intent["budget"]))
