"""One admin where two are asked: what one alone can no longer do, and what makes two of one."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.audit.chain import INSTALLATION
from remit.errors import ConflictError, ForbiddenError, NotFoundError
from remit.identity.types import Principal
from remit.operations.identities import four_eyes
from remit.operations.identities.authentication import authenticate
from remit.operations.identities.directory import change_principal, create_token, ensure_principals
from remit.operations.identities.four_eyes import (
    Change,
    confirm,
    is_asked,
    propose,
    read_proposals,
    switch_on,
)
from remit.operations.identities.invitations import MadeInvitation, invite, redeem
from remit.operations.identities.revocation import revoke_token
from tests.adversarial.forging import as_service
from tests.support.identities import discrepancies
from tests.support.keys import KEYS
from tests.support.people import ADMIN, AGENT, GRACE
from tests.support.races import at_once, refused

HOUR = timedelta(hours=1)
ONE = Principal("one", "human", roles=("admin",))
OTHER = Principal("other", "human", roles=("admin",))
NOVICE = Principal("novice", "human", roles=("approver",))
INVITE = Change("invite", NOVICE)


def redeemed(engine: sa.Engine, who: Principal) -> Principal:
    """Return somebody with a token that nobody else has seen."""
    code = invite(engine, who, valid_for=HOUR, open_for=HOUR, by=ADMIN, keys=KEYS).code
    return authenticate(engine, str(redeem(engine, str(code), KEYS).token), KEYS)


@pytest.fixture
def admins(empty_engine: sa.Engine) -> tuple[Principal, Principal]:
    """Return two admins who are two, where two are asked."""
    pair = redeemed(empty_engine, ONE), redeemed(empty_engine, OTHER)
    switch_on(empty_engine, by=pair[0], keys=KEYS)
    return pair


def alone(engine: sa.Engine, by: Principal) -> list[object]:
    """Try everything by which one admin could make an approver or an admin."""
    length = {"valid_for": HOUR, "by": by, "keys": KEYS}
    calls = (
        lambda: create_token(engine, NOVICE, **length),  # type: ignore[arg-type]
        lambda: create_token(engine, Principal("grace", "human"), **length),  # type: ignore[arg-type]
        lambda: invite(engine, NOVICE, open_for=HOUR, **length),  # type: ignore[arg-type]
        lambda: invite(engine, Principal("ada", "human"), open_for=HOUR, **length),  # type: ignore[arg-type]
        lambda: ensure_principals(engine, [NOVICE], by=by, keys=KEYS),
        lambda: change_principal(engine, "ada", roles=["admin"], groups=[], by=by, keys=KEYS),
        lambda: change_principal(engine, "ada", roles=["approver"], groups=["x"], by=by, keys=KEYS),
    )
    return [refused(lambda _, call=call: call())(0) for call in calls]  # type: ignore[misc]


def test_one_admin_alone_makes_no_approver_and_no_admin(
    empty_engine: sa.Engine, admins: tuple[Principal, Principal]
) -> None:
    found = alone(empty_engine, admins[0])
    assert all(isinstance(one, ForbiddenError) for one in found)
    assert all("two admins are asked" in str(one) for one in found)


def test_control_where_it_is_off_one_admin_does_all_of_it(empty_engine: sa.Engine) -> None:
    found = alone(empty_engine, redeemed(empty_engine, ONE))
    assert not any(isinstance(one, Exception) for one in found)


def test_agents_and_lesser_roles_need_one_admin(
    empty_engine: sa.Engine, admins: tuple[Principal, Principal]
) -> None:
    auditor = Principal("novice", "human", roles=("auditor",))
    create_token(empty_engine, auditor, valid_for=HOUR, by=admins[0], keys=KEYS)
    create_token(empty_engine, AGENT, valid_for=HOUR, by=admins[0], keys=KEYS)
    change_principal(empty_engine, "ada", roles=["auditor"], groups=[], by=admins[0], keys=KEYS)


def test_what_one_proposes_another_carries_out(
    empty_engine: sa.Engine, admins: tuple[Principal, Principal]
) -> None:
    one, other = admins
    assert is_asked(empty_engine, INVITE, KEYS)
    proposal = propose(empty_engine, INVITE, by=one, keys=KEYS)
    [waiting] = read_proposals(empty_engine, by=other, keys=KEYS)
    assert (waiting.id, waiting.by, waiting.change) == (proposal, "one", INVITE)
    made = confirm(empty_engine, proposal, by=other, keys=KEYS)
    assert isinstance(made, MadeInvitation)
    assert redeem(empty_engine, str(made.code), KEYS).row.principal == "novice"
    change = Change("set", Principal("ada", "human", ("admin",), ("release",)))
    confirm(empty_engine, propose(empty_engine, change, by=one, keys=KEYS), by=other, keys=KEYS)
    assert read_proposals(empty_engine, by=other, keys=KEYS) == []
    assert discrepancies(empty_engine) == []


def test_nobody_confirms_their_own(
    empty_engine: sa.Engine, admins: tuple[Principal, Principal]
) -> None:
    proposal = propose(empty_engine, INVITE, by=admins[0], keys=KEYS)
    with pytest.raises(ForbiddenError, match="another admin confirms it"):
        confirm(empty_engine, proposal, by=admins[0], keys=KEYS)


@pytest.fixture
def puppet(empty_engine: sa.Engine) -> tuple[Principal, Principal]:
    """Return an admin, and another one whose token the first one made."""
    one = redeemed(empty_engine, ONE)
    token = create_token(empty_engine, OTHER, valid_for=HOUR, by=one, keys=KEYS).token
    switch_on(empty_engine, by=one, keys=KEYS)
    return one, authenticate(empty_engine, str(token), KEYS)


@pytest.mark.parametrize("turned", [False, True])
def test_an_admin_whose_token_the_other_made_is_no_second_one(
    empty_engine: sa.Engine, puppet: tuple[Principal, Principal], *, turned: bool
) -> None:
    first, second = reversed(puppet) if turned else puppet
    proposal = propose(empty_engine, INVITE, by=first, keys=KEYS)
    with pytest.raises(ForbiddenError, match="who so count as one"):
        confirm(empty_engine, proposal, by=second, keys=KEYS)


def test_control_without_the_look_at_the_hands_the_puppet_would_confirm(
    empty_engine: sa.Engine,
    puppet: tuple[Principal, Principal],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(four_eyes, "hands_of", lambda token, _: (token.principal,))
    proposal = propose(empty_engine, INVITE, by=puppet[0], keys=KEYS)
    assert confirm(empty_engine, proposal, by=puppet[1], keys=KEYS) is not None


def test_a_proposal_is_carried_out_once_of_eight_times(
    empty_engine: sa.Engine, admins: tuple[Principal, Principal]
) -> None:
    proposal = propose(empty_engine, INVITE, by=admins[0], keys=KEYS)
    found = at_once(refused(lambda _: confirm(empty_engine, proposal, by=admins[1], keys=KEYS)))
    assert sum(isinstance(one, MadeInvitation) for one in found) == 1
    assert sum(isinstance(one, NotFoundError) for one in found) == 7


def test_a_proposal_with_a_token_that_was_revoked_since_is_not_carried_out(
    empty_engine: sa.Engine, admins: tuple[Principal, Principal]
) -> None:
    one, other = admins
    proposal = propose(empty_engine, INVITE, by=one, keys=KEYS)
    assert one.token is not None
    revoke_token(empty_engine, one.token, by=other, keys=KEYS)
    with pytest.raises(ForbiddenError, match="no token that holds"):
        confirm(empty_engine, proposal, by=other, keys=KEYS)


def test_one_admin_alone_does_not_switch_it_off(
    empty_engine: sa.Engine, admins: tuple[Principal, Principal]
) -> None:
    off = Change("off", admins[0])
    proposal = propose(empty_engine, off, by=admins[0], keys=KEYS)
    assert is_asked(empty_engine, off, KEYS)
    with pytest.raises(ForbiddenError):
        confirm(empty_engine, proposal, by=admins[0], keys=KEYS)
    confirm(empty_engine, proposal, by=admins[1], keys=KEYS)
    assert not is_asked(empty_engine, INVITE, KEYS)
    assert discrepancies(empty_engine) == []


def test_an_event_that_nobody_signed_neither_switches_it_off_nor_proposes(
    empty_engine: sa.Engine, admins: tuple[Principal, Principal]
) -> None:
    with as_service(empty_engine) as connection:
        for kind, data in (
            ("four_eyes.set", '{"on": false, "with": null}'),
            ("change.proposed", f'{{"proposal": "{UUID(int=5)}", "with": null}}'),
        ):
            connection.execute(
                "INSERT INTO events (directive_id, type, actor, data) VALUES (%s, %s, 'one', %s)",
                [INSTALLATION, kind, data],
            )
    assert is_asked(empty_engine, INVITE, KEYS)
    assert read_proposals(empty_engine, by=admins[1], keys=KEYS) == []
    assert [one.fault for one in discrepancies(empty_engine)] == ["unverifiable"] * 2


def test_whoever_may_not_administer_neither_proposes_nor_confirms(
    empty_engine: sa.Engine, admins: tuple[Principal, Principal]
) -> None:
    proposal = propose(empty_engine, INVITE, by=admins[0], keys=KEYS)
    for call in (
        lambda: propose(empty_engine, INVITE, by=GRACE, keys=KEYS),
        lambda: confirm(empty_engine, proposal, by=GRACE, keys=KEYS),
        lambda: switch_on(empty_engine, by=GRACE, keys=KEYS),
        lambda: read_proposals(empty_engine, by=GRACE, keys=KEYS),
    ):
        with pytest.raises(ForbiddenError):
            call()


def test_where_there_is_one_admin_nobody_locks_themselves_out(empty_engine: sa.Engine) -> None:
    with pytest.raises(ConflictError, match="no other admin who could confirm"):
        switch_on(empty_engine, by=ADMIN, keys=KEYS)
