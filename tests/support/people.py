"""Who is known in every test database, with which tokens, and what its workers have announced."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_OID, UUID, uuid5

import sqlalchemy as sa

from remit.base.json_types import JsonObject
from remit.db.engine import create_database_engine
from remit.db.session import transaction
from remit.execution.modules.registry import discover_modules
from remit.execution.worker_repository import insert_worker
from remit.execution.workers import certify
from remit.identity.repository import insert_principals
from remit.identity.statements import sign_token
from remit.identity.token_repository import insert_token
from remit.identity.types import SYSTEM, KeptToken, Principal, TokenRow
from remit.operations.gate.policies import confirm_policy
from remit.operations.identities.principals import record_created, record_signed, signed
from remit.operations.runs.workers import announce, end_worker
from remit.policy.config import default_policy
from tests.support.keys import KEYS, WORKER


def token_of(name: str) -> UUID:
    """Return the token that a principal of the tests has from Remit itself."""
    return uuid5(NAMESPACE_OID, name)


def shown(principal: Principal) -> Principal:
    """Return a principal as the token that they have from Remit shows them."""
    return replace(principal, token=token_of(principal.name))


ADMIN = shown(Principal("admin", "human", roles=("admin",)))
OPERATOR = shown(Principal("operator", "human", roles=("approver", "operator")))
ADA = shown(Principal("ada", "human", roles=("approver",), groups=("release",)))
GRACE = shown(Principal("grace", "human", roles=("approver",)))
AGENT = shown(Principal("agent-1", "agent", roles=("proposer",)))
OTHER_AGENT = shown(Principal("agent-2", "agent", roles=("proposer",)))
KNOWN = (ADMIN, OPERATOR, ADA, GRACE, AGENT, OTHER_AGENT)
"""The principals of every test database; more of them by :func:`know`."""


def agent(name: str) -> Principal:
    """Return an agent that may propose; the database need not know it for that."""
    return shown(Principal(name, "agent", roles=("proposer",)))


def person(name: str) -> Principal:
    """Return a person who may propose, approve and operate."""
    return shown(Principal(name, "human", roles=("proposer", "approver", "operator")))


def know(engine: sa.Engine, *wanted: Principal) -> None:
    """Make principals known to a database, each with the token of :func:`token_of`.

    An agent may have roles, too, that none is given any more.
    """
    with transaction(engine) as connection:
        rows = [signed(one, KEYS, by=ADMIN.name) for one in wanted]
        made = insert_principals(connection, rows, created_by=ADMIN.name)
        for one in wanted:
            if one.name in made:
                record_created(connection, one, KEYS, by=ADMIN)
        for name in made:
            give_token(connection, name)


def give_token(
    connection: sa.Connection,
    name: str,
    *,
    token_id: UUID | None = None,
    created_by: str = SYSTEM.name,
) -> None:
    """Give a principal a token that nobody can show, with which votes are cast in-process."""
    ends = datetime(2999, 1, 1, tzinfo=UTC)
    row = TokenRow(token_id or token_of(name), name, (), created_by, ends, ends, None)
    new = KeptToken(row, "0" * 64, None)
    row = insert_token(connection, replace(new, envelope=sign_token(new, KEYS)))
    data: JsonObject = {
        "token": str(row.id),
        "principal": name,
        "scopes": [],
        "expires_at": row.expires_at.isoformat(),
    }
    by = Principal(created_by, "human")
    record_signed(connection, "token.created", data, KEYS, by=by)


def settle(database_url: str) -> None:
    """Fill a migrated database with what every test takes for granted."""
    engine = create_database_engine(database_url, pool_size=1)
    try:
        know(engine, *KNOWN)
        infos = discover_modules(installed=()).list_modules()
        # What was announced stands; nobody serves it.
        end_worker(engine, announce(engine, infos, KEYS).id)
        with transaction(engine) as connection:
            # Its lease is over from the beginning, so that no test depends on how soon it runs.
            over = timedelta(0)
            insert_worker(connection, WORKER, infos, certify(WORKER, infos, KEYS), over)
        confirm_policy(engine, default_policy(), by=ADMIN, keys=KEYS)
    finally:
        engine.dispose()
