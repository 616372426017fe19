"""A tour over a stack that is just starting: connect early, propose as soon as the worker is there.

Importing this module loads SQLAlchemy and Temporal's client, which takes about as long as the
servers take to start: `remit demo` imports it while they do.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
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
from remit.stack.state import StackInfo
from remit.stack.supervisor import Stack
from remit.tour.progress import Moment
from remit.tour.report import TourReport
from remit.tour.runner import Tour
from remit.tour.script import Scene, principals_of
from remit.workflows.client import Observed, WorkflowClient, connect

_PAUSE_SECONDS = 0.005
_TOKENS_HOLD = timedelta(days=1)


@dataclass(frozen=True)
class Host:
    """Whoever has the tour played.

    Attributes:
        find_keys: returns the keys of the stack's worker, given its database; called once that
            is migrated.
        find_admin: returns the admin that makes the script's people and agents known.
        find_store: returns where the stack's worker leaves large evidence; called as `find_keys`.
        observed: what Temporal's client tells its spans to; None: nobody.
    """

    find_keys: Callable[[sa.Engine], Keyring]
    find_admin: Callable[[sa.Engine], Principal]
    find_store: Callable[[], ObjectStore]
    observed: Observed | None = None


async def play(
    stack: Stack,
    starting: "Future[StackInfo]",
    host: Host,
    *,
    script: Sequence[Scene],
    watch: Callable[[Moment], None],
) -> TourReport:
    """Play a script over a stack that another thread starts.

    Args:
        stack: the stack; its worker has the tour's policy and its ledger.
        starting: the call of `stack.start`.
        host: whoever has it played.
        script: the scenes.
        watch: told of each moment.

    Raises:
        RemitError: the stack does not come up, or goes away.
    """
    info = await _published(stack, starting)
    engine = create_database_engine(
        info.database_url, role="remit_app", application_name="remit-demo"
    )
    try:
        try:
            client = await connect(
                info.temporal_address, stack.options.temporal_namespace, host.observed
            )
            # The worker takes its last steps meanwhile.
            people = await asyncio.to_thread(_introduce, engine, host, script)
        finally:
            # A stack that fails takes its servers away: its error says why, and comes first.
            await asyncio.wrap_future(starting)
        control = await asyncio.to_thread(_confirmed, engine, host, stack, WorkflowClient(client))
        return await Tour(control, stack, people, watch).run(script, host.find_store())
    finally:
        engine.dispose()


def _introduce(engine: sa.Engine, host: Host, script: Sequence[Scene]) -> Mapping[str, Principal]:
    """Make everybody of the script known, and return whom the database knows, by name.

    Each of them gets a token of their own by an invitation: those that one admin made would all
    count as that admin's.
    """
    admin, keys = host.find_admin(engine), host.find_keys(engine)
    wanted = principals_of(script)
    ensure_principals(engine, wanted, by=admin, keys=keys)
    known = {one.principal.name: one for one in read_principals(engine, by=admin)}
    people = {name: one.principal for name, one in known.items()}
    for name in (one.name for one in wanted if known[one.name].disabled_at is None):
        bare = Principal(name, people[name].kind)
        made = invite(
            engine, bare, valid_for=_TOKENS_HOLD, open_for=_TOKENS_HOLD, by=admin, keys=keys
        )
        people[name] = authenticate(engine, str(redeem(engine, str(made.code), keys).token), keys)
    return people


def _confirmed(engine: sa.Engine, host: Host, stack: Stack, workflows: WorkflowClient) -> Control:
    """Confirm the tour's policy, which whoever has it played has chosen; return the way in."""
    keys = host.find_keys(engine)
    policies = PolicySource(stack.options.policy_file, Confirmations(engine, lambda: keys))
    confirm_at_start(engine, policies.read(), keys)
    return Control(engine, workflows, policies, keys)


async def _published(stack: Stack, starting: "Future[StackInfo]") -> StackInfo:
    """Return where both servers are, as soon as they answer and the database is migrated."""
    while stack.info is None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PAUSE_SECONDS):
                # Shielded: the call goes on in its thread, whatever becomes of this wait.
                await asyncio.shield(asyncio.wrap_future(starting))
    return stack.info
