"""`ApprovalWorkflow` on a real Temporal, in the full sandbox."""

import asyncio
from uuid import UUID

import pytest
import sqlalchemy as sa
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from remit.control import Control
from remit.directives.digest import action_digest
from remit.directives.models import DirectiveRead, intent_of
from remit.errors import ConflictError
from remit.operations.gate.policies import PolicySource
from remit.policy.config import PolicyConfig
from remit.workflows.approval import ApprovalWorkflow
from remit.workflows.messages import ApprovalResult, approval_id
from tests.support.contents import POLICY, asking, directive, no, policy, proposed, write, yes
from tests.support.people import AGENT, OPERATOR
from tests.support.workers import control, working
from tests.workflows.conftest import ReadRecord


class Fixed(PolicySource):
    """A policy that the test gives."""

    def __init__(self, policy: PolicyConfig) -> None:
        super().__init__(None)
        self._policy = policy


def waiting_for(
    client: Client, directive_id: UUID
) -> "WorkflowHandle[ApprovalWorkflow, ApprovalResult]":
    return client.get_workflow_handle_for(ApprovalWorkflow.run, approval_id(str(directive_id)))


async def ask(remit: Control) -> DirectiveRead:
    """Propose a directive that needs a person."""
    [outcome] = await remit.propose([directive(scope="staging")], by=AGENT)
    assert outcome.directive.status == "proposed"
    return outcome.directive


async def test_a_yes_ends_the_wait_and_the_directive_runs(
    client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    async with working(client, engine):
        remit = control(client, engine)
        found = await ask(remit)
        await remit.vote(found.id, yes(found), by=OPERATOR)
        result = await waiting_for(client, found.id).result()
        step = await remit.workflows.execution(found.id).result()
    record = record_of(found.id)
    assert result == ApprovalResult(
        approved=True,
        policy_version=POLICY.version,
        policy_blocks=[],
        human_override=True,
        artifact_uri=next(one.uri for one in record.artifacts if one.type == "policy_evaluation"),
    )
    assert step.status == "complete"


async def test_a_no_ends_the_wait_and_nothing_runs(
    client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    async with working(client, engine):
        remit = control(client, engine)
        found = await ask(remit)
        await remit.vote(found.id, no(found), by=OPERATOR)
        result = await waiting_for(client, found.id).result()
    assert (result.approved, result.human_override) == (False, True)
    record = record_of(found.id)
    assert record.directive.status_reason == "rejected"
    assert record.run is None


async def test_nobodys_answer_in_time_blocks(
    client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    hasty = asking(expires_after="1s")
    async with working(client, engine):
        remit = control(client, engine, Fixed(hasty))
        found = await ask(remit)
        result = await waiting_for(client, found.id).result()
        assert (result.approved, result.human_override) == (False, False)
        record = record_of(found.id)
        assert (record.directive.status, record.directive.status_reason) == ("blocked", "expired")
        with pytest.raises(ConflictError, match="already expired"):
            await remit.vote(found.id, yes(found), by=OPERATOR)


async def test_canceling_ends_the_wait(
    client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    async with working(client, engine):
        remit = control(client, engine)
        found = await ask(remit)
        await remit.cancel(found.id, by=OPERATOR)
        result = await waiting_for(client, found.id).result()
    assert not result.approved
    assert record_of(found.id).directive.status_reason == "canceled"


async def test_a_forged_signal_approves_nothing(
    client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    async with working(client, engine):
        remit = control(client, engine)
        found = await ask(remit)
        before = record_of(found.id)
        handle = waiting_for(client, found.id)
        for _ in range(5):
            await handle.signal(ApprovalWorkflow.wake)
        await handle.signal("approve", {"approved": True, "voter": "operator"})
        await asyncio.sleep(0.5)
        assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
        assert record_of(found.id) == before
        # It still works for those who may decide.
        await remit.vote(found.id, yes(found), by=OPERATOR)
        assert (await handle.result()).approved


async def test_a_proposed_row_that_nobody_judged_passes_the_gate(
    client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    found = proposed(engine, status="draft")
    stored = "UPDATE directives SET status = 'proposed', action_digest = :digest WHERE id = :id"
    write(engine, stored, id=found.id, digest=action_digest(intent_of(found)))
    async with working(client, engine):
        await control(client, engine).workflows.await_approval(found.id)
        result = await waiting_for(client, found.id).result()
    assert (result.approved, result.human_override) == (True, False)
    assert record_of(found.id).grant is not None


async def test_a_directive_that_policy_blocks_tells_its_reasons(
    client: Client, engine: sa.Engine
) -> None:
    found = proposed(engine, type="shell")
    async with working(client, engine):
        await control(client, engine).workflows.await_approval(found.id)
        result = await waiting_for(client, found.id).result()
    assert not result.approved
    assert result.policy_blocks == [
        'tool "shell" is not allowed; allowed: echo, noop, test and validate'
    ]


async def test_a_worker_that_starts_later_takes_up_the_wait(
    client: Client, engine: sa.Engine
) -> None:
    remit = control(client, engine)
    found = await ask(remit)
    async with working(client, engine):
        await asyncio.sleep(0.5)
    await remit.vote(found.id, yes(found), by=OPERATOR)
    async with working(client, engine):
        assert (await waiting_for(client, found.id).result()).approved
        assert (await remit.workflows.execution(found.id).result()).status == "complete"


async def test_a_retry_waits_for_people_again(client: Client, engine: sa.Engine) -> None:
    async with working(client, engine):
        remit = control(client, engine)
        found = await ask(remit)
        await remit.vote(found.id, no(found), by=OPERATOR)
        await waiting_for(client, found.id).result()
        outcome = await remit.submit(found.id, by=AGENT)
        assert outcome.directive.status == "proposed"
        await remit.vote(found.id, yes(found), by=OPERATOR)
        assert (await waiting_for(client, found.id).result()).approved
        assert (await remit.workflows.execution(found.id).result()).status == "complete"


async def test_a_policy_that_changes_after_the_approval_voids_it(
    client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    stricter = Fixed(policy(budget_ceiling="1.00"))
    async with working(client, engine, policies=stricter):
        remit = control(client, engine)
        found = await ask(remit)
        await remit.vote(found.id, yes(found), by=OPERATOR)
        step = await remit.workflows.execution(found.id).result()
    assert (step.status, step.status_reason) == ("blocked", "policy_changed")
    assert record_of(found.id).run is None
