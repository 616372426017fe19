"""The policy file swapped under a running worker: nothing runs under another than was in force."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.approval.types import Grant
from remit.directives.models import DirectiveRead
from remit.errors import ConflictError, InvalidInputError, UnavailableError
from remit.execution.grants import void_reason
from remit.operations.evidence.records import read_record
from remit.operations.gate import proposals
from remit.operations.gate.approvals import vote
from remit.operations.gate.authority import Authority
from remit.operations.gate.policies import PolicySource
from remit.operations.runs import starts
from remit.policy.config import load_policy
from remit.vocabulary import VoidReason
from tests.adversarial.attacking import Hands, ended, worker
from tests.support.contents import directive, write, yes
from tests.support.keys import KEYS
from tests.support.people import AGENT, OPERATOR

BUILT_IN = files("remit.policy").joinpath("default.toml").read_text(encoding="utf-8")
LATER = BUILT_IN.replace('version = "1"', 'version = "2"')
STRICTER = BUILT_IN.replace("$100.00", "$1.00")
WIDER = BUILT_IN.replace('"staging"]', '"staging", "production"]')
UNASKED = re.sub(r'name = "staging-needs-a-person"\nscope = "staging"', "", BUILT_IN).replace(
    "[[approval.rules]]\n\n", ""
)
"""The same policy, but nobody is asked about staging."""

OTHERS = {
    "a later version": LATER,
    "stricter, same version": STRICTER,
    "wider, same version": WIDER,
    "nobody is asked": UNASKED,
}
BROKEN = {"no TOML": "version = ", "empty": "", "unknown key": BUILT_IN + "\n[more]\n"}


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    """Return the policy file of the installation, which holds the built-in policy."""
    path = tmp_path / "policy.toml"
    path.write_text(BUILT_IN, encoding="utf-8")
    return path


@pytest.fixture
def hands(engine: sa.Engine, policy_file: Path) -> Iterator[Hands]:
    with worker(engine, PolicySource(policy_file)) as made:
        yield made


@pytest.fixture
def door(policy_file: Path) -> Callable[[], Authority]:
    """Return what a door decides with, by the same file."""
    policies = PolicySource(policy_file)
    return lambda: Authority(policies.current(), KEYS)


def approved(
    engine: sa.Engine, authority: Authority, *, scope: str = "staging", module: str = "test"
) -> UUID:
    """Return a directive that was approved, by a person if its scope asks for one."""
    content = directive(type=module, scope=scope)
    [outcome] = proposals.propose(engine, [content], authority, by=AGENT)
    found = outcome.directive
    if found.status == "proposed":
        vote(engine, found.id, yes(found), authority, by=OPERATOR)
    assert ended(engine, found.id) == ("approved", None)
    return found.id


def swap(path: Path, text: str) -> None:
    """Put another policy in place of the file, at one stroke."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def test_the_policies_of_these_tests_are_different_ones(tmp_path: Path) -> None:
    digests = set()
    for text in (BUILT_IN, *OTHERS.values()):
        (tmp_path / "one.toml").write_text(text, encoding="utf-8")
        digests.add(load_policy(tmp_path / "one.toml").digest)
    assert len(digests) == 1 + len(OTHERS)


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("scope", ["staging", "test"])
def test_a_policy_swapped_between_approval_and_start_voids_the_approval(
    engine: sa.Engine,
    hands: Hands,
    door: Callable[[], Authority],
    policy_file: Path,
    *,
    scope: str,
    other: str,
) -> None:
    victim = approved(engine, door(), scope=scope)
    swap(policy_file, OTHERS[other])
    hands.work(victim)
    assert ended(engine, victim) == ("blocked", "policy_changed")
    # Void is void: the policy that comes back does not bring the grant back.
    swap(policy_file, BUILT_IN)
    hands.work(victim)
    assert ended(engine, victim) == ("blocked", "policy_changed")
    assert hands.effects == []


def test_a_policy_rolled_back_to_an_older_one_voids_what_the_newer_one_approved(
    engine: sa.Engine, hands: Hands, door: Callable[[], Authority], policy_file: Path
) -> None:
    swap(policy_file, LATER)
    victim = approved(engine, door())
    swap(policy_file, BUILT_IN)
    hands.work(victim)
    assert ended(engine, victim) == ("blocked", "policy_changed")
    assert hands.effects == []


@pytest.mark.parametrize("broken", [*BROKEN, "gone"])
def test_under_a_broken_policy_nothing_runs_and_under_the_mended_one_it_does(
    engine: sa.Engine,
    hands: Hands,
    door: Callable[[], Authority],
    policy_file: Path,
    broken: str,
) -> None:
    victim = approved(engine, door())
    if broken == "gone":
        policy_file.unlink()
    else:
        swap(policy_file, BROKEN[broken])
    for _ in range(2):
        with pytest.raises(UnavailableError, match="no policy can be read, so nothing may run"):
            hands.work(victim)
        with pytest.raises(InvalidInputError):
            door()
    assert ended(engine, victim) == ("approved", None)
    assert hands.effects == []
    swap(policy_file, BUILT_IN)
    hands.work(victim)
    assert hands.struck == {victim}


def test_a_policy_that_comes_back_before_the_start_executes_what_it_approved(
    engine: sa.Engine, hands: Hands, door: Callable[[], Authority], policy_file: Path
) -> None:
    victim = approved(engine, door())
    swap(policy_file, STRICTER)
    swap(policy_file, BUILT_IN)
    hands.work(victim)
    assert hands.struck == {victim}


@pytest.mark.parametrize("step", ["run created", "attempt lost"])
def test_a_policy_swapped_before_an_attempt_stops_it(
    engine: sa.Engine,
    hands: Hands,
    door: Callable[[], Authority],
    policy_file: Path,
    step: str,
) -> None:
    victim = approved(engine, door(), module="validate")
    if step == "run created":
        assert hands.start(victim).long_module_seconds is not None
    else:
        hands.lose(victim)
    swap(policy_file, STRICTER)
    hands.work(victim)
    # Whether the attempt that was lost had an effect, nobody knows.
    lost = step == "attempt lost"
    expected = ("executing", "in_doubt") if lost else ("aborted", "policy_changed")
    assert ended(engine, victim) == expected
    assert hands.effects == []


def ask(engine: sa.Engine, authority: Authority) -> DirectiveRead:
    """Return a directive that waits for a person."""
    content = directive(type="test", scope="staging")
    [outcome] = proposals.propose(engine, [content], authority, by=AGENT)
    assert outcome.directive.status == "proposed"
    return outcome.directive


@pytest.mark.parametrize("other", OTHERS)
def test_a_vote_under_another_policy_than_the_one_that_asked_executes_nothing(
    engine: sa.Engine,
    hands: Hands,
    door: Callable[[], Authority],
    policy_file: Path,
    other: str,
) -> None:
    victim = ask(engine, door())
    swap(policy_file, OTHERS[other])
    vote_or_refusal(engine, victim, door())
    hands.work(victim.id)
    assert hands.effects == []


def vote_or_refusal(engine: sa.Engine, victim: DirectiveRead, authority: Authority) -> None:
    """Vote; a refusal is as good as a grant that is void."""
    with contextlib.suppress(ConflictError):
        vote(engine, victim.id, yes(victim), authority, by=OPERATOR)


def test_a_request_of_an_older_policy_whose_terms_were_forged_gains_nothing_by_a_swap(
    engine: sa.Engine, hands: Hands, door: Callable[[], Authority], policy_file: Path
) -> None:
    swap(policy_file, BUILT_IN.replace("required_approvals = 1", "required_approvals = 2"))
    victim = ask(engine, door())
    write(
        engine,
        "UPDATE approval_requests SET required_approvals = 1 WHERE directive_id = :id",
        id=victim.id,
    )
    asked = policy_file.read_text(encoding="utf-8")
    # While another policy is in force, the terms of the one that asked are not at hand.
    swap(policy_file, LATER)
    vote_or_refusal(engine, victim, door())
    swap(policy_file, asked)
    hands.work(victim.id)
    assert hands.effects == []


def test_an_allow_list_widened_after_a_block_executes_nothing_by_itself(
    engine: sa.Engine, hands: Hands, door: Callable[[], Authority], policy_file: Path
) -> None:
    content = directive(type="test", scope="production")
    [outcome] = proposals.propose(engine, [content], door(), by=AGENT)
    victim = outcome.directive.id
    assert ended(engine, victim) == ("blocked", "policy")
    swap(policy_file, WIDER)
    hands.work(victim)
    hands.sweep()
    assert ended(engine, victim) == ("blocked", "policy")
    assert hands.effects == []
    # Only who asks again is judged again, by what is in force now.
    proposals.submit(engine, victim, door(), by=AGENT)
    hands.work(victim)
    assert hands.struck == {victim}
    grant = read_record(engine, victim).grant
    assert grant is not None
    assert grant.policy_digest == door().policy.digest


@pytest.mark.parametrize("how", ["in place", "as another file"])
def test_a_swap_that_keeps_size_and_times_is_seen_all_the_same(
    engine: sa.Engine, hands: Hands, door: Callable[[], Authority], policy_file: Path, how: str
) -> None:
    victim = approved(engine, door())
    before = policy_file.stat()
    assert len(LATER) == len(BUILT_IN)
    if how == "in place":
        policy_file.write_text(LATER, encoding="utf-8")
    else:
        swap(policy_file, LATER)
    os.utime(policy_file, ns=(before.st_atime_ns, before.st_mtime_ns))
    hands.work(victim)
    assert ended(engine, victim) == ("blocked", "policy_changed")
    assert hands.effects == []


def test_without_the_policy_in_the_grant_a_swap_executes_what_the_new_one_would_block(
    engine: sa.Engine,
    hands: Hands,
    door: Callable[[], Authority],
    policy_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def trusting(grant: Grant, about: DirectiveRead, **found: Any) -> VoidReason | None:
        return void_reason(grant, about, **found | {"policy_digest": grant.policy_digest})

    monkeypatch.setattr(starts, "void_reason", trusting)
    victim = approved(engine, door())
    nothing_allowed = re.sub(r"\nallow = .*", "\nallow = []", BUILT_IN)
    swap(policy_file, nothing_allowed)
    hands.work(victim)
    assert hands.struck == {victim}
