"""A worker in a process of its own, which a test may kill: ADDRESS NAMESPACE DATABASE_URL."""

import asyncio
import sys

from remit.db.engine import create_database_engine
from remit.execution.modules.registry import discover_modules
from remit.operations.policies import PolicySource
from remit.workflows.client import connect
from remit.workflows.worker import WorkerParts, serve
from tests.support.acting import Effects


def say_ready() -> None:
    """Tell the test that this worker polls its queues."""
    sys.stdout.write("ready\n")


async def main(address: str, namespace: str, database_url: str) -> None:
    """Serve until the process is ended."""
    engine = create_database_engine(database_url, application_name="worker")
    registry = discover_modules(installed=())
    registry.register_module(Effects(), source="test")
    parts = WorkerParts(engine, engine, PolicySource(None), registry)
    client = await connect(address, namespace)
    stop = asyncio.Event()
    await serve(client, parts, sweep_seconds=3600, stop=stop, on_ready=say_ready)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
