"""The bare floor: a workflow of three local activities that do nothing, and its worker.

Run as `python -m bench.bare ADDRESS NAMESPACE READY_FILE`. The worker has the options of Remit's
own, so that what differs between the two is Remit's work and nothing else.
"""

import asyncio
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker

from remit.workflows.worker import CACHED_WORKFLOWS, GRACEFUL_SHUTDOWN, THREADS

QUEUE = "bench-bare"
"""Task queue of the bare worker."""

STEPS = 3
"""How many local activities the bare workflow makes."""

_LIMIT = timedelta(seconds=10)


@activity.defn
def do_nothing(text: str) -> str:
    """Return what was given."""
    return text


@workflow.defn
class BareWorkflow:
    """Three steps that do nothing, one after the other."""

    @workflow.run
    async def run(self, text: str) -> str:
        """Return what was given."""
        for _ in range(STEPS):
            await workflow.execute_local_activity(do_nothing, text, start_to_close_timeout=_LIMIT)
        return text


async def serve(address: str, namespace: str, ready: Path) -> None:
    """Run bare workflows until this process is asked to end.

    Args:
        address: Temporal's front end, as host:port.
        namespace: the workflows' namespace.
        ready: a file that is made once the queue is polled.
    """
    stop = asyncio.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(wanted, stop.set)
    client = await Client.connect(address, namespace=namespace)
    with ThreadPoolExecutor(THREADS) as threads:
        worker = Worker(
            client,
            task_queue=QUEUE,
            workflows=[BareWorkflow],
            activities=[do_nothing],
            activity_executor=threads,
            workflow_runner=UnsandboxedWorkflowRunner(),
            max_cached_workflows=CACHED_WORKFLOWS,
            graceful_shutdown_timeout=GRACEFUL_SHUTDOWN,
            workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
            activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        )
        async with worker:
            await asyncio.to_thread(ready.touch)
            await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
