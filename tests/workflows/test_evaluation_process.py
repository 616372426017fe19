"""A worker in a process of its own tells Braintrust's service of each run that has ended."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from remit.operations.runs.beginning import start_run
from remit.workflows.messages import DISPATCHER_ID
from tests.support import otlp
from tests.support.braintrust_server import LOGS_PATH, BraintrustServer, serving
from tests.support.contents import AUTHORITY, SHORT
from tests.support.installation import Installation, installed

pytestmark = pytest.mark.slow

KEY = "bt-key-canary-0123456789"
WISHES: list[dict[str, Any]] = [
    {"type": "validate", "payload": {"act": "succeed", "said": "in-the-payload"}},
    {"type": "validate", "payload": {"act": "again", "said": "in-the-payload"}},
    {"type": "test", "payload": {"act": "fail", "said": "in-the-payload"}},
    {"type": "echo", "payload": {"said": "in-the-payload"}},
    {"type": "echo", "payload": {}, "scope": "moon"},
]


@pytest.fixture
def server() -> Iterator[BraintrustServer]:
    with serving() as server:
        yield server


@pytest.fixture
def here(
    database_url: str, temporal_address: str, client: Client, tmp_path: Path
) -> Iterator[Installation]:
    folder = tmp_path / "data"
    with installed(folder, database_url, temporal_address, client.namespace) as here:
        yield here


def test_the_service_has_a_row_for_each_ended_run_and_nothing_of_what_it_did(
    here: Installation, server: BraintrustServer, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    chosen = {
        "EVALUATION_PROVIDER": "braintrust",
        "BRAINTRUST_API_KEY": KEY,
        "BRAINTRUST_API_URL": server.url,
    }
    common = {"role": "operator", "objective": "in-the-objective", "scope": "test"}
    with here.worker(log, **chosen):
        ids = here.propose([{**common, **each} for each in WISHES])
        here.await_ends(ids)
        records = here.records(ids)
        runs = {str(each.run.id): each for each in records if each.run is not None}
        otlp.until(lambda: len(judged(server)) == len(runs), "every judgement")
    assert len(runs) == 4
    assert rows(server) == Counter(runs.keys())
    assert judged(server) == Counter(runs.keys())
    for key, record in runs.items():
        assert record.directive.status in str(server.logs[key])
        assert str(record.directive.id) in str(server.logs[key])
    told = server.everything()
    assert [word for word in ("in-the-", "by-the-module", "Bearer", KEY) if word in told] == []
    assert KEY not in log.read_text()


async def test_a_run_that_was_canceled_by_a_command_that_tells_nobody_is_told_by_a_worker(
    here: Installation, client: Client, server: BraintrustServer, tmp_path: Path
) -> None:
    wish = {"type": "echo", "role": "operator", "objective": "End.", "scope": "test"}
    [directive_id] = here.propose([wish])
    run = start_run(here.engine, directive_id, lambda _: SHORT, AUTHORITY).run
    assert run is not None
    assert here.remit("cancel", str(directive_id)).returncode == 0
    chosen = {
        "EVALUATION_PROVIDER": "braintrust",
        "BRAINTRUST_API_KEY": KEY,
        "BRAINTRUST_API_URL": server.url,
    }
    with here.worker(tmp_path / "worker.log", **chosen):
        await client.get_workflow_handle(DISPATCHER_ID).signal("wake")
        otlp.until(lambda: judged(server)[str(run.id)] == 1, "its judgement")
    assert server.logs[str(run.id)]["output"]["run_status"] == "canceled"
    assert server.logs[str(run.id)]["scores"] == {"completed": 0.0}


def test_a_service_that_refuses_changes_no_end_and_its_key_is_not_logged(
    here: Installation, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    chosen = {
        "EVALUATION_PROVIDER": "braintrust",
        "BRAINTRUST_API_KEY": KEY,
        "BRAINTRUST_API_URL": f"http://127.0.0.1:{otlp.free_port()}",
    }
    common = {"role": "operator", "objective": "End.", "scope": "test"}
    with here.worker(log, **chosen):
        ids = here.propose([{**common, **each} for each in WISHES])
        here.await_ends(ids)
    statuses = [each.directive.status for each in here.records(ids)]
    assert statuses == ["complete", "complete", "aborted", "complete", "blocked"]
    assert '"event": "evaluation_failed"' in log.read_text()
    assert KEY not in log.read_text()


def rows(server: BraintrustServer) -> Counter[str]:
    """Return how often a row was inserted for each run."""
    return inserted(server, merged=False)


def judged(server: BraintrustServer) -> Counter[str]:
    """Return how often scores were merged into the row of each run."""
    return inserted(server, merged=True)


def inserted(server: BraintrustServer, *, merged: bool) -> Counter[str]:
    events = [
        each for asked in server.asked if asked.path == LOGS_PATH for each in asked.body["events"]
    ]
    return Counter(str(each["id"]) for each in events if bool(each.get("_is_merge")) == merged)
