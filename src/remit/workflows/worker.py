"""The process that serves both task queues.

Called by `remit worker`. One worker a queue, one thread pool, one engine. Workflow code runs
without the sandbox, which would cost more than three times the processor; the tests run it with the
sandbox and with the replayer, where both catch what is not deterministic.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from temporalio.client import Client
from temporalio.worker import (
    Interceptor,
    PollerBehaviorAutoscaling,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkflowRunner,
)

from remit.artifacts.store import ObjectStore
from remit.execution.models import EndedRun
from remit.execution.modules.registry import ModuleRegistry
from remit.operations.catalog import announce
from remit.operations.policies import PolicySource
from remit.settings import APPROVAL_QUEUE, EXECUTION_QUEUE
from remit.signing.keys import Keyring
from remit.workflows.activities.approval_activities import ApprovalActivities
from remit.workflows.activities.calls import (
    AuthoritySource,
    ModuleCaller,
    unobserved,
)
from remit.workflows.activities.dispatch_activities import DispatchActivities, unwatched
from remit.workflows.activities.execution_activities import ExecutionActivities
from remit.workflows.activities.module_activities import ModuleActivities
from remit.workflows.activities.uncalled import UncalledRuns
from remit.workflows.approval import ApprovalWorkflow
from remit.workflows.client import WorkflowClient
from remit.workflows.dispatcher import DispatcherWorkflow
from remit.workflows.execution import ExecutionWorkflow
from remit.workflows.failures import BoundedFailures

THREADS = 16
"""How many activities one worker carries out at a time."""

LONG_MODULES = THREADS // 2
"""How many long modules one worker runs at a time; the other threads are for all that is short.

One more would wait for a thread in silence, be taken for dead, and use up its attempts unbegun.
"""

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
        policies: the policy in force.
        keys: returns what signs grants, and what verifies them, as it is now.
        registry: the modules.
        store: where evidence over 64 KB goes.
        observe: told of each run that has ended.
        look: called before each sweep, by whoever keeps gauges.
    """

    engine: sa.Engine
    module_engine: sa.Engine
    policies: PolicySource
    keys: Callable[[], Keyring]
    registry: ModuleRegistry
    store: ObjectStore
    observe: Callable[[EndedRun], None] = unobserved
    look: Callable[[], None] = unwatched


async def serve(
    client: Client,
    parts: WorkerParts,
    *,
    sweep_seconds: float,
    stop: asyncio.Event,
    on_ready: Callable[[], None],
    runner: WorkflowRunner | None = None,
) -> None:
    """Announce the modules and serve both queues until `stop` is set; what is under way then ends.

    Args:
        client: a connected Temporal client.
        parts: what to work with.
        sweep_seconds: the dispatcher's interval, if it is not running yet.
        stop: set by whoever wants the worker to end.
        on_ready: called once both queues are polled.
        runner: how workflow code is run; None means without the sandbox.
    """
    await asyncio.to_thread(announce, parts.engine, parts.registry.list_modules(), parts.keys())
    with ThreadPoolExecutor(THREADS, thread_name_prefix="remit") as threads:
        workers = _workers(client, parts, threads, runner or UnsandboxedWorkflowRunner())
        async with workers[0], workers[1]:
            await WorkflowClient(client).sweep(sweep_seconds)
            on_ready()
            await stop.wait()


def _workers(
    client: Client, parts: WorkerParts, threads: ThreadPoolExecutor, runner: WorkflowRunner
) -> list[Worker]:
    modules = ModuleCaller(parts.registry, parts.module_engine, parts.store, parts.observe)
    authority = AuthoritySource(parts.policies, parts.keys)
    execution = ExecutionActivities(parts.engine, authority, modules)
    long_modules = ModuleActivities(parts.engine, modules, authority, threads)
    approval = ApprovalActivities(parts.engine, authority)
    uncalled = UncalledRuns(parts.engine, parts.observe)
    dispatch = DispatchActivities(parts.engine, parts.look, uncalled.tell)
    served: dict[str, tuple[list[type], list[Callable[..., Any]]]] = {
        EXECUTION_QUEUE: (
            [ExecutionWorkflow, DispatcherWorkflow],
            [
                execution.execute_directive,
                long_modules.execute_module,
                dispatch.fetch_approved_directives,
            ],
        ),
        APPROVAL_QUEUE: ([ApprovalWorkflow], [approval.settle_approval]),
    }
    interceptors: list[Interceptor] = [BoundedFailures()]
    return [
        Worker(
            client,
            task_queue=queue,
            workflows=workflows,
            activities=activities,
            activity_executor=threads,
            workflow_runner=runner,
            interceptors=interceptors,
            max_cached_workflows=CACHED_WORKFLOWS,
            max_concurrent_activities=LONG_MODULES,
            graceful_shutdown_timeout=GRACEFUL_SHUTDOWN,
            workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
            activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        )
        for queue, (workflows, activities) in served.items()
    ]
