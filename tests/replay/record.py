"""Records the histories that the replay test goes through: `python -m tests.replay.record`.

To be run when a workflow was changed on purpose and no workflow of the old shape is left running,
and never only to make the test pass: what it guards is that workflows under way survive an upgrade.
"""

import asyncio
import json
import tempfile
from pathlib import Path
from unittest.mock import patch

from temporalio.client import Client, WorkflowHistory
from temporalio.worker import UnsandboxedWorkflowRunner

from remit.db.engine import create_database_engine
from remit.execution.models import MAX_ATTEMPTS
from remit.workflows import dispatcher
from tests.replay.scenarios import STORIES, SWEEPS, Stage
from tests.support.acting import Held, Unsteady
from tests.support.servers import TEMPLATE, Servers, renamed
from tests.support.workers import working

HISTORIES = Path(__file__).with_name("histories")

RECORDER = "recorder"
"""Who did it, in the histories: in place of a process and a machine."""


async def record(address: str, database_url: str) -> dict[str, WorkflowHistory]:
    """Tell every story, and return what Temporal kept of each."""
    client = await Client.connect(address, identity=RECORDER)
    engine = create_database_engine(database_url)
    held = Held()
    held.released.set()
    stage = Stage(client, engine, held)
    kept = {}
    modules = (held, Unsteady(MAX_ATTEMPTS))
    runner = UnsandboxedWorkflowRunner()
    async with working(client, engine, *modules, sweep_seconds=1, runner=runner):
        first = (await client.get_workflow_handle("dispatcher").describe()).run_id
        for name, tell in STORIES.items():
            told = await tell(stage)
            run = first if told == "dispatcher" else None
            kept[name] = await client.get_workflow_handle(told, run_id=run).fetch_history()
    engine.dispose()
    return kept


def main() -> None:
    """Write every history anew."""
    with (
        tempfile.TemporaryDirectory(prefix="remit-record-") as folder,
        patch.object(dispatcher, "SWEEPS_PER_RUN", SWEEPS),
    ):
        servers = Servers(Path(folder))
        try:
            temporal, postgres = servers.temporal(), servers.postgres()
            database_url = renamed(postgres.result().database_url, TEMPLATE)
            kept = asyncio.run(record(str(temporal.result().address), database_url))
        finally:
            servers.stop()
    HISTORIES.mkdir(exist_ok=True)
    for name, history in kept.items():
        text = json.dumps(history.to_json_dict(), indent=1, sort_keys=True)
        (HISTORIES / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
