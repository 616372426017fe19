"""A worker in a process of its own, which a test may kill.

Called with ADDRESS NAMESPACE DATABASE_URL MODULE_DATABASE_URL; the environment has the key.
"""

import asyncio
import os
import sys

from remit.artifacts.noop import NoOpObjectStore
from remit.db.engine import create_database_engine
from remit.execution.modules.registry import discover_modules
from remit.operations.installation import use_keys
from remit.operations.policies import PolicySource
from remit.signing.keys import load_keyring
from remit.workflows.client import connect
from remit.workflows.worker import WorkerParts, serve
from tests.support.acting import Effects


def say_ready() -> None:
    """Tell the test that this worker polls its queues."""
    sys.stdout.write("ready\n")


async def main(address: str, namespace: str, database_url: str, module_url: str) -> None:
    """Serve until the process is ended."""
    engine = create_database_engine(database_url, application_name="worker")
    module_engine = create_database_engine(module_url, role="remit_module")
    loaded = load_keyring(None, signing_key=os.environ["REMIT_SIGNING_KEY"])
    keys = use_keys(engine, loaded)
    registry = discover_modules(installed=())
    registry.register_module(Effects(), source="test")
    parts = WorkerParts(
        engine, module_engine, PolicySource(None), lambda: keys, registry, NoOpObjectStore()
    )
    client = await connect(address, namespace)
    stop = asyncio.Event()
    await serve(client, parts, sweep_seconds=3600, stop=stop, on_ready=say_ready)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
