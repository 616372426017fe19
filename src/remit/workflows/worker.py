"""The process that serves the task queues.

Called by `remit worker`. One worker a queue, one thread pool, one engine. Workflow code runs
without the sandbox, which would cost more than three times the processor; the tests run it with the
sandbox and with the replayer, where both catch what is not deterministic.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from temporalio.client import Client
from temporalio.worker import (
    PollerBehaviorAutoscaling,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkflowRunner,
)

from remit.artifacts.store import ObjectStore
from remit.errors import UnavailableError
from remit.execution.models import EndedRun
from remit.execution.modules.registry import ModuleRegistry
from remit.execution.workers import USUAL, Terms
from remit.operations.gate.policies import PolicySource
from remit.operations.runs.workers import announce
from remit.settings import APPROVAL_QUEUE, EXECUTION_QUEUE
from remit.signing.keys import Keyring
from remit.signing.worker_keys import WorkerKey
from remit.workflows.activities.approval_activities import ApprovalActivities
from remit.workflows.activities.calls import AuthoritySource, ModuleCaller, unobserved
from remit.workflows.activities.dispatch_activities import (
    DispatchActivities,
    UncalledRuns,
    unwatched,
)
from remit.workflows.activities.execution_activities import ExecutionActivities
from remit.workflows.activities.underway import Underway
from remit.workflows.approval import ApprovalWorkflow
from remit.workflows.client import WorkflowClient
from remit.workflows.dispatcher import DispatcherWorkflow
from remit.workflows.execution import ExecutionWorkflow
from remit.workflows.failures import BoundedFailures
from remit.workflows.lease import Lease
from remit.workflows.messages import worker_queue

THREADS = 20
"""How many activities one worker carries out at a time."""

LONG_MODULES = 8
"""How many long modules one worker runs at a time; the other threads are for all that is short.

One more would wait for a thread in silence, be taken for dead, and use up its attempts unbegun.
"""

HANDED_OVER = 4
"""How many directives one worker executes at a time that others handed over to it."""

CACHED_WORKFLOWS = 1000
"""How many waiting workflows keep their state in memory; more are replayed when they wake."""

GRACEFUL_SHUTDOWN = timedelta(seconds=5)
"""How long activities under way may take to end when the worker stops."""

WORKFLOWS = (ApprovalWorkflow, DispatcherWorkflow, ExecutionWorkflow)
"""Every workflow there is; the replay test goes through the same list."""


@dataclass(frozen=True)
class WorkerParts:
    """What a worker works with.

    Attributes:
        engine: the database, for Remit's own transactions.
        module_engine: the database as modules see it.
        keys: returns what signs grants, and what verifies them, as it is now.
        store: where evidence over 64 KB goes.
        look: called before each sweep, by whoever keeps gauges.
        worker_key: what certifies this worker; None: the signing key among `keys`.
        patience: see :class:`remit.operations.gate.authority.Authority`.
    """

    engine: sa.Engine
    module_engine: sa.Engine
    policies: PolicySource
    keys: Callable[[], Keyring]
    registry: ModuleRegistry
    store: ObjectStore
    observe: Callable[[EndedRun], None] = unobserved
    look: Callable[[], None] = unwatched
    terms: Terms = USUAL
    worker_key: WorkerKey | None = None
    patience: timedelta = timedelta(0)


async def serve(
    client: Client,
    parts: WorkerParts,
    *,
    sweep_seconds: float,
    stop: asyncio.Event,
    on_ready: Callable[[], None],
    runner: WorkflowRunner | None = None,
) -> None:
    """Announce the modules and serve all queues until `stop` is set; what is under way then ends.

    The worker's lease is renewed from before it serves until all that it had begun has ended.

    Args:
        sweep_seconds: the dispatcher's interval, if it is not running yet.
        on_ready: called once the queues are polled.
        runner: how workflow code is run; None means without the sandbox.

    Raises:
        UnavailableError: a service does not answer, or somebody else ended this worker's row.
    """
    async with _leased(parts, stop) as lease:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="remit") as threads:
            underway = Underway()
            queues = _queues(parts, lease, threads, underway)
            code = runner or UnsandboxedWorkflowRunner()
            try:
                async with _polling([_worker(client, one, threads, code) for one in queues]):
                    await WorkflowClient(client).sweep(sweep_seconds)
                    on_ready()
                    await stop.wait()
            finally:
                underway.close()


@asynccontextmanager
async def _leased(parts: WorkerParts, stop: asyncio.Event) -> AsyncIterator[Lease]:
    """Announce the worker, and keep its lease while the block runs.

    Somebody else who ends the worker's row sets `stop`.
    """
    infos = parts.registry.list_modules()
    worker = await asyncio.to_thread(
        announce, parts.engine, infos, parts.keys(), parts.terms, parts.worker_key
    )
    lease = Lease(parts.engine, worker, parts.terms)
    ended = partial(asyncio.get_running_loop().call_soon_threadsafe, stop.set)
    try:
        await asyncio.to_thread(lease.begin, ended)
        yield lease
        if lease.is_ended:
            raise UnavailableError(
                f"somebody ended the worker {worker.id} in the database: start it again"
            )
    finally:
        await asyncio.to_thread(lease.end)


@asynccontextmanager
async def _polling(workers: Sequence[Worker]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for one in workers:
            await stack.enter_async_context(one)
        yield
        await asyncio.gather(*(one.shutdown() for one in workers))


@dataclass(frozen=True)
class _Queue:
    """One task queue: what it serves, and how many ordinary activities at a time."""

    name: str
    workflows: Sequence[type]
    activities: Sequence[Callable[..., Any]]
    at_once: int


def _queues(
    parts: WorkerParts, lease: Lease, threads: ThreadPoolExecutor, underway: Underway
) -> list[_Queue]:
    modules = ModuleCaller(
        parts.registry, parts.module_engine, parts.store, parts.observe, underway
    )
    authority = AuthoritySource(parts.policies, parts.keys, parts.patience)
    execution = ExecutionActivities(parts.engine, authority, modules, lease, threads)
    approval = ApprovalActivities(parts.engine, authority)
    uncalled = UncalledRuns(parts.engine, parts.observe)
    dispatch = DispatchActivities(parts.engine, parts.look, uncalled.tell)
    begin, call = execution.execute_directive, execution.execute_module
    sweep = dispatch.fetch_approved_directives
    runs = [ExecutionWorkflow, DispatcherWorkflow]
    own = worker_queue(lease.worker.id)
    return [
        _Queue(EXECUTION_QUEUE, runs, [begin, call, sweep], LONG_MODULES),
        _Queue(own, [], [execution.execute_handed_over, call], HANDED_OVER),
        _Queue(APPROVAL_QUEUE, [ApprovalWorkflow], [approval.settle_approval], LONG_MODULES),
    ]


def _worker(
    client: Client, queue: _Queue, threads: ThreadPoolExecutor, runner: WorkflowRunner
) -> Worker:
    return Worker(
        client,
        task_queue=queue.name,
        workflows=queue.workflows,
        activities=queue.activities,
        activity_executor=threads,
        workflow_runner=runner,
        interceptors=[BoundedFailures()],
        max_cached_workflows=CACHED_WORKFLOWS,
        max_concurrent_activities=queue.at_once,
        graceful_shutdown_timeout=GRACEFUL_SHUTDOWN,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
    )
