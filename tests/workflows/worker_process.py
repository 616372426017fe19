"""A worker in a process of its own, which a test may kill.

Called with ADDRESS NAMESPACE DATABASE_URL MODULE_DATABASE_URL [LEASE_SECONDS]; the environment has
the key. With a lease it has the modules that `tests.workflows.stops` counts.
"""

import asyncio
import os
import sys
from dataclasses import replace
from datetime import timedelta

from remit.artifacts.noop import NoOpObjectStore
from remit.db.engine import create_database_engine
from remit.execution.modules.registry import discover_modules
from remit.execution.workers import Terms
from remit.operations.gate.policies import PolicySource
from remit.operations.identities.authentication import use_keys
from remit.signing.keys import load_keyring
from remit.workflows.client import connect
from remit.workflows.worker import WorkerParts, serve
from tests.support.acting import Effects, LongPaced, Paced


def say_ready() -> None:
    """Tell the test that this worker polls its queues."""
    sys.stdout.write("ready\n")


async def main(
    address: str, namespace: str, database_url: str, module_url: str, lease: str | None = None
) -> None:
    """Serve until the process is ended."""
    engine = create_database_engine(database_url, application_name="worker")
    module_engine = create_database_engine(module_url, role="remit_module")
    loaded = load_keyring(None, signing_key=os.environ["REMIT_SIGNING_KEY"])
    keys = use_keys(engine, loaded)
    registry = discover_modules(installed=())
    for module in (Effects(),) if lease is None else (Paced(), LongPaced()):
        registry.register_module(module, source="test")
    parts = WorkerParts(
        engine, module_engine, PolicySource(None), lambda: keys, registry, NoOpObjectStore()
    )
    if lease is not None:
        length = timedelta(seconds=float(lease))
        parts = replace(parts, terms=Terms(length, length / 5))
    client = await connect(address, namespace)
    stop = asyncio.Event()
    await serve(client, parts, sweep_seconds=3600, stop=stop, on_ready=say_ready)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
