"""The limits of one transaction, whose accounts are locked before the gate decides."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress

import sqlalchemy as sa

from remit.approval.types import Grant
from remit.base.json_types import JsonObject
from remit.budget.ledger import lock_accounts, releases
from remit.budget.types import Committed, held_after, obstacles, reservations
from remit.db.batch import execute_batch
from remit.directives.models import Intent
from remit.errors import InvalidInputError
from remit.policy.config import PolicyConfig
from remit.policy.engine import applying_limits
from remit.policy.limits import BudgetLimit


class Spending:
    """What stands under the limits of a policy; each directive is judged with those before it."""

    def __init__(self, policy: PolicyConfig, held: Mapping[str, Committed]) -> None:
        self._policy = policy
        self._held = dict(held)

    def seen(self, intent: Intent) -> dict[str, str]:
        """Return what the gate sees of it: by name of each limit that applies, in dollars."""
        # A limit that was not locked is a defect here, and must not pass for one with nothing on.
        limits = limits_on(intent, self._policy)
        return {limit.name: str(self._held[limit.name].amount) for limit in limits}

    def obstacles(self, intent: Intent, agreed: Collection[str]) -> list[str]:
        """Return why a budget cannot be reserved now; nothing when it can."""
        limits = limits_on(intent, self._policy)
        if intent.amount is None or not limits:
            return []
        return obstacles(intent.amount, limits, self._held, agreed)

    def take(self, intent: Intent, grant: Grant, agreed: Collection[str] = ()) -> list[JsonObject]:
        """Return the ledger's rows of what a grant promises, and count them from now on."""
        limits = limits_on(intent, self._policy)
        if grant.budget is None or not limits:
            return []
        taken = reservations(
            grant.budget,
            limits,
            self._held,
            agreed,
            directive_id=grant.directive_id,
            grant_id=grant.id,
        )
        self._held = held_after(self._held, taken)
        return taken


def lock_spending(
    connection: sa.Connection, policy: PolicyConfig, intents: Iterable[Intent]
) -> Spending:
    """Lock the accounts of every limit that applies to one of the intents; none costs no query."""
    limits = {limit.name: limit for one in intents for limit in limits_on(one, policy)}
    return Spending(policy, lock_accounts(connection, limits.values()))


def limits_on(intent: Intent, policy: PolicyConfig) -> tuple[BudgetLimit, ...]:
    """Return the limits by which the gate judges an intent; none without a readable budget."""
    amount = None
    with suppress(InvalidInputError):
        amount = intent.amount
    return applying_limits(intent.role, amount, policy)


def release_budget(connection: sa.Connection, grant: Grant) -> None:
    """Give back what was reserved for a grant that will start nothing any more."""
    if grant.budget is not None:
        execute_batch(connection, [releases([grant.id])])
