"""A tour over a stack that is just starting: connect early, propose as soon as the worker is there.

Importing this module loads SQLAlchemy and Temporal's client, which takes about as long as the
servers take to start: `remit demo` imports it while they do.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import timedelta

import sqlalchemy as sa

from remit.artifacts.store import ObjectStore
from remit.control import Control
from remit.db.engine import create_database_engine
from remit.identity.types import Principal
from remit.operations.gate.policies import Confirmations, PolicySource, confirm_at_start
from remit.operations.identities.authentication import authenticate
from remit.operations.identities.directory import ensure_principals, read_principals
from remit.operations.identities.invitations import invite, redeem
from remit.signing.keys import Keyring
from remit.stack.discovery import StackInfo
from remit.stack.supervisor import Stack
from remit.tour.progress import Moment
from remit.tour.report import TourReport
from remit.tour.runner import Tour
from remit.tour.script import Scene, principals_of
from remit.workflows.client import Observed, WorkflowClient, connect

_PAUSE_SECONDS = 0.005
_TOKENS_HOLD = timedelta(days=1)


async def play(
    stack: Stack,
    starting: "Future[StackInfo]",
    *,
    script: Sequence[Scene],
    watch: Callable[[Moment], None],
    find_host: Callable[[sa.Engine], tuple[Keyring, Principal]],
    find_store: Callable[[], ObjectStore],
    observed: Observed | None,
) -> TourReport:
    """Play a script over a stack that another thread starts.

    `starting` is the call of `stack.start`. Once the database is migrated, `find_host` returns the
    keys of the stack's worker and the admin that makes the script's people and agents known, and
    `find_store` where that worker leaves large evidence.
    """
    info = await _published(stack, starting)
    engine = create_database_engine(
        info.database_url, role="remit_app", application_name="remit-demo"
    )
    try:
        try:
            namespace = stack.options.temporal_namespace
            client = await connect(info.temporal_address, namespace, observed)
            # The worker takes its last steps meanwhile.
            keys, admin = await asyncio.to_thread(find_host, engine)
            people = await asyncio.to_thread(_introduce, engine, script, keys=keys, by=admin)
        finally:
            # A stack that fails takes its servers away: its error says why, and comes first.
            await asyncio.wrap_future(starting)
        policies = PolicySource(stack.options.policy_file, Confirmations(engine, lambda: keys))
        # Whoever has the tour played has chosen its policy.
        await asyncio.to_thread(lambda: confirm_at_start(engine, policies.read(), keys))
        control = Control(engine, WorkflowClient(client), policies, keys)
        return await Tour(control, stack, people, watch).run(script, find_store())
    finally:
        engine.dispose()


def _introduce(
    engine: sa.Engine, script: Sequence[Scene], *, keys: Keyring, by: Principal
) -> Mapping[str, Principal]:
    """Make everybody of the script known, and return whom the database knows, by name.

    Each gets a token by an invitation: those that one admin made would all count as that admin's.
    """
    wanted = principals_of(script)
    ensure_principals(engine, wanted, by=by, keys=keys)
    known = {one.principal.name: one for one in read_principals(engine, by=by)}
    people = {name: one.principal for name, one in known.items()}
    for name in (one.name for one in wanted if known[one.name].disabled_at is None):
        bare = Principal(name, people[name].kind)
        made = invite(engine, bare, valid_for=_TOKENS_HOLD, open_for=_TOKENS_HOLD, by=by, keys=keys)
        people[name] = authenticate(engine, str(redeem(engine, str(made.code), keys).token), keys)
    return people


async def _published(stack: Stack, starting: "Future[StackInfo]") -> StackInfo:
    """Return where both servers are, as soon as they answer and the database is migrated."""
    while stack.info is None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PAUSE_SECONDS):
                # Shielded: the call goes on in its thread, whatever becomes of this wait.
                await asyncio.shield(asyncio.wrap_future(starting))
    return stack.info
