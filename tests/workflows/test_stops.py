"""A worker that is stopped and goes on loses no run, has no effect twice, and misjudges nothing.

The whole table, with stops of up to 45 seconds: `python -m tests.workflows.stops`.
"""

import pytest
import sqlalchemy as sa
from temporalio.client import Client

from tests.workflows.stops import Case, play

CASES = [
    Case(1, "validate", 1, "working", works=0.5),
    # For longer than its lease, and than Temporal waits for a sign of life.
    Case(7, "test", 2, "working", lease=2, works=1.5),
]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_stopped_worker_leaves_one_effect_and_one_end(
    client: Client, empty_engine: sa.Engine, case: Case
) -> None:
    outcomes = await play(client, empty_engine, case)
    assert [one for one in outcomes if not one.is_right] == []
    assert all(one.calls == one.attempts <= case.workers for one in outcomes)
