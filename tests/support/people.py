"""Who is known in every test database, and what its workers have announced."""

import sqlalchemy as sa

from remit.audit.repository import record
from remit.db.engine import create_database_engine
from remit.db.session import transaction
from remit.execution.modules.registry import discover_modules
from remit.execution.workers import certify, insert_worker
from remit.identity.repository import insert_principals
from remit.identity.types import Principal
from remit.operations.catalog import announce
from remit.operations.principals import created, signed
from tests.support.keys import KEYS, WORKER

ADMIN = Principal("admin", "human", roles=("admin",))
OPERATOR = Principal("operator", "human", roles=("approver", "operator"))
ADA = Principal("ada", "human", roles=("approver",), groups=("release",))
GRACE = Principal("grace", "human", roles=("approver",))
AGENT = Principal("agent-1", "agent", roles=("proposer",))
OTHER_AGENT = Principal("agent-2", "agent", roles=("proposer",))
KNOWN = (ADMIN, OPERATOR, ADA, GRACE, AGENT, OTHER_AGENT)
"""The principals of every test database; more of them by :func:`know`."""


def agent(name: str) -> Principal:
    """Return an agent that may propose; the database need not know it for that."""
    return Principal(name, "agent", roles=("proposer",))


def person(name: str) -> Principal:
    """Return a person who may propose, approve and operate."""
    return Principal(name, "human", roles=("proposer", "approver", "operator"))


def know(engine: sa.Engine, *wanted: Principal) -> None:
    """Make principals known to a database, with roles also that an agent is not given any more."""
    with transaction(engine) as connection:
        rows = [signed(one, KEYS, by=ADMIN.name) for one in wanted]
        made = insert_principals(connection, rows, created_by=ADMIN.name)
        record(connection, [created(one, ADMIN, KEYS) for one in wanted if one.name in made])


def settle(database_url: str) -> None:
    """Fill a migrated database with what every test takes for granted."""
    engine = create_database_engine(database_url, pool_size=1)
    try:
        know(engine, *KNOWN)
        infos = discover_modules(installed=()).list_modules()
        announce(engine, infos, KEYS)
        with transaction(engine) as connection:
            insert_worker(connection, WORKER, infos, certify(WORKER, infos, KEYS))
    finally:
        engine.dispose()
