"""What is still missing, who could give it, and what would fail."""

from uuid import uuid4

import pytest
import sqlalchemy as sa

from remit.directives.models import DirectiveRead
from remit.errors import NotFoundError
from remit.identity.types import Principal
from remit.operations.evidence.explanation import Explanation, explain
from remit.operations.gate.policies import confirm_policy
from remit.operations.runs.beginning import start_run
from remit.operations.runs.cancellation import cancel
from remit.policy.config import PolicyConfig
from tests.support.contents import (
    AUTHORITY,
    POLICY,
    SHORT,
    asking,
    cast,
    policy,
    proposed,
    under,
    waiting,
    write,
    yes,
)
from tests.support.keys import KEYS
from tests.support.people import ADA, OPERATOR, know


def explained(
    engine: sa.Engine, found: DirectiveRead, wanted: PolicyConfig = POLICY
) -> Explanation:
    """Explain a directive under a policy that an operator has confirmed."""
    confirm_policy(engine, wanted, by=OPERATOR, keys=KEYS)
    return explain(engine, found.id, under(wanted))


def test_a_waiting_directive_names_the_rule_the_number_and_who_could_answer(
    empty_engine: sa.Engine,
) -> None:
    careful = asking(required_approvals=2, approver_groups=["release"])
    know(empty_engine, Principal("max", "human", roles=("approver",), groups=("release",)))
    found = waiting(empty_engine, careful)
    cast(empty_engine, found, yes(found), careful, by=ADA)
    waits = explained(empty_engine, found, careful).waiting
    assert waits is not None
    assert waits.rules == ('staging-needs-a-person: scope is "staging"',)
    assert (waits.required, waits.approved_by, waits.missing) == (2, ("ada",), 1)
    answers = {one.name: (one.objection, one.voted) for one in waits.candidates}
    assert answers["max"] == (None, False)
    assert answers["ada"] == (None, True)
    assert answers["operator"] == (
        "operator is not in release, whose members may vote; ask one of them",
        False,
    )
    assert "agent-1" not in answers


def test_whoever_the_issuer_acts_for_could_not_answer(empty_engine: sa.Engine) -> None:
    helper = Principal("helper", "agent", roles=("proposer",), acts_for="ada")
    know(empty_engine, helper)
    found = waiting(empty_engine, issued_by="helper")
    waits = explained(empty_engine, found).waiting
    assert waits is not None
    [ada] = [one for one in waits.candidates if one.name == "ada"]
    assert ada.objection == (
        "ada is whom helper acts for, and policy does not allow self-approval; ask somebody else"
    )


def test_nothing_would_fail_as_things_stand(empty_engine: sa.Engine) -> None:
    assert explained(empty_engine, waiting(empty_engine)).obstacles == ()
    assert explained(empty_engine, proposed(empty_engine)).obstacles == ()


def test_an_approval_under_another_policy_would_be_void(empty_engine: sa.Engine) -> None:
    found = waiting(empty_engine)
    [obstacle] = explained(empty_engine, found, policy(version="2")).obstacles
    assert obstacle.startswith("policy_changed: policy 1 asked, and 2 is in force now")


def test_a_grant_under_another_policy_does_not_hold(empty_engine: sa.Engine) -> None:
    found = proposed(empty_engine)
    obstacles = explained(empty_engine, found, policy(version="2")).obstacles
    assert obstacles == ("policy_changed: its grant does not hold; it will be blocked",)


def test_a_module_that_no_worker_has_would_not_be_found(empty_engine: sa.Engine) -> None:
    found = proposed(empty_engine, type="validate")
    explanation = explained(empty_engine, found)
    said = (
        'no worker has announced the tool "validate": start one that has it, then retry; '
        "announced: echo, fail_intentionally and noop"
    )
    assert (explanation.because, explanation.obstacles) == ((said,), (f"policy: {said}",))


@pytest.mark.parametrize("scope", ["test", "staging"])
def test_before_any_worker_has_announced_a_module_it_would_not_be_found(
    empty_engine: sa.Engine, scope: str
) -> None:
    write(empty_engine, "DELETE FROM modules")
    found = proposed(empty_engine, scope=scope)
    obstacles = explained(empty_engine, found).obstacles
    assert obstacles == ("module_not_found: no worker has announced the module echo",)


def test_a_limit_that_was_reached_meanwhile_would_withhold_the_grant(
    empty_engine: sa.Engine,
) -> None:
    daily = policy(budget_limits=[{"name": "daily", "ceiling": "$50.00", "period": "day"}])
    found = waiting(empty_engine, daily, budget="$30")
    proposed(empty_engine, daily, budget="$40")
    obstacles = explained(empty_engine, found, daily).obstacles
    passed = "limit daily: budget would pass $50.00 a day"
    assert obstacles == (
        f"policy: {passed} ($40.00 committed so far, $30.00 more)",
        f"budget_exhausted: {passed}",
    )


def test_a_blocked_directive_says_why_and_what_a_retry_would_meet(empty_engine: sa.Engine) -> None:
    found = proposed(empty_engine, scope="production")
    explanation = explained(empty_engine, found)
    said = 'scope "production" is not allowed; allowed: development, staging and test'
    assert explanation.because == (said,)
    assert explanation.obstacles == (f"policy: {said}",)
    assert explanation.waiting is None
    wider = policy(allowed_scopes=["production"])
    assert explained(empty_engine, found, wider).obstacles == ()


def test_what_runs_or_has_ended_has_no_obstacles(empty_engine: sa.Engine) -> None:
    found = proposed(empty_engine)
    start_run(empty_engine, found.id, lambda _: SHORT, AUTHORITY)
    assert explained(empty_engine, found, policy(version="2")).obstacles == ()
    cancel(empty_engine, found.id, by=OPERATOR, reason=None)
    assert explained(empty_engine, found, policy(version="2")).obstacles == ()


def test_explaining_writes_nothing_and_locks_nothing(empty_engine: sa.Engine) -> None:
    found = waiting(empty_engine)
    with empty_engine.begin() as connection:
        lock = sa.text("SELECT FROM directives WHERE id = :id FOR UPDATE")
        connection.execute(lock, {"id": found.id})
        assert explained(empty_engine, found).waiting is not None


def test_an_unknown_directive_is_not_found(empty_engine: sa.Engine) -> None:
    with pytest.raises(NotFoundError):
        explain(empty_engine, uuid4(), AUTHORITY)
