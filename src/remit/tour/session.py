"""A tour over a stack that is just starting: connect early, propose as soon as the worker is there.

Importing this module loads SQLAlchemy and Temporal's client, which takes about as long as the
servers take to start: `remit demo` imports it while they do.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress

from remit.control import Control
from remit.db.engine import create_database_engine
from remit.directives.repository import DirectiveFilter
from remit.operations.evidence import read_directives
from remit.operations.policies import PolicySource
from remit.stack.state import StackInfo
from remit.stack.supervisor import Stack
from remit.tour.moments import Moment
from remit.tour.report import TourReport
from remit.tour.runner import Tour
from remit.tour.script import Scene
from remit.workflows.client import WorkflowClient, connect

_PAUSE_SECONDS = 0.005


async def play(
    stack: Stack,
    starting: "Future[StackInfo]",
    *,
    script: Sequence[Scene],
    watch: Callable[[Moment], None],
) -> TourReport:
    """Play a script over a stack that another thread starts.

    Args:
        stack: the stack; its worker has the tour's policy and its ledger.
        starting: the call of `stack.start`.
        script: the scenes.
        watch: told of each moment.

    Raises:
        RemitError: the stack does not come up, or goes away.
    """
    info = await _published(stack, starting)
    policies = PolicySource(stack.options.policy_file)
    engine = create_database_engine(info.database_url, application_name="remit-demo")
    try:
        try:
            client = await connect(info.temporal_address, stack.options.temporal_namespace)
            # Opens a connection while the worker takes its last steps.
            await asyncio.to_thread(read_directives, engine, DirectiveFilter(limit=1))
        finally:
            # A stack that fails takes its servers away: its error says why, and comes first.
            await asyncio.wrap_future(starting)
        control = Control(engine, WorkflowClient(client), policies)
        return await Tour(control, stack, watch).run(script)
    finally:
        engine.dispose()


async def _published(stack: Stack, starting: "Future[StackInfo]") -> StackInfo:
    """Return where both servers are, as soon as they answer and the database is migrated."""
    while stack.info is None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PAUSE_SECONDS):
                # Shielded: the call goes on in its thread, whatever becomes of this wait.
                await asyncio.shield(asyncio.wrap_future(starting))
    return stack.info
