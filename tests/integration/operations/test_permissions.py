"""Who may propose, and who may steer what was proposed. Who may vote: `test_voters.py`."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from remit.directives.models import DirectiveRead
from remit.errors import ForbiddenError
from remit.identity.types import SYSTEM, Principal
from remit.operations.evidence.records import read_record
from remit.operations.gate import proposals
from remit.operations.runs.cancellation import cancel
from remit.vocabulary import Role
from tests.support.contents import AUTHORITY, counts, directive, proposed, waiting
from tests.support.people import ADA, ADMIN, AGENT, OPERATOR, OTHER_AGENT, agent, person


@pytest.mark.parametrize(
    "who",
    [OTHER_AGENT, person("ada"), ADMIN, agent("agent-l"), agent("agent-11")],
    ids=lambda who: who.name,
)
def test_nobody_proposes_in_anothers_name_and_nothing_of_it_is_stored(
    empty_engine: sa.Engine, who: Principal
) -> None:
    contents = [directive(issued_by=who.name), directive(issued_by="agent-1")]
    with pytest.raises(ForbiddenError) as caught:
        proposals.propose(empty_engine, contents, AUTHORITY, by=who)
    assert str(caught.value) == (
        f"issued_by: you are {who.name}, and a directive is issued by whoever proposes it; "
        "leave this out, or use that principal's token"
    )
    assert set(counts(empty_engine).values()) == {0}


@pytest.mark.parametrize("status", ["draft", "proposed"])
@pytest.mark.parametrize("role", ["approver", "operator", "auditor"])
def test_only_who_may_propose_stores_anything(
    empty_engine: sa.Engine, role: Role, status: str
) -> None:
    who = Principal("agent-1", "agent", roles=(role,))
    with pytest.raises(ForbiddenError) as caught:
        proposals.propose(empty_engine, [directive(status=status)], AUTHORITY, by=who)
    assert str(caught.value) == ("agent-1 may not propose: that needs the role proposer or admin")
    with pytest.raises(ForbiddenError):
        proposals.propose(empty_engine, [], AUTHORITY, by=who)
    assert set(counts(empty_engine).values()) == {0}


def test_remit_itself_cannot_propose(engine: sa.Engine) -> None:
    with pytest.raises(ForbiddenError):
        proposals.propose(engine, [directive(issued_by="remit")], AUTHORITY, by=SYSTEM)


def blocked(engine: sa.Engine) -> DirectiveRead:
    return proposed(engine, type="shell")


def draft(engine: sa.Engine) -> DirectiveRead:
    return proposed(engine, status="draft")


Steer = Callable[[sa.Engine, DirectiveRead, Principal], object]


def stop(engine: sa.Engine, found: DirectiveRead, by: Principal) -> object:
    return cancel(engine, found.id, by=by, reason="enough")


def again(engine: sa.Engine, found: DirectiveRead, by: Principal) -> object:
    return proposals.submit(engine, found.id, AUTHORITY, by=by)


STEERED: list[tuple[Callable[[sa.Engine], DirectiveRead], Steer]] = [
    (waiting, stop),
    (proposed, stop),
    (blocked, again),
    (draft, again),
    (waiting, again),
]
STEERED_IDS = ["stop what waits", "stop what is approved", "retry", "submit", "submit twice"]


@pytest.mark.parametrize(("make", "steer"), STEERED, ids=STEERED_IDS)
@pytest.mark.parametrize("by", [AGENT, OPERATOR, ADMIN, SYSTEM], ids=lambda by: by.name)
def test_the_issuer_and_an_operator_steer_a_directive_and_it_says_who_did(
    engine: sa.Engine, make: Callable[[sa.Engine], DirectiveRead], steer: Steer, by: Principal
) -> None:
    found = make(engine)
    before = len(read_record(engine, found.id).events)
    steer(engine, found, by)
    said = read_record(engine, found.id).events[before:]
    if make is waiting and steer is again:
        assert not said
    else:
        assert by.name in {event.actor for event in said}


STRANGERS: list[Principal] = [
    OTHER_AGENT,
    ADA,
    Principal("eve", "human", roles=("proposer", "approver", "auditor")),
    Principal("eve", "human"),
    Principal("eve", "human", roles=("operator",), scopes=("propose", "vote")),
    Principal("agent-1", "agent"),
    Principal("agent-1", "agent", roles=("proposer",), scopes=("audit",)),
    Principal("deputy", "agent", roles=("proposer",), acts_for="agent-1"),
]


@pytest.mark.parametrize(("make", "steer"), STEERED, ids=STEERED_IDS)
@pytest.mark.parametrize("by", STRANGERS, ids=range(len(STRANGERS)))
def test_nobody_else_does(
    engine: sa.Engine, make: Callable[[sa.Engine], DirectiveRead], steer: Steer, by: Principal
) -> None:
    found = make(engine)
    before = read_record(engine, found.id)
    with pytest.raises(ForbiddenError):
        steer(engine, found, by)
    assert read_record(engine, found.id) == before


def test_an_operator_does_not_become_the_issuer_by_steering(engine: sa.Engine) -> None:
    found = draft(engine)
    outcome = proposals.submit(engine, found.id, AUTHORITY, by=OPERATOR)
    stored: Any = outcome.directive
    assert (stored.issued_by, stored.status) == ("agent-1", "approved")
