"""The gate: one transaction from what a caller sends to allowed, waiting or blocked."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from remit.approval.statements import verify_grant
from remit.directives.digest import action_digest
from remit.directives.models import intent_of
from remit.errors import ConflictError, InvalidInputError, MisconfiguredError, NotFoundError
from remit.identity.types import SYSTEM
from remit.operations.evidence.records import read_record
from remit.operations.gate import proposals
from remit.operations.gate.authority import Authority
from remit.policy.config import PolicyConfig
from remit.policy.engine import decide
from remit.policy.types import PolicyInput
from remit.vocabulary import PolicyVerdict
from tests.support.contents import (
    AUTHORITY,
    POLICY,
    SHORT,
    counts,
    directive,
    proposed,
    waiting,
    write,
)
from tests.support.keys import KEYS
from tests.support.people import AGENT, OPERATOR


def test_what_policy_allows_is_approved_with_a_grant_by_policy_alone(engine: sa.Engine) -> None:
    [outcome] = proposals.propose(engine, [directive(budget="$12.50")], AUTHORITY, by=AGENT)
    assert (outcome.directive.status, outcome.directive.status_reason) == ("approved", None)
    assert outcome.created
    assert outcome.decision is not None
    assert outcome.decision.verdict is PolicyVerdict.ALLOW
    record = read_record(engine, outcome.directive.id)
    assert record.directive == outcome.directive
    assert record.request is None
    assert record.grant is not None
    assert record.grant.votes == ()
    assert str(record.grant.budget) == "12.50"
    assert record.grant.module == "echo"
    assert record.grant.action_digest == outcome.directive.action_digest
    assert record.grant.policy_digest == POLICY.digest
    assert record.grant.expires_at - record.grant.issued_at == POLICY.grant_valid_for
    assert record.grant.issued_at == outcome.directive.created_at
    assert record.grant.required_approvals == 0
    verify_grant(record.grant, KEYS)


def test_a_grant_binds_to_the_module_that_the_workers_announced(engine: sa.Engine) -> None:
    known = read_record(engine, proposed(engine).id).grant
    assert known is not None
    assert (known.module_version, known.module_digest) == (SHORT.version, SHORT.digest)


def test_a_tool_that_no_worker_has_is_blocked_with_a_reason_of_its_own(engine: sa.Engine) -> None:
    content = directive(type="validate", scope="staging")
    [outcome] = proposals.propose(engine, [content], AUTHORITY, by=AGENT)
    assert (outcome.directive.status, outcome.directive.status_reason) == ("blocked", "policy")
    assert outcome.decision is not None
    [block] = [one for one in outcome.decision.results if one.verdict is PolicyVerdict.BLOCK]
    assert block.policy == "tool_unavailable"
    record = read_record(engine, outcome.directive.id)
    assert (record.request, record.grant) == (None, None)
    held: Any = record.artifacts[0].metadata
    told = PolicyInput(held["intent"], held["action_digest"], announced=tuple(held["announced"]))
    assert decide(told, POLICY) == outcome.decision


def test_without_a_key_to_sign_with_nothing_is_proposed_and_nothing_is_stored(
    empty_engine: sa.Engine,
) -> None:
    keyless = Authority(POLICY, replace(KEYS, signing_key=None))
    before = counts(empty_engine)
    # Whatever becomes of it: who proposes it is signed.
    for content in (directive(), directive(scope="staging"), directive(type="shell")):
        with pytest.raises(MisconfiguredError, match="there is no key to sign with"):
            proposals.propose(empty_engine, [content], keyless, by=AGENT)
    assert counts(empty_engine) == before
    # A draft is proposed later, by whoever submits it.
    [outcome] = proposals.propose(empty_engine, [directive(status="draft")], keyless, by=AGENT)
    assert outcome.directive.status == "draft"


def test_what_needs_a_person_waits_with_a_request_and_no_grant(engine: sa.Engine) -> None:
    found = waiting(engine, budget="$60")
    record = read_record(engine, found.id)
    assert record.grant is None
    assert record.request is not None
    assert record.request.status == "pending"
    assert record.request.action_digest == found.action_digest
    assert record.request.required_approvals == 1
    assert record.request.rules == (
        'staging-needs-a-person: scope is "staging"',
        "large-spend: budget is over $50.00",
    )
    waits = record.request.expires_at - record.request.requested_at
    assert waits == POLICY.approval.expires_after


def test_what_policy_blocks_names_every_reason_and_leaves_no_request_and_no_grant(
    engine: sa.Engine,
) -> None:
    content = directive(type="shell", scope="production", budget="$500")
    [outcome] = proposals.propose(engine, [content], AUTHORITY, by=AGENT)
    assert (outcome.directive.status, outcome.directive.status_reason) == ("blocked", "policy")
    assert outcome.decision is not None
    assert len(outcome.decision.block_reasons) == 3
    record = read_record(engine, outcome.directive.id)
    assert (record.request, record.grant, record.run) == (None, None, None)
    assert '"because": [' in record.events[-1].data
    for reason in outcome.decision.block_reasons:
        assert reason.replace('"', '\\"') in record.events[-1].data


def test_a_block_stands_above_a_rule_that_asks_for_a_person(engine: sa.Engine) -> None:
    assert proposed(engine, scope="staging", type="shell").status_reason == "policy"


def test_an_empty_policy_blocks_everything(engine: sa.Engine) -> None:
    assert proposed(engine, PolicyConfig()).status_reason == "policy"


@pytest.mark.parametrize("scope", ["test", "staging", "production"])
def test_the_outcome_is_exactly_what_a_reader_finds_afterwards(
    engine: sa.Engine, scope: str
) -> None:
    [outcome] = proposals.propose(engine, [directive(scope=scope)], AUTHORITY, by=AGENT)
    assert read_record(engine, outcome.directive.id).directive == outcome.directive


def test_a_draft_is_stored_and_not_judged(engine: sa.Engine) -> None:
    [outcome] = proposals.propose(
        engine, [directive(status="draft", type="shell")], AUTHORITY, by=AGENT
    )
    assert (outcome.directive.status, outcome.decision) == ("draft", None)
    record = read_record(engine, outcome.directive.id)
    assert record.directive == outcome.directive
    assert record.directive.action_digest is None
    assert [event.type for event in record.events] == ["directive.drafted"]


def test_a_submitted_draft_is_frozen_and_judged(engine: sa.Engine) -> None:
    draft = proposed(engine, status="draft")
    outcome = proposals.submit(engine, draft.id, AUTHORITY, by=OPERATOR)
    assert outcome.directive.status == "approved"
    assert outcome.directive.action_digest == action_digest(intent_of(draft))
    events = read_record(engine, draft.id).events
    assert [(event.type, event.actor) for event in events[:2]] == [
        ("directive.drafted", "agent-1"),
        ("directive.proposed", "operator"),
    ]
    assert str(outcome.directive.action_digest) in events[1].data


def test_submitting_what_waits_or_runs_already_changes_nothing(engine: sa.Engine) -> None:
    for found in (waiting(engine), proposed(engine)):
        before = read_record(engine, found.id)
        outcome = proposals.submit(engine, found.id, AUTHORITY, by=OPERATOR)
        assert (outcome.decision, outcome.created) == (None, False)
        assert read_record(engine, found.id) == before


def test_submitting_an_unknown_directive_says_how_to_find_those_there_are(
    engine: sa.Engine,
) -> None:
    unknown = uuid4()
    with pytest.raises(NotFoundError) as caught:
        proposals.submit(engine, unknown, AUTHORITY, by=OPERATOR)
    assert str(caught.value) == (
        f"there is no directive {unknown}; `remit list` shows those there are"
    )


def test_a_list_is_stored_whole_in_the_order_of_the_caller(empty_engine: sa.Engine) -> None:
    scopes = ["test", "production", "staging", "development"]
    contents = [directive(scope=scope) for scope in scopes] + [directive(status="draft")]
    outcomes = proposals.propose(empty_engine, contents, AUTHORITY, by=AGENT)
    assert [one.directive.scope for one in outcomes] == [*scopes, "test"]
    assert [one.directive.status for one in outcomes] == [
        "approved",
        "blocked",
        "proposed",
        "approved",
        "draft",
    ]
    assert counts(empty_engine) == {
        "directives": 5,
        "approval_requests": 1,
        "approval_votes": 0,
        "grants": 2,
        "execution_runs": 0,
        "artifacts": 4,
        "events": 4 + 3 + 3 + 4 + 1,
    }


def test_an_empty_list_is_no_work(empty_engine: sa.Engine) -> None:
    assert proposals.propose(empty_engine, [], AUTHORITY, by=AGENT) == []
    assert set(counts(empty_engine).values()) == {0}


def test_one_unreadable_budget_in_a_list_stores_none_of_it(empty_engine: sa.Engine) -> None:
    contents = [directive(), directive(budget="fifty dollars")]
    with pytest.raises(InvalidInputError) as caught:
        proposals.propose(empty_engine, contents, AUTHORITY, by=AGENT)
    assert caught.value.field == "budget"
    assert set(counts(empty_engine).values()) == {0}


def test_a_proposed_row_that_nobody_judged_passes_the_gate_when_submitted(
    engine: sa.Engine,
) -> None:
    content = directive(payload={"came": "by SQL"})
    unjudged = uuid4()
    write(
        engine,
        "INSERT INTO directives (id, role, type, payload, issued_by, objective, scope, status,"
        ' action_digest) VALUES (:id, :role, :type, \'{"came": "by SQL"}\', :issued_by,'
        " :objective, :scope, 'proposed', :digest)",
        **content.model_dump(include={"role", "type", "issued_by", "objective", "scope"}),
        id=unjudged,
        digest=action_digest(intent_of(content)),
    )
    outcome = proposals.submit(engine, unjudged, AUTHORITY, by=SYSTEM)
    assert outcome.directive.status == "approved"
    record = read_record(engine, unjudged)
    assert record.grant is not None
    assert record.events[0].type == "directive.proposed"
    assert "without a decision" in record.events[0].data
    assert record.broken_at is None


def test_a_proposed_row_with_an_unreadable_budget_is_blocked_by_the_gate(
    engine: sa.Engine,
) -> None:
    found = proposed(engine, status="draft")
    write(engine, "UPDATE directives SET budget = 'a lot' WHERE id = :id", id=found.id)
    outcome = proposals.submit(engine, found.id, AUTHORITY, by=SYSTEM)
    assert (outcome.directive.status, outcome.directive.status_reason) == ("blocked", "policy")


def test_content_that_was_changed_after_it_was_frozen_is_blocked_when_it_is_submitted_again(
    engine: sa.Engine,
) -> None:
    found = proposed(engine, type="shell")
    assert found.status == "blocked"
    write(engine, "UPDATE directives SET type = 'echo' WHERE id = :id", id=found.id)
    outcome = proposals.submit(engine, found.id, AUTHORITY, by=OPERATOR)
    assert (outcome.directive.status, outcome.directive.status_reason) == ("blocked", "policy")
    assert outcome.decision is not None
    assert outcome.decision.block_reasons == (
        "the content was changed after it was frozen; propose a new directive",
    )
    assert read_record(engine, found.id).grant is None


@pytest.mark.parametrize("scope", ["test", "staging", "production"])
def test_a_stored_decision_can_be_replayed_from_its_artifact_alone(
    engine: sa.Engine, scope: str
) -> None:
    content = directive(scope=scope, budget="$70", constraints={"read": ["only"]}, timebox="5m")
    [outcome] = proposals.propose(engine, [content], AUTHORITY, by=AGENT)
    [stored] = read_record(engine, outcome.directive.id).artifacts
    assert (stored.type, stored.uri) == ("policy_evaluation", outcome.artifact_uri)
    held: Any = stored.metadata
    replayed = decide(
        PolicyInput(held["intent"], held["action_digest"]),
        PolicyConfig.model_validate(held["policy"]),
    )
    assert replayed == outcome.decision
    assert held["verdict"] == replayed.verdict.value
    assert action_digest(held["intent"]) == held["action_digest"]


def test_a_stored_decision_can_be_replayed_under_another_policy(engine: sa.Engine) -> None:
    [outcome] = proposals.propose(engine, [directive()], AUTHORITY, by=AGENT)
    [stored] = read_record(engine, outcome.directive.id).artifacts
    held: Any = stored.metadata
    told = PolicyInput(held["intent"], held["action_digest"])
    assert decide(told, PolicyConfig()).verdict is PolicyVerdict.BLOCK


def test_what_is_final_cannot_be_submitted_again(engine: sa.Engine) -> None:
    found = proposed(engine)
    write(engine, "UPDATE directives SET status = 'complete' WHERE id = :id", id=found.id)
    with pytest.raises(ConflictError) as caught:
        proposals.submit(engine, found.id, AUTHORITY, by=OPERATOR)
    assert str(caught.value) == (
        f"directive {found.id} is complete, which is final; propose a new one instead"
    )
