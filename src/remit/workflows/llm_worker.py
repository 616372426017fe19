"""The process that asks language models: it serves `call_llm`, and workflows of others.

Called by `remit llm-worker`. The process that acts is another, and neither loads the other's code.
Workflows run in the sandbox here: they are not Remit's own, and what they wait for is slow.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache
from importlib.metadata import EntryPoint

import sqlalchemy as sa
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from remit.base.wording import import_hint, one_line, quoted
from remit.cognition.llm.config import PROVIDERS, get_llm_provider
from remit.errors import MisconfiguredError
from remit.settings import LLM_QUEUE, Settings
from remit.signing.sealing import Seal
from remit.workflows.activities.llm_activities import LLMActivities
from remit.workflows.failures import BoundedFailures
from remit.workflows.sealing import sealed

THREADS = 16
"""How many calls one worker has under way at a time."""

GRACEFUL_SHUTDOWN = timedelta(seconds=5)
"""How long calls under way may take to end when the worker stops."""

NO_PROVIDER = "unknown"
"""What evidence calls a provider that does not exist: its word may be a key in the wrong place."""

_REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", re.ASCII)
_MESSAGE_LENGTH = 500


def llm_activities(engine: sa.Engine, settings: Settings) -> LLMActivities:
    """Return what asks the provider that the settings choose.

    A provider that cannot be used is found at each call, which puts that on record.
    """
    chosen = settings.llm_provider or "noop"
    return LLMActivities(
        engine=engine,
        # One provider for all calls, so that connections are kept; a failure is not remembered.
        provider=cache(lambda: get_llm_provider(settings)),
        provider_name=chosen if chosen in PROVIDERS else NO_PROVIDER,
        model=settings.llm_model or None,
    )


async def serve_llm(
    client: Client,
    activities: LLMActivities,
    seal: Seal,
    *,
    workflows: Sequence[type],
    stop: asyncio.Event,
    on_ready: Callable[[], None],
) -> None:
    """Serve the queue, and workflows besides, until `stop` is set; what is under way then ends.

    `on_ready` is called once the queue is polled.

    Raises:
        MisconfiguredError: Temporal cannot serve one of the workflows.
    """
    with ThreadPoolExecutor(THREADS, thread_name_prefix="remit-llm") as threads:
        async with _worker(sealed(client, seal), activities, workflows, threads):
            on_ready()
            await stop.wait()


def load_workflows(references: Sequence[str]) -> list[type]:
    """Return the workflows that are named, each as package.module:Class.

    Raises:
        MisconfiguredError: one cannot be loaded, or is no class; the message names it.
    """
    return [_loaded(reference) for reference in references]


def _worker(
    client: Client,
    activities: LLMActivities,
    workflows: Sequence[type],
    threads: ThreadPoolExecutor,
) -> Worker:
    try:
        return Worker(
            client,
            task_queue=LLM_QUEUE,
            workflows=workflows,
            activities=[activities.call_llm],
            activity_executor=threads,
            interceptors=[BoundedFailures()],
            max_concurrent_activities=THREADS,
            graceful_shutdown_timeout=GRACEFUL_SHUTDOWN,
            workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
            activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        )
    except (RuntimeError, ValueError) as error:
        raise MisconfiguredError(
            f"the workflows cannot be served: {one_line(str(error), _MESSAGE_LENGTH)}; mend them, "
            "or leave them out"
        ) from error


def _loaded(reference: str) -> type:
    if not _REFERENCE.fullmatch(reference):
        raise MisconfiguredError(f"{quoted(reference)} is no workflow: write package.module:Class")
    try:
        found = EntryPoint(reference, reference, "remit.workflows").load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - importing runs foreign code
        problem = one_line(f"{type(error).__name__}: {error}", _MESSAGE_LENGTH)
        problem += import_hint(error, reference)
    else:
        if isinstance(found, type):
            return found
        problem = "it is no class"
    raise MisconfiguredError(
        f"workflow {reference} cannot be loaded: {problem}; mend it, or leave it out"
    )
