"""A worker under a policy that nobody has confirmed waits for an operator, and then goes on."""

import logging
from pathlib import Path

import pytest
import sqlalchemy as sa
from temporalio.client import Client

from remit.operations.gate import proposals
from remit.operations.gate.policies import Confirmations, PolicySource, confirm_policy
from tests.support.contents import directive, under
from tests.support.keys import KEYS
from tests.support.people import AGENT, OPERATOR
from tests.support.policies import whole
from tests.support.workers import control, until, working
from tests.workflows.conftest import ReadRecord

TEXT = whole('version = "unconfirmed"\ntools.allow = ["echo"]\nscopes.allow = ["test"]\n')


async def test_what_was_approved_starts_once_an_operator_confirms_the_policy(
    client: Client,
    engine: sa.Engine,
    record_of: ReadRecord,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(TEXT, encoding="utf-8")
    policies = PolicySource(path, Confirmations(engine, lambda: KEYS))
    [outcome] = proposals.propose(engine, [directive()], under(policies.read()), by=AGENT)
    found = outcome.directive

    def told() -> list[str]:
        return [one.message for one in caplog.records if one.message == "policy_unconfirmed"]

    with caplog.at_level(logging.ERROR):
        async with working(client, engine, policies=policies):
            await control(client, engine).workflows.execute(found)
            await until(told)
            assert record_of(found.id).run is None
            confirm_policy(engine, policies.read(), by=OPERATOR, keys=KEYS)
            step = await control(client, engine).workflows.execution(found.id).result()
    assert step.status == "complete"
    # However often it was tried.
    assert len(told()) == 1
