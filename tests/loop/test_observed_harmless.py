"""Whatever the collector does, every directive ends as it does without one."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from remit.operations.evidence.records import Record
from tests.support import otlp
from tests.support.contents import yes
from tests.support.installation import Installation, installed
from tests.support.people import OPERATOR
from tests.support.workers import control

pytestmark = pytest.mark.slow

_BY_ACT = [
    {"type": kind, "payload": {"act": act}}
    for act in ("succeed", "fail", "raise", "again")
    for kind in ("validate", "test")
]
WISHES: list[Mapping[str, Any]] = [
    *_BY_ACT,
    {"type": "echo", "scope": "staging"},
    {"type": "echo", "scope": "moon"},
    *({"type": "noop"} for _ in range(10)),
]
"""Every way to end: short and long, on the second attempt, by a vote, blocked."""


@pytest.fixture(scope="module")
def here(
    database_url: str,
    temporal_address: str,
    client: Client,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("harmless") / "data"
    with installed(folder, database_url, temporal_address, client.namespace) as here:
        yield here


Break = Callable[[], None]


async def ends(
    here: Installation, client: Client, log: Path, endpoint: str, in_the_middle: Break
) -> list[object]:
    """Take every wish round the loop, and return how each of them ended, in their order."""
    to = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint} if endpoint else {}
    common = {"role": "operator", "objective": "End.", "scope": "test", "payload": {}}
    wishes = [{**common, **each} for each in WISHES]
    half = len(_BY_ACT) // 2
    with here.worker(log, REMIT_METRICS_PORT="0", **to):
        ids = here.propose(wishes[:half], **to)
        here.await_ends(ids)
        in_the_middle()
        ids += here.propose(wishes[half:], **to)
        [asked] = [each.directive for each in here.records(ids) if each.request]
        await control(client, here.engine).vote(asked.id, yes(asked), by=OPERATOR)
        here.await_ends(ids)
    # It ended by itself, in time and with status 0.
    return [outcome_of(each) for each in here.records(ids)]


def outcome_of(record: Record) -> object:
    run = record.run
    return (
        (record.directive.status, record.directive.status_reason),
        run and (run.status, run.attempts, run.result, run.error_type, run.error_message),
        [event.type for event in record.events],
        [artifact.type for artifact in record.artifacts],
    )


def nothing() -> None:
    """Break nothing."""


@pytest.fixture(scope="module")
async def expected(
    here: Installation, client: Client, tmp_path_factory: pytest.TempPathFactory
) -> list[object]:
    """Return how each wish ends when nobody observes."""
    log = tmp_path_factory.mktemp("unobserved") / "worker.log"
    return await ends(here, client, log, "", nothing)


@pytest.mark.parametrize("manner", ["hangs", "fails"])
async def test_under_a_collector_that_does_not_work_all_ends_as_without_one(
    here: Installation,
    client: Client,
    tmp_path: Path,
    expected: list[object],
    manner: otlp.Manner,
) -> None:
    log = tmp_path / "worker.log"
    with otlp.bad_collector(manner) as bad:
        assert await ends(here, client, log, bad.endpoint, nothing) == expected
        assert bad.asked
    # What was lost is counted, and is the last thing that is said.
    assert '"event": "telemetry_lost"' in log.read_text().splitlines()[-1]


async def test_a_collector_that_goes_away_in_mid_run_changes_nothing_and_has_what_was_before(
    here: Installation, client: Client, tmp_path: Path, expected: list[object]
) -> None:
    with ExitStack() as leaving:
        collector = leaving.enter_context(otlp.collector(tmp_path))
        told = collector.text

        def go_away() -> None:
            otlp.until(lambda: '"name":"module"' in told(), "the first runs' spans")
            leaving.close()

        found = await ends(here, client, tmp_path / "worker.log", collector.endpoint, go_away)
    assert found == expected


def test_the_wishes_end_in_every_way(expected: list[Any]) -> None:
    statuses = {(*status, *(run[:2] if run else ())) for status, run, _, _ in expected}
    assert statuses == {
        ("complete", None, "completed", 1),
        ("complete", None, "completed", 2),
        ("aborted", "module_failed", "failed", 1),
        ("aborted", "module_error", "failed", 1),
        ("blocked", "policy"),
    }
