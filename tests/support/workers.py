"""Workers inside the test's own process, and in processes of their own that may be killed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import sqlalchemy as sa
from temporalio.client import Client
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from remit.artifacts.store import NoOpObjectStore, ObjectStore
from remit.control import Control
from remit.db.engine import create_database_engine
from remit.execution.modules.base import ExecutionModule
from remit.execution.modules.registry import discover_modules
from remit.operations.gate.policies import PolicySource
from remit.workflows.client import WorkflowClient
from remit.workflows.worker import WorkerParts, serve
from tests.support.keys import KEYS
from tests.support.servers import as_login

T = TypeVar("T")


Serve = Callable[[asyncio.Event, Callable[[], None]], Coroutine[Any, Any, None]]
"""Serves until the event is set, and calls the function once its queues are polled."""


@contextlib.asynccontextmanager
async def polling(serve: Serve) -> AsyncIterator[None]:
    """Run a worker's code while the block runs; what made it fail is raised."""
    stop, ready = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve(stop, ready.set))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        if not serving.done():
            yield
    finally:
        stop.set()
        await serving


@contextlib.asynccontextmanager
async def working(
    client: Client,
    engine: sa.Engine,
    *modules: ExecutionModule,
    policies: PolicySource | None = None,
    sweep_seconds: float = 3600,
    runner: WorkflowRunner | None = None,
    store: ObjectStore | None = None,
    **more: Any,
) -> AsyncIterator[None]:
    """Serve both queues of the client's namespace while the block runs.

    Args:
        client: names the namespace.
        engine: the database, as Remit sees it.
        modules: more modules than the built-in ones.
        policies: the worker's policy; None for the built-in one.
        sweep_seconds: the dispatcher's interval; by default it sweeps once.
        runner: how workflow code is run; None for the sandbox, which raises on nondeterminism.
        store: where evidence over 64 KB goes; None: refused.
        more: other fields of its :class:`WorkerParts`.
    """
    parts = _parts(engine, modules, policies or PolicySource(None), store or NoOpObjectStore())
    parts = replace(parts, **more)
    code = runner or SandboxedWorkflowRunner()
    try:
        async with polling(
            lambda stop, ready: serve(
                client, parts, sweep_seconds=sweep_seconds, stop=stop, on_ready=ready, runner=code
            )
        ):
            yield
    finally:
        parts.module_engine.dispose()


def _parts(
    engine: sa.Engine,
    modules: Sequence[ExecutionModule],
    policies: PolicySource,
    store: ObjectStore,
) -> WorkerParts:
    registry = discover_modules(installed=())
    for module in modules:
        registry.register_module(module, source="test")
    return WorkerParts(engine, module_engine(engine), policies, lambda: KEYS, registry, store)


def module_engine(engine: sa.Engine) -> sa.Engine:
    """Return what a worker on the same database would hand to its modules."""
    url = as_login(engine.url.render_as_string(hide_password=False), "remit_module")
    return create_database_engine(url, role="remit_module", pool_size=16)


def control(client: Client, engine: sa.Engine, policies: PolicySource | None = None) -> Control:
    """Return what a door would call."""
    return Control(engine, WorkflowClient(client), policies or PolicySource(None), KEYS)


async def until(found: Callable[[], T], *, seconds: float = 20) -> T:
    """Call `found` in a thread until it returns something true, and return that."""

    async def call() -> T:
        return await asyncio.to_thread(found)

    return await eventually(call, seconds=seconds)


async def eventually(found: Callable[[], Awaitable[T]], *, seconds: float = 20) -> T:
    """Await `found` again and again until it gives something true, and return that."""
    async with asyncio.timeout(seconds):
        value = await found()
        while not value:
            await asyncio.sleep(0.05)
            value = await found()
        return value
