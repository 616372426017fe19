"""The loop, once round: an agent asks, policy decides, a person agrees, it is done, all is kept."""

import sqlalchemy as sa
from temporalio.client import Client

from remit.approval.statements import verify_grant
from remit.directives.models import DirectiveCreate, DirectiveRead, parse_directive
from remit.operations.evidence.records import Record, read_record
from remit.operations.gate.proposals import GateOutcome
from remit.vocabulary import PolicyVerdict
from tests.support.contents import yes
from tests.support.keys import KEYS
from tests.support.people import OPERATOR, agent
from tests.support.workers import control, working


async def test_an_agents_directive_goes_through_all_six_boxes(
    client: Client, engine: sa.Engine
) -> None:
    remit = control(client, engine)

    # 1. Intent. An agent says what it wants, and for how much.
    wish = an_agents_wish()

    # 2. The gate. Policy allows it, but wants a person to look: the answer is there at once.
    [outcome] = await remit.propose([wish], by=agent("agent-7"))
    a_person_must_look(outcome)
    directive = outcome.directive

    async with working(client, engine):
        # 3. Consent. A person approves this very action, and no other.
        answer = await remit.vote(directive.id, yes(directive), by=OPERATOR)
        assert answer.outcome == "approved"

        # 4. Act. The module runs, once, under a grant that its run consumes.
        step = await remit.workflows.execution(directive.id).result()
        assert step.status == "complete"

    record = read_record(engine, directive.id)
    it_ran_under_the_grant(record)

    # 5. Evidence. Every step left its mark, bound to the action that was approved.
    every_step_left_its_mark(record, directive)

    # 6. Recall. Whoever looks later reads who did what, in order, and can tell that it is intact.
    it_can_be_told_again(record)


def an_agents_wish() -> DirectiveCreate:
    wish = {
        "role": "release-manager",
        "type": "echo",
        "payload": {"release": "2.0"},
        "issued_by": "agent-7",
        "objective": "Announce the release to everyone on staging.",
        "scope": "staging",
        "budget": "$20.00",
        "status": "proposed",
    }
    return parse_directive(wish, max_bytes=65536)


def a_person_must_look(outcome: GateOutcome) -> None:
    assert outcome.decision is not None
    assert outcome.decision.verdict is PolicyVerdict.REQUIRE_APPROVAL
    assert outcome.decision.approval_reasons == ('staging-needs-a-person: scope is "staging"',)
    assert outcome.directive.status == "proposed"


def it_ran_under_the_grant(record: Record) -> None:
    assert record.request is not None
    assert record.request.status == "consumed"
    assert record.grant is not None
    verify_grant(record.grant, KEYS)
    assert record.grant.votes == ("operator",)
    assert record.run is not None
    assert record.run.grant_id == record.grant.id
    assert record.run.attempts == 1
    assert record.run.result is not None
    assert record.run.result["result"] == {"echo": {"release": "2.0"}}


def every_step_left_its_mark(record: Record, directive: DirectiveRead) -> None:
    left = {one.type: one.metadata for one in record.artifacts}
    assert left.keys() == {
        "policy_evaluation",
        "execution_start",
        "module_output",
        "execution_checkpoint",
        "execution_end",
    }
    assert left["policy_evaluation"]["action_digest"] == directive.action_digest
    assert left["execution_start"]["action_digest"] == directive.action_digest
    assert left["execution_start"]["approved_by"] == ["operator"]


def it_can_be_told_again(record: Record) -> None:
    assert [(event.type, event.actor) for event in record.events] == [
        ("directive.proposed", "agent-7"),
        ("policy.evaluated", "remit"),
        ("approval.requested", "remit"),
        ("approval.voted", "operator"),
        ("approval.resolved", "remit"),
        ("grant.issued", "remit"),
        ("directive.approved", "remit"),
        ("grant.consumed", "remit"),
        ("directive.executing", "remit"),
        ("run.attempted", "remit"),
        ("run.ended", "remit"),
        ("directive.completed", "remit"),
    ]
    assert record.broken_at is None
