"""A policy file that nobody confirmed, put in place while a stack runs: nothing goes by it.

It may be half of two that somebody writes over one another, the work of an agent that found the
file, or a slip of a delivery. Until an operator says so, what waits goes on waiting.
"""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.errors import PolicyUnconfirmedError
from remit.operations.gate import policies as confirmations
from remit.operations.gate import proposals
from remit.operations.gate.approvals import vote
from remit.operations.gate.authority import Authority
from remit.operations.gate.policies import Confirmations, PolicySource, confirm_policy
from remit.policy.config import default_policy, parse_policy
from tests.adversarial.attacking import Hands, ended, worker
from tests.support.contents import directive, yes
from tests.support.keys import KEYS
from tests.support.people import AGENT, OPERATOR

BUILT_IN = files("remit.policy").joinpath("default.toml").read_text(encoding="utf-8")
RULES = BUILT_IN[BUILT_IN.index("[[approval.rules]]") : BUILT_IN.index("[grant]")]
UNASKED = BUILT_IN.replace(RULES, "rules = []\n")
"""The built-in policy, of the same version, but nobody is asked about anything."""


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    """Return the policy file of the installation, which holds the built-in policy."""
    path = tmp_path / "policy.toml"
    path.write_text(BUILT_IN, encoding="utf-8")
    return path


@pytest.fixture
def policies(engine: sa.Engine, policy_file: Path) -> PolicySource:
    """Return what a door and a worker decide by."""
    return PolicySource(policy_file, Confirmations(engine, lambda: KEYS))


@pytest.fixture
def hands(engine: sa.Engine, policies: PolicySource) -> Iterator[Hands]:
    with worker(engine, policies) as made:
        yield made


def propose(engine: sa.Engine, policies: PolicySource, scope: str) -> proposals.GateOutcome:
    """Propose something as a door does."""
    content = directive(type="test", scope=scope)
    authority = Authority(policies.current(), KEYS)
    [outcome] = proposals.propose(engine, [content], authority, by=AGENT)
    return outcome


def count(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        found: int = connection.execute(sa.text("SELECT count(*) FROM directives")).scalar_one()
    return found


def test_under_a_policy_that_nobody_confirmed_nothing_is_decided_and_nothing_starts(
    engine: sa.Engine, hands: Hands, policies: PolicySource, policy_file: Path
) -> None:
    approved = propose(engine, policies, "test").directive.id
    waiting = propose(engine, policies, "staging").directive
    policy_file.write_text(UNASKED, encoding="utf-8")
    before = count(engine)
    for _ in range(2):
        with pytest.raises(PolicyUnconfirmedError, match="`remit policy confirm` says so"):
            propose(engine, policies, "staging")
        with pytest.raises(PolicyUnconfirmedError):
            hands.work(approved)
        with pytest.raises(PolicyUnconfirmedError):
            vote(engine, waiting.id, yes(waiting), Authority(policies.current(), KEYS), by=OPERATOR)
    assert count(engine) == before
    assert [ended(engine, one) for one in (approved, waiting.id)] == [
        ("approved", None),
        ("proposed", None),
    ]
    assert hands.effects == []


def test_with_the_confirmed_policy_back_in_place_what_waited_runs(
    engine: sa.Engine, hands: Hands, policies: PolicySource, policy_file: Path
) -> None:
    approved = propose(engine, policies, "test").directive.id
    policy_file.write_text(UNASKED, encoding="utf-8")
    with pytest.raises(PolicyUnconfirmedError):
        hands.work(approved)
    policy_file.write_text(BUILT_IN, encoding="utf-8")
    hands.work(approved)
    assert hands.struck == {approved}


def test_once_an_operator_confirms_it_the_gate_goes_by_it(
    engine: sa.Engine, hands: Hands, policies: PolicySource, policy_file: Path
) -> None:
    text = UNASKED.replace('version = "1"', 'version = "confirmed"')
    policy_file.write_text(text, encoding="utf-8")
    confirm_policy(engine, policies.read(), by=OPERATOR, keys=KEYS)
    found = propose(engine, policies, "staging").directive
    hands.work(found.id)
    assert hands.struck == {found.id}


def test_a_file_that_stays_written_over_by_half_is_nobody_s(
    engine: sa.Engine, policies: PolicySource, policy_file: Path
) -> None:
    # Of one version, one length and whole to the eye: the head of one, and the tail of the other.
    old = BUILT_IN.replace("# Groups whose members", "approver_groups = ['ops']\n# Members")
    new = old.replace("$100.00", "$999.00").replace("'ops'", "'all'")
    for text in (old, new):
        confirm_policy(engine, parse_policy(text, source="p"), by=OPERATOR, keys=KEYS)
    cut = old.index("[approval]")
    policy_file.write_text(new[:cut] + old[cut:], encoding="utf-8")
    assert policies.read().approval.approver_groups == ("ops",)
    with pytest.raises(PolicyUnconfirmedError):
        propose(engine, policies, "staging")


def forged(engine: sa.Engine, policies: PolicySource) -> None:
    """Write with the service's login that an operator confirmed what is in place."""
    policy = policies.read()
    with engine.begin() as connection:
        [genuine] = connection.execute(
            sa.text("SELECT envelope FROM policies WHERE digest = :digest"),
            {"digest": default_policy().digest},
        ).scalars()
        connection.execute(
            sa.text(
                "INSERT INTO policies (digest, version, confirmed_by, envelope) "
                "VALUES (:digest, :version, 'operator', CAST(:envelope AS jsonb)) "
                "ON CONFLICT DO NOTHING"
            ),
            {
                "digest": policy.digest,
                "version": policy.version,
                "envelope": json.dumps(genuine),
            },
        )


def test_a_confirmation_that_was_written_by_sql_is_none(
    engine: sa.Engine, hands: Hands, policies: PolicySource, policy_file: Path
) -> None:
    approved = propose(engine, policies, "test").directive.id
    policy_file.write_text(UNASKED, encoding="utf-8")
    forged(engine, policies)
    with pytest.raises(PolicyUnconfirmedError, match="that it is confirmed does not verify"):
        propose(engine, policies, "staging")
    with pytest.raises(PolicyUnconfirmedError):
        hands.work(approved)
    assert hands.effects == []


def strike(engine: sa.Engine, policy_file: Path, policies: PolicySource) -> set[UUID]:
    """Put the policy that asks nobody in place, and do something to staging; return what ran."""
    with worker(engine, policies) as hands:
        policy_file.write_text(UNASKED, encoding="utf-8")
        victim = propose(engine, policies, "staging").directive.id
        hands.work(victim)
        return hands.struck & {victim}


def test_if_no_policy_need_be_confirmed_staging_runs_with_nobody_asked(
    engine: sa.Engine, policy_file: Path
) -> None:
    assert strike(engine, policy_file, PolicySource(policy_file))


def test_if_a_confirmation_need_not_verify_one_row_has_staging_run_with_nobody_asked(
    engine: sa.Engine,
    policy_file: Path,
    policies: PolicySource,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(confirmations, "verify_policy", lambda row, keys: None)
    policy_file.write_text(UNASKED, encoding="utf-8")
    forged(engine, policies)
    assert strike(engine, policy_file, policies)
